"""Block K: charging profiles, composite schedules, limits from elsewhere, what cars need."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cms.simulator.evse import Evse
from cms.simulator.language import Later, Order, info
from cms.simulator.pace import moment, stamp
from cms.simulator.profile_rules import objection
from cms.simulator.profiles import EXTERNAL, TX, Period, Profile, amperes
from cms.simulator.wire import Payload, Refused, Reply, Silence

if TYPE_CHECKING:
    from cms.simulator.station import Station

PART = 3
"""Profiles in one ReportChargingProfiles."""
EXTERNAL_ID = 9_000_000
"""Profile ids of external limits begin here (2.1 MaxExternalConstraintsId)."""


def profile_of(told: Payload, evse_id: int, source: str = "CSO") -> Profile:
    schedule = told["chargingSchedule"][0]
    start = schedule.get("startSchedule")
    return Profile(
        id=told["id"],
        evse=evse_id,
        stack=told["stackLevel"],
        purpose=told["chargingProfilePurpose"],
        kind=told["chargingProfileKind"],
        unit=schedule["chargingRateUnit"],
        periods=tuple(_period(period) for period in schedule["chargingSchedulePeriod"]),
        told=told,
        recurrence=told.get("recurrencyKind"),
        start=moment(start) if start else None,
        duration_s=schedule.get("duration"),
        valid_from=moment(told["validFrom"]) if "validFrom" in told else None,
        valid_to=moment(told["validTo"]) if "validTo" in told else None,
        transaction=told.get("transactionId"),
        source=source,
    )


def _period(told: Payload) -> Period:
    """2.1: without a limit a setpoint counts, and without either nothing is limited (Q03)."""
    limit = told.get("limit", told.get("setpoint"))
    return Period(told["startPeriod"], None if limit is None else float(limit), told.get("numberPhases"))


def started_profile(station: Station, evse: Evse, told: Payload) -> Profile | None:
    """The profile of a remote start (K05); None when it is not a good one."""
    profile = profile_of(told, evse.id)
    if profile.purpose != TX or objection(station, profile, starting=True):
        return None
    return profile


def _set(station: Station, order: Payload) -> Reply:
    if "no-profiles" in station.faults:
        return Reply({"status": "Rejected", **info("UnsupportedRequest")})
    profile = profile_of(order["chargingProfile"], order["evseId"])
    reason = objection(station, profile)
    if reason is not None:
        return Reply({"status": "Rejected", **info(reason)})
    station.profiles.install(profile)
    return Reply({"status": "Accepted"}, _after(station, profile))


def _after(station: Station, profile: Profile) -> Later | None:
    """What an installed profile sets going: a car's schedule (K15), or pulling of limits (2.1 K28)."""
    if profile.purpose == TX and profile.evse in station.kept.needs:
        return lambda: _tell_schedule(station, profile)
    every_s = profile.told.get("dynUpdateInterval", 0)
    if profile.kind == "Dynamic" and every_s > 0:
        return lambda: _pull(station, profile.id, every_s)
    return None


async def _tell_schedule(station: Station, profile: Profile) -> None:
    """The car chose; it takes what it was offered."""
    station.kept.needs.discard(profile.evse)
    schedule = {
        key: value for key, value in profile.told["chargingSchedule"][0].items() if key in SCHEDULE_KEYS
    }
    await station.report(
        "NotifyEVChargingSchedule",
        {"timeBase": station.stamp(), "evseId": profile.evse, "chargingSchedule": schedule},
    )


SCHEDULE_KEYS = frozenset({"id", "duration", "startSchedule", "chargingRateUnit", "chargingSchedulePeriod"})


async def _pull(station: Station, profile_id: int, every_s: int) -> None:
    while (profile := station.profiles.get(profile_id)) is not None:
        await station.pace.sleep(every_s)
        try:
            answer = await station.call("PullDynamicScheduleUpdate", {"chargingProfileId": profile_id})
        except (Refused, Silence):
            continue
        if answer["status"] == "Accepted" and "scheduleUpdate" in answer:
            _update(station, profile, answer["scheduleUpdate"])


def _update(station: Station, profile: Profile, told: Payload) -> None:
    station.profiles.put_limit(profile, told.get("limit", told.get("setpoint")))


def _update_dynamic(station: Station, order: Payload) -> Reply:
    profile = station.profiles.get(order["chargingProfileId"])
    if profile is None or profile.kind != "Dynamic":
        return Reply({"status": "Rejected", **info("InvalidProfileId")})
    _update(station, profile, order["scheduleUpdate"])
    return Reply({"status": "Accepted"})


def _clear(station: Station, order: Payload) -> Reply:
    criteria = order.get("chargingProfileCriteria", {})

    def wanted(profile: Profile) -> bool:
        if profile.purpose == EXTERNAL:
            return False  # K10.FR.06: not the CSMS's to clear
        if "chargingProfileId" in order:
            return bool(profile.id == order["chargingProfileId"])
        return (
            criteria.get("evseId") in (None, profile.evse)
            and criteria.get("chargingProfilePurpose") in (None, profile.purpose)
            and criteria.get("stackLevel") in (None, profile.stack)
        )

    return Reply({"status": "Accepted" if station.profiles.remove(wanted) else "Unknown"})


def _get(station: Station, order: Payload) -> Reply:
    asked = order["chargingProfile"]

    def wanted(profile: Profile) -> bool:
        if "chargingProfileId" in asked:
            return profile.id in asked["chargingProfileId"]
        return (
            order.get("evseId") in (None, profile.evse)
            and asked.get("chargingProfilePurpose") in (None, profile.purpose)
            and asked.get("stackLevel") in (None, profile.stack)
            and profile.source in asked.get("chargingLimitSource", (profile.source,))
        )

    found = sorted(filter(wanted, station.profiles), key=_where)
    if not found:
        return Reply({"status": "NoProfiles"})
    return Reply({"status": "Accepted"}, lambda: _report(station, order["requestId"], found))


def _where(profile: Profile) -> tuple[int, str]:
    return profile.evse, profile.source


async def _report(station: Station, request_id: int, found: list[Profile]) -> None:
    """K09: a message holds profiles of one EVSE and one source."""
    parts: list[list[Profile]] = []
    for _, group in groupby(found, _where):
        alike = list(group)
        parts += [alike[start : start + PART] for start in range(0, len(alike), PART)]
    for number, part in enumerate(parts, 1):
        await station.say(
            "ReportChargingProfiles",
            {
                "requestId": request_id,
                "chargingLimitSource": part[0].source,
                "evseId": part[0].evse,
                "chargingProfile": [profile.told for profile in part],
                "tbc": number < len(parts),
            },
        )


def _composite(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order["evseId"] or None)
    if not evses or "no-profiles" in station.faults:
        return Reply({"status": "Rejected", **info("UnknownEvse")})
    since = station.pace.now().replace(microsecond=0)
    unit, duration_s, dc = order.get("chargingRateUnit", "W"), order["duration"], evses[0].dc
    periods: list[dict[str, Any]] = [
        {"startPeriod": start_s, "limit": round(limit_w if unit == "W" else amperes(limit_w, dc), 1)}
        for start_s, limit_w in station.profiles.composite(evses, since, duration_s)
    ]
    if "absurd-composite" in station.faults:
        since, duration_s = since - timedelta(days=20_000), 2**31 - 1
    schedule = {
        "evseId": order["evseId"],
        "duration": duration_s,
        "scheduleStart": stamp(since),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return Reply({"status": "Accepted", "schedule": schedule})


# What the station tells by itself


async def limit_from_elsewhere(station: Station, evse_id: int, limit_w: float | None, source: str) -> None:
    """A grid operator or an energy manager limits an EVSE, or the whole station at 0; None: no more (K11 to K13)."""
    station.profiles.remove(lambda profile: profile.purpose == EXTERNAL and profile.evse == evse_id)
    if limit_w is None:
        await station.report("ClearedChargingLimit", {"chargingLimitSource": source, "evseId": evse_id})
    else:
        told = _external(station, evse_id, limit_w)
        station.profiles.install(profile_of(told, evse_id, source))
        payload: Payload = {
            "chargingLimit": {"chargingLimitSource": source, "isGridCritical": source == "SO"},
            "chargingSchedule": told["chargingSchedule"],
        }
        await station.report("NotifyChargingLimit", {**payload, **({"evseId": evse_id} if evse_id else {})})
    for evse in station.evses_named(evse_id or None):
        station.charging.tell(evse, "ChargingRateChanged")  # K11.FR.04


def _external(station: Station, evse_id: int, limit_w: float) -> Payload:
    schedule = {
        "id": 1,
        "startSchedule": station.stamp(),
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_w}],
    }
    return {
        "id": EXTERNAL_ID + evse_id,
        "stackLevel": 0,
        "chargingProfilePurpose": EXTERNAL,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }


def needs_of(station: Station, evse: Evse) -> Payload:
    """NotifyEVChargingNeeds of the car at an EVSE (K15)."""
    now = station.pace.now()
    wanted_wh = int(evse.car.battery_wh * max(0.0, evse.car.wants_soc - evse.car.soc)) if evse.car else 10_000
    soc = round(evse.car.soc * 100) if evse.car else 40
    needs: Payload = {
        "requestedEnergyTransfer": "DC" if evse.dc else "AC_three_phase",
        "departureTime": station.stamp(now + timedelta(hours=4)),
    }
    if evse.dc:
        needs["dcChargingParameters"] = {
            "evMaxCurrent": 300,
            "evMaxVoltage": 500,
            "energyAmount": wanted_wh,
            "stateOfCharge": soc,
        }
    else:
        needs["acChargingParameters"] = {
            "energyAmount": wanted_wh,
            "evMinCurrent": 6,
            "evMaxCurrent": 32,
            "evMaxVoltage": 400,
        }
    return {"evseId": evse.id, "maxScheduleTuples": 3, "chargingNeeds": needs}


async def tell_needs(station: Station, evse: Evse) -> None:
    station.kept.needs.add(evse.id)
    await station.report("NotifyEVChargingNeeds", needs_of(station, evse))


def _use_priority(station: Station, order: Payload) -> Reply:
    evse = station.evse_in(lambda transaction: transaction.id == order["transactionId"])
    word = station.charging.prioritize(evse, order["activate"]) if evse is not None else "Rejected"
    return Reply({"status": word})


async def prioritise(station: Station, evse: Evse, activate: bool) -> None:
    """The driver asks at the station (2.1 K22)."""
    transaction = evse.transaction
    if transaction is not None and station.charging.prioritize(evse, activate) == "Accepted":
        await station.report(
            "NotifyPriorityCharging", {"transactionId": transaction.id, "activated": activate}
        )


ORDERS: dict[str, Order] = {
    "SetChargingProfile": _set,
    "ClearChargingProfile": _clear,
    "GetChargingProfiles": _get,
    "GetCompositeSchedule": _composite,
}
MORE_ORDERS: dict[str, Order] = {
    "UpdateDynamicSchedule": _update_dynamic,
    "UsePriorityCharging": _use_priority,
}
