"""Durations and instants as people write them: ``90``, ``2h``, ``13:30``, ``2026-11-22T13:30``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cms.contract.refusals import Invalid

_UNIT_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")

if TYPE_CHECKING:
    from collections.abc import Callable


def duration_s(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``5m``, ``2h``, ``1d``, ``1h30m``."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Invalid(f"{text!r} is not a duration", "e.g. 90s, 5m, 2h, 7d")
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)


def later(text: str) -> datetime:
    """An instant to come: a duration from now, the next HH:MM here, or a date."""
    return _instant(text, lambda now, span: now + span)


def earlier(text: str) -> datetime:
    """An instant that was: a duration ago, or a date."""
    return _instant(text, lambda now, span: now - span)


def _instant(text: str, shift: Callable[[datetime, timedelta], datetime]) -> datetime:
    now = datetime.now().astimezone()
    if _DURATION.fullmatch(text) or re.fullmatch(r"(\d+[smhdw])+", text):
        return shift(now, timedelta(seconds=duration_s(text)))
    if re.fullmatch(r"\d{1,2}:\d{2}", text):
        return _next(text, now)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is not a time", "e.g. 2026-11-22T13:30, 13:30, 2h") from None
    return at if at.tzinfo else at.astimezone()


def _next(clock: str, now: datetime) -> datetime:
    hour, minute = map(int, clock.split(":"))
    if hour > 23 or minute > 59:
        raise Invalid(f"{clock!r} is not a time", "e.g. 13:30")
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)
