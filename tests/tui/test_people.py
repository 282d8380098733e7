"""Drivers and unknown cards in the console."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cms.contract.drivers import DriverNote, DriverView, ListDrivers, ShowDriver, SuspendDriver
from cms.contract.refusals import Conflict
from cms.contract.tokens import EnrolCard, LearnToken, ListUnknownCards, UnknownCardView
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated
from tui import words
from tui.widgets.live_table import LiveTable

CARD = "04B7D011"


def a_driver(name: str) -> DriverView:
    return DriverView(
        "ada", "active", name, None, None, None, None, None, None, False, ("staff",), "en", (CARD,), NOON
    )


def with_people() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListDrivers] = [a_driver("Ada [/] \x1b[2JLovelace")]
    daemon.shelf[ListUnknownCards] = [UnknownCardView(CARD, "rfid", "CP-0018", 1, NOON, NOON, 3)]
    for act in (SuspendDriver, EnrolCard, LearnToken):
        daemon.refusing[act] = Conflict("not today")
    return daemon


def asked(daemon: FakeDaemon, kind: type[object]) -> list[object]:
    return [request for request in daemon.asked if isinstance(request, kind)]


async def test_a_driver_is_suspended_in_his_book_with_a_reason() -> None:
    daemon = with_people()
    async with seated(daemon) as seat:
        seat.app.travel.open_book("drivers", None)
        await seat.sees("ada", "active", "Ada [/]", "staff")
        await seat.press("S")
        await seat.type("unpaid bills")
        await seat.press("enter")
        await seat.sees("are refused until he is resumed", "cms drivers suspend ada --reason 'unpaid bills'")
        await seat.press("y")
        await seat.until(lambda: asked(daemon, SuspendDriver) == [SuspendDriver("ada", "unpaid bills")])


async def test_an_unknown_card_is_enrolled_and_another_learned_at_its_station() -> None:
    daemon = with_people()
    async with seated(daemon) as seat:
        seat.app.travel.open_book("unknown-cards", None)
        await seat.sees(CARD, "CP-0018", "rfid")
        await seat.press("E")
        await seat.type("ada")
        await seat.press("enter")
        await seat.sees(f"cms tokens enrol {CARD} --driver ada")
        await seat.press("y")
        await seat.until(lambda: asked(daemon, EnrolCard) == [EnrolCard(CARD, driver="ada")])
        await seat.press("L")
        await seat.sees("cms tokens learn --station CP-0018 --yes")
        await seat.press("y")
        await seat.until(lambda: asked(daemon, LearnToken) == [LearnToken("CP-0018", enrol=True)])


async def test_a_driver_is_opened_with_what_was_written_about_him() -> None:
    daemon = with_people()
    noted = replace(a_driver("Ada"), notes=(DriverNote(NOON, "root", "lost her card"),))
    daemon.shown[ShowDriver] = noted
    async with seated(daemon) as seat:
        seat.app.travel.open_book("drivers", None)
        await seat.sees("ada", "active")
        await seat.press("enter")
        await seat.press("G")
        await seat.sees("lost her card")


async def test_unknown_cards_stand_with_the_latest_first_and_their_time_is_whole() -> None:
    daemon = with_people()
    later = UnknownCardView("0A", "rfid", "CP-0018", 1, NOON, NOON + timedelta(minutes=1), 3)
    daemon.shelf[ListUnknownCards].append(later)
    async with seated(daemon) as seat:
        seat.app.travel.open_book("unknown-cards", None)
        await seat.sees(CARD, words.minute(NOON))
        assert [key.split()[1] for key in seat.app.screen.query_one("#list", LiveTable).ids] == ["0A", CARD]
