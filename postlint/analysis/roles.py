"""What services and hosts are there for: listening endpoints, and the roles that follow.

A role is what port and reach say, not what a comment says. Where the host's own names or
addresses decide, or a template has not been filled in, the answer is None or ``other``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.derived import once
from postlint.config.effective import UNKNOWN
from postlint.config.placeholders import has_placeholder
from postlint.postfix.services import inet_port
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service

ServiceRole: TypeAlias = Literal["mx", "msa", "reinject", "other"]
HostRole: TypeAlias = Literal["null-client", "send-only", "relay", "mx"]

SMTP_PORT = 25
SUBMISSION_PORTS = frozenset({465, 587})

_LOOPBACK = LazyPattern(r"localhost(?:\.localdomain)?|127(?:\.[0-9]+){0,3}|\[?(?:ipv6:)?::1\]?")
_LOCAL_NAME = LazyPattern(r"localhost(?:[0-9]*(?:\..*)?)?")
_SERVERS = ("postscreen", "smtpd")


@once
def service_role(service: Service) -> ServiceRole:
    """What an smtpd or postscreen service is there for.

    ``mx`` takes mail from the world (port 25), ``msa`` from users (587, 465); ``reinject`` takes
    it back from a content filter over loopback.
    """
    number = port(service)
    if number in SUBMISSION_PORTS:
        return "msa"
    if is_public(service) is False and _takes_filtered_mail(service):
        return "reinject"
    return "mx" if number == SMTP_PORT else "other"


@once
def port(service: Service) -> int | None:
    """The TCP port; None for a service without one and for a name that is no known port.

    A ``pass`` service has the port of the postscreen services that feed it.
    """
    ports = {inet_port(endpoint.name) for endpoint in _endpoints(service)}
    return ports.pop() if len(ports) == 1 else None


@once
def is_public(service: Service) -> bool | None:
    """Whether clients on other hosts can reach the service; None when that is not known."""
    if service.type not in ("inet", "pass"):
        return False
    feeding = list(_endpoints(service))
    if not feeding:
        return False if service.instance.whole_master_cf else None
    return _any(_reachable(endpoint) for endpoint in feeding)


def listens_on(service: Service) -> str:
    """The listening endpoint for people: ``*:25``, ``127.0.0.1:10025``, ``private/lmtp``."""
    if service.type not in ("inet", "pass"):
        visible = "public" if service.field("private").lower() == "n" else "private"
        return f"{visible}/{service.name}"
    return ", ".join(_spelled(endpoint) for endpoint in _endpoints(service)) or service.label


def listens_on_loopback(address: str) -> bool:
    """Whether a host name or address can only be this host itself."""
    return _LOOPBACK.fullmatch(address.lower()) is not None


def host_role(instance: Instance) -> HostRole | None:
    """What the installation as a whole is there for; None when that is not known.

    A host that no other host can reach and that is no domain's destination only sends: through
    a relay (``null-client``) or by itself (``send-only``).
    """
    local_only = _only_own_names(instance)
    if local_only is None:
        return None
    public = _any(
        is_public(service)
        for service in instance.services_running(*_SERVERS)
        if service.type in ("inet", "pass")
    )
    if local_only and public is False:
        direct = instance.main["relayhost"].empty
        return None if direct is None else "send-only" if direct else "null-client"
    relay_domains = instance.main["relay_domains"]
    if local_only and relay_domains.explicit and relay_domains.empty is not True:
        return "relay" if relay_domains.empty is False else None
    return None if local_only and public is None else "mx"


def _endpoints(service: Service) -> Iterator[Service]:
    """The ``inet`` services through which clients come to a service: itself, or postscreen."""
    if service.type == "inet":
        yield service
    elif service.type == "pass":
        yield from _screens(service.instance).get(service.name, ())


@once
def _screens(instance: Instance) -> dict[str, list[Service]]:
    """The postscreen services by the names of the services that they hand clients to."""
    found: dict[str, list[Service]] = {}
    for screen in instance.services_running("postscreen"):
        if screen.type == "inet":
            found.setdefault(screen["smtpd_service_name"].text, []).append(screen)
    return found


def _spelled(endpoint: Service) -> str:
    host, _, name = endpoint.name.rpartition(":")
    number = inet_port(name)
    if not host:
        interfaces = endpoint.instance.main["inet_interfaces"].text.strip()
        host = "*" if interfaces.lower() == "all" else interfaces.replace(UNKNOWN, "?")
        host = f"({host})" if re.search(r"[ ,]", host) else host
    return f"{host}:{name if number is None else number}"


def _reachable(endpoint: Service) -> bool | None:
    """Whether an ``inet`` service listens on more than loopback (master_ent.c)."""
    host = endpoint.name.rpartition(":")[0]
    if host:
        return None if has_placeholder(host) else not listens_on_loopback(host)
    interfaces = endpoint.instance.main["inet_interfaces"]
    match interfaces.word():
        case "all":
            return True
        case "loopback-only":
            return False
    elements = interfaces.elements()
    if not elements:
        return None
    return _any(
        not listens_on_loopback(element.text) if element.known else None for element in elements
    )


def _takes_filtered_mail(service: Service) -> bool:
    """Whether overrides show that a filter hands mail back here."""
    if service.overrides("content_filter") and service["content_filter"].empty:
        return True
    if service.overrides("smtpd_proxy_filter") and service["smtpd_proxy_filter"].empty:
        return True
    return service.overrides("receive_override_options")


def _only_own_names(instance: Instance) -> bool | None:
    """Whether mydestination holds nothing but names of the host itself."""
    mydestination = instance.main["mydestination"]
    if instance.main_cf is None or mydestination.problem is not None:
        return None
    if has_placeholder(mydestination.setting.text):
        return None
    names = _own_names(instance.main["myhostname"], instance.main["mydomain"])
    answers = (
        True
        if element.text.lower() in names or _LOCAL_NAME.fullmatch(element.text.lower())
        else False
        if element.known
        else None
        for element in mydestination.elements()
    )
    foreign = _any(None if answer is None else not answer for answer in answers)
    return None if foreign is None else not foreign


def _own_names(myhostname: Effective, mydomain: Effective) -> frozenset[str]:
    """Names of the host; an unknown myhostname is spelled as it is in expanded values."""
    host, domain = myhostname.text.lower(), mydomain.text.lower()
    short = host.partition(".")[0]
    return frozenset({host, short, f"{short}.{domain}", f"localhost.{domain}"}) - {""}


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Three-valued ``any``: None when an unknown answer could make it true."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False
