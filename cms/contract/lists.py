"""Local authorisation lists and caches of stations: what they know of tokens when they cannot ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class ListView:
    """One station's list. ``state``: unsupported, none (nothing was ever sent), stale, current.

    ``version`` was accepted last, ``station_version`` is what the station said (0: empty, -1: it keeps none).
    ``tokens``: which it should hold: ``all``, ``none`` or a filter. ``trouble`` is one sentence.
    """

    station: str
    state: str
    version: int
    station_version: int | None
    entries: int
    tokens: str
    cleared: int
    sent_at: datetime | None
    told_at: datetime | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One token of a list. ``status``: accepted or blocked. ``change``: add, change or remove with the next update."""

    token: str
    kind: str
    status: str
    group: str | None
    expires: datetime | None
    evses: tuple[int, ...] = ()
    change: str | None = None


@dataclass(frozen=True, slots=True)
class ListContents:
    """A station's list and its entries: those it holds as far as we know, and those it should."""

    list: ListView
    entries: tuple[ListEntry, ...]


@dataclass(frozen=True, slots=True)
class ListLists:
    """The lists of all stations; ``stale`` true: those that an update would change."""

    stale: bool | None = None


@dataclass(frozen=True, slots=True)
class ShowList:
    station: str


@dataclass(frozen=True, slots=True)
class SetList:
    """Which tokens a station's list should hold: ``all``, ``none``, or a filter of tokens (docs/filters.md)."""

    station: str
    tokens: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncList(OrderTerms):
    """Send what is missing; the whole list when ``full``, or when it is not known what the station holds."""

    station: str
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskListVersion(OrderTerms):
    """Ask the station which version it holds, and compare."""

    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCache(OrderTerms):
    """Make the station forget what it learned of tokens from our answers."""

    station: str
