"""RTE: messages, places, severities and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

LEVEL = "compatibility_level = 3.6\nmyhostname = mx.example.com\n"
SMTPD = "smtp inet n - n - - smtpd\n"
CLIENT = "smtp unix - - n - - smtp\n"


def routing(
    folder: Path,
    main: str,
    master: str | None = None,
    *,
    select: str = "RTE0",
    version: str | None = None,
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    return lint_files(folder, files, select=select, version=version)


def only(
    folder: Path, main: str, select: str, master: str | None = None, version: str | None = None
) -> Finding:
    (finding,) = routing(folder, main, master, select=select, version=version)
    return finding


def after(folder: Path, finding: Finding, name: str = "main.cf") -> str:
    apply_fix(finding)
    return (folder / name).read_text(encoding="utf-8")


class TestRelayHosts:
    @pytest.mark.parametrize(
        ("hop", "message"),
        [
            (
                "provider.example:587",
                "Postfix connects to port 587 of the MX hosts of provider.example, if there are "
                "any",
            ),
            (
                "smtp.provider.example",
                "Postfix takes this host for a mail domain and sends to its MX hosts, if there "
                "are any",
            ),
        ],
    )
    def test_brackets_are_missing(self, hop: str, message: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}relayhost = {hop}\n", "RTE001")
        assert finding.message == f'relayhost "{hop}" has no brackets: {message}'
        assert marked(finding) == hop
        host, colon, port = hop.partition(":")
        fixed = f"{LEVEL}relayhost = [{host}]{colon}{port}\n"
        assert after(tmp_path, finding) == fixed
        assert not routing(tmp_path, fixed, select="RTE001")

    @pytest.mark.parametrize(
        ("hop", "message"),
        [
            ("smtp:[mx.example.net]:25", "takes no transport before the host"),
            ("[mx.example.net", 'is no next hop: smtp stops with "missing "]""'),
            ("[mx.example.net]587", 'is no next hop: smtp stops with "garbage after "]""'),
            ("mx.example.net.", "is no next hop"),
            ("[mx.example.net]:0", 'is no next hop: smtp stops with "bad network port"'),
            ("[mx.example.net]:25x", "is no next hop"),
        ],
    )
    def test_unreadable(self, hop: str, message: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}relayhost = {hop}\n", "RTE001")
        assert finding.severity.label == "error"
        assert finding.message.startswith(f'relayhost "{hop}" {message}')

    def test_transport_is_taken_away(self, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}relayhost = smtp:[mx.example.net]:587\n", "RTE001")
        assert after(tmp_path, finding) == f"{LEVEL}relayhost = [mx.example.net]:587\n"

    def test_several(self, tmp_path: Path) -> None:
        main = f"{LEVEL}relayhost = [a.example], [b.example]\n"
        assert only(tmp_path, main, "RTE001", version="3.4").severity.label == "error"
        assert not routing(tmp_path, main, select="RTE001", version="3.5")
        assert not routing(tmp_path, main, select="RTE001")

    @pytest.mark.parametrize(
        "hop", ["192.0.2.1", "192.0.2.1:587", "example.net", "gateway.example.net", "$mydomain"]
    )
    def test_silent(self, hop: str, tmp_path: Path) -> None:
        assert not routing(tmp_path, f"{LEVEL}relayhost = {hop}\n", select="RTE001")


class TestLoops:
    def test_port_25(self, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}relayhost = [localhost]:smtp\n", "RTE002")
        assert finding.message == (
            'relayhost "[localhost]:smtp" is this host: smtp does not deliver it, '
            "mail loops back to myself"
        )

    def test_own_address(self, tmp_path: Path) -> None:
        main = f"{LEVEL}inet_interfaces = 192.0.2.1\nrelayhost = [192.0.2.1]\n"
        assert marked(only(tmp_path, main, "RTE002")) == "[192.0.2.1]"

    @pytest.mark.parametrize("text", ["mx.example.com", "$myhostname", "${myhostname}"])
    def test_same_name(self, text: str, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}relayhost = {text}\n", "RTE002")
        assert finding.message == (
            "relayhost is the same as myhostname: no Postfix program will start"
        )
        assert finding.related[0].location.start.line == 2

    def test_own_service(self, tmp_path: Path) -> None:
        master = SMTPD + "submission inet n - n - - smtpd\n" + CLIENT
        finding = only(tmp_path, f"{LEVEL}relayhost = [127.0.0.1]:587\n", "RTE002", master)
        assert "submission/inet sends it there again" in finding.message
        assert finding.related[0].location.start.line == 2

    def test_filter_past_the_filter(self, tmp_path: Path) -> None:
        main = f"{LEVEL}content_filter = smtp:[127.0.0.1]:10025\n"
        master = SMTPD + "10025 inet n - n - - smtpd\n  -o content_filter=\n" + CLIENT
        assert not routing(tmp_path, main, master, select="RTE002")
        loop = master.replace("  -o content_filter=\n", "")
        assert only(tmp_path, main, "RTE002", loop).parameter == "content_filter"

    def test_own_name(self, tmp_path: Path) -> None:
        finding = only(tmp_path, f"{LEVEL}relayhost = [MX.example.com]\n", "RTE002")
        assert finding.message == "relayhost is myhostname: mail loops back to this host"
        other = f"{LEVEL}relayhost = [mx.example.com]:2525\n"
        assert not routing(tmp_path, other, select="RTE002"), "what listens there can not be told"

    def test_routing_table(self, tmp_path: Path) -> None:
        routes = "a.example=smtp:[127.0.0.1], b.example=smtp:[192.0.2.1], c.example=error:no"
        main = f"{LEVEL}transport_maps = inline:{{ {routes} }}\n"
        finding = only(tmp_path, main, "RTE002")
        assert finding.message.startswith('transport_maps "[127.0.0.1]" is this host')
        assert finding.location.start.line == 3


class TestFilters:
    def test_by_the_client_that_sends_all_mail(self, tmp_path: Path) -> None:
        master = f"{SMTPD}{CLIENT}127.0.0.1:10025 inet n - n - - smtpd\n"
        main = f"{LEVEL}content_filter = smtp:[127.0.0.1]:10024\n"
        finding = only(tmp_path, main, "RTE003", master)
        assert finding.message.startswith("content_filter holds for every smtpd")

    MAIN = LEVEL + "content_filter = scan:[127.0.0.1]:10024\n"
    BACK = "127.0.0.1:10025 inet n - n - - smtpd\n"
    SCAN = "scan unix - - n - - smtp\n"

    def test_fix(self, tmp_path: Path) -> None:
        master = f"# mail\n{SMTPD}{self.BACK}  -o mynetworks=127.0.0.0/8\n# filter\n{self.SCAN}"
        finding = only(tmp_path, self.MAIN, "RTE003", master)
        assert finding.message == (
            "content_filter holds for every smtpd, also for 127.0.0.1:10025/inet: what the filter "
            "hands back is filtered again, without end"
        )
        assert marked(finding) == "scan:[127.0.0.1]:10024"
        text = after(tmp_path, finding, "master.cf")
        assert text == master.replace(
            "  -o mynetworks=127.0.0.0/8\n", "  -o mynetworks=127.0.0.0/8\n  -o content_filter=\n"
        )
        assert not routing(tmp_path, self.MAIN, text, select="RTE003")

    def test_pipe_is_another_matter(self, tmp_path: Path) -> None:
        master = SMTPD + self.BACK + "scan unix - n n - - pipe user=x argv=/x\n"
        assert not routing(tmp_path, self.MAIN, master, select="RTE003")

    @pytest.mark.parametrize("where", ["main", "master", None])
    def test_copies(self, where: str | None, tmp_path: Path) -> None:
        option = "receive_override_options"
        main = self.MAIN + "recipient_bcc_maps = hash:/etc/postfix/bcc\n"
        master = f"{SMTPD}{self.BACK}  -o content_filter=\n"
        if where == "main":
            main += f"{option} = no_address_mappings\n"
            master += f"  -o {option}=no_milters\n"
        if where == "master":
            master += f"  -o {option}=no_milters,no_address_mappings\n"
        found = routing(tmp_path, main, master + self.SCAN, select="RTE003")
        assert [item.parameter for item in found] == ([] if where else ["recipient_bcc_maps"])
        assert all(item.severity.label == "warning" for item in found)


class TestRecipients:
    def test_message_and_fix(self, tmp_path: Path) -> None:
        main = LEVEL + "mydestination = a.example, localhost\nlocal_recipient_maps =\n"
        finding = only(tmp_path, main, "RTE004")
        assert finding.message == (
            "local_recipient_maps is empty: smtpd takes mail for anybody at a.example, and what "
            "can not be delivered is bounced to forged senders"
        )
        assert (finding.severity.label, finding.security_severity) == ("error", 5.3)
        text = after(tmp_path, finding)
        assert text.endswith("local_recipient_maps = proxy:unix:passwd.byname $alias_maps\n")
        assert not routing(tmp_path, text, select="RTE004")

    def test_a_policy_server_may_know(self, tmp_path: Path) -> None:
        main = (
            f"{LEVEL}mydestination = a.example, localhost\nlocal_recipient_maps =\n"
            "smtpd_recipient_restrictions = check_policy_service unix:private/policy\n"
        )
        assert only(tmp_path, main, "RTE004").severity.label == "warning"

    @pytest.mark.parametrize(
        "more",
        [
            "smtpd_recipient_restrictions = reject_unverified_recipient\n",
            "fallback_transport = smtp:[mx.example.net]\n",
            "local_transport = error:no\n",
            "inet_interfaces = loopback-only\n",
            "smtpd_client_restrictions = permit_mynetworks, reject\n",
        ],
    )
    def test_nothing_bounces(self, more: str, tmp_path: Path) -> None:
        main = f"{LEVEL}mydestination = a.example, localhost\nlocal_recipient_maps =\n{more}"
        assert not routing(tmp_path, main, select="RTE004")

    def test_relay(self, tmp_path: Path) -> None:
        main = LEVEL + "mydestination =\nrelay_domains = a.example\n"
        finding = only(tmp_path, main, "RTE005")
        assert finding.message == (
            "relay_recipient_maps is empty: smtpd takes mail for anybody at a.example, and what "
            "the server behind refuses is bounced to forged senders"
        )
        assert marked(finding) == "a.example"
        more = main.replace("a.example", "a.example, b.example")
        assert "anybody in relay_domains" in only(tmp_path, more, "RTE005").message


class TestCatchAll:
    def test_circle(self, tmp_path: Path) -> None:
        main = (
            LEVEL
            + "virtual_alias_maps = inline:{ a@x.example=b@x.example, b@x.example=a@x.example }\n"
        )
        finding = only(tmp_path, main, "RTE006")
        assert finding.severity.label == "error"
        assert finding.message.startswith("the aliases a@x.example, b@x.example lead back")

    def test_long_chain_without_circle(self, tmp_path: Path) -> None:
        lines = [f"a{number}@x.example a{number + 1}@x.example\n" for number in range(3000)]
        files = {
            "main.cf": LEVEL + "virtual_alias_maps = hash:/etc/postfix/virtual\n",
            "virtual": "".join(lines),
        }
        assert not lint_files(tmp_path, files, select="RTE006")

    def test_harmless_ones_together(self, tmp_path: Path) -> None:
        files = {
            "main.cf": LEVEL + "virtual_alias_maps = hash:/etc/postfix/virtual\n",
            "virtual": "@a.example root\n@b.example root\n@c.example root\n",
        }
        (finding,) = lint_files(tmp_path, files, select="RTE006")
        assert finding.message == (
            'virtual_alias_maps has "@a.example": any address at a.example and 2 more domains is '
            "accepted, one user gets it all"
        )

    def test_long_table(self, tmp_path: Path) -> None:
        lines = [f"u{number}@x.example u{number}\n" for number in range(25_000)]
        lines += [f"@{number}.example @x.example\n" for number in range(40)]
        files = {
            "main.cf": LEVEL + "virtual_alias_maps = hash:/etc/postfix/virtual\n",
            "virtual": "".join(lines),
        }
        found = lint_files(tmp_path, files, select="RTE006", version="3.7")
        assert [item.location.start.line for item in found] == list(range(25_001, 25_032))
        assert "any address at 29.example is accepted" in found[29].message
        assert found[30].message == "10 more keys from here on accept any address of a domain"

    def test_pattern_for_the_world(self, tmp_path: Path) -> None:
        files = {
            "main.cf": LEVEL + "virtual_alias_maps = regexp:/etc/postfix/virtual\n",
            "virtual": "/./ me@a.example\n",
        }
        (finding,) = lint_files(tmp_path, files, select="RTE006")
        assert "turns every address into me@a.example" in finding.message
        files["virtual"] = "/@a\\.example$/ me@a.example\n"
        assert not lint_files(tmp_path, files, select="RTE006")

    def test_discard(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "default_transport = discard:silently\n", "RTE007")
        assert finding.message == (
            "default_transport = discard:silently: mail to other domains is thrown away, and "
            "nobody is told"
        )

    def test_domain_without_aliases(self, tmp_path: Path) -> None:
        main = (
            f"{LEVEL}virtual_alias_domains = a.example b.example\n"
            "virtual_alias_maps = inline:{ {x@a.example = y@c.example} }\n"
        )
        finding = only(tmp_path, main, "RTE006")
        assert finding.message.startswith('"b.example" is a virtual alias domain without any')
        assert marked(finding) == "b.example"
        local = f"{main}mydestination = b.example localhost\n"
        assert not routing(tmp_path, local, select="RTE006"), "its mail is local: NET004 has that"

    def test_star(self, tmp_path: Path) -> None:
        main = (
            f"{LEVEL}mydestination = a.example\ntransport_maps = inline:{{ *=smtp:[b.example] }}\n"
        )
        finding = only(tmp_path, main, "RTE007")
        assert "takes mail for a.example away from this host" in finding.message
        assert finding.related[0].location.start.line == 3

    def test_dns_off(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "disable_dns_lookups = yes\n", "RTE009")
        assert after(tmp_path, finding) == "disable_dns_lookups = no\n"
        old = only(
            tmp_path, "smtp_dns_support_level = disabled\ndisable_dns_lookups = yes\n", "RTE009"
        )
        assert old.parameter == "smtp_dns_support_level"

    def test_completion(self, tmp_path: Path) -> None:
        finding = only(tmp_path, "append_at_myorigin = no\n", "RTE010")
        assert after(tmp_path, finding) == "append_at_myorigin = yes\n"
