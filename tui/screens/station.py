"""One station: who it is and how its link is; below in tabs what happens now, its frames, its configuration,
its firmware and logs, its past, and what people wrote about it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from statistics import median

from textual.widget import Widget

from cms.contract.evses import EvseView
from cms.contract.sites import SiteView
from cms.contract.stations import Message, StationView
from tui import signs
from tui.exchanges import frame_key
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.configuration import Configuration
from tui.screens.frames import Frames
from tui.screens.history import History
from tui.screens.live import Live
from tui.screens.page import Page
from tui.screens.place import ago, target_of_station
from tui.screens.stationjobs import StationJobs
from tui.screens.stationnotes import StationNotes
from tui.widgets.lines import Lines
from tui.widgets.paint import Line, Span

FRAMES_KEPT = 500


class Station(Page):
    """Everything about one station; its frames are followed while it is looked at."""

    contents = (Live, Frames, Configuration, StationJobs, History, StationNotes)

    def __init__(self, station: str, tab: str = "") -> None:
        super().__init__(tab)
        self.station = station
        self.frames: OrderedDict[str, Message] = OrderedDict()
        self._site: SiteView | None = None
        self._evses: Sequence[EvseView] = ()

    def above(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")

    def on_mount(self) -> None:
        self.console.reading.watch_frames(self)
        self.console.reading.read_surroundings(self)

    def crumbs(self) -> list[str]:
        here = [] if self.tab == "station" else [self.panel_of(self.tab).title.lower()]
        return ["Stations", " ".join([self.station, *here])]

    @property
    def view(self) -> StationView | None:
        return self.mirror.stations.get(self.station)

    def station_target(self) -> Target | None:
        """The station, whichever tab is shown."""
        return target_of_station(self.mirror, self.station)

    # ---- drawing

    def draw_above(self) -> None:
        self.query_one("#facts", Lines).show(self._facts(self.view))

    def begin_frames(self) -> None:
        """They are followed already."""

    def draw_session(self) -> None:
        """The power of its session was read."""
        if self.is_current and isinstance(self.panel, Live):
            self.panel.draw_session()

    def draw_frames(self) -> None:
        """Frames came, or the picture goes on."""
        match self.panel:
            case Live() as live:
                live.draw_frames()
            case Frames() as frames:
                frames.draw(None)

    def hear(self, frames: Sequence[Message]) -> None:
        """Frames came, in whatever order the list and the stream brought them."""
        known = len(self.frames)
        for frame in frames:
            self.frames.setdefault(frame_key(frame), frame)
        if len(self.frames) == known:
            return
        in_order = sorted(self.frames.items(), key=lambda item: item[1].at)
        self.frames = OrderedDict(in_order[-FRAMES_KEPT:])
        if self.is_current and not self.console.painting.paused:
            self.draw_frames()

    def hear_surroundings(self, site: SiteView | None, evses: Sequence[EvseView]) -> None:
        """Where it stands was read."""
        self._site, self._evses = site, evses
        if self.is_current and not self.console.painting.paused:
            self.draw_above()

    def _facts(self, view: StationView | None) -> list[Line]:
        if view is None:
            return [((f" {self.station} is not registered (any more)", "bad"),)]
        sign = signs.of_connector(signs.station_status(view))
        since = view.connected_at if view.online else view.last_seen
        link = f"{'online' if view.online else 'offline'} {ago(self, since)}"
        identity = " ".join(part for part in (view.vendor, view.model) if part) or "never booted"
        site = view.site_name or view.site or "no site"
        state = () if sign.word == "offline" else ((f"{sign.word}", sign.tone), " · ")
        first: Line = (
            (f" {sign.mark} ", sign.tone),
            *state,
            (link, "good" if view.online else "bad"),
            f" · {identity} · {site} · fw {view.firmware or '?'} · OCPP {view.ocpp_version or '?'}",
            (self._round_trip(), "dim"),
        )
        boot = f"boot {view.boot_status or 'never'} {ago(self, view.booted_at)}"
        tone = "warn" if view.boot_status in ("pending", "rejected") else "dim"
        second: Line = (
            (f"   {boot}", tone),
            (f" · s/n {view.serial or '?'} · {view.address or 'no address'}", "dim"),
            (f" · profile {view.security_profile}", "dim"),
            (f" · {view.note}" if view.note else "", ""),
        )
        where = self._surroundings()
        if not view.quirks:
            return [first, second, *where]
        told = ", ".join(f"{quirk.name}={quirk.value}" for quirk in view.quirks)
        return [first, second, *where, ((f"   treated otherwise: {told}", "warn"), (" (b, quirks)", "dim"))]

    def _round_trip(self) -> str:
        """How long it takes to answer us, of what is kept."""
        answered = [f.latency_ms for f in self.frames.values() if f.kind == "result" and f.direction == "in"]
        told = [latency for latency in answered if latency is not None]
        return f" · rtt {median(told):.0f} ms" if told else ""

    def _surroundings(self) -> list[Line]:
        """Address, hours and EVSE ids in a line; none where nothing of them is registered."""
        parts: list[Span] = []
        if self._site is not None:
            site = self._site
            city = " ".join(part for part in (site.postcode, site.city) if part)
            parts.append((", ".join(part for part in (site.street, city) if part), "dim"))
            hours = f" ({site.hours})" if site.hours else ""
            parts.append((f"open{hours}", "dim") if site.open else (f"closed{hours}", "warn"))
        named = [f"{evse.evse} {evse.evse_id}" for evse in self._evses if evse.evse_id]
        if named:
            parts.append((f"EVSE {', '.join(named)}", "dim"))
        told = [part for part in parts if part[0]]
        if not told:
            return []
        line: list[Span] = [("   ", "dim"), told[0]]
        for part in told[1:]:
            line += [(" · ", "dim"), part]
        return [tuple(line)]

    # ---- acting

    def near(self) -> set[Ref]:
        return {("station", self.station), *self.panel.near()}
