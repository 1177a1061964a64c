"""The trust boundary: which files a configuration can make the linter read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from postlint.config.files import Files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    instance = tmp_path / "instance"
    (instance / "maps").mkdir(parents=True)
    (instance / "maps" / "policy").write_text("inside\n")
    (tmp_path / "secret").write_text("outside\n")
    return instance


def text(files: Files, name: str) -> str | None:
    source = files.read(name)
    return None if source is None else source.text


def test_paths_in_etc_postfix_are_looked_for_in_the_instance(folder: Path) -> None:
    assert text(Files(folder), "/etc/postfix/maps/policy") == "inside\n"
    assert text(Files(folder), "/etc/postfix/maps/absent") is None


@pytest.mark.parametrize(
    "name",
    [
        "/etc/postfix/../secret",
        "/etc/postfix/maps/../../secret",
        "/etc/passwd",
        "/proc/self/environ",
        "maps/policy",
        "/etc/postfix/maps",
        "/etc/postfix/\0",
        "",
    ],
)
def test_nothing_else_is_opened(folder: Path, name: str) -> None:
    assert text(Files(folder), name) is None


def test_links_that_lead_out_are_refused_with_a_note(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    files = Files(folder)
    assert text(files, "/etc/postfix/link") is None
    assert files.refused[0][1] == "a link leads out of the instance"


def test_links_that_stay_inside_are_followed(folder: Path) -> None:
    (folder / "link").symlink_to("maps/policy")
    assert text(Files(folder), "/etc/postfix/link") == "inside\n"


def test_circular_links_are_no_crash(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    assert text(Files(folder), "/etc/postfix/a") is None


def test_a_fifo_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    files = Files(folder)
    assert text(files, "/etc/postfix/fifo") is None
    assert files.refused[0][1] == "not a regular file"


def test_root_maps_absolute_paths_into_an_image(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "image"
    (root / "var").mkdir(parents=True)
    (root / "var" / "map").write_text("image\n")
    assert text(Files(folder, root), "/var/map") == "image\n"
    assert text(Files(folder, root), "/var/../../secret") is None


def test_the_host_is_read_only_when_asked(folder: Path, tmp_path: Path) -> None:
    secret = str(tmp_path / "secret")
    assert text(Files(folder), secret) is None
    assert text(Files(folder, host=True), secret) == "outside\n"
