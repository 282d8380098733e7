from __future__ import annotations

import pytest

from cms.domain import connectors, notices
from cms.domain.changes import SaveConnector, UpdateSession
from cms.domain.notices import BootTerms
from cms.domain.observations import (
    BootAnswer,
    Booted,
    ConnectorReported,
    EventsNotified,
    Noted,
    SecurityEventRaised,
)
from tests.domain.build import NOON, Desk, after, event, received, start, station


def reported(status: str, minutes: float, evse: int = 1, **more: str) -> ConnectorReported:
    return ConnectorReported(evse, 1, status, after(minutes), **more)


def test_a_boot_is_answered_by_the_stations_policy_and_its_identity_is_learned() -> None:
    for policy, interval in (("accepted", 300), ("pending", 60), ("rejected", 60)):
        seen = received(Booted("ABB", "Terra", "S1", "1.2", "PowerUp"), NOON, "2.0.1")
        decision = notices.boot(station(boot_policy=policy), seen, seen.observation, BootTerms())
        assert decision.answer == BootAnswer(policy, NOON, interval)
        assert (decision.state.station.vendor, decision.state.station.boot_status) == ("ABB", policy)


def test_a_boot_ends_no_session() -> None:
    desk = Desk()
    desk.tell(start())
    seen = received(Booted("ABB", "Terra"), after(1))
    assert notices.boot(desk.state, seen, seen.observation, BootTerms()).state.sessions == desk.state.sessions


def test_a_late_status_is_told_but_does_not_overwrite_a_newer_one() -> None:
    state = station()
    first = reported("charging", 5)
    state = notices.connector(state, received(first, after(5)), first).state
    late = reported("available", 1)
    decision = notices.connector(state, received(late, after(6)), late)
    assert not decision.changes and decision.events[0].data["late"]
    assert decision.state.connectors[1, 1].status == "charging"


def test_a_station_with_its_clock_in_the_future_can_still_report() -> None:
    ahead = reported("charging", 60 * 24 * 365)
    state = notices.connector(station(), received(ahead, NOON), ahead).state
    now = reported("available", 1)
    assert notices.connector(state, received(now, after(1)), now).state.connectors[1, 1].status == "available"


def test_a_fault_shows_its_code_and_no_error_clears_it() -> None:
    fault = reported("faulted", 1, error_code="GroundFailure", vendor_error_code="E7")
    state = notices.connector(station(), received(fault, after(1)), fault).state
    assert state.connectors[1, 1].error_code == "GroundFailure"
    fine = reported("available", 2, error_code="NoError")
    state = notices.connector(state, received(fine, after(2)), fine).state
    assert state.connectors[1, 1].error_code is None


def test_connector_zero_is_the_station_and_moves_no_other() -> None:
    whole = ConnectorReported(0, 0, "unavailable", NOON)
    (change,) = notices.connector(station(), received(whole), whole).changes
    assert isinstance(change, SaveConnector) and change.connector.evse == 0


def test_connectors_that_cannot_be_are_told_and_not_kept() -> None:
    state = station()
    for evse in (-3, *range(1, connectors.MOST + 9)):
        seen = reported("available", 1, evse)
        decision = notices.connector(state, received(seen, after(1)), seen)
        assert decision.answer == Noted() and decision.events
        state = decision.state
    assert len(state.connectors) == connectors.MOST
    assert (-3, 1) not in state.connectors


def test_a_16_connector_moves_its_session() -> None:
    desk = Desk()
    desk.tell(start())
    paused = reported("suspended-ev", 5)
    decision = notices.connector(desk.state, received(paused, after(5)), paused)
    assert [c.session.status for c in decision.changes if isinstance(c, UpdateSession)] == ["suspended"]


def test_a_connector_that_is_available_again_makes_its_session_suspect_not_lost() -> None:
    desk = Desk()
    desk.tell(start())
    gone = reported("available", 30)
    state = notices.connector(desk.state, received(gone, after(30)), gone).state
    (session,) = state.sessions.values()
    assert (session.status, session.flags) == ("suspect", ("no-stop",))


def test_an_available_connector_does_not_doubt_a_driver_who_has_not_plugged_in_yet() -> None:
    desk = Desk()
    desk.tell(event("started", 0, NOON, evse=1, connector=1), version="2.0.1")
    free = reported("available", 1)
    state = notices.connector(desk.state, received(free, after(1), "2.0.1"), free).state
    assert [s.status for s in state.sessions.values()] == ["pending"]


@pytest.mark.parametrize("available_first", [False, True])
def test_a_transaction_that_goes_on_over_an_unplugged_cable_is_not_suspect(available_first: bool) -> None:
    # 2.0.1 E10; stations tell the connector before or after the transaction.
    desk = Desk()
    desk.tell(event("started", 0, NOON, evse=1, connector=1, charging_state="Charging"), version="2.0.1")
    free = reported("available", 2)
    unplugged = event("updated", 1, after(2), trigger="EVCommunicationLost", charging_state="Idle")

    def tell_free() -> None:
        desk.state = notices.connector(desk.state, received(free, after(2), "2.0.1"), free).state

    if available_first:
        tell_free()
    desk.tell(unplugged, version="2.0.1")
    if not available_first:
        tell_free()
    assert [(s.status, s.flags) for s in desk.state.sessions.values()] == [("suspended", ())]


def test_notify_event_moves_connectors_like_a_status_notification() -> None:
    notified = EventsNotified("k", b"d", (), (reported("occupied", 1),))
    decision = notices.events(station(), received(notified, after(1), "2.1"), notified)
    assert decision.state.connectors[1, 1].status == "occupied"
    assert not notices.events(decision.state, received(notified, after(2), "2.1"), notified).changes


def test_a_security_event_is_told_once() -> None:
    raised = SecurityEventRaised("TamperDetectionActivated", NOON, None, b"x" * 16)
    first = notices.security(station(), received(raised), raised)
    assert [event.type for event in first.events] == ["station.security"]
    assert not notices.security(first.state, received(raised), raised).events
