"""Names that Postfix renamed, replaced, ignores or removed.

Sources: src/postconf/postconf_unused.c (the warnings of postconf 3.9 and later),
src/global/mail_params.h of every release, DEPRECATION_README, src/smtpd/
smtpd_check.c, src/util/dict_open.c, src/tls/tls_misc.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from postlint.records import NamedTuple

from .data import obsolete as _data

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = ["NEVER_REFERENCED_IN_NEWEST", "Kind", "Obsolete", "all_obsolete", "get"]

Kind = Literal["parameter", "restriction", "table", "tls"]

NEVER_REFERENCED_IN_NEWEST: Final[frozenset[str]] = _data.NEVER_REFERENCED_IN_NEWEST
"""Parameters that the newest version loads but that no compiled code refers to.

Not proof of being dead: code for TLSRPT, Cyrus SASL and the like was not
compiled in, and scripts read some (openssl_path, maillog_file_compressor).
"""


class Obsolete(NamedTuple):
    """What became of one name.  All dates are series ("3.9") unless stated."""

    name: str
    kind: Kind
    warned_since: str | None
    """Postfix itself warns from here on."""
    superseded_in: str | None
    """The replacement exists from here on (series or release)."""
    removed_in: str | None
    """Unknown from here on: a series, a release, or releases as for PostfixVersion.has()."""
    dead_since: str | None
    """Accepted but without any effect from here on."""
    replacement: str | None
    """The one name that replaces it."""
    postconf_advice: str | None
    """What postconf says after "instead, "."""
    instead: str | None
    """What to do where no single name replaces it."""
    implemented: bool
    """False for a name that Postfix defines and that no known version ever read."""
    note: str

    @property
    def advice(self) -> str:
        """What to do, as a short imperative."""
        if self.replacement is not None:
            return f"use {self.replacement}"
        text = self.postconf_advice or self.instead or "do not specify"
        return text if text.startswith("do not") else f"use {text}"

    def warned_in(self, version: PostfixVersion) -> bool:
        """Whether Postfix of *version* itself warns about the name."""
        return self.warned_since is not None and version.at_least(self.warned_since)

    def removed_from(self, version: PostfixVersion) -> bool:
        """Whether *version* no longer knows the name, or never did."""
        return not self.implemented or (
            self.removed_in is not None and version.has(self.removed_in)
        )

    def dead_in(self, version: PostfixVersion) -> bool:
        """Whether *version* accepts the name and does nothing with it."""
        if self.dead_since is None or self.removed_from(version):
            return False
        return version.at_least(self.dead_since)

    def replaceable_in(self, version: PostfixVersion) -> bool:
        """Whether *version* has the replacement."""
        if self.replacement is None or self.superseded_in is None:
            return False
        return version.has(self.superseded_in)

    def postconf_warning(self, version: PostfixVersion) -> str | None:
        """The text of postconf's warning, without program and file names."""
        if self.kind != "parameter" or self.postconf_advice is None or not self.warned_in(version):
            return None
        if self.warned_since == self.removed_in:
            fate = f"{self.name} has been removed"
        else:
            fate = f'"{self.name}" will be removed'
        return f"support for parameter {fate}; instead, {self.postconf_advice}"


def _other(
    kind: Kind, name: str, superseded: str | None, instead: str | None, note: str
) -> Obsolete:
    return Obsolete(
        name, kind, None, superseded, None, None, None, None, instead, implemented=True, note=note
    )


_OTHERS: Final = (
    _other(
        "table", "btree", "3.11", "lmdb", "Berkeley DB; may be missing or redirected from 3.11 on"
    ),
    _other(
        "table",
        "hash",
        "3.11",
        "lmdb or cdb",
        "Berkeley DB; may be missing or redirected from 3.11 on",
    ),
    _other("table", "netinfo", None, None, "a directory service of a platform that is gone"),
    _other("table", "nisplus", None, None, "a directory service of old Solaris"),
    _other("tls", "SSLv2", None, None, "not in OpenSSL 1.1.0 and later"),
    _other(
        "tls",
        "SSLv3",
        "2.9.14 2.10.8 2.11.6 3.0.2",
        None,
        "off by default from these releases on (POODLE)",
    ),
    _other("tls", "export", "3.8", "medium", "a cipher grade; means medium from 3.8 on"),
    _other("tls", "low", "3.8", "medium", "a cipher grade; means medium from 3.8 on"),
)

_ALL: Final[dict[tuple[str, str], Obsolete]] = {
    (entry.kind, entry.name): entry for entry in (*(Obsolete(*row) for row in _data.ROWS), *_OTHERS)
}


def get(name: str, kind: Kind = "parameter") -> Obsolete | None:
    """What became of *name*; None if nothing is known against it."""
    return _ALL.get((kind, name))


def all_obsolete(kind: Kind) -> tuple[Obsolete, ...]:
    """Everything known of one kind, by name."""
    return tuple(entry for entry in _ALL.values() if entry.kind == kind)
