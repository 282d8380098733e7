"""Tariffs: the register and its use, what sessions cost by them, and orders to stations that calculate themselves."""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal

from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tariffs import (
    AddTariff,
    ChangeSessionTariff,
    ClearStationTariffs,
    CostView,
    DiffTariffs,
    ExportTariff,
    GetStationTariffs,
    InstalledTariff,
    ListStationTariffs,
    ListTariffs,
    Money,
    SendCost,
    SetStationTariff,
    ShowCost,
    ShowTariff,
    TariffView,
    UseTariff,
)
from cms.core import Actor, Core
from cms.domain import accounts, payments, stationtariffs, tariffs
from cms.domain.accounts import Account
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.sessions import Session, SessionStatus
from cms.domain.tariffs import Registered, Use
from cms.operations.accounts import keep_account
from cms.operations.assigning import use
from cms.operations.deciding import keep
from cms.operations.identifying import named
from cms.operations.intents import give
from cms.operations.openings import known_tariffs
from cms.operations.previews import line, preview
from cms.operations.sessions import find
from cms.operations.stations import check_place, version_of

#: No register grows without end: tariffs are never forgotten.
_MOST = 5_000
_LARGEST = Decimal(10**9)


def _registered(core: Core, tariff_id: str) -> Registered:
    found: Registered | None = core.kept.get(tariffs.TARIFF, {}).get(tariff_id)
    if found is None:
        raise NotFound(f"there is no tariff {tariff_id}", "see `cms tariffs list`")
    return found


def _view(core: Core, entry: Registered) -> TariffView:
    now, tariff = core.clock.now(), entry.tariff
    uses: dict[str, Use] = core.kept.get(tariffs.USE, {})
    places = [key for key, use in uses.items() if use.at(now) == tariff.id]
    return TariffView(
        id=tariff.id,
        currency=tariff.currency,
        summary=tariffs.summary(tariff),
        time_zone=tariff.time_zone,
        default=tariffs.DEFAULT in places,
        stations=tuple(core.lanes[key].state.station.id for key in _named(places, "station/", core.lanes)),
        tokens=tuple(core.tokens[key].id for key in _named(places, "token/", core.tokens)),
        added_at=entry.added_at,
        tariff=tariff,
    )


def _named(places: list[str], prefix: str, known: Container[str]) -> list[str]:
    """Those of one kind that are still there, without case."""
    keys = (place.removeprefix(prefix) for place in places if place.startswith(prefix))
    return sorted(key for key in keys if key in known)


async def list_(core: Core, request: ListTariffs, actor: Actor) -> list[TariffView]:
    chosen = parse(request.filter or "", keys_of(TariffView))
    views = (_view(core, entry) for _, entry in sorted(core.kept.get(tariffs.TARIFF, {}).items()))
    return [view for view in views if chosen(view)]


async def show(core: Core, request: ShowTariff, actor: Actor) -> TariffView:
    return _view(core, _registered(core, request.tariff))


async def add(core: Core, request: AddTariff, actor: Actor) -> TariffView:
    """A tariff's content never changes under its id: stations and bills name it (2.1 I08.FR.08)."""
    tariff = request.tariff
    tariffs.check(tariff)
    async with core.books:
        known: dict[str, Registered] = core.kept.get(tariffs.TARIFF, {})
        there = known.get(tariff.id)
        if there is not None and there.tariff != tariff:
            raise Conflict(
                f"tariff {tariff.id} has other prices already: its content never changes",
                "give the new prices another id",
            )
        if there is None:
            if len(known) >= _MOST:
                raise Conflict(f"there are {_MOST} tariffs already")
            entry = Registered(tariff, core.clock.now())
            told = Happened(
                "tariff.added",
                entry.added_at,
                actor=actor.name,
                data={"tariff": tariff.id, "summary": tariffs.summary(tariff)},
            )
            await keep(core, tariffs.TARIFF, tariff.id, entry, told)
    return _view(core, _registered(core, tariff.id))


async def use(core: Core, request: UseTariff, actor: Actor) -> None:
    """Sessions that run keep their tariff."""
    if request.since is not None and request.since.tzinfo is None:
        raise Invalid("a time needs its zone, e.g. 2027-01-01T00:00:00Z")
    if request.station is not None and request.token is not None:
        raise Invalid("a tariff is used at a station or of a token: name one of them")
    if request.tariff is not None:
        _registered(core, request.tariff)
    key = tariffs.DEFAULT
    if request.station is not None:
        key = tariffs.station_key(core.lane(request.station).state.station.id)
    elif request.token is not None:
        token = named(core, request.token)
        if token is None:
            raise NotFound(f"there is no token {request.token}", "see `cms tokens list`")
        key = tariffs.token_key(token.id)
    async with core.books:
        now = core.clock.now()
        # Stations tell milliseconds at best, often seconds: a session that begins right now is meant too.
        since = request.since or now.replace(microsecond=0)
        known: Use = core.kept.get(tariffs.USE, {}).get(key) or Use()
        if known.at(since) == request.tariff:
            return
        data = {"place": key, "tariff": request.tariff, "since": since}
        told = Happened("tariff.used", now, actor=actor.name, data=data)
        await keep(core, tariffs.USE, key, known.changed(request.tariff, since), told)


async def cost(core: Core, request: ShowCost, actor: Actor) -> CostView:
    session = await find(core, request.session)
    account = _open_account(core, session) or await core.store.bill(session.id)
    shown = accounts.view(account, session, known_tariffs(core)) if account is not None else None
    if shown is None:
        raise NotFound(f"session {session.id} has no price: no tariff held when it began")
    return shown


def _open_account(core: Core, session: Session) -> Account | None:
    lane = core.lanes.get(session.station.casefold())
    found: Account | None = lane.state.kept_of(accounts.KIND).get(session.id) if lane else None
    return found


async def station_tariffs(core: Core, request: ListStationTariffs, actor: Actor) -> list[InstalledTariff]:
    state = core.lane(request.station).state
    return [stationtariffs.view(entry) for entry in state.kept_of(stationtariffs.INSTALLED).values()]


async def set_station(core: Core, request: SetStationTariff, actor: Actor) -> IntentView | Preview:
    check_place(request.evse)
    lane = core.lane(request.station)
    tariff = _registered(core, request.tariff).tariff
    shown = preview(
        lane.state,
        "tariff-set",
        line("tariffs install", tariff.id, lane.state.station.id, evse=request.evse or None),
        (),
        f"sessions at {'all EVSEs' if not request.evse else f'EVSE {request.evse}'} "
        f"cost {tariffs.summary(tariff)}",
        level=1,
    )
    order = tariffs.SetDefaultTariff(tariff, request.evse)
    return await give(core, actor, request.station, "tariff-set", order, request, shown)


async def get_station(core: Core, request: GetStationTariffs, actor: Actor) -> IntentView | Preview:
    check_place(request.evse)
    state = core.lane(request.station).state
    cli = line("tariffs ask", state.station.id, evse=request.evse or None)
    shown = preview(state, "tariffs-get", cli, (), "nothing changes", level=0)
    order = tariffs.GetTariffs(request.evse)
    return await give(core, actor, request.station, "tariffs-get", order, request, shown)


async def clear_station(core: Core, request: ClearStationTariffs, actor: Actor) -> IntentView | Preview:
    check_place(request.evse)
    state = core.lane(request.station).state
    what = ", ".join(request.tariffs) or "all tariffs"
    cli = line("tariffs clear", state.station.id, *request.tariffs, evse=request.evse)
    shown = preview(state, "tariffs-clear", cli, (), f"the station forgets {what}", level=1)
    order = tariffs.ClearTariffs(tuple(request.tariffs), request.evse)
    return await give(core, actor, request.station, "tariffs-clear", order, request, shown)


async def change(core: Core, request: ChangeSessionTariff, actor: Actor) -> IntentView | Preview | CostView:
    """A 2.1 station is told (I11) and its account follows its answer; others are priced here (I06)."""
    session = await find(core, request.session)
    tariff = _registered(core, request.tariff).tariff
    if session.status == SessionStatus.ENDED:
        raise Conflict(f"session {session.id} is over: its price stands")
    lane = core.lane(session.station)
    account = _open_account(core, session)
    if account is not None and account.currency not in (None, tariff.currency):
        raise Conflict(
            f"session {session.id} is priced in {account.currency}, {tariff.id} in {tariff.currency}"
        )
    shown = preview(
        lane.state,
        "tariff-change",
        line("tariffs change", session.id, tariff.id),
        (),
        f"session {session.id} costs {tariffs.summary(tariff)} from now on",
        level=1,
    )
    if version_of(core, lane) == "2.1":
        order = tariffs.ChangeTransactionTariff(session.transaction_id, tariff, session.id)
        return await give(core, actor, session.station, "tariff-change", order, request, shown)
    if request.dry_run:
        return shown
    async with lane.lock:
        account = _open_account(core, session)
        if account is None:
            raise Conflict(f"session {session.id} has no price: no tariff held when it began")
        now = core.clock.now()
        account = evolve(account, timeline=(*account.timeline, (now, tariff.id)))
        told = Happened("session.tariff", now, session.station, session.id, actor.name, {"tariff": tariff.id})
        await keep_account(core, lane, session.station, account, events=(told,))
    return await cost(core, ShowCost(session.id), actor)


async def send_cost(core: Core, request: SendCost, actor: Actor) -> IntentView | Preview:
    session = await find(core, request.session)
    account = _open_account(core, session)
    if account is None or account.total is None:
        raise Conflict(f"session {session.id} is not running at a price: there is no cost to tell")
    state = core.lane(session.station).state
    shown = preview(state, "cost", f"tariffs tell {session.id}", (), "nothing changes", level=0)
    order = tariffs.UpdateCost(session.transaction_id, account.total)
    return await give(core, actor, session.station, "cost", order, request, shown)
