"""The certificates and keys that a daemon loads, and why it does not load them.

As tls_certkey.c does it: ``*_tls_chain_files`` (3.4) makes everything else count for nothing and
wants every key before its certificates. The older parameters are pairs of files, of which the
first certificate and the first key count; where both are one file the order does not matter.
Whatever fails, Postfix goes on without TLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.certificates import store_of
from postlint.analysis.roles import is_public, service_role
from postlint.analysis.tls import tls_of
from postlint.config.derived import once
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.certificates import Certificate, PemFile, PemObject, PublicKey
    from postlint.analysis.tls import ClientTls, ServerTls
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.syntax.source import Location

PAIRS = (("cert_file", "key_file"), ("eccert_file", "eckey_file"), ("dcert_file", "dkey_file"))
"""What follows ``smtpd_tls_`` in the names of parameters that belong together."""

_MOST_ISSUERS = 32
"""Further certificates that are sent along are not judged; the longest real chains have five."""

ProblemKind: TypeAlias = Literal["pair", "order", "unused"]
"""``pair``: key and certificate do not make a pair; ``order``: the certificates do not begin with
that of the key. Both switch TLS off. ``unused``: a key that no certificate belongs to."""


class NamedFile(NamedTuple):
    """A file that a parameter names; ``location`` is None when no one place holds the path."""

    parameter: str
    path: str
    location: Location | None


class Pair(NamedTuple):
    """A key with its certificate and those of the issuers, as they are sent.

    The key is None when it can not be read or decoded; ``problem`` tells that it does not fit.
    """

    key: PublicKey | None
    leaf: Certificate
    issuers: tuple[Certificate, ...]
    file: NamedFile
    """The file of the certificate."""
    whole: bool
    """Whether all certificates that are sent along are there and could be decoded."""


class Problem(NamedTuple):
    """What keeps a pair from being loaded; ``other`` is the file that it does not fit."""

    kind: ProblemKind
    text: str
    file: NamedFile
    other: NamedFile | None = None


class Identity:
    """What one service is known by. ``tls``: what it does with TLS."""

    __slots__ = ("is_server", "pairs", "problems", "service", "tls")

    def __init__(self, tls: ServerTls | ClientTls) -> None:
        self.tls = tls
        self.service = tls.service
        self.is_server = tls.service.program == "smtpd"
        self.pairs: list[Pair] = []
        self.problems: list[Problem] = []

    @property
    def for_users(self) -> bool:
        """Whether it is a service that people log in to."""
        return self.is_server and service_role(self.service) == "msa"


@once
def identities_of(instance: Instance) -> tuple[Identity, ...]:
    """Those of all services that may use TLS and that other hosts may reach."""
    tls = tls_of(instance)
    found = [Identity(server) for server in tls.smtpd if server.mode not in ("none", "fatal")]
    found += [
        Identity(client)
        for client in tls.clients
        if client.level not in ("none", "fatal") or not tls.policies(client.service).empty
    ]
    for identity in found:
        _load(identity)
    return tuple(found)


def is_reachable(identity: Identity) -> bool:
    """Whether clients on other hosts may see the certificate."""
    return not identity.is_server or is_public(identity.service) is not False


def named_file(value: Effective) -> NamedFile | None:
    """The one file that a parameter names; None for none, and where nobody can know."""
    path = value.text.strip()
    if not value.known or not path or path == "none":
        return None
    return NamedFile(value.name, path, value.value_location or value.locate(0, len(value.text)))


def chain_files(value: Effective) -> list[NamedFile] | None:
    """The files of a ``chain_files`` parameter; None where nobody can know."""
    elements = value.elements(braces=False)
    if value.problem is not None or not all(element.known for element in elements):
        return None
    return [
        NamedFile(value.name, element.text, element.location or value.value_location)
        for element in elements
    ]


def _load(identity: Identity) -> None:
    service = identity.service
    prefix = f"{service.program}_tls_"
    value = service[f"{prefix}chain_files"]
    if service.version >= (3, 4) and value.empty is not True:
        files = chain_files(value)
        if files:
            _Chains(identity, files).load()
        return
    if service[f"{prefix}cert_file"].word() == "none":
        return
    for certificate, key in PAIRS:
        _load_pair(identity, service[prefix + certificate], service[prefix + key])


def _load_pair(identity: Identity, certificate: Effective, key: Effective) -> None:
    """Two parameters (set_cert_stuff)."""
    key_named = named_file(key)
    if certificate.empty is True and key.explicit and key_named is not None:
        text = f"{key.name} counts for nothing without {certificate.name}"
        identity.problems.append(Problem("unused", text, key_named))
    named = named_file(certificate)
    if named is None:
        return
    if key_named is not None and not key.explicit and key_named.path == named.path:
        key_named = named  # where people would look for it
    if key.empty is True:
        text = f"{key.name} is empty: there is no key for {named.path}"
        identity.problems.append(Problem("pair", text, named))
    store = store_of(identity.service.instance)
    file = store.file(named.path)
    key_file = None if key_named is None else store.file(key_named.path)
    mixed = identity.service.version >= (3, 4) and key_named is not None
    mixed = mixed and named.path == (key_named and key_named.path)
    problem = _no_use(file, named, key=False, mixed=mixed)
    if problem is None and key_named is not None:
        problem = _no_use(key_file, key_named, key=True, mixed=mixed)
    if problem is not None:
        identity.problems.append(problem)
        return
    found = [] if file is None else [item for item in file.objects if _is_certificate(item)]
    leaf = found[0].certificate if found else None
    first = None if key_file is None else _first_key(key_file, mixed=mixed)
    half = None if first is None else first.public_key
    if file is None or leaf is None:
        return
    if key_named is not None and _differ(leaf, half):
        identity.problems.append(_mismatch(file, named, key_named, half))
        return
    rest = [item.certificate for item in found[1:]]
    identity.pairs.append(_pair(half, leaf, rest, named))


def _is_certificate(item: PemObject) -> bool:
    return item.is_certificate or item.block.label == "TRUSTED CERTIFICATE"


def _is_key(item: PemObject) -> bool:
    return item.is_key


def _no_use(file: PemFile | None, named: NamedFile, *, key: bool, mixed: bool) -> Problem | None:
    """Why a file that was read gives no certificate, or no key, at all."""
    if file is None or not file.complete:
        return None
    what = "private key" if key else "certificate"
    if file.is_der:
        return Problem("pair", f"{named.path} is in binary form (DER), Postfix reads PEM", named)
    first = _first_key(file, mixed=mixed) if key else _first_certificate(file)
    if first is None and not (key and file.has(_is_key)):
        return Problem("pair", f"{named.path} holds no {what}", named)
    if (mixed or not key) and any(item.block.data is None for item in file.objects):
        return Problem("pair", f"an object in {named.path} is damaged", named)
    if first is None or first.block.encrypted:
        return Problem("pair", _ENCRYPTED.format(named.path), named)
    if first.block.data is None:
        return Problem("pair", f"the {what} in {named.path} is damaged", named)
    return None


_SEALED_LABEL = "ENCRYPTED PRIVATE KEY"
_ENCRYPTED = "the private key in {} is encrypted, and Postfix can not ask for a password"


def _first_certificate(file: PemFile) -> PemObject | None:
    return next((item for item in file.objects if _is_certificate(item)), None)


def _first_key(file: PemFile, *, mixed: bool) -> PemObject | None:
    """The key that counts; beside certificates one with a password is passed over.

    OpenSSL 3 looks for another key behind a damaged one.
    """
    keys = [item for item in file.objects if item.is_key]
    if mixed:
        return next((item for item in keys if item.block.label != _SEALED_LABEL), None)
    return next((item for item in keys if item.block.data is not None), keys[0] if keys else None)


def _differ(leaf: Certificate, half: PublicKey | None) -> bool:
    return half is not None and leaf.key is not None and leaf.key != half


def _mismatch(file: PemFile, named: NamedFile, key: NamedFile, half: PublicKey | None) -> Problem:
    """The first certificate is not the key's: perhaps a later one is."""
    for number, certificate in enumerate(file.certificates, 1):
        if number > 1 and certificate.key == half:
            text = (
                f"the certificate of the key is number {number} in {named.path}, it must be"
                f" the first: {certificate.subject}"
            )
            return Problem("order", text, named, None if key.path == named.path else key)
    if key.path == named.path:
        return Problem("pair", f"key and certificate in {named.path} do not belong together", named)
    return Problem("pair", f"{key.path} does not belong to {named.path}", key, named)


def _pair(
    half: PublicKey | None, leaf: Certificate, rest: list[Certificate | None], named: NamedFile
) -> Pair:
    issuers = tuple(item for item in rest[:_MOST_ISSUERS] if item is not None)
    return Pair(half, leaf, issuers, named, whole=len(issuers) == len(rest))


class _Chains:
    """Reads the files of ``chain_files`` as one sequence of objects (load_chain_files)."""

    def __init__(self, identity: Identity, files: list[NamedFile]) -> None:
        self._identity = identity
        self._files = files
        self._key: tuple[PemObject, NamedFile] | None = None
        self._certificates: list[tuple[PemObject, NamedFile]] = []
        self._kinds: dict[str, NamedFile] = {}

    def load(self) -> None:
        """Stop at the first problem, as Postfix does, and at what can not be read."""
        store = store_of(self._identity.service.instance)
        for named in self._files:
            file = store.file(named.path)
            if file is None or not file.complete:
                return
            for item in file.objects:
                problem = self._next(item, named)
                if problem is not None:
                    self._identity.problems.append(problem)
                    return
        problem = self._end()
        if problem is not None:
            self._identity.problems.append(problem)

    def _next(self, item: PemObject, named: NamedFile) -> Problem | None:
        label = item.block.label
        if item.block.data is None:
            return Problem("pair", f"object {item.number} of {named.path} is damaged", named)
        if item.is_certificate:
            if self._key is None:
                return Problem(
                    "pair",
                    f"{named.path} begins with a certificate: in {named.parameter}"
                    " every key comes before its certificate",
                    named,
                )
            self._certificates.append((item, named))
            return None
        if label == _SEALED_LABEL or not item.is_key:
            return None  # of no interest to Postfix
        if item.block.encrypted:
            return Problem("pair", _ENCRYPTED.format(named.path), named)
        problem = self._finish() if self._key is not None else None
        self._key, self._certificates = (item, named), []
        return problem

    def _end(self) -> Problem | None:
        if self._key is not None:
            return self._finish()
        first = self._files[0]
        files = [store_of(self._identity.service.instance).file(item.path) for item in self._files]
        for named, file in zip(self._files, files, strict=True):
            if file is not None and file.has(_is_key):
                return Problem("pair", _ENCRYPTED.format(named.path), named)
            if file is not None and file.is_der:
                text = f"{named.path} is in binary form (DER), Postfix reads PEM"
                return Problem("pair", text, named)
        return Problem("pair", f"there is no key and no certificate in {first.path}", first)

    def _finish(self) -> Problem | None:
        """A key is complete: with the certificates up to the next one."""
        assert self._key is not None
        item, key = self._key
        if not self._certificates:
            text = f"the private key in {key.path} is not followed by its certificate"
            return Problem("pair", text, key)
        first, named = self._certificates[0]
        decoded = [entry.certificate for entry, _ in self._certificates]
        leaf = first.certificate
        if leaf is None:
            return None
        half = item.public_key
        if _differ(leaf, half):
            for number, certificate in enumerate(decoded[1:], 2):
                if certificate is not None and certificate.key == half:
                    text = (
                        f"the certificate of the key is number {number} in {named.path},"
                        f" it must follow the key: {certificate.subject}"
                    )
                    return Problem("order", text, named)
            text = f"the key in {key.path} does not belong to the certificate that follows"
            return Problem("pair", text, key, None if named.path == key.path else named)
        kind = leaf.key_kind
        if kind is not None and leaf.key is not None and kind in self._kinds:
            text = f"{named.path} brings a second certificate for {leaf.key.algorithm} keys"
            return Problem("pair", text, named, self._kinds[kind])
        if kind is not None:
            self._kinds[kind] = named
        self._identity.pairs.append(_pair(half, leaf, decoded[1:], named))
        return None


def pairs_of(instance: Instance) -> Iterator[tuple[Identity, Pair]]:
    """All pairs that can be read, with who loads them."""
    for identity in identities_of(instance):
        for pair in identity.pairs:
            yield identity, pair
