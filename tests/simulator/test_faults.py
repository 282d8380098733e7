"""Faults are what they are called: each was seen on a real station."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cms.simulator.console import do
from cms.simulator.faults import FAULTS, UNTOLD
from cms.simulator.misbehaviour import TWISTS
from cms.simulator.station import Station
from tests.simulator.desk import NOW, Desk
from tests.simulator.stage import a_car, charging, online, settle, story


def heard(desk: Desk, action: str) -> int:
    return len(desk.all(action))


def test_every_twist_has_a_name_and_every_untold_fault_exists() -> None:
    assert TWISTS.keys() <= FAULTS.keys()
    assert UNTOLD <= FAULTS.keys()


def test_an_impatient_station_asks_again_after_three_seconds() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        desk.answers["BootNotification"] = {"status": "Pending", "currentTime": NOW, "interval": 600}
        await settle(30)
        assert heard(desk, "BootNotification") >= 9

    story(tell, "1.6", "impatient-boot")


@pytest.mark.parametrize("fault, written", [("id-suffix", "CP-1_VN-000001"), ("id-case", "cp-1")])
def test_the_identity_is_written_carelessly(fault: str, written: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await desk.next("BootNotification")
        assert desk.paths == [written]

    story(tell, "1.6", fault)


def test_a_station_without_a_subprotocol_speaks_all_the_same() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await desk.next("BootNotification")
        assert desk.links["CP-1"].subprotocol is None

    story(tell, "1.6", "no-subprotocol")


@pytest.mark.parametrize("fault, connections", [("probe-16", 2), ("two-sockets", 2)])
def test_one_station_opens_more_connections_than_one(fault: str, connections: int) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert desk.connections == connections
        assert desk.links["CP-1"].subprotocol == "ocpp2.0.1"

    story(tell, "2.0.1", fault)


def test_the_old_socket_lingers_while_a_new_one_boots() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        old = desk.links["CP-1"]
        await desk.order("CP-1", "Reset", {"type": "Hard"})
        await desk.next("BootNotification")
        assert desk.connections == 2
        assert old.state.name == "OPEN"

    story(tell, "1.6", "lingering-socket")


def test_a_long_list_of_measurands_makes_it_boot_over_and_over() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        many = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC,Power.Offered"

        async def change(value: str) -> None:
            await desk.order("CP-1", "ChangeConfiguration", {"key": "MeterValuesSampledData", "value": value})

        await change(many)
        for _ in range(3):
            await desk.next("BootNotification")
        await settle(5)
        await change("Energy.Active.Import.Register")
        await settle(300)
        boots = heard(desk, "BootNotification")
        await settle(600)
        assert heard(desk, "BootNotification") == boots

    story(tell, "1.6", "boot-loop")


def test_frames_are_odd_as_named() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        boot = desk.all("BootNotification")[0]
        assert boot["vendorExtension"] and len(boot["chargingStation"]["serialNumber"]) == 40
        await do([station], "send Heartbeat")
        await desk.next("VendorKeepAlive")
        await desk.next("Heartbeat")
        assert desk.refused_answers > 0

    story(tell, "2.1", "unknown-fields", "long-serial", "invented-action", "empty-frames", "result-error")


def test_a_16_boot_may_come_on_a_2x_socket() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        assert "chargePointVendor" in await desk.next("BootNotification")

    story(tell, "2.0.1", "v16-payload")


def test_transaction_events_may_be_numbered_and_placed_badly() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await settle(200)
        events = desk.all("TransactionEvent")
        assert {event["seqNo"] for event in events} == {0}
        assert events[0]["evse"] == {"id": 0, "connectorId": 0}
        assert [event["eventType"] for event in events] == ["Started"]
        assert heard(desk, "MeterValues") == 3

    story(tell, "2.0.1", "seq-0", "evse-0", "meter-values-instead")


def test_reports_may_start_late_never_end_and_name_no_evse() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await desk.order("CP-1", "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
        await settle(5)
        parts = desk.all("NotifyReport")
        assert parts[0]["seqNo"] == 1
        assert all(part["tbc"] for part in parts)
        assert not any("evse" in entry["component"] for part in parts for entry in part["reportData"])

    story(tell, "2.0.1", "report-from-1", "endless-report", "report-flat")


def test_values_may_be_missing_from_variables() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        entry = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        answer = await desk.order("CP-1", "GetVariables", {"getVariableData": [entry]})
        assert answer["getVariableResult"][0]["attributeStatus"] == "Accepted"
        assert "attributeValue" not in answer["getVariableResult"][0]

    story(tell, "2.0.1", "no-value")


def test_a_transaction_may_be_told_wrongly_in_many_ways() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await settle(200)
        station.unplug(station.evses[0])
        stop = await desk.next("StopTransaction")
        first, again = desk.all("StartTransaction")
        assert first == again
        assert (first["reservationId"], first["idTag"]) == (0, "CARD1_LM1")
        assert stop["transactionId"] == 424242
        assert stop["meterStop"] < first["meterStart"]
        assert first["timestamp"].startswith("2037")
        values = [
            sample["value"]
            for told in desk.all("MeterValues")
            for sample in told["meterValue"][0]["sampledValue"]
        ]
        assert {"", " ", "NaN"} & set(values)

    story(
        tell,
        "1.6",
        *("start-repeated", "reservation-0", "token-suffix", "unknown-stop"),
        *("stop-below-start", "future", "meter-nonsense"),
    )


def test_an_outage_may_be_replayed_with_its_meter_values_last() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        station.lose_link(600)
        await settle(5)
        station.plug_in(station.evses[0], a_car())
        await station.present(station.evses[0], "CARD1")
        await settle(200)
        station.unplug(station.evses[0])
        await desk.next("MeterValues")
        told = [action for _, action, _ in desk.heard if action.endswith(("Transaction", "Values"))]
        assert told == ["StartTransaction", "StopTransaction", "MeterValues"]

    story(tell, "1.6", "replay-out-of-order")


def test_a_trigger_for_one_connector_may_bring_nothing() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await settle()
        before = heard(desk, "StatusNotification")
        one = {"requestedMessage": "StatusNotification", "connectorId": 1}
        assert await desk.order("CP-1", "TriggerMessage", one) == {"status": "Accepted"}
        await settle(30)
        assert heard(desk, "StatusNotification") == before
        await desk.order("CP-1", "TriggerMessage", {"requestedMessage": "StatusNotification"})
        await settle(5)
        assert heard(desk, "StatusNotification") > before

    story(tell, "1.6", "idle-evse-trigger")


@pytest.mark.parametrize(
    "fault, action, order, status",
    [
        ("no-connector-0", "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, "Rejected"),
        ("no-local-list", "SendLocalList", {"listVersion": 1, "updateType": "Full"}, "NotSupported"),
        (
            "list-mismatch",
            "SendLocalList",
            {"listVersion": 1, "updateType": "Differential"},
            "VersionMismatch",
        ),
        ("no-profiles", "GetCompositeSchedule", {"connectorId": 1, "duration": 60}, "Rejected"),
    ],
)
def test_some_stations_lack_features(fault: str, action: str, order: dict[str, Any], status: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        assert (await desk.order("CP-1", action, order))["status"] == status

    story(tell, "1.6", fault)


def test_a_composite_schedule_may_be_absurd() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        answer = await desk.order("CP-1", "GetCompositeSchedule", {"evseId": 1, "duration": 60})
        assert answer["schedule"]["duration"] == 2**31 - 1

    story(tell, "2.0.1", "absurd-composite")


def test_a_fault_can_be_switched_on_while_it_runs() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        await do([station], "fault unknown-fields,silent-reset")
        desk.lenient = True
        await do([station], "send Heartbeat")
        assert (await desk.next("Heartbeat"))["vendorExtension"]
        await do([station], "fault unknown-fields off")
        await do([station], "send Heartbeat")
        await asyncio.sleep(1)
        assert desk.all("Heartbeat")[-1] == {}
        assert station.faults == {"silent-reset"}

    story(tell, "1.6")


def test_a_transaction_may_end_before_it_began_and_be_metered_after() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await settle(10)
        station.unplug(station.evses[0])
        stop = await desk.next("StopTransaction")
        assert stop["timestamp"] < desk.all("StartTransaction")[0]["timestamp"]
        assert (await desk.next("MeterValues"))["transactionId"] == 0

    story(tell, "1.6", "stop-before-start", "late-meter", "transaction-0")


def test_meters_may_misname_units_and_phases() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        samples = (await desk.next("MeterValues"))["meterValue"][0]["sampledValue"]
        assert samples[-1]["unit"] == "Celcius"
        phases = {one["phase"] for one in samples if one["measurand"].startswith(("Power", "Current"))}
        assert phases == {"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"}

    story(tell, "1.6", "celcius", "phases-only")


def test_a_reset_may_happen_without_an_answer() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        order = asyncio.create_task(desk.order("CP-1", "Reset", {"type": "Hard"}))
        await desk.next("BootNotification")
        assert not order.done()
        order.cancel()

    story(tell, "1.6", "mute-reset")
