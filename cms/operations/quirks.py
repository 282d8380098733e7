"""Quirks of stations: shown, set, and what we do of our own accord because of them; and what a make is capable of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from cms.contract.quirks import Capabilities, ListQuirks, ProbeStation, Quirk, SetQuirks, ShowCapabilities
from cms.contract.refusals import Conflict, Invalid, NotFound, NotSupported, Refusal, Rejected
from cms.contract.stations import OrderTerms
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import capabilities, quirks
from cms.domain.changes import Happened, Keep
from cms.domain.orders import ReadVariables, Trigger
from cms.domain.stations import StationState
from cms.domain.tokens import Token
from cms.operations.deciding import keep, settle
from cms.operations.identifying import standing
from cms.operations.intents import give
from cms.operations.previews import preview

log = logging.getLogger(__name__)

#: The reason of an order that is a part of a probe.
_PROBE = "probe"
#: Who asks for what nobody asked for.
OURSELVES = Actor("cms", "admin", frozenset())


async def list_(core: Core, request: ListQuirks, actor: Actor) -> list[Quirk]:
    return list(quirks.shown(core.lane(request.station).state))


async def set_(core: Core, request: SetQuirks, actor: Actor) -> list[Quirk]:
    """Set and unset switches; how the station is handled changes with its next message or connection."""
    if not request.values and not request.unset:
        raise Invalid("nothing to change: set NAME=VALUE, or unset NAME")
    lane = core.lane(request.station)
    async with core.books, lane.lock:
        state = lane.state
        after = quirks.changed(state, request.values, request.unset, request.reason)
        before = quirks.of(state).identity_alias
        kept = after if after.values else None
        now = core.clock.now()
        data = {"set": request.values, "unset": list(request.unset), "reason": request.reason}
        told = Happened("station.quirks", now, state.station.id, actor=actor.name, data=data)
        changed = state.keeping(quirks.KIND, "", kept)
        alias = quirks.of(changed).identity_alias
        if alias != before:
            await _rename(core, changed, before, alias)
        await settle(core, lane, changed, (Keep(state.station.id, quirks.KIND, "", kept, now),), (told,))
    return list(quirks.shown(lane.state))


async def _rename(core: Core, state: StationState, before: str, alias: str) -> None:
    """Know the station under another identity than before; ``core.books`` is held by the caller."""
    owner = known_as(core, alias) if alias else None
    if owner is not None and owner.state.station.id != state.station.id:
        raise Conflict(f"{alias} is the identity of {owner.state.station.id} already")
    if alias.casefold() == state.station.id.casefold():
        raise Conflict(f"{alias} is the station's own name")
    if before:
        await keep(core, quirks.ALIAS, before.casefold(), None)
    if alias:
        await keep(core, quirks.ALIAS, alias.casefold(), quirks.Alias(state.station.id))


def known_as(core: Core, identity: str) -> Lane | None:
    """The station of this identity, by its name or by its alias, whatever the case."""
    key = identity.casefold()
    lane = core.lanes.get(key)
    if lane is not None:
        return lane
    alias: quirks.Alias | None = core.kept.get(quirks.ALIAS, {}).get(key)
    lane = core.lanes.get(alias.station.casefold()) if alias is not None else None
    # A station that was removed and registered again has no alias until it is given one.
    return lane if lane is not None and quirks.of(lane.state).identity_alias.casefold() == key else None


def token_behind(core: Core, state: StationState, presented: str) -> Token | None:
    """The token that is meant by a station which adds something to tokens, or cuts them; asked about unknown ones."""
    switches = quirks.of(state)
    if switches.id_tag_separator:
        own, sign, _ = presented.rpartition(switches.id_tag_separator)
        if sign and (token := core.tokens.get(own.casefold())) is not None:
            return standing(core, token)
    if not switches.id_tag_length or len(presented) != switches.id_tag_length:
        return None
    start = presented.casefold()
    could_be = list(islice((token for key, token in core.tokens.items() if key.startswith(start)), 2))
    return standing(core, could_be[0]) if len(could_be) == 1 else None


# What we do of our own accord


def after_connecting(core: Core, state: StationState) -> None:
    """A station that does not introduce itself is asked to, a little later (1.6 section 4.2: it need not)."""
    switches = quirks.of(state)
    wanted = switches.boot_trigger == "always" or (
        switches.boot_trigger == "unknown" and state.station.boot_status is None
    )
    link = core.stations.link(state.station.id)
    if wanted and switches.automatic_commands and core.terms.boot_trigger_s and link is not None:
        core.spawn(_introduced(core, state.station.id, link.since))


async def _introduced(core: Core, station_id: str, since: datetime) -> None:
    """Ask for a BootNotification unless one came, or the station went, meanwhile."""
    await asyncio.sleep(core.terms.boot_trigger_s)
    lane, link = core.lanes.get(station_id.casefold()), core.stations.link(station_id)
    if lane is None or link is None or link.since != since:
        return
    booted_at = lane.state.station.booted_at
    if booted_at is not None and booted_at >= since:
        return
    order = Trigger("BootNotification")
    shown = preview(lane.state, "trigger", f"stations trigger {station_id} BootNotification", (), "", level=0)
    terms = OrderTerms(reason="it connected without a BootNotification")
    try:
        await give(core, OURSELVES, station_id, "trigger", order, terms, shown)
    except (Refusal, StoreDown) as refused:
        # Many stations cannot: they are served all the same.
        log.info("%r sent no BootNotification and was asked for one in vain: %s", station_id, refused)


def after_boot(core: Core, state: StationState) -> None:
    """Probe a make that nobody has asked yet, where that is wanted."""
    if not core.terms.probe or not quirks.of(state).automatic_commands:
        return
    under_way = any(intent.reason == _PROBE for intent in state.intents.values())
    if state.station.boot_status == "accepted" and not under_way and of(core, state) is None:
        core.spawn(_probed(core, state.station.id))


async def _probed(core: Core, station_id: str) -> None:
    try:
        await probe(core, ProbeStation(station_id), OURSELVES)
    except (Refusal, StoreDown) as refused:
        log.info("%r could not be probed: %s", station_id, refused)


# What a make is capable of

#: No station was seen that takes fewer keys in one message, and says so only when it is asked.
_AT_ONCE = 4


def _parts(names: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(names[at : at + size]) for at in range(0, len(names), size)]


def of(core: Core, state: StationState) -> Capabilities | None:
    """What is known of the station's make and firmware; None: nobody asked one of them."""
    found: Capabilities | None = core.kept.get(capabilities.KIND, {}).get(quirks.make_of(state.station))
    return found


async def show(core: Core, request: ShowCapabilities, actor: Actor) -> Capabilities:
    state = core.lane(request.station).state
    found = of(core, state)
    if found is None:
        make = " ".join(filter(None, (state.station.vendor, state.station.model, state.station.firmware)))
        raise NotFound(
            f"{state.station.id}: nothing is known of {make or 'its make'}",
            f"cms stations probe {state.station.id} asks it",
        )
    return found


async def probe(core: Core, request: ProbeStation, actor: Actor) -> Capabilities:
    """Ask the station for what it takes, remember that for its make, and say it."""
    lane = core.lane(request.station)
    state, station = lane.state, lane.state.station
    if not station.vendor:
        raise Conflict(
            f"{station.id} has not said which make it is: what it takes could not be remembered",
            f"cms stations trigger {station.id} BootNotification",
        )
    link = core.stations.link(station.id)
    version = link.ocpp_version if link else station.ocpp_version or ""
    names = capabilities.names(version, quirks.of(state).skip_keys)
    begun = core.clock.now()
    shown = preview(state, "config-get", f"stations probe {station.id}", (), "nothing changes", level=0)
    terms = OrderTerms(reason=_PROBE, timeout_s=request.timeout_s)
    for part in _parts(names, quirks.of(state).keys_per_message or _AT_ONCE):
        order = ReadVariables(part)
        try:
            await give(core, actor, station.id, "config-get", order, terms, shown)
        except (Rejected, NotSupported):
            continue  # it knows none of these
    told = {
        variable.name: variable.value
        for variable in await core.store.variables(station.id)
        if variable.reported_at is not None and variable.reported_at >= begun
    }
    found = capabilities.read(lane.state.station, version, told, names, core.clock.now())
    async with core.books:
        event = Happened("station.probed", begun, station.id, actor=actor.name, data={"capabilities": found})
        await keep(core, capabilities.KIND, quirks.make_of(lane.state.station), found, event)
    return found
