"""Text that stations, drivers or partners supplied, made harmless for a terminal, a log line or a sheet.

The record and the API keep such text word for word (it is evidence); every sink passes it through here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

#: Cells that a spreadsheet would read as a formula, also in their full-width forms (ASVS 5.0 1.2.10); and those
#: that look as if they had been marked as text already, so that the mark can be taken away again.
_FORMULA = re.compile(r"^'*\s*[=+\-@\t\r\x00＝＋－＠]")

#: Control, escape, bidi and other format characters, surrogates, private, unassigned, separators.
_HOSTILE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_DELETE = 0x7F
#: No message of OCPP is nested a third as deep.
_DEEPEST = 40


def safe(text: object, limit: int | None = None) -> str:
    """The text with nothing in it that a terminal obeys; at most ``limit`` characters, cut with ``…``.

    C0 controls and DEL become their pictures (U+2400...), everything else hostile becomes U+FFFD.
    """
    plain = text if isinstance(text, str) else str(text)
    if limit is not None and len(plain) > limit:
        plain = plain[: max(limit - 1, 0)] + "…"
    if plain.isprintable():
        return plain
    return "".join(_harmless(character) for character in plain)


def csv_cell(text: object) -> str:
    """The text for a cell of a sheet: harmless, and never a formula (a leading ``'`` says it is text)."""
    cell = safe(text)
    return "'" + cell if _FORMULA.match(cell) else cell


def decoded(json_text: str) -> Any:
    """What the JSON says. ValueError where it is none, or so deep that whoever walks through it falls."""
    try:
        told = json.loads(json_text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    layer = [told]
    for _ in range(_DEEPEST):
        layer = [part for whole in layer if isinstance(whole, dict | list) for part in _parts(whole)]
        if not layer:
            return told
    raise ValueError("nested too deep")


def _parts(whole: dict[str, Any] | list[Any]) -> list[Any]:
    return list(whole.values()) if isinstance(whole, dict) else whole


def escaped(json_text: str) -> str:
    """JSON text whose hostile characters are ``\\u`` escapes: the same JSON, and nothing a terminal obeys.

    Line feeds between tokens stay; inside a JSON string they cannot occur.
    """
    if json_text.isascii():
        return json_text if "\x7f" not in json_text else json_text.replace("\x7f", "\\u007f")
    return "".join(_escape(character) for character in json_text)


def _harmless(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == _DELETE:
        return "\u2421"
    return "\ufffd" if unicodedata.category(character) in _HOSTILE_CATEGORIES else character


def _escape(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in _HOSTILE_CATEGORIES:
        return character
    code = ord(character)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
