"""The runner: attribution, merging, order, fingerprints, crashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.config.service import Service
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import Rule, rule
from postlint.lint.runner import Runner, Target
from postlint.syntax.main_cf import MainCf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.lint.result import Result


@rule("XXX001", severity=Severity.WARNING, security=5.0)
def every_setting(main_cf: MainCf) -> Iterator[Finding]:
    """Every setting."""
    for entry in main_cf.assignments:
        yield Finding(entry.name.location, "here", parameter=entry.name.text)


@rule("XXX002", severity=Severity.ERROR)
def server_banner(service: Service) -> Iterator[Finding]:
    """The banner of every server."""
    if service.program == "smtpd":
        location = service["smtpd_banner"].value_location
        if location is not None:
            yield Finding(location, "banner")


@rule("XXX003", severity=Severity.INFO)
def crashing(main_cf: MainCf) -> Iterator[Finding]:
    """Crashes after its first finding."""
    first = next(main_cf.assignments)
    yield Finding(first.name.location, "before the crash")
    raise RuntimeError("deliberate")


MASTER = """\
25 inet n - n - - smtpd
587 inet n - n - - smtpd
465 inet n - n - - smtpd -o smtpd_banner=x
"""


def run(folder: Path, main: str, *rules: Rule) -> Result:
    (folder / "main.cf").write_text(main)
    (folder / "master.cf").write_text(MASTER)
    candidates = Discovery().find([str(folder)], bytes)
    return Runner(rules, rules).run(Target(load_instance(item)) for item in candidates)


def test_metadata_of_the_rule_is_the_default(tmp_path: Path) -> None:
    (finding,) = run(tmp_path, "a = b\n", every_setting).findings
    assert (finding.code, finding.name) == ("XXX001", "every-setting")
    assert (finding.severity, finding.security_severity) == (Severity.WARNING, 5.0)


def test_one_finding_for_several_services(tmp_path: Path) -> None:
    findings = run(tmp_path, "smtpd_banner = y\n", server_banner).findings
    assert [[name for name, _ in finding.services] for finding in findings] == [
        ["25/inet", "587/inet"],
        ["465/inet"],
    ]
    assert findings[1].location.path.endswith("master.cf")


@rule("XXX004", programs=("smtp", "lmtp"), severity=Severity.INFO)
def client(service: Service) -> Iterator[Finding]:
    """A client."""
    assert service.location is not None
    yield Finding(service.location, service.program)


def test_a_rule_of_services_may_be_for_some_programs(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("")
    lines = [f"{name} unix - - n - - {name}" for name in ("lmtp", "local", "smtp", "x", "smtpd")]
    (tmp_path / "master.cf").write_text("\n".join(lines))
    (candidate,) = Discovery().find([str(tmp_path)], bytes)
    result = Runner([client], [client]).run([Target(load_instance(candidate))])
    assert [finding.message for finding in result.findings] == ["lmtp", "smtp"]


def test_other_rules_are_for_no_program() -> None:
    with pytest.raises(ValueError, match="XXX005: only a rule of services is for programs"):

        @rule("XXX005", programs=("smtpd",), severity=Severity.INFO)
        def of_main_cf(main_cf: MainCf) -> Iterator[Finding]:
            """Of main.cf."""
            yield from ()


def test_a_crash_is_reported_and_the_other_rules_go_on(tmp_path: Path) -> None:
    result = run(tmp_path, "a = b\n", crashing, every_setting)
    assert [finding.code for finding in result.findings] == ["XXX001", "XXX003"]
    (notification,) = result.notifications
    assert notification.kind == "internal-error"
    assert notification.level == "error"
    assert "XXX003" in notification.message
    assert "RuntimeError at test_runner.py:" in notification.message
    assert "deliberate" not in notification.message  # it may quote the configuration


def test_fingerprints_survive_moves_and_reformatting(tmp_path: Path) -> None:
    before = run(tmp_path, "a = b\nc = d\nc = e\n", every_setting)
    after = run(tmp_path, "# new\n\nc   =   d\nc=e\na\t=  b\n", every_setting)
    assert {item.identity for item in before.findings} == {item.identity for item in after.findings}
    assert len({item.identity for item in before.findings}) == 3


def test_order_is_path_line_column_code(tmp_path: Path) -> None:
    findings = run(tmp_path, "smtpd_banner = y\na = b\n", server_banner, every_setting).findings
    assert [(item.location.start.line, item.code) for item in findings] == [
        (1, "XXX001"),
        (1, "XXX002"),
        (2, "XXX001"),
        (3, "XXX002"),
    ]


def suppressed(folder: Path, main: str) -> tuple[int, int]:
    result = run(folder, main, every_setting)
    return len(result.findings), len(result.suppressed)


def test_suppression_of_the_next_logical_line(tmp_path: Path) -> None:
    assert suppressed(tmp_path, "# postlint: ignore[XXX001] why\n\n# more\na = b\nc = d\n") == (
        1,
        1,
    )
    assert suppressed(tmp_path, "a = b\n# postlint: ignore[XXX]\nc = d\n") == (1, 1)


def test_suppression_inside_a_multi_line_value(tmp_path: Path) -> None:
    assert suppressed(tmp_path, "a = b\n  # postlint: ignore[every-setting]\n  c\nd = e\n") == (
        1,
        1,
    )


def test_suppression_for_the_file(tmp_path: Path) -> None:
    assert suppressed(tmp_path, "a = b\nc = d\n#postlint:ignore-file[XXX001]\n") == (0, 2)


def test_text_after_a_setting_suppresses_nothing(tmp_path: Path) -> None:
    assert suppressed(tmp_path, "a = b # postlint: ignore[XXX001]\n") == (1, 0)


def test_suppression_keeps_its_reason(tmp_path: Path) -> None:
    result = run(tmp_path, "# postlint: ignore[XXX001] agreed with Ann\na = b\n", every_setting)
    suppression = result.suppressed[0].suppression
    assert suppression is not None
    assert suppression.justification == "agreed with Ann"
    assert suppression.location.start == (1, 1)
