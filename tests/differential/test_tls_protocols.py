"""What protocol lists let through: ProtocolList against handshakes with a real smtpd."""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from postlint.analysis.tls_protocols import ProtocolList
from postlint.config.effective import Effective, Piece
from postlint.config.settings import Setting
from tests.differential.tls_clients import VERSION_OPTIONS, handshake, make_certificate
from tests.postfix_server import ServiceLine, require_master, running, smtpd

pytestmark = pytest.mark.postfix

GENERATED = 20

SETTINGS = (
    "",
    "!SSLv2",
    "!SSLv2, !SSLv3",
    "!SSLv2:!SSLv3:!TLSv1",
    "!SSLv2 !SSLv3 !TLSv1 !TLSv1.1",
    "!TLSv1.3",
    "!TLSv1.2",
    "!TLSv1, !TLSv1.1, !TLSv1.2, !TLSv1.3",
    "TLSv1, SSLv3",
    "SSLv3",
    "TLSv1.2",
    "TLSv1.3",
    "tlsV1.2, TLSV1.3",
    "TLSv1, TLSv1.2",
    "!SSLv2, !SSLv3, TLSv1",
    "TLSv1.2, !TLSv1.2",
    ">=TLSv1",
    ">=TLSv1.2",
    ">=tlsv1.3",
    "<=TLSv1.1",
    ">=TLSv1.1, <=TLSv1.2",
    ">=TLSv1.2, <=TLSv1.1",
    ">=TLSv1.2, TLSv1",
    ">=TLSv1.2, TLSv1, TLSv1.3",
    ">=TLSv1, !TLSv1.2",
    ">=TLSv1.3, >=TLSv1.1",
    ">= TLSv1.2",
    ">=",
    ">=None",
    "<=none",
    ">=0303",
    ">=0x0302",
    "<=302",
    "<=+0303",
    ">=0305",
    ">=2",
    "<=7fffffff",
    ">=80000000",
    "<=0x",
    ">=SSLv2",
    ">=SSLv3",
    "<=SSLv3",
    "TLS1.2",
    "!TLSv1_1",
    "-SSLv3",
    "! SSLv3",
    "!!TLSv1",
    "all",
    "!>=TLSv1.2",
    "TLSv1.4",
    ",,:: !TLSv1 ,",
)


def generated(number: int) -> list[str]:
    """Lists made at random, always the same ones."""
    source = random.Random(2011)
    names = ["SSLv2", "SSLv3", *VERSION_OPTIONS, "0302", "0303", "None", "TLSv1.5"]
    weights = [2, 3, 6, 6, 8, 8, 1, 1, 1, 1]
    signs = ["", "!", "!", "!", ">=", "<="]
    lists = []
    for _ in range(number):
        words = [
            source.choice(signs) + source.choices(names, weights)[0]
            for _ in range(source.randint(1, 5))
        ]
        lists.append(source.choice([", ", " ", ":", ",", " : "]).join(words))
    return lists


def value_of(text: str) -> Effective:
    setting = Setting("smtpd_tls_protocols", text, "main.cf")
    return Effective(setting, (Piece(text, None),))


def test_versions_are_those_that_a_handshake_reaches() -> None:
    """Optional TLS takes one parameter, wrapper mode the other; both read the list alike."""
    version = require_master().version
    lists = [*SETTINGS, *generated(GENERATED)]
    services: dict[str, ServiceLine] = {}
    for number, text in enumerate(lists):
        if number % 2:
            services[f"p{number}"] = smtpd(
                smtpd_tls_wrappermode="yes",
                smtpd_tls_mandatory_protocols=text,
                smtpd_tls_protocols="TLSv1",
            )
        else:
            services[f"p{number}"] = smtpd(
                smtpd_tls_security_level="may",
                smtpd_tls_protocols=text,
                smtpd_tls_mandatory_protocols="TLSv1",
            )
    with tempfile.TemporaryDirectory(prefix="pl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        certificate = make_certificate(folder)
        with running(services, {"smtpd_tls_chain_files": str(certificate)}) as server:
            tasks = [(number, wanted) for number in range(len(lists)) for wanted in VERSION_OPTIONS]

            def reached(task: tuple[int, str]) -> bool:
                number, wanted = task
                found = handshake(server.port(f"p{number}"), wanted, starttls=not number % 2)
                assert found is None or found[0] == wanted
                return found is not None

            with ThreadPoolExecutor(4) as pool:
                answers = dict(zip(tasks, pool.map(reached, tasks), strict=True))
    wrong = []
    for number, text in enumerate(lists):
        offered = ProtocolList.of(value_of(text), version).offered()
        assert offered is not None
        real = tuple(wanted for wanted in VERSION_OPTIONS if answers[number, wanted])
        if real != offered.certain:
            wrong.append(f"{text!r}: Postfix {real}, postlint {offered.certain}")
    assert not wrong, "\n".join(wrong)
