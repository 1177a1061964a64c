"""What each smtpd restriction answers to one client (smtpd_check.c), where that can be known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.host_names import is_host_name, is_numeric
from postlint.analysis.own_addresses import own_address
from postlint.analysis.public_authorities import anybody_has_certificate
from postlint.analysis.relay_access import AccessAnswers
from postlint.analysis.relay_answers import (
    BAD_FILTER,
    DUNNO,
    ENDLESS,
    FINAL,
    NO_RESTRICTION,
    Answer,
    valid_filter,
)
from postlint.analysis.relay_session import UNKNOWN_NAME

if TYPE_CHECKING:
    from postlint.analysis.destinations import AddressClass
    from postlint.analysis.domains import Match
    from postlint.analysis.relay_answers import AnswerKind
    from postlint.analysis.restrictions import Item


class Checks(AccessAnswers):
    """Answers for one session on one service."""

    __slots__ = ()

    def answers(self, item: Item) -> tuple[Answer, ...]:
        """What smtpd can answer to an item of a list."""
        if item.kind == "unknown":
            return self.anything("not known before the file is filled in", certain=False)
        if item.kind == "class":
            return (Answer("error", 421, ENDLESS),)
        restriction = item.restriction
        if item.kind == "word" or restriction is None:
            if item.flaw == "table without restriction":
                return self._error("a bare table says nothing here")
            if not self.lists.classes_known or not item.certain:
                return self.anything("perhaps a restriction class", certain=False)
            if self.session.mended:
                return (DUNNO,)
            return self._error(NO_RESTRICTION)
        if item.flaw is not None:
            return self._flawed(item)
        if item.argument is not None and not item.argument.known:
            if restriction.argument == "domain":
                return self._maybe(Answer("reject", 554, "a DNS list"))
            return self.anything("its argument is not known", certain=False)
        name = restriction.alias_of or restriction.name
        if restriction.argument == "table" and item.argument is not None:
            return self._access(name, item.argument)
        if restriction.argument == "domain":
            return self._dns_list(name, item.argument.text if item.argument is not None else "")
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
                if self.session.login:
                    return (Answer("permit", reason="logged in"),)
                return (Answer("dunno", reason="not logged in"),)
            case "permit_tls_clientcerts" | "permit_tls_all_clientcerts":
                return self._certificate(name)
            case "check_policy_service":
                return self.anything("a policy server decides")
            case "reject_plaintext_session":
                return self._plaintext()
            case "reject_unknown_client_hostname" | "reject_unknown_reverse_client_hostname":
                if self.name != UNKNOWN_NAME:
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
        peer = self.session.peer or self.address  # XCLIENT does not change what counts
        match None if self.session.outsider else own_address(self.service, peer):
            case True:
                return (Answer("permit", reason="an address of this host"),)
            case False:
                return (Answer("dunno", reason="not an address of this host"),)
        if self.session.outsider:
            return (Answer("dunno", reason="not an address of this host"),)
        return (DUNNO, Answer("permit", reason="the addresses of the host are not known"))

    def _certificate(self, name: str) -> tuple[Answer, ...]:
        nothing = Answer("dunno", reason="no client certificate")
        if name == "permit_tls_clientcerts" or not self.session.outsider:
            return (nothing,)
        public = anybody_has_certificate(self.service)
        if public is None or self._no_tls():
            return (nothing,)
        why = f"anybody can get a certificate, and {public.reason}"
        return (nothing._replace(reason=why), Answer("permit", reason=why))

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
        code = (
            ("non_fqdn_reject_code", 504)
            if "non_fqdn" in name
            else ("invalid_hostname_reject_code", 501)
        )
        bare = helo[:-1] if helo.endswith(".") and not helo.endswith("..") else helo
        if literal:
            if re.fullmatch(r"\[(?:[0-9.]+|ipv6:[0-9a-f:.]+)\]", helo, re.IGNORECASE):
                return (DUNNO,)
            return (self._reject("invalid_hostname_reject_code", 501, "not an address"),)
        address = is_numeric(bare)
        valid = is_host_name(bare)
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
                return self._authorized(
                    Answer("permit", reason="a destination of this host"), DUNNO
                )
            case "check_relay_domains":
                refuse = self._reject("relay_domains_reject_code", 554, "not one of this host")
                if self.destinations.relays_for(self.service, self.name):
                    return (Answer("permit", reason="the client's name is in relay_domains"),)
                return self._authorized(
                    Answer("permit", reason="a destination of this host"), refuse
                )
            case "permit_mx_backup":
                permit = Answer("permit", reason="its MX record names this host")
                other: tuple[Answer, ...] = (DUNNO,) if self.session.outsider else (DUNNO, permit)
                if self.session.mx_backup:
                    other = (permit,)
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
        if is_host_name(bare) and "." in bare:
            return (DUNNO,)
        return (self._reject("non_fqdn_reject_code", 504, "no full domain"),)

    def _naked_address(self) -> tuple[Answer, ...]:
        helo = self.helo
        if helo is not None and re.fullmatch(
            r"[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*", helo
        ):
            return (Answer("permit", reason="HELO is a bare address"),)
        return (DUNNO,)

    def _dns_list(self, name: str, argument: str) -> tuple[Answer, ...]:
        if name.startswith("permit_"):
            checked = self.stage == "rcpt" and self.recipient is not None
            if checked and self._is_authorized() is False:
                return (Answer("dunno", reason="never permits relaying"),)
            if name == "permit_rhswl_client" and self.name == UNKNOWN_NAME:
                return (DUNNO,)
            if not valid_filter(argument):
                return (Answer("error", 421, BAD_FILTER),)
            return (DUNNO, Answer("permit", reason="a DNS list decides"))
        if name == "reject_rhsbl_helo" and self.helo is None:
            return (DUNNO,)
        if name == "reject_rhsbl_sender" and not self.sender:
            return (DUNNO,)
        if name == "reject_rhsbl_recipient" and self.recipient is None:
            return (DUNNO,)
        if name.endswith("client") and "rhsbl" in name and self.name == UNKNOWN_NAME:
            return (DUNNO,)
        if not valid_filter(argument):
            return (Answer("error", 421, BAD_FILTER),)
        return self._maybe(Answer("reject", 554, "a DNS list decides"))
