"""What 2.1 adds: tariffs, limits, payment, DER control, event streams, battery swapping, resuming."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cms.simulator.console import do
from cms.simulator.station import Station
from tests.simulator.desk import Desk
from tests.simulator.stage import a_car, charging, online, settle, story
from tests.virtual import START

CARD = {"idToken": "APP1", "type": "Central"}


def tariff(number: str = "T1", **more: Any) -> dict[str, Any]:
    energy = {"prices": [{"priceKwh": 0.5}], "taxRates": [{"type": "vat", "tax": 20.0}]}
    return {"tariffId": number, "currency": "EUR", "energy": energy, **more}


async def ended(desk: Desk) -> dict[str, Any]:
    return await desk.next("TransactionEvent", eventType="Ended")


def test_a_station_calculates_with_the_tariff_that_it_was_given() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        fixed: dict[str, Any] = {"fixedFee": {"prices": [{"priceFixed": 1.0}]}}
        order = {"evseId": 0, "tariff": tariff(**fixed)}
        assert await desk.order("CP-1", "SetDefaultTariff", order) == {"status": "Accepted"}
        station.plug_in(station.evses[0], a_car(0.1))
        await station.present(station.evses[0], "CARD1")
        await settle(3600)
        station.unplug(station.evses[0])
        details = (await ended(desk))["costDetails"]
        assert details["totalUsage"]["energy"] == pytest.approx(11.0)
        assert details["totalCost"]["total"] == {"exclTax": 6.5, "inclTax": 7.6}
        assert details["totalCost"]["fixed"]["exclTax"] == 1.0

    story(tell, "2.1")


def test_tariffs_are_listed_refused_and_cleared() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)

        async def put(told: dict[str, Any], evse: int = 1) -> str:
            return str(
                (await desk.order("CP-1", "SetDefaultTariff", {"evseId": evse, "tariff": told}))["status"]
            )

        assert await put(tariff()) == "Accepted"
        assert await put(tariff(minCost={"exclTax": 1.0})) == "DuplicateTariffId"
        night = {"prices": [{"priceKwh": 0.3, "conditions": {"startTimeOfDay": "22:00"}}]}
        assert await put({**tariff("T2"), "energy": night}) == "ConditionNotSupported"
        many = {"prices": [{"priceKwh": 0.3}] * 11}
        assert await put({**tariff("T2"), "energy": many}) == "TooManyElements"
        answer = await desk.order("CP-1", "GetTariffs", {"evseId": 0})
        [assigned] = answer["tariffAssignments"]
        assert (assigned["tariffId"], assigned["evseIds"]) == ("T1", [1])
        answer = await desk.order("CP-1", "ClearTariffs", {"tariffIds": ["T1", "T9"]})
        assert [one["status"] for one in answer["clearTariffsResult"]] == ["Accepted", "NoTariff"]
        assert await desk.order("CP-1", "GetTariffs", {"evseId": 0}) == {"status": "NoTariff"}

    story(tell, "2.1")


def test_a_running_transaction_changes_its_tariff_but_not_its_currency() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}, "tariff": tariff("DRIVER")}
        await charging(desk, station, station.evses[0])
        await settle()
        running = {"transactionId": station.transactions[0].id}
        change = "ChangeTransactionTariff"
        dollars = {**running, "tariff": {**tariff("T2"), "currency": "USD"}}
        assert await desk.order("CP-1", change, dollars) == {"status": "NoCurrencyChange"}
        euros = {**running, "tariff": tariff("T2")}
        assert await desk.order("CP-1", change, euros) == {"status": "Accepted"}
        await desk.next("TransactionEvent", triggerReason="TariffChanged")
        gone = {"transactionId": "x", "tariff": tariff("T2")}
        assert await desk.order("CP-1", change, gone) == {"status": "TxNotFound"}

    story(tell, "2.1")


@pytest.mark.parametrize(
    "limit, reason",
    [
        ({"maxEnergy": 2000}, "EnergyLimitReached"),
        ({"maxTime": 900}, "TimeLimitReached"),
        ({"maxSoC": 60}, "SOCLimitReached"),
    ],
)
def test_a_limit_is_acknowledged_and_kept(limit: dict[str, Any], reason: str) -> None:
    def answer(version: str, action: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"transactionLimit": limit} if event["eventType"] == "Started" else {}

    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["TransactionEvent"] = answer
        await charging(desk, station, station.evses[0])
        told = await desk.next("TransactionEvent", triggerReason="LimitSet")
        assert told["transactionInfo"]["transactionLimit"] == limit
        assert (await ended(desk))["transactionInfo"]["stoppedReason"] == reason
        [transaction] = station.transactions
        if "maxEnergy" in limit:
            assert transaction.energy_wh == pytest.approx(2000, abs=5)

    story(tell, "2.1")


def test_a_cost_that_reaches_the_limit_ends_the_session() -> None:
    def answer(version: str, action: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"transactionLimit": {"maxCost": 5.0}} if event["eventType"] == "Started" else {}

    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["TransactionEvent"] = answer
        await charging(desk, station, station.evses[0])
        await settle(60)
        cost = {"transactionId": station.transactions[0].id, "totalCost": 5.2}
        assert await desk.order("CP-1", "CostUpdated", cost) == {}
        assert (await ended(desk))["transactionInfo"]["stoppedReason"] == "LocalOutOfCredit"

    story(tell, "2.1")


def test_a_transaction_is_resumed_after_the_reset_that_says_so() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await settle()
        order = {"type": "ImmediateAndResume"}
        assert await desk.order("CP-1", "Reset", order) == {"status": "Accepted"}
        await desk.next("TransactionEvent", triggerReason="TxResumed")
        assert len(desk.all("BootNotification")) == 2
        assert not any(event["eventType"] == "Ended" for event in desk.all("TransactionEvent"))

    story(tell, "2.1")


def test_while_somebody_pays_on_the_web_nobody_else_begins() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = {"evseId": 1, "timeout": 120}
        assert await desk.order("CP-1", "NotifyWebPaymentStarted", order) == {}
        station.plug_in(station.evses[0], a_car())
        assert await station.present(station.evses[0], "CARD1") == "refused"
        start = {"idToken": CARD, "remoteStartId": 4, "evseId": 1}
        assert await desk.order("CP-1", "RequestStartTransaction", start) == {"status": "Accepted"}
        started = await desk.next("TransactionEvent", eventType="Started")
        assert started["idToken"] == CARD
        station.unplug(station.evses[0])
        await do([station], "settle 12.50")
        assert (await desk.next("NotifySettlement"))["settlementAmount"] == 12.5

    story(tell, "2.1")


def control(number: str, priority: int, **more: Any) -> dict[str, Any]:
    curve = {"curveData": [{"x": 1.0, "y": 2.0}], "priority": priority, "yUnit": "PctMaxW", **more}
    return {"isDefault": False, "controlId": number, "controlType": "VoltWatt", "curve": curve}


def test_der_controls_supersede_each_other_and_are_reported() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await desk.order("CP-1", "SetDERControl", control("a", 5)) == {"status": "Accepted"}
        answer = await desk.order("CP-1", "SetDERControl", control("b", 1))
        assert answer == {"status": "Accepted", "supersededIds": ["a"]}
        unsupported = {**control("c", 1), "controlType": "WattVar"}
        assert await desk.order("CP-1", "SetDERControl", unsupported) == {"status": "NotSupported"}
        assert await desk.order("CP-1", "GetDERControl", {"requestId": 3}) == {"status": "Accepted"}
        told = await desk.next("ReportDERControl")
        assert {one["id"]: one["isSuperseded"] for one in told["curve"]} == {"a": True, "b": False}
        clear = {"isDefault": False, "controlId": "a"}
        assert await desk.order("CP-1", "ClearDERControl", clear) == {"status": "Accepted"}
        assert await desk.order("CP-1", "ClearDERControl", clear) == {"status": "NotFound"}
        await do([station], "der-alarm on")
        assert (await desk.next("NotifyDERAlarm"))["alarmEnded"] is False

    story(tell, "2.1")


def test_a_timed_der_control_tells_when_it_starts_and_stops() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        start = (START + timedelta(minutes=5)).isoformat()
        await desk.order("CP-1", "SetDERControl", control("t", 1, startTime=start, duration=600.0))
        assert (await desk.next("NotifyDERStartStop"))["started"] is True
        assert (await desk.next("NotifyDERStartStop"))["started"] is False
        assert station.kept.controls == {}

    story(tell, "2.1")


def test_a_periodic_event_stream_is_opened_fed_adjusted_and_closed() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        entry = {
            "component": {"name": "EVSE", "evse": {"id": 1}},
            "variable": {"name": "Power"},
            "type": "Periodic",
            "value": 5.0,
            "severity": 8,
            "periodicEventStream": {"interval": 60, "values": 4},
        }
        answer = await desk.order("CP-1", "SetVariableMonitoring", {"setMonitoringData": [entry]})
        monitor = answer["setMonitoringResult"][0]["id"]
        opened = (await desk.next("OpenPeriodicEventStream"))["constantStreamData"]
        assert opened["variableMonitoringId"] == monitor
        told = await desk.next("NotifyPeriodicEventStream")
        assert [(one["t"], one["v"]) for one in told["data"]] == [
            (5.0, "11000"), (10.0, "11000"), (15.0, "11000"), (20.0, "11000")
        ]  # fmt: skip
        assert await desk.order("CP-1", "GetPeriodicEventStream", {}) == {"constantStreamData": [opened]}
        adjust = {"id": opened["id"], "params": {"values": 2}}
        assert await desk.order("CP-1", "AdjustPeriodicEventStream", adjust) == {"status": "Accepted"}
        await desk.next("NotifyPeriodicEventStream")
        assert len((await desk.next("NotifyPeriodicEventStream"))["data"]) == 2
        await desk.order("CP-1", "ClearVariableMonitoring", {"id": [monitor]})
        assert await desk.next("ClosePeriodicEventStream") == {"id": opened["id"]}
        assert await desk.order("CP-1", "GetPeriodicEventStream", {}) == {}

    story(tell, "2.1")


def test_a_battery_is_swapped_by_order_and_by_card() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = {"idToken": CARD, "requestId": 17}
        assert await desk.order("CP-1", "RequestBatterySwap", order) == {"status": "Accepted"}
        for kind in ("BatteryIn", "BatteryOut"):
            told = await desk.next("BatterySwap")
            assert (told["eventType"], told["requestId"], told["idToken"]) == (kind, 17, CARD)
        await do([station], "swap CARD1")
        assert (await desk.next("BatterySwap"))["idToken"]["idToken"] == "CARD1"

    story(tell, "2.1")


def test_an_afrr_signal_needs_a_frequency_profile() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        signal = {"timestamp": START.isoformat(), "signal": 3}
        assert (await desk.order("CP-1", "AFRRSignal", signal))["status"] == "Rejected"
        period = {"startPeriod": 0, "operationMode": "CentralFrequency", "setpoint": 0.0}
        told = {
            "id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Absolute",
            "chargingSchedule": [{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}],
        }  # fmt: skip
        order = {"evseId": 1, "chargingProfile": told}
        assert await desk.order("CP-1", "SetChargingProfile", order) == {"status": "Accepted"}
        assert await desk.order("CP-1", "AFRRSignal", signal) == {"status": "Accepted"}
        transfer = {"transactionId": station.transactions[0].id, "allowedEnergyTransfer": ["AC_BPT"]}
        assert await desk.order("CP-1", "NotifyAllowedEnergyTransfer", transfer) == {"status": "Accepted"}

    story(tell, "2.1")


def test_an_answer_that_breaks_its_schema_is_told_with_callresulterror() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        desk.lenient = True
        desk.answers["Heartbeat"] = {"time": "now"}
        await do_badly(station)
        assert desk.refused_answers == 1

    async def do_badly(station: Station) -> None:
        await station.say("Heartbeat", {})
        await settle()

    story(tell, "2.1")


def test_a_terminal_takes_what_the_session_cost() -> None:
    def answer(version: str, action: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"totalCost": 4.2} if event["eventType"] == "Ended" else {}

    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["TransactionEvent"] = answer
        await online(desk)
        for line in ("plug 1", "card 1 PAN-0001 DirectPayment", "wait 60", "unplug 1"):
            await do([station], line)
        told = await desk.next("NotifySettlement")
        assert (told["settlementAmount"], told["status"]) == (4.2, "Settled")
        assert told["transactionId"] == station.transactions[0].id

    story(tell, "2.1")


def test_a_car_that_may_discharge_tells_what_it_needs_then() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        order = {
            "transactionId": station.transactions[0].id,
            "allowedEnergyTransfer": ["AC_three_phase", "AC_BPT"],
        }
        assert await desk.order("CP-1", "NotifyAllowedEnergyTransfer", order) == {"status": "Accepted"}
        needs = (await desk.next("NotifyEVChargingNeeds"))["chargingNeeds"]
        assert needs["requestedEnergyTransfer"] == "AC_BPT"
        assert needs["v2xChargingParameters"]["maxDischargePower"] == 22_000

    story(tell, "2.1")


def test_a_transaction_survives_a_short_loss_of_power() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        entry = {
            "component": {"name": "TxCtrlr"},
            "variable": {"name": "ResumptionTimeout"},
            "attributeValue": "300",
        }
        await desk.order("CP-1", "SetVariables", {"setVariableData": [entry]})
        await settle(3600)
        station.lose_power(100)
        before_wh = station.evses[0].meter_wh
        await settle(100)
        assert station.evses[0].meter_wh == before_wh
        resumed = await desk.next("TransactionEvent", triggerReason="TxResumed")
        assert resumed["transactionInfo"]["transactionId"] == station.transactions[0].id
        await settle(600)
        assert station.evses[0].power_w == 11_000
        station.lose_power(1000)
        assert (await ended(desk))["transactionInfo"]["stoppedReason"] == "PowerLoss"

    story(tell, "2.1")
