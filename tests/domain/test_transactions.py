from __future__ import annotations

from decimal import Decimal

from cms.domain.changes import AddReading, OpenSession, Quarantine, UpdateSession
from cms.domain.observations import Metered, Reading, Sample, TokenRef
from cms.domain.sessions import Session
from tests.domain.build import NOON, Desk, after, event, received, register, start, station, stop


def only_session(desk: Desk) -> Session:
    (session,) = desk.state.sessions.values()
    return session


def last(decision: object, kind: type) -> Session:
    return [change for change in decision.changes if isinstance(change, kind)][-1].session  # type: ignore[attr-defined]


class TestOcpp16:
    def test_a_start_gets_a_number_and_an_open_session(self) -> None:
        desk = Desk()
        answer = desk.tell(start()).answer
        assert answer.token.status == "accepted" and answer.token.group == "GRP1"
        session = only_session(desk)
        assert session.transaction_id == answer.transaction_id and int(answer.transaction_id) > 0
        assert (session.status, session.meter_start_wh, session.started_at) == ("charging", 1000, NOON)

    def test_a_refused_token_still_gets_a_transaction_with_its_energy(self) -> None:
        desk = Desk()
        answer = desk.tell(start("NOBODY")).answer
        assert answer.token.status == "unknown" and answer.transaction_id
        ended = last(desk.tell(stop(answer.transaction_id, at=after(5))), UpdateSession)
        assert (ended.status, ended.energy_wh, ended.authorization) == ("ended", 5000, "unknown")

    def test_a_repeated_start_gets_the_same_number_and_nothing_new(self) -> None:
        desk = Desk()
        first = desk.tell(start())
        again = desk.tell(start(), running=1)
        assert again.answer == first.answer and not again.changes

    def test_a_start_repeated_after_the_stop_gets_the_same_number_and_stays_closed(self) -> None:
        desk = Desk()
        first = desk.tell(start())
        desk.tell(stop(first.answer.transaction_id, at=after(5)))
        assert desk.tell(start()).answer == first.answer
        assert not desk.state.sessions

    def test_the_same_start_from_a_clock_never_set_is_a_new_session_once_the_first_is_over(self) -> None:
        from datetime import UTC, datetime

        desk, lost = Desk(), datetime(1970, 1, 1, tzinfo=UTC)
        first = desk.tell(start(at=lost), at=NOON)
        desk.tell(stop(first.answer.transaction_id, at=after(5)))
        second = desk.tell(start(at=lost), at=after(10))
        assert second.answer.transaction_id != first.answer.transaction_id
        assert "station-clock" in only_session(desk).flags

    def test_another_time_is_another_transaction(self) -> None:
        desk = Desk()
        first = desk.tell(start()).answer.transaction_id
        desk.tell(stop(first, at=after(1)))
        assert desk.tell(start(at=after(2))).answer.transaction_id != first

    def test_a_duplicate_stop_is_answered_and_a_contradicting_one_is_kept_for_a_person(self) -> None:
        desk = Desk()
        number = desk.tell(start()).answer.transaction_id
        first = desk.tell(stop(number, 6000, after(5), token=TokenRef("CARD1")))
        assert not desk.tell(stop(number, 6000, after(5), token=TokenRef("CARD1"))).changes
        other = desk.tell(stop(number, 9999, after(6), digest=b"f" * 16))
        assert any(isinstance(change, Quarantine) for change in other.changes)
        flagged = last(other, UpdateSession)
        assert flagged.energy_wh == 5000 and "conflicting-report" in flagged.flags
        assert first.answer.token is not None

    def test_a_stop_of_an_unknown_transaction_is_answered_and_touches_nobody(self) -> None:
        desk = Desk()
        desk.tell(start())
        decision = desk.tell(stop("424242", token=TokenRef("CARD1")))
        assert decision.answer.token.status == "accepted"
        assert [type(change).__name__ for change in decision.changes] == ["Deliver", "Quarantine"]
        assert only_session(desk).status == "charging"

    def test_a_foreign_stop_is_a_security_event(self) -> None:
        desk = Desk()
        desk.foreign["77"] = "CP9"
        decision = desk.tell(stop("77"))
        assert {event.type for event in decision.events} == {"station.security", "quarantine.added"}

    def test_a_stop_for_minus_one_ends_the_only_session_that_fits(self) -> None:
        desk = Desk()
        desk.tell(start())
        ended = last(desk.tell(stop("-1", 3000, after(9), token=TokenRef("card1"))), UpdateSession)
        assert (ended.status, ended.energy_wh) == ("ended", 2000)

    def test_a_stop_without_reason_is_local(self) -> None:
        desk = Desk()
        number = desk.tell(start()).answer.transaction_id
        decision = desk.tell(stop(number, at=after(5)))
        assert last(decision, UpdateSession).stop_reason == "Local"
        assert decision.answer.token is None

    def test_a_new_start_on_the_connector_makes_the_old_session_suspect_and_its_late_stop_still_counts(
        self,
    ) -> None:
        desk = Desk()
        old = desk.tell(start()).answer.transaction_id
        new = desk.tell(start(at=after(60), meter=4000)).answer.transaction_id
        assert desk.state.session_of(old).status == "suspect"
        ended = last(desk.tell(stop(old, 3900, after(50))), UpdateSession)
        assert (ended.status, ended.energy_wh) == ("ended", 2900)
        assert "no-stop" not in ended.flags
        assert desk.state.session_of(new).status == "charging"

    def test_an_old_start_delivered_late_doubts_nobody(self) -> None:
        desk = Desk()
        live = desk.tell(start(at=after(60))).answer.transaction_id
        desk.tell(start(at=after(-60), meter=10), at=after(61))
        assert desk.state.session_of(live).status == "charging"

    def test_implausible_values_are_answered_stored_and_flagged_never_negative(self) -> None:
        desk = Desk()
        number = desk.tell(start(meter=5000)).answer.transaction_id
        ended = last(desk.tell(stop(number, 100, after(-5))), UpdateSession)
        assert ended.energy_wh == 0 and ended.meter_stop_wh == 100
        assert {"meter-stop-below-start", "stop-before-start"} <= set(ended.flags)

    def test_meter_values_after_the_stop_stay_with_their_session_and_change_no_energy(self) -> None:
        desk = Desk()
        number = desk.tell(start()).answer.transaction_id
        desk.tell(stop(number, 6000, after(5)))
        late = Metered(1, (register(6010, after(5.1)),), number)
        decision = desk.tell(late, at=after(6))
        (reading,) = decision.changes
        assert isinstance(reading, AddReading) and reading.session is not None

    def test_meter_values_of_an_unknown_transaction_are_kept_and_told_once(self) -> None:
        desk = Desk()
        stray = Metered(1, (register(5, NOON),), "999")
        reading, kept = desk.tell(stray, at=NOON).changes
        assert reading.session is None and reading.transaction_id == "999"
        assert isinstance(kept, Quarantine)
        assert [type(change) for change in desk.tell(stray, at=NOON).changes] == [AddReading]

    def test_meter_values_for_minus_one_belong_to_the_only_session_there(self) -> None:
        desk = Desk()
        desk.tell(start(meter=100))
        desk.tell(Metered(1, (register(400, after(1)),), "-1"), at=after(1))
        assert only_session(desk).energy_wh == 300
        assert desk.tell(Metered(0, (register(9, after(1)),), "0"), at=after(1)).changes[0].session is None

    def test_text_instead_of_a_number_is_flagged(self) -> None:
        desk = Desk()
        number = desk.tell(start()).answer.transaction_id
        text = Reading(after(1), (Sample("Energy.Active.Import.Register", None, "Wh", raw="abc"),))
        desk.tell(Metered(1, (text,), number), at=after(1))
        assert only_session(desk).flags == ("unreadable-value",)

    def test_meter_values_move_energy_and_power(self) -> None:
        desk = Desk()
        number = desk.tell(start()).answer.transaction_id
        desk.tell(Metered(1, (register(2000, after(5)),), number), at=after(5))
        session = only_session(desk)
        assert (session.energy_wh, session.power_w) == (1000, 12000)

    def test_two_connectors_never_mix(self) -> None:
        desk = Desk()
        one = desk.tell(start(evse=1, meter=0)).answer.transaction_id
        two = desk.tell(start("OTHER", evse=2, meter=50)).answer.transaction_id
        desk.tell(Metered(2, (register(150, after(1)),), two), at=after(1))
        assert desk.state.session_of(one).energy_wh == 0
        assert desk.state.session_of(two).energy_wh == 100


class TestOcpp2:
    def begin(self, desk: Desk) -> None:
        report = event(
            "started",
            0,
            NOON,
            evse=1,
            connector=1,
            token=TokenRef("CARD1", "rfid"),
            charging_state="Charging",
            readings=(register(1000, NOON, "Transaction.Begin"),),
        )
        desk.tell(report, version="2.0.1")

    def test_a_whole_transaction(self) -> None:
        desk = Desk()
        self.begin(desk)
        desk.tell(event("updated", 1, after(5), readings=(register(1500, after(5)),)), version="2.0.1")
        final = event(
            "ended",
            2,
            after(10),
            readings=(register(2500, after(10), "Transaction.End"),),
            stop_reason="EVDisconnected",
        )
        ended = last(desk.tell(final, version="2.0.1"), UpdateSession)
        assert (ended.status, ended.energy_wh, ended.stop_reason) == ("ended", 1500, "EVDisconnected")
        assert (ended.meter_start_wh, ended.meter_stop_wh, ended.flags) == (1000, 2500, ())

    def test_identification_first_learns_the_evse_later(self) -> None:
        desk = Desk()
        desk.tell(event("started", 0, NOON, token=TokenRef("CARD1", "rfid")), version="2.0.1")
        assert only_session(desk).evse is None
        desk.tell(
            event("updated", 1, after(1), evse=2, connector=1, charging_state="Charging"), version="2.0.1"
        )
        assert (only_session(desk).evse, only_session(desk).status) == (2, "charging")

    def test_cable_first_learns_the_token_later_and_answers_it(self) -> None:
        desk = Desk()
        first = desk.tell(
            event("started", 0, NOON, evse=1, connector=1, charging_state="EVConnected"), version="2.0.1"
        )
        assert first.answer.token is None and only_session(desk).status == "pending"
        second = desk.tell(event("updated", 1, after(1), token=TokenRef("CARD1", "rfid")), version="2.0.1")
        assert second.answer.token.group == "GRP1" and only_session(desk).token == "CARD1"

    def test_a_repeated_event_is_stored_once(self) -> None:
        desk = Desk()
        self.begin(desk)
        update = event("updated", 1, after(5), readings=(register(1500, after(5)),))
        first = desk.tell(update, version="2.0.1")
        again = desk.tell(update, version="2.0.1")
        assert again.answer == first.answer and not again.changes

    def test_a_gap_is_flagged_until_the_missing_events_come(self) -> None:
        desk = Desk()
        self.begin(desk)
        ended = last(desk.tell(event("ended", 3, after(9)), version="2.0.1"), UpdateSession)
        assert "incomplete" in ended.flags
        desk.tell(event("updated", 1, after(3)), version="2.0.1")
        whole = last(desk.tell(event("updated", 2, after(6)), version="2.0.1"), UpdateSession)
        assert whole.status == "ended" and "incomplete" not in whole.flags

    def test_a_transaction_seen_from_the_middle_is_opened_and_completed_by_its_start(self) -> None:
        desk = Desk()
        decision = desk.tell(
            event("updated", 1, after(5), readings=(register(1500, after(5)),)), version="2.0.1"
        )
        assert isinstance(decision.changes[1], OpenSession)
        assert "no-start" in only_session(desk).flags
        self.begin(desk)
        session = only_session(desk)
        assert "no-start" not in session.flags and session.started_at == NOON
        assert (session.meter_start_wh, session.energy_wh) == (1000, 500)

    def test_sequence_numbers_that_count_per_evse_leave_no_gap(self) -> None:
        desk = Desk()
        desk.tell(event("started", 10, NOON, evse=1), version="2.0.1")
        desk.tell(event("updated", 11, after(1)), version="2.0.1")
        assert last(desk.tell(event("ended", 12, after(2)), version="2.0.1"), UpdateSession).flags == ()

    def test_a_station_that_never_counts_loses_nothing(self) -> None:
        desk = Desk()
        desk.tell(event("started", 0, NOON, evse=1, readings=(register(0, NOON),)), version="2.0.1")
        desk.tell(event("updated", 0, after(5), readings=(register(700, after(5)),)), version="2.0.1")
        ended = last(
            desk.tell(event("ended", 0, after(9), readings=(register(900, after(9)),)), version="2.0.1"),
            UpdateSession,
        )
        assert (ended.status, ended.energy_wh) == ("ended", 900) and "repeated-key" in ended.flags

    def test_a_second_account_of_the_same_moment_goes_to_quarantine(self) -> None:
        desk = Desk()
        self.begin(desk)
        desk.tell(event("updated", 1, after(5), readings=(register(1500, after(5)),)), version="2.0.1")
        liar = event("updated", 1, after(4), readings=(register(9500, after(4)),))
        decision = desk.tell(liar, version="2.0.1")
        assert any(isinstance(change, Quarantine) for change in decision.changes)
        assert only_session(desk).energy_wh == 500

    def test_offline_history_moves_no_live_power(self) -> None:
        desk = Desk()
        self.begin(desk)
        old = event("updated", 1, after(5), readings=(register(2000, after(5)),), offline=True)
        desk.tell(old, version="2.0.1")
        assert (only_session(desk).energy_wh, only_session(desk).power_w) == (1000, None)

    def test_a_late_event_does_not_move_the_live_state_back(self) -> None:
        desk = Desk()
        self.begin(desk)
        desk.tell(event("updated", 4, after(5), charging_state="SuspendedEV"), version="2.0.1")
        desk.tell(event("updated", 3, after(5), charging_state="Charging"), version="2.0.1")
        assert (only_session(desk).status, only_session(desk).charging_state) == ("suspended", "SuspendedEV")

    def test_intervals_that_come_out_of_order_all_count(self) -> None:
        desk = Desk()
        desk.tell(event("started", 0, NOON, evse=1), version="2.0.1")
        for seq in (2, 1):
            interval = Reading(after(seq), (Sample("Energy.Active.Import.Interval", Decimal(50), "Wh"),))
            desk.tell(event("updated", seq, after(seq), readings=(interval,)), version="2.0.1")
        assert only_session(desk).energy_wh == 100

    def test_whoever_authorised_the_stop_is_remembered_until_the_end(self) -> None:
        desk = Desk()
        self.begin(desk)
        other = TokenRef("CARD2", "rfid")
        desk.tell(event("updated", 1, after(4), token=other, trigger="StopAuthorized"), version="2.0.1")
        ended = last(desk.tell(event("ended", 2, after(5)), version="2.0.1"), UpdateSession)
        assert (ended.token, ended.stop_token) == ("CARD1", "CARD2")

    def test_a_session_whose_start_came_late_is_not_incomplete_any_more(self) -> None:
        desk = Desk()
        desk.tell(event("updated", 1, after(5)), version="2.0.1")
        self.begin(desk)
        assert "incomplete" not in only_session(desk).flags

    def test_a_key_code_is_never_kept(self) -> None:
        from cms.domain.tokens import Token

        desk = Desk(tokens=(Token("4711", "key-code"),))
        decision = desk.tell(
            event("started", 0, NOON, evse=1, token=TokenRef("4711", "key-code")), version="2.0.1"
        )
        assert decision.answer.token.status == "accepted"
        assert "4711" not in repr(decision.changes) + repr(decision.events)

    def test_events_of_two_transactions_on_one_evse_are_two_sessions(self) -> None:
        desk = Desk()
        self.begin(desk)
        desk.tell(event("ended", 1, after(5)), version="2.0.1")
        desk.tell(event("started", 0, after(6), tx="tx-2", evse=1), version="2.0.1")
        assert only_session(desk).transaction_id == "tx-2"


def test_the_state_of_a_refused_decision_is_the_old_one() -> None:
    state = station()
    desk = Desk(state)
    desk.tell(start())
    assert not state.sessions, "decisions replace, they never change in place"
    assert received(start()).ocpp_version == "1.6"
