"""F06: what TriggerMessage asks for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse
from cms.simulator.language import Order, Trigger
from cms.simulator.orders import triggered
from cms.simulator.v2.samples import station_meter
from cms.simulator.v16 import remote_trigger as shared
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


async def _meters(station: Station, evses: list[Evse]) -> None:
    """F06: MeterValues outside transactions; of running ones it is TransactionEvent that tells."""
    for evse in evses:
        if evse.transaction is None:
            await station.say("MeterValues", station_meter(station, evse, "Trigger"))
        else:
            station.charging.meter([evse])


async def _sign(kind: str, station: Station, evses: list[Evse]) -> None:
    station.do(station.certificates.request(kind))


async def _published(station: Station, evses: list[Evse]) -> None:
    await station.say("PublishFirmwareStatusNotification", {"status": station.publisher.status})


TRIGGERS: dict[str, Trigger] = {
    "BootNotification": shared.boot,
    "FirmwareStatusNotification": shared.firmware_status,
    "Heartbeat": shared.heartbeat,
    "LogStatusNotification": shared.log_status,
    "MeterValues": _meters,
    "PublishFirmwareStatusNotification": _published,
    "SignChargingStationCertificate": partial(_sign, "ChargingStationCertificate"),
    "SignCombinedCertificate": partial(_sign, "ChargingStationCertificate"),
    "SignV2GCertificate": partial(_sign, "V2GCertificate"),
    "SignV2G20Certificate": partial(_sign, "V2G20Certificate"),
    "StatusNotification": shared.statuses,
    "TransactionEvent": shared.meters,
}


def _trigger(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order.get("evse", {}).get("id"))
    then = triggered(station, order["requestedMessage"], evses)
    if then is None:
        return Reply({"status": "NotImplemented"})
    return Reply({"status": "Accepted" if evses else "Rejected"}, then if evses else None)


ORDERS: dict[str, Order] = {"TriggerMessage": _trigger}
