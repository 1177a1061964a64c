"""What a real smtpd and smtp make of certificates, keys and chains that the CRT rules judge."""

from __future__ import annotations

import random
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from postlint.analysis.certificate_chains import chain_of
from postlint.analysis.tls_identities import identities_of
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from tests.certificates import (
    FAR,
    LONG_AGO,
    authority,
    certificate,
    kept_key,
    key_text,
    traditional,
)
from tests.differential.test_tls_server import starttls
from tests.differential.tls_delivery import Case, deliver, sinks
from tests.postfix_here import run
from tests.postfix_server import MAIN_CF, require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls_identities import Identity
    from tests.postfix_server import Server, ServiceLine

pytestmark = pytest.mark.postfix

CASES = 50
"""Generated services of each kind."""

SEED = 41

ROOT = authority("Test Root")
MIDDLE = authority("Test Issuing CA", by=ROOT)
LEAF = certificate(by=MIDDLE)
RSA = certificate(key=kept_key("2048"))
OTHER_RSA = certificate(key=kept_key("2048", 1))

_SEALED = serialization.BestAvailableEncryption(b"password")


def _sealed(form: serialization.PrivateFormat) -> str:
    return RSA.key.private_bytes(serialization.Encoding.PEM, form, _SEALED).decode()


PIECES = {
    "leaf": LEAF.pem,
    "leaf key": LEAF.key_pem,
    "leaf key (EC)": traditional(LEAF.key),
    "middle": MIDDLE.pem,
    "root": ROOT.pem,
    "rsa": RSA.pem,
    "rsa key": RSA.key_pem,
    "rsa key (RSA)": traditional(RSA.key),
    "other": OTHER_RSA.pem,
    "other key": OTHER_RSA.key_pem,
    "sealed": key_text(RSA.key, "password"),
    "sealed (RSA)": _sealed(serialization.PrivateFormat.TraditionalOpenSSL),
    "text": "Certificate:\n    Data: none\n",
    "parameters": "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
    "cut": RSA.pem[:300] + "\n",
    "torn": RSA.key_pem.replace("\n", "\n!", 3),
    "old label": RSA.pem.replace(" CERTIFICATE", " X509 CERTIFICATE"),
}
KEYS = frozenset(name for name in PIECES if "key" in name or name.startswith(("sealed", "torn")))
RIGHT = (
    *(["rsa key", "rsa"], ["rsa key (RSA)", "text", "old label"], ["other key", "other"]),
    *(["leaf key", "leaf", "middle", "root"], ["leaf key (EC)", "parameters", "leaf"]),
    *(["rsa key", "rsa", "leaf key", "leaf", "middle"],),
)
CHAINS = (
    *(["leaf key", "leaf"], ["leaf key (EC)", "parameters", "leaf", "middle"]),
    *(["rsa key", "rsa", "leaf key", "leaf", "middle"], ["rsa key", "rsa", "other key", "other"]),
    *(["leaf", "leaf key"], ["leaf key", "middle", "leaf"], ["rsa key (RSA)", "old label"]),
    *(["sealed", "rsa"], ["sealed (RSA)", "rsa"], ["text"], ["cut"], ["rsa key", "cut"]),
    *(["rsa key"], ["rsa key", "leaf key", "leaf"], ["rsa key", "rsa", "rsa key"]),
)


@pytest.fixture(scope="module", name="folder")
def _folder() -> Iterator[Path]:
    require_master()
    with tempfile.TemporaryDirectory(prefix="pl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def put(folder: Path, name: str, *pieces: str) -> str:
    """A file of pieces, or of texts; its path."""
    path = folder / f"{name}.pem"
    path.write_text("".join(PIECES.get(piece, piece) for piece in pieces), "utf-8")
    return str(path)


def generated(folder: Path) -> Iterator[tuple[str, ServiceLine, str]]:
    """Services with right, slightly wrong and wild sequences, and what they were made of."""
    choose = random.Random(SEED)
    for number in range(CASES):
        made = list(CHAINS[number]) if number < len(CHAINS) else _varied(choose)
        middle = choose.randint(1, len(made))
        files = [put(folder, f"a{number}", *made[:middle])]
        if middle < len(made):
            files.append(put(folder, f"b{number}", *made[middle:]))
        yield f"chain{number}", smtpd(smtpd_tls_chain_files=" ".join(files)), " ".join(made)
    for number in range(CASES):
        made = _varied(choose)
        if number % 2:
            path = put(folder, f"m{number}", *made)
            yield f"mixed{number}", smtpd(smtpd_tls_cert_file=path), " ".join(made)
            continue
        keys = [piece for piece in made if piece in KEYS]
        rest = [piece for piece in made if piece not in KEYS or choose.random() < 0.1]
        path, key = put(folder, f"c{number}", *rest), put(folder, f"k{number}", *keys)
        line = smtpd(smtpd_tls_cert_file=path, smtpd_tls_key_file=key)
        yield f"pair{number}", line, f"{rest} {keys}"


def _varied(choose: random.Random) -> list[str]:
    """A right sequence, in half of the cases with one or two mistakes."""
    made = list(choose.choice(RIGHT))
    for _ in range(choose.choice((0, 0, 1, 2))):
        at = choose.randrange(len(made))
        match choose.randrange(4):
            case 0:
                made.insert(at, choose.choice(list(PIECES)))
            case 1:
                made[at] = choose.choice(list(PIECES))
            case 2:
                made.append(made.pop(at))
            case _ if len(made) > 1:
                del made[at]
    return made


def test_what_keeps_a_server_from_tls(folder: Path) -> None:
    """CRT004 and the errors of CRT010: TLS is off exactly where a problem is predicted."""
    made = list(generated(folder))
    lines = {name: line for name, line, _ in made}
    settings = {"smtpd_tls_security_level": "may", "max_use": "1"}
    with running(lines, settings) as server:
        predicted = predictions(server, list(lines))
        real = {name: starttls(server, name) for name in lines}
        logs = {name: server.log(name) for name in lines}
    wrong = [
        (description, real[name], predicted[name], _warnings(logs[name]))
        for name, _, description in made
        if real[name] != (454 if predicted[name] else 220)
    ]
    assert not wrong
    assert CASES // 2 < sum(code == 220 for code in real.values()) < CASES * 3 // 2


def identities(server: Server) -> dict[str, Identity]:
    """What postlint sees of the services, by their ports."""
    (candidate,) = Discovery().find([str(server.folder)], bytes)
    instance = load_instance(candidate, require_master().version, host=True)
    return {identity.service.name: identity for identity in identities_of(instance)}


def predictions(server: Server, names: list[str]) -> dict[str, str | None]:
    """The problem that switches TLS off, by service."""
    found = identities(server)
    return {
        name: next(
            (
                problem.text
                for problem in found[f"127.0.0.1:{server.port(name)}"].problems
                if problem.kind != "unused"
            ),
            None,
        )
        for name in names
    }


def _warnings(log: str) -> list[str]:
    return re.findall(r"\]: (warning: .*)", log)


def test_claims_without_generator(folder: Path) -> None:
    """CRT002, CRT004: no authority in a file, an empty key; DER; what is off needs no file."""
    whole = put(folder, "whole", "rsa key", "rsa")
    der = folder / "rsa.der"
    der.write_bytes(RSA.certificate.public_bytes(serialization.Encoding.DER))
    bare, nobody = put(folder, "bare", "rsa"), put(folder, "nobody", "text")
    lines = {
        "authorities": smtpd(smtpd_tls_chain_files=whole, smtpd_tls_CAfile=nobody),
        "empty": smtpd(smtpd_tls_cert_file=bare, smtpd_tls_key_file=""),
        "der": smtpd(smtpd_tls_cert_file=str(der), smtpd_tls_key_file=whole),
        "unused": smtpd(smtpd_tls_cert_file=whole, smtpd_tls_eckey_file="/nonexistent"),
        "overruled": smtpd(smtpd_tls_chain_files=whole, smtpd_tls_cert_file="/nonexistent"),
        "off": smtpd(smtpd_tls_security_level="none", smtpd_tls_cert_file="/nonexistent"),
    }
    with running(lines, {"smtpd_tls_security_level": "may"}) as server:
        real = {name: starttls(server, name) for name in lines}
        assert "cannot load Certification Authority data" in server.log("authorities")
        problems = predictions(server, [name for name in lines if name != "off"])
    off = {"authorities", "empty", "der"}
    assert {name for name, code in real.items() if code == 454} == off
    assert {name for name, problem in problems.items() if problem} == off - {"authorities"}
    assert real["off"] is None and real["unused"] == real["overruled"] == 220


def test_what_is_sent_along(folder: Path) -> None:
    """CRT010: a lone certificate gets its issuer from smtpd_tls_CAfile, one in company does not."""
    alone = put(folder, "alone", "leaf key", "leaf")
    authorities = put(folder, "authorities", "middle", "root")
    lines = {
        "alone": smtpd(smtpd_tls_chain_files=alone),
        "full": smtpd(smtpd_tls_chain_files=f"{alone} {put(folder, 'middle', 'middle')}"),
        "completed": smtpd(smtpd_tls_chain_files=alone, smtpd_tls_CAfile=authorities),
        "company": smtpd(
            smtpd_tls_chain_files=f"{alone} {put(folder, 'rsa', 'rsa')}",
            smtpd_tls_CAfile=authorities,
        ),
    }
    with running(lines, {"smtpd_tls_security_level": "may"}) as server:
        sent = {name: _sent(server, name) for name in lines}
        missing = {}
        for name in lines:
            identity = identities(server)[f"127.0.0.1:{server.port(name)}"]
            chain = chain_of(identity.service, identity.pairs[0])
            missing[name] = chain.missing is not None
    assert {name: "Test Issuing CA" not in names for name, names in sent.items()} == missing
    assert missing == {"alone": True, "full": False, "completed": False, "company": True}


def test_whether_clients_can_check_the_chain(folder: Path) -> None:
    """CRT010: what openssl(1) verifies with the root alone is what nothing is missing of."""
    choose = random.Random(SEED)
    authority_files = {
        "": "",
        "both": put(folder, "both", "middle", "root"),
        "root": put(folder, "only-root", "root"),
        "other": put(folder, "only-other", "other"),
    }
    lines = {}
    for number in range(24):
        along = choose.sample(["middle", "root", "rsa", "other"], choose.choice((0, 0, 1, 2, 3)))
        file = put(folder, f"sent{number}", "leaf key", "leaf", *along)
        given = authority_files[choose.choice(list(authority_files))]
        lines[f"s{number}"] = smtpd(smtpd_tls_chain_files=file, smtpd_tls_CAfile=given)
    trusted = put(folder, "trusted", "root")
    real, predicted = {}, {}
    with running(lines, {"smtpd_tls_security_level": "may"}) as server:
        seen = identities(server)
        for name in lines:
            identity = seen[f"127.0.0.1:{server.port(name)}"]
            predicted[name] = chain_of(identity.service, identity.pairs[0]).missing is None
            address = f"127.0.0.1:{server.port(name)}"
            command = ["openssl", "s_client", "-connect", address, "-starttls", "smtp"]
            said = run([*command, "-CAfile", trusted], stdin="QUIT\r\n").output
            real[name] = "Verify return code: 0 (ok)" in said
    assert real == predicted
    assert 6 < sum(real.values()) < 18


def _sent(server: Server, name: str) -> list[str]:
    """The common names of the certificates that a client gets."""
    address = f"127.0.0.1:{server.port(name)}"
    command = ["openssl", "s_client", "-connect", address, "-starttls", "smtp", "-showcerts"]
    return re.findall(
        r"^ *\d+ s:.*CN ?= ?(.*)$", run(command, stdin="QUIT\r\n").output, re.MULTILINE
    )


def test_clients_without_their_certificate(folder: Path) -> None:
    """CRT004 and CRT002 for clients: in clear text at may, deferred at encrypt."""
    whole, other = put(folder, "whole", "rsa key", "rsa"), put(folder, "other", "other key")
    broken = {"smtp_tls_cert_file": whole, "smtp_tls_key_file": other}
    empty = put(folder, "none", "text")
    cases = [
        Case("tls", {**broken, "smtp_tls_security_level": "may"}),
        Case("tls", {**broken, "smtp_tls_security_level": "encrypt"}),
        Case("tls", {"smtp_tls_cert_file": whole, "smtp_tls_security_level": "encrypt"}),
        Case("tls", {"smtp_tls_CAfile": empty, "smtp_tls_security_level": "may"}),
    ]
    with sinks(
        {"tls": smtpd(smtpd_tls_security_level="may")}, {"smtpd_tls_chain_files": whole}
    ) as to:
        deliveries = deliver(cases, to)
    assert [item.status for item in deliveries] == ["sent", "deferred", "sent", "sent"]
    assert [item.tls is not None for item in deliveries] == [False, False, True, False]


def test_certificates_of_clients_that_are_not_asked(folder: Path) -> None:
    """CRT015: every word that compares certificates; to require them is nothing without TLS."""
    whole = put(folder, "whole", "rsa key", "rsa")
    words = ("permit_tls_clientcerts", "permit_tls_all_clientcerts", "check_ccert_access")
    lists = {word: f"{word} static:OK" if "check" in word else word for word in words}
    lines = {
        word: smtpd(smtpd_client_restrictions=text, smtpd_tls_req_ccert="yes")
        for word, text in lists.items()
    }
    lines["mandatory"] = smtpd(
        smtpd_client_restrictions=lists[words[0]],
        smtpd_tls_security_level="encrypt",
        smtpd_tls_ask_ccert="yes",
    )
    settings = {"smtpd_tls_chain_files": whole, "smtpd_tls_security_level": "may"}
    with running(lines, settings) as server:
        for name in lines:
            with server.connect(name) as client:
                assert client.starttls().code == 220
                client.ehlo()
                assert client.mail_to("user@example.com").code == 250
        for word in words:
            warning = f'{word} is requested, but "smtpd_tls_ask_ccert = no"'
            assert warning in server.log(word)
        assert "is requested, but" not in server.log("mandatory")


def test_authorities_of_the_system(folder: Path) -> None:
    """CRT014: tls_append_default_CA appends to a file or folder, and does nothing alone."""
    chain = put(folder, "chain", "leaf key", "leaf", "middle")
    system, other = put(folder, "system", "root"), put(folder, "other", "other")
    secure = {
        "smtp_tls_security_level": "secure",
        "smtp_tls_secure_cert_match": "mx.example.com",
        "tls_append_default_CA": "yes",
    }
    cases = [
        Case("tls", secure),
        Case("tls", {**secure, "smtp_tls_CAfile": other}),
        Case("tls", {**secure, "smtp_tls_CAfile": other, "tls_append_default_CA": "no"}),
        Case("tls", {**secure, "smtp_tls_CAfile": system, "tls_append_default_CA": "no"}),
    ]
    settings = {"smtpd_tls_chain_files": chain, "smtpd_tls_security_level": "may"}
    environment = f"{MAIN_CF['import_environment']} SSL_CERT_FILE={system}"
    with sinks({"tls": smtpd()}, settings) as to:
        deliveries = deliver(cases, to, {"import_environment": environment})
    assert [item.status for item in deliveries] == ["deferred", "sent", "deferred", "sent"]


def test_clients_of_the_authorities_of_the_system(folder: Path) -> None:
    """RLY006: servers trust those of the system beside a file or folder only, just as clients."""
    whole, system = put(folder, "whole", "rsa key", "rsa"), put(folder, "system", "root")
    own, issuer = put(folder, "own", "leaf key", "leaf"), put(folder, "issuer", "middle")
    lines = {"alone": smtpd(), "beside": smtpd(smtpd_tls_CAfile=whole)}
    settings = {
        "smtpd_tls_chain_files": whole,
        "smtpd_tls_security_level": "may",
        "smtpd_tls_ask_ccert": "yes",
        "smtpd_tls_loglevel": "1",
        "tls_append_default_CA": "yes",
        "import_environment": f"{MAIN_CF['import_environment']} SSL_CERT_FILE={system}",
    }
    said = {}
    with running(lines, settings) as server:
        for name in lines:
            address = f"127.0.0.1:{server.port(name)}"
            command = ["openssl", "s_client", "-connect", address, "-starttls", "smtp"]
            command += ["-cert", own, "-key", own, "-cert_chain", issuer]
            run(command, stdin="QUIT\r\n")
            said[name] = server.wait_for(r"(?:Trusted|Untrusted) TLS connection", name)
    assert said == {"alone": "Untrusted TLS connection", "beside": "Trusted TLS connection"}


def test_what_a_client_that_verifies_says(folder: Path) -> None:
    """CRT007, CRT009 and CRT010: mail is deferred that others deliver all the same."""
    past = certificate(by=ROOT, end=LONG_AGO + timedelta(days=1))
    future = certificate(by=ROOT, begin=FAR - timedelta(days=1))
    files = {
        "good": ("leaf key", "leaf", "middle"),
        "root": ("leaf key", "leaf", "middle", "root"),
        "mixed": ("leaf key", "leaf", "root", "middle"),
        "alone": ("leaf key", "leaf"),
        "expired": (past.chain,),
        "early": (future.chain,),
        "named": (certificate("www.example.com", by=ROOT).chain,),
        "bare": (certificate(names=[], by=ROOT).chain,),
        "wild": (certificate("x", names=["*.example.com"], by=ROOT).chain,),
    }
    lines = {
        name: smtpd(smtpd_tls_chain_files=put(folder, f"to-{name}", *pieces))
        for name, pieces in files.items()
    }
    secure = {
        "smtp_tls_security_level": "secure",
        "smtp_tls_secure_cert_match": "mx.example.com",
        "smtp_tls_CAfile": put(folder, "authority", "root"),
    }
    with sinks(lines, {"smtpd_tls_security_level": "may"}) as to:
        cases = [Case(name, level) for name in files for level in (secure, {})]
        found = deliver(cases, to)
    strict = {case.sink: item.status for case, item in zip(cases[::2], found[::2], strict=True)}
    fine = {"good", "root", "mixed", "bare", "wild"}
    assert {name for name, status in strict.items() if status == "sent"} == fine
    assert {item.status for item in found[1::2]} == {"sent"}
