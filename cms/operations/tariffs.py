"""Tariffs: the register and its use, what sessions cost by them, and orders to stations that calculate themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.prices import Finding, LintTariff
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
    ListTariffVersions,
    SendCost,
    SetStationTariff,
    ShowCost,
    ShowTariff,
    Tariff,
    TariffChange,
    TariffFile,
    TariffVersionView,
    TariffView,
)
from cms.core import Actor, Core
from cms.domain import (
    accounts,
    assignment,
    organisations,
    stationtariffs,
    tariffdiff,
    tarifffiles,
    tarifflint,
    tariffs,
)
from cms.domain.accounts import Account
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.sessions import Session, SessionStatus
from cms.domain.tariffs import Registered
from cms.operations import assigning, holding
from cms.operations.accounts import keep_account
from cms.operations.assigning import use
from cms.operations.deciding import keep
from cms.operations.intents import give
from cms.operations.openings import known_tariffs
from cms.operations.previews import line, preview
from cms.operations.pricetags import offer
from cms.operations.sessions import find
from cms.operations.stations import check_place, version_of

__all__ = ["offer", "use"]

#: No register grows without end: tariffs are never forgotten.
_MOST = 5_000


def _registered(core: Core, tariff_id: str) -> Registered:
    """The version that is named; of a tariff that which holds now, else the newest."""
    register = core.kept.get(tariffs.TARIFF, {})
    one = assignment.pinned(register, tariff_id)
    if one is not None:
        return one
    known = assignment.versions(register, tariff_id)
    if not known:
        raise NotFound(f"there is no tariff {tariff_id}", "see `cms tariffs list`")
    held = assignment.version_at(register, tariff_id, core.clock.now())
    return register[held] if held is not None else known[-1]


def _view(core: Core, name: str, uses: Mapping[str, list[str]]) -> TariffView:
    """``name``: a tariff, or a version of one; ``uses`` as of ``assigning.uses_now``."""
    entry, now = _registered(core, name), core.clock.now()
    register = core.kept.get(tariffs.TARIFF, {})
    places = uses.get(name, [])
    tariff = entry.tariff
    return TariffView(
        id=name,
        currency=tariff.currency,
        summary=tariffs.summary(tariff),
        time_zone=tariff.time_zone,
        default=tariffs.DEFAULT in places,
        stations=assigning.stations_among(core, places),
        tokens=assigning.tokens_among(core, places),
        added_at=entry.added_at,
        tariff=tariff,
        version=entry.version,
        versions=len(assignment.versions(register, entry.name)),
        holds=assignment.version_at(register, entry.name, now) == tariff.id,
        valid_from=entry.begins,
        valid_to=tariff.valid_to,
        places=assigning.other_places(core, places),
    )


async def list_(core: Core, request: ListTariffs, actor: Actor) -> list[TariffView]:
    """A row for each tariff, with the version that holds now."""
    chosen = parse(request.filter or "", keys_of(TariffView))
    uses = assigning.uses_now(core)
    register: Mapping[str, Registered] = core.kept.get(tariffs.TARIFF, {})
    names = sorted(name for name, entry in register.items() if entry.version == 1)
    return [view for view in (_view(core, name, uses) for name in names) if chosen(view)]


async def show(core: Core, request: ShowTariff, actor: Actor) -> TariffView:
    return _view(core, request.tariff, assigning.uses_now(core))


async def versions(core: Core, request: ListTariffVersions, actor: Actor) -> list[TariffVersionView]:
    register, now = core.kept.get(tariffs.TARIFF, {}), core.clock.now()
    family = _registered(core, request.tariff).name
    known = assignment.versions(register, family)
    held = assignment.version_at(register, family, now)
    return [
        TariffVersionView(
            id=entry.tariff.id,
            version=entry.version,
            holds=entry.tariff.id == held,
            valid_from=entry.begins,
            valid_to=entry.tariff.valid_to,
            added_at=entry.added_at,
            summary=tariffs.summary(entry.tariff),
            changes=()
            if before is None
            else tuple(map(tariffdiff.words, tariffdiff.changes(before.tariff, entry.tariff))),
        )
        for before, entry in zip((None, *known), known, strict=False)
    ]


async def diff(core: Core, request: DiffTariffs, actor: Actor) -> list[TariffChange]:
    before, after = _registered(core, request.before), _registered(core, request.tariff)
    return list(tariffdiff.changes(before.tariff, after.tariff))


async def export(core: Core, request: ExportTariff, actor: Actor) -> TariffFile:
    entry = _registered(core, request.tariff)
    own = organisations.own(core.kept)
    party = own.party if own is not None and own.party is not None else None
    if party is None and request.format.startswith("ocpi"):
        raise Conflict(
            "OCPI wants to know whose the tariff is, and this organisation has no party",
            "cms organisations set ORGANISATION --party 'DE*ABC'",
        )
    # Asked for by its name it is written under it: changed, it is the next version.
    tariff = evolve(entry.tariff, id=entry.name) if request.tariff == entry.name else entry.tariff
    text = tarifffiles.write(tariff, request.format, party or "", entry.added_at)
    return TariffFile(tariff.id, request.format, text)


async def read(core: Core, text: str, id: str | None = None) -> Tariff:
    """The tariff that a file describes, fit to price sessions."""
    return await core.aside(partial(tarifffiles.read, text, id))


async def meant(core: Core, name: str | None, text: str | None) -> Tariff:
    """A registered tariff by its name, or one in the text of a file."""
    if (name is None) == (text is None):
        raise Invalid("a tariff is named, or given as the text of a file: one of them")
    return _registered(core, name).tariff if name is not None else await read(core, text or "")


async def lint(core: Core, request: LintTariff, actor: Actor) -> list[Finding]:
    """What is odd about a registered tariff, or one in a file."""
    tariff = await meant(core, request.tariff, request.text)
    return list(await core.aside(partial(tarifflint.lint, tariff, _currencies(core, tariff.id))))


def _currencies(core: Core, but: str) -> list[str]:
    """Those of the other tariffs in use; before any is, the organisation's."""
    register: Mapping[str, Registered] = core.kept.get(tariffs.TARIFF, {})
    used = [register[name].tariff for name in assigning.uses_now(core) if name in register]
    others = [tariff.currency for tariff in used if tariff.id != but]
    own = organisations.own(core.kept)
    return others or ([own.currency] if own is not None else [])


async def add(core: Core, request: AddTariff, actor: Actor) -> TariffView:
    """A version's content never changes under its id: stations and bills name it (2.1 I08.FR.08)."""
    tariff = await _said(core, request)
    tariffs.check(tariff)
    for at in (tariff.valid_from, tariff.valid_to):
        if at is not None:
            holding.instant(at)
    if tariff.valid_from and tariff.valid_to and tariff.valid_to <= tariff.valid_from:
        raise Invalid(f"{tariff.id} would end before it begins")
    async with core.books:
        entry = _placed(core, tariff, request.revise)
        if entry.tariff.id not in core.kept.get(tariffs.TARIFF, {}):
            if len(core.kept.get(tariffs.TARIFF, {})) >= _MOST:
                raise Conflict(f"there are {_MOST} tariffs already")
            data = {"tariff": entry.tariff.id, "summary": tariffs.summary(entry.tariff)}
            told = Happened("tariff.added", entry.added_at, actor=actor.name, data=data)
            await keep(core, tariffs.TARIFF, entry.tariff.id, entry, told)
    return _view(core, entry.tariff.id, assigning.uses_now(core))


async def _said(core: Core, request: AddTariff) -> Tariff:
    if (request.tariff is None) == (request.text is None):
        raise Invalid("a tariff is given as its prices, or as the text of a file: one of them")
    if request.text is not None:
        return await read(core, request.text, request.id)
    assert request.tariff is not None
    return request.tariff if request.id is None else evolve(request.tariff, id=request.id)


def _placed(core: Core, tariff: Tariff, revise: bool) -> Registered:
    """The version that this content is: one that is there, or the next one. ``core.books`` is held."""
    register: Mapping[str, Registered] = core.kept.get(tariffs.TARIFF, {})
    now = core.clock.now()
    known = assignment.versions(register, tariff.id)
    if not known:
        one = assignment.pinned(register, tariff.id)
        if one is not None and one.tariff != tariff:
            raise Conflict(
                f"{tariff.id} is a version of {one.name}, and its content never changes",
                f"call it {one.name} and say --revise",
            )
        return one or Registered(tariff, now)
    same = next(
        (entry for entry in reversed(known) if evolve(tariff, id=entry.tariff.id) == entry.tariff), None
    )
    if same is not None and (not revise or same is known[-1]):
        return same
    if not revise:
        raise Conflict(
            f"tariff {tariff.id} has other prices already: its content never changes",
            "make it the next version with --revise, or give the new prices another id",
        )
    number = known[-1].version + 1
    while assignment.version_id(tariff.id, number) in register:
        number += 1
    revised = evolve(tariff, id=assignment.version_id(tariff.id, number))
    tariffs.check(revised)
    return Registered(revised, now, tariff.id, number)


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
