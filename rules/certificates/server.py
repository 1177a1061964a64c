"""CRT: certificates of the server, and TLS files that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import is_public, service_role
from postlint.analysis.templates import has_control_lines
from postlint.analysis.tls import explicit_values, server_tls, tls_of
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

from .common import EFFECTS, without_tls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.analysis.certificates import Certificate
    from postlint.analysis.tls import ClientTls, ServerTls
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_CERTIFICATES = (
    "smtpd_tls_cert_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_dcert_file",
    "smtpd_tls_chain_files",
)
_FILES = ("cert", "key", "eccert", "eckey", "dcert", "dkey")
_AUTHORITIES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL"})
_SNAKEOIL = "ssl-cert-snakeoil"


@rule("CRT001", programs=("smtpd",), severity=Severity.ERROR, security=6.5, tags=("CWE-319",))
def server_tls_without_certificate(service: Service) -> Iterator[Finding]:
    """A server turns TLS on and has no certificate.

    Why: smtpd logs "No server certs available" and goes on: it offers STARTTLS and answers it
        with 454. Senders then use clear text, or where TLS is required nothing gets in. A table
        of certificates by name (tls_server_sni_maps) does not help.
    Fix: Set smtpd_tls_chain_files (3.4), or smtpd_tls_cert_file and smtpd_tls_key_file.
    Bad:
        smtpd_tls_security_level = may
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/ssl/mx.example.com.pem
    References: postconf(5) smtpd_tls_chain_files, src/smtpd/smtpd.c, TLS_README
    """
    from postlint.analysis.server_certificates import certificate_of

    instance = service.instance
    if not instance.whole_main_cf or has_control_lines(instance):
        return
    server = server_tls(service)
    location = server.cause.value_location
    if not server.on or location is None:
        return
    if certificate_of(service) == "missing":
        yield Finding(
            location,
            f"TLS is on and there is no certificate: {EFFECTS[server.mode or 'may']}",
            parameter="smtpd_tls_cert_file",
        )


@rule("CRT002", severity=Severity.ERROR, security=5.9, tags=("CWE-636",))
def tls_file_missing(instance: Instance) -> Iterator[Finding]:
    """A certificate, key or file of authorities does not exist, or holds no authority.

    Why: Postfix only warns and switches TLS off. The server then talks clear text, or refuses
        mail where TLS is required; a client at level may sends everything in clear text and
        nothing bounces. That holds for smtpd_tls_CAfile and smtp_tls_CAfile too. When a file
        of smtpd_tls_chain_files is missing the server goes on with anonymous ciphers, which
        hardly any client takes.
    Fix: Correct the path, or delete a setting that is not needed. postlint looks for such files
        only with --host or --root.
    Bad:
        smtp_tls_security_level = may
        smtp_tls_CAfile = /etc/ssl/no-such-file.pem
    Good:
        smtp_tls_security_level = may
    References: postconf(5) smtp_tls_CAfile, src/tls/tls_server.c, src/tls/tls_client.c
    """
    for side in ("smtpd", "smtp", "lmtp"):
        names = [f"{side}_tls_{kind}_file" for kind in _FILES]
        names += [f"{side}_tls_CAfile", f"{side}_tls_chain_files"]
        if side == "smtpd":
            names.append("smtpd_tls_dh1024_param_file")
        for service, value in explicit_values(instance, names):
            users = list(_users(instance, side, value.name, service))
            for text, location in _paths(value):
                if instance.files.is_missing(text):
                    problem = f"there is no file {text}"
                elif value.name.endswith("_CAfile") and _lacks_authorities(instance, text):
                    problem = f"{text} holds no certificate"
                else:
                    continue
                consequence, severity = _consequence(value, users)
                yield Finding(
                    location,
                    f"{value.name}: {problem}: {consequence}",
                    severity=severity,
                    parameter=value.name,
                    service=None if service is None else service.label,
                )


def _users(
    instance: Instance, side: str, name: str, service: Service | None
) -> Iterator[ServerTls | ClientTls]:
    """The services that load the file of a setting, as far as they may use TLS."""
    tls = tls_of(instance)
    for server in tls.smtpd if side == "smtpd" else ():
        if server.mode not in ("none", "fatal") and _has(server.service, name, service):
            yield server
    for client in tls.clients:
        if client.prefix == side and _has(client.service, name, service):
            policies = tls.policies(client.service)
            if client.level not in ("none", "fatal") or not policies.empty:
                yield client


def _has(user: Service, name: str, service: Service | None) -> bool:
    """Whether a setting, of main.cf or of a service, is that of a service."""
    return user is service if service is not None else not user.overrides(name)


def _paths(value: Effective) -> Iterator[tuple[str, Location]]:
    if value.name.endswith("_chain_files"):
        for element in value.elements():
            location = element.location or value.value_location
            if element.known and location is not None:
                yield element.text, location
    elif value.known and value.value_location is not None:
        yield value.text.strip(), value.value_location


def _lacks_authorities(instance: Instance, name: str) -> bool:
    """Whether a file can be read and has nothing that OpenSSL loads (X509_load_cert_crl_file)."""
    from postlint.analysis.certificates import store_of

    file = store_of(instance).file(name)
    return file is not None and not file.has(lambda item: item.block.label in _AUTHORITIES)


def _consequence(
    value: Effective, users: Sequence[ServerTls | ClientTls]
) -> tuple[str, Severity | None]:
    if not users:
        return "nothing looks for it, TLS is off", Severity.INFO
    if value.name == "smtpd_tls_dh1024_param_file":
        return "the built-in parameters are used", Severity.WARNING
    if value.name == "smtpd_tls_chain_files":
        return "without certificate most handshakes fail", None
    if value.name.endswith("_chain_files"):
        return "no certificate is shown", Severity.WARNING
    return without_tls(users), None


@rule("CRT011", severity=Severity.WARNING, security=5.3, tags=("CWE-295",))
def snakeoil_certificate(instance: Instance) -> Iterator[Finding]:
    """A server uses the self-signed certificate that the system made when it was installed.

    Why: Mail programs of users can not check it, and users learn to click the warning away;
        whoever sits between then gets the password. Other mail servers do not care.
    Fix: Get a certificate for the name that users connect to.
    Bad:
        smtpd_tls_cert_file = /etc/ssl/certs/ssl-cert-snakeoil.pem
        smtpd_tls_security_level = may
        --- master.cf
        submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt
    Good:
        smtpd_tls_cert_file = /etc/ssl/certs/mx.example.com.pem
        smtpd_tls_security_level = may
        --- master.cf
        submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt
    References: postconf(5) smtpd_tls_cert_file
    """
    found: dict[tuple[object, ...], tuple[Effective, Location, list[Service]]] = {}
    for server in tls_of(instance).smtpd:
        if not server.on or is_public(server.service) is False:
            continue
        for name in _CERTIFICATES:
            value = server.service[name]
            location = value.value_location
            if location is not None and _is_snakeoil(instance, value):
                key = (location.path, location.span)
                found.setdefault(key, (value, location, []))[2].append(server.service)
    for value, location, services in found.values():
        users = any(service_role(service) == "msa" for service in services)
        finding = Finding(
            location,
            "this certificate of the system is self-signed: "
            + ("mail programs of users can not check it" if users else "nobody can check it"),
            severity=None if users else Severity.INFO,
            parameter=value.name,
        )
        finding.services = tuple((service.label, service.location) for service in services)
        yield finding


def _is_snakeoil(instance: Instance, value: Effective) -> bool:
    """Whether the certificate is one that a system made itself, by its path or its contents."""
    from postlint.analysis.tls_identities import chain_files, named_file

    if not value.known:
        return False
    if _SNAKEOIL in value.text:
        return True
    if value.name.endswith("_chain_files"):
        named = chain_files(value) or []
    else:
        named = [file for file in (named_file(value),) if file is not None]
    return any(
        certificate.is_local for item in named for certificate in _first(instance, item.path)
    )


def _first(instance: Instance, path: str) -> list[Certificate]:
    from postlint.analysis.certificates import store_of

    file = store_of(instance).file(path)
    return [] if file is None else file.certificates[:1]
