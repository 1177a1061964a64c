"""What postconf(1) says about generated files, postlint check says on the right line.

The messages are those of ``postlint show``, which are postconf's in every version
(tests/differential/test_show.py), so that this runs without Postfix and for all versions.
tests/differential/test_oracle.py does the same for real configurations.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from postlint.postfix.versions import PostfixVersion
from tests.linting import lint_folder
from tests.postfix_server import INFRASTRUCTURE
from tests.show.compare import generated, write
from tests.show.said import is_answered, lines_of, said
from tests.showing import shown_by_postlint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.show.nasty import Nasty

SEED = 9
PAIRS = 16
APART = 24
"""Neighbours resemble each other."""


@cache
def some_pairs() -> list[Nasty]:
    return list(islice(generated(SEED), 100, 100 + PAIRS * APART, APART))


@pytest.mark.parametrize("version", ["2.11", "3.7.11", "3.9", "3.12"])
def test_every_message_about_generated_files_has_a_finding(version: str, tmp_path: Path) -> None:
    missing = []
    found: Counter[bool] = Counter()
    for number, files in enumerate(some_pairs()):
        folder = tmp_path / str(number)
        folder.mkdir()
        # With these, master.cf is no snippet, so that what is not in it is not there.
        whole = files.master + b"\n" + INFRASTRUCTURE.encode()
        write(folder, files._replace(master=whole))
        shown = shown_by_postlint(["-n", "-c", str(folder)], version=version)
        messages = [said(message.decode("latin-1")) for message in shown.messages]
        if not any(messages):
            continue
        findings = lint_folder(folder, version=version).findings
        lines = lines_of(folder)
        for message in messages:
            if message is not None:
                answered = is_answered(message, lines, findings, PostfixVersion.parse(version))
                found[answered] += 1
                if not answered:
                    missing.append((number, message.message))
    assert not missing
    assert found[True] > PAIRS  # it says something at all
