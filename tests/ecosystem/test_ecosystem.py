"""The findings over the real configurations are the accepted ones, and the survey counts right."""

from __future__ import annotations

from tests.ecosystem import survey


def test_a_difference_is_what_one_side_has_more_of() -> None:
    old = {"main/a": {"DUP001 info": ["3", "3"]}, "main/b": {}}
    new = {"main/a": {"DUP001 info": ["3"], "DUP001 error": ["3"]}, "main/b": {}}
    assert list(survey.added(old, new).elements()) == [("main/a", "DUP001 error", "3")]
    assert list(survey.added(new, old).elements()) == [("main/a", "DUP001 info", "3")]
    assert not survey.added(old, old)
