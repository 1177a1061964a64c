"""Configurations and tables of any size, the same ones every time."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import TYPE_CHECKING

from tests.installed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MASTER = "{port} inet n - y - - smtpd\n  -o syslog_name=postfix/{port}\n  -o {override}\n"
_RESULTS = ("OK", "REJECT go away", "550 5.7.1 not here", "DUNNO")


def write(folder: Path, files: dict[str, str]) -> Path:
    """Make the files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def instance(number: int) -> dict[str, str]:
    """The corpus's mail exchanger, with names and numbers of its own and a few weaknesses."""
    corpus = ROOT / "corpus" / "modern-mx"
    own = f"""
myhostname = mx{number}.example{number % 97}.com
message_size_limit = {10_240_000 + number}
smtpd_banner = $myhostname ESMTP {number}
smtpd_tls_mandatory_protocols = !SSLv2, TLSv1
smtpd_client_restrictions = permit_mynetworks, reject_rbl_client bl{number}.example.com
mynetworks = 127.0.0.0/8, 192.0.2.{number % 256}
maximal_queue_lifetime = {1 + number % 9}d
"""
    service = _MASTER.format(port=2000 + number % 9000, override=f"smtpd_helo_required={number}")
    return {
        "main.cf": (corpus / "main.cf").read_text() + own,
        "master.cf": (corpus / "master.cf").read_text() + service,
    }


def _lines(number: int, line: Callable[[int], str]) -> str:
    """Lines in an order that is the same every time, but none that would help anybody."""
    order = list(range(number))
    Random(number).shuffle(order)
    return "".join(map(line, order))


def _address(at: int) -> str:
    return f"{1 + (at >> 16) % 200}.{(at >> 8) & 255}.{at & 255}"


_HEADER_CHECKS = 7 * (
    "/^Subject:.*v[i1l!]agra{at}/i\tREJECT spam {at}\n",
    "/^Subject: (make|earn) money{at} (fast|now)!*$/\tREJECT\n",
    "/^From:.*@(bulk|news){at}\\.example\\.(com|net)/\tDISCARD\n",
    "/^Content-Type:.*name[[:space:]]*=.*file{at}\\.(exe|vbs|scr)/i  REJECT {at}\n",
    "/^Received:.*\\[10\\.{at}\\.[0-9]+\\.[0-9]+\\]/\tIGNORE\n",
) + (
    "/^From: (.*) <u{at}@(example\\.com)>/\tREPLACE From: $1 <user@$2>\n",
    "/^X-Mailer: Bulk{at}\\b/\n  REJECT\n",
    "if /^X-Spam{at}:/\n/yes{at}/ HOLD\nendif\n",
    "!/^[A-Za-z-]+{at}?:/\tDUNNO\n",
    "# number {at}\n/^(To|Cc):.*<[0-6a-f]+{at}@[a-z]+\\.example\\.com>/\tWARN list {at}\n",
)
"""Rules as people write them, with all that the format has, and about as often."""

TABLES: dict[str, tuple[str, Callable[[int], str]]] = {
    "indexed": (
        "virtual_alias_maps = lmdb:/etc/postfix/table\n",
        lambda at: f"user{at}@example{at % 977}.com\tbox{at}@mail.example.net\n",
    ),
    "access": (
        "smtpd_sender_restrictions = check_sender_access lmdb:/etc/postfix/table\n",
        lambda at: f"user{at}@example{at % 977}.com\t{_RESULTS[at % 4]}\n",
    ),
    "cidr": (
        "smtpd_client_restrictions = check_client_access cidr:/etc/postfix/table\n",
        lambda at: f"{_address(at)}.0/24\t{_RESULTS[at % 4]}\n",
    ),
    "aliases": (
        "alias_maps = lmdb:/etc/postfix/table\n",
        lambda at: f"user{at}:\tbox{at}@mail.example.net\n",
    ),
    "regexp": (
        "smtpd_sender_restrictions = check_sender_access regexp:/etc/postfix/table\n",
        lambda at: f"/^user{at}@example{at % 977}\\.com$/\t{_RESULTS[at % 4]}\n",
    ),
    "pcre": (
        "smtpd_sender_restrictions = check_sender_access pcre:/etc/postfix/table\n",
        lambda at: f"/^user{at}@example{at % 977}\\.com$/\t{_RESULTS[at % 4]}\n",
    ),
    "header checks": (
        "header_checks = regexp:/etc/postfix/table\n",
        lambda at: _HEADER_CHECKS[at % len(_HEADER_CHECKS)].format(at=at),
    ),
}
"""By kind: the setting that names the table, and its lines."""


def table(kind: str, number: int) -> dict[str, str]:
    """An instance with a table of so many lines."""
    setting, line = TABLES[kind]
    text = _lines(number, line)
    return {"main.cf": setting, "table": "".join(text.splitlines(keepends=True)[:number])}


def tables(number: int) -> dict[str, str]:
    """An instance with tables of several kinds, so many lines each."""
    kinds = ("access", "aliases", "cidr", "indexed")
    settings = [TABLES[kind][0].replace("/table", f"/{kind}") for kind in kinds]
    return {"main.cf": "".join(settings)} | {
        kind: _lines(number, TABLES[kind][1]) for kind in kinds
    }


def write_table(folder: Path, kind: str, number: int) -> Path:
    """Make an instance with one table."""
    return _write_elsewhere(folder, table, kind, number)


def write_tables(folder: Path, number: int) -> Path:
    """Make an instance with several tables."""
    return _write_elsewhere(folder, tables, number)


def _write_elsewhere(
    folder: Path, make: Callable[..., dict[str, str]], *arguments: str | int
) -> Path:
    """In a process of its own: memory that this one had would count for its children."""
    with ProcessPoolExecutor(1) as pool:
        pool.submit(_write_made, folder, make, arguments).result()
    return folder


def _write_made(
    folder: Path, make: Callable[..., dict[str, str]], arguments: tuple[str | int, ...]
) -> None:
    write(folder, make(*arguments))


def _settings(number: int) -> str:
    return "".join(f"own_setting_{at} = value {at}\n" for at in range(number))


def _duplicates(number: int) -> str:
    return "".join(f"smtpd_banner = $myhostname {at}\n" for at in range(number))


def _elements(number: int) -> str:
    hosts = " ".join(f"10.{_address(at)}" for at in range(number))
    names = ", ".join(f"host{at}.example.com" for at in range(number))
    return f"mynetworks = {hosts}\nmydestination = {names}\n"


def _restrictions(number: int) -> str:
    words = ",\n  ".join(f"reject_rbl_client bl{at}.example.com" for at in range(number))
    return f"smtpd_recipient_restrictions = {words},\n  reject_unauth_destination\n"


def _services(number: int) -> str:
    return "".join(
        _MASTER.format(port=10_000 + at, override=f"smtpd_banner=$myhostname {at}")
        for at in range(number)
    )


SIZES: dict[str, tuple[int, Callable[[int], dict[str, str]]]] = {
    "settings": (10_000, lambda number: {"main.cf": _settings(number)}),
    "duplicates of a setting": (10_000, lambda number: {"main.cf": _duplicates(number)}),
    "list elements": (1_000, lambda number: {"main.cf": _elements(number)}),
    "restrictions": (499, lambda number: {"main.cf": _restrictions(number)}),
    "services": (
        500,
        lambda number: {"main.cf": "myhostname = mx.example.com\n", "master.cf": _services(number)},
    ),
}
"""By kind: a number, and the files of an instance of any size.

Lists of more than 10,000 words are not checked but reported, so that ten times as many are the
most that there is something to measure for.
"""


def instances(folder: Path, number: int, *, distinct: bool) -> Iterator[Path]:
    """Make folders of instances below a folder."""
    for at in range(number):
        yield write(folder / f"{at:05}", instance(at if distinct else 0))
