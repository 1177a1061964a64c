"""What a terminal would show, as text: for tables and lines that rich lays out."""

from __future__ import annotations

from io import StringIO

from rich.console import Console


class Screen:
    """A console whose output is kept. Nothing in values is markup or an emoji."""

    def __init__(self, *, width: int, color: bool) -> None:
        self._text = StringIO()
        self.console = Console(
            file=self._text,
            width=width,
            force_terminal=color,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def text(self) -> str:
        """What was printed so far."""
        return self._text.getvalue()
