"""Sites as a tree: what stands where, what it draws of what the grid gives, and what is wrong there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from textual.widget import Widget

from cms.contract import filters
from cms.contract.refusals import Invalid, Refusal
from cms.contract.safe import csv_cell
from cms.contract.sites import ListSites, SiteView
from cms.contract.stations import StationView
from tui import filing, signs, words
from tui.grounds import NOWHERE, ORDERS, Grounds, branch_of, grown, limit_w, row_key
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.listed import SOON_S
from tui.screens.place import NARROW, Place, target_of_session, target_of_station
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span, width_of

#: Up to this many stations the tree is open to them from the beginning, and where a filter leaves so many.
OPEN_STATIONS = 30
READ_AGAIN_S = 0.5
LOAD = 12
COLUMNS = (
    Column("Place", 16, grow=True, most=30),
    Column("On", 7, right=True),
    Column("Busy", 4, right=True),
    Column("kW", 7, right=True),
    Column("Limit", 7, right=True, drop=2),
    Column("Load", LOAD, drop=3),
    Column("✖", 3, right=True),
    Column("State", 26, drop=4, most=70),
)
BLANK = ("",) * len(COLUMNS)


def load_bar(power_w: int, most_w: int | None) -> Span:
    """How much of what there is is taken: a bar, and a sign where little is left."""
    if not most_w:
        return ""
    share = power_w / most_w
    full = min(LOAD - 2, round(share * (LOAD - 2)))
    mark, tone = ("▲", "bad") if share >= 1 else ("▲", "warn") if share >= NARROW_FROM else ("", "busy")
    return "█" * full + "·" * (LOAD - 2 - full) + mark, tone


NARROW_FROM = 0.9
"""Share of the limit from which little is left."""


class Sites(Place):
    """Right opens a branch, left closes it; what is about a station, an EVSE or a session works at its row."""

    place = "sites"
    title_words = "Sites"

    def __init__(self) -> None:
        super().__init__()
        self._grounds: Grounds | None = None
        self._opened: set[str] = set()
        self._expression = ""
        self._of_site: filters.Predicate | None = None
        self._of_station: filters.Predicate | None = None
        self._chosen: set[str] = set()
        """Stations that the filter chose."""
        self._order_by = "name"
        self._sites: list[str] = []
        self._due = False
        self._growing = False
        self._was_read = False

    @property
    def grounds(self) -> Grounds:
        if self._grounds is None:
            self._grounds = Grounds(self.mirror)
            self._grounds.count_all()
        return self._grounds

    def body(self) -> Iterable[Widget]:
        yield Lines(id="line")
        table = LiveTable(COLUMNS, self.cells, id="list")
        table.empty = "no station is enrolled, no site is registered: cms sites add"
        yield table

    def on_mount(self) -> None:
        super().on_mount()
        self.read()

    def read(self) -> None:
        """The sites that are registered, with hours and limits."""
        self.console.reading.fetch(self, "sites", lambda ask: ask(ListSites()))

    def take(self, what: str, found: Any | Refusal) -> None:
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")
            return
        self.grounds.load(found)
        if not self._was_read:
            self._was_read = True
            self._open_where_few(self.grounds.sums)
        self._rearrange()

    def _open_where_few(self, sites: Iterable[str]) -> None:
        shown = list(sites)
        if sum(self._count(site) for site in shown) <= OPEN_STATIONS:
            self._opened.update(row_key("site", site) for site in shown)

    def _count(self, site: str) -> int:
        return sum(map(self._wanted, self.grounds.stations.get(site, ())))

    # ---- drawing

    @property
    def _table(self) -> LiveTable:
        return self.query_one("#list", LiveTable)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            self.grounds.count_all()
            self._choose()
            self._rearrange()
            return
        if any(kind == "event" and self._tells_of_sites(key) for kind, key in changed) and not self._due:
            self._due = True
            self.set_timer(READ_AGAIN_S, self._read_again)
        stations = [key for kind, key in changed if kind == "station"]
        if stations:
            self._follow(stations)

    def _tells_of_sites(self, cursor: str) -> bool:
        event = self.mirror.events.get(cursor)
        return event is not None and event.type.startswith("site.")

    def _read_again(self) -> None:
        self._due = False
        self.read()

    def _follow(self, stations: Sequence[str]) -> None:
        """Rows of these stations and of their sites; the tree grows anew only where it looks otherwise."""
        sites, moved = self.grounds.touch(stations)
        seen = any(row_key("station", key) in self._opened for key in stations)
        if self._expression:
            moved |= self._choose_again(stations)
        if moved:
            self._rearrange_soon()
        elif seen:
            self._grow()
        table = self._table
        table.rows_changed([row_key("site", site) for site in sites])
        wanted = set(stations)
        table.rows_changed([row for row in self._in_sight() if self._station_of(row) in wanted])
        self._draw_line()

    def _in_sight(self) -> list[str]:
        table = self._table
        return table.ids[table.top : table.top + table.rows_seen]

    def _station_of(self, row: str) -> str | None:
        kind, key, *_ = branch_of(row)
        if kind == "session":
            session = self.mirror.sessions.get(key)
            return session.station if session else None
        return None if kind == "site" else key

    def miss(self, changed: set[Ref]) -> None:
        if self._grounds is not None:
            self._grounds.touch([key for kind, key in changed if kind == "station"])

    def _rearrange_soon(self) -> None:
        """Several stations that come and go lead to one new order."""
        if not self._growing:
            self._growing = True
            self.set_timer(max(self.console.rest_s, SOON_S), self._rearranged)

    def _rearranged(self) -> None:
        self._growing = False
        self._rearrange()

    def _rearrange(self) -> None:
        """Sites that the filter leaves, in their order."""
        grounds, rank = self.grounds, ORDERS[self._order_by]
        shown = [site for site in grounds.sums if self._shows(site)]
        self._sites = sorted(shown, key=lambda site: rank(grounds, site))
        self._grow()
        self._table.repaint_changed()
        self._draw_line()

    def _grow(self) -> None:
        rows = list(grown(self.mirror, self.grounds, self._sites, self._opened, self._wanted))
        if rows != self._table.ids:
            self._table.set_ids(rows)

    def _draw_line(self) -> None:
        left: Span = (f" / {self._expression}", "busy") if self._expression else (" / filter", "dim")
        stations = (
            sum(self._count(site) for site in self._sites) if self._expression else len(self.mirror.stations)
        )
        sites = sum(site != NOWHERE for site in self._sites)
        counts = f"{words.counted(sites, 'site')} · {words.counted(stations, 'station')}"
        shown = self.grounds.sums
        power_w = sum(shown[site].power_w for site in self._sites if site in shown)
        right = f"{counts} · {words.power(power_w if self._expression else self.mirror.power_w)} "
        if self.app.size.width >= NARROW:
            right += f"· sort {self._order_by} "
        blank = self.app.size.width - width_of([left, right])
        self.query_one("#line", Lines).show([(left, " " * max(1, blank), right)])

    # ---- rows

    def cells(self, row: str) -> Sequence[Span]:
        kind, *rest = branch_of(row)
        match kind:
            case "site":
                return self._site_cells(row, rest[0])
            case "station":
                return self._station_cells(row, rest[0])
            case "evse" | "connector":
                return self._plug_cells(row, rest[0], int(rest[1]), int(rest[2]) if rest[2:] else None)
            case _:
                return self._session_cells(rest[0])

    def _fold(self, row: str) -> str:
        return "▾" if row in self._opened else "▸"

    def _site_cells(self, row: str, site: str) -> Sequence[Span]:
        sums = self.grounds.sums.get(site)
        if sums is None:
            return BLANK
        view = self.grounds.sites.get(site)
        most = limit_w(view)
        return (
            (
                f"{self._fold(row) if sums.stations else ' '} {self.grounds.name(site) or '(no site)'}",
                "strong" if site else "dim",
            ),
            (f"{sums.online}/{sums.stations}", "" if sums.online == sums.stations else "warn"),
            str(sums.sessions) if sums.sessions else words.NONE,
            words.kilowatts(sums.power_w),
            f"{most / 1000:,.0f}" if most else "",
            load_bar(sums.power_w, most),
            (str(sums.trouble), "bad") if sums.trouble else "",
            self._state_of_site(view) if site != NOWHERE else "",
        )

    def _state_of_site(self, view: SiteView | None) -> Span:
        if view is None:
            return ("not registered", "dim")
        where = ", ".join(part for part in (view.street, view.city) if part)
        return f"{'○ open' if view.open else '– closed'}{f' · {where}' if where else ''}"

    def _station_cells(self, row: str, key: str) -> Sequence[Span]:
        station = self.mirror.stations.get(key)
        if station is None:
            return ((f"  ▸ {key}", "dim"), *BLANK[1:])
        sign = signs.of_connector(signs.station_status(station))
        running = self.mirror.sessions_of(key)
        faulted = sum(plug.status == "faulted" for plug in station.connectors if plug.evse)
        return (
            (f"  {self._fold(row)} {sign.mark} {key}", sign.tone if sign.tone in ("bad", "warn") else ""),
            signs.marks(station.connectors)[:7],
            str(len(running)) if running else words.NONE,
            words.kilowatts(sum(session.power_w or 0 for session in running)),
            "",
            "",
            (str(faulted), "bad") if faulted else "",
            (
                f"{sign.word} · {' '.join(p for p in (station.vendor, station.model) if p)}".rstrip(" ·"),
                "dim",
            ),
        )

    def _plug_cells(self, row: str, key: str, evse: int, number: int | None) -> Sequence[Span]:
        station = self.mirror.stations.get(key)
        plugs = [
            plug
            for plug in (station.connectors if station else ())
            if plug.evse == evse and number in (None, plug.connector)
        ]
        if not plugs:
            return BLANK
        loudest = min(
            plugs, key=lambda plug: signs.LOUDEST.index(plug.status) if plug.status in signs.LOUDEST else 99
        )
        sign = signs.of_connector(loudest.status)
        busy = sum(plug.session is not None for plug in plugs)
        fold = self._fold(row) + " " if number is None else "  "
        name = f"EVSE {evse}" if number is None else f"connector {number}"
        why = " ".join(part for part in (loudest.error_code, loudest.info) if part)
        return (
            (f"{'    ' if number is None else '      '}{fold}{sign.mark} {name} {sign.word}",
             sign.tone if sign.tone in ("bad", "warn") else ""),
            signs.marks(tuple(plugs))[:7],
            str(busy) if busy else words.NONE,
            words.kilowatts(sum(plug.power_w or 0 for plug in plugs)),
            "",
            "",
            ("1", "bad") if loudest.status == "faulted" else "",
            (why, "bad"),
        )  # fmt: skip

    def _session_cells(self, key: str) -> Sequence[Span]:
        session = self.mirror.sessions.get(key)
        if session is None:
            return BLANK
        sign = signs.of_session(session.status)
        lasted = words.lasting(session.started_at, session.ended_at or self.console.now())
        return (
            (f"        {sign.mark} {key} {session.token or ''}", sign.tone if sign.tone == "warn" else ""),
            words.percent(session.soc_percent),
            "",
            words.kilowatts(session.power_w),
            "",
            words.energy(session.energy_wh),
            "",
            (f"{sign.word} {lasted} h · {words.energy(session.energy_wh)}", "dim"),
        )

    # ---- going on

    def unfold(self, opens: bool) -> None:
        """Open the branch under the cursor, or go into it; close it, or go to what it hangs on."""
        table = self._table
        row = table.cursor_id
        if row is None:
            return
        may_open = branch_of(row)[0] in ("site", "station", "evse")
        if opens and may_open and row not in self._opened:
            self._opened.add(row)
        elif opens:
            table.action_move(1)
            return
        elif row in self._opened:
            self._opened.discard(row)
        else:
            self._to_parent(row)
            return
        self._grow()
        table.repaint_changed()

    def _to_parent(self, row: str) -> None:
        """The row above that hangs less deep."""
        ids = self._table.ids
        place = self._table.cursor
        deep = DEPTH[branch_of(row)[0]]
        while place > 0 and DEPTH[branch_of(ids[place])[0]] >= deep:
            place -= 1
        self._table.select(ids[place])

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        kind, key, *_ = branch_of(event.key)
        travel = self.console.travel
        match kind:
            case "site" if key == NOWHERE:
                self.unfold(event.key not in self._opened)
            case "site":
                travel.open_site(key)
            case "session":
                travel.open_session(key)
            case _:
                travel.open_station(key)

    def target(self) -> Target | None:
        row = self._table.cursor_id
        if row is None:
            return None
        kind, key, *rest = branch_of(row)
        if kind == "site":
            return None
        if kind == "session":
            return target_of_session(self.mirror, key)
        base = target_of_station(self.mirror, key)
        if base is None or not rest:
            return base
        plug = (int(rest[0]), int(rest[1]) if rest[1:] else 1)
        running = [s for s in self.mirror.sessions_of(key) if s.evse == plug[0]]
        return Target(
            station=key,
            plug=plug if plug in base.plugs else None,
            session=running[0].id if len(running) == 1 else None,
            plugs=base.plugs,
        )

    # ---- filter, order, export

    def filter_text(self) -> str:
        return self._expression

    def apply_filter(self, text: str, *, final: bool) -> None:
        """Stations that match, and sites that do (then all of theirs); words of either are understood."""
        text = text.strip()
        of_station, why_not = parsed(text, StationView)
        of_site, nor = parsed(text, SiteView)
        if why_not is not None and nor is not None:
            if final:
                self.console.say(words.sentence(why_not), "bad")
            return
        self._expression, self._of_station, self._of_site = text, of_station, of_site
        self._choose()
        if final and text:
            self._open_where_few(site for site in self.grounds.sums if self._shows(site))
        self._rearrange()

    def _choose(self) -> None:
        self._chosen = set()
        if self._expression:
            self._choose_again(self.mirror.stations)

    def _choose_again(self, stations: Iterable[str]) -> bool:
        """Judge these stations by the filter; answers whether the choice is another one now."""
        before = len(self._chosen), self._chosen.copy() if len(self._chosen) < OPEN_STATIONS else None
        for key in stations:
            view = self.mirror.stations.get(key)
            if view is not None and self._matches(view):
                self._chosen.add(key)
            else:
                self._chosen.discard(key)
        return before[0] != len(self._chosen) or (before[1] is not None and before[1] != self._chosen)

    def _matches(self, view: StationView) -> bool:
        if self._of_station is not None and self._of_station(view):
            return True
        site = self.grounds.sites.get(view.site or NOWHERE)
        return site is not None and self._site_matches(site)

    def _site_matches(self, site: SiteView) -> bool:
        return self._of_site is not None and self._of_site(site)

    def _wanted(self, station: str) -> bool:
        return not self._expression or station in self._chosen

    def _shows(self, site: str) -> bool:
        if not self._expression:
            return True
        view = self.grounds.sites.get(site)
        return (view is not None and self._site_matches(view)) or any(
            station in self._chosen for station in self.grounds.stations.get(site, ())
        )

    def sort_next(self) -> None:
        names = list(ORDERS)
        self._order_by = names[(names.index(self._order_by) + 1) % len(names)]
        self._rearrange()

    def export(self) -> None:
        """The sites that are shown with their figures."""
        sheet = io.StringIO()
        writer = csv.writer(sheet, lineterminator="\n")
        writer.writerow(
            ["site", "name", "stations", "online", "connectors", "sessions", "power_w", "limit_w", "trouble"]
        )
        for site in self._sites:
            sums = self.grounds.sums[site]
            most = limit_w(self.grounds.sites.get(site))
            writer.writerow(
                [csv_cell(site), csv_cell(self.grounds.name(site)), sums.stations, sums.online, sums.connectors,
                 sums.sessions, sums.power_w, most or "", sums.trouble]
            )  # fmt: skip
        name = f"cms-sites-{self.console.now().astimezone():%Y%m%d-%H%M%S}.csv"
        self.console.say(*filing.told(name, sheet.getvalue().encode(), f"{len(self._sites):,} rows"))


DEPTH = {"site": 0, "station": 1, "evse": 2, "connector": 3, "session": 4}


def parsed(text: str, view_type: type[Any]) -> tuple[filters.Predicate | None, Invalid | None]:
    """What the expression says of views of this type; none where it is empty, or why it says nothing of them."""
    try:
        return (filters.parse(text, filters.keys_of(view_type)) if text else None), None
    except Invalid as refusal:
        return None, refusal
