"""Charge detail records: made in the commit that ends a session, and again as a revision when more is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cms.contract.tariffs import Bill
from cms.core import Core
from cms.domain import accounts, cdrs, corrections, ledger, sites
from cms.domain.accounts import Account
from cms.domain.cdrs import AddCdr, Cdr, CdrMark
from cms.domain.changes import AddReading, Change, Happened
from cms.domain.evolve import evolve
from cms.domain.observations import Reading
from cms.domain.sessions import Session
from cms.domain.signedvalues import Verdict
from cms.domain.stands import Stand, stand_of
from cms.operations.openings import known_tariffs
from cms.operations.payers import payer
from cms.operations.signatures import verdict

Written = tuple[list[Change], list[Happened]]


async def first(core: Core, session: Session, account: Account, new: Iterable[Change]) -> Written:
    """The record of a session that ends now, with its entries in the ledger; nothing where it has no price.

    ``new`` is what the commit that ends it writes beside: the last readings are among it.
    """
    bill = accounts.bill(account, session, known_tariffs(core))
    if bill is None:
        return [], []
    signed = await verdict(core, session, _readings(new, session.id)) if account.signed else Verdict()
    return written(_record(core, session, account, bill, signed), None)


async def again(
    core: Core,
    session: Session,
    account: Account,
    reason: str,
    new: Iterable[Change] = (),
    actor: str | None = None,
) -> Written:
    """A further revision; nothing where it would say the same as the one before."""
    found = await revised(core, session, account, reason, new, actor)
    if found is None:
        return [], []
    record, known = found
    return written(record, cdrs.entered(known, await marks(core, known)))


async def revised(
    core: Core,
    session: Session,
    account: Account,
    reason: str,
    new: Iterable[Change] = (),
    actor: str | None = None,
) -> tuple[Cdr, list[Cdr]] | None:
    """The record as it would be now, and the revisions before it; None where it has no price, or nothing is new."""
    bill = accounts.bill(account, session, known_tariffs(core))
    if bill is None:
        return None
    signed = await verdict(core, session, _readings(new, session.id)) if account.signed else Verdict()
    record = _record(core, session, account, bill, signed)
    known = await core.store.accounting.revisions(session.id)
    if known:
        anew = record
        record = _following(record, known[-1], await marks(core, known), by_hand=actor is not None)
        if record.bill == known[-1].bill and _as_sure(anew, known[-1]):
            return None
    return evolve(record, reason=reason, actor=actor), known


async def marks(core: Core, known: Sequence[Cdr]) -> list[CdrMark]:
    """What was said of a session's record."""
    return await core.store.accounting.cdr_marks(known[-1].session) if known else []


def written(record: Cdr, before: Cdr | None) -> Written:
    """What writes a revision down: itself, and what it moves in the ledger, where nothing holds it.

    ``before`` is the revision that the ledger has.
    """
    changes: list[Change] = [AddCdr(record)]
    if not record.holds:
        changes += ledger.of_cdr(record, before)
    data = {
        "cdr": record.id,
        "revision": record.revision,
        "reason": record.reason,
        "total": {"amount": str(record.gross), "currency": record.bill.currency},
        "way": record.payer.way,
        "holds": list(record.holds),
    }
    told = Happened("cdr.made", record.rated_at, record.station, record.session, record.actor, data)
    return changes, [told]


def _readings(new: Iterable[Change], session_id: str) -> list[Reading]:
    return [c.reading for c in new if isinstance(c, AddReading) and c.session == session_id]


def _as_sure(record: Cdr, before: Cdr) -> bool:
    """Whether it is doubted as the one before, and signed as that one."""
    doubts, doubted = ({*one.holds} - {cdrs.CORRECTED} for one in (record, before))
    return record.signature == before.signature and doubts == doubted


def _following(record: Cdr, before: Cdr, said: Sequence[CdrMark], *, by_hand: bool) -> Cdr:
    """The next revision: where and whose it was does not change any more, and what was corrected by hand stays so."""
    bill = corrections.carried(record.bill, before.bill)
    holds = record.holds
    if by_hand and cdrs.in_force(before, said):
        holds = tuple(hold for hold in holds if hold not in before.holds)  # a person released these already
    elif not by_hand and bill != record.bill:
        holds = (*holds, cdrs.CORRECTED)
    return evolve(
        record,
        revision=before.revision + 1,
        evse_id=before.evse_id or record.evse_id,
        site=before.site,
        time_zone=before.time_zone,
        party=before.party,
        payer=before.payer,
        bill=bill,
        holds=holds,
    )


def _record(core: Core, session: Session, account: Account, bill: Bill, signed: Verdict) -> Cdr:
    """The first revision of what this session came to."""
    own = account.station_costs
    by_station = own is not None and own.failure is None
    stand = _stand(core, session, account)
    return Cdr(
        session=session.id,
        revision=1,
        reason=cdrs.ENDED,
        rated_at=core.clock.now(),
        station=session.station,
        evse=session.evse,
        connector=session.connector,
        evse_id=stand.evse_id,
        site=stand.site,
        token=session.token,
        token_kind=session.token_kind,
        payer=payer(core, session, account),
        started_at=session.started_at,
        ended_at=session.ended_at or account.progress.at,
        time_zone=stand.time_zone,
        energy_wh=session.energy_wh,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        charging_s=own.charging_s if own and by_station else round(account.progress.charging_s),
        idle_s=own.idle_s if own and by_station else round(account.progress.idle_s),
        tariffs=own.tariffs if own and by_station else tuple(tariff for _, tariff in account.timeline),
        source="station" if by_station else "central",
        bill=bill,
        psp_ref=account.psp_ref,
        signature=signed.status,
        remarks=(*account.remarks, *session.flags, *signed.remarks),
        holds=cdrs.held_by(session, signed.status, signed.differs),
        party=stand.party,
        started_by=_started_by(session),
        signed_start_wh=signed.start_wh,
        signed_stop_wh=signed.stop_wh,
    )


def _started_by(session: Session) -> str:
    if session.remote_start_id is not None:
        return "remote"
    return "offline" if session.offline else "station"


def _stand(core: Core, session: Session, account: Account) -> Stand:
    """Where it was when it began; what was not known then (the EVSE of a 2.x session) as it is now."""
    began = account.stand
    if began is not None and (began.evse_id is not None or session.evse is None):
        return began
    lane = core.lanes.get(session.station.casefold())
    now = stand_of(core.kept.get(sites.KIND, {}), lane.state if lane else None, session.evse)
    return now if began is None else evolve(began, evse_id=now.evse_id)
