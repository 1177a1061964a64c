"""What is checked when the command line names nothing."""

from __future__ import annotations

import os

from postlint.cli.errors import UsageError
from postlint.config.files import CONFIG_DIRECTORY


def default_path(root: str | None = None, *, isolated: bool = False) -> str:
    """Where Postfix's own tools look (postconf(1)), or the same place below ``root``.

    ``isolated``: the environment has no say; it is about this host, not about a root. Raises
    UsageError where there is no such folder.
    """
    path = CONFIG_DIRECTORY
    if root:
        path = f"{root.rstrip('/')}{CONFIG_DIRECTORY}"
    elif not isolated:
        path = os.environ.get("MAIL_CONFIG") or path
    if not os.path.isdir(path):  # noqa: PTH112 -- that of pathlib raises PermissionError
        raise UsageError(f"nothing to check: name a folder or a file ({path} does not exist)")
    return path
