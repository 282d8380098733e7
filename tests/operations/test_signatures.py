"""Signed meter values: what they say of a bill, with which key, and how a driver checks them himself."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cms.contract.cdrs import (
    DropMeterKey,
    ListMeterKeys,
    ReleaseCdr,
    RerateSessions,
    SetMeterKey,
    ShowTransparency,
)
from cms.contract.refusals import Invalid, NotFound
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, UseTariff
from cms.domain.cdrs import Cdr
from cms.operations import cdrs, meterkeys, rerating, tariffs
from tests.domain.build import after
from tests.ocmf import SigningMeter
from tests.operations.frames import Charging
from tests.operations.small import ANA, Small

D = Decimal
VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


async def priced(small: Small) -> None:
    await tariffs.add(small.core, AddTariff(Tariff("T1", "EUR", energy=Component((Price(D("0.50")),)))), ANA)
    await tariffs.use(small.core, UseTariff("T1"), ANA)


async def charged(
    small: Small, version: str, meter: SigningMeter, *, told_kwh: str = "6.000", with_key: bool = False
) -> Cdr:
    """A session from 1 to 6 kWh whose end is signed; the meter may say otherwise."""
    text = meter.text(("B", after(0), "1.000"), ("E", after(60), told_kwh))
    signed = {"text": text} if version == "1.6" else {"sent": meter.sent(text, with_key=with_key)}
    car = Charging(small, version, transaction=f"tx-{small.clock.time.timestamp()}")
    await car.begin(after(0), 1000)
    await car.end(after(60), 6000, **signed)
    return (await small.core.store.accounting.cdrs())[0]


@VERSIONS
async def test_a_signature_is_valid_with_the_key_that_was_registered(small: Small, version: str) -> None:
    await priced(small)
    meter = SigningMeter()
    await meterkeys.set_key(small.core, SetMeterKey("cp1", meter.pem, 1), ANA)
    cdr = await charged(small, version, meter)
    assert (cdr.signature, cdr.signed_start_wh, cdr.signed_stop_wh) == ("valid", D(1000), D(6000))
    assert (cdr.holds, cdr.bill.gross) == ((), D("2.50"))


@VERSIONS
async def test_a_signature_of_another_meter_is_invalid_and_holds_the_bill(small: Small, version: str) -> None:
    await priced(small)
    await meterkeys.set_key(small.core, SetMeterKey("CP1", SigningMeter().public), ANA)
    cdr = await charged(small, version, SigningMeter())
    assert (cdr.signature, cdr.holds) == ("invalid", ("signature-invalid",))
    assert await small.core.store.accounting.balances() == {}
    shown = await cdrs.release(small.core, ReleaseCdr(cdr.session, "the meter was changed"), ANA)
    assert shown.cdr.status == "open"
    assert (await small.core.store.accounting.balances())[cdr.payer.account, "EUR"] == 250


async def test_a_key_that_is_registered_later_proves_what_is_rated_again(small: Small) -> None:
    await priced(small)
    meter = SigningMeter()
    await meterkeys.set_key(small.core, SetMeterKey("CP1", SigningMeter().public), ANA)
    cdr = await charged(small, "1.6", meter)
    await meterkeys.set_key(small.core, SetMeterKey("CP1", meter.public), ANA)
    ask = RerateSessions("the key of its meter was wrong", (cdr.session,))
    [done] = await rerating.rerate(small.core, ask, ANA)
    assert (done.outcome, done.difference, done.holds) == ("revised", D(0), ())
    [cdr] = await small.core.store.accounting.cdrs()
    assert (cdr.revision, cdr.signature) == (2, "valid")
    assert (await small.core.store.accounting.balances())[cdr.payer.account, "EUR"] == 250
    [again] = await rerating.rerate(small.core, ask, ANA)
    assert again.outcome == "unchanged"


async def test_energy_that_differs_from_the_signed_registers_holds_the_bill(small: Small) -> None:
    await priced(small)
    meter = SigningMeter()
    await meterkeys.set_key(small.core, SetMeterKey("CP1", meter.public), ANA)
    cdr = await charged(small, "2.0.1", meter, told_kwh="5.500")
    assert (cdr.signature, cdr.holds) == ("valid", ("signed-energy-differs",))


async def test_a_key_that_comes_with_the_value_proves_nothing_and_another_one_is_remarked(
    small: Small,
) -> None:
    await priced(small)
    meter = SigningMeter()
    cdr = await charged(small, "2.0.1", meter, with_key=True)
    assert (cdr.signature, cdr.holds) == ("unverified", ())
    await small.settled()
    [kept] = await meterkeys.list_keys(small.core, ListMeterKeys("CP1"), ANA)
    assert (kept.key, kept.registered, kept.curve, kept.evse) == (meter.public, False, "secp256r1", 1)
    await small.restart()
    [kept] = await meterkeys.list_keys(small.core, ListMeterKeys(), ANA)
    small.clock.pass_(minutes=100)
    other = SigningMeter()
    text = other.text(("B", after(200), "6.000"), ("E", after(260), "7.000"))
    car = Charging(small, "2.0.1", transaction="tx-other")
    await car.begin(after(200), 6000)
    await car.end(after(260), 7000, sent=other.sent(text, with_key=True))
    cdr = (await small.core.store.accounting.cdrs())[0]
    assert (cdr.signature, cdr.holds) == ("invalid", ("signature-invalid",))
    assert "meter-key-changed" in cdr.remarks


async def test_without_any_key_a_signed_value_is_unverified_and_billed(small: Small) -> None:
    await priced(small)
    cdr = await charged(small, "1.6", SigningMeter())
    assert (cdr.signature, cdr.holds, cdr.signed_stop_wh) == ("unverified", (), D(6000))


async def test_a_session_without_signed_values_says_none_and_nobody_looks_for_any(small: Small) -> None:
    await priced(small)
    car = Charging(small, "2.0.1")
    await car.begin(after(0), 1000)
    await car.end(after(60), 6000)
    [cdr] = await small.core.store.accounting.cdrs()
    assert (cdr.signature, cdr.signed_start_wh) == ("none", None)
    with pytest.raises(NotFound, match="no signed meter values"):
        await meterkeys.transparency(small.core, ShowTransparency(cdr.session), ANA)


async def test_a_driver_gets_what_the_transparency_software_reads(small: Small) -> None:
    from pyocmf.utils.xml import OcmfContainer

    await priced(small)
    meter = SigningMeter()
    await meterkeys.set_key(small.core, SetMeterKey("CP1", meter.public), ANA)
    cdr = await charged(small, "1.6", meter)
    told = await meterkeys.transparency(small.core, ShowTransparency(cdr.session), ANA)
    assert (told.signature, told.start_wh, told.stop_wh, told.energy_wh) == ("valid", D(1000), D(6000), 5000)
    assert [value.valid for value in told.values] == [True]
    file = small.folder / "values.xml"
    file.write_text(told.xml)
    [entry] = OcmfContainer.from_xml(file)
    assert entry.verify_signature()


async def test_keys_are_registered_replaced_and_forgotten(small: Small) -> None:
    first, second = SigningMeter(), SigningMeter("brainpool256r1")
    await meterkeys.set_key(small.core, SetMeterKey("CP1", first.public), ANA)
    told = await meterkeys.set_key(small.core, SetMeterKey("CP1", second.pem), ANA)
    assert (told.curve, told.registered, told.actor) == ("brainpoolP256r1", True, "ana")
    await meterkeys.drop_key(small.core, DropMeterKey("cp1"), ANA)
    assert await meterkeys.list_keys(small.core, ListMeterKeys(), ANA) == []
    with pytest.raises(NotFound):
        await meterkeys.drop_key(small.core, DropMeterKey("CP1"), ANA)
    with pytest.raises(Invalid, match="no public key of a meter"):
        await meterkeys.set_key(small.core, SetMeterKey("CP1", "30820122300d06092a864886f70d"), ANA)
    with pytest.raises(NotFound, match="no station CP9"):
        await meterkeys.set_key(small.core, SetMeterKey("CP9", first.public), ANA)
