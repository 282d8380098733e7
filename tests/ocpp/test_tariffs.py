"""Tariffs, costs, payments and battery swaps on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.payments import Limit
from cms.contract.refusals import NotSupported
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain.observations import (
    Accounted,
    Priced,
    StationCosts,
    TokenAnswer,
    TransactionAnswer,
    TransactionMore,
)
from cms.domain.orders import Order, Reset
from cms.domain.payments import NotifyWebPaymentStarted, SettlementAnswer, VatAnswer
from cms.domain.swaps import BatterySwapped, RequestBatterySwap
from cms.domain.tariffs import (
    DAYS,
    ChangeTransactionTariff,
    ClearTariffs,
    GetTariffs,
    SetDefaultTariff,
    UpdateCost,
)
from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.ocpp.test_orders import OK, give
from tests.ocpp.test_v2 import AT, EVENT, say

D = Decimal
EVERYTHING = When(
    from_time="08:00",
    to_time="20:00",
    days=DAYS,
    from_date="2026-01-01",
    to_date="2027-01-01",
    evse_kind="DC",
    min_energy_wh=D(1),
    max_energy_wh=D(2),
    min_current_a=D(3),
    max_current_a=D(4),
    min_power_w=D(5),
    max_power_w=D(6),
    min_time_s=7,
    max_time_s=8,
    min_charging_s=9,
    max_charging_s=10,
    min_idle_s=11,
    max_idle_s=12,
    payment_brand="VISA",
    payment_recognition="CC",
)
FULL = Tariff(
    "FULL",
    "EUR",
    **{
        name: Component(
            (Price(D("0.25"), EVERYTHING), Price(D("0.5"))), (Tax("VAT", D(21)), Tax("x", D(1), 1))
        )
        for name in (
            "energy",
            "charging_time",
            "idle_time",
            "fixed_fee",
            "reservation_time",
            "reservation_fixed",
        )
    },
    min_cost=Bound(incl_tax=D(1)),
    max_cost=Bound(excl_tax=D(9), taxes=(Tax("VAT", D(21)),)),
    texts=(TariffText("Guten Tag", "de"), TariffText("hi")),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    time_zone="Europe/Berlin",
)


async def test_everything_a_tariff_can_hold_is_said_as_the_schema_wants_it() -> None:
    ((_, said),), _ = await give(V21, SetDefaultTariff(FULL, 1), OK)
    tariff = said["tariff"]
    timed, fixed = tariff["energy"]["prices"][0]["conditions"], tariff["fixedFee"]["prices"][0]["conditions"]
    assert "paymentBrand" not in timed and timed["maxIdleTime"] == 12
    assert "minEnergy" not in fixed and fixed["paymentBrand"] == "VISA"
    assert tariff["validFrom"] == "2026-01-01T00:00:00.000Z"
    assert tariff["maxCost"] == {"exclTax": 9, "taxRates": [{"type": "VAT", "tax": 21, "stack": 0}]}


async def test_a_tariff_of_one_transaction_has_no_beginning_of_its_own() -> None:
    ((_, said),), _ = await give(V21, ChangeTransactionTariff("tx", FULL, "s1"), OK)
    assert "validFrom" not in said["tariff"]


@pytest.mark.parametrize(
    ("order", "payload", "answer", "outcome"),
    [
        (GetTariffs(), {"evseId": 0}, {"status": "NoTariff"}, ("accepted", "NoTariff")),
        (GetTariffs(2), {"evseId": 2}, {"status": "Rejected"}, ("rejected", "Rejected")),
        (ClearTariffs(), {}, {"clearTariffsResult": [{"status": "NoTariff"}]}, ("accepted", "NoTariff")),
        (
            ClearTariffs(("A", "B"), 1),
            {"tariffIds": ["A", "B"], "evseId": 1},
            {"clearTariffsResult": [{"status": "Accepted"}, {"status": "Rejected"}]},
            ("rejected", "Rejected"),
        ),
        (
            UpdateCost("tx", D("1.25")),
            {"totalCost": 1.25, "transactionId": "tx"},
            {},
            ("accepted", "Accepted"),
        ),
        (NotifyWebPaymentStarted(1, 60), {"evseId": 1, "timeout": 60}, {}, ("accepted", "Accepted")),
        (
            RequestBatterySwap("TAG", "rfid", 7),
            {"requestId": 7, "idToken": {"idToken": "TAG", "type": "ISO14443"}},
            {"status": "Rejected"},
            ("rejected", "Rejected"),
        ),
        (Reset("resume", 1), {"type": "ImmediateAndResume", "evseId": 1}, OK, ("accepted", "Accepted")),
    ],
)
async def test_every_order_about_money(
    order: Order, payload: dict[str, Any], answer: Any, outcome: tuple[str, str]
) -> None:
    calls, understood = await give(V21, order, answer)
    assert [said for _, said in calls] == [payload]
    assert (understood.verdict, understood.word) == outcome


@pytest.mark.parametrize("dialect", [V16, V201], ids=lambda d: d.version)
@pytest.mark.parametrize(
    "order",
    [
        SetDefaultTariff(FULL),
        GetTariffs(),
        ClearTariffs(),
        ChangeTransactionTariff("1", FULL, "s"),
        NotifyWebPaymentStarted(1, 60),
        RequestBatterySwap("T", "rfid", 1),
        Reset("resume"),
    ],
    ids=lambda o: type(o).__name__,
)
async def test_what_only_2_1_knows_is_refused_before_anything_is_sent(dialect: Dialect, order: Order) -> None:
    with pytest.raises(NotSupported, match=dialect.version.replace(".", r"\.")):
        await give(dialect, order)


def answered(account: Accounted) -> TransactionAnswer:
    return TransactionAnswer(account=account)


async def test_a_2_0_1_station_is_told_its_cost_and_text_but_no_limit() -> None:
    told = Accounted(D("0.00"), Limit(max_cost=D(5)), TariffText("0.30 EUR/kWh"))
    said, _, _ = await say(V201, "TransactionEvent", EVENT, answered(told))
    assert said[2] == {
        "totalCost": 0.0,
        "updatedPersonalMessage": {"format": "UTF8", "content": "0.30 EUR/kWh"},
    }


async def test_a_2_1_station_is_told_its_limits() -> None:
    told = Accounted(limit=Limit(D("20.00"), D(10_000), 3600, 80))
    said, _, _ = await say(V21, "TransactionEvent", EVENT, answered(told))
    assert said[2] == {
        "transactionLimit": {"maxCost": 20, "maxEnergy": 10_000, "maxTime": 3600, "maxSoC": 80}
    }


async def test_a_driver_reads_the_price_and_a_2_1_station_has_the_drivers_tariff() -> None:
    answer = TokenAnswer("accepted", priced=Priced(TariffText("Tag", "de"), FULL))
    asked = {"idToken": {"idToken": "TAG", "type": "ISO14443"}}
    older, _, _ = await say(V201, "Authorize", asked, answer)
    assert older[2]["idTokenInfo"]["personalMessage"] == {
        "format": "UTF8",
        "content": "Tag",
        "language": "de",
    }
    assert "tariff" not in older[2]
    newer, _, _ = await say(V21, "Authorize", asked, answer)
    assert newer[2]["tariff"]["tariffId"] == "FULL" and "validFrom" not in newer[2]["tariff"]


async def test_a_stations_calculation_is_read_exactly() -> None:
    details = {
        "totalCost": {
            "currency": "EUR",
            "typeOfCost": "MinCost",
            "total": {"exclTax": 1.10, "inclTax": 1.33},
            "energy": {"exclTax": 1.1},
        },
        "totalUsage": {"energy": 5.25, "chargingTime": 3600, "idleTime": 60},
        "chargingPeriods": [{"startPeriod": AT, "tariffId": "T"}],
    }
    event = {**EVENT, "costDetails": details, "evseSleep": True, "triggerReason": "CostLimitReached"}
    event["transactionInfo"] = {"transactionId": "t1", "transactionLimit": {"maxCost": 5.5, "maxSoC": 80}}
    _, seen, _ = await say(V21, "TransactionEvent", event)
    assert seen.more == TransactionMore(
        costs=StationCosts(
            "EUR",
            D("1.1"),
            D("1.33"),
            "minimum",
            D("5250.00"),
            3600,
            60,
            (("energy", D("1.1"), D("1.1")),),
            ("T",),
        ),
        limit=Limit(max_cost=D("5.5"), max_soc=80),
        evse_sleep=True,
    )
    assert seen.flags == ("cost-limit-reached",)


async def test_an_ordinary_event_of_2_1_carries_nothing_more() -> None:
    repeated = {**EVENT, "transactionInfo": {"transactionId": "t1", "operationMode": "ChargingOnly"}}
    _, seen, _ = await say(V21, "TransactionEvent", repeated)
    assert seen.more is None


async def test_a_settlement_is_read_and_its_receipt_told() -> None:
    payload = {"pspRef": "P", "status": "Settled", "settlementAmount": 1.21, "settlementTime": AT}
    said, seen, _ = await say(V21, "NotifySettlement", payload, SettlementAnswer("https://r/1"))
    assert (seen.psp_ref, seen.status, seen.amount) == ("P", "settled", D("1.21"))
    assert said[2] == {"receiptUrl": "https://r/1"}


async def test_a_vat_number_and_its_evse_come_back() -> None:
    asked = {"vatNumber": "NL1", "evseId": 3}
    said, _, _ = await say(V21, "VatNumberValidation", asked, VatAnswer("NL1", 3, False, reason="no"))
    assert said[2]["status"] == "Rejected" and said[2]["evseId"] == 3


async def test_a_battery_swap_is_read() -> None:
    data = {"evseId": 1, "serialNumber": "B1", "soC": 12.5, "soH": 98, "productionDate": AT}
    token = {"idToken": "TAG", "type": "ISO14443"}
    payload = {"eventType": "BatteryOutTimeout", "requestId": 7, "idToken": token, "batteryData": [data]}
    _, seen, _ = await say(V21, "BatterySwap", payload)
    assert isinstance(seen, BatterySwapped)
    assert (seen.kind, seen.request_id, seen.batteries[0].soc_percent) == ("out-timeout", 7, D("12.5"))
