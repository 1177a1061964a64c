"""Results made by hand, for the tests of the report formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import (
    Edit,
    Finding,
    Fix,
    Identity,
    Location,
    Related,
    Severity,
    Suppression,
)
from postlint.lint.result import InstanceSummary, Notification, Result
from postlint.lint.rule import Rule, rule
from postlint.syntax.source import SourceFile, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.config.service import Service
    from postlint.syntax.main_cf import MainCf


@rule(
    "TLS001",
    severity=Severity.ERROR,
    security=7.4,
    tags=("CWE-326", "CWE-327", "RFC 8996"),
)
def legacy_protocol_offered(service: Service) -> Iterator[Finding]:
    """A service accepts SSLv2, SSLv3, TLS 1.0 or TLS 1.1.

    Why: Protocols before TLS 1.2 have known attacks. RFC 8996 forbids
        TLS 1.0 and TLS 1.1, and *_protocols lists <them> easily.
    Fix: Set smtpd_tls_protocols = >=TLSv1.2.
    Bad:
        smtpd_tls_protocols = !SSLv2
    Good (Postfix 3.6):
        smtpd_tls_protocols = >=TLSv1.2
        --- master.cf
        smtp inet n - y - - smtpd
    References: postconf(5) smtpd_tls_protocols, RFC 8996
    """
    yield from ()


@rule("DUP001", severity=Severity.WARNING)
def duplicate_setting(tree: MainCf) -> Iterator[Finding]:
    """A parameter is set twice in main.cf.

    Why: Postfix takes the last one and says nothing.
    Fix: Delete the one that is not meant.
    Bad:
        relayhost = [a.example.com]
        relayhost = [b.example.com]
    Good:
        relayhost = [b.example.com]
    References: postconf(5)
    """
    yield from ()


@rule("PLG001", severity=Severity.INFO)
def undocumented(tree: MainCf) -> Iterator[Finding]:
    """A rule of a plugin without sections."""
    yield from ()


RULES: tuple[Rule, ...] = (duplicate_setting, legacy_protocol_offered, undocumented)

MAIN = SourceFile(
    "conf/main.cf",
    """\
# postlint example
myhostname = mx.example.com
relayhost = [a.example.com]:587
relayhost = [b.example.com]:587
smtpd_tls_protocols = !SSLv2
\t!SSLv3,
# postlint: ignore[DUP001] both are meant
relayhost = [c.example.com]:587
""",
)
MASTER = SourceFile(
    "conf/master.cf",
    """\
smtp       inet  n       -       y       -       -       smtpd
submission inet  n       -       y       -       -       smtpd
  -o smtpd_tls_security_level=encrypt
""",
)


def locate(source: SourceFile, text: str, occurrence: int = 0) -> Location:
    """Where ``text`` stands in a source."""
    at = source.text.index(text)
    for _ in range(occurrence):
        at = source.text.index(text, at + 1)
    return Location(source, Span(at, at + len(text)))


def finding(
    of: Rule,
    location: Location,
    message: str,
    *,
    services: Sequence[tuple[str, Location | None]] = (),
    number: int = 1,
    severity: Severity | None = None,
    parameter: str | None = None,
    related: Sequence[Related] = (),
    fix: Fix | None = None,
) -> Finding:
    """A finding as the runner hands it on."""
    made = Finding(
        location, message, severity=severity, parameter=parameter, related=related, fix=fix
    )
    made.attribute(of)
    made.services = tuple(services)
    made.identity = Identity(made.code, "main.cf", "", "", number)
    return made


def one(message: str, source: SourceFile, span: Span | None = None) -> Result:
    """A result with one finding."""
    location = Location(source, span or Span(0, len(source.text.partition("\n")[0])))
    return result([finding(duplicate_setting, location, message)])


def result(
    findings: Sequence[Finding],
    *,
    suppressed: Sequence[Finding] = (),
    notifications: Sequence[Notification] = (),
    rules: Sequence[Rule] = RULES,
) -> Result:
    """A result for one instance with two files."""
    instance = InstanceSummary("conf", "conf/main.cf", "conf/master.cf", "3.11")
    return Result([instance], findings, suppressed, notifications, rules, 2)


def full() -> Result:
    """A bit of everything."""
    first = locate(MAIN, "relayhost = [a.example.com]:587")
    second = locate(MAIN, "relayhost = [b.example.com]:587")
    third = locate(MAIN, "relayhost = [c.example.com]:587")
    protocols = locate(MAIN, "!SSLv2\n\t!SSLv3,")
    line = Location(MAIN, Span(first.span.start, second.span.start))
    hidden = finding(duplicate_setting, third, "relayhost is set again", parameter="relayhost")
    hidden.suppression = Suppression(locate(MAIN, "# postlint: ignore"), "both are meant")
    return result(
        [
            finding(
                duplicate_setting,
                first,
                "relayhost is set again in line 4: this value [a.example.com]:587 is ignored",
                parameter="relayhost",
                related=[Related("the value that counts", second)],
                fix=Fix("delete the line that is ignored", [Edit(line, "")], "safe"),
            ),
            finding(
                legacy_protocol_offered,
                protocols,
                "TLSv1 and TLSv1.1 are offered to clients: smtpd_tls_protocols excludes only "
                "SSLv2 and SSLv3, so a handshake can end with an outdated protocol version",
                parameter="smtpd_tls_protocols",
                services=[
                    ("smtp/inet", locate(MASTER, "smtp       inet")),
                    ("submission/inet", locate(MASTER, "submission inet")),
                    ("smtps/inet", None),
                ],
                fix=Fix("use >=TLSv1.2", [Edit(protocols, ">=TLSv1.2")], "unsafe"),
                number=2,
            ),
            finding(undocumented, locate(MASTER, "-o smtpd_tls"), "no [link](1) or {0}"),
            finding(
                legacy_protocol_offered,
                locate(MASTER, "encrypt"),
                "a harmless variant",
                severity=Severity.WARNING,
                services=[("submission/inet", None)],
            ),
        ],
        suppressed=[hidden],
        notifications=[
            Notification("unreadable-file", "permission denied", path="conf/sasl passwd"),
            Notification("internal-error", "the rule failed", rule=undocumented, path=MAIN.path),
            Notification("note", "no master.cf", level="note"),
        ],
    )
