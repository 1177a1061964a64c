"""What TLS rules have in common: names of parameters, lists in words, where to point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.nexthops import next_hops
from postlint.config.effective import UNKNOWN
from postlint.lint.edits import insert_line_after, replace_value
from postlint.lint.finding import Fix, Location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.analysis.tls import Use
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Edit
    from postlint.postfix.versions import PostfixVersion

SIDES = ("smtpd", "smtp", "lmtp")

PROTOCOL_PARAMETERS = tuple(
    f"{side}_tls_{kind}protocols" for side in SIDES for kind in ("", "mandatory_")
)


_WEAK_KINDS = frozenset(
    {
        *("aNULL", "eNULL", "NULL", "ADH", "AECDH", "aDSS", "DSS", "PSK", "SRP", "kRSA"),
        *("3DES", "DES", "RC2", "RC4", "RC5", "IDEA", "SEED", "CAMELLIA", "ARIA", "MD5"),
        *("EXP", "EXPORT", "LOW", "MEDIUM", "kDH", "kECDH"),
    }
)


def excludes_weak_kinds_only(excluded: Effective) -> bool:
    """Whether exclusions are of kinds without which every version still has ciphers."""
    elements = excluded.elements(braces=False, separators=":")
    return all(element.text in _WEAK_KINDS for element in elements)


def joined(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    items = list(words)
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def shown(value: Effective) -> str:
    """A value for a message, on one line and not too long."""
    text = " ".join(value.text.replace(UNKNOWN, "?").split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def said(value: Effective) -> str:
    """``name = value``, or that it is the default of this version."""
    text = shown(value) or "(empty)"
    if value.explicit:
        return f"{value.name} = {text}"
    return f"{value.name}, not set and by default {text},"


def anchor(value: Effective, why: Location | None) -> Location | None:
    """Where a value stands; for a default, what makes it matter."""
    return value.value_location if value.explicit else why


def strict_protocols(version: PostfixVersion) -> str:
    """TLS 1.2 and later as a protocol list of that version."""
    return ">=TLSv1.2" if version >= (3, 6) else "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"


def strict_protocols_fix(value: Effective, instance: Instance) -> Fix | None:
    """Replace a protocol list; None for a default or one that macros put together."""
    edit: Edit | None = replace_value(value.setting, strict_protocols(instance.oldest_version))
    if edit is None:
        return None
    return Fix(f"set it to {edit.text.strip()}", (edit,), "unsafe")


def override_fix(service: Service, *settings: str) -> Fix | None:
    """Add ``-o name=value`` to a service of master.cf."""
    if service.entry is None:
        return None
    location = Location(service.entry.line.source, service.entry.span)
    lines = "\n".join(f"  -o {setting}" for setting in settings)
    return Fix(f"add -o {' -o '.join(settings)}", (insert_line_after(location, lines),), "unsafe")


def reaches_only_this_host(instance: Instance) -> bool:
    """Whether all mail for other domains goes to an address of this host itself."""
    hops = next_hops(instance.main["relayhost"])
    return bool(hops) and all(hop.element.known and hop.is_loopback for hop in hops)


def service_items(uses: Iterable[Use]) -> tuple[tuple[str, Location | None], ...]:
    """The services of uses for a finding, each once."""
    found = {use.service.label: use.service.location for use in uses}
    return tuple(found.items())
