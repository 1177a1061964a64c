"""What a stranger gets from every service: endpoint, TLS, AUTH, relaying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import accepts_strangers, auth_of
from postlint.analysis.relay import relay_verdict
from postlint.analysis.roles import is_public, listens_on, service_role
from postlint.analysis.tls import client_tls, server_tls
from postlint.analysis.tls_protocols import ProtocolList
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.relay import RelayVerdict
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service

PROGRAMS = ("smtpd", "postscreen", "smtp", "lmtp")

_MODES = {"none": "none", "may": "opportunistic", "encrypt": "required", "wrapper": "wrapper"}


class TlsExposure(NamedTuple):
    """``mode`` is none, opportunistic, required, wrapper, fatal or unknown.

    ``level`` is the security level of a client. ``protocols`` is None where the list is not
    known; those of ``old_library`` only an old OpenSSL still has.
    """

    mode: str
    level: str | None
    protocols: tuple[str, ...] | None
    old_library: tuple[str, ...]
    cipher_grade: str | None
    excluded: tuple[str, ...]
    client_certificate: bool


class AuthExposure(NamedTuple):
    """``offered``: never, after-tls, cleartext or unknown. ``cleartext``: passwords may be seen."""

    offered: str
    cleartext: bool


class ServiceExposure(NamedTuple):
    """One service. ``auth`` and ``relay`` are those of smtpd."""

    service: Service
    listen: str
    role: str
    public: bool | None
    tls: TlsExposure
    auth: AuthExposure | None
    relay: RelayVerdict | None
    local_mail: bool | None


def exposures(instance: Instance) -> Iterator[ServiceExposure]:
    """Every service that speaks SMTP or LMTP with other hosts."""
    for service in instance.services_running(*PROGRAMS):
        smtpd = service.program == "smtpd"
        yield ServiceExposure(
            service,
            listens_on(service),
            service_role(service),
            is_public(service),
            _server_tls(service) if smtpd or service.program == "postscreen" else _client(service),
            _auth(service) if smtpd else None,
            relay_verdict(service) if smtpd else None,
            accepts_strangers(service) if smtpd else None,
        )


def _server_tls(service: Service) -> TlsExposure:
    tls = server_tls(service)
    mode = _MODES.get(tls.mode or "", tls.mode or "unknown")
    if not tls.on:
        return TlsExposure(
            mode, None, () if tls.mode else None, (), None, (), client_certificate=False
        )
    asked = service["smtpd_tls_ask_ccert"].yes or service["smtpd_tls_req_ccert"].yes
    excluded = _words(service["smtpd_tls_exclude_ciphers"])
    if tls.mandatory:
        excluded += _words(service["smtpd_tls_mandatory_exclude_ciphers"])
    certain, old = _protocols(service, tls.parameter("protocols"), "server")
    grade = service[tls.parameter("ciphers")].word()
    return TlsExposure(mode, None, certain, old, grade, excluded, client_certificate=bool(asked))


def _client(service: Service) -> TlsExposure:
    tls = client_tls(service)
    if tls.level is None:
        return TlsExposure("unknown", None, None, (), None, (), client_certificate=False)
    if not tls.on:
        return TlsExposure("none", tls.level, (), (), None, (), client_certificate=False)
    opportunistic = tls.level == "may"
    kind = "" if opportunistic else "mandatory_"
    certain, old = _protocols(service, f"{tls.prefix}_tls_{kind}protocols", "client")
    excluded = _words(service[f"{tls.prefix}_tls_exclude_ciphers"])
    if not opportunistic:
        excluded += _words(service[f"{tls.prefix}_tls_mandatory_exclude_ciphers"])
    return TlsExposure(
        "opportunistic" if tls.level in ("may", "dane") else "required",
        tls.level,
        certain,
        old,
        service[f"{tls.prefix}_tls_{kind}ciphers"].word(),
        excluded,
        client_certificate=False,
    )


def _protocols(
    service: Service, parameter: str, side: str
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    value = service[parameter]
    if not value.known:
        return None, ()
    listed = ProtocolList.of(value, service.version)
    offered = listed.offered("server" if side == "server" else "client")
    if offered is None:
        return None, ()
    return offered.certain, offered.library


def _words(value: Effective) -> tuple[str, ...]:
    return tuple(element.text for element in value.elements() if element.known)


def _auth(service: Service) -> AuthExposure:
    auth = auth_of(service)
    offered = auth.offer or "unknown"
    return AuthExposure(offered, offered == "cleartext" and auth.plaintext is not False)
