"""Release numbers: what is read, what is refused, what comes first."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.postfix.versions import (
    NEWEST_KNOWN,
    NEWEST_STABLE,
    OLDEST_KNOWN,
    SERIES,
    PostfixVersion,
)

parse = PostfixVersion.parse
versions = st.builds(
    lambda series, patch: PostfixVersion(series[0], series[1], patch),
    st.sampled_from(SERIES),
    st.none() | st.integers(min_value=0, max_value=60),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.6", (2, 6, None)),
        ("2.8.3", (2, 8, 3)),
        ("3.0.0", (3, 0, 0)),
        ("3.7.11", (3, 7, 11)),
        ("3.11.99", (3, 11, 99)),
        ("3.12", (3, 12, None)),
        ("3.12-20260821", (3, 12, None)),
        ("3.10-20240917-nonprod", (3, 10, None)),
        ("3.10-RC1", (3, 10, None)),
    ],
)
def test_parse(text: str, expected: tuple[int, int, int | None]) -> None:
    version = parse(text)
    assert tuple(version) == expected
    assert (version.major, version.minor, version.patch) == expected
    assert parse(str(version)) == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "3.",
        "3.7.",
        ".7",
        "3.7.11.1",
        "v3.7",
        " 3.7",
        "3.07",
        "3.7-",
        "3.7.11-20260821",
        "3.7b",
        "٣.7",
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Postfix version: write it like"):
        parse(text)


@pytest.mark.parametrize("text", ["1.1", "2.5.6", "2.12", "3.13", "4.0"])
def test_unknown_series(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not known \(known: 2.6 to 3.12\)"):
        parse(text)


def test_constants() -> None:
    assert SERIES[0] == OLDEST_KNOWN.series
    assert SERIES[-1] == NEWEST_KNOWN.series
    assert str(NEWEST_STABLE) == "3.11"
    assert (2, 7) in SERIES
    assert list(SERIES) == sorted(SERIES)
    assert [PostfixVersion(*series).series_index for series in SERIES] == list(range(len(SERIES)))


@given(versions, versions, versions)
def test_total_order(a: PostfixVersion, b: PostfixVersion, c: PostfixVersion) -> None:
    assert (a < b) + (a == b) + (a > b) == 1
    assert (a <= b) == (a < b or a == b)
    assert (a >= b) == (b <= a)
    if a <= b <= c:
        assert a <= c
    if a == b:
        assert hash(a) == hash(b)


@given(versions)
def test_series_is_its_latest_release(version: PostfixVersion) -> None:
    series = PostfixVersion(*version.series)
    assert version <= series
    assert version >= version.series
    assert not version < version.series
    assert series > (*version.series, 99)
    assert version.at_least(f"{version.major}.{version.minor}")
    assert copy.deepcopy(version) == pickle.loads(pickle.dumps(version)) == version


def test_order_is_numeric() -> None:
    texts = ["2.6", "2.9", "2.10.0", "2.10.3", "2.10", "2.11", "3.0.1", "3.9.14", "3.10", "3.12"]
    assert [str(version) for version in sorted(map(parse, reversed(texts)))] == texts


@pytest.mark.parametrize(
    ("version", "release", "expected"),
    [
        ("3.5.23", "3.5.23", True),
        ("3.5.22", "3.5.23", False),
        ("3.5", "3.5.23", True),
        ("3.5.0", "3.5", True),
        ("3.4.99", "3.5", False),
        ("2.6.0", "2.3", True),
        ("2.10", "2.9.2", True),
    ],
)
def test_at_least(version: str, release: str, expected: bool) -> None:
    assert parse(version).at_least(release) is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.4.29", False),
        ("3.5.22", False),
        ("3.5.23", True),
        ("3.6.12", False),
        ("3.8.3", False),
        ("3.8.4", True),
        ("3.5", True),
        ("3.9.0", True),
        ("3.12", True),
        ("2.6", False),
    ],
)
def test_backports(version: str, expected: bool) -> None:
    assert parse(version).has("3.5.23, 3.6.13, 3.7.9, 3.8.4") is expected


def test_immutable() -> None:
    with pytest.raises(AttributeError):
        parse("3.7").patch = 3  # type: ignore[misc]
