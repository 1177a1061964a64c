"""The exposure of services in words, for people and for ``grep``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from postlint.analysis.cipher_suites import KINDS
from postlint.analysis.exposure import EVERYBODY
from postlint.records import NamedTuple
from postlint.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.analysis.exposure import (
        AuthExposure,
        DestinationExposure,
        ServiceExposure,
        TlsExposure,
    )
    from postlint.analysis.relay import RelayVerdict
    from postlint.syntax.source import Location

Mood: TypeAlias = Literal["good", "plain", "doubtful", "bad"]

KIND_NAMES: Final = {
    "anonymous": "anonymous",
    "null": "no encryption",
    "export": "export",
    "des": "single DES",
    "3des": "3DES",
    "rc4": "RC4",
    "static_rsa": "static RSA",
    "cbc": "CBC",
}
_BAD_KINDS: Final = frozenset({"null", "export", "des", "rc4"})
_WEAK_KINDS: Final = frozenset({"3des"})
_OLD_VERSIONS: Final = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
_SERVERS: Final = {
    "none": "no TLS",
    "opportunistic": "STARTTLS, optional",
    "required": "STARTTLS, required",
    "wrapper": "TLS from the start",
    "fatal": "smtpd does not start",
    "unknown": "not known",
}


class Phrase(NamedTuple):
    """A line of a cell."""

    text: str
    mood: Mood = "plain"


def tls_phrases(tls: TlsExposure, folder: str = "") -> Iterator[Phrase]:
    """Mode, versions and what is wrong with a server's or a client's TLS.

    ``folder`` is left out of paths.
    """
    if tls.level is None:
        mood: Mood = "bad" if tls.mode == "fatal" else "plain"
        yield Phrase(_SERVERS.get(tls.mode, tls.mode), "doubtful" if tls.mode == "none" else mood)
    else:
        yield Phrase(f"level {visible(tls.level)}", "bad" if tls.level == "fatal" else "plain")
    if tls.problem:
        yield Phrase(visible(_problem(tls, folder)), "bad")
        return
    if tls.protocols is None:
        yield Phrase("versions not known")
    elif tls.protocols:
        strict = tls.mode in ("required", "wrapper")
        old = _OLD_VERSIONS & set(tls.protocols)
        versions: Mood = "doubtful" if strict and old else "plain"
        yield Phrase(" ".join(tls.protocols), versions)
    if tls.old_library:
        yield Phrase(f"with an old OpenSSL also {' '.join(tls.old_library)}")
    if tls.certificate == "anonymous":
        yield Phrase("no certificate", "bad")
    if tls.client_certificate in ("asked", "required"):
        yield Phrase(f"client certificate {tls.client_certificate}")
    elif tls.client_certificate == "shown":
        yield Phrase("a certificate is shown to servers that ask")


def _problem(tls: TlsExposure, folder: str) -> str:
    """What is wrong, and where it is written."""
    where = _place(tls.cause.value_location if tls.cause is not None else None, folder)
    match tls.starttls:
        case "hidden":
            return f"{tls.problem}{where}"
        case "refused":
            effect = "STARTTLS is answered with 454"
        case _:
            effect = "every handshake fails"
            if tls.mode == "wrapper":
                effect = "every connection is dropped"
    return f"{effect}: {tls.problem}{where}"


def cipher_phrases(tls: TlsExposure) -> Iterator[Phrase]:
    """Grade, exclusions, and what an auditor asks about ciphers of TLS 1.2 and older."""
    if tls.cipher_grade is None or tls.problem:
        return
    text = tls.cipher_grade
    if tls.excluded:
        text += f" without {' '.join(tls.excluded)}"
    yield Phrase(visible(text))
    ciphers = tls.ciphers
    if ciphers is None:
        return
    if tls.protocols == ("TLSv1.3",) and not tls.old_library:
        yield Phrase("those of TLS 1.3 only", "good")
        return
    kinds = [kind for kind in KINDS if kind in ciphers.kinds]
    if kinds:
        names = ", ".join(KIND_NAMES[kind] for kind in kinds)
        mood: Mood = "plain"
        if _BAD_KINDS & ciphers.kinds:
            mood = "bad"
        elif _WEAK_KINDS & ciphers.kinds:
            mood = "doubtful"
        yield Phrase(f"lets in {names}", mood)
    if ciphers.forward_secrecy_only:
        yield Phrase("forward secrecy always", "good")
    if ciphers.old_kinds:
        names = ", ".join(KIND_NAMES[kind] for kind in KINDS if kind in ciphers.old_kinds)
        yield Phrase(f"with an old OpenSSL also {names}")


def auth_phrases(auth: AuthExposure | None) -> Iterator[Phrase]:
    """When users can log in, and with what."""
    if auth is None:
        return
    if auth.offered == "never":
        yield Phrase("never")
        return
    if auth.offered == "unknown":
        yield Phrase("not known")
        return
    if auth.cleartext:
        yield Phrase("in clear text, passwords too", "bad")
    elif auth.offered == "cleartext":
        yield Phrase("before TLS, passwords not", "doubtful")
    else:
        yield Phrase("after TLS only", "good")
    mechanisms = auth.mechanisms.after_tls
    if mechanisms is None:
        yield Phrase("mechanisms not known")
    elif "ANONYMOUS" in mechanisms or "ANONYMOUS" in (auth.mechanisms.before_tls or ()):
        yield Phrase("anonymous logins too", "bad")
    if mechanisms and not {"PLAIN", "LOGIN"} & set(mechanisms):
        yield Phrase("no PLAIN or LOGIN")


def relay_phrases(relay: RelayVerdict | None, folder: str = "") -> Iterator[Phrase]:
    """The verdict, and what decides it. ``folder`` is left out of paths."""
    if relay is None:
        return
    moods: dict[str, Mood] = {"refused": "good", "depends": "doubtful"}
    yield Phrase(relay.status, moods.get(relay.status, "bad"))
    decision = relay.decided_by
    if decision is not None:
        place = _place(decision.location, folder)
        by = f"by {decision.restriction}"
        if not decision.restriction:
            by = f"by {decision.parameter}: {decision.reason}"
        yield Phrase(visible(f"{by}{place}"))
    for note in relay.notes:
        yield Phrase(note, "doubtful")


def _place(where: Location | None, folder: str) -> str:
    """Where something is written, in brackets."""
    if where is None:
        return ""
    path = where.path.removeprefix(f"{folder}/") if folder else where.path
    return f" ({path}:{where.start.line})"


def destination_phrases(hop: DestinationExposure) -> Iterator[Phrase]:
    """How a client sends to one next hop."""
    if hop.level is None:
        yield Phrase("not known")
        return
    level = f"level {visible(hop.level)}"
    if hop.policy_key and hop.policy_key != hop.nexthop.lower():
        level += f" by policy {visible(hop.policy_key)}"
    yield Phrase(level)
    if hop.refused:
        yield Phrase(f"mail is deferred: {visible(hop.refused)}", "bad")
        return
    if hop.tls.problem:
        yield Phrase(f"every handshake fails: {visible(hop.tls.problem)}", "bad")
    if hop.tls.protocols:
        yield Phrase(" ".join(hop.tls.protocols))
    risky: Mood = "bad" if hop.credentials else "plain"
    if hop.level == "none":
        if not hop.nexthop.startswith("unix:"):
            yield Phrase("always in clear text", risky)
    elif hop.authenticated:
        yield Phrase("the server proves who it is", "good")
    elif hop.falls_back:
        yield Phrase("clear text where the server offers no TLS", risky)
    else:
        yield Phrase("any certificate will do", "doubtful" if hop.credentials else "plain")
    if hop.credentials:
        yield Phrase("a password is sent there")
    if hop.tls.client_certificate == "shown":
        yield Phrase("a certificate is shown to servers that ask")


def hop_name(hop: DestinationExposure) -> str:
    """The next hop as it is spelled."""
    return "any domain" if hop.nexthop == EVERYBODY else visible(hop.nexthop)


def endpoint(item: ServiceExposure) -> str:
    """Where it listens, and what it is there for."""
    roles = {"mx": "mail exchanger", "msa": "submission", "reinject": "back from a filter"}
    text = visible(item.listen)
    if item.service.program in ("smtpd", "postscreen") and item.role in roles:
        text += f", {roles[item.role]}"
    return text


def joined(phrases: Iterator[Phrase] | Sequence[Phrase]) -> str:
    """Phrases on one line."""
    return "; ".join(phrase.text for phrase in phrases)
