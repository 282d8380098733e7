"""Whatever stations report, what holds can be calculated and plans can be made."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.contract.charging import KINDS, PURPOSES, RECURRENCIES, Details, Period, Profile, Schedule
from cms.domain.charging import needs, notices, register
from cms.domain.charging.composite import Mains, composite
from cms.domain.charging.ledger import Ledger
from cms.domain.charging.limits import Limits
from cms.domain.charging.needs import Needs
from cms.domain.charging.notices import LimitNotified
from tests.domain.build import NOON, received
from tests.domain.charging.values import charging

WHOLE = st.integers(-(2**53), 2**53)
NUMBER = st.decimals(-(10**15), 10**15, allow_nan=False) | st.sampled_from([D(0), D(16), D("1E+14")])
INSTANT = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


PERIOD = st.builds(
    Period,
    WHOLE,
    maybe(NUMBER),
    maybe(WHOLE),
    maybe(WHOLE),
    maybe(st.builds(Details, setpoint=maybe(NUMBER))),
)
SCHEDULE = st.builds(
    Schedule,
    st.sampled_from("AW"),
    st.lists(PERIOD, min_size=1, max_size=5).map(tuple),
    maybe(INSTANT),
    maybe(WHOLE),
)
PROFILE = st.builds(
    Profile,
    st.sampled_from(PURPOSES),
    st.lists(SCHEDULE, min_size=1, max_size=3).map(tuple),
    st.sampled_from(KINDS),
    WHOLE,
    st.integers(0, 9),
    maybe(st.sampled_from(RECURRENCIES)),
    maybe(INSTANT),
    maybe(INSTANT),
    maybe(st.sampled_from(["7", "8"])),
)


# No deadline: a shared machine is slow when it likes.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 2), PROFILE), max_size=5),
    st.lists(SCHEDULE, max_size=2),
    INSTANT,
    st.sampled_from(["A", "W"]),
    st.builds(
        Needs,
        st.just(1),
        st.sampled_from(["AC_three_phase", "DC", "what"]),
        max_current=maybe(NUMBER.filter(lambda n: n >= 0)),
        max_voltage=maybe(NUMBER.filter(lambda n: n >= 0)),
        max_power=maybe(NUMBER.filter(lambda n: n >= 0)),
        departure_at=maybe(INSTANT),
        max_schedule_tuples=maybe(WHOLE),
    ),
)
def test_nothing_that_stations_report_breaks_what_is_made_of_it(
    reported: list[tuple[int, Profile]], limits: list[Schedule], now: datetime, unit: str, wishes: Needs
) -> None:
    ledger = Ledger(charging(), NOON)
    for evse, profile in reported:
        register.report(ledger, evse, "EMS", (profile,))
    for schedule in limits:
        seen = LimitNotified(1, "EMS", (schedule,))
        ledger.state = notices.limited(ledger.state, received(seen), seen).state
    known, others = register.installed(ledger.state), notices.foreign(ledger.state)
    place = notices.place_of(ledger.state, 1)
    for mains in (None, Mains(D(230), 3)):
        holds = composite(known, others, place, now, needs.horizon_s(wishes, now), unit, mains)
        assert [step.start_s for step in holds.steps] == sorted({step.start_s for step in holds.steps})
        needs.plan(wishes, holds, unit, Limits(), now)
        for schedule in limits:
            needs.exceeds(schedule, holds)
