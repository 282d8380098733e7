"""JSON texts with so many values that reading them would hold everything else up: no station's message has them."""

from __future__ import annotations

#: Arrays and objects, values: reading that many takes some 40 ms, in which nothing else of the process runs.
_MOST_BOXES, _MOST_VALUES = 40_000, 100_000
_SHORT = 2 * _MOST_BOXES


def crowded(text: str) -> bool:
    """Whether reading this text would take too long. Itself takes a few milliseconds a megabyte."""
    return len(text) > _SHORT and _many(text) and _many(_outside_strings(text))


def _many(text: str) -> bool:
    return text.count("[") + text.count("{") > _MOST_BOXES or text.count(",") > _MOST_VALUES


def _outside_strings(text: str) -> str:
    return "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
