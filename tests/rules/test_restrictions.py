"""RST001 and the reading of restriction lists."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.restrictions import RELAY, RestrictionLists
from postlint.config.files import Files
from postlint.config.instance import Instance
from postlint.lint.finding import Severity
from postlint.postfix.versions import PostfixVersion
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.source import SourceFile
from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding


def read(text: str, version: str = "3.11") -> RestrictionLists:
    main = parse_main_cf(SourceFile("main.cf", text))
    return RestrictionLists(
        Instance(".", main, None, Files(None), PostfixVersion.parse(version)).main
    )


def check(folder: Path, value: str, *, version: str | None = None) -> list[Finding]:
    text = f"smtpd_recipient_restrictions = {value}\n"
    return lint_files(folder, {"main.cf": text}, version=version, select="RST001")


@pytest.mark.parametrize(
    ("word", "meant", "applicability"),
    [
        ("permit_mynetwork", "permit_mynetworks", "safe"),
        ("Permit_MyNetwork", "permit_mynetworks", "safe"),
        ('"permit_mynetworks', "permit_mynetworks", "safe"),
        ("reject;", "reject", "safe"),
        ("reject_unauth_pipeling", "reject_unauth_pipelining", "unsafe"),
        ("reject_unauthenticated_sender", "reject_unauthenticated_sender_login_mismatch", "unsafe"),
    ],
)
def test_suggestion(word: str, meant: str, applicability: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, f"reject_unauth_destination, {word}")
    assert marked(finding) == word
    assert f'did you mean "{meant}"?' in finding.message
    assert "451" in finding.message
    assert finding.fix is not None and finding.fix.applicability == applicability
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text()
    assert text == f"smtpd_recipient_restrictions = reject_unauth_destination, {meant}\n"


@pytest.mark.parametrize("word", ["x", "gibberish", "smtpd_client_restrictions", "#", "=", "\\"])
def test_no_suggestion(word: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, f"{word}, reject")
    assert finding.fix is None and "did you mean" not in finding.message
    assert finding.severity is Severity.ERROR


def test_dead_word_is_a_warning(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, "permit_auth_destination, reject, gibberish")
    assert finding.severity is Severity.WARNING
    assert [item.location.span.start for item in finding.related]
    assert 'only because "reject" comes before it' in finding.message


def test_many_strangers_are_not_all_named(tmp_path: Path) -> None:
    words = " ".join(f"stranger{number}" for number in range(100))
    assert len(check(tmp_path, words)) == 20


def test_names_by_version(tmp_path: Path) -> None:
    value = "check_sasl_access hash:/etc/postfix/logins, permit_dnswl_client list.example.net"
    (finding,) = check(tmp_path, value, version="2.10")
    assert "needs Postfix 2.11 or later" in finding.message
    assert check(tmp_path, value, version="2.11") == []


def test_list_by_version(tmp_path: Path) -> None:
    files = {"main.cf": "smtpd_relay_restrictions = gibberish\n"}
    assert lint_files(tmp_path, files, version="2.9", select="RST001") == []
    assert len(lint_files(tmp_path, files, version="2.10", select="RST001")) == 1


def test_one_finding_for_all_services(tmp_path: Path) -> None:
    files = {
        "main.cf": "smtpd_client_restrictions = gibberish\n",
        "master.cf": "25 inet n - n - - smtpd\n587 inet n - n - - smtpd\n",
    }
    (finding,) = lint_files(tmp_path, files, select="RST001")
    assert [name for name, _ in finding.services] == ["25/inet", "587/inet"]


def test_positions_in_a_list() -> None:
    lists = read(
        "smtpd_restriction_classes = c\n"
        "c = permit\n"
        "smtpd_relay_restrictions = warn_if_reject reject_rbl_client reject, hash:/x, c,\n"
        " check_policy_service inet:h:1, sleep x, check_sender_access"
    )
    assert [
        (
            item.element.text,
            item.kind,
            item.argument and item.argument.text,
            item.warned,
            item.flaw,
        )
        for item in lists[RELAY].items
    ] == [
        ("reject_rbl_client", "restriction", "reject", True, None),
        ("hash:/x", "table", "hash:/x", False, None),
        ("c", "class", None, False, None),
        ("check_policy_service", "restriction", "inet:h:1", False, None),
        ("sleep", "restriction", "x", False, "bad argument"),
        ("check_sender_access", "restriction", None, False, "no argument"),
    ]
    table = lists[RELAY].items[1].restriction
    assert table is not None and table.name == "check_recipient_access"
    assert [part.name for part in lists.with_classes(lists[RELAY])] == [RELAY, "c"]


def test_table_without_restriction() -> None:
    (item,) = read("smtpd_data_restrictions = hash:/x\n")["smtpd_data_restrictions"].items
    assert item.flaw == "table without restriction" and item.restriction is None


def test_removed_restrictions_are_no_strangers(tmp_path: Path) -> None:
    value = "permit_naked_ip_address, reject_unauth_destination"
    assert check(tmp_path, value, version="3.9") == []
    (item, _) = read(f"{RELAY} = {value}\n", "3.9")[RELAY].items
    assert item.flaw == "removed"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("c", "missing"),
        ("c reject", "present"),
        ("d reject", "endless"),
        ("reject d", "present"),
        ("{{ x }} reject", "unknown"),
        ("hash:{{ x }} reject", "present"),
        ("reject {{ x }}", "present"),
    ],
)
def test_relay_guard(text: str, answer: str) -> None:
    classes = "smtpd_restriction_classes = c d e\nc = permit\nd = c e\ne = d\n"
    lists = read(f"{classes}{RELAY} = {text}\n")
    assert lists.relay_guard()[0] == answer


def test_classes_that_double_do_not_take_for_ever() -> None:
    names = [f"c{number}" for number in range(60)]
    lines = [f"smtpd_restriction_classes = {' '.join(names)}"]
    lines += [f"{one} = {two} {two}" for one, two in pairwise(names)]
    lists = read("\n".join([*lines, "c59 = permit_mynetworks", f"{RELAY} = c0 c0", ""]))
    assert lists.relay_guard()[0] == "missing"
    assert len(list(lists.with_classes(lists[RELAY]))) == 61
