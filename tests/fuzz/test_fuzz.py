"""Every reader and every command takes any bytes; what once crashed one is run again."""

from __future__ import annotations

import faulthandler
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import FOUND, seeds, words
from tests.fuzz.targets import TARGETS, pack
from tests.syntax.strategies import texts, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READERS = [name for name in TARGETS if name not in ("check", "exposure", "show")]
COMMANDS = ["check", "exposure", "show"]
HANGS = 300
"""Seconds after which the whole test process ends with a traceback of where it hangs."""


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    faulthandler.dump_traceback_later(HANGS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


octets = st.one_of(
    st.binary(max_size=60),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    values.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.one_of(st.sampled_from(words()), st.binary(max_size=4)), max_size=12).map(b"".join),
)


def mutated(name: str) -> st.SearchStrategy[bytes]:
    """Seeds of a target with pieces of them replaced."""
    return st.builds(
        lambda seed, at, gone, new: (
            seed[: at % (len(seed) + 1)] + new + seed[at % (len(seed) + 1) + gone :]
        ),
        st.sampled_from(seeds(name)[:40]),
        st.integers(0, 1 << 16),
        st.integers(0, 20),
        octets,
    )


@pytest.mark.parametrize("name", READERS)
def test_readers_take_any_bytes(name: str) -> None:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.one_of(octets, mutated(name)))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_take_any_bytes(name: str) -> None:
    files = st.fixed_dictionaries(
        {"main.cf": octets}, optional={"master.cf": octets, "table": octets, "pcre": octets}
    )

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(st.one_of(files.map(pack), mutated(name)))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


FOUND_INPUTS = sorted(file for file in FOUND.glob("*/*") if file.is_file())


@pytest.mark.parametrize("file", FOUND_INPUTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_was_found_stays_mended(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())
