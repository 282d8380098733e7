"""Messages that are no larger than the station takes: so many items, so many bytes (B05.FR.11, B06.FR.05)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

Item = TypeVar("Item")

_encode = msgspec.json.Encoder(decimal_format="number").encode
#: What stands around the items of a message: brackets, names, the id and the action.
_FRAME_BYTES = 120


def parts(
    items: Iterable[Item], items_at_most: int | None, bytes_at_most: int | None
) -> Iterator[list[Item]]:
    """The items in order, in as few messages as the station allows; an item that is too long stands alone."""
    part: list[Item] = []
    size = _FRAME_BYTES
    for item in items:
        length = len(_encode(item)) + 1
        full = items_at_most is not None and len(part) >= items_at_most
        long = bytes_at_most is not None and size + length > bytes_at_most
        if part and (full or long):
            yield part
            part, size = [], _FRAME_BYTES
        part.append(item)
        size += length
    if part:
        yield part
