"""SYN008, SYN009: malformed expressions and braces, and values too long to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import every_setting, explicit_settings, names_of
from postlint.analysis.templates import has_template_marks
from postlint.config.limits import WORD_LIMIT
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters
from postlint.syntax.braces import braced_words, extract_braced
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span
from postlint.syntax.value import malformed, parse_value, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.config.service import Service
    from postlint.config.settings import Setting
    from postlint.syntax.value import Malformed

_MENTION = LazyPattern(r"\$(?:[({][ \t\r\n]*)?([A-Za-z0-9_]+)")
BRACES_SINCE = (3, 0)
LONGEST_LIST = 100_000
"""Characters of a value whose braces are looked at."""
_PATTERNS = ("regexp:", "pcre:", "inline:", "cidr:")


@rule("SYN008", severity=Severity.ERROR, tags=("CWE-1286", "CWE-674"))
def bad_macro_syntax(instance: Instance) -> Iterator[Finding]:
    """An expression with "$" is malformed, or refers to itself.

    Why: Postfix ends with "macro processing error" when it expands such a value; for a parameter
        that all programs read that means every one of them, postconf included. Of braces around
        the elements of a list that do not match, postconf warns only; what becomes of the list
        is for its reader to say.
    Fix: Close every brace. Write $$ for a dollar sign, as at the end of a pattern.
    Bad:
        mydomain = ${other_domain
    Good:
        mydomain = ${other_domain:example.com}
    References: postconf(5) main.cf file format, src/util/mac_parse.c, src/util/mac_expand.c
    """
    looping: list[tuple[Service | None, Setting]] = []
    yield from _unmatched_braces(instance)
    for service, setting in explicit_settings(instance):
        if "$" not in setting.text or setting.value is None:
            continue
        parameter = parameters.get(setting.name)
        if parameter is not None and parameter.type == "raw":
            continue
        errors = list(malformed(parse_value(setting.text)))
        if errors and not has_template_marks(setting.text):
            yield _malformed(setting, service, errors[0])
        elif not errors:
            scope = instance.main if service is None else service
            problem = scope[setting.name].problem or ""
            if "nesting" in problem:
                looping.append((service, setting))
            elif problem and not _inherited(setting, scope):
                yield _not_expanded(setting, service, problem)
    yield from _loops(looping)
    hostname = instance.settings.get("myhostname")
    if hostname is not None and "mydomain" not in instance.settings:
        yield from _domain_in_hostname(hostname)


@rule("SYN009", severity=Severity.WARNING)
def value_beyond_limits(instance: Instance) -> Iterator[Finding]:
    """A value is longer than anything that postlint looks into.

    Why: Postfix would read it, but nobody has checked it: what else is reported of this
        configuration takes the value as unknown. Lists of thousands of words come from a program
        that went wrong, or belong into a table.
    Fix: Put long lists into a lookup table, and break chains of names that double each other.
    Bad:
        a = $b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b
        b = $c$c$c$c$c$c$c$c$c$c$c$c$c$c$c$c
        c = $d$d$d$d$d$d$d$d$d$d$d$d$d$d$d$d
        d = $e$e$e$e$e$e$e$e$e$e$e$e$e$e$e$e
        e = example.com,
        mydestination = $a
    Good:
        mydestination = hash:/etc/postfix/domains
    References: postconf(5) main.cf file format
    """
    for service, setting in every_setting(instance):
        if setting.value is None:
            continue
        scope = instance.main if service is None else service
        limit = scope[setting.name].limit
        if limit is None or _mentions_limit(setting, scope):
            continue
        location = setting.value_location
        assert location is not None
        yield Finding(
            Location(location.source, Span(location.span.start, location.span.start + 1)),
            f"{setting.name} is too long to be checked: {limit}",
            parameter=setting.name,
            service=None if service is None else service.label,
        )


def _mentions_limit(setting: Setting, scope: Scope) -> bool:
    """Whether a name that a value mentions is too long itself: it is enough to report that."""
    if len(setting.text) > WORD_LIMIT:
        return False
    values = (scope.get(name) for name in set(_MENTION.findall(setting.text)))
    return any(value is not None and value.limit is not None for value in values)


def _unmatched_braces(instance: Instance) -> Iterator[Finding]:
    """Words that begin with a brace, or whose table does, where postconf(1) misses one."""
    if instance.version < BRACES_SINCE:
        return
    names = names_of(instance)
    for service, setting in explicit_settings(instance):
        text = setting.text
        if "{" not in text or setting.value is None or len(text) > LONGEST_LIST:
            continue
        if has_template_marks(text):
            continue
        parameter = parameters.get(setting.name)
        if parameter is not None and parameter.type == "raw":
            continue
        if names.use(setting.name, service) in ("unused", "vendor", "historic", "other version"):
            continue
        for word, inside in _braced(text):
            _, error = extract_braced(inside)
            if error is None:
                continue
            at = text.find(word)
            missing = error.startswith("missing")
            yield Finding(
                setting.value.cut(at, at + len(word)).location,
                f'a "{{" in {setting.name} has no "}}"'
                if missing
                else f'something follows the "}}" in {setting.name}: "{word}" is no list element',
                severity=Severity.WARNING,
                parameter=setting.name,
                service=None if service is None else service.label,
            )
            break


def _braced(text: str) -> Iterator[tuple[str, str]]:
    """The words of a list that are in braces, or name a table in braces, and the braced text."""
    for word in braced_words(text):
        inside = word
        while inside[:1] != "{":
            kind, colon, inside = inside.partition(":")
            if not colon or not kind.isalnum():
                break
        else:
            yield word, inside


def _malformed(setting: Setting, service: Service | None, error: Malformed) -> Finding:
    assert setting.value is not None
    start, end = error.start, error.end
    text = setting.text[start:end]
    shown = text if len(text) <= 30 else f"{text[:29]}…"
    kind, _, _ = error.message.partition(":")
    kind = kind.removesuffix(" at")
    hint = ""
    if text == "$":
        shown = setting.text[start : start + 2]
        kind = 'no name follows the "$"'
        if any(sign in setting.text for sign in _PATTERNS):
            hint = "; write $$ for a dollar sign"
    elif kind.startswith("truncated"):
        kind = "the closing bracket is missing"
    elif kind.startswith("empty"):
        kind = "there is no name in it"
    return Finding(
        setting.value.cut(start, end).location,
        f'malformed expression "{shown}" in {setting.name}: {kind}{hint}',
        parameter=setting.name,
        service=None if service is None else service.label,
    )


def _inherited(setting: Setting, scope: Scope) -> bool:
    """Whether one of the names that a value mentions can not be expanded either."""
    values = (scope.get(name) for name in set(_MENTION.findall(setting.text)))
    return any(value is not None and value.problem is not None for value in values)


def _not_expanded(setting: Setting, service: Service | None, problem: str) -> Finding:
    """Syntax that is right, but not in this version or not with these operands."""
    location = setting.value_location
    assert location is not None
    return Finding(
        location,
        f"{setting.name} can not be expanded: {problem}",
        parameter=setting.name,
        service=None if service is None else service.label,
    )


def _domain_in_hostname(setting: Setting) -> Iterator[Finding]:
    """Mydomain is by default what myhostname has after its first dot (mail_params.c)."""
    assert setting.value is not None
    for reference in references(parse_value(setting.text)):
        if reference.name == "mydomain":
            yield Finding(
                setting.value.cut(reference.start, reference.end).location,
                "myhostname refers to $mydomain, which is not set: Postfix would derive it from "
                "myhostname, so it is empty here",
                parameter="myhostname",
            )
            return


def _loops(looping: Iterable[tuple[Service | None, Setting]]) -> Iterator[Finding]:
    """The settings that mention themselves in the end, not those that only mention one."""
    found = list(looping)
    if not found:
        return
    edges: dict[str, set[str]] = {}
    for _, setting in found:
        edges.setdefault(setting.name, set()).update(_MENTION.findall(setting.text))
    circles = _circular(edges)
    by_name = {setting.name: setting for _, setting in found}
    for service, setting in found:
        if setting.name not in circles and circles:
            continue
        yield _loop(setting, service, by_name, edges, in_circle=setting.name in circles)


def _loop(
    setting: Setting,
    service: Service | None,
    by_name: Mapping[str, Setting],
    edges: Mapping[str, set[str]],
    *,
    in_circle: bool,
) -> Finding:
    location = setting.value_location
    assert location is not None
    related = []
    for name in sorted(edges[setting.name]):
        other = by_name.get(name)
        if other is not None and other is not setting and other.value_location is not None:
            related.append(Related(f"{name} is defined here", other.value_location))
    if in_circle:
        text = f"{setting.name} refers to itself: no program that reads it will start"
    else:
        text = f"{setting.name} goes through more than 100 other names: Postfix gives up"
    return Finding(
        Location(location.source, location.span),
        text,
        parameter=setting.name,
        service=None if service is None else service.label,
        related=related,
    )


def _circular(edges: Mapping[str, set[str]]) -> set[str]:
    """The names that can reach themselves (Tarjan's components, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: set[str] = set()
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(sorted(edges[root])))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, targets = work[-1]
            for target in targets:
                if target not in edges:
                    continue
                if target not in order:
                    order[target] = low[target] = len(order)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges[target]))))
                    break
                if target in on_stack:
                    low[name] = min(low[name], order[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == order[name]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == name:
                            break
                    if len(component) > 1 or name in edges[name]:
                        found.update(component)
    return found
