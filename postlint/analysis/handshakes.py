"""TLS handshakes: the versions and ciphers that remain, and what makes every one of them fail.

Protocol list, cipher grade, exclusions, certificate and the wish for a client's certificate play
together: a version without a cipher of its own is not negotiated, anonymous ciphers go where
certificates are looked at, and without a certificate there is nothing else (smtpd.c,
smtp_tls_policy.c, tls_misc.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from postlint.analysis.cipher_suites import LONGEST_LIST, read_cipher_list, security_level
from postlint.analysis.server_certificates import (
    certificate_of,
    client_certificate_of,
    parameter_scope,
)
from postlint.analysis.tls import server_tls
from postlint.analysis.tls_protocols import (
    ProtocolList,
    contiguous,
    library_protocols,
    protocols_of,
)
from postlint.config.derived import once
from postlint.config.effective import Element
from postlint.postfix.tls import CIPHER_GRADES, cipher_grade, is_digest
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.cipher_suites import Suite
    from postlint.analysis.server_certificates import Certificate
    from postlint.analysis.tls import ServerTls
    from postlint.config.effective import Effective
    from postlint.config.service import Service

_UP_TO_1_1: Final = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
_KEEPS_NULL_CIPHERS_OUT: Final = "eNULL"
_KEEPS_ANONYMOUS_CIPHERS_OUT: Final = "aNULL"
_LEVEL_ONE_SINCE: Final = "3.1"
_NO_CIPHER: Final = "no cipher is left"


class Problem(NamedTuple):
    """Why no handshake succeeds. ``cause`` is the setting that is to blame.

    ``refused``: the server announces STARTTLS and answers it with 454; else it takes the command,
    and the handshake fails.
    """

    refused: bool
    text: str
    cause: Effective | None


class Handshake(NamedTuple):
    """What can be negotiated. None where that is not known.

    ``protocols`` with the OpenSSL of today, ``old_protocols`` besides with an old one;
    ``suites`` for TLS 1.2 and older; ``excluded`` the words that are taken out of the list,
    those that Postfix adds among them.
    """

    protocols: tuple[str, ...] | None
    old_protocols: tuple[str, ...]
    grade: str | None
    excluded: tuple[str, ...] | None
    suites: tuple[Suite, ...] | None
    problem: Problem | None = None

    @property
    def refuses_ciphers(self) -> bool:
        """Whether OpenSSL refuses the list of ciphers because nothing is left in it."""
        return self.problem is not None and self.problem.text == _NO_CIPHER

    @property
    def current_suites(self) -> tuple[Suite, ...]:
        """The suites that a library of today has."""
        return tuple(suite for suite in self.suites or () if not suite.old)


class _Ciphers(NamedTuple):
    grade: str | None
    excluded: tuple[str, ...] | None
    suites: tuple[Suite, ...] | None
    level: int
    problem: Problem | None


def server_handshake(server: ServerTls) -> Handshake:
    """What clients can negotiate with a server that has TLS on."""
    return _handshake_of(server.service)


@once
def _handshake_of(service: Service) -> Handshake:
    server = server_tls(service)
    scope, prefix = parameter_scope(server.service)
    kind = "mandatory_" if server.mandatory else ""
    certificate = certificate_of(server.service)
    wanted = client_certificate_of(server)
    words: list[str | None] = [*_words(scope[f"{prefix}_tls_exclude_ciphers"])]
    if server.mandatory:
        words += _words(scope[f"{prefix}_tls_mandatory_exclude_ciphers"])
    if wanted in ("asked", "required"):
        words.append(_KEEPS_ANONYMOUS_CIPHERS_OUT)
    elif wanted is None:
        words.append(None)
    value = scope[f"{prefix}_tls_{kind}protocols"]
    protocols = protocols_of(server.service.instance, value)
    ciphers = _ciphers(scope, scope[f"{prefix}_tls_{kind}ciphers"], words)
    level = 1 if wanted == "required" and _sets_level(scope) else 0
    found = _negotiable(protocols, value, ciphers, "server", level)
    chain = scope[f"{prefix}_tls_chain_files"]
    if certificate == "anonymous" or (certificate and _is_missing(service, chain)):
        found = _without_certificate(found)  # a chain that is not there is only missed
    return found._replace(problem=_refusal(server, certificate, protocols, value) or found.problem)


def client_handshake(
    service: Service,
    level: str,
    *,
    protocols: ProtocolList | None = None,
    grade: str | None = None,
    exclude: tuple[str, ...] | None = None,
) -> Handshake:
    """What an SMTP client offers to servers at a security level.

    The other arguments are the attributes of a policy that take the place of parameters.
    """
    prefix = service.program
    kind = "" if level == "may" else "mandatory_"
    value = service[f"{prefix}_tls_{kind}protocols"]
    words: list[str | None]
    if exclude is None:
        words = [*_words(service[f"{prefix}_tls_exclude_ciphers"])]
        if kind:
            words += _words(service[f"{prefix}_tls_mandatory_exclude_ciphers"])
    else:
        words = [*exclude]
    if level == "encrypt":
        words.append(_KEEPS_NULL_CIPHERS_OUT)
    elif kind:
        words.append(_KEEPS_ANONYMOUS_CIPHERS_OUT)
    listed = protocols or protocols_of(service.instance, value)
    setting = service[f"{prefix}_tls_{kind}ciphers"]
    ciphers = _ciphers(service, setting, words, grade)
    raised = 1 if level not in ("may", "encrypt") and _sets_level(service) else 0
    found = _negotiable(listed, None if protocols else value, ciphers, "client", raised)
    return found._replace(problem=_missing_file(service, service, prefix) or found.problem)


def _sets_level(service: Service) -> bool:
    """Whether Postfix raises OpenSSL's security level where certificates are required."""
    return service.version.at_least(_LEVEL_ONE_SINCE)


def _refusal(
    server: ServerTls, certificate: Certificate | None, protocols: ProtocolList, value: Effective
) -> Problem | None:
    """Why smtpd can not set TLS up at all and answers STARTTLS with 454."""
    scope, prefix = parameter_scope(server.service)
    asks = client_certificate_of(server) in ("asked", "required")
    if certificate == "missing":
        return Problem(True, "there is no certificate", None)
    if certificate == "anonymous" and asks:
        text = "without a certificate it can not ask for that of clients"
        return Problem(True, text, scope[f"{prefix}_tls_cert_file"])
    if protocols.bad_items:
        text = f'"{protocols.bad_items[0].element.text}" is no protocol'
        return Problem(True, text, value)
    missing = _missing_file(server.service, scope, prefix)
    if missing is not None:
        return missing
    for problem in _unusable(server.service):
        return problem
    digest = scope[f"{prefix}_tls_fingerprint_digest"]
    word = digest.word()
    if word is not None and not is_digest(word):
        return Problem(True, f'"{word}" is no digest', digest)
    return None


def _files(service: Service, scope: Service, prefix: str) -> Iterator[str]:
    """The parameters of files without which there is no TLS at all."""
    yield f"{prefix}_tls_CAfile"
    chain = scope[f"{prefix}_tls_chain_files"]
    if service.version < (3, 4) or chain.empty:
        for kind in ("cert", "key", "eccert", "eckey", "dcert", "dkey"):
            yield f"{prefix}_tls_{kind}_file"


def _missing_file(service: Service, scope: Service, prefix: str) -> Problem | None:
    """A file that is not there: Postfix does without TLS."""
    for name in _files(service, scope, prefix):
        if _is_missing(service, scope[name]):
            return Problem(True, f"there is no file {scope[name].text.strip()}", scope[name])
    return None


def _is_missing(service: Service, value: Effective) -> bool:
    """Whether a file that may be looked for is not there; for a list, one of its files."""
    files = service.instance.files
    paths = [item.text for item in value.elements(braces=False)] if value.known else []
    return any(path != "none" and files.is_missing(path) for path in paths)


def _unusable(service: Service) -> Iterator[Problem]:
    """Certificates and keys that can be read and do not belong together."""
    from postlint.analysis.tls_identities import identities_of

    for identity in identities_of(service.instance):
        for problem in identity.problems if identity.service is service else ():
            if problem.kind != "unused":
                yield Problem(True, problem.text, service[problem.file.parameter])


def _negotiable(
    protocols: ProtocolList,
    value: Effective | None,
    ciphers: _Ciphers,
    side: Literal["server", "client"],
    raised: int,
) -> Handshake:
    """Bring versions and ciphers together."""
    level = max(raised, ciphers.level)
    suites = ciphers.suites
    if suites is not None and level:
        suites = tuple(suite for suite in suites if _reaches_level(suite, level))
    offered = protocols.offered(side)
    if offered is None:
        return Handshake(None, (), ciphers.grade, ciphers.excluded, suites, ciphers.problem)
    certain, old = offered.certain, offered.library
    top = _below_hole(certain, protocols)
    if level:  # OpenSSL 3 has these at level 0 only
        old += tuple(name for name in certain if name in _UP_TO_1_1)
        certain = tuple(name for name in certain if name not in _UP_TO_1_1)
    problem = ciphers.problem
    if suites is not None:
        if side == "server" and problem is None and top and not _has_suite(top, suites, old=False):
            problem = Problem(False, f"no cipher is left for {top}", value)
        suites = tuple(suite for suite in suites if not suite.shared_secret)
        certain = tuple(name for name in certain if _has_suite(name, suites, old=False))
        old = tuple(name for name in old if _has_suite(name, suites, old=True))
        every = {False: certain, True: (*certain, *old)}
        suites = tuple(suite for suite in suites if _has_protocol(suite, every[suite.old]))
    if problem is not None:
        old = ()
    elif not certain:
        text = "no version of TLS is left"
        problem = Problem(False, f"{text} that OpenSSL still has" if old else text, value)
    if problem is not None:
        certain, suites = (), ()
    return Handshake(certain, old, ciphers.grade, ciphers.excluded, suites, problem)


def _below_hole(versions: tuple[str, ...], protocols: ProtocolList) -> str | None:
    """The newest version below a hole in the list: OpenSSL insists on a cipher for it."""
    stretch = contiguous(versions, library_protocols(protocols.version)[0])
    return stretch[-1] if stretch else None


def _without_certificate(found: Handshake) -> Handshake:
    """Anonymous ciphers only, and none of TLS 1.3."""
    if found.problem is not None:
        return found
    suites = found.suites
    protocols, old = found.protocols, found.old_protocols
    if suites is not None:
        suites = tuple(suite for suite in suites if not suite.authentication)
        old = tuple(name for name in old if _has_suite(name, suites, old=True))
    if protocols is not None:
        protocols = tuple(
            name
            for name in protocols
            if name != "TLSv1.3" and (suites is None or _has_suite(name, suites, old=False))
        )
    if protocols == () and not old:
        problem = Problem(False, "without a certificate no cipher is left", None)
        return found._replace(protocols=(), old_protocols=(), suites=(), problem=problem)
    return found._replace(protocols=protocols, old_protocols=old, suites=suites)


def _ciphers(
    service: Service,
    setting: Effective,
    words: list[str | None],
    given: str | None = None,
) -> _Ciphers:
    """What a grade and exclusions leave; ``given``: the grade of a policy."""
    grade = setting.word() if given is None else given.lower()
    excluded = None if None in words else tuple(word for word in words if word)
    if grade is None:
        return _Ciphers(None, excluded, None, 0, None)
    if grade not in CIPHER_GRADES:
        problem = Problem(False, f'"{grade}" is no cipher grade', None if given else setting)
        return _Ciphers(grade, excluded, (), 0, problem)
    signed = next((word for word in words if word and word[0] in "!+-@"), None)
    if signed is not None:
        problem = Problem(False, f'"{signed}" can not be excluded', None)
        return _Ciphers(grade, excluded, (), 0, problem)
    meant = cipher_grade(grade, service.version)
    value = service[f"tls_{meant}_cipherlist"]
    text = ":".join((value.text, *(f"!{word}" for word in excluded or ())))
    if not value.known or excluded is None or len(text) > LONGEST_LIST:
        return _Ciphers(grade, excluded, None, 0, None)
    suites = read_cipher_list(text)
    if suites is None or all(suite.old for suite in suites):
        return _Ciphers(grade, excluded, (), 0, Problem(False, _NO_CIPHER, value))
    return _Ciphers(grade, excluded, suites, security_level(text), None)


def _words(value: Effective) -> Iterator[str | None]:
    """The words of a list of exclusions; None for what is not known."""
    if value.problem is not None:
        yield None
    for element in value.elements(braces=False, separators=":"):
        yield element.text if element.known else None


def excluded_words(text: str) -> tuple[str, ...]:
    """The words of an ``exclude=`` attribute."""
    return tuple(text.replace(",", " ").replace(":", " ").split())


def policy_protocols(text: str, service: Service) -> ProtocolList:
    """The list of a ``protocols=`` attribute."""
    words = text.replace(",", " ").replace(":", " ").split()
    return ProtocolList((Element(word, None) for word in words), service.version)


def _reaches_level(suite: Suite, level: int) -> bool:
    """Whether a suite is allowed at OpenSSL's security level 1 or higher (ssl_cert.c)."""
    if not suite.authentication or not suite.encryption or suite.digest == "MD5":
        return False
    if suite.encryption == "DES" or suite.name.startswith("EXP-"):
        return False
    return level < 3 or suite.forward_secrecy


def _has_suite(protocol: str, suites: Iterable[Suite], *, old: bool) -> bool:
    """Whether one of the suites can be used with a version; TLS 1.3 has its own."""
    if protocol in ("TLSv1.3", "SSLv2"):
        return True
    return any(_has_protocol(suite, (protocol,)) for suite in suites if old or not suite.old)


def _has_protocol(suite: Suite, protocols: Iterable[str]) -> bool:
    """Whether one of the versions has a suite."""
    if suite.protocol == "TLSv1.2":
        return "TLSv1.2" in protocols
    return any(name not in ("TLSv1.3", "SSLv2") for name in protocols)
