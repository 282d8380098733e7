"""A daemon with something of everything, and the walks past every screen of the console.

For a look: python -m tests.tui.gallery FOLDER [WALK...] writes each picture as SVG and as text.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_origin

from cms.contract.alerts import AlertView
from cms.contract.drivers import ListDrivers
from cms.contract.jobs import JobStep, ListJobs
from cms.contract.refusals import Unreachable
from cms.contract.reservations import ListReservations, ReservationView
from cms.contract.routes import ROUTES
from cms.contract.sites import ListSites, SiteView
from cms.contract.stationnotes import ListStationNotes, StationNote
from cms.contract.tokens import TokenView
from tests.tui.fake import NOON, FakeDaemon, frame, station
from tests.tui.seat import Seat, seated
from tests.tui.test_alerts import GROUP, depot
from tests.tui.test_billing import with_money
from tests.tui.test_cluster import with_daemon
from tests.tui.test_drivers import driver, people
from tests.tui.test_orders import RESET, several, with_orders
from tests.tui.test_sites import with_sites
from tests.tui.test_station import a_job, answer
from tests.tui.test_usage import MIDNIGHT, Charged, Ledger

SMALL, LARGE, PHONE = (80, 24), (160, 48), (44, 20)
WORLDS = (depot, with_money, with_daemon, people, with_sites)


class Everything(Ledger):
    """A daemon that has something on every screen; a list that nobody filled is empty."""

    def alerts(self) -> dict[str, AlertView]:
        """A station of a group is told of in the group alone."""
        grouped = {member.station for one in self.raised.values() for member in one.members}
        return {
            key: one for key, one in super().alerts().items() if one.id == GROUP or one.station not in grouped
        }

    def _answer(self, request: Any) -> Any:
        found = self._found(request)
        station = getattr(request, "station", None)
        if isinstance(found, list) and type(request).__name__.startswith("List") and station is not None:
            return [one for one in found if getattr(one, "station", station) in (station, None, "")]
        return found

    def _found(self, request: Any) -> Any:
        try:
            return super()._answer(request)
        except AssertionError:
            if get_origin(ROUTES[type(request)].answers) is list:
                return []
            raise


def everything() -> Everything:
    """The fleets of the other tests as one, two weeks of sessions, and orders in every state."""
    daemon = Everything()
    for world in WORLDS:
        one = world()
        for field in fields(FakeDaemon):
            mine, its = getattr(daemon, field.name), getattr(one, field.name)
            if isinstance(mine, dict) and field.name != "tended":
                mine.update(its)
    daemon.strangers = depot().strangers
    for member in daemon.raised[GROUP].members:
        key = member.station or ""
        daemon.stations[key] = station(key, site="Essen-Depot", online=False, connected_at=None,
                                       last_seen=member.since)  # fmt: skip
    daemon.log = depot().log
    daemon.charged = list(_two_weeks())
    _people(daemon)
    _orders(daemon)
    daemon.shelf[ListSites] += [
        SiteView(name, name.replace("-", " "), "Europe/Berlin", city=name.split("-")[0], grid_limit_w=limit)
        for name, limit in (("Berlin-Mitte", 150_000), ("Hamburg-Port", 400_000), ("Essen-Depot", None))
    ]
    daemon.shelf[ListJobs] = [
        a_job(),
        replace(a_job(), station="CP-0025", request_id=8, status="Downloading", outcome="running",
                after=None, steps=(JobStep(NOON, "Downloading"),)),
        replace(a_job(), station="CP-0018", request_id=9, kind="log", log_type="diagnostics", status="Uploaded",
                location="https://files/diag/CP-0018", before=None, after=None,
                steps=(JobStep(NOON, "Uploading"), JobStep(NOON + timedelta(seconds=40), "Uploaded"))),
    ]  # fmt: skip
    daemon.shelf[ListStationNotes] = [
        StationNote(NOON - timedelta(days=2), "ben", "key is with the guard\nask at gate 2"),
        StationNote(NOON - timedelta(hours=3), "anna", "RCMU trips after rain; electrician comes on Tuesday"),
    ]
    daemon.shelf[ListReservations] = [
        ReservationView(4, "CP-0018", "active", "04A2BC9F", 2, None, None, NOON + timedelta(minutes=25), "anna",
                        None, NOON, None, None, None),
    ]  # fmt: skip
    call = frame(4, "Authorize", '{"idTag":"04A2BC9F"}', latency_ms=41.0, verdict="valid")
    late = frame(6, "Reset", '{"type":"Soft"}', direction="out", latency_ms=None)
    daemon.frames["CP-0042"] += [call, answer(call, '{"idTagInfo":{"status":"Accepted"}}'), late]
    return daemon


def _two_weeks() -> Iterator[Charged]:
    """Sessions as people charge: mornings and evenings, less on Sundays, more at Berlin-Mitte."""
    places = (
        ("CP-0042", "Berlin-Mitte", "anna"),
        ("CP-0018", "Ulm-A8", "ben"),
        ("CP-0025", "Hamburg-Port", "cleo"),
    )
    for day in range(-13, 1):
        at = MIDNIGHT + timedelta(days=day)
        for number, (key, site, who) in enumerate(places):
            for hour in (8, 12, 18)[number:]:
                if at.weekday() < 6 - number and (day < 0 or hour < 12):
                    wh = 14_000 + 3_700 * ((day * 7 + hour + number * 5) % 6)
                    yield Charged(at + timedelta(hours=hour), key, site, who, wh)


def _people(daemon: FakeDaemon) -> None:
    daemon.shelf[ListDrivers].append(driver("dora", "04C1", groups=("night",)))
    daemon.tokens |= {
        "04B7D011AA22": TokenView("04B7D011AA22", "rfid", "blocked", "ben", "staff", None, None, "C-0002",
                                  blocked_reason="reported lost"),
        "04C1": TokenView("04C1", "rfid", "expired", "dora", "night", None, NOON - timedelta(days=3), None),
    }  # fmt: skip
    daemon.happen("token.presented", "CP-0060", token="05DE11F0", status="unknown")


def _orders(daemon: FakeDaemon) -> None:
    given = [
        RESET,
        *several(3, status="confirmed", confirmed_at=NOON + timedelta(seconds=71), detail="it booted"),
        replace(RESET, id="i2", station="CP-0039", status="queued", answered_at=None, answer=None,
                detail="until it is"),
        replace(RESET, id="i3", station="CP-0067", status="failed", detail="it did not boot within 5 min"),
        replace(RESET, id="i4", station="CP-0018", order="unlock", params={"evse": 1, "connector": 1},
                status="refused", answer={"status": "UnlockFailed"}, detail="UnlockFailed"),
    ]  # fmt: skip
    daemon.intents = {one.id: one for one in given}
    one = with_orders(RESET)
    daemon.shelf |= {key: rows for key, rows in one.shelf.items() if key not in daemon.shelf}
    daemon.shown |= one.shown


# ---- the walks


@dataclass(frozen=True)
class Shot:
    """One picture: what is pressed after the one before (``=text`` is typed), and what must then be seen."""

    name: str
    keys: tuple[str, ...]
    sees: tuple[str, ...]
    before: Callable[[FakeDaemon], object] | None = None


def shot(name: str, keys: str, *sees: str, before: Callable[[FakeDaemon], object] | None = None) -> Shot:
    return Shot(name, tuple(keys.split()), sees, before)


def level(number: int, impact: str) -> Callable[[FakeDaemon], None]:
    def set_it(daemon: FakeDaemon) -> None:
        daemon.level, daemon.impact = number, impact

    return set_it


def _refuses(daemon: FakeDaemon) -> None:
    daemon.refusing_at["CP-0039"] = Unreachable("CP-0039 is offline since 11:22", "queue it")


ENDS = "ends 1 running session: EVSE 1, 04A2BC9F, 11.4 kWh; the station reboots"
WALKS: dict[str, tuple[Shot, ...]] = {
    "fleet": (
        shot("overview", "", "Needs attention", "CP-0042 c2"),
        shot("stations", "2", "CP-0081"),
        shot("stations-filter", "slash =status=faulted enter", "1 of 18"),
        shot("stations-marks", "escape j V j j V", "3 marked"),
        shot("bulk-question", "R", "Reset 3 stations", "[y]es"),
        shot("bulk-progress", "y", "under way"),
        shot("bulk-typed", "u asterisk R y", "type 18:", before=_refuses),
        shot("bulk-refusals", "=18 enter", "Refusals"),
        shot("actions", "escape u g a", "── Actions"),
        shot("columns", "escape o", "── Columns"),
        shot("views", "escape v", "── Views"),
    ),
    "station": (
        shot("station", "2 colon =CP-0042 enter", "[Live]", "charging", "Heartbeat"),
        shot("station-messages", "tab", "[Messages]", "MeterValues"),
        shot("frames", "G k enter", "schema"),
        shot("station-configuration", "escape tab", "[Configuration]", "HeartbeatInterval"),
        shot("station-firmware", "tab", "[Firmware & logs]", "Installed"),
        shot("station-history", "tab", "[History]", "24 h link"),
        shot("station-notes", "tab", "[Notes]", "RCMU"),
        shot("question", "tab R", "[y]es", before=level(2, ENDS)),
        shot("question-light", "escape T", "── Trigger"),
    ),
    "session": (
        shot("sessions", "3", "88139"),
        shot("session", "colon =88140 enter", "[Story]", "draws"),
        shot("session-price", "tab", "[Price]", "so far"),
        shot("session-samples", "tab", "[Samples]"),
        shot("session-messages", "tab", "[Messages]"),
        shot("price", "q 3 x", "Price of"),
    ),
    "people": (
        shot("drivers", "4", "anna", "debt"),
        shot("support-card", "tilde", "rule night"),
        shot("tokens", "escape right", "[Tokens]", "Refused lately", "05DE11F0"),
        shot("driver-groups", "right", "[Groups]", "staff"),
    ),
    "usage": (
        shot("usage", "5", "[energy]", "When:"),
        shot("usage-numbers", "n", "Sessions", "Revenue"),
        shot("usage-compare", "n c", "Before"),
        shot("usage-heat", "c h", "When:"),
        shot("usage-sites", "h b", "by site", "Ulm-A8"),
    ),
    "money": (
        shot("billing", "6", "[Open]", "overdue"),
        shot("invoices", "right", "[Invoices]", "2026-0042"),
        shot("invoice", "enter", "Ada", "Energy at"),
        shot("bill-working", "enter", "Price of"),
        shot("bills", "escape escape right", "[Bills]", "S1"),
        shot("what-if", "w", "what if"),
        shot("billing-run", "escape left left G enter", "would make"),
    ),
    "troubles": (
        shot("alerts", "7", "Essen-Depot"),
        shot("alert-group", "j c enter", "What has it · 9", "for 41 min", "claimed anna"),
        shot("events", "escape tab", "alert.changed"),
        shot("event", "enter", "cursor"),
    ),
    "orders": (
        shot("orders", "8", "[Orders]", "waits for it"),
        shot("orders-together", "tab", "[Together]", "3 x reset"),
        shot("orders-queue", "tab", "[Queue]", "until it is"),
        shot("orders-jobs", "tab", "[Jobs]", "2.1.3"),
        shot("audit", "tab", "[Audit]", "ResetStation"),
        shot("audit-record", "enter", "came by"),
    ),
    "sites": (
        shot("sites", "9", "7 sites", "Berlin Mitte"),
        shot("sites-open", "slash =site~ulm enter j right right right", "EVSE 1", "88139"),
        shot("site", "g enter", "geo:"),
    ),
    "console": (
        shot("cluster", "0", "● ok", "Charge Ltd"),
        shot("shelf", "escape 2 b", "Books", "Firmware"),
        shot("book", "colon =reservations enter", "04A2BC9F"),
        shot("help", "2 question_mark", "Keys"),
        shot("palette", "escape semicolon =reset", "level 1"),
        shot("command-line", "escape colon =s tab", "stations"),
        shot("question-typed", "escape escape R", "type", before=level(3, "the station starts anew")),
        shot("read-only", "escape escape exclamation_mark", "RO"),
        shot("lost-link", "", "link lost", before=lambda daemon: daemon.die()),
    ),
}
#: Workers that follow the daemon as long as a place is open.
ENDLESS = ("link", "frames")
#: What a telephone shows: the walks whose places have a view of their own there.
ON_A_PHONE = ("fleet", "station", "session", "people", "troubles")


def sizes_of(walk: str) -> tuple[tuple[int, int], ...]:
    return (SMALL, LARGE, PHONE) if walk in ON_A_PHONE else (SMALL, LARGE)


async def walked(walk: str, size: tuple[int, int]) -> AsyncIterator[tuple[str, str, str]]:
    """Each picture of a walk as its name, its SVG and its text."""
    daemon = everything()
    async with seated(daemon, size) as seat:
        for each in WALKS[walk]:
            await taken(seat, each)
            yield each.name, seat.app.export_screenshot(title=each.name), seat.text


async def taken(seat: Seat, each: Shot) -> None:
    if each.before is not None:
        each.before(seat.daemon)
    for key in each.keys:
        if key.startswith("="):
            await seat.type(key[1:])
        else:
            await seat.press(key)
    await seat.sees(*each.sees)
    await seat.pilot.pause()
    await seat.until(
        lambda: all(worker.is_finished or worker.group in ENDLESS for worker in seat.app.workers)
    )
    await seat.pilot.pause()


async def _write(folder: Path, walks: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for walk in walks:
        for size in sizes_of(walk):
            try:
                async for name, svg, text in walked(walk, size):
                    (folder / f"{name}-{size[0]}.svg").write_text(svg)
                    (folder / f"{name}-{size[0]}.txt").write_text(text)
            except Exception as error:
                print(f"{walk} {size}: {type(error).__name__} {error}")


if __name__ == "__main__":
    os.environ |= {"COLORTERM": "truecolor", "TZ": "UTC"}
    time.tzset()
    asyncio.run(_write(Path(sys.argv[1]), sys.argv[2:] or list(WALKS)))
