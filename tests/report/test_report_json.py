from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from postlint.lint.result import Notification
from postlint.report import links
from postlint.report.formats import render
from postlint.syntax.source import SourceFile
from postlint.version import VERSION
from tests.report.cases import full, legacy_protocol_offered, one, result
from tests.report.test_report_text import HOSTILE

SCHEMA = json.loads(files("postlint.report").joinpath("findings.schema.json").read_text("utf-8"))


def valid(made):
    text = render("json", made)
    document = json.loads(text)
    Draft202012Validator(SCHEMA).validate(document)
    return document


def test_the_schema_is_one_and_bears_its_address():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == links.FINDINGS_SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_key_order_is_the_contract():
    document = valid(full())
    assert list(document) == [
        "version",
        "postlint",
        "instances",
        "findings",
        "summary",
        "notifications",
    ]
    assert list(document["instances"][0]) == ["path", "main_cf", "master_cf", "postfix_version"]
    assert list(document["findings"][0]) == [
        "code",
        "name",
        "severity",
        "security_severity",
        "message",
        "path",
        "start",
        "end",
        "parameter",
        "service",
        "related",
        "fix",
        "help",
        "fingerprint",
    ]
    assert list(document["findings"][0]["fix"]) == ["applicability", "message", "edits"]


def test_values():
    document = valid(full())
    assert (document["version"], document["postlint"]) == (1, VERSION)
    assert document["summary"] == {
        "error": 1,
        "warning": 2,
        "info": 1,
        "files": 2,
        "suppressed": 1,
    }
    first, second, third, fourth = document["findings"]
    assert first["start"] == {"line": 3, "column": 1}
    assert first["end"] == {"line": 3, "column": 32}
    assert first["fix"]["edits"] == [
        {
            "path": "conf/main.cf",
            "start": {"line": 3, "column": 1},
            "end": {"line": 4, "column": 1},
            "text": "",
        }
    ]
    assert (first["security_severity"], second["security_severity"]) == (None, 7.4)
    assert second["help"] == links.rule_page("TLS001")
    assert (third["parameter"], third["service"], third["fix"]) == (None, None, None)
    # A harmless variant of a security rule is no security finding.
    assert (fourth["severity"], fourth["security_severity"]) == ("warning", None)


def test_further_services_are_related():
    second = valid(full())["findings"][1]
    assert second["service"] == "smtp/inet"
    places = [
        (place["message"], place["path"], place["start"]["line"]) for place in second["related"]
    ]
    assert places == [
        ("also holds for submission/inet", "conf/master.cf", 2),
        ("also holds for smtps/inet", "conf/main.cf", 5),  # without a place of its own
    ]


def test_notifications():
    document = valid(full())
    assert document["notifications"][1] == {
        "kind": "internal-error",
        "level": "error",
        "message": "the rule failed",
        "path": "conf/main.cf",
        "rule": "PLG001",
    }
    assert document["notifications"][2]["path"] is None


def test_nothing_found():
    document = valid(result([]))
    assert (document["findings"], document["notifications"]) == ([], [])


def test_hostile_text_is_ascii_json_and_comes_back():
    source = SourceFile(f"dir/{HOSTILE}", f"{HOSTILE}\n")
    made = one(HOSTILE, source)
    text = render("json", made)
    assert text.isascii()
    assert "\\udcff" in text
    assert "\x1b" not in text
    found = valid(made)["findings"][0]
    assert (found["message"], found["path"]) == (HOSTILE, f"dir/{HOSTILE}")


@pytest.mark.parametrize("kind", ["unreadable-file", "internal-error", "configuration", "note"])
@pytest.mark.parametrize("level", ["error", "warning", "note"])
def test_every_notification_is_valid(kind, level):
    note = Notification(kind, "text", level=level, path="x", rule=legacy_protocol_offered)
    valid(result([], notifications=[note]))
