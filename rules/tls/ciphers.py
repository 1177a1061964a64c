"""TLS: cipher grades, exclusions and cipher lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.tls import explicit_values, tls_of
from postlint.lint.edits import replace_value
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import CIPHER_GRADES, cipher_grade
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

from .words import SIDES, anchor, excludes_weak_kinds_only, joined, service_items, shown

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from postlint.analysis.tls import Use
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.postfix.versions import PostfixVersion

_GRADES = tuple(f"{side}_tls_{kind}ciphers" for side in SIDES for kind in ("", "mandatory_"))
_EXCLUSIONS = tuple(
    f"{side}_tls_{kind}exclude_ciphers" for side in SIDES for kind in ("", "mandatory_")
)
_LISTS = tuple(f"tls_{grade}_cipherlist" for grade in ("high", "medium", "low", "export"))
_MODIFIERS = "!+-@"
_NEEDS_OPENSSL_1_1 = (3, 6)
_CIPHER_WORD = LazyPattern(r"[^,: \t\r\n]+")
_LOOKS_LIKE_CIPHERS = LazyPattern(r"[:!+@]|[A-Z]{3}.*-|^(?:ALL|DEFAULT|HIGH|LOW|MEDIUM)$")
_WEAK_WORDS = LazyPattern(
    r"(?:^|[-+])(?:RC4|3DES|DES|EXP|EXPORT|EXPORT40|EXPORT56|MD5|aDSS|DSS|SEED|IDEA|RC2|LOW)(?:$|[-+])"
)


@rule("TLS009", severity=Severity.ERROR, security=5.9)
def bad_cipher_grade(instance: Instance) -> Iterator[Finding]:
    """A cipher grade is none of those that Postfix knows.

    Why: The daemon only notices in the handshake, and lets every one fail: mail comes and goes in
        clear text where TLS is optional, and not at all where it is required.
    Fix: Take high or medium. What a grade stands for is in tls_high_cipherlist and its like;
        single ciphers are left out with smtpd_tls_exclude_ciphers.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = HIGH:!aNULL
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = high
        smtpd_tls_exclude_ciphers = aNULL
    References: postconf(5) smtpd_tls_ciphers, src/tls/tls_misc.c
    """
    for service, value in explicit_values(instance, _GRADES):
        word = value.word()
        location = value.value_location
        if not word or word in CIPHER_GRADES or location is None:
            continue
        message = (
            f'{value.name}: "{shown(value)}" is not one of {joined(CIPHER_GRADES)}:'
            " every handshake fails"
        )
        if _LOOKS_LIKE_CIPHERS.search(value.text):
            message += " (a list of ciphers belongs into tls_high_cipherlist)"
        yield Finding(
            location,
            message,
            parameter=value.name,
            service=None if service is None else service.label,
        )


@rule(
    "TLS010",
    severity=Severity.WARNING,
    security=5.9,
    tags=("CWE-326", "RFC 9325", "CVE-2015-0204", "CVE-2015-4000"),
)
def weak_cipher_grade(instance: Instance) -> Iterator[Finding]:
    """The cipher grade export or low is in use.

    Why: Before Postfix 3.8 it lets ciphers in that were made weak on purpose, and with them the
        attacks FREAK and Logjam. Since 3.8 the two words only mean medium. Before 2.9.14, 2.10.8,
        2.11.6 and 3.0.2 export was the default where TLS is optional.
    Fix: Set the grade to medium, which every peer of the last twenty years can do.
    Bad (Postfix 3.5):
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = export
    Good (Postfix 3.5):
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = medium
    References: postconf(5) smtpd_tls_ciphers, RFC 9325 section 4.1
    """
    groups: dict[tuple[object, ...], tuple[Location, list[Use]]] = {}
    for use in tls_of(instance).uses("ciphers"):
        location = anchor(use.value, use.why_location)
        if use.value.word() in ("low", "export") and location is not None:
            key = (location.path, location.span, use.value.name)
            groups.setdefault(key, (location, []))[1].append(use)
    for location, uses in groups.values():
        value = uses[0].value
        grade = value.word() or ""
        finding = _weak_grade(location, uses[0], grade, instance)
        edit = replace_value(value.setting, "medium")
        if edit is not None:
            same = instance.oldest_version >= (3, 8)
            finding.fix = Fix("set it to medium", (edit,), "safe" if same else "unsafe")
        finding.services = service_items(uses)
        yield finding


def _weak_grade(location: Location, use: Use, grade: str, instance: Instance) -> Finding:
    value = use.value
    if cipher_grade(grade, instance.version) == "medium":
        return Finding(
            location,
            f"{value.name} = {grade} means medium since Postfix 3.8",
            severity=Severity.INFO,
            parameter=value.name,
        )
    weak = "ciphers of 40 and 56 bits" if grade == "export" else "single DES"
    default = "" if value.explicit else ", not set and by default export,"
    setting = f"{value.name} = {grade}" if value.explicit else f"{value.name}{default}"
    return Finding(location, f"{setting} lets {weak} in", parameter=value.name)


@rule("TLS011", severity=Severity.ERROR, security=7.5, tags=("CWE-319", "RFC 9325"))
def null_cipher(instance: Instance) -> Iterator[Finding]:
    """Ciphers without encryption are let in.

    Why: A connection with a NULL cipher looks like TLS in the log and is clear text on the wire.
    Fix: Set the grade to medium or high; keep eNULL out of the lists.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = null
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = medium
    References: postconf(5) tls_null_cipherlist, RFC 9325 section 4.1
    """
    for service, value in explicit_values(instance, _GRADES):
        location = value.value_location
        if value.word() == "null" and location is not None:
            yield Finding(
                location,
                f"{value.name} = null: nothing is encrypted",
                parameter=value.name,
                service=None if service is None else service.label,
            )
    for service, value in explicit_values(instance, _LISTS):
        found = _null_word(value) if value.known else None
        if found is None:
            continue
        location = value.locate(*found.span()) or value.value_location
        if location is not None:
            yield Finding(
                location,
                f"{value.name}: {found[0]} lets ciphers without encryption in",
                parameter=value.name,
                service=None if service is None else service.label,
            )


def _null_word(value: Effective) -> re.Match[str] | None:
    """The first word of a list that adds ciphers without encryption which no other takes away."""
    from postlint.analysis.cipher_suites import LONGEST_LIST, read_cipher_list

    if len(value.text) > LONGEST_LIST:
        return None
    left = {suite for suite in read_cipher_list(value.text) or () if "null" in suite.kinds}
    if all(suite.shared_secret for suite in left):
        return None
    for match in _CIPHER_WORD.finditer(value.text):
        if match[0][0] not in _MODIFIERS and left & set(read_cipher_list(match[0]) or ()):
            return match
    return None


def _negated(words: list[str]) -> list[str]:
    return [word for word in words if word[0] in "!-"]


@rule("TLS012", severity=Severity.ERROR, security=5.9)
def bad_exclude_syntax(instance: Instance) -> Iterator[Finding]:
    """A cipher to exclude is written with "!" or another sign before it, or none is left.

    Why: The parameter excludes by itself. Postfix refuses signs there only in the handshake, and
        lets it fail. OpenSSL does the same when nothing is left for TLS 1.2, even for clients
        that know TLS 1.3.
    Fix: Write the names without signs, and leave ciphers for TLS 1.2.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_exclude_ciphers = !MD5, !RC4
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_exclude_ciphers = MD5, RC4
    References: postconf(5) smtpd_tls_exclude_ciphers, src/tls/tls_misc.c
    """
    for service, value in explicit_values(instance, _EXCLUSIONS):
        for element in value.elements(braces=False, separators=":"):
            if not element.known or element.text[0] not in _MODIFIERS:
                continue
            place = element.location
            location = place or value.value_location
            if location is None:
                continue
            fix = None
            name = element.text.lstrip("!")
            if place is not None and name and name[0] not in _MODIFIERS:
                signs = Span(place.span.start, place.span.end - len(name))
                edit = Edit(Location(place.source, signs), "")
                fix = Fix("take the sign away", (edit,), "safe")
            yield Finding(
                location,
                f'{value.name}: "{element.text}" starts with "{element.text[0]}":'
                " every handshake fails",
                parameter=value.name,
                service=None if service is None else service.label,
                fix=fix,
            )
    yield from _leaves_nothing(instance)


def _leaves_nothing(instance: Instance) -> Iterator[Finding]:
    """Exclusions after which OpenSSL finds no cipher in the list."""
    places: dict[tuple[object, ...], tuple[Finding, list[Use]]] = {}
    for use in tls_of(instance).uses("exclude_ciphers"):
        location = use.value.value_location
        if location is None or not use.value.explicit or not _excludes_everything(use):
            continue
        finding = Finding(
            location,
            f"{use.value.name} leaves no cipher for TLS 1.2: every handshake fails",
            parameter=use.value.name,
        )
        key = (location.path, location.span)
        places.setdefault(key, (finding, []))[1].append(use)
    for finding, uses in places.values():
        finding.services = service_items(uses)
        yield finding


def _excludes_everything(use: Use) -> bool:
    """Whether a list that is fine without the exclusions has nothing in it with them."""
    elements = use.value.elements(braces=False, separators=":")
    words = [element.text for element in elements]
    if not use.value.known or any(word[0] in _MODIFIERS for word in words):
        return False
    if excludes_weak_kinds_only(use.value):
        return False
    side = use.value.name.partition("_")[0]
    grade = use.service[f"{side}_tls_{'mandatory_' if use.mandatory else ''}ciphers"].word()
    meant = cipher_grade(grade or "", use.service.version)
    listed = use.service[f"tls_{meant}_cipherlist"]
    version = use.service.version
    if meant is None or not listed.known or _nothing_left(listed.text, version):
        return False
    return _nothing_left(":".join((listed.text, *(f"!{word}" for word in words))), version)


def _nothing_left(text: str, version: PostfixVersion) -> bool:
    """Whether the OpenSSL that this Postfix is built with refuses a list."""
    from postlint.analysis.cipher_suites import LONGEST_LIST, read_cipher_list

    if len(text) > LONGEST_LIST:
        return False
    suites = read_cipher_list(text)
    if suites is None:
        return True
    return version >= _NEEDS_OPENSSL_1_1 and all(suite.old for suite in suites)


@rule("TLS014", severity=Severity.INFO, security=2.0)
def exclude_anull_opportunistic(instance: Instance) -> Iterator[Finding]:
    """The client excludes anonymous ciphers though it checks no certificates.

    Why: At the levels may and encrypt anybody's certificate will do, so that anonymous ciphers
        are no worse than the others; a server that offers nothing else gets clear text or no
        mail. Where certificates are checked Postfix excludes them by itself.
    Fix: Delete the exclusion, unless a policy that you follow asks for it.
    Bad:
        smtp_tls_security_level = may
        smtp_tls_exclude_ciphers = aNULL
    Good:
        smtp_tls_security_level = may
        smtp_tls_exclude_ciphers = RC4
    References: postconf(5) smtp_tls_exclude_ciphers, TLS_README
    """
    found: dict[tuple[object, ...], tuple[Finding, list[tuple[str, Location | None]]]] = {}
    for client in tls_of(instance).clients:
        if client.level not in ("may", "encrypt"):
            continue
        for kind in ("", "mandatory_") if client.level == "encrypt" else ("",):
            value = client.service[f"{client.prefix}_tls_{kind}exclude_ciphers"]
            for element in value.elements(braces=False, separators=":"):
                location = element.location or value.value_location
                if element.text != "aNULL" or location is None:
                    continue
                message = (
                    f"{value.name}: excluding aNULL gains nothing where no certificate is checked"
                )
                finding = Finding(location, message, parameter=value.name)
                key = (location.path, location.span)
                group = found.setdefault(key, (finding, []))
                group[1].append((client.service.label, client.service.location))
    for finding, services in found.values():
        finding.services = tuple(services)
        yield finding


@rule("TLS015", severity=Severity.ERROR, security=5.9, tags=("CWE-295",))
def anonymous_allowed_for_msa(instance: Instance) -> Iterator[Finding]:
    """A submission service has no certificate and talks TLS with anonymous ciphers only.

    Why: Without a certificate the programs of users can not tell the server from somebody who
        sits between, and send him the password. TLS 1.3 is not possible at all.
    Fix: Give the service a certificate; "none" is for tests.
    Bad:
        smtpd_tls_cert_file = none
        --- master.cf
        submission inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
    Good:
        smtpd_tls_cert_file = /etc/ssl/mx.example.com.pem
        --- master.cf
        submission inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
    References: postconf(5) smtpd_tls_cert_file, TLS_README
    """
    for server in tls_of(instance).smtpd:
        cert = server.service["smtpd_tls_cert_file"]
        location = cert.value_location
        if not server.on or server.role != "msa" or cert.word() != "none" or location is None:
            continue
        others = ("smtpd_tls_eccert_file", "smtpd_tls_dcert_file", "smtpd_tls_chain_files")
        if all(server.service[name].empty is True for name in others):
            yield Finding(
                location,
                "submission without a certificate: users send passwords to whoever answers",
                parameter=cert.name,
                service=server.service.label,
            )


@rule("TLS016", severity=Severity.INFO, tags=("CWE-326", "CVE-2016-2183", "RFC 7465"))
def custom_cipherlist(instance: Instance) -> Iterator[Finding]:
    """A cipher list of Postfix's own is overridden.

    Why: The built-in lists follow what Postfix and OpenSSL releases learn; a list of one's own
        stays as it is for years, lets ciphers in that were broken since, or knows none of the
        new ones. Names of TLS 1.3 alone leave nothing, and every handshake fails. Postfix
        advises against touching the lists.
    Fix: Delete the setting; leave single ciphers out with smtpd_tls_exclude_ciphers and its
        like.
    Bad:
        tls_medium_cipherlist = RC4-SHA:DES-CBC3-SHA
    Good:
        smtpd_tls_exclude_ciphers = RC4
    References: postconf(5) tls_medium_cipherlist, RFC 7465
    """
    for service, value in explicit_values(instance, _LISTS[:2]):
        words = [match[0] for match in _CIPHER_WORD.finditer(value.text)]
        location = value.value_location
        if location is None or not value.known or not words:
            continue
        nothing = _nothing_left(value.text, instance.version)
        problem = "leaves no cipher for TLS 1.2: every handshake fails" if nothing else None
        problem = problem or _cipher_problem(words)
        severity = Severity.WARNING if problem else Severity.INFO
        yield Finding(
            location,
            f"{value.name} replaces the list that Postfix maintains"
            + (f", and {problem}" if problem else ""),
            severity=Severity.ERROR if nothing else severity,
            security_severity=5.9 if nothing else 4.8 if problem else None,
            parameter=value.name,
            service=None if service is None else service.label,
        )


def _cipher_problem(words: list[str]) -> str | None:
    """What makes a cipher list worse than the built-in one."""
    chosen = [word for word in words if word[0] not in _MODIFIERS]
    banned = {word.lstrip("!-") for word in _negated(words)}
    weak = [
        word
        for word in chosen
        if _WEAK_WORDS.search(word) and not any(part in banned for part in (word, *word.split("-")))
    ]
    if weak:
        return f"lets {weak[0]} in"
    if not all("-" in word for word in chosen):
        return None
    if len(chosen) < 3:
        return f"has only {len(chosen)} ciphers" if len(chosen) > 1 else "has only one cipher"
    if not any(mode in word for word in chosen for mode in ("GCM", "CCM", "CHACHA20")):
        return "knows no AEAD cipher"
    return None
