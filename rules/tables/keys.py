"""TBL008: keys that are never looked up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.config.placeholders import has_placeholder
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

from .common import Reporter, described, find, limited, quoted
from .types import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table, TableUse
    from postlint.syntax.indexed_table import Search
    from postlint.syntax.table import TableEntry

_ADDRESS = LazyPattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")
_PREFIX = LazyPattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}\.?\Z")
_DOTTED_PREFIX = LazyPattern(r"(?:[0-9]{1,3}\.){1,3}\Z")
_HOST = frozenset({"client access", "name access", "server access"})
_RECIPIENTS = frozenset(
    {
        "bcc",
        "generic",
        "login owners",
        "mailbox",
        "recipients",
        "relocated",
        "rewrite",
        "sender route",
        "virtual alias",
    }
)
_DOMAIN_NAMES = frozenset({"mydestination", "virtual_alias_domains", "virtual_mailbox_domains"})
_WITH_DOMAIN = frozenset({"relay_recipient_maps", "virtual_mailbox_maps"})
"""Asked only about domains that are not local, so that a user alone is never a key."""

_BARE_DOMAIN = LazyPattern(r"[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)++\Z")

_START = r"[.*@]"
_MAIL_ADDRESS = r"[^ \t\v\f\r\n#@]++@"
_LOCAL_PART = r"[^ \t\v\f\r\n#@]++@[ \t\v\f\r]"
_NUMBERS = r"[0-9][0-9.]*+[ \t\v\f\r]"
_BARE = r"[^ \t\v\f\r\n#@]++[ \t\v\f\r]"
_STARS = r"[^ \t\v\f\r\n#*]++\*"
_NAMES = r"[^ \t\v\f\r\n#]*?[G-Zg-z]"


class _Dead(NamedTuple):
    """Why a key is never looked up, and what is looked up instead."""

    reason: str
    instead: str = ""


@rule("TBL008", severity=Severity.WARNING, tags=("CWE-561",))
def dead_access_key(table: Table) -> Iterator[Finding]:
    """A lookup table has a key that Postfix never asks for.

    Why: For every kind of table Postfix asks for certain forms of an address or name, and for
        nothing else. There are no wildcards. The entry does nothing, and who wrote it believes
        that it does.
    Fix: Write the key in a form that is looked up; for patterns and networks use a pcre or a
        cidr table.
    Bad:
        smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/senders
        --- senders
        .example.com REJECT
    Good:
        smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/senders
        --- senders
        example.com REJECT
    References: access(5), transport(5), virtual(5), canonical(5), postconf(5)
    """
    if table.dialect is not None or table.type == "cidr":
        return
    report = Reporter(table)
    if table.is_alias_file:
        yield from limited(_foreign_aliases(table, report), "names with a domain")
        return
    if any(use.piped for use in table.uses):
        return
    judge = _Judge(table)
    if not judge.parts:
        return
    dead = [entry for entry in find(table, judge.search()) if not has_placeholder(entry.key.text)]
    present = _present(table, {judge.reason(entry.key.text).instead for entry in dead[:1000]})
    yield from limited(
        (_finding(entry, judge, report, present) for entry in dead), "keys are never looked up"
    )


class _Judge:
    """Knows which keys no use of a table asks for."""

    def __init__(self, table: Table) -> None:
        self._uses = table.uses
        self._instance = table.instance
        parts = [_parts(use) for use in table.uses]
        self.parts = frozenset().union(*parts) if all(parts) else frozenset()
        """Of the pattern that finds keys that may be dead; none when every key may live."""

    def search(self) -> Search:
        """What finds the dead keys."""
        from postlint.syntax.indexed_table import Search

        candidate = re.compile(rf"\n(?:{'|'.join(sorted(self.parts))})")
        return Search(candidate, self._is_dead)

    def _is_dead(self, entry: TableEntry) -> bool:
        if entry.problem is not None or is_foreign(entry):
            return False
        key = entry.key.text
        return all(_verdict(key, use, self._instance) is not None for use in self._uses)

    def reason(self, key: str) -> _Dead:
        """Why the first use does not ask for a key."""
        return _verdict(key, self._uses[0], self._instance) or _Dead("")


def _finding(
    entry: TableEntry, judge: _Judge, report: Reporter, present: frozenset[str]
) -> Finding | None:
    key = entry.key.text
    reason, instead = judge.reason(key)
    message = f"{quoted(key)} is never looked up: {reason}"
    severity = None
    fix = None
    if entry.value.text.upper() == "DUNNO":
        severity = Severity.INFO  # which says the same as no entry
    if instead in present and instead:
        severity = Severity.INFO
        message += f", and {quoted(instead)} is in the table too"
    elif instead:
        edit = Edit(entry.key.location, instead)
        fix = Fix(f"write {instead}", (edit,), "unsafe")
    return report.finding(entry.key, message, severity=severity, fix=fix)


def _present(table: Table, keys: set[str]) -> frozenset[str]:
    """Which of some keys a table has."""
    from postlint.syntax.indexed_table import Search

    wanted = {key.lower() for key in keys if key}
    if not wanted:
        return frozenset()
    spelled = "|".join(sorted(map(re.escape, wanted)))
    candidate = re.compile(rf"\n(?:{spelled})[ \t\v\f\r]", re.IGNORECASE)
    search = Search(candidate, lambda entry: entry.key.text.lower() in wanted)
    return frozenset(entry.key.text.lower() for entry in find(table, search))


def _parts(use: TableUse) -> frozenset[str]:
    """Pattern pieces that every key which the use never asks for matches one of."""
    purpose = use.purpose
    if purpose in _HOST or purpose in ("addresses", "domains"):
        return frozenset({_START, _MAIL_ADDRESS, _STARS, _NUMBERS})
    if purpose == "names" and use.parameter in _DOMAIN_NAMES:
        return frozenset({_START, _MAIL_ADDRESS, _STARS})
    if purpose == "mail access":
        return frozenset({_START, _NUMBERS})
    if purpose == "address":
        return frozenset({_START, _MAIL_ADDRESS, _STARS, _NUMBERS, _NAMES})
    if use.parameter in _WITH_DOMAIN:
        return frozenset({_START, _LOCAL_PART, _BARE})
    if purpose in _RECIPIENTS or purpose == "transport":
        return frozenset({_START, _LOCAL_PART})
    if purpose == "users":
        return frozenset({_START, _MAIL_ADDRESS})
    if purpose == "passwords":
        return frozenset({r"[.*]", _LOCAL_PART})
    if purpose == "server names":
        return frozenset({r"\*"})
    return frozenset()


def _verdict(key: str, use: TableUse, instance: Instance) -> _Dead | None:
    """Why a use never asks for a key; None when it may."""
    purpose = use.purpose
    asker = described(use)
    if purpose in _HOST or purpose in ("addresses", "domains", "names"):
        return _host_key(key, use, instance)
    if purpose == "address":
        if _ADDRESS.match(key) or ":" in key:
            return None
        return _Dead(f"{asker} is asked for whole client addresses only")
    if purpose == "mail access":
        if key.startswith("@") and len(key) > 1:
            return _Dead(f"{asker} asks for the domain without @", key[1:])
        if _ADDRESS.match(key):
            return _Dead(f"{asker} asks for mail addresses and their domains, not for clients")
        return _wildcard(key, asker) or _parent(key, use, instance)
    if purpose == "transport":
        if key.startswith("@") and len(key) > 1:
            return _Dead(f"{asker} asks for the domain without @", key[1:])
        if key.endswith("@"):
            return _Dead(f"{asker} asks for no local part alone")
        if key == "*":
            return None
        return _wildcard(key, asker) or _parent(key, use, instance)
    if purpose in _RECIPIENTS:
        if key.endswith("@"):
            return _Dead(f"{asker} asks for user@domain, user and @domain")
        if key.startswith(".") and len(key) > 1:
            return _Dead(f"{asker} asks for no parent domains")
        if key.startswith("*@") and len(key) > 2:
            return _Dead(f"there are no wildcards; {asker} asks for {key[1:]}", key[1:])
        return _wildcard(key, asker) or _without_domain(key, use, instance)
    if purpose == "users":
        if "@" in key or key.startswith("."):
            return _Dead(f"{asker} asks for names of local users", key.partition("@")[0].strip("."))
        return _wildcard(key, asker)
    if purpose == "server names":
        if key.startswith("*.") and len(key) > 2:
            return _Dead(f"{asker} asks for {key[1:]}, there are no wildcards", key[1:])
        return _wildcard(key, asker)
    if purpose == "passwords":
        if key.startswith("."):
            return _Dead(f"{asker} asks for no parent domains")
        if key.endswith("@"):
            return _Dead(f"{asker} asks for no local part alone")
        return _wildcard(key, asker)
    return None


def _without_domain(key: str, use: TableUse, instance: Instance) -> _Dead | None:
    """A user or domain alone where only whole addresses and @domain are asked."""
    if use.parameter not in _WITH_DOMAIN or "@" in key or use.purpose == "other":
        return None
    listed = "relay_domains" if use.parameter.startswith("relay") else "virtual_mailbox_domains"
    domains = instance.main[listed]
    if not domains.explicit or use.parameter in domains.setting.text or not domains.known:
        return None  # its keys are domains too
    instead = f"@{key}" if _BARE_DOMAIN.match(key) else ""
    return _Dead(f"{use.parameter} asks for user@domain and @domain", instead)


def _host_key(key: str, use: TableUse, instance: Instance) -> _Dead | None:
    asker = described(use)
    purpose = use.purpose
    if "@" in key:
        return _Dead(f"{asker} asks for hosts and domains, not for mail addresses")
    if purpose in ("client access", "server access") and _DOTTED_PREFIX.match(key):
        return _Dead("the leading numbers of an address are asked without a dot", key.rstrip("."))
    if purpose == "addresses" and _PREFIX.match(key):
        return _Dead(f"{asker} asks for whole addresses; networks need a cidr table")
    if purpose == "names":
        if key.startswith(".") and len(key) > 1:
            return _Dead(f"{asker} asks for no parent domains")
        return _wildcard(key, asker)
    return _wildcard(key, asker) or _parent(key, use, instance)


def _wildcard(key: str, asker: str) -> _Dead | None:
    if key == "*":
        return _Dead(f"there are no wildcards in a table of {asker}")
    if key.startswith("*") or (key.endswith("*") and not key.startswith('"')):
        return _Dead("there are no wildcards")
    return None


def _parent(key: str, use: TableUse, instance: Instance) -> _Dead | None:
    """A leading dot where parent domains are asked without one."""
    if not key.startswith(".") or len(key) < 2:
        return None
    purpose = use.purpose
    name = use.parameter if purpose in ("addresses", "domains") else "smtpd_access_maps"
    name = "transport_maps" if purpose == "transport" else name
    listed = instance.main["parent_domain_matches_subdomains"]
    if not listed.known:
        return None
    if name not in {element.text.lower() for element in listed.elements()}:
        return None
    return _Dead(
        f"parent domains are asked without the dot (parent_domain_matches_subdomains has {name})",
        key[1:],
    )


def _foreign_aliases(table: Table, report: Reporter) -> Iterator[Finding | None]:
    from postlint.syntax.aliases import NOT_LOCAL

    for alias in table.aliases.unusual() if table.aliases is not None else ():
        if alias.problem == NOT_LOCAL and not has_placeholder(alias.line.text):
            message = (
                f"{quoted(alias.name.text)} has a domain: postalias ignores the line, only local"
                " names have aliases"
            )
            yield report.finding(alias.name, message)
