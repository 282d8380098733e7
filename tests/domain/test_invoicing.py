"""What invoices come to: the rules of EN 16931 hold whatever the sessions cost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cms.domain.invoices import Item
from cms.domain.invoicing import flipped, language_of, sums
from cms.domain.sellers import Seller, iban_holds, is_series, missing, series_on

D = Decimal
RATES = st.sampled_from([D(0), D(7), D(19), D("5.5")])


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    found = []
    for number in range(draw(st.integers(1, 30))):
        rate, net = draw(RATES), D(draw(st.integers(-5_000, 50_000))) / 100
        vat = (net * rate / 100).quantize(D("0.01"))
        found.append(Item(f"cdr/S{number}.1", "x", D(1), "kWh", abs(net), rate, net, vat, net + vat))
    return found


@given(items())
def test_totals_follow_the_rules_of_the_standard(lines: list[Item]) -> None:
    total = sums(lines, "EUR")
    assert total.net == sum(item.net for item in lines)  # BR-CO-10, BR-CO-13
    for part in total.vat:
        assert part.net == sum(item.net for item in lines if item.vat_percent == part.percent)
        assert abs(part.vat - part.net * part.percent / 100) <= D("0.005")  # BR-CO-17
    assert total.gross == total.net + sum(part.vat for part in total.vat)  # BR-CO-15
    assert total.payable == total.gross + total.rounding  # BR-CO-16
    assert total.payable == sum(item.gross for item in lines), "what the drivers were told"


@given(items())
def test_a_credit_note_of_everything_takes_exactly_everything_back(lines: list[Item]) -> None:
    there, back = sums(lines, "EUR"), sums([flipped(item) for item in lines], "EUR")
    assert not there.net + back.net and not there.payable + back.payable


def test_halves_of_a_cent_are_rounded_up() -> None:
    line = Item("cdr/S1.1", "x", D(1), "kWh", D("0.50"), D(19), D("0.50"), D("0.10"), D("0.60"))
    [part] = sums([line], "EUR").vat
    assert part.vat == D("0.10")  # 0.095


def test_a_seller_is_complete_or_says_what_is_missing() -> None:
    assert missing(None) == ["name", "street", "postcode", "city", "country", "iban", "vat_id"]
    whole = Seller(
        "Volt", "Am Markt 1", "89073", "Ulm", "DE", tax_number="1/2", iban="DE89370400440532013000"
    )
    assert missing(whole) == []


def test_series_and_ibans_are_checked() -> None:
    from datetime import date

    assert series_on(Seller(series="RE{year}-{month}"), date(2026, 3, 1)) == "RE2026-03"
    assert is_series("{year}") and not is_series("{year}/") and not is_series("")
    assert iban_holds("DE89370400440532013000") and not iban_holds("DE88370400440532013000")


def test_invoices_are_written_in_a_language_there_is() -> None:
    assert language_of("de-AT", "en_GB") == "de"
    assert language_of("fr", "de_DE") == "de"
    assert language_of(None, "fr_FR") == "en"
