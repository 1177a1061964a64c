"""Client files and list files against the programs that read them, which log what they read."""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.syntax.client_file import read_client
from postlint.syntax.list_file import COMMENT, NO_PATTERN, read_list
from postlint.syntax.source import SourceFile
from tests.differential.table_sources import (
    INDEXED_LINES,
    ODD,
    WORDS,
    ask,
    compared,
    configuration,
    fold,
    generated,
    printable,
    require_type,
    run_until_fatal,
    text_files,
    write_file,
)
from tests.postfix_here import require_postfix

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postfix

NAMES = st.one_of(
    st.sampled_from(["hosts", "user", "password", "query", "dbname", "x y", "x,y", "$a", ""]),
    st.text("ab_1.", min_size=1, max_size=4),
)
CLIENT_LINES = st.one_of(
    st.tuples(NAMES, st.sampled_from(["=", " = ", "= ", "\t=\t", " =", "+=", " += "]), WORDS),
    st.tuples(NAMES, st.just(" = "), st.text(ODD, max_size=10)),
).map("".join)
LIST_LINES = st.one_of(
    st.lists(
        st.one_of(
            WORDS,
            st.sampled_from(["a,b", ",", "!a", "! a", "!!a", "{ a b }", "{", "#", "a #b", "#!a"]),
        ),
        max_size=4,
    ).map(" ".join),
    st.text("ab,!#{} \t\r\x0b", max_size=10),
)
_LOADED = re.compile(r": dict_load_fp: (.*)")
_ITEM = re.compile(r": match_string: authorized_submit_users: \S+ ~\? (.*)")
_COMMENT = re.compile(
    r"warning: authorized_submit_users: comment at end of line is not supported: (.*)"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_postfix()
    return tmp_path_factory.mktemp("settings")


@pytest.mark.parametrize("kind", ["memcache", "sqlite"])
@generated
@given(text=text_files(st.one_of(CLIENT_LINES, CLIENT_LINES, CLIENT_LINES, INDEXED_LINES)))
def test_client_files(place: Path, kind: str, text: str) -> None:
    """What is read before the program looks at any of it, so that the type does not matter."""
    require_type(kind)
    compared[f"{kind} client"] += 1
    path = write_file(place, "client.cf", text)
    said = ask("postmap", configuration(place, utf8=False), "-vv", "-q", "a", f"{kind}:{path}")
    mine = []
    fatal = None
    for setting in read_client(SourceFile.from_bytes("t", path.read_bytes())):
        if setting.problem is not None:
            fatal = setting
            break
        mine.append(printable(f"{setting.name.text} = {setting.value.text}"))
    log = said.errors.partition(f"dict_register: {path}")[2]
    assert _LOADED.findall(log.replace("?postmap: ", "\npostmap: ")) == mine
    if fatal is not None:
        line = fatal.line.location.start.line
        assert f"fatal: {path}, line {line}" in log
        assert printable(fatal.problem) in log
    else:
        assert "missing" not in log.partition("fatal: ")[2]


@generated
@given(text=text_files(LIST_LINES))
def test_list_files(place: Path, text: str) -> None:
    """sendmail(1) logs every pattern with which it compares the name of the user."""
    compared["list file"] += 1
    text = text.replace("/", "q").replace(":", "q")  # those name files and tables
    folder = configuration(place, utf8=False) / "list"
    folder.mkdir(exist_ok=True)
    path = write_file(folder, "names", text)
    main = f"smtputf8_enable = no\nauthorized_submit_users = {path}\n"
    write_file(folder, "main.cf", main)
    sendmail = require_postfix().postmap.with_name("sendmail")
    with tempfile.TemporaryFile() as given_, tempfile.TemporaryFile() as printed:
        errors = run_until_fatal(
            [str(sendmail), "-v", "-v", "-v", "-C", str(folder), "x@example.com"],
            given_,
            printed,
            {"MAIL_CONFIG": str(folder)},
        )
    items = list(read_list(SourceFile.from_bytes("t", path.read_bytes())))
    fatal = next((at for at, item in enumerate(items) if item.problem == NO_PATTERN), None)
    patterns = [
        printable(fold(item.text.text, utf8=False)) for item in items if item.problem is None
    ]
    # It compares only when it has read everything.
    assert _ITEM.findall(errors) == (patterns if fatal is None else [])
    assert ("fatal: authorized_submit_users: no pattern after '!'" in errors) is (fatal is not None)
    comments = [item.text.text for item in items[:fatal] if item.problem == COMMENT]
    assert len(_COMMENT.findall(errors)) == len(comments)
    assert all(text.startswith("#") for text in (*_COMMENT.findall(errors), *comments))
