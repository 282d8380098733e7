"""Four eyes: a request is kept, somebody else agrees, then it is done once in the name of the asker."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec

from cms.contract.approvals import ApprovalView, Approve, ListApprovals, Reject, ShowApproval
from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView
from cms.contract.refusals import Conflict, Denied, NotFound, Refusal
from cms.core import Actor, Core
from cms.domain import approvals, organisations
from cms.domain.approvals import APPROVED, EXPIRED, KEPT, KIND, REJECTED, WAITING, Approval, status_at
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.masking import masked
from cms.operations.auditing import Row, carried_out
from cms.operations.deciding import keep
from cms.operations.secrecy import without_credentials


class Doable(Protocol):
    """A row of the table of operations, as far as it is needed here."""

    @property
    def function(self) -> Callable[[Core, Any, Actor], Awaitable[Any]]: ...

    @property
    def permission(self) -> str: ...

    @property
    def two(self) -> bool: ...

    @property
    def while_suspended(self) -> bool: ...


def check_served(core: Core, operation: Doable) -> None:
    """Nothing is ordered or changed in an organisation that is suspended; looking goes on."""
    # The platform's own register holds all organisations, and is none.
    if core.organisation and not operation.while_suspended and organisations.suspended(core.kept):
        raise Conflict(
            f"organisation {core.organisation} is suspended: its record can be read, not changed",
            f"whoever runs the platform: cms organisations resume {core.organisation}",
        )


def needs_two(core: Core, request: Any, actor: Actor, operation: Doable) -> bool:
    """Whether somebody else must agree: always for what he may only propose, else where the organisation wants it."""
    if getattr(request, "dry_run", False):
        return False
    if operation.permission in actor.proposes:
        return True
    return operation.two and wants_two(core)


def wants_two(core: Core) -> bool:
    """Whether this organisation wants two people for what is grave."""
    wanted = core.terms.four_eyes
    return "*" in wanted or core.organisation in wanted


async def hold(core: Core, request: Any, actor: Actor, operation: Doable) -> None:
    """Keep the request until somebody else agrees. Always raises Conflict, which names the approval."""
    now = core.clock.now()
    plain = msgspec.to_builtins(request)
    id_ = core.mint.id(now)
    sealed = core.keys.seal(KIND, id_, "sealed", msgspec.json.encode(request))
    approval = Approval(
        id=id_,
        operation=type(request).__name__,
        permission=operation.permission,
        shown=without_credentials(
            masked({name: value for name, value in plain.items() if value is not None})
        ),
        sealed=b64encode(sealed).decode(),
        asked_by=actor.name,
        asker=actor.key,
        persons=tuple(sorted(actor.persons)),
        via=actor.via,
        asked_at=now,
        expires_at=now + approvals.LASTS,
        reason=getattr(request, "reason", None),
    )
    async with core.books:
        await _forget_old(core, now)
        await keep(core, KIND, id_, approval, _told(approval, now, actor))
    raise Conflict(
        f"{approval.operation} needs a second person: it waits as approval {id_} until"
        f" {approval.expires_at:%Y-%m-%d %H:%M} UTC",
        f"somebody else: cms approvals approve {id_}",
    )


async def _forget_old(core: Core, now: datetime) -> None:
    for approval in list(core.kept.get(KIND, {}).values()):
        if now - approval.asked_at > KEPT:
            await keep(core, KIND, approval.id, None)


def _told(approval: Approval, now: datetime, actor: Actor) -> Happened:
    data = {"id": approval.id, "operation": approval.operation, "status": approval.status}
    return Happened("approval.changed", now, actor=actor.name, data=data)


def _view(approval: Approval, now: datetime) -> ApprovalView:
    return ApprovalView(
        id=approval.id,
        operation=approval.operation,
        status=status_at(approval, now),
        asked_by=approval.asked_by,
        asked_at=approval.asked_at,
        expires_at=approval.expires_at,
        reason=approval.reason,
        decided_by=approval.decided_by,
        decided_at=approval.decided_at,
        detail=approval.detail,
        request=approval.shown,
    )


async def list_(core: Core, request: ListApprovals, actor: Actor) -> list[ApprovalView]:
    chosen = parse(request.filter or "", keys_of(ApprovalView))
    now = core.clock.now()
    views = (_view(approval, now) for approval in core.kept.get(KIND, {}).values())
    return [view for view in views if (request.all or view.status == WAITING) and chosen(view)]


async def show(core: Core, request: ShowApproval, actor: Actor) -> ApprovalView:
    return _view(_find(core, request.id), core.clock.now())


def _find(core: Core, id_: str) -> Approval:
    found: Approval | None = core.kept.get(KIND, {}).get(id_)
    if found is None:
        raise NotFound(f"there is no approval {id_}", "see `cms approvals list`")
    return found


async def approve(core: Core, request: Approve, actor: Actor) -> ApprovalView:
    """Agree, and do it now, once. A refusal of what is done is raised, and told in the approval."""
    from cms.operations import OPERATIONS  # the table names this module

    kinds = {kind.__name__: kind for kind in OPERATIONS}
    async with core.books:
        approval = _decidable(core, request.id, actor)
        kind = kinds[approval.operation]
        operation = OPERATIONS[kind]
        check_served(core, operation)
        if operation.permission not in actor.permissions:
            raise Denied(
                f"{actor.name} ({actor.role}) cannot agree to this: it takes {operation.permission!r}"
            )
        await _decide(core, approval, actor, APPROVED, "is being done")
    sealed = core.keys.open(KIND, approval.id, "sealed", b64decode(approval.sealed))
    asked: Any = msgspec.json.decode(sealed, type=kind)
    # In the asker's name, by the right of who agreed: what the asker lost meanwhile does not matter.
    asker = Actor(
        approval.asked_by,
        actor.role,
        actor.permissions,
        approval.via,
        approval.asker,
        approved_by=actor.name,
    )
    row = Row(core, asker, asked, operation.permission, approval.id)
    work = carried_out(row, lambda core: operation.function(core, asked, asker))
    return await _done(core, approval, actor, work)


async def _done(core: Core, approval: Approval, actor: Actor, work: Awaitable[Any]) -> ApprovalView:
    try:
        answer = await work
        detail = f"done: intent {answer.id} {answer.status}" if isinstance(answer, IntentView) else "done"
    except Refusal as refused:
        async with core.books:
            await _decide(core, approval, actor, APPROVED, f"refused: {refused.message}")
        raise
    async with core.books:
        return _view(await _decide(core, approval, actor, APPROVED, detail), core.clock.now())


async def reject(core: Core, request: Reject, actor: Actor) -> ApprovalView:
    """Say no. The asker himself may: he takes it back."""
    async with core.books:
        approval = _waiting(core, request.id)
        if approval.asker != actor.key and approval.permission not in actor.permissions:
            raise Denied(f"{actor.name} ({actor.role}) cannot decide this: it takes {approval.permission!r}")
        return _view(await _decide(core, approval, actor, REJECTED, request.reason), core.clock.now())


def _waiting(core: Core, id_: str) -> Approval:
    approval = _find(core, id_)
    status = status_at(approval, core.clock.now())
    if status != WAITING:
        by = f" by {approval.decided_by}" if approval.decided_by else ""
        raise Conflict(f"approval {id_} is {status}{by}", "ask for it anew" if status == EXPIRED else None)
    return approval


def _decidable(core: Core, id_: str, actor: Actor) -> Approval:
    approval = _waiting(core, id_)
    if actor.persons & {*approval.persons, approval.asker}:
        raise Denied(
            f"{approval.asked_by} asked for this: a second person must agree, and {actor.name} may be the same",
            "not with a token that one of the two, or the same admin, made: cms login URL gives one of his own",
        )
    return approval


async def _decide(core: Core, approval: Approval, actor: Actor, status: str, detail: str | None) -> Approval:
    now = core.clock.now()
    # What was asked is needed no more: it may name addresses with passwords.
    decided = evolve(approval, status=status, decided_by=actor.name, decided_at=now, detail=detail, sealed="")
    await keep(core, KIND, approval.id, decided, _told(decided, now, actor))
    return decided
