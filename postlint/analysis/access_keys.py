"""Which keys smtpd asks an access table for (smtpd_check.c, mail_addr_find.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from postlint.analysis.host_names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterator

Key: TypeAlias = tuple[str, bool]
"""A key, and whether it is a part of the name or address: pattern tables never see those."""


def domain_keys(domain: str, parents: bool | None) -> Iterator[Key]:
    """The keys for a host name: itself, then its parent domains (check_domain_access()).

    ``parents``: subdomains match ``example.com``; else ``.example.com``; None: either may be.
    """
    name = domain
    if not name:
        return
    yield name, False
    if is_ip_address(domain):
        return
    dot = name.find(".", 1)
    while dot >= 0:
        if parents is not True:
            yield name[dot:], True
        if parents is not False:
            yield name[dot + 1 :], True
        name = name[dot + 1 :]
        dot = name.find(".", 1)


def address_keys(address: str) -> Iterator[Key]:
    """The keys for an address: itself, then its networks (check_addr_access())."""
    delimiter = ":" if ":" in address else "."
    yield address, False
    rest = address
    while delimiter in rest:
        rest = rest.rpartition(delimiter)[0]
        if rest:
            yield rest, True


def mail_keys(address: str, parents: bool | None, delimiters: str) -> Iterator[Key]:
    """The keys for a mail address (check_mail_access(), mail_addr_find_strategy())."""
    local, at, domain = address.rpartition("@")
    if not at:
        return
    bare = _without_extension(local, delimiters)
    yield address, False
    if bare != local:
        yield f"{bare}@{domain}", True
    for name, _ in domain_keys_of_mail(domain, parents):
        yield name, True
    yield f"{local}@", True
    if bare != local:
        yield f"{bare}@", True


def domain_keys_of_mail(domain: str, parents: bool | None) -> Iterator[Key]:
    """The keys for the domain of a mail address; one that is an address has parents too."""
    name = domain
    while name:
        yield name, True
        dot = name.find(".", 1)
        if dot < 0:
            return
        if parents is None:
            yield name[dot:], True
        name = name[dot:] if parents is False else name[dot + 1 :]


def _without_extension(local: str, delimiters: str) -> str:
    """strip_addr_internal(): the local part up to its first delimiter."""
    if not delimiters or local.lower() in ("mailer-daemon", "postmaster", "double-bounce"):
        return local
    if local.lower().startswith("owner-") and "-" in delimiters:
        return local
    for at, letter in enumerate(local):
        if letter in delimiters:
            return local[:at] if at else local
    return local
