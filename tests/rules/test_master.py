"""The MST rules: messages, places, severities by version, fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.command_lines import command_line
from postlint.lint.finding import Severity
from postlint.postfix.services import programs
from postlint.postfix.versions import NEWEST_STABLE
from postlint.syntax.master_cf import parse_master_cf
from postlint.syntax.source import SourceFile
from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

FILLER = "".join(f"x{number} = y\n" for number in range(8))


def check(
    folder: Path, code: str, master: str, main: str | None = None, version: str | None = None
) -> list[Finding]:
    files = {"master.cf": master} if main is None else {"master.cf": master, "main.cf": main}
    return lint_files(folder, files, version=version, select=code)


@pytest.mark.parametrize(
    ("code", "before", "after", "applicability"),
    [
        ("MST002", "smtp inet - - n - - smtpd", "smtp inet n - n - - smtpd", "safe"),
        ("MST002", "smtp inet N - n - - smtpd", "smtp inet n - n - - smtpd", "safe"),
        ("MST002", "a unix - Yes n - - smtp", "a unix - y n - - smtp", "safe"),
        ("MST002", "a UNIX - - n - - smtp", "a unix - - n - - smtp", "safe"),
        ("MST003", "a unix - - n - - /usr/libexec/postfix/smtp", "a unix - - n - - smtp", "safe"),
        ("MST003", "a unix - - n - - smpt", "a unix - - n - - smtp", "unsafe"),
        (
            "MST004",
            "a inet n - n - - smtpd -o smtpd_helo_restrictions=permit_mynetworks, reject -v",
            "a inet n - n - - smtpd -o smtpd_helo_restrictions=permit_mynetworks,reject -v",
            "safe",
        ),
        (
            "MST004",
            "a inet n - n - - smtpd -o smtpd_helo_restrictions = permit_mynetworks reject",
            "a inet n - n - - smtpd -o smtpd_helo_restrictions=permit_mynetworks,reject",
            "safe",
        ),
        (
            "MST004",
            "a inet n - n - - smtpd -o smtpd_tls_wrappermode = yes",
            "a inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
            "safe",
        ),
        (
            "MST004",
            "a inet n - n - - smtpd -o smtpd_banner=$myhostname at your service",
            "a inet n - n - - smtpd -o { smtpd_banner = $myhostname at your service }",
            "unsafe",
        ),
        ("MST008", "a unix - n y - - pipe argv=x", "a unix - n n - - pipe argv=x", "unsafe"),
        ("MST009", "qmgr unix n - n 300 - qmgr", "qmgr unix n - n 300 1 qmgr", "safe"),
        ("MST009", "bounce unix - - n - 5 bounce", "bounce unix - - n - 0 bounce", "safe"),
        ("MST013", "local unix - - n - - local", "local unix - n n - - local", "safe"),
        ("MST013", "a unix - n n - - smtp", "a unix - - n - - smtp", "unsafe"),
        ("MST014", "pickup unix - - n 60 1 pickup", "pickup unix n - n 60 1 pickup", "safe"),
        ("MST014", "a unix n - n - - smtp", "a unix - - n - - smtp", "safe"),
        ("MST015", "[::1]:SMTP inet n - n - - smtpd", "[::1]:smtp inet n - n - - smtpd", "safe"),
        ("MST015", "smtps inet n - n - - smtpd", "465 inet n - n - - smtpd", "unsafe"),
        ("MST015", "submision inet n - n - - smtpd", "submission inet n - n - - smtpd", "unsafe"),
        (
            "MST006",
            "a inet n - n - - smtpd -o smtpd_tls_wrapermode=yes",
            "a inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
            "unsafe",
        ),
    ],
)
def test_fix(code: str, before: str, after: str, applicability: str, tmp_path: Path) -> None:
    frame = "# before\n{}\n# behind\n  # and inside\nlast unix - - n - - smtp\n"
    (finding,) = check(tmp_path, code, frame.format(before))
    assert finding.fix is not None and finding.fix.applicability == applicability
    apply_fix(finding)
    assert (tmp_path / "master.cf").read_text() == frame.format(after)
    assert check(tmp_path, code, frame.format(after)) == []


def test_braces_are_safe_where_they_are_known(tmp_path: Path) -> None:
    line = "a inet n - n - - smtpd -o smtpd_banner=one two\n"
    (finding,) = check(tmp_path, "MST004", line, version="2.11")
    assert finding.fix is None
    (finding,) = check(tmp_path, "MST004", line, version="3.0")
    assert finding.fix is not None and finding.fix.applicability == "safe"


def test_comments_inside_a_value_stay(tmp_path: Path) -> None:
    line = "a inet n - n - - smtpd -o smtpd_helo_restrictions=permit,\n  # why\n  reject\n"
    (finding,) = check(tmp_path, "MST004", line)
    assert finding.fix is None


@pytest.mark.parametrize(
    ("code", "line", "text", "message"),
    [
        (
            "MST001",
            "a unix - - n - smtp",
            "a unix - - n - smtp",
            "7 fields instead of 8, the command field is missing: master will not start",
        ),
        (
            "MST001",
            "alone",
            "alone",
            "1 field instead of 8, the type field is missing: master will not start",
        ),
        (
            "MST002",
            "a inet y - n - - smtpd",
            "y",
            "an inet service can not be private: master will not start",
        ),
        (
            "MST002",
            "a unix - - n 10s - smtp",
            "10s",
            'the wakeup time "10s" is read as 10; postconf refuses it',
        ),
        (
            "MST002",
            "a inet n - n - 1 qmgr",
            "inet",
            'qmgr can not be of type "inet", only unix or fifo or pass: it will not start',
        ),
        (
            "MST003",
            "a unix - - n - - /usr/lib/postfix/smtp",
            "/usr/lib/postfix/smtp",
            "master puts daemon_directory before /usr/lib/postfix/smtp and finds nothing:"
            " the service is dead",
        ),
        (
            "MST004",
            "a inet n - n - - smtpd -o mynetworks=192.0.2.1, 192.0.2.2 -o x=y",
            "-o mynetworks=192.0.2.1, 192.0.2.2",
            'the value of mynetworks ends at the blank behind "192.0.2.1,": smtpd will not start',
        ),
        (
            "MST004",
            "a inet n - n - 1 postscreen -o mynetworks=192.0.2.1, 192.0.2.2",
            "-o mynetworks=192.0.2.1, 192.0.2.2",
            'the value of mynetworks ends at the blank behind "192.0.2.1,", the rest is ignored',
        ),
        (
            "MST004",
            "a inet n - n - - smtpd -o mynetworks = x",
            "-o mynetworks = x",
            'there may be no blanks around "=": "-o mynetworks" sets nothing: smtpd will not start',
        ),
        ("MST004", "a unix - - n - - smtp -o", "-o", "-o has no argument: smtp will not start"),
        (
            "MST005",
            "a unix - - n 60 1 pickup\n b unix - - n - - smtp",
            "b",
            'the line of "b" is indented: to pickup above it, it is a row of arguments, with which'
            " it will not start",
        ),
        (
            "MST005",
            "a unix - - n - - smtp flags=R fast -x",
            "fast",
            'smtp does not take the argument "fast": it will not start',
        ),
        (
            "MST005",
            "a unix - - n - - smtp -vx",
            "-vx",
            "there is no option -x: smtp will not start",
        ),
        (
            "MST007",
            "a inet n - n - - smtpd\n#b inet n - n - - smtpd\n -o smtpd_x=1\n  -o smtpd_y=2",
            "-o smtpd_x=1\n  -o smtpd_y=2",
            "smtpd_x (and 1 more) was meant for the commented-out b/inet and now applies to a/inet",
        ),
        (
            "MST009",
            "a unix - - n - 1 flush",
            "1",
            "flush exits unless its process limit is 0 (no limit)",
        ),
        (
            "MST010",
            "a inet n - n - - smtpd -o header_checks=",
            "-o header_checks=",
            "smtpd does not read header_checks: that is up to cleanup, from its own entry or"
            " main.cf",
        ),
        (
            "MST012",
            "a unix - n n - - pipe user=a argv=sh -c ls${sender}",
            "${sender",
            "sh runs what stands in ${sender…: anybody can write a command there",
        ),
        (
            "MST012",
            "a unix - n n - 0 spawn user=a",
            "spawn",
            "spawn has no argv=: a does not answer",
        ),
        (
            "MST013",
            "a unix - - n - - pipe user=a argv=b",
            "-",
            'pipe exits unless the unprivileged field is "n"',
        ),
        (
            "MST015",
            "65536 inet n - n - - smtpd",
            "65536",
            "there is no port 65536: the system takes 0 instead",
        ),
        (
            "MST017",
            "127.0.0.1:10026 inet n - n - 0 cleanup",
            "inet",
            "cleanup listens on loopback and obeys any local user",
        ),
    ],
)
def test_message(code: str, line: str, text: str, message: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, code, f"{line}\n", "compatibility_level = 3.6\n")
    assert (marked(finding), finding.message) == (text, message)


def test_mst004_names_parameter_and_service(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, "MST004", "a inet n - n - - smtpd -o mynetworks=b, c\n")
    assert finding.parameter == "mynetworks" and finding.service == "a/inet"


def test_mst007_severities(tmp_path: Path) -> None:
    line = "a inet n - n - - smtpd\n#b inet n - n - - smtpd\n  -o {}=x\n"
    (finding,) = check(tmp_path, "MST007", line.format("smtpd_tls_wrappermode"))
    assert (finding.severity, finding.security_severity) == (Severity.ERROR, 6.5)
    assert len(finding.related) == 1
    (finding,) = check(tmp_path, "MST007", line.format("syslog_name"))
    assert (finding.severity, finding.security_severity) == (Severity.WARNING, None)


def test_mst008_lists_services_once(tmp_path: Path) -> None:
    lines = "".join(f"{name} unix - - - - - smtp\n" for name in "abcdefghijklm")
    (finding,) = check(tmp_path, "MST008", lines, f"{FILLER}compatibility_level = 0\n")
    assert finding.message == (
        '"-" for chroot means "y" until compatibility_level is 1 or higher, then "n" (13 services)'
    )
    assert finding.severity is Severity.WARNING and len(finding.related) == 10
    apply_fix(finding)
    assert (tmp_path / "master.cf").read_text() == lines.replace("- - - - - smtp", "- - y - - smtp")
    (finding,) = check(tmp_path, "MST008", lines, "compatibility_level = 2\n")
    assert finding.severity is Severity.INFO and '"n" only because' in finding.message
    assert check(tmp_path, "MST008", lines, version="2.11") == []


def test_mst009_by_version(tmp_path: Path) -> None:
    line = "tlsproxy unix - - n - 1 tlsproxy\n"
    assert check(tmp_path, "MST009", line, version="3.3") == []
    (finding,) = check(tmp_path, "MST009", line, version="3.4")
    assert finding.severity is Severity.ERROR
    (finding,) = check(tmp_path, "MST009", line)
    assert finding.severity is Severity.WARNING and "depends on the version" in finding.message


def test_mst010_severities(tmp_path: Path) -> None:
    line = "a unix - - n - - smtp -o smtpd_tls_security_level={}\n"
    (finding,) = check(tmp_path, "MST010", line.format("encrypt"), "")
    assert (finding.severity, finding.security_severity) == (Severity.ERROR, 6.5)
    (finding,) = check(tmp_path, "MST010", line.format(""), "")
    assert (finding.severity, finding.security_severity) == (Severity.INFO, None)
    main = "smtpd_tls_security_level = encrypt\n"
    (finding,) = check(tmp_path, "MST010", line.format("encrypt"), main)
    assert finding.severity is Severity.INFO
    line = "a inet n - n - - smtpd -o header_checks=\n"
    (finding,) = check(tmp_path, "MST010", line, "header_checks = pcre:/x\n")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("daemon", [daemon.name for daemon in programs(NEWEST_STABLE)])
def test_mst010_leaves_general_parameters_alone(daemon: str, tmp_path: Path) -> None:
    names = (
        "syslog_name",
        "myhostname",
        "mynetworks",
        "max_use",
        "queue_directory",
        "debug_peer_list",
    )
    line = f"a unix - n n - 1 {daemon} " + " ".join(f"-o {name}=x" for name in names)
    assert check(tmp_path, "MST010", f"{line}\n", "") == []


def test_mst011_points_at_the_table(tmp_path: Path) -> None:
    lines = [f"{name} unix - - n - - smtp" for name in ("smtp", "cleanup", "qmgr", "rewrite")]
    lines += [
        f"{name} unix - - n - - x" for name in ("bounce", "defer", "error", "retry", "pickup")
    ]
    files = {
        "main.cf": "mydestination =\ntransport_maps = hash:/etc/postfix/transport\n",
        "master.cf": "\n".join([*lines, "trace unix - - n - - x", ""]),
        "transport": "example.org uucp:host\nexample.net :[192.0.2.1]\nexample.com smtp:\n"
        "example.edu uucp:other\n",
    }
    (finding,) = lint_files(tmp_path, files, select="MST011")
    assert finding.location.path.endswith("transport") and marked(finding) == "uucp"
    assert finding.message == (
        'master.cf has no service "uucp": mail for example.org and 1 more stays in the queue'
    )


FILTERS = (
    ("header_checks = regexp:{{/^Subject: x/ FILTER scan:dummy}}\n", "scan"),
    ("header_checks = regexp:{{/^Subject: x/ REJECT FILTER scan:dummy}}\n", None),
    ("smtp_header_checks = regexp:{{/^Subject: x/ FILTER scan:dummy}}\n", None),
    ("smtpd_client_restrictions = check_client_access cidr:{{::/0 filter scan:x}}\n", "scan"),
    ("smtpd_client_restrictions = check_client_access inline:{{a=FILTER scan}}\n", None),
    ("mailbox_transport_maps = inline:{{a=scan:x}}\n", "scan"),
    ("transport_maps = inline:{{a=scan}}\n", None),
    ("transport_maps = regexp:{{/(.*)/ $1:x}}\n", None),
    ("virtual_alias_maps = inline:{{a=scan:x}}\n", None),
)


@pytest.mark.parametrize(("setting", "name"), FILTERS)
def test_mst011_reads_what_tables_answer(setting: str, name: str | None, tmp_path: Path) -> None:
    services = ("smtp", "cleanup", "qmgr", "rewrite", "bounce", "defer", "error", "retry")
    services += ("pickup", "trace", "anvil", "flush")
    lines = "".join(f"{service} unix - - n - - smtp\n" for service in services)
    found = check(tmp_path, "MST011", lines, f"mydestination =\n{setting}")
    about = [item.message for item in found if '"scan"' in item.message]
    assert len(about) == (name is not None) and len(found) == len(about)


def test_mst012_severities(tmp_path: Path) -> None:
    line = "a unix - n n - - pipe {}\n"
    (finding,) = check(tmp_path, "MST012", line.format("user=a argv=/bin/sh -c a$recipient"))
    assert (finding.severity, finding.security_severity) == (Severity.ERROR, 8.1)
    (finding,) = check(tmp_path, "MST012", line.format("argv=/bin/sh"))
    assert (finding.severity, finding.security_severity) == (Severity.ERROR, None)
    (finding,) = check(tmp_path, "MST012", line.format("user=nobody argv=/bin/sh"))
    assert finding.severity is Severity.INFO


def test_mst015_asks_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from postlint.config.files import Files

    services = SourceFile("services", "mailgate 2500/tcp mg # own\nsmtp 25/tcp\nudponly 1/udp\n")
    monkeypatch.setattr(Files, "read", lambda _files, _name: services)
    lines = [f"{name} inet n - n - - smtpd\n" for name in ("mailgate", "mg", "smtp", "udponly")]
    (finding,) = lint_files(tmp_path, {"master.cf": "".join(lines)}, select="MST015", host=True)
    assert marked(finding) == "udponly" and finding.severity is Severity.ERROR


def test_mst017_on_the_network(tmp_path: Path) -> None:
    line = "10026 inet n - n - 0 cleanup\n"
    (finding,) = check(tmp_path, "MST017", line, "inet_interfaces = all\n")
    assert (finding.severity, finding.security_severity) == (Severity.ERROR, 8.1)
    assert finding.message == "cleanup listens on the network and obeys anybody"
    (tmp_path / "main.cf").unlink()
    (finding,) = check(tmp_path, "MST017", line)
    assert (finding.severity, finding.security_severity) == (Severity.WARNING, None)


@pytest.mark.parametrize(
    ("words", "options", "arguments"),
    [
        ("", [], []),
        ("-v -v", [("v", None), ("v", None)], []),
        ("-vo a=b c", [("v", None), ("o", "a=b")], ["c"]),
        ("-oa=b -i10 -m 5", [("o", "a=b"), ("i", "10"), ("m", "5")], []),
        ("-o { a = b c } d", [("o", "a = b c")], ["d"]),
        ("-- -o a=b", [], ["-o", "a=b"]),
        ("- -v", [], ["-", "-v"]),
        ("a -v", [], ["a", "-v"]),
        ("-x -o", [("x", None), ("o", None)], []),
    ],
)
def test_command_line(
    words: str, options: list[tuple[str, str | None]], arguments: list[str]
) -> None:
    (entry,) = parse_master_cf(SourceFile("master.cf", f"a unix - - - - - smtp {words}\n")).services
    line = command_line(entry)
    found = [(item.letter, item.value and item.value.text.text) for item in line.options]
    assert found == options
    assert [argument.text.text for argument in line.arguments] == arguments
