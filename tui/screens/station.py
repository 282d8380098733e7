"""One station: its connectors, what runs on them, its orders, and its frames as they cross the link."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from textual.widget import Widget

from cms.contract import filters
from cms.contract.evses import EvseView
from cms.contract.refusals import Invalid
from cms.contract.sessions import SessionView
from cms.contract.sites import SiteView
from cms.contract.stations import Message, StationView
from tui import signs, words
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.place import Place, ago, target_of_station
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span
from tui.widgets.sparkline import resample, spark

FRAMES_KEPT = 500
PLUGS_SEEN = 5
ORDERS_SEEN = 2
PLUGS = (
    Column("#", 3),
    Column("", 1),
    Column("State", 20),
    Column("kW", 6, right=True),
    Column("kWh", 7, right=True),
    Column("SoC", 4, right=True, drop=4),
    Column("For", 4, right=True, drop=3),
    Column("Token", 12, drop=5),
    Column("Info", 8, grow=True, drop=1),
)
FRAMES = (
    Column("Time", 8),
    Column("", 4, drop=9),
    Column("", 1),
    Column("Action", 26),
    Column("ms", 6, right=True, drop=2),
    Column("Payload", 30, grow=True),
)
#: A result or an error answers in the other direction than its call.
KINDS = {"call": "", "result": " ok", "error": " ERROR"}
#: What a station said when it was asked for a transaction (2.x).
CHECKED = {
    True: "the station says it goes on",
    False: "the station says it is over",
    None: "the station could not say",
}
ARROWS = {"in": ("→", "good"), "out": ("←", "busy")}


def frame_key(frame: Message) -> str:
    """One frame's identity: the same when it is read from the list and heard on the stream."""
    return f"{frame.at.isoformat()} {frame.direction} {frame.kind} {frame.message_id}"


class Station(Place):
    """Everything about one station; its frames are followed while it is looked at."""

    place = "station"
    AUTO_FOCUS = "#plugs"

    def __init__(self, station: str) -> None:
        super().__init__()
        self.station = station
        self.frames: OrderedDict[str, Message] = OrderedDict()
        self._site: SiteView | None = None
        self._evses: Sequence[EvseView] = ()
        self._expression = ""
        self._predicate: filters.Predicate | None = None

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield LiveTable(PLUGS, self._plug_cells, id="plugs")
        yield Lines(id="session", classes="values")
        yield Lines(id="orders")
        yield Lines(id="line")
        frames = LiveTable(FRAMES, self._frame_cells, id="frames", tail=True, header=False)
        frames.empty = "no frame yet"
        yield frames

    def on_mount(self) -> None:
        super().on_mount()
        self.console.reading.watch_frames(self)
        self.console.reading.read_surroundings(self)

    def crumbs(self) -> list[str]:
        return ["Stations", self.station]

    @property
    def view(self) -> StationView | None:
        return self.mirror.stations.get(self.station)

    # ---- drawing

    def draw(self, changed: set[Ref] | None) -> None:
        view = self.view
        self.query_one("#facts", Lines).show(self._facts(view))
        plugs = self.query_one("#plugs", LiveTable)
        keys = [f"{c.evse}.{c.connector}" for c in view.connectors] if view else []
        plugs.empty = "no connector has been reported yet"
        if plugs.ids != keys:
            plugs.set_ids(keys)
            plugs.styles.height = min(max(1, len(keys)), PLUGS_SEEN) + 1
        plugs.repaint_changed()
        self.draw_session()
        self.query_one("#orders", Lines).show(self._orders())
        if changed is None:
            self.draw_frames()

    def draw_session(self) -> None:
        self.query_one("#session", Lines).show(self._session_lines())

    def draw_frames(self) -> None:
        matches = self._predicate
        table = self.query_one("#frames", LiveTable)
        table.set_ids([k for k, frame in self.frames.items() if matches is None or matches(frame)])
        said = f" / {self._expression}" if self._expression else ""
        self.query_one("#line", Lines).show([((f" Frames{said}".ljust(400), "title"),)])

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
            self.draw(set())

    def _facts(self, view: StationView | None) -> list[Line]:
        if view is None:
            return [((f" {self.station} is not registered (any more)", "bad"),)]
        sign = signs.of_connector(signs.station_status(view))
        if view.online:
            link = f"online {ago(self, view.connected_at)}"
        else:
            link = f"offline {ago(self, view.last_seen)}"
        identity = " ".join(part for part in (view.vendor, view.model) if part) or "never booted"
        first: Line = (
            (f" {sign.mark} ", sign.tone),
            (link, "good" if view.online else "bad"),
            f" · {identity} · fw {view.firmware or '?'} · OCPP {view.ocpp_version or '?'}"
            f" · {view.site_name or view.site or 'no site'}",
        )
        boot = f"boot {view.boot_status or 'never'} {ago(self, view.booted_at)}"
        tone = "warn" if view.boot_status in ("pending", "rejected") else "dim"
        second: Line = (
            (f"   {boot}", tone),
            (f" · s/n {view.serial or '?'} · {view.address or 'no address'}", "dim"),
            (f" · profile {view.security_profile} · {view.note or ''}".rstrip(" ·"), "dim"),
        )
        where = self._surroundings()
        if not view.quirks:
            return [first, second, *where]
        told = ", ".join(f"{quirk.name}={quirk.value}" for quirk in view.quirks)
        return [first, second, *where, ((f"   treated otherwise: {told}", "warn"), (" (b, quirks)", "dim"))]

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

    def _plug_cells(self, key: str) -> Sequence[Span]:
        view = self.view
        found = [c for c in view.connectors if f"{c.evse}.{c.connector}" == key] if view else []
        if view is None or not found:
            return [""] * len(PLUGS)
        connector = found[0]
        sign = signs.of_connector(connector.status)
        session = self.mirror.sessions.get(connector.session or "")
        info = [connector.error_code, connector.vendor_error_code, connector.info]
        if connector.requested_availability == "inoperative":
            info.append("put out of operation")
        if session is not None:
            info.append(f"session {session.id}")
        return (
            words.plug_of(connector),
            (sign.mark, sign.tone),
            (sign.word if view.online else f"{sign.word} (last known)", sign.tone if view.online else "dim"),
            words.kilowatts(connector.power_w),
            words.kilowatt_hours(session.energy_wh) if session else words.NONE,
            words.percent(session.soc_percent if session else None),
            ago(self, connector.reported_at),
            (session.token if session else None) or words.NONE,
            " ".join(part for part in info if part),
        )

    def _chosen_session(self) -> SessionView | None:
        """The session on the connector under the cursor, or the only one."""
        running = self.mirror.sessions_of(self.station)
        key = self.query_one("#plugs", LiveTable).cursor_id
        for session in running:
            if key == f"{session.evse}.{session.connector or 1}":
                return session
        return running[0] if len(running) == 1 else None

    def _session_lines(self) -> list[Line]:
        session = self._chosen_session()
        if session is None:
            return []
        return session_lines(self, session)

    def _orders(self) -> list[Line]:
        lines: list[Line] = []
        for intent in self.mirror.intents_of(self.station)[:ORDERS_SEEN]:
            sign = signs.of_intent(intent)
            told = f"{words.clock(intent.created_at)} {intent.order} by {intent.requested_by}: {sign.word}"
            lines.append(((f" {sign.mark} {told}", sign.tone), (f"  {intent.detail or ''}", "dim")))
        return lines

    def _frame_cells(self, key: str) -> Sequence[Span]:
        frame = self.frames.get(key)
        if frame is None:
            return [""] * len(FRAMES)
        mark, tone = ARROWS.get(frame.direction, ("?", ""))
        trouble = "bad" if frame.kind == "error" else ""
        at = frame.at.astimezone()
        return (
            f"{at:%H:%M:%S}",
            f".{at.microsecond // 1000:03d}",
            (mark, tone),
            (frame.action + KINDS.get(frame.kind, f" {frame.kind}"), trouble),
            f"{frame.latency_ms:.0f}" if frame.latency_ms is not None else "",
            (frame.payload, trouble or "dim"),
        )

    # ---- acting

    def target(self) -> Target | None:
        key = self.query_one("#plugs", LiveTable).cursor_id
        base = target_of_station(self.mirror, self.station)
        if base is None or key is None:
            return base
        evse, _, connector = key.partition(".")
        chosen = self._chosen_session()
        plug = (int(evse), int(connector))
        return Target(
            station=self.station,
            plug=plug if plug in base.plugs else None,
            session=chosen.id if chosen else None,
            plugs=base.plugs,
        )

    def near(self) -> set[Ref]:
        running = {("session", session.id) for session in self.mirror.sessions_of(self.station)}
        return {("station", self.station), *running}

    def filter_text(self) -> str:
        return self._expression

    def apply_filter(self, text: str, *, final: bool) -> None:
        try:
            predicate = filters.parse(text) if text.strip() else None
        except Invalid as refusal:
            if final:
                self.console.say(refusal.message, "bad")
            return
        self._expression, self._predicate = text.strip(), predicate
        self.draw_frames()

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        if event.table.id == "plugs":
            self.draw_session()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if event.table.id == "plugs":
            session = self._chosen_session()
            if session is not None:
                self.console.travel.open_session(session.id)
            return
        frame = self.frames.get(event.key)
        if frame is not None:
            self.console.travel.open_paper(f"{self.station} {frame.action}", frame_lines(frame))


def frame_lines(frame: Message) -> list[str]:
    """A frame to read: what, when, and its payload indented when it is JSON."""
    side = "from the station" if frame.direction == "in" else "to the station"
    head = [f"{frame.action} {frame.kind} {side}", f"{words.moment(frame.at)}   id {frame.message_id}"]
    if frame.latency_ms is not None:
        head.append(f"answered after {frame.latency_ms:.1f} ms")
    try:
        body = json.dumps(json.loads(frame.payload), indent=2, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        body = frame.payload.splitlines()
    return [*head, "", *body]


def session_lines(place: Place, session: SessionView) -> list[Line]:
    """One line of figures and two of power over time."""
    sign = signs.of_session(session.status)
    now = place.console.now()
    lasted = words.lasting(session.started_at, session.ended_at or now)
    parts = [
        f"session {session.id}",
        f"token {session.token or '?'}",
        f"{lasted} h",
        words.energy(session.energy_wh),
        words.power(session.power_w or 0),
    ]
    if session.soc_percent is not None:
        parts.append(f"SoC {words.percent(session.soc_percent)}")
    if session.cost is not None:
        parts.append(f"{session.cost['amount']} {session.cost['currency']}")
    if session.check is not None:
        parts.append(CHECKED[session.check.ongoing])
    first: list[Span] = [(f" {sign.mark} ", sign.tone), " · ".join(parts)]
    if session.flags:
        first.append((f" · {', '.join(session.flags)}", "warn"))
    samples = list(place.mirror.power.get(session.id, ()))
    width = min(place.app.size.width - 14, 120)
    values = resample(samples, width)
    peak = max(values, default=0)
    if not values or peak <= 0:
        return [tuple(first)]
    upper, lower = spark(values, 2)
    return [
        tuple(first),
        ((f"{words.power(peak):>10} ", "dim"), (upper, "busy")),
        ((f"{words.clock(samples[0][0]):>10} ", "dim"), (lower, "busy")),
    ]
