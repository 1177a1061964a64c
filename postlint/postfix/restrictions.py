"""smtpd access restrictions and the lists that hold them.

Sources: src/smtpd/smtpd_check.c (generic_checks, smtpd_check_parse,
has_required), src/global/server_acl.c, access(5), postconf(5).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from postlint.records import NamedTuple

from .data import restrictions as _data

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = [
    "BRACES_SINCE",
    "CCERT_SEARCH_ORDER",
    "CCERT_SEARCH_ORDER_SINCE",
    "LISTS",
    "LOCAL_HEADER_REWRITE_TOKENS",
    "POSTSCREEN_TOKENS",
    "RECURSION_LIMIT",
    "Answers",
    "Argument",
    "Restriction",
    "RestrictionList",
    "Stage",
    "get",
    "names",
    "relay_guards",
]

Argument = Literal["none", "table", "domain", "endpoint", "number", "restriction"]
"""What follows the name: nothing, ``type:table``, a DNSBL or RHSBL domain with an
optional ``=d.d.d.d`` filter, a policy server, seconds in decimal digits, or the
restriction that warn_if_reject modifies."""

Answers = Literal["permit", "reject", "both", "defer", "none", "modifier"]
"""What it can decide: "both" is permit or reject by table or server; "defer" changes
the later outcome; DUNNO is always possible, except for "permit" and "reject" themselves."""

Stage = Literal[
    "", "client", "client TLS cert", "SASL login", "helo", "sender", "recipient", "etrn"
]
"""What must be known; until then the restriction is skipped without a word."""

RECURSION_LIMIT: Final = 100
"""Depth of restriction classes and access tables at which smtpd gives up."""

BRACES_SINCE: Final = "3.0"
"""``{ … }`` groups one list item, as in check_policy_service { endpoint, name=value … }."""

CCERT_SEARCH_ORDER: Final[tuple[str, ...]] = _data.SEARCH_ORDER
"""Keys for check_ccert_access { type:table, { search_order = … } }."""

CCERT_SEARCH_ORDER_SINCE: Final = "3.5"

POSTSCREEN_TOKENS: Final = ("permit_mynetworks", "permit", "reject", "dunno")
"""Words of postscreen_access_list (2.8+), besides type:table; case is ignored.  Anything
else: warning, and the rest of the list is not looked at."""

LOCAL_HEADER_REWRITE_TOKENS: Final = (
    "permit_inet_interfaces",
    "permit_mynetworks",
    "permit_sasl_authenticated",
    "permit_tls_clientcerts",
    "permit_tls_all_clientcerts",
    "check_address_map",
)
"""Words of local_header_rewrite_clients, besides a bare type:table; check_address_map takes
a table.  Anything else: warning, skipped."""


class Restriction(NamedTuple):
    """One name that smtpd knows in a restriction list; names ignore case."""

    name: str
    first: str
    """First series; "1.1" also stands for earlier."""
    removed_in: str | None
    """Refused from this series on, with a warning and reply 451."""
    deprecated_since: str | None
    alias_of: str | None
    """The present name of the same restriction."""
    replacement: str | None
    """What to write instead of a deprecated one, if that is not another name for it."""
    argument: Argument
    answers: Answers
    needs: Stage
    guards_relay: bool
    """Satisfies the demand that some list must stop relaying before smtpd starts."""
    refuses_ok: bool
    """An OK from its table is an error ("not allowed for security reasons")."""
    implemented: bool
    """False for a documented name that no version of smtpd knows."""
    requires: str
    """Other settings without which it does nothing."""
    note: str

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether smtpd of *version* carries it out."""
        if not self.implemented or not version.at_least(self.first):
            return False
        return self.removed_in is None or not version.at_least(self.removed_in)

    @property
    def stops(self) -> bool:
        """Nothing behind it in the same list is ever reached."""
        return self.name in ("permit", "reject", "defer")


class RestrictionList(NamedTuple):
    """A main.cf parameter that holds restrictions; every name is accepted in every list."""

    parameter: str
    first: str
    bare_table: str | None
    """The restriction that a table without a name stands for; None: reply 451."""
    when: str
    one_recipient_only: bool
    """The recipient is known only if the message has exactly one."""

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether *version* has the list."""
        return version.at_least(self.first)


_ALL: Final[dict[str, Restriction]] = {row[0]: Restriction(*row) for row in _data.ROWS}

LISTS: Final[dict[str, RestrictionList]] = {row[0]: RestrictionList(*row) for row in _data.LISTS}
"""Parameter -> list, in the order in which smtpd consults them."""


def get(name: str, version: PostfixVersion | None = None) -> Restriction | None:
    """The restriction of that name, in any case; with *version* only if smtpd carries it out."""
    found = _ALL.get(name.lower())
    if found is None or version is None or found.exists_in(version):
        return found
    return None


def names(version: PostfixVersion) -> frozenset[str]:
    """All names that smtpd of *version* carries out."""
    return frozenset(name for name, restriction in _ALL.items() if restriction.exists_in(version))


@cache
def relay_guards(version: PostfixVersion) -> frozenset[str]:
    """The names of which *version* wants at least one in the relay or recipient restrictions.

    Looked for through classes, up to the first permit; the one behind
    warn_if_reject does not count.  check_relay_domains still counts where it is
    no longer carried out.
    """
    return frozenset(
        name
        for name, restriction in _ALL.items()
        if restriction.guards_relay and version.at_least(restriction.first)
    )
