"""The audit log: read, and verified."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from functools import partial

import msgspec

from cms.contract.audit import AuditVerdict, AuditView, ListAudit, VerifyAudit
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain.audit import Head, Sealed, Unreadable, Wanted, first_wrong, pseudonym, sealing
from cms.domain.evolve import evolve
from cms.keys import LASTING
from cms.operations import heads
from cms.operations.intents import check_limit

_AT_ONCE = 1000
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})", re.ASCII)
_HINT = "somebody has changed the database: compare it with a backup"


async def list_(core: Core, request: ListAudit, actor: Actor) -> list[AuditView]:
    check_limit(request.limit)
    for name in ("after", "before"):
        if not 0 <= (getattr(request, name) or 0) < 2**63:
            raise Invalid(f"{name} is the number of a row, not {getattr(request, name)}")
    targets: tuple[str, ...] = ()
    if request.target:
        naming = core.keys.key("audit names", LASTING)
        names = (pseudonym(naming, request.target, secret=secret) for secret in (False, True))
        targets = (request.target, *names)
    wanted = Wanted(
        after=request.after,
        before=request.before,
        actor=request.actor,
        operation=request.operation,
        targets=targets,
        result=request.result,
        since=_aware(request.since),
        until=_aware(request.until),
        looks=request.looks,
        limit=request.limit,
        latest=request.after is None,
    )
    try:
        rows = await core.store.audit_rows(core.organisation, wanted)
    except Unreadable:
        raise Conflict("one of these rows cannot be read", f"cms audit verify names it; {_HINT}") from None
    return [view(row) for row in rows]


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise Invalid(f"{at:%Y-%m-%dT%H:%M:%S} says no offset", "e.g. 2026-05-01T12:00:00Z")
    return at


def view(row: Sealed) -> AuditView:
    entry = row.entry
    return AuditView(
        seq=row.seq,
        at=entry.at,
        actor=entry.actor,
        via=entry.via,
        role=entry.role,
        permission=entry.permission,
        operation=entry.operation,
        target=entry.target,
        result=entry.result,
        detail=entry.detail,
        reason=entry.reason,
        request_id=entry.request_id,
        intent=entry.intent,
        request=_read(entry.request),
        before=entry.before,
        after=entry.after,
        times=entry.times,
        mac=row.mac,
    )


def _read(request: str) -> dict[str, object]:
    """The request's fields; its text where somebody has made something else of it."""
    try:
        return msgspec.json.decode(request, type=dict[str, object])
    except msgspec.MsgspecError:
        return {"text": request}


async def verify(core: Core, request: VerifyAudit, actor: Actor) -> AuditVerdict:
    """The whole chain, a page at a time and beside the loop; against every head that was told elsewhere too."""
    told = [*heads.told(core), *_given(request.head)]
    recorded = await core.store.audit_head(core.organisation)
    follow = partial(first_wrong, seal=sealing(core.keys.key("audit", LASTING)))
    reached = Head()
    agreed = 0
    while reached.seq < recorded.seq:
        rows = await _page(core, Wanted(after=reached.seq, before=recorded.seq + 1, limit=_AT_ONCE))
        before = reached.seq
        reached, wrong = await asyncio.to_thread(follow, rows, reached)
        if wrong is None and not rows:
            wrong = "is not there"
        if wrong is not None:
            raise Conflict(f"row {reached.seq + 1} of the audit log {wrong}", _HINT)
        agreed += _agreeing([head for head in told if before < head.seq <= reached.seq], rows)
    await _nothing_beyond(core, reached)
    if recorded.mac != reached.mac:
        raise Conflict(f"row {reached.seq} of the audit log is not the last one that was written", _HINT)
    for head in told:
        if head.seq > reached.seq:
            raise Conflict(
                f"row {reached.seq + 1} of the audit log is not there: it once went on to row {head.seq}",
                _HINT,
            )
    return AuditVerdict(rows=reached.seq, seq=reached.seq, mac=reached.mac, heads=agreed)


async def _nothing_beyond(core: Core, end: Head) -> None:
    """Conflict for a row after the end of the chain: whoever writes moves the end in the same transaction."""
    rows = await _page(core, Wanted(after=end.seq, limit=_AT_ONCE))
    now = await core.store.audit_head(core.organisation)
    if rows and rows[-1].seq > now.seq:
        raise Conflict(f"row {rows[-1].seq} of the audit log was not written by the daemon", _HINT)


async def _page(core: Core, wanted: Wanted) -> list[Sealed]:
    """The next rows, at least one; Conflict when the next one cannot be read."""
    while True:
        try:
            return await core.store.audit_rows(core.organisation, wanted)
        except Unreadable:
            if wanted.limit == 1:
                assert wanted.after is not None
                raise Conflict(f"row {wanted.after + 1} of the audit log cannot be read", _HINT) from None
            wanted = evolve(wanted, limit=max(1, wanted.limit // 10))


def _given(head: str | None) -> list[Head]:
    if head is None:
        return []
    match = _HEAD.fullmatch(head)
    if match is None:
        raise Invalid(f"{head!r} is no head of an audit log", "NUMBER:SEAL, as the daemon's log tells it")
    return [Head(int(match[1]), match[2])]


def _agreeing(told: list[Head], rows: list[Sealed]) -> int:
    """How many heads were among these rows; Conflict for the first that was another."""
    seals = {row.seq: row.mac for row in rows}
    for head in told:
        if seals[head.seq] != head.mac:
            raise Conflict(
                f"row {head.seq} of the audit log is not the one that was told: it was written anew", _HINT
            )
    return len(told)
