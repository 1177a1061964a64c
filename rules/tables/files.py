"""TBL001 to TBL003 and TBL015: the files of lookup tables on the host that they are for."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.config.list_files import list_files
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

from .common import described

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.list_files import ListFile
    from postlint.config.lookup_table import Table, TableUse

_SECRET_SETTINGS = ("password", "bind_pw", "dbpassword")
_URL_SETTINGS = ("uri", "hosts", "dbname")
_URL_PASSWORD = LazyPattern(r"://[^\s/:@]*+:[^\s@]++@")
_LIST_KEY = LazyPattern(r"[a-z0-9]{20,}\.[a-z]+\.dq\.spamhaus\.net")
_SASLDB = "/etc/sasldb2"
_UNTRUSTED = frozenset({"nobody", "postfix"})


class _File(NamedTuple):
    """A file of a table. ``name`` is the path as Postfix sees it."""

    name: str
    path: Path
    status: os.stat_result


@rule("TBL001", severity=Severity.ERROR, tags=("CWE-1188",))
def table_missing(instance: Instance) -> Iterator[Finding]:
    """A setting names a lookup table that is not there.

    Why: Every lookup fails for the time being. A restriction answers 451, and a table for routing
        or rewriting defers all mail until the file is there. Only checked with --host or --root.
    Fix: Write the file, and compile it with postmap, an alias file with postalias.
    Bad:
        transport_maps = hash:/nonexistent/transport
    Good:
        transport_maps = inline:{example.com=smtp:[192.0.2.1]}
    References: DATABASE_README, postmap(1), postalias(1)
    """
    if not instance.files.complete:
        return
    for table in instance.tables:
        use = _explicit_use(table)
        if use is None or table.purposes <= {"cache"} or _only_for_newaliases(table):
            continue
        missing = _missing(table)
        if missing:
            yield _at(use, table, f"{table.label}: {missing}; {_consequence(use)}")
    for file in list_files(instance):
        path = instance.files.locate(file.name)
        if path is not None and not _exists(path):
            message = f"{file.name} is not there; what depends on it gets a temporary error"
            yield _of_list(file, message)


@rule("TBL002", severity=Severity.ERROR, tags=("CWE-672",))
def stale_index(instance: Instance) -> Iterator[Finding]:
    """A lookup table was edited after it was compiled, or was never compiled.

    Why: Postfix reads the compiled file only. What was changed in the source since then does not
        count, and Postfix says so in nothing but a warning in the log. Only checked with --host
        or --root.
    Fix: Run postmap for the table, for an alias file postalias or newaliases.
    Bad:
        transport_maps = hash:/etc/postfix/transport
        --- transport
        example.com smtp:[192.0.2.1]
    Good:
        transport_maps = texthash:/etc/postfix/transport
        --- transport
        example.com smtp:[192.0.2.1]
    References: postmap(1), postalias(1), newaliases(1), src/util/dict_db.c
    """
    if not instance.files.complete:
        return
    for table in instance.tables:
        use = _explicit_use(table)
        facts = table.facts
        if use is None or facts is None or not facts.compiled or _only_for_newaliases(table):
            continue
        source = _status(instance, table.name)
        if source is None or table.purposes <= {"cache"}:
            continue
        compiled = [
            found for suffix in facts.suffixes if (found := _status(instance, table.name + suffix))
        ]
        command = "postalias" if table.is_alias_file else "postmap"
        remedy = f"run {command} {table.type}:{table.name}"
        if not compiled:
            suffix = facts.suffixes[0]
            message = f"{table.label} is not compiled, {table.name}{suffix} is missing: {remedy}"
            yield _at(use, table, message)
        elif min(item.status.st_mtime for item in compiled) < source.status.st_mtime:
            message = f"{compiled[0].name} is older than its source, what was changed since then"
            yield _at(use, table, f"{message} does not count: {remedy}")


@rule("TBL003", severity=Severity.ERROR, security=7.1, tags=("CWE-732", "CWE-522"))
def world_readable_secrets(instance: Instance) -> Iterator[Finding]:
    """Everybody on the host can read the passwords or keys in a lookup table.

    Why: The passwords of the relay host or of the database are in the file, and in the compiled
        one: postmap keeps the mode of a compiled file that exists, whatever that of its source
        is. The compiled table of tls_server_sni_maps holds private keys, a reply map the key of a
        DNS list, /etc/sasldb2 what users log in with. Only checked with --host or --root.
    Fix: chmod 0600 for both files, or 0640 with the group postfix for a client file that a daemon
        opens without root.
    Bad:
        smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd
        --- sasl_passwd
        [smtp.example.com]:587 user:secret
    Good:
        smtp_sasl_password_maps = inline:{{[smtp.example.com]:587 = user:secret}}
    References: SASL_README, CWE-732, NIST SP 800-53 AC-6, src/postmap/postmap.c
    """
    if not instance.files.complete:
        return
    for table in instance.tables:
        use = _explicit_use(table)
        secrets = _secrets(table) if use is not None else ""
        for file in _files(table) if secrets else ():
            if table.purposes <= {"server names"} and file.name == table.name:
                continue  # names of files; their contents are in the compiled table
            if _is_open(file, instance):
                assert use is not None
                yield _at(use, table, _readable(file, secrets))
    yield from _sasldb(instance)


@rule("TBL015", severity=Severity.ERROR, security=7.8, tags=("CWE-732",))
def writable_by_others(instance: Instance) -> Iterator[Finding]:
    """Somebody else than root can change the configuration or a lookup table.

    Why: Who writes these files decides where mail goes, who may relay, and which commands run as
        other users. Postfix itself runs as postfix: what that user owns is not safe from a daemon
        that was broken into. Only checked with --host or --root.
    Fix: chown root, chmod 0644 or less; the folder too.
    Bad:
        transport_maps =
    Good:
        transport_maps =
    References: postfix(1), local(8), CWE-732
    """
    if not instance.files.complete:
        return
    seen: set[Path] = set()
    for tree in (instance.main_cf, instance.master_cf):
        if tree is None:
            continue
        path = Path(tree.source.path)
        file = _stat(tree.source.path, path)
        problem = None if file is None else _danger(file, instance)
        seen.add(path.absolute())
        if file is not None and problem is not None:
            at = Location(tree.source, Span(0, 0))
            yield Finding(
                at,
                f"{path.name} {problem[0]}",
                severity=problem[1],
                security_severity=7.8 if problem[1] is Severity.ERROR else None,
            )
    for table in instance.tables:
        use = _explicit_use(table)
        for file in _files(table) if use is not None else ():
            if file.path.absolute() in seen:
                continue
            seen.add(file.path.absolute())
            problem = _danger(file, instance)
            if use is not None and problem is not None:
                finding = _at(use, table, f"{file.name} {problem[0]}", problem[1])
                finding.security_severity = 7.8 if problem[1] is Severity.ERROR else None
                yield finding
    for named in list_files(instance):
        listed = _status(instance, named.name)
        if listed is None or listed.path.absolute() in seen:
            continue
        seen.add(listed.path.absolute())
        problem = _danger(listed, instance)
        if problem is not None:
            finding = _of_list(named, f"{listed.name} {problem[0]}", problem[1])
            finding.security_severity = 7.8 if problem[1] is Severity.ERROR else None
            yield finding


def _at(use: TableUse, table: Table, message: str, severity: Severity | None = None) -> Finding:
    location = use.location
    assert location is not None
    related = [
        Related(f"the table of {described(other)}", other.location)
        for other in table.uses
        if other is not use and other.location is not None
    ]
    return Finding(
        location,
        message,
        severity=severity,
        parameter=use.parameter,
        service=use.service_label,
        related=related,
    )


def _of_list(file: ListFile, message: str, severity: Severity | None = None) -> Finding:
    service = None if file.service is None else file.service.label
    return Finding(
        file.location, message, severity=severity, parameter=file.parameter, service=service
    )


def _explicit_use(table: Table) -> TableUse | None:
    return next((use for use in table.uses if use.location is not None), None)


def _only_for_newaliases(table: Table) -> bool:
    return all(use.parameter == "alias_database" for use in table.uses)


def _missing(table: Table) -> str | None:
    """Which file is missing; None when all are there, or nobody can tell."""
    facts = table.facts
    files = table.instance.files
    if facts is None or not facts.file_based or table.in_place:
        return None
    path = files.locate(table.name)
    if path is None:
        return None
    if not facts.compiled:
        return None if _exists(path) else f"{table.name} is not there"
    if _exists(path):
        return None  # TBL002 tells when it is not compiled
    for suffix in facts.suffixes:
        compiled = files.locate(table.name + suffix)
        if compiled is None or _exists(compiled):
            return None
    return f"{table.name}{facts.suffixes[0]} is not there, and no source to make it from"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True


def _consequence(use: TableUse) -> str:
    match use.purpose:
        case "client access" | "name access" | "mail access" | "server access" | "login access":
            return f"{described(use)} answers 451"
        case "certificate access" | "addresses" | "domains" | "names" | "address":
            return "what depends on it gets a temporary error"
        case "aliases" | "users":
            return "mail to local users is deferred"
        case "transport" | "virtual alias" | "rewrite" | "sender route":
            return "all mail is deferred"
        case _:
            return "every lookup fails, and the mail is deferred"


def _stat(name: str, path: Path | None) -> _File | None:
    if path is None:
        return None
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return _File(name, path, status) if stat.S_ISREG(status.st_mode) else None


def _status(instance: Instance, name: str) -> _File | None:
    return _stat(name, instance.files.locate(name))


def _files(table: Table) -> Iterator[_File]:
    """The source of a table and its compiled files, as far as they are there."""
    facts = table.facts
    if facts is None or not facts.file_based or table.in_place:
        return
    for suffix in ("", *facts.suffixes):
        found = _status(table.instance, table.name + suffix)
        if found is not None:
            yield found


def _secrets(table: Table) -> str:
    """What a table holds that others must not know; empty for nothing."""
    if table.in_place:
        return ""
    client = table.client
    if client is not None:
        texts = [client.text(name) for name in _SECRET_SETTINGS]
        urls = [client.text(name) for name in _URL_SETTINGS]
        told = any(texts) or any(_URL_PASSWORD.search(text) for text in urls)
        return "passwords" if told else ""
    if "passwords" in table.purposes:
        return "passwords"
    if "server names" in table.purposes:
        return "private keys"
    if "reply" in table.purposes and table.readable and table.source is not None:
        return "the key of a DNS list" if _LIST_KEY.search(table.source.text) else ""
    return ""


def _is_open(file: _File, instance: Instance) -> bool:
    """Whether every user can read a file."""
    return bool(file.status.st_mode & stat.S_IROTH) and instance.files.open_to_all(file.path)


def _readable(file: _File, secrets: str) -> str:
    mode = stat.S_IMODE(file.status.st_mode)
    return f"{file.name} holds {secrets}, and every user can read it (mode {mode:04o})"


def _sasldb(instance: Instance) -> Iterator[Finding]:
    """The passwords of Cyrus SASL, where smtpd asks for them."""
    for service in instance.services_running("smtpd"):
        enabled = service["smtpd_sasl_auth_enable"]
        if enabled.yes is not True or service["smtpd_sasl_type"].word() != "cyrus":
            continue
        location = enabled.value_location
        file = _status(instance, _SASLDB)
        if location is not None and file is not None and _is_open(file, instance):
            message = _readable(file, "passwords")
            yield Finding(location, message, parameter="smtpd_sasl_auth_enable")
        return


def _danger(file: _File, instance: Instance) -> tuple[str, Severity] | None:
    """Who can change a file that should not be able to."""
    mode = file.status.st_mode
    shown = f"(mode {stat.S_IMODE(mode):04o})"
    if mode & stat.S_IWOTH:
        return f"can be changed by every user {shown}", Severity.ERROR
    folder = _folder_mode(file.path)
    if folder & stat.S_IWOTH and not folder & stat.S_ISVTX:
        return (
            f"can be replaced by every user: so is the mode of {file.path.parent}",
            Severity.ERROR,
        )
    owner = _owner(file) if instance.files.host else None
    if owner in _UNTRUSTED:
        return f"belongs to {owner}, not to root", Severity.ERROR
    if mode & stat.S_IWGRP and file.status.st_gid != 0:
        return f"can be changed by its group {shown}", Severity.WARNING
    return None


def _folder_mode(path: Path) -> int:
    try:
        return path.parent.stat().st_mode
    except OSError:
        return 0


def _owner(file: _File) -> str | None:
    import pwd

    try:
        return pwd.getpwuid(file.status.st_uid).pw_name
    except KeyError:
        return None
