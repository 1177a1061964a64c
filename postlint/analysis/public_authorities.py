"""Whether clients with a certificate of a public authority count as known (tls_certkey.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.config.service import Service

_SYSTEM_BUNDLES = LazyPattern(
    r"/etc/(?:ssl/certs(?:/ca-certificates\.crt|/ca-bundle\.crt)?/?|ssl/cert\.pem|ssl/ca-bundle\.pem"
    r"|pki/tls/(?:certs/ca-bundle\.crt|cert\.pem|certs/?)|pki/ca-trust/extracted/pem/[^/]*)"
    r"|/usr/(?:local/)?share/(?:certs|ca-certificates)/[^ ]*|/var/lib/ca-certificates/[^ ]*"
)
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"

OWN_AUTHORITIES = 20
"""More certificates in one file than anybody has authorities of his own."""


class PublicAuthorities(NamedTuple):
    """The parameter that brings the public authorities in, and how, in words."""

    parameter: str
    reason: str


def anybody_has_certificate(service: Service) -> PublicAuthorities | None:
    """Why a certificate that everybody can get is as good as any other; None: it is not.

    Whether the service speaks TLS at all is another question.
    """
    asks = service["smtpd_tls_ask_ccert"].yes or service["smtpd_tls_req_ccert"].yes
    if not asks:
        return None
    names = ("smtpd_tls_CAfile", "smtpd_tls_CApath")
    name = "tls_append_default_CA"  # what it appends to has to be there (tls_certkey.c)
    if service[name].yes and any(service[other].empty is not True for other in names):
        return PublicAuthorities(name, f"{name} trusts those of the system")
    for name in names:
        value = service[name]
        path = value.text.strip()
        if not value.known or not path:
            continue
        if _SYSTEM_BUNDLES.fullmatch(path):
            return PublicAuthorities(name, f"{name} holds those of the system")
        source = service.instance.files.read(path) if name.endswith("file") else None
        number = 0 if source is None else source.text.count(_CERTIFICATE)
        if number > OWN_AUTHORITIES:
            return PublicAuthorities(name, f"{name} holds {number} of them")
    return None
