"""Books: lists that are read when somebody looks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.checks import CheckView
from cms.contract.events import EVENT_TYPES
from cms.contract.evses import EvseView, ListEvses, SetEvse
from cms.contract.jobs import GetLog, JobView, ListJobs, UpdateFirmware
from cms.contract.quirks import Quirk
from cms.contract.refusals import Conflict, Invalid, Unreachable
from cms.contract.reservations import AddReservation, ListReservations
from cms.contract.routes import ROUTES
from cms.contract.sites import ListSites, SiteView
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated
from tui.books import BOOKS
from tui.books.charging import limited
from tui.books.drivers import reserved
from tui.books.shape import Book
from tui.orders import Target

URL = "https://files.example/fw.bin"
JOB = JobView(
    station="CP-0018",
    request_id=7,
    kind="firmware",
    status="Downloading",
    outcome="running",
    detail=None,
    requested_at=NOON,
    location=URL,
    log_type=None,
    signed=False,
    retrieve_at=None,
    install_at=None,
    checksum=None,
    before="1.0",
    after=None,
    file_name=None,
    locations=(),
    steps=(),
    uploads=(),
    intent="i9",
)


def with_jobs(*jobs: JobView) -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListJobs] = list(jobs)
    return daemon


async def test_the_shelf_lists_the_books_and_opens_one() -> None:
    async with seated(with_jobs(JOB)) as seat:
        await seat.press("2")
        await seat.press("b")
        await seat.sees("Firmware", "Logs", "Books")
        await seat.press("enter")
        await seat.sees("Downloading", "… running", URL)


async def test_a_word_opens_a_book_from_anywhere_and_it_says_when_it_is_empty() -> None:
    async with seated(with_jobs()) as seat:
        await seat.press("colon")
        await seat.type("logs")
        await seat.press("enter")
        await seat.sees("no log was asked for")


async def test_a_book_is_read_again_when_an_event_tells_that_it_is_old() -> None:
    daemon = with_jobs(JOB)
    async with seated(daemon) as seat:
        await seat.press("colon")
        await seat.type("firmware")
        await seat.press("enter")
        await seat.sees("Downloading")
        daemon.shelf[ListJobs] = [replace(JOB, status="Installed", outcome="done")]
        daemon.happen("firmware.status", "CP-0018", status="Installed")
        await seat.sees("Installed", "✔ done")


async def test_events_begin_no_second_reading_while_one_is_under_way() -> None:
    daemon = SlowDaemon()
    daemon.__dict__.update(vars(with_jobs(JOB)))
    daemon.may.set()
    async with seated(daemon) as seat:
        seat.app.travel.open_book("firmware", None)
        await seat.sees("Downloading")
        daemon.may.clear()
        for count in (1, 2, 3):
            told = daemon.happen("firmware.status", "CP-0018", status=f"step {count}")
            await seat.until(lambda last=told: last.cursor in seat.app.mirror.events)  # type: ignore[misc]
            await seat.until(lambda: daemon.readings == 2)
        daemon.shelf[ListJobs] = [replace(JOB, status="Installed", outcome="done")]
        daemon.may.set()
        await seat.sees("Installed", "✔ done")
        await seat.until(lambda: daemon.readings == 3)


class SlowDaemon(FakeDaemon):
    """Answers what jobs there are as late as it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()

    async def ask(self, request: Any) -> Any:
        answer = await super().ask(request)
        if isinstance(request, ListJobs):
            await self.may.wait()
        return answer

    @property
    def readings(self) -> int:
        return sum(isinstance(request, ListJobs) for request in self.asked)


async def test_a_row_opens_as_everything_that_is_known_of_it() -> None:
    async with seated(with_jobs(JOB), size=(160, 48)) as seat:
        await seat.press("colon")
        await seat.type("firmware")
        await seat.press("enter")
        await seat.sees("Downloading")
        await seat.press("enter")
        await seat.sees('"request_id": 7', '"before": "1.0"')


async def test_an_order_of_a_book_is_typed_asked_about_and_given() -> None:
    daemon = with_jobs(JOB)
    async with seated(daemon) as seat:
        await seat.press("colon")
        await seat.type("firmware")
        await seat.press("enter")
        await seat.sees("cms ▸ Firmware", "Downloading")
        await seat.press("F")
        await seat.sees("address of the firmware")
        await seat.type(URL)
        await seat.press("enter")
        await seat.sees("Update the firmware of CP-0018")
        await seat.press("y")
        await seat.hears("accepted")
        given = [r for r in daemon.asked if isinstance(r, UpdateFirmware) and not r.dry_run]
        assert [(r.station, r.location) for r in given] == [("CP-0018", URL)]


async def test_an_order_without_a_station_says_what_is_missing() -> None:
    daemon = with_jobs()
    async with seated(daemon) as seat:
        await seat.press("4", "right")
        await seat.press("colon")
        await seat.type("logs")
        await seat.press("enter")
        await seat.sees("no log was asked for")
        await seat.press("L")
        await seat.hears("open the logs of a station first")
        assert not [r for r in daemon.asked if isinstance(r, GetLog)]


async def test_a_book_that_cannot_be_read_says_why() -> None:
    daemon = with_jobs()
    async with seated(daemon) as seat:
        daemon.refusing[ListJobs] = Unreachable("the record is gone")
        await seat.press("colon")
        await seat.type("firmware")
        await seat.press("enter")
        await seat.sees("the record is gone")


async def test_a_refusal_is_seen_although_it_comes_at_once() -> None:
    daemon = with_jobs()
    daemon.refuse = Conflict("this daemon takes no uploads")
    async with seated(daemon) as seat:
        await seat.press("2", "b", "j", "enter")
        await seat.sees("no log was asked for")
        await seat.press("L")
        await seat.sees("address to put")
        await seat.press("enter")
        await seat.sees("takes no uploads")


async def test_the_message_line_names_an_act_of_a_book_by_what_it_does() -> None:
    class Refusing(FakeDaemon):
        def _order(self, request: Any) -> Any:
            if isinstance(request, AddReservation) and not request.dry_run:
                raise Conflict("EVSE 1 is charging")
            return super()._order(request)

    daemon = Refusing(stations=small_fleet().stations)
    daemon.shelf[ListReservations] = []
    async with seated(daemon) as seat:
        seat.app.travel.open_book("reservations", "CP-0018")
        await seat.sees("nothing is reserved")
        await seat.press("N")
        await seat.type("TAG 1 30")
        await seat.press("enter")
        await seat.sees("Reserve CP-0018: TAG 1 30?", "[y]es")
        await seat.press("y")
        await seat.hears("✖ reserve CP-0018: EVSE 1 is charging")


GARAGE = SiteView(
    id="garage",
    name="Garage Nord",
    time_zone="Europe/Berlin",
    street="Uferweg 1",
    postcode="89073",
    city="Ulm",
    open=False,
    hours="mon-fri 06:00-22:00",
    stations=1,
)
EVSE = EvseView("CP-0018:1", "CP-0018", 1, "garage", "DE*ABC*E1", "A", "-1", None, "charging")


def at_the_garage() -> FakeDaemon:
    daemon = small_fleet()
    daemon.stations["CP-0018"] = replace(
        daemon.stations["CP-0018"], site="garage", site_name="Garage Nord", city="Ulm"
    )
    daemon.shelf[ListSites] = [GARAGE]
    daemon.shelf[ListEvses] = [EVSE]
    return daemon


async def test_a_station_says_where_it_stands_when_that_is_open_and_what_its_evses_are_called() -> None:
    async with seated(at_the_garage()) as seat:
        seat.app.travel.open_station("CP-0018")
        await seat.sees("Garage Nord", "Uferweg 1, 89073 Ulm", "closed (mon-fri", "EVSE 1 DE*ABC*E1")


async def test_sites_and_evses_are_books_and_an_evse_is_named_in_its_own() -> None:
    daemon = at_the_garage()
    daemon.refusing[SetEvse] = Conflict("EVSE id DE*ABC*E7 is that of CP-0025, EVSE 1, already")
    async with seated(daemon) as seat:
        seat.app.travel.open_book("sites", None)
        await seat.sees("garage", "– closed", "Uferweg 1, Ulm")
        seat.app.travel.open_book("evses", None)
        await seat.sees("CP-0018:1", "DE*ABC*E1")
        await seat.press("N")
        await seat.type("DE*ABC*E7")
        await seat.press("enter")
        await seat.sees("cms evses set CP-0018 1 --id 'DE*ABC*E7'")
        await seat.press("y")
        await seat.hears("is that of CP-0025")


def test_every_book_has_a_word_a_title_and_keys_of_its_own() -> None:
    for word, book in BOOKS.items():
        assert word == book.word and book.title and book.about and book.empty
        keys = [act.key for act in book.acts]
        assert len(set(keys)) == len(keys) and all(key.isupper() for key in keys)


@pytest.mark.parametrize("book", BOOKS.values(), ids=lambda book: book.word)
def test_a_book_asks_for_what_the_daemon_serves_and_shows_what_it_answers(book: Book) -> None:
    for station in ("CP-0018",) if book.of_station else (None, "CP-0018"):
        route = ROUTES[type(book.ask(station))]
        assert route.answers == list[book.view_type]
    assert all(any(kind.startswith(start) for kind in EVENT_TYPES) for start in book.stale)
    assert book.cells[-1].grow or any(cell.grow for cell in book.cells)


@pytest.mark.parametrize(
    ("typed", "unit", "limit", "evse", "purpose"),
    [
        ("16A", "A", "16", 0, "station-max"),
        ("11 kW", "W", "11000", 0, "station-max"),
        ("2: 7.5a", "A", "7.5", 2, "tx-default"),
    ],
)
def test_a_limit_is_typed_as_people_say_it(
    typed: str, unit: str, limit: str, evse: int, purpose: str
) -> None:
    order = limited(Target("CP1"), typed)
    (schedule,) = order.profile.schedules
    assert (schedule.unit, schedule.periods[0].limit, order.evse, order.profile.purpose) == (
        unit,
        Decimal(limit),
        evse,
        purpose,
    )


@pytest.mark.parametrize("typed", ["", "16", "A16", "16.25A", "-3A"])
def test_what_is_no_limit_is_said(typed: str) -> None:
    with pytest.raises(Invalid, match="16A"):
        limited(Target("CP1"), typed)


def test_a_reservation_is_typed_in_one_line() -> None:
    order = reserved(Target("CP1", now=NOON), "TAG 0 30")
    assert (order.token, order.evse) == ("TAG", None)
    assert order.expires_at == NOON + timedelta(minutes=30)
    with pytest.raises(Invalid, match="minutes"):
        reserved(Target("CP1", now=NOON), "TAG 1 soon")


async def test_a_reservation_counts_its_minutes_by_the_daemons_clock_where_that_is_ahead() -> None:
    daemon = small_fleet()
    daemon.shelf[ListReservations] = []
    async with seated(daemon) as seat:
        seat.app.travel.open_book("reservations", "CP-0018")
        await seat.sees("nothing is reserved")
        daemon.now = later = NOON + timedelta(days=40)
        daemon.happen("station.booted", "CP-0018")
        await seat.until(lambda: seat.app.now() == later)
        await seat.press("N")
        await seat.type("TAG 1 30")
        await seat.press("enter")
        await seat.sees("CP-0018: TAG 1 30?")
        await seat.press("y")
        await seat.until(lambda: any(isinstance(r, AddReservation) and not r.dry_run for r in daemon.asked))
        given = next(r for r in daemon.asked if isinstance(r, AddReservation))
        assert given.expires_at == later + timedelta(minutes=30)


async def test_a_stations_page_shows_how_it_is_treated_otherwise_and_what_its_session_costs() -> None:
    daemon = small_fleet()
    odd = Quirk("boot-trigger", "never", "unknown", "table", "whether it is asked to boot")
    daemon.stations["CP-0018"] = replace(daemon.stations["CP-0018"], quirks=(odd,))
    key = next(key for key, session in daemon.sessions.items() if session.station == "CP-0018")
    daemon.sessions[key] = replace(
        daemon.sessions[key],
        cost={"amount": "3.21", "currency": "EUR"},
        check=CheckView(NOON, ongoing=None, messages_in_queue=False),
    )
    async with seated(daemon, size=(160, 48)) as seat:
        await seat.press("colon")
        await seat.type("CP-0018")
        await seat.press("enter")
        await seat.sees("treated otherwise: boot-trigger=never", "3.21 EUR")
