"""Rules: a function, its metadata and its documentation in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from postlint.lint.finding import Severity
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from postlint.lint.finding import Finding

Scope: TypeAlias = Literal[
    "main_cf", "master_cf", "instance", "service", "table", "policy_table", "suppressions"
]
"""What a rule is called with: once per main.cf, master.cf, instance, service or table."""

_CODE = LazyPattern(r"[A-Z]{3,4}[0-9]{3}")
_HEADINGS = ("Why", "Fix", "Bad", "Good", "References")
_HEADING = LazyPattern(rf"^({'|'.join(_HEADINGS)})(?: \(Postfix ([0-9.]+)\))?:[ \t]*(.*)$")
_SCOPES: dict[str, Scope] = {
    "MainCf": "main_cf",
    "MasterCf": "master_cf",
    "Instance": "instance",
    "Service": "service",
    "PolicyTable": "policy_table",
    "Table": "table",
    "Suppressions": "suppressions",
}


class Example(NamedTuple):
    """A snippet of a rule's documentation: files by name, and the Postfix version it is for.

    The first file is main.cf unless a line ``--- NAME`` names another.
    """

    files: dict[str, str]
    version: str | None


class Documentation(NamedTuple):
    """The sections of a rule's docstring, their text with the indentation taken off."""

    summary: str
    why: str
    fix: str
    bad: Example
    good: Example
    references: tuple[str, ...]


class Rule:
    """A rule of the registry. ``name`` is its function's name in kebab-case."""

    __slots__ = (
        "_documentation",
        "check",
        "code",
        "docstring",
        "module",
        "name",
        "opt_in",
        "programs",
        "scope",
        "security_severity",
        "severity",
        "tags",
    )

    def __init__(
        self,
        check: Callable[[Any], Iterable[Finding]],
        code: str,
        severity: Severity,
        security_severity: float | None,
        tags: tuple[str, ...],
        *,
        programs: tuple[str, ...] = (),
        opt_in: bool = False,
    ) -> None:
        """Raises ValueError for a code, a first parameter or programs that no rule can have."""
        if not _CODE.fullmatch(code):
            raise ValueError(f'"{code}" is not a rule code: a family of letters and three digits')
        annotations = [value for key, value in check.__annotations__.items() if key != "return"]
        scope = _SCOPES.get(str(annotations[0])) if annotations else None
        if scope is None:
            known = ", ".join(_SCOPES)
            raise ValueError(f"{code}: the first parameter of a rule is one of {known}")
        if programs and scope != "service":
            raise ValueError(f"{code}: only a rule of services is for programs")
        self.check = check
        self.code = code
        self.name = check.__name__.replace("_", "-")
        self.severity = severity
        self.security_severity = security_severity
        self.tags = tags
        self.programs = programs
        self.opt_in = opt_in
        self.scope: Scope = scope
        self.module = check.__module__
        self.docstring = check.__doc__ or ""
        self._documentation: Documentation | None = None

    def __repr__(self) -> str:
        return f"<Rule {self.code} {self.name}>"

    @property
    def family(self) -> str:
        """The letters of the code."""
        return self.code[:-3]

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.docstring.strip().partition("\n")[0]

    @property
    def documentation(self) -> Documentation:
        """The docstring in sections; raises ValueError when one is missing."""
        if self._documentation is None:
            self._documentation = _parse_documentation(self.code, self.docstring)
        return self._documentation


def rule(
    code: str,
    *,
    severity: Severity,
    security: float | None = None,
    tags: Iterable[str] = (),
    programs: Iterable[str] = (),
    opt_in: bool = False,
) -> Callable[[Callable[[Any], Iterable[Finding]]], Rule]:
    """Make a function a rule.

    The annotation of the function's parameter is its scope. ``security`` is the
    security-severity of SARIF, 0 to 10; ``tags`` are CWE, RFC and README names; ``programs``: a
    rule of services is asked about those that run one of them; ``opt_in`` rules run only when
    selected. The docstring has the sections Why, Fix, Bad, Good and References;
    Bad and Good are run by the tests.
    """

    def decorate(check: Callable[[Any], Iterable[Finding]]) -> Rule:
        return Rule(
            check, code, severity, security, tuple(tags), programs=tuple(programs), opt_in=opt_in
        )

    return decorate


def _parse_documentation(code: str, docstring: str) -> Documentation:
    lines = docstring.strip("\n").split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    sections: dict[str, list[str]] = {}
    versions: dict[str, str | None] = {}
    current: list[str] = []
    for line in lines[1:]:
        text = line[indent:]
        match = _HEADING.match(text)
        if match:
            current = sections[match[1]] = [match[3]] if match[3] else []
            versions[match[1]] = match[2]
        else:
            current.append(text)
    missing = [heading for heading in _HEADINGS if heading not in sections]
    if missing:
        raise ValueError(f"{code}: the documentation lacks {', '.join(missing)}")
    return Documentation(
        lines[0].strip(),
        _paragraph(sections["Why"]),
        _paragraph(sections["Fix"]),
        _example(sections["Bad"], versions["Bad"]),
        _example(sections["Good"], versions["Good"]),
        tuple(
            part.strip() for part in _paragraph(sections["References"]).split(",") if part.strip()
        ),
    )


def _paragraph(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def _example(lines: list[str], version: str | None) -> Example:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    files: dict[str, str] = {}
    name = "main.cf"
    for line in lines:
        text = line[indent:].rstrip()
        if text.startswith("--- "):
            name = text[4:].strip()
            files.setdefault(name, "")
        elif text or name in files:
            files[name] = files.get(name, "") + text + "\n"
    return Example({name: text.strip("\n") + "\n" for name, text in files.items()}, version)
