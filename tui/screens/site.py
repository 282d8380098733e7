"""One site: where it is, when it is open, what it draws of what the grid gives, and its stations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.widget import Widget

from cms.contract.events import Event, ListEvents
from cms.contract.refusals import NotFound, Refusal
from cms.contract.sites import Daily, Hours, ShowSite, SiteView
from cms.contract.tariffs import ListTariffUses, TariffUseView
from tui import filing, words
from tui.charts.power import power_lines, site_power
from tui.charts.sheets import power_sheet
from tui.exporting import named
from tui.grounds import Sums, figures, limit_w
from tui.mirror import Ref
from tui.reading import Ask
from tui.screens.place import NARROW
from tui.screens.stations import Stations
from tui.trend import Sample
from tui.widgets.chart import power_chart
from tui.widgets.lines import Lines
from tui.widgets.menu import Choice
from tui.widgets.paint import Line, Span

#: Meter values that power over time begins with, of each station of a small site; of a large one the latest of all.
METERED = 2_000
STATIONS_ASKED = 12
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Rows of the chart where there is room for one.
CHART_ROWS = ((40, 12), (30, 8), (22, 4))


@dataclass(frozen=True, slots=True)
class About:
    """What was read of a site; ``view`` none: it is not registered. ``uses`` none: one may not see tariffs."""

    view: SiteView | None
    uses: tuple[TariffUseView, ...]
    metered: tuple[Event, ...]


async def about(ask: Ask, site: str, stations: Sequence[str]) -> About:
    """The site, the tariffs in use there, and what its stations metered lately."""
    try:
        view: SiteView | None = await ask(ShowSite(site))
    except NotFound:
        view = None
    try:
        uses = tuple(await ask(ListTariffUses()))
    except Refusal:
        uses = ()
    metered: list[Event] = []
    asked: Sequence[str | None] = stations if len(stations) <= STATIONS_ASKED else (None,)
    for station in asked:
        metered += await ask(ListEvents(type="session.metered", station=station, limit=METERED))
    return About(view, uses, tuple(metered))


class Site(Stations):
    """The stations of a site, as the list of all stations is, below what is known of the site."""

    place = "site"

    def __init__(self, site: str) -> None:
        super().__init__()
        self.site = site
        self._about: About | None = None
        self._samples: list[Sample] = []

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield Lines(id="sitepower", classes="values")
        yield from super().body()

    def on_mount(self) -> None:
        super().on_mount()
        self._read()

    def _read(self) -> None:
        stations = self._stations()
        self.console.reading.fetch(self, "site", lambda ask: about(ask, self.site, stations))

    def _stations(self) -> list[str]:
        return [key for key, view in self.mirror.stations.items() if view.site == self.site]

    def admits(self, view: Any) -> bool:
        return bool(view.site == self.site)

    def crumbs(self) -> list[str]:
        view = self._about.view if self._about else None
        return ["Sites", view.name if view else self.site]

    def summary(self) -> str:
        return ""

    def come_back(self) -> None:
        super().come_back()
        self._read()

    def take(self, what: str, found: Any | Refusal) -> None:
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")
            return
        self._about = found
        power = site_power(found.metered, self.mirror.sessions, set(self._stations()))
        self._samples = list(dict(power).items())  # of one instant the last step holds
        self.draw_frame()
        self._draw_site()

    # ---- the figures of the curve

    def figures(self) -> None:
        """The power of the site, instant by instant."""
        self.console.travel.open_paper(f"Power of {self.site}", power_lines(self._samples))

    def more_exports(self) -> list[Choice]:
        return [Choice("CSV of the power over time", "p", value=self._write_power)]

    def _write_power(self) -> None:
        name = named(f"site-{self.site}-power", self.console.now(), "csv")
        self.console.say(*filing.told(name, power_sheet(self._samples).encode(), "the power"))

    # ---- drawing

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw_site)

    def draw(self, changed: set[Ref] | None) -> None:
        super().draw(changed)
        mine = set(self._stations())
        if changed is None or any(kind == "station" and key in mine for kind, key in changed):
            self._draw_site()

    def _sums(self) -> Sums:
        total = Sums()
        for key in self._stations():
            total.add(figures(self.mirror, self.mirror.stations[key]))
        return total

    def _draw_site(self) -> None:
        sums = self._sums()
        now = self.console.now()
        if self._samples and sums.power_w != self._samples[-1][1]:
            self._samples.append((now, sums.power_w))
        self.query_one("#facts", Lines).show(self._facts(sums))
        width, height = self.app.size
        rows = next((rows for least, rows in CHART_ROWS if height >= least), 0)
        picture = power_chart(self._samples, now, width, rows) if self._samples and rows else []
        self.query_one("#sitepower", Lines).show(picture)

    def _facts(self, sums: Sums) -> list[Line]:
        view = self._about.view if self._about else None
        lines: list[Line] = [self._figures(sums, view)]
        if self._about is None:
            return lines
        if view is None:
            return [*lines, ((f" {self.site} is not registered: cms sites add", "warn"),)]
        lines += [((f" {line}", "dim"),) for line in where_lines(view)]
        lines += [((f" {line}", "dim"),) for line in [hours_line(view), grid_line(view)] if line]
        if tariff := tariff_line(self._about.uses, self.site):
            lines.append(((f" {tariff}", "dim"),))
        return lines

    def _figures(self, sums: Sums, view: SiteView | None) -> Line:
        """Whether it is open, what stands and runs there, its power; that before the counts where it is narrow."""
        opened: list[Span] = []
        if view is not None:
            opened = [(" ○ open ·" if view.open else " – closed ·", "good" if view.open else "warn")]
        counts: list[Span] = [f" stations {sums.online}/{sums.stations} online · sessions {sums.sessions}"]
        trouble: list[Span] = [(f" · ✖ {sums.trouble}", "bad")] if sums.trouble else []
        power = self._power(sums, view)
        if self.app.size.width < NARROW:
            return (*opened, *power, *trouble, " ·", *counts)
        return (*opened, *counts, " ·", *power, *trouble)

    def _power(self, sums: Sums, view: SiteView | None) -> list[Span]:
        spans: list[Span] = [(f" {words.power(sums.power_w)}", "strong")]
        if most := limit_w(view):
            left = most - sums.power_w
            told = f" of {words.power(most)}, {words.power(left)} left"
            spans.append((told, "bad" if left <= 0 else "warn" if left < most // 10 else ""))
        return spans


def where_lines(view: SiteView) -> list[str]:
    """Address and coordinates, as a link that a telephone or a browser opens; whom to call."""
    city = " ".join(part for part in (view.postcode, view.city, view.country) if part)
    address = ", ".join(part for part in (view.street, city) if part)
    place = ""
    if view.latitude is not None and view.longitude is not None:
        place = f"geo:{view.latitude:.7g},{view.longitude:.7g}"
    contact = " ".join(part for part in (view.contact_name, view.contact_phone, view.contact_email) if part)
    lines = [" · ".join(part for part in (address, place, view.time_zone) if part)]
    more = " · ".join(part for part in (view.operator, contact, view.access, view.note) if part)
    return [*lines, *([more] if more else [])]


def hours_line(view: SiteView) -> str:
    """The regular week, and how many days are otherwise."""
    hours = view.opening_hours
    week = view.hours or (week_of(hours) if hours else "")
    others = len(hours.exceptional_openings) + len(hours.exceptional_closings) if hours else 0
    more = f", {others} days otherwise" if others else ""
    return f"open {week}{more}" if week else ""


def week_of(hours: Hours) -> str:
    if hours.twentyfourseven:
        return "24/7"
    return ", ".join(_day(day) for day in hours.regular)


def _day(day: Daily) -> str:
    return f"{WEEK[day.weekday - 1]} {day.begin}-{day.end}"


def grid_line(view: SiteView) -> str:
    """What the connection carries, and what charging may take of it."""
    parts = []
    if view.grid_power_w:
        parts.append(f"carries {words.power(view.grid_power_w)}")
    if view.grid_current_a:
        parts.append(f"{view.grid_current_a:g} A x {view.grid_phases or 3}")
    if view.grid_limit_w:
        parts.append(f"charging may take {words.power(view.grid_limit_w)}")
    if view.grid_reference:
        parts.append(view.grid_reference)
    return f"grid {', '.join(parts)}" if parts else ""


def tariff_line(uses: Sequence[TariffUseView], site: str) -> str:
    """Which tariffs are in use at the site as a whole; else the one that is used everywhere."""
    here = [use for use in uses if use.tariff and use.place in (f"site {site}", site)]
    chosen = here or [use for use in uses if use.tariff and use.rung == "default"]
    told = ", ".join(
        f"{use.version or use.tariff}{'' if use.version else ' (not valid now)'}" for use in chosen
    )
    return f"tariff {told}{'' if here else ', as everywhere'}" if told else ""
