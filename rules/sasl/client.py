"""SASL: logins of this host at other servers."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from postlint.analysis.auth import password_entries
from postlint.analysis.mechanisms import security_options
from postlint.analysis.nexthops import next_hops
from postlint.analysis.templates import has_control_lines
from postlint.analysis.tls import tls_of
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.nexthops import NextHop
    from postlint.analysis.tls import ClientTls
    from postlint.config.instance import Instance

_LARGEST_TABLE = 10_000


def _relay_host(instance: Instance) -> NextHop | None:
    """The one relay host, if it is known and another host."""
    hops = next_hops(instance.main["relayhost"])
    if len(hops) != 1 or not hops[0].element.known or hops[0].problem or hops[0].is_loopback:
        return None
    return hops[0]


def _logs_in(client: ClientTls) -> bool:
    service, prefix = client.service, client.prefix
    return bool(service[f"{prefix}_sasl_auth_enable"].yes) and (
        service[f"{prefix}_sasl_password_maps"].empty is False
    )


@rule("SASL013", severity=Severity.ERROR, security=7.5, tags=("CWE-319", "CWE-522", "CWE-523"))
def client_auth_cleartext(instance: Instance) -> Iterator[Finding]:
    """The password for the relay host can be sent in clear text.

    Why: At the level may Postfix goes on without TLS when the offer of STARTTLS is missing, and
        somebody on the way can take it out. Without "noplaintext" in
        smtp_sasl_security_options the password then goes over the wire as it is.
    Fix: Set smtp_tls_security_level = encrypt, better secure, for the relay host.
    Bad:
        relayhost = [mail.example.org]:587
        smtp_tls_security_level = may
        smtp_sasl_auth_enable = yes
        smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
        smtp_sasl_security_options = noanonymous
    Good:
        relayhost = [mail.example.org]:587
        smtp_tls_security_level = secure
        smtp_tls_CAfile = /etc/ssl/ca.pem
        smtp_sasl_auth_enable = yes
        smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
        smtp_sasl_security_options = noanonymous
    References: SASL_README, postconf(5) smtp_sasl_security_options, TLS_README
    """
    hop = _relay_host(instance)
    client = tls_of(instance).internet
    if client is None or not _logs_in(client) or has_control_lines(instance):
        return
    if hop is None and instance.main["relayhost"].empty is not True:
        return
    service, prefix = client.service, client.prefix
    if hop is None and not tls_of(instance).policies(service).empty:
        return  # a policy may require TLS for the server
    from postlint.analysis.client_policies import client_policy

    policy = client_policy(service, None if hop is None else hop.text)
    whom = "the password for " + ("a server" if hop is None else hop.text)
    by_policy = policy.location if policy.key else None
    place = by_policy or client.cause.value_location
    options = service[f"{prefix}_sasl_security_options"]
    words = security_options(service, options.name)
    enable = service[f"{prefix}_sasl_auth_enable"]
    optional = policy.level in ("none", "may") and not policy.refused
    if optional and words is not None and "noplaintext" not in words:
        location = options.value_location or enable.value_location
        if location is None:
            return
        fix = None
        edit = replace_value(client.cause.setting, "encrypt")
        if edit is not None and client.cause.name.endswith("_level") and by_policy is None:
            fix = Fix("require TLS: level encrypt", (edit,), "unsafe")
        yield Finding(
            location,
            f"{whom} can be sent in clear text: TLS is "
            + ("off" if policy.level == "none" else "optional"),
            severity=Severity.WARNING if hop is None else None,
            security_severity=7.5 if hop is None else None,
            parameter=options.name,
            service=service.label,
            related=() if place is None else (Related("the level", place),),
            fix=fix,
        )
    elif policy.level == "encrypt" and by_policy is None and place is not None:
        yield Finding(
            place,
            f"{whom} is sent to whoever answers: encrypt takes any certificate",
            severity=Severity.INFO,
            parameter=client.cause.name,
            service=service.label,
        )


@rule("SASL014", severity=Severity.ERROR)
def client_auth_incomplete(instance: Instance) -> Iterator[Finding]:
    """The client is to log in at other servers and can not.

    Why: It needs smtp_sasl_auth_enable, a table of passwords, and options that allow what the
        server offers. By default "noplaintext" forbids PLAIN and LOGIN with TLS too, and most
        servers offer nothing else ("no mechanism available").
    Fix: Set all of them: smtp_sasl_auth_enable = yes, smtp_sasl_password_maps, and
        smtp_sasl_tls_security_options = noanonymous with TLS required.
    Bad:
        relayhost = [mail.example.org]:587
        smtp_tls_security_level = encrypt
        smtp_sasl_auth_enable = yes
    Good:
        relayhost = [mail.example.org]:587
        smtp_tls_security_level = encrypt
        smtp_sasl_auth_enable = yes
        smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
        smtp_sasl_tls_security_options = noanonymous
    References: SASL_README, postconf(5) smtp_sasl_auth_enable
    """
    if has_control_lines(instance):
        return
    for prefix in ("smtp", "lmtp"):
        enable = instance.main[f"{prefix}_sasl_auth_enable"]
        maps = instance.main[f"{prefix}_sasl_password_maps"]
        clients = [client for client in tls_of(instance).clients if client.prefix == prefix]
        if not clients:
            continue
        if enable.yes and maps.empty is True and instance.whole_main_cf:
            location = enable.value_location
            needed = [
                client
                for client in clients
                if client.service[maps.name].empty is not False and client.service[enable.name].yes
            ]
            if needed and location is not None:
                yield Finding(
                    location,
                    f"{enable.name} = yes without {maps.name}: there is no password to log in with",
                    parameter=maps.name,
                )
        elif maps.empty is False and enable.yes is False and instance.whole:
            location = maps.value_location
            used = any(client.service[enable.name].yes is not False for client in clients)
            if not used and location is not None:
                yield Finding(
                    location,
                    f"{maps.name} without {enable.name} = yes: the client never logs in",
                    parameter=enable.name,
                )
    yield from _no_mechanism(instance)


def _no_mechanism(instance: Instance) -> Iterator[Finding]:
    """PLAIN and LOGIN are forbidden with TLS too."""
    hop = _relay_host(instance)
    client = tls_of(instance).internet
    if hop is None or client is None or not _logs_in(client):
        return
    service, prefix = client.service, client.prefix
    names = [f"{prefix}_sasl_{kind}security_options" for kind in ("", "tls_", "tls_verified_")]
    options = [security_options(service, name) for name in names]
    if not all(words is not None and "noplaintext" in words for words in options):
        return
    explicit = [place for name in names if (place := service[name].value_location) is not None]
    location = explicit[-1] if explicit else service[f"{prefix}_sasl_auth_enable"].value_location
    if location is not None:
        yield Finding(
            location,
            f"{names[1]} has noplaintext{'' if explicit else ' by default'}:"
            f" no login at {hop.text} with PLAIN or LOGIN",
            parameter=names[1],
            service=service.label,
        )


@rule("SASL015", severity=Severity.WARNING)
def password_key_mismatch(instance: Instance) -> Iterator[Finding]:
    """No key of the password table is the relay host, or an entry has no password.

    Why: Postfix looks for the host name of the server, and for the next hop as relayhost spells
        it. With any other spelling it does not log in, and the relay host refuses the mail.
    Fix: Use the text of relayhost as the key, with its brackets and port, and write user:password
        behind it.
    Bad:
        relayhost = [mail.example.org]:587
        smtp_sasl_auth_enable = yes
        smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
        --- sasl_passwd
        [mail.example.org]:25  user:secret
    Good:
        relayhost = [mail.example.org]:587
        smtp_sasl_auth_enable = yes
        smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
        --- sasl_passwd
        [mail.example.org]:587  user:secret
    References: SASL_README, src/smtp/smtp_sasl_glue.c
    """
    client = tls_of(instance).internet
    if client is None or not client.service[f"{client.prefix}_sasl_auth_enable"].yes:
        return
    service, prefix = client.service, client.prefix
    maps = service[f"{prefix}_sasl_password_maps"]
    found = list(islice(password_entries(service), _LARGEST_TABLE + 1))
    if len(found) > _LARGEST_TABLE:
        return
    entries = [entry for entry in found if entry is not None]
    complete = maps.known and len(entries) == len(found)
    delimiter = service[f"{prefix}_sasl_password_result_delimiter"].text or ":"
    if instance.version < (3, 9):
        delimiter = ":"
    for entry in entries:
        if delimiter not in entry.value.text:
            yield Finding(
                entry.key.location,
                f'{entry.key.text}: no "{delimiter}" between user and password,'
                " so that the password is empty",
                severity=Severity.ERROR,
                parameter=maps.name,
            )
    hop = _relay_host(instance)
    place = instance.main["relayhost"].value_location
    if not complete or not entries or hop is None or place is None:
        return
    if any(
        _matches(entry.key.text, hop, service[f"{prefix}_sender_dependent_authentication"].yes)
        for entry in entries
    ):
        return
    key = entries[0].key
    yield Finding(
        key.location,
        f"no key here is the relay host {hop.text}: Postfix does not log in",
        parameter=maps.name,
        related=(Related("the relay host", place),),
    )


def _matches(key: str, hop: NextHop, by_sender: bool | None) -> bool:
    """Whether a key may be looked up for mail through the relay host."""
    text = key.lower()
    if "@" in text:
        return by_sender is not False
    if text in (hop.text.lower(), hop.host.lower()):
        return True
    # Without brackets the servers are the MX hosts of the name, whatever they are called.
    return not hop.bracketed and not hop.is_address and "[" not in text and ":" not in text
