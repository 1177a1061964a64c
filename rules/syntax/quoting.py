"""SYN006 and SYN007: quotes, and characters that nobody sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.readers import refusal
from postlint.analysis.shapes import Shape, shape
from postlint.analysis.templates import has_template_marks
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.syntax.lists import split_list
from postlint.syntax.main_cf import Assignment, MainCf
from postlint.syntax.master_cf import ServiceEntry
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.syntax.lines import Entry
    from postlint.syntax.master_cf import Override
    from postlint.syntax.source import SourceText

_LISTS: frozenset[Shape] = frozenset({"words", "restrictions", "patterns", "tables", "list"})
_QUIET: frozenset[Shape] = frozenset({"text", "command", "ciphers"})
_HOLDS_QUOTES = ("_environment", "_checks", "_filter", "_macro_defaults", "_lookup_key")
_PLAIN_TEXTS = frozenset(
    {
        "luser_relay",
        "smtpd_policy_service_default_action",
        "smtpd_sasl_local_domain",
        "undisclosed_recipients_header",
        "unverified_recipient_reject_reason",
        "unverified_sender_reject_reason",
    }
)
"""Texts in which quotes around everything are hardly meant."""

_ADDRESSES = ("_recipient", "_sender", "always_bcc")
_QUOTES = "\"'"

_BYTE_ORDER_MARK = "\ufeff"
_BLANKS = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2060\ufeff\x85"
_SMART_QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_INVISIBLE = LazyPattern(f"[{_BLANKS}{_ZERO_WIDTH}]")
_IN_VALUES = LazyPattern(f"[{_BLANKS}{_ZERO_WIDTH}{_SMART_QUOTES}]")


@rule("SYN006", severity=Severity.ERROR, tags=("CWE-1286",))
def quoted_value(instance: Instance) -> Iterator[Finding]:
    """A value, or an element of a list, stands in quotes.

    Why: Postfix does not take quotes off: they are part of the value. A quoted yes is not yes, a
        quoted table type does not exist, and in master.cf quotes do not hold words together.
    Fix: Leave the quotes out. A value with blanks needs none in main.cf; in master.cf write
        -o { name = value } (Postfix 3.0 and later).
    Bad:
        smtpd_helo_required = "yes"
    Good:
        smtpd_helo_required = yes
    References: postconf(5) main.cf file format, master(5)
    """
    if instance.main_cf is not None:
        for entry in instance.main_cf.assignments:
            if _has_quote(entry.value.text):
                yield from _quotes_in(entry.name.text, entry.value, instance, None)
    if instance.master_cf is not None:
        for service in instance.master_cf.services:
            if not _has_quote(service.line.text):
                continue
            for override in service.overrides:
                yield from _quoted_override(service, override, instance)


@rule("SYN007", severity=Severity.ERROR, tags=("CWE-1286",))
def bom_or_nonascii_space(instance: Instance) -> Iterator[Finding]:
    """A file holds characters that nobody sees and that Postfix takes literally.

    Why: Only ASCII blanks separate words. A byte order mark becomes part of the first name, a
        no-break space part of a name or list element, and text behind a NUL byte is lost: the
        setting is not the one that an editor shows.
    Fix: Replace the character by a plain blank, or delete it.
    Bad:
        mynetworks = 127.0.0.0/8,\u00a0192.0.2.0/24
    Good:
        mynetworks = 127.0.0.0/8, 192.0.2.0/24
    References: postconf(5) main.cf file format, src/util/readlline.c
    """
    for tree in (instance.main_cf, instance.master_cf):
        if tree is None:
            continue
        source = tree.source
        text = source.text
        if text.startswith(_BYTE_ORDER_MARK):
            where = Location(source, Span(0, 1))
            what = "name" if isinstance(tree, MainCf) else "service name"
            yield Finding(
                where,
                f"the file starts with a byte order mark, which becomes part of the first {what}",
                fix=Fix("delete it", (Edit(where, ""),), "safe"),
            )
        if text.isascii() and "\0" not in text:
            continue
        for entry in tree.entries:
            yield from _invisible_in(entry, instance)


def _has_quote(text: str) -> bool:
    return '"' in text or "'" in text


def _quotes_in(
    name: str, value: SourceText, instance: Instance, service: str | None
) -> Iterator[Finding]:
    kind = shape(name, instance.version)
    text = value.text
    if kind == "text" and name in _PLAIN_TEXTS:
        yield from _quoted_text(name, value, service)
    if kind in _QUIET or name.endswith(_HOLDS_QUOTES):
        return
    if kind == "unknown":  # a macro: what it is used in decides
        return
    first, last = text[:1], text[-1:]
    if first in _QUOTES and first == last and len(text) > 1 and text.count(first) == 2:
        shown = text if len(text) <= 40 else f"{text[:39]}…"
        yield _quote_finding(
            name, value.location, f"is literally {shown}", instance, service, _unquote(value, text)
        )
        return
    if has_template_marks(text):
        return
    if kind not in _LISTS:
        if first and first in _QUOTES and not _is_address(name, text):
            message = f"begins with a {_quote_name(first)}, which is part of the value"
            yield _quote_finding(name, value.cut(0, 1).location, message, instance, service, None)
        return
    for start, end in split_list(text):
        word = text[start:end]
        opening, closing = word[:1] in _QUOTES, word[-1:] in _QUOTES
        if not (opening or closing) or "{" in word:
            continue
        location = value.cut(start, end).location
        fix = None
        if opening and closing and word[0] == word[-1] and len(word) > 1:
            fix = _unquote(value.cut(start, end), word)
        yield _quote_finding(
            name, location, f"has the element {word}, quotes included", instance, service, fix
        )


def _quoted_text(name: str, value: SourceText, service: str | None) -> Iterator[Finding]:
    """A text that is quoted as a whole: people see the quotes, but nothing breaks."""
    text = value.text
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0] and text.count(text[0]) == 2:
        yield Finding(
            value.location,
            f"Postfix does not strip quotes: they are part of the text of {name}",
            severity=Severity.WARNING,
            parameter=name,
            service=service,
            fix=_unquote(value, text),
        )


def _is_address(name: str, text: str) -> bool:
    """Whether the quotes are those of a mail address: "first last"@example.com."""
    return name.endswith(_ADDRESSES) and f"{text[0]}@" in text[1:]


def _quote_name(quote: str) -> str:
    return "double quote" if quote == '"' else "single quote"


def _quote_finding(
    name: str,
    location: Location,
    what: str,
    instance: Instance,
    service: str | None,
    fix: Fix | None,
) -> Finding:
    consequence = ""
    if shape(name, instance.version) in ("boolean", "number", "time") and service is None:
        refused = refusal(name, instance)
        consequence = f"; {refused.text}" if refused is not None else ""
    return Finding(
        location,
        f"Postfix does not strip quotes: {name} {what}{consequence}",
        parameter=name,
        service=service,
        fix=fix,
    )


def _unquote(value: SourceText, text: str) -> Fix:
    edits = (
        Edit(value.cut(0, 1).location, ""),
        Edit(value.cut(len(text) - 1, len(text)).location, ""),
    )
    return Fix("drop the quotes", edits, "safe")


def _quoted_override(
    service: ServiceEntry, override: Override, instance: Instance
) -> Iterator[Finding]:
    label = f"{service.fields[0].text}/{service.fields[1].text}"
    raw = override.argument.raw
    if raw.text[:1] in _QUOTES:
        name = "" if override.name is None else override.name.text
        yield Finding(
            raw.cut(0, 1).location,
            f"master.cf has no quotes: this overrides a parameter called {name or raw.text}",
            service=label,
            fix=_braces(service, override, raw.text[0], instance),
        )
        return
    if override.name is None or override.value is None:
        return
    text = override.value.text
    quote = text[:1]
    if quote and quote in _QUOTES and text.count(quote) == 1 and raw.text[:1] != "{":
        yield Finding(
            override.value.cut(0, 1).location,
            f"master.cf has no quotes: {override.name.text} is {text}, "
            "and the next word is an argument of its own",
            parameter=override.name.text,
            service=label,
            fix=_braces(service, override, quote, instance),
        )
        return
    yield from _quotes_in(override.name.text, override.value, instance, label)


def _braces(
    service: ServiceEntry, override: Override, quote: str, instance: Instance
) -> Fix | None:
    """Rewrite a quoted override that goes over several words as ``{ name = value }``."""
    if instance.version < (3, 0):
        return None
    begin = override.argument.raw.span.start
    words = [word for word in service.words[8:] if word.span.start >= begin]
    for count, word in enumerate(words, 1):
        found = word.text.find(quote, word.text.find(quote) + 1 if count == 1 else 0)
        if found < 0:
            continue
        if found != len(word.text) - 1:
            return None
        joined = " ".join(item.text for item in words[:count]).replace(quote, "")
        name, equals, value = joined.partition("=")
        if not equals or any(character in joined for character in "{}"):
            return None
        place = Location(word.source, Span(begin, word.span.end))
        text = f"{{ {name.strip()} = {value.strip()} }}"
        safe = instance.oldest_version >= (3, 0)
        return Fix("write it in braces", (Edit(place, text),), "safe" if safe else "unsafe")
    return None


def _invisible_in(entry: Entry, instance: Instance) -> Iterator[Finding]:
    source = entry.line.source
    whole = source.text[entry.span.start : entry.span.end]
    yield from _nul_in(entry)
    if whole.isascii():
        return
    if isinstance(entry, Assignment):
        name = entry.name.text.lstrip(_BYTE_ORDER_MARK)
        yield from _in_text(entry.name, f'the name "{_visible(name)}"', None, _INVISIBLE)
        kind = shape(name, instance.version)
        pattern = _INVISIBLE if kind in ("unknown", "text", "command") else _IN_VALUES
        if kind not in ("text", "command"):
            yield from _in_text(entry.value, f"the value of {name}", name, pattern)
    elif isinstance(entry, ServiceEntry):
        service = entry.fields[0].text.lstrip(_BYTE_ORDER_MARK)
        yield from _in_text(entry.line, f'the service "{_visible(service)}"', None, _INVISIBLE)
    else:
        yield from _in_text(entry.line, "this line", None, _INVISIBLE)


def _nul_in(entry: Entry) -> Iterator[Finding]:
    at = entry.written.find("\0")
    if at >= 0:
        yield Finding(
            Location(entry.source, Span(entry.start + at, entry.start + at + 1)),
            "NUL byte: Postfix loses the text behind it",
        )


def _in_text(
    text: SourceText, where: str, parameter: str | None, pattern: LazyPattern
) -> Iterator[Finding]:
    found = [match for match in pattern.finditer(text.text) if not _is_mark(text, match.start())]
    if not found:
        return
    edits: list[Edit] = []
    for match in found:
        character = match[0]
        if character in _SMART_QUOTES:
            edits.clear()
            break
        replacement = " " if character in _BLANKS else ""
        edits.append(Edit(text.cut(match.start(), match.end()).location, replacement))
    fix = None
    if edits:
        fix = Fix("write plain blanks", edits, "safe" if parameter is not None else "unsafe")
    times = "" if len(found) == 1 else f" ({len(found)} characters of this kind)"
    yield Finding(
        text.cut(found[0].start(), found[0].end()).location,
        f"invisible or typographic character {_name(found[0][0])} in {where}{times}",
        parameter=parameter,
        fix=fix,
    )


def _is_mark(text: SourceText, index: int) -> bool:
    return text.source_offset(index) == 0


def _name(character: str) -> str:
    names = {
        "\u00a0": "no-break space",
        "\u200b": "zero width space",
        "\ufeff": "byte order mark",
        "\u2018": "single quotation mark",
        "\u2019": "single quotation mark",
        "\u201c": "double quotation mark",
        "\u201d": "double quotation mark",
    }
    code = f"U+{ord(character):04X}"
    known = names.get(character)
    return code if known is None else f"{code} ({known})"


def _visible(text: str) -> str:
    return _INVISIBLE.sub("·", text)[:40]
