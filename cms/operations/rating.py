"""Charge detail records: made in the commit that ends a session, and again as a revision when more is known."""

from __future__ import annotations

from cms.core import Core
from cms.domain import accounts, cdrs, evses, ledger, sites
from cms.domain.accounts import Account
from cms.domain.cdrs import AddCdr, Cdr
from cms.domain.changes import Change, Happened
from cms.domain.evses import Evse
from cms.domain.sessions import Session
from cms.operations.openings import known_tariffs
from cms.operations.payers import payer


def first(core: Core, session: Session, account: Account) -> tuple[list[Change], list[Happened]]:
    """The record of a session that ends now, with its entries in the ledger; nothing where it has no price."""
    record = _record(core, session, account, 1, cdrs.ENDED)
    return ([], []) if record is None else written(record, None)


async def again(
    core: Core, session: Session, account: Account, reason: str, actor: str | None = None
) -> tuple[list[Change], list[Happened]]:
    """A further revision; nothing where it would say the same as the one before."""
    known = await core.store.accounting.revisions(session.id)
    before = known[-1] if known else None
    record = _record(core, session, account, before.revision + 1 if before else 1, reason, actor)
    if record is None or (before is not None and record.bill == before.bill):
        return [], []
    return written(record, before)


def written(record: Cdr, before: Cdr | None) -> tuple[list[Change], list[Happened]]:
    """What writes a revision down: itself, and what it moves in the ledger."""
    changes: list[Change] = [AddCdr(record), *ledger.of_cdr(record, before)]
    data = {
        "cdr": record.id,
        "revision": record.revision,
        "reason": record.reason,
        "total": {"amount": str(record.gross), "currency": record.bill.currency},
        "way": record.payer.way,
    }
    told = Happened("cdr.made", record.rated_at, record.station, record.session, record.actor, data)
    return changes, [told]


def _record(
    core: Core, session: Session, account: Account, revision: int, reason: str, actor: str | None = None
) -> Cdr | None:
    known = known_tariffs(core)
    bill = accounts.bill(account, session, known)
    if bill is None:
        return None
    state = core.lane(session.station).state
    evse: Evse | None = state.kept_of(evses.KIND).get(evses.number(session.evse or 0))
    site = sites.of(core.kept.get(sites.KIND, {}), state.station.site)
    own = account.station_costs
    by_station = own is not None and own.failure is None
    return Cdr(
        session=session.id,
        revision=revision,
        reason=reason,
        rated_at=core.clock.now(),
        station=session.station,
        evse=session.evse,
        connector=session.connector,
        evse_id=evse.id if evse is not None else None,
        site=site.id if site is not None else None,
        token=session.token,
        token_kind=session.token_kind,
        payer=payer(core, session, account),
        started_at=session.started_at,
        ended_at=session.ended_at or account.progress.at,
        time_zone=site.time_zone if site is not None else "UTC",
        energy_wh=session.energy_wh,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        charging_s=own.charging_s if own and by_station else round(account.progress.charging_s),
        idle_s=own.idle_s if own and by_station else round(account.progress.idle_s),
        tariffs=own.tariffs if own and by_station else tuple(tariff for _, tariff in account.timeline),
        source="station" if by_station else "central",
        bill=bill,
        psp_ref=account.psp_ref,
        remarks=(*account.remarks, *session.flags),
        actor=actor,
    )
