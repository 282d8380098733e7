"""Misspelt names in files that people write: what nobody reads must not be taken for said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def strangers(said: Any, read: Any) -> Iterator[str]:
    """Names in what was said that were not read: a limit that starts at ``start`` would start at 0."""
    match said, read:
        case dict(), dict():
            yield from (name for name in said if name not in read)
            for name in said.keys() & read.keys():
                yield from strangers(said[name], read[name])
        case list(), list() | tuple():
            for one, other in zip(said, read, strict=False):
                yield from strangers(one, other)
