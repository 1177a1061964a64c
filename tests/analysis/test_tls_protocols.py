"""Protocol lists: versions of Postfix and libraries that no machine here has."""

from __future__ import annotations

import pytest

from postlint.analysis.tls_protocols import ProtocolList, library_protocols, missing
from postlint.config.effective import UNKNOWN, Effective, Piece
from postlint.config.settings import Setting
from postlint.postfix.versions import NEWEST_KNOWN, PostfixVersion
from postlint.syntax.source import SourceFile, SourceText

TLS = ("TLSv1", "TLSv1.1", "TLSv1.2")


def listed(text: str, version: str) -> ProtocolList:
    setting = Setting("smtpd_tls_protocols", text, "main.cf")
    return ProtocolList.of(Effective(setting, (Piece(text, None),)), PostfixVersion.parse(version))


@pytest.mark.parametrize(
    ("version", "text", "certain", "library"),
    [
        ("2.8", "", ("SSLv3", *TLS), ("SSLv2",)),
        ("2.8", "!SSLv2", ("SSLv3", *TLS), ()),
        ("2.8", "TLSv1, SSLv3", ("SSLv3", "TLSv1"), ()),
        ("2.8.3", "TLSv1, SSLv3", ("SSLv3", *TLS), ()),  # knows no newer names to exclude
        ("2.8.3", "!SSLv2, !SSLv3", TLS, ()),
        ("2.11", "!SSLv2, !SSLv3", TLS, ()),
        ("3.2", "!SSLv2", TLS, ("SSLv3",)),
        ("3.4", "!SSLv2, !SSLv3", (*TLS, "TLSv1.3"), ()),
        ("3.5", "SSLv3", (), ("SSLv3",)),
        ("3.6", "SSLv3", (), ()),
        ("3.6", "", (*TLS, "TLSv1.3"), ()),
        ("3.11", ">=TLSv1.2", ("TLSv1.2", "TLSv1.3"), ()),
        ("3.5", ">=TLSv1.2", (), ()),  # refused: TLS is off
    ],
)
def test_offered(
    version: str, text: str, certain: tuple[str, ...], library: tuple[str, ...]
) -> None:
    offered = listed(text, version).offered()
    assert offered is not None
    assert (offered.certain, offered.library) == (certain, library)


def test_bounds_before_3_6_are_bad_words() -> None:
    assert [item.element.text for item in listed(">=TLSv1.2, !SSLv3", "3.5").bad_items] == [
        ">=TLSv1.2"
    ]
    assert listed(">=TLSv1.2, !SSLv3", "3.6").valid


def test_nothing_follows_from_what_is_not_known() -> None:
    protocols = listed(f"!SSLv2, {UNKNOWN}", "3.11")
    assert not protocols.known
    assert protocols.offered() is None


def test_a_hole_stops_clients_only() -> None:
    protocols = listed("!TLSv1.2", "3.11")
    server, client = protocols.offered("server"), protocols.offered("client")
    assert server is not None and server.certain == ("TLSv1", "TLSv1.1", "TLSv1.3")
    assert client is not None and client.certain == ("TLSv1", "TLSv1.1")


def test_missing_versions_are_those_that_postfix_knows() -> None:
    for version, expected in (
        ("2.8", ("TLSv1.1", "TLSv1.2")),
        ("3.4", ("TLSv1.1", "TLSv1.2", "TLSv1.3")),
    ):
        offered = listed("TLSv1", version).offered()
        assert offered is not None
        assert missing(offered, PostfixVersion.parse(version)) == expected


def test_the_library_of_today_has_no_ssl() -> None:
    certain, old = library_protocols(NEWEST_KNOWN)
    assert old == () and certain == (*TLS, "TLSv1.3")


def test_words_of_an_attribute_know_their_place() -> None:
    source = SourceFile("tls_policy", "example.com encrypt protocols=TLSv1:!SSLv3\n")
    text = SourceText(source, source.text[:-1], 0).cut(30, 42)
    protocols = ProtocolList.of_text(text, PostfixVersion.parse("3.11"))
    places = [item.element.location for item in protocols.items]
    assert [(item.kind, item.name) for item in protocols.items] == [
        ("include", "TLSv1"),
        ("exclude", "SSLv3"),
    ]
    assert [place and place.start.column for place in places] == [31, 37]
