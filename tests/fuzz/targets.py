"""What is fuzzed: every reader, and whole commands. Bytes in; any outcome but an exception."""

from __future__ import annotations

import io
import re
import tempfile
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.analysis.certificates import decode_certificate
from postlint.analysis.dh_parameters import read_group
from postlint.cli import show
from postlint.cli.configuration import read_configuration
from postlint.cli.errors import UsageError
from postlint.cli.main import main
from postlint.config.expansion import Expander, ExpansionError
from postlint.config.gitignore import IgnoreFile
from postlint.config.limits import LimitError
from postlint.config.placeholders import placeholders
from postlint.config.settings import Setting
from postlint.lint.registry import bundled_rules
from postlint.lint.suppression import Suppressions
from postlint.postfix.versions import PostfixVersion
from postlint.report.redact import spans_in_line
from postlint.syntax import inline_table
from postlint.syntax.aliases import external, internal, read_aliases, tokenize
from postlint.syntax.cidr_survey import CidrTable
from postlint.syntax.cidr_table import read_cidr
from postlint.syntax.client_file import ClientFile
from postlint.syntax.indexed_table import IndexedTable, Search
from postlint.syntax.list_file import read_list
from postlint.syntax.lists import split_list
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.master_cf import parse_master_cf
from postlint.syntax.pattern_survey import SurveyedPatterns
from postlint.syntax.pattern_table import KeptPatterns
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.pem import read_pem
from postlint.syntax.regexp_table import read_patterns
from postlint.syntax.source import SourceFile, SourceText
from postlint.syntax.table import logical_lines, parse_policy, read_indexed
from postlint.syntax.value import malformed, parse_value, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postlint.syntax.pattern import Dialect

VERSIONS = ("2.6", "2.11", "3.7.11", "3.11")

SECTION = b"\n== "
"""Begins a file in the input of a whole command; the rest of the line is its name."""

BASE_MAIN = b"""\
smtp_tls_policy_maps = hash:/etc/postfix/policy
alias_maps = hash:/etc/postfix/aliases
smtp_sasl_password_maps = hash:/etc/postfix/passwords
header_checks = regexp:/etc/postfix/regexp
body_checks = pcre:/etc/postfix/pcre
mynetworks = 127.0.0.0/8, cidr:/etc/postfix/cidr
transport_maps = hash:/etc/postfix/table, mysql:/etc/postfix/client
mydestination = /etc/postfix/list
smtpd_recipient_restrictions = check_client_access hash:/etc/postfix/table,
  check_sender_access pcre:/etc/postfix/pcre, reject_unauth_destination
smtpd_tls_chain_files = /etc/postfix/pem
smtpd_tls_dh1024_param_file = /etc/postfix/pem
"""
BASE_MASTER = b"""\
smtp      inet  n       -       n       -       -       smtpd
submission inet n       -       n       -       -       smtpd -o smtpd_tls_security_level=encrypt
smtp      unix  -       -       n       -       -       smtp
local     unix  -       n       n       -       -       local
"""


_SEARCH = Search(re.compile(r"\n[a-z.][^\n]*"), lambda entry: bool(entry.value.text))
_LINES = LazyPattern(r"\n(?=[^ \t\v\f\r\n#])")


class Crash(Exception):
    """An outcome that no input may have."""


def main_cf(data: bytes) -> None:
    source = SourceFile.from_bytes("main.cf", data)
    tree = parse_main_cf(source)
    _same(tree.text(), source.text)
    list(tree.comments())
    _spans(entry.line for entry in tree.entries)
    for number in range(1, source.line_count() + 1):
        spans_in_line(source, number)
    list(placeholders(source.text))


def master_cf(data: bytes) -> None:
    source = SourceFile.from_bytes("master.cf", data)
    tree = parse_master_cf(source)
    _same(tree.text(), source.text)
    list(tree.comments())
    for service in tree.services:
        _spans(service.words)
        for override in service.overrides:
            _spans(text for text in (override.name, override.value) if text is not None)


def value(data: bytes) -> None:
    text = _text(data)
    parsed = parse_value(text)
    list(references(parsed))
    list(malformed(parsed))
    for name in VERSIONS:
        version = PostfixVersion.parse(name)
        settings = {"a": Setting("a", text, "main.cf"), "b": Setting("b", "$a x$a", "main.cf")}
        expander = Expander(version, settings.get, lambda unknown: unknown == "u")
        for setting in settings.values():
            try:
                expander.expand(setting)
            except (ExpansionError, LimitError):
                continue


def lists(data: bytes) -> None:
    text = _text(data)
    for braces in (True, False):
        at = 0
        for start, end in split_list(text, braces=braces):
            if not at <= start < end <= len(text):
                raise Crash(f"item {start}-{end} after {at}")
            at = end


def indexed(data: bytes) -> None:
    source = SourceFile.from_bytes("table", data)
    for quoted in (True, False):
        for utf8 in (True, False):
            entries = list(read_indexed(source, quoted_keys=quoted, utf8=utf8))
            _spans(entry.key for entry in entries)
            table = IndexedTable(source, quoted_keys=quoted, utf8=utf8)
            list(table.odd())
            table.duplicates(10)
            list(table.find(_SEARCH))


def aliases(data: bytes) -> None:
    for alias in read_aliases(SourceFile.from_bytes("aliases", data)):
        list(alias.targets())
        tokens = list(tokenize(alias.value.text))
        internal(tokens)
        external(tokens)


def cidr(data: bytes) -> None:
    source = SourceFile.from_bytes("cidr", data)
    list(read_cidr(logical_lines(source)))
    table = CidrTable(source)
    list(table.find(_LINES))
    list(table.odd())
    table.shadowed(10)


def _patterns(data: bytes, dialect: Dialect) -> None:
    source = SourceFile.from_bytes(dialect, data)
    rules = KeptPatterns(read_patterns(logical_lines(source), dialect))
    big = SurveyedPatterns(dialect, source, stretch=64)
    assert [rule.problem for rule in big] == [rule.problem for rule in rules]
    assert big.repeated(3)[1] == rules.repeated(3)[1]
    list(big.odd(references=True))
    list(big.find(_LINES))


def regexp(data: bytes) -> None:
    _patterns(data, "regexp")


def pcre(data: bytes) -> None:
    _patterns(data, "pcre")


def inline(data: bytes) -> None:
    text = _source_text(data)
    inline_table.entries(text)
    inline_table.static_value(text)
    rules = inline_table.rules(text)
    for dialect in ("regexp", "pcre"):
        list(read_patterns(iter(rules.items), dialect))
    list(read_cidr(iter(rules.items)))


def client(data: bytes) -> None:
    table = ClientFile(SourceFile.from_bytes("client.cf", data))
    for name in ("hosts", "password", "query"):
        table.text(name)


def list_file(data: bytes) -> None:
    for braces in (True, False):
        list(read_list(SourceFile.from_bytes("list", data), braces=braces))


def policy(data: bytes) -> None:
    for braces in (True, False):
        parse_policy(_source_text(data), braces=braces)


def suppression(data: bytes) -> None:
    rules = bundled_rules()
    suppressions = Suppressions([SourceFile.from_bytes("main.cf", data)], rules, rules)
    suppressions.apply([])
    list(suppressions.unknown())
    list(suppressions.unused())


def configuration(data: bytes) -> None:
    path = _folder() / "postlint.toml"
    path.write_bytes(data)
    try:
        read_configuration(str(path))
    except UsageError as error:
        if not isinstance(error.__cause__, tomllib.TOMLDecodeError | UnicodeDecodeError | None):
            raise
    finally:
        path.unlink()


def gitignore(data: bytes) -> None:
    file = IgnoreFile(Path("/x"), _text(data, "replace").splitlines())
    for name in ("main.cf", "a/b/main.cf", "a/", "[x]/!b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"):
        file.check(name)


def pem(data: bytes) -> None:
    list(read_pem(data))
    read_group(data)


def certificate(data: bytes) -> None:
    decode_certificate(data)


def check(data: bytes) -> None:
    form = ("text", "json", "sarif")[len(data) % 3]
    version = VERSIONS[len(data) // 3 % len(VERSIONS)]
    with _Instance(data) as folder:
        out = _run("check", "--no-config", "--format", form, "--postfix-version", version, folder)
        if form == "text" and not out.replace("\n", "").isprintable():
            raise Crash("raw control characters in the report")
        if form != "text" and not out.isascii():
            raise Crash("a report for programs that is not ASCII")
        _run("check", "--no-config", "--color", "always", folder)


def exposure(data: bytes) -> None:
    with _Instance(data) as folder:
        for form in ("text", "json"):
            out = _run("exposure", "--format", form, folder)
            if not out.replace("\n", "").isprintable():
                raise Crash("raw control characters in the report")


def show_command(data: bytes) -> None:
    with _Instance(data) as folder:
        for options in (["-n"], ["-M"], ["-P"], ["-F"], ["-xn"], ["-nf"], ["-nj"]):
            for version in VERSIONS:
                arguments = ["-c", folder, "--no-config", "--postfix-version", version, *options]
                try:
                    status = show.run_with(arguments, io.BytesIO(), io.BytesIO())
                except UsageError:
                    continue
                if status not in (0, 1):
                    raise Crash(f"status {status}")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "main_cf": main_cf,
    "master_cf": master_cf,
    "value": value,
    "lists": lists,
    "indexed": indexed,
    "aliases": aliases,
    "cidr": cidr,
    "regexp": regexp,
    "pcre": pcre,
    "inline": inline,
    "client": client,
    "list_file": list_file,
    "policy": policy,
    "suppression": suppression,
    "configuration": configuration,
    "gitignore": gitignore,
    "pem": pem,
    "certificate": certificate,
    "check": check,
    "exposure": exposure,
    "show": show_command,
}


def pack(files: dict[str, bytes]) -> bytes:
    """Files as the input of a whole command."""
    return b"".join(SECTION + name.encode() + b"\n" + data for name, data in files.items())


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an input; what has no name is main.cf."""
    first, *others = data.split(SECTION)
    files = {"main.cf": first} if first or not others else {}
    for part in others:
        name, _, contents = part.partition(b"\n")
        files[name.decode("ascii", "ignore")] = contents
    return files


_NAMES = (
    *("main.cf", "master.cf", "policy", "aliases", "passwords", "regexp", "pcre", "cidr"),
    *("table", "client", "list", "pem", ".gitignore"),
)


class _Instance:
    """A folder with the files of an input."""

    def __init__(self, data: bytes) -> None:
        self._files = {"main.cf": BASE_MAIN, "master.cf": BASE_MASTER}
        self._files |= {name: text for name, text in unpack(data).items() if name in _NAMES}

    def __enter__(self) -> str:
        folder = _folder()
        for name, text in self._files.items():
            (folder / name).write_bytes(text)
        return str(folder)

    def __exit__(self, *_: object) -> None:
        for name in self._files:
            (_folder() / name).unlink(missing_ok=True)


_temporary: list[tempfile.TemporaryDirectory[str]] = []


def _folder() -> Path:
    if not _temporary:
        memory = "/dev/shm"
        _temporary.append(
            tempfile.TemporaryDirectory(dir=memory if Path(memory).is_dir() else None)
        )
    return Path(_temporary[0].name)


def _run(*arguments: str) -> str:
    """Standard output of a command that must not fail on its own account."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    text = err.getvalue()
    if status not in (0, 1, 2):
        raise Crash(f"status {status}")
    for sign in ("internal error", " failed on ", "could not be checked", "Traceback"):
        if sign in text:
            raise Crash(text.strip().splitlines()[0])
    if not text.replace("\n", "").isprintable():
        raise Crash("raw control characters in a message")
    return out.getvalue()


def _text(data: bytes, errors: str = "surrogateescape") -> str:
    return data.decode("utf-8", errors)


def _source_text(data: bytes) -> SourceText:
    text = _text(data)
    return SourceText(SourceFile("main.cf", text), text, 0)


def _same(found: str, expected: str) -> None:
    if found != expected:
        raise Crash("the tokens do not give the file back")


def _spans(texts: Iterator[SourceText] | tuple[SourceText, ...]) -> None:
    for text in texts:
        start, end = text.span
        if not 0 <= start <= end <= len(text.source.text):
            raise Crash(f"{text!r} is not in its file")
