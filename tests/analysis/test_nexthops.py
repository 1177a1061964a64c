"""Next hops: how hosts, ports and transports are taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.analysis.nexthops import (
    destination,
    host_name_problem,
    is_address,
    is_host_name,
    next_hop,
    next_hops,
    next_hops_of,
)
from postlint.config.effective import Effective, Element, Piece
from postlint.config.settings import Setting
from postlint.postfix.versions import PostfixVersion

VERSION = PostfixVersion(3, 11)


def value(text: str) -> Effective:
    return Effective(Setting.of_default("relayhost", text, VERSION), [Piece(text, None)])


@pytest.mark.parametrize(
    ("text", "host", "port", "bracketed"),
    [
        ("[mx.example.com]:587", "mx.example.com", "587", True),
        ("[mx.example.com]", "mx.example.com", "", True),
        ("[mx.example.com]:", "mx.example.com", "", True),
        ("mx.example.com:submission", "mx.example.com", "submission", False),
        ("example.com", "example.com", "", False),
        ("[IPv6:2001:db8::1]:25", "2001:db8::1", "25", True),
        ("[2001:db8::1]:25", "2001:db8::1", "25", True),
        ("[192.0.2.1]", "192.0.2.1", "", True),
        ("bücher.example:25", "bücher.example", "25", False),
    ],
)
def test_good(text: str, host: str, port: str, bracketed: bool) -> None:
    hop = next_hop(Element(text, None))
    assert (hop.host, hop.port, hop.bracketed, hop.problem) == (host, port, bracketed, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[mx.example.com", 'missing "]"'),
        ("[mx.example.com]25", 'garbage after "]"'),
        ("[ipv6:mx.example.com]", "malformed IPv6 address"),
        (":25", "missing host information"),
        ("mx.example.com.", "valid hostname or network address required"),
        ("smtp:[mx.example.com]:25", "valid hostname or network address required"),
        ("192.0.2.1/25", "valid hostname or network address required"),
        ("mx.example.com:25a", "garbage after numerical service"),
        ("mx.example.com:70000", "bad network port"),
    ],
)
def test_bad(text: str, problem: str) -> None:
    assert next_hop(Element(text, None)).problem == problem


def test_properties() -> None:
    hop = next_hop(Element("[127.3.2.1]:submission", None))
    assert (hop.is_address, hop.is_loopback, hop.port_number()) == (True, True, 587)
    named = next_hop(Element("localhost.localdomain", None))
    assert (named.is_address, named.is_loopback, named.port_number()) == (False, True, 25)
    assert next_hop(Element("a.example:strange", None)).port_number() is None


def test_lists() -> None:
    assert [hop.host for hop in next_hops(value("[a.example], b.example:25"))] == [
        "a.example",
        "b.example",
    ]
    target = destination(value(" smtp:[a.example]:25, [b.example] "))
    assert target is not None
    assert target.transport == "smtp"
    assert [hop.host for hop in next_hops_of(target)] == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("text", "transport", "nexthop"),
    [
        ("smtp", "smtp", ""),
        ("lmtp:unix:private/x", "lmtp", "unix:private/x"),
        ("error: no mail here", "error", " no mail here"),
        (":[a.example]", "", "[a.example]"),
    ],
)
def test_destination(text: str, transport: str, nexthop: str) -> None:
    target = destination(value(text))
    assert target is not None
    assert (target.transport, target.nexthop.text) == (transport, nexthop)


def test_no_destination() -> None:
    assert destination(value("  ")) is None


@given(st.text(max_size=60))
def test_anything_is_read(text: str) -> None:
    hop = next_hop(Element(text, None))
    if hop.problem is None:
        assert is_address(hop.host) or is_host_name(hop.host)
    assert (host_name_problem(text) is None) <= is_host_name(text)
