"""The lines of a file that were read already, on disk: to know a repeat though its first line was long ago."""

from __future__ import annotations

import sqlite3

from cms.contract.history import HistoryRow, same_place, second, transaction_of


class Seen:
    """Tells of a line which earlier one it repeats, as the daemon would, which has seen neither when it only judges."""

    def __init__(self) -> None:
        # Without a name it is a temporary file that SQLite removes, with a small cache: memory stays bounded.
        self._lines = sqlite3.connect("", isolation_level=None)
        self._lines.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE seen (line INTEGER, station TEXT, name TEXT, at INTEGER, evse INTEGER);"
            "CREATE INDEX named ON seen (station, name); CREATE INDEX begun ON seen (station, at); BEGIN"
        )

    def before(self, row: HistoryRow) -> int | None:
        """The number of the line that this one repeats; otherwise it is remembered."""
        station, name = row.station.casefold(), transaction_of(row)
        at = int(second(row.started_at).timestamp())
        found = self._lines.execute(
            "SELECT line FROM seen WHERE station=? AND name=?", (station, name)
        ).fetchone()
        if found is not None:
            return int(found[0])
        begun = self._lines.execute(
            "SELECT line, evse, name FROM seen WHERE station=? AND at=?", (station, at)
        )
        for line, evse, other in begun:
            if same_place(row, evse, other):
                return int(line)
        self._lines.execute("INSERT INTO seen VALUES (?,?,?,?,?)", (row.line, station, name, at, row.evse))
        return None

    def close(self) -> None:
        self._lines.close()
