"""A station's firmware and logs: what was ordered, how far it is, and how many of its model run what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual.widget import Widget

from cms.contract.jobs import JobView, ListJobs
from tui import words
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.page import Panel
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span

if TYPE_CHECKING:
    from tui.screens.station import Station

COLUMNS = (
    Column("When", 16),
    Column("What", 24, most=30),
    Column("Outcome", 11),
    Column("Last word", 18, drop=3),
    Column("Took", 5, right=True, drop=2),
    Column("File", 10, grow=True, drop=1),
)
OUTCOMES = {
    "running": ("… running", "busy"),
    "done": ("✔ done", "good"),
    "failed": ("✖ failed", "bad"),
    "refused": ("✖ refused", "bad"),
    "cancelled": ("– cancelled", "dim"),
}
TELLS = ("firmware.", "log.", "publish.")
STEPS_SEEN = 6


def what_of(job: JobView) -> str:
    """What was ordered, in a few words."""
    if job.kind == "log":
        return f"log {job.log_type or ''}".strip()
    to = f" {job.before or '?'} → {job.after}" if job.after else ""
    return f"{job.kind}{to}"


class StationJobs(Panel):
    """``F`` orders a firmware update, ``D`` asks for the diagnostics; enter tells all of a job."""

    place = "jobs"
    title = "Firmware & logs"

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.jobs: dict[str, JobView] = {}

    @property
    def station(self) -> Station:
        return cast("Station", self.page)

    def compose(self) -> Iterable[Widget]:
        yield Lines(id="installed")
        table = LiveTable(COLUMNS, self._cells, id="jobs")
        table.empty = "nothing was ordered yet: F updates the firmware, D fetches the diagnostics"
        yield table
        yield Lines(id="jobsteps")

    @property
    def jobs_table(self) -> LiveTable:
        return self.query_one("#jobs", LiveTable)

    def begin(self) -> None:
        self.read()

    def read(self) -> None:
        self.page.fetch(self, "jobs", lambda ask: ask(ListJobs(self.station.station)))

    def take(self, what: str, found: Any) -> None:
        self.jobs = {f"{job.kind} {job.request_id}": job for job in found}
        self.draw(None)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            self.query_one("#installed", Lines).show([self._installed()])
            table = self.jobs_table
            if table.ids != list(self.jobs):
                table.set_ids(list(self.jobs))
            table.repaint_changed()
            self.draw_steps()
        elif any(self._tells(ref) for ref in changed):
            self.read()

    def _tells(self, ref: Ref) -> bool:
        event = self.mirror.events.get(ref[1]) if ref[0] == "event" else None
        return event is not None and event.type.startswith(TELLS) and event.station == self.station.station

    def _installed(self) -> Line:
        """What it runs, and what others of its model run."""
        view = self.station.view
        if view is None or view.model is None:
            return ((" its firmware is not known: it never booted", "dim"),)
        alike = [s for s in self.mirror.stations.values() if (s.vendor, s.model) == (view.vendor, view.model)]
        versions = Counter(s.firmware or "?" for s in alike).most_common(3)
        told = ", ".join(f"{count:,} run {version}" for version, count in versions)
        return (f" firmware {view.firmware or '?'}", (f" · of {len(alike):,} {view.model}: {told}", "dim"))

    def draw_steps(self) -> None:
        """The words of the station for the job under the cursor, the last ones."""
        job = self.jobs.get(self.jobs_table.cursor_id or "")
        if job is None:
            self.query_one("#jobsteps", Lines).show([])
            return
        steps = [((f" {words.clock(step.at)}  {step.status}", ""),) for step in job.steps[-STEPS_SEEN:]]
        lines: list[Line] = [((f" {what_of(job)} · {job.location}".ljust(400), "title"),), *steps]
        if job.detail:
            lines.append(((f" {job.detail}", "warn"),))
        self.query_one("#jobsteps", Lines).show(lines)

    def _cells(self, key: str) -> Sequence[Span]:
        job = self.jobs.get(key)
        if job is None:
            return [""] * len(COLUMNS)
        ended = job.steps[-1].at if job.steps else None
        file = ", ".join(f"{u.name} ({u.size:,} B)" for u in job.uploads) or job.file_name or ""
        return (
            words.minute(job.requested_at),
            what_of(job),
            OUTCOMES.get(job.outcome, job.outcome),
            job.status,
            words.lasting(job.requested_at, ended) if ended else "",
            file,
        )

    def target(self) -> Target | None:
        return self.station.station_target()

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        self.draw_steps()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        job = self.jobs.get(event.key)
        if job is not None:
            self.console.travel.open_paper(f"{job.station} {what_of(job)}", sheet(job))


def sheet(job: JobView) -> list[str]:
    """A job to read: what was ordered, each word of the station, its files."""
    lines = [
        f"{what_of(job)}: {job.outcome}, last word {job.status}",
        f"asked {words.moment(job.requested_at)} · request {job.request_id} · order {job.intent or '?'}",
        f"address {job.location}",
    ]
    if job.detail:
        lines.append(job.detail)
    lines += ["", *(f"{words.moment(step.at)}  {step.status}" for step in job.steps)]
    lines += [f"{words.moment(u.at)}  uploaded {u.name}, {u.size:,} B" for u in job.uploads]
    if job.uploads:
        lines += ["", f"cms logs read {job.station} {job.request_id} shows it"]
    return lines
