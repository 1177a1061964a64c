"""What all output has in common: style, folding, JSON, origins (postconf_print.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postlint.show.fold import print_line
from postlint.show.json_text import json_object, quote

if TYPE_CHECKING:
    from postlint.show.messages import Output
    from postlint.show.origin import Origin


class Style(NamedTuple):
    """How to print; options of postconf(1), and ``origin`` of this program."""

    fold: bool = False
    expand: bool = False
    hide_name: bool = False
    hide_value: bool = False
    json: bool = False
    origin: bool = False


class Printer:
    """Writes names and values."""

    def __init__(self, output: Output, style: Style, *, normalize: bool = True) -> None:
        """``normalize``: runs of white space become one blank (2.9)."""
        self.style = style
        self._output = output
        self._normalize = normalize

    def value(self, name: str, value: str, origin: Origin, service: str | None = None) -> None:
        """A name and its value. ``service``: the name space that the name is in."""
        style = self.style
        full_name = name if service is None else f"{service}/{name}"
        if style.json:
            if style.origin:
                self.record(origin, service=service, name=name, value=value)
            else:
                self._output.write(f"{{{quote(full_name)}: {quote(value)}}}\n")
        elif style.hide_value:
            self.line(print_line(full_name, fold=style.fold), origin)
        else:
            text = value if style.hide_name else f"{full_name} = {value}"
            line = print_line(text, fold=style.fold) if self._normalize else text + "\n"
            self.line(line, origin)

    def line(self, line: str, origin: Origin) -> None:
        """A finished line."""
        self._output.write(origin.prefix() + line if self.style.origin else line)

    def record(self, origin: Origin, **members: str | None) -> None:
        """An object with the origin at its end."""
        known = {name: value for name, value in members.items() if value is not None}
        self._output.write(
            json_object(**known, origin=origin.kind, path=origin.path, line=origin.line)
        )
