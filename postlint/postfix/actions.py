"""Right-hand sides: what access tables and header or body checks may answer.

Sources: src/smtpd/smtpd_check.c check_table_result(), access(5);
src/cleanup/cleanup_message.c cleanup_act(), src/global/header_body_checks.c,
header_checks(5).  Action names ignore case.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = [
    "ACCESS_ACTIONS",
    "ACCESS_EMPTY_VALUE",
    "CHECK_ACTIONS",
    "SMTP_CHECK_ACTIONS",
    "Action",
    "ActionArgument",
    "access_actions",
    "check_actions",
    "is_reply",
]

ActionArgument = Literal["none", "optional text", "text", "transport", "address", "header"]
"""What follows the name; "transport" is ``transport:destination``, "header" ``Name: text``."""

ACCESS_EMPTY_VALUE: Final = "OK"
"""An access table with an empty value gets a warning and counts as this."""


class Action(NamedTuple):
    """One action name."""

    name: str
    first: str
    """First series; "1.1" also stands for earlier."""
    argument: ActionArgument
    answer: Literal["permit", "reject", "defer", "dunno", "change"]
    """What it decides; "change" does something to the message and goes on."""
    note: str = ""

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether *version* knows it."""
        return version.at_least(self.first)


def _table(*actions: Action) -> dict[str, Action]:
    return {action.name: action for action in actions}


ACCESS_ACTIONS: Final[dict[str, Action]] = _table(
    Action("BCC", "2.5", "address", "change", "documented since 3.0"),
    Action("DEFER", "2.6", "optional text", "defer"),
    Action("DEFER_IF_PERMIT", "2.0", "optional text", "defer"),
    Action("DEFER_IF_REJECT", "2.0", "optional text", "defer"),
    Action("DISCARD", "2.0", "optional text", "change", "not in smtpd_etrn_restrictions"),
    Action("DUNNO", "1.1", "none", "dunno"),
    Action("FILTER", "2.0", "transport", "change", "not in smtpd_etrn_restrictions"),
    Action("HANGUP", "3.0", "none", "reject", "a test feature"),
    Action("HOLD", "2.0", "optional text", "change", "not in smtpd_etrn_restrictions"),
    Action("INFO", "3.0", "optional text", "change"),
    Action("OK", "1.1", "none", "permit"),
    Action("PREPEND", "2.1", "header", "change", "not in smtpd_end_of_data_restrictions"),
    Action("REDIRECT", "2.1", "address", "change", "not in smtpd_etrn_restrictions"),
    Action("REJECT", "1.1", "optional text", "reject"),
    Action("RELAY", "1.1", "none", "permit"),
    Action("WARN", "2.1", "optional text", "change"),
)
"""Actions of access(5).  Besides: a reply code with text (is_reply), a number of digits only
(OK), or restrictions and restriction classes, but no type:table."""

CHECK_ACTIONS: Final[dict[str, Action]] = _table(
    Action("BCC", "3.0", "address", "change"),
    Action("DISCARD", "2.0", "optional text", "change"),
    Action("DUNNO", "2.1", "none", "dunno"),
    Action("FILTER", "2.0", "transport", "change"),
    Action("HOLD", "2.0", "optional text", "change"),
    Action("IGNORE", "1.1", "none", "change"),
    Action("INFO", "2.8", "optional text", "change"),
    Action("OK", "1.1", "none", "dunno", "kept for compatibility"),
    Action("PASS", "3.2", "optional text", "permit"),
    Action("PREPEND", "2.1", "text", "change"),
    Action("REDIRECT", "2.1", "address", "change"),
    Action("REJECT", "1.1", "optional text", "reject"),
    Action("REPLACE", "2.2", "text", "change"),
    Action("STRIP", "3.2", "optional text", "change"),
    Action("WARN", "1.1", "optional text", "change"),
)
"""Actions of header_checks(5) in cleanup: header, MIME, nested, body and Milter header checks."""

SMTP_CHECK_ACTIONS: Final = frozenset(
    {"DUNNO", "IGNORE", "INFO", "OK", "PREPEND", "REPLACE", "STRIP", "WARN"}
)
"""Those that smtp_header_checks and its relatives in the SMTP and LMTP clients know."""


@lru_cache(maxsize=32)
def access_actions(version: PostfixVersion) -> dict[str, Action]:
    """The actions of access tables in *version*."""
    return {name: action for name, action in ACCESS_ACTIONS.items() if action.exists_in(version)}


def check_actions(version: PostfixVersion, *, client: bool = False) -> dict[str, Action]:
    """The actions of header and body checks in *version*; *client*: in smtp and lmtp."""
    return {
        name: action
        for name, action in CHECK_ACTIONS.items()
        if action.exists_in(version) and (not client or name in SMTP_CHECK_ACTIONS)
    }


def is_reply(word: str) -> bool:
    """Whether the first word of an access result is a reply code, 4NN or 5NN; text must follow."""
    return len(word) == 3 and word.isascii() and word.isdigit() and word[0] in "45"
