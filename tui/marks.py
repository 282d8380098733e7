"""The marked rows of a list: an act goes to all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Marks:
    """Ids that are marked. While a range is drawn, what lies between its ends is marked beside what was before."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._anchor: str | None = None
        self._before: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, key: object) -> bool:
        return key in self.ids

    @property
    def ranging(self) -> bool:
        """Whether a range is being drawn: moving the cursor moves its end."""
        return self._anchor is not None

    def flip(self, key: str) -> None:
        """Mark the row, or take its mark off."""
        self.end_range()
        self.ids ^= {key}

    def put(self, keys: Iterable[str]) -> None:
        """These are marked, no others."""
        self.end_range()
        self.ids.clear()
        self.ids.update(keys)

    def add(self, keys: Iterable[str]) -> None:
        self.end_range()
        self.ids.update(keys)

    def begin_range(self, key: str) -> None:
        """A range begins at this row."""
        self._anchor, self._before = key, frozenset(self.ids)
        self.ids.add(key)

    def stretch(self, shown: Sequence[str], key: str) -> None:
        """The range goes from where it began to this row, in the order that is shown."""
        if self._anchor not in shown or key not in shown:
            return
        first, last = sorted((shown.index(self._anchor), shown.index(key)))
        self.ids.clear()
        self.ids.update(self._before, shown[first : last + 1])

    def end_range(self) -> None:
        """The range stays as it is."""
        self._anchor = None

    def in_order(self, shown: Iterable[str]) -> list[str]:
        """The marked ids: those that are shown in their order, then the hidden ones."""
        seen = [key for key in shown if key in self.ids]
        return [*seen, *sorted(self.ids.difference(seen))]

    def told(self, positions: Iterable[str]) -> str:
        """``7 marked (2 hidden by the filter)``; nothing where nothing is marked."""
        if not self.ids:
            return ""
        hidden = len(self.ids.difference(positions))
        return f"{len(self.ids):,} marked" + (f" ({hidden:,} hidden by the filter)" if hidden else "")
