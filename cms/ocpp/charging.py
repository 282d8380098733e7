"""Words for charging profiles that 1.6 and 2.x share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cms.contract.charging import MOST_PERIODS, Period, Schedule
from cms.contract.refusals import NotSupported
from cms.domain.evolve import evolve
from cms.domain.orders import OrderAnswer
from cms.ocpp.rates import details_told
from cms.ocpp.translation import shown
from cms.ocpp.values import Json, Remarks, exact, instant, whole

KINDS = {"absolute": "Absolute", "recurring": "Recurring", "relative": "Relative"}
RECURRENCIES = {"daily": "Daily", "weekly": "Weekly"}

#: What only 2.1 can say of a profile and of a schedule: our field -> words for it.
PROFILE_OF_21 = {
    "max_offline_s": "a maximum offline duration",
    "invalid_after_offline": "validity after an offline time",
    "dyn_interval_s": "an update interval",
    "dyn_at": "an update time",
}
SCHEDULE_OF_21 = {
    "local_time": "local time",
    "random_delay_s": "a random delay",
    "power_tolerance": "a power tolerance",
    "limit_at_soc": "a limit from a state of charge on",
}


def bare(said: dict[str, Any]) -> Json:
    """Without what was left out."""
    return {name: value for name, value in said.items() if value is not None}


def word(words: dict[str, str], ours: str | None, version: str) -> str | None:
    """The version's word for one of ours. Raises NotSupported where it has none."""
    if ours is None or ours in words:
        return ours and words[ours]
    raise NotSupported(f"OCPP {version} has no {ours} profiles", f"it has {', '.join(words)}")


def refuse_21(said: Any, fields: dict[str, str], version: str) -> None:
    """Raises NotSupported for a field that only 2.1 has."""
    for name, words in fields.items():
        if getattr(said, name) is not None:
            raise NotSupported(f"OCPP {version} cannot give a charging profile {words}: OCPP 2.1 can")


def cleared(_: Any, answers: Sequence[Json]) -> OrderAnswer:
    """Unknown is no refusal: there is nothing (left) to clear."""
    return OrderAnswer("accepted", str(answers[0]["status"]), shown(answers))


def schedule_told(said: Json, remarks: Remarks) -> Schedule:
    """A ChargingScheduleType or CompositeScheduleType, also the one of 1.6."""
    at_soc = said.get("limitAtSoC") or {}
    return Schedule(
        unit=said["chargingRateUnit"],
        periods=tuple(map(period_told, said["chargingSchedulePeriod"])),
        start=instant(said.get("startSchedule"), remarks),
        duration_s=whole(said.get("duration")),
        id=whole(said.get("id")),
        min_rate=exact(said.get("minChargingRate")),
        local_time=said.get("useLocalTime"),
        random_delay_s=whole(said.get("randomizedDelay")),
        power_tolerance=exact(said.get("powerTolerance")),
        limit_at_soc=exact(at_soc.get("limit")),
        soc=whole(at_soc.get("soc")),
    )


def period_told(said: Json) -> Period:
    return Period(
        int(said["startPeriod"]),
        exact(said.get("limit")),
        whole(said.get("numberPhases")),
        whole(said.get("phaseToUse")),
        details_told(said),
    )


def composite_schedule(said: Json, start: Any, duration: Any) -> Schedule:
    """The schedule of a GetCompositeSchedule answer, of any version."""
    schedule = schedule_told(said, [])
    span = whole(duration)
    return evolve(
        schedule,
        periods=schedule.periods[:MOST_PERIODS],
        start=instant(start, []) or schedule.start,
        duration_s=span if span is not None and 0 < span < 2**31 else None,
    )
