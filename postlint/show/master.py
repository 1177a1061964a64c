"""Printing services of master.cf, their fields and their overrides (postconf_master.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postlint.show.fold import INDENT, LINE_LIMIT
from postlint.show.messages import FatalError
from postlint.show.origin import of_service, origin_of
from postlint.show.services import Service, needs_braces, takes_value
from postlint.syntax.master_cf import FIELD_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.show.engine import Engine
    from postlint.show.origin import Origin
    from postlint.show.printer import Printer

_COLUMNS = (0, 11, 17, 25, 33, 41, 49, 57)
_ANY = "*"
_COMMAND = len(FIELD_NAMES) - 1


class Argument(NamedTuple):
    """An argument to print, with the value of an option."""

    shown: str
    length: int
    """Without braces."""
    value: str | None
    shown_value: str | None
    first_other: bool
    """The first that is no option."""


class Pattern:
    """``service[/type[/name]]`` of the command line; ``*`` stands for anything."""

    __slots__ = ("matches", "name", "service", "text", "type")

    def __init__(self, text: str, parts: Sequence[str]) -> None:
        self.text = text
        self.service, self.type, self.name = (*parts, _ANY, _ANY, _ANY)[:3]
        self.matches = 0

    def fits(self, service: Service) -> bool:
        return self.service in (_ANY, service.name) and self.type in (_ANY, service.type)


def parse_patterns(texts: Sequence[str], most: int, complaint: str) -> list[Pattern]:
    """Read patterns of at most so many parts; raises FatalError (postconf_match.c)."""
    patterns = []
    for text in texts:
        parts = [part for part in text.split("/") if part]
        stars = any("*" in part and part != _ANY for part in parts)
        if text.startswith("/") or not 1 <= len(parts) <= most or stars:
            raise FatalError(complaint)
        patterns.append(Pattern(text, parts))
    return patterns


class MasterPrinter:
    """Prints services."""

    def __init__(self, engine: Engine, printer: Printer) -> None:
        self._engine = engine
        self._version = engine.version
        self._printer = printer

    def print_entries(self, texts: Sequence[str]) -> None:
        """Whole entries (-M)."""
        if self._version < (2, 11):
            self._print_old_entries(texts)
            return
        patterns = parse_patterns(texts, 2, "-M option requires service_name[/type]")
        for service in self._engine.services:
            for pattern in self._matching(patterns, service, bool(texts)):
                if pattern is not None:
                    pattern.matches += 1
                self._print_entry(service)
        self._complain(patterns)

    def print_fields(self, texts: Sequence[str]) -> None:
        """Single fields (-F)."""
        patterns = parse_patterns(texts, 3, "-F option requires service_name[/type[/field]]")
        for asked in patterns:
            if asked.name not in (_ANY, *FIELD_NAMES):
                raise FatalError(f'invalid service attribute name: "{asked.name}"')
        for service in self._engine.services:
            for pattern in self._matching(patterns, service, bool(texts)):
                if pattern is None or pattern.name == _ANY:
                    fields: Sequence[int] = range(len(FIELD_NAMES))
                else:
                    fields = (FIELD_NAMES.index(pattern.name),)
                if pattern is not None:
                    pattern.matches += 1
                for field in fields:
                    self._print_field(service, field)
        self._complain(patterns)

    def print_parameters(self, texts: Sequence[str], *, merged: bool, classes: int) -> None:
        """Overrides (-P), or all parameters as the service sees them (-PP)."""
        patterns = parse_patterns(texts, 3, "-P option requires service_name[/type[/parameter]]")
        for service in self._engine.services:
            settings = self._settings(service, merged=merged, classes=0 if texts else classes)
            if settings is None:
                continue
            for pattern in self._matching(patterns, service, bool(texts)):
                if pattern is None or pattern.name == _ANY:
                    for name in sorted(settings):
                        self._print_parameter(service, name, settings[name])
                elif pattern.name in settings:
                    self._print_parameter(service, pattern.name, settings[pattern.name])
                else:
                    continue
                if pattern is not None:
                    pattern.matches += 1
        self._complain(patterns)

    def _matching(
        self, patterns: Sequence[Pattern], service: Service, filtered: bool
    ) -> Iterator[Pattern | None]:
        if not filtered:
            yield None
            return
        for pattern in patterns:
            if pattern.fits(service):
                yield pattern

    def _complain(self, patterns: Sequence[Pattern]) -> None:
        for pattern in patterns:
            if not pattern.matches:
                self._engine.messages.warning(f'unmatched request: "{pattern.text}"')

    def _settings(self, service: Service, *, merged: bool, classes: int) -> dict[str, str] | None:
        own = service.settings
        if not merged:
            return None if own is None else {name: value.text for name, value in own.items()}
        found = {}
        for name, node in self._engine.table.items():
            if not classes or node.classes & classes:
                found[name] = self._engine.lookup(name, service, "all") or ""
        for name, value in (own or {}).items():
            found.setdefault(name, value.text)
        return found

    def _print_parameter(self, service: Service, name: str, value: str) -> None:
        style = self._printer.style
        if style.expand and not style.hide_value:
            value = self._engine.expand(value, service, "all")
        origin = origin_of(self._engine, name, service, "all")
        self._printer.value(name, value, origin, service.name_space)

    def _arguments(self, service: Service) -> Iterator[Argument]:
        words = service.words
        options = True
        at = len(FIELD_NAMES)
        while at < len(words):
            word = words[at]
            value = None
            first_other = False
            if options:
                if not word.startswith("-") or word == "--":
                    options = False
                    first_other = True
                elif takes_value(word, self._version) and at + 1 < len(words):
                    at += 1
                    value = words[at]
                    if word == "-o" and self._printer.style.expand:
                        value = self._engine.expand(value, service, "all")
            braces = self._version >= (3, 0)
            yield Argument(
                # Postfix forgets the braces of the first argument that is no option.
                _in_braces(word) if braces and not options and not first_other else word,
                len(word),
                value,
                _in_braces(value) if braces and value is not None else value,
                first_other,
            )
            at += 1

    def _print_entry(self, service: Service) -> None:
        origin = of_service(self._engine, service)
        if self._printer.style.json:
            fields = [*service.words[: len(FIELD_NAMES)], *self._json_arguments(service)]
            self._print_json(service.name_space, " ".join(fields), origin)
            return
        parts: list[str] = []
        length = 0
        for word, goal in zip(service.words, _COLUMNS, strict=False):
            if length:
                gap = max(goal - length, 1)
                parts.append(" " * gap)
                length += gap
            parts.append(word)
            length += len(word)
        if self._version < (2, 10):
            self._fold_oldest(service, parts, length)
        else:
            self._fold(service, parts, length, extra=3 if self._version >= (3, 0) else 1)
        self._printer.line("".join(parts) + "\n", origin)

    def _print_field(self, service: Service, field: int) -> None:
        style = self._printer.style
        origin = of_service(self._engine, service)
        word = service.words[field]
        full_name = f"{service.name_space}/{FIELD_NAMES[field]}"
        if style.json:
            fields = [word, *(self._json_arguments(service) if field == _COMMAND else ())]
            self._print_json(full_name, " ".join(fields), origin)
            return
        parts: list[str] = []
        length = 0
        if not style.hide_name:
            parts.append(full_name if style.hide_value else f"{full_name} = ")
            length = len(parts[0])
        if not style.hide_value:
            folded = self._version >= (3, 1) or not style.hide_name
            if length and folded and length + len(word) > LINE_LIMIT:
                parts.append("\n" + INDENT)
                length = len(INDENT)
            parts.append(word)
            length += len(word)
        if field == _COMMAND and not style.hide_value:
            self._fold(service, parts, length, extra=1)
        self._printer.line("".join(parts) + "\n", origin)

    def _print_json(self, name: str, value: str, origin: Origin) -> None:
        self._printer.value(name, value, origin)

    def _json_arguments(self, service: Service) -> Iterator[str]:
        for argument in self._arguments(service):
            yield argument.shown
            if argument.shown_value is not None:
                yield argument.shown_value

    def _fold(self, service: Service, parts: list[str], length: int, *, extra: int) -> None:
        """Add arguments; an option with a value stands on a line of its own (2.11)."""
        own_line = self._version >= (2, 11)
        for argument in self._arguments(service):
            needed = argument.length
            if argument.shown_value is not None:
                if own_line:
                    length = LINE_LIMIT
                needed += len(argument.shown_value) + extra
            elif argument.first_other and not own_line and length > _COLUMNS[-1]:
                length = LINE_LIMIT if self._printer.style.fold else length
            length = self._separate(parts, length, needed)
            parts.append(argument.shown)
            length += len(argument.shown)
            if argument.shown_value is not None:
                parts.append(f" {argument.shown_value}")
                length = LINE_LIMIT if own_line else length + 1 + len(argument.shown_value)

    def _separate(self, parts: list[str], length: int, needed: int) -> int:
        """Add a blank or begin a new line; returns the length of the line."""
        if length <= len(INDENT):
            return length
        if not self._printer.style.fold or length + 1 + needed < LINE_LIMIT:
            parts.append(" ")
            return length + 1
        parts.append("\n" + INDENT)
        return len(INDENT)

    def _fold_oldest(self, service: Service, parts: list[str], length: int) -> None:
        """Add arguments as 2.9 does: a value that is too long ends the options."""
        fold = self._printer.style.fold
        words = service.words
        options = True
        at = len(FIELD_NAMES)
        while at < len(words):
            word = words[at]
            if options and (not word.startswith("-") or word == "--"):
                options = False
                if fold and length > _COLUMNS[-1]:
                    parts.append("\n" + INDENT)
                    length = len(INDENT)
            elif options and fold and word == "-o" and at + 1 < len(words):
                following = words[at + 1]
                if length > len(INDENT) and len(INDENT) + 3 + len(following) < LINE_LIMIT:
                    parts.append("\n" + INDENT + word)
                    length = len(INDENT) + len(word)
                    word = following
                    at += 1
            length = self._separate(parts, length, len(word))
            parts.append(word)
            length += len(word)
            at += 1

    def _print_old_entries(self, patterns: Sequence[str]) -> None:
        """-M of 2.9 and 2.10, with ``name.type`` or ``type`` as patterns."""
        for service in self._engine.services:
            if not patterns or _old_match(patterns, service.name_space):
                self._print_entry(service)


def _in_braces(text: str) -> str:
    return f"{{{text}}}" if needs_braces(text) else text


def _old_match(patterns: Sequence[str], name_space: str) -> bool:
    """The first pattern that fits decides (match_service.c)."""
    kind = name_space.rpartition(".")[2]
    for pattern in patterns:
        plain = pattern.lstrip("!")
        if (name_space if "." in plain else kind).lower() == plain.lower():
            return (len(pattern) - len(plain)) % 2 == 0
    return False
