"""``postlint rules`` and ``postlint rule``: the rules, listed and explained."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from postlint.cli.choose import chosen_rules, known_rules
from postlint.cli.errors import EXIT_OK, UsageError
from postlint.cli.output import use_color, write_output
from postlint.lint.selection import UnknownSelectorError, parse_selectors

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from postlint.lint.rule import Example, Rule


def run_rules(options: Namespace) -> int:
    """List rules."""
    known = known_rules(options.plugin or ())
    if not (options.select or options.ignore or options.extend_select):
        rules: Sequence[Rule] = known
    else:
        rules = chosen_rules(known, options.select, options.ignore, options.extend_select)
    match options.format:
        case "json":
            text = _as_json(rules)
        case "markdown":
            text = _as_markdown(rules)
        case _:
            text = _as_text(rules)
    write_output(text)
    return EXIT_OK


def run_rule(options: Namespace) -> int:
    """Explain one rule; raises UsageError for an unknown one."""
    known = known_rules(options.plugin or ())
    word = options.rule
    rule = next(
        (rule for rule in known if word.upper() == rule.code or word.lower() == rule.name), None
    )
    if rule is None:
        try:
            parse_selectors([word], known)
        except UnknownSelectorError as error:
            raise UsageError(str(error)) from error
        raise UsageError(f'"{word}" fits several rules: see postlint rules --select {word}')
    color = use_color(options.color)
    if sys.stdout.isatty() or color:
        _explain_on_terminal(rule, color=color)
    else:
        write_output(explain(rule))
    return EXIT_OK


def explain(rule: Rule) -> str:
    """The page of a rule in Markdown."""
    page = rule.documentation
    lines = [f"# {rule.code} {rule.name}", "", page.summary, "", _grade(rule), ""]
    lines += ["## Why", "", page.why, "", "## Bad", "", *_example(page.bad)]
    lines += ["## Good", "", *_example(page.good), "## Fix", "", page.fix, ""]
    lines += ["## References", "", *(f"- {reference}" for reference in page.references), ""]
    return "\n".join(lines)


def _grade(rule: Rule) -> str:
    parts = [f"Severity: {rule.severity.label}"]
    if rule.security_severity is not None:
        parts.append(f"security severity: {rule.security_severity}")
    if rule.opt_in:
        parts.append("only when selected")
    if rule.tags:
        parts.append(", ".join(rule.tags))
    return " · ".join(parts)


def _example(example: Example) -> list[str]:
    lines: list[str] = []
    note = f" (Postfix {example.version})" if example.version else ""
    for name, text in example.files.items():
        lines += [f"{name}{note}:", "", "```", *text.rstrip("\n").split("\n"), "```", ""]
    return lines


def _explain_on_terminal(rule: Rule, *, color: bool) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(no_color=not color, highlight=False)
    console.print(Markdown(explain(rule)))


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
