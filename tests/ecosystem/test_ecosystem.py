"""The findings over the real configurations are the accepted ones, and the survey counts right."""

from __future__ import annotations

import pytest

from tests.ecosystem import survey
from tests.ecosystem.configurations import COLLECTION, available


def test_a_difference_is_what_one_side_has_more_of() -> None:
    old = {"main/a": {"DUP001 info": ["3", "3"]}, "main/b": {}}
    new = {"main/a": {"DUP001 info": ["3"], "DUP001 error": ["3"]}, "main/b": {}}
    assert list(survey.added(old, new).elements()) == [("main/a", "DUP001 error", "3")]
    assert list(survey.added(new, old).elements()) == [("main/a", "DUP001 info", "3")]
    assert not survey.added(old, old)


@pytest.mark.skipif(not available(), reason=f"no real configurations in {COLLECTION}")
def test_findings_are_the_accepted_ones() -> None:
    now = survey.places(survey.survey())
    assert len(now) > 200
    came, went = survey.added(survey.accepted(), now), survey.added(now, survey.accepted())
    assert not came, f"read with make ecosystem, then accept or mend: {sorted(came)[:20]}"
    assert not went, f"read with make ecosystem, then accept: {sorted(went)[:20]}"
