"""``postlint rules``: the rules, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.cli.arguments import add_selection
from postlint.cli.choose import SELECTION, chosen_rules, known_rules
from postlint.cli.configuration import Configuration
from postlint.cli.errors import EXIT_OK
from postlint.cli.output import write_output
from postlint.cli.plugins import plugin_names
from postlint.cli.settings import Settings

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from postlint.cli.arguments import Parser
    from postlint.lint.rule import Rule

USAGE = "[OPTION]..."

DESCRIPTION = "List the rules: all of them, or those that options choose."

EPILOG = None

_FORMATS = ("text", "json", "markdown")


def add_arguments(parser: Parser) -> None:
    """The options of the command."""
    add_selection(parser)
    parser.add_argument("--format", metavar="NAME", help="text, json or markdown (default: text)")


def run(options: Namespace) -> int:
    """The command."""
    settings = Settings(options, Configuration({}))
    name = settings.word("format", _FORMATS, "text")
    rules: Sequence[Rule] = known_rules(plugin_names(settings, options.plugin))
    if any(settings.get(key) for key in SELECTION):
        rules = chosen_rules(rules, settings)
    layout = {"text": _as_text, "json": _as_json, "markdown": _as_markdown}[name]
    write_output(layout(rules))
    return EXIT_OK


def _as_text(rules: Sequence[Rule]) -> str:
    width = max((len(rule.name) for rule in rules), default=0)
    return "".join(
        f"{rule.code:<7} {rule.severity.label:<7} {rule.name:<{width}}  {rule.summary}\n"
        for rule in rules
    )


def _as_json(rules: Sequence[Rule]) -> str:
    import json

    rows = [
        {
            "code": rule.code,
            "name": rule.name,
            "severity": rule.severity.label,
            "security_severity": rule.security_severity,
            "opt_in": rule.opt_in,
            "summary": rule.summary,
            "why": rule.documentation.why,
            "fix": rule.documentation.fix,
            "bad": rule.documentation.bad.files,
            "good": rule.documentation.good.files,
            "references": list(rule.documentation.references),
            "tags": list(rule.tags),
        }
        for rule in rules
    ]
    return json.dumps({"version": 1, "rules": rows}, indent=2) + "\n"


def _as_markdown(rules: Sequence[Rule]) -> str:
    lines = ["| Code | Name | Severity | Summary |", "| --- | --- | --- | --- |"]
    for rule in rules:
        cells = (rule.code, rule.name, rule.severity.label, rule.summary.replace("|", "\\|"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
