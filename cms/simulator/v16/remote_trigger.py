"""TriggerMessage and ExtendedTriggerMessage of 1.6, and what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.evse import Evse
from cms.simulator.language import Order, Trigger
from cms.simulator.orders import triggered
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


async def boot(station: Station, evses: list[Evse]) -> None:
    if station.online:
        await station.say(*station.language.boot(station, "Triggered"))
    else:
        station.life.boot_now.set()


async def heartbeat(station: Station, evses: list[Evse]) -> None:
    await station.say("Heartbeat", {})


async def statuses(station: Station, evses: list[Evse]) -> None:
    for evse in evses:
        message = station.language.status(station, evse, evse.status)
        if message is not None:
            await station.say(*message)


async def meters(station: Station, evses: list[Evse]) -> None:
    station.charging.meter(evses)


async def firmware_status(station: Station, evses: list[Evse]) -> None:
    await station.firmware.tell_again()


async def _diagnostics_status(station: Station, evses: list[Evse]) -> None:
    await station.logs.tell_again(plain=True)


async def log_status(station: Station, evses: list[Evse]) -> None:
    await station.logs.tell_again(plain=False)


async def sign(station: Station, evses: list[Evse]) -> None:
    station.do(station.certificates.request("ChargingStationCertificate"))


TRIGGERS: dict[str, Trigger] = {
    "BootNotification": boot,
    "DiagnosticsStatusNotification": _diagnostics_status,
    "FirmwareStatusNotification": firmware_status,
    "Heartbeat": heartbeat,
    "LogStatusNotification": log_status,
    "MeterValues": meters,
    "SignChargePointCertificate": sign,
    "StatusNotification": statuses,
}


def _trigger(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order.get("connectorId") or None)
    then = triggered(station, order["requestedMessage"], evses)
    if then is None:
        return Reply({"status": "NotImplemented"})
    return Reply({"status": "Accepted" if evses else "Rejected"}, then if evses else None)


ORDERS: dict[str, Order] = dict.fromkeys(("TriggerMessage", "ExtendedTriggerMessage"), _trigger)
