"""All stations: what they do now, and which one needs a hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from cms.contract.stations import StationView
from tui import signs, words
from tui.orders import Target
from tui.screens.listed import Listed
from tui.screens.place import ago, target_of_station
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TROUBLE: dict[str, int] = {
    status: rank for rank, status in enumerate(("faulted", "offline", "unavailable", *signs.LOUDEST[2:]))
}


def power_of(station: StationView) -> int:
    """W of all its connectors."""
    return sum(c.power_w or 0 for c in station.connectors)


def state_since(station: StationView) -> datetime | None:
    """Since when it is connected, or gone."""
    return station.connected_at if station.online else station.last_seen


def note_of(station: StationView) -> str:
    """The trouble of its connectors, its boot, or what somebody wrote about it."""
    faults = [
        " ".join(part for part in (f"c{words.plug_of(c)}", c.error_code, c.info) if part)
        for c in station.connectors
        if c.status == "faulted"
    ]
    if station.boot_status in ("pending", "rejected"):
        faults.append(f"boot {station.boot_status}")
    return ", ".join(faults) or station.note or ""


class Stations(Listed):
    """The live table of stations."""

    place = "stations"
    title_words = "Stations"
    kind = "station"
    view_type = StationView
    columns = (
        Column("", 1),
        Column("Station", 13, sort="id"),
        Column("Conn", 6),
        Column("kW", 6, right=True, sort="power"),
        Column("State", 12, sort="state", drop=3),
        Column("For", 4, right=True, sort="since", drop=4),
        Column("Site", 12, sort="site", drop=5, most=18),
        Column("Model", 20, sort="model", drop=7, most=30),
        Column("OCPP", 5, drop=8),
        Column("Firmware", 10, drop=9),
        Column("Note", 8, grow=True, drop=2, most=24),
    )
    sorts: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "id": lambda s: s.id.casefold(),
        "state": lambda s: (_TROUBLE.get(signs.station_status(s), 9), s.id.casefold()),
        "power": power_of,
        "since": lambda s: state_since(s) or _LONG_AGO,
        "site": lambda s: (s.site or "").casefold(),
        "model": lambda s: f"{s.vendor or ''} {s.model or ''}".casefold(),
    }
    sort_name = "id"

    def views(self) -> Mapping[str, StationView]:
        return self.mirror.stations

    def big_first(self) -> frozenset[str]:
        return frozenset({"power", "since"})

    def cells(self, key: str) -> Sequence[Span]:
        station = self.mirror.stations.get(key)
        if station is None:
            return (("–", "dim"), (key, "dim"), "", "", ("removed", "dim"), "", "", "", "", "", "")
        status = signs.station_status(station)
        sign = signs.of_connector(status)
        return (
            (sign.mark, sign.tone),
            station.id,
            signs.marks(station.connectors),
            words.kilowatts(power_of(station)),
            (sign.word, sign.tone),
            ago(self, state_since(station)),
            station.site or "",
            " ".join(part for part in (station.vendor, station.model) if part),
            station.ocpp_version or "",
            station.firmware or "",
            note_of(station),
        )

    def summary(self) -> str:
        strangers = len(self.mirror.strangers)
        unknown = f" · {strangers:,} unknown: E" if strangers else ""
        return f"· {self.mirror.online:,} online{unknown}"

    def target(self) -> Target | None:
        key = self.list_table().cursor_id
        return target_of_station(self.mirror, key) if key else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        self.console.travel.open_station(event.key)
