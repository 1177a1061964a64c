"""What each smtpd restriction answers to one client (smtpd_check.c), where that can be known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from postlint.analysis.access_results import parse_access_result
from postlint.analysis.access_tables import access_table, address_keys, domain_keys, mail_keys
from postlint.analysis.relay_session import UNKNOWN_NAME, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.analysis.access_tables import Found
    from postlint.analysis.destinations import AddressClass, Destinations, Match
    from postlint.analysis.relay_session import Session, Stage
    from postlint.analysis.restrictions import Item, RestrictionLists
    from postlint.config.effective import Element
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
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\Z")
_NUMERIC = re.compile(r"[0-9.]+\Z")


class Checks:
    """Answers for one session on one service. ``stage`` and the three words follow the dialogue."""

    __slots__ = (
        "destinations",
        "helo",
        "lists",
        "recipient",
        "sender",
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
        self.helo: str | None = None
        self.sender: str | None = None
        self.recipient: str | None = None

    # Replies

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

    @staticmethod
    def anything(reason: str) -> tuple[Answer, ...]:
        """What an unknown table or server can do."""
        return (
            Answer("dunno", reason=reason),
            Answer("permit", reason=reason),
            Answer("reject", 554, reason),
            Answer("reject", 450, reason),
        )

    # Restrictions

    def answers(self, item: Item) -> tuple[Answer, ...]:
        """What smtpd can answer to an item of a list."""
        if item.kind == "unknown":
            return self.anything("not known before the file is filled in")
        if item.kind == "class":
            return self._error("restriction classes contain each other")
        restriction = item.restriction
        if item.kind == "word" or restriction is None:
            if item.flaw == "table without restriction":
                return self._error("a bare table says nothing here")
            if not self.lists.classes_known or not item.certain:
                return self.anything("perhaps a restriction class")
            return self._error("not a restriction")
        if item.flaw is not None:
            return self._flawed(item)
        if item.argument is not None and not item.argument.known:
            if restriction.argument == "domain":
                return self._maybe(Answer("reject", 554, "a DNS list"))
            return self.anything("its argument is not known")
        name = restriction.alias_of or restriction.name
        if restriction.argument == "table" and item.argument is not None:
            return self._access(name, item.argument)
        if restriction.argument == "domain":
            return self._dns_list(name)
        return self._plain(name)

    def _flawed(self, item: Item) -> tuple[Answer, ...]:
        restriction = item.restriction
        if restriction is not None and item.flaw == "no argument":
            if restriction.argument == "domain":
                return (Answer("dunno", reason="without a domain it is skipped"),)
            if restriction.argument == "restriction":
                return (Answer("dunno", reason="nothing follows it"),)
        return self._error(item.flaw or "")

    def _plain(self, name: str) -> tuple[Answer, ...]:
        match name:
            case "permit":
                return (Answer("permit"),)
            case "reject":
                return (self._reject("reject_code", 554, ""),)
            case "defer":
                return (self._reject("defer_code", 450, ""),)
            case "defer_if_permit" | "defer_if_reject":
                return (Answer(name, 450),)
            case "permit_mynetworks":
                return self._mynetworks()
            case "permit_inet_interfaces":
                return self._inet_interfaces()
            case "permit_sasl_authenticated":
                return (Answer("dunno", reason="not logged in"),)
            case "permit_tls_clientcerts" | "permit_tls_all_clientcerts":
                return (Answer("dunno", reason="no client certificate"),)
            case "check_policy_service":
                return self.anything("a policy server decides")
            case "reject_plaintext_session":
                return self._plaintext()
            case "reject_unknown_client_hostname" | "reject_unknown_reverse_client_hostname":
                if self.session.name != UNKNOWN_NAME:
                    return (DUNNO,)
                why = "the client has no name"
                return (self._reject("unknown_client_reject_code", 450, why),)
        if "helo" in name:
            return self._helo(name)
        if "sender" in name:
            return self._sender(name)
        if name == "reject_multi_recipient_bounce":
            return (Answer("dunno", reason="one recipient"),)
        if name == "permit_naked_ip_address":
            return self._naked_address()
        if name == "reject_maps_rbl":
            return self._maybe(Answer("reject", 554))
        if self.recipient is not None:
            return self._recipient(name, self.recipient)
        return (DUNNO,)

    def _mynetworks(self) -> tuple[Answer, ...]:
        match self.destinations.trusted(self.service, self.session.address):
            case True:
                return (Answer("permit", reason="the client is in mynetworks"),)
            case False:
                return (Answer("dunno", reason="the client is not in mynetworks"),)
            case "error":
                return self._error("mynetworks has an error")
        if self.session.outsider:
            return (Answer("dunno", reason="a client outside mynetworks"),)
        return (DUNNO, Answer("permit", reason="mynetworks is not known"))

    def _inet_interfaces(self) -> tuple[Answer, ...]:
        if self.session.outsider or self.destinations.foreign_address(self.session.address):
            return (Answer("dunno", reason="not an address of this host"),)
        return (DUNNO, Answer("permit", reason="the addresses of the host are not known"))

    def _plaintext(self) -> tuple[Answer, ...]:
        if self.session.outsider and not self._no_tls():
            return (Answer("dunno", reason="the client can use TLS"),)
        return (self._reject("plaintext_reject_code", 450, "no TLS"),)

    def _no_tls(self) -> bool:
        from postlint.analysis.tls import server_tls

        return server_tls(self.service).mode == "none"

    def _helo(self, name: str) -> tuple[Answer, ...]:
        helo = self.helo
        if helo is None:
            return (Answer("dunno", reason="no HELO name is known"),)
        literal = helo.startswith("[")
        code = ("non_fqdn_reject_code", 504) if "non_fqdn" in name else ("invalid_hostname_reject_code", 501)
        bare = helo[:-1] if helo.endswith(".") and not helo.endswith("..") else helo
        if literal:
            if re.fullmatch(r"\[(?:[0-9.]+|ipv6:[0-9a-f:.]+)\]", helo, re.IGNORECASE):
                return (DUNNO,)
            return (self._reject("invalid_hostname_reject_code", 501, "not an address"),)
        address = _NUMERIC.match(bare) is not None
        valid = _HOST_NAME.match(bare) is not None and not address
        match name:
            case "reject_invalid_helo_hostname":
                return (DUNNO,) if valid or address else (self._reject(*code, "not a host name"),)
            case "reject_non_fqdn_helo_hostname":
                if valid and "." in bare:
                    return (DUNNO,)
                return (self._reject(*code, "not a full host name"),)
        return self._maybe(Answer("reject", 450, "DNS decides"))

    def _sender(self, name: str) -> tuple[Answer, ...]:
        sender = self.sender
        if not sender:
            return (Answer("dunno", reason="no sender is known" if sender is None else "a bounce"),)
        if name == "reject_non_fqdn_sender":
            return self._full_address(sender)
        if name == "reject_unlisted_sender":
            return self._unlisted("sender checked", sender)
        if name.endswith("login_mismatch"):
            return self._login_mismatch(name)
        if name == "reject_unknown_sender_domain" and self.class_of(sender) in FINAL:
            return (DUNNO,)
        return self._maybe(Answer("reject", 450, "DNS or a server decides"))

    def _login_mismatch(self, name: str) -> tuple[Answer, ...]:
        if self.service["smtpd_sasl_auth_enable"].yes is not True:
            return (Answer("dunno", reason="smtpd_sasl_auth_enable is off"),)
        if name == "reject_authenticated_sender_login_mismatch":
            return (Answer("dunno", reason="not logged in"),)
        maps = self.service["smtpd_sender_login_maps"]
        if maps.empty:
            return (Answer("dunno", reason="smtpd_sender_login_maps is empty"),)
        return self._maybe(Answer("reject", 553, "the sender's address has an owner"))

    def _recipient(self, name: str, recipient: str) -> tuple[Answer, ...]:
        match name:
            case "reject_unauth_destination" | "defer_unauth_destination":
                code = self.code("relay_domains_reject_code", 554)
                code -= 100 if name.startswith("defer") else 0
                return self._authorized(
                    DUNNO, Answer("reject", code, "not a destination of this host")
                )
            case "permit_auth_destination":
                return self._authorized(Answer("permit", reason="a destination of this host"), DUNNO)
            case "check_relay_domains":
                refuse = self._reject("relay_domains_reject_code", 554, "not one of this host")
                if self.destinations.relays_for(self.service, self.session.name):
                    return (Answer("permit", reason="the client's name is in relay_domains"),)
                return self._authorized(
                    Answer("permit", reason="a destination of this host"), refuse
                )
            case "permit_mx_backup":
                permit = Answer("permit", reason="its MX record names this host")
                other = (DUNNO,) if self.session.outsider else (DUNNO, permit)
                return tuple(
                    part
                    for answer in self._authorized(permit, DUNNO)
                    for part in ((answer,) if answer.kind == "permit" else other)
                )
            case "reject_non_fqdn_recipient":
                return self._full_address(recipient)
            case "reject_unlisted_recipient":
                return self._unlisted("recipient checked", recipient)
            case "reject_unknown_recipient_domain":
                if self.class_of(recipient) in FINAL:
                    return (DUNNO,)
                return self._maybe(Answer("reject", 450, "DNS decides"))
            case "reject_unverified_recipient":
                return self._maybe(Answer("reject", 450, "a probe decides"))
        return (DUNNO,)

    def _authorized(self, yes: Answer, no: Answer) -> tuple[Answer, ...]:
        match self._is_authorized():
            case True:
                return (yes,)
            case False:
                return (no,)
            case "error":
                return self._error("a list of domains has an error")
        reason = "the domains of this host are not all known"
        return (yes._replace(reason=reason), no._replace(reason=reason))

    def _is_authorized(self) -> Match:
        """permit_auth_destination()."""
        recipient = self.recipient or ""
        found = self.class_of(recipient)
        if found is None or found == "error":
            return found
        return found != "default" and not self.destinations.suspicious(recipient)

    def _unlisted(self, checked: AnswerKind, address: str) -> tuple[Answer, ...]:
        """reject_unlisted_recipient and reject_unlisted_sender."""
        codes, listed = self.unlisted(address)
        refusals = tuple(Answer("reject", code, "the address may be unknown") for code in codes)
        return (Answer(checked), *refusals) if listed else refusals

    def unlisted(self, address: str) -> tuple[tuple[int, ...], bool]:
        """The codes with which an unknown address may be refused; whether it can be known."""
        codes = self.destinations.unlisted_codes(self.service, self.class_of(address))
        return codes, not codes or codes not in ((450,), (550,), (451,)) or (
            self.class_of(address) not in ("default", "error")
        )

    def class_of(self, address: str) -> AddressClass | None:
        """The class of an address; an outsider's is in nobody's list that can not be read."""
        found = self.destinations.address_class(address)
        return "default" if found is None and self.session.outsider else found

    def _full_address(self, address: str) -> tuple[Answer, ...]:
        domain = address.rpartition("@")[2] if "@" in address else ""
        if domain.startswith("[") and domain.endswith("]"):
            return (DUNNO,)
        bare = domain[:-1] if domain.endswith(".") and not domain.endswith("..") else domain
        if _HOST_NAME.match(bare) and "." in bare and not _NUMERIC.match(bare):
            return (DUNNO,)
        return (self._reject("non_fqdn_reject_code", 504, "no full domain"),)

    def _naked_address(self) -> tuple[Answer, ...]:
        helo = self.helo
        if helo is not None and re.fullmatch(r"[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*", helo):
            return (Answer("permit", reason="HELO is a bare address"),)
        return (DUNNO,)

    def _dns_list(self, name: str) -> tuple[Answer, ...]:
        if name.startswith("permit_"):
            if self.stage == "rcpt" and self.recipient is not None:
                if self._is_authorized() is False:
                    return (Answer("dunno", reason="never permits relaying"),)
            if name == "permit_rhswl_client" and self.session.name == UNKNOWN_NAME:
                return (DUNNO,)
            return (DUNNO, Answer("permit", reason="a DNS list decides"))
        if name == "reject_rhsbl_helo" and self.helo is None:
            return (DUNNO,)
        if name == "reject_rhsbl_sender" and not self.sender:
            return (DUNNO,)
        if name == "reject_rhsbl_recipient" and self.recipient is None:
            return (DUNNO,)
        if name.endswith("client") and "rhsbl" in name and self.session.name == UNKNOWN_NAME:
            return (DUNNO,)
        return self._maybe(Answer("reject", 554, "a DNS list decides"))

    # Access tables

    def _access(self, name: str, table: Element) -> tuple[Answer, ...]:
        if name == "check_ccert_access":
            return (Answer("dunno", reason="no client certificate"),)
        if name == "check_sasl_access":
            return (Answer("dunno", reason="not logged in"),)
        if name == "check_etrn_access":
            return (Answer("dunno", reason="no ETRN"),)
        if name.endswith(("_mx_access", "_ns_access", "_a_access")):
            return self._server_access(name, table)
        keys = self._keys(name)
        if keys is None:
            return (Answer("dunno", reason="what it checks is not known here"),)
        if table.text.startswith("{"):
            return self._error("only check_ccert_access takes a table in braces")
        source = access_table(self.service, table)
        key_list = list(keys)
        found = source.look_up(key_list)
        if found.error:
            return self._error(found.error)
        if found.unknown:
            return self.anything(f"{table.text} can not be read")
        if found.value is None:
            return (Answer("dunno", reason=f"{key_list[0][0]} is not in {table.text}"),)
        return self._result(name, found, table)

    def _keys(self, name: str) -> Iterable[tuple[str, bool]] | None:
        parents = self.destinations.access_parents(self.service)
        session = self.session
        match name:
            case "check_client_access" | "check_reverse_client_hostname_access":
                return (*domain_keys(session.name, parents), *address_keys(session.address))
            case "check_helo_access":
                return None if self.helo is None else domain_keys(self.helo, parents)
            case "check_sender_access":
                if self.sender is None:
                    return None
                if not self.sender:
                    return ((self.service["smtpd_null_access_lookup_key"].text, False),)
                address = self.destinations.complete(self.sender)
                return mail_keys(address, parents, self._delimiters())
            case "check_recipient_access":
                if self.recipient is None:
                    return None
                address = self.destinations.complete(self.recipient)
                return mail_keys(address, parents, self._delimiters())
        return None

    def _delimiters(self) -> str:
        value = self.service["recipient_delimiter"]
        return value.text if value.known else ""

    def _server_access(self, name: str, table: Element) -> tuple[Answer, ...]:
        what = {"h": self.helo, "s": self.sender, "r": self.recipient}.get(
            name.removeprefix("check_")[0], None
        )
        if name.startswith(("check_client", "check_reverse")):
            if self.session.name == UNKNOWN_NAME:
                return (DUNNO,)
        elif not what:
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
