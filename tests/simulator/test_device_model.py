"""The device model of 2.x: variables, reports, monitors, and what stands beside them in the same blocks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cms.simulator.console import do
from cms.simulator.station import Station
from tests.simulator.desk import Desk, a_desk
from tests.simulator.stage import V2, a_car, a_station, charging, online, settle, story
from tests.virtual import START, play

TEMPERATURE = {"component": {"name": "ControllerTemperature"}, "variable": {"name": "Temperature"}}
POWER = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}


async def report(desk: Desk, action: str, **order: Any) -> list[dict[str, Any]]:
    """The entries of all parts."""
    told = "NotifyMonitoringReport" if action == "GetMonitoringReport" else "NotifyReport"
    answer = await desk.order("CP-1", action, {"requestId": 3, **order})
    if answer["status"] != "Accepted":
        return []
    entries: list[dict[str, Any]] = []
    part: dict[str, Any] = {"tbc": True}
    while part["tbc"]:
        part = await desk.next(told)
        entries += part.get("reportData") or part["monitor"]
    return entries


def names(entries: list[dict[str, Any]]) -> set[str]:
    return {f"{entry['component']['name']}.{entry['variable']['name']}" for entry in entries}


@pytest.mark.parametrize("version", V2)
def test_reports_hold_what_their_base_or_criteria_ask_for(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        summary = await report(desk, "GetBaseReport", reportBase="SummaryInventory")
        assert {entry["variable"]["name"] for entry in summary} == {"AvailabilityState", "Problem"}
        settable = await report(desk, "GetBaseReport", reportBase="ConfigurationInventory")
        assert all(entry["variableAttribute"][0]["mutability"] != "ReadOnly" for entry in settable)
        power = await report(desk, "GetReport", componentVariable=[POWER])
        assert power[0]["component"]["evse"] == {"id": 1}
        assert power[0]["variableCharacteristics"]["supportsMonitoring"]
        anywhere = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}}
        assert len(await report(desk, "GetReport", componentVariable=[anywhere])) == 2
        whole = {"component": {"name": "SmartChargingCtrlr"}}
        assert len(await report(desk, "GetReport", componentVariable=[whole])) > 5
        assert await report(desk, "GetReport", componentCriteria=["Problem"]) == []
        station.break_down(station.evses[0], "GroundFailure")
        broken = await report(desk, "GetReport", componentCriteria=["Problem"])
        assert "ChargingStation.Problem" in names(broken)

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_secret_is_never_reported(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        station.configuration.put("SecurityCtrlr.BasicAuthPassword", "hunter2hunter2hunter2")
        entries = await report(desk, "GetBaseReport", reportBase="FullInventory")
        assert "hunter2" not in str(entries)
        assert "SecurityCtrlr.BasicAuthPassword" in names(entries)

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_more_variables_than_one_message_holds_are_refused(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = {"getVariableData": [TEMPERATURE] * 21}
        assert await desk.order("CP-1", "GetVariables", order) == "OccurrenceConstraintViolation"

    story(tell, version)


def test_more_keys_than_one_message_holds_are_refused() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = {"key": ["HeartbeatInterval"] * 51}
        assert await desk.order("CP-1", "GetConfiguration", order) == "OccurenceConstraintViolation"

    story(tell, "1.6")


@pytest.mark.parametrize("version", V2)
def test_measured_variables_are_read_as_they_are_now(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0], soc=0.1)
        answer = await desk.order("CP-1", "GetVariables", {"getVariableData": [POWER]})
        assert answer["getVariableResult"][0]["attributeValue"] == "11000"

    story(tell, version)


async def monitor(desk: Desk, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"type": "UpperThreshold", "severity": 5, "value": 60.0, **entry, **more}
    answer = await desk.order("CP-1", "SetVariableMonitoring", {"setMonitoringData": [told]})
    [result] = answer["setMonitoringResult"]
    return dict(result)


@pytest.mark.parametrize("version", V2)
def test_a_threshold_alerts_when_it_is_crossed_and_clears_after(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        result = await monitor(desk, TEMPERATURE)
        assert result["status"] == "Accepted"
        for value, cleared in (("70", False), ("40", True)):
            await do([station], f"set ControllerTemperature.Temperature {value}")
            while True:
                [event] = (await desk.next("NotifyEvent"))["eventData"]
                if event["trigger"] == "Alerting":
                    break
            assert (event["actualValue"], event["cleared"]) == (value, cleared)
            assert event["variableMonitoringId"] == result["id"]

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_deltas_and_periods_are_told_of_a_running_session(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert (await monitor(desk, POWER, type="Delta", value=1000.0))["status"] == "Accepted"
        assert (await monitor(desk, POWER, type="Periodic", value=30.0))["status"] == "Accepted"
        await charging_here(station)
        await settle(61)
        events = [entry for told in desk.all("NotifyEvent") for entry in told["eventData"]]
        assert [entry["actualValue"] for entry in events if entry["trigger"] == "Periodic"] == ["11000"] * 2
        deltas = [
            entry for entry in events if entry["trigger"] == "Delta" and "variableMonitoringId" in entry
        ]
        assert [entry["actualValue"] for entry in deltas] == ["11000"]

    story(tell, version)


async def charging_here(station: Station) -> None:
    station.plug_in(station.evses[0], a_car(0.1))
    assert await station.present(station.evses[0], "CARD1") == "started"


@pytest.mark.parametrize("version", V2)
def test_monitors_are_refused_changed_reported_and_cleared(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        unknown = {"component": {"name": "Coffee"}, "variable": {"name": "Level"}}
        fixed = {"component": {"name": "ChargingStation"}, "variable": {"name": "Model"}}
        assert (await monitor(desk, unknown))["status"] == "UnknownComponent"
        assert (await monitor(desk, fixed))["status"] == "UnsupportedMonitorType"
        assert (await monitor(desk, TEMPERATURE, value=9999.0))["status"] == "Rejected"
        number = (await monitor(desk, TEMPERATURE))["id"]
        assert (await monitor(desk, TEMPERATURE))["status"] == "Duplicate"
        changed = await monitor(desk, TEMPERATURE, id=number, value=65.0)
        assert (changed["status"], changed["id"]) == ("Accepted", number)
        entries = await report(desk, "GetMonitoringReport", monitoringCriteria=["ThresholdMonitoring"])
        values = {told["id"]: told["value"] for entry in entries for told in entry["variableMonitoring"]}
        assert values == {2: 85.0, number: 65.0}
        answer = await desk.order("CP-1", "ClearVariableMonitoring", {"id": [1, number, 77]})
        words = [one["status"] for one in answer["clearMonitoringResult"]]
        assert words == ["Rejected", "Accepted", "NotFound"]

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_the_monitoring_base_takes_monitors_away_and_the_level_quiets_them(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await monitor(desk, TEMPERATURE)
        assert await desk.order("CP-1", "SetMonitoringLevel", {"severity": 4}) == {"status": "Accepted"}
        await do([station], "set ControllerTemperature.Temperature 70")
        assert [
            told for told in desk.all("NotifyEvent") if told["eventData"][0]["trigger"] == "Alerting"
        ] == []
        base = {"monitoringBase": "HardWiredOnly"}
        assert await desk.order("CP-1", "SetMonitoringBase", base) == {"status": "Accepted"}
        entries = await report(desk, "GetMonitoringReport")
        assert [told["id"] for entry in entries for told in entry["variableMonitoring"]] == [1, 3, 4]

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_display_messages_are_kept_listed_replaced_and_cleared(version: str) -> None:
    def message(number: int, **more: Any) -> dict[str, Any]:
        content = {"format": "UTF8", "content": f"message {number}"}
        return {"message": {"id": number, "priority": "NormalCycle", "message": content, **more}}

    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)

        async def show(number: int, **more: Any) -> str:
            return str((await desk.order("CP-1", "SetDisplayMessage", message(number, **more)))["status"])

        assert [await show(number) for number in range(1, 8)] == ["Accepted"] * 7
        assert await show(1, priority="InFront") == "Accepted"
        html = {"format": "HTML", "content": "<b>"}
        assert await show(8, message=html) == "NotSupportedMessageFormat"
        assert await show(8, transactionId="x") == "UnknownTransaction"
        until = (START + timedelta(seconds=60)).isoformat()
        assert await show(8, endDateTime=until) == "Accepted"
        assert await desk.order("CP-1", "GetDisplayMessages", {"requestId": 2}) == {"status": "Accepted"}
        await settle()
        parts = desk.all("NotifyDisplayMessages")
        assert [len(part["messageInfo"]) for part in parts] == [5, 3]
        await settle(60)
        assert 8 not in station.kept.displays
        assert await desk.order("CP-1", "ClearDisplayMessage", {"id": 1}) == {"status": "Accepted"}
        assert await desk.order("CP-1", "ClearDisplayMessage", {"id": 1}) == {"status": "Unknown"}
        order = {"requestId": 3, "priority": "InFront"}
        assert await desk.order("CP-1", "GetDisplayMessages", order) == {"status": "Unknown"}

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_customer_information_is_told_in_parts_and_forgotten(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        for _ in range(12):
            await charging_here(station)
            station.unplug(station.evses[0])
        await settle(5)
        token = {"idToken": "CARD1", "type": "ISO14443"}
        order = {"requestId": 6, "report": True, "clear": True, "idToken": token}
        assert await desk.order("CP-1", "CustomerInformation", order) == {"status": "Accepted"}
        await settle()
        parts = desk.all("NotifyCustomerInformation")
        assert len(parts) > 1 and [part["seqNo"] for part in parts] == list(range(len(parts)))
        assert "".join(part["data"] for part in parts).count("transaction ") == 12
        assert station.authorization.cached("CARD1") is None
        both = {**order, "customerIdentifier": "x"}
        assert await desk.order("CP-1", "CustomerInformation", both) == {"status": "Invalid"}

    story(tell, version)


def connection(url: str) -> dict[str, Any]:
    return {
        "configurationSlot": 1,
        "connectionData": {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": url,
            "messageTimeout": 30,
            "securityProfile": 1,
            "ocppInterface": "Wired0",
        },
    }


PRIORITY = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "NetworkConfigurationPriority"},
    "attributeValue": "1,0",
}


async def move(desk: Desk, url: str) -> None:
    assert await desk.order("CP-1", "SetNetworkProfile", connection(url)) == {"status": "Accepted"}
    answer = await desk.order("CP-1", "SetVariables", {"setVariableData": [PRIORITY]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "RebootRequired"
    await desk.order("CP-1", "Reset", {"type": "Immediate"})


def test_a_station_moves_to_another_csms_by_its_network_profile() -> None:
    async def whole() -> None:
        async with a_desk() as here, a_desk() as there, a_station(here, "2.0.1"):
            await online(here)
            await move(here, there.url)
            assert (await there.next("BootNotification"))["reason"] == "RemoteReset"

    play(whole())


def test_a_station_comes_back_when_nobody_answers_at_its_new_address() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await move(desk, "ws://127.0.0.1:9/ocpp")
        await desk.next("BootNotification")

    story(tell, "2.0.1")


def test_one_evse_is_reset_alone() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        order = {"type": "Immediate", "evseId": 1}
        assert await desk.order("CP-1", "Reset", order) == {"status": "Accepted"}
        await desk.next("StatusNotification", evseId=1, connectorStatus="Unavailable")
        await desk.next("StatusNotification", evseId=1, connectorStatus="Occupied")
        assert desk.connections == 1
        assert station.transactions[0].end_reason == "hard-reset"

    story(tell, "2.0.1")


@pytest.mark.parametrize("version", V2)
def test_a_lock_that_fails_is_told_as_a_problem_and_cleared(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await settle()
        for line, value in (("break 1 ConnectorLockFailure", "true"), ("mend 1", "false")):
            desk.heard.clear()
            await do([station], line)
            await settle()
            problems = {
                f"{entry['component']['name']}.{entry['variable']['name']}": entry["actualValue"]
                for told in desk.all("NotifyEvent")
                for entry in told["eventData"]
                if entry["variable"]["name"] == "Problem"
            }
            assert problems == {"ChargingStation.Problem": value, "ConnectorPlugRetentionLock.Problem": value}

    story(tell, version)
