"""SMTP: line endings and pipelining that let one message become two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.list_use import top_of_main_cf, uses
from postlint.analysis.networks import is_outside
from postlint.analysis.roles import is_public, service_role
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service
    from postlint.postfix.versions import PostfixVersion

_BARE_NEWLINE = "smtpd_forbid_bare_newline"
_PIPELINING = "smtpd_forbid_unauth_pipelining"
_BOOLEAN = frozenset({(3, 5, 23), (3, 6, 13), (3, 7, 9), (3, 8, 4)})
"""The releases that knew only yes and no."""


@rule(
    "SMTP001",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=7.4,
    tags=("CVE-2023-51764", "CWE-345", "RFC 5321"),
)
def smuggling_unprotected(service: Service) -> Iterator[Finding]:
    """Smtpd takes a line that ends in a bare newline for the end of a message.

    Why: A message can then hold a second one, with a sender of its own choice, that another
        server took for text. It arrives with that server's good name and passes SPF and DMARC.
    Fix: Set smtpd_forbid_bare_newline to normalize. Before the releases that have it (3.5.23,
        3.6.13, 3.7.9, 3.8.4) upgrade; as a stopgap refuse pipelining at DATA and discard
        CHUNKING.
    Bad (Postfix 3.7.10):
        myhostname = mx.example.com
    Good (Postfix 3.7.10):
        smtpd_forbid_bare_newline = normalize
    References: postconf(5) smtpd_forbid_bare_newline, CVE-2023-51764, RFC 5321 section 2.3.8
    """
    if is_public(service) is False:
        return
    value = service[_BARE_NEWLINE]
    if value.explicit:
        yield from _switched_off(service)
        return
    if not service.instance.pinned or not _whole(service):
        return
    parameter = parameters.get(_BARE_NEWLINE)
    location = top_of_main_cf(service.instance)
    if parameter is None or location is None:
        return
    if parameter.exists_in(service.version):
        if value.word() == "no":
            yield Finding(
                location,
                f"{_BARE_NEWLINE} is not set, and its default in Postfix {service.version} is no: "
                "messages can be smuggled in",
                parameter=_BARE_NEWLINE,
            )
        return
    if _stopgap(service):
        return
    yield Finding(
        location,
        f"Postfix {service.version} can not refuse bare newlines, and neither pipelining at DATA "
        "nor CHUNKING is switched off: messages can be smuggled in",
        severity=Severity.WARNING,
        security_severity=7.4,
        parameter=_BARE_NEWLINE,
    )


def _whole(service: Service) -> bool:
    """Whether what is not set here is set nowhere: of a lone main.cf, the service on port 25."""
    return service.instance.whole_main_cf and (not service.implicit or service.type == "inet")


def _switched_off(service: Service) -> Iterator[Finding]:
    value = service[_BARE_NEWLINE]
    if value.word() != "no" or value.value_location is None:
        return
    word = "yes" if tuple(service.version) in _BOOLEAN else "normalize"
    edit = replace_value(value.setting, word)
    yield Finding(
        value.value_location,
        f"{_BARE_NEWLINE} = no: a bare newline ends a message, others can be smuggled in",
        parameter=_BARE_NEWLINE,
        fix=None if edit is None else Fix(f"set it to {word}", (edit,), "unsafe"),
    )


def _stopgap(service: Service) -> bool:
    """What helps before the parameter came."""
    keywords = service["smtpd_discard_ehlo_keywords"].text.lower().replace(",", " ").split()
    if "chunking" not in keywords and service.version >= (3, 4):
        return False
    return service[_PIPELINING].yes is True or _refuses_pipelining(service)


def _refuses_pipelining(service: Service) -> bool:
    return any(
        use.name == "reject_unauth_pipelining" and use.start.name == "smtpd_data_restrictions"
        for use in uses(service)
    )


@rule(
    "SMTP002",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.3,
    tags=("CVE-2023-51764",),
)
def smuggling_exclusions_wide(service: Service) -> Iterator[Finding]:
    """Clients from outside are excused from the protection against smuggled messages.

    Why: What smtpd_forbid_bare_newline_exclusions matches may go on ending lines as it likes. The
        default are the clients of mynetworks.
    Fix: List only the old programs of your own that can not do better.
    Bad:
        smtpd_forbid_bare_newline = normalize
        smtpd_forbid_bare_newline_exclusions = 0.0.0.0/0
    Good:
        smtpd_forbid_bare_newline = normalize
        smtpd_forbid_bare_newline_exclusions = $mynetworks
    References: postconf(5) smtpd_forbid_bare_newline_exclusions, CVE-2023-51764
    """
    if is_public(service) is False:
        return
    name = f"{_BARE_NEWLINE}_exclusions"
    value = service[name]
    mynetworks = service["mynetworks"]
    if not (value.explicit or mynetworks.explicit) or service[_BARE_NEWLINE].word() in ("no", None):
        return
    for pattern, network in destinations_of(service.instance).networks(service, name).trusted():
        limit = 16 if network.version == 4 else 32
        if network.prefixlen >= limit or not is_outside(network):
            continue
        location = pattern.element.location or value.value_location
        if location is None:
            continue
        inherited = not value.explicit  # NET001 says what is wrong with mynetworks
        yield Finding(
            location,
            f"{network} is excused by {name}: clients from outside can smuggle messages in",
            severity=Severity.INFO if inherited else None,
            parameter=name,
        )
        return


@rule(
    "SMTP003",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=4.3,
    tags=("RFC 2920", "CWE-345"),
)
def unauth_pipelining(service: Service) -> Iterator[Finding]:
    """Smtpd takes commands before the client may send them.

    Why: Spam programs do not wait for answers, and messages that are smuggled in come the same
        way. Refusing it is the default from Postfix 3.9 on.
    Fix: Set smtpd_forbid_unauth_pipelining to yes, before it came put reject_unauth_pipelining
        into smtpd_data_restrictions.
    Bad (Postfix 3.8.5):
        myhostname = mx.example.com
    Good (Postfix 3.8.5):
        smtpd_forbid_unauth_pipelining = yes
    References: postconf(5) smtpd_forbid_unauth_pipelining, RFC 2920
    """
    if is_public(service) is False:
        return
    if service_role(service) == "msa" or _refuses_pipelining(service):
        return
    value = service[_PIPELINING]
    if value.explicit:
        if value.yes is not False or value.value_location is None:
            return
        edit = replace_value(value.setting, "yes")
        yield Finding(
            value.value_location,
            f"{_PIPELINING} = no: commands that come too early are taken",
            parameter=_PIPELINING,
            fix=None if edit is None else Fix("refuse them", (edit,), "unsafe"),
        )
        return
    if not service.instance.pinned or not _whole(service) or value.yes:
        return
    parameter = parameters.get(_PIPELINING)
    known = parameter is not None and parameter.exists_in(service.version)
    location = top_of_main_cf(service.instance)
    if not known or location is None or not _default_off(service.version):
        return
    yield Finding(
        location,
        f"{_PIPELINING} is not set, and its default in Postfix {service.version} is no: "
        "commands that come too early are taken",
        parameter=_PIPELINING,
    )


def _default_off(version: PostfixVersion) -> bool:
    parameter = parameters.get(_PIPELINING)
    return parameter is not None and parameter.default(version) == "no"
