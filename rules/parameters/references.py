"""PAR007 and PAR009: names that values mention and nobody defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import explicit_settings, names_of
from postlint.analysis.shapes import guards
from postlint.analysis.templates import has_template_marks
from postlint.analysis.versions import interval_of
from postlint.config.placeholders import is_shell_variable
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters, restrictions, service_parameters
from postlint.records import NamedTuple
from postlint.syntax.source import Span
from postlint.syntax.value import Call, Conditional, Reference, Test, Value, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.names import Names
    from postlint.analysis.versions import Interval
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.settings import Setting

_STOCK_MACROS = ("mua_",)
"""Names that the comments of the stock master.cf mention, for the user to define."""

_CLASSES = "smtpd_restriction_classes"


class _Mention(NamedTuple):
    """A name in a value. ``tested``: the value says what to take when it is not defined."""

    name: str
    start: int
    end: int
    tested: bool = False


@rule("PAR007", severity=Severity.WARNING, tags=("CWE-457",))
def undefined_macro(instance: Instance) -> Iterator[Finding]:
    """A value mentions a name that is not defined.

    Why: Postfix expands it to nothing, and only postconf warns. A list loses an element, a host
        name its domain; a value that may not be empty stops the daemons.
    Fix: Correct the name, define it, or write ${name:text} with what to take instead.
    Bad:
        mydestination = $myhostname, $my_domain
    Good:
        mydestination = $myhostname, $mydomain
    References: postconf(5), postconf(1), src/postconf/postconf_user.c
    """
    if instance.main_cf is None:
        return
    names = names_of(instance)
    interval = interval_of(instance)
    for service, setting in explicit_settings(instance):
        if "$" not in setting.text or setting.value is None:
            continue
        parameter = parameters.get(setting.name)
        if parameter is not None and parameter.type == "raw":
            continue
        if has_template_marks(setting.text):
            continue
        seen = set()
        for mention in sorted(_mentions(parse_value(setting.text)), key=lambda found: found.tested):
            name = mention.name
            if name in seen or _defined(name, service, names, interval):
                continue
            seen.add(name)
            yield _undefined(setting, service, mention, names)
    if not any(service.program == "smtpd" for service in instance.services):
        yield from _idle_classes(instance, names, interval)


@rule("PAR009", programs=("smtpd",), severity=Severity.ERROR, tags=("RESTRICTION_CLASS_README",))
def class_undefined(service: Service) -> Iterator[Finding]:
    """A restriction class has no definition, or a definition is not made known as a class.

    Why: smtpd ends with "restriction class needs a definition" when it starts and one of the names
        in smtpd_restriction_classes is not set, or empty. The other way round, a name that is
        not in the list is an unknown restriction, and mail gets a temporary error.
    Fix: Define every class by its name, and name every class in the list.
    Bad:
        smtpd_restriction_classes = greylist
    Good:
        smtpd_restriction_classes = greylist
        greylist = check_policy_service inet:127.0.0.1:10023
    References: RESTRICTION_CLASS_README, src/smtpd/smtpd_check.c
    """
    value = service[_CLASSES]
    for element in value.elements(braces=False):
        if not element.known:
            continue
        definition = service.get(element.text)
        location = element.location or value.value_location
        if location is None or (definition is not None and definition.empty is not True):
            continue
        if definition is None and service[element.text].empty is None:
            continue
        related: tuple[Related, ...] = ()
        if definition is not None and definition.location is not None:
            related = (Related("set to nothing here", definition.location),)
        state = "has no definition" if definition is None else "is empty"
        yield Finding(
            location,
            f'restriction class "{element.text}" {state}; smtpd will not start',
            parameter=_CLASSES,
            related=related,
        )
    yield from _unlisted(service)


def _idle_classes(instance: Instance, names: Names, interval: Interval) -> Iterator[Finding]:
    """Restriction classes without a definition where no smtpd would stumble over them (PAR009)."""
    for element in instance.main[_CLASSES].elements(braces=False):
        if not element.known or element.location is None:
            continue
        if not _defined(element.text, None, names, interval):
            yield Finding(
                element.location,
                f'restriction class "{element.text}" has no definition',
                severity=Severity.INFO,
                parameter=_CLASSES,
            )


def _mentions(value: Value) -> Iterator[_Mention]:
    """The names whose text is wanted, and those that are only tested."""
    stack: list[tuple[Value, frozenset[str]]] = [(value, frozenset())]
    while stack:
        parts, tested = stack.pop()
        for part in parts:
            match part:
                case Reference():
                    if part.name not in tested:
                        yield _Mention(part.name, part.start, part.end)
                case Conditional():
                    known = tested
                    if isinstance(part.test, str):
                        known = tested | {part.test}
                        yield _Mention(part.test, part.start, part.end, tested=True)
                    else:
                        stack += [(part.test.left, tested), (part.test.right, tested)]
                    stack += [
                        (branch, known) for branch in (part.when_true, part.when_false) if branch
                    ]
                case Test():
                    stack += [(part.comparison.left, tested), (part.comparison.right, tested)]
                case Call():
                    stack.append((part.argument, tested))


def _defined(name: str, service: Service | None, names: Names, interval: Interval) -> bool:
    instance = names.instance
    scope = instance.main if service is None else service
    if scope.get(name) is not None or is_shell_variable(name):
        return True
    if service is None and any(found.overrides(name) for found in instance.services):
        return True  # for the services that define it
    parameter = parameters.get(name)
    if parameter is not None:
        if interval.holds(parameter.exists_in) != "never":
            return True
        return parameter.legacy_in(instance.version)
    if service_parameters.match_service_parameter(name) is not None:
        return names.has_service(name)
    tables = names.tables.get(name.partition("_")[0], ())
    return service_parameters.database_parameter(name, tables) is not None


def _undefined(
    setting: Setting, service: Service | None, mention: _Mention, names: Names
) -> Finding:
    assert setting.value is not None
    name = mention.name
    severity = None
    if guards(setting.name) and not name.startswith(_STOCK_MACROS):
        severity = Severity.ERROR
    location = setting.value.cut(mention.start, mention.end).location
    near = names.nearest_defined(name)
    hint = "" if near is None else f"; did you mean ${near}?"
    if mention.tested:
        return Finding(
            location,
            f"${name} is not defined: {setting.name} always gets what it has for that case{hint}",
            severity=Severity.INFO,
            parameter=setting.name,
            service=None if service is None else service.label,
        )
    return Finding(
        location,
        f"${name} is not defined: it expands to nothing in {setting.name}{hint}",
        severity=severity,
        parameter=setting.name,
        service=None if service is None else service.label,
        fix=_corrected(location, name, near),
    )


def _corrected(location: Location, name: str, near: str | None) -> Fix | None:
    source = location.source
    at = source.text.find(name, location.span.start, location.span.end)
    if near is None or at < 0:
        return None
    edit = Edit(Location(source, Span(at, at + len(name))), near)
    return Fix(f"write ${near}", (edit,), "unsafe")


def _unlisted(service: Service) -> Iterator[Finding]:
    """Settings that restriction lists name like a class, but that are not in the list."""
    names = names_of(service.instance)
    for name, setting in service.instance.settings.items():
        if names.use(name) not in ("unused", "mentioned") or restrictions.get(name) is not None:
            continue
        if not names.as_word(name) or setting.name_text is None:
            continue
        yield Finding(
            setting.name_text.location,
            f'"{name}" is used as a restriction, but {_CLASSES} does not name it',
            severity=Severity.WARNING,
            parameter=name,
        )
