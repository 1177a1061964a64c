"""What access tables answer to one client (smtpd_check.c, check_access() and its relatives)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from postlint.analysis.access_keys import address_keys, domain_keys, mail_keys
from postlint.analysis.access_results import parse_access_result
from postlint.analysis.access_tables import access_table
from postlint.analysis.relay_answers import (
    DUNNO,
    REVERSE_CLIENT,
    SERVER_ERROR,
    Answer,
    Answers,
)
from postlint.analysis.relay_session import UNKNOWN_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.analysis.access_tables import Found
    from postlint.config.effective import Element


class AccessAnswers(Answers):
    """The checks of tables."""

    __slots__ = ()

    def _access(self, name: str, table: Element) -> tuple[Answer, ...]:
        if name == "check_ccert_access":
            return (Answer("dunno", reason="no client certificate"),)
        if name == "check_sasl_access":
            return (Answer("dunno", reason="not logged in"),)
        if name == "check_etrn_access":
            return (Answer("dunno", reason="no ETRN"),)
        if name.endswith(("_mx_access", "_ns_access", "_a_access")):
            return self._server_access(name)
        keys = self._keys(name)
        if keys is None:
            return (Answer("dunno", reason="what it checks is not known here"),)
        if table.text.startswith("{"):
            return self._error("only check_ccert_access takes a table in braces")
        source = access_table(self.service.instance, table)
        key_list = list(keys)
        found = source.look_up(key_list)
        if found.error:  # an answer like any other: warn_if_reject hides it
            return (Answer("reject", SERVER_ERROR, found.error),)
        if found.filled_in and "$" in (found.value or "").split(maxsplit=1)[0]:
            return self.anything(f"{table.text} answers with a part of what was asked")
        if found.unknown:
            exact = not re.match(r"(?:proxy:)?(?:cidr|pcre|regexp|tcp|static):", table.text)
            return self.anything(f"{table.text} can not be read", listed_only=exact)
        if found.value is None:
            return (Answer("dunno", reason=f"{key_list[0][0]} is not in {table.text}"),)
        return self._result(name, found, table)

    def _keys(self, name: str) -> Iterable[tuple[str, bool]] | None:
        parents = self.destinations.access_parents(self.service)
        match name:
            case "check_client_access" | "check_reverse_client_hostname_access":
                return (*domain_keys(self.name, parents), *address_keys(self.address))
            case "check_helo_access":
                return None if self.helo is None else domain_keys(self.helo, parents)
            case "check_sender_access":
                if self.sender is None:
                    return None
                if not self.sender:
                    return ((self.service["smtpd_null_access_lookup_key"].text, False),)
                address = self.destinations.complete(self.sender).lower()
                return mail_keys(address, parents, self._delimiters())
            case "check_recipient_access":
                if self.recipient is None:
                    return None
                address = self.destinations.complete(self.recipient).lower()
                return mail_keys(address, parents, self._delimiters())
        return None

    def _delimiters(self) -> str:
        value = self.service["recipient_delimiter"]
        return value.text if value.known else ""

    def _server_access(self, name: str) -> tuple[Answer, ...]:
        subject = name.split("_")[1]
        if subject in ("client", "reverse"):
            if self.name == UNKNOWN_NAME:
                return (DUNNO,)
        elif subject not in ("helo", "sender", "recipient") or not getattr(self, subject):
            return (DUNNO,)
        return self._maybe(Answer("reject", 554, "DNS decides"))

    def _result(self, name: str, found: Found, table: Element) -> tuple[Answer, ...]:
        value = found.value or ""
        result = parse_access_result(value, self.service.version)
        reason = f'{found.key} in {table.text} gives "{value}"'
        match result.kind:
            case "dunno":
                return (Answer("dunno", reason=reason),)
            case "permit" | "discard":
                return self._permitted(name, result.kind, reason)
            case "reject":
                code = result.code or self.code("access_map_reject_code", 554)
                return (Answer("reject", code, reason),)
            case "defer":
                return (self._reject("access_map_defer_code", 450, reason),)
            case "defer_if_permit" | "defer_if_reject":
                code = self.code("access_map_defer_code", 450)
                return (Answer(result.kind, code, reason),)
            case "hangup":
                return (Answer("reject", 421, reason),)
            case "list":
                forbidden = name == REVERSE_CLIENT
                return (Answer("list", 0, reason, value, found.location, forbidden),)
        return self._error(reason)

    def _permitted(
        self, name: str, kind: Literal["permit", "discard"], reason: str
    ) -> tuple[Answer, ...]:
        if kind == "discard":
            filtered = self.service["smtpd_proxy_filter"].empty is False
            if filtered or (self.sender is None and self.stage in ("connect", "helo")):
                return (Answer("dunno", reason=reason),)
            return (Answer("discard", reason=reason),)
        if name == REVERSE_CLIENT:
            return self._error(f"{reason}, and that table must not permit")
        if name == "check_recipient_access" and self.destinations.suspicious(self.recipient or ""):
            return (Answer("dunno", reason=f"{reason}, not for a source route"),)
        return (Answer("permit", reason=reason),)
