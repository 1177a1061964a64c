"""CRT rules that read certificates and keys: severities by role and time, messages, and silence."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from postlint.analysis import certificates
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.lint.registry import bundled_rules
from tests.certificates import authority, certificate, kept_key, key_text, new_key
from tests.differential.tls_clients import require_openssl
from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked
from tests.rules.test_tls import texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.config.instance import Instance
    from postlint.lint.finding import Finding
    from tests.certificates import Issued

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MX = "smtp inet n - y - - smtpd\n"
MSA = "submission inet n - y - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
CHAIN = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/postfix/x.pem\n"

ROOT = authority("Root")
MIDDLE = authority("Middle", by=ROOT)
LEAF = certificate(by=MIDDLE, public=True)
OWN = certificate()


@pytest.fixture(autouse=True)
def _fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "now", lambda: NOW)


def key_too_permissive(instance: Instance) -> Iterator[Finding]:
    (rule,) = [rule for rule in bundled_rules() if rule.code == "CRT005"]
    yield from rule.check(instance)


def lint(
    folder: Path,
    code: str,
    pem: str,
    main: str = CHAIN,
    master: str = MX,
    *,
    host: bool = False,
    version: str | None = None,
    **files: str,
) -> list[Finding]:
    """The findings of a rule; ``x.pem`` holds ``pem``, other files are named by their stem."""
    given = {f"{name}.pem": text for name, text in files.items()}
    written = {"main.cf": main, "master.cf": master, "x.pem": pem, **given}
    return lint_files(folder, written, select=code, host=host, version=version)


class TestPairs:
    """CRT004."""

    @pytest.mark.parametrize(
        ("pem", "text"),
        [
            (OWN.pem, "/etc/postfix/x.pem begins with a certificate: in smtpd_tls_chain_files every"
             " key comes before its certificate"),
            (OWN.key_pem, "the private key in /etc/postfix/x.pem is not followed by its"
             " certificate"),
            (OWN.key_pem * 2, "the private key in /etc/postfix/x.pem is not followed by its"
             " certificate"),
            (OWN.key_pem + LEAF.pem, "the key in /etc/postfix/x.pem does not belong to the"
             " certificate that follows"),
            (key_text(OWN.key, "x") + "text", "the private key in /etc/postfix/x.pem is encrypted,"
             " and Postfix can not ask for a password"),
            ("text", "there is no key and no certificate in /etc/postfix/x.pem"),
            (OWN.chain[:-40], "object 2 of /etc/postfix/x.pem is damaged"),
            (OWN.chain + LEAF.chain, "/etc/postfix/x.pem brings a second certificate for EC keys"),
        ],
    )  # fmt: skip
    def test_chains(self, pem: str, text: str, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "CRT004", pem)
        effect = "STARTTLS is offered and then refused, mail comes in clear text"
        assert texts([finding]) == [("error", f"{text}: TLS is off, {effect}")]
        assert marked(finding) == "/etc/postfix/x.pem"

    def test_right_chains(self, tmp_path: Path) -> None:
        two = certificate(key=kept_key("2048"))
        for pem in (OWN.chain, OWN.chain + two.chain, "text\n" + OWN.chain + ROOT.pem, LEAF.chain):
            assert not lint(tmp_path, "CRT004", pem)

    def test_several_files_are_one_sequence(self, tmp_path: Path) -> None:
        main = CHAIN.replace("x.pem", "key.pem, /etc/postfix/x.pem")
        assert not lint(tmp_path, "CRT004", OWN.pem, main, key=OWN.key_pem)
        (finding,) = lint(tmp_path, "CRT004", OWN.pem, main, key=LEAF.key_pem)
        assert marked(finding) == "/etc/postfix/key.pem"
        assert [place.message for place in finding.related] == ["what it does not fit"]

    def test_consequences_by_service(self, tmp_path: Path) -> None:
        main = (
            "smtp_tls_security_level = may\nsmtp_tls_cert_file = /etc/postfix/x.pem\n"
            "smtpd_tls_cert_file = $smtp_tls_cert_file\n"
        )
        master = (
            "smtps inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
            "smtp unix - - y - - smtp\n"
            "safe unix - - y - - smtp\n  -o smtp_tls_security_level=encrypt\n"
        )
        messages = {
            message.partition(": ")[2]: [name for name, _ in item.services]
            for item in lint(tmp_path, "CRT004", OWN.pem, main, master)
            for _, message in texts([item])
        }
        assert messages == {
            "TLS is off, every connection is dropped": ["smtps/inet"],
            "TLS is off, all mail leaves in clear text; elsewhere mail is deferred": [
                "smtp/unix",
                "safe/unix",
            ],
        }

    def test_chain_files_come_first(self, tmp_path: Path) -> None:
        main = CHAIN + "smtpd_tls_cert_file = /etc/postfix/key.pem\n"
        assert not lint(tmp_path, "CRT004", OWN.chain, main, key=OWN.key_pem)
        (finding,) = lint(tmp_path, "CRT004", OWN.chain, main, key=OWN.key_pem, version="3.3")
        assert marked(finding) == "/etc/postfix/key.pem"

    def test_empty_key(self, tmp_path: Path) -> None:
        main = (
            "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /etc/postfix/x.pem\n"
            "smtpd_tls_key_file =\n"
        )
        (finding,) = lint(tmp_path, "CRT004", OWN.chain, main)
        assert "there is no key for /etc/postfix/x.pem" in finding.message

    def test_silence(self, tmp_path: Path) -> None:
        """Unknown values, files that are not there, and no certificate by choice."""
        for value in ("{{ cert }}", "none", "/etc/ssl/x.pem", "/etc/postfix/absent.pem", "x.pem"):
            main = f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {value}\n"
            assert not lint(tmp_path, "CRT004", OWN.pem, main)

    def test_without_the_library_what_needs_none_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(certificates, "_library", lambda: False)
        assert len(lint(tmp_path, "CRT004", OWN.pem + OWN.key_pem)) == 1
        assert not lint(tmp_path, "CRT", OWN.key_pem + LEAF.pem)


class TestModes:
    """CRT005."""

    @pytest.mark.parametrize(
        ("mode", "group", "said"),
        [
            (0o644, 0, ("error", "every user (mode 0644)")),
            (0o604, 0, ("error", "every user (mode 0604)")),
            (0o640, 65534, ("info", "the group nogroup (mode 0640)")),
            (0o640, 0, None),
            (0o620, 65534, None),
            (0o600, 65534, None),
        ],
    )
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
    def test_who_can_read(
        self, mode: int, group: int, said: tuple[str, str] | None, tmp_path: Path
    ) -> None:
        path = tmp_path / "x.pem"
        path.touch()
        os.chown(path, 0, group)
        path.chmod(mode)
        found = texts(lint(tmp_path, "CRT005", OWN.chain, host=True))
        text = "the private key in /etc/postfix/x.pem can be read by "
        assert found == ([] if said is None else [(said[0], text + said[1])])

    def test_access_lists_are_another_matter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "x.pem"
        path.touch()
        path.chmod(0o640)
        monkeypatch.setattr(os, "listxattr", lambda _path: ["system.posix_acl_access"])
        assert not lint(tmp_path, "CRT005", OWN.chain, host=True)

    def test_closed_folders_keep_others_out(self, tmp_path: Path) -> None:
        """As /etc/letsencrypt/archive does; a link into an open folder does not help."""
        closed = tmp_path / "closed"
        closed.mkdir()
        (closed / "real.pem").write_text(OWN.chain, "utf-8")
        (tmp_path / "x.pem").write_text("", "utf-8")
        (tmp_path / "link.pem").symlink_to("closed/real.pem")
        main = CHAIN.replace("x.pem", "link.pem")
        closed.chmod(0o700)
        assert not lint(tmp_path, "CRT005", "", main, host=True)
        closed.chmod(0o711)
        (closed / "real.pem").chmod(0o644)
        assert len(lint(tmp_path, "CRT005", "", main, host=True)) == 1

    def test_image(self, tmp_path: Path) -> None:
        """Below --root modes count, groups are those of another system."""
        root, name = tmp_path / "root", "/etc/ssl/private/x.pem"
        path = root / name.removeprefix("/")
        path.parent.mkdir(parents=True)
        path.write_text(OWN.chain, "utf-8")
        folder = root / "etc/postfix"
        folder.mkdir()
        (folder / "main.cf").write_text(f"smtpd_tls_chain_files = {name}\n", "utf-8")
        said = {}
        for mode in (0o644, 0o640, 0o600):
            path.chmod(mode)
            (candidate,) = Discovery().find([str(folder)], bytes)
            instance = load_instance(candidate, root=root)
            said[mode] = [
                item.message.partition(" can ")[2] for item in key_too_permissive(instance)
            ]
        assert said == {0o644: ["be read by every user (mode 0644)"], 0o640: [], 0o600: []}
        path.parent.chmod(0o700)
        path.chmod(0o644)
        assert not list(key_too_permissive(load_instance(candidate, root=root)))

    def test_modes_of_a_checkout_say_nothing(self, tmp_path: Path) -> None:
        assert not lint(tmp_path, "CRT005", OWN.chain)


class TestDates:
    """CRT007."""

    @pytest.mark.parametrize(
        ("end", "said"),
        [
            (timedelta(seconds=-1), ("error", "expired on 2026-06-01")),
            (timedelta(seconds=1), ("warning", "expires on 2026-06-01")),
            (timedelta(days=14, seconds=-1), ("warning", "expires on 2026-06-15")),
            (timedelta(days=14), ("info", "expires on 2026-06-15")),
            (timedelta(days=30, seconds=-1), ("info", "expires on 2026-07-01")),
            (timedelta(days=30), None),
        ],
    )
    def test_end(self, end: timedelta, said: tuple[str, str] | None, tmp_path: Path) -> None:
        found = texts(lint(tmp_path, "CRT007", certificate(end=NOW + end).chain))
        text = "/etc/postfix/x.pem: mx.example.com "
        assert found == ([] if said is None else [(said[0], text + said[1])])

    def test_begin(self, tmp_path: Path) -> None:
        pem = certificate(begin=NOW + timedelta(days=1)).chain
        assert texts(lint(tmp_path, "CRT007", pem)) == [
            ("error", "/etc/postfix/x.pem: mx.example.com is not valid before 2026-06-02")
        ]

    def test_users_see_it(self, tmp_path: Path) -> None:
        pem = certificate(end=NOW - timedelta(days=1)).chain
        (finding,) = lint(tmp_path, "CRT007", pem, master=MX + MSA)
        assert finding.security_severity == 5.3
        assert [name for name, _ in finding.services] == ["smtp/inet", "submission/inet"]
        (finding,) = lint(tmp_path, "CRT007", pem)
        assert finding.security_severity == 3.7

    def test_client(self, tmp_path: Path) -> None:
        main = CHAIN.replace("smtpd_", "smtp_")
        pem = certificate(end=NOW - timedelta(days=1)).chain
        (finding,) = lint(tmp_path, "CRT007", pem, main, "smtp unix - - y - - smtp\n")
        assert finding.severity.label == "warning" and finding.security_severity is None


class TestStrength:
    """CRT008."""

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            ("1024", ("error", "has an RSA key of 1024 bits, 2048 are the least")),
            ("P-192", ("error", "has a key on a curve of 192 bits, 256 are usual")),
            ("P-224", ("warning", "has a key on a curve of 224 bits, 256 are usual")),
            ("DSA", ("warning", "has a DSA key, which is out of use")),
            ("2048", None),
            ("P-256", None),
            ("Ed25519", None),
        ],
    )
    def test_keys(self, kind: str, said: tuple[str, str] | None, tmp_path: Path) -> None:
        found = lint(tmp_path, "CRT008", certificate(key=kept_key(kind)).chain)
        text = "/etc/postfix/x.pem: mx.example.com "
        assert texts(found) == ([] if said is None else [(said[0], text + said[1])])
        assert all(item.security_severity == 7.4 for item in found if said and said[0] == "error")

    def test_signatures(self, tmp_path: Path) -> None:
        signer = certificate("Root", key=kept_key("2048"), is_authority=True)
        for digest, name in (("sha1", "SHA-1"), ("md5", "MD5")):
            pem = OWN.key_pem + _signed(tmp_path, signer, digest)
            said = f"/etc/postfix/x.pem: mx.example.com is signed with {name}, which can be forged"
            assert texts(lint(tmp_path, "CRT008", pem)) == [("error", said)]
        assert not lint(tmp_path, "CRT008", OWN.key_pem + _signed(tmp_path, ROOT, "sha256"))
        own = _signed(tmp_path, OWN, "sha1")
        assert not lint(tmp_path, "CRT008", OWN.key_pem + own), "one's own signature proves nothing"

    def test_issuers_count_roots_do_not(self, tmp_path: Path) -> None:
        short = new_key("1024")
        root = certificate("Root", key=short, is_authority=True)
        middle = certificate("Middle", by=root, key=short, is_authority=True)
        leaf = certificate(by=middle)
        (finding,) = lint(tmp_path, "CRT008", leaf.chain + middle.pem + root.pem)
        assert "Middle has an RSA key of 1024 bits" in finding.message

    def test_parameter_for_dsa(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_dcert_file = /etc/postfix/x.pem\n"
        pem = certificate(key=kept_key("DSA")).chain
        (finding,) = lint(tmp_path, "CRT008", pem, main)
        assert finding.severity.label == "warning" and finding.parameter == "smtpd_tls_dcert_file"


def _signed(folder: Path, signer: Issued, digest: str) -> str:
    """OWN's certificate signed again, with a digest that only openssl(1) still takes."""
    for name, text in (("a", OWN.pem), ("ca", signer.pem), ("ca.key", signer.key_pem)):
        (folder / name).write_text(text, "utf-8")
    command = [require_openssl(), "x509", "-in", "a", "-CA", "ca", "-CAkey", "ca.key"]
    done = subprocess.run(
        [*command, f"-{digest}", "-set_serial", "1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout


class TestNames:
    """CRT009."""

    @pytest.mark.parametrize(
        ("names", "said"),
        [
            (["mx.example.com"], None),
            (["MX.EXAMPLE.COM"], None),
            (["*.example.com"], None),
            (["other.example.com", "mx.example.com"], None),
            (["*.com"], "is for *.com, not for mx.example.com"),
            (["m*.example.com"], "is for m*.example.com, not for mx.example.com"),
            (["example.com"], "is for example.com, not for mx.example.com"),
            (list("abcde"), "is for a, b, c and 2 more, not for mx.example.com"),
            ([], "names its host only as common name, where clients no longer look"),
        ],
    )
    def test_names(self, names: list[str], said: str | None, tmp_path: Path) -> None:
        main = f"myhostname = mx.example.com\n{CHAIN}"
        pem = certificate("mx.example.com", names=names).chain
        found = texts(lint(tmp_path, "CRT009", pem, main, MX + MSA))
        text = f"/etc/postfix/x.pem: the certificate {said}"
        assert found == ([] if said is None else [("warning", text)])
        assert not lint(tmp_path, "CRT009", pem, main, MX)

    @pytest.mark.parametrize(
        "more",
        [
            "tls_server_sni_maps = hash:/etc/postfix/sni\n",
            "smtpd_upstream_proxy_protocol = haproxy\n",
            "myhostname = {{ host }}\n",
            "myhostname = localhost\n",
            "inet_interfaces = loopback-only\n",
        ],
    )
    def test_silence(self, more: str, tmp_path: Path) -> None:
        main = f"myhostname = mx.example.com\n{CHAIN}{more}"
        assert not lint(tmp_path, "CRT009", certificate("a.example.com").chain, main, MX + MSA)

    def test_host_name_by_itself_is_unknown(self, tmp_path: Path) -> None:
        assert not lint(tmp_path, "CRT009", certificate("a.example.com").chain, master=MX + MSA)


class TestChains:
    """CRT010."""

    @pytest.mark.parametrize(
        ("pem", "said"),
        [
            (LEAF.chain + MIDDLE.pem, None),
            (OWN.chain, None),
            (LEAF.chain, ("warning", "the certificate of the issuer, Middle, is not sent along:"
             " clients can not check this one")),
            (LEAF.chain + ROOT.pem, ("warning", "the certificate of the issuer, Middle, is not sent"
             " along: clients can not check this one")),
            (LEAF.chain + MIDDLE.pem + ROOT.pem, ("info", "the root Root is sent along, which no"
             " client needs")),
            (LEAF.chain + ROOT.pem + MIDDLE.pem, ("warning", "the certificate of Root does not"
             " follow what it signed")),
            (certificate(by=ROOT).chain, ("info", "the certificate of the issuer, Root, is not sent"
             " along: well if all clients know that authority")),
        ],
    )  # fmt: skip
    def test_chains(self, pem: str, said: tuple[str, str] | None, tmp_path: Path) -> None:
        found = texts(lint(tmp_path, "CRT010", pem))
        assert found == ([] if said is None else [(said[0], f"/etc/postfix/x.pem: {said[1]}")])

    def test_better_file(self, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "CRT010", LEAF.chain, fullchain=LEAF.pem + MIDDLE.pem)
        assert finding.message.endswith("; /etc/postfix/fullchain.pem has it")
        (finding,) = lint(tmp_path, "CRT010", LEAF.chain, fullchain=OWN.pem + MIDDLE.pem)
        assert finding.message.endswith("clients can not check this one")

    def test_better_file_takes_its_place(self, tmp_path: Path) -> None:
        main = (
            "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /etc/postfix/x.pem\n"
            "smtpd_tls_key_file = /etc/postfix/key.pem\n"
        )
        files = {"key": LEAF.key_pem, "fullchain": LEAF.pem + MIDDLE.pem}
        (finding,) = lint(tmp_path, "CRT010", LEAF.pem, main, **files)
        assert finding.fix is not None and finding.fix.applicability == "unsafe"
        apply_fix(finding)
        mended = (tmp_path / "main.cf").read_text("utf-8")
        assert mended == main.replace("x.pem", "fullchain.pem")
        assert not lint(tmp_path, "CRT0", LEAF.pem, mended, **files)
        (finding,) = lint(tmp_path, "CRT010", LEAF.chain, fullchain=LEAF.pem + MIDDLE.pem)
        assert finding.fix is None, "in chain_files the key would be missing"

    @pytest.mark.parametrize(
        ("more", "silent"),
        [
            ("smtpd_tls_CAfile = /etc/postfix/ca.pem\n", True),
            ("smtpd_tls_CAfile = /etc/postfix/other.pem\n", False),
            ("smtpd_tls_CAfile = /etc/postfix/other.pem\ntls_append_default_CA = yes\n", True),
            ("smtpd_tls_CAfile = /etc/ssl/ca.pem\n", True),
            ("smtpd_tls_CApath = /etc/ssl/certs\n", True),
            ("tls_append_default_CA = yes\n", False),
        ],
    )
    def test_authorities(self, more: str, silent: bool, tmp_path: Path) -> None:
        pem = {"ca": MIDDLE.pem + ROOT.pem, "other": ROOT.pem}
        found = lint(tmp_path, "CRT010", LEAF.chain, CHAIN + more, **pem)
        assert (not found) is silent

    def test_order(self, tmp_path: Path) -> None:
        """Its error stands for that of CRT004."""
        pem = LEAF.key_pem + MIDDLE.pem + LEAF.pem
        (finding,) = lint(tmp_path, "CRT0", pem)
        assert (finding.code, finding.severity.label) == ("CRT010", "error")
        assert "number 2 in /etc/postfix/x.pem, it must follow the key" in finding.message
        main = CHAIN.replace("chain_files", "cert_file")
        (finding,) = lint(tmp_path, "CRT010", pem, main)
        assert "number 2 in /etc/postfix/x.pem, it must be the first" in finding.message

    def test_only_servers_that_others_reach(self, tmp_path: Path) -> None:
        assert not lint(tmp_path, "CRT010", LEAF.chain, master=f"127.0.0.1:{MX}")


def test_users_get_what_a_system_made(tmp_path: Path) -> None:
    """CRT011, by the contents."""
    found = lint(tmp_path, "CRT011", certificate("localhost").chain, master=MX + MSA)
    assert [item.severity.label for item in found] == ["warning"]
    assert not lint(tmp_path, "CRT011", certificate("localhost", by=ROOT).chain, master=MX + MSA)


def test_authorities_that_complete_the_chain(tmp_path: Path) -> None:
    """CRT014."""
    main = CHAIN + "smtpd_tls_CAfile = /etc/postfix/ca.pem\n"
    assert not lint(tmp_path, "CRT014", LEAF.chain, main, ca=MIDDLE.pem)
    for pem in (OWN.chain, LEAF.chain + MIDDLE.pem):
        (finding,) = lint(tmp_path, "CRT014", pem, main, ca=MIDDLE.pem)
        assert finding.message.endswith("clients are not asked for certificates")
