"""``postlint rule``: one rule explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.cli.arguments import add_color, add_plugin
from postlint.cli.choose import known_rules
from postlint.cli.configuration import Configuration
from postlint.cli.errors import EXIT_OK, UsageError
from postlint.cli.output import is_terminal, use_color, width, write_output
from postlint.cli.settings import Settings
from postlint.lint.selection import UnknownSelectorError, parse_selectors

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from postlint.cli.arguments import Parser
    from postlint.lint.rule import Example, Rule

USAGE = "[OPTION]... CODE|NAME"

DESCRIPTION = "Explain a rule: what it reports, why that matters, examples, the fix."

EPILOG = None


def add_arguments(parser: Parser) -> None:
    """The options of the command."""
    parser.add_argument("rule", metavar="CODE|NAME", help="TLS001, say, or the rule's name")
    add_plugin(parser)
    add_color(parser)


def run(options: Namespace) -> int:
    """The command; raises UsageError for an unknown rule."""
    when = Settings(options, Configuration({})).word("color", ("auto", "always", "never"), "auto")
    rule = _find(options.rule, known_rules(tuple(options.plugin or ())))
    if is_terminal() or when == "always":
        write_output(_for_terminal(rule, color=use_color(when)))
    else:
        write_output(explain(rule))
    return EXIT_OK


def _find(word: str, known: Sequence[Rule]) -> Rule:
    for rule in known:
        if word.upper() == rule.code or word.lower() == rule.name:
            return rule
    try:
        parse_selectors([word], known)
    except UnknownSelectorError as error:
        raise UsageError(str(error)) from error
    raise UsageError(f'"{word}" is not one rule: see postlint rules --select "{word}"')


def explain(rule: Rule) -> str:
    """The page of a rule in Markdown; raises UsageError when a plugin's rule has none."""
    try:
        page = rule.documentation
    except ValueError as error:
        raise UsageError(str(error)) from error
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


def _for_terminal(rule: Rule, *, color: bool) -> str:
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown

    page = StringIO()
    console = Console(
        file=page,
        force_terminal=color,
        color_system="standard" if color else None,
        width=width(),
        highlight=False,
    )
    console.print(Markdown(explain(rule)))
    return page.getvalue()
