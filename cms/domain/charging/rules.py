"""What a profile must be before it is sent: each rule a function that refuses in one sentence, RULES all of them.

The numbers are those of OCPP 2.0.1 part 2, block K, of 2.1 block Q, and the sections of 1.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from cms.contract.charging import (
    KINDS,
    MODES,
    MOST_PERIODS,
    PURPOSES,
    RATES,
    RECURRENCIES,
    UNITS,
    Details,
    Period,
    Profile,
    Schedule,
)
from cms.contract.refusals import Conflict, Invalid
from cms.domain.charging.composite import Mains
from cms.domain.charging.limits import Limits
from cms.domain.charging.register import Installed, installed, rivals
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import StationState

_MOST_SCHEDULES = 3
_MOST = Decimal(100_000_000)


@record
class Case:
    """A profile that is to be sent, and what is known of where it goes."""

    profile: Profile
    evse: int
    state: StationState
    limits: Limits


def completed(
    state: StationState, evse: int | None, profile: Profile, limits: Limits, now: datetime, number: int
) -> tuple[int, Profile]:
    """The EVSE and the profile with what was left out: place, session, start, ids (``number`` is unused)."""
    place = _place(state, evse, profile)
    profile = _followed(profile, limits)
    if profile.purpose == "tx" and profile.transaction_id is None:
        profile = evolve(profile, transaction_id=session_on(state, place).transaction_id)
    schedules = tuple(
        evolve(schedule, id=schedule.id or index, start=_start(profile, schedule, limits, now))
        for index, schedule in enumerate(profile.schedules, 1)
    )
    profile = evolve(profile, schedules=schedules)
    return place, evolve(profile, id=_id(state, place, profile, limits, number))


def _place(state: StationState, evse: int | None, profile: Profile) -> int:
    if evse is not None:
        return evse
    if profile.purpose == "tx":
        places = {s.evse for s in state.sessions.values() if s.status in RUNNING and s.evse is not None}
        if profile.transaction_id is not None:
            session = state.session_of(profile.transaction_id)
            places = {session.evse} if session and session.evse is not None else set()
        if len(places) == 1:
            return places.pop()
        if not places:
            raise no_session(state, "")
        raise Invalid("a profile for a session needs its EVSE", "give --evse")
    return 0


def session_on(state: StationState, evse: int) -> Session:
    """The session that runs on this EVSE. Raises Conflict without one (1.6 section 5.16.4, K01.FR.03)."""
    running = [s for s in state.sessions.values() if s.evse == evse and s.status in RUNNING]
    if evse < 1 or not running:
        raise no_session(state, f" on EVSE {evse}")
    return max(running, key=lambda session: session.started_at)


def _followed(profile: Profile, limits: Limits) -> Profile:
    """Absolute and relative are the same where no start is said: then the kind that the station follows."""
    starts = any(schedule.start for schedule in profile.schedules)
    fits = profile.kind in ("absolute", "relative") and limits.kind and not starts
    return evolve(profile, kind=limits.kind) if fits and profile.purpose != "station-max" else profile


def no_session(state: StationState, where: str) -> Conflict:
    """There is none to which a tx profile could belong."""
    return Conflict(
        f"{state.station.id} has no running session{where}: a tx profile belongs to one",
        "use --purpose tx-default for sessions to come",
    )


def _start(profile: Profile, schedule: Schedule, limits: Limits, now: datetime) -> datetime | None:
    """Absolute and recurring schedules say when they start (K01.FR.40); whole seconds, as some stations read."""
    if schedule.start is not None or profile.kind not in ("absolute", "recurring"):
        return schedule.start
    return now.replace(microsecond=0) - timedelta(seconds=limits.start_s)


def _id(state: StationState, evse: int, profile: Profile, limits: Limits, number: int) -> int:
    """As given; else that of the profile whose place this takes (K01.FR.05); else a new one."""
    if profile.id is not None:
        return profile.id
    held = next(rivals(state, evse, profile), None)
    if held is not None:
        return held.id
    lowest = limits.external_id or 0  # 2.1 K01.FR.80
    return number if number > lowest else lowest + number


def awaiting(profile: Profile, limits: Limits, now: datetime, number: int) -> Profile:
    """The profile of a session to come, with what was left out."""
    profile = _followed(profile, limits)
    schedules = tuple(
        evolve(schedule, id=schedule.id or index, start=_start(profile, schedule, limits, now))
        for index, schedule in enumerate(profile.schedules, 1)
    )
    lowest = limits.external_id or 0
    number = number if number > lowest else lowest + number
    return evolve(profile, schedules=schedules, id=number if profile.id is None else profile.id)


def check_shape(case: Case) -> None:
    """What can be said before its session has begun."""
    for rule in SHAPE:
        rule(case)


def check(case: Case) -> None:
    """Raises Invalid for what is no profile, Conflict for what must not be sent to this station."""
    for rule in RULES:
        rule(case)


#: What a word of a profile may be.
_WORDS = {"purpose": PURPOSES, "kind": KINDS, "recurrency": RECURRENCIES, "unit": UNITS}


def check_word(what: str, value: str) -> None:
    """Raises Invalid for a purpose, kind, recurrency or unit that is none."""
    if value not in _WORDS[what]:
        raise Invalid(f"{what} must be one of {', '.join(_WORDS[what])}, not {value!r}")


def check_words(profile: Profile) -> None:
    """Raises Invalid for a word that is none: before anything is concluded from it."""
    check_word("purpose", profile.purpose)
    check_word("kind", profile.kind)
    if profile.recurrency is not None:
        check_word("recurrency", profile.recurrency)
    for schedule in profile.schedules:
        check_word("unit", schedule.unit)


def _purpose(case: Case) -> None:
    profile, evse = case.profile, case.evse
    if profile.purpose == "external":  # K01.FR.22
        raise Conflict("external constraints are set at the station itself: no central system may send them")
    if profile.purpose == "station-max" and evse != 0:  # 1.6 section 5.16.1, K01.FR.38
        raise Invalid("a station-max profile is for the whole station: EVSE 0")
    if profile.purpose == "tx" and evse == 0:  # K01.FR.16
        raise Invalid("a tx profile is for the EVSE of its session, never for EVSE 0")
    if profile.purpose != "tx" and profile.transaction_id is not None:
        raise Invalid(f"a {profile.purpose} profile belongs to no transaction")
    if evse < 0:
        raise Invalid(f"EVSEs count from 1, not {evse}")
    taken = {word.casefold() for word in case.limits.purposes}
    word = {"priority": "prioritycharging", "local-generation": "localgeneration"}.get(profile.purpose)
    if word and taken and word not in taken:
        raise Conflict(f"{case.state.station.id} takes no {profile.purpose} profiles: it said so itself")


def _session(case: Case) -> None:
    """The transaction runs, is ours, and is on this EVSE (1.6 section 5.16.4, K01.FR.03)."""
    wanted = case.profile.transaction_id
    if wanted is None:
        return
    session = case.state.session_of(wanted)
    if session is None or session.status not in RUNNING:
        raise Conflict(f"{case.state.station.id} has no running transaction {wanted}")
    if session.evse not in (None, case.evse):
        raise Conflict(f"transaction {wanted} runs on EVSE {session.evse}, not {case.evse}")


def _kind(case: Case) -> None:
    profile = case.profile
    if profile.kind == "relative" and profile.purpose == "station-max":  # K01.FR.38
        raise Invalid("a station-max profile cannot be relative: no session begins with the station")
    if case.limits.kind and profile.kind in ("absolute", "relative") and profile.kind != case.limits.kind:
        raise Conflict(
            f"{case.state.station.id} follows {case.limits.kind} profiles only, not {profile.kind} ones",
            "leave the start out, or see cms stations quirks",
        )
    if (profile.kind == "recurring") != (profile.recurrency is not None):
        raise Invalid("recurring profiles, and only those, say how often: daily or weekly")
    if profile.kind == "relative" and any(s.start for s in profile.schedules):  # K01.FR.41
        raise Invalid("a relative profile starts with its session: it has no start of its own")
    if profile.kind == "dynamic":  # 2.1 K28
        if case.limits.dynamic is False:
            raise Conflict(f"{case.state.station.id} takes no dynamic profiles: it said so itself")
        if len(profile.schedules) != 1 or len(profile.schedules[0].periods) != 1:
            raise Invalid("a dynamic profile has one schedule with one period: that is what is told anew")
    if profile.purpose == "priority" and any(s.duration_s is not None for s in profile.schedules):
        raise Invalid("a priority profile has no duration: it holds as long as it is used")  # K01.FR.72
    if None not in (profile.valid_from, profile.valid_to) and profile.valid_from >= profile.valid_to:  # type: ignore[operator]
        raise Invalid("the profile is valid from a time after the one that it is valid to")


def _schedules(case: Case) -> None:
    """One, or for a session up to three that the car may choose from (ISO 15118; K01.FR.19, K15.FR.08)."""
    count, most = len(case.profile.schedules), _MOST_SCHEDULES if case.profile.purpose == "tx" else 1
    if not 1 <= count <= most:
        raise Invalid(
            f"a {case.profile.purpose} profile has 1 schedule{' to 3' if most > 1 else ''}, not {count}"
        )
    if len({schedule.id for schedule in case.profile.schedules}) != count:
        raise Invalid("two schedules of a profile have the same id")
    for schedule in case.profile.schedules:
        _schedule(case, schedule)


def _schedule(case: Case, schedule: Schedule) -> None:
    station, told = case.state.station.id, case.limits
    starts = [period.start_s for period in schedule.periods]
    if not starts or starts[0] != 0:  # K01.FR.31
        raise Invalid("the first period of a schedule starts at 0")
    if any(later <= earlier for earlier, later in pairwise(starts)):  # K01.FR.35
        raise Invalid("the periods of a schedule start one after the other, in ascending order")
    if schedule.duration_s is not None and not starts[-1] < schedule.duration_s < 2**31:
        raise Invalid("a schedule lasts longer than the start of its last period")
    most = min(told.periods or MOST_PERIODS, MOST_PERIODS)
    if len(starts) > most:
        raise Conflict(f"{station} takes {most} periods in a schedule, not {len(starts)}")
    if told.units and schedule.unit not in told.units:  # K01.FR.26
        raise Conflict(
            f"{station} takes limits in {' and '.join(told.units)} only, not in {schedule.unit}",
            "say it in that unit, or give --voltage and --phases to have it converted",
        )
    if schedule.random_delay_s is not None and schedule.random_delay_s < 0:
        raise Invalid("a random delay is 0 s or more")
    if (schedule.soc is None) != (schedule.limit_at_soc is None):
        raise Invalid("a limit from a state of charge on needs both: the limit and the percentage")
    for period in schedule.periods:
        _period(case, schedule, period)


def _period(case: Case, schedule: Schedule, period: Period) -> None:
    if period.phases is not None and not 1 <= period.phases <= 3:
        raise Invalid(f"a period uses 1 to 3 phases, not {period.phases}")
    if period.phase is not None:
        if period.phases != 1 or not 1 <= period.phase <= 3:  # K01.FR.18
            raise Invalid("the phase to use (1 to 3) can be said only of a period with one phase")
        if case.limits.phase_switching is False:  # K01.FR.20
            raise Conflict(f"{case.state.station.id} cannot choose the phase: it said so itself")
    details = period.details or _NO_DETAILS
    check_rates({"limit": period.limit, **_rates(details)})
    _mode(schedule, period, details)


_NO_DETAILS = Details()


def _rates(details: Details) -> dict[str, Decimal | None]:
    return {name: getattr(details, name) for name in RATES if name != "limit"}


def check_rates(rates: dict[str, Decimal | None]) -> None:
    """Limits are at least 0, discharge limits at most 0, all with at most one decimal (K01.FR.43)."""
    for name, value in rates.items():
        if value is None:
            continue
        if not value.is_finite() or abs(value) >= _MOST or value != round(value, 1):
            raise Invalid(f"{name.replace('_', ' ')} is a number with at most one decimal, not {value}")
        if name.startswith("limit") and value < 0:
            raise Invalid(f"a limit is at least 0, not {value}: to discharge is another field")
        if name.startswith("discharge") and value > 0:
            raise Invalid(f"a discharge limit is at most 0, not {value}")


_LIMIT, _DISCHARGE, _SETPOINT = "limit", "discharge_limit", "setpoint"
_BASELINE, _FREQUENCY, _SIGNAL = "baseline", "frequency_curve", "signal_curve"

#: Mode -> (what a period must say, what it must not say) (2.1 Q02.FR.01, Q03.FR.01, Q07, Q08.FR.01, Q10.FR.01).
_MODES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "charging-only": ((_LIMIT,), (_DISCHARGE, _SETPOINT, _BASELINE, _FREQUENCY, _SIGNAL)),
    "central-setpoint": ((_SETPOINT,), (_LIMIT, _BASELINE, _FREQUENCY, _SIGNAL)),
    "external-setpoint": ((), (_SETPOINT, _BASELINE, _FREQUENCY, _SIGNAL)),
    "external-limits": ((), (_LIMIT, _DISCHARGE, _BASELINE, _FREQUENCY, _SIGNAL)),
    "central-frequency": ((_BASELINE, _SIGNAL), (_FREQUENCY,)),
    "local-frequency": ((_BASELINE, _FREQUENCY), (_SIGNAL,)),
    "local-load-balancing": ((), (_SETPOINT, _FREQUENCY, _SIGNAL)),
    "idle": ((), (_LIMIT, _DISCHARGE, _SETPOINT, _BASELINE, _FREQUENCY, _SIGNAL)),
}


def _mode(schedule: Schedule, period: Period, details: Details) -> None:
    mode = details.mode or "charging-only"
    if mode not in _MODES:
        raise Invalid(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    needed, barred = _MODES[mode]
    for name in needed:
        if not _says(period, details, name):
            raise Invalid(f"a period in mode {mode} needs its {name.replace('_', ' ')}")
    for name in barred:
        if _says(period, details, name):
            raise Invalid(f"a period in mode {mode} says no {name.replace('_', ' ')}")
    if mode.endswith("-frequency") and schedule.unit != "W":  # Q07.FR.03, Q08.FR.05
        raise Invalid(f"a schedule with mode {mode} is in W")
    if mode == "local-frequency" and len(details.frequency_curve) < 2:  # Q08.FR.02
        raise Invalid("a frequency curve has at least two points")


def _says(period: Period, details: Details, name: str) -> bool:
    if name == _LIMIT and period.limit is not None:
        return True
    names = [f"{name}{phase}" for phase in ("", "_l2", "_l3")]
    return any(getattr(details, field, None) not in (None, ()) for field in names)


def _numbers(case: Case) -> None:
    profile, told, station = case.profile, case.limits, case.state.station.id
    if profile.stack_level < 0 or profile.stack_level >= 2**31:
        raise Invalid(f"a stack level is 0 or more, not {profile.stack_level}")
    if (
        told.stack_level is not None and profile.stack_level > told.stack_level
    ):  # 1.6 section 3.13.2, K01.FR.28
        raise Conflict(f"{station} takes stack levels up to {told.stack_level}, not {profile.stack_level}")
    assert profile.id is not None
    if not -(2**31) <= profile.id < 2**31:
        raise Invalid(f"a profile id has 32 bits, {profile.id} has more")
    if told.external_id is not None and profile.id <= told.external_id:  # 2.1 K01.FR.80
        raise Conflict(
            f"profile ids up to {told.external_id} are kept for external constraints at {station}, "
            f"and {profile.id} is one of them",
            "leave the id out to be given one",
        )


def _register(case: Case) -> None:
    """No other profile at its place (K01.FR.06, K01.FR.39), and room for one more."""
    known: Iterable[Installed] = installed(case.state)
    ours = [one for one in known if one.ours]
    rival = next(rivals(case.state, case.evse, case.profile), None)
    if rival is not None:
        raise Conflict(
            f"profile {rival.id} is a {case.profile.purpose} profile with stack level {case.profile.stack_level} "
            f"on EVSE {case.evse} already, valid at the same time",
            f"leave the id out to replace it, choose another stack level, or clear it: "
            f"cms profiles clear {case.state.station.id} {rival.id}",
        )
    replaces = any(one.id == case.profile.id for one in ours)
    most = case.limits.profiles
    if most is not None and not replaces and len(ours) >= most:
        raise Conflict(f"{case.state.station.id} holds {most} profiles and has as many", "clear one first")


#: What can be said of a profile alone, whatever is installed: a remote start brings one for a session to come.
SHAPE: tuple[Callable[[Case], None], ...] = (_purpose, _kind, _schedules, _numbers)
RULES: tuple[Callable[[Case], None], ...] = (*SHAPE, _session, _register)


def in_unit(profile: Profile, units: tuple[str, ...], mains: Mains) -> Profile:
    """The profile with its limits in a unit that the station takes. Raises Invalid for what has no equivalent."""
    return evolve(
        profile, schedules=tuple(_in_unit(schedule, units, mains) for schedule in profile.schedules)
    )


def _in_unit(schedule: Schedule, units: tuple[str, ...], mains: Mains) -> Schedule:
    if not units or schedule.unit in units:
        return schedule
    if any(period.details is not None for period in schedule.periods) or schedule.min_rate is not None:
        raise Invalid("only plain limits can be converted between A and W")
    periods = tuple(
        evolve(period, limit=mains.converted(period.limit, schedule.unit, period.phases))
        for period in schedule.periods
        if period.limit is not None
    )
    return evolve(schedule, unit=units[0], periods=periods)
