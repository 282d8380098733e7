"""Notes on a station: written once, never changed; the oldest go first."""

from __future__ import annotations

from datetime import datetime

from cms.domain.record import record

KIND = "station-notes"
#: How many notes of a station are kept.
MOST = 200
#: Characters of a note that stand in lists.
SHOWN = 120


@record
class Note:
    """What somebody wrote about a station."""

    at: datetime
    by: str
    text: str

    @property
    def heading(self) -> str:
        """Its first line, as lists show it."""
        line = self.text.splitlines()[0]
        return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


@record
class Notes:
    """All that was written about one station, oldest first."""

    entries: tuple[Note, ...] = ()

    def with_one(self, note: Note) -> Notes:
        return Notes((*self.entries, note)[-MOST:])
