from __future__ import annotations

from decimal import Decimal

import pytest

from cms.contract.money import money, own_locale


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        ("1234.5", "EUR", "de_DE", "1.234,50 €"),
        ("1234.5", "EUR", "en", "€1,234.50"),
        ("-1234", "JPY", "en", "-¥1,234"),
        ("0.4567", "EUR", "de", "0,4567 €"),
        ("12.3", None, "de", "12,3"),
        ("NaN", "EUR", "de", "NaN EUR"),
        ("5", "XYZ", "en", "XYZ5.00"),
    ],
)
def test_money_is_written_as_its_reader_does(
    amount: str, currency: str | None, locale: str, written: str
) -> None:
    assert money(Decimal(amount), currency, locale) == written


@pytest.mark.parametrize(
    ("environment", "locale"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de_DE"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "tlh_QO"}, "en"),
        ({"LC_MONETARY": "nl_NL@euro", "LANG": "en_US"}, "nl_NL"),
        ({}, "en"),
    ],
)
def test_the_locale_is_that_of_the_environment(environment: dict[str, str], locale: str) -> None:
    assert own_locale(environment) == locale
