"""VAL011 and VAL013: reply codes, and where servers listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import names_of
from postlint.analysis.readers import explicit_values
from postlint.analysis.shapes import shape
from postlint.analysis.templates import has_template_marks, is_unfilled
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters, restrictions
from postlint.syntax.lists import split_list
from postlint.syntax.patterns import LazyPattern

from .common import bounds_of, origin, unclear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.readers import Explicit
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.syntax.source import Location

_NO_REPLIES = frozenset({"fault_injection_code"})
_UNKNOWN_RECIPIENTS = frozenset(
    {
        "unknown_local_recipient_reject_code",
        "unknown_relay_recipient_reject_code",
        "unknown_virtual_alias_reject_code",
        "unknown_virtual_mailbox_reject_code",
    }
)
_LOOKED_UP_IN = {
    "unknown_local_recipient_reject_code": "local_recipient_maps",
    "unknown_relay_recipient_reject_code": "relay_recipient_maps",
    "unknown_virtual_alias_reject_code": "virtual_alias_domains",
    "unknown_virtual_mailbox_reject_code": "virtual_mailbox_maps",
}
_MILTERS = frozenset({"smtpd_milters", "non_smtpd_milters"})
_RELAY_HOSTS = frozenset(
    {"relayhost", "smtp_fallback_relay", "fallback_relay", "lmtp_fallback_relay"}
)
_TRANSPORTS = ("inet", "unix", "local")
_HOST_AND_PORT = LazyPattern(r"(?:\[[^\]\s]+\]|[A-Za-z0-9._-]*):([A-Za-z0-9_-]+)\Z")
_HOST_LIKE = LazyPattern(r"\[.*\]\Z|[0-9.]+\Z|localhost\Z|.*\..*\Z")
_URL = LazyPattern(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORT = LazyPattern(r"[0-9]+\Z")
_TRANSPORT_PREFIX = LazyPattern(r"(smtp|lmtp|relay|smtps|esmtp):(?=[\[A-Za-z])")


@rule("VAL011", severity=Severity.ERROR, tags=("LOCAL_RECIPIENT_README", "RFC 5321"))
def reply_code_class(instance: Instance) -> Iterator[Finding]:
    """A reply code is not one for refusing, or of the wrong kind.

    Why: smtpd replaces a code outside of 400 to 599 by 450 and logs a warning for each such
        reply. With a 4xx code for unknown recipients senders try again for days, instead of
        learning that the address does not exist.
    Fix: Use 550 to 599 to refuse for good, 450 to 499 for the time being.
    Bad:
        unknown_local_recipient_reject_code = 250
    Good:
        unknown_local_recipient_reject_code = 550
    References: postconf(5), LOCAL_RECIPIENT_README, src/smtpd/smtpd_check.c
    """
    for item in explicit_values(instance):
        name = item.setting.name
        if not name.endswith("_code") or name in _NO_REPLIES or not parameters.is_known(name):
            continue
        location = item.value.value_location
        if unclear(item) or location is None or not _PORT.match(item.value.text):
            continue
        low, high = bounds_of(name, instance.version)
        code = int(item.value.text[:10])
        if (low and code < low) or (high and code > high):
            continue  # VAL002
        judged = None if _never_used(item, instance) else _judge(name, code)
        if judged is not None:
            severity, text = judged
            yield Finding(
                location,
                f"{name} = {code} {text}",
                severity=severity,
                parameter=name,
                service=item.service_label,
                related=origin(item.value),
            )


@rule("VAL013", severity=Severity.ERROR, tags=("MILTER_README", "SMTPD_POLICY_README"))
def bad_endpoint(instance: Instance) -> Iterator[Finding]:
    """A server is named in a form that Postfix can not connect to.

    Why: Mail filters and policy servers are inet:host:port or unix:path. Without the first word
        or the port smtpd answers every mail with a temporary error, or does not start. A
        relayhost is a host, without a scheme or transport before it: with one, nothing is sent.
    Fix: Write the endpoint in full.
    Bad:
        smtpd_milters = localhost:8891
    Good:
        smtpd_milters = inet:localhost:8891
    References: postconf(5), MILTER_README, SMTPD_POLICY_README
    """
    names = names_of(instance)
    for item in explicit_values(instance):
        name = item.setting.name
        if has_template_marks(item.setting.text):
            continue
        if name in _MILTERS:
            for element in item.value.elements():
                yield from _milter(item, element)
        elif name in _RELAY_HOSTS:
            for element in item.value.elements():
                yield from _relay_host(item, element)
        elif name == "smtpd_proxy_filter":
            yield from _proxy_filter(item)
        elif name == "content_filter":
            yield from _content_filter(item, names.services, whole=instance.whole_master_cf)
        elif shape(name, instance.version) == "restrictions" or name in names.classes:
            yield from _policy_services(item)


def _never_used(item: Explicit, instance: Instance) -> bool:
    """Whether recipients are not looked up in the table whose misses a code is for."""
    scope = instance.main if item.service is None else item.service
    table = _LOOKED_UP_IN.get(item.setting.name)
    return table is not None and scope[table].empty is True


def _judge(name: str, code: int) -> tuple[Severity | None, str] | None:
    if name.startswith("unverified_") and 200 <= code <= 299:
        return Severity.WARNING, "accepts the address: nothing is refused"
    if not 400 <= code <= 599:
        return None, "is no code for a refusal (4xx, 5xx): smtpd answers 450 instead"
    if name in _UNKNOWN_RECIPIENTS and code < 500:
        return (
            Severity.WARNING,
            "is temporary: senders try again for days before they learn that "
            "the recipient does not exist",
        )
    if name.endswith("defer_code") and code >= 500:
        return Severity.WARNING, "refuses for good what is to be tried again later"
    return None


def _milter(item: Explicit, element: Element) -> Iterator[Finding]:
    text = element.text
    if text.startswith("{"):
        text = _first_word(text)
    if not element.known or not text or text[0] in "\"'#" or is_unfilled(text):
        return
    problem = _endpoint_problem(text, "every mail gets a temporary error")
    if problem is not None:
        yield _finding(item, element, f"{item.setting.name}: {problem}", text)


def _first_word(text: str) -> str:
    """The endpoint in ``{ endpoint, name=value }``."""
    inside = text.strip("{}")
    return next((inside[start:end] for start, end in split_list(inside)), "")


def _policy_services(item: Explicit) -> Iterator[Finding]:
    expected = False
    for element in item.value.elements():
        if not expected:
            found = restrictions.get(element.text) if element.known else None
            expected = found is not None and found.argument == "endpoint"
            continue
        expected = False
        text = element.text
        if text.startswith("{"):
            text = _first_word(text)
        if not element.known or not text or is_unfilled(text) or restrictions.get(text):
            continue
        problem = _endpoint_problem(text, "smtpd will not start")
        if problem is not None:
            yield _finding(item, element, f"check_policy_service: {problem}", text)


def _endpoint_problem(text: str, consequence: str) -> str | None:
    """Why ``inet:host:port`` or ``unix:path`` is neither."""
    transport, colon, rest = text.partition(":")
    if transport not in _TRANSPORTS:
        if _HOST_AND_PORT.match(text) and _HOST_LIKE.match(text.rpartition(":")[0]):
            return f'"{text}" must be inet:{text}; {consequence}'
        if text.startswith("/"):
            return f'"{text}" must be unix:{text}; {consequence}'
        return f'"{text}" is neither inet:host:port nor unix:path; {consequence}'
    if not colon or not rest:
        return f'nothing follows "{transport}:"; {consequence}'
    if transport != "inet":
        return None
    port = _HOST_AND_PORT.match(rest)
    if port is None and not _PORT.match(rest):
        return f'"{text}" has no port; the connection fails'
    return None


def _proxy_filter(item: Explicit) -> Iterator[Finding]:
    text = item.value.text
    location = item.value.value_location
    if unclear(item) or not text or location is None or text.lower().startswith("unix:"):
        return
    endpoint = text[5:] if text.lower().startswith("inet:") else text
    if _HOST_AND_PORT.match(endpoint) or _PORT.match(endpoint):
        return
    if _HOST_LIKE.match(endpoint):
        dies = endpoint[0].isdigit() or endpoint.endswith((":", "]"))  # read as a port
        effect = "smtpd ends at the first mail" if dies else "every mail gets a temporary error"
        message = f'"{text}" has no port: {effect}'
        yield _at(item, location, f"smtpd_proxy_filter: {message}")


def _content_filter(
    item: Explicit, services: tuple[tuple[str, str], ...], *, whole: bool
) -> Iterator[Finding]:
    text = item.value.text
    location = item.value.value_location
    if unclear(item) or not text or location is None:
        return
    transport = text.partition(":")[0]
    if text.startswith("["):
        transport = text.partition("]")[0] + "]"
    if whole and transport in {name for name, _ in services}:
        return
    if _URL.match(text) or (_HOST_LIKE.match(transport) and _HOST_AND_PORT.match(text)):
        yield _at(
            item,
            location,
            f'content_filter: "{transport}" is taken for a transport of master.cf; '
            f"write smtp:{text} or the like",
        )


def _relay_host(item: Explicit, element: Element) -> Iterator[Finding]:
    text = element.text
    if not element.known or is_unfilled(text) or text[:1] in "\"'#":
        return
    name = item.setting.name
    url = _URL.match(text)
    if url is not None:
        yield _finding(item, element, f'{name} is a host, not a URL: drop "{url[0]}"', text)
        return
    prefix = _TRANSPORT_PREFIX.match(text)
    if prefix is not None and ("[" in text or text.count(":") > 1 or "." in text):
        location = element.location or item.value.value_location
        assert location is not None
        fix = None
        if element.location is not None and prefix[1] == "smtp":
            rest = text.removeprefix("smtp:")
            fix = Fix(f"write {rest}", (Edit(location, rest),), "safe")
        message = f'{name} is a host, without a transport: "{prefix[1]}:" does not belong there'
        yield _at(item, location, message, fix)


def _finding(item: Explicit, element: Element, message: str, text: str) -> Finding:
    location = element.location or item.value.value_location
    assert location is not None
    fix = None
    if element.location is not None and element.text == text:
        fix = _completed(item, location, text)
    return _at(item, location, message, fix)


def _completed(item: Explicit, location: Location, text: str) -> Fix | None:
    """Put inet: or unix: before an endpoint that is complete otherwise."""
    if item.setting.name in _RELAY_HOSTS or text.partition(":")[0] in _TRANSPORTS:
        return None
    prefix = ""
    if text.startswith("/"):
        prefix = "unix:"
    elif _HOST_AND_PORT.match(text) and _HOST_LIKE.match(text.rpartition(":")[0]):
        prefix = "inet:"
    if not prefix:
        return None
    return Fix(f"write {prefix}{text}", (Edit(location, f"{prefix}{text}"),), "safe")


def _at(item: Explicit, location: Location, message: str, fix: Fix | None = None) -> Finding:
    return Finding(
        location, message, parameter=item.setting.name, service=item.service_label, fix=fix
    )
