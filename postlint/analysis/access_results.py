"""Right-hand sides of access tables as smtpd acts on them (smtpd_check.c, check_table_result)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.numbers import integer
from postlint.postfix.actions import access_actions, is_reply
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.postfix.versions import PostfixVersion

ResultKind: TypeAlias = Literal[
    "dunno",  # nothing decided, whatever it does to the message
    "permit",  # OK, RELAY, and any number of digits only
    "reject",  # refused with ``code``; None: the code of a parameter
    "defer",  # the same with defer_code
    "defer_if_permit",
    "defer_if_reject",
    "discard",  # accepted and thrown away
    "hangup",  # the connection is closed without a reply
    "error",  # 451 Server configuration error
    "list",  # restrictions, evaluated in place
]

ResultProblem: TypeAlias = Literal[
    "digits",  # digits only: permits, whatever number it is
    "empty",  # an empty value is a lookup error
    "table",  # a lookup table where none is allowed
    "no transport",  # FILTER without transport:destination
    "no address",  # REDIRECT or BCC without user@domain
    "no header",  # PREPEND without header: text
]

_HEADER = LazyPattern(r"[!-9;-~]+[ \t]*:")


class AccessResult(NamedTuple):
    """What one right-hand side does. ``problem``: why it does less or more than it says."""

    kind: ResultKind
    text: str
    code: int | None = None
    problem: ResultProblem | None = None


def parse_access_result(value: str, version: PostfixVersion) -> AccessResult:
    """Read a right-hand side; the order of the tests is smtpd's."""
    if not value:
        return AccessResult("error", value, problem="empty")
    command = re.split(r"[ \t]", value, maxsplit=1)[0]
    text = value[len(command) :].strip(" \t\r\n")
    word = command.upper()
    action = access_actions(version).get(word)
    # OK and RELAY are tested behind the digits, but no text is both.
    if action is not None:
        return _action(word, text, value)
    if value.isascii() and value.isdigit():
        return AccessResult("permit", value, problem="digits")
    if is_reply(command) and text:
        return AccessResult("reject", value, integer(command))
    if ":" in value:
        return AccessResult("error", value, problem="table")
    return AccessResult("list", value)


def _action(word: str, text: str, value: str) -> AccessResult:
    match word:
        case "OK" | "RELAY":
            return AccessResult("permit", value)
        case "REJECT":
            return AccessResult("reject", value)
        case "DEFER":
            return AccessResult("defer", value)
        case "DEFER_IF_PERMIT":
            return AccessResult("defer_if_permit", value)
        case "DEFER_IF_REJECT":
            return AccessResult("defer_if_reject", value)
        case "DISCARD":
            return AccessResult("discard", value)
        case "HANGUP":
            return AccessResult("hangup", value)
    problem: ResultProblem | None = None
    if word == "FILTER" and ":" not in text:
        problem = "no transport"
    elif word in ("REDIRECT", "BCC") and "@" not in text:
        problem = "no address"
    elif word == "PREPEND" and not _HEADER.match(text):
        problem = "no header"
    return AccessResult("dunno", value, problem=problem)
