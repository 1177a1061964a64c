"""What protocol lists make an SMTP client offer, holes in them above all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from postlint.analysis.tls_protocols import ProtocolList
from tests.differential.test_tls_protocols import value_of
from tests.differential.tls_clients import VERSION_OPTIONS, make_certificate
from tests.differential.tls_delivery import Case, deliver, sinks
from tests.postfix_server import require_master, smtpd

pytestmark = pytest.mark.postfix

SETTINGS = (
    "",
    "!SSLv2, !SSLv3",
    ">=TLSv1.2",
    "TLSv1, SSLv3",
    "TLSv1.2",
    "!TLSv1.2",
    "!TLSv1.1",
    "!TLSv1.3",
    "TLSv1, TLSv1.2, TLSv1.3",
    "TLSv1.1, TLSv1.3",
    ">=TLSv1.1, !TLSv1.2",
    "<=TLSv1.1",
    ">= TLSv1.2",
    "!SSLv2, !SSLv3, TLSv1",
    "TLS1.2",
)


def test_versions_that_a_client_offers() -> None:
    """The servers speak one version each and take nothing in clear text."""
    version = require_master().version
    with tempfile.TemporaryDirectory(prefix="pl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        certificate = make_certificate(folder)
        services = {
            wanted.replace(".", ""): smtpd(smtpd_tls_mandatory_protocols=wanted)
            for wanted in VERSION_OPTIONS
        }
        settings = {
            "smtpd_tls_chain_files": str(certificate),
            "smtpd_tls_security_level": "encrypt",
        }
        with sinks(services, settings) as server:
            cases = []
            for number, text in enumerate(SETTINGS):
                mandatory = {
                    "smtp_tls_security_level": "encrypt",
                    "smtp_tls_mandatory_protocols": text,
                    "smtp_tls_protocols": "TLSv1.4",
                }
                optional = {
                    "smtp_tls_security_level": "may",
                    "smtp_tls_protocols": text,
                    "smtp_tls_mandatory_protocols": "TLSv1.4",
                }
                overrides = optional if number % 2 else mandatory
                cases += [Case(wanted.replace(".", ""), overrides) for wanted in VERSION_OPTIONS]
            deliveries = iter(deliver(cases, server))
    wrong = []
    for text in SETTINGS:
        sent = [(wanted, next(deliveries)) for wanted in VERSION_OPTIONS]
        real = tuple(wanted for wanted, found in sent if found.tls == wanted)
        offered = ProtocolList.of(value_of(text), version).offered("client")
        assert offered is not None
        if real != offered.certain:
            wrong.append(f"{text!r}: Postfix {real}, postlint {offered.certain}")
    assert not wrong, "\n".join(wrong)
