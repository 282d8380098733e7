"""Charge detail records as people see them: lists, one in full, held and disputed ones, corrections by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.contract.cdrs import (
    CdrDetail,
    CdrMarkView,
    CdrView,
    CorrectCdr,
    DisputeCdr,
    ListCdrs,
    ReleaseCdr,
    ResolveDispute,
    RevisionView,
    ShowCdr,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Clash, Core
from cms.domain import cdrs, corrections, ledger
from cms.domain.cdrs import DISPUTED, HELD, RELEASED, RESOLVED, AddCdrMark, Cdr, CdrMark
from cms.domain.changes import Change, Happened, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.ledger import Enter, Entry
from cms.operations.collecting import of_cdr
from cms.operations.rating import Written, written

MAX_LIST = 100_000
#: Where nobody says since when, and more is asked than the latest.
LATELY = timedelta(days=92)
STATUSES = (cdrs.OPEN, cdrs.INVOICED, cdrs.HELD, cdrs.DISPUTED)
_LONGEST_REASON = 500


async def list_(core: Core, request: ListCdrs, actor: Actor) -> list[CdrView]:
    check_limit(request.limit)
    if request.status is not None and request.status not in STATUSES:
        raise Invalid(f"status must be one of {', '.join(STATUSES)}, not {request.status!r}")
    chosen = parse(request.filter or "", keys_of(CdrView))
    found = await _found(core, request)
    views = [view for view in await _views(core, found, request.since) if _asked(request, view)]
    return [view for view in views if chosen(view)][: request.limit]


async def _found(core: Core, request: ListCdrs) -> list[Cdr]:
    """What the record has of it. Those that wait for a person are few, however old; of all others what is looked
    through is bounded."""
    accounting, since, until = core.store.accounting, aware(request.since), aware(request.until)
    waiting = {HELD: accounting.held, DISPUTED: accounting.disputed}.get(request.status or "")
    if waiting is not None:
        latest = [(await accounting.revisions(session))[-1] for session in await waiting()]
        chosen = [cdr for cdr in latest if _between(cdr.ended_at, since, until)]
        own = [cdr for cdr in chosen if not request.station or _same(cdr.station, request.station)]
        return sorted(own, key=lambda cdr: cdr.ended_at, reverse=True)
    narrowed = any((request.site, request.driver, request.status, request.filter))
    if narrowed and since is None:
        since = (until or core.clock.now()) - LATELY
    most = MAX_LIST if narrowed else request.limit
    return await accounting.cdrs(since=since, until=until, station=request.station, limit=most)


def _between(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)


def _same(station: str, other: str) -> bool:
    return station.casefold() == other.casefold()


def _asked(request: ListCdrs, view: CdrView) -> bool:
    return (
        request.site in (None, view.site)
        and request.driver in (None, view.driver)
        and request.status in (None, view.status)
    )


async def _views(core: Core, found: Sequence[Cdr], since: datetime | None) -> list[CdrView]:
    marks = by_session(await core.store.accounting.cdr_marks(since=since))
    invoices = await core.store.accounting.billed_by([cdr.ref for cdr in found])
    return [view(cdr, marks.get(cdr.session, ()), invoices.get(cdr.ref)) for cdr in found]


def by_session(marks: Iterable[CdrMark]) -> dict[str, list[CdrMark]]:
    """Marks of each session, oldest first."""
    found: dict[str, list[CdrMark]] = {}
    for mark in marks:
        found.setdefault(mark.session, []).append(mark)
    return found


def view(cdr: Cdr, marks: Sequence[CdrMark], invoice: str | None) -> CdrView:
    """A record as clients see it."""
    return CdrView(
        id=cdr.id,
        session=cdr.session,
        revision=cdr.revision,
        status=cdrs.status(cdr, marks, invoice is not None),
        station=cdr.station,
        evse=cdr.evse,
        evse_id=cdr.evse_id,
        site=cdr.site,
        token=cdr.token,
        driver=cdr.payer.driver,
        way=cdr.payer.way,
        account=cdr.payer.account,
        started_at=cdr.started_at,
        ended_at=cdr.ended_at,
        energy_wh=cdr.energy_wh,
        charging_s=cdr.charging_s,
        idle_s=cdr.idle_s,
        currency=cdr.bill.currency,
        net=cdr.bill.net,
        vat=cdr.bill.gross - cdr.bill.net,
        gross=cdr.bill.gross,
        kind=cdr.bill.kind,
        source=cdr.source,
        signature=cdr.signature,
        tariffs=cdr.tariffs,
        holds=cdr.holds,
        remarks=cdr.remarks,
        psp_ref=cdr.psp_ref,
        rated_at=cdr.rated_at,
        reason=cdr.reason,
        actor=cdr.actor,
        invoice=invoice,
    )


async def show(core: Core, request: ShowCdr, actor: Actor) -> CdrDetail:
    known = await revisions_of(core, request.session)
    cdr = next((each for each in known if each.revision == (request.revision or known[-1].revision)), None)
    if cdr is None:
        raise NotFound(
            f"the bill of session {request.session} has no revision {request.revision}",
            f"it has {len(known)}: cms bills show {request.session}",
        )
    return await _detail(core, cdr, known)


async def _detail(core: Core, cdr: Cdr, known: Sequence[Cdr]) -> CdrDetail:
    marks = await core.store.accounting.cdr_marks(cdr.session)
    invoices = await core.store.accounting.billed_by([each.ref for each in known])
    return CdrDetail(
        cdr=view(cdr, marks, invoices.get(cdr.ref)),
        time_zone=cdr.time_zone,
        meter_start_wh=cdr.meter_start_wh,
        meter_stop_wh=cdr.meter_stop_wh,
        signed_start_wh=cdr.signed_start_wh,
        signed_stop_wh=cdr.signed_stop_wh,
        lines=cdr.bill.lines,
        vat=cdr.bill.vat,
        revisions=tuple(_revision(each, invoices) for each in known),
        marks=tuple(CdrMarkView(m.what, m.revision, m.at, m.reason, m.actor) for m in marks),
    )


def _revision(cdr: Cdr, invoices: Mapping[str, str]) -> RevisionView:
    return RevisionView(
        cdr.revision,
        cdr.rated_at,
        cdr.reason,
        cdr.actor,
        cdr.bill.gross,
        cdr.holds,
        invoices.get(cdr.ref),
    )


async def revisions_of(core: Core, session_id: str) -> list[Cdr]:
    """All revisions of a session's record; NotFound where it has none."""
    known = await core.store.accounting.revisions(session_id)
    if not known:
        raise NotFound(
            f"there is no bill of session {session_id}",
            "one that has no price is among `cms bills unpriced`",
        )
    return known


async def release(core: Core, request: ReleaseCdr, actor: Actor) -> CdrDetail:
    """What it owes is entered now, in the commit that releases it; so is what his card is charged."""
    known = await revisions_of(core, request.session)
    marks = await core.store.accounting.cdr_marks(request.session)
    latest = known[-1]
    if cdrs.in_force(latest, marks):
        raise Conflict(f"the bill of session {request.session} is not held")
    mark = _mark(core, latest, f"{RELEASED}/{latest.revision}", RELEASED, request.reason, actor)
    before = cdrs.entered(known[:-1], marks)
    changes: list[Change] = [AddCdrMark(mark), *ledger.of_cdr(latest, before)]
    if before is None:
        changes += of_cdr(core, evolve(latest, holds=()))
    told = await _committed(core, known, changes, mark)
    if latest.psp_ref is not None:
        core.collect.set()  # an ad hoc payment waits for this
    return told


async def dispute(core: Core, request: DisputeCdr, actor: Actor) -> CdrDetail:
    """What is owed is owed in dispute: it stays ours to ask for, and nobody is asked."""
    known = await revisions_of(core, request.session)
    marks = await core.store.accounting.cdr_marks(request.session)
    latest = cdrs.entered(known, marks)
    if latest is None:
        raise Conflict(f"the bill of session {request.session} is held: nobody owes it yet")
    if cdrs.disputed(marks):
        raise Conflict(f"the bill of session {request.session} is disputed already")
    number = sum(mark.what == DISPUTED for mark in marks) + 1
    mark = _mark(core, latest, f"{DISPUTED}/{number}", DISPUTED, request.reason, actor)
    coins = ledger.minor(latest.gross, latest.bill.currency)
    changes: list[Change] = [AddCdrMark(mark)]
    if coins:
        changes.append(_disputed(latest, mark, coins, back=False))
    return await _committed(core, known, changes, mark)


async def resolve(core: Core, request: ResolveDispute, actor: Actor) -> CdrDetail:
    """What was put aside is owed again; what it changes by is a revision in the same commit."""
    station = (await revisions_of(core, request.session))[0].station
    async with turn(core, station):
        return await _resolved(core, request, actor)


async def _resolved(core: Core, request: ResolveDispute, actor: Actor) -> CdrDetail:
    known = await revisions_of(core, request.session)
    marks = await core.store.accounting.cdr_marks(request.session)
    if not cdrs.disputed(marks):
        raise Conflict(f"the bill of session {request.session} is not disputed")
    number = sum(mark.what == DISPUTED for mark in marks)
    mark = _mark(core, known[-1], f"{RESOLVED}/{number}", RESOLVED, request.reason, actor)
    changes: list[Change] = [AddCdrMark(mark)]
    for entry in await core.store.accounting.entries(ref=f"dispute/{request.session}/{number}"):
        changes.append(_disputed(known[-1], mark, entry.amount, back=True))
    told: list[Happened] = []
    if request.amount is not None:
        rated, told = _corrected(core, known, marks, request.amount, None, mark.reason, actor)
        changes += [*rated, *await _repriced(core, rated)]
    return await _committed(core, known, changes, mark, told)


def _disputed(cdr: Cdr, mark: CdrMark, coins: int, *, back: bool) -> Enter:
    """From who owes it to what is disputed, and back."""
    number = mark.key.rpartition("/")[2]
    debit, credit = (cdr.payer.account, ledger.DISPUTED) if back else (ledger.DISPUTED, cdr.payer.account)
    return Enter(
        Entry(
            key=f"dispute/{cdr.session}/{mark.key}",
            at=mark.at,
            debit=debit,
            credit=credit,
            amount=coins,
            currency=cdr.bill.currency,
            kind=mark.what,
            ref=f"dispute/{cdr.session}/{number}",
            reason=mark.reason,
            actor=mark.actor,
        )
    )


async def correct(core: Core, request: CorrectCdr, actor: Actor) -> CdrDetail:
    """A line more, as a revision: what the ledger moves is the difference."""
    station = (await revisions_of(core, request.session))[0].station
    async with turn(core, station):
        known = await revisions_of(core, request.session)
        marks = await core.store.accounting.cdr_marks(request.session)
        reason = said(request.reason)
        changes, told = _corrected(core, known, marks, request.amount, request.vat_percent, reason, actor)
        return await _committed(core, known, [*changes, *await _repriced(core, changes)], None, told)


def turn(core: Core, station: str) -> AbstractAsyncContextManager[Any]:
    """What a station says of its sessions meanwhile waits; nobody speaks for one that was removed."""
    lane = core.lanes.get(station.casefold())
    return lane.lock if lane is not None else core.books


def _corrected(
    core: Core,
    known: Sequence[Cdr],
    marks: Sequence[CdrMark],
    amount: Decimal,
    vat_percent: Decimal | None,
    reason: str,
    actor: Actor,
) -> Written:
    latest = known[-1]
    bill = latest.bill
    percent = corrections.rate_of(bill) if vat_percent is None else vat_percent
    if percent is None:
        rates = ", ".join(f"{part.percent.normalize():f}" for part in bill.vat) or "none"
        raise Invalid("whose rate of tax does the correction have?", f"give --vat, the bill has {rates} %")
    if not 0 <= percent <= 100:
        raise Invalid(f"a rate of tax is between 0 and 100 %, not {percent}")
    _check_amount(amount, bill.currency)
    after = corrections.with_lines(bill, [corrections.line(amount, percent, bill.currency)])
    if after.gross < 0:
        raise Invalid(f"the bill would be {after.gross} {bill.currency}", f"it is {bill.gross} now")
    record = evolve(
        latest,
        revision=latest.revision + 1,
        reason=reason,
        rated_at=core.clock.now(),
        bill=after,
        actor=actor.name,
        holds=() if cdrs.in_force(latest, marks) else latest.holds,
    )
    return written(record, cdrs.entered(known, marks))


def _check_amount(amount: Decimal, currency: str) -> None:
    if not amount.is_finite() or amount == 0 or abs(amount) >= 10**9:
        raise Invalid(f"{amount} is no amount that a bill changes by")
    try:
        ledger.minor(amount, currency)
    except ValueError as error:
        raise Invalid(str(error)) from None


async def _repriced(core: Core, rated: Sequence[Change]) -> list[Change]:
    """The session with what it costs now."""
    record = next(change.cdr for change in rated if isinstance(change, cdrs.AddCdr))
    session = await core.store.session(record.session)
    return [] if session is None else [UpdateSession(evolve(session, cost=record.gross))]


def _mark(core: Core, cdr: Cdr, key: str, what: str, reason: str, actor: Actor) -> CdrMark:
    return CdrMark(cdr.session, key, what, cdr.revision, core.clock.now(), said(reason), actor.name)


def said(reason: str) -> str:
    """A reason that somebody gave: there must be one."""
    text = reason.strip()
    if not text or len(text) > _LONGEST_REASON:
        raise Invalid(f"give a reason of at most {_LONGEST_REASON} characters", "--reason 'why'")
    return text


async def _committed(
    core: Core,
    known: Sequence[Cdr],
    changes: Sequence[Change],
    mark: CdrMark | None,
    told: Sequence[Happened] = (),
) -> CdrDetail:
    """All of it in one commit; somebody who was faster is a Conflict."""
    events = list(told)
    latest = known[-1]
    if mark is not None:
        data = {"cdr": latest.id, "what": mark.what}
        events.append(Happened("cdr.marked", mark.at, latest.station, latest.session, mark.actor, data))
    try:
        await core.store.commit(tuple(changes), tuple(events))
    except Clash:
        raise Conflict(
            f"the bill of session {latest.session} was changed meanwhile",
            f"look again: cms bills show {latest.session}",
        ) from None
    now = await core.store.accounting.revisions(latest.session)
    return await _detail(core, now[-1], now)


def check_limit(limit: int) -> None:
    if not 0 < limit <= MAX_LIST:
        raise Invalid(f"limit must be between 1 and {MAX_LIST}, not {limit}")


def aware(at: datetime | None) -> datetime | None:
    """An instant that a client named; it must say its offset."""
    if at is not None and at.tzinfo is None:
        raise Invalid(f"{at:%Y-%m-%dT%H:%M:%S} says no offset", "e.g. 2026-05-01T12:00:00Z")
    return at
