"""The quick look at .gitignore patterns never decides otherwise than pathspec."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from postlint.config.gitignore import IgnoreFile, is_bounded

NAMES = st.lists(st.text("ab*?[]!\\# .x\t", min_size=1, max_size=4), min_size=1, max_size=3)
SEGMENTS = st.one_of(
    st.sampled_from(["**", "*", "a", "b", "*.a", "a*", "?", "[ab]", "\\*", " a", "a ", "\\ "]),
    st.text("ab*?[]!\\# .x\t", max_size=4),
)
PATTERNS = st.builds(
    lambda begin, segments, end: begin + "/".join(segments) + end,
    st.sampled_from(["", "!", "/", "!/", "#", "\\#", "\\!"]),
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "/", " ", "\\ ", "/**"]),
)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@settings(max_examples=500)
@given(st.lists(PATTERNS, max_size=4), NAMES, st.booleans())
@example(["a/**/b"], ["a", "x", "b"], False)
@example(["foo/"], ["x", "foo", "a"], False)
@example(["!a"], ["a"], True)
@example(["**/**/**", "b"], ["b"], False)
def test_same_as_pathspec(patterns: list[str], names: list[str], is_folder: bool) -> None:
    name = "/".join(names) + ("/" if is_folder else "")
    applied = [line for line in patterns if is_bounded(line)]
    try:
        expected = GitIgnoreSpec.from_lines(applied).check_file(name).include
    except ValueError:
        return  # a pattern that pathspec refuses
    assert IgnoreFile(Path("/x"), patterns).check(name) == expected


@pytest.mark.parametrize("name", ["corpus/case/main.cf", "etc/postfix/"])
def test_usual_files_do_not_need_pathspec(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = ["# made", "__pycache__/", "*.egg-info/", "/build/", "*.py[cod]", "!keep.pyc", ""]
    monkeypatch.setattr("pathspec.GitIgnoreSpec.from_lines", None)
    assert IgnoreFile(Path("/x"), patterns).check(name) is None


def test_patterns_that_mean_nothing_are_passed_over() -> None:
    file = IgnoreFile(Path("/x"), ["!", "/", "[[", "[z-a]*", "a/"])
    assert file.check("a/main.cf") is True
    assert file.check("b/main.cf") is None
