"""Certificates in the handshakes of servers: whether there is one, and who is asked for his."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from postlint.analysis.tls import ServerTls
    from postlint.config.service import Service

Certificate: TypeAlias = Literal["configured", "anonymous", "missing"]
"""``anonymous``: smtpd_tls_cert_file is ``none`` on purpose; ``missing``: none is set."""

ClientCertificate: TypeAlias = Literal["not asked", "asked", "required"]


def parameter_scope(service: Service) -> tuple[Service, str]:
    """The service that does the handshakes of a server, and the prefix of its parameters.

    For postscreen(8) that is tlsproxy(8).
    """
    if service.program == "postscreen":
        for other in service.instance.services_running("tlsproxy"):
            return other, "tlsproxy"
    return service, "smtpd"


def certificate_of(service: Service) -> Certificate | None:
    """Whether a server has a certificate, as far as settings tell; None: not known."""
    scope, prefix = parameter_scope(service)
    names = [f"{prefix}_tls_{kind}_file" for kind in ("eccert", "dcert")]
    if service.version >= (3, 4):
        names.append(f"{prefix}_tls_chain_files")
    main = scope[f"{prefix}_tls_cert_file"]
    anonymous = main.word() == "none"
    answers = [scope[name].empty for name in names] + [True if anonymous else main.empty]
    if False in answers:
        return "configured"
    if None in answers:
        return None
    return "anonymous" if anonymous else "missing"


def client_certificate_of(server: ServerTls) -> ClientCertificate | None:
    """Whether a server asks clients for a certificate.

    Where TLS is optional it can not require one, and smtpd_tls_req_ccert alone asks for none.
    """
    scope, prefix = parameter_scope(server.service)
    required = scope[f"{prefix}_tls_req_ccert"].yes if server.mandatory else False
    if required:
        return "required"
    asked = scope[f"{prefix}_tls_ask_ccert"].yes
    if required is None or asked is None:
        return None
    return "asked" if asked else "not asked"
