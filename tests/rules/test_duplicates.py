"""DUP: messages, places and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding


def duplicates(
    folder: Path, main: str, master: str | None = None, *, select: str = "DUP0"
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    found = lint_files(folder, files, select=select)
    return [item for item in found if item.code != "DUP005" or select == "DUP005"]


def test_the_whole_dead_setting_is_marked(tmp_path: Path) -> None:
    main = "mynetworks = 127.0.0.0/8\n  # office\n  192.0.2.0/24\nbiff = no\nmynetworks = x\n"
    (finding,) = duplicates(tmp_path, main)
    assert marked(finding) == "mynetworks = 127.0.0.0/8\n  # office\n  192.0.2.0/24"
    assert finding.message == (
        'mynetworks is set twice: only line 5 counts, "127.0.0.0/8 192.0.2.0/24" is dead'
    )
    (related,) = finding.related
    assert (related.message, related.location.start.line) == ("the line that counts", 5)
    assert finding.fix is not None and finding.fix.applicability == "unsafe"
    apply_fix(finding)
    assert (tmp_path / "main.cf").read_text(encoding="utf-8") == "biff = no\nmynetworks = x\n"


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("smtpd_tls_ciphers", "error"),
        ("smtpd_helo_restrictions", "error"),
        ("mynetworks", "error"),
        ("relay_domains", "error"),
        ("smtpd_sasl_type", "error"),
        ("mynetworks_style", "warning"),
        ("mydestination", "warning"),
    ],
)
def test_security_decides_the_severity(name: str, severity: str, tmp_path: Path) -> None:
    (finding,) = duplicates(tmp_path, f"{name} = a\n{name} = b\n")
    assert finding.severity.label == severity


def test_the_same_again_is_deleted_safely(tmp_path: Path) -> None:
    found = duplicates(tmp_path, "biff = no\nbiff  =  no\nbiff = no\n")
    assert [item.severity.label for item in found] == ["info", "info"]
    assert found[0].message == "biff is set 3 times: this line says the same as line 3"
    assert all(item.fix is not None and item.fix.applicability == "safe" for item in found)


@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [
        ("{% if a %}", "{% else %}", "{% endif %}"),
        ("{%- if a -%}", "{%- elif b -%}", "{%- endif -%}"),
        ("<% if a %>", "<% else %>", "<% end %>"),
        ("{{ if .A }}", "{{ else }}", "{{ end }}"),
        ("<?php if ($a): ?>", "<?php else: ?>", "<?php endif; ?>"),
        ("% if a:", "% else:", "% endif"),
    ],
)
def test_branches_of_a_template(opening: str, middle: str, closing: str, tmp_path: Path) -> None:
    main = f"{opening}\nrelayhost = a\n{middle}\nrelayhost = b\n{closing}\n"
    (finding,) = duplicates(tmp_path, main)
    assert finding.severity.label == "info"
    assert "unless the template chooses" in finding.message
    assert finding.fix is None
    same = f"{opening}\nrelayhost = a\nrelayhost = b\n{closing}\n"
    (finding,) = duplicates(tmp_path, same)
    assert finding.severity.label == "warning"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "smtp inet n - n - - smtpd\n  -o biff=no\n  -o biff=yes\n",
            "smtp inet n - n - - smtpd\n  -o biff=yes\n",
        ),
        (
            "smtp inet n - n - - smtpd -o biff=no -v -o biff=yes\n",
            "smtp inet n - n - - smtpd -v -o biff=yes\n",
        ),
        (
            "smtp inet n - n - - smtpd\n  -o biff=no -o { biff = yes }\n",
            "smtp inet n - n - - smtpd\n  -o { biff = yes }\n",
        ),
    ],
)
def test_the_earlier_override_goes(before: str, after: str, tmp_path: Path) -> None:
    (finding,) = duplicates(tmp_path, "", before)
    assert finding.code == "DUP002"
    assert finding.message == '-o biff is given twice for smtp/inet: the last value, "yes", counts'
    assert finding.service == "smtp/inet"
    apply_fix(finding)
    assert (tmp_path / "master.cf").read_text(encoding="utf-8") == after


def test_a_dead_service(tmp_path: Path) -> None:
    master = "smtps inet n - n - - smtpd -v\nx unix - - n - - error\n465 inet n - n - - smtpd\n"
    (finding,) = duplicates(tmp_path, "", master)
    assert (finding.code, marked(finding)) == ("DUP003", "smtps")
    assert finding.message == (
        'smtps/inet is defined again on line 3 as "465": this entry is dead, with its options'
    )
    assert marked_related(finding) == "465"


def marked_related(finding: Finding) -> str:
    location = finding.related[0].location
    return location.source.text[location.span.start : location.span.end]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mydestination = a, b, a\n", "mydestination = a, b\n"),
        ("mydestination = a, a, b\n", "mydestination = a, b\n"),
        ("mydestination = a,\n  b,\n  a\n", "mydestination = a,\n  b,\n"),
        ("mydestination =\n  a,\n  a, b\n", "mydestination =\n  a,\n  b\n"),
        ("mydestination = a b\n\ta c\n", "mydestination = a b\n\tc\n"),
    ],
)
def test_the_second_element_goes(before: str, after: str, tmp_path: Path) -> None:
    (finding,) = duplicates(tmp_path, before)
    assert (finding.code, marked(finding)) == ("DUP004", "a")
    assert finding.related[0].location.span < finding.location.span
    apply_fix(finding)
    assert (tmp_path / "main.cf").read_text(encoding="utf-8") == after
    assert duplicates(tmp_path, after) == []


def test_a_restriction_goes_with_its_argument(tmp_path: Path) -> None:
    main = "smtpd_helo_restrictions = reject_rbl_client a.example, reject_rbl_client a.example\n"
    (finding,) = duplicates(tmp_path, main)
    assert finding.message.startswith('"reject_rbl_client a.example" stands twice')
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text(encoding="utf-8")
    assert text == "smtpd_helo_restrictions = reject_rbl_client a.example\n"


def test_a_default_is_redundant_only_where_it_is_one(tmp_path: Path) -> None:
    files = {"main.cf": "smtpd_tls_ciphers = medium\n"}
    (finding,) = lint_files(tmp_path, files, select="DUP005", version="3.9")
    assert finding.fix is not None and finding.fix.applicability == "safe"
    assert finding.message.endswith("is the default of Postfix 3.9")
    assert lint_files(tmp_path, files, select="DUP005", version="2.8") == []
    assert lint_files(tmp_path, files, select="DUP005") == []
    assert [item.code for item in lint_files(tmp_path, files)].count("DUP005") == 0
