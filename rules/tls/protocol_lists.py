"""TLS: protocol lists that do not do what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from postlint.analysis.names import names_of
from postlint.analysis.tls import PolicyUse, explicit_values, tls_of
from postlint.analysis.tls_protocols import ProtocolList, library_protocols, missing, protocols_of
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import PROTOCOLS
from postlint.syntax.source import Span

from .words import PROTOCOL_PARAMETERS, joined, shown, strict_protocols_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls_protocols import Item, Offered
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance


@rule("TLS002", severity=Severity.ERROR, security=5.3, tags=("CWE-757",))
def inclusion_list_drops_new_protocols(instance: Instance) -> Iterator[Finding]:
    """A protocol list names versions without "!" and so switches all newer ones off.

    Why: One plain name turns the list into the complete list of what is allowed, even beside
        "!SSLv3". What was meant as "TLS, not SSL" then allows TLS 1.0 alone, and peers that
        speak nothing older than TLS 1.2 fail or fall back to clear text.
    Fix: Say what is the oldest version allowed (">=TLSv1.2"), or only exclude.
    Bad:
        smtp_tls_security_level = encrypt
        smtp_tls_mandatory_protocols = SSLv3, TLSv1
    Good:
        smtp_tls_security_level = encrypt
        smtp_tls_mandatory_protocols = >=TLSv1.2
    References: postconf(5) smtpd_tls_mandatory_protocols, src/tls/tls_misc.c
    """
    for service, value in explicit_values(instance, PROTOCOL_PARAMETERS):
        protocols = protocols_of(instance, value)
        offered = protocols.offered(_side(value))
        if offered is None or not protocols.valid or not protocols.inclusions:
            continue
        deliberate = value.name == "smtpd_tls_mandatory_protocols"
        verdict = _dropped(protocols, offered, instance, deliberate=deliberate)
        if verdict is None:
            continue
        consequence, severity = verdict
        if _certainly_unused(instance, value):
            severity = Severity.INFO
            consequence += " (no service uses it now)"
        first = protocols.inclusions[0].element
        location = first.location or value.value_location
        if location is not None:
            yield Finding(
                location,
                f'{value.name}: the plain "{first.text}" makes this a list of all that is allowed;'
                f" {consequence}",
                severity=severity,
                security_severity=5.3 if severity is not Severity.INFO else None,
                parameter=value.name,
                service=None if service is None else service.label,
                related=_policies_that_use(instance, value),
                fix=strict_protocols_fix(value, instance),
            )


def _dropped(
    protocols: ProtocolList, offered: Offered, instance: Instance, *, deliberate: bool
) -> tuple[str, Severity] | None:
    """What an inclusion list switches off, and how bad that is.

    ``deliberate``: TLS 1.3 alone may be meant, for users with programs of today.
    """
    gone = missing(offered, instance.version)
    if not offered.certain:
        return None  # nothing is left at all: TLS003
    if "TLSv1.2" in gone:
        severity = Severity.ERROR
        if deliberate and offered.certain == ("TLSv1.3",):
            severity = Severity.WARNING
        return f"{joined(gone)} {'is' if len(gone) == 1 else 'are'} off", severity
    if "TLSv1.3" in gone:
        if instance.oldest_version >= (3, 4):
            return "TLSv1.3 is off", Severity.ERROR
        return "TLSv1.3 is off (depends on the version)", Severity.WARNING
    if instance.version < (2, 10) and not gone and "TLSv1.1" not in _included(protocols):
        return "later patch releases switch TLSv1.1 and TLSv1.2 off with it", Severity.WARNING
    return None


def _included(protocols: ProtocolList) -> frozenset[str]:
    return frozenset(item.name for item in protocols.inclusions)


def _certainly_unused(instance: Instance, value: Effective) -> bool:
    prefix = value.name.partition("_")[0]
    mandatory = "_mandatory_" in value.name
    used = tls_of(instance).used(prefix, "protocols", mandatory=mandatory)
    return used is False and not names_of(instance).mentioned(value.name)


def _policies_that_use(instance: Instance, value: Effective) -> list[Related]:
    """The first policy entry that takes this list because it has none of its own."""
    tls = tls_of(instance)
    for use in tls.uses("protocols"):
        if (
            use.value.name == value.name
            and use.why_location is not None
            and isinstance(use.why, PolicyUse)
        ):
            return [Related("this policy takes its protocols from here", use.why_location)]
    return []


@rule("TLS003", severity=Severity.ERROR, security=5.9, tags=("CWE-757",))
def no_protocol_left(instance: Instance) -> Iterator[Finding]:
    """A protocol list leaves no TLS version that could be negotiated.

    Why: Every handshake fails, though the server announces STARTTLS as if nothing were wrong.
        Where TLS is optional mail then goes in clear text; where it is required it does not go.
    Fix: Say what is the oldest version allowed (">=TLSv1.2") and nothing else.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_protocols = >=TLSv1.2, TLSv1
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_protocols = >=TLSv1.2
    References: postconf(5) smtpd_tls_protocols
    """
    for service, value in explicit_values(instance, PROTOCOL_PARAMETERS):
        protocols = protocols_of(instance, value)
        offered = protocols.offered(_side(value))
        location = value.value_location
        if offered is None or not protocols.valid or location is None:
            continue
        if not offered.certain and not offered.library:
            yield Finding(
                location,
                f"{value.name} = {shown(value)} leaves no TLS version: every handshake fails",
                parameter=value.name,
                service=None if service is None else service.label,
                fix=strict_protocols_fix(value, instance),
            )


@rule("TLS004", severity=Severity.WARNING)
def protocol_hole(instance: Instance) -> Iterator[Finding]:
    """A protocol list excludes a version between two that it allows.

    Why: TLS libraries negotiate a range. With a hole in it an OpenSSL client offers only what
        lies below the hole, so that excluding TLS 1.2 also switches TLS 1.3 off; servers lose the
        clients that can not do better than the missing version.
    Fix: Exclude from the bottom only, best with ">=".
    Bad:
        smtp_tls_security_level = may
        smtp_tls_protocols = !SSLv2, !SSLv3, !TLSv1.2
    Good:
        smtp_tls_security_level = may
        smtp_tls_protocols = >=TLSv1
    References: postconf(5) smtp_tls_protocols
    """
    for service, value in explicit_values(instance, PROTOCOL_PARAMETERS):
        protocols = protocols_of(instance, value)
        offered = protocols.offered()
        if offered is None or not protocols.valid:
            continue
        hole, above = _hole(offered, instance)
        location = value.value_location
        if not hole or location is None:
            continue
        message = f"{value.name} leaves out {joined(hole)} between versions that it allows"
        if _side(value) == "client":
            message += f": a client then does not offer {joined(above)} either"
        yield Finding(
            location,
            message,
            parameter=value.name,
            service=None if service is None else service.label,
            fix=strict_protocols_fix(value, instance),
        )


def _hole(offered: Offered, instance: Instance) -> tuple[list[str], list[str]]:
    """The versions in the hole, and the allowed ones above it."""
    every = library_protocols(instance.version)[0]
    numbers = [at for at, name in enumerate(every) if name in offered.certain]
    if not numbers:
        return [], []
    hole = [at for at in range(numbers[0], numbers[-1]) if at not in numbers]
    if not hole:
        return [], []
    return [every[at] for at in hole], [every[at] for at in numbers if at > hole[0]]


def _side(value: Effective) -> Literal["server", "client"]:
    return "server" if value.name.startswith("smtpd_") else "client"


@rule("TLS005", severity=Severity.ERROR, security=5.3)
def blank_after_relational(instance: Instance) -> Iterator[Finding]:
    """A blank stands between ">=" or "<=" and the version in a protocol list.

    Why: Postfix takes the two as separate words without complaint. The lone ">=" bounds nothing,
        and the name behind it becomes the only version that is allowed.
    Fix: Write them together: ">=TLSv1.2".
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_protocols = >= TLSv1.2
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_protocols = >=TLSv1.2
    References: postconf(5) smtpd_tls_protocols, src/tls/tls_misc.c
    """
    for service, value in explicit_values(instance, PROTOCOL_PARAMETERS):
        items = protocols_of(instance, value).items
        for at, item in enumerate(items):
            following = items[at + 1] if at + 1 < len(items) else None
            location = item.element.location or value.value_location
            if not item.detached or location is None:
                continue
            text = item.element.text
            if following is None or following.kind != "include":
                message = f'{value.name}: "{text}" without a version has no effect'
                following = None
            else:
                name = following.element.text
                message = (
                    f'{value.name}: with a blank behind it "{text}" has no effect,'
                    f" and only {name} is allowed"
                )
            yield Finding(
                location,
                message,
                parameter=value.name,
                service=None if service is None else service.label,
                fix=_join_fix(item, following),
            )


def _join_fix(item: Item, following: Item | None) -> Fix | None:
    """Take the blank away; both words must stand in the same file with only blanks between."""
    first = item.element.location
    second = following.element.location if following is not None else None
    if first is None or second is None or first.source is not second.source:
        return None
    gap = first.source.text[first.span.end : second.span.start]
    if not gap or gap.strip(" \t"):
        return None
    between = Location(first.source, Span(first.span.end, second.span.start))
    return Fix("join the two words", (Edit(between, ""),), "safe")


@rule("TLS006", severity=Severity.ERROR, security=5.9)
def bad_protocol_token(instance: Instance) -> Iterator[Finding]:
    """A protocol list holds a word that this Postfix does not know.

    Why: Postfix throws the whole list away and switches TLS off: the server answers STARTTLS
        with an error and mail comes in clear text, and clients deliver in clear text or, where
        TLS is required, not at all.
    Fix: Spell the versions as Postfix does: SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, with
        "!" before those to exclude; ">=" and "<=" exist since Postfix 3.6.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_protocols = TLS1.2
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_protocols = >=TLSv1.2
    References: postconf(5) smtpd_tls_protocols, src/tls/tls_misc.c
    """
    for service, value in explicit_values(instance, PROTOCOL_PARAMETERS):
        protocols = protocols_of(instance, value)
        for item in protocols.bad_items:
            location = item.element.location or value.value_location
            if location is None:
                continue
            text = item.element.text
            if text[:2] in (">=", "<=") and instance.version < (3, 6):
                why = f"Postfix {instance.version} has no bounds (3.6 has)"
            elif item.name.lower() in {entry.name.lower() for entry in PROTOCOLS}:
                why = f"Postfix {instance.version} does not know it"
            else:
                why = "no such protocol"
            meant = _meant(text)
            yield Finding(
                location,
                f'{value.name}: "{text}" ({why}) makes Postfix refuse the list and turn TLS off',
                parameter=value.name,
                service=None if service is None else service.label,
                fix=None
                if meant is None or item.element.location is None
                else Fix(f"write {meant}", (Edit(item.element.location, meant),), "safe"),
            )


def _meant(text: str) -> str | None:
    """The word that can only have been meant: another way to write a version or "!"."""
    sign = next((sign for sign in (">=", "<=", "!", "-") if text.startswith(sign)), "")
    name = text.removeprefix(sign).strip("\"'").lower().replace("_", ".").replace("-", ".")
    for prefix in ("tls", "ssl"):
        if name.startswith(prefix) and not name.startswith(f"{prefix}v"):
            name = f"{prefix}v{name.removeprefix(prefix).removeprefix('.')}"
    name = name.removesuffix(".0")
    for entry in PROTOCOLS:
        if entry.name.lower() == name:
            found = f"{'!' if sign == '-' else sign}{entry.name}"
            return None if found == text else found
    return None
