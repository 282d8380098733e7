"""The worked examples of OCPI 2.2.1 (mod_tariffs 1.4.1.1 and 1.5, mod_cdrs 1.3.1 step_size), in our tariffs.

Where the two modules differ on step sizes mod_cdrs is followed: once a session for energy, once for all time, and only
for the time of parking where there was any. The examples of mod_tariffs that round the time of charging although
parking followed are told with both figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.tariffs import Bill, Bound, Component, Price, Tariff, Tax, When
from cms.domain.conditions import EXPIRED
from cms.domain.counting import Reserved
from cms.domain.pricing import Facts, Reached, calculated, price

D = Decimal
MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
SATURDAY = MONDAY + timedelta(days=5)


def vat(percent: int | str) -> tuple[Tax, ...]:
    return (Tax("VAT", D(percent)),)


def kwh(amount: str, step: int = 1, **when: Any) -> Price:
    return Price(D(amount), When(**when) if when else None, step=step)


def hour(amount: str, step: int = 60, **when: Any) -> Price:
    return Price(D(amount), When(**when) if when else None, step=step, per_hour=True)


def fee(amount: str, percent: int | str = 20) -> Component:
    return Component((Price(D(amount)),), vat(percent))


def of(*prices: Price, percent: int | str | None = None) -> Component:
    return Component(prices, () if percent is None else vat(percent))


def tariff(**parts: Any) -> Tariff:
    return Tariff("OCPI", "EUR", **parts)


def session(
    energy_wh: int = 0,
    charging: float = 60,
    parking: float = 0,
    begins: datetime = MONDAY,
    **more: Any,
) -> Facts:
    """So many minutes of charging, then so many of parking; energy flows while it charges."""
    full = begins + timedelta(minutes=charging)
    turns = ((begins, True), (full, False)) if parking else ((begins, True),)
    reached = Reached(full, energy_wh, more.pop("current_a", None))
    return Facts(begins, full + timedelta(minutes=parking), energy_wh, (reached,), turns, **more)


def both(facts: Facts, priced: Tariff) -> tuple[Decimal, Decimal]:
    """Before and after taxes, each rounded to the cent."""
    bill = price(facts, priced)
    assert sum(line.gross for line in bill.lines) == bill.gross
    assert sum(line.net for line in bill.lines) == bill.net
    return bill.net, bill.gross


def quantities(bill: Bill, what: str) -> list[Decimal]:
    return [line.quantity for line in bill.lines if line.what == what]


ENERGY = of(kwh("0.25"), percent=10)
SIMPLE = tariff(energy=ENERGY)
START = tariff(energy=ENERGY, fixed_fee=fee("0.50"))
LEAST = tariff(energy=ENERGY, min_cost=Bound(D("0.50"), D("0.55")))
PARKING = tariff(energy=ENERGY, fixed_fee=fee("0.50"), idle_time=of(hour("2.00", 900), percent=20))
MOST = tariff(energy=ENERGY, fixed_fee=fee("0.50"), max_cost=Bound(D("10.00"), D("11.00")))
PER_HOUR = tariff(charging_time=of(hour("2.00"), percent=10))
BOTH_TIMES = tariff(charging_time=of(hour("3.00"), percent=10), idle_time=of(hour("5.00", 300), percent=20))
TEXTS = tariff(charging_time=of(hour("1.90", 300), percent="5.2"))
TENTHS = tariff(energy=of(kwh("0.25", 100), percent=10))
SPOT = tariff(energy=of(kwh("0.22", 100), percent=10))


@pytest.mark.parametrize(
    ("priced", "facts", "excl", "incl"),
    [
        pytest.param(SIMPLE, session(20_000), "5.00", "5.50", id="0.25 per kWh"),
        pytest.param(START, session(20_000), "5.50", "6.10", id="with a start fee"),
        pytest.param(LEAST, session(20_000), "5.00", "5.50", id="minimum price, not reached"),
        pytest.param(LEAST, session(1_900), "0.50", "0.55", id="minimum price"),
        pytest.param(LEAST, session(0), "0.50", "0.55", id="minimum price of nothing"),
        pytest.param(PARKING, session(20_000, parking=40), "7.00", "7.90", id="parking by quarters"),
        pytest.param(MOST, session(50_000), "10.00", "11.00", id="maximum price"),
        pytest.param(MOST, session(30_000), "8.00", "8.85", id="maximum price, not reached"),
        pytest.param(PER_HOUR, session(9_000, 150), "5.00", "5.50", id="2 an hour"),
        pytest.param(PER_HOUR, session(9_000, 150, 60), "5.00", "5.50", id="2 an hour, parking is free"),
        pytest.param(BOTH_TIMES, session(9_000, 150, 42), "11.25", "12.75", id="3 an hour, 5 of parking"),
        pytest.param(TEXTS, session(9_000, 150), "4.75", "5.00", id="1.90 an hour"),
        # The example says 20.45 kWh cost 5.50: 20.5 kWh at 0.25 are 5.125.
        pytest.param(TENTHS, session(20_450), "5.13", "5.64", id="by tenths of a kWh"),
        pytest.param(SPOT, session(20_450), "4.51", "4.96", id="by tenths of a kWh, spot price"),
        pytest.param(tariff(energy=of(kwh("0"))), session(20_000), "0.00", "0.00", id="free of charge"),
    ],
)
def test_a_session_costs_what_the_example_says(priced: Tariff, facts: Facts, excl: str, incl: str) -> None:
    assert both(facts, priced) == (D(excl), D(incl))


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
COMPLEX = tariff(
    fixed_fee=fee("2.50", 15),
    charging_time=of(
        hour("1.00", 900, max_current_a=D(32)),
        hour("2.00", 600, min_current_a=D(32), days=WEEKDAYS),
        hour("1.25", 600, min_current_a=D(32), days=("Saturday", "Sunday")),
        percent=20,
    ),
    idle_time=of(
        hour("5.00", 300, from_time="09:00", to_time="18:00", days=WEEKDAYS),
        hour("6.00", 300, from_time="10:00", to_time="17:00", days=("Saturday",)),
        percent=10,
    ),
)


def test_the_complex_example_on_a_monday_at_16_ampere() -> None:
    """mod_tariffs rounds the 147 minutes of charging to 150 as well and has 8.75; mod_cdrs rounds parking alone."""
    facts = session(0, 147, 42, MONDAY + timedelta(hours=9, minutes=30), current_a=16)
    bill = price(facts, COMPLEX)
    assert quantities(bill, "idle-time") == [D("0.75")]
    assert quantities(bill, "charging-time") == [D("2.45")]
    assert calculated(facts, COMPLEX).excl_tax == D("8.70")
    alone = price(session(0, 147, 0, MONDAY + timedelta(hours=9, minutes=30), current_a=16), COMPLEX)
    assert quantities(alone, "charging-time") == [D("2.5")]


def test_the_complex_example_on_a_saturday_at_43_ampere() -> None:
    """Parking from 15:24 to 16:35; 114 minutes of charging are 120 in mod_tariffs, which has 12.50."""
    facts = session(0, 114, 71, SATURDAY + timedelta(hours=13, minutes=30), current_a=43)
    assert quantities(price(facts, COMPLEX), "idle-time") == [D("1.25")]
    assert calculated(facts, COMPLEX).excl_tax == D("2.50") + D("1.9") * D("1.25") + D("1.25") * 6


def test_the_first_hour_and_the_first_kwh_may_be_free() -> None:
    free = tariff(
        energy=of(kwh("0.00", max_energy_wh=D(1000)), kwh("0.20")),
        idle_time=of(hour("0.00", max_idle_s=3600), hour("2.00", max_idle_s=4 * 3600), hour("3.00")),
    )
    # 19 kWh and 1.75 hours.
    assert both(session(20_000, 60, 165), free)[0] == D("7.30")


def held(minutes: float, expired: bool = False) -> dict[str, Any]:
    return {"reserved": Reserved(MONDAY - timedelta(minutes=minutes), MONDAY, expired)}


RESERVED = {"energy": ENERGY, "fixed_fee": fee("0.50")}
BY_MINUTE = tariff(reservation_time=of(hour("5.00"), percent=20), **RESERVED)
WITH_FEE = tariff(
    reservation_time=of(hour("5.00", 300), percent=20), reservation_fixed=fee("2.00"), **RESERVED
)
EXPIRE_FEE = tariff(
    reservation_time=of(hour("2.00", 600), percent=20),
    reservation_fixed=of(Price(D("4.00"), When(reservation=EXPIRED)), percent=20),
    **RESERVED,
)
EXPIRE_TIME = tariff(
    reservation_time=of(
        hour("3.00", 600, reservation="RESERVATION"), hour("6.00", 600, reservation=EXPIRED), percent=20
    ),
    **RESERVED,
)


@pytest.mark.parametrize(
    ("priced", "minutes", "excl", "incl"),
    [
        (BY_MINUTE, 15, "6.75", "7.60"),
        (WITH_FEE, 13, "8.75", "10.00"),
        (EXPIRE_FEE, 22, "6.50", "7.30"),
        (EXPIRE_TIME, 22, "7.00", "7.90"),
    ],
)
def test_a_reservation_is_paid_until_the_session_begins(
    priced: Tariff, minutes: int, excl: str, incl: str
) -> None:
    assert both(session(20_000, **held(minutes)), priced) == (D(excl), D(incl))


@pytest.mark.parametrize(
    ("priced", "minutes", "excl", "incl"),
    [(EXPIRE_FEE, 60, "6.00", "7.20"), (EXPIRE_TIME, 90, "9.00", "10.80")],
)
def test_a_reservation_that_nobody_came_for_is_paid_without_a_start_fee(
    priced: Tariff, minutes: int, excl: str, incl: str
) -> None:
    assert both(Facts(MONDAY, MONDAY, **held(minutes, expired=True)), priced) == (D(excl), D(incl))


def test_the_price_may_depend_on_power() -> None:
    powers = tariff(
        energy=of(kwh("0.20", max_power_w=D(16_000)), kwh("0.35", max_power_w=D(32_000)), kwh("0.50"))
    )
    at, energy_wh, readings = MONDAY, 0, []
    for wh, power_w in ((1_000, 6_000), (40_000, 48_000), (500, 4_000)):
        at, energy_wh = at + timedelta(hours=1) * wh / power_w, energy_wh + wh
        readings.append(Reached(at, energy_wh))
    bill = price(Facts(MONDAY, at, energy_wh, tuple(readings), ((MONDAY, True),)), powers)
    assert [(line.quantity, line.gross) for line in bill.lines] == [
        (D("1"), D("0.20")),
        (D("40"), D("20.00")),
        (D("0.5"), D("0.10")),
    ]
    assert bill.gross == D("20.30")


def test_charging_may_be_free_for_half_an_hour() -> None:
    shop = tariff(energy=of(kwh("0.00", max_time_s=1800), kwh("0.25", max_time_s=3600), kwh("0.40")))
    half = MONDAY + timedelta(minutes=30)
    facts = Facts(
        MONDAY,
        MONDAY + timedelta(minutes=40),
        6_200,
        (Reached(half, 5_000),),
        ((MONDAY, True),),
    )
    assert both(facts, shop)[0] == D("0.30")


def stepped(before: Sequence[Price], parking: Sequence[Price] = ()) -> Tariff:
    return tariff(charging_time=of(*before), **({"idle_time": of(*parking)} if parking else {}))


FIVE = 300
TEN = 600


def test_charging_time_is_not_rounded_where_parking_follows() -> None:
    """21 minutes of charging, 7 of parking, steps of 5 minutes: 21 and 10 (mod_cdrs)."""
    bill = price(session(0, 21, 7), stepped([hour("6", FIVE)], [hour("6", FIVE)]))
    assert quantities(bill, "charging-time") == [D("0.35")]
    assert quantities(bill, "idle-time") == [D("0.166667")]
    bill = price(session(0, 21, 16), stepped([hour("1", TEN)], [hour("2", TEN)]))
    assert [line.gross for line in bill.lines] == [D("0.35"), D("0.67")]


def test_the_step_is_taken_of_all_energy_and_what_it_adds_has_the_last_price() -> None:
    """4.3 kWh before 17:00 and 1.1 after, steps of 500 Wh: 5.5 kWh in all (mod_cdrs)."""
    five = MONDAY + timedelta(hours=17)
    dearer = tariff(energy=of(kwh("0.20", 500, to_time="17:00"), kwh("0.27", 500)))
    facts = Facts(
        five - timedelta(hours=1),
        five + timedelta(hours=1),
        5_400,
        (Reached(five, 4_300),),
        ((MONDAY, True),),
    )
    bill = price(facts, dearer)
    assert quantities(bill, "energy") == [D("4.3"), D("1.2")]
    assert [(line.since, line.until) for line in bill.lines] == [
        (five - timedelta(hours=1), five),
        (five, five + timedelta(hours=1)),
    ]


def test_the_step_is_taken_of_all_time() -> None:
    """6 minutes before 17:00 and 22 after, steps of 10 minutes: 30 in all, 24 of them after 17:00 (mod_cdrs)."""
    begins = MONDAY + timedelta(hours=16, minutes=54)
    bill = price(session(0, 28, 0, begins), stepped([hour("5", TEN, to_time="17:00"), hour("7", TEN)]))
    assert quantities(bill, "charging-time") == [D("0.1"), D("0.4")]
    assert bill.gross == D("3.30")


SWITCHING = tariff(
    charging_time=of(hour("1.20", 1800, to_time="17:00"), hour("2.40", 900)),
    idle_time=of(hour("1.00", 900, to_time="20:00")),
)


@pytest.mark.parametrize(
    ("hours", "minutes", "excl"),
    [
        # Charging for 35 minutes from 16:35: 25 at 1.20 an hour, 20 at 2.40 (45 in all by quarters).
        (16, 35, "1.30"),
    ],
)
def test_switching_to_another_price_takes_its_step(hours: int, minutes: int, excl: str) -> None:
    assert both(session(0, 35, 0, MONDAY + timedelta(hours=hours, minutes=minutes)), SWITCHING)[0] == D(excl)


def test_switching_to_a_time_without_a_price_rounds_what_was_paid() -> None:
    """Charging for 10 minutes from 19:55, then 2 minutes of free parking: 5 and 10 minutes at 2.40 (mod_tariffs)."""
    facts = session(0, 10, 2, MONDAY + timedelta(hours=19, minutes=55))
    assert both(facts, SWITCHING)[0] == D("0.60")


@pytest.mark.parametrize(
    ("step", "billed"), [(1, "0.116"), (25, "0.125"), (500, "0.5"), (None, "0.1152"), (0, "0.1152")]
)
def test_energy_is_billed_in_steps(step: int | None, billed: str) -> None:
    facts = Facts(MONDAY, MONDAY + timedelta(hours=1), D("115.2"), (), ((MONDAY, True),))
    bill = price(facts, tariff(energy=of(Price(D("0.25"), step=step))))
    assert quantities(bill, "energy") == [D(billed)]
