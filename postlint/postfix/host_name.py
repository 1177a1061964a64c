"""What Postfix makes of the name of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = ["DEFAULT_DOMAIN", "domain_of_host"]

DEFAULT_DOMAIN: Final = "localdomain"


def domain_of_host(name: str, version: PostfixVersion) -> str:
    """The default of mydomain: what follows the first dot of myhostname (mail_params.c).

    Up to Postfix 2.11 that has to have a dot itself.
    """
    _first, dot, domain = name.partition(".")
    if not dot or (version < (3, 0) and "." not in domain):
        return DEFAULT_DOMAIN
    return domain
