"""DNS lists that are gone, that moved, or that are no blocklists of client addresses.

Each row carries where the knowledge is from. A list counts for its subdomains, too; the longest
name that fits decides.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from postlint.records import NamedTuple

__all__ = ["CHECKED", "ZONES", "Status", "Zone", "lookup", "split"]

CHECKED: Final = "2026-08"
"""When the table was last gone through."""

Status: TypeAlias = Literal[
    "lists everything",  # answers "listed" for every address: all mail is refused
    "dead",  # does not answer, or with nothing: every lookup is wasted
    "moved",  # its data are in another list
    "paid",  # answers only those who have an agreement or a key
    "allowlist",  # lists good senders
    "broad",  # lists whole providers and countries' networks
    "special",  # lists what is no reason to refuse a message
    "domains",  # lists domain names, not addresses
    "addresses",  # lists addresses, not domain names
]


class Zone(NamedTuple):
    """One DNS list. ``since`` is a year, a month or a day; "" where nobody wrote it down.

    Lists of which the reports contradict each other (truncate.gbudb.net) are left out.
    """

    name: str
    status: Status
    since: str
    source: str
    instead: str = ""
    note: str = ""

    @property
    def useless(self) -> bool:
        """Whether nothing is lost without it."""
        return self.status in ("lists everything", "dead")


_SPAMHAUS: Final = "Spamhaus, DNSBL usage and return codes"
_OPERATOR: Final = "notice of the operator"
_WATCHED: Final = "dnsbl.com, status of DNSBLs"
_OBSERVED: Final = "answers seen by mail administrators"

_ROWS: Final[tuple[Zone, ...]] = (
    Zone("relays.ordb.org", "lists everything", "2006-12-18", _OPERATOR, note="all since 2008"),
    Zone("ordb.org", "lists everything", "2006-12-18", _OPERATOR),
    Zone("ahbl.org", "lists everything", "2015-01-01", _OPERATOR),
    Zone("bl.spamcannibal.org", "lists everything", "2018-05-30", _WATCHED),
    Zone("rbl.megarbl.net", "lists everything", "2019-11-25", _WATCHED),
    Zone("bl.emailbasura.org", "lists everything", "2019-10-30", _WATCHED),
    Zone("dnsbl.cyberlogic.net", "lists everything", "2018-05-25", _WATCHED),
    Zone("dul.ru", "lists everything", "2015", _OBSERVED),
    Zone("dnsbl.burnt-tech.com", "lists everything", "2015-09-19", _WATCHED),
    Zone("msrbl.net", "lists everything", "2017", _WATCHED, note="again in 2019"),
    Zone("rbl.spamhaus.org", "lists everything", "", _SPAMHAUS, "zen.spamhaus.org"),
    Zone("dsbl.org", "dead", "2008-05", _OPERATOR),
    Zone("njabl.org", "dead", "2013-03-01", _OPERATOR),
    Zone("rfc-ignorant.org", "dead", "2012-11-30", _OPERATOR),
    Zone("sorbs.net", "dead", "2024-06-05", _OPERATOR),
    Zone("ix.dnsbl.manitu.net", "dead", "2025-01", _OPERATOR),
    Zone("dnsbl.inps.de", "dead", "2020-05-25", _OPERATOR),
    Zone("opm.blitzed.org", "dead", "2006-05", _OPERATOR),
    Zone("blitzed.org", "dead", "2006-05", _OPERATOR),
    Zone("blackholes.easynet.nl", "dead", "2003-12", _OPERATOR),
    Zone("easynet.nl", "dead", "2003-12", _OPERATOR),
    Zone("completewhois.com", "dead", "", _OBSERVED),
    Zone("bl.csma.biz", "dead", "", _OBSERVED),
    Zone("no-more-funn.moensted.dk", "dead", "", _OBSERVED),
    Zone("ubl.unsubscore.com", "dead", "2024-06", _WATCHED),
    Zone("virbl.bit.nl", "dead", "2017-01", _OPERATOR),
    Zone("virbl.dnsbl.bit.nl", "dead", "2017-01", _OPERATOR),
    Zone("cart00ney.surriel.com", "dead", "", _OBSERVED),
    Zone("spews.org", "dead", "2006", _OBSERVED),
    Zone("db.wpbl.info", "dead", "", _OBSERVED),
    Zone("query.bondedsender.org", "dead", "", _OPERATOR),
    Zone("sa-accredit.habeas.com", "dead", "", _OPERATOR),
    Zone("swl.spamhaus.org", "dead", "", _SPAMHAUS),
    Zone("sbl-xbl.spamhaus.org", "moved", "2007", _SPAMHAUS, "zen.spamhaus.org"),
    Zone("cbl.abuseat.org", "moved", "2021", "abuseat.org, cutover", "zen.spamhaus.org"),
    Zone("mail-abuse.org", "paid", "", _OPERATOR),
    Zone("b.barracudacentral.org", "paid", "", _OPERATOR, note="free, but only after registering"),
    Zone("bl.score.senderscore.com", "paid", "", _OPERATOR),
    Zone("list.dnswl.org", "allowlist", "", "dnswl.org, usage"),
    Zone("dnsbl-2.uceprotect.net", "broad", "", _OPERATOR),
    Zone("dnsbl-3.uceprotect.net", "broad", "", _OPERATOR),
    Zone("ips.backscatterer.org", "special", "", _OPERATOR, note="for bounces only"),
    Zone("dbl.spamhaus.org", "domains", "", _SPAMHAUS, "reject_rhsbl_sender"),
    Zone("multi.surbl.org", "domains", "", "SURBL, usage", "reject_rhsbl_sender"),
    Zone("multi.uribl.com", "domains", "", "URIBL, usage", "reject_rhsbl_sender"),
    Zone("dbl.dq.spamhaus.net", "domains", "", _SPAMHAUS, "reject_rhsbl_sender"),
    Zone("zen.spamhaus.org", "addresses", "", _SPAMHAUS, "dbl.spamhaus.org"),
    Zone("sbl.spamhaus.org", "addresses", "", _SPAMHAUS, "dbl.spamhaus.org"),
    Zone("xbl.spamhaus.org", "addresses", "", _SPAMHAUS, "dbl.spamhaus.org"),
    Zone("pbl.spamhaus.org", "addresses", "", _SPAMHAUS, "dbl.spamhaus.org"),
    Zone("bl.spamcop.net", "addresses", "", "SpamCop, blocking list"),
)

ZONES: Final[dict[str, Zone]] = {zone.name: zone for zone in _ROWS}
"""Name -> list, in lower case."""


def split(text: str) -> tuple[str, str]:
    """The name of a list and the filter behind it: ("zen.spamhaus.org", "127.0.0.[2..11]").

    The weight of postscreen (``*3``) is taken off.
    """
    name, _, answers = text.partition("=")
    return name.partition("*")[0].rstrip(".").lower(), answers.partition("*")[0]


def lookup(name: str) -> Zone | None:
    """What is known of a list; the names below one are that list, too, unless it is alive."""
    labels = name.lower().rstrip(".").split(".")
    for start in range(len(labels) - 1):
        zone = ZONES.get(".".join(labels[start:]))
        if zone is not None:
            return zone
    return None
