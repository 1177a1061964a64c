"""The trust boundary: what a linted repository can not make postlint do.

Every test has a repository that tries, and an audit hook (PEP 578) that writes down what the
interpreter opens, imports, connects and starts.
"""

from __future__ import annotations

import ast
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.hostile.running import MASTER, ROOT, Run, postlint, write

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCH = Path(__file__).with_name("watch.py")
CANARY = "CANARY-a1b2c3"
"""Stands in every file that must not be read, and in what code would print."""

SAFE = ("-P", "-m", "postlint")
"""As the installed program: a folder "postlint" in the working directory is not the program."""

COMMANDS = {
    "check": ("check",),
    "check as SARIF": ("check", "--format", "sarif"),
    "check in processes": ("check", "--jobs", "2"),
    "check an image": ("check", "--root", "repository"),
    "exposure": ("exposure",),
}


class Event(NamedTuple):
    """What the interpreter did."""

    name: str
    arguments: list[object]


class Watched(NamedTuple):
    """A run and what it did."""

    run: Run
    events: list[Event]

    def named(self, *names: str) -> list[Event]:
        return [event for event in self.events if event.name.startswith(names)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with everything that could be tried, and the files that it is after."""
    secret = f"{CANARY} = {CANARY}\n{CANARY}: {CANARY}\n/{CANARY}/ x\n"
    write(tmp_path, {"secret/main.cf": secret, "secret/table": secret, "secret/x.toml": secret})
    folder = tmp_path / "repository"
    outside = tmp_path / "secret" / "table"
    names = {
        "dots": "/etc/postfix/../../secret/table",
        "more_dots": f"/etc/postfix/{'../' * 40}{outside}",
        "absolute": str(outside),
        "link": "/etc/postfix/link",
        "folder_link": "/etc/postfix/folder/table",
        "absolute_link": "/etc/postfix/absolute",
        "link_link": "/etc/postfix/link2",
        "proc": "/proc/self/environ",
        "proc_root": f"/proc/self/root{outside}",
        "proc_cwd": "/proc/self/cwd/secret/table",
        "proc_link": "/etc/postfix/proc/environ",
        "home": "~/secret",
        "relative": "secret/table",
        "config": "$config_directory/table",
        "nul": "/etc/postfix/link\0x",
    }
    kinds = (
        "hash",
        "texthash",
        "cidr",
        "pcre",
        "regexp",
        "ldap",
        "mysql",
        "lmdb",
        "tcp",
        "socketmap",
    )
    main = [f"config_directory = {outside.parent}", "alternate_config_directories = /"]
    main += [
        f"daemon_directory = {outside.parent}",
        f"multi_instance_directories = {outside.parent}",
    ]
    for name in ("transport_maps", "virtual_alias_maps", "alias_maps", "smtp_tls_policy_maps"):
        words = [f"{kind}:{path}" for path in names.values() for kind in kinds]
        main.append(f"{name} = {', '.join(words)}")
    for name in ("mynetworks", "mydestination", "relay_domains", "smtpd_milters", "relayhost"):
        main.append(f"{name} = {', '.join(names.values())}")
    for number, path in enumerate(names.values()):
        main.append(f"smtpd_tls_cert_file = {path}")
        main.append(f"smtpd_tls_chain_files = {path}")
        main.append(f"smtpd_tls_dh1024_param_file = {path}")
        main.append(f"smtp_tls_CAfile = {path}\nsmtpd_banner{number} = {path}")
        main.append(f"smtpd_recipient_restrictions = check_client_access hash:{path}, permit")
        main.append(f"bounce_template_file = {path}")
    main.append("smtpd_client_restrictions = check_policy_service inet:192.0.2.1:25")
    main.append("inet_interfaces = canary.invalid, 192.0.2.1")
    main.append("relocated_maps = tcp:192.0.2.1:25, socketmap:inet:192.0.2.1:25:x, static:x")
    main.append("debugger_command = touch /tmp/touched")
    files = {
        "main.cf": "\n".join(main) + "\n",
        "master.cf": f"{MASTER} -o smtp_tls_policy_maps=hash:{outside}\n",
        "postlint.toml": "jobs = 1\n",
        ".gitignore": "*.pyc\n",
    }
    code = f"print({CANARY!r})\n"
    for name in (
        *("sitecustomize.py", "usercustomize.py", "postlint.py", "postlint_rules.py", "lark.py"),
        *("re.py", "json.py", "rich/__init__.py", "pathspec.py", "tomllib.py", "typing.py"),
        *("postlint/__init__.py", "postlint/__main__.py", "plugin.py", "conftest.py", "setup.py"),
        *("cryptography/__init__.py", "tempfile.py", "hashlib.py", "multiprocessing/__init__.py"),
    ):
        files[name] = code
    files["x.dist-info/METADATA"] = "Name: x\nVersion: 1\n"
    files["x.dist-info/entry_points.txt"] = "[postlint.rules]\nevil = plugin\n"
    files["evil.pth"] = f"import sys; sys.stdout.write({CANARY!r})\n"
    files["pyvenv.cfg"] = "home = .\n"
    write(folder, files)
    (folder / "link").symlink_to("../secret/table")
    (folder / "link2").symlink_to("link")
    (folder / "absolute").symlink_to(outside)
    (folder / "folder").symlink_to("../secret")
    (folder / "proc").symlink_to("/proc/self")
    for name in ("a", "b"):
        (folder / name).mkdir()
    (folder / "a" / "main.cf").symlink_to("../../secret/main.cf")
    (folder / "b" / "master.cf").symlink_to(tmp_path / "secret" / "main.cf")
    return folder


def watched(
    *arguments: str, folder: Path, env: dict[str, str] | None = None, python: tuple[str, ...] = ()
) -> Watched:
    log = folder / f"log-{len(list(folder.glob('log-*')))}"
    run = postlint(log, *arguments, folder=folder, python=(*python, str(WATCH)), env=env)
    events = []
    for line in log.read_text().splitlines():
        name, _, rest = line.partition("\t")
        events.append(Event(name, ast.literal_eval(rest)))
    assert events
    return Watched(run, events)


def opened(found: Watched, folder: Path) -> Iterator[Path]:
    """Where what was opened really lies.

    Not what was opened below a descriptor, a component of a path without links: that takes
    O_NOFOLLOW, which has its own tests.
    """
    for event in found.named("open", "os.listdir", "os.scandir"):
        name = event.arguments[0]
        if isinstance(name, str) and "/" in name:
            yield Path(os.path.realpath(folder / name))


def is_pythons(path: Path) -> bool:
    """Whether a file belongs to the interpreter or to postlint."""
    own = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), str(ROOT)]
    return any(path.is_relative_to(top) for top in own) or str(path) in (
        "/dev/null",
        "/dev/urandom",
    )


@pytest.mark.parametrize("case", COMMANDS)
def test_nothing_outside_the_repository_is_opened(case: str, repository: Path) -> None:
    found = watched(*COMMANDS[case], "repository", folder=repository.parent)
    assert found.run.status in (1, 2), found.run.err
    assert CANARY.encode() not in found.run.out + found.run.err
    allowed = {".git", ".gitignore", "postlint.toml", ".postlint.toml", "pyproject.toml"}
    for path in opened(found, repository.parent):
        inside = path.is_relative_to(repository)
        assert inside or is_pythons(path) or path.name in allowed, path


@pytest.mark.parametrize("case", [*COMMANDS, "show"])
def test_no_network_no_process_no_code(case: str, repository: Path) -> None:
    arguments = ("show", "-xc") if case == "show" else COMMANDS[case]
    found = watched(*arguments, "repository", folder=repository.parent)
    assert CANARY.encode() not in found.run.out + found.run.err
    started = found.named("subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system")
    assert not started
    sockets = found.named("socket.")
    if case == "show":  # which protocols this host speaks, and its own addresses
        assert {event.name for event in sockets} <= {
            *("socket.__new__", "socket.gethostname", "socket.getaddrinfo")
        }
        asked = [event.arguments[0] for event in sockets if event.name == "socket.getaddrinfo"]
        assert "canary.invalid" not in asked or asked == ["canary.invalid"]
    else:
        assert not sockets
    if case != "check in processes":
        assert not found.named("os.fork")
    assert not found.named("pickle.") or case == "check in processes"
    for event in found.named("exec", "compile"):
        name = str(event.arguments[0])
        path = Path(name)
        assert name.startswith("<") or is_pythons(path), event
        assert not path.is_relative_to(repository)


def test_the_hook_sees_what_is_looked_for(repository: Path) -> None:
    """That the tests above can fail: with --host and --plugin the same things do happen."""
    found = watched("check", "--host", ".", folder=repository)
    assert any(
        path.is_relative_to(repository.parent / "secret") for path in opened(found, repository)
    )
    found = watched("check", "--plugin", "plugin.py", ".", folder=repository)
    assert CANARY.encode() in found.run.out
    assert any(str(event.arguments[0]).endswith("plugin.py") for event in found.named("exec"))


@pytest.mark.parametrize("python", [("-m", "postlint"), ("-P", "-m", "postlint"), ("script",)])
def test_nothing_is_imported_from_the_repository(python: tuple[str, ...], repository: Path) -> None:
    """But for a package "postlint" itself, which python -m takes before it is asked."""
    if python == ("-m", "postlint"):
        (repository / "postlint.py").unlink()
        shutil.rmtree(repository / "postlint")
    if python == ("script",):
        program = shutil.which("postlint", path=str(Path(sys.executable).parent))
        if program is None:
            pytest.skip("postlint is not installed beside this Python")
        python = (program,)
    run = postlint("check", ".", folder=repository, python=python)
    assert run.status in (1, 2)
    assert CANARY.encode() not in run.out + run.err


CONFIGURATIONS = {
    "a file": 'plugins = ["./plugin.py"]',
    "a file without a folder": 'plugins = ["plugin.py"]',
    "an absolute file": 'plugins = ["/tmp/plugin.py"]',
    "what is not installed": 'plugins = ["evil"]',
    "a module": 'plugins = ["os"]',
    "a root outside": 'root = ".."',
    "an absolute root": 'root = "/"',
    "a root by a link": 'root = "folder"',
    "the host": "host = true",
    "an output": 'output = "/tmp/x"',
    "another configuration": 'config = "../secret/x.toml"',
    "many processes": "jobs = 100000",
}


@pytest.mark.parametrize("name", ["postlint.toml", ".postlint.toml", "pyproject.toml"])
@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_what_a_found_configuration_file_can_not_say(
    case: str, name: str, repository: Path
) -> None:
    (repository / "postlint.toml").unlink()
    head = "[tool.postlint]\n" if name == "pyproject.toml" else ""
    (repository / name).write_text(head + CONFIGURATIONS[case] + "\n")
    found = watched("check", ".", folder=repository)
    assert found.run.status == 2
    assert found.run.out == b""
    assert found.run.err.startswith(b"postlint: error: ")
    assert CANARY.encode() not in found.run.err
    assert not any(str(event.arguments[0]).endswith("plugin.py") for event in found.named("exec"))


@pytest.mark.parametrize("name", ["postlint.toml", ".postlint.toml", "pyproject.toml"])
def test_a_found_configuration_file_is_no_way_out(name: str, repository: Path) -> None:
    (repository / "postlint.toml").unlink()
    for text in (f"[tool.postlint]\n{CANARY} = 1\n", f"{CANARY} {CANARY} = [tool.postlint]\n"):
        (repository.parent / "secret" / "x.toml").write_text(text)
        (repository / name).unlink(missing_ok=True)
        (repository / name).symlink_to("../secret/x.toml")
        run = postlint("check", ".", folder=repository, python=SAFE)
        assert run.status == 2
        assert b"leads out" in run.err
        assert CANARY.encode() not in run.err


def test_links_of_a_work_tree_must_stay_in_it(repository: Path) -> None:
    """Who may change a repository may not choose what is read, by the names that CI has in it."""
    (repository / ".git").mkdir()
    (repository / "good").symlink_to("main.cf")
    for arguments in (("check", "a/main.cf"), ("check", "folder"), ("exposure", "folder/main.cf")):
        run = postlint(*arguments, folder=repository, python=SAFE)
        assert run.status == 2
        assert b"a link leads out of the work tree; name what it leads to" in run.err
        assert CANARY.encode() not in run.out + run.err
    assert postlint("check", "good", folder=repository, python=SAFE).status in (0, 1)
    outside = ("check", "--no-config", "../secret/main.cf")
    assert postlint(*outside, folder=repository, python=SAFE).status == 1


def test_links_of_an_image_begin_at_its_root(tmp_path: Path) -> None:
    """As in a chroot: an absolute link of an image says nothing of this host."""
    image = tmp_path / "image"
    write(
        image,
        {
            "etc/postfix/main.cf": "transport_maps = hash:/etc/postfix/t, hash:/srv/up\n",
            "etc/postfix/master.cf": MASTER,
            "srv/table": "inside broken:::\ninside again\nINSIDE again\n",
        },
    )
    write(tmp_path, {"srv/table": f"{CANARY} x\n", "table": f"{CANARY} x\n{CANARY} y\n"})
    (image / "etc/postfix/t").symlink_to("/srv/table")
    (image / "srv/up").symlink_to("../../../../../../../../table")
    run = postlint(
        "check", "--no-config", "--select", "TBL", "--root", "image", "image", folder=tmp_path
    )
    assert CANARY.encode() not in run.out + run.err
    assert b"image/etc/postfix/t:" in run.out
    assert b"leads out" not in run.err


def test_a_link_that_is_put_there_meanwhile(tmp_path: Path) -> None:
    """The path is resolved, and then no component that has become a link is followed."""
    from postlint.config import boundary

    write(tmp_path, {"in/a/b/table": "inside", "secret/b/table": CANARY})
    inside = boundary.Boundary(tmp_path / "in")
    path = tmp_path / "in" / "a" / "b" / "table"
    assert boundary.read_regular(path, 100, inside) == b"inside"
    for swapped in (path, path.parent, path.parent.parent, tmp_path / "in"):
        kept = swapped.with_name("kept")
        real = inside.resolve(path)
        swapped.rename(kept)
        swapped.symlink_to(
            tmp_path / "secret" / "b" / "table" if swapped == path else tmp_path / "secret"
        )
        try:
            stale = Stale(tmp_path / "in", real)
            stale.folder = inside.folder
            with pytest.raises(boundary.UnreadableFileError):
                boundary.read_regular(path, 100, stale)
        finally:
            swapped.unlink()
            kept.rename(swapped)


def test_the_folder_itself_becomes_a_link(tmp_path: Path) -> None:
    from postlint.config.boundary import Boundary, UnreadableFileError, read_regular

    write(tmp_path, {"top/folder/table": "inside", "secret/table": CANARY})
    top = Boundary(tmp_path / "top")
    (tmp_path / "top" / "folder").rename(tmp_path / "top" / "old")
    (tmp_path / "top" / "folder").symlink_to(tmp_path / "secret")
    folder = Boundary(tmp_path / "top" / "folder", inside=top)
    with pytest.raises(UnreadableFileError):
        read_regular(tmp_path / "top" / "folder" / "table", 100, folder)


def stale_class() -> type:
    from postlint.config.boundary import Boundary

    class Stale(Boundary):
        """One that has resolved the path before something was swapped."""

        def __init__(self, folder: Path, real: str) -> None:
            super().__init__(folder)
            self._real = real
            self._anchor = str(folder)

        def resolve(self, _path: Path) -> str:
            return self._real

    return Stale


Stale = stale_class()
