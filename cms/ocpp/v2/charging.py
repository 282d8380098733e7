"""OCPP 2.x block K: charging profiles, composite schedules, limits of others, needs of cars."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from cms.contract.charging import Period, Profile, Schedule
from cms.contract.refusals import NotSupported
from cms.domain.charging.needs import Needs
from cms.domain.charging.notices import (
    EvScheduleNotified,
    LimitCleared,
    LimitNotified,
    NeedsAnswer,
    NeedsNotified,
    ProfilesReported,
    ScheduleAnswer,
)
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
    schedule_told,
    word,
)
from cms.ocpp.rates import details_said
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, shown, status_of
from cms.ocpp.values import Json, Remarks, exact, instant, plain, rfc3339, text, whole

PURPOSES_201 = {
    "external": "ChargingStationExternalConstraints",
    "station-max": "ChargingStationMaxProfile",
    "tx-default": "TxDefaultProfile",
    "tx": "TxProfile",
}
PURPOSES_21 = PURPOSES_201 | {"priority": "PriorityCharging", "local-generation": "LocalGeneration"}
KINDS_21 = KINDS | {"dynamic": "Dynamic"}
_PURPOSE_OF = {word: ours for ours, word in PURPOSES_21.items()}
_KIND_OF = {word: ours for ours, word in KINDS_21.items()}
_RECURRENCY_OF = {word: ours for ours, word in RECURRENCIES.items()}

#: Who limits, as 2.0.1 lists them; 2.1 left the list open.
_SOURCES_201 = ("EMS", "Other", "SO", "CSO")
#: The objects that tell the car prices.
_PRICES_201 = ("salesTariff",)
_PRICES_21 = (*_PRICES_201, "absolutePriceSchedule", "priceLevelSchedule")


def profile_of(profile: Profile, version: str) -> Json:
    """A ChargingProfileType. Raises NotSupported for what only 2.1 can say."""
    later = version == "2.1"
    if not later:
        refuse_21(profile, PROFILE_OF_21, version)
    said: Json = {
        "id": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": word(PURPOSES_21 if later else PURPOSES_201, profile.purpose, version),
        "chargingProfileKind": word(KINDS_21 if later else KINDS, profile.kind, version),
        "recurrencyKind": word(RECURRENCIES, profile.recurrency, version),
        "validFrom": profile.valid_from and rfc3339(profile.valid_from),
        "validTo": profile.valid_to and rfc3339(profile.valid_to),
        "transactionId": profile.transaction_id,
        "maxOfflineDuration": profile.max_offline_s,
        "invalidAfterOfflineDuration": profile.invalid_after_offline,
        "dynUpdateInterval": profile.dyn_interval_s,
        "dynUpdateTime": profile.dyn_at and rfc3339(profile.dyn_at),
        "chargingSchedule": [_schedule(schedule, version) for schedule in profile.schedules],
    }
    return bare(said)


def _schedule(schedule: Schedule, version: str) -> Json:
    if version != "2.1":
        refuse_21(schedule, SCHEDULE_OF_21, version)
    prices = _PRICES_21 if version == "2.1" else _PRICES_201
    unknown = schedule.prices.keys() - set(prices)
    if unknown:
        raise NotSupported(f"OCPP {version} cannot say {', '.join(sorted(unknown))} in a charging schedule")
    soc = schedule.limit_at_soc is not None and {"soc": schedule.soc, "limit": schedule.limit_at_soc}
    said: Json = {
        "id": schedule.id,
        "startSchedule": schedule.start and rfc3339(schedule.start),
        "duration": schedule.duration_s,
        "chargingRateUnit": schedule.unit,
        "minChargingRate": schedule.min_rate,
        "useLocalTime": schedule.local_time,
        "randomizedDelay": schedule.random_delay_s,
        "powerTolerance": schedule.power_tolerance,
        "limitAtSoC": soc or None,
        "chargingSchedulePeriod": [_period(period, version) for period in schedule.periods],
    }
    return bare(said | schedule.prices)


def _period(period: Period, version: str) -> Json:
    if version != "2.1" and period.details is not None:
        raise NotSupported(
            f"OCPP {version} can give a period one limit only: setpoints, discharging, operation modes "
            "and limits per phase need OCPP 2.1"
        )
    if version != "2.1" and period.limit is None:
        raise NotSupported(f"OCPP {version} cannot say a period without a limit")
    said: Json = {
        "startPeriod": period.start_s,
        "limit": period.limit,
        "numberPhases": period.phases,
        "phaseToUse": period.phase,
    }
    return bare(said | (details_said(period.details) if period.details else {}))


def set_profile(order: SetChargingProfile, version: str) -> list[Asked]:
    said = {"evseId": order.evse, "chargingProfile": profile_of(order.profile, version)}
    return [("SetChargingProfile", said)]


def clear_profiles(order: ClearChargingProfiles, version: str) -> list[Asked]:
    """Id, or criteria; everything is criteria that leave all open (K10.FR.02)."""
    if order.id is not None:
        return [("ClearChargingProfile", {"chargingProfileId": order.id})]
    purposes = PURPOSES_21 if version == "2.1" else PURPOSES_201
    criteria = bare(
        {
            "evseId": order.evse,
            "chargingProfilePurpose": word(purposes, order.purpose, version),
            "stackLevel": order.stack_level,
        }
    )
    return [("ClearChargingProfile", {"chargingProfileCriteria": criteria})]


def get_profiles(order: GetChargingProfiles, version: str) -> list[Asked]:
    if version == "2.0.1":
        unknown = [source for source in order.sources if source not in _SOURCES_201]
        if unknown:
            raise NotSupported(
                f"OCPP 2.0.1 knows no source {unknown[0]}", f"it knows {', '.join(_SOURCES_201)}"
            )
    purposes = PURPOSES_21 if version == "2.1" else PURPOSES_201
    criteria = bare(
        {
            "chargingProfilePurpose": word(purposes, order.purpose, version),
            "stackLevel": order.stack_level,
            "chargingProfileId": list(order.ids) or None,
            "chargingLimitSource": list(order.sources) or None,
        }
    )
    said = bare({"requestId": order.request_id, "evseId": order.evse, "chargingProfile": criteria})
    return [("GetChargingProfiles", said)]


def profiles_asked(_: Any, answers: Sequence[Json]) -> OrderAnswer:
    """NoProfiles is an answer, not a refusal: nothing fits."""
    return OrderAnswer("accepted", str(answers[0]["status"]), shown(answers))


def get_composite(order: GetCompositeSchedule) -> list[Asked]:
    said = bare({"evseId": order.evse, "duration": order.duration_s, "chargingRateUnit": order.unit})
    return [("GetCompositeSchedule", said)]


def composite_told(order: GetCompositeSchedule, answers: Sequence[Json]) -> OrderAnswer:
    """``told`` is the schedule; what cannot be one (absurd spans and times) is none."""
    said = answers[0].get("schedule")
    told = () if not said else (composite_schedule(said, said.get("scheduleStart"), said.get("duration")),)
    return evolve(status_of(order, answers), told=told)


# What stations say.


def profile_told(said: Json, remarks: Remarks) -> Profile:
    """A ChargingProfileType as we keep it; prices and signatures are not."""
    return Profile(
        purpose=_PURPOSE_OF[said["chargingProfilePurpose"]],
        schedules=tuple(schedule_told(schedule, remarks) for schedule in said["chargingSchedule"][:3]),
        kind=_KIND_OF[said["chargingProfileKind"]],
        stack_level=int(said["stackLevel"]),
        id=int(said["id"]),
        recurrency=_RECURRENCY_OF.get(said.get("recurrencyKind", "")),
        valid_from=instant(said.get("validFrom"), remarks),
        valid_to=instant(said.get("validTo"), remarks),
        transaction_id=text(said.get("transactionId")),
        max_offline_s=whole(said.get("maxOfflineDuration")),
        invalid_after_offline=said.get("invalidAfterOfflineDuration"),
        dyn_interval_s=whole(said.get("dynUpdateInterval")),
        dyn_at=instant(said.get("dynUpdateTime"), remarks),
    )


def profiles_reported(payload: Json, remarks: Remarks) -> ProfilesReported:
    return ProfilesReported(
        request_id=int(payload["requestId"]),
        evse=int(payload["evseId"]),
        source=payload["chargingLimitSource"],
        profiles=tuple(profile_told(profile, remarks) for profile in payload["chargingProfile"]),
        more=payload.get("tbc") is True,
    )


def limit_notified(payload: Json, remarks: Remarks) -> LimitNotified:
    limit = payload["chargingLimit"]
    return LimitNotified(
        evse=whole(payload.get("evseId")) or 0,
        source=limit["chargingLimitSource"],
        schedules=tuple(schedule_told(one, remarks) for one in (payload.get("chargingSchedule") or ())[:1]),
        grid_critical=limit.get("isGridCritical"),
        local_generation=limit.get("isLocalGeneration"),
    )


def limit_cleared(payload: Json, _: Remarks) -> LimitCleared:
    return LimitCleared(payload["chargingLimitSource"], whole(payload.get("evseId")))


_BARE: Json = {}
#: The parts of the needs that are kept word for word; offers of energy with their prices are too long.
_MOST_FIELDS = 40
_MOST_TEXT = 50
_KEPT = (
    "requestedEnergyTransfer",
    "departureTime",
    "acChargingParameters",
    "dcChargingParameters",
    "v2xChargingParameters",
    "controlMode",
    "mobilityNeedsMode",
)


def needs_notified(payload: Json, remarks: Remarks) -> NeedsNotified:
    said = payload["chargingNeeds"]
    ac, dc = said.get("acChargingParameters") or _BARE, said.get("dcChargingParameters") or _BARE
    v2x_said = said.get("v2xChargingParameters") or _BARE
    energy = exact(ac.get("energyAmount", dc.get("energyAmount", v2x_said.get("evTargetEnergyRequest"))))
    needs = Needs(
        evse=int(payload["evseId"]),
        energy_transfer=said["requestedEnergyTransfer"],
        departure_at=instant(said.get("departureTime"), remarks),
        energy_wh=None if energy is None else int(energy),
        max_current=_most(ac.get("evMaxCurrent"), dc.get("evMaxCurrent"), v2x_said.get("maxChargeCurrent")),
        max_voltage=_most(ac.get("evMaxVoltage"), dc.get("evMaxVoltage"), v2x_said.get("maxVoltage")),
        max_power=_most(dc.get("evMaxPower"), v2x_said.get("maxChargePower")),
        max_schedule_tuples=whole(payload.get("maxScheduleTuples")),
        said={name: _short(said[name]) for name in _KEPT if name in said},
    )
    return NeedsNotified(needs)


def _short(said: Any) -> Any:
    """Numbers and words alone, and not more of them than there are fields: a station may add what it likes."""
    if not isinstance(said, dict):
        return said[:_MOST_TEXT] if isinstance(said, str) else plain(said)
    fields = [(name, value) for name, value in said.items() if not isinstance(value, dict | list)]
    return {name[:_MOST_TEXT]: _short(value) for name, value in fields[:_MOST_FIELDS]}


def _most(*values: Any) -> Decimal | None:
    """The first that says something; a negative one says nothing."""
    return next((found for value in values if (found := exact(value)) is not None and found >= 0), None)


def ev_schedule_notified(payload: Json, remarks: Remarks) -> EvScheduleNotified:
    schedule = schedule_told(payload["chargingSchedule"], remarks)
    return EvScheduleNotified(int(payload["evseId"]), schedule, instant(payload["timeBase"], remarks))


#: 2.0.1 has no word for "nothing limits, so there is nothing to plan": there will be no profile (K15.FR.04).
_NEEDS_ANSWERS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "processing": "Processing",
    "none": "Rejected",
}
_NEEDS_ANSWERS_21 = _NEEDS_ANSWERS | {"none": "NoChargingProfile"}


def needs_answer(answer: NeedsAnswer, words: dict[str, str]) -> Json:
    return {"status": words[answer.status]}


def schedule_answer(answer: ScheduleAnswer) -> Json:
    return {"status": "Accepted" if answer.accepted else "Rejected"}


INCOMING = {
    "ReportChargingProfiles": Incoming(TOLD, profiles_reported, nothing),
    "NotifyChargingLimit": Incoming(TOLD, limit_notified, nothing),
    "ClearedChargingLimit": Incoming(TOLD, limit_cleared, nothing),
    "NotifyEVChargingNeeds": Incoming(TOLD, needs_notified, partial(needs_answer, words=_NEEDS_ANSWERS)),
    "NotifyEVChargingSchedule": Incoming(TOLD, ev_schedule_notified, schedule_answer),
}
INCOMING_21 = {
    "NotifyEVChargingNeeds": Incoming(TOLD, needs_notified, partial(needs_answer, words=_NEEDS_ANSWERS_21)),
}


def _outgoing(version: str) -> dict[type[Any], Outgoing]:
    return {
        SetChargingProfile: Outgoing(
            partial(set_profile, version=version), status_of, ("SetChargingProfile",)
        ),
        ClearChargingProfiles: Outgoing(
            partial(clear_profiles, version=version), cleared, ("ClearChargingProfile",)
        ),
        GetChargingProfiles: Outgoing(
            partial(get_profiles, version=version), profiles_asked, ("GetChargingProfiles",)
        ),
        GetCompositeSchedule: Outgoing(get_composite, composite_told, ("GetCompositeSchedule",)),
    }


OUTGOING_201 = _outgoing("2.0.1")
OUTGOING_21 = _outgoing("2.1")
