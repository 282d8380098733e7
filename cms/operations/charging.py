"""Charging profiles: what is installed, orders about it, what holds. What 2.1 adds is in v2x.py."""

from __future__ import annotations

from decimal import Decimal

from cms.contract.charging import (
    UNITS,
    ChargingLimitView,
    ChargingNeedsView,
    ClearProfiles,
    CompositeStep,
    CompositeView,
    GetComposite,
    GetProfiles,
    ListChargingLimits,
    ListChargingNeeds,
    ListProfiles,
    Profile,
    ProfileView,
    SetProfile,
    ShowComposite,
    ShowProfile,
)
from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core, Lane
from cms.domain.charging import needs as ev
from cms.domain.charging import notices, orders, register, rules
from cms.domain.charging.answers import Told
from cms.domain.charging.composite import MOST_S, composite
from cms.domain.charging.register import FOREIGN, Installed
from cms.domain.evolve import evolve
from cms.domain.intents import IntentStatus
from cms.domain.stations import StationState
from cms.operations.intents import give
from cms.operations.needs import plan_again
from cms.operations.previews import line, preview
from cms.operations.profiling import complete, holds, limits, mains
from cms.operations.stations import check_place


async def list_(core: Core, request: ListProfiles, actor: Actor) -> list[ProfileView]:
    chosen = parse(request.filter or "", keys_of(ProfileView))
    views = (view(core, lane.state, one) for lane in core.lanes_of(request.station) for one in _known(lane))
    return [seen for seen in views if chosen(seen)]


def _known(lane: Lane) -> list[Installed]:
    return sorted(register.installed(lane.state), key=lambda one: (one.evse, one.profile.purpose, one.id))


def view(core: Core, state: StationState, one: Installed) -> ProfileView:
    profile = one.profile
    session = state.session_of(profile.transaction_id) if profile.transaction_id else None
    schedule = profile.schedules[0] if profile.schedules else None
    return ProfileView(
        station=state.station.id,
        evse=one.evse,
        id=one.id,
        purpose=profile.purpose,
        kind=profile.kind,
        stack_level=profile.stack_level,
        source=one.source,
        transaction_id=profile.transaction_id,
        session=session.id if session else None,
        unit=schedule.unit if schedule else None,
        limit=_limit_now(core, state, one),
        installed_at=one.installed_at,
        reported_at=one.reported_at,
        set_by=one.set_by,
        profile=profile,
    )


def _limit_now(core: Core, state: StationState, one: Installed) -> Decimal | None:
    """What this profile says at this moment, whatever the others say."""
    if not one.profile.schedules:
        return None
    alone = evolve(one, evse=one.evse, profile=evolve(one.profile, purpose="tx-default"))
    place = evolve(notices.place_of(state, one.evse), evse=max(one.evse, 1))
    lifted = evolve(alone, evse=place.evse)
    unit = one.profile.schedules[0].unit
    return composite([lifted], [], place, core.clock.now(), 1, unit).at(0)


async def show(core: Core, request: ShowProfile, actor: Actor) -> ProfileView:
    state = core.lane(request.station).state
    one = register.find(state, request.profile)
    if one is None:
        raise NotFound(
            f"no profile {request.profile} is known at {state.station.id}",
            f"cms profiles get {state.station.id} asks the station",
        )
    return view(core, state, one)


async def limited(core: Core, request: ListChargingLimits, actor: Actor) -> list[ChargingLimitView]:
    return [
        ChargingLimitView(
            station=lane.state.station.id,
            evse=limit.evse,
            source=limit.source,
            grid_critical=limit.grid_critical,
            local_generation=limit.local_generation,
            reported_at=limit.reported_at,
            schedules=limit.schedules,
        )
        for lane in core.lanes_of(request.station)
        for limit in lane.state.kept_of(notices.LIMIT).values()
    ]


async def needed(core: Core, request: ListChargingNeeds, actor: Actor) -> list[ChargingNeedsView]:
    return [
        _needs_view(lane.state, needs)
        for lane in core.lanes_of(request.station)
        for needs in lane.state.kept_of(ev.NEEDS).values()
    ]


def _needs_view(state: StationState, needs: ev.Needs) -> ChargingNeedsView:
    session = state.session_of(needs.transaction_id) if needs.transaction_id else None
    assert needs.reported_at is not None
    return ChargingNeedsView(
        station=state.station.id,
        evse=needs.evse,
        transaction_id=needs.transaction_id,
        session=session.id if session else None,
        energy_transfer=needs.energy_transfer,
        departure_at=needs.departure_at,
        energy_wh=needs.energy_wh,
        max_schedule_tuples=needs.max_schedule_tuples,
        answer=needs.answer,
        reported_at=needs.reported_at,
        profile=needs.profile_id,
        ev_schedule=needs.ev_schedule,
        needs=needs.said,
    )


async def set_(core: Core, request: SetProfile, actor: Actor) -> IntentView | Preview:
    """Complete the profile, hold it to the rules, install it."""
    lane = core.lane(request.station)
    check_place(request.evse)
    told = await limits(core, lane.state)
    converter = mains(request.voltage, request.phases)
    wanted = rules.in_unit(request.profile, told.units, converter) if converter else request.profile
    evse, profile = complete(core, lane, request.evse, wanted, told)
    place = f"EVSE {evse}" if evse else "the whole station"
    shown = preview(
        lane.state,
        "profile-set",
        f"profiles set {lane.state.station.id} --evse {evse}{_as_flags(request.profile)}",
        (),
        f"{place} gets profile {profile.id} ({profile.purpose}, stack level {profile.stack_level})"
        f": {_said(profile)}",
        level=1,
    )
    order = orders.SetChargingProfile(evse, profile)
    given = await give(core, actor, request.station, "profile-set", order, request, shown)
    if profile.purpose != "tx":
        _changed(core, lane, given, evse)
    return given


def _changed(core: Core, lane: Lane, given: IntentView | Preview, evse: int | None) -> None:
    """Cars that were told a plan are told what it is now (K16)."""
    if isinstance(given, IntentView) and given.status == IntentStatus.CONFIRMED:
        plan_again(core, lane, evse)


def _as_flags(profile: Profile) -> str:
    """What was asked for, as flags of the command line; what they cannot say comes from a file."""
    (schedule, *more) = profile.schedules or (None,)
    plain = schedule is not None and all(p.details is None and p.phase is None for p in schedule.periods)
    if more or schedule is None or not plain or schedule.prices:
        return " --file PROFILE.json"
    rates = (f"{p.start_s}={p.limit}" if p.start_s else str(p.limit) for p in schedule.periods)
    told: list[tuple[str, object]] = [("purpose", profile.purpose)]
    told += [("rate", f"{rate}{schedule.unit}") for rate in rates]
    told += [("stack-level", profile.stack_level or None), ("id", profile.id), ("every", profile.recurrency)]
    told += [("kind", profile.kind if profile.kind != "absolute" and not profile.recurrency else None)]
    told += [("start", schedule.start and f"{schedule.start:%Y-%m-%dT%H:%M:%SZ}")]
    told += [("duration", schedule.duration_s), ("phases", schedule.periods[0].phases)]
    told += [("from", profile.valid_from and f"{profile.valid_from:%Y-%m-%dT%H:%M:%SZ}")]
    told += [("to", profile.valid_to and f"{profile.valid_to:%Y-%m-%dT%H:%M:%SZ}")]
    return "".join(f" --{flag} {value}" for flag, value in told if value is not None)


def _said(profile: Profile) -> str:
    schedule = profile.schedules[0]
    first = schedule.periods[0]
    more = f" and {len(schedule.periods) - 1} more periods" if len(schedule.periods) > 1 else ""
    return f"{first.limit if first.limit is not None else 'setpoints'} {schedule.unit}{more}"


async def clear(core: Core, request: ClearProfiles, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    check_place(request.evse)
    criteria = (request.evse, request.purpose, request.stack_level)
    if request.profile is not None and any(one is not None for one in criteria):  # K10.FR.02
        raise Invalid("profiles are cleared by one id, or by criteria: not by both")
    if request.purpose in FOREIGN:  # K10.FR.06, 2.1 K27
        raise Conflict(f"{request.purpose} profiles are not ours to clear: whoever set them releases them")
    check_purpose(request.purpose)
    known = None if request.profile is None else register.find(lane.state, request.profile)
    if known is not None and not known.ours:
        raise Conflict(f"profile {known.id} was set by {known.source}: it is not ours to clear")
    meant = register.Criteria(
        () if request.profile is None else (request.profile,),
        request.evse,
        request.purpose,
        request.stack_level,
    )
    fitting = [one for one in register.installed(lane.state) if register.clearable(one, meant)]
    what = f"profile {request.profile}" if request.profile is not None else f"{len(fitting)} known profiles"
    everything = request.profile is None and all(one is None for one in criteria)
    shown = preview(
        lane.state,
        "profile-clear",
        f"profiles clear {lane.state.station.id}{_flags(request)}",
        (),
        f"{what} and whatever else fits at the station no longer limit it",
        level=2 if everything else 1,
    )
    order = orders.ClearChargingProfiles(request.profile, *criteria)
    given = await give(core, actor, request.station, "profile-clear", order, request, shown)
    _changed(core, lane, given, request.evse)
    return given


def check_purpose(purpose: str | None) -> None:
    if purpose is not None:
        rules.check_word("purpose", purpose)


def _flags(request: ClearProfiles | GetProfiles) -> str:
    ids = request.profile if isinstance(request, ClearProfiles) else None
    told = [("", ids), (" --evse", request.evse), (" --purpose", request.purpose)]
    told.append((" --stack-level", request.stack_level))
    return "".join(f"{flag} {value}" for flag, value in told if value is not None)


async def get(core: Core, request: GetProfiles, actor: Actor) -> IntentView | Preview:
    """Something is always asked for (K09.FR.03): without criteria, what we and others set."""
    lane = core.lane(request.station)
    check_place(request.evse)
    check_purpose(request.purpose)
    if request.profiles and (request.purpose, request.stack_level, *request.sources) != (None, None):
        raise Invalid("profiles are asked for by their ids, or by criteria: not by both")
    bare = not request.profiles and (request.purpose, request.stack_level) == (None, None)
    sources = request.sources or (("CSO", "EMS", "SO", "Other") if bare else ())
    if len(sources) > 4:
        raise Invalid(f"at most 4 sources can be asked for at once, not {len(sources)}")
    shown = preview(
        lane.state,
        "profiles-get",
        f"profiles get {lane.state.station.id}{_flags(request)}",
        (),
        "the station reports its profiles",
        level=0,
    )
    order = orders.GetChargingProfiles(
        core.mint.number(), request.profiles, request.evse, request.purpose, request.stack_level, sources
    )
    return await give(core, actor, request.station, "profiles-get", order, request, shown)


def _check_span(duration_s: int, unit: str | None) -> None:
    if not 0 < duration_s <= MOST_S:
        raise Invalid(f"a composite schedule is for 1 s to {MOST_S // 86_400} days, not {duration_s} s")
    if unit is not None:
        rules.check_word("unit", unit)


async def get_composite(core: Core, request: GetComposite, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    check_place(request.evse)
    _check_span(request.duration_s, request.unit)
    shown = preview(
        lane.state,
        "composite",
        line(
            "profiles composite",
            lane.state.station.id,
            evse=request.evse,
            duration=f"{request.duration_s}s",
            unit=request.unit,
        ),
        (),
        "the station says what holds",
        level=0,
    )
    order = orders.GetCompositeSchedule(request.evse, request.duration_s, request.unit)
    return await give(core, actor, request.station, "composite", order, request, shown)


async def show_composite(core: Core, request: ShowComposite, actor: Actor) -> CompositeView:
    """What the station last said, and what we make of what is installed, side by side."""
    state = core.lane(request.station).state
    check_place(request.evse)
    _check_span(request.duration_s, request.unit)
    kept = await core.store.kept(state.station.id, notices.TOLD)
    said: Told | None = kept.get(str(request.evse))
    told = said.schedule if said else None
    unit = request.unit or (told.unit if told else UNITS[0])
    start = core.clock.now().replace(microsecond=0)
    converter = mains(request.voltage, request.phases)
    ours = holds(state, request.evse, start, request.duration_s, unit, converter)
    return CompositeView(
        station=state.station.id,
        evse=request.evse,
        unit=unit,
        start=start,
        duration_s=ours.duration_s,
        ours=ours.steps,
        left_out=ours.left_out,
        told_at=said.at if said else None,
        told_start=told.start if told else None,
        told_unit=told.unit if told else None,
        told_duration_s=told.duration_s if told else None,
        told=tuple(CompositeStep(p.start_s, p.limit, p.phases) for p in told.periods) if told else (),
    )
