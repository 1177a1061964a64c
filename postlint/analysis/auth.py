"""AUTH per smtpd service: whether it is offered, before or after STARTTLS, and who needs it.

smtpd turns SASL on when a client connects, unless smtpd_tls_auth_only makes it wait for TLS;
where TLS is required it always waits (smtpd.c). What it then offers depends on the security
options, which leave mechanisms out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.mechanisms import security_options
from postlint.analysis.tls import server_tls
from postlint.config.derived import once
from postlint.config.tables import table_references
from postlint.postfix.restrictions import LISTS
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.tls import ServerTls
    from postlint.config.service import Service
    from postlint.syntax.table import TableEntry

Offer: TypeAlias = Literal["never", "after-tls", "cleartext"]
"""When AUTH is announced: not at all, only after the handshake, or at once."""

_STRANGER = "203.0.113.77"
_UNLISTED = "smtpd_reject_unlisted_recipient"
_HARMLESS = frozenset(
    {
        "defer_unauth_destination",
        "permit",
        "permit_auth_destination",
        "permit_mynetworks",
        "permit_sasl_authenticated",
        "reject_unauth_destination",
    }
)
_CERT_PERMITS = frozenset({"permit_tls_clientcerts", "permit_tls_all_clientcerts"})


class Auth(NamedTuple):
    """What an smtpd service does with AUTH.

    ``enabled`` is smtpd_sasl_auth_enable; ``offer`` when AUTH is announced, None when that is
    not known; ``plaintext``: whether mechanisms that send the password itself may be used in
    clear text.
    """

    service: Service
    tls: ServerTls
    enabled: bool | None
    offer: Offer | None
    plaintext: bool | None


@once
def auth_of(service: Service) -> Auth:
    """AUTH of an smtpd service."""
    tls = server_tls(service)
    enabled = service["smtpd_sasl_auth_enable"].yes
    return Auth(service, tls, enabled, _offer(service, tls, enabled), _plaintext(service))


def permits_certificates(service: Service) -> bool:
    """Whether a restriction list lets clients in by their certificate."""
    return any(
        element.text.lower() in _CERT_PERMITS
        for name in LISTS
        for element in service[name].elements()
    )


def hides_keyword(service: Service, keyword: str) -> bool | None:
    """Whether a server leaves an EHLO keyword out for strangers.

    A table by client address, where it has an answer, takes the place of the list.
    """
    name = f"{service.program}_discard_ehlo_keywords"
    for_client = _keywords_for_stranger(service)
    if for_client is None:
        return None
    keywords = service[name]
    texts = [element.text for element in keywords.elements(braces=False)]
    known = keywords.problem is None and keywords.known
    if for_client:
        texts, known = for_client, True
    if any(text.lower() == keyword for text in texts):
        return True
    return False if known else None


def _keywords_for_stranger(service: Service) -> list[str] | None:
    """What the table by address says to a client from elsewhere; None: not known."""
    maps = service[f"{service.program}_discard_ehlo_keyword_address_maps"]
    if maps.empty:
        return []
    from postlint.analysis.access_tables import access_table

    for element in maps.elements():
        found = access_table(service.instance, element).look_up(((_STRANGER, False),))
        if found.unknown or found.error:
            return None
        if found.value is not None:
            return found.value.replace(",", " ").split()
    return [] if maps.problem is None else None


def accepts_strangers(service: Service) -> bool | None:
    """Whether mail of an outside client that is nobody's user gets in, for a domain of this host.

    None where that depends on what can not be known, and where smtpd does not start.
    """
    from postlint.analysis.relay import explain, relay_verdict
    from postlint.analysis.relay_session import Session

    if relay_verdict(service).status == "fatal":
        return None
    recipient = _own_recipient(service)
    if recipient is None:
        return True if _lets_all_in(service) else None
    session = Session(
        _STRANGER, "client.example.net", "somebody@example.net", recipient, outsider=True
    )
    evaluation = explain(service, session)
    answers = set()
    for outcome in evaluation.outcomes:
        step = evaluation.step(outcome.refusal.step) if outcome.refusal is not None else None
        answers.add(outcome.accepted or (step is not None and step.parameter == _UNLISTED))
    return answers.pop() if len(answers) == 1 else None


def password_entries(service: Service) -> Iterator[TableEntry | None]:
    """The entries of the tables with passwords of an SMTP client; None for a table not read.

    The tables are those of the instance, whose contents reports keep back.
    """
    for reference in table_references(service[f"{service.program}_sasl_password_maps"]):
        entries: Iterable[TableEntry] | None = None
        for table in service.instance.tables:
            if (table.type, table.name) == (reference.type, reference.name):
                entries = table.indexed
        if entries is None:
            yield None
        else:
            yield from (entry for entry in entries if entry.problem is None)


def _own_recipient(service: Service) -> str | None:
    """An address in a domain that is certainly delivered here."""
    for name in ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains"):
        for element in service.instance.main[name].elements():
            text = element.text
            if element.known and ":" not in text and text[0] not in "!/.[" and "." in text:
                return f"somebody@{text}"
    return None


def _lets_all_in(service: Service) -> bool:
    """Whether no list has anything in it that could keep mail for a domain of this host out."""
    from postlint.analysis.restrictions import restriction_lists

    if service.instance.main["mydestination"].empty is not False:
        return False
    for restrictions in restriction_lists(service):
        for item in restrictions.items:
            name = item.element.text.lower()
            if item.kind != "restriction" or name not in _HARMLESS:
                return False
            if name == "permit":
                break
    return True


def _offer(service: Service, tls: ServerTls, enabled: bool | None) -> Offer | None:
    if enabled is False:
        return "never"
    hidden = hides_keyword(service, "auth")
    if hidden:
        return "never"
    only = service["smtpd_tls_auth_only"].yes
    if enabled is None or hidden is None or tls.mode in (None, "fatal"):
        return None
    if tls.mandatory:
        return "after-tls"
    if only is None:
        return None
    if tls.mode == "none":
        return "never" if only else "cleartext"
    return "after-tls" if only else "cleartext"


def _plaintext(service: Service) -> bool | None:
    options = security_options(service, "smtpd_sasl_security_options")
    return None if options is None else "noplaintext" not in options
