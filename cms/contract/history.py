"""Sessions that another system knew: brought in from files, as history that is never billed here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

#: So many lines are one commit of the daemon, which takes no more at once.
MOST_ROWS = 2_000
#: So many points of time series come with them at most.
MOST_POINTS = 40_000
#: So many are better sent together, unless one session has more: stations wait while they are made ready to write.
PART_POINTS = 10_000
#: So many sessions are removed by one commit.
MOST_REMOVED = 2_000


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """What a meter said at an instant of a session: ``energy_wh`` since its start, W, A, per cent."""

    at: datetime
    energy_wh: Decimal | None = None
    power_w: Decimal | None = None
    current_a: Decimal | None = None
    soc_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One session as a file tells it; ``line`` is where. ``source`` is what the other system called it.

    ``cost`` is what was charged then, with taxes. ``driver`` says whose it is where no token does.
    """

    line: int
    station: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    evse: int | None = None
    connector: int | None = None
    source: str | None = None
    token: str | None = None
    driver: str | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    cost: Decimal | None = None
    currency: str | None = None
    stop_reason: str | None = None
    points: tuple[HistoryPoint, ...] = ()


#: Transaction ids of imported sessions begin with it: a station's own word may be the same as a source's.
_PREFIX = "imported/"
#: That of a session which its source gave no name.
_NAMELESS = re.compile(re.escape(_PREFIX) + r"\d+@\d{8}T\d{6}Z")


def transaction_of(row: HistoryRow) -> str:
    """What stands for its transaction id: the source's name for it, else where and when it began."""
    return _PREFIX + (row.source or f"{row.evse or 0}@{row.started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def second(at: datetime) -> datetime:
    """The whole second: files cut off what comes after it."""
    return at.astimezone(UTC).replace(microsecond=0)


def same_place(row: HistoryRow, evse: int | None, transaction_id: str) -> bool:
    """Whether a line repeats a session of its station that began in the same second, there or in a line before.

    It does at the same EVSE. Where one of them names no EVSE, two names of the source tell them apart. Whatever else
    they say, a line repeats a session of its station that has the same transaction id.
    """
    if row.evse is not None and evse is not None:
        return row.evse == evse
    named = transaction_id.startswith(_PREFIX) and not _NAMELESS.fullmatch(transaction_id)
    return row.source is None or not named


@dataclass(frozen=True, slots=True)
class ImportSessions:
    """Take a part of a file: all of its lines in one commit or none; with ``skip_bad`` the good ones.

    ``digest`` names the whole file (SHA-256, hexadecimal): parts of the same file are one import until its ``last``,
    and a file whose import was broken off goes on where it stood. ``add_stations`` registers stations that nobody
    knows, at ``site``.
    """

    rows: tuple[HistoryRow, ...]
    file: str
    digest: str
    last: bool = True
    dry_run: bool = False
    skip_bad: bool = False
    add_stations: bool = False
    site: str | None = None


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line that is not a new session. ``outcome``: duplicate or bad; ``why`` says of what, or what is wrong."""

    line: int
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """What lines name and nobody here knows. ``kind``: station, evse, token or driver; ``becomes`` says what then."""

    kind: str
    name: str
    rows: int
    becomes: str


@dataclass(frozen=True, slots=True)
class ImportedSessions:
    """What became of a part. ``id`` is the import that its sessions belong to; None where none was new.

    ``energy_wh`` is that of its new sessions; ``lines`` are all others.
    """

    done: bool
    id: str | None
    new: int
    duplicates: int
    bad: int
    energy_wh: int
    stations: tuple[str, ...]
    """Those of the new sessions."""
    first: datetime | None
    last: datetime | None
    unknown: tuple[Unknown, ...]
    lines: tuple[JudgedLine, ...]


@dataclass(frozen=True, slots=True)
class SessionImportView:
    """One import: where from, by whom, and how much it brought.

    ``status``: unfinished, complete, being removed, removed.
    """

    id: str
    file: str
    by: str
    at: datetime
    status: str
    sessions: int
    energy_wh: int
    first: datetime | None
    last: datetime | None
    stations_added: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class ListSessionImports:
    """All imports of sessions, newest first."""


@dataclass(frozen=True, slots=True)
class ShowSessionImport:
    id: str


@dataclass(frozen=True, slots=True)
class RemoveSessionImport:
    """Remove what an import brought, so many sessions at a time; asked again until none is left.

    Sessions go with their readings; stations that it registered stay.
    """

    id: str
    dry_run: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RemovedSessionImport:
    """``left`` sessions are still there: ask again."""

    id: str
    removed: int
    left: int
