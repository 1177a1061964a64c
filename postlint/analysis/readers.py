"""Which programs read a parameter, and so what refuses to start when its value is bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import explicit_settings
from postlint.config.derived import once
from postlint.postfix import parameters, service_parameters
from postlint.postfix.services import COMMANDS
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.settings import Setting

EVERYTHING = "*"
"""In place of names: every daemon, and nearly every command."""


_TLS_LIBRARY = frozenset({"openssl_path", "tlsmgr_service_name"})
"""Read with the parameters of the TLS library, when a program uses it."""


class Explicit(NamedTuple):
    """A setting that counts, with its value; ``service`` is that of an override."""

    setting: Setting
    value: Effective
    service: Service | None

    @property
    def service_label(self) -> str | None:
        """The service as findings name it."""
        return None if self.service is None else self.service.label


class Refusal(NamedTuple):
    """Who refuses a bad value. ``certain``: the installation does run one of them."""

    text: str
    certain: bool


@once
def explicit_values(instance: Instance) -> tuple[Explicit, ...]:
    """Every setting of main.cf that counts, and every override that does."""
    return tuple(
        Explicit(setting, (instance.main if service is None else service)[setting.name], service)
        for service, setting in explicit_settings(instance)
    )


def readers(name: str, instance: Instance) -> frozenset[str]:
    """The programs that load a parameter; {"*"} for all of them, empty for what is none."""
    parameter = parameters.get(name)
    if parameter is not None:
        return parameter.programs(instance.version)
    matched = service_parameters.match_service_parameter(name)
    return frozenset() if matched is None else matched[2].read_by


def refusal(name: str, instance: Instance, service: Service | None = None) -> Refusal | None:
    """What does not start when a parameter has a bad value; None when nothing loads it."""
    programs = readers(name, instance)
    if service is not None:
        if EVERYTHING in programs or service.program in programs:
            return Refusal(f"{service.program} will not start", certain=True)
        return None
    if not programs:
        return None
    if name in _TLS_LIBRARY or (name.startswith("tls_") and {"smtp", "smtpd"} <= programs):
        return Refusal("no program that uses TLS will start", certain=True)
    if EVERYTHING in programs:
        return Refusal("no Postfix program will start", certain=True)
    if instance.whole_master_cf:
        here = programs & _running(instance)
        if not here:
            return Refusal(f"{_listed(programs)} would not start", certain=False)
        programs = here
    return Refusal(f"{_listed(programs)} will not start", certain=True)


@once
def _running(instance: Instance) -> frozenset[str]:
    """The programs of a whole installation: its daemons and all commands."""
    return frozenset({found.program for found in instance.services} | {"master", *COMMANDS})


def _listed(programs: frozenset[str]) -> str:
    names = sorted(programs, key=lambda name: (name not in ("smtpd", "smtp"), name))
    if len(names) > 3:
        return f"{names[0]} and {len(names) - 1} other programs"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
