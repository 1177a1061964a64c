"""VAL005 and VAL006: words from a fixed set, and values that must not be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import edit_distance
from postlint.analysis.readers import explicit_values, refusal
from postlint.analysis.templates import has_template_marks, is_unfilled
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix import enums, parameters
from postlint.postfix.versions import NEWEST_KNOWN

from .common import refused_value, shown, unclear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.readers import Explicit
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.postfix.enums import Enumeration
    from postlint.postfix.versions import PostfixVersion

_OTHER_RULES = (
    "_tls_protocols",  # TLS006
    "_mandatory_protocols",
    "_tls_ciphers",  # TLS009
    "_mandatory_ciphers",
    "_security_options",  # SASL010
    "_eecdh_grade",  # PAR004
    "_dh1024_param_file",
    "_dh512_param_file",
)
_PATTERN_LISTS = frozenset({"parent_domain_matches_subdomains"})
_NOT_LOADED = frozenset({"debugger_command"})
"""Only programs with -D look at it."""

_READ_LATER = frozenset(
    {"info_log_address_format", "internal_mail_filter_classes", "smtputf8_autodetect_classes"}
)
"""Not looked at before there is something to do with them."""

_ONLY_WITH = {
    "smtpd_proxy_options": "smtpd_proxy_filter",
    "smtpd_sasl_type": "smtpd_sasl_auth_enable",
}
"""Looked at only where another parameter is on."""

_CHECKED_BY = {"notify_classes": "smtpd"}
"""Checked at the start by one of the programs that load it; the others look at it later."""

_FILLED_IN_LATER = frozenset(
    {
        "html_directory",
        "mail_owner",
        "mailq_path",
        "manpage_directory",
        "newaliases_path",
        "queue_directory",
        "readme_directory",
        "sample_directory",
        "sendmail_path",
        "setgid_group",
    }
)
"""Empty in the main.cf.proto of a package, which its installation fills in."""

_MISSPELT = {
    "yes": "may",
    "true": "may",
    "on": "may",
    "no": "none",
    "off": "none",
    "mandatory": "encrypt",
    "required": "encrypt",
    "encrypted": "encrypt",
    "opportunistic": "may",
}
"""Words that are written for a TLS security level."""


@rule("VAL005", severity=Severity.ERROR, tags=("CWE-1287",))
def bad_enum(instance: Instance) -> Iterator[Finding]:
    """A parameter has a word that is not among those it can have.

    Why: Depending on the parameter the program that reads it ends with a fatal error, or goes on
        without the word after a warning, or without any.
    Fix: Use one of the words that the finding names.
    Bad:
        smtpd_tls_security_level = yes
    Good:
        smtpd_tls_security_level = may
    References: postconf(5)
    """
    version = instance.version
    for item in explicit_values(instance):
        name = item.setting.name
        known = enums.get(name, version)
        if known is None or not known.closed or name.endswith(_OTHER_RULES):
            continue
        if name == "mynetworks_style" and "mynetworks" in instance.settings:
            continue  # not looked at: PAR005
        if item.value.problem is None:
            yield from _wrong_words(item, known, instance)


@rule("VAL006", severity=Severity.ERROR, tags=("CWE-1287",))
def empty_required(instance: Instance) -> Iterator[Finding]:
    """A parameter that must not be empty is.

    Why: Postfix checks the length of some values. The programs that read such a parameter end
        with "bad string length" when they start; for myhostname that is every one of them.
    Fix: Delete the line to get the default, or give it a value.
    Bad:
        smtpd_banner =
    Good:
        smtpd_banner = $myhostname ESMTP
    References: postconf(5), src/global/mail_conf_str.c
    """
    version = instance.version
    template = sum(
        name in instance.settings and not instance.settings[name].text for name in _FILLED_IN_LATER
    )
    for item in explicit_values(instance):
        name = item.setting.name
        parameter = parameters.get(name)
        if parameter is None or not parameter.exists_in(version) or name in _NOT_LOADED:
            continue
        low, high = parameter.bounds(version)
        if parameter.type_in(version) not in ("str", "raw") or not (low or high):
            continue
        if not item.value.known or has_template_marks(item.setting.text):
            continue
        length = len(item.value.text.encode("utf-8", "surrogateescape"))
        if low and length < low:
            if name in _FILLED_IN_LATER and template >= 3:
                continue
            if not length and _emptied_elsewhere(item, instance):
                continue
            if parameter.invalid_default is not None and not _delivers_with_virtual(instance):
                continue
            problem = "must not be empty" if not length else f"is shorter than {low} characters"
        elif high and length > high:
            problem = f"is longer than {high} character{'s' if high > 1 else ''}"
        else:
            continue
        finding = refused_value(item, instance, problem)
        if finding is not None:
            yield finding


def _emptied_elsewhere(item: Explicit, instance: Instance) -> bool:
    """Whether a value is only empty because it mentions a setting that has its own finding."""
    text = item.setting.text
    if item.service is not None or not text.startswith("$"):
        return False
    name = text.strip("$(){} \t")
    other = instance.settings.get(name)
    parameter = parameters.get(name)
    if other is None or other.text or parameter is None:
        return False
    return bool(parameter.bounds(instance.version)[0])


def _delivers_with_virtual(instance: Instance) -> bool:
    """Whether mail goes to virtual(8), the program that needs virtual_mailbox_base."""
    transport = (instance.main["virtual_transport"].word() or "").partition(":")[0]
    return transport == "virtual" and instance.main["virtual_mailbox_domains"].empty is False


def _wrong_words(item: Explicit, known: Enumeration, instance: Instance) -> Iterator[Finding]:
    value = item.value
    if known.kind == "one":
        if unclear(item):
            return
        if value.text == "" and "" not in known.values(instance.version) and _checked_length(item):
            return  # VAL006
        if not known.accepts(value.text, instance.version):
            yield _finding(item, value.text, item.value.value_location, known, instance)
        return
    for element in value.elements(braces=False):
        if not element.known or _is_pattern(item.setting.name, element):
            continue
        lower = element.text.lower()
        placeholder = is_unfilled(element.text) and lower not in known.values(instance.version)
        if element.text[:1] in "\"'#" or placeholder:
            continue
        if has_template_marks(item.setting.text):
            continue
        if not known.accepts(element.text, instance.version):
            location = element.location or value.value_location
            yield _finding(item, element.text, location, known, instance)


def _checked_length(item: Explicit) -> bool:
    parameter = parameters.get(item.setting.name)
    return parameter is not None and bool(parameter.bounds(NEWEST_KNOWN)[0])


def _is_pattern(name: str, element: Element) -> bool:
    return name in _PATTERN_LISTS and (element.text[:1] in "!/" or ":" in element.text)


def _finding(
    item: Explicit,
    word: str,
    location: Location | None,
    known: Enumeration,
    instance: Instance,
) -> Finding:
    name = item.setting.name
    assert location is not None
    severity: Severity | None = None
    if known.on_error.startswith("fatal"):
        consequence, severity = _refusal(item, instance)
    else:
        severity = Severity.WARNING
        consequence = "; the word is ignored" if known.kind == "list" else ""
    expected = _expected(word, known, instance.version)
    written = f'"{shown(word)}"' if word else "the empty value"
    return Finding(
        location,
        f"{name} can not be {written}: {expected}{consequence}",
        severity=severity,
        parameter=name,
        service=item.service_label,
        fix=_nearest(item, word, location, known, instance.version),
    )


def _refusal(item: Explicit, instance: Instance) -> tuple[str, Severity | None]:
    """Who ends because of a wrong word, and whether that is sure to happen."""
    name = item.setting.name
    refused = refusal(name, instance, item.service)
    if refused is None:
        return "; it has no effect", Severity.WARNING
    if name in _READ_LATER:
        return "; fatal to the programs that use it", None if refused.certain else Severity.WARNING
    switch = _ONLY_WITH.get(name)
    if switch is not None and not _switched_on(switch, item, instance):
        return f"; {refused.text} once {switch} is set", Severity.WARNING
    checks = _CHECKED_BY.get(name)
    if checks is not None and item.service is None:
        running = {service.program for service in instance.services}
        certain = not instance.whole_master_cf or checks in running
        text = f"; {checks} {'will' if certain else 'would'} not start"
        return text, None if certain else Severity.WARNING
    if checks is not None and item.service is not None and item.service.program != checks:
        return f"; {item.service.program} ends when it looks at it", Severity.WARNING
    return f"; {refused.text}", None if refused.certain else Severity.WARNING


def _switched_on(switch: str, item: Explicit, instance: Instance) -> bool:
    """Whether a service that a setting is for looks at it."""
    scopes = instance.services_running("smtpd") if item.service is None else (item.service,)
    return any(
        scope[switch].yes or scope[switch].word() not in (None, "", "no") for scope in scopes
    )


def _expected(word: str, known: Enumeration, version: PostfixVersion) -> str:
    later = [
        value.since
        for value in known.known
        if (value.text.lower() if known.any_case else value.text)
        == (word.lower() if known.any_case else word)
    ]
    if later and word:
        *others, last = later[0].replace(",", " ").split()
        releases = f"{', '.join(others)} and {last}" if others else last
        return f"Postfix has it from {releases} on"
    values = [value for value in known.values(version) if value]
    if len(values) > 12:
        return "no such word"
    start = "one of " if known.kind == "one" else "the words are "
    return f"{start}{', '.join(values)}" if len(values) > 1 else f"it can be {values[0]}"


def _nearest(
    item: Explicit, word: str, location: Location, known: Enumeration, version: PostfixVersion
) -> Fix | None:
    values = [value for value in known.values(version) if value]
    source = location.source
    if source.text[location.span.start : location.span.end] != word:
        return None
    near = [
        value
        for value in values
        if edit_distance(word.lower(), value.lower(), 1 if len(word) < 8 else 2) is not None
    ]
    if len(near) == 1 and len(word) > 2:
        text = near[0]
        one_letter = edit_distance(word.lower(), text.lower(), 1) is not None
        edits = (Edit(location, text),)
        return Fix(f"write {text}", edits, "safe" if one_letter else "unsafe")
    meant = _MISSPELT.get(word.lower())
    if item.setting.name.endswith("_tls_security_level") and meant in values:
        return Fix(f"write {meant}", (Edit(location, meant),), "unsafe")
    return None
