"""TBL016: aliases that run programs, write files, or are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import host_role
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

from .common import Reporter, limited, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table, TableUse
    from postlint.syntax.aliases import Alias, Target

_ALLOW = ("allow_mail_to_commands", "allow_mail_to_files")
_NEEDED = ("postmaster", "root")


@rule("TBL016", severity=Severity.WARNING, security=5.9, tags=("CWE-78", "CWE-732", "RFC 2142"))
def alias_program(instance: Instance) -> Iterator[Finding]:
    """Mail to an alias runs a program or writes a file that others can change, or an alias lacks.

    Why: What an alias names runs with each message, as the owner of the alias file or as
        default_privs. Lists that :include: reads may name commands and files too where
        allow_mail_to_commands or allow_mail_to_files say include: who can write the list then
        runs what he likes. Virtual aliases take no commands: they are addresses there.
    Fix: Keep include out of allow_mail_to_commands and allow_mail_to_files; let nobody but root
        write the files; write an alias for root and postmaster.
    Bad:
        alias_maps = hash:/etc/postfix/aliases
        allow_mail_to_commands = alias, forward, include
        --- aliases
        postmaster: root
        root: admin@example.com
        list: :include:/etc/postfix/lists/members
    Good:
        alias_maps = hash:/etc/postfix/aliases
        --- aliases
        postmaster: root
        root: admin@example.com
        list: :include:/etc/postfix/lists/members
    References: aliases(5), local(8), postconf(5) allow_mail_to_commands, RFC 2142
    """
    files = [table for table in instance.tables if table.is_alias_file and table.readable]
    for table in files:
        report = Reporter(table)
        yield from limited(_targets(table, report), "aliases like this one")
    for table in instance.tables:
        if "virtual alias" in table.purposes and table.readable:
            report = Reporter(table)
            yield from limited(_virtual(table, report), "results like this one")
    yield from _absent(instance, files)


def _targets(table: Table, report: Reporter) -> Iterator[Finding | None]:
    included = [
        name
        for name in _ALLOW
        if "include" in {element.text.lower() for element in table.instance.main[name].elements()}
    ]
    for alias in table.aliases.unusual() if table.aliases is not None else ():
        if alias.problem is not None:
            continue
        for target in alias.targets():
            if target.kind == "include" and included:
                message = (
                    f"who can write {quoted(target.name)} can run commands or write files: "
                    f"{' and '.join(included)} {'has' if len(included) == 1 else 'have'} include"
                )
                yield report.finding(target.text, message, security_severity=5.9)
            elif target.kind in ("command", "file", "include"):
                yield _writable(alias, target, table, report)


def _writable(alias: Alias, target: Target, table: Table, report: Reporter) -> Finding | None:
    """A program, file or list that somebody else than its owner can change."""
    import stat

    name = (
        target.name.split(None, 1)[0] if target.kind == "command" and target.name else target.name
    )
    instance = table.instance
    path = instance.files.locate(name) if instance.files.complete else None
    if path is None or not name.startswith("/") or name.startswith("/dev/"):
        return None
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(mode) or not mode & (stat.S_IWOTH | stat.S_IWGRP):
        return None
    if target.kind == "file" and not mode & stat.S_IWOTH:
        return None  # mailboxes belong to a group
    who = "every user" if mode & stat.S_IWOTH else "its group"
    what = {"command": "runs", "file": "writes to", "include": "reads"}[target.kind]
    message = f"mail to {quoted(alias.key)} {what} {name}, which {who} can change"
    return report.finding(target.text, message, security_severity=5.9)


def _virtual(table: Table, report: Reporter) -> Iterator[Finding | None]:
    """Commands and files in virtual(5), where they are mail addresses."""
    import re

    from postlint.syntax.aliases import targets
    from postlint.syntax.indexed_table import Search

    from .common import find

    candidate = re.compile(r'\n[^ \t\v\f\r\n#][^ \t\v\f\r\n]*+[ \t\v\f\r]++[^\n]*?["|/:]')
    search = Search(candidate, lambda entry: entry.problem is None, ("|", '"/', "\t/", " /", ":i"))
    for entry in find(table, search):
        for target in targets(entry.value):
            if target.kind != "address" and not (target.kind == "file" and "@" in target.name):
                message = (
                    f"{quoted(target.text.text)} is a mail address here: commands, files and lists"
                    " work in alias_maps only"
                )
                yield report.finding(target.text, message, severity=Severity.ERROR)
                break


def _absent(instance: Instance, files: list[Table]) -> Iterator[Finding]:
    """Names that every host must have: only where all alias tables can be read."""
    tables = [table for table in instance.tables if any(_local(use) for use in table.uses)]
    if not files or len(files) != len(tables) or host_role(instance) in (None, "null-client"):
        return
    if not instance.whole or not _delivers_locally(instance):
        return
    names = set()
    empty = True
    for table in files:
        for name in table.aliases.names() if table.aliases is not None else ():
            empty = False
            if name in _NEEDED:
                names.add(name)
    if empty:
        return
    elsewhere = any(
        table.purposes & {"virtual alias", "rewrite"} and table not in files
        for table in instance.tables
    )
    missing = [name for name in _NEEDED if name not in names]
    use = files[0].uses[0]
    if missing and not elsewhere and use.location is not None:
        yield Finding(
            use.location,
            f"there is no alias for {' and '.join(missing)}: that mail stays in a mailbox on this"
            " host which hardly anybody reads",
            severity=Severity.INFO,
            parameter=use.parameter,
        )


def _local(use: TableUse) -> bool:
    return use.parameter == "alias_maps"


def _delivers_locally(instance: Instance) -> bool:
    """Whether local(8) gets mail."""
    main = instance.main
    transport = main["local_transport"].text
    return main["mydestination"].empty is False and transport.startswith(("local:", "local"))
