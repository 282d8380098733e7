"""What a technician does at the console, from opening it to seeing a reset confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cms.contract.refusals import Unreachable
from cms.contract.sessions import StartSession, StopSession
from cms.contract.stations import (
    ChangeAvailability,
    ListStations,
    OrderTerms,
    ResetStation,
    TriggerMessage,
    UnlockConnector,
)
from tests.tui.fake import NOON, FakeDaemon, connector, frame, session, small_fleet, station
from tests.tui.seat import Seat, seated
from tui.app import CmsApp
from tui.widgets.live_table import LiveTable


def orders(daemon: FakeDaemon) -> list[OrderTerms]:
    """The orders that were given for good."""
    return [r for r in daemon.asked if isinstance(r, OrderTerms) and not r.dry_run]


async def at_station(seat: Seat, key: str = "CP-0042") -> None:
    await seat.press("colon")
    await seat.type(key)
    await seat.press("enter")
    await seat.sees(f"▸ {key}")


async def test_the_overview_says_what_needs_a_person_first() -> None:
    async with seated(small_fleet()) as seat:
        await seat.sees("Needs attention · 5", "CP-0042 c2", "GroundFailure", "lost its link", "CP-9999")
        assert "Stations 8 ●7 ⊘1" in seat.text
        assert "Power 64.8 kW" in seat.text


async def test_a_line_that_needs_attention_opens_what_it_speaks_of() -> None:
    async with seated(small_fleet()) as seat:
        await seat.sees("CP-0042 c2")
        await seat.press("enter")
        await seat.sees("cms ▸ Stations ▸ CP-0042", "Frames", "StatusNotification")
        await seat.press("escape")
        await seat.sees("Needs attention")


async def test_a_technician_filters_opens_and_comes_back_to_the_same_place() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2")
        await seat.sees("CP-0018", "CP-0081")
        await seat.press("slash")
        await seat.type("site~ulm")
        await seat.press("enter")
        await seat.sees("/ site~ulm", "2 of 8")
        assert "CP-0042" not in seat.text
        await seat.press("j", "enter")
        await seat.sees("Stations ▸ CP-0074")
        await seat.press("q")
        await seat.sees("/ site~ulm", "2 of 8")
        assert seat.app.screen.query_one("#list", LiveTable).cursor_id == "CP-0074"
        await seat.press("escape")
        await seat.sees("CP-0042")


async def test_a_wrong_filter_says_where_and_changes_nothing() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2", "slash")
        await seat.type("site~ulm and (")
        await seat.press("enter")
        await seat.hears("column")
        await seat.sees("CP-0042")


async def test_stations_sort_by_power_when_asked() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2", "s", "p")
        await seat.sees("sort power↓")
        assert "CP-0018" in seat.lines[3]
        assert "CP-0042" in seat.lines[4]
        await seat.press("s", "p")
        await seat.sees("sort power↑")
        assert "CP-0018" in seat.lines[10]


async def test_changes_appear_without_asking_again() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0025")
        asked = len(daemon.asked)
        daemon.report("CP-0025", 1, "faulted", "OverVoltage")
        await seat.sees("c1 OverVoltage")
        daemon.drop("CP-0018")
        await seat.until(lambda: seat.text.count("offline") == 2)
        assert len(daemon.asked) == asked


async def test_a_station_that_is_enrolled_is_read_once_and_shown() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0025")
        daemon.stations["CP-0500"] = station("CP-0500", site="Kiel")
        daemon.happen("station.enrolled", "CP-0500")
        await seat.sees("CP-0500", "Kiel")


async def test_a_list_catches_up_with_what_changed_while_another_place_was_shown() -> None:
    daemon = small_fleet()
    async with seated(daemon, rest_s=60.0) as seat:
        await seat.press("2")
        await seat.sees("CP-0025")
        await seat.press("1")
        await seat.sees("Needs attention")
        daemon.stations["AA-1"] = station("AA-1")
        daemon.happen("station.enrolled", "AA-1")
        daemon.report("CP-0025", 1, "faulted", "OverVoltage")
        await seat.sees("Needs attention · 6")
        await seat.press("2")
        await seat.sees("AA-1", "c1 OverVoltage")


async def test_rows_do_not_move_while_keys_are_pressed() -> None:
    daemon = small_fleet()
    async with seated(daemon, rest_s=60.0) as seat:
        await seat.press("2")
        await seat.sees("CP-0025")
        await seat.press("j")
        daemon.stations["AA-1"] = station("AA-1")
        daemon.happen("station.enrolled", "AA-1")
        daemon.report("CP-0018", 1, "finishing")
        await seat.sees("finishing")
        assert "AA-1" not in seat.text
        assert seat.app.screen.query_one("#list", LiveTable).cursor == 1


async def test_the_frames_of_the_station_come_live() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.sees("Heartbeat", "MeterValues")
        daemon.say("CP-0042", frame(9, "FirmwareStatusNotification", '{"status":"Idle"}'))
        await seat.sees("FirmwareStatusNotification", "Idle")
        await seat.press("tab")
        await seat.until(lambda: seat.app.focused is not None and seat.app.focused.id == "frames")
        await seat.press("enter")
        await seat.sees("from the station", '"status": "Idle"')


async def test_a_frame_between_the_list_and_the_stream_is_not_missed() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.sees("MeterValues")
        daemon.frames["CP-0042"].append(frame(7, "DataTransfer"))
        daemon.say("CP-0042", frame(8, "BootNotification"))
        await seat.sees("DataTransfer", "BootNotification")


async def test_a_reset_says_what_will_happen_and_is_followed_until_the_station_is_back() -> None:
    daemon = small_fleet()
    daemon.level, daemon.impact = 2, "ends 1 running session: EVSE 1, 04A2BC9F, 11.4 kWh; the station reboots"
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("R")
        await seat.sees(
            "Reset CP-0042 soft?", "ends 1 running session", "cms stations reset CP-0042 --kind soft"
        )
        assert orders(daemon) == []
        await seat.press("h")
        await seat.sees("Reset CP-0042 hard?", "--kind hard")
        await seat.press("y")
        await seat.hears("reset CP-0042: accepted · waits for its boot")
        assert orders(daemon) == [ResetStation(station="CP-0042", kind="hard")]
        daemon.drop("CP-0042")
        await seat.sees("offline <1m")
        back = NOON + timedelta(seconds=71)
        daemon.progress("i1", "confirmed", confirmed_at=back, detail="it booted again")
        await seat.hears("✔ reset CP-0042: confirmed after 71 s · it booted again")
        await seat.sees("reset by anna: confirmed")


async def test_no_is_the_default_and_no_other_key_acts() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_station(seat)
        for answer in ("n", "escape", "q"):
            await seat.press("R")
            await seat.sees("Reset CP-0042")
            await seat.press("enter", "space", "2", "U")
            await seat.press(answer)
            await seat.hears("nothing was done")
        assert orders(daemon) == []
        await seat.sees("▸ CP-0042")


async def test_yes_before_the_daemon_has_said_what_would_happen_does_nothing() -> None:
    daemon = small_fleet()
    daemon.refuse = Unreachable("CP-0042 is offline since 11:58", "queue it: cms stations reset --queue 2h")
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("R", "y")
        await seat.sees("CP-0042 is offline since 11:58", "--queue 2h")
        await seat.press("y", "n")
        assert orders(daemon) == []


async def test_a_refused_order_says_why() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("R")
        await seat.sees("[y]es")
        daemon.refuse = Unreachable("CP-0042 did not answer Reset within 30 s")
        await seat.press("y")
        await seat.hears("✖ reset CP-0042: CP-0042 did not answer Reset within 30 s")


async def test_when_idle_and_a_reason_go_with_the_order() -> None:
    daemon = small_fleet()
    daemon.level = 2
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("R")
        await seat.sees("[w]hen idle")
        await seat.press("w")
        await seat.sees("when it is idle?", "[y]es")
        await seat.press("r")
        await seat.type("stuck")
        await seat.press("enter")
        await seat.sees("reason: stuck", "[y]es")
        await seat.press("y")
        await seat.hears("accepted")
        assert orders(daemon) == [ResetStation(station="CP-0042", when_idle=True, reason="stuck")]


async def test_the_gravest_orders_want_the_id_typed() -> None:
    daemon = small_fleet()
    daemon.level = 3
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("R")
        await seat.sees("type its id")
        await seat.press("y")
        await seat.sees("type CP-0042:")
        await seat.type("CP-0024")
        await seat.press("enter")
        await seat.hears("nothing was done")
        assert orders(daemon) == []
        await seat.press("y")
        await seat.type("CP-0042")
        await seat.press("enter")
        await seat.hears("accepted")
        assert len(orders(daemon)) == 1


async def test_an_order_without_danger_is_given_at_once() -> None:
    daemon = small_fleet()
    daemon.level = 0
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("T")
        await seat.hears("trigger CP-0042")
        await seat.until(lambda: len(orders(daemon)) == 1)


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["U", "2", "y"], UnlockConnector(station="CP-0042", evse=2, connector=1)),
        (["X", "y"], StopSession(session="88140")),
        (
            ["A", "0", "y"],
            ChangeAvailability(station="CP-0042", availability="inoperative"),
        ),
        (
            ["A", "o", "2", "y"],
            ChangeAvailability(station="CP-0042", availability="operative", evse=2, connector=1),
        ),
        (
            ["T", "0", "h", "y"],
            TriggerMessage(station="CP-0042", message="Heartbeat"),
        ),
    ],
)
async def test_each_act_asks_for_its_order(keys: list[str], order: OrderTerms) -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_station(seat)
        for key in keys:
            if key == "y":
                await seat.sees("[y]es")
            await seat.press(key)
        await seat.until(lambda: orders(daemon) == [order])


async def test_a_start_asks_for_the_token_and_tab_completes_it() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await at_station(seat)
        await seat.press("S")
        await seat.sees("token:")
        await seat.type("04")
        await seat.press("tab", "enter")
        await seat.sees("Start a session at CP-0042 c1 for 04A2BC9F?", "[y]es")
        await seat.press("y")
        expected = StartSession(station="CP-0042", token="04A2BC9F", evse=1, connector=1)
        await seat.until(lambda: orders(daemon) == [expected])


async def test_stopping_where_nothing_runs_says_so() -> None:
    async with seated(small_fleet()) as seat:
        await at_station(seat, "CP-0025")
        await seat.press("X")
        await seat.hears("no single session is running here")


async def test_a_lost_daemon_dims_the_picture_turns_acts_off_and_comes_back_without_a_gap() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2", "j", "j")
        await seat.sees("CP-0042")
        daemon.die()
        await seat.sees("○ link lost", "acts are off · ^R tries now: no daemon answers")
        await seat.press("R")
        await seat.hears("the daemon is gone: acts are off")
        daemon.report("CP-0025", 1, "faulted", "OverVoltage")
        daemon.return_()
        await seat.sees("● live", "c1 OverVoltage")
        await seat.hears("nothing was missed")
        assert "link lost" not in seat.text
        assert seat.app.screen.query_one("#list", LiveTable).cursor == 2
        kinds = [event.type for event in seat.app.mirror.events.values()]
        assert kinds[-2:] == ["connector.status", "alert.raised"]
        assert len(kinds) == len(daemon.log)


async def test_a_daemon_that_starts_anew_is_read_as_a_whole() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("7 online")
        daemon.stations = {k: replace(s, online=False, connected_at=None) for k, s in daemon.stations.items()}
        daemon.happen("daemon.started", version="2")
        await seat.sees("0 online")
        assert sum(isinstance(r, ListStations) for r in daemon.asked) == 2


async def test_the_console_waits_for_a_daemon_that_is_not_there_yet() -> None:
    from tests.tui.seat import console

    daemon = small_fleet()
    daemon.up = False
    app = console(daemon)
    async with app.run_test(size=(80, 24)) as pilot:
        seat = Seat(app, pilot, daemon)
        await seat.sees("○ connecting", "no daemon answers")
        daemon.up = True
        await seat.sees("● live", "CP-0042 c2")


async def test_pause_holds_the_picture_and_loses_nothing() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("CP-0025")
        await seat.press("p")
        await seat.sees("‖ paused")
        daemon.report("CP-0025", 1, "faulted", "OverVoltage")
        await seat.until(lambda: seat.app.mirror.stations["CP-0025"].connectors[0].status == "faulted")
        assert "OverVoltage" not in seat.text
        await seat.press("p")
        await seat.sees("c1 OverVoltage")


async def test_sessions_run_and_then_are_past() -> None:
    daemon = small_fleet()
    async with seated(daemon, size=(120, 30)) as seat:
        await seat.press("3")
        await seat.sees("88140", "CP-0042/1", "21.7", "regis")
        assert "88120" not in seat.text
        daemon.meter("88140", 12_900, 33_300)
        await seat.sees("33.3", "12.9")
        ended = replace(daemon.sessions["88140"], status="ended", ended_at=NOON, power_w=None)
        daemon.sessions["88140"] = ended
        daemon.happen("session.ended", "CP-0042", "88140", session=ended)
        await seat.loses("88140")
        await seat.press("H")
        await seat.sees("Sessions ▸ past", "88140", "88120")


async def test_a_session_tells_its_story() -> None:
    daemon = small_fleet()
    daemon.happen("session.flagged", "CP-0042", "88140", flags=["odd"])
    async with seated(daemon) as seat:
        await seat.press("3")
        await seat.sees("88140")
        await seat.press("enter")
        await seat.sees(
            "Sessions ▸ 88140", "meter 1,000 Wh", "begins at CP-0042", "odd about it: odd", "draws"
        )
        daemon.meter("88140", 12_900, 33_300)
        await seat.sees("12.9 kWh", "33.3 kW")


async def test_events_follow_the_latest_and_can_be_filtered() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.press("7", "tab")
        await seat.sees("token.presented", "following")
        daemon.happen("station.security", "CP-0042", kind="TamperDetection")
        await seat.sees("TamperDetection")
        await seat.press("slash")
        await seat.type("type=station.security")
        await seat.press("enter")
        await seat.loses("token.presented")
        await seat.press("enter")
        await seat.sees('"type": "station.security"')


async def test_help_shows_the_keys_of_the_place() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("2", "question_mark")
        await seat.sees("SCREENS", "half a page down")
        await seat.press("G")
        await seat.sees("SIGNS")
        await seat.press("q")
        await seat.sees("cms ▸ Stations")


async def test_the_command_line_goes_to_screens_ids_and_acts() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("colon")
        await seat.type("sess")
        await seat.hears("sessions")
        await seat.press("tab", "enter")
        await seat.sees("Sessions ▸ running")
        await seat.press("colon")
        await seat.type("nonsense")
        await seat.press("enter")
        await seat.hears("no command, station or session is called nonsense")
        await at_station(seat)
        await seat.press("colon")
        await seat.type("reset")
        await seat.press("enter")
        await seat.sees("Reset CP-0042 soft?")


async def test_the_line_that_does_the_same_can_be_copied() -> None:
    async with seated(small_fleet()) as seat:
        await at_station(seat)
        await seat.press("R")
        await seat.sees("[c]opy")
        await seat.press("c")
        await seat.hears("copied: cms stations reset CP-0042 --kind soft")
        assert seat.app.clipboard == "cms stations reset CP-0042 --kind soft"


async def test_ten_thousand_stations_are_a_list_like_any_other() -> None:
    daemon = FakeDaemon()
    for number in range(10_000):
        key = f"CP-{number:05d}"
        daemon.stations[key] = station(key, connectors=(connector(1),))
    daemon.sessions["s1"] = session("s1", "CP-09999")
    async with seated(daemon) as seat:
        await seat.press("2")
        await seat.sees("10,000", "CP-00000")
        await seat.press("G")
        await seat.sees("CP-09999", "21.7")
        daemon.report("CP-09998", 1, "faulted", "OverVoltage")
        await seat.sees("c1 OverVoltage")


async def test_todays_energy_begins_anew_at_midnight() -> None:
    daemon = small_fleet()
    async with seated(daemon) as seat:
        await seat.sees("Today 31.2 kWh")
        daemon.energy_today_wh = 40
        daemon.now = NOON + timedelta(hours=12)
        daemon.happen("station.security", "CP-0018", kind="x")
        await seat.sees("Today 40 Wh")


async def test_a_wide_overview_shows_power_over_time_and_the_sessions_that_run() -> None:
    daemon = small_fleet()
    async with seated(daemon, (160, 48)) as seat:
        await seat.sees("Power of all sessions", "80 kW┤", "Running sessions · 3", "Latest events")
        daemon.now += timedelta(minutes=1)
        daemon.meter("88140", 12_000, 30_100)
        await seat.sees("30.1")
        await seat.press("tab", "enter")
        await seat.sees("Sessions ▸ 881")


async def test_what_needs_a_person_grows_with_what_there_is() -> None:
    daemon = small_fleet()
    async with seated(daemon, (120, 40)) as seat:
        await seat.sees("Needs attention · 5")
        for key in ("CP-0018", "CP-0025", "CP-0060"):
            daemon.drop(key)
        await seat.sees("Needs attention · 8", "CP-0018 ", "CP-9999")


async def test_an_overview_finds_its_shape_again_when_the_terminal_changes() -> None:
    async with seated(small_fleet(), (160, 48)) as seat:
        await seat.sees("Running sessions")
        await seat.pilot.resize_terminal(80, 24)
        await seat.loses("Running sessions")
        await seat.sees("Latest events", "GroundFailure")
        await seat.pilot.resize_terminal(44, 20)
        await seat.sees("Needs attention · 5", "lost")
        await seat.pilot.resize_terminal(120, 30)
        await seat.sees("Running sessions", "Latest events")


async def test_a_long_line_of_a_sheet_is_read_to_its_end() -> None:
    async with seated(small_fleet(), (44, 20)) as seat:
        seat.app.travel.open_paper("Long", ["x" * 100 + " the end", "", "充電" * 30 + "!"])
        await seat.sees("the end", "電!")
        await seat.pilot.resize_terminal(160, 20)
        await seat.sees("x" * 100 + " the end")


async def test_ctrl_c_does_not_leave_a_console_to_live_in_but_ends_a_demonstration() -> None:
    async with seated(small_fleet()) as seat:
        await seat.press("ctrl+c")
        await seat.hears("^Q quits")
        assert seat.app.is_running
    demo = CmsApp(FakeDaemon(), ctrl_c_ends=True)
    async with demo.run_test() as pilot:
        await pilot.press("ctrl+c")
    assert demo.return_code == 0
