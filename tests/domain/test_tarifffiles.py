"""Tariffs as files: what was written is read again, whatever it was; a mistake is named with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain import ocpitariffs, tarifffiles, tariffwriting, tariffyaml
from tests.domain import tariffmaking

D = Decimal
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
VAT = (Tax("VAT", D(19)),)
DAY = """
id: DC-day
currency: EUR
zone: Europe/Berlin
vat: 19
prices: include-vat
energy:
  - {price: 0.39, from: 22:00, to: 06:00}
  - {price: 0.49, step: 1 kWh}
charging: {price: 3.00, per: hour, vat: 7}
idle: {price: 0.10, after: 20 min, from: "08:00", to: "22:00", days: mon-fri}
session: 1
min: 1.00
max: 60
valid-from: 2027-01-01
text: {de: 49 Cent je kWh, en: 49 cents a kWh}
"""


def test_a_tariff_is_written_as_people_say_it() -> None:
    week = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    assert tarifffiles.read(DAY) == Tariff(
        id="DC-day",
        currency="EUR",
        energy=Component(
            (Price(D("0.39"), When(from_time="22:00", to_time="06:00")), Price(D("0.49"), step=1000)), VAT
        ),
        charging_time=Component((Price(D(3), taxes=(Tax("VAT", D(7)),), per_hour=True),), VAT),
        idle_time=Component(
            (Price(D("0.10"), When(from_time="08:00", to_time="22:00", days=week, min_idle_s=1200)),), VAT
        ),
        fixed_fee=Component((Price(D(1)),), VAT),
        min_cost=Bound(incl_tax=D(1), taxes=VAT),
        max_cost=Bound(incl_tax=D(60), taxes=VAT),
        texts=(TariffText("49 Cent je kWh", "de"), TariffText("49 cents a kWh", "en")),
        valid_from=datetime(2026, 12, 31, 23, 0, tzinfo=UTC),
        time_zone="Europe/Berlin",
        tax_included=True,
    )


def test_elements_share_conditions_and_precede_what_is_said_alone() -> None:
    read = tariffyaml.read("""
id: T
currency: EUR
elements:
  - when: {days: weekend, min-kwh: 20}
    energy: 0.20
    charging: {price: 0.01, after: 4 h}
energy: 0.40
""")
    weekend = {"days": ("Saturday", "Sunday"), "min_energy_wh": D(20_000)}
    assert read.energy == Component((Price(D("0.20"), When(**weekend)), Price(D("0.40"))))
    assert read.charging_time == Component((Price(D("0.01"), When(**weekend, min_charging_s=14_400)),))


def test_yaml_that_is_written_is_read_again() -> None:
    for seed in range(300):
        tariff = tariffmaking.tariff(seed)
        assert tariffyaml.read(tariffwriting.write(tariff)) == tariff, seed


def test_our_own_json_is_read_again() -> None:
    for seed in range(300):
        tariff = tariffmaking.tariff(seed)
        assert tarifffiles._from_json(tarifffiles.write(tariff, "json", "DE*ABC", NOW), None) == tariff, seed


def test_ocpi_json_is_read_again() -> None:
    for seed in range(300):
        tariff = tariffmaking.ocpi_tariff(seed)
        version = "2.3.0" if tariff.tax_included else "2.2.1"
        text = tarifffiles.write(tariff, f"ocpi-{version}", "DE*ABC", NOW)
        assert tarifffiles._from_json(text, None) == tariff, seed


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("enrgy: 0.49", "line 3: nothing in a tariff is called 'enrgy'"),
        ("energy: 0,49", "line 3: energy: '0,49' is no number"),
        ("energy:", "line 3: energy: nothing is said"),
        ("energy: 0.49\nenergy: 0.50", "line 4: 'energy' is said twice"),
        ("energy:\n  - {price: 0.49, frm: 08:00}", "line 4: nothing in energy is called 'frm'"),
        ("energy:\n  - {price: 0.49, from: 25:00}", "line 4: from: '25:00' is no time of day"),
        ("energy:\n  - {from: 08:00}", "line 4: energy: there is no price"),
        ("idle: {price: 0.1, after: 20}", "line 3: after: '20' is no span of time"),
        ("energy: {price: 0.1, per: hour}", "line 3: per: a price of time is per minute or per hour"),
        ("energy: {price: 0.1, step: 5 min}", "line 3: step: '5 min' is no step of energy"),
        ("energy: {price: 0.1, days: caturday}", "line 3: days: 'caturday' is no day"),
        ("zone: Mars/Olympus", "line 3: zone: there is no time zone"),
        ("prices: gross", "line 3: prices: include-vat or exclude-vat"),
        ("vat: much", "line 3: vat: 'much' is no number"),
        ("valid-from: soon", "line 3: valid-from: 'soon' is no time"),
        ("energy: [1, 2", "line 3: this is no YAML"),
        ("energy: &a 1\nidle: *a", "line 3: anchors and aliases are not read"),
        ("energy: !!python/object:os.system 1", "line 3: tags are not read"),
        ("energy: " + "[" * 30, "nested too deeply"),
        ("text: {de: [a]}", "line 3: de: one word or number is meant"),
        (
            "elements:\n  - when: {from: 08:00}\n    energy: {price: 1, from: 09:00}",
            "its element says it too",
        ),
        ("idle: {price: 1, after: 5 min, min-idle: 5 min}", "said twice, in two ways"),
    ],
)
def test_a_mistake_is_named_with_its_line(lines: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        tarifffiles.read(f"id: T\ncurrency: EUR\n{lines}\n")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_near_miss_is_told() -> None:
    with pytest.raises(Invalid) as refused:
        tarifffiles.read("id: T\ncurrency: EUR\nenrgy: 0.49\n")
    assert refused.value.hint == "did you mean energy?"


OCPI = {
    "country_code": "DE",
    "party_id": "ALL",
    "id": "16",
    "currency": "EUR",
    "type": "REGULAR",
    "tariff_alt_text": [{"language": "en", "text": "2.00 euro per hour"}],
    "min_price": {"excl_vat": 0.50, "incl_vat": 0.55},
    "elements": [
        {
            "price_components": [{"type": "TIME", "price": 2.00, "vat": 10.0, "step_size": 300}],
            "restrictions": {"start_time": "09:00", "end_time": "18:00", "day_of_week": ["SATURDAY"]},
        },
        {
            "price_components": [
                {"type": "FLAT", "price": 2.50, "vat": 10.0, "step_size": 1},
                {"type": "PARKING_TIME", "price": 5.00, "vat": 10.0, "step_size": 300},
            ]
        },
        {
            "price_components": [{"type": "TIME", "price": 3.00, "vat": 10.0, "step_size": 60}],
            "restrictions": {"reservation": "RESERVATION", "max_duration": 3600},
        },
    ],
    "last_updated": "2018-12-05T12:01:09Z",
}


def test_an_ocpi_tariff_is_read() -> None:
    vat = (Tax("VAT", D(10)),)
    tariff = tarifffiles.read(msgspec.json.encode(OCPI).decode())
    saturday = When(from_time="09:00", to_time="18:00", days=("Saturday",))
    reserved = When(max_time_s=3600, reservation="RESERVATION")
    assert tariff.charging_time == Component((Price(D(2), saturday, step=300, per_hour=True),), vat)
    assert tariff.fixed_fee == Component((Price(D("2.5")),), vat)
    assert tariff.idle_time == Component((Price(D(5), step=300, per_hour=True),), vat)
    assert tariff.reservation_time == Component((Price(D(3), reserved, step=60, per_hour=True),), vat)
    assert tariff.min_cost == Bound(D("0.5"), D("0.55"), vat)
    assert tariff.texts == (TariffText("2.00 euro per hour", "en"),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"elements": [{"price_components": []}]}, "elements[0]: there are no price_components"),
        ({"elements": [{"price_components": [{"type": "LOVE", "price": 1}]}]}, "not 'LOVE'"),
        ({"elements": [{"price_components": [{"type": "TIME"}]}]}, "price is missing"),
        ({"elements": [{"price_components": [{"type": "TIME", "price": True}]}]}, "is no number"),
        ({"elemnts": []}, "OCPI has no 'elemnts' here"),
        ({"min_price": 3}, "min_price: an object is meant"),
        ({"start_date_time": "soon"}, "is no time"),
        ({"tax_included": "MAYBE"}, "tax_included is YES, NO or N/A"),
    ],
)
def test_what_is_not_ocpi_is_refused_by_its_member(change: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        tarifffiles.read(msgspec.json.encode({**OCPI, **change}).decode())
    assert words in str(refused.value)


def test_what_ocpi_has_no_words_for_is_not_left_out_in_silence() -> None:
    idle = Tariff("T", "EUR", idle_time=Component((Price(D(1), When(min_idle_s=60)),)))
    with pytest.raises(Invalid, match="no word for min idle s"):
        ocpitariffs.write(idle, "DE*ABC", NOW)
    gross = Tariff("T", "EUR", energy=Component((Price(D(1)),), VAT), tax_included=True)
    with pytest.raises(Invalid, match=r"OCPI 2\.2\.1 has none such"):
        ocpitariffs.write(gross, "DE*ABC", NOW)
    assert ocpitariffs.write(gross, "DE*ABC", NOW, "2.3.0")["tax_included"] == "YES"


def test_per_minute_becomes_per_hour_in_ocpi() -> None:
    said = ocpitariffs.write(Tariff("T", "EUR", idle_time=Component((Price(D("0.10")),))), "DE*ABC", NOW)
    assert said["elements"] == [
        {"price_components": [{"type": "PARKING_TIME", "price": D("6.00"), "step_size": 1}]}
    ]
