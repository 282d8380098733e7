"""The present picture: a snapshot and the events since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from cms.contract.alerts import AlertView, ShowAlert
from cms.contract.events import Event
from cms.contract.intents import IntentView
from cms.contract.sessions import SessionView, ShowSession
from cms.contract.stations import ShowStation, StationView
from cms.contract.tokens import ShowToken
from tests.tui.fake import NOON, connector, session, small_fleet, station
from tests.tui.troubles import alert
from tui.mirror import EVENTS_KEPT, Mirror
from tui.tellings import view_of


def mirror_of(*stations: StationView, sessions: tuple[SessionView, ...] = ()) -> Mirror:
    mirror = Mirror()
    mirror.load(stations, sessions=sessions)
    return mirror


def event(kind: str, station: str | None = "CP-1", session: str | None = None, **data: object) -> Event:
    number = event.count = getattr(event, "count", 0) + 1  # type: ignore[attr-defined]
    return Event(f"e{number}", NOON, kind, station, session, None, msgspec.to_builtins(data))


def faulted(evse: int = 2) -> Event:
    return event("connector.status", evse=evse, connector=1, status="faulted", error_code="GroundFailure",
                 info="31 mA", reported_at=NOON)  # fmt: skip


def picture(mirror: Mirror) -> tuple[object, ...]:
    return (
        dict(mirror.stations),
        dict(mirror.sessions),
        +mirror.connectors,
        mirror.online,
        mirror.power_w,
        set(mirror.active),
        dict(mirror.alerts),
    )


def test_a_connector_report_changes_its_connector_alone() -> None:
    mirror = mirror_of(station("CP-1"))
    changed = mirror.apply(faulted())
    assert ("station", "CP-1") in changed
    one, two = mirror.stations["CP-1"].connectors
    assert (one.status, two.status, two.error_code) == ("available", "faulted", "GroundFailure")
    assert mirror.connectors["available"] == 1
    assert mirror.connectors["faulted"] == 1


def test_an_event_seen_twice_changes_nothing_more() -> None:
    mirror = mirror_of(station("CP-1"), sessions=(session("s1", "CP-1"),))
    happenings = [
        faulted(),
        event("station.disconnected", reason="gone"),
        event("station.connected", ocpp_version="2.0.1", address="10.0.0.1"),
        event("session.metered", session="s1", energy_wh=12_000, power_w=7_000, at=NOON),
    ]
    for each in happenings:
        mirror.apply(each)
    once = picture(mirror)
    for each in happenings:
        mirror.apply(each)
    assert picture(mirror) == once
    assert len(mirror.events) == 4


def test_connectors_of_a_station_that_is_gone_count_as_offline() -> None:
    mirror = mirror_of(station("CP-1"), station("CP-2"))
    mirror.apply(event("station.disconnected", reason="gone"))
    assert mirror.online == 1
    assert +mirror.connectors == {"offline": 2, "available": 2}
    mirror.apply(event("station.connected", ocpp_version="1.6", address="10.0.0.1"))
    assert mirror.online == 2
    assert +mirror.connectors == {"available": 4}


def test_a_late_report_is_history_and_changes_no_live_picture() -> None:
    mirror = mirror_of(station("CP-1"))
    late = faulted()
    late.data["late"] = True
    mirror.apply(late)
    assert mirror.stations["CP-1"].connectors[1].status == "available"


def test_a_new_connector_appears_in_order() -> None:
    mirror = mirror_of(station("CP-1", connectors=(connector(2),)))
    mirror.apply(event("connector.status", evse=1, connector=1, status="available", reported_at=NOON))
    assert [c.evse for c in mirror.stations["CP-1"].connectors] == [1, 2]


def test_the_station_itself_is_a_connector_only_while_it_says_something() -> None:
    mirror = mirror_of(station("CP-1"))
    mirror.apply(event("connector.status", evse=0, connector=0, status="unavailable", reported_at=NOON))
    assert mirror.stations["CP-1"].connectors[0].evse == 0
    assert +mirror.connectors == {"available": 2}
    mirror.apply(event("connector.status", evse=0, connector=0, status="available", reported_at=NOON))
    assert [c.evse for c in mirror.stations["CP-1"].connectors] == [1, 2]


def test_a_session_is_seen_on_its_connector_and_leaves_it_when_it_ends() -> None:
    mirror = mirror_of(station("CP-1"))
    begun = session("s1", "CP-1", evse=2)
    mirror.apply(_session_event("started", begun))
    assert mirror.stations["CP-1"].connectors[1].session == "s1"
    assert mirror.power_w == 21_700
    ended = replace(begun, status="ended", ended_at=NOON, power_w=None, stop_reason="Local")
    mirror.apply(_session_event("ended", ended))
    assert mirror.stations["CP-1"].connectors[1].session is None
    assert mirror.power_w == 0
    assert mirror.active == set()
    assert mirror.sessions["s1"].stop_reason == "Local"


def _session_event(what: str, view: SessionView) -> Event:
    made = event(f"session.{what}", view.station, view.id)
    return replace(made, data={"session": msgspec.to_builtins(view)})


def test_meter_values_move_energy_power_and_the_curve() -> None:
    mirror = mirror_of(station("CP-1"), sessions=(session("s1", "CP-1"),))
    mirror.energy_today_wh = 100
    later = NOON + timedelta(minutes=1)
    changed = mirror.apply(
        event("session.metered", session="s1", energy_wh=11_900, power_w=30_000, soc_percent=64.0, at=later)
    )
    assert {("session", "s1"), ("station", "CP-1")} <= changed
    assert mirror.sessions["s1"].energy_wh == 11_900
    assert mirror.stations["CP-1"].connectors[0].power_w == 30_000
    assert mirror.power_w == 30_000
    assert mirror.energy_today_wh == 600
    assert mirror.power["s1"][-1] == (later, 30_000)


def test_what_a_session_costs_moves_with_its_meter_values_and_stays_where_they_say_nothing() -> None:
    mirror = mirror_of(station("CP-1"), sessions=(session("s1", "CP-1"),))
    cost = {"amount": "1.20", "currency": "EUR"}
    mirror.apply(event("session.metered", session="s1", energy_wh=4_000, cost=cost))
    mirror.apply(event("session.metered", session="s1", energy_wh=4_100))
    assert mirror.sessions["s1"].cost == cost


@pytest.mark.parametrize(
    ("happened", "wanted"),
    [
        (event("station.enrolled", "CP-7"), ShowStation("CP-7")),
        (event("station.changed", "CP-7", site="Ulm"), ShowStation("CP-7")),
        (event("station.connected", "CP-7", ocpp_version="1.6"), ShowStation("CP-7")),
        (event("session.metered", "CP-7", "s9", energy_wh=1), ShowSession("s9")),
        (event("session.flagged", "CP-7", "s9", flags=["x"]), ShowSession("s9")),
        (replace(event("session.changed", "CP-7", "s9"), data={"session": "s9"}), ShowSession("s9")),
        (replace(event("session.changed", "CP-7", "s9"), data={"session": {"id": "s9"}}), ShowSession("s9")),
        (event("token.changed", None, token="T1", status="blocked"), ShowToken("T1")),
        (event("alert.raised", None, alert="A1"), ShowAlert("A1")),
        (event("alert.changed", None, alert={"id": "A1", "since": "yesterday"}), ShowAlert("A1")),
    ],
)
def test_what_an_event_does_not_carry_is_read_again(happened: Event, wanted: object) -> None:
    mirror = Mirror()
    mirror.apply(happened)
    assert mirror.wanted == {wanted}


@pytest.mark.parametrize(
    "happened",
    [
        event("connector.status", evse="two", connector=1, status="faulted"),
        event("connector.status", evse=1, connector=1, status="faulted", reported_at="at noon"),
        event("session.metered", session="s1", energy_wh="much"),
        event("session.flagged", session="s1", flags=7),
    ],
)
def test_what_an_event_tells_in_a_form_that_is_none_of_ours_is_read_again(happened: Event) -> None:
    mirror = mirror_of(station("CP-1"), sessions=(session("s1", "CP-1"),))
    before = picture(mirror)
    mirror.apply(happened)
    assert picture(mirror) == before
    assert ShowStation("CP-1") in mirror.wanted


def test_an_alert_that_is_told_of_by_its_id_alone_is_over_at_its_end_too() -> None:
    mirror = mirror_of(station("CP-1"))
    one = alert("connector.faulted", "critical", "CP-1 c2", "faulted", NOON, station="CP-1")
    mirror.apply(raised(one))
    mirror.apply(event("alert.ended", None, alert=one.id))
    assert mirror.alerts == {}
    mirror.put(replace(one, ended_at=NOON))
    assert mirror.alerts == {}, "read again when it was over"
    assert mirror.gone(ShowAlert(one.id)) == {("alert", one.id)}


def test_what_is_gone_when_it_is_read_again_leaves_the_picture() -> None:
    mirror = mirror_of(station("CP-1"))
    assert mirror.gone(ShowStation("CP-1")) == {("station", "CP-1")}
    assert mirror.stations == {}
    assert mirror.online == 0
    assert not +mirror.connectors


def test_a_fresh_reading_tells_only_what_differs() -> None:
    mirror = mirror_of(station("CP-1"), station("CP-2"))
    changed = mirror.load([station("CP-1"), station("CP-2", online=False), station("CP-3")])
    assert changed == {("daemon", ""), ("station", "CP-2"), ("station", "CP-3")}
    assert mirror.online == 2


def test_a_fresh_reading_forgets_what_is_not_there_any_more() -> None:
    mirror = mirror_of(station("CP-1"), station("CP-2"), sessions=(session("s1", "CP-1"),))
    changed = mirror.load([station("CP-2")])
    assert ("station", "CP-1") in changed
    assert ("session", "s1") in changed
    assert mirror.power_w == 0
    assert list(mirror.stations) == ["CP-2"]


def test_an_answer_that_was_overtaken_by_its_effect_is_ignored() -> None:
    mirror = Mirror()
    sent = IntentView("i1", "CP-1", "reset", "sent", "anna", None, NOON, None, None, None, None)
    mirror.put(replace(sent, status="confirmed"))
    mirror.put(replace(sent, status="accepted"))
    assert mirror.intents["i1"].status == "confirmed"


def raised(one: AlertView, word: str = "raised") -> Event:
    return event(f"alert.{word}", one.station or "", alert=msgspec.to_builtins(one))


def test_what_needs_a_person_is_the_gravest_first_and_the_latest_of_them_first() -> None:
    mirror = mirror_of(station("CP-1"))
    old, new = NOON - timedelta(hours=2), NOON
    for one in (
        alert("session.flagged", "info", "session s2", "gap", new),
        alert("station.offline", "warning", "CP-2", "lost its link", old, station="CP-2"),
        alert("boot.pending", "warning", "CP-3", "its boot was answered pending", new, station="CP-3"),
        alert("connector.faulted", "critical", "CP-1 c2", "faulted", old, station="CP-1"),
    ):
        assert ("alert", one.id) in mirror.apply(raised(one))
    assert [one.what for one in mirror.attention()] == ["CP-1 c2", "CP-3", "CP-2", "session s2"]
    assert (mirror.severities["critical"], mirror.severities["warning"]) == (1, 2)


def test_what_is_muted_is_not_counted_and_what_is_over_is_gone() -> None:
    mirror = mirror_of(station("CP-1"))
    one = alert("connector.faulted", "critical", "CP-1 c2", "faulted", NOON, station="CP-1")
    mirror.apply(raised(one))
    mirror.apply(raised(replace(one, state="muted", by="anna"), "changed"))
    assert mirror.attention() == [] and mirror.severities["critical"] == 0
    assert list(mirror.alerts) == [one.id]
    mirror.apply(raised(one, "ended"))
    assert mirror.alerts == {} and mirror.severities["critical"] == 0


def test_what_came_and_went_while_nobody_pressed_a_key_is_counted_until_it_is_read() -> None:
    mirror = mirror_of(station("CP-1"))
    mirror.away.key(NOON)
    mirror.away.happened(NOON + timedelta(minutes=1), "alert.raised", "a")
    mirror.away.happened(NOON + timedelta(minutes=2), "alert.raised", "b")
    mirror.away.happened(NOON + timedelta(minutes=3), "alert.ended", "b")
    mirror.away.key(NOON + timedelta(minutes=5))
    assert mirror.away.line().startswith("1 new, 1 over since ")
    mirror.away.read()
    assert mirror.away.line() == ""


def test_a_stranger_that_is_enrolled_is_no_stranger() -> None:
    mirror = Mirror()
    mirror.apply(
        event("station.unknown", "X", address="10.0.0.9", protocols=["ocpp1.6"], reason="not enrolled")
    )
    assert mirror.strangers["X"].knocks == 1
    mirror.apply(event("station.enrolled", "X"))
    assert mirror.strangers == {}
    assert mirror.attention() == []


def test_a_daemon_that_started_anew_makes_the_picture_stale() -> None:
    mirror = mirror_of(station("CP-1"))
    mirror.apply(event("daemon.started", None, version="2"))
    assert mirror.stale


def test_only_so_many_events_are_kept() -> None:
    mirror = Mirror()
    for number in range(EVENTS_KEPT + 10):
        mirror.apply(Event(f"x{number}", NOON, "station.security", "CP-1"))
    assert len(mirror.events) == EVENTS_KEPT
    assert next(iter(mirror.events)) == "x10"


def test_a_view_of_a_newer_daemon_is_read_without_what_we_do_not_know() -> None:
    said = {**msgspec.to_builtins(session("s1", "CP-1")), "colour": "blue"}
    assert view_of(SessionView, said) == session("s1", "CP-1")


def test_a_connector_that_is_only_called_occupied_shows_what_its_session_does() -> None:
    mirror = mirror_of(station("CP-1", connectors=(connector(1, "occupied"),)))
    begun = session("s1", "CP-1")
    changed = mirror.apply(_session_event("started", begun))
    assert ("station", "CP-1") in changed
    assert mirror.stations["CP-1"].connectors[0].status == "charging"
    assert +mirror.connectors == {"charging": 1}
    mirror.apply(_session_event("changed", replace(begun, status="suspended")))
    assert mirror.stations["CP-1"].connectors[0].status == "suspended-ev"
    mirror.apply(_session_event("ended", replace(begun, status="ended", ended_at=NOON)))
    assert mirror.stations["CP-1"].connectors[0].status == "occupied"


def test_power_over_time_begins_in_the_record_and_goes_on_with_events() -> None:
    daemon = small_fleet()
    daemon.meter("88140", 12_000, 30_000)
    mirror = Mirror()
    mirror.load(daemon.stations.values(), sessions=daemon.sessions.values(), metered=daemon.log[-1:])
    assert mirror.trend.samples[-1][1] == mirror.power_w
    assert mirror.power["88140"][-1][1] == 30_000
    daemon.now += timedelta(minutes=1)
    mirror.apply(daemon.happen("session.metered", "CP-0042", "88140", energy_wh=12_500, power_w=0))
    assert mirror.trend.samples[-1] == (daemon.now, mirror.power_w)
