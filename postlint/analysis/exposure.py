"""What a stranger gets from every service: endpoint, TLS, AUTH, relaying."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from postlint.analysis.auth import accepts_strangers, auth_of, hides_keyword, password_entries
from postlint.analysis.cipher_suites import KINDS
from postlint.analysis.client_policies import AUTHENTICATED, FALLS_BACK, client_policy
from postlint.analysis.handshakes import server_handshake
from postlint.analysis.mechanisms import announced
from postlint.analysis.nexthops import is_host_name
from postlint.analysis.relay import relay_verdict
from postlint.analysis.roles import is_public, listens_on, service_role
from postlint.analysis.routes import routes_of
from postlint.analysis.server_certificates import certificate_of, client_certificate_of
from postlint.analysis.tls import client_tls, server_tls
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.cipher_suites import Suite
    from postlint.analysis.client_policies import ClientPolicy
    from postlint.analysis.handshakes import Handshake
    from postlint.analysis.relay import RelayVerdict
    from postlint.analysis.tls import ServerTls
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service

PROGRAMS: Final = ("smtpd", "postscreen", "smtp", "lmtp")

EVERYBODY: Final = "*"
"""Mail that goes by the domain of the recipient."""

MANY_DESTINATIONS: Final = 200
"""Next hops of one service that are told apart."""

MANY_PASSWORDS: Final = 50_000

_MODES: Final = {
    "none": "none",
    "may": "opportunistic",
    "encrypt": "required",
    "wrapper": "wrapper",
}


class Ciphers(NamedTuple):
    """What can be negotiated besides TLS 1.3, whose ciphers are all fine.

    ``kinds``: those of KINDS that a library of today has; ``old_kinds``: that only old ones do.
    """

    kinds: frozenset[str]
    old_kinds: frozenset[str]
    forward_secrecy_only: bool
    aead_only: bool


class TlsExposure(NamedTuple):
    """``mode`` is none, opportunistic, required, wrapper, fatal or unknown.

    ``level`` is the security level of a client. ``starttls``: what a server answers: ``offered``,
    ``hidden``, ``refused`` (with 454), ``fails`` (in the handshake), ``implicit`` (TLS from the
    start), ``no``; None for clients and where that is not known. ``problem`` is why. ``protocols``
    is None where the list is not known; those of ``old_library`` only an old OpenSSL still has.
    """

    mode: str
    level: str | None = None
    starttls: str | None = None
    problem: str = ""
    cause: Effective | None = None
    protocols: tuple[str, ...] | None = ()
    old_library: tuple[str, ...] = ()
    cipher_grade: str | None = None
    excluded: tuple[str, ...] | None = ()
    ciphers: Ciphers | None = None
    certificate: str | None = None
    client_certificate: str | None = None


class Mechanisms(NamedTuple):
    """Which of the usual SASL mechanisms a backend may announce; None: not known."""

    before_tls: tuple[str, ...] | None
    after_tls: tuple[str, ...] | None


class AuthExposure(NamedTuple):
    """``offered``: never, after-tls, cleartext or unknown. ``cleartext``: passwords may be seen."""

    offered: str
    cleartext: bool
    mechanisms: Mechanisms


class DestinationExposure(NamedTuple):
    """How a client sends to one next hop; ``EVERYBODY`` is mail by the recipient's domain.

    ``refused``: why the mail stays in the queue. ``credentials``: whether it logs in there; None
    where the passwords can not be read.
    """

    nexthop: str
    level: str | None
    policy_key: str
    refused: str
    authenticated: bool | None
    falls_back: bool | None
    credentials: bool | None
    tls: TlsExposure


class ServiceExposure(NamedTuple):
    """One service. ``auth`` and ``relay`` are those of smtpd, ``destinations`` of clients."""

    service: Service
    listen: str
    role: str
    public: bool | None
    tls: TlsExposure
    auth: AuthExposure | None
    relay: RelayVerdict | None
    local_mail: bool | None
    destinations: tuple[DestinationExposure, ...]


def exposures(instance: Instance) -> Iterator[ServiceExposure]:
    """Every service that speaks SMTP or LMTP with other hosts."""
    for service in instance.services_running(*PROGRAMS):
        smtpd = service.program == "smtpd"
        server = smtpd or service.program == "postscreen"
        tls = _server(server_tls(service)) if server else _client(service)
        yield ServiceExposure(
            service,
            listens_on(service),
            service_role(service),
            is_public(service),
            tls,
            _auth(service, tls) if smtpd else None,
            relay_verdict(service) if smtpd else None,
            accepts_strangers(service) if smtpd else None,
            () if server else tuple(_destinations(service)),
        )


def _server(tls: ServerTls) -> TlsExposure:
    mode = _MODES.get(tls.mode or "", tls.mode or "unknown")
    if not tls.on:
        starttls = "no" if tls.mode in ("none", "fatal") else None
        return TlsExposure(mode, starttls=starttls, protocols=() if tls.mode else None)
    service = tls.service
    handshake = server_handshake(tls)
    starttls, problem, cause = _starttls(tls, handshake)
    exposed = TlsExposure(
        mode,
        None,
        starttls,
        problem,
        cause,
        cipher_grade=handshake.grade,
        excluded=handshake.excluded,
        certificate=certificate_of(service),
        client_certificate=client_certificate_of(tls),
    )
    if problem:
        return exposed._replace(old_library=handshake.old_protocols)
    return exposed._replace(
        protocols=handshake.protocols,
        old_library=handshake.old_protocols,
        ciphers=_ciphers(handshake),
    )


def _starttls(tls: ServerTls, handshake: Handshake) -> tuple[str | None, str, Effective | None]:
    """The answer, what is wrong, and the setting that makes it so."""
    if tls.mode != "wrapper":
        hidden = hides_keyword(tls.service, "starttls")
        if hidden:
            name = f"{tls.service.program}_discard_ehlo_keywords"
            return "hidden", "STARTTLS is not announced", tls.service[name]
        if hidden is None:
            return None, "", None
    problem = handshake.problem
    if problem is None:
        return ("implicit" if tls.mode == "wrapper" else "offered"), "", None
    refused = problem.refused and tls.mode != "wrapper"
    return ("refused" if refused else "fails"), problem.text, problem.cause


def _ciphers(handshake: Handshake) -> Ciphers | None:
    if handshake.suites is None:
        return None
    current = handshake.current_suites
    kinds = _kinds(current)
    return Ciphers(
        kinds,
        _kinds(handshake.suites) - kinds,
        all(suite.forward_secrecy for suite in current),
        all(suite.digest == "AEAD" for suite in current),
    )


def _kinds(suites: Iterable[Suite]) -> frozenset[str]:
    found = {kind for suite in suites for kind in suite.kinds}
    return frozenset(kind for kind in KINDS if kind in found)


def _client(service: Service) -> TlsExposure:
    tls = client_tls(service)
    if tls.level is None:
        return TlsExposure("unknown", protocols=None)
    if not tls.on:
        return TlsExposure("none", tls.level)
    return _of_policy(service, client_policy(service, None))


def _of_policy(service: Service, policy: ClientPolicy) -> TlsExposure:
    """TLS with the servers that a policy is for."""
    level, handshake = policy.level, policy.handshake
    if level is None:
        return TlsExposure("unknown", protocols=None)
    if level == "none":
        return TlsExposure("none", level)
    mode = "opportunistic" if level in FALLS_BACK else "required"
    if handshake is None:
        return TlsExposure(mode, level, problem=policy.refused)
    problem = handshake.problem
    return TlsExposure(
        mode,
        level,
        None,
        "" if problem is None else problem.text,
        None if problem is None else problem.cause,
        handshake.protocols,
        handshake.old_protocols,
        handshake.grade,
        handshake.excluded,
        _ciphers(handshake),
        client_certificate=_shown_certificate(service),
    )


def _shown_certificate(service: Service) -> str | None:
    """Whether a client has a certificate to show to servers that ask for one."""
    kinds = ("cert_file", "eccert_file", "dcert_file", "chain_files")
    answers = [service[f"{service.program}_tls_{kind}"].empty for kind in kinds]
    if False in answers:
        return "shown"
    return None if None in answers else "none"


def _destinations(service: Service) -> Iterator[DestinationExposure]:
    """The next hops that are known to lead here, each once, and policies of single domains."""
    hops = (route.hop for route in routes_of(service.instance).of(service))
    texts = dict.fromkeys(EVERYBODY if hop is None else hop.text for hop in hops)
    if EVERYBODY in texts:
        texts.update((key, None) for key in _domains_with_policies(service))
    logins = _logins(service)
    for text in islice(texts, MANY_DESTINATIONS):
        policy = client_policy(service, None if text == EVERYBODY else text)
        handshake = policy.handshake
        problem = None if handshake is None else handshake.problem
        yield DestinationExposure(
            text,
            policy.level,
            policy.key,
            policy.refused or (problem.text if problem and policy.level != "may" else ""),
            None if policy.level is None else policy.level in AUTHENTICATED,
            None if policy.level is None else policy.level in FALLS_BACK,
            _credentials(logins, text),
            _of_policy(service, policy),
        )


def _domains_with_policies(service: Service) -> Iterator[str]:
    """Keys of policies that mail by the recipient's domain can be looked up with."""
    parameter = f"{service.program}_tls_policy_maps"
    for table in service.instance.tables:
        if table.readable and any(use.parameter == parameter for use in table.uses):
            for entry in islice(table.entries(), MANY_DESTINATIONS):
                key = entry.key.text.lower()
                if entry.problem is None and is_host_name(key.removeprefix(".")):
                    yield key


def _logins(service: Service) -> frozenset[str] | None:
    """The destinations with a password, in lower case; None where that is not known."""
    enabled = service[f"{service.program}_sasl_auth_enable"].yes
    if enabled is False or service[f"{service.program}_sasl_password_maps"].empty:
        return frozenset()
    entries = list(islice(password_entries(service), MANY_PASSWORDS + 1))
    if enabled is None or len(entries) > MANY_PASSWORDS:
        return None
    keys = [entry.key.text.lower() if entry is not None else None for entry in entries]
    return None if None in keys else frozenset(key for key in keys if key is not None)


def _credentials(logins: frozenset[str] | None, nexthop: str) -> bool | None:
    """Whether a password is sent to a next hop: its spelling or its host is a key of the table."""
    if logins is None or (logins and nexthop == EVERYBODY):
        return None
    host = nexthop.partition("]")[0].strip("[").partition(":")[0].lower()
    return not logins.isdisjoint({nexthop.lower(), host})


def _auth(service: Service, tls: TlsExposure) -> AuthExposure:
    auth = auth_of(service)
    offered: str = auth.offer or "unknown"
    if offered == "after-tls" and tls.problem:
        offered = "never"
    cleartext = offered == "cleartext"
    before = announced(service, tls=False) if cleartext else ()
    usable = tls.starttls in ("offered", "implicit") and offered != "never"
    after = announced(service, tls=True) if usable else ()
    if offered == "unknown":
        before = after = None
    return AuthExposure(
        offered, cleartext and auth.plaintext is not False, Mechanisms(before, after)
    )
