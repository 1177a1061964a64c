"""TBL012: proxy: tables that the proxymap service refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.proxymap import answers_with_errors, approved_tables
from postlint.analysis.versions import Interval
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table, TableUse

_OPENED_DIRECTLY = frozenset(
    {"alias_database", "mailbox_command_maps", "virtual_gid_maps", "virtual_uid_maps"}
)
"""Only asked by programs that open them without proxymap, whatever the setting says."""

_IN_MEMORY = frozenset({"cidr", "inline", "pcre", "randmap", "regexp", "static", "texthash"})


@rule("TBL012", severity=Severity.ERROR, tags=("CWE-862",))
def proxymap_unauthorised(instance: Instance) -> Iterator[Finding]:
    """A table is asked through proxymap, which is not told to open it.

    Why: The proxymap service opens no tables but those that proxy_read_maps mentions, directly or
        through $parameters. It logs "request for unapproved table", and the daemon that asks
        dies of it; from Postfix 3.11 on every lookup fails instead. The default has most
        parameters, but not the restrictions at DATA, restriction classes, and what only an
        override in master.cf names. Agents that act as root open tables themselves, for what they
        may do is at stake. A table that is read as a whole gains nothing from proxymap.
    Fix: Add the table, or $ and the name of the parameter, to proxy_read_maps; proxy_write_maps
        for tables that Postfix writes.
    Bad:
        smtpd_data_restrictions = check_client_access proxy:mysql:/etc/postfix/clients.cf
    Good:
        smtpd_data_restrictions = check_client_access proxy:mysql:/etc/postfix/clients.cf
        proxy_read_maps = proxy:mysql:/etc/postfix/clients.cf
    References: proxymap(8), postconf(5) proxy_read_maps, src/proxymap/proxymap.c
    """
    for table in instance.tables:
        for use in table.uses:
            if not use.proxied or use.location is None or use.parameter in _OPENED_DIRECTLY:
                continue
            parameter = "proxy_write_maps" if use.purpose == "cache" else "proxy_read_maps"
            known = approved_tables(instance, parameter)
            if known is None:
                continue
            if use.proxied not in known:
                yield _refused(use, parameter, instance)
            elif table.type in _IN_MEMORY:
                yield _pointless(use, table)


def _pointless(use: TableUse, table: Table) -> Finding:
    assert use.location is not None
    return Finding(
        use.location,
        f"proxy: gains nothing for {table.label}: every program reads it when it starts, and"
        " proxymap would be one more to ask and to restart",
        severity=Severity.INFO,
        parameter=use.parameter,
        service=use.service_label,
    )


def _refused(use: TableUse, parameter: str, instance: Instance) -> Finding:
    assert use.location is not None
    allowed = instance.main[parameter]
    related: tuple[Related, ...] = ()
    fix = None
    if allowed.explicit and allowed.location is not None:
        related = (Related("what proxymap may open", allowed.location),)
        text = allowed.setting.text
        addition = f"{text.rstrip()} proxy:{use.proxied}".lstrip()
        edit = replace_value(allowed.setting, addition) if _is_one_line(allowed) else None
        if edit is not None:
            fix = Fix(f"add it to {parameter}", (edit,), "unsafe")
    name = use.proxied
    shown = name if len(name) <= 60 else f"{name[:57]}..."
    return Finding(
        use.location,
        f"proxymap refuses {shown}: {parameter} does not mention it, and {_consequence(instance)}",
        parameter=use.parameter,
        service=use.service_label,
        related=related,
        fix=fix,
    )


def _consequence(instance: Instance) -> str:
    match Interval(instance).holds(answers_with_errors):
        case "always":
            return "every lookup fails"
        case "never":
            return "the daemon that asks dies"
        case _:
            return "the daemon that asks dies (from 3.11 on every lookup fails)"


def _is_one_line(value: Effective) -> bool:
    location = value.location
    return location is not None and location.start.line == location.end.line
