"""What cells of other systems' files mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from cli import cells
from cli.cells import Clock
from cms.contract.refusals import Invalid

BERLIN = Clock(cells.zone_named("Europe/Berlin"))
NOON = datetime(2024, 3, 4, 11, 5, tzinfo=UTC)
TIMES = {
    "2024-03-04T11:05:00Z": Clock(),
    "2024-03-04 12:05+01:00": Clock(),
    "Mon, 04 Mar 2024 11:05:00 GMT": Clock(),
    "1709550300": Clock(),
    "1709550300000": Clock(),
    "2024-03-04 12:05": BERLIN,
    "04.03.2024 12:05": BERLIN,
    "4.3.24 12:05:00": BERLIN,
    "2024/03/04 12:05": BERLIN,
    "04-03-2024 12:05": BERLIN,
    "04/03/2024 12:05": Clock(BERLIN.zone, order="day"),
    "3/4/2024 12:05 PM": Clock(BERLIN.zone, order="month"),
    "04|03|24 1205": Clock(BERLIN.zone, format="%d|%m|%y %H%M"),
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_as_people_and_programs_write_it(text: str) -> None:
    assert cells.instant(text, TIMES[text]) == NOON


@pytest.mark.parametrize(
    "text", ["", "yesterday", "31.02.2024 10:00", "13:00", "3/4/2024 12:05", "1/1/24 13:00 pm"]
)
def test_what_is_no_time_or_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cells.instant(text, BERLIN)


def test_a_time_without_a_zone_is_refused_where_nobody_says_which() -> None:
    with pytest.raises(Invalid, match="names no time zone"):
        cells.instant("2024-03-04 12:05", Clock())


def test_an_hour_that_comes_twice_is_the_one_after_the_start_and_one_that_never_was_is_refused() -> None:
    start = cells.instant("2024-10-27 01:50", BERLIN)
    assert cells.instant("2024-10-27 02:30", BERLIN, start) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    later = datetime(2024, 10, 27, 0, 45, tzinfo=UTC)
    assert cells.instant("2024-10-27 02:30", BERLIN, later) == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    with pytest.raises(Invalid, match="did not exist in Europe/Berlin"):
        cells.instant("2024-03-31 02:30", BERLIN)


def test_slashes_are_understood_where_one_date_of_the_file_shows_it() -> None:
    assert cells.order_of(["3/4/2024", "13/4/2024"]) == "day"
    assert cells.order_of(["3/4/2024 10:00", "3/14/2024 10:00"]) == "month"
    assert cells.order_of(["3/4/2024", "2024-01-01"]) is None


@pytest.mark.parametrize(
    ("text", "decimal", "told"),
    [
        ("12.5", ".", "12.5"),
        ("12,5", ",", "12.5"),
        ("1.234,5", ",", "1234.5"),
        ("1,234.5", ".", "1234.5"),
        ("1'234.5", ".", "1234.5"),
        ("-3", ".", "-3"),
    ],
)
def test_numbers_are_read_with_their_decimal_sign(text: str, decimal: str, told: str) -> None:
    assert cells.number(text, decimal) == (Decimal(told), "")


@pytest.mark.parametrize(("text", "decimal"), [("1,5", "."), ("1.5", ","), ("abc", "."), ("1.2.3", ".")])
def test_a_number_with_the_wrong_decimal_sign_is_refused_and_never_ten_times_as_much(
    text: str, decimal: str
) -> None:
    with pytest.raises(Invalid):
        cells.number(text, decimal)


def test_the_decimal_sign_shows_in_the_numbers_or_is_asked_for() -> None:
    assert cells.decimal_of(["1,5", "2"], sheet=False) == ","
    assert cells.decimal_of(["1.234,5"], sheet=False) == ","
    assert cells.decimal_of(["1,234.5"], sheet=False) == "."
    assert cells.decimal_of(["6.146", "7"], sheet=False) == "."
    assert cells.decimal_of(["0,146"], sheet=False) == ","
    assert cells.decimal_of(["6,146"], sheet=True) == ","
    assert cells.decimal_of(["6,146"], sheet=False) is None


def test_energy_has_a_unit_of_its_own_or_that_of_its_column() -> None:
    assert cells.energy_wh("12.5 kWh", ".", "Wh") == 12_500
    assert cells.energy_wh("12.5", ".", "kWh") == 12_500
    assert cells.energy_wh("800", ".", "Wh") == 800
    with pytest.raises(Invalid, match="no unit"):
        cells.energy_wh("12.5", ".", None)
    with pytest.raises(Invalid, match="no unit of energy"):
        cells.energy_wh("12.5 km", ".", "kWh")


def test_an_amount_brings_its_currency_or_has_that_of_the_file() -> None:
    assert cells.amount("4,90 €", ",", None) == (Decimal("4.90"), "EUR")
    assert cells.amount("CHF 4.90", ".", "EUR") == (Decimal("4.90"), "CHF")
    assert cells.amount("4.90", ".", "EUR") == (Decimal("4.90"), "EUR")
    assert cells.amount('{"amount": "4.90", "currency": "EUR"}', ",", None) == (Decimal("4.90"), "EUR")


def test_a_duration_stands_for_an_end() -> None:
    assert cells.span("1:02:03") == timedelta(hours=1, minutes=2, seconds=3)
    assert cells.span("90 min") == timedelta(minutes=90)
    assert cells.span("1 day, 2:00:00") == timedelta(days=1, hours=2)
    with pytest.raises(Invalid):
        cells.span("long")
