"""NET003 and NET009: the names that the host gives itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.nexthops import destination, host_name_problem, is_address
from postlint.analysis.templates import is_unfilled
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance

    Sending: TypeAlias = Literal["directly", "through a relay", "never"]

_NOWHERE = LazyPattern(
    r"(?:.*\.)?(?:local|lan|internal|intern|home|corp|intra|intranet|private|localnet|test|invalid"
    r"|example|home\.arpa)"
)
_LOCALHOST = LazyPattern(r"localhost|localdomain|.*\.(?:localhost|localdomain)")
_UNFILLED = LazyPattern(r"@[A-Za-z_]+@|%\([A-Za-z_]+\)s|\A_[A-Z_]+_\Z|\A%[a-z_]{3,}\Z")
_NO_DELIVERY = frozenset({"discard", "error", "retry"})
_TOP_LEVEL = frozenset(
    {
        *("at", "au", "be", "biz", "br", "ca", "ch", "cn", "com", "cz", "de", "dk", "edu", "es"),
        *("eu", "fi", "fr", "gov", "gr", "hu", "ie", "in", "info", "int", "io", "it", "jp", "kr"),
        *("mil", "mx", "net", "nl", "no", "nz", "org", "pl", "pt", "ro", "ru", "se", "sk", "tr"),
        *("tw", "ua", "uk", "us"),
    }
)
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "ne", "or", "org"})
_MARKS = frozenset("\"'#")
"""What other rules report: quotes that are part of the value, comments behind it."""


@rule("NET003", severity=Severity.ERROR, tags=("RFC 5321", "BASIC_CONFIGURATION_README"))
def myhostname_not_fqdn(instance: Instance) -> Iterator[Finding]:
    """The name of the host is no name that other mail servers accept.

    Why: Postfix greets every server with myhostname. Many refuse a name without a domain, and
        one that does not exist in the DNS counts as a sign of spam. A name that breaks the rules
        for host names stops every Postfix program.
    Fix: Set myhostname to the full name that the DNS gives the host's address, such as
        mx.example.com.
    Bad:
        myhostname = mx
    Good:
        myhostname = mx.example.com
    References: RFC 5321 section 2.3.5, RFC 5321 section 4.1.4, postconf(5) myhostname
    """
    value = instance.main["myhostname"]
    name = _name(value)
    if name is None or value.value_location is None:
        return
    problem = host_name_problem(name)
    if problem is not None:
        message = f'myhostname "{name}": {problem}; no Postfix program will start'
        yield Finding(value.value_location, message, parameter="myhostname")
        return
    judged = _judge(name.lower())
    if judged is None:
        return
    severity, what = judged
    yield Finding(
        value.value_location,
        f'myhostname "{name}" {what}',
        severity=_weighed(instance, severity),
        parameter="myhostname",
    )


def _judge(name: str) -> tuple[Severity, str] | None:
    if _LOCALHOST.fullmatch(name):
        return Severity.ERROR, "is no name that others know this host by: they refuse it in HELO"
    if "." not in name:
        return Severity.ERROR, "has no domain: servers refuse such a name in HELO"
    if _NOWHERE.fullmatch(name):
        return Severity.WARNING, "does not exist in the public DNS: many servers refuse it in HELO"
    if "_" in name:
        return Severity.WARNING, "has an underscore, which no host name may have: some refuse it"
    return None


@rule("NET009", severity=Severity.WARNING)
def mydomain_weird(instance: Instance) -> Iterator[Finding]:
    """The domain of the host, or the domain of its users' addresses, is none of its own.

    Why: Postfix completes addresses with myorigin and names with mydomain. With a top-level
        domain or localdomain there, local mail leaves with senders that nobody can answer, and
        lists with $mydomain stand for domains of others. Two domains in myorigin stop Postfix.
    Fix: Set mydomain to the domain that you own and myorigin to the one domain of your users.
    Bad:
        mydomain = com
    Good:
        mydomain = example.com
    References: postconf(5) mydomain, postconf(5) myorigin, BASIC_CONFIGURATION_README
    """
    mydomain, myorigin = instance.main["mydomain"], instance.main["myorigin"]
    domain, origin = _name(mydomain), _name(myorigin)
    location = mydomain.value_location
    if domain is not None and location is not None:
        problem = host_name_problem(domain)
        if problem is not None:
            message = f'mydomain "{domain}": {problem}; no Postfix program will start'
            yield Finding(location, message, severity=Severity.ERROR, parameter="mydomain")
        elif _is_public_suffix(domain.lower()):
            message = f'mydomain "{domain}" is everybody\'s: lists with $mydomain stand for others'
            yield Finding(location, message, parameter="mydomain")
    if origin is None or myorigin.value_location is None or origin.startswith("/"):
        return
    if len(origin.replace(",", " ").split()) > 1:
        yield Finding(
            myorigin.value_location,
            f'myorigin takes one domain, not "{origin}": no Postfix program will start',
            severity=Severity.ERROR,
            parameter="myorigin",
        )
        return
    what = _judge_origin(origin.lower())
    if what is not None:
        yield Finding(
            myorigin.value_location,
            f'myorigin "{origin}" {what}',
            severity=_weighed(instance, Severity.WARNING),
            parameter="myorigin",
        )


def _judge_origin(origin: str) -> str | None:
    if is_address(origin.strip("[]")):
        return "is an address: mail of local users leaves with senders that are not valid"
    if origin.startswith(("@", ".")):
        return f'begins with "{origin[0]}": mail of local users leaves with senders that are wrong'
    if _LOCALHOST.fullmatch(origin):
        return "is a domain that every host has: nobody can answer mail of local users"
    return None


def _is_public_suffix(domain: str) -> bool:
    """Whether a domain is one that registries sell names below; the usual ones only."""
    first, dot, last = domain.rpartition(".")
    if not first:
        return domain in _TOP_LEVEL
    return bool(dot) and first in _SECOND_LEVEL and last in _TOP_LEVEL and len(last) == 2


def _name(value: Effective) -> str | None:
    """An explicit value that is known, not empty, and no other rule's business."""
    text = value.text.strip()
    if not value.explicit or not value.known or not text or _MARKS & set(text):
        return None
    if _UNFILLED.search(text) or any(is_unfilled(label) for label in text.split(".")):
        return None
    return text


def _weighed(instance: Instance, severity: Severity) -> Severity:
    """Names matter less where only a relay host, or nobody, gets to see them."""
    if _sending(instance) == "directly" and not _has_helo_name(instance):
        return severity
    return Severity(max(severity - 1, Severity.INFO))


def _sending(instance: Instance) -> Sending:
    target = destination(instance.main["default_transport"])
    if target is not None and target.transport in _NO_DELIVERY:
        return "never"
    return "directly" if instance.main["relayhost"].empty else "through a relay"


def _has_helo_name(instance: Instance) -> bool:
    """Whether the SMTP client greets with a full name of its own."""
    value = instance.main["smtp_helo_name"]
    return value.explicit and "." in value.text and "$myhostname" not in value.setting.text
