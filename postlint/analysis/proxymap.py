"""Which tables the proxymap service opens for the daemons that ask it (proxymap.c)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.config.limits import NESTING_LIMIT
from postlint.config.placeholders import has_placeholder
from postlint.syntax.lists import split_list

if TYPE_CHECKING:
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.postfix.versions import PostfixVersion


@lru_cache(maxsize=4)
def approved_tables(instance: Instance, parameter: str) -> frozenset[str] | None:
    """The tables in proxy_read_maps or proxy_write_maps; None when that can not be known.

    The service has its own value of the parameter, an override included.
    """
    name = "proxywrite" if parameter == "proxy_write_maps" else "proxymap"
    value: Effective = instance.main[parameter]
    for service in instance.services_running("proxymap"):
        if service.name == name:
            value = service[parameter]
            break
    if instance.main_cf is None or value.problem is not None:
        return None
    if any(has_placeholder(setting.text) for setting in instance.settings.values()):
        return None
    return _tables_in(value.text)


def _tables_in(value: str) -> frozenset[str]:
    found: set[str] = set()
    waiting = [(value, 0)]
    while waiting:
        text, depth = waiting.pop()
        for start, end in split_list(text):
            word = text[start:end]
            if word.startswith("{"):  # { type:name, attribute = value … }
                inside = word[1:-1]
                first = next(split_list(inside), (0, 0))
                word = inside[first[0] : first[1]]
            kind, _, nested = word.partition(":")
            if kind in ("unionmap", "pipemap"):
                if depth < NESTING_LIMIT:
                    waiting.append((nested.removeprefix("{").removesuffix("}"), depth + 1))
            elif kind == "proxy":
                while nested.startswith("proxy:"):
                    nested = nested.removeprefix("proxy:")
                found.add(nested)
    return frozenset(found)


def answers_with_errors(version: PostfixVersion) -> bool:
    """Whether a daemon goes on without a table that is refused; before, it dies of it."""
    return version >= (3, 11)
