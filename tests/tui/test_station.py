"""The page of a station: frames with their answers, its past, its notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cms.contract.jobs import JobStep, JobView, ListJobs
from cms.contract.stationnotes import AddStationNote, ListStationNotes, StationNote
from cms.contract.stations import Message
from tests.tui.fake import NOON, FakeDaemon, frame, small_fleet
from tests.tui.seat import seated
from tui.exchanges import Exchange, explained, paired, summary
from tui.screens.frames import Frames
from tui.screens.page import Page
from tui.widgets.live_table import LiveTable


def answer(to: Message, payload: str = "{}", **news: object) -> Message:
    direction = "out" if to.direction == "in" else "in"
    return replace(to, direction=direction, payload=payload, **{"kind": "result", **news})  # type: ignore[arg-type]


def one(frames: list[Message]) -> Exchange:
    (exchange,) = paired(frames)
    return exchange


def test_a_call_and_its_answer_are_one_exchange_and_ids_may_come_again() -> None:
    call = frame(1, "Authorize", '{"idTag": "CARD1"}', latency_ms=None)
    again = replace(call, at=call.at + timedelta(minutes=1))
    first, second = paired(
        [call, answer(call, '{"idTagInfo": {"status": "Accepted"}}', latency_ms=41.0), again]
    )
    assert summary(first) == "CARD1 → Accepted"
    assert (first.latency_ms, second.answer) == (41.0, None)


def test_an_answer_without_its_call_stands_alone_and_an_error_is_told() -> None:
    call = frame(1, "Reset", "{}", direction="out")
    assert one([answer(call)]).call is None
    failed = one([call, answer(call, "NotSupported: no", kind="error")])
    assert failed.failed
    assert summary(failed) == "NotSupported: no"


def test_what_a_schema_finds_and_how_usual_it_is_are_explained() -> None:
    calls = [frame(n, "Heartbeat", latency_ms=10.0, verdict="valid") for n in range(4)]
    odd = frame(9, "Heartbeat", latency_ms=90.0, verdict="unknown member x")
    others = paired([*calls, odd])
    told = "\n".join(explained(others[-1], others))
    assert "usual is 10 ms of 5" in told
    assert "schema: unknown member x" in told
    assert "5 of them are kept, 1 in trouble" in told


def a_job() -> JobView:
    steps = (JobStep(NOON, "Downloading"), JobStep(NOON + timedelta(minutes=6), "Installed"))
    return JobView(
        "CP-0042", 7, "firmware", "Installed", "done", None, NOON, "https://files/fw.bin", None, False,
        None, None, None, "2.1.2", "2.1.3", None, (), steps, (), "i9",
    )  # fmt: skip


def with_past() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListJobs] = [a_job()]
    daemon.shelf[ListStationNotes] = [StationNote(NOON, "ben", "key is with the guard\nask at gate 2")]
    daemon.shown[AddStationNote] = []
    daemon.happen("station.booted", "CP-0042", status="accepted")
    return daemon


async def test_tabs_show_frames_configuration_jobs_history_and_notes_by_keys_alone() -> None:
    daemon = with_past()
    async with seated(daemon) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("[Live]", "Heartbeat", "Anna K.", "session 88140")
        await seat.press("tab")
        await seat.sees("[Messages]", "MeterValues", "following", "d way", "f follow")
        await seat.press("tab")
        await seat.sees("[Configuration]", "L read")
        await seat.press("tab")
        await seat.sees(
            "[Firmware & logs]", "2.1.2 → 2.1.3", "✔ done", "0:06", "Downloading", "firmware 2.1.3"
        )
        await seat.press("enter")
        await seat.sees("https://files/fw.bin")
        await seat.press("escape", "tab")
        await seat.sees(
            "[History]", "24 h link", "station.booted", "c1 · Anna K. · 0:30 h · 11.4 kWh", "runs"
        )
        await seat.press("d")
        await seat.sees("sessions")
        await seat.loses("station.booted")
        await seat.press("enter")
        await seat.sees("Sessions ▸ 88140")
        await seat.press("escape", "tab")
        await seat.sees("[Notes]", "ben", "key is with the guard ask at gate 2")
        await seat.press("N")
        await seat.type("dog in the yard")
        await seat.press("enter")
        await seat.until(lambda: AddStationNote("CP-0042", "dog in the yard") in daemon.asked)
        assert seat.app.acting.last_cli == "cms stations note CP-0042 'dog in the yard'"
        await seat.press("right")
        await seat.sees("[Live]")


async def test_scrolled_up_what_comes_is_counted_and_one_way_can_be_looked_at_alone() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("Heartbeat")
        await seat.press("tab", "g")
        daemon.say("CP-0042", frame(20, "DataTransfer"), frame(21, "Reset", direction="out"))
        await seat.sees("2 unread: f follows")
        await seat.press("f")
        await seat.sees("following")
        page = seat.app.screen
        assert isinstance(page, Page)
        assert isinstance(page.panel, Frames)
        await seat.press("d", "d")
        await seat.sees("to the station")
        assert [
            page.panel.exchanges[key].first.action for key in page.query_one("#frames", LiveTable).ids
        ] == ["Reset"]
        await seat.press("slash")
        await seat.type("action=Heartbeat")
        await seat.press("enter")
        await seat.loses("Reset ")


async def test_the_page_is_whole_on_a_telephone_and_has_its_frame_beside_it_on_a_tall_screen() -> None:
    async with seated(small_fleet(), size=(44, 20)) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("[Live]", "charging", "21.7")
        await seat.press("tab")
        await seat.sees("[Messages]", "Heartbeat")
    async with seated(small_fleet(), size=(160, 48)) as seat:
        seat.app.travel.open_station("CP-0042")
        await seat.sees("Heartbeat")
        await seat.press("tab")
        await seat.sees("Under the cursor", "answered after 12.0 ms")
