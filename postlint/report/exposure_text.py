"""The exposure of installations as lines that each stand for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.report.escape import visible
from postlint.report.exposure_words import (
    auth_phrases,
    cipher_phrases,
    destination_phrases,
    endpoint,
    hop_name,
    joined,
    relay_phrases,
    tls_phrases,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from postlint.analysis.exposure import ServiceExposure
    from postlint.config.instance import Instance


def as_text(found: Iterable[tuple[Instance, Sequence[ServiceExposure]]]) -> str:
    """``path: service: topic: what is to be said``, a line each."""
    return "".join(
        f"{visible(instance.path)}: {visible(item.service.label)}: {topic}: {text}\n"
        for instance, services in found
        for item in services
        for topic, text in _topics(item)
        if text
    )


def _topics(item: ServiceExposure) -> Iterator[tuple[str, str]]:
    client = item.service.program in ("smtp", "lmtp")
    yield "is" if client else "listens on", _what(item)
    if not item.destinations:
        yield "TLS", joined(tls_phrases(item.tls))
        yield "ciphers", joined(cipher_phrases(item.tls))
    yield "AUTH", joined(auth_phrases(item.auth))
    yield "relay for strangers", joined(relay_phrases(item.relay))
    for hop in item.destinations:
        yield f"to {hop_name(hop)}: TLS", joined(destination_phrases(hop))
        yield f"to {hop_name(hop)}: ciphers", joined(cipher_phrases(hop.tls))


def _what(item: ServiceExposure) -> str:
    return f"{endpoint(item)} ({item.service.program})"
