from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.result import Notification
from postlint.lint.rule import Rule
from postlint.report import links, sarif
from postlint.report.formats import render
from postlint.report.sarif_rules import descriptor
from postlint.report.sarif_text import (
    TEXT_LIMIT,
    code_block,
    markdown,
    pascal_case,
    plain,
    uri,
)
from postlint.syntax.source import SourceFile, Span
from tests.report.cases import (
    MAIN,
    MASTER,
    RULES,
    duplicate_setting,
    finding,
    full,
    legacy_protocol_offered,
    locate,
    one,
    result,
    undocumented,
)
from tests.report.test_report_text import HOSTILE

SHARED = Path(os.environ.get("POSTLINT_SHARED", Path(__file__).parents[2].parent / "shared"))


@pytest.fixture(scope="module")
def validator():
    path = SHARED / "sarif-schema-2.1.0.json"
    if not path.is_file():
        pytest.skip("the SARIF schema is not here")
    return Draft4Validator(json.loads(path.read_text("utf-8")))


def run_of(made):
    log = json.loads(render("sarif", made))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    return log["runs"][0]


@pytest.fixture(scope="module")
def run():
    return run_of(full())


@pytest.mark.parametrize(
    "made",
    [
        full(),
        result([]),
        result([], rules=[]),
        one(HOSTILE, SourceFile(f"d/{HOSTILE}", f"{HOSTILE}\n")),
        one("x", SourceFile("/etc/postfix/main.cf", "")),
        result([], notifications=[Notification("configuration", "x", level="warning")]),
    ],
    ids=["full", "empty", "no-rules", "hostile", "absolute", "configuration"],
)
def test_valid(validator, made):
    validator.validate(json.loads(render("sarif", made)))


def test_nothing_depends_on_time_or_place(monkeypatch, tmp_path):
    before = render("sarif", full())
    monkeypatch.chdir(tmp_path)
    assert render("sarif", full()) == before
    assert before.isascii()
    assert str(Path.home()) not in before
    assert "TimeUtc" not in before


def test_rules_are_all_that_ran(run):
    driver = run["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.code for rule in RULES]
    assert driver["name"] == "postlint"
    assert driver["version"] == driver["semanticVersion"]
    legacy = driver["rules"][1]
    assert legacy["name"] == "LegacyProtocolOffered"
    assert legacy["defaultConfiguration"] == {"level": "error"}
    assert legacy["helpUri"] == links.rule_page("TLS001")
    assert legacy["properties"] == {
        "tags": ["security", "TLS", "external/cwe/cwe-326", "external/cwe/cwe-327", "RFC 8996"],
        "precision": "high",
        "problem.severity": "error",
        "security-severity": "7.4",
    }
    assert "**Why:** Protocols before" in legacy["help"]["markdown"]
    assert "\\*\\_protocols lists \\<them> easily" in legacy["help"]["markdown"]
    assert "```\nsmtp inet n - y - - smtpd\n```" in legacy["help"]["markdown"]
    assert "security-severity" not in driver["rules"][0]["properties"]


def test_a_rule_without_sections_has_a_help_text(run):
    plugin = run["tool"]["driver"]["rules"][2]
    assert plugin["help"]["text"] == "A rule of a plugin without sections."


def test_a_rule_that_was_not_announced_is_added():
    made = finding(duplicate_setting, locate(MAIN, "relayhost"), "twice")
    run = run_of(result([made], rules=[legacy_protocol_offered]))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["TLS001", "DUP001"]
    assert run["results"][0]["ruleIndex"] == 1


def test_result(run):
    first = run["results"][0]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("DUP001", 0, "warning")
    assert first["message"]["text"].endswith("this value [a.example.com]:587 is ignored")
    artifacts = [artifact["location"]["uri"] for artifact in run["artifacts"]]
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {
            "uri": "conf/main.cf",
            "uriBaseId": "%SRCROOT%",
            "index": artifacts.index("conf/main.cf"),
        },
        "region": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 32},
    }
    assert first["partialFingerprints"] == {
        "postlintFingerprint/v1": "8d774b6520fcc9c1163e2d15bdc4efb9"
    }
    assert first["properties"] == {"parameter": "relayhost"}
    assert "snippet" not in json.dumps(run)
    assert run["columnKind"] == "unicodeCodePoints"
    assert "uri" not in run["originalUriBaseIds"]["%SRCROOT%"]


def test_results_are_in_report_order_with_the_suppressed_ones(run):
    places = [
        (
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
            bool(each["suppressions"]),
        )
        for each in run["results"]
    ]
    assert places == [
        ("conf/main.cf", 3, False),
        ("conf/main.cf", 5, False),
        ("conf/main.cf", 8, True),
        ("conf/master.cf", 3, False),
        ("conf/master.cf", 3, False),
    ]
    suppression = run["results"][2]["suppressions"][0]
    assert (suppression["kind"], suppression["justification"]) == ("inSource", "both are meant")
    assert suppression["location"]["physicalLocation"]["region"]["startLine"] == 7


def test_without_suppressed_findings_results_do_not_mention_suppressions():
    run = run_of(one("x", MAIN))
    assert "suppressions" not in run["results"][0]


def test_services_and_parameters_are_logical_locations(run):
    second = run["results"][1]
    assert second["locations"][0]["logicalLocations"] == [
        {"name": "smtp/inet", "fullyQualifiedName": "smtp/inet", "kind": "module"},
        {
            "name": "smtpd_tls_protocols",
            "fullyQualifiedName": "smtp/inet/smtpd_tls_protocols",
            "kind": "property",
        },
    ]
    assert [place["id"] for place in second["relatedLocations"]] == [1, 2]
    further = second["relatedLocations"][0]
    assert further["message"]["text"] == "also holds for submission/inet"
    assert further["logicalLocations"][1]["fullyQualifiedName"] == (
        "submission/inet/smtpd_tls_protocols"
    )
    assert second["properties"] == {
        "parameter": "smtpd_tls_protocols",
        "service": "smtp/inet",
        "services": ["smtp/inet", "submission/inet", "smtps/inet"],
    }


def test_a_finding_that_deviates_from_its_rule(run):
    variant = run["results"][4]
    assert variant["level"] == "warning"
    assert variant["properties"]["security-severity"] == "0.0"


def test_fixes(run):
    fix = run["results"][1]["fixes"][0]
    assert fix["description"]["text"] == "Unsafe fix: use >=TLSv1.2"
    change = fix["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "conf/main.cf"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 5, "startColumn": 23, "endLine": 6, "endColumn": 9},
            "insertedContent": {"text": ">=TLSv1.2"},
        }
    ]


def test_a_fix_of_two_files_has_two_changes_and_one_with_raw_bytes_is_left_out():
    edits = [Edit(locate(MAIN, "relayhost"), "a"), Edit(locate(MASTER, "smtp "), "b")]
    made = finding(duplicate_setting, edits[0].location, "x", fix=Fix("mend", edits, "safe"))
    changes = run_of(result([made]))["results"][0]["fixes"][0]["artifactChanges"]
    assert [each["artifactLocation"]["uri"] for each in changes] == [MAIN.path, MASTER.path]
    made.fix = Fix("mend", [Edit(edits[0].location, "\udcff")], "safe")
    assert "fixes" not in run_of(result([made]))["results"][0]


def test_invocation(run):
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    unreadable, crash, note = invocation["toolExecutionNotifications"]
    assert unreadable["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        "conf/sasl%20passwd"
    )
    assert crash["associatedRule"] == {"id": "PLG001", "index": 2}
    kinds = [each["id"] for each in run["tool"]["driver"]["notifications"]]
    assert kinds[note["descriptor"]["index"]] == note["descriptor"]["id"] == "note"
    clean = run_of(result([]))["invocations"][0]
    assert clean == {"executionSuccessful": True, "toolExecutionNotifications": []}


def test_results_are_limited_and_the_severe_and_open_ones_stay(monkeypatch):
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    run = run_of(full())
    assert [each["level"] for each in run["results"]] == ["warning", "error", "warning"]
    note = run["invocations"][0]["toolExecutionNotifications"][-1]
    assert note["message"]["text"] == "2 of the less severe results were left out."
    assert sarif.MOST_LOCATIONS <= 1000


def test_github_limits_of_one_result():
    places = [Related("there", locate(MAIN, "relayhost"))] * 1200
    made = finding(duplicate_setting, locate(MAIN, "relayhost"), "x" * 5000, related=places)
    shown = run_of(result([made]))["results"][0]
    assert len(shown["relatedLocations"]) + len(shown["locations"]) == 1000
    assert len(shown["message"]["text"]) == TEXT_LIMIT


def test_github_limits_of_a_rule():
    def many_tags(service: Service) -> list[Finding]:  # noqa: F821
        """Summary."""
        return []

    made = Rule(many_tags, "TAG001", Severity.INFO, 0.5, tuple(f"README{n}" for n in range(40)))
    properties = descriptor(made)["properties"]
    assert properties["tags"][:2] == ["security", "TAG"]
    assert len(properties["tags"]) == 20
    assert properties["security-severity"] == "0.5"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("conf/main.cf", "conf/main.cf"),
        ("a b/50%/#1?/main.cf", "a%20b/50%25/%231%3F/main.cf"),
        ("bücher/日.cf", "b%C3%BCcher/%E6%97%A5.cf"),
        ("x\udcff", "x%FF"),
        ("x\ud800", "x%ED%A0%80"),
        ("a:b/main.cf", "a%3Ab/main.cf"),
        ("/etc/postfix/main.cf", "file:///etc/postfix/main.cf"),
        ("a\nb", "a%0Ab"),
    ],
)
def test_uri(path, expected):
    assert uri(path) == expected


def test_absolute_paths_have_no_base():
    place = run_of(one("x", SourceFile("/etc/postfix/main.cf", "a = b")))["results"][0]
    artifact = place["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///etc/postfix/main.cf", "index": 0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relayhost = [mx.example.com]:587", "relayhost = [mx.example.com]:587"),
        ("a [link](http://x) b", r"a \[link\](http://x) b"),
        (r"c:\x [link](1)", r"c:\\x \[link\](1)"),
        ("{0} and ${{a} == {b}}", "{0} and ${{a} == {b}}"),
        ("a\x1b[31m\udcff\nb", "a\\x1b[31m\\xff\nb"),
    ],
)
def test_plain_messages_are_shown_literally(text, expected):
    assert plain(text) == expected


def test_markdown_and_names():
    assert markdown("a `*_maps` of *_maps <b> [c](d)") == (r"a `*_maps` of \*\_maps \<b> \[c\](d)")
    assert markdown("smtp_tls_ciphers") == "smtp_tls_ciphers"
    assert code_block("a\n```\nb\n") == "````\na\n```\nb\n````"
    assert pascal_case("duplicate-setting") == "DuplicateSetting"


def test_region_counts_code_points():
    source = SourceFile("main.cf", "日本\udcff = 𝄞 b\n")
    made = finding(undocumented, Location(source, Span(8, 9)), "x")
    place = run_of(result([made]))["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 1, "startColumn": 9, "endLine": 1, "endColumn": 10}
