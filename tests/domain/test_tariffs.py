from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain import costs, tariffs
from cms.domain.costs import Stretch
from cms.domain.tariffs import Use

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
D = Decimal
PAGE = Path(__file__).parents[2] / "docs" / "tariffs.md"


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def test_what_held_is_asked_by_the_time_of_the_event() -> None:
    use = Use().changed("A", NOON).changed("B", hours(2)).changed(None, hours(4))
    assert [use.at(hours(h)) for h in (-1, 0, 1.9, 2, 4)] == [None, "A", "A", "B", None]


def test_a_use_may_be_said_beforehand_and_afterwards() -> None:
    use = Use().changed("A", hours(2)).changed("B", NOON).changed("C", hours(2))
    assert use.steps == ((NOON, "B"), (hours(2), "C"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": ""}, "1 to 60"),
        ({"currency": "eur"}, "three capitals"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"time_zone": "../../etc/passwd"}, "no time zone"),
        ({"energy": Component(())}, "no price"),
        ({"energy": Component((Price(D("NaN")),))}, "no price"),
        ({"energy": Component((Price(D(1), When(from_time="24:00")),))}, "no time of day"),
        ({"energy": Component((Price(D(1), When(from_date="tomorrow")),))}, "no date"),
        ({"energy": Component((Price(D(1), When(days=("Mon",))),))}, "days are"),
        ({"energy": Component((Price(D(1), When(evse_kind="XX")),))}, "AC or DC"),
        ({"energy": Component((Price(D(1)),), (Tax("VAT", D(101)),))}, "per cent"),
        ({"energy": Component((Price(D("1E-99999999")),))}, "no price"),
        ({"energy": Component((Price(D(1), step=-1),))}, "a step is"),
        ({"energy": Component((Price(D(1), per_hour=True),))}, "per hour"),
        ({"energy": Component((Price(D(1), taxes=(Tax("VAT", D(-1)),)),))}, "per cent"),
        ({"energy": Component((Price(D(1), When(reservation="RESERVATION")),))}, "depends on one"),
        ({"reservation_time": Component((Price(D(1), When(reservation="MAYBE")),))}, "RESERVATION or"),
        ({"energy": Component((Price(D(1), When(min_energy_wh=D("NaN"))),))}, "no amount"),
        ({"energy": Component((Price(D(1), When(max_power_w=D("1E-9999999"))),))}, "no amount"),
        ({"max_cost": Bound(incl_tax=D("Infinity"))}, "no price"),
        ({"min_cost": Bound()}, "needs an amount"),
        ({"texts": (TariffText(""),)}, "1 to 1024"),
    ],
)
def test_a_tariff_that_cannot_price_a_session_is_refused(change: dict[str, Any], words: str) -> None:
    plain: dict[str, Any] = {"id": "T", "currency": "EUR", "energy": Component((Price(D(1)),))}
    with pytest.raises(Invalid, match=words):
        tariffs.check(Tariff(**{**plain, **change}))


def test_the_line_for_people_has_taxes_in_it() -> None:
    tariff = Tariff(
        "T",
        "EUR",
        energy=Component((Price(D("0.1"), When(to_time="06:00")), Price(D("0.3333"))), (Tax("VAT", D(20)),)),
        idle_time=Component((Price(D("0.05")),)),
        fixed_fee=Component((Price(D(1)),)),
    )
    assert tariffs.summary(tariff) == "0.12-0.40 EUR/kWh + 0.05 EUR/min idle + 1.00 EUR per session"
    assert tariffs.summary(Tariff("F", "EUR")) == "free"


def test_the_line_for_people_knows_gross_prices_and_prices_per_hour() -> None:
    vat = (Tax("VAT", D(20)),)
    hourly = Component((Price(D(6), per_hour=True),), vat)
    mixed = Component((Price(D(6), When(to_time="06:00"), per_hour=True), Price(D("0.20"), taxes=())), vat)
    tariff = Tariff("T", "EUR", charging_time=hourly, idle_time=mixed)
    assert tariffs.summary(tariff) == "7.20 EUR/h + 0.12-0.20 EUR/min idle"
    assert tariffs.summary(replace(tariff, tax_included=True)) == "6.00 EUR/h + 0.10-0.20 EUR/min idle"


def test_a_station_hears_prices_before_taxes_and_per_minute() -> None:
    vat = (Tax("VAT", D(20)),)
    said = Tariff(
        "T",
        "EUR",
        energy=Component((Price(D("0.60"), step=100), Price(D("0.55"), taxes=(Tax("VAT", D(10)),))), vat),
        idle_time=Component((Price(D("7.20"), per_hour=True),), vat),
        reservation_fixed=Component((Price(D(4), When(reservation="RESERVATION_EXPIRES")),)),
        tax_included=True,
    )
    told = tariffs.plain(said)
    assert told.energy == Component((Price(D("0.5")), Price(D("0.458333333"))), vat)
    assert told.idle_time == Component((Price(D("0.1")),), vat)
    assert told.reservation_fixed is None
    assert not told.tax_included
    net = Tariff("N", "EUR", energy=Component((Price(D("0.123456789012")),), vat))
    assert tariffs.plain(net) == net


def test_the_tariff_in_the_documentation_is_one() -> None:
    (written,) = re.findall(r"```json\n(.+?)```", PAGE.read_text(), re.DOTALL)
    tariff = msgspec.convert({"id": "NIGHT", **msgspec.json.decode(written)}, Tariff, strict=False)
    tariffs.check(tariff)
    assert tariffs.text_for(tariff).content == "Nachts 29 Cent"


PRICES = st.decimals("0", "2", places=3)
WHENS = st.one_of(
    st.none(),
    st.builds(
        When, from_time=st.sampled_from(["12:10", "13:30"]), to_time=st.sampled_from(["12:40", "14:00"])
    ),
    st.builds(When, max_energy_wh=st.integers(1, 20_000).map(Decimal)),
    st.builds(When, min_time_s=st.integers(1, 9_000)),
    st.builds(When, max_idle_s=st.integers(1, 3_000)),
)
COMPONENTS = st.builds(
    Component, st.lists(st.builds(Price, PRICES, WHENS), min_size=1, max_size=3).map(tuple)
)


@given(
    energy=COMPONENTS,
    charging=COMPONENTS,
    cuts=st.lists(st.integers(1, 119), unique=True, max_size=8).map(sorted),
)
def test_however_often_a_station_reports_an_even_session_it_costs_the_same(
    energy: Component, charging: Component, cuts: list[int]
) -> None:
    tariff = Tariff("T", "EUR", energy=energy, charging_time=charging)
    timeline, known = [(NOON, "T")], {"T": tariff}

    def payable(minutes: list[int]) -> Fraction:
        steps = [Stretch(NOON + timedelta(minutes=m), D(m) * 150, True) for m in minutes]
        total = costs.total(costs.recount(NOON, steps, timeline, known), timeline, known)
        assert total is not None
        assert sum(line.incl_tax for line in total.lines) == total.incl_tax
        return total.incl_tax

    assert payable([*cuts, 120]) == payable([120])
