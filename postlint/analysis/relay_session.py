"""The terms in which smtpd's decisions are told: a client's words, replies, steps, states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.effective import UNKNOWN
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from postlint.analysis.restrictions import Item
    from postlint.syntax.source import Location

Verdict: TypeAlias = Literal["refused", "allowed", "depends", "fatal"]

Stage: TypeAlias = Literal["connect", "helo", "mail", "rcpt", "data", "end of data"]
"""Where in the dialogue a restriction is carried out."""

UNKNOWN_NAME = "unknown"
"""What smtpd calls a client whose name it could not find or confirm."""


class Session(NamedTuple):
    """What a client is and says. ``helo`` None: it does not greet. ``sender`` "": a bounce.

    ``outsider``: the client may be any stranger who makes the best of it: in no DNS list, with
    names that exist. ``unhindered``: tables that can not be read and servers say nothing to him.
    ``mx_backup``: the MX records of the recipient's domain name this host.
    ``mended``: words that are no restrictions have been taken out. ``peer`` is the address of
    the connection where XCLIENT gave another one; ``login``: the client has logged in.
    """

    address: str
    helo: str | None
    sender: str
    recipient: str
    name: str = UNKNOWN_NAME
    outsider: bool = False
    unhindered: bool = False
    mended: bool = False
    peer: str = ""
    login: bool = False
    mx_backup: bool = False

    def describe(self) -> str:
        """The session in words."""
        helo = "no HELO" if self.helo is None else f"HELO {self.helo}"
        client = self.address
        if self.peer:
            client = f"{self.peer} with XCLIENT ADDR={client}"
        return f"client {client}, {helo}, MAIL FROM:<{self.sender}>, " + (
            f"RCPT TO:<{self.recipient}>"
        )


class Noted(NamedTuple):
    """A check that no list asks for, and what does."""

    text: str
    location: Location | None


class Step(NamedTuple):
    """One restriction that was looked at, or one check.

    ``results`` says what it answered, in words; several where that can not be known.
    """

    parameter: str
    depth: int
    what: Item | Noted
    results: tuple[str, ...]
    reason: str

    @property
    def text(self) -> str:
        """The restriction with its argument, as it is written."""
        if isinstance(self.what, Noted):
            return self.what.text
        element, argument = self.what.element, self.what.argument
        words = ["warn_if_reject"] if self.what.warned else []
        words.append(element.text)
        if argument is not None and argument is not element:
            words.append(argument.text)
        return " ".join(words).replace(UNKNOWN, "…")

    @property
    def location(self) -> Location | None:
        """Where it is written."""
        return self.what.location if isinstance(self.what, Noted) else self.what.element.location


class Reply(NamedTuple):
    """A refusal: its code and the number of the step that caused it (-1: none did)."""

    code: int
    step: int


class State(NamedTuple):
    """What smtpd remembers between restrictions."""

    defer_if_permit: Reply | None = None
    defer_if_reject: Reply | None = None
    warn_if_reject: int = 0
    discard: bool = False
    recipient_checked: bool = False
    sender_checked: bool = False


class Outcome(NamedTuple):
    """One possible end of the dialogue: where it is, and the refusal that ends it, if one does.

    ``discarded``: the mail is taken and thrown away.
    """

    stage: Stage
    refusal: Reply | None
    discarded: bool = False

    @property
    def accepted(self) -> bool:
        return self.refusal is None


class Evaluation(NamedTuple):
    """All that can come of a session, and every step that was looked at."""

    session: Session
    steps: tuple[Step, ...]
    outcomes: frozenset[Outcome]
    asked: frozenset[str] = frozenset()
    """The fields of the session that the outcomes depend on, but for two things: any address that
    is none may be refused before the restrictions, and mynetworks looks at the client's."""

    @property
    def accepted(self) -> bool | None:
        """Whether mail is taken for the recipient; None when that can not be known."""
        answers = {outcome.accepted for outcome in self.outcomes}
        return answers.pop() if len(answers) == 1 else None

    @property
    def relayed(self) -> bool | None:
        """Whether mail is taken and passed on; None when that can not be known."""
        answers = {outcome.accepted and not outcome.discarded for outcome in self.outcomes}
        return answers.pop() if len(answers) == 1 else None

    @property
    def recipient_classes(self) -> frozenset[int]:
        """The possible reply classes up to RCPT TO: 2, 4, 5."""
        return frozenset(
            2
            if outcome.refusal is None or outcome.stage in ("data", "end of data")
            else outcome.refusal.code // 100
            for outcome in self.outcomes
        )

    @property
    def classes(self) -> frozenset[int]:
        """The possible reply classes of the whole dialogue."""
        return frozenset(
            2 if outcome.refusal is None else outcome.refusal.code // 100
            for outcome in self.outcomes
        )

    @property
    def refusals(self) -> list[tuple[Reply, Step | None]]:
        """The possible refusals with the steps that cause them, in their order."""
        replies = {outcome.refusal for outcome in self.outcomes if outcome.refusal is not None}
        return [(reply, self.step(reply.step)) for reply in sorted(replies, key=_order)]

    def step(self, number: int) -> Step | None:
        """The step of that number."""
        return self.steps[number] if 0 <= number < len(self.steps) else None


class Decision(NamedTuple):
    """The word that decides: a restriction in a list, or the list itself when it lacks one."""

    restriction: str
    parameter: str
    location: Location | None
    reason: str = ""


def _order(reply: Reply) -> tuple[int, int]:
    return reply.step, reply.code
