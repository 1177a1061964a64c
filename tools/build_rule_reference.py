"""Write docs/rules.md, the page of every bundled rule, from the rules themselves.

    python tools/build_rule_reference.py [--check]

With --check nothing is written; the exit status tells whether the file is up to date.
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.cli.rule import explain
from postlint.lint.registry import bundled_rules
from postlint.report.links import rule_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.lint.rule import Rule

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "rules.md"

_PREFACE = """\
# Rules

<!-- written by "make docs" from the rules: change those -->

Each rule has a code, a name and a severity; `--select` and `--ignore` take codes, the beginning of
codes, and names. `postlint rule CODE` prints one of these pages. A *security severity* is a score
from 0 to 10, as code scanning shows it. A finding can be graded down where the case is harmless,
where it depends on the version of Postfix, or by what the port is for.
"""


def reference() -> str:
    """The whole page."""
    rules = sorted(bundled_rules(), key=lambda rule: rule.code)
    families = [(family, list(members)) for family, members in groupby(rules, _family)]
    lines = [_PREFACE]
    for family, members in families:
        lines.append(f"- [{family}](#{family.lower()}): {_title(members)} ({len(members)})")
    for family, members in families:
        lines += [
            "",
            f"## {family}",
            "",
            f"{_title(members)[:1].upper()}{_title(members)[1:]}.",
            "",
        ]
        lines += _table(members)
        for rule in members:
            lines += ["", f'<a id="{_anchor(rule)}"></a>', "", *_page(rule)]
    return "\n".join(lines) + "\n"


def _family(rule: Rule) -> str:
    return rule.family


def _title(members: list[Rule]) -> str:
    """What a family is about: the docstring of its package, or of its only module."""
    module = members[0].module
    package = module.rpartition(".")[0]
    text = sys.modules[package if package.count(".") else module].__doc__ or ""
    return text.strip().partition(": ")[2].removesuffix(".")


def _table(members: Iterable[Rule]) -> Iterator[str]:
    yield "| Code | Name | Severity | |"
    yield "| --- | --- | --- | --- |"
    for rule in members:
        cells = (f"[{rule.code}](#{_anchor(rule)})", rule.name, rule.severity.label, rule.summary)
        escaped = (cell.replace("|", "\\|") for cell in cells)
        yield f"| {' | '.join(escaped)} |"


def _anchor(rule: Rule) -> str:
    return rule_page(rule.code).partition("#")[2]


def _page(rule: Rule) -> list[str]:
    """The page of ``postlint rule``; its sections become words in bold, or outlines get long."""
    fenced = False
    lines = []
    for line in explain(rule).rstrip("\n").split("\n"):
        fenced ^= line.startswith("```")
        lines.append(line if fenced else _inner(line))
    return lines


def _inner(line: str) -> str:
    if line.startswith("## "):
        return f"**{line[3:]}**"
    return f"##{line}" if line.startswith("# ") else line


def main() -> int:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(description="write docs/rules.md from the rules")
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    text = reference()
    if parser.parse_args().check:
        return int(not REFERENCE.is_file() or REFERENCE.read_text(encoding="utf-8") != text)
    REFERENCE.parent.mkdir(exist_ok=True)
    REFERENCE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
