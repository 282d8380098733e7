"""Which rows a list shows and in which order, kept up to date by what changed rather than by starting over.

Membership and order are judged as changes come, but the shown order moves only in ``settle``: rows do not
jump while a person reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Predicate = Callable[[Any], bool]
SortKey = Callable[[Any], Any]


class Listing:
    """Ids of the rows that match, in the order of a sort key; ``views`` is the living dict they come from."""

    def __init__(self, views: Mapping[str, Any], sort: SortKey) -> None:
        self._views = views
        self._sort = sort
        self._down = False
        self._predicate: Predicate | None = None
        self._keys: dict[str, Any] = {}
        self._dirty = False
        self.shown: list[str] = []
        self.positions: dict[str, int] = {}

    def choose(self, *, predicate: Predicate | None, sort: SortKey, down: bool) -> None:
        """Another filter or order: everything is judged again."""
        self._predicate, self._sort, self._down = predicate, sort, down
        self.rebuild()

    def rebuild(self) -> None:
        self._keys.clear()
        self.touch(list(self._views))
        self._dirty = True
        self.settle()

    def touch(self, changed: Iterable[str]) -> None:
        """These rows changed, came or went: judge them alone."""
        for key in changed:
            view = self._views.get(key)
            if view is None or not (self._predicate is None or self._predicate(view)):
                self._dirty |= self._keys.pop(key, None) is not None
                continue
            rank = (self._sort(view), key)
            if self._keys.get(key) != rank:
                self._keys[key] = rank
                self._dirty = True

    @property
    def unsettled(self) -> bool:
        """The shown order is not the present one any more."""
        return self._dirty

    def settle(self) -> bool:
        """Bring the shown order up to date; answers whether it moved."""
        if not self._dirty:
            return False
        self._dirty = False
        fresh = sorted(self._keys, key=self._keys.__getitem__, reverse=self._down)
        moved = fresh != self.shown
        self.shown = fresh
        self.positions = {key: index for index, key in enumerate(fresh)}
        return moved
