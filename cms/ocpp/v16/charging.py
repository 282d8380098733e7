"""OCPP 1.6 smart charging: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cms.contract.charging import Period, Profile, Schedule
from cms.contract.refusals import Invalid, NotSupported
from cms.domain.charging.orders import (
    ClearChargingProfiles,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
)
from cms.domain.evolve import evolve
from cms.domain.orders import OrderAnswer
from cms.ocpp.charging import (
    KINDS,
    PROFILE_OF_21,
    RECURRENCIES,
    SCHEDULE_OF_21,
    bare,
    cleared,
    composite_schedule,
    refuse_21,
    word,
)
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.values import Json, rfc3339

_PURPOSES = {"station-max": "ChargePointMaxProfile", "tx-default": "TxDefaultProfile", "tx": "TxProfile"}


def profile_of(profile: Profile) -> Json:
    """csChargingProfiles. Raises NotSupported for what 1.6 cannot say."""
    refuse_21(profile, PROFILE_OF_21, "1.6")
    if len(profile.schedules) != 1:
        raise NotSupported(f"OCPP 1.6 takes one schedule in a charging profile, not {len(profile.schedules)}")
    (schedule,) = profile.schedules
    return bare(
        {
            "chargingProfileId": profile.id,
            "transactionId": _number(profile.transaction_id),
            "stackLevel": profile.stack_level,
            "chargingProfilePurpose": word(_PURPOSES, profile.purpose, "1.6"),
            "chargingProfileKind": word(KINDS, profile.kind, "1.6"),
            "recurrencyKind": word(RECURRENCIES, profile.recurrency, "1.6"),
            "validFrom": profile.valid_from and rfc3339(profile.valid_from),
            "validTo": profile.valid_to and rfc3339(profile.valid_to),
            "chargingSchedule": _schedule(schedule),
        }
    )


def _number(transaction_id: str | None) -> int | None:
    if transaction_id is None:
        return None
    if not (transaction_id.isascii() and transaction_id.isdecimal()):
        raise Invalid(f"{transaction_id!r} is no OCPP 1.6 transaction: those are numbers")
    return int(transaction_id)


def _schedule(schedule: Schedule) -> Json:
    refuse_21(schedule, SCHEDULE_OF_21, "1.6")
    if schedule.prices:
        raise NotSupported("OCPP 1.6 cannot tell a car prices in a charging schedule")
    said = {
        "duration": schedule.duration_s,
        "startSchedule": schedule.start and rfc3339(schedule.start),
        "chargingRateUnit": schedule.unit,
        "chargingSchedulePeriod": [_period(period) for period in schedule.periods],
        "minChargingRate": schedule.min_rate,
    }
    return bare(said)


def _period(period: Period) -> Json:
    if period.details is not None or period.limit is None:
        raise NotSupported(
            "OCPP 1.6 gives a period one limit: setpoints, discharging, operation modes "
            "and limits per phase need OCPP 2.1"
        )
    if period.phase is not None:
        raise NotSupported("OCPP 1.6 cannot say which phase to use: OCPP 2.0.1 can")
    said = {"startPeriod": period.start_s, "limit": period.limit, "numberPhases": period.phases}
    return bare(said)


def set_profile(order: SetChargingProfile) -> list[Asked]:
    said = {"connectorId": order.evse, "csChargingProfiles": profile_of(order.profile)}
    return [("SetChargingProfile", said)]


def clear_profiles(order: ClearChargingProfiles) -> list[Asked]:
    """Id, or criteria (all must fit), or nothing: then everything (1.6 section 5.4)."""
    if order.id is not None:
        return [("ClearChargingProfile", {"id": order.id})]
    said = {
        "connectorId": order.evse,
        "chargingProfilePurpose": word(_PURPOSES, order.purpose, "1.6"),
        "stackLevel": order.stack_level,
    }
    return [("ClearChargingProfile", bare(said))]


def get_profiles(_: GetChargingProfiles) -> list[Asked]:
    raise NotSupported(
        "OCPP 1.6 cannot report its charging profiles: what holds can be asked",
        "cms profiles composite",
    )


def get_composite(order: GetCompositeSchedule) -> list[Asked]:
    said = {"connectorId": order.evse, "duration": order.duration_s, "chargingRateUnit": order.unit}
    return [("GetCompositeSchedule", bare(said))]


def composite_told(order: GetCompositeSchedule, answers: Sequence[Json]) -> OrderAnswer:
    """``told`` is the schedule; a station may accept and say none."""
    said = answers[0].get("chargingSchedule")
    start = answers[0].get("scheduleStart")
    told = () if not said else (composite_schedule(said, start, said.get("duration")),)
    return evolve(status_of(order, answers), told=told)


OUTGOING: dict[type[Any], Outgoing] = {
    SetChargingProfile: Outgoing(set_profile, status_of, ("SetChargingProfile",)),
    ClearChargingProfiles: Outgoing(clear_profiles, cleared, ("ClearChargingProfile",)),
    GetChargingProfiles: Outgoing(get_profiles, status_of, ()),
    GetCompositeSchedule: Outgoing(get_composite, composite_told, ("GetCompositeSchedule",)),
}
