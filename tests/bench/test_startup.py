"""The budget for a cold run."""

from __future__ import annotations

import lark
import pytest

from postlint.syntax.tables import main_cf
from tests.bench.startup import BUDGET, ratio

ROUNDS = (10, 30, 60)


@pytest.mark.skipif(
    lark.__version__ != main_cf.LARK_VERSION,
    reason=f"the parser tables are for Lark {main_cf.LARK_VERSION}: make grammars",
)
def test_cold_run() -> None:
    """Measured again, longer, while it seems to be too slow: the machine may be busy."""
    measured = min(ratio(rounds)[0] for rounds in ROUNDS[:1])
    for rounds in ROUNDS[1:]:
        if measured <= BUDGET:
            break
        measured = min(measured, ratio(rounds)[0])
    assert measured <= BUDGET
