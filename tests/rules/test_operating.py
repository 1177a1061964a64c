"""OPS: messages, places, severities and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files, lint_folder
from tests.postfix_here import write
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

HOST = "myhostname = mx.example.com\n"


def operating(
    folder: Path, main: str, select: str, master: str | None = None, version: str | None = None
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    return lint_files(folder, files, select=select, version=version)


def only(
    folder: Path, main: str, select: str, master: str | None = None, version: str | None = None
) -> Finding:
    (finding,) = operating(folder, main, select, master, version=version)
    return finding


def after(folder: Path, finding: Finding, name: str = "main.cf") -> str:
    apply_fix(finding)
    return (folder / name).read_text(encoding="utf-8")


class TestDebugging:
    def test_soft_bounce(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "soft_bounce = YES\n", "OPS001")
        assert marked(finding) == "YES"
        assert after(tmp_path, finding) == "soft_bounce = no\n"

    @pytest.mark.parametrize(
        ("before", "now"),
        [
            ("smtpd -v\n", "smtpd\n"),
            ("smtpd -vv -o a=b\n", "smtpd -o a=b\n"),
            ("smtpd\n  -v\n  -o a=b\n", "smtpd\n  -o a=b\n"),
            ("smtpd -o a=b -v\n", "smtpd -o a=b\n"),
            ("smtpd -vS\n", "smtpd -S\n"),
        ],
    )
    def test_verbose(self, before: str, now: str, tmp_path: Path) -> None:
        master = f"smtp inet n - n - - {before}qmgr unix n - n 300 1 qmgr\n"
        finding = only(tmp_path, HOST, "OPS002", master)
        assert finding.message == (
            "smtpd -v logs each step and what clients say, passwords among it"
        )
        assert finding.service == "smtp/inet"
        assert finding.security_severity == 4.3
        text = after(tmp_path, finding, "master.cf")
        assert text == f"smtp inet n - n - - {now}qmgr unix n - n 300 1 qmgr\n"
        assert not operating(tmp_path, HOST, "OPS002", text)

    def test_debugger(self, tmp_path: Path) -> None:
        master = "smtp inet n - n - - smtpd -D\n"
        assert not operating(tmp_path, HOST, "OPS002", master)
        main = HOST + "debugger_command = gdb\n"
        finding = only(tmp_path, main, "OPS002", master)
        assert finding.security_severity is None
        assert marked(finding) == "-D"

    @pytest.mark.parametrize(
        ("level", "severity"),
        [
            ("0", None),
            ("1", None),
            ("2", "warning"),
            ("3", "warning"),
            ("4", "error"),
            ("9", "error"),
            ("debug", "warning"),
            ("summary, ssl-debug", "warning"),
            ("ssl-session-packet-dump", "error"),
            ("$level", None),
            ("{{ level }}", None),
        ],
    )
    def test_tls(self, level: str, severity: str | None, tmp_path: Path) -> None:
        found = operating(tmp_path, f"smtp_tls_loglevel = {level}\n", "OPS003")
        assert [item.severity.label for item in found] == ([severity] if severity else [])

    def test_no_tls_log(self, tmp_path: Path) -> None:
        main = "smtp_tls_security_level = may\nsmtp_tls_loglevel = 0\n"
        finding = only(tmp_path, main, "OPS003")
        assert finding.severity.label == "info"
        assert after(tmp_path, finding).endswith("smtp_tls_loglevel = 1\n")
        off = main.replace("may", "none")
        assert not operating(tmp_path, off, "OPS003")
        assert not operating(tmp_path, "smtp_tls_security_level = may\n", "OPS003")


class TestLimits:
    @pytest.mark.parametrize(
        ("value", "severity", "message"),
        [
            ("0", "error", "mail that can not be delivered at the first attempt is given up"),
            ("4h", "warning", "mail is given up when a server is down for less than a day"),
            ("30d", "warning", "nobody learns for a long time that mail was not delivered"),
        ],
    )
    def test_lifetime(self, value: str, severity: str, message: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"maximal_queue_lifetime = {value}\n", "OPS004")
        assert finding.message == f"maximal_queue_lifetime = {value}: {message}"
        assert finding.severity.label == severity
        assert after(tmp_path, finding) == "maximal_queue_lifetime = 5d\n"

    @pytest.mark.parametrize("value", ["1d", "5", "1w", "240h", "$x", "abc", "{{ x }}"])
    def test_silent(self, value: str, tmp_path: Path) -> None:
        assert not operating(tmp_path, f"maximal_queue_lifetime = {value}\n", "OPS004")

    def test_order(self, tmp_path: Path) -> None:
        main = "maximal_backoff_time = 100s\nminimal_backoff_time = 200s\nqueue_run_delay = 200s\n"
        finding = only(tmp_path, main, "OPS004")
        assert finding.message == (
            "minimal_backoff_time (200s) is longer than maximal_backoff_time (100s): the time "
            "between attempts can not grow"
        )
        assert finding.related[0].location.start.line == 1

    def test_shorter_life_only(self, tmp_path: Path) -> None:
        assert not operating(tmp_path, "maximal_queue_lifetime = 2d\n", "OPS004")

    def test_mailbox(self, tmp_path: Path) -> None:
        main = f"{HOST}mydestination = localhost\nmessage_size_limit = 60000000\nbiff = no\n"
        finding = only(tmp_path, main, "OPS005")
        assert finding.message == (
            "mailbox_size_limit is 51200000 and message_size_limit is 60000000: local stops with "
            "a fatal error and delivers nothing"
        )
        assert (marked(finding), finding.service) == ("60000000", "local/unix")
        text = after(tmp_path, finding)
        assert text == main.replace("biff", "mailbox_size_limit = 0\nbiff")
        assert not operating(tmp_path, text, "OPS005")

    def test_both_given(self, tmp_path: Path) -> None:
        main = f"{HOST}mydestination = localhost\nmessage_size_limit = 9000000\n"
        main += "mailbox_size_limit = 1\n"
        finding = only(tmp_path, main, "OPS005")
        assert finding.related[0].location.start.line == 4
        assert after(tmp_path, finding).endswith("mailbox_size_limit = 0\n")

    def test_virtual(self, tmp_path: Path) -> None:
        main = f"{HOST}mydestination =\nmessage_size_limit = 60000000\n"
        main += "virtual_mailbox_domains = a.example\n"
        finding = only(tmp_path, main, "OPS005")
        assert "virtual_mailbox_limit is 51200000" in finding.message
        lmtp = main + "virtual_transport = lmtp:unix:private/x\n"
        assert not operating(tmp_path, lmtp, "OPS005")

    @pytest.mark.parametrize(
        ("size", "severity"), [("500000", "info"), ("10240000", None), ("600000000", "info")]
    )
    def test_size(self, size: str, severity: str | None, tmp_path: Path) -> None:
        main = f"mydestination =\nmessage_size_limit = {size}\n"
        found = operating(tmp_path, main, "OPS005")
        assert [item.severity.label for item in found] == ([severity] if severity else [])

    def test_buffers(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "berkeley_db_read_buffer_size = 4096\n", "OPS005")
        assert (finding.severity.label, marked(finding)) == ("info", "4096")
        assert not operating(tmp_path, "berkeley_db_read_buffer_size = 131072\n", "OPS005")

    def test_space(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "queue_minfree = 1000\n", "OPS005")
        assert finding.severity.label == "warning"
        assert not operating(tmp_path, "queue_minfree = 15360000\n", "OPS005")


class TestDelivery:
    def test_bounces(self, tmp_path: Path) -> None:
        master = "bounce unix - - n - 0 discard\ndefer unix - - n - 0 bounce\n"
        finding = only(tmp_path, HOST, "OPS008", master)
        assert marked(finding) == "discard"
        assert finding.message == (
            "bounce/unix runs discard instead of bounce: senders are not told what became of "
            "their mail"
        )

    def test_notices(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "error_notice_recipient = /dev/null\n", "OPS008")
        assert after(tmp_path, finding) == "error_notice_recipient = postmaster\n"

    def test_template(self, tmp_path: Path) -> None:
        absent = tmp_path / "absent"
        write(tmp_path, {"main.cf": f"{HOST}bounce_template_file = {absent}\n"})
        (finding,) = lint_folder(tmp_path, select="OPS008", host=True).findings
        assert "bounce stops with a fatal error" in finding.message
        assert not lint_folder(tmp_path, select="OPS008").findings, "nobody can tell"
        absent.write_text("")
        assert not lint_folder(tmp_path, select="OPS008", host=True).findings

    def test_no_effect(self, tmp_path: Path) -> None:
        main = f"{HOST}home_mailbox = Maildir/\nmailbox_command = /bin/x\n"
        finding = only(tmp_path, main, "OPS009")
        assert finding.message == "home_mailbox has no effect: mailbox_command gets the mail"
        assert after(tmp_path, finding) == f"{HOST}home_mailbox = \nmailbox_command = /bin/x\n"

    @pytest.mark.parametrize(
        ("setting", "parameter"),
        [
            ("default_privs = root", "default_privs"),
            ("mail_owner = root", "mail_owner"),
            ("setgid_group = root", "setgid_group"),
            ("mail_owner = mail\ndefault_privs = mail", "default_privs"),
            ("mail_owner = nobody", "mail_owner"),
        ],
    )
    def test_accounts(self, setting: str, parameter: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{setting}\n", "OPS009")
        assert (finding.parameter, finding.severity.label) == (parameter, "error")
        assert finding.message.endswith("no Postfix program will start")

    def test_low_user(self, tmp_path: Path) -> None:
        main = "virtual_mailbox_domains = a.example\nvirtual_uid_maps = static:99\n"
        assert only(tmp_path, main, "OPS009").severity.label == "error"
        assert not operating(tmp_path, main + "virtual_minimum_uid = 99\n", "OPS009")
