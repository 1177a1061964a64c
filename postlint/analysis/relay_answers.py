"""Possible answers of smtpd restrictions, and what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.relay_session import Reply
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.analysis.destinations import Destinations
    from postlint.analysis.relay_session import Session, Stage
    from postlint.analysis.restrictions import RestrictionLists
    from postlint.config.service import Service
    from postlint.syntax.source import Location

AnswerKind: TypeAlias = Literal[
    "dunno",
    "permit",
    "reject",
    "error",
    "discard",
    "defer_if_permit",
    "defer_if_reject",
    "recipient checked",
    "sender checked",
    "list",
]

SERVER_ERROR = 451

REVERSE_CLIENT = "check_reverse_client_hostname_access"
"""Its table must not permit: anybody can give himself a name."""

NO_RESTRICTION = "not a restriction"

BAD_FILTER = "smtpd dies of the filter behind ="

ENDLESS = "restriction classes contain each other: smtpd crashes"

FINAL = ("local", "alias", "mailbox")
"""Address classes that are delivered here."""


class Answer(NamedTuple):
    """One possible answer. ``text`` and ``location``: the restrictions of kind ``list``.

    ``forbidden``: where the restrictions permit, it is an error.
    """

    kind: AnswerKind
    code: int = 0
    reason: str = ""
    text: str = ""
    location: Location | None = None
    forbidden: bool = False


DUNNO = Answer("dunno")

_NUMBER = r"[0-9]{1,3}(?:\.\.[0-9]{1,3})?"
_OCTET = rf"(?:[0-9]{{1,3}}|\[ *{_NUMBER}(?: *; *{_NUMBER})* *\])"
_FILTER = LazyPattern(rf"{_OCTET}(?:\.{_OCTET}){{3}}\Z")


def valid_filter(argument: str) -> bool:
    """Whether smtpd can read what follows the ``=`` behind a DNS list (ip_match_parse())."""
    _, equals, text = argument.partition("=")
    return not equals or _FILTER.match(text) is not None


class Answers:
    """What is known of one session on one service, and the answers that follow from it.

    ``stage`` and the three words follow the dialogue. ``asked`` are the fields of the session that
    somebody looked at: all but mynetworks read them here.
    """

    __slots__ = (
        "_envelope",
        "_greeting",
        "asked",
        "destinations",
        "lists",
        "recipient",
        "service",
        "session",
        "stage",
    )

    def __init__(
        self,
        service: Service,
        lists: RestrictionLists,
        destinations: Destinations,
        session: Session,
    ) -> None:
        self.service = service
        self.lists = lists
        self.destinations = destinations
        self.session = session
        self.stage: Stage = "connect"
        self.asked = {"recipient"}
        self.recipient: str | None = None
        self._greeting: str | None = None
        self._envelope: str | None = None

    @property
    def helo(self) -> str | None:
        """What the client said at HELO, None before; nothing else may tell."""
        self.asked.add("helo")
        return self._greeting

    @helo.setter
    def helo(self, name: str | None) -> None:
        self._greeting = name

    @property
    def sender(self) -> str | None:
        """What it said at MAIL FROM, None before."""
        self.asked.add("sender")
        return self._envelope

    @sender.setter
    def sender(self, address: str | None) -> None:
        self._envelope = address

    @property
    def name(self) -> str:
        """The name of the client."""
        self.asked.add("name")
        return self.session.name

    @property
    def address(self) -> str:
        """The address of the client, for what looks at more than whether mynetworks has it."""
        self.asked.add("address")
        return self.session.address

    def reply(self, code: int, number: int) -> Reply:
        """A refusal as it goes out: soft_bounce makes it temporary, a bad code becomes 450."""
        if not 400 <= code <= 599:
            code = 450
        if code >= 500 and self.service["soft_bounce"].yes:
            code -= 100
        return Reply(code, number)

    def code(self, parameter: str, default: int) -> int:
        """The reply code that a parameter says."""
        value = self.service[parameter].integer
        return default if value is None else value

    def _reject(self, parameter: str, default: int, reason: str) -> Answer:
        return Answer("reject", self.code(parameter, default), reason)

    def _maybe(self, answer: Answer) -> tuple[Answer, ...]:
        """For what DNS, a server or time decides: a stranger can arrange it to his liking."""
        if self.session.outsider:
            return (Answer("dunno", reason="a client can satisfy it"),)
        return (DUNNO, answer._replace(reason=answer.reason or "not known before run time"))

    @staticmethod
    def _error(reason: str) -> tuple[Answer, ...]:
        return (Answer("error", SERVER_ERROR, reason),)

    def anything(
        self, reason: str, *, listed_only: bool = False, certain: bool = True
    ) -> tuple[Answer, ...]:
        """What an unknown table or server can do.

        ``listed_only``: it refuses only whom it lists, and a stranger is in no list. ``certain``
        is False where not even the restriction is known.
        """
        if self.session.unhindered and certain:
            return (Answer("dunno", reason=reason),)
        likely = (Answer("dunno", reason=reason), Answer("permit", reason=reason))
        if listed_only and self.session.outsider:
            return likely
        return (
            *likely,
            Answer("reject", 554, reason),
            Answer("reject", 450, reason),
        )
