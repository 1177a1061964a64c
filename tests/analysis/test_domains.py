"""Address classes: which domains a list has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.analysis import domains
from postlint.analysis.domains import CLASSES, DomainList, address_class
from postlint.config.discovery import Discovery
from postlint.config.effective import Effective, Element, Piece
from postlint.config.load import load_instance
from postlint.config.settings import Setting
from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, main: str, parameter: str = CLASSES[0], **files: str) -> DomainList:
    for name, text in {"main.cf": main, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (candidate,) = Discovery().find([str(folder)], bytes)
    return address_class(load_instance(candidate), parameter)


@pytest.mark.parametrize(
    ("text", "domain", "answer"),
    [
        ("a.example, B.example", "b.EXAMPLE", True),
        ("a.example", "x.a.example", False),
        (".a.example", "x.a.example", True),
        ("!a.example, a.example", "a.example", False),
        ("!!a.example", "a.example", True),
        ("static:x", "anything.example", True),
        ("mysql:/etc/postfix/x.cf", "a.example", None),
        ("a.example, mysql:/etc/postfix/x.cf", "a.example", True),
        ("/etc/postfix/none", "a.example", None),
        ("inline:{ a.example=1 }", "a.example", True),
        ("inline:{ a.example=1 }, b.example", "c.example", False),
        ("{{ domains }}", "a.example", None),
        ("a.example # b.example", "b.example", False),
        ("", "a.example", False),
    ],
)
def test_contains(text: str, domain: str, answer: bool | None, tmp_path: Path) -> None:
    assert read(tmp_path, f"mydestination = {text}\n").contains(domain) is answer


def test_relay_domains_have_subdomains(tmp_path: Path) -> None:
    main = "relay_domains = a.example\n"
    assert read(tmp_path, main, "relay_domains").contains("x.a.example") is True
    exact = main + "parent_domain_matches_subdomains =\n"
    assert read(tmp_path, exact, "relay_domains").contains("x.a.example") is False
    unknown = main + "parent_domain_matches_subdomains = {{ lists }}\n"
    assert read(tmp_path, unknown, "relay_domains").contains("x.a.example") is None


def test_files_and_tables(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "mydestination = !/etc/postfix/not, /etc/postfix/ours, hash:/etc/postfix/more\n",
        ours="# ours\na.example, b.example # c.example\n",
        **{"not": "b.example\n", "more": "d.example yes\n"},
    )
    answers = {name: found.contains(f"{name}.example") for name in "abcd"}
    assert answers == {"a": True, "b": False, "c": False, "d": True}
    assert [item.name for item in found.names()] == ["a.example", "b.example"]
    entry = found.entry_in_table("d.example")
    assert entry is not None and entry.path.endswith("more")
    assert not found.known


def test_list_that_names_itself(tmp_path: Path) -> None:
    found = read(tmp_path, "mydestination = /etc/postfix/x\n", x="/etc/postfix/x\n")
    assert [item.kind for item in found.items] == ["file"]


def test_local_names(tmp_path: Path) -> None:
    found = read(tmp_path, "mydestination = localhost, localhost.a.example, a.example\n")
    assert [item.is_local_name for item in found.items] == [True, True, False]


LABELS = st.text("ab", max_size=2)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ITEMS = st.builds(
    domains.Item,
    st.just(Element("x", None)),
    st.sampled_from(["name"] * 12 + ["everything", "unknown"]),
    NAMES.filter(bool),
    st.booleans(),
)


@given(st.lists(ITEMS, max_size=12), st.sampled_from([True, False, None]), NAMES)
def test_a_long_list_is_searched_as_a_short_one(
    items: list[domains.Item], parents: bool | None, domain: str
) -> None:
    setting = Setting.of_default("mydestination", "", PostfixVersion(3, 11))
    found = DomainList(Effective(setting, [Piece("", None)]), items, parents=parents)
    short = found.match(domain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domains, "MANY", 0)
        assert found.match(domain) == short
