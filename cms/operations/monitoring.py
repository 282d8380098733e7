"""Monitors, problems and streams of stations (OCPP 2.x block N): asked for, and shown from the register."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict
from typing import Any

from cms.contract.intents import IntentView, Preview
from cms.contract.monitoring import (
    AdjustStream,
    ClearMonitors,
    DismissProblem,
    ListMonitors,
    ListProblems,
    ListStreams,
    ListStreamSamples,
    MonitoringView,
    MonitorView,
    MonitorWish,
    ProblemView,
    ReadStreams,
    ReportMonitors,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetMonitors,
    ShowMonitoring,
    StreamSample,
    StreamView,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import monitoring, streams
from cms.domain import problems as wrong
from cms.domain.devicemodel import Model
from cms.domain.evolve import evolve
from cms.domain.monitoring import NEW, Monitor
from cms.operations.configuration import budget_of, check_within, model_of
from cms.operations.deciding import settle
from cms.operations.intents import check_limit, give
from cms.operations.previews import preview

_MAX_AT_ONCE = 1_000


async def show(core: Core, request: ShowMonitoring, actor: Actor) -> MonitoringView:
    state = core.lane(request.station).state
    settings = monitoring.monitoring(state)
    return MonitoringView(
        station=state.station.id,
        base=settings.base,
        level=settings.level,
        monitors=len(state.kept_of(monitoring.MONITOR)),
        streams=len(state.kept_of(streams.KIND)),
        problems=len(wrong.problems(state)),
    )


async def list_(core: Core, request: ListMonitors, actor: Actor) -> list[MonitorView]:
    kept = core.lane(request.station).state.kept_of(monitoring.MONITOR).values()
    return [MonitorView(**_fields(monitor)) for monitor in sorted(kept, key=lambda m: m.id)]


def _fields(record: Monitor | streams.Stream) -> dict[str, Any]:
    """Their views have the same fields."""
    return asdict(record)


async def problems(core: Core, request: ListProblems, actor: Actor) -> list[ProblemView]:
    """The gravest first; those without a severity after those with one."""
    found = [
        problem
        for lane in core.lanes_of(request.station)
        if lane.state.connectors or lane.state.kept_of(wrong.KIND)
        for problem in wrong.problems(lane.state, cleared=request.cleared)
    ]
    return sorted(found, key=lambda p: (10 if p.severity is None else p.severity, p.since, p.station))


async def dismiss(core: Core, request: DismissProblem, actor: Actor) -> None:
    """Clear a standing alert in the station's place; one that is raised again stands again."""
    lane = core.lane(request.station)
    async with lane.lock:
        (state, changes), told = wrong.dismissed(lane.state, request.name, core.clock.now(), actor.name)
        if not told:
            raise NotFound(
                f"{lane.state.station.id} has no standing alert {request.name}",
                f"cms monitoring problems {lane.state.station.id}",
            )
        if request.reason is not None:
            told = [evolve(event, data=event.data | {"reason": request.reason}) for event in told]
        await settle(core, lane, state, changes, told)


async def set_(core: Core, request: SetMonitors, actor: Actor) -> IntentView | Preview:
    if not request.monitors:
        raise Invalid("nothing to watch: name a variable, a type and a severity")
    if len(request.monitors) > _MAX_AT_ONCE:
        raise Invalid(f"at most {_MAX_AT_ONCE} monitors at once, not {len(request.monitors)}")
    lane = core.lane(request.station)
    model = await model_of(core, lane)
    wanted = tuple(_wanted(wish, model) for wish in request.monitors)
    for wish in wanted:
        known = lane.state.kept_of(monitoring.MONITOR).get(str(wish.id))
        if known is not None and known.origin == "hard-wired":
            raise Conflict(f"monitor {wish.id} is hard-wired: it cannot be replaced")
    cli = _cli_of(lane.state.station.id, wanted[0])
    shown = preview(
        lane.state, "monitors-set", cli, (), f"watches {', '.join(m.name for m in wanted)}", level=1
    )
    budget = budget_of(lane, model, "SetVariableMonitoring")
    order = monitoring.SetMonitors(wanted, budget.items, budget.bytes)
    return await give(core, actor, request.station, "monitors-set", order, request, shown)


def _cli_of(station_id: str, monitor: Monitor) -> str:
    said = f"monitoring set {station_id} {shlex.quote(monitor.name)} {monitor.type} --severity {monitor.severity}"
    said += f" --value {monitor.value:.12g}"
    if monitor.transaction:
        said += " --in-sessions"
    if monitor.id != NEW:
        said += f" --replace {monitor.id}"
    return said + _stream_cli("--stream-every", "--stream-values", monitor.interval_s, monitor.values)


def _stream_cli(every: str, count: str, interval_s: int | None, values: int | None) -> str:
    said = "" if interval_s is None else f" {every} {interval_s}s"
    return said if values is None else f"{said} {count} {values}"


#: Types whose value is a number of seconds.
_TIMED = ("periodic", "periodic-clock-aligned")
_OF_NUMBERS = ("integer", "decimal")


def _wanted(wish: MonitorWish, model: Model) -> Monitor:
    if wish.type not in monitoring.TYPES:
        raise Invalid(f"a monitor is one of {', '.join(monitoring.TYPES)}, not {wish.type!r}")
    check_severity(wish.severity)
    for name, number in (("id", wish.id), ("interval", wish.interval_s), ("values", wish.values)):
        if number is not None and number < 0:
            raise Invalid(f"{name} is not below 0, as {number} is")
    return Monitor(
        id=NEW if wish.id is None else wish.id,
        name=wish.name,
        type=wish.type,
        value=_value(wish, model),
        severity=wish.severity,
        transaction=wish.transaction,
        interval_s=wish.interval_s,
        values=wish.values,
    )


def _value(wish: MonitorWish, model: Model) -> float:
    variable = model.variable(wish.name)
    kind = variable.data_type if variable else None
    if wish.type == "delta" and kind not in (None, *_OF_NUMBERS):
        return 1.0  # N04.FR.17: every change of what is no number
    if wish.value is None and wish.type == "delta" and kind is None:
        return 1.0
    if wish.value is None or not math.isfinite(wish.value):
        raise Invalid(f"a {wish.type} monitor on {wish.name} needs a value", "--value NUMBER")
    if wish.type in _TIMED and wish.value <= 0:
        raise Invalid(f"a {wish.type} monitor needs seconds, not {wish.value:g}")
    return wish.value


def check_severity(severity: int) -> None:
    if severity not in monitoring.SEVERITIES:
        raise Invalid(f"a severity is 0 (danger) to 9 (debug), not {severity}")


async def clear(core: Core, request: ClearMonitors, actor: Actor) -> IntentView | Preview:
    if not request.ids or min(request.ids) < 0:
        raise Invalid("which monitors? give their numbers", f"cms monitoring list {request.station}")
    lane = core.lane(request.station)
    ids = tuple(dict.fromkeys(request.ids))
    cli = f"monitoring clear {lane.state.station.id} {' '.join(map(str, ids))}"
    shown = preview(lane.state, "monitors-clear", cli, (), f"forgets {len(ids)} monitors", level=1)
    budget = budget_of(lane, await model_of(core, lane), "ClearVariableMonitoring")
    order = monitoring.ClearMonitors(ids, budget.items, budget.bytes)
    return await give(core, actor, request.station, "monitors-clear", order, request, shown)


async def base(core: Core, request: SetMonitoringBase, actor: Actor) -> IntentView | Preview:
    if request.base not in monitoring.BASES:
        raise Invalid(f"a monitoring base is one of {', '.join(monitoring.BASES)}, not {request.base!r}")
    lane = core.lane(request.station)
    cli = f"monitoring base {lane.state.station.id} {request.base}"
    lost = request.base != "all"
    impact = "clears the monitors that were set" if lost else "activates the station's own monitors"
    shown = preview(lane.state, "monitoring-base", cli, (), impact, level=2 if lost else 1)
    order = monitoring.SetMonitoringBase(request.base)
    return await give(core, actor, request.station, "monitoring-base", order, request, shown)


async def level(core: Core, request: SetMonitoringLevel, actor: Actor) -> IntentView | Preview:
    check_severity(request.severity)
    lane = core.lane(request.station)
    cli = f"monitoring level {lane.state.station.id} {request.severity}"
    impact = f"the station tells of events of severity 0 to {request.severity}"
    shown = preview(lane.state, "monitoring-level", cli, (), impact, level=1)
    order = monitoring.SetMonitoringLevel(request.severity)
    return await give(core, actor, request.station, "monitoring-level", order, request, shown)


async def report(core: Core, request: ReportMonitors, actor: Actor) -> IntentView | Preview:
    criteria = tuple(word.casefold() for word in request.criteria)
    if wrong := [word for word in criteria if word not in monitoring.CRITERIA]:
        raise Invalid(f"criteria are {', '.join(monitoring.CRITERIA)}, not {wrong[0]!r}")
    check_within(request.within_s)
    lane = core.lane(request.station)
    said = [f"monitoring report {lane.state.station.id}", *map(shlex.quote, request.names)]
    said += [f"--criteria {word}" for word in criteria]
    shown = preview(lane.state, "monitors-report", " ".join(said), (), "nothing changes", level=0)
    order = monitoring.ReportMonitors(core.mint.number(), criteria, tuple(request.names), request.within_s)
    return await give(core, actor, request.station, "monitors-report", order, request, shown)


# Streams


async def list_streams(core: Core, request: ListStreams, actor: Actor) -> list[StreamView]:
    kept = core.lane(request.station).state.kept_of(streams.KIND).values()
    return [StreamView(**_fields(stream)) for stream in kept]


async def read_streams(core: Core, request: ReadStreams, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    cli = f"monitoring read-streams {lane.state.station.id}"
    shown = preview(lane.state, "streams-read", cli, (), "nothing changes", level=0)
    return await give(core, actor, request.station, "streams-read", streams.ReadStreams(), request, shown)


async def adjust(core: Core, request: AdjustStream, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    if request.interval_s is None and request.values is None:
        raise Invalid("nothing to change: give --interval or --values")
    for number in (request.interval_s, request.values):
        if number is not None and number < 0:
            raise Invalid(f"a stream sends after a number of seconds or values, not {number}")
    cli = f"monitoring adjust {lane.state.station.id} {request.stream}"
    cli += _stream_cli("--every", "--values", request.interval_s, request.values)
    shown = preview(lane.state, "stream-adjust", cli, (), "the stream sends at other times", level=1)
    order = streams.AdjustStream(request.stream, request.interval_s, request.values)
    return await give(core, actor, request.station, "stream-adjust", order, request, shown)


async def samples(core: Core, request: ListStreamSamples, actor: Actor) -> list[StreamSample]:
    check_limit(request.limit)
    lane = core.lane(request.station)
    # Numbers of monitors have 32 bits; what no database takes is no monitor.
    fits = -(2**31) <= request.monitor < 2**31
    found = (
        await core.store.stream_samples(lane.state.station.id, request.monitor, request.limit) if fits else []
    )
    known = str(request.monitor) in lane.state.kept_of(monitoring.MONITOR)
    if not found and not known:
        raise NotFound(
            f"{lane.state.station.id} has no monitor {request.monitor}",
            f"cms monitoring list {lane.state.station.id}",
        )
    return found
