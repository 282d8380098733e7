"""Local authorisation lists: which tokens a station should hold, and sending them; clearing its cache."""

from __future__ import annotations

import asyncio
import contextlib
import shlex

from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.lists import (
    AskListVersion,
    ClearCache,
    ListContents,
    ListEntry,
    ListLists,
    ListView,
    SetList,
    ShowList,
    SyncList,
)
from cms.contract.refusals import Conflict, NotSupported, Refusal, Rejected
from cms.contract.stations import OrderTerms
from cms.contract.tokens import TokenView
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import lists
from cms.domain.lists import Entry, Held, LocalList
from cms.domain.orders import Order
from cms.operations.deciding import settle
from cms.operations.holdings import Wishes, plan, version_of
from cms.operations.intents import give
from cms.operations.previews import preview

ALL, NONE = "all", "none"


def _state(known: LocalList, wanted_mark: str) -> str:
    if known.supported is False:
        return "unsupported"
    if known.version <= 0:
        return "none"
    return "current" if known.sure and known.mark == wanted_mark else "stale"


def _view(core: Core, lane: Lane, wishes: Wishes) -> ListView:
    known, station = lists.of(lane.state), lane.state.station.id
    return ListView(
        station=station,
        state=_state(known, wishes.mark(station, version_of(core, lane), known)),
        version=known.version,
        station_version=known.told,
        entries=known.entries,
        tokens=ALL if known.choice is None else known.choice or NONE,
        cleared=len(known.without),
        sent_at=known.sent_at,
        told_at=known.told_at,
        trouble=known.trouble,
    )


async def list_(core: Core, request: ListLists, actor: Actor) -> list[ListView]:
    wishes = Wishes(core, core.clock.now())
    views = [_view(core, lane, wishes) for _, lane in sorted(core.lanes.items())]
    return [v for v in views if request.stale is None or (v.state == "stale") is request.stale]


async def show(core: Core, request: ShowList, actor: Actor) -> ListContents:
    lane = core.lane(request.station)
    station, wishes = lane.state.station.id, Wishes(core, core.clock.now())
    held: Held = (await core.store.kept(station, lists.HELD)).get(lists.KEY) or Held()
    wanted = wishes.entries(station, version_of(core, lane), lists.of(lane.state))
    changed, removed = lists.changes_between(held.entries, wanted)
    changes = {e.token.casefold(): "change" if e.token.casefold() in held.entries else "add" for e in changed}
    changes |= {e.token.casefold(): "remove" for e in removed}
    everything = {**held.entries, **wanted}
    entries = tuple(_entry(everything[key], changes.get(key)) for key in sorted(everything))
    return ListContents(_view(core, lane, wishes), entries)


def _entry(entry: Entry, change: str | None) -> ListEntry:
    return ListEntry(entry.token, entry.kind, entry.status, entry.group, entry.expires, entry.evses, change)


async def set_(core: Core, request: SetList, actor: Actor) -> ListView:
    """Choose; nothing is sent before the next update."""
    choice = {ALL: None, NONE: ""}.get(request.tokens, request.tokens)
    parse(choice or "", keys_of(TokenView))
    lane = core.lane(request.station)
    async with lane.lock:
        decision = lists.chosen(lane.state, choice, core.clock.now())
        await settle(core, lane, decision.state, decision.changes, decision.events)
    return _view(core, lane, Wishes(core, core.clock.now()))


async def sync(core: Core, request: SyncList, actor: Actor) -> IntentView | Preview:
    """Send what is missing. A station that does not take the difference gets everything (1.6 section 5.15, D01).

    Where nothing is missing, it is asked which version it holds: so a list that was changed behind us shows.
    """
    lane = core.lane(request.station)
    station, known = lane.state.station.id, lists.of(lane.state)
    if known.supported is False and not request.full:
        raise NotSupported(
            f"{station} keeps no local list: {known.trouble or 'it said so'}",
            "add --full to send one all the same",
        )
    under_way = next(
        (i for i in lane.state.intents.values() if i.order == "list" and i.status == "sent"), None
    )
    if under_way is not None and not request.dry_run:
        # Messages of two updates between one another would be versions out of order.
        raise Conflict(
            f"an update of {station}'s list is under way", f"wait for it: cms intents wait {under_way.id}"
        )
    wanted_mark = Wishes(core, core.clock.now()).mark(station, version_of(core, lane), known)
    if not request.full and _state(known, wanted_mark) == "current":
        return await _ask(core, lane, request, actor)
    order = lists.SendList(full=request.full)
    shown = await _preview(core, lane, request, order) if request.dry_run else _nothing_shown(lane, "list")
    try:
        return await _given(core, lane, actor, "list", order, request, shown)
    except Rejected:
        if request.full or not known.sure:
            raise
    return await _given(core, lane, actor, "list", lists.SendList(full=True), request, shown)


async def _given(
    core: Core, lane: Lane, actor: Actor, name: str, order: Order, terms: OrderTerms, shown: Preview
) -> IntentView | Preview:
    """The order is given; a station that knows no lists is remembered as one."""
    try:
        return await give(core, actor, lane.state.station.id, name, order, terms, shown)
    except NotSupported as no:
        async with lane.lock:
            decision = lists.cannot(lane.state, no.message, core.clock.now())
            await settle(core, lane, decision.state, decision.changes, decision.events)
        raise


def _nothing_shown(lane: Lane, order: str) -> Preview:
    """Only a dry run looks at a preview."""
    return Preview(order=order, station=lane.state.station.id, level=0, impact="", cli="")


async def _preview(core: Core, lane: Lane, request: SyncList, order: lists.SendList) -> Preview:
    update = await plan(core, lane, order)
    does = (
        f"its list becomes these {len(update.whole)} tokens"
        if update.full
        else f"{len(update.entries)} tokens are added or changed in its list, {len(update.removed)} removed"
    )
    station = lane.state.station.id
    cli = f"lists sync {station}" + (" --full" if request.full else "")
    return preview(lane.state, "list", cli, (), does, level=1)


async def _ask(
    core: Core, lane: Lane, request: SyncList | AskListVersion, actor: Actor
) -> IntentView | Preview:
    station = lane.state.station.id
    shown = preview(
        lane.state, "list-version", f"lists version {station}", (), "it tells its version", level=0
    )
    return await _given(core, lane, actor, "list-version", lists.AskListVersion(), request, shown)


async def version(core: Core, request: AskListVersion, actor: Actor) -> IntentView | Preview:
    return await _ask(core, core.lane(request.station), request, actor)


async def clear_cache(core: Core, request: ClearCache, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    station = lane.state.station.id
    shown = preview(
        lane.state,
        "cache-clear",
        f"lists clear-cache {shlex.quote(station)}",
        (),
        "the station asks us again about every token",
        level=1,
    )
    return await give(core, actor, station, "cache-clear", lists.ClearCache(), request, shown)


#: What makes lists stale, or stations that have a stale one come.
_CAUSES = frozenset(
    {"token.added", "token.changed", "token.removed", "station.connected", "list.conflict"}
) | {
    "access.changed",
    "access.removed",
}
#: Tokens change in bunches: an update waits until the bunch is over.
_REST_S = 2.0
#: Tokens expire without an event.
_AT_LEAST_EVERY_S = 3600.0
#: So many stations at a time: one that is silent must not hold up all others.
_AT_ONCE = 8
_OURSELVES = Actor("cms", "system", frozenset())


async def follow(core: Core, rest_s: float = _REST_S) -> None:
    """Send stale lists by themselves, for ever (the setting ``list_sync``)."""
    due = asyncio.Event()
    due.set()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_listen(core, due))
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(due.wait(), _AT_LEAST_EVERY_S)
            await asyncio.sleep(rest_s)
            due.clear()
            await sync_stale(core)


async def _listen(core: Core, due: asyncio.Event) -> None:
    while True:
        subscription = core.bus.subscribe()
        async for event in subscription:
            if event.type in _CAUSES:
                due.set()
        due.set()  # it overflowed: something was missed


async def sync_stale(core: Core) -> None:
    """Update the stale list of every station that is online; what a station refuses its intent tells."""
    turns = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as tasks:
        for view in await list_(core, ListLists(stale=True), _OURSELVES):
            if core.stations.link(view.station) is not None:
                tasks.create_task(_in_turn(core, view.station, turns))


async def _in_turn(core: Core, station: str, turns: asyncio.Semaphore) -> None:
    async with turns:
        request = SyncList(station=station, reason="its list was stale")
        with contextlib.suppress(Refusal, StoreDown):
            await sync(core, request, _OURSELVES)
