"""NET: messages, places, severities and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

LEVEL = "compatibility_level = 3.6\nmyhostname = mx.example.com\n"


def network(
    folder: Path,
    main: str,
    master: str | None = None,
    *,
    select: str = "NET0",
    version: str | None = None,
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    return lint_files(folder, files, select=select, version=version)


def only(folder: Path, main: str, select: str, version: str | None = None) -> Finding:
    (finding,) = network(folder, main, select=select, version=version)
    return finding


def after(folder: Path, finding: Finding) -> str:
    apply_fix(finding)
    return (folder / "main.cf").read_text(encoding="utf-8")


class TestTrusted:
    @pytest.mark.parametrize(
        ("pattern", "severity", "security", "what"),
        [
            ("0.0.0.0/0", "error", 9.8, "every IPv4 address"),
            ("[::]/0", "error", 9.8, "every IPv6 address"),
            ("static:all", "error", 9.8, "every IPv4 address"),
            ("unknown", "error", 9.8, "every client whose name can not be confirmed"),
            ("8.0.0.0/15", "error", 9.8, "131,072 addresses of the public Internet"),
            ("[2400::]/12", "error", 9.8, "2^116 addresses of the public Internet"),
            ("8.8.0.0/16", "warning", 6.5, "65,536 addresses of the public Internet"),
            ("[2400:cb00::]/32", "warning", 6.5, "2^96 addresses of the public Internet"),
            ("8.8.8.0/22", "info", None, "1,024 addresses of the public Internet"),
            ("10.0.0.0/8", "info", None, "every private address that begins with 10"),
        ],
    )
    def test_width(
        self, pattern: str, severity: str, security: float | None, what: str, tmp_path: Path
    ) -> None:
        found = network(tmp_path, f"{LEVEL}mynetworks = {pattern}\n", select="NET001")
        finding = found[0]
        assert finding.message == (
            f'mynetworks trusts {what} ("{pattern}"): they may relay without a password'
        )
        assert (finding.severity.label, finding.security_severity) == (severity, security)
        assert marked(finding) == pattern

    @pytest.mark.parametrize(
        "pattern", ["8.8.8.0/24", "[2400:cb00::]/48", "172.16.4.0/22", "[fe80::]/10", "224.0.0.0/4"]
    )
    def test_narrow_enough(self, pattern: str, tmp_path: Path) -> None:
        assert not network(tmp_path, f"{LEVEL}mynetworks = {pattern}\n", select="NET001")

    def test_typing_error_in_a_private_network(self, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}mynetworks = 172.0.0.0/8\n", "NET001")
        assert "not just the private 172.16.0.0/12" in finding.message

    def test_one_finding_for_all_services(self, tmp_path: Path) -> None:
        master = "smtp inet n - n - - smtpd\n2525 inet n - n - - smtpd\n"
        (finding,) = network(tmp_path, f"{LEVEL}mynetworks = 0.0.0.0/0\n", master, select="NET001")
        assert [name for name, _ in finding.services] == ["smtp/inet", "2525/inet"]

    def test_relaying_counts_more_than_checks(self, tmp_path: Path) -> None:
        master = (
            "smtp inet n - n - - smtpd\n"
            "  -o smtpd_relay_restrictions=reject_unauth_destination\n"
            "  -o smtpd_client_restrictions=permit_mynetworks\n"
            "2525 inet n - n - - smtpd\n"
        )
        (finding,) = network(tmp_path, f"{LEVEL}mynetworks = 0.0.0.0/0\n", master, select="NET001")
        assert finding.severity.label == "error"
        assert [name for name, _ in finding.services] == ["2525/inet"]

    def test_everybody_is_said_once(self, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}mynetworks = static:all\n", "NET001")
        assert finding.severity.label == "error"

    @pytest.mark.parametrize(
        ("style", "severity"), [("class", "error"), ("subnet", "info"), ("host", None)]
    )
    def test_style(self, style: str, severity: str | None, tmp_path: Path) -> None:
        found = network(tmp_path, f"{LEVEL}mynetworks_style = {style}\n", select="NET001")
        assert [finding.severity.label for finding in found] == ([severity] if severity else [])


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "message"),
        [
            (
                "10.0.0.1/8",
                '"10.0.0.1/8" in mynetworks: there are address bits behind the first 8; '
                "IPv4 clients that no earlier pattern matches get a 451 from smtpd",
            ),
            (
                "::1/128",
                '"::1/128" in mynetworks: an IPv6 address needs brackets; smtpd will not start',
            ),
            (
                "2001:db8::/32",
                '"2001:db8::/32" in mynetworks: an IPv6 address needs brackets; '
                "clients that no earlier pattern matches get a 451 from smtpd",
            ),
            (
                "10.0.0.*",
                '"10.0.0.*" in mynetworks: Postfix has no wildcards for addresses; '
                "it matches no client",
            ),
            ("!", '"!" in mynetworks: no pattern after "!"; smtpd will not start'),
        ],
    )
    def test_message(self, pattern: str, message: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"mynetworks = 127.0.0.0/8 {pattern}\n", "NET002")
        assert finding.message == message
        assert marked(finding) == pattern

    def test_other_lists_end(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "smtpd_authorized_xclient_hosts = 10/8\n", "NET002")
        assert finding.message.endswith("for IPv4 clients the list ends here")
        assert finding.parameter == "smtpd_authorized_xclient_hosts"

    @pytest.mark.parametrize(
        ("before", "now", "applicability"),
        [
            ("::1/128", "[::1]/128", "safe"),
            ("!2001:db8::1", "![2001:db8::1]", "safe"),
            ("10.1.0.0/255.255.0.0", "10.1.0.0/16", "safe"),
            ("10.1.0.1/16", "10.1.0.0/16", "unsafe"),
            ("192.168.*", "192.168.0.0/16", "unsafe"),
        ],
    )
    def test_fix(self, before: str, now: str, applicability: str, tmp_path: Path) -> None:
        text = "# ours\nmynetworks = 127.0.0.0/8,\n    # office\n    {},\n    10.9.0.0/24\n"
        finding = only(tmp_path, text.format(before), "NET002")
        assert finding.fix is not None and finding.fix.applicability == applicability
        assert after(tmp_path, finding) == text.format(now)
        assert not network(tmp_path, text.format(now), select="NET002")

    def test_each_place_once(self, tmp_path: Path) -> None:
        text = "nets = 10.0.0.1/8\nmynetworks = $nets\nsmtpd_authorized_xclient_hosts = $nets\n"
        finding = only(tmp_path, text, "NET002")
        assert finding.parameter == "mynetworks"
        assert marked(finding) == "10.0.0.1/8"

    def test_no_server_no_list(self, tmp_path: Path) -> None:
        master = "".join(f"s{number} unix - - n - - smtp\n" for number in range(9))
        assert not network(tmp_path, "mynetworks = 10/8\n", master, select="NET002")

    def test_names(self, tmp_path: Path) -> None:
        found = network(tmp_path, "mynetworks = localhost mx.example.com\n", select="NET002")
        assert [(item.severity.label, item.security_severity) for item in found] == [
            ("info", None),
            ("warning", 4.3),
        ]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "severity", "message"),
        [
            ("mx", "error", "has no domain: servers refuse such a name in HELO"),
            ("localhost", "error", "is no name that others know this host by"),
            ("mx.localdomain", "error", "is no name that others know this host by"),
            ("mx.corp", "warning", "does not exist in the public DNS"),
            ("mx_1.example.com", "warning", "has an underscore"),
        ],
    )
    def test_severity(self, name: str, severity: str, message: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"myhostname = {name}\n", "NET003")
        assert finding.severity.label == severity
        assert finding.message.startswith(f'myhostname "{name}" {message}')
        assert marked(finding) == name

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("mx.example.com.", "a dot is too many"),
            ("mx..example.com", "a dot is too many"),
            ("192.0.2.1", "it has digits only"),
            ("-mx.example.com", "a hyphen begins or ends a label"),
            ("mx example.com", "there is a blank in it"),
            ("[192.0.2.1]", "there is '[' in it"),
            ("a" * 64 + ".com", "it is too long"),
            ("mx.exämple.com", "there is 'ä' in it"),
        ],
    )
    def test_refused(self, name: str, problem: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"myhostname = {name}\n", "NET003")
        assert finding.severity.label == "error"
        assert finding.message == f'myhostname "{name}": {problem}; no Postfix program will start'

    def test_never_sends(self, tmp_path: Path) -> None:
        main = "myhostname = mx\ndefault_transport = error:no\n"
        assert only(tmp_path, main, "NET003").severity.label == "warning"

    @pytest.mark.parametrize(
        "name", ["MX.Example.com", "$name.example.com", "{{ host }}", "%hostname", '"x"']
    )
    def test_silent(self, name: str, tmp_path: Path) -> None:
        assert not network(tmp_path, f"name = mx\nmyhostname = {name}\n", select="NET003")

    @pytest.mark.parametrize(
        ("setting", "severity", "message"),
        [
            ("mydomain = com", "warning", 'mydomain "com" is everybody\'s'),
            ("mydomain = com.br", "warning", 'mydomain "com.br" is everybody\'s'),
            ("mydomain = a b", "error", 'mydomain "a b": there is a blank in it'),
            ("myorigin = a.example b.example", "error", "myorigin takes one domain"),
            ("myorigin = 192.0.2.1", "warning", 'myorigin "192.0.2.1" is an address'),
            ("myorigin = @example.com", "warning", 'myorigin "@example.com" begins with "@"'),
        ],
    )
    def test_domains(self, setting: str, severity: str, message: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"myhostname = mx.example.com\n{setting}\n", "NET009")
        assert finding.severity.label == severity
        assert finding.message.startswith(message)


class TestClasses:
    def test_the_loser_is_marked(self, tmp_path: Path) -> None:
        main = LEVEL + "mydestination = localhost, A.example\nvirtual_alias_domains = a.example\n"
        finding = only(tmp_path, main, "NET004")
        assert finding.message == (
            '"a.example" is in virtual_alias_domains and in mydestination: mail for it is local'
        )
        assert marked(finding) == "a.example"
        (related,) = finding.related
        assert related.location.start.line == 3

    def test_macro_for_both(self, tmp_path: Path) -> None:
        main = f"{LEVEL}ours = a.example\nmydestination = $ours\nvirtual_mailbox_domains = $ours\n"
        finding = only(tmp_path, main, "NET004")
        assert (marked(finding), finding.location.start.line) == ("$ours", 5)

    def test_subdomains_are_no_overlap(self, tmp_path: Path) -> None:
        main = LEVEL + "virtual_mailbox_domains = a.b.example\nrelay_domains = b.example\n"
        assert not network(tmp_path, main, select="NET004")

    def test_old_default(self, tmp_path: Path) -> None:
        main = LEVEL + "mydestination = localhost, a.example\nrelay_domains = $mydestination\n"
        finding = only(tmp_path, main, "NET004")
        assert finding.severity.label == "info"
        assert after(tmp_path, finding).endswith("relay_domains = \n")
        exact = main + "parent_domain_matches_subdomains =\n"
        assert not network(tmp_path, exact, select="NET004")

    def test_localhost_is_added(self, tmp_path: Path) -> None:
        main = f"{LEVEL}# domains\nmydestination = a.example\n"
        finding = only(tmp_path, main, "NET005")
        assert finding.severity.label == "info"
        text = after(tmp_path, finding)
        assert (
            text == f"{LEVEL}# domains\nmydestination = a.example, localhost.$mydomain, localhost\n"
        )
        assert not network(tmp_path, text, select="NET005")


class TestInterfaces:
    MAIN = LEVEL + "mydestination =\nmynetworks = 127.0.0.0/8\nrelayhost = [mx.example.net]\n"

    def test_null_client(self, tmp_path: Path) -> None:
        finding = only(tmp_path, self.MAIN + "inet_interfaces = all\n", "NET006")
        assert (finding.severity.label, finding.security_severity) == ("warning", 5.3)
        text = after(tmp_path, finding)
        assert text == self.MAIN + "inet_interfaces = loopback-only\n"
        assert not network(tmp_path, text, select="NET006")

    def test_by_default(self, tmp_path: Path) -> None:
        master = "smtp inet n - n - - smtpd\n"
        (finding,) = network(tmp_path, self.MAIN, master, select="NET006")
        assert finding.location.path.endswith("master.cf")
        assert marked(finding) == "smtp"

    @pytest.mark.parametrize(
        "more",
        [
            "mynetworks = 127.0.0.0/8 10.1.0.0/24\n",
            "mynetworks = hash:/etc/postfix/networks\n",
            "smtpd_sasl_auth_enable = yes\n",
            "relay_domains = a.example\n",
            "virtual_alias_domains = a.example\n",
            "relayhost =\n",
            "mydestination = a.example\n",
            "inet_interfaces = loopback-only\n",
        ],
    )
    def test_somebody_is_served(self, more: str, tmp_path: Path) -> None:
        assert not network(tmp_path, self.MAIN + more, select="NET006")

    def test_turned_off(self, tmp_path: Path) -> None:
        main = f"{LEVEL}inet_protocols = ipv4\nrelayhost = [2001:db8::1]:25\n"
        finding = only(tmp_path, main, "NET007")
        assert finding.message == (
            'relayhost "[2001:db8::1]:25" needs IPv6, which inet_protocols turns off: '
            "mail for it waits in the queue"
        )
        assert marked(finding) == "[2001:db8::1]:25"
        assert finding.related[0].location.start.line == 3

    @pytest.mark.parametrize(
        ("value", "word", "reason"),
        [
            ("ALL", "ALL", "must be in small letters"),
            ("all, 192.0.2.1", "all", "must stand alone"),
            ("0.0.0.0", "0.0.0.0", "is no address of an interface"),
            ("127.0.1.1", "127.0.1.1", "is an address that no interface has"),
            ("192.0.2.0/24", "192.0.2.0/24", "is a network, not an address"),
            ("localhost, enp3s0", "enp3s0", "is the name of an interface"),
        ],
    )
    def test_interfaces(self, value: str, word: str, reason: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}inet_interfaces = {value}\n", "NET008")
        assert marked(finding) == word
        assert finding.message.startswith(f'inet_interfaces "{word}" {reason}')
        assert finding.message.endswith("no Postfix program will start")

    def test_interface_fix(self, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}inet_interfaces = All\n", "NET008")
        assert after(tmp_path, finding) == f"{LEVEL}inet_interfaces = all\n"
