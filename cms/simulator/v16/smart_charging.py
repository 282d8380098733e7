"""Smart charging of 1.6 (section 3.13, 5.5, 5.7, 5.16)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cms.simulator.evse import Evse
from cms.simulator.language import Order
from cms.simulator.pace import moment, stamp
from cms.simulator.profile_rules import objection
from cms.simulator.profiles import DEFAULT, MAX, TX, Period, Profile, amperes
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: 1.6 purposes in the words of 2.x.
PURPOSES = {"ChargePointMaxProfile": MAX, "TxDefaultProfile": DEFAULT, "TxProfile": TX}


def profile_of(told: Payload, evse_id: int) -> Profile:
    schedule = told["chargingSchedule"]
    transaction = told.get("transactionId")
    return Profile(
        id=told["chargingProfileId"],
        evse=evse_id,
        stack=told["stackLevel"],
        purpose=PURPOSES[told["chargingProfilePurpose"]],
        kind=told["chargingProfileKind"],
        unit=schedule["chargingRateUnit"],
        periods=tuple(
            Period(period["startPeriod"], float(period["limit"]), period.get("numberPhases"))
            for period in schedule["chargingSchedulePeriod"]
        ),
        told=told,
        recurrence=told.get("recurrencyKind"),
        start=moment(schedule["startSchedule"]) if "startSchedule" in schedule else None,
        duration_s=schedule.get("duration"),
        valid_from=moment(told["validFrom"]) if "validFrom" in told else None,
        valid_to=moment(told["validTo"]) if "validTo" in told else None,
        transaction=None if transaction is None else str(transaction),
    )


def started_profile(station: Station, evse: Evse, told: Payload) -> Profile | None:
    """The profile of a remote start; None when it is not a good one (errata 3.41: no transaction id)."""
    profile = profile_of(told, evse.id)
    if profile.purpose != TX or objection(station, profile, starting=True):
        return None
    return profile


def _set(station: Station, order: Payload) -> Reply:
    if "no-profiles" in station.faults:
        return Reply({"status": "NotSupported"})
    profile = profile_of(order["csChargingProfiles"], order["connectorId"])
    if objection(station, profile):
        return Reply({"status": "Rejected"})
    station.profiles.install(profile)
    return Reply({"status": "Accepted"})


def _clear(station: Station, order: Payload) -> Reply:
    purpose = PURPOSES.get(order.get("chargingProfilePurpose", ""))

    def wanted(profile: Profile) -> bool:
        if "id" in order:
            return bool(profile.id == order["id"])
        return (
            order.get("connectorId") in (None, profile.evse)
            and purpose in (None, profile.purpose)
            and order.get("stackLevel") in (None, profile.stack)
        )

    return Reply({"status": "Accepted" if station.profiles.remove(wanted) else "Unknown"})


def _composite(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order["connectorId"] or None)
    if not evses or "no-profiles" in station.faults:
        return Reply({"status": "Rejected"})
    since = station.pace.now().replace(microsecond=0)
    unit, duration_s = order.get("chargingRateUnit", "W"), order["duration"]
    dc = evses[0].dc
    periods: list[dict[str, Any]] = [
        {"startPeriod": start_s, "limit": round(limit_w if unit == "W" else amperes(limit_w, dc), 1)}
        for start_s, limit_w in station.profiles.composite(evses, since, duration_s)
    ]
    if "absurd-composite" in station.faults:
        since, duration_s = since - timedelta(days=20_000), 2**31 - 1
    return Reply(
        {
            "status": "Accepted",
            "connectorId": order["connectorId"],
            "scheduleStart": stamp(since),
            "chargingSchedule": {
                "duration": duration_s,
                "startSchedule": stamp(since),
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": periods,
            },
        }
    )


ORDERS: dict[str, Order] = {
    "SetChargingProfile": _set,
    "ClearChargingProfile": _clear,
    "GetCompositeSchedule": _composite,
}
