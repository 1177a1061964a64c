"""What the rules about values call fatal is refused by real daemons, and what they let pass is not.

One sample of the parameters in a normal run; all of them with POSTLINT_ALL_PARAMETERS set
(``make proof-values``), which takes about a quarter of an hour and prints how many trials agreed.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest

from postlint.postfix import enums, parameters
from tests.linting import lint_files
from tests.postfix_here import (
    load_parameters,
    quiet_settings,
    refuses,
    require_postfix,
    stand_alone,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.postfix

ALL = bool(os.environ.get("POSTLINT_ALL_PARAMETERS"))
SAMPLE = 23
WORKERS = 4

SET_BY_POSTFIX = frozenset({"config_directory", "mail_version"})

UNDER_A_DEBUGGER = "debugger_command"
"""Read by programs that are run under a debugger only."""

TLS_PROGRAMS = ("smtp", "smtpd", "lmtp")
"""Programs that set TLS up as soon as they start."""

WITH_TLS = frozenset({"openssl_path", "tlsmgr_service_name"})
"""Read by programs that use TLS, as those in tls_ are."""

TYPE_CODES = {
    "bool": "VAL001",
    "nbool": "VAL001",
    "int": "VAL002",
    "nint": "VAL002",
    "long": "VAL002",
    "time": "VAL004",
    "str": "VAL006",
    "raw": "VAL006",
}
VALUE_CODES = ("VAL001", "VAL002", "VAL004", "VAL005", "VAL006")


LEVELS = "smtpd_tls_cert_file = none\n" + "".join(
    f"{side}_tls_security_level = may\n" for side in ("lmtp", "smtp", "smtpd")
)


class Trial(NamedTuple):
    """A setting that a program reads, and the rule that speaks of a bad value."""

    name: str
    value: str
    program: str
    code: str


def sample(trials: list[Trial]) -> list[Trial]:
    return trials if ALL else trials[::SAMPLE]


def bad_values() -> Iterator[Trial]:
    """Every parameter of the installed version with values that its type does not allow."""
    postfix = require_postfix()
    for name in sorted(parameters.names(postfix.version)):
        parameter = parameters.get(name)
        if parameter is None or parameter.readonly or name in SET_BY_POSTFIX:
            continue
        if name == UNDER_A_DEBUGGER:
            continue
        kind = parameter.type_in(postfix.version)
        low, high = parameter.bounds(postfix.version)
        values = []
        if enums.get(name, postfix.version) is None:
            if kind in ("bool", "nbool"):
                values.append("maybe")
            elif kind in ("int", "nint", "long"):
                values += ["1x", ""]
            elif kind == "time":
                values += ["1x", "5 s"]
        if kind in ("str", "raw"):
            values += [""] if low else []
            values += ["x" * (high + 1)] if high else []
        elif enums.get(name, postfix.version) is None:
            values += [str(low - 1)] if low else []
            values += [str(high + 1)] if high and high < 1 << 31 else []
        programs = daemons(parameter.programs(postfix.version))
        if of_tls_library(name):
            anyone = "*" in parameter.programs(postfix.version)
            programs = ["smtpd"] if anyone else [name for name in TLS_PROGRAMS if name in programs]
        for value in values:
            suffix = "s" if kind == "time" and value.lstrip("-").isdigit() else ""
            for program in programs if ALL else programs[:1]:
                yield Trial(name, value + suffix, program, TYPE_CODES[kind])


def daemons(programs: frozenset[str]) -> list[str]:
    folder = require_postfix().daemon_directory
    if "*" in programs:
        return ["anvil"]
    return [name for name in sorted(programs) if name != "master" and (folder / name).is_file()]


def of_tls_library(name: str) -> bool:
    """Whether programs read a parameter when they set TLS up."""
    return name.startswith("tls_") or name in WITH_TLS


def each(trials: list[Trial], folder: Path, run: Callable[[Trial, Path], str | None]) -> list[str]:
    """Run trials side by side, each in a folder of its own; the complaints."""
    complaints = _each(trials, folder, run)
    names = len({trial.name for trial in trials})
    agreed = len(trials) - len(complaints)
    print(f"\n{names} parameters, {len(trials)} trials, {agreed} agree")
    return complaints


def _each(trials: list[Trial], folder: Path, run: Callable[[Trial, Path], str | None]) -> list[str]:
    folders = []
    for number in range(len(trials)):
        place = folder / str(number)
        place.mkdir()
        folders.append(place)
    with ThreadPoolExecutor(WORKERS) as pool:
        return [text for text in pool.map(run, trials, folders) if text]


def test_bad_values_of_every_type_are_refused(tmp_path: Path) -> None:
    version = str(require_postfix().version)
    trials = sample(list(bad_values()))
    assert len(trials) > 20

    def run(trial: Trial, folder: Path) -> str | None:
        own = "" if trial.name == "virtual_mailbox_base" else "virtual_mailbox_base = /var/mail\n"
        if trial.name == "virtual_mailbox_base":  # refused where virtual(8) is in use
            own = "virtual_mailbox_domains = example.com\n"
        text = f"myhostname = mx.example.com\n{own}{trial.name} = {trial.value}\n"
        if trial.name == "myhostname":
            text = f"{own}\n{trial.name} = {trial.value}\n"
        write(folder, {"main.cf": text})
        if of_tls_library(trial.name):
            extra = f"{quiet_settings(folder)}{LEVELS}"
            write(folder, {"main.cf": f"{extra}{trial.name} = {trial.value}\n"})
            reason = refuses(trial.program, folder)
        else:
            reason = load_parameters(trial.program, folder)
        if reason is None:
            return f"{trial}: accepted"
        if trial.name not in reason:
            return f"{trial}: refused for another reason: {reason}"
        found = lint_files(folder / "lint", {"main.cf": text}, version=version, select="VAL")
        lines = [item.location.start.line for item in found if item.code == trial.code]
        return None if lines == [3] else f"{trial}: {trial.code} on lines {lines}"

    assert not each(trials, tmp_path, run)


TEXTS = (
    "",
    "0",
    "00",
    "5",
    "+5",
    "-1",
    "-0",
    "--5",
    "5x",
    "5 ",
    "5s",
    "5S",
    "5 s",
    "5sec",
    "5.5",
    "5,5",
    "1h30m",
    "1month",
    "day",
    "s",
    "x",
    "0x10",
    "1e3",
    "10M",
    "24854d",
    "24855d",
    "3549w",
    "3550w",
    "2147483647",
    "2147483648",
    "-2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999999",
    "\u0665",
    "\uff15",
    "yes",
    "YES",
    "No",
    "true",
    "on",
    "y",
    "yes no",
)
READ_BY = (
    ("smtpd_helo_required", "smtpd"),
    ("smtpd_soft_error_limit", "smtpd"),
    ("mailbox_size_limit", "local"),
    ("queue_run_delay", "qmgr"),
    ("smtpd_timeout", "smtpd"),
    ("bounce_queue_lifetime", "qmgr"),
)


@pytest.mark.parametrize(("name", "program"), READ_BY)
def test_texts_are_refused_exactly_where_a_rule_says_so(
    name: str, program: str, tmp_path: Path
) -> None:
    version = str(require_postfix().version)
    texts = TEXTS if ALL else TEXTS[:: 1 if name == "smtpd_timeout" else 3]
    trials = [Trial(name, text, program, "") for text in texts]

    def run(trial: Trial, folder: Path) -> str | None:
        text = f"myhostname = mx.example.com\n{trial.name} = {trial.value}\n"
        write(folder, {"main.cf": text})
        refused = load_parameters(trial.program, folder) is not None
        found = lint_files(folder / "lint", {"main.cf": text}, version=version, select="VAL")
        said = any(item.code in VALUE_CODES and item.severity.label == "error" for item in found)
        return None if refused == said else f"{trial}: refused {refused}, said {said}"

    assert not each(trials, tmp_path, run)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1month", 60), ("5ms", 300), ("1h30m", 3600), ("day", 0), ("2weeks", 1_209_600)],
)
def test_only_the_first_letter_of_a_unit_counts(text: str, seconds: int, tmp_path: Path) -> None:
    """The limits of a parameter tell what the daemon made of the text."""
    for name, low in (("smtpd_timeout", 1), ("max_idle", 1)):
        write(tmp_path, {"main.cf": f"myhostname = mx.example.com\n{name} = {text}\n"})
        reason = load_parameters("smtpd", tmp_path)
        assert (reason is None) == (seconds >= low)
    lifetime = 90 * 86_400  # the maximum of this one
    write(tmp_path, {"main.cf": f"myhostname = a.example.com\nbounce_queue_lifetime = {text}\n"})
    assert (load_parameters("qmgr", tmp_path) is None) == (seconds <= lifetime)


PLATFORM_WORDS = frozenset({"security"})

WORD_READERS = (
    ("smtpd_tls_security_level", "smtpd"),
    ("smtp_tls_security_level", "smtp"),
    ("inet_protocols", "smtpd"),
    ("notify_classes", "smtpd"),
    ("smtp_address_preference", "smtp"),
    ("smtp_host_lookup", "smtp"),
    ("smtp_dns_support_level", "smtp"),
    ("unknown_address_tempfail_action", "smtpd"),
    ("smtpd_upstream_proxy_protocol", "smtpd"),
    ("smtpd_forbid_bare_newline", "smtpd"),
    ("header_from_format", "cleanup"),
    ("propagate_unmatched_extensions", "cleanup"),
    ("receive_override_options", "pickup"),
    ("canonical_classes", "cleanup"),
    ("postscreen_greet_action", "postscreen"),
    ("syslog_facility", "anvil"),
    ("smtp_tls_dane_insecure_mx_policy", "smtp"),
    ("smtp_address_verify_target", "smtp"),
)


@pytest.mark.parametrize(("name", "program"), WORD_READERS)
def test_words_are_refused_exactly_where_a_rule_says_so(
    name: str, program: str, tmp_path: Path
) -> None:
    version = require_postfix().version
    known = enums.get(name, version)
    assert known is not None
    words = [word for word in known.values(version) if word not in PLATFORM_WORDS]
    good = words if ALL else words[:2]
    separate = [] if known.kind == "one" else [", ".join(word for word in words if word)]
    texts = [*good, *separate, "nonsense", words[-1].upper() + "x", "yes"]
    texts += [words[-1].upper()] if words[-1].upper() not in words else []
    trials = [Trial(name, text, program, "VAL005") for text in dict.fromkeys(texts)]

    def run(trial: Trial, folder: Path) -> str | None:
        setting = f"{trial.name} = {trial.value}\n"
        write(folder, {"main.cf": quiet_settings(folder) + setting})
        reason = refuses(trial.program, folder)
        refused = reason is not None and trial.name in f"{reason} {_old_texts(reason)}"
        found = lint_files(folder / "lint", {"main.cf": setting}, version=str(version))
        said = any(
            item.code in ("VAL005", "VAL006") and item.severity.label == "error" for item in found
        )
        return None if refused == said else f"{trial}: {reason}, said {said}"

    assert not each(trials, tmp_path, run)


def unknown_words() -> list[Trial]:
    """Every parameter with a fixed set of words, with none of them, in every daemon that has it."""
    postfix = require_postfix()
    return [
        Trial(name, "nonsense", program, "VAL005")
        for name in sorted(parameters.names(postfix.version))
        if (known := enums.get(name, postfix.version)) is not None
        and (parameter := parameters.get(name)) is not None
        and known.closed
        and not name.endswith(JUDGED_ELSEWHERE)
        for program in checkers(parameter.programs(postfix.version))
    ]


def checkers(programs: frozenset[str]) -> list[str]:
    """The daemons to ask; in place of all of them one that can be run by itself."""
    return ["smtpd"] if "*" in programs else daemons(programs)


JUDGED_ELSEWHERE = ("_security_options", "_protocols", "_ciphers")
"""Words of SASL and TLS that other rules judge."""

MASTER = "x inet n - n - - {}\n" + "".join(f"x{number} unix - - n - - x\n" for number in range(9))


def test_unknown_words_stop_exactly_the_daemons_that_a_rule_names(tmp_path: Path) -> None:
    version = str(require_postfix().version)
    trials = unknown_words()
    trials = trials if ALL else trials[::4]
    assert len(trials) > 10

    def run(trial: Trial, folder: Path) -> str | None:
        setting = f"{trial.name} = {trial.value}\n"
        base = f"{quiet_settings(folder)}virtual_mailbox_base = /var/mail\n"
        if trial.name == "mynetworks_style":  # not looked at beside mynetworks
            base = base.replace("mynetworks = 127.0.0.0/8\n", "")
        write(folder, {"main.cf": base + setting})
        refused = trial.value in (refuses(trial.program, folder, timeout=4.0) or "")
        files = {"main.cf": setting, "master.cf": MASTER.format(trial.program)}
        found = lint_files(folder / "lint", files, version=version, select="VAL005")
        stops = (
            rf"(; |, | and ){trial.program}[a-z, ]* will not start$|no Postfix program will start"
        )
        said = any(re.search(stops, item.message) for item in found)
        return None if refused == said else f"{trial}: refused {refused}, said {said}"

    assert not each(trials, tmp_path, run)


def _old_texts(reason: str) -> str:
    """The parameters that a message means without naming them."""
    if "Invalid TLS level" in reason:
        return "smtpd_tls_security_level smtp_tls_security_level"
    return ""


MILTERS = (
    ("inet:127.0.0.1:9", True),
    ("{ inet:127.0.0.1:9, default_action=accept }", True),
    ("unix:nowhere", True),
    ("local:nowhere", True),
    ("127.0.0.1:9", False),
    ("localhost:9", False),
    ("/nowhere", False),
    ("inet:", False),
    ("smtp:127.0.0.1:9", False),
)


@pytest.mark.parametrize(("endpoint", "good"), MILTERS)
def test_milter_endpoints(endpoint: str, good: bool, tmp_path: Path) -> None:
    setting = f"smtpd_milters = {endpoint}\n"
    write(
        tmp_path, {"main.cf": f"{quiet_settings(tmp_path)}milter_connect_timeout = 2s\n{setting}"}
    )
    said = stand_alone("smtpd", tmp_path, stdin="QUIT\r\n").errors
    wrong = "invalid transport name" in said or "needs transport:endpoint" in said
    assert wrong == (not good), said
    found = lint_files(tmp_path / "lint", {"main.cf": setting}, select="VAL013")
    assert bool(found) == (not good)


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("inet:127.0.0.1:9", True),
        ("unix:private/x", True),
        ("{ inet:127.0.0.1:9, timeout=1s }", True),
        ("127.0.0.1:9", False),
        ("/private/x", False),
        ("{ tcp:127.0.0.1:9 }", False),
    ],
)
def test_policy_service_endpoints(endpoint: str, good: bool, tmp_path: Path) -> None:
    setting = f"smtpd_client_restrictions = check_policy_service {endpoint}\n"
    write(tmp_path, {"main.cf": quiet_settings(tmp_path) + setting})
    assert (refuses("smtpd", tmp_path) is None) == good
    found = lint_files(tmp_path / "lint", {"main.cf": setting}, select="VAL013")
    assert bool(found) == (not good)


@pytest.mark.parametrize(
    ("code", "answer"), [("250", "450"), ("700", "450"), ("550", "550"), ("450", "450")]
)
def test_reply_codes(code: str, answer: str, tmp_path: Path) -> None:
    settings = f"{quiet_settings(tmp_path)}access_map_reject_code = {code}\n"
    settings += (
        "smtpd_delay_reject = no\nsmtpd_client_restrictions = check_client_access static:reject\n"
    )
    write(tmp_path, {"main.cf": settings})
    said = stand_alone("smtpd", tmp_path, stdin="HELO a.example.com\r\nQUIT\r\n")
    reply = said.output.replace("\0", "").lstrip()
    assert reply.startswith(answer), said
    found = lint_files(tmp_path / "lint", {"main.cf": settings}, select="VAL011")
    assert bool(found) == ("reply code configuration error" in said.errors)


TABLES = (
    ("virtual_alias_maps", "/etc/aliases", "VAL009"),
    ("virtual_alias_maps", "lmbd:/etc/aliases", "VAL010"),
    ("virtual_alias_maps", "HASH:/etc/aliases", "VAL010"),
    ("virtual_alias_maps", "inline:{a=b}", None),
    ("virtual_alias_maps", "static:a", None),
)


@pytest.mark.parametrize(("name", "table", "code"), TABLES)
def test_tables_without_a_good_type_can_not_be_opened(
    name: str, table: str, code: str | None, tmp_path: Path
) -> None:
    setting = f"{name} = {table}\n"
    write(tmp_path, {"main.cf": quiet_settings(tmp_path) + setting})
    said = stand_alone("cleanup", tmp_path, timeout=2.0).errors
    wrong = "unsupported dictionary type" in said or 'expecting "type:name" form' in said
    assert wrong == (code is not None), said
    codes = [
        item.code
        for item in lint_files(tmp_path / "lint", {"main.cf": setting}, select="VAL")
        if item.code in ("VAL009", "VAL010")
    ]
    assert codes == ([] if code is None else [code])


def test_a_separator_that_does_not_separate_matches_nothing(tmp_path: Path) -> None:
    answers = []
    for separator in (";", ",", "|", " "):
        settings = f"{quiet_settings(tmp_path)}smtpd_delay_reject = no\n"
        settings += f"mynetworks = 192.0.2.1{separator}127.0.0.1\n"
        settings += "smtpd_client_restrictions = permit_mynetworks, reject\n"
        write(tmp_path, {"main.cf": settings})
        output = stand_alone("smtpd", tmp_path, stdin="QUIT\r\n").output
        answers.append("220" in output)
        found = lint_files(tmp_path / "lint", {"main.cf": settings}, select="VAL007")
        assert bool(found) == (separator in ";|")
    assert answers == [False, True, False, True]
