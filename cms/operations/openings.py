"""The account that a session begins with: its tariff, its limit, who pays; found again where it is a bill already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from cms.contract.payments import Limit
from cms.contract.tariffs import Tariff
from cms.core import Core
from cms.domain import accounts, adhoc, costs, payments, sites, tariffs
from cms.domain.accounts import Account
from cms.domain.balances import Balance
from cms.domain.changes import Change, OpenSession
from cms.domain.evolve import evolve
from cms.domain.observations import TransactionReported
from cms.domain.sessions import Session
from cms.domain.stands import stand_of
from cms.domain.stations import StationState
from cms.domain.tokens import Authorization
from cms.operations import holding
from cms.operations.abilities import Abilities, abilities
from cms.operations.access_limits import budgeted, left_for
from cms.operations.credits import available, balance_of

#: Where a limit given with a remote start is looked for when its order is over already.
_STARTS = 50


class Book(Mapping[str, Tariff]):
    """All tariffs by id, looked up one by one: there may be thousands, and a message needs one."""

    __slots__ = ("_registered",)

    def __init__(self, registered: Mapping[str, tariffs.Registered]) -> None:
        self._registered = registered

    def __getitem__(self, tariff_id: str) -> Tariff:
        return self._registered[tariff_id].tariff

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)


def known_tariffs(core: Core) -> Book:
    return Book(core.kept.get(tariffs.TARIFF, {}))


async def found_or_opened(
    core: Core,
    state: StationState,
    session: Session,
    before: Session | None,
    report: TransactionReported | None,
    change: Change,
) -> Account | None:
    """Its account: of a session that is over, from the record; a new one where something is to be counted."""
    opened = isinstance(change, OpenSession)
    if before is None and not opened:
        bill = await core.store.bill(session.id)
        return None if bill is None else evolve(bill, late=True)
    own_costs = report is not None and report.more is not None and report.more.costs is not None
    identified = before is not None and before.token is None and session.token is not None
    if not (opened or identified or own_costs):
        return None
    timeline = _timeline(core, state, session)
    limit = await _given_limit(core, state, session)
    prepaid, remarks = _prepaid(core, session, timeline)
    paid = adhoc.known(core.kept, session.token, session.station)
    accepted = session.authorization == Authorization.ACCEPTED
    terminal = session.token_kind == payments.DIRECT and accepted
    direct = session.token if paid is not None or terminal else None
    if paid is not None and limit is None:
        limit = Limit(max_cost=paid.amount)
    first = known_tariffs(core).get(timeline[0][1]) if timeline else None
    left = left_for(core, state, session, first.currency if first else None)
    if not (timeline or accounts.given(limit) or prepaid or direct or own_costs or left):
        return None
    can = await abilities(core, state.station.id)
    kind = can.kinds.get(session.evse or 0)
    stand = stand_of(core.kept.get(sites.KIND, {}), state, session.evse)
    begun = costs.begin(session.started_at, first, kind, stand.zone)
    account = accounts.opened(session, timeline, begun)
    account = evolve(
        account,
        running=can.costs,
        texts=can.texts,
        told_text=account.tariff,
        late=not opened,
        psp_ref=direct,
        prepaid=prepaid.account if prepaid else None,
        remarks=remarks,
        stand=stand,
    )
    return budgeted(_limited(core, state, account, session, limit, prepaid, can), left, can)


def _timeline(core: Core, state: StationState, session: Session) -> tuple[tuple[datetime, str], ...]:
    held = holding.of_session(core, state, session)
    return () if held is None else ((session.started_at, held),)


async def owned(core: Core, state: StationState, account: Account, session: Session) -> Account:
    """Somebody identified after the start (E02): the prices and the balance are theirs from the beginning."""
    timeline = _timeline(core, state, session)
    if timeline and account.timeline and timeline[0][1] != account.timeline[0][1]:
        account = evolve(account, timeline=timeline, late=True, total=None, told_text=timeline[0][1])
    prepaid, remarks = _prepaid(core, session, account.timeline)
    account = evolve(account, remarks=(*account.remarks, *remarks))
    if prepaid is None:
        return account
    can = await abilities(core, state.station.id)
    account = evolve(account, prepaid=prepaid.account)
    return _limited(core, state, account, session, account.limit, prepaid, can)


def _prepaid(
    core: Core, session: Session, timeline: tuple[tuple[datetime, str], ...]
) -> tuple[Balance | None, tuple[str, ...]]:
    """The balance that pays for the session, or a remark why the one there is cannot."""
    if session.token is None or session.authorization != Authorization.ACCEPTED:
        return None, ()
    balance = balance_of(core, session.token)
    tariff = known_tariffs(core).get(timeline[-1][1]) if timeline else None
    if balance is not None and tariff is not None and balance.currency != tariff.currency:
        whose = balance.driver or balance.token
        return None, (f"the balance of {whose} is in {balance.currency}, the price in {tariff.currency}",)
    return balance, ()


def _limited(
    core: Core,
    state: StationState,
    account: Account,
    session: Session,
    limit: Limit | None,
    prepaid: Balance | None,
    can: Abilities,
) -> Account:
    """With its limit: what was given with the start, and no more than a prepaid token has (C17.FR.03)."""
    if prepaid is not None:
        left = max(available(core, prepaid, but=(session.id,)), Decimal(0))
        most = limit.max_cost if limit is not None and limit.max_cost is not None else left
        limit = evolve(limit or Limit(), max_cost=min(most, left))
        # Held from now on, not from the commit: another session of the same driver may begin this very moment.
        core.prepaid.reserve(session.id, prepaid.account, min(most, left), core.clock.now())
    if limit is None or not accounts.given(limit):
        return account
    kinds = can.limits if session.ocpp_version == "2.1" else ()
    theirs, ours = accounts.divided(limit, kinds)
    return evolve(
        account,
        limit=limit,
        unsaid=theirs if accounts.given(theirs) else None,
        central=ours if accounts.given(ours) else None,
        # E16.FR.11: who keeps a limit on the cost must hear of the cost.
        running=account.running or limit.max_cost is not None,
    )


async def _given_limit(core: Core, state: StationState, session: Session) -> Limit | None:
    """The limit of the remote start that this session comes of (F07)."""
    wanted = session.remote_start_id
    if wanted is None:
        return None
    order = _start_of(state.intents.values(), wanted)
    if order is None:
        order = _start_of(await core.store.intents(state.station.id, None, _STARTS), wanted)
    given = order.params.get("limit") if order is not None else None
    return msgspec.convert(given, Limit, strict=False) if given else None


def _start_of(orders: Iterable[Any], remote_start_id: int) -> Any:
    """The order to start with this id, among intents or views of them."""
    starts = (order for order in orders if order.order == "start")
    return next((order for order in starts if order.params.get("remote_start_id") == remote_start_id), None)
