"""Address lists: what patterns match, and what is wrong with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.analysis.networks import AddressList, address_list
from postlint.config.effective import Effective, Piece
from postlint.config.files import Files
from postlint.config.settings import Setting
from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from pathlib import Path

NEWEST = PostfixVersion(3, 11)


def read(text: str, version: str = "3.11", folder: Path | None = None) -> AddressList:
    parsed = PostfixVersion.parse(version)
    value = Effective(Setting.of_default("mynetworks", text, parsed), [Piece(text, None)])
    return address_list(value, parsed, Files(folder))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("10.0.0.0/8", "network"),
        ("10.0.0.0/08", "network"),
        ("[10.0.0.0]/8", "network"),
        ("[10.0.0.0/8]", "network"),
        ("10.0.0.1", "network"),
        ("[10.0.0.1]", "network"),
        ("[2001:DB8::]/32", "network"),
        ("[::ffff:127.0.0.0]/104", "network"),
        ("10.0.0.1/8", "error"),
        ("10/8", "error"),
        ("0/0", "error"),
        ("10.0.0.0/33", "error"),
        ("10.0.0.0/", "error"),
        ("10.0.0.0/255.0.0.0", "error"),
        ("010.0.0.0/8", "error"),
        ("dead/16", "error"),
        ("[2001:db8::1]/32", "error"),
        ("[2001:db8::", "error"),
        ("2001:db8::/32", "error"),
        ("10.0.0.1:25", "error"),
        ("::1/128", "fatal"),
        ("!", "fatal"),
        ("10.0.0", "nobody"),
        ("10.0.0.", "nobody"),
        ("10.0.0.*", "nobody"),
        ("10.0.0.1-20", "nobody"),
        ("10.0.0.0/8;", "nobody"),
        ("(10.0.0.0/8)", "nobody"),
        ("[10.0.0", "nobody"),
        ("[::1]x", "nobody"),
        ("[fe80::1%eth0]/64", "nobody"),
        ("[mail.example.com]", "nobody"),
        ("host.example.com", "name"),
        (".example.com", "name"),
        ("static:all", "everyone"),
        ("hash:/etc/postfix/networks", "table"),
        ("proxy:mysql:/etc/postfix/networks.cf", "table"),
        ("/etc/postfix/networks", "file"),
        ("MYNETWORKS", "unknown"),
    ],
)
def test_kind(text: str, kind: str) -> None:
    (pattern,) = read(text).patterns
    assert pattern.kind == kind


@pytest.mark.parametrize(
    ("text", "repaired", "sure"),
    [
        ("::1", "[::1]", True),
        ("2001:db8::/32", "[2001:db8::]/32", True),
        ("2001:db8::1/32", "[2001:db8::]/32", False),
        ("10.0.0.0/255.255.0.0", "10.0.0.0/16", True),
        ("10.0.0.1/255.255.0.0", "10.0.0.0/16", False),
        ("10.0.0.0/255.0.255.0", None, False),
        ("10.0.0.1/8", "10.0.0.0/8", False),
        ("[2001:db8::1/32]", "[2001:db8::]/32", False),
        ("10/8", "10.0.0.0/8", False),
        ("10.1.2", "10.1.2.0/24", False),
        ("10.1.*.*", "10.1.0.0/16", False),
        ("10.1.*.2", None, False),
        ("10.0.0.1:25", "10.0.0.1", False),
        ("10.0.0.0/8;", "10.0.0.0/8", False),
    ],
)
def test_repaired(text: str, repaired: str | None, sure: bool) -> None:
    (pattern,) = read(text).patterns
    assert pattern.problem
    assert (pattern.repaired, pattern.sure) == (repaired, sure)


@pytest.mark.parametrize(
    ("text", "address", "decision"),
    [
        ("10.0.0.0/8", "10.1.2.3", "match"),
        ("10.0.0.0/8", "11.1.2.3", "no match"),
        ("10.0.0.0/8", "2001:db8::1", "no match"),
        ("!10.0.0.1, 10.0.0.0/8", "10.0.0.1", "no match"),
        ("!10.0.0.1, 10.0.0.0/8", "10.0.0.2", "match"),
        ("!!10.0.0.1", "10.0.0.1", "match"),
        ("!10.0.0.1", "10.0.0.2", "no match"),
        ("10.0.0.1/8", "11.0.0.1", "error"),
        ("10.0.0.1/8", "2001:db8::1", "no match"),
        ("11.0.0.0/8, 10.0.0.1/8", "11.0.0.1", "match"),
        ("2001:db8::/32", "11.0.0.1", "error"),
        ("hash:/x, 10.0.0.0/8", "10.0.0.1", None),
        ("10.0.0.0/8, hash:/x", "10.0.0.1", "match"),
        ("static:x", "2001:db8::1", "match"),
        ("10.0.0.0/8 # 11.0.0.0/8", "11.0.0.1", "no match"),
    ],
)
def test_decide(text: str, address: str, decision: str | None) -> None:
    assert read(text).decide(address) == decision


def test_decide_by_name() -> None:
    names = read("example.com, .example.org")
    assert names.decide("192.0.2.1", "mx.Example.com") == "match"
    assert names.decide("192.0.2.1", "example.com") == "match"
    assert names.decide("192.0.2.1", "mx.example.org") == "no match"
    assert names.decide("192.0.2.1", "notexample.com") == "no match"
    assert names.decide("192.0.2.1") == "no match"
    dotted = AddressList(names.patterns, parents=False)
    assert dotted.decide("192.0.2.1", "mx.example.com") == "no match"
    assert dotted.decide("192.0.2.1", "mx.example.org") == "match"


def test_comment_counts_before_postfix_3() -> None:
    assert read("10.0.0.0/8 # 11.0.0.0/8", "2.11").decide("11.0.0.1") == "match"


def test_severity_of_missing_type_by_version() -> None:
    assert read("::1", "3.12").patterns[0].kind == "error"
    assert read("2001:db8::1", "2.8").patterns[0].kind == "fatal"


def test_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "networks").write_text(
        "# office\n10.0.0.0/8, !11.0.0.1\n  11.0.0.0/8\n12.0.0.1/8 # bits\n"
    )
    found = read("/etc/postfix/networks 13.0.0.0/8", folder=tmp_path)
    assert [item.element.text for item in found.patterns] == [
        "10.0.0.0/8",
        "!11.0.0.1",
        "11.0.0.0/8",
        "12.0.0.1/8",
        "13.0.0.0/8",
    ]
    location = found.patterns[3].element.location
    assert location is not None
    assert (location.start.line, location.start.column) == (4, 1)
    inverted = read("!/etc/postfix/networks", folder=tmp_path)
    assert [item.negated for item in inverted.patterns] == [True, False, True, True]


def test_file_that_names_itself(tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("/etc/postfix/networks\n")
    (pattern,) = read("/etc/postfix/networks", folder=tmp_path).patterns
    assert pattern.kind == "file"


def test_trusted_leaves_out_what_is_excluded() -> None:
    found = read("!10.0.0.0/8, 10.1.0.0/16, 11.0.0.0/8, static:x, 12.0.0.0/8")
    assert [str(network) for _, network in found.trusted()] == [
        "11.0.0.0/8",
        "0.0.0.0/0",
        "::/0",
    ]


@given(st.text(alphabet=st.characters(exclude_characters="\0"), max_size=40))
def test_anything_is_read(text: str) -> None:
    for pattern in read(text).patterns:
        if pattern.repaired is not None:
            assert pattern.problem


@given(st.text(alphabet="0123456789abf.:/[]!-*;", min_size=1, max_size=24))
def test_repaired_spelling_is_a_network(text: str) -> None:
    for pattern in read(text).patterns:
        if pattern.repaired is not None:
            assert [item.kind for item in read(pattern.repaired).patterns] == ["network"]
