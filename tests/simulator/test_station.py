"""Stations against a CSMS of a few lines, over real websockets, on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cms.simulator.evse import Evse
from cms.simulator.station import Station
from tests.simulator.desk import NOW, Desk
from tests.simulator.stage import V2, VERSIONS, a_car, charging, online, story


def starts(desk: Desk) -> list[dict[str, Any]]:
    return desk.all("StartTransaction") + [
        event for event in desk.all("TransactionEvent") if event["eventType"] == "Started"
    ]


async def next_end(desk: Desk, version: str) -> dict[str, Any]:
    if version == "1.6":
        return await desk.next("StopTransaction")
    return await desk.next("TransactionEvent", eventType="Ended")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_station_boots_tells_its_connectors_and_beats(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await desk.next("Heartbeat")
        told = len(desk.all("StatusNotification")) + len(desk.all("NotifyEvent"))
        assert told == (3 if version == "1.6" else 2)  # 1.6 tells of connector 0 too

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_measures_what_the_car_took(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        evse = station.evses[0]
        await charging(desk, station, evse)
        await asyncio.sleep(3600)
        assert await station.present(evse, "card1") == "stopped"
        await next_end(desk, version)
        await asyncio.sleep(1)
        [transaction] = station.transactions
        assert transaction.energy_wh == 11_000
        assert transaction.meter_stop_wh == 12_000
        metered = desk.all("MeterValues") + [
            event for event in desk.all("TransactionEvent") if event["eventType"] == "Updated"
        ]
        assert len(metered) == 60
        [value] = metered[-1]["meterValue"]
        assert len(value["sampledValue"]) == 8

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_full_car_is_suspended(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.99)
        if version == "1.6":
            await desk.next("StatusNotification", status="SuspendedEV")
        else:
            suspended = await desk.next("TransactionEvent", triggerReason="ChargingStateChanged")
            assert suspended["transactionInfo"]["chargingState"] == "SuspendedEV"
        assert station.evses[0].car is not None and station.evses[0].car.soc == pytest.approx(1.0)

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_happened_offline_is_delivered_in_order_afterwards(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        station.lose_link(1000)
        await asyncio.sleep(10)
        station.plug_in(station.evses[0], a_car())
        assert await station.present(station.evses[0], "CARD1") == "started"
        await asyncio.sleep(300)
        station.unplug(station.evses[0])
        assert starts(desk) == []
        end = await next_end(desk, version)
        [start] = starts(desk)
        assert start["timestamp"].startswith("2026-03-02T00:00:1")
        if version == "1.6":
            assert end["transactionId"] == 1
        else:
            assert start["offline"] and end["offline"]
            events = desk.all("TransactionEvent")
            assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert len(desk.all("BootNotification")) == 1

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_transaction_message_is_tried_three_times(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        start = "StartTransaction" if version == "1.6" else "TransactionEvent"
        desk.answers[start] = "InternalError"
        await charging(desk, station, station.evses[0])
        for _ in range(3):
            first = await desk.next(start)
        await asyncio.sleep(1)
        assert station.transactions[0].lost == 1
        assert desk.all(start)[:3] == [first, first, first]

    story(tell, version)


def test_a_transaction_without_a_number_is_stopped_as_minus_one() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["StartTransaction"] = "InternalError"
        await charging(desk, station, station.evses[0])
        station.unplug(station.evses[0])
        assert (await desk.next("StopTransaction"))["transactionId"] == -1

    story(tell, "1.6")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_whose_answer_was_lost_is_repeated(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        start = "StartTransaction" if version == "1.6" else "TransactionEvent"

        def say_nothing(*_: Any) -> None:
            station.lose_link(5)

        desk.answers[start] = say_nothing
        await charging(desk, station, station.evses[0])
        lost = await desk.next(start)
        del desk.answers[start]
        assert await desk.next(start) == lost

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_card_starts_nothing(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["Authorize"] = {
            "idTagInfo" if version == "1.6" else "idTokenInfo": {"status": "Blocked"}
        }
        await online(desk)
        station.plug_in(station.evses[0], a_car())
        assert await station.present(station.evses[0], "CARD1") == "refused"
        assert station.transactions == []

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_transaction_is_stopped_when_its_token_turns_out_invalid(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        word = {"status": "Invalid"}
        desk.answers["StartTransaction"] = {"transactionId": 9, "idTagInfo": word}
        desk.answers["TransactionEvent"] = {"idTokenInfo": word}
        await charging(desk, station, station.evses[0])
        end = await next_end(desk, version)
        assert (end.get("reason") or end["transactionInfo"]["stoppedReason"]) == "DeAuthorized"
        assert station.transactions[0].refused

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pending_station_asks_again_and_obeys_meanwhile(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["BootNotification"] = {"status": "Pending", "currentTime": NOW, "interval": 40}
        await desk.next("BootNotification")
        remote = (
            {"idTag": "A"}
            if version == "1.6"
            else {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 1}
        )
        start = "RemoteStartTransaction" if version == "1.6" else "RequestStartTransaction"
        assert (await desk.order("CP-1", start, remote))["status"] == "Rejected"
        await desk.next("BootNotification")
        del desk.answers["BootNotification"]
        before = len(desk.heard)
        await desk.order("CP-1", "TriggerMessage", {"requestedMessage": "BootNotification"})
        await desk.next("BootNotification")
        assert {action for _, action, _ in desk.heard[:before]} == {"BootNotification"}
        await asyncio.sleep(1)
        assert station.online

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reset_ends_sessions_disconnects_and_boots(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        kind = "Soft" if version == "1.6" else "Immediate"
        assert await desk.order("CP-1", "Reset", {"type": kind}) == {"status": "Accepted"}
        boot = await desk.next("BootNotification")
        end = await next_end(desk, version)
        assert desk.connections == 2
        if version == "1.6":
            assert end["reason"] == "SoftReset"
        else:
            assert boot["reason"] == "RemoteReset"
            assert end["transactionInfo"]["stoppedReason"] == "ImmediateReset"

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_reset_on_idle_waits_for_the_session(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        assert await desk.order("CP-1", "Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
        station.unplug(station.evses[0])
        assert (await desk.next("BootNotification"))["reason"] == "ScheduledReset"

    story(tell, version)


def remote_start(version: str, evse: int | None = None) -> tuple[str, dict[str, Any]]:
    if version == "1.6":
        return "RemoteStartTransaction", {"idTag": "APP1", **({"connectorId": evse} if evse else {})}
    token = {"idToken": "APP1", "type": "Central"}
    return "RequestStartTransaction", {
        "idToken": token,
        "remoteStartId": 77,
        **({"evseId": evse} if evse else {}),
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_remote_start_begins_at_the_car_that_waits(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        station.plug_in(station.evses[1], a_car())
        assert await desk.order("CP-1", *remote_start(version)) == {"status": "Accepted"}
        if version == "1.6":
            assert (await desk.next("StartTransaction"))["connectorId"] == 2
        else:
            started = await desk.next("TransactionEvent")
            assert started["evse"]["id"] == 2
            assert started["transactionInfo"]["remoteStartId"] == 77
            assert started["triggerReason"] == "RemoteStart"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_remote_start_waits_for_a_car_and_gives_up(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        waiting: list[Evse] = []
        station.awaits_driver = waiting.append
        await desk.order("CP-1", *remote_start(version, 2))
        await asyncio.sleep(60)
        assert waiting == [station.evses[1]]
        await asyncio.sleep(100)
        station.plug_in(station.evses[1], a_car())
        assert station.transactions == []
        await desk.order("CP-1", *remote_start(version, 1))
        await asyncio.sleep(60)
        station.plug_in(station.evses[0], a_car())
        assert station.transactions[0].token == "APP1"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_remote_stop_ends_the_named_transaction(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await asyncio.sleep(10)
        [transaction] = station.transactions
        wanted: Any = transaction.number if version == "1.6" else transaction.id
        stop = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
        other: Any = 999 if version == "1.6" else "other"
        assert (await desk.order("CP-1", stop, {"transactionId": other}))["status"] == "Rejected"
        assert await desk.order("CP-1", stop, {"transactionId": wanted}) == {"status": "Accepted"}
        end = await next_end(desk, version)
        assert (end.get("reason") or end["transactionInfo"]["stoppedReason"]) == "Remote"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_availability_changes_at_once_or_after_the_session(version: str) -> None:
    def change(evse: int, operative: bool) -> dict[str, Any]:
        word = "Operative" if operative else "Inoperative"
        if version == "1.6":
            return {"connectorId": evse, "type": word}
        return {"operationalStatus": word, **({"evse": {"id": evse}} if evse else {})}

    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        assert await desk.order("CP-1", "ChangeAvailability", change(2, False)) == {"status": "Accepted"}
        assert await desk.order("CP-1", "ChangeAvailability", change(0, False)) == {"status": "Scheduled"}
        assert [evse.status for evse in station.evses] == ["charging", "unavailable"]
        station.unplug(station.evses[0])
        assert [evse.status for evse in station.evses] == ["unavailable", "unavailable"]
        assert await desk.order("CP-1", "ChangeAvailability", change(0, True)) == {"status": "Accepted"}
        assert [evse.status for evse in station.evses] == ["available", "available"]
        assert await desk.order("CP-1", "ChangeAvailability", change(7, True)) == {"status": "Rejected"}

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_triggered_messages_come_after_the_answer(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await asyncio.sleep(1)
        for message in ("Heartbeat", "MeterValues", "StatusNotification"):
            desk.order_of_frames.clear()
            answer = await desk.order("CP-1", "TriggerMessage", {"requestedMessage": message})
            assert answer == {"status": "Accepted"}
            await asyncio.sleep(1)
            assert desk.order_of_frames[0] == "answer"
            assert len(desk.order_of_frames) > 1

    story(tell, version)


def test_a_custom_trigger_is_not_implemented() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = {"requestedMessage": "CustomTrigger", "customTrigger": "Coffee"}
        assert await desk.order("CP-1", "TriggerMessage", order) == {"status": "NotImplemented"}

    story(tell, "2.1")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_action_is_not_implemented(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await desk.order("CP-1", "MakeCoffee", {}) == "NotImplemented"
        assert await desk.order("CP-1", "Reset", {}) == station.language.malformed

    story(tell, version)


def test_configuration_keys_are_read_and_changed() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        asked = {"key": ["heartbeatinterval", "AuthorizationKey", "Nonsense"]}
        assert await desk.order("CP-1", "GetConfiguration", asked) == {
            "configurationKey": [
                {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
                {"key": "AuthorizationKey", "readonly": False},
            ],
            "unknownKey": ["Nonsense"],
        }
        every = await desk.order("CP-1", "GetConfiguration", {})
        assert len(every["configurationKey"]) == len(station.configuration)
        for key, value, status in (
            ("MeterValueSampleInterval", "10", "Accepted"),
            ("MeterValueSampleInterval", "often", "Rejected"),
            ("NumberOfConnectors", "9", "Rejected"),
            ("WebSocketPingInterval", "30", "RebootRequired"),
            ("Nonsense", "1", "NotSupported"),
        ):
            answer = await desk.order("CP-1", "ChangeConfiguration", {"key": key, "value": value})
            assert (key, answer["status"]) == (key, status)
        assert station.configuration.number("sample_s") == 10

    story(tell, "1.6")


@pytest.mark.parametrize("version", V2)
def test_variables_are_read_changed_and_reported(version: str) -> None:
    def named(name: str, **more: Any) -> dict[str, Any]:
        component, variable = name.split(".")
        return {"component": {"name": component}, "variable": {"name": variable}, **more}

    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        names = ["OCPPCommCtrlr.HeartbeatInterval", "SecurityCtrlr.BasicAuthPassword", "TxCtrlr.No", "No.No"]
        answer = await desk.order(
            "CP-1", "GetVariables", {"getVariableData": [named(name) for name in names]}
        )
        assert [got["attributeStatus"] for got in answer["getVariableResult"]] == [
            "Accepted", "Rejected", "UnknownVariable", "UnknownComponent",
        ]  # fmt: skip
        assert answer["getVariableResult"][0]["attributeValue"] == "300"
        changes = [
            named("SampledDataCtrlr.TxUpdatedInterval", attributeValue="15"),
            named("TxCtrlr.StopTxOnEVSideDisconnect", attributeValue="false"),
            named("OCPPCommCtrlr.WebSocketPingInterval", attributeValue="20"),
            named("No.No", attributeValue="1"),
        ]
        answer = await desk.order("CP-1", "SetVariables", {"setVariableData": changes})
        assert [one["attributeStatus"] for one in answer["setVariableResult"]] == [
            "Accepted", "Rejected", "RebootRequired", "UnknownComponent",
        ]  # fmt: skip
        assert station.configuration.number("sample_s") == 15
        await desk.order("CP-1", "GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
        parts = [await desk.next("NotifyReport")]
        while parts[-1]["tbc"]:
            parts.append(await desk.next("NotifyReport"))
        assert [part["seqNo"] for part in parts] == list(range(len(parts)))
        assert sum(len(part["reportData"]) for part in parts) == len(station.configuration)

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connector_is_unlocked_if_there_is_one(version: str) -> None:
    def unlock(number: int) -> dict[str, Any]:
        return {"connectorId": number} if version == "1.6" else {"evseId": number, "connectorId": 1}

    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        assert await desk.order("CP-1", "UnlockConnector", unlock(2)) == {"status": "Unlocked"}
        missing = "NotSupported" if version == "1.6" else "UnknownConnector"
        assert await desk.order("CP-1", "UnlockConnector", unlock(3)) == {"status": missing}
        running = "Unlocked" if version == "1.6" else "OngoingAuthorizedTransaction"
        assert await desk.order("CP-1", "UnlockConnector", unlock(1)) == {"status": running}

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_power_loss_ends_the_session_and_boots(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        station.lose_power(100)
        await desk.next("BootNotification")
        end = await next_end(desk, version)
        assert (end.get("reason") or end["transactionInfo"]["stoppedReason"]) == "PowerLoss"

    story(tell, version)


def test_a_broken_connector_is_told_and_mended() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        station.break_down(station.evses[0], "GroundFailure")
        faulted = await desk.next("StatusNotification", status="Faulted")
        assert faulted["errorCode"] == "GroundFailure"
        station.unplug(station.evses[0])
        station.mend(station.evses[0])
        await desk.next("StatusNotification", status="Available", connectorId=1)

    story(tell, "1.6")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_ledger_holds_exactly_what_was_answered(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        ledger: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        station.acknowledged = lambda station, *entry: ledger.append(entry)
        await charging(desk, station, station.evses[0])
        await asyncio.sleep(600)
        station.unplug(station.evses[0])
        await next_end(desk, version)
        await asyncio.sleep(1)
        assert [(action, payload) for action, payload, _ in ledger] == [
            (action, payload) for _, action, payload in desk.heard
        ]

    story(tell, version)


def test_a_deaf_station_answers_nothing() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await desk.order("CP-1", "Reset", {"type": "Soft"})

    story(tell, "1.6", "deaf")


def test_a_silent_reset_is_accepted_and_nothing_happens() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert await desk.order("CP-1", "Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await asyncio.sleep(300)
        assert desk.connections == 1

    story(tell, "1.6", "silent-reset")


def test_a_station_that_never_boots_works_all_the_same() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await desk.next("StatusNotification")
        station.plug_in(station.evses[0], a_car())
        assert await station.present(station.evses[0], "CARD1") == "started"
        await desk.next("StartTransaction")
        assert desk.all("BootNotification") == []

    story(tell, "1.6", "no-boot")


def test_odd_clocks_units_and_repeats_are_as_named() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await asyncio.sleep(100)
        first, second = starts(desk)
        assert first == second
        assert first["timestamp"].startswith("1970-01-01T") and not first["timestamp"].endswith("Z")
        sample = desk.all("MeterValues")[0]["meterValue"][0]["sampledValue"][0]
        assert (sample["unit"], sample["value"]) == ("kWh", "1.183")

    story(tell, "1.6", "twice", "year-1970", "no-zone", "kwh")


def setting(name: str, value: str) -> tuple[str, dict[str, Any]]:
    component, variable = name.split(".")
    entry = {
        "component": {"name": component}, "variable": {"name": variable}, "attributeValue": value
    }  # fmt: skip
    return "SetVariables", {"setVariableData": [entry]}


def told(desk: Desk) -> list[tuple[str, str, str, bool]]:
    """Transaction events: type, trigger, charging state, whether a token was told."""
    return [
        (
            event["eventType"],
            event["triggerReason"],
            event["transactionInfo"]["chargingState"],
            "idToken" in event,
        )
        for event in desk.all("TransactionEvent")
    ]


@pytest.mark.parametrize("version", V2)
def test_a_transaction_may_begin_with_the_cable_and_end_with_it(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        evse = station.evses[0]
        for name, value in (("TxCtrlr.TxStartPoint", "EVConnected"), ("TxCtrlr.TxStopPoint", "EVConnected")):
            answer = await desk.order("CP-1", *setting(name, value))
            assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
        station.plug_in(evse, a_car())
        await asyncio.sleep(10)
        assert (evse.power_w, await station.present(evse, "CARD1")) == (0, "started")
        await asyncio.sleep(30)
        assert evse.power_w == 11_000
        assert await station.present(evse, "CARD1") == "stopped"
        await asyncio.sleep(30)
        assert evse.power_w == 0
        station.unplug(evse)
        end = await next_end(desk, version)
        assert end["transactionInfo"]["stoppedReason"] == "Local"
        assert told(desk) == [
            ("Started", "CablePluggedIn", "EVConnected", False),
            ("Updated", "Authorized", "Charging", True),
            ("Updated", "StopAuthorized", "EVConnected", True),
            ("Updated", "MeterValuePeriodic", "EVConnected", False),
            ("Ended", "EVCommunicationLost", "EVConnected", False),
        ]

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_transaction_may_begin_with_the_card_and_time_out_without_a_car(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await desk.order("CP-1", *setting("TxCtrlr.TxStartPoint", "Authorized"))
        first, second = station.evses
        assert await station.present(first, "CARD1") == "waiting"
        assert await desk.order("CP-1", *remote_start(version, 2)) == {"status": "Accepted"}
        await asyncio.sleep(20)
        station.plug_in(second, a_car())
        end = await next_end(desk, version)
        assert (end["triggerReason"], end["transactionInfo"]["stoppedReason"]) == (
            "EVConnectTimeout",
            "Timeout",
        )
        await asyncio.sleep(1)
        assert [transaction.evse for transaction in station.transactions if transaction.ended_at] == [1]
        assert told(desk)[:3] == [
            ("Started", "Authorized", "Idle", True),
            ("Started", "RemoteStart", "Idle", True),
            ("Updated", "CablePluggedIn", "Charging", False),
        ]

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_meter_values_come_by_the_clock_where_that_is_configured(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        if version == "1.6":
            order = {"key": "ClockAlignedDataInterval", "value": "900"}
            assert await desk.order("CP-1", "ChangeConfiguration", order) == {"status": "Accepted"}
        else:
            await desk.order("CP-1", *setting("AlignedDataCtrlr.Interval", "900"))
        first = await desk.next("MeterValues")
        [value] = first["meterValue"]
        assert value["timestamp"] == "2026-03-02T00:15:00.000Z"
        assert value["sampledValue"][0]["context"] == "Sample.Clock"
        station.plug_in(station.evses[0], a_car())
        await station.present(station.evses[0], "CARD1")
        await asyncio.sleep(900)
        if version != "1.6":
            assert (await desk.next("TransactionEvent", triggerReason="MeterValueClock"))["seqNo"] > 0

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_password_is_used_at_once(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        if version == "1.6":
            secret = "0123456789abcdefghij"
            order = {"key": "AuthorizationKey", "value": secret.encode().hex()}
            assert await desk.order("CP-1", "ChangeConfiguration", order) == {"status": "Accepted"}
        else:
            secret = "correct-horse-battery"
            await desk.order("CP-1", *setting("SecurityCtrlr.BasicAuthPassword", secret))
        await asyncio.sleep(60)
        assert desk.connections == 2
        assert station.place.password == secret

    story(tell, version)


def test_the_station_itself_is_out_of_use_once_its_sessions_have_ended() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        order = {"connectorId": 0, "type": "Inoperative"}
        assert await desk.order("CP-1", "ChangeAvailability", order) == {"status": "Scheduled"}
        await asyncio.sleep(60)
        whole = [told["status"] for told in desk.all("StatusNotification") if told["connectorId"] == 0]
        assert whole == ["Available"]
        station.unplug(station.evses[0])
        assert (await desk.next("StatusNotification", connectorId=0, status="Unavailable"))[
            "errorCode"
        ] == "NoError"

    story(tell, "1.6")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_time_that_is_none_is_refused(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        for nonsense in ("tomorrow", "2026-03-02T23:59:60Z", "2026-13-40T00:00:00Z"):
            if version == "1.6":
                order = {"reservationId": 1, "connectorId": 1, "idTag": "A", "expiryDate": nonsense}
            else:
                token = {"idToken": "A", "type": "Central"}
                order = {"id": 1, "expiryDateTime": nonsense, "idToken": token}
            assert await desk.order("CP-1", "ReserveNow", order) == station.language.malformed
        assert station.online

    story(tell, version)
