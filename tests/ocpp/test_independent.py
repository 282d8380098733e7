"""The ``ocpp`` package's own ChargePoint, which is not ours, completes a session in both versions."""

import asyncio
from datetime import UTC, datetime

from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from websockets.asyncio.client import connect

from cms.ocpp import Endpoint
from tests.ocpp.fakes import Backend, FixedClock

NOW = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


async def charge(charge_point_type, protocol: str, calls: list) -> tuple[list, Backend]:
    backend = Backend()
    endpoint = Endpoint("127.0.0.1", 0, backend.admit, backend.hooks_of, FixedClock())
    await endpoint.start()
    try:
        async with connect(f"{endpoint.url}/CP-7", subprotocols=[protocol], proxy=None) as socket:
            charge_point = charge_point_type("CP-7", socket, response_timeout=5)
            listening = asyncio.create_task(charge_point.start())
            answers = [await charge_point.call(call, suppress=False) for call in calls]
            listening.cancel()
            await asyncio.wait([listening])
    finally:
        await endpoint.close(1001, "done")
    return answers, backend


async def test_a_1_6_charge_point_completes_a_session():
    values = [
        {"timestamp": NOW, "sampledValue": [{"value": "3500", "measurand": "Energy.Active.Import.Register"}]}
    ]
    answers, backend = await charge(
        ChargePoint16,
        "ocpp1.6",
        [
            call16.BootNotification(charge_point_model="M", charge_point_vendor="V"),
            call16.StatusNotification(
                connector_id=1, error_code="NoError", status="Preparing", timestamp=NOW
            ),
            call16.Authorize(id_tag="TAG"),
            call16.StartTransaction(connector_id=1, id_tag="TAG", meter_start=1000, timestamp=NOW),
            call16.MeterValues(connector_id=1, transaction_id=17, meter_value=values),
            call16.StopTransaction(transaction_id=17, meter_stop=6000, timestamp=NOW, reason="Local"),
            call16.Heartbeat(),
        ],
    )
    assert answers[0].status == "Accepted"
    assert answers[3].transaction_id == 17
    assert [received.remarks for received in backend.received] == [()] * 7


async def test_a_2_0_1_charge_point_completes_a_session():
    def event(kind: str, trigger: str, seq_no: int, **more: object) -> call201.TransactionEvent:
        info = {"transactionId": "t1"}
        return call201.TransactionEvent(kind, NOW, trigger, seq_no, info, **more)

    token = {"idToken": "TAG", "type": "ISO14443"}
    values = [{"timestamp": NOW, "sampledValue": [{"value": 16.1, "unitOfMeasure": {"unit": "kWh"}}]}]
    answers, backend = await charge(
        ChargePoint201,
        "ocpp2.0.1",
        [
            call201.BootNotification(charging_station={"model": "M", "vendorName": "V"}, reason="PowerUp"),
            call201.StatusNotification(timestamp=NOW, connector_status="Occupied", evse_id=1, connector_id=1),
            call201.Authorize(id_token=token),
            event("Started", "Authorized", 0, id_token=token, evse={"id": 1, "connectorId": 1}),
            event("Updated", "MeterValuePeriodic", 1, meter_value=values),
            event("Ended", "StopAuthorized", 2, id_token=token),
        ],
    )
    assert answers[3].id_token_info["status"] == "Accepted"
    assert [received.remarks for received in backend.received] == [()] * 6
    assert backend.received[4].observation.readings[0].samples[0].value == 16100
