"""TBL rules: messages, places, severities, fixes, modes of files, secrets, limits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from postlint.cli.check import _target
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.lint.finding import Severity
from postlint.lint.registry import bundled_rules
from postlint.lint.runner import Runner
from postlint.postfix.versions import PostfixVersion
from postlint.report.formats import FORMATS, Options, render
from tests.linting import lint_files, lint_folder
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.config.instance import Instance
    from postlint.lint.finding import Finding

SENDERS = "smtpd_sender_restrictions = check_sender_access"
CLIENTS = "smtpd_client_restrictions = check_client_access"


def instance_of(folder: Path, files: dict[str, str]) -> Instance:
    for name, text in files.items():
        (folder / name).write_text(text)
    return load_instance(Discovery().find([str(folder)], bytes)[0])


def found(folder: Path, code: str, main: str, **more: object) -> list[Finding]:
    files = {"main.cf": f"{main}\n"}
    options = {}
    for name, value in more.items():
        if isinstance(value, str) and name != "version":
            files[name] = value
        else:
            options[name] = value
    return lint_files(folder, files, select=code, **options)  # type: ignore[arg-type]


def test_tables_of_an_instance(tmp_path: Path) -> None:
    instance = instance_of(
        tmp_path,
        {
            "main.cf": (
                "virtual_alias_maps = proxy:unionmap:{hash:/etc/postfix/a, inline:{b=c}}\n"
                "smtpd_restriction_classes = strict\n"
                "strict = check_sender_access pcre:{{/a$$/ REJECT}}, reject\n"
                "smtpd_recipient_restrictions = check_ccert_access { hash:/etc/postfix/certs,"
                " { search_order = subject_cn } }, reject_rbl_client a.example:x\n"
                "mynetworks = !10.0.0.0/8, !cidr:/etc/postfix/nets, [::1]/128\n"
                "transport_maps = pipemap:{texthash:/etc/postfix/t, inline:{x=y}}\n"
            ),
            "master.cf": (
                "smtp inet n - n - - smtpd\n"
                "  -o smtpd_client_restrictions=check_client_access,static:OK\n"
            ),
            "a": "x y\n",
        },
    )
    tables = {(table.type, table.name): table for table in instance.tables}
    assert set(tables) == {
        ("hash", "/etc/postfix/a"),
        ("inline", "{b=c}"),
        ("pcre", "{{/a$/ REJECT}}"),
        ("hash", "/etc/postfix/certs"),
        ("cidr", "/etc/postfix/nets"),
        ("texthash", "/etc/postfix/t"),
        ("inline", "{x=y}"),
        ("static", "OK"),
        ("hash", "/etc/aliases"),
    }
    union = tables["hash", "/etc/postfix/a"]
    assert union.purposes == {"virtual alias"}
    assert union.uses[0].proxied == "unionmap:{hash:/etc/postfix/a, inline:{b=c}}"
    assert union.readable
    assert not tables["hash", "/etc/postfix/certs"].readable
    assert tables["hash", "/etc/postfix/certs"].purposes == {"certificate access"}
    assert tables["inline", "{x=y}"].uses[0].piped
    assert tables["static", "OK"].uses[0].service_label == "smtp/inet"
    (rule,) = tables["pcre", "{{/a$/ REJECT}}"].patterns or ()
    assert rule.first is not None
    span = rule.first.text.location.span
    assert instance.main_cf is not None
    assert instance.main_cf.source.text[span.start : span.end] in ("a$", "a$$")


def test_nothing_is_read_without_a_rule(tmp_path: Path) -> None:
    instance = instance_of(tmp_path, {"main.cf": "transport_maps = texthash:/etc/postfix/t\n"})
    assert "tables" not in instance.__dict__
    (table,) = [table for table in instance.tables if table.uses[0].parameter == "transport_maps"]
    assert table.loaded is None


def test_suppression_and_named_file(tmp_path: Path) -> None:
    main = f"{SENDERS} hash:/etc/postfix/senders"
    senders = "# postlint: ignore[TBL008] kept for sendmail\n.example.com REJECT\n.example.net OK\n"
    findings = found(tmp_path, "TBL008", main, senders=senders)
    assert [marked(finding) for finding in findings] == [".example.net"]
    assert findings[0].related[0].message == "the table of check_sender_access"


@pytest.mark.parametrize(
    ("code", "main", "text", "mended"),
    [
        ("TBL005", f"{CLIENTS} cidr:/etc/postfix/t", "10.1.2.3/8 REJECT\n", "10.0.0.0/8 REJECT\n"),
        ("TBL008", f"{SENDERS} hash:/etc/postfix/t", ".example.com OK\n", "example.com OK\n"),
        ("TBL008", "transport_maps = hash:/etc/postfix/t", "@a.example x:\n", "a.example x:\n"),
        ("TBL009", "virtual_alias_maps = hash:/etc/postfix/t", "a b\nA b\n", "a b\n"),
        (
            "TBL010",
            "transport_maps = hash:/etc/postfix/t",
            "example.com mail.example.net\n",
            "example.com smtp:mail.example.net\n",
        ),
        (
            "TBL010",
            "virtual_alias_maps = hash:/etc/postfix/t",
            "a@example.com b, c # d\n",
            "a@example.com b, c\n",
        ),
        (
            "TBL010",
            "virtual_alias_maps = hash:/etc/postfix/t",
            "@a.example b.example\n",
            "@a.example @b.example\n",
        ),
        (
            "TBL007",
            f"{CLIENTS} regexp:/etc/postfix/t",
            "/example.com/ OK\n",
            "/(^|\\.)example\\.com$/ OK\n",
        ),
        (
            "TBL014",
            "virtual_alias_maps = sqlite:/etc/postfix/t",
            'query = SELECT a FROM b WHERE c = "%s"\n',
            "query = SELECT a FROM b WHERE c = '%s'\n",
        ),
    ],
)
def test_fixes_in_tables(code: str, main: str, text: str, mended: str, tmp_path: Path) -> None:
    (finding,) = found(tmp_path, code, main, t=text)
    apply_fix(finding)
    assert (tmp_path / "t").read_text() == mended
    assert not found(tmp_path, code, main, t=mended)


@pytest.mark.parametrize(
    ("code", "main", "text", "mended"),
    [
        ("TBL004", f"{SENDERS} hash:/etc/postfix/t", "/^a$/ OK\n", "regexp:/etc/postfix/t"),
        ("TBL004", f"{CLIENTS} hash:/etc/postfix/t", "10.0.0.0/8 OK\n", "cidr:/etc/postfix/t"),
        ("TBL006", f"{SENDERS} regexp:/etc/postfix/t", "/^\\d$/ OK\n", "pcre:/etc/postfix/t"),
        ("TBL012", "smtpd_data_restrictions = check_client_access proxy:hash:/etc/postfix/t\n"
         "proxy_read_maps = $alias_maps", "a OK\n", "$alias_maps proxy:hash:/etc/postfix/t"),
    ],
)  # fmt: skip
def test_fixes_in_main_cf(code: str, main: str, text: str, mended: str, tmp_path: Path) -> None:
    (finding,) = found(tmp_path, code, main, t=text)
    apply_fix(finding)
    main = (tmp_path / "main.cf").read_text()
    assert mended in main
    assert not found(tmp_path, code, main, t=text)


def test_berkeley_by_version(tmp_path: Path) -> None:
    main = "virtual_alias_maps = proxy:hash:/etc/postfix/virtual"
    assert not found(tmp_path, "TBL011", main, version="3.10")
    (pinned,) = found(tmp_path, "TBL011", main, version="3.11")
    (unpinned,) = found(tmp_path, "TBL011", main)
    assert pinned.severity is Severity.WARNING
    assert unpinned.severity is Severity.INFO
    assert unpinned.message.endswith("(depends on the version)")
    apply_fix(pinned)
    assert (tmp_path / "main.cf").read_text() == main.replace("hash", "lmdb") + "\n"


def test_berkeley_is_told_once(tmp_path: Path) -> None:
    main = (
        "alias_maps = hash:/etc/aliases\n"
        "virtual_alias_maps = hash:/etc/postfix/a, btree:/etc/postfix/b\n"
        "canonical_maps = $virtual_alias_maps\n"
    )
    (finding,) = found(tmp_path, "TBL011", main, version="3.11")
    assert finding.location.start.line == 1
    assert finding.message.endswith("3.11 may lack; 2 more places name such tables")
    assert [item.location.start.line for item in finding.related] == [2, 2]
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text()
    assert "hash" not in text and "btree" not in text and text.count("lmdb:") == 3


@pytest.mark.parametrize(
    ("types", "severity"), [({"lmdb"}, Severity.ERROR), ({"hash", "lmdb"}, None)]
)
def test_berkeley_of_the_host(
    types: set[str], severity: Severity | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installed Postfix knows, whatever its version."""
    from postlint.cli import host

    monkeypatch.setattr(host, "installed_table_types", lambda: frozenset(types))
    monkeypatch.setattr(host, "installed_version", lambda: PostfixVersion(3, 7, 11))
    (tmp_path / "main.cf").write_text("alias_maps = hash:/etc/aliases\n")
    (candidate,) = Discovery().find([str(tmp_path)], bytes)
    target = _target(candidate, version=None, root=None, host=True)
    (rule,) = [item for item in bundled_rules() if item.code == "TBL011"]
    result = Runner([rule], [rule]).run([target])
    assert [item.severity for item in result.findings] == ([severity] if severity else [])


def test_many_findings_are_counted(tmp_path: Path) -> None:
    text = "".join(f".d{number}.example OK\n" for number in range(1000))
    findings = found(tmp_path, "TBL008", f"{SENDERS} hash:/etc/postfix/t", t=text)
    assert len(findings) == 21
    assert findings[-1].message == "980 more keys are never looked up from here on"
    text = "same OK\n" * 5000
    findings = found(tmp_path, "TBL009", f"{SENDERS} hash:/etc/postfix/t", t=text)
    assert len(findings) == 21
    assert findings[-1].message.startswith("4979 more keys stand above")


def test_shadows_are_summed_up(tmp_path: Path) -> None:
    text = "10.0.0.0/8 REJECT\n" + "".join(f"10.0.{number}.0/24 REJECT\n" for number in range(200))
    (finding,) = found(tmp_path, "TBL005", f"{CLIENTS} cidr:/etc/postfix/t", t=text)
    assert finding.severity is Severity.INFO
    assert "199 more rules" in finding.message


def test_index_by_time(tmp_path: Path) -> None:
    main = "transport_maps = hash:/etc/postfix/t"
    for name, time in (("t", 2_000_000_000), ("t.db", 1_900_000_000)):
        (tmp_path / name).write_text("a b:\n")
        os.utime(tmp_path / name, (time, time))
    (tmp_path / "main.cf").write_text(main)
    (finding,) = lint_files(tmp_path, {}, select="TBL002", host=True)
    assert "t.db is older than its source" in finding.message
    assert "postmap hash:/etc/postfix/t" in finding.message
    os.utime(tmp_path / "t.db", (2_000_000_001, 2_000_000_001))
    assert not lint_files(tmp_path, {}, select="TBL002", host=True)


def test_secrets_of_the_compiled_file(tmp_path: Path) -> None:
    for name, mode in (("t", 0o600), ("t.db", 0o644)):
        (tmp_path / name).write_text("[smtp.example.com] u:p\n")
        (tmp_path / name).chmod(mode)
    (tmp_path / "main.cf").write_text("smtp_sasl_password_maps = hash:/etc/postfix/t\n")
    (finding,) = lint_files(tmp_path, {}, select="TBL003", host=True)
    assert finding.message.startswith("/etc/postfix/t.db holds passwords")
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "t").write_text("[smtp.example.com] u:p\n")
    (tmp_path / "private" / "t").chmod(0o644)
    (tmp_path / "main.cf").write_text("smtp_sasl_password_maps = texthash:/etc/postfix/private/t\n")
    assert not lint_files(tmp_path, {}, select="TBL003", host=True)


@pytest.mark.parametrize(("mode", "severity"), [(0o666, Severity.ERROR), (0o644, None)])
def test_writable_main_cf(mode: int, severity: Severity | None, tmp_path: Path) -> None:
    main = tmp_path / "main.cf"
    main.write_text("transport_maps =\n")
    main.chmod(mode)
    findings = lint_files(tmp_path, {}, select="TBL015", host=True)
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    assert not lint_files(tmp_path, {}, select="TBL015")


SECRET_TABLES = {
    "relay": (
        "* u:Hidden1\n[a]: u:Hidden2\n[b] Hidden3\n[b] x:Hidden4\n/x/ y:Hidden5\nz: Hidden17\n"
    ),
    "ldap.cf": "server_host = ldap.example.com\nbind_pw = Hidden6\npassword Hidden7\n= Hidden8\n",
    "mysql.cf": (
        'hosts = db.example.com\npassword = Hidden9\nquery = SELECT a FROM %s WHERE b = "%s"\n'
    ),
    "pw.regexp": "/(/ u:Hidden10\n/a/ $2Hidden11\n/a b Hidden12\nx Hidden13\n",
    "main.cf": (
        "smtp_sasl_password_maps = hash:/etc/postfix/relay, regexp:/etc/postfix/pw.regexp\n"
        "virtual_alias_maps = ldap:/etc/postfix/ldap.cf, mysql:/etc/postfix/mysql.cf\n"
        "lmtp_sasl_password_maps ="
        " inline:{{[c] = u:Hidden14}, {[c] = v:Hidden15}, {d = Hidden16}}\n"
    ),
}


def test_no_secret_in_a_message(tmp_path: Path) -> None:
    findings = lint_files(tmp_path, SECRET_TABLES, select="TBL", host=True)
    assert len(findings) > 10
    for finding in findings:
        texts = [finding.message, *(item.message for item in finding.related)]
        if finding.fix is not None:
            texts += [finding.fix.message, *(edit.text for edit in finding.fix.edits)]
        assert not [text for text in texts if "Hidden" in text], finding.message


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_secret_in_a_report(name: str, tmp_path: Path) -> None:
    lint_files(tmp_path, SECRET_TABLES, select="TBL")
    result = lint_folder(tmp_path, select="TBL", host=True)
    assert len(result.findings) > 10
    for terminal in (False, True):
        report = render(name, result, Options(terminal=terminal, statistics=True))
        text = report if isinstance(report, str) else report.decode()
        assert "Hidden" not in text


def test_hostile_tables_end(tmp_path: Path) -> None:
    table = (
        f"/{'(a*)*' * 5000}b/ OK\n/{'(' * 30_000}/ OK\n/{'[' * 30_000}/ OK\n"
        f"/{'a' * 2_000_000}/ OK\n{'if /a/' + chr(10)}" + "if /b/\n" * 5000 + "/x/ y\n" * 5000
    )
    main = "\n".join(
        f"{name} = {kind}:/etc/postfix/t"
        for name, kind in (("header_checks", "pcre"), ("body_checks", "regexp"))
    )
    findings = found(tmp_path, "TBL", f"{main}\n{CLIENTS} cidr:/etc/postfix/t", t=table)
    assert 0 < len(findings) < 200
