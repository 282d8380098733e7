"""How an API token is written: ``cms_<env>_<id>_<secret>_<crc>``. Client and daemon share it: either may make one.

The prefix is what scanners for leaked secrets look for, the checksum tells a token from what was copied in half.
"""

from __future__ import annotations

import hashlib
import re
import zlib

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 10
_SECRET_LENGTH = 43  # 32 bytes in base 62
_CRC_LENGTH = 6
_TOKEN = re.compile(
    rf"cms_([a-z]{{1,8}})_(\w{{{_ID_LENGTH}}})_(\w{{{_SECRET_LENGTH}}})_(\w{{{_CRC_LENGTH}}})", re.A
)


def new_id(randomness: bytes) -> str:
    """The public part, from at least 8 random bytes."""
    return _base62(int.from_bytes(randomness, "big"), _ID_LENGTH)


def new_secret(randomness: bytes) -> str:
    """The secret part, from at least 32 random bytes."""
    return _base62(int.from_bytes(randomness, "big"), _SECRET_LENGTH)


def written(environment: str, id_: str, secret: str) -> str:
    """The whole token."""
    text = f"cms_{environment}_{id_}_{secret}"
    return f"{text}_{_crc(text)}"


def read(text: str) -> tuple[str, str] | None:
    """(id, secret) of what looks like a token of ours and was copied whole; None otherwise."""
    match = _TOKEN.fullmatch(text)
    if match is None or _crc(text.rpartition("_")[0]) != match[4]:
        return None
    return match[2], match[3]


def digest_of(secret: str) -> str:
    """The SHA-256 that is stored of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _crc(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CRC_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)
