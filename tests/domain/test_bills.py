"""Bills in whole coins of what somebody else calculated."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from cms.domain import bills

D = Decimal


@pytest.mark.parametrize(
    ("excl", "incl", "percent"),
    [
        ("10", "11.90", "19"),
        ("0", "5", "0"),
        ("5", "0", "0"),
        ("-5", "5", "0"),
        ("0", "0", "0"),
        ("1", "9", "0"),
    ],
)
def test_what_a_station_calculated_is_owed_whatever_its_taxes_are(excl: str, incl: str, percent: str):
    line = bills.taxed("energy", D(excl), D(incl))
    bill = bills.bill(bills.Total("EUR", Fraction(D(incl)), "normal", (line,), Fraction(D(excl))))
    assert bill.gross == D(incl)
    assert bill.gross == bill.net + sum(part.vat for part in bill.vat)
    assert [part.percent for part in bill.vat] == [D(percent)]
