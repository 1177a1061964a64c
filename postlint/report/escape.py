"""Making text harmless for terminals and line-oriented tools."""

from __future__ import annotations

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def visible(text: str) -> str:
    r"""Replace what does not print (controls, bidi marks, undecodable bytes) by escapes.

    ``\xNN`` is an ASCII control or an undecodable byte, ``\uNNNN`` any other character. The
    result is always one line.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    short = _SHORT.get(char)
    if short:
        return short
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # how surrogateescape keeps the byte
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
