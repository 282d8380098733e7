"""What holds at an EVSE out of everything installed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cms.contract.charging import Period, Profile, Schedule
from cms.domain.charging.composite import MOST_S, Composite, Foreign, Mains, Place, composite
from cms.domain.charging.register import Installed
from tests.domain.build import NOON, after
from tests.domain.charging.values import at, profile, schedule

HERE = Place(1, "7", NOON)


def holds(
    *known: Installed, foreign: tuple[Foreign, ...] = (), place: Place = HERE, **more: Any
) -> Composite:
    span_s = more.pop("span_s", 3600)
    return composite(known, foreign, place, more.pop("start", NOON), span_s, more.pop("unit", "A"), **more)


def told(found: Composite) -> list[tuple[int, D | None]]:
    return [(step.start_s, step.limit) for step in found.steps]


def test_nothing_installed_limits_nothing() -> None:
    assert told(holds()) == [(0, None)]


def test_periods_follow_each_other_and_end_with_the_schedule() -> None:
    one = at(1, profile("tx-default", 16, (60, 8), duration_s=120))
    assert told(holds(one)) == [(0, D(16)), (60, D(8)), (120, None)]


def test_the_highest_stack_level_leads_while_it_says_something() -> None:
    low = at(1, profile("tx-default", 16))
    high = at(1, profile("tx-default", 32, id=2, stack_level=1, duration_s=60))
    assert told(holds(low, high)) == [(0, D(32)), (60, D(16))]


def test_the_sessions_own_profile_stands_in_for_the_default_one() -> None:
    default, own = at(1, profile("tx-default", 16)), at(1, profile("tx", 20, id=2, transaction_id="7"))
    assert told(holds(default, own)) == [(0, D(20))]
    other = at(1, profile("tx", 20, id=2, transaction_id="8"))
    assert told(holds(default, other)) == [(0, D(16))]


def test_the_evses_own_default_leads_the_stations() -> None:
    assert told(holds(at(1, profile(id=2)), at(0, profile("tx-default", 6)))) == [(0, D(16))]


def test_the_stations_maximum_bounds_everything() -> None:
    assert told(holds(at(1, profile()), at(0, profile("station-max", 10, id=2)))) == [(0, D(10))]
    assert told(holds(at(0, profile("station-max", 10)), place=Place(0))) == [(0, D(10))]


def test_limits_of_others_bound_too_and_local_generation_adds() -> None:
    limit = Foreign(1, NOON, (schedule(9),))
    own_sun = Foreign(0, NOON, (schedule(4),), adds=True)
    assert told(holds(at(1, profile()), foreign=(limit,))) == [(0, D(9))]
    assert told(holds(at(1, profile()), foreign=(limit, own_sun))) == [(0, D(13))]
    assert told(holds(at(1, profile()), foreign=(Foreign(2, NOON, (schedule(9),)),))) == [(0, D(16))]


def test_priority_takes_the_place_of_the_sessions_limits_while_it_is_used() -> None:
    known = at(1, profile()), at(1, profile("priority", 32, id=2))
    assert told(holds(*known)) == [(0, D(16))]
    assert told(holds(*known, place=Place(1, "7", NOON, priority=True))) == [(0, D(32))]


def test_a_relative_profile_counts_from_the_start_of_the_session() -> None:
    one = at(1, profile("tx-default", 16, (600, 8), kind="relative"))
    assert told(holds(one, start=after(5))) == [(0, D(16)), (300, D(8))]


def test_a_recurring_profile_comes_back() -> None:
    daily = profile("tx-default", 6, kind="recurring", recurrency="daily", duration_s=3600)
    begin = NOON + timedelta(days=10, hours=-1)
    found = holds(at(1, daily), start=begin, span_s=2 * 86_400)
    hour, day = 3600, 86_400
    assert told(found) == [
        (0, None),
        (hour, D(6)),
        (2 * hour, None),
        (day + hour, D(6)),
        (day + 2 * hour, None),
    ]
    weekly = profile("tx-default", 6, kind="recurring", recurrency="weekly", duration_s=3600)
    assert told(holds(at(1, weekly), start=NOON + timedelta(days=14, minutes=30))) == [
        (0, D(6)),
        (1800, None),
    ]


def test_a_profile_says_nothing_before_and_after_it_is_valid() -> None:
    one = at(1, profile(valid_from=after(1), valid_to=after(2)))
    assert told(holds(one)) == [(0, None), (60, D(16)), (120, None)]


def test_another_unit_is_left_out_or_converted_never_guessed() -> None:
    one = at(1, profile("tx-default", 11_000, unit="W", id=5))
    alone = holds(one)
    assert (told(alone), alone.left_out) == ([(0, None)], (5,))
    assert told(holds(one, mains=Mains(D(230), 3))) == [(0, D("15.9"))]
    assert told(holds(at(1, profile()), unit="W", mains=Mains(D(230), 1))) == [(0, D("3680.0"))]


def test_a_number_of_phases_that_cannot_be_is_not_converted_with() -> None:
    wild = Schedule("A", (Period(0, D(10), 43_478_260_870),), NOON)
    one = at(1, Profile("tx-default", (wild,), id=1))
    assert told(holds(one, unit="W", mains=Mains(D(230), 1))) == [(0, D("2300.0"))]


def test_a_limit_reported_within_this_second_holds_from_its_beginning() -> None:
    late = Foreign(0, NOON + timedelta(milliseconds=700), (schedule(9),))
    assert told(holds(foreign=(late,))) == [(0, D(9))]


def test_absurd_spans_are_cut_and_said_to_be() -> None:
    assert holds(span_s=2**40).duration_s == MOST_S
    periods = tuple(Period(n, D(n % 2)) for n in range(1024))
    many = Profile("tx-default", (Schedule("A", periods, NOON),), "recurring", id=1, recurrency="daily")
    found = holds(at(1, many), span_s=MOST_S)
    assert found.duration_s < MOST_S and len(found.steps) <= 400


limits = st.decimals(0, 100, places=1)
profiles = st.builds(
    lambda purpose, level, start, lasts, limit, span: at(
        0 if purpose == "station-max" else 1,
        profile(
            purpose,
            limit,
            (span, limit / 2),
            id=level,
            stack_level=level,
            start=NOON + timedelta(seconds=start),
            duration_s=lasts,
        ),
    ),
    st.sampled_from(["tx-default", "station-max", "external"]),
    st.integers(0, 5),
    st.integers(-5000, 5000),
    st.none() | st.integers(1, 5000),
    st.integers(0, 100),
    st.integers(1, 1000),
)


@settings(deadline=None)
@given(st.lists(profiles, max_size=8), st.integers(0, 3599))
def test_what_holds_at_an_instant_does_not_depend_on_where_one_began_to_look(
    known: list[Installed], offset: int
) -> None:
    whole = holds(*known)
    later = holds(*known, start=NOON + timedelta(seconds=offset), span_s=3600 - offset)
    assert whole.at(offset) == later.at(0)


def test_a_long_schedule_is_followed_to_its_end_though_most_of_it_is_over() -> None:
    periods = tuple(Period(60 * n, D(n % 2)) for n in range(1024))
    one = at(1, Profile("tx-default", (Schedule("A", periods, NOON),), id=1))
    found = holds(one, start=NOON + timedelta(minutes=1020), span_s=600)
    assert told(found) == [(0, D(0)), (60, D(1)), (120, D(0)), (180, D(1))]
    assert found.duration_s == 600


def test_what_a_hundred_profiles_and_fifty_limits_make_is_followed_a_part_of_the_way() -> None:
    periods = tuple(Period(60 * n, D(n % 7)) for n in range(1024))
    many = [
        at(1, Profile("tx-default", (Schedule("A", periods, NOON),), stack_level=n, id=n)) for n in range(100)
    ]
    limits = tuple(Foreign(1, NOON, (Schedule("A", periods),)) for _ in range(50))
    found = holds(*many, foreign=limits, span_s=MOST_S)
    assert told(found)[:3] == [(0, D(0)), (60, D(1)), (120, D(2))]
    assert 60 < found.duration_s < MOST_S
