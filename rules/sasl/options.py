"""SASL: mechanisms, security options and the backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import auth_of
from postlint.analysis.mechanisms import security_options
from postlint.analysis.tls import explicit_values
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix import enums
from postlint.postfix.services import field_default

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service

_SERVER = "smtpd_sasl_security_options"
_SERVER_TLS = "smtpd_sasl_tls_security_options"
_OPTIONS = tuple(
    f"{side}_sasl_{kind}security_options"
    for side in ("smtpd", "smtp", "lmtp")
    for kind in ("", "tls_", "tls_verified_")
)
_BACKENDS = frozenset({"cyrus", "dovecot"})


@rule("SASL008", severity=Severity.ERROR, security=9.1, tags=("CWE-287",))
def anonymous_mech(instance: Instance) -> Iterator[Finding]:
    """Anonymous logins are allowed.

    Why: Without "noanonymous" in the options everybody can log in with the mechanism ANONYMOUS
        if the backend has it, and is then trusted as a user: the server relays for the world.
    Fix: Put noanonymous into the list; the default has it.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_sasl_security_options =
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_sasl_security_options = noanonymous, noactive
    References: postconf(5) smtpd_sasl_security_options, SASL_README
    """
    for service in instance.services_running("smtpd"):
        if not service["smtpd_sasl_auth_enable"].yes:
            continue
        for name in (_SERVER, _SERVER_TLS):
            value = service[name]
            options = security_options(service, name)
            location = value.value_location
            if location is None or options is None or "noanonymous" in options:
                continue
            if _leaves_anonymous_out(service):
                continue
            place = value.setting.value
            fix = None
            if place is not None and "$" not in place.text:
                text = f"{place.text}, noanonymous" if place.text else " noanonymous"
                fix = Fix("add noanonymous", (Edit(place.location, text),), "safe")
            yield Finding(
                location,
                f"{name} lacks noanonymous: whoever logs in as ANONYMOUS is taken for a user",
                parameter=name,
                service=service.label,
                fix=fix,
            )


def _leaves_anonymous_out(service: Service) -> bool:
    """Whether a filter takes the mechanism away, or may (Postfix 3.6)."""
    words = service["smtpd_sasl_mechanism_filter"]
    if words.setting.explicit and not words.known:
        return True
    texts = [element.text.lower() for element in words.elements(braces=False)]
    if not words.setting.explicit or not texts:
        return False
    return "!anonymous" in texts or ("anonymous" not in texts and "static:rest" not in texts)


@rule("SASL009", severity=Severity.ERROR)
def noplaintext_kills_logins(instance: Instance) -> Iterator[Finding]:
    """Mechanisms that send the password are forbidden where there are no others.

    Why: Dovecot usually knows no other mechanisms than PLAIN and LOGIN. When the options leave
        none of them, smtpd dies with "no SASL authentication mechanisms" as soon as it would
        offer AUTH. What is set for clear text holds for TLS too, unless
        smtpd_sasl_tls_security_options is set.
    Fix: Set smtpd_sasl_tls_security_options = noanonymous and smtpd_tls_auth_only = yes.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_security_level = may
        smtpd_sasl_type = dovecot
        smtpd_sasl_path = private/auth
        smtpd_sasl_security_options = noanonymous, noplaintext
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_security_level = may
        smtpd_tls_auth_only = yes
        smtpd_sasl_type = dovecot
        smtpd_sasl_path = private/auth
        smtpd_sasl_security_options = noanonymous, noplaintext
        smtpd_sasl_tls_security_options = noanonymous
    References: postconf(5) smtpd_sasl_tls_security_options, SASL_README
    """
    for service in instance.services_running("smtpd"):
        offer = auth_of(service).offer
        if service["smtpd_sasl_type"].word() != "dovecot" or offer in (None, "never"):
            continue  # Cyrus SASL has mechanisms for it
        for name in (_SERVER_TLS, _SERVER):
            value = service[name]
            options = security_options(service, name)
            location = value.value_location or service[_SERVER].value_location
            if options is None or "noplaintext" not in options or location is None:
                continue
            if name == _SERVER and offer != "cleartext":
                continue
            where = "after STARTTLS too" if name == _SERVER_TLS else "before STARTTLS"
            yield Finding(
                location,
                f"noplaintext holds {where}: with PLAIN and LOGIN alone smtpd dies of it",
                severity=None if name == _SERVER_TLS else Severity.WARNING,
                parameter=name,
                service=service.label,
            )
            break


@rule("SASL010", severity=Severity.ERROR)
def bad_security_option(instance: Instance) -> Iterator[Finding]:
    """A SASL security option does not exist.

    Why: smtpd ends with a fatal error as soon as a client connects, and so does the client with
        its own list.
    Fix: Take noplaintext, noactive, nodictionary, noanonymous, mutual_auth or forward_secrecy.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_sasl_security_options = noanon
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_sasl_security_options = noanonymous
    References: postconf(5) smtpd_sasl_security_options
    """
    for service, value in explicit_values(instance, _OPTIONS):
        facts = enums.get(value.name, instance.version)
        if facts is None:
            continue
        for element in value.elements(braces=False):
            location = element.location or value.value_location
            if not element.known or location is None:
                continue
            if facts.accepts(element.text.lower(), instance.version):
                continue
            daemon = value.name.partition("_")[0]
            near = [word for word in facts.values(instance.version) if _near(element.text, word)]
            fix = None
            if len(near) == 1 and element.location is not None:
                fix = Fix(f"write {near[0]}", (Edit(element.location, near[0]),), "safe")
            yield Finding(
                location,
                f'{value.name}: "{element.text}" is no option: {daemon} dies of it',
                parameter=value.name,
                service=None if service is None else service.label,
                fix=fix,
            )


def _near(text: str, word: str) -> bool:
    """Whether a word was probably meant."""
    plain = text.lower().replace("-", "").replace("_", "").strip("\"'")
    full = word.replace("_", "")
    return plain == full or (len(plain) >= 5 and full.startswith(plain))


@rule("SASL011", programs=("smtpd",), severity=Severity.ERROR)
def sasl_backend(service: Service) -> Iterator[Finding]:
    """The SASL backend can not be reached or does not exist.

    Why: smtpd dies with "no SASL authentication mechanisms" when it can not talk to the backend.
        Dovecot needs the path of its socket, which for a chrooted smtpd lies below the queue
        directory.
    Fix: Set smtpd_sasl_path to the socket that Dovecot opens for Postfix, as private/auth.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_sasl_type = dovecot
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_sasl_type = dovecot
        smtpd_sasl_path = private/auth
    References: SASL_README, postconf(5) smtpd_sasl_path
    """
    if not service["smtpd_sasl_auth_enable"].yes:
        return
    kind, path = service["smtpd_sasl_type"], service["smtpd_sasl_path"]
    word = kind.word()
    place = kind.value_location
    if word is None:
        return
    if word and word not in _BACKENDS and place is not None:
        yield Finding(
            place,
            f"there is no SASL backend {kind.text}: smtpd dies of it",
            parameter=kind.name,
        )
        return
    if word != "dovecot" or not path.known:
        return
    location = path.value_location or place
    if location is None:
        return
    text = path.text.strip()
    if not path.explicit:
        yield Finding(
            location,
            f'smtpd_sasl_path is not set and by default "{text}", which is no socket of Dovecot:'
            " smtpd dies of it",
            parameter=path.name,
        )
    elif _is_chrooted(service) and text.removeprefix("unix:").startswith("/"):
        queue = service["queue_directory"].text.rstrip("/")
        inside = bool(queue) and text.removeprefix("unix:").startswith(f"{queue}/")
        rest = text.removeprefix("unix:").removeprefix(f"{queue}/")
        hint = f'; write "{rest}"' if inside else ""
        yield Finding(
            location,
            f"a chrooted smtpd looks for {text} below the queue directory{hint}",
            severity=None if inside else Severity.WARNING,
            parameter=path.name,
        )


def _is_chrooted(service: Service) -> bool:
    """Whether a service certainly runs in the queue directory."""
    field = service.field("chroot").lower()
    if service.entry is None or not service.instance.whole:
        return False
    if field == "-":
        level = service["compatibility_level"]
        field = field_default("chroot", service.version, level.text) or "n"
        if not service.instance.pinned and service.instance.oldest_version < (3, 0):
            return False
    return field == "y"
