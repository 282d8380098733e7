"""Times, numbers and texts as stations write them, read once and exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

Json = dict[str, Any]
"""A payload: text, bool, int, Decimal (every number with a fraction), lists and dicts of these."""

Remarks = list[str]
"""What the border noticed while reading one message; becomes ``Received.remarks`` and ``flags``."""

TIME_WITHOUT_ZONE = "time-without-zone"
TIME_ABSURD = "time-absurd"
TIME_UNREADABLE = "time-unreadable"

_SANE_YEARS = range(1970, 2200)
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_LIMIT_INT = 10**15
_LIMIT = Decimal(_LIMIT_INT)
_MAX_DIGITS = 27
_CANONICAL = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def instant(value: Any, remarks: Remarks) -> datetime | None:
    """An ISO 8601 time as aware UTC; None where there is none or it cannot be one.

    No zone is read as UTC and remarked (seen on many products; 1.6 errata 3.10 allows ``Z`` or an offset).
    """
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except (ValueError, AttributeError):
        return _leap_second(value, remarks)
    if at.tzinfo is None:
        _remark(remarks, TIME_WITHOUT_ZONE)
        at = at.replace(tzinfo=UTC)
    elif at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except (OverflowError, ValueError):
            _remark(remarks, TIME_ABSURD)
            return None
    if at.year not in _SANE_YEARS:
        _remark(remarks, TIME_ABSURD)
        return None
    return at


def _leap_second(value: Any, remarks: Remarks) -> datetime | None:
    """23:59:60 is a legal second that Python cannot hold; anything else is unreadable."""
    if isinstance(value, str) and ":60" in value:
        return instant(value.replace(":60", ":59"), remarks)
    if isinstance(value, str) and value.rstrip().endswith("z"):
        return instant(value.rstrip()[:-1] + "Z", remarks)
    _remark(remarks, TIME_UNREADABLE)
    return None


def _remark(remarks: Remarks, word: str) -> None:
    if word not in remarks:
        remarks.append(word)


def rfc3339(at: datetime) -> str:
    """UTC with milliseconds and ``Z``: at most three decimals (OCPP 2.0.1 Part 2, 2.1.3)."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def exact(value: Any) -> Decimal | None:
    """The exact decimal of a JSON number or a text that holds one; None for everything else.

    ``NaN``, ``1_000``, full-width digits, blanks and magnitudes of 10^15 and more are not numbers here.
    """
    kind = type(value)
    if kind is str:
        return _repeated(value) if len(value) < 16 else _spelled(value)
    if kind is int:
        return _counted(value) if -_LIMIT_INT < value < _LIMIT_INT else None
    return _bounded(value) if kind is Decimal and len(str(value)) <= _MAX_DIGITS else None


def _spelled(text: str) -> Decimal | None:
    if len(text) < 16 and text.isascii() and text.replace(".", "", 1).isdigit() and text[0] != ".":
        return Decimal(text)  # nearly all of them, without the pattern's price
    found = _NUMBER.fullmatch(text) or _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    # Without an exponent the pattern bounds it.
    return Decimal(found[0]) if found[2] is None else _bounded(Decimal(found[0]))


#: Most values were seen a moment ago: a voltage, a current at its limit, the zero of an idle phase.
_repeated = lru_cache(maxsize=4096)(_spelled)
_counted: Callable[[int], Decimal] = lru_cache(maxsize=4096)(Decimal)


def _bounded(number: Decimal) -> Decimal | None:
    return number if -_LIMIT < number < _LIMIT and number.adjusted() > -20 else None


def whole(value: Any) -> int | None:
    """An integer that may have been written with a zero fraction (``20000.0``); 64 bits are the schema's duty."""
    return None if value is None else int(value)


def real(value: Any) -> float | None:
    """A number for people and for comparing, not for counting money or energy."""
    found = exact(value)
    return None if found is None else float(found)


def text(value: Any) -> str | None:
    """A text without the blanks around it; None when nothing is left."""
    if value is None:
        return None
    return str(value).strip() or None


def digest(payload: Mapping[str, Any]) -> bytes:
    """Sixteen bytes that are the same for the same content, whatever its message id, order and blanks."""
    return blake2b(_CANONICAL.encode(payload), digest_size=16).digest()


#: No figure of a station has more digits before or after its point; one that has stays a text.
_DIGITS = 40


def _ordinary(value: Decimal) -> int | float | str:
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
        return str(value)  # 1e4000000000 is four bytes of JSON and gigabytes as an integer
    return int(value) if value == value.to_integral_value() else float(value)


def plain(value: Any) -> Any:
    """The same JSON with ordinary numbers, for those who know no Decimal."""
    match value:
        case Decimal():
            return _ordinary(value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value
