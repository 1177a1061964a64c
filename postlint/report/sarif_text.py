"""Strings as SARIF wants them: messages, Markdown, names and URIs."""

from __future__ import annotations

import re
from urllib.parse import quote

from postlint.report.escape import visible

TEXT_LIMIT = 1024
"""GitHub's limit for descriptions; kept for messages too."""

_LINK = re.compile(r"\[[^\[\]]*\]\(")
_ESCAPED = re.compile(r"[\\\[\]]")
_MARKUP = re.compile(r"`[^`]+`|[\\*\[\]<]|(?<!\w)_|_(?!\w)")


def plain(text: str) -> str:
    r"""A plain text message that viewers show as it is.

    Only ``[text](target)`` would be read as a link (SARIF 2.1.0, 3.11.6), so only a message
    that contains one is escaped: most viewers show ``\[mx.example.com\]`` with its backslashes.
    Placeholders need no escape in a message without arguments.
    """
    lines = "\n".join(visible(line) for line in text.split("\n"))
    if len(lines) > TEXT_LIMIT:
        lines = lines[: TEXT_LIMIT - 1] + "…"
    if _LINK.search(lines):
        lines = _ESCAPED.sub(r"\\\g<0>", lines)
    return lines


def markdown(text: str) -> str:
    """Prose as GitHub Flavored Markdown; code spans in backquotes stay."""
    return _MARKUP.sub(lambda match: match[0] if match[0][0] == "`" else "\\" + match[0], text)


def code_block(text: str) -> str:
    """Text in a fence that it does not contain."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"


def pascal_case(name: str) -> str:
    """``tls-key-file`` as ``TlsKeyFile``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("-"))


def uri(path: str) -> str:
    """A path as relative URI reference, or as ``file`` URI when it is absolute."""
    quoted = quote(_path_bytes(path))
    return f"file://{quoted}" if path.startswith("/") else quoted


def has_lone_surrogate(text: str) -> bool:
    """Whether the text carries bytes that are no UTF-8, which JSON text can not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _path_bytes(path: str) -> bytes:
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")
