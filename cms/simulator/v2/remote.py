"""Blocks F and G: remote start and stop, unlock, availability; and Reset of block B."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.evse import Awaited, Evse
from cms.simulator.language import Later, Order, info
from cms.simulator.life import REBOOT_S
from cms.simulator.orders import evse_for_start, resetting, set_availability, starting, stopping
from cms.simulator.v2.smart_charging import started_profile
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _reset(station: Station, order: Payload) -> Reply:
    if order.get("evseId"):
        return _reset_evse(station, order)
    if order["type"] == "OnIdle" and not station.idle:
        station.reset_when_idle()
        return Reply({"status": "Scheduled"})
    resumes = order["type"] == "ImmediateAndResume"
    return Reply({"status": "Accepted"}, resetting(station, "hard-reset", "RemoteReset", resumes=resumes))


def _reset_evse(station: Station, order: Payload) -> Reply:
    """B11, B12: one EVSE alone; the station stays connected."""
    evse = station.evse(order["evseId"])
    if evse is None:
        return Reply({"status": "Rejected", **info("UnknownEvse")})
    if order["type"] == "OnIdle" and not evse.idle:
        return Reply({"status": "Rejected", **info("InvalidState", "a transaction runs there")})
    return Reply({"status": "Accepted"}, _resetting_evse(station, evse))


def _resetting_evse(station: Station, evse: Evse) -> Later:
    async def reset() -> None:
        if "silent-reset" in station.faults:
            return
        station.charging.end(evse, "hard-reset")
        was_operative, evse.operative = evse.operative, False
        station.note_status(evse)
        await station.pace.sleep(REBOOT_S)
        evse.operative = was_operative
        station.note_status(evse)

    return reset


def _start(station: Station, order: Payload) -> Reply:
    token = order["idToken"]
    evse = evse_for_start(station, order.get("evseId"), token["idToken"])
    told = order.get("chargingProfile")
    profile = started_profile(station, evse, told) if evse is not None and told is not None else None
    if evse is None:
        return Reply({"status": "Rejected", **info("NoFreeEvse")})
    if told is not None and profile is None:
        return Reply({"status": "Rejected", **info("InvalidProfile")})
    who = Awaited(token["idToken"], station.pace.now(), order["remoteStartId"], token["type"], profile)
    return Reply({"status": "Accepted"}, starting(station, evse, who))


def _stop(station: Station, order: Payload) -> Reply:
    evse = station.evse_in(lambda transaction: transaction.id == order["transactionId"])
    if evse is None:
        return Reply({"status": "Rejected", **info("TxNotFound")})
    return Reply({"status": "Accepted"}, stopping(station, evse, "remote"))


def _unlock(station: Station, order: Payload) -> Reply:
    evse = station.evse(order["evseId"])
    if evse is None or order["connectorId"] != evse.connector:
        return Reply({"status": "UnknownConnector"})
    if evse.transaction is not None:
        return Reply({"status": "OngoingAuthorizedTransaction"})  # F05.FR.02
    return Reply({"status": "UnlockFailed" if "no-unlock" in station.faults else "Unlocked"})


def _availability(station: Station, order: Payload) -> Reply:
    evse = order.get("evse", {})
    evses = station.evses_named(evse.get("id"))
    if not evses or ("no-connector-0" in station.faults and not evse):
        return Reply({"status": "Rejected"})
    if evse.get("connectorId", 1) != evses[0].connector:
        return Reply({"status": "Rejected", **info("UnknownConnector")})
    operative = order["operationalStatus"] == "Operative"
    return Reply({"status": set_availability(station, evses, operative, whole=not evse)})


ORDERS: dict[str, Order] = {
    "Reset": _reset,
    "RequestStartTransaction": _start,
    "RequestStopTransaction": _stop,
    "UnlockConnector": _unlock,
    "ChangeAvailability": _availability,
}
