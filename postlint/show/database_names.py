"""The parameters of database clients by version (postconf_dbms.c, dict_ldap.c and others)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from postlint.postfix.service_parameters import DATABASE_SUFFIXES

if TYPE_CHECKING:
    from postlint.postfix.versions import PostfixVersion

_LISTED_SINCE: dict[tuple[str, str], tuple[int, int]] = {
    ("memcache", "key_digest"): (3, 11),
    ("mysql", "charset"): (3, 9),
    ("mysql", "idle_interval"): (3, 9),
    ("mysql", "require_result_set"): (3, 2),
    ("mysql", "retry_interval"): (3, 9),
    ("pgsql", "encoding"): (3, 8),
    ("pgsql", "idle_interval"): (3, 9),
    ("pgsql", "retry_interval"): (3, 9),
    **{("mysql", name): (3, 3) for name in ("option_file", "option_group")},
    **{("ldap", name): (3, 3) for name in ("result_filter", "start_tls")},
}
"""(type, name) -> the first version whose postconf knows it; not listed: all."""

_GENERATED_SINCE = (3, 3)
"""Before, postconf's own lists left out everything about SASL and TLS."""

_TYPES_SINCE = {"mongodb": (3, 9)}


@cache
def suffixes(version: PostfixVersion) -> dict[str, frozenset[str]]:
    """Table type -> the names of its parameters, as postconf(1) of a version knows them."""
    return {
        kind: frozenset(name for name in names if _listed(kind, name, version))
        for kind, names in DATABASE_SUFFIXES.items()
        if version >= _TYPES_SINCE.get(kind, (2, 9))
    }


def _listed(kind: str, name: str, version: PostfixVersion) -> bool:
    since = _LISTED_SINCE.get((kind, name))
    if since is None and name.startswith(("sasl_", "tls_")):
        since = _GENERATED_SINCE
    return since is None or version >= since
