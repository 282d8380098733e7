"""What a profile must be before it is sent."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from cms.contract.charging import Details, FrequencyPoint, Period, Profile, Schedule, SignalPoint
from cms.contract.refusals import Conflict, Invalid, Refusal
from cms.domain.charging import register, rules
from cms.domain.charging.composite import Mains
from cms.domain.charging.ledger import Ledger
from cms.domain.charging.limits import Limits
from cms.domain.evolve import evolve
from cms.domain.stations import StationState
from tests.domain.build import NOON, after, station
from tests.domain.charging.values import at, charging, profile, schedule


def put(
    wanted: Profile,
    evse: int | None = 1,
    state: StationState | None = None,
    limits: Limits = Limits(),
) -> tuple[int, Profile]:
    """Where it goes and what it says; raises what rules.check raises."""
    state = state or charging()
    rules.check_words(wanted)
    place, full = rules.completed(state, evse, wanted, limits, NOON, 500)
    rules.check(rules.Case(full, place, state, limits))
    return place, full


def bare(purpose: str = "tx-default", *limits: float, **more: Any) -> Profile:
    """Nothing said that can be found out."""
    return evolve(profile(purpose, *limits, start=None, **more), id=more.get("id"))


def test_what_was_left_out_is_found() -> None:
    evse, full = put(bare("tx"), None)
    assert (evse, full.transaction_id, full.id, full.schedules[0].start) == (1, "7", 500, NOON)
    assert put(bare("station-max"), None)[0] == 0
    assert put(bare(kind="relative"))[1].schedules[0].start is None


def test_an_id_is_above_those_of_external_constraints() -> None:
    assert put(bare(), limits=Limits(external_id=1000))[1].id == 1500
    with pytest.raises(Conflict, match="ids up to 1000"):
        put(profile(id=1000), limits=Limits(external_id=1000))


def with_details(unit: str = "W", limit: float | None = None, **fields: Any) -> Profile:
    period = Period(0, None if limit is None else D(limit), details=Details(**fields))
    return Profile("tx", (Schedule(unit, (period,)),))


CURVE = (FrequencyPoint(D(49), D(1)), FrequencyPoint(D(51), D(2)))


@pytest.mark.parametrize(
    ("wanted", "evse", "refusal", "words"),
    [
        (bare("external"), 0, Conflict, "no central system"),
        (bare("station-max"), 1, Invalid, "whole station"),
        (bare("station-max", kind="relative"), 0, Invalid, "cannot be relative"),
        (bare("tx"), 0, Conflict, "no running session"),
        (bare("tx"), 2, Conflict, "no running session on EVSE 2"),
        (bare("tx", transaction_id="8"), 1, Conflict, "no running transaction 8"),
        (bare("tx", transaction_id="7"), 2, Conflict, "runs on EVSE 1, not 2"),
        (bare(transaction_id="7"), 1, Invalid, "belongs to no transaction"),
        (bare(), -1, Invalid, "count from 1"),
        (bare("nonsense"), 1, Invalid, "purpose must be one of"),
        (bare(kind="sometimes"), 1, Invalid, "kind must be one of"),
        (bare(unit="VA"), 1, Invalid, "unit must be one of"),
        (bare(kind="recurring"), 1, Invalid, "how often"),
        (bare(recurrency="daily"), 1, Invalid, "how often"),
        (profile(kind="relative", start=NOON), 1, Invalid, "no start of its own"),
        (bare("priority", duration_s=5), 1, Invalid, "no duration"),
        (bare(valid_from=after(1), valid_to=NOON), 1, Invalid, "valid from"),
        (evolve(bare(), schedules=()), 1, Invalid, "has 1 schedule"),
        (evolve(bare(), schedules=(schedule(1), schedule(2))), 1, Invalid, "has 1 schedule"),
        (evolve(bare("tx"), schedules=(schedule(1),) * 4), 1, Invalid, "1 schedule to 3"),
        (evolve(bare("tx"), schedules=(schedule(1, id=1),) * 2), 1, Invalid, "same id"),
        (evolve(bare(), schedules=(schedule((1, 5)),)), 1, Invalid, "starts at 0"),
        (evolve(bare(), schedules=(schedule(5, (9, 1), (8, 1)),)), 1, Invalid, "ascending"),
        (evolve(bare(), schedules=(schedule(5, (9, 1), duration_s=9),)), 1, Invalid, "lasts longer"),
        (bare("tx-default", 6.25), 1, Invalid, "one decimal"),
        (bare("tx-default", -1), 1, Invalid, "at least 0"),
        (bare("tx-default", 1e12), 1, Invalid, "number"),
        (evolve(bare(), stack_level=-1), 1, Invalid, "stack level"),
        (profile(id=2**31), 1, Invalid, "32 bits"),
        (with_details(limit=5, mode="charging-only", setpoint=D(1)), 1, Invalid, "says no setpoint"),
        (with_details(discharge_limit=D(-5), mode="charging-only"), 1, Invalid, "needs its limit"),
        (with_details(limit=5, discharge_limit=D(5)), 1, Invalid, "at most 0"),
        (with_details(mode="central-setpoint"), 1, Invalid, "needs its setpoint"),
        (with_details(limit=5, mode="central-setpoint", setpoint=D(1)), 1, Invalid, "says no limit"),
        (with_details(mode="local-frequency", frequency_curve=CURVE), 1, Invalid, "needs its baseline"),
        (
            with_details(mode="local-frequency", baseline=D(0), frequency_curve=CURVE[:1]),
            1,
            Invalid,
            "two points",
        ),
        (
            with_details("A", mode="local-frequency", baseline=D(0), frequency_curve=CURVE),
            1,
            Invalid,
            "is in W",
        ),
        (with_details(mode="central-frequency", baseline=D(0)), 1, Invalid, "needs its signal curve"),
        (with_details(limit=5, mode="idle"), 1, Invalid, "says no limit"),
        (with_details(mode="sideways"), 1, Invalid, "mode must be one of"),
    ],
)
def test_what_must_not_be_sent_is_refused(
    wanted: Profile, evse: int, refusal: type[Refusal], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        put(wanted, evse)


@pytest.mark.parametrize(
    "wanted",
    [
        with_details(mode="idle"),
        with_details(mode="central-setpoint", setpoint=D("-5000.5")),
        with_details(mode="local-frequency", baseline=D(0), frequency_curve=CURVE),
        with_details(mode="central-frequency", baseline=D(0), signal_curve=(SignalPoint(1, D(5)),)),
        with_details(limit=5, mode="local-load-balancing"),
        with_details(limit=5, limit_l2=D(4), limit_l3=D(3)),
        bare("tx", kind="dynamic"),
        bare("tx-default", 6.5, (60, 0)),  # type: ignore[arg-type]
    ],
)
def test_what_may_be_sent_passes(wanted: Profile) -> None:
    put(wanted)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(stack_level=1), "stack levels up to 1"),
        (Limits(periods=1), "takes 1 periods"),
        (Limits(units=("W",)), "in W only"),
        (Limits(profiles=0), "holds 0 profiles"),
        (Limits(phase_switching=False), "cannot choose the phase"),
        (Limits(purposes=("PriorityCharging",)), "takes no local-generation"),
        (Limits(dynamic=False), "takes no dynamic"),
    ],
)
def test_what_the_station_said_that_it_cannot_take_is_not_sent(limits: Limits, words: str) -> None:
    two = schedule(5, (9, 6))
    one_phase = evolve(two, periods=tuple(evolve(p, phases=1, phase=2) for p in two.periods))
    for wanted in (
        evolve(bare("local-generation", stack_level=2), schedules=(one_phase,)),
        bare(kind="dynamic"),
    ):
        try:
            put(wanted, limits=limits)
        except Conflict as refused:
            if words in refused.message:
                return
    pytest.fail(f"{limits} was not respected")


def test_a_place_that_is_held_by_another_id_is_not_taken() -> None:
    ledger = Ledger(charging(), NOON)
    register.install(ledger, at(1, profile(id=9)))
    assert put(bare(), state=ledger.state)[1].id == 9
    with pytest.raises(Conflict, match="profile 9 is a tx-default profile with stack level 0 on EVSE 1"):
        put(profile(id=10), state=ledger.state)
    put(profile(id=10), 2, ledger.state)
    put(profile(id=10, stack_level=1), 1, ledger.state)
    replaced = put(profile(id=9, stack_level=1), 1, ledger.state, Limits(profiles=1))
    assert replaced[1].id == 9


def test_the_same_place_at_another_time_is_no_conflict() -> None:
    ledger = Ledger(station(), NOON)
    register.install(ledger, at(1, profile(id=9, valid_to=after(5))))
    put(profile(id=10, valid_from=after(5)), state=ledger.state)
    with pytest.raises(Conflict):
        put(profile(id=10, valid_from=after(4)), state=ledger.state)


def test_limits_are_converted_down_to_a_decimal() -> None:
    converted = rules.in_unit(profile("tx-default", 11_000, unit="W"), ("A",), Mains(D(230), 3))
    assert (converted.schedules[0].unit, converted.schedules[0].periods[0].limit) == ("A", D("15.9"))
    assert rules.in_unit(converted, ("A",), Mains(D(230), 3)) == converted
    with pytest.raises(Invalid, match="only plain limits"):
        rules.in_unit(with_details(limit=5, setpoint=D(1)), ("A",), Mains(D(230), 3))


def test_a_station_with_one_kind_gets_it_where_no_start_is_said() -> None:
    only = Limits(kind="relative")
    assert put(bare(), limits=only)[1].kind == "relative"
    with pytest.raises(Conflict, match="follows relative profiles only"):
        put(profile(), limits=only)
    early = put(bare(), limits=Limits(start_s=60))[1]
    assert early.schedules[0].start == after(-1)
