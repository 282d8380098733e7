"""A station's configuration: what we know of it, single values, and reports of the whole device model."""

from __future__ import annotations

import shlex
from dataclasses import replace

from cms.contract.configuration import ListReports, ReportConfiguration, ReportView
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Invalid
from cms.contract.stations import GetConfiguration, ListVariables, SetConfiguration, Variable
from cms.core import Actor, Core, Lane
from cms.domain import devicemodel, quirks, reports
from cms.domain.devicemodel import Budget, Model, ReportVariables
from cms.domain.masking import is_secret
from cms.domain.orders import ReadVariables, WriteVariables
from cms.operations import credentials
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.stations import version_of

_MAX_WITHIN_S = 24 * 3600.0
_MAX_NAMES = 10_000


async def list_(core: Core, request: ListVariables, actor: Actor) -> list[Variable]:
    """What the station told last; of standard 1.6 keys also what the specification says about them."""
    known = await core.store.variables(core.lane(request.station).state.station.id)
    return [_described(variable) for variable in known]


def _described(variable: Variable) -> Variable:
    key = None if "." in variable.name else devicemodel.standard(variable.name)
    if key is None:
        return variable
    return replace(
        variable,
        data_type=variable.data_type or key.data_type,
        unit=variable.unit or key.unit,
        same_as=key.variable,
    )


async def model_of(core: Core, lane: Lane) -> Model:
    """The station's device model as it was last told; empty when nobody asked."""
    return Model(await core.store.variables(lane.state.station.id))


def budget_of(lane: Lane, model: Model, message: str) -> Budget:
    """What the station takes in one message: what it said, and no more than it was seen to take."""
    told = model.budget(message)
    seen = quirks.of(lane.state).keys_per_message if message in _OF_KEYS else 0
    return replace(told, items=min(told.items or seen, seen)) if seen else told


_OF_KEYS = ("GetConfiguration", "GetVariables", "SetVariables")


def _spoken(core: Core, lane: Lane, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the station's own language, each once: it answers a name that comes twice with an error."""
    if len(names) > _MAX_NAMES:
        raise Invalid(f"at most {_MAX_NAMES} names at once, not {len(names)}")
    version = version_of(core, lane)
    found: dict[str, str] = {}
    for name in names:
        spoken = devicemodel.spoken(name, version)
        found.setdefault(spoken.casefold(), spoken)
    return tuple(found.values())


async def get(core: Core, request: GetConfiguration, actor: Actor) -> IntentView | Preview:
    """Ask the station for keys or variables, in messages of the size it takes."""
    lane = core.lane(request.station)
    names = _spoken(core, lane, request.names)
    cli = f"stations config get {lane.state.station.id} {shlex.join(names)}".rstrip()
    shown = preview(lane.state, "config-get", cli, (), "nothing changes", level=0)
    first = version_of(core, lane) == "1.6"
    if not names and not first:
        raise Invalid(
            "an OCPP 2.x station must be asked for names, e.g. OCPPCommCtrlr.HeartbeatInterval",
            f"cms stations config report {lane.state.station.id} asks for all of them",
        )
    budget = budget_of(lane, await model_of(core, lane), "GetConfiguration" if first else "GetVariables")
    order = ReadVariables(names, budget.items, budget.bytes)
    return await give(core, actor, request.station, "config-get", order, request, shown)


async def set_(core: Core, request: SetConfiguration, actor: Actor) -> IntentView | Preview:
    """Set keys or variables. What the station said it will not take is refused before it is asked."""
    if not request.values:
        raise Invalid("nothing to set: give KEY=VALUE")
    lane = core.lane(request.station)
    values = spoken_values(core, lane, request.values)
    model = await model_of(core, lane)
    if not request.force:
        for name, value in values.items():
            model.check(name, value)
            quirks.check_list(lane.state, name, value)
    pairs = shlex.join(f"{name}={'***' if is_secret(name) else value}" for name, value in values.items())
    shown = preview(
        lane.state,
        "config-set",
        f"stations config set {lane.state.station.id} {pairs}{' --force' if request.force else ''}",
        (),
        f"sets {', '.join(values)}",
        level=1,
    )
    credentials.check_profile(lane.state, values)
    budget = budget_of(lane, model, "SetVariables")
    order = WriteVariables(values, budget.items, budget.bytes)
    giving = give(core, actor, request.station, "config-set", order, request, shown)
    return await credentials.telling(core, lane, values, request, giving)


def spoken_values(core: Core, lane: Lane, values: dict[str, str]) -> dict[str, str]:
    """The values by names in the station's own language; none is named twice (B05.FR.13)."""
    version = version_of(core, lane)
    spoken: dict[str, str] = {}
    for name, value in values.items():
        own = devicemodel.spoken(name, version)
        if own.casefold() in {other.casefold() for other in spoken}:
            raise Invalid(f"{own} is given twice")
        spoken[own] = value
    return spoken


# Reports


async def report(core: Core, request: ReportConfiguration, actor: Actor) -> IntentView | Preview:
    """Have a 2.x station report its device model; it is done when all parts have come (B07, B08)."""
    lane = core.lane(request.station)
    criteria = tuple(word.casefold() for word in request.criteria)
    _check_report(request, criteria)
    names = _spoken(core, lane, request.names)
    model = await model_of(core, lane)
    most = budget_of(lane, model, "GetReport").items
    if most is not None and len(names) > most:
        raise Invalid(
            f"{lane.state.station.id} reports on at most {most} variables at once, not {len(names)}"
        )
    shown = preview(lane.state, "config-report", _report_cli(lane, request), (), "nothing changes", level=0)
    order = ReportVariables(core.mint.number(), request.base, criteria, names, request.within_s)
    return await give(core, actor, request.station, "config-report", order, request, shown)


def _check_report(request: ReportConfiguration, criteria: tuple[str, ...]) -> None:
    if request.base is not None and request.base not in devicemodel.BASES:
        raise Invalid(f"a base report is one of {', '.join(devicemodel.BASES)}, not {request.base!r}")
    if (request.base is not None) == bool(criteria or request.names):
        raise Invalid(
            "a report is a base report, or one of criteria and names",
            f"--base {'|'.join(devicemodel.BASES)}, or --criteria problem, or Component.Variable",
        )
    if wrong := [word for word in criteria if word not in devicemodel.CRITERIA]:
        raise Invalid(f"criteria are {', '.join(devicemodel.CRITERIA)}, not {wrong[0]!r}")
    check_within(request.within_s)


def check_within(within_s: float) -> None:
    if not 0 < within_s <= _MAX_WITHIN_S:
        raise Invalid(f"a report must come within {_MAX_WITHIN_S:g} s at most, not {within_s:g}")


def _report_cli(lane: Lane, request: ReportConfiguration) -> str:
    said = [f"stations config report {lane.state.station.id}", *map(shlex.quote, request.names)]
    if request.base is not None:
        said.append(f"--base {request.base}")
    said += [f"--criteria {shlex.quote(word)}" for word in request.criteria]
    return " ".join(said)


async def list_reports(core: Core, request: ListReports, actor: Actor) -> list[ReportView]:
    kept = core.lane(request.station).state.kept_of(reports.KIND).values()
    return [_shown(each) for each in kept]


_MAX_HOLES = 100


def _shown(report: reports.Report) -> ReportView:
    return ReportView(
        request_id=report.request_id,
        subject=report.subject,
        asked_at=report.asked_at,
        heard_at=report.heard_at,
        parts=len(report.parts),
        items=report.items,
        complete=report.complete,
        holes=report.holes[:_MAX_HOLES],
    )
