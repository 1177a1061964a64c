"""TLS per service: the mode, the parameters that the mode uses, and who uses which.

An smtpd service that requires TLS (``encrypt`` or wrapper mode) takes the ``mandatory``
parameters, one that only offers it the others (smtpd.c). For an SMTP client the security level
decides, and the policy table can change it per destination (smtp_tls_policy.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.nexthops import destination
from postlint.analysis.policies import level_of, policies_of
from postlint.analysis.roles import is_public, service_role
from postlint.config.derived import once
from postlint.config.tables import table_reference
from postlint.postfix.tls import policy_levels, server_levels
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.roles import ServiceRole
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.tables import PolicyTable
    from postlint.syntax.source import Location
    from postlint.syntax.table import TableEntry

Mode: TypeAlias = Literal["none", "may", "encrypt", "wrapper", "fatal"]
"""``fatal``: smtpd does not start."""

Level: TypeAlias = Literal[
    "none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure", "fatal"
]

Kind: TypeAlias = Literal["protocols", "ciphers", "exclude_ciphers"]

CLIENTS = ("smtp", "lmtp")
"""Programs of the SMTP client; the first word of their parameters."""

AUTHENTICATED = frozenset({"dane", "dane-only", "fingerprint", "verify", "secure"})
"""Levels at which the server has to prove who it is."""

_SEARCHES = frozenset({"res_defnames", "res_dnsrch"})
"""Resolver options with which a name may mean another one."""

_TREATED_AS_ENCRYPT = frozenset({"fingerprint", "verify", "secure"})


class ServerTls(NamedTuple):
    """What an smtpd or postscreen service does with TLS.

    ``cause`` is the setting that decides the mode; ``mode`` is None when it is not known.
    """

    service: Service
    mode: Mode | None
    cause: Effective

    @property
    def on(self) -> bool:
        """Whether clients can certainly ask for TLS."""
        return self.mode in ("may", "encrypt", "wrapper")

    @property
    def mandatory(self) -> bool:
        """Whether clients certainly have to use TLS."""
        return self.mode in ("encrypt", "wrapper")

    @property
    def role(self) -> ServiceRole:
        return service_role(self.service)

    @property
    def public(self) -> bool | None:
        return is_public(self.service)

    def parameter(self, kind: Kind) -> str:
        """The parameter that the mode uses."""
        return f"smtpd_tls_{'mandatory_' if self.mandatory else ''}{kind}"


class ClientTls(NamedTuple):
    """What an SMTP client service does with TLS, policy tables aside.

    ``cause`` is the setting that decides the level; ``level`` is None when it is not known.
    """

    service: Service
    level: Level | None
    cause: Effective

    @property
    def prefix(self) -> str:
        """The first word of its parameters."""
        return self.service.program

    @property
    def on(self) -> bool:
        """Whether it certainly tries TLS with every server."""
        return self.level not in (None, "none", "fatal")


class PolicyUse(NamedTuple):
    """The first entry of a policy table that does something, and the table."""

    table: PolicyTable
    entry: TableEntry


class PolicySummary:
    """What the policy tables of a client service have in them.

    ``complete``: all of its tables can be read. ``levels``: the first entry per level.
    ``defaults``: the first entry per level that takes protocols or ciphers from main.cf, by
    (attribute, level).
    """

    __slots__ = ("complete", "defaults", "empty", "levels")

    def __init__(self) -> None:
        self.complete = True
        self.empty = True
        self.levels: dict[str, PolicyUse] = {}
        self.defaults: dict[tuple[str, str], PolicyUse] = {}


class Use(NamedTuple):
    """A service uses a parameter; ``why`` is the setting or policy entry that makes it do so."""

    service: Service
    value: Effective
    mandatory: bool
    side: Literal["server", "client"]
    why: Effective | PolicyUse

    @property
    def why_location(self) -> Location | None:
        """Where the reason is written."""
        if isinstance(self.why, PolicyUse):
            return self.why.entry.key.location
        return self.why.value_location


class Tls:
    """TLS of all services of an instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.servers = tuple(
            server_tls(service) for service in instance.services_running("smtpd", "postscreen")
        )
        self.clients = tuple(client_tls(service) for service in instance.services_running(*CLIENTS))
        self._summaries: dict[PolicyTable, PolicySummary] = {}
        self._policies: dict[Service, PolicySummary] = {}

    @property
    def smtpd(self) -> Iterator[ServerTls]:
        """The servers without postscreen."""
        return (server for server in self.servers if server.service.program == "smtpd")

    @property
    def internet(self) -> ClientTls | None:
        """The client for mail to domains that are nobody's here (default_transport), if known."""
        target = destination(self.instance.main["default_transport"])
        if target is None or not target.known:
            return None
        for client in self.clients:
            service = client.service
            if service.name == target.transport and service.type == "unix":
                return client
        return None

    def policies(self, service: Service) -> PolicySummary:
        """What the policy tables of a client service say."""
        found = self._policies.get(service)
        if found is None:
            found = self._policies[service] = self._summary(service)
        return found

    def uses(self, kind: Kind) -> Iterator[Use]:
        """Every certain use of the protocol or cipher parameters by smtpd and SMTP clients."""
        for server in self.smtpd:
            if server.on:
                value = server.service[server.parameter(kind)]
                yield Use(server.service, value, server.mandatory, "server", server.cause)
        for client in self.clients:
            for mandatory, why in self._client_uses(client, kind):
                name = f"{client.prefix}_tls_{'mandatory_' if mandatory else ''}{kind}"
                yield Use(client.service, client.service[name], mandatory, "client", why)

    def used(self, prefix: str, kind: Kind, *, mandatory: bool) -> bool | None:
        """Whether any service uses a parameter; None when that is not known.

        ``prefix`` is ``smtpd``, ``smtp`` or ``lmtp``. Only a whole instance has no other services.
        """
        answers = (
            self._server_answers(mandatory=mandatory)
            if prefix == "smtpd"
            else self._client_answers(prefix, kind, mandatory=mandatory)
        )
        unknown = not (self.instance.whole and self.instance.whole_master_cf)
        for answer in answers:
            if answer:
                return True
            unknown = unknown or answer is None
        return None if unknown else False

    def _server_answers(self, *, mandatory: bool) -> Iterator[bool | None]:
        for server in self.servers:
            yield None if server.mode is None else server.on and server.mandatory == mandatory

    def _client_answers(self, prefix: str, kind: Kind, *, mandatory: bool) -> Iterator[bool | None]:
        for client in self.clients:
            if client.prefix == prefix:
                uses = self._client_uses(client, kind)
                yield any(wanted == mandatory for wanted, _ in uses)
                if client.level is None or not self.policies(client.service).complete:
                    yield None

    def _client_uses(
        self, client: ClientTls, kind: Kind
    ) -> Iterator[tuple[bool, Effective | PolicyUse]]:
        """(mandatory, why) of the uses by a client: its own level, then the policies."""
        seen: set[bool] = set()
        if client.on:
            for mandatory in _mandatory(client.level):
                seen.add(mandatory)
                yield mandatory, client.cause
        attribute = "exclude" if kind == "exclude_ciphers" else kind
        for (name, level), use in self.policies(client.service).defaults.items():
            for mandatory in _mandatory(level):
                if name == attribute and mandatory not in seen:
                    seen.add(mandatory)
                    yield mandatory, use

    def _summary(self, service: Service) -> PolicySummary:
        summary = PolicySummary()
        value = service[f"{service.program}_tls_policy_maps"]
        readable = {table.reference.name: table for table in self.instance.policy_tables}
        for element in value.elements():
            summary.empty = False
            reference = table_reference(element)
            table = readable.get(reference.name) if reference is not None else None
            if table is None:
                summary.complete = False
                continue
            found = self._summaries.get(table)
            if found is None:
                found = self._summaries[table] = _summarize(table)
            for level, use in found.levels.items():
                summary.levels.setdefault(level, use)
            for key, use in found.defaults.items():
                summary.defaults.setdefault(key, use)
        summary.complete = summary.complete and value.problem is None
        return summary


@once
def tls_of(instance: Instance) -> Tls:
    """TLS of an instance, found out once."""
    return Tls(instance)


def server_tls(service: Service) -> ServerTls:
    """The TLS mode of an smtpd or postscreen service."""
    prefix = service.program
    if prefix == "smtpd":
        wrapper = service["smtpd_tls_wrappermode"]
        if wrapper.yes:
            return ServerTls(service, "wrapper", wrapper)
        if wrapper.yes is None:
            return ServerTls(service, None, wrapper)
    level = service[f"{prefix}_tls_security_level"]
    if level.empty is False:
        return ServerTls(service, _server_mode(level, service), level)
    enforce, use = service[f"{prefix}_enforce_tls"], service[f"{prefix}_use_tls"]
    if level.empty is None or enforce.yes is None:
        return ServerTls(service, None, level)
    if enforce.yes:
        return ServerTls(service, "encrypt", enforce)
    if use.yes:
        return ServerTls(service, "may", use)
    return ServerTls(service, None if use.yes is None else "none", use if use.explicit else level)


def client_tls(service: Service) -> ClientTls:
    """The TLS level of an SMTP client for destinations without a policy."""
    prefix = service.program
    level = service[f"{prefix}_tls_security_level"]
    if level.empty is False:
        word = level.word()
        known = {str(name): name for name in policy_levels(service.version)}
        found: Level | None = None if word is None else known.get(word, "fatal")
        return ClientTls(service, found, level)
    enforce, use = service[f"{prefix}_enforce_tls"], service[f"{prefix}_use_tls"]
    if level.empty is None or enforce.yes is None:
        return ClientTls(service, None, level)
    if enforce.yes:
        peername = service[f"{prefix}_tls_enforce_peername"].yes
        if peername is None:
            return ClientTls(service, None, enforce)
        return ClientTls(service, "verify" if peername else "encrypt", enforce)
    if use.yes:
        return ClientTls(service, "may", use)
    return ClientTls(service, None if use.yes is None else "none", use if use.explicit else level)


def no_dnssec(service: Service) -> str | None:
    """What keeps an SMTP client from asking for validated answers, so that DANE is off."""
    prefix = service.program
    support = service[f"{prefix}_dns_support_level"]
    word = support.word()
    if word is None:
        return None
    if word != "dnssec":
        return f"{support.name} is {word or 'empty'}"
    lookup = service[f"{prefix}_host_lookup"]
    if lookup.known and "dns" not in [element.text.lower() for element in lookup.elements()]:
        return f"{lookup.name} lacks dns"
    if prefix == "smtp" and service["ignore_mx_lookup_error"].yes:
        return "ignore_mx_lookup_error = yes"
    options = service[f"{prefix}_dns_resolver_options"]
    searching = [item.text for item in options.elements() if item.text.lower() in _SEARCHES]
    return f"{options.name} has {searching[0]}" if searching else None


def explicit_values(
    instance: Instance, names: Iterable[str]
) -> Iterator[tuple[Service | None, Effective]]:
    """What main.cf (service None) and the overrides give for some parameters."""
    for name in names:
        if name in instance.settings:
            yield None, instance.main[name]
        for service in instance.overriding(name):
            yield service, service[name]


def _server_mode(level: Effective, service: Service) -> Mode | None:
    word = level.word()
    if word is None:
        return None
    if word in _TREATED_AS_ENCRYPT:
        return "encrypt"
    if word not in server_levels(service.version):
        return "fatal"
    return "none" if word == "none" else "may" if word == "may" else "encrypt"


def _mandatory(level: str | None) -> tuple[bool, ...]:
    """Which parameters a client level uses; ``dane`` without TLSA records is ``may``."""
    match level:
        case "may":
            return (False,)
        case "dane":
            return (True, False)
        case _:
            return (True,)


def _summarize(table: PolicyTable) -> PolicySummary:
    summary = PolicySummary()
    policies = policies_of(table)
    known = frozenset(policy_levels(table.instance.version))
    wanted: dict[tuple[str, str], None] = {}
    for policy in policies.different():
        level = level_of(policy)
        if level in known:
            given = {attribute.name for attribute in policy.attributes}
            lacks = [name for name in ("protocols", "ciphers", "exclude") if name not in given]
            wanted.update(((name, level), None) for name in ["", *lacks])
    for name, level in wanted:
        entry = policies.first(
            lambda policy, name=name, level=level: (
                level_of(policy) == level  # type: ignore[misc]
                and all(attribute.name != name for attribute in policy.attributes)
            )
        )
        if entry is None:
            continue
        if not name:
            summary.levels[level] = PolicyUse(table, entry)
        elif level != "none":
            summary.defaults[name, level] = PolicyUse(table, entry)
    return summary
