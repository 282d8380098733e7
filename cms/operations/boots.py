"""What happens when a station boots: variables are set before it is accepted; its inventory and monitors are read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from cms.contract.configuration import BootView, ReportConfiguration, SetBoot, ShowBoot
from cms.contract.monitoring import ReportMonitors
from cms.contract.refusals import Invalid, Refusal
from cms.contract.stations import GetConfiguration, OrderTerms, ResetStation, TriggerMessage
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import boots, monitoring, quirks
from cms.domain.boots import AtBoot, at_boot
from cms.domain.changes import Change, Happened, SaveStation
from cms.domain.evolve import evolve
from cms.domain.masking import is_secret
from cms.domain.orders import WriteVariables
from cms.domain.stations import BOOT_POLICIES, StationState
from cms.operations import configuration, credentials, remote
from cms.operations import monitoring as monitors
from cms.operations.configuration import budget_of, model_of
from cms.operations.deciding import settle
from cms.operations.intents import give
from cms.operations.previews import preview

log = logging.getLogger(__name__)

#: Who asks for what nobody asked for.
OURSELVES = Actor("cms", "admin", frozenset())
_SWITCH = {"on": True, "off": False, "default": None}
_SAID = {value: word for word, value in _SWITCH.items()}


async def show(core: Core, request: ShowBoot, actor: Actor) -> BootView:
    return _view(core, core.lane(request.station).state)


def _view(core: Core, state: StationState) -> BootView:
    terms = at_boot(state)
    return BootView(
        station=state.station.id,
        policy=boots.policy(state),
        status=state.station.boot_status,
        values=dict(terms.values),
        progress=terms.progress,
        detail=terms.detail,
        inventory=_takes_inventory(core, state),
        monitors=_reads_monitors(core, state),
        inventory_set=_SAID[terms.inventory],
        monitors_set=_SAID[terms.monitors],
        inventory_of=terms.inventory_of[2] if terms.inventory_of else None,
        inventory_at=terms.inventory_at,
    )


async def set_(core: Core, request: SetBoot, actor: Actor) -> BootView:
    if request.policy is not None and request.policy not in BOOT_POLICIES:
        raise Invalid(f"boot policy must be one of {', '.join(BOOT_POLICIES)}, not {request.policy!r}")
    for word in (request.inventory, request.monitors):
        if word is not None and word not in _SWITCH:
            raise Invalid(f"on, off or default, not {word!r}")
    lane = core.lane(request.station)
    values = None if request.values is None else await _checked(core, lane, request.values)
    async with lane.lock:
        state = core.lane(request.station).state
        terms, changes = _changed(at_boot(state), request, values), list[Change]()
        now = core.clock.now()
        if request.policy is not None:
            station = evolve(state.station, boot_policy=request.policy)
            state = evolve(state, station=station)
            changes.append(SaveStation(station))
        state, kept = boots.keeping(state, terms, now)
        data = {"policy": boots.policy(state), "values": dict(terms.values), "reason": request.reason}
        told = Happened("station.boot-terms", now, state.station.id, actor=actor.name, data=data)
        await settle(core, lane, state, (*changes, kept), (told,))
    if values and core.stations.link(lane.state.station.id) is not None:
        after_boot(core, lane.state)  # it is pending already
    return _view(core, lane.state)


async def _checked(core: Core, lane: Lane, values: dict[str, str]) -> dict[str, str]:
    """Values that may wait in the record for a boot, by their names in the station's language."""
    if secret := next((name for name in values if is_secret(name)), None):
        raise Invalid(
            f"{secret} is a secret: it is not kept until the station boots; set it while it is online"
        )
    spoken = configuration.spoken_values(core, lane, values)
    credentials.check_profile(lane.state, spoken)
    model = await model_of(core, lane)
    for name, value in spoken.items():
        model.check(name, value)
    return spoken


def _changed(terms: AtBoot, request: SetBoot, values: dict[str, str] | None) -> AtBoot:
    changes: dict[str, Any] = {}
    if values is not None:
        changes |= {"values": values, "progress": boots.WAITING if values else None, "detail": None}
    if request.inventory is not None:
        changes["inventory"] = _SWITCH[request.inventory]
    if request.monitors is not None:
        changes["monitors"] = _SWITCH[request.monitors]
    return evolve(terms, **changes) if changes else terms


# After a boot


def after_boot(core: Core, state: StationState) -> None:
    """Begin what follows a boot, once its answer has left."""
    terms, station = at_boot(state), state.station
    waits = terms.progress in boots.OPEN and not _being_set(state)
    if waits and station.boot_status == "pending" and station.boot_policy == "accepted":
        core.spawn(_provision(core, station.id))
    elif station.boot_status == "accepted" and (_inventory_due(core, state) or _monitors_due(core, state)):
        core.spawn(_read(core, station.id))


def _being_set(state: StationState) -> bool:
    """A station that boots again and again is told once at a time."""
    return any(intent.order == "config-set" and intent.status == "sent" for intent in state.intents.values())


async def _provision(core: Core, station_id: str) -> None:
    """Set what must be set first, then let the station boot again and be accepted (1.6 section 4.2, 2.x B02)."""
    lane = core.lane(station_id)
    values = dict(at_boot(lane.state).values)
    await _progress(core, lane, boots.SETTING)
    try:
        await _write(core, lane, values)
    except (Refusal, StoreDown) as refused:
        await _progress(core, lane, boots.FAILED, str(refused))
        return
    await _progress(core, lane, boots.SET)
    model = await model_of(core, lane)
    restart = any((known := model.variable(name)) and known.reboot_required for name in values)
    await _have_booted(core, station_id, restart=restart)


async def _write(core: Core, lane: Lane, values: dict[str, str]) -> None:
    model = await model_of(core, lane)
    budget = budget_of(lane, model, "SetVariables")
    order = WriteVariables(values, budget.items, budget.bytes)
    station_id = lane.state.station.id
    shown = preview(lane.state, "config-set", f"stations config set {station_id}", (), "", level=0)
    terms = OrderTerms(reason="to be set before it is accepted")
    await give(core, OURSELVES, station_id, "config-set", order, terms, shown)


async def _have_booted(core: Core, station_id: str, *, restart: bool) -> None:
    """It boots again by itself after its interval; asking makes it sooner. A reset lets values hold as well."""
    reason = "its variables are set: it can be accepted"
    try:
        if restart:
            request = ResetStation(station=station_id, kind="on-idle", reason=reason)
            await remote.reset(core, request, OURSELVES)
        else:
            trigger = TriggerMessage(station=station_id, message="BootNotification", reason=reason)
            await remote.trigger(core, trigger, OURSELVES)
    except (Refusal, StoreDown) as refused:
        log.info("%r was asked to boot again in vain: %s", station_id, refused)


async def _progress(core: Core, lane: Lane, progress: str, detail: str | None = None) -> None:
    async with lane.lock:
        now = core.clock.now()
        state, kept = boots.keeping(lane.state, boots.progressed(at_boot(lane.state), progress, detail), now)
        told = Happened(
            "station.boot-progress", now, state.station.id, data={"progress": progress, "detail": detail}
        )
        await settle(core, lane, state, (kept,), (told,))


def _takes_inventory(core: Core, state: StationState) -> bool:
    own = at_boot(state).inventory
    wanted = core.terms.inventory != "off" if own is None else own
    if core.terms.inventory == "2.x" and own is None and state.station.ocpp_version == "1.6":
        return False
    return wanted and quirks.of(state).automatic_commands


def _reads_monitors(core: Core, state: StationState) -> bool:
    own = at_boot(state).monitors
    return (core.terms.monitors if own is None else own) and quirks.of(state).automatic_commands


def _inventory_due(core: Core, state: StationState) -> bool:
    """On the first boot, and after another firmware (B07.FR.14): what it has may have changed."""
    return _takes_inventory(core, state) and at_boot(state).inventory_of != boots.identity(state)


def _monitors_due(core: Core, state: StationState) -> bool:
    """After a reboot monitors may have other numbers (N04.FR.19); without any there is nothing to read."""
    known = bool(state.kept_of(monitoring.MONITOR))
    return known and state.station.ocpp_version != "1.6" and _reads_monitors(core, state)


async def _read(core: Core, station_id: str) -> None:
    """Ask a little later, not all at once: the station is busy, and a whole fleet may have come back."""
    link = core.stations.link(station_id)
    delay_s = core.terms.automatic_delay_s
    await asyncio.sleep(delay_s * (1 + core.mint.number() % 1000 / 1000))
    now = core.stations.link(station_id)
    if link is None or now is None or now.since != link.since:
        return
    state = core.lane(station_id).state
    if _inventory_due(core, state):
        await _taken(core, station_id)
    if _monitors_due(core, state):
        request = ReportMonitors(station=station_id, reason="it booted")
        await _tried(station_id, "its monitors", monitors.report(core, request, OURSELVES))


#: The second when the station has no first: what can be set matters most.
_BASES = ("full", "configuration")


async def _taken(core: Core, station_id: str) -> None:
    lane = core.lane(station_id)
    reason = "first boot with this firmware"
    if lane.state.station.ocpp_version == "1.6":
        request = GetConfiguration(station=station_id, reason=reason)
        await _tried(station_id, "its keys", configuration.get(core, request, OURSELVES))
    else:
        for base in _BASES:
            report = ReportConfiguration(station=station_id, base=base, reason=reason)
            if await _tried(station_id, f"a {base} report", configuration.report(core, report, OURSELVES)):
                break
    async with lane.lock:
        # Also when it refused: it is asked once for each firmware, not at every boot.
        now, state = core.clock.now(), lane.state
        terms = evolve(at_boot(state), inventory_of=boots.identity(state), inventory_at=now)
        state, kept = boots.keeping(state, terms, now)
        await settle(core, lane, state, (kept,), ())


async def _tried(station_id: str, what: str, asking: Awaitable[Any]) -> bool:
    """Whether the station took it."""
    try:
        await asking
        return True
    except (Refusal, StoreDown) as refused:
        log.info("%r was asked for %s in vain: %s", station_id, what, refused)
        return False
