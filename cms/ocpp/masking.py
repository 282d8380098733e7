"""Frames as people may see them: passwords, keys and key codes masked (2.0.1 A01.FR.09, C04.FR.04)."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from cms.domain.masking import MASK, masked

__all__ = ["MASK", "masked", "masked_text"]

_SUSPECT = re.compile(r"KeyCode|password|passwd|passphrase|secret|key", re.IGNORECASE)
_STRINGS = re.compile(
    r'("(?:idToken|value|attributeValue|actualValue|[^"]*password[^"]*)"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.I
)
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def masked_text(text: str) -> str:
    """This JSON text with its secrets masked; where it cannot be read, everything that might be one."""
    if not _SUSPECT.search(text):
        return text
    try:
        return _encode(masked(_decode(text))).decode()
    except (msgspec.MsgspecError, RecursionError, ValueError, ArithmeticError):
        return _STRINGS.sub(rf'\1"{MASK}"', text)
