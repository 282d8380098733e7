"""Notes on a station: what people wrote about it, with name and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.record import record


@record
class StationNote:
    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class ListStationNotes:
    """What was written about a station, newest first."""

    station: str


@dataclass(frozen=True, slots=True)
class AddStationNote:
    """Write something about a station; it is not changed afterwards. Its first line stands in lists from now on."""

    station: str
    text: str
