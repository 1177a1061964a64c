"""RLY: relay checks where they can not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.list_use import uses
from postlint.lint.finding import Finding, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service

_CHECKS = ("reject_unauth_destination", "defer_unauth_destination", "permit_auth_destination")
_EARLY = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
)
_LATE = {
    "smtpd_data_restrictions": "with several recipients it knows none",
    "smtpd_end_of_data_restrictions": "with several recipients it knows none",
    "smtpd_etrn_restrictions": "there is no recipient",
}


@rule("RLY008", programs=("smtpd",), severity=Severity.WARNING, tags=("SMTPD_ACCESS_README",))
def unauth_destination_in_wrong_list(service: Service) -> Iterator[Finding]:
    """reject_unauth_destination stands in a list that knows no recipient.

    Why: Without a recipient the restriction is passed over without a word, so that it protects
        nothing. That holds for ETRN, at DATA as soon as the message has two recipients, and in
        the client, HELO and sender lists while smtpd_delay_reject is off.
    Fix: Move it to smtpd_relay_restrictions.
    Bad:
        smtpd_relay_restrictions =
        smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_data_restrictions = reject_unauth_destination
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_data_restrictions = reject_unauth_pipelining
    References: SMTPD_ACCESS_README, postconf(5) smtpd_delay_reject, smtpd_check.c
    """
    delay = service["smtpd_delay_reject"]
    for use in uses(service):
        location = use.location
        if use.name not in _CHECKS or location is None or use.item.dead_after is not None:
            continue
        name = use.start.name
        related: tuple[Related, ...] = ()
        if name in _LATE:
            reason = _LATE[name]
        elif name in _EARLY and delay.yes is False:
            reason = "smtpd_delay_reject is off, no recipient is known there"
            if delay.value_location is not None:
                related = (Related("this makes smtpd check at once", delay.value_location),)
        else:
            continue
        yield Finding(
            location,
            f"{use.name} does not protect in {name}: {reason}",
            parameter=name,
            related=related,
        )
