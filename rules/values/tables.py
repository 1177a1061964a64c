"""VAL008 to VAL010: names of lookup tables and of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import Names, edit_distance, names_of
from postlint.analysis.readers import explicit_values
from postlint.analysis.shapes import shape
from postlint.analysis.templates import has_template_marks, is_unfilled
from postlint.analysis.versions import interval_of
from postlint.config.derived import once
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix import restrictions, tables
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.readers import Explicit
    from postlint.config.effective import Element
    from postlint.config.instance import Instance

_LISTS_WITH_TABLES = frozenset(
    {"local_header_rewrite_clients", "postscreen_access_list", "smtpd_forbidden_commands"}
)
_FILES = LazyPattern(
    r"_(?:cert|dcert|eccert|key|dkey|eckey|template|CA|anchor|param|log|config)_?file\Z|_CAfile\Z"
    r"|_CApath\Z|\A(?:command|daemon|data|queue|meta|config|mail_spool|multi_instance)_directory\Z"
    r"|\Avirtual_mailbox_base\Z|\Amaillog_file\Z"
)
_DYNAMIC_MAPS = "/etc/postfix/dynamicmaps.cf"
_NO_FILES = frozenset({"", "no", "none", "auto", "default"})
_ARGUMENTS = frozenset({"table", "domain", "endpoint", "number"})
_HEXADECIMAL = LazyPattern(r"[0-9A-Fa-f]{0,4}\Z")
_WORD = LazyPattern(r"[A-Za-z0-9_-]+\Z")


class _TableWord(NamedTuple):
    """A word where a table is or may be. ``required``: nothing but ``type:name`` is right."""

    element: Element
    location: Location
    required: bool


@rule("VAL008", severity=Severity.WARNING, tags=("CWE-426", "DATABASE_README"))
def path_not_absolute(instance: Instance) -> Iterator[Finding]:
    """A table or file is named by a relative path.

    Why: Daemons run in the queue directory, commands where they are started. A relative path
        names another file for each of them, and none of them looks in the folder of main.cf.
    Fix: Write the whole path.
    Bad:
        virtual_alias_maps = hash:virtual
    Good:
        virtual_alias_maps = hash:/etc/postfix/virtual
    References: postconf(5), DATABASE_README
    """
    for item, words in _values_with_tables(instance):
        name = item.setting.name
        for word in words:
            path = _relative_table(word.element.text)
            if path is not None:
                yield _relative(item, word.location, word.element, path, instance)
        if _FILES.search(name) and item.value.known:
            text = item.value.text
            location = item.value.value_location
            unclear = is_unfilled(text) or text[:1] in "/\"'<$%{" or has_template_marks(text)
            if text.lower() not in _NO_FILES and not unclear and location is not None:
                element = item.value.elements()[0] if len(item.value.elements()) == 1 else None
                yield _relative(item, location, element, text, instance)


@rule("VAL009", severity=Severity.ERROR, tags=("DATABASE_README",))
def missing_table_type(instance: Instance) -> Iterator[Finding]:
    """A lookup table is named without its type.

    Why: Postfix can not open it: "expecting type:name form". Every lookup then fails for the time
        being, and the mail that needs it is deferred or gets a temporary error.
    Fix: Write the type and a colon before the path.
    Bad:
        virtual_alias_maps = /etc/postfix/virtual
    Good:
        virtual_alias_maps = hash:/etc/postfix/virtual
    References: postconf(5), DATABASE_README, src/util/dict_open.c
    """
    for item, words in _values_with_tables(instance):
        for word in words:
            text = word.element.text
            if not word.required or ":" in text or "{" in text:
                continue
            fix = None
            kind = instance.main["default_database_type"].text
            if text.startswith("/") and word.element.location is not None:
                start = word.location.span.start
                edit = Edit(Location(word.location.source, Span(start, start)), f"{kind}:")
                fix = Fix(f"put {kind}: before it", (edit,), "unsafe")
            example = f"{kind}:{text}" if text.startswith("/") else f"{kind}:/etc/postfix/{text}"
            yield Finding(
                word.location,
                f'"{text}" in {item.setting.name} needs a table type, such as {example}; '
                "every lookup fails",
                parameter=item.setting.name,
                service=item.service_label,
                fix=fix,
            )


@rule("VAL010", severity=Severity.ERROR, tags=("DATABASE_README",))
def unsupported_table_type(instance: Instance) -> Iterator[Finding]:
    """A lookup table has a type that Postfix does not know.

    Why: "unsupported dictionary type": every lookup fails for the time being, and the mail that
        needs it is deferred or gets a temporary error.
    Fix: Correct the type; postconf -m lists those that are there.
    Bad:
        alias_maps = lmbd:/etc/aliases
    Good:
        alias_maps = lmdb:/etc/aliases
    References: DATABASE_README, postconf(1), src/util/dict_open.c
    """
    for item, words in _values_with_tables(instance):
        for word in words:
            finding = _unsupported(item, word, instance)
            if finding is not None:
                yield finding


@once
def _values_with_tables(instance: Instance) -> tuple[tuple[Explicit, tuple[_TableWord, ...]], ...]:
    """Every value, with its words where tables stand."""
    names = names_of(instance)
    return tuple((item, tuple(_table_words(item, names))) for item in explicit_values(instance))


def _table_words(item: Explicit, names: Names) -> Iterator[_TableWord]:
    """The words of a value where tables stand."""
    version = names.instance.version
    name = item.setting.name
    kind = shape(name, version)
    is_class = name in names.classes
    restriction = kind == "restrictions" or is_class
    if not restriction and kind not in ("tables", "patterns") and name not in _LISTS_WITH_TABLES:
        return
    if has_template_marks(item.setting.text):
        return
    argument: str | None = None
    for element in item.value.elements():
        before, argument = argument, None
        location = element.location or item.value.value_location
        if location is None or not element.known or element.text[:1] in "\"'#{":
            continue
        if is_unfilled(element.text):
            continue
        if restriction:
            found = restrictions.get(element.text) if before is None else None
            if found is not None:
                argument = found.argument if found.argument in _ARGUMENTS else None
                continue
            if before == "table" or (before is None and ":" in element.text):
                known = restrictions.get(element.text) is not None
                yield _TableWord(element, location, before == "table" and not known)
        elif kind == "tables":
            yield _TableWord(element, location, required=True)
        elif ":" in element.text and element.text.lstrip("!")[:1] not in "[/":
            yield _TableWord(element, location, required=False)


def _relative_table(text: str) -> str | None:
    """The path in ``type:path`` if it is a relative one."""
    _, kind, path = tables.split(text.lstrip("!"))
    table = tables.get(kind)
    if table is None or not table.file_based or not path or path[0] in "/{$<%":
        return None
    if table.kind == "client" and path[0] != ".":
        return None  # ldap:NAME with its settings in main.cf
    return None if is_unfilled(path) or path.isupper() else path


def _relative(
    item: Explicit, location: Location, element: Element | None, path: str, instance: Instance
) -> Finding:
    fix = None
    name = item.setting.name
    if element is not None and element.location is not None and not path.startswith("."):
        end = element.location.span.end
        source = element.location.source
        start = end - len(path)
        if source.text[start:end] == path:
            edit = Edit(Location(source, Span(start, start)), "$config_directory/")
            fix = Fix("look in the folder of main.cf", (edit,), "unsafe")
    queue = instance.main["queue_directory"]
    where = f" ({queue.text})" if queue.known and queue.text.startswith("/") else ""
    return Finding(
        location,
        f'"{path}" in {name} is a relative path: daemons look for it in the queue directory{where}',
        parameter=name,
        service=item.service_label,
        fix=fix,
    )


def _unsupported(item: Explicit, word: _TableWord, instance: Instance) -> Finding | None:
    text = word.element.text.lstrip("!")
    wrappers, kind, path = tables.split(text)
    if (
        not kind
        or not path
        or is_unfilled(kind)
        or _HEXADECIMAL.match(kind)
        or not _WORD.match(kind)
    ):
        return None  # an IPv6 address without brackets, or no table at all
    problem = None
    fix = None
    severity = None
    missing = next((name for name in (*wrappers, kind) if not _exists(name, instance)), None)
    if missing is None:
        table = tables.get(kind)
        if table is not None and table.obsolete:
            severity = Severity.WARNING
            problem = f'table type "{kind}" is only for platforms that are gone'
        elif table is not None and table.package and kind not in _installed(kind, instance):
            severity = Severity.WARNING
            problem = (
                f'table type "{kind}" comes with the package {table.package}, and the'
                " dynamicmaps.cf of this host does not have it: unless it is compiled in"
            )
    elif tables.get(missing) is None:
        near = _near_type(missing, instance)
        problem = f'table type "{missing}" does not exist'
        if near is not None:
            problem += f"; did you mean {near}?"
            fix = _retyped(word, missing, near)
    else:
        first = tables.TABLE_TYPES[missing].first
        problem = f'table type "{missing}" exists only from Postfix {first} on'
    if problem is None:
        return None
    return Finding(
        word.location,
        f"{problem}{'' if fix else '; every lookup fails'} ({item.setting.name})",
        severity=severity,
        parameter=item.setting.name,
        service=item.service_label,
        fix=fix,
    )


def _exists(kind: str, instance: Instance) -> bool:
    """Whether some version that the configuration can be for knows a type."""
    table = tables.get(kind)
    if table is None:
        return False
    return interval_of(instance).holds(table.exists_in) != "never"


def _installed(kind: str, instance: Instance) -> frozenset[str]:
    """The types that packages have brought to the host; just ``kind`` when nobody can tell."""
    unknown = frozenset({kind})
    if not instance.files.complete or not instance.version.at_least("3.0"):
        return unknown
    source = instance.files.read(_DYNAMIC_MAPS)
    if source is None:
        return unknown
    lines = [line.split() for line in source.text.splitlines() if line[:1] not in ("", "#")]
    folder = instance.files.locate(f"{_DYNAMIC_MAPS}.d")
    if folder is not None and folder.is_dir():
        return unknown  # more of them in there
    return frozenset(words[0] for words in lines if words)


def _near_type(kind: str, instance: Instance) -> str | None:
    known = tables.names(instance.version)
    if kind.lower() in known:
        return kind.lower()
    near = [
        name
        for name in sorted(known)
        if len(name) > 3 and edit_distance(kind, name, 1 if len(kind) < 8 else 2) is not None
    ]
    return near[0] if len(near) == 1 else None


def _retyped(word: _TableWord, old: str, new: str) -> Fix | None:
    if word.element.location is None:
        return None
    source = word.location.source
    start = source.text.find(old, word.location.span.start, word.location.span.end)
    if start < 0:
        return None
    edit = Edit(Location(source, Span(start, start + len(old))), new)
    return Fix(f"write {new}", (edit,), "unsafe")
