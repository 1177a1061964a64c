"""The rules there are: bundled modules listed by name, and plugins that the user names."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

BUNDLED = "postlint_rules"

MODULES = (
    "access.arguments",
    "access.dnslists",
    "access.old",
    "access.order",
    "access.results",
    "access.words",
    "certificates.authorities",
    "certificates.chains",
    "certificates.clients",
    "certificates.keys",
    "certificates.pairs",
    "certificates.parameters",
    "certificates.server",
    "certificates.validity",
    "duplicates.elements",
    "duplicates.services",
    "duplicates.settings",
    "master.arguments",
    "master.chroot",
    "master.commands",
    "master.fields",
    "master.gaps",
    "master.limits",
    "master.needed",
    "master.network",
    "master.overrides",
    "master.programs",
    "master.sockets",
    "network.classes",
    "network.interfaces",
    "network.names",
    "network.patterns",
    "network.trusted",
    "operating.compatibility",
    "operating.debugging",
    "operating.delivery",
    "operating.limits",
    "parameters.obsolete",
    "parameters.references",
    "parameters.unknown",
    "parameters.versions",
    "policy.attributes",
    "policy.fingerprints",
    "policy.keys",
    "policy.levels",
    "policy.protocols",
    "relaying.anonymous",
    "relaying.domains",
    "relaying.placement",
    "relaying.reinjection",
    "relaying.startup",
    "relaying.trust",
    "routing.catch_all",
    "routing.filters",
    "routing.recipients",
    "routing.relayhosts",
    "sasl.client",
    "sasl.options",
    "sasl.permits",
    "sasl.server",
    "sasl.submission",
    "smtp.postscreen",
    "smtp.server",
    "smtp.smuggling",
    "suppressions",
    "syntax.comments",
    "syntax.lines",
    "syntax.macros",
    "syntax.quoting",
    "tables.aliases",
    "tables.anchors",
    "tables.berkeley",
    "tables.clients",
    "tables.duplicates",
    "tables.files",
    "tables.keys",
    "tables.networks",
    "tables.patterns",
    "tables.proxies",
    "tables.results",
    "tables.types",
    "templates",
    "tls.ciphers",
    "tls.client_levels",
    "tls.fingerprints",
    "tls.levels",
    "tls.protocol_lists",
    "tls.sessions",
    "tls.twins",
    "tls.versions",
    "tls.wrapper",
    "values.endpoints",
    "values.lists",
    "values.scalars",
    "values.tables",
    "values.times",
    "values.words",
)
"""The bundled rule modules; nothing scans folders."""


class RegistryError(Exception):
    """A plugin that can not be loaded or whose rules clash; the text says which and why."""


@cache
def bundled_rules() -> tuple[Rule, ...]:
    """All bundled rules in the order of their codes."""
    _find_bundled()
    return _sorted(import_module(f"{BUNDLED}.{name}") for name in MODULES)


def with_plugins(modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    """The bundled rules and those of plugin modules; raises RegistryError."""
    known = {rule.code: rule for rule in bundled_rules()}
    names = {rule.name: rule for rule in known.values()}
    for module in modules:
        rules = [value for value in vars(module).values() if isinstance(value, Rule)]
        if not rules:
            raise RegistryError(f"plugin {module.__name__} has no rules")
        for rule in rules:
            other = known.setdefault(rule.code, rule)
            other = names.setdefault(rule.name, rule) if other is rule else other
            if other is not rule:
                raise RegistryError(
                    f"plugin {module.__name__}: {rule.code} {rule.name} clashes"
                    f" with {other.code} {other.name} of {other.module}"
                )
    return tuple(sorted(known.values(), key=lambda rule: rule.code))


def _sorted(modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    rules = [
        value for module in modules for value in vars(module).values() if isinstance(value, Rule)
    ]
    return tuple(sorted({rule.code: rule for rule in rules}.values(), key=lambda rule: rule.code))


def _find_bundled() -> None:
    """In a checkout that is not installed the rules lie beside the package, under another name."""
    if BUNDLED in sys.modules or util.find_spec(BUNDLED) is not None:
        return
    folder = Path(__file__).resolve().parents[2] / "rules"
    spec = util.spec_from_file_location(
        BUNDLED, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None or not folder.is_dir():
        raise RegistryError("the bundled rules are not installed")
    module = util.module_from_spec(spec)
    sys.modules[BUNDLED] = module
    spec.loader.exec_module(module)
