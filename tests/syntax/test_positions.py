"""Lines and columns, whether they are counted or looked up in an index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.syntax import source
from postlint.syntax.source import SourceFile


def told(text: str) -> list[object]:
    """All that a file tells of its lines."""
    file = SourceFile("file", text)
    found: list[object] = [file.line_count()]
    found += [file.position(offset) for offset in range(len(text) + 1)]
    for number in range(1, text.count("\n") + 4):
        try:
            found += [file.line(number), file.offset(number, 3)]
        except IndexError:
            found.append(None)
    return found


@given(st.text("a\n\r\u2028é\0", max_size=30))
def test_counted_and_looked_up_they_are_the_same(text: str) -> None:
    lines = text.split("\n")
    file = SourceFile("file", text)
    for number, line in enumerate(lines, 1):
        assert file.line(number) == line
        assert file.position(file.offset(number)) == (number, 1)
    assert file.line_count() == len(lines) - (lines[-1] == "")
    counted = told(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "SHORT", -1)
        assert told(text) == counted
