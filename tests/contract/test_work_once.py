"""Work is done once: counted, not timed."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

import postlint.config.load as loading
from postlint.cli.main import main
from postlint.config.files import Files
from postlint.config.scope import Scope
from postlint.config.service import Service
from postlint.lint.runner import Runner
from tests.installed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = ("modern-mx", "openbsd-tls-howto", "submission-host")


def counted(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, key: Callable[..., object]
) -> Counter[object]:
    """How often a function of ``owner`` is called, by a key made of its arguments."""
    calls: Counter[object] = Counter()
    function = getattr(owner, name)

    def counting(*arguments: object) -> object:
        calls[key(*arguments)] += 1
        return function(*arguments)

    monkeypatch.setattr(owner, name, counting)
    return calls


@pytest.mark.parametrize("case", CASES)
def test_files_are_parsed_and_read_once(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    main_cf = counted(monkeypatch, loading, "parse_main_cf", lambda source: source.path)
    master_cf = counted(monkeypatch, loading, "parse_master_cf", lambda source, *_: source.path)
    read = counted(monkeypatch, Files, "_read", lambda _, name: name)
    main(["check", "--no-config", "--quiet", str(ROOT / "corpus" / case)])
    assert len(main_cf) == len(master_cf) == 1
    for calls in (main_cf, master_cf, read):
        assert set(calls.values()) <= {1}


@pytest.mark.parametrize("case", CASES)
def test_values_are_worked_out_once(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    scopes: list[Scope] = []  # kept, so that no other takes the same identity

    def key(scope: Scope, name: str) -> tuple[int, str]:
        scopes.append(scope)
        return id(scope), name

    expanded = counted(monkeypatch, Scope, "_expand", key)
    main(["check", "--no-config", "--quiet", str(ROOT / "corpus" / case)])
    assert expanded
    assert set(expanded.values()) == {1}


def test_services_share_what_no_override_is_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "main.cf").write_text("a = $b\nb = 1\nc = 2\nsmtpd_banner = $a $c\n")
    lines = [f"{port} inet n - n - - smtpd -o c={port}\n" for port in range(2000, 2020)]
    (tmp_path / "master.cf").write_text("".join(lines))
    expanded = counted(monkeypatch, Scope, "_expand", lambda scope, name: (type(scope), name))
    main(["check", "--no-config", "--quiet", str(tmp_path)])
    own = {name: number for (kind, name), number in expanded.items() if kind is Service}  # type: ignore[misc]
    assert own["smtpd_banner"] == 20  # $c is another in each
    assert "a" not in own
    assert "smtpd_tls_security_level" not in own
    assert "smtpd_recipient_restrictions" not in own


def test_same_instances_are_checked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number in range(5):
        shutil.copytree(ROOT / "corpus" / "modern-mx", tmp_path / str(number))
    checked = counted(monkeypatch, Runner, "check", lambda *_: "instance")
    main(["check", "--no-config", "--quiet", str(tmp_path)])
    assert checked == {"instance": 1}
