"""SYN: messages, places and fixes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding


def syntax(
    folder: Path, main: str, master: str | None = None, select: str = "SYN"
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    return lint_files(folder, files, select=select)


def fixed(folder: Path, main: str, select: str) -> str:
    """main.cf after the fixes of all its findings, one run after the other."""
    for _ in range(10):
        found = [item for item in syntax(folder, main, select=select) if item.fix is not None]
        if not found:
            return main
        apply_fix(found[0])
        main = (folder / "main.cf").read_bytes().decode("utf-8", "surrogateescape")
    raise AssertionError(f"still not done: {main}")


@pytest.mark.parametrize(
    ("line", "message", "text"),
    [
        ("myhostname mx", 'there is no "=" after "myhostname"', "myhostname mx"),
        ("mydomain: x", 'there is no "=" after "mydomain:"', "mydomain: x"),
        ("mynetworks += x", 'main.cf has no "+=" to add to a value', "mynetworks += x"),
        ("= x", 'there is no name before the "="', "= x"),
        ("word\n  more", 'there is no "=" after "word"', "word"),
    ],
)
def test_missing_equals_says_what_is_missing(
    line: str, message: str, text: str, tmp_path: Path
) -> None:
    (finding,) = syntax(tmp_path, f"# comment\n{line}\n", select="SYN001")
    assert finding.message == f"line 2: {message}: no Postfix program will start"
    assert marked(finding) == text


def test_missing_equals_is_put_in_where_the_name_is_known(tmp_path: Path) -> None:
    assert fixed(tmp_path, "myhostname   mx.example.com\n", "SYN001") == (
        "myhostname = mx.example.com\n"
    )
    assert fixed(tmp_path, "mydomain:example.com # x\n", "SYN001") == (
        "mydomain = example.com # x\n"
    )
    (finding,) = syntax(tmp_path, "anything goes\n", select="SYN001")
    assert finding.fix is None


def test_a_swallowed_setting_names_its_owner(tmp_path: Path) -> None:
    main = "myhostname = mx\n# comment\n\t relayhost = [a]  \nbiff = no\n"
    (finding,) = syntax(tmp_path, main)
    assert finding.code == "SYN002"
    assert marked(finding) == "relayhost = [a]"
    assert '"relayhost = …" is no setting, but part of the value of myhostname' in finding.message
    assert finding.related[0].location.start.line == 1
    assert fixed(tmp_path, main, "SYN002") == (
        "myhostname = mx\n# comment\nrelayhost = [a]  \nbiff = no\n"
    )


def test_an_indented_beginning_is_dedented_as_a_whole(tmp_path: Path) -> None:
    main = "# x\n  relayhost = [a]\n\n  mynetworks = 127.0.0.0/8\n    192.0.2.0/24\nbiff = no\n"
    (finding,) = syntax(tmp_path, main, select="SYN003")
    assert finding.location.start == (2, 3)
    assert fixed(tmp_path, main, "SYN003") == (
        "# x\nrelayhost = [a]\n\nmynetworks = 127.0.0.0/8\n    192.0.2.0/24\nbiff = no\n"
    )


def test_an_indented_first_service(tmp_path: Path) -> None:
    (finding,) = syntax(tmp_path, "", " smtp inet n - n - - smtpd\n", select="SYN003")
    assert finding.message.endswith("Postfix drops this service")
    assert finding.fix is not None and finding.fix.applicability == "safe"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("relayhost = [a]  # old\n", "# old\nrelayhost = [a]\n"),
        ("relayhost = # none\n", "# none\nrelayhost =\n"),
        (
            "mynetworks = 127.0.0.0/8 # one\n    192.0.2.0/24\t# two\n  198.51.100.0/24\n",
            "# one\nmynetworks = 127.0.0.0/8\n    # two\n    192.0.2.0/24\n  198.51.100.0/24\n",
        ),
        ("relayhost = [a] # x", "# x\nrelayhost = [a]"),
    ],
)
def test_comments_move_to_lines_of_their_own(before: str, after: str, tmp_path: Path) -> None:
    assert fixed(tmp_path, before, "SYN004") == after


def test_a_comment_says_what_it_does(tmp_path: Path) -> None:
    main = "message_size_limit = 1000000 # 1 MB\nsmtpd_helo_restrictions = permit # all\n"
    size, list_ = syntax(tmp_path, main)
    assert size.message == (
        '"# 1 MB" is no comment but part of message_size_limit: no Postfix program will start'
    )
    assert "unknown restrictions" in list_.message
    assert marked(list_) == "# all"


def test_comments_in_master_cf(tmp_path: Path) -> None:
    master = (
        "smtp inet n - n - - smtpd # public\n"
        "x unix - n n - - pipe user=x argv=/bin/x # y z\n"
        "y unix - n n - - pipe user=x argv=/bin/x a#b\n"
    )
    smtpd, pipe = syntax(tmp_path, "", master)
    assert smtpd.message.endswith("arguments of the service: smtpd will not start")
    assert (pipe.severity.label, marked(pipe)) == ("warning", "# y z")
    apply_fix(smtpd)
    text = (tmp_path / "master.cf").read_text(encoding="utf-8")
    assert text.startswith("# public\nsmtp inet n - n - - smtpd\nx unix")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("relay_domains = a \\\n  b\\\n  c\n", "relay_domains = a\n  b\n  c\n"),
        ("relay_domains = a \\  \nbiff = no\n", "relay_domains = a  \nbiff = no\n"),
    ],
)
def test_backslashes_go(before: str, after: str, tmp_path: Path) -> None:
    assert fixed(tmp_path, before, "SYN005") == after


def test_a_backslash_without_a_continuation_is_no_safe_fix(tmp_path: Path) -> None:
    (finding,) = syntax(tmp_path, "relay_domains = a \\\nbiff = no\n")
    assert finding.fix is not None and finding.fix.applicability == "unsafe"
    assert marked(finding) == "\\"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('myorigin = "example.com"\n', "myorigin = example.com\n"),
        ("mydestination = ''\n", "mydestination = \n"),
        ("relay_domains = 'a', \"b\", c\n", "relay_domains = a, b, c\n"),
        (
            'mynetworks = "127.0.0.0/8\n  192.0.2.0/24"\n',
            "mynetworks = 127.0.0.0/8\n  192.0.2.0/24\n",
        ),
    ],
)
def test_quotes_go(before: str, after: str, tmp_path: Path) -> None:
    assert fixed(tmp_path, before, "SYN006") == after


@pytest.mark.parametrize(
    ("word", "after"),
    [
        ('-o "myorigin=a b"', "-o { myorigin = a b }"),
        ("-o myorigin='a, b, c'", "-o { myorigin = a, b, c }"),
        ('-o "myorigin=a"', "-o { myorigin = a }"),
        ('-o myorigin="a"', "-o myorigin=a"),
    ],
)
def test_quotes_in_master_cf_become_braces(word: str, after: str, tmp_path: Path) -> None:
    master = f"smtp inet n - n - - smtpd {word} -o biff=no\n"
    found = lint_files(
        tmp_path, {"main.cf": "", "master.cf": master}, select="SYN006", version="3.9"
    )
    assert found[0].fix is not None and found[0].fix.applicability == "safe"
    apply_fix(found[0])
    text = (tmp_path / "master.cf").read_text(encoding="utf-8")
    assert text == f"smtp inet n - n - - smtpd {after} -o biff=no\n"


def test_braces_are_not_proposed_to_a_version_without_them(tmp_path: Path) -> None:
    master = 'smtp inet n - n - - smtpd -o "myorigin=a b"\n'
    files = {"main.cf": "", "master.cf": master}
    (finding,) = lint_files(tmp_path, files, select="SYN006", version="2.11")
    assert finding.fix is None


def test_invisible_characters_are_named_and_replaced(tmp_path: Path) -> None:
    main = "\ufeffbiff = no\nmynetworks = 127.0.0.0/8,\u00a0192.0.2.0/24,\u200b10.0.0.0/8\n"
    mark, value = syntax(tmp_path, main, select="SYN007")
    assert "byte order mark" in mark.message
    assert "U+00A0 (no-break space) in the value of mynetworks (2 characters" in value.message
    assert value.location.start == (2, 26)
    assert fixed(tmp_path, main, "SYN007") == (
        "biff = no\nmynetworks = 127.0.0.0/8, 192.0.2.0/24,10.0.0.0/8\n"
    )


def test_bytes_that_are_no_utf_8_are_left_alone(tmp_path: Path) -> None:
    main = "# caf\udce9\nsmtpd_banner = \udce9\nmydestination = caf\udce9.example\n"
    assert syntax(tmp_path, main) == []


@pytest.mark.parametrize(
    ("value", "text", "message"),
    [
        ("a ${b c", "${b c", 'malformed expression "${b c" in mydomain: the closing bracket is'),
        ("a $ b", "$", 'malformed expression "$ " in mydomain: no name follows the "$"'),
        ("${}", "${}", 'malformed expression "${}" in mydomain: there is no name in it'),
        ("x\n  ${b", "${b", 'malformed expression "${b" in mydomain'),
    ],
)
def test_a_malformed_expression_is_marked(
    value: str, text: str, message: str, tmp_path: Path
) -> None:
    (finding,) = syntax(tmp_path, f"mydomain = {value}\n")
    assert (finding.code, marked(finding)) == ("SYN008", text)
    assert finding.message.startswith(message)


def test_a_dollar_in_a_pattern_gets_a_hint(tmp_path: Path) -> None:
    (finding,) = syntax(tmp_path, "header_checks = regexp:{{/x$/ OK}}\n")
    assert finding.message.endswith("write $$ for a dollar sign")


def test_only_the_names_in_the_circle_are_reported(tmp_path: Path) -> None:
    main = "a = $b\nb = $c\nc = $a\nmydomain = $a\nd = $d\n"
    found = syntax(tmp_path, main)
    assert [item.location.start.line for item in found] == [1, 2, 3, 5]
    assert found[0].related[0].message == "b is defined here"


def test_what_a_version_can_not_expand(tmp_path: Path) -> None:
    main = "mydomain = ${{a} == {b} ? {c} : {d}}\nmydestination = $mydomain\n"
    old = lint_files(tmp_path, {"main.cf": main}, select="SYN008", version="2.11")
    assert [item.location.start.line for item in old] == [1]
    assert lint_files(tmp_path, {"main.cf": main}, select="SYN008", version="3.0") == []


PIECES = (
    *("myhostname", "mynetworks", "smtpd_helo_restrictions", "message_size_limit", "relayhost"),
    *("virtual_alias_maps", "smtpd_milters", "smtpd_timeout", "header_checks", "x", "hash:/a"),
    *("check_client_access", "reject_rbl_client", "sleep", "warn_if_reject", "reject", "inet:a:1"),
    *("=", " = ", "\n", "\n  ", "\n\t# y\n", "\r\n", "\v", "\f", ",", ";", "|", "!", "/", ":"),
    *('"', "'", "#", " # y", "\\", "\\\n", "$", "$x", "${x", "${x?{a}:{b}}", "$(", "{", "}"),
    *("{{ a }}", "{% if a %}", "<% end %>", "10M", "5 s", "1month", "yes", "[", "]"),
    *("\u00a0", "\ufeff", "\0", "\udce9", "\u201c", "smtp inet n - n - - smtpd", "-o ", "a=b"),
)


@given(
    main=st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    master=st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
    version=st.sampled_from((None, "2.6", "3.5", "3.12")),
)
@settings(max_examples=60)
def test_any_text_is_checked_and_every_fix_can_be_applied(
    main: str, master: str, version: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    for family in ("SYN", "DUP", "PAR", "VAL"):
        files = {"main.cf": main, "master.cf": master}
        for finding in lint_files(folder, files, select=family, version=version):
            start, end = finding.location.span
            assert 0 <= start <= end <= len(finding.location.source.text)
            spans = sorted(edit.location.span for edit in finding.fix.edits) if finding.fix else []
            assert all(one.end <= other.start for one, other in pairwise(spans))


@pytest.mark.parametrize(
    ("above", "applicability"),
    [
        ("myhostname = a.example.com", "safe"),
        ("mydestination =", "safe"),
        ("mynetworks = 127.0.0.0/8,", "unsafe"),
        ("mynetworks = 127.0.0.0/8 \\", "unsafe"),
        ("smtpd_helo_required =", "unsafe"),
        ("smtpd_helo_required = yes", "safe"),
    ],
)
def test_a_swallowed_line_is_moved_when_the_value_above_is_complete(
    above: str, applicability: str, tmp_path: Path
) -> None:
    (finding,) = syntax(tmp_path, f"{above}\n  relayhost = [b.example.com]\n", select="SYN002")
    assert finding.fix is not None and finding.fix.applicability == applicability
