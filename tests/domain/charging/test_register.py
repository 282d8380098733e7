"""What is installed where: the register follows answers, reports, and what ends by itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from cms.contract.charging import Details, Period, Schedule
from cms.contract.stations import Variable
from cms.domain.charging import notices, register
from cms.domain.charging.ledger import Ledger
from cms.domain.charging.limits import Limits, limits_of
from cms.domain.charging.notices import (
    LimitCleared,
    LimitNotified,
    PriorityNotified,
    ProfilesReported,
    UpdatePulled,
)
from cms.domain.charging.register import Criteria
from cms.domain.evolve import evolve
from cms.domain.intents import Intent
from cms.domain.stations import StationState
from tests.domain.build import NOON, after, received, station
from tests.domain.charging.values import at, charging, profile, schedule


def installed(*known: register.Installed, state: StationState | None = None) -> Ledger:
    ledger = Ledger(state or station(), NOON)
    for one in known:
        register.install(ledger, one)
    return ledger


def ids(state: StationState) -> list[int]:
    return [one.id for one in register.installed(state)]


def test_the_same_id_or_the_same_place_is_replaced() -> None:
    ledger = installed(at(1, profile(id=1)), at(2, profile(id=2)))
    register.install(ledger, at(2, profile(id=1)))
    assert [(one.evse, one.id) for one in register.installed(ledger.state)] == [(2, 1)]


def test_profiles_of_different_sessions_stand_side_by_side() -> None:
    ledger = installed(
        at(1, profile("tx", id=1, transaction_id="7")), at(1, profile("tx", id=2, transaction_id="8"))
    )
    assert ids(ledger.state) == [1, 2]
    register.end_transaction(ledger, "7")
    assert ids(ledger.state) == [2]


def test_clearing_leaves_what_others_set() -> None:
    ledger = installed(at(1, profile(id=1)))
    register.report(ledger, 0, "EMS", (profile("external", id=2),))
    register.clear(ledger, Criteria())
    assert ids(ledger.state) == [2]
    register.release(ledger, "EMS", None)
    assert ids(ledger.state) == []


def test_a_station_cannot_make_us_remember_without_end() -> None:
    ledger = installed()
    for number in range(300):
        register.report(ledger, 0, "EMS", (profile("external", id=number),))
    assert len(ids(ledger.state)) == register.MOST_PROFILES
    long = Schedule("A", tuple(Period(n, D(1)) for n in range(1024)))
    for number in range(20):
        register.report(ledger, 1, "EMS", (evolve(profile("external", id=number), schedules=(long,)),))
    total = sum(len(one.profile.schedules[0].periods) for one in register.installed(ledger.state))
    assert total <= register.MOST_PERIODS
    kept = {(c.key, c.value is None) for c in ledger.changes}  # type: ignore[attr-defined]
    assert len(kept) > 300


def asking(state: StationState, **params: Any) -> StationState:
    intent = Intent("i1", "CP1", "profiles-get", {"request_id": 5, **params}, "accepted", sent_at=after(1))
    return evolve(state, intents={"i1": intent})


def part(*profiles: Any, more: bool = False, evse: int = 1, source: str = "CSO") -> ProfilesReported:
    return ProfilesReported(5, evse, source, profiles, more)


def test_a_report_in_parts_reconciles_when_it_is_whole() -> None:
    state = asking(installed(at(1, profile(id=1)), at(1, profile(id=2, stack_level=1))).state)
    first = notices.reported(
        state, received(part(profile(id=1), more=True), after(2)), part(profile(id=1), more=True)
    )
    assert ids(first.state) == [2, 1]
    last = part(profile("external", id=1), evse=0, source="EMS")
    whole = notices.reported(first.state, received(last, after(3)), last)
    assert {(one.source, one.id) for one in register.installed(whole.state)} == {("CSO", 1), ("EMS", 1)}


def test_only_what_was_asked_for_is_reconciled() -> None:
    state = asking(installed(at(1, profile(id=1)), at(2, profile(id=2))).state, evse=1)
    whole = notices.reported(state, received(part(), after(2)), part())
    assert ids(whole.state) == [2]


def test_an_unasked_report_adds_and_takes_nothing_away() -> None:
    state = installed(at(1, profile(id=1))).state
    whole = notices.reported(
        state, received(part(profile(id=9, stack_level=3))), part(profile(id=9, stack_level=3))
    )
    assert ids(whole.state) == [1, 9]


def test_a_limit_of_others_is_shown_until_its_source_releases_it() -> None:
    state = charging()
    for evse in (0, 1):
        seen = LimitNotified(evse, "EMS", (schedule(9), schedule(5)), True)
        state = notices.limited(state, received(seen), seen).state
    assert [limit.schedules[0].periods[0].limit for limit in state.kept_of("charging-limit").values()] == [
        9,
        9,
    ]
    other = LimitCleared("SO")
    assert notices.unlimited(state, received(other), other).state == state
    one = LimitCleared("EMS", 1)
    state = notices.unlimited(state, received(one), one).state
    assert [limit.evse for limit in state.kept_of("charging-limit").values()] == [0]
    everywhere = LimitCleared("EMS")
    assert not notices.unlimited(state, received(everywhere), everywhere).state.kept_of("charging-limit")


def test_sources_without_end_are_bounded() -> None:
    state = station()
    for number in range(80):
        seen = LimitNotified(0, f"S{number}")
        state = notices.limited(state, received(seen), seen).state
    assert len(state.kept_of("charging-limit")) == 50


def test_rates_are_pulled_from_dynamic_profiles_of_ours_alone() -> None:
    dynamic = profile("tx-default", 10, kind="dynamic", id=5)
    ledger = installed(at(1, dynamic), at(2, profile(id=6)))
    register.update(ledger, at(1, dynamic), {"limit": D(16), "setpoint": D(-3)})

    def pulled(number: int) -> Any:
        seen = UpdatePulled(number)
        return notices.pulled(ledger.state, received(seen), seen).answer

    assert pulled(5).rates == {"limit": D(16), "setpoint": D(-3)}
    assert pulled(6).rates is None
    assert pulled(99).rates is None


def test_new_rates_leave_the_others_as_they_were() -> None:
    period = Period(0, D(5), details=Details(setpoint=D(1)))
    assert register.with_rates(period, {"limit": D(6)}) == evolve(period, limit=D(6))
    assert register.with_rates(Period(0, D(5)), {"setpoint": D(2)}).details == Details(setpoint=D(2))


def test_priority_of_a_running_session_is_known_of_others_only_told() -> None:
    state = charging()
    for number in ("7", "8"):
        seen = PriorityNotified(number, True)
        decision = notices.prioritized(state, received(seen), seen)
        assert decision.events[0].data["active"]
        state = decision.state
    assert list(state.kept_of("priority-charging")) == ["7"]
    assert notices.place_of(state, 1).priority


def test_a_profile_of_a_remote_start_is_gone_when_no_session_took_it_in_time() -> None:
    waiting = at(1, profile("tx", id=4), remote_start_id=99)
    late = Ledger(installed(waiting).state, NOON + timedelta(minutes=6))
    register.adopt(late, 1, "7", None, told=False)
    assert ids(late.state) == []
    other = Ledger(installed(waiting).state, after(1))
    register.adopt(other, 1, "7", 98, told=True)
    assert ids(other.state) == []
    own = Ledger(installed(waiting).state, after(1))
    register.adopt(own, 2, "6", None, told=True)
    register.adopt(own, None, "7", 99, told=True)
    (one,) = register.installed(own.state)
    assert (one.profile.transaction_id, one.evse) == ("7", 1)


def test_a_session_that_a_card_began_has_no_part_in_a_remote_start_of_2_x() -> None:
    ledger = Ledger(installed(at(1, profile("tx", id=4), remote_start_id=99)).state, after(1))
    register.adopt(ledger, 1, "7", None, told=True)
    assert ids(ledger.state) == []


def test_what_a_station_takes_is_read_however_it_spells_it() -> None:
    told = {
        "chargeprofilemaxstacklevel": " 3 ",
        "ChargingScheduleAllowedChargingRateUnit": "Current; Power",
        "ChargingScheduleMaxPeriods": "many",
        "SmartChargingCtrlr.SupportedAdditionalPurposes": "PriorityCharging, LocalGeneration",
        "SmartChargingCtrlr.ACPhaseSwitchingSupported": "FALSE",
    }
    limits = limits_of([Variable(name, value) for name, value in told.items()])
    assert limits == Limits(
        stack_level=3,
        units=("A", "W"),
        purposes=("PriorityCharging", "LocalGeneration"),
        phase_switching=False,
    )
    for text in ("A", "Current", "a ;", "[A]"):
        found = limits_of([Variable("ChargingScheduleAllowedChargingRateUnit", text)])
        assert found.units == ("A",)
