"""XTP001 and what counts as a placeholder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.config.files import Files
from postlint.config.instance import Instance
from postlint.config.placeholders import placeholders
from postlint.lint.finding import Severity
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.source import SourceFile
from tests.linting import lint_files
from tests.patience import patience
from tests.rules.fixes import marked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ a }}", ["{{ a }}"]),
        ("{{a}}{{b}}", ["{{a}}", "{{b}}"]),
        ("{{{ a }}}", ["{{{ a }}}"]),
        ("hash:{{ folder }}/x", ["{{ folder }}"]),
        ("[{{host}}]:{{port}}", ["{{host}}", "{{port}}"]),
        ("{{ a | default({}) }}", ["{{ a | default({}) }}"]),
        ("{{ $x.y }} {{- end -}}", ["{{ $x.y }}", "{{- end -}}"]),
        ("{{#if a}}b{{/if}}", ["{{#if a}}", "{{/if}}"]),
        ("{% if a %}b{% endif %}", ["{% if a %}", "{% endif %}"]),
        ("{# note #}", ["{# note #}"]),
        ("<%= @a %>", ["<%= @a %>"]),
        ("<?php echo $a; ?>", ["<?php echo $a; ?>"]),
        ("%{lookup('a')}", ["%{lookup('a')}"]),
        ("${{ secrets.A }}", ["${{ secrets.A }}"]),
        ("@A_B@ @@CD@@ %%x%% %ABC% __A_B__", ["@A_B@", "@@CD@@", "%%x%%", "%ABC%", "__A_B__"]),
        ("<your domain> <FQDN> <IP>", ["<your domain>", "<FQDN>", "<IP>"]),
        ("inline:{{a=b}, {c=d}}", []),
        ("pcre:{{/(?<name>x)/ y}}", []),
        ("${{a} == {b} ? {c} : {d}}", []),
        ("${{$compatibility_level} <level {1} ? {} : {x}}", []),
        ("user@EXAMPLE.COM, a@B@c", []),
        ("100% %s %d@%d", []),
        ("<>, <user@example.com>, <no spam>", []),
        ("127.0.0.[2..11]*2", []),
    ],
)
def test_placeholders(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in placeholders(text)] == found


@pytest.mark.parametrize(
    "piece", ["{{", "{%", "<%", "{{a", "@A", "<a", "__A", "%{", "{{{a}", "{#a"]
)
def test_hostile_text_does_not_hang(piece: str) -> None:
    with patience():
        assert list(placeholders(piece * 200_000)) == []


def test_macros_inside_placeholders_are_not_expanded() -> None:
    text = "a = x {{ $b }} <% '${' %> y\nb = c\n"
    instance = Instance(".", parse_main_cf(SourceFile("main.cf", text)), None, Files(None))
    value = instance.main["a"]
    assert value.problem is None and not value.known
    elements = [item for item in value.elements() if item.known]
    assert [item.text for item in elements] == ["x", "y"]
    assert [item.location and item.location.start.column for item in elements] == [5, 27]


def test_one_finding_for_a_line(tmp_path: Path) -> None:
    text = "mydestination = example.com, {{ a }}, {{ b }}\n"
    (finding,) = lint_files(tmp_path, {"main.cf": text}, select="XTP001")
    assert marked(finding) == "{{ a }}"
    assert finding.message == "{{ a }} is to be filled in (2 in this line)"
    assert finding.parameter == "mydestination"
    assert finding.severity is Severity.INFO and finding.security_severity is None


def test_one_finding_for_a_template(tmp_path: Path) -> None:
    text = "a = {{ a }}\nb = {{ b }}\nc = /path/to/c\n{% if d %}\n"
    first, sample = lint_files(tmp_path, {"main.cf": text}, select="XTP001")
    assert first.message == "{{ a }} is to be filled in; 2 more lines have placeholders"
    assert sample.message == '"/path/to/c" is a sample value'


def test_installed_configuration(tmp_path: Path) -> None:
    files = {"main.cf": "myhostname = {{ fqdn }}\nmydomain = $DOMAIN\nmyorigin = example.com\n"}
    found = lint_files(tmp_path, files, select="XTP001", host=True)
    assert [(item.severity, item.message) for item in found] == [
        (Severity.ERROR, "{{ fqdn }} was not filled in: Postfix takes it as it stands"),
        (Severity.ERROR, "$DOMAIN was not filled in: it expands to nothing"),
        (Severity.INFO, '"example.com" is a sample value'),
    ]
    assert found[0].security_severity == 5.9


def test_long_placeholders_are_cut(tmp_path: Path) -> None:
    text = "myhostname = {{ vault.passwords['a'] | default('0123456789012345678901234567') }}\n"
    (finding,) = lint_files(tmp_path, {"main.cf": text}, select="XTP001")
    assert len(finding.message) < 80
