"""OPS004 and OPS005: how long mail waits, and how large it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.nexthops import destination
from postlint.lint.edits import insert_line_after, replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.postfix import parameters
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_TIME = LazyPattern(r"[ \t\n\v\f\r]*\+?([0-9]+)(.?)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DAY = 86_400
_LIFETIME = "maximal_queue_lifetime"
_SMALLEST_MESSAGE = 1_000_000
_LARGEST_MESSAGE = 500_000_000
_BUFFERS = ("berkeley_db_create_buffer_size", "berkeley_db_read_buffer_size")
_SMALLEST_BUFFER = 65_536


class _Order(NamedTuple):
    """Two times of which the first must not be the longer one."""

    first: str
    second: str
    consequence: str
    severity: Severity


_ORDERS = (
    _Order(
        "delay_warning_time",
        _LIFETIME,
        "mail is returned before anybody is warned",
        Severity.WARNING,
    ),
    _Order(
        "minimal_backoff_time",
        "maximal_backoff_time",
        "the time between attempts can not grow",
        Severity.WARNING,
    ),
    _Order(
        "queue_run_delay",
        "minimal_backoff_time",
        "mail waits longer between attempts than it says",
        Severity.INFO,
    ),
    _Order("bounce_queue_lifetime", _LIFETIME, "qmgr takes the shorter one", Severity.INFO),
)


@rule("OPS004", severity=Severity.WARNING, tags=("RFC 5321", "TUNING_README"))
def queue_lifetimes(instance: Instance) -> Iterator[Finding]:
    """Mail is given up too soon or too late, or times of the queue contradict each other.

    Why: Servers of others are down for a night or a weekend, and many turn the first attempt of
        an unknown sender away. A sender should try for four or five days. With a lifetime of
        zero the first failure is the last. After much longer than that the sender has forgotten
        the mail.
    Fix: Leave maximal_queue_lifetime and bounce_queue_lifetime at five days. Warn senders within
        that time, with delay_warning_time = 4h.
    Bad:
        maximal_queue_lifetime = 1h
    Good:
        maximal_queue_lifetime = 5d
    References: RFC 5321 section 4.5.4.1, postconf(5) maximal_queue_lifetime, qmgr(8)
    """
    for name in (_LIFETIME, "bounce_queue_lifetime"):
        value = instance.main[name]
        seconds = _seconds(value)
        location = value.value_location
        if seconds is None or location is None:
            continue
        judged = _lifetime(name, seconds)
        if judged is not None:
            severity, what = judged
            default = instance.main.default(name)
            edit = None if default is None else replace_value(value.setting, default.text)
            yield Finding(
                location,
                f"{name} = {value.text.strip()}: {what}",
                severity=severity,
                parameter=name,
                fix=None if edit is None else Fix("use the default", (edit,), "unsafe"),
            )
    for order in _ORDERS:
        finding = _out_of_order(instance, order)
        if finding is not None:
            yield finding


def _lifetime(name: str, seconds: int) -> tuple[Severity, str] | None:
    what = "a bounce" if name.startswith("bounce") else "mail"
    if seconds == 0:
        severity = Severity.WARNING if name.startswith("bounce") else Severity.ERROR
        return severity, f"{what} that can not be delivered at the first attempt is given up"
    if seconds < _DAY:
        return Severity.WARNING, f"{what} is given up when a server is down for less than a day"
    if 10 * _DAY < seconds <= 40 * _DAY:
        return Severity.WARNING, f"nobody learns for a long time that {what} was not delivered"
    return None


def _out_of_order(instance: Instance, order: _Order) -> Finding | None:
    first, second = instance.main[order.first], instance.main[order.second]
    short, long = _seconds(first), _seconds(second)
    if not short or not long or short <= long:
        return None
    value, other = (first, second) if first.explicit else (second, first)
    location = value.value_location
    if location is None or (order.first == "bounce_queue_lifetime" and not first.explicit):
        return None
    place = other.value_location
    return Finding(
        location,
        f"{order.first} ({first.text.strip()}) is longer than {order.second} "
        f"({second.text.strip()}): {order.consequence}",
        severity=order.severity,
        parameter=value.name,
        related=() if place is None else (Related(other.name, place),),
    )


def _seconds(value: Effective) -> int | None:
    """A time as conv_time.c reads it; None for a bad or unknown one."""
    parameter = parameters.get(value.name)
    match = _TIME.match(value.text) if value.known and parameter is not None else None
    if match is None or parameter is None:
        return None
    factor = _SECONDS.get(match[2] or parameter.unit or "s")
    return None if factor is None else integer(match[1]) * factor


@rule("OPS005", severity=Severity.ERROR)
def size_limits(instance: Instance) -> Iterator[Finding]:
    """Limits for messages, mailboxes and disk space do not fit together.

    Why: local and virtual refuse to run when a mailbox may not hold the largest message that is
        accepted. Every delivery then fails until the mail bounces. With too little free space
        asked for, smtpd turns mail away only after it has been sent.
    Fix: Make mailbox_size_limit and virtual_mailbox_limit 0 (no limit) or larger than
        message_size_limit, and queue_minfree at least half as large again as it.
    Bad:
        myhostname = mx.example.com
        message_size_limit = 104857600
    Good:
        myhostname = mx.example.com
        message_size_limit = 104857600
        mailbox_size_limit = 0
    References: postconf(5) mailbox_size_limit, postconf(5) queue_minfree, local.c, virtual.c
    """
    for service in _mailbox_services(instance):
        name = "mailbox_size_limit" if service.program == "local" else "virtual_mailbox_limit"
        finding = _too_small(service, name)
        if finding is not None:
            yield finding
    for service in instance.services_running("smtpd"):
        finding = _little_space(service)
        if finding is not None:
            yield finding
    yield from _unusual_size(instance)
    yield from _small_buffers(instance)


def _too_small(service: Service, name: str) -> Finding | None:
    mailbox, message = service[name], service["message_size_limit"]
    limit, largest = mailbox.integer, message.integer
    if limit is None or largest is None or limit <= 0 or 0 < largest <= limit:
        return None
    what = "has no limit" if largest <= 0 else f"is {largest}"
    value, other = (message, mailbox) if message.explicit else (mailbox, message)
    location, place = value.value_location, other.value_location
    if location is None:
        return None
    return Finding(
        location,
        f"{name} is {limit} and message_size_limit {what}: {service.program} stops with a fatal "
        "error and delivers nothing",
        parameter=value.name,
        service=service.label,
        related=() if place is None else (Related(other.name, place),),
        fix=_no_limit(mailbox, location),
    )


def _no_limit(mailbox: Effective, location: Location) -> Fix | None:
    edit = replace_value(mailbox.setting, "0")
    if edit is None:
        if location.path.endswith("master.cf"):
            return None
        edit = insert_line_after(location, f"{mailbox.name} = 0")
    return Fix(f"set {mailbox.name} = 0", (edit,), "unsafe")


def _mailbox_services(instance: Instance) -> Iterator[Service]:
    """The local and virtual services that deliver mail."""
    used = {}
    if instance.main["mydestination"].empty is False:
        used["local_transport"] = "mydestination"
    if instance.main["virtual_mailbox_domains"].empty is False:
        used["virtual_transport"] = "virtual_mailbox_domains"
    names = set()
    for name in used:
        target = destination(instance.main[name])
        if target is not None and target.known:
            names.add(target.transport)
    found = [
        service
        for service in instance.services_running("local", "virtual")
        if service.name in names and service.type != "inet"
    ]
    yield from found
    if instance.master_cf is None:  # the stock file has both
        from postlint.config.service import Service

        for program in sorted(names & {"local", "virtual"}):
            yield Service(instance, program, "unix", program, None)


def _little_space(service: Service) -> Finding | None:
    free, message = service["queue_minfree"], service["message_size_limit"]
    space, largest = free.integer, message.integer
    location = free.value_location
    if not space or not largest or location is None or space / 1.5 >= largest:
        return None
    place = message.value_location
    return Finding(
        location,
        f"queue_minfree ({space}) is less than 1.5 times message_size_limit ({largest}): smtpd "
        "warns, and takes messages that the disk can not hold",
        severity=Severity.WARNING,
        parameter="queue_minfree",
        service=service.label,
        related=() if place is None else (Related("message_size_limit", place),),
    )


def _unusual_size(instance: Instance) -> Iterator[Finding]:
    value = instance.main["message_size_limit"]
    size, location = value.integer, value.value_location
    if location is None or size is None or size <= 0:
        return
    if size < _SMALLEST_MESSAGE:
        what = "mail with a photo or two is refused"
    elif size > _LARGEST_MESSAGE:
        what = "few other servers take mail of that size, and it fills disks"
    else:
        return
    yield Finding(
        location,
        f"message_size_limit is {size} bytes: {what}",
        severity=Severity.INFO,
        parameter="message_size_limit",
    )


def _small_buffers(instance: Instance) -> Iterator[Finding]:
    for name in _BUFFERS:
        value = instance.main[name]
        size, location = value.integer, value.value_location
        if location is not None and size is not None and 0 < size < _SMALLEST_BUFFER:
            yield Finding(
                location,
                f"{name} is {size} bytes: Berkeley DB goes to the disk for every few entries",
                severity=Severity.INFO,
                parameter=name,
            )
