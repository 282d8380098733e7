"""Prices as drivers read them: with VAT, in their language, with all their conditions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cms.contract.tariffs import Component, Price, Tariff, TariffText, Tax
from cms.domain import pricewords
from cms.domain.tarifffiles import read
from tests.domain import tariffmaking

DAY = read("""
id: DAY
currency: EUR
vat: 19
energy:
  - {price: 0.30, from: 22:00, to: 06:00, days: mon-fri}
  - {price: 0.40, min-kwh: 20}
  - 0.50
charging: {price: 3.00, per: hour, step: 5 min}
idle: {price: 0.10, after: 90 min}
session: 1
min: 1
max: 50
""")


def test_prices_are_read_line_by_line_with_vat() -> None:
    assert pricewords.lines(DAY) == (
        "€0.357 per kWh, Mon–Fri, 22:00–06:00",
        "€0.476 per kWh, from 20 kWh",
        "otherwise €0.595 per kWh",
        "€3.57 per hour of charging, in steps of 5 min",
        "€0.119 per minute connected without charging, after 90 min without charging",
        "€1.19 per session",
        "at least €1.19 per session",
        "at most €59.50 per session",
    )
    assert pricewords.vat(DAY) == "incl. 19% VAT"


def test_a_german_reads_german() -> None:
    assert pricewords.lines(DAY, "de-AT")[:2] == (
        "€ 0,357 je kWh, Mo.–Fr., 22:00–06:00",
        "€ 0,476 je kWh, ab 20 kWh",
    )
    assert pricewords.vat(DAY, "de") == "inkl. 19 % MwSt."


def test_a_language_that_nobody_wrote_is_english() -> None:
    assert pricewords.lines(DAY, "tlh") == pricewords.lines(DAY)


def test_nothing_to_pay_is_said_too() -> None:
    assert pricewords.lines(Tariff("T", "EUR"), "fr") == ("gratuit",)


def test_the_tariffs_own_text_is_shown_in_the_drivers_language() -> None:
    vat = (Tax("VAT", Decimal(19)),)
    tariff = Tariff(
        "T",
        "EUR",
        energy=Component((Price(Decimal("0.5")),), vat),
        texts=(TariffText("50 Cent", "de"), TariffText("<b>50</b>", "en", "HTML")),
    )
    assert pricewords.text(tariff, "de-CH") == "50 Cent"
    assert pricewords.text(tariff, "en") == "€0.595 per kWh\nincl. 19% VAT"


@pytest.mark.parametrize("language", sorted(pricewords.LANGUAGES))
def test_any_tariff_can_be_read_in_every_language(language: str) -> None:
    for seed in range(60):
        tariff = tariffmaking.tariff(seed)
        assert all(pricewords.lines(tariff, language))
        assert pricewords.text(tariff, language)
