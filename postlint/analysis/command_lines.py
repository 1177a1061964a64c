"""Command lines of master.cf as the daemons read them (src/master/*_server.c, getopt(3)).

postconf(1) knows ``-o`` only; a daemon knows more options that take a value, and stops at the
first word that is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.templates import has_template_marks, is_unfilled
from postlint.config.derived import once
from postlint.records import NamedTuple
from postlint.syntax.master_cf import FIELD_NAMES, Argument

if TYPE_CHECKING:
    from collections.abc import KeysView

    from postlint.config.instance import Instance
    from postlint.syntax.master_cf import ServiceEntry
    from postlint.syntax.source import SourceText

WITH_VALUE = frozenset("imnorst")
WITHOUT_VALUE = frozenset("cdDlSuvVz")

COMMAND_PROGRAMS = frozenset({"pipe", "spawn"})
"""Daemons that run the command behind ``argv=``."""

ATTRIBUTE_PROGRAMS = COMMAND_PROGRAMS | {"lmtp", "smtp"}
"""Daemons that take ``name=value`` words behind their options."""

TOLERANT_PROGRAMS = frozenset({"postscreen", "nbdb_reindexd"})
"""Daemons that do not look at what follows their options."""


class Option(NamedTuple):
    """One option; ``value`` is its argument, None at the end of the line or when it has none."""

    letter: str
    value: Argument | None
    word: SourceText

    @property
    def known(self) -> bool:
        """Whether daemons take it."""
        return self.letter in WITH_VALUE or self.letter in WITHOUT_VALUE


class CommandLine(NamedTuple):
    """The words behind the command: options up to the first word that is none."""

    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]


def command_line(entry: ServiceEntry) -> CommandLine:
    """Read the command line of a service."""
    words = [Argument(word) for word in entry.words[len(FIELD_NAMES) :]]
    options: list[Option] = []
    at = 0
    while at < len(words):
        text = words[at].text.text
        if text[:1] != "-" or text == "-":
            break
        word = words[at]
        at += 1
        if text == "--":
            break
        for index, letter in enumerate(text[1:], 2):
            if letter not in WITH_VALUE:
                options.append(Option(letter, None, word.raw))
                continue
            value = None
            if index < len(text):
                value = Argument(word.text.cut(index, len(text)))
            elif at < len(words):
                value = words[at]
                at += 1
            options.append(Option(letter, value, word.raw))
            break
    return CommandLine(tuple(options), tuple(words[at:]))


@once
def filled_in(instance: Instance) -> KeysView[ServiceEntry]:
    """The services of master.cf whose fields no template program has still to write, in order."""
    entries = () if instance.master_cf is None else instance.master_cf.services
    return dict.fromkeys(filter(_is_filled_in, entries)).keys()


def _is_filled_in(entry: ServiceEntry) -> bool:
    fields = [field.text for field in entry.fields]
    return not has_template_marks(" ".join(fields)) and not any(map(is_unfilled, fields))
