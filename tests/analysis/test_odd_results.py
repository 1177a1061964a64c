"""What is taken for a usual right-hand side needs no second look, whatever is around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postlint.analysis.access_results import parse_access_result
from postlint.analysis.access_tables import ENTRY_LIMIT, access_table
from postlint.analysis.odd_results import SAME, odd_results
from postlint.config.effective import Element
from postlint.config.files import Files
from postlint.config.instance import Instance
from postlint.postfix.versions import PostfixVersion
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.source import SourceFile
from tests.linting import lint_files

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = ("2.6", "2.11", "3.0", "3.7", "3.12")
RESULTS = [
    *(
        "OK",
        "ok",
        "OKAY",
        "RELAY",
        "DUNNO",
        "REJECT",
        "REJECT go away",
        "reject\tx",
        "REJCT",
        "Defer",
    ),
    *(
        "DEFER_IF_PERMIT x",
        "DEFER_IF",
        "DISCARD",
        "HOLD",
        "WARN x",
        "INFO x",
        "HANGUP",
        "BCC a",
        "BCC a@b",
    ),
    *(
        "550",
        "550 go",
        "550\tgo",
        "450 ",
        "650 x",
        "55 x",
        "5500 x",
        "1",
        "FILTER a:b",
        "FILTER a",
        "FILTER",
    ),
    *(
        "REDIRECT a@b",
        "REDIRECT a",
        "PREPEND X: a",
        "PREPEND x",
        "PREPEND X :a",
        "PREPEND : a",
        "PREPEND",
    ),
    *(
        "permit",
        "reject_unknown, permit",
        "hash:/x",
        "static:OK",
        "",
        "OK:",
        "OK,",
        "OK\r",
        "OK\v",
        "é",
        "o\0k",
    ),
    *("OK $1", "$$OK", "REJECT $$", "OK # x", "OK\n REJECT", "REJ\n ECT", "\n OK", "OK\n# c\n x"),
]
KEYS = [
    *(
        "a",
        "a@b",
        "<>",
        '"a b"',
        "a\\ b",
        "/x/",
        "/a OK b/",
        "/a\\/ OK/",
        "!/x/",
        "!/a OK b/",
        "/x/i",
        "/x/q",
    ),
    *(
        "/a/!/b/",
        "|a OK|",
        "10.0.0.0/8",
        "!10.0.0.0/8",
        "10.0.0.1",
        "[::1]",
        "::1/128",
        "10.0.0.1/8",
        "if /x/",
    ),
    *("if 10.0.0.0/8", "endif", "#x", " ", "", "IF !/a/", "x:", "/a", "/(/"),
]
lines = st.builds(
    lambda key, gap, value, end: f"{key}{gap}{value}{end}",
    st.sampled_from(KEYS),
    st.sampled_from(["\t", " ", "  ", "\t \v", ""]),
    st.sampled_from(RESULTS),
    st.sampled_from(["\n", "\n", "\r\n", " \n", "\n\n", ""]),
)


def instance(folder: Path, version: str) -> Instance:
    return Instance(
        "x",
        parse_main_cf(SourceFile("main.cf", "")),
        None,
        Files(folder),
        PostfixVersion.parse(version),
    )


@pytest.mark.parametrize("kind", ["hash", "cidr", "regexp", "pcre"])
def test_no_odd_result_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    monkeypatch.setattr("postlint.config.lookup_table.KEPT_PATTERNS", -1)  # as if it were big

    @settings(max_examples=500)
    @given(st.lists(lines, max_size=12).map("".join), st.sampled_from(VERSIONS))
    def holds(text: str, version: str) -> None:
        (folder / "table").write_bytes(text.encode())
        found = instance(folder, version)
        word = Element(f"proxy:{kind}:/etc/postfix/table", None)
        odd = [(entry.key, entry.value) for entry in odd_results(found, word)]
        all_of_them = [(entry.key, entry.value) for entry in access_table(found, word).entries]
        assert set(odd) <= set(all_of_them)
        for entry in all_of_them:
            result = parse_access_result(entry[1], found.version)
            if result.problem is not None or result.kind == "list":
                assert all_of_them.count(entry) == odd.count(entry)

    holds()


def test_results_in_main_cf(tmp_path: Path) -> None:
    word = Element("inline:{ { a = REJCT } { b = OK } }", None)
    assert "REJCT" in {entry.value for entry in odd_results(instance(tmp_path, "3.7"), word)}


def test_file_that_is_not_there(tmp_path: Path) -> None:
    found = instance(tmp_path, "3.7")
    for text in (
        "hash:/etc/postfix/gone",
        "nis:x",
        "hash:/etc/shadow",
        "x",
        "\N{REPLACEMENT CHARACTER}",
    ):
        assert odd_results(found, Element(text, None)) == ()


MAIN = """\
smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/senders
smtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients
smtpd_helo_restrictions = check_helo_access pcre:/etc/postfix/helo
"""


def test_tables_longer_than_what_is_kept_of_them(tmp_path: Path) -> None:
    number = ENTRY_LIMIT + 10

    def table(line: str, results: dict[int, str]) -> str:
        return "".join(
            line.format(at=at, high=at >> 8, low=at & 255, result=results.get(at, "OK"))
            for at in range(number)
        )

    last = number - 1
    files = {
        "main.cf": MAIN,
        "senders": table("u{at}@example.com {result}\n", {3: "550", last: "REJCT"}),
        "clients": table("10.{high}.{low}.0/24 {result}\n", {last: "REJCT"}),
        "helo": table("/^u{at}$/ {result}\n", {5: "PREPEND x", last: "hash:/x"}),
    }
    found = lint_files(tmp_path, files, select="RST019")
    assert [
        (item.location.path.rpartition("/")[2], item.location.start.line) for item in found
    ] == [
        ("clients", number),
        ("helo", 6),
        ("helo", number),
        ("senders", 4),
        ("senders", number),
    ]


def test_many_of_the_same(tmp_path: Path) -> None:
    """What is fine but not usual does not hide what is wrong behind it."""
    lines = [f"a{at} permit_mynetworks\n" for at in range(2 * SAME)]
    (tmp_path / "table").write_text("".join(lines) + "b REJCT\n")
    odd = odd_results(instance(tmp_path, "3.7"), Element("hash:/etc/postfix/table", None))
    assert len(odd) == SAME + 1
    assert odd[-1].value == "REJCT"
