"""The conditions of template languages that lines of a file stand in."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.syntax.lines import Entry
    from postlint.syntax.source import SourceFile

_BRANCH = LazyPattern(
    r"""^[ \t]*(?:
        \{%[-+]?[ \t]*(?P<jinja>if|elif|else|endif)\b
      | <%[-_]?[ \t]*(?P<erb>if|unless|elsif|else|end|case|when|\})(?![A-Za-z0-9_])
      | \{\{-?[ \t]*(?P<go>if|else|end|with|range)\b
      | <\?(?:php|=)?[ \t]*(?:\}[ \t]*)?(?P<php>
          if|elseif|else|endif|foreach|endforeach|\})(?![A-Za-z0-9_])
      | %[ \t]*(?P<mako>if|elif|else|endif)\b
    )""",
    re.VERBOSE | re.MULTILINE,
)
_OPENING = frozenset({"if", "unless", "case", "with", "range", "foreach"})
_CLOSING = frozenset({"endif", "end", "endforeach", "}"})


class Branches:
    """Which branches of template conditions the lines of a file are in.

    Two lines are alternatives unless they are in the very same branch: an "else" may be between
    them, or one of them in a condition that the other is outside of.
    """

    __slots__ = ("_branches", "_marks")

    def __init__(self, source: SourceFile) -> None:
        self._marks: list[int] = []
        self._branches: list[int] = []
        if not any(sign in source.text for sign in ("{%", "<%", "<?", "{{", "\n%")):
            return
        inside = [0]  # numbers of the branches around a line; 0 is outside of all
        for number, match in enumerate(_BRANCH.finditer(source.text), 1):
            word = match["jinja"] or match["erb"] or match["go"] or match["php"] or match["mako"]
            if word in _OPENING:
                inside.append(number)
            elif len(inside) > 1:
                inside.pop()
                if word not in _CLOSING:
                    inside.append(number)
            self._marks.append(match.start())
            self._branches.append(inside[-1])

    def differ(self, one: Entry, other: Entry) -> bool:
        """Whether a template may give only one of two logical lines."""
        if not self._marks:
            return False
        return self._branch(one.span.start) != self._branch(other.span.start)

    def _branch(self, offset: int) -> int:
        at = bisect_right(self._marks, offset) - 1
        return self._branches[at] if at >= 0 else 0
