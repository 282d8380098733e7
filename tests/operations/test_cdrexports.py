"""Charge detail records as partners get them: OCPI 2.2.1 CDR objects."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.cdrs import CorrectCdr, ExportCdrs, SetMeterKey
from cms.contract.evses import SetEvse
from cms.contract.refusals import Conflict
from cms.contract.sites import AddSite
from cms.contract.stations import SetStation
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.operations import cdrexports, cdrs, evses, meterkeys, sites, stations, tariffs
from tests.domain.build import after, start, stop
from tests.ocmf import SigningMeter
from tests.operations.frames import Charging
from tests.operations.small import ANA, Small

D = Decimal
VAT = (Tax("VAT", D(19)),)
TARIFF = Tariff(
    "T1",
    "EUR",
    energy=Component((Price(D("0.50")),), VAT),
    idle_time=Component((Price(D("0.10")),), VAT),
    fixed_fee=Component((Price(D("1.00")),), VAT),
    time_zone="Europe/Berlin",
)


async def furnished(small: Small, party: str | None = "DE*ABC") -> None:
    """A site with an address, whose station has an EVSE with an id and an outlet."""
    core = small.core
    place = AddSite(
        site="garage",
        name="Garage Nord",
        time_zone="Europe/Berlin",
        street="Hauptstr. 1",
        postcode="89073",
        city="Ulm",
        country="DE",
        coordinates="48.4011,9.9876",
        party=party,
    )
    await sites.add(core, place, ANA)
    await stations.set_(core, SetStation("CP1", site="garage"), ANA)
    evse = SetEvse(
        station="CP1", evse=1, evse_id="DE*ABC*E1001", standard="ccs2", format="CABLE", power_type="DC"
    )
    await evses.set_(core, evse, ANA)
    await tariffs.add(core, AddTariff(TARIFF), ANA)
    await tariffs.use(core, UseTariff("T1"), ANA)


async def exported(small: Small) -> list[Any]:
    told = await cdrexports.export(small.core, ExportCdrs(), ANA)
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in told.lines]


async def test_a_record_has_all_that_ocpi_asks_for(small: Small) -> None:
    await furnished(small)
    car = Charging(small, "2.0.1")
    await car.begin(after(0), 1000)
    await car.state("SuspendedEV", after(60))
    await car.end(after(90), 6000)
    [cdr] = await exported(small)
    assert (cdr["country_code"], cdr["party_id"], cdr["currency"]) == ("DE", "ABC", "EUR")
    assert (cdr["start_date_time"], cdr["end_date_time"]) == ("2026-05-04T12:00:00Z", "2026-05-04T13:30:00Z")
    assert cdr["cdr_token"] == {
        "country_code": "DE",
        "party_id": "ABC",
        "uid": "CARD1",
        "type": "RFID",
        "contract_id": "CARD1",
    }
    assert cdr["auth_method"] == "AUTH_REQUEST"
    assert cdr["cdr_location"] == {
        "id": "garage",
        "name": "Garage Nord",
        "address": "Hauptstr. 1",
        "city": "Ulm",
        "postal_code": "89073",
        "country": "DEU",
        "coordinates": {"latitude": "48.401100", "longitude": "9.987600"},
        "evse_uid": "CP1-1",
        "evse_id": "DE*ABC*E1001",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2_COMBO",
        "connector_format": "CABLE",
        "connector_power_type": "DC",
    }
    volumes: dict[str, Decimal] = {}
    for period in cdr["charging_periods"]:
        assert period["start_date_time"] >= cdr["start_date_time"]
        for dimension in period["dimensions"]:
            kind = dimension["type"]
            volumes[kind] = volumes.get(kind, D(0)) + dimension["volume"]
    assert volumes == {"ENERGY": D(5), "PARKING_TIME": D("0.5")}
    # (5 x 0.50 + 30 x 0.10 + 1.00) x 1.19 = 7.735
    assert cdr["total_cost"] == {"excl_vat": D("6.50"), "incl_vat": D("7.74")}
    parts = [cdr[f"total_{name}_cost"]["incl_vat"] for name in ("energy", "parking", "fixed")]
    assert sum(parts) == D("7.74")
    assert (cdr["total_energy"], cdr["total_time"], cdr["total_parking_time"]) == (5, D("1.5"), D("0.5"))
    assert [tariff["id"] for tariff in cdr["tariffs"]] == ["T1"]
    assert not {"credit", "signed_data"} & cdr.keys()


async def test_what_was_rated_again_is_credited_and_written_anew(small: Small) -> None:
    await furnished(small)
    answer = await small.hear("CP1", start(), "1.6")
    small.clock.time = after(60)
    await small.hear("CP1", stop(answer.transaction_id, at=after(60)), "1.6")
    session = (await small.core.store.accounting.cdrs())[0].session
    await cdrs.correct(small.core, CorrectCdr(session, D("-1.00"), "goodwill"), ANA)
    first, credit, second = await exported(small)
    assert (credit["credit"], credit["credit_reference_id"], credit["id"]) == (
        True,
        first["id"],
        f"{first['id']}-C",
    )
    assert credit["total_cost"]["incl_vat"] == -first["total_cost"]["incl_vat"]
    assert {
        k: v for k, v in credit.items() if k not in ("id", "credit", "credit_reference_id", "total_cost")
    } == {k: v for k, v in first.items() if k not in ("id", "total_cost", "last_updated")} | {
        "last_updated": credit["last_updated"]
    }
    assert second["total_cost"]["incl_vat"] == first["total_cost"]["incl_vat"] - 1
    assert second["id"] not in (first["id"], credit["id"])


async def test_a_held_record_is_not_told_to_anybody(small: Small) -> None:
    await furnished(small)
    answer = await small.hear("CP1", start(meter=6000), "1.6")
    await small.hear("CP1", stop(answer.transaction_id, meter=1000), "1.6")
    assert await exported(small) == []


async def test_signed_values_go_with_the_record(small: Small) -> None:
    await furnished(small)
    meter = SigningMeter()
    await meterkeys.set_key(small.core, SetMeterKey("CP1", meter.public), ANA)
    text = meter.text(("B", after(0), "1.000"), ("E", after(60), "6.000"))
    car = Charging(small, "1.6")
    await car.begin(after(0), 1000)
    await car.end(after(60), 6000, text=text)
    [cdr] = await exported(small)
    assert cdr["signed_data"]["encoding_method"] == "OCMF"
    assert cdr["signed_data"]["public_key"] == meter.public
    assert [(one["nature"], one["signed_data"]) for one in cdr["signed_data"]["signed_values"]] == [
        ("End", text)
    ]


async def test_without_a_party_the_export_says_whose_is_missing(small: Small) -> None:
    await furnished(small, party=None)
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id=""), ANA)
    answer = await small.hear("CP1", start(), "1.6")
    await small.hear("CP1", stop(answer.transaction_id), "1.6")
    with pytest.raises(Conflict, match="those of site garage"):
        await exported(small)
