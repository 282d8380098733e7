"""What is asked leaves a row in the audit log: in the transaction of what it changes, without operations knowing.

An operation is given a core whose store lets the first commit carry the row with it; one that commits nothing, or is
refused, gets a row of its own. What it begins beside itself (``core.spawn``) is not what was asked: it adds no row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
import structlog

from cms.contract.refusals import Denied, Refusal
from cms.contract.routes import ROUTES
from cms.core import Actor, Clash, Core, Store, StoreDown
from cms.domain import approvals
from cms.domain import changes as c
from cms.domain.audit import (
    CHANGED,
    HELD,
    NOTHING,
    ORDERED,
    READ,
    Audit,
    Entry,
    digest,
    fingerprint,
    plain,
    pseudonym,
    sealing,
)
from cms.domain.intents import IntentStatus
from cms.domain.masking import masked, masked_text
from cms.domain.personal import BY_NAME, BY_TYPE, token
from cms.domain.personal import masked as without_persons
from cms.keys import LASTING
from cms.operations.secrecy import without_credentials

log = structlog.get_logger("cms.audit")

#: Set in everything that an operation spawned: that is not what was asked.
_ASIDE: ContextVar[bool] = ContextVar("aside", default=False)

_encode = msgspec.json.Encoder(decimal_format="string", enc_hook=str).encode
_UNDER_WAY = (IntentStatus.QUEUED, IntentStatus.SENT)
_MOST_REQUEST = 4096
_MOST_VALUE = 300
#: A list of more has no place in a row, whatever stands in it.
_LONG_LIST = 1_000
_DENIALS_EVERY = timedelta(minutes=1)
#: So many are told apart: whoever comes from ten thousand addresses is one of the others.
_MOST_DENIALS = 1000
_OTHERS = Actor("others", "", frozenset(), key="others")

#: Fields that name what a request is about, where its path names nothing: the first one that it has.
_TARGETS = (
    "station", "session", "token", "driver", "site", "organisation", "tariff", "operator", "use", "id", "name",
)  # fmt: skip


def changes_something(request: Any) -> bool:
    """Whether this request is there to change something; a dry run is not."""
    return ROUTES[type(request)].method != "GET" and not getattr(request, "dry_run", False)


async def carried_out(row: Row, work: Callable[[Core], Awaitable[Any]]) -> Any:
    """What the work answers; one row tells of it where it is there to change something.

    ``work`` does what was asked with the core it is given.
    """
    if not changes_something(row.request):
        return await work(row.core)
    carrier = _Carrier(row)
    try:
        answer = await work(_with(row.core, carrier))
    except Exception as error:
        if not carrier.carried:
            await _alone(row.core, row.ended(*_why(error)))
        raise
    if not carrier.carried:
        await _alone(row.core, row.ended(NOTHING))
    return answer


async def seen(row: Row) -> None:
    """Note that somebody is shown personal data. Raises StoreDown when that cannot be noted: then he is not."""
    await row.core.store.commit((row.ended(READ),), ())


async def _alone(core: Core, change: Audit) -> None:
    """A row without a change; where the record cannot be written, nothing was changed either."""
    try:
        await core.store.commit((change,), ())
    except StoreDown:
        entry = change.entry
        log.error("audit.unwritten", actor=entry.actor, operation=entry.operation, result=entry.result)


def _why(error: Exception) -> tuple[str, str]:
    match error:
        case Refusal():
            return error.name, error.message
        case StoreDown():
            return "Unreachable", "the database could not commit"
        case Clash():
            return "Conflict", "somebody changed the same thing at the same moment"
    return "Refusal", "something went wrong inside the daemon"


def _with(core: Core, carrier: _Carrier) -> Core:
    """The same core with another store: everything it holds is shared."""
    # Both are what they stand for: what they do not do themselves the real ones do.
    return cast("Core", _Watched(core, cast("Store", carrier)))


class _Watched:
    """A core with another store. All else is the core's own, also what is set: nobody works on a stale copy."""

    __slots__ = ("_core", "store")

    def __init__(self, core: Core, store: Store) -> None:
        object.__setattr__(self, "_core", core)
        object.__setattr__(self, "store", store)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._core, name, value)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin something that is not what was asked."""
        context = copy_context()
        context.run(_ASIDE.set, True)
        context.run(self._core.spawn, work)


class _Carrier:
    """A store whose first commit carries the row of the request."""

    def __init__(self, row: Row) -> None:
        self.carried = False
        self._store = row.core.store
        self._row = row
        self._first = asyncio.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, changes: Sequence[c.Change], events: Sequence[c.Happened]) -> None:
        if self.carried or _ASIDE.get():
            await self._store.commit(changes, events)
            return
        async with self._first:
            if self.carried:
                await self._store.commit(changes, events)
                return
            await self._store.commit((*changes, self._row.of_changes(changes)), events)
            self.carried = True


@dataclass(frozen=True, slots=True)
class Row:
    """The audit row of one request, in the making."""

    core: Core
    actor: Actor
    request: Any
    permission: str
    request_id: str = ""

    def of_changes(self, changes: Sequence[c.Change]) -> Audit:
        """With the first changes it makes. An order is told by its intent, which knows what becomes of it."""
        if _kept(changes, approvals.KIND) and not self.permission.startswith("approvals."):
            return self._audit(HELD)
        intent = next((change.intent for change in changes if isinstance(change, c.SaveIntent)), None)
        before, after = _digests(self.core, changes)
        if intent is None:
            return self._audit(CHANGED, before=before, after=after)
        result = ORDERED if intent.status in _UNDER_WAY else CHANGED
        return self._audit(result, intent=intent.id, before=before, after=after)

    def ended(self, result: str, detail: str | None = None, times: int = 1) -> Audit:
        """Without any."""
        return self._audit(result, detail, times=times)

    def _audit(
        self,
        result: str,
        detail: str | None = None,
        *,
        intent: str | None = None,
        before: str | None = None,
        after: str | None = None,
        times: int = 1,
    ) -> Audit:
        core, actor = self.core, self.actor
        target = target_of(self.request, self._named)
        reason = getattr(self.request, "reason", None)
        via = f"{actor.via} approved by {actor.approved_by}" if actor.approved_by else actor.via
        entry = Entry(
            organisation=core.organisation,
            at=core.clock.now(),
            actor=plain(actor.name),
            via=plain(via),
            role=plain(actor.role),
            permission=self.permission,
            operation=type(self.request).__name__,
            target=target,
            result=result,
            detail=None if detail is None else plain(detail),
            reason=plain(reason) if isinstance(reason, str) else None,
            request_id=plain(self.request_id, 64),
            intent=intent,
            request=request_text(self.request, self._named),
            before=before,
            after=after,
            times=times,
            target_key=None if target is None else target.casefold(),
        )
        return Audit(entry, sealing(core.keys.key("audit", LASTING)))

    def _named(self, token_id: str) -> str:
        """A token as the audit names it; a key code is a secret (2.0.1 C04.FR.04)."""
        kind = str(getattr(self.request, "kind", "")).casefold().replace("-", "")
        key = self.core.keys.key("audit names", LASTING)
        return pseudonym(key, token_id, secret=kind == "keycode")


def target_of(request: Any, named: Callable[[str], str]) -> str | None:
    """What the request is about, in one word: what its path names first, or the first field that names something."""
    path = ROUTES[type(request)].path if type(request) in ROUTES else ""
    in_path = path.partition("{")[2].partition("}")[0]
    for field in (in_path, *_TARGETS):
        value = getattr(request, field, None) if field else None
        value = getattr(value, "id", value)
        if value is not None and value != "":
            personal = BY_TYPE.get(type(request).__name__, {}).get(field, BY_NAME.get(field))
            return plain(named(str(value)) if personal is token else str(value), _MOST_VALUE)
    return None


def request_text(request: Any, named: Callable[[str], str]) -> str:
    """The request as compact JSON: no secrets, no names, no whole card numbers; what is too long by its digest."""
    told = _without_long_lists(request)
    given = {
        name: value
        for name, value in msgspec.to_builtins(without_persons(told, named)).items()
        if value not in (None, False, [], {})
    }
    clean = without_credentials(_texts(masked(given)))
    said = _encode(clean).decode()
    if len(said) > _MOST_REQUEST:
        short = {name: value for name, value in clean.items() if len(_encode(value)) <= _MOST_VALUE}
        said = _encode({**short, "cut": {"bytes": len(said), "sha256": fingerprint(said)}}).decode()
    return plain(said, 2 * _MOST_REQUEST)


def _without_long_lists(request: Any) -> Any:
    """The request with its long lists by their digests: they would be cut, once each of their values was looked at."""
    long = {
        field.name: ({"items": len(value), "sha256": fingerprint(repr(value))},)
        for field in fields(request)
        if isinstance(value := getattr(request, field.name), tuple) and len(value) > _LONG_LIST
    }
    return replace(request, **long) if long else request


def _whole(text: str) -> str:
    """Without lone surrogates, which no JSON and no database takes."""
    return text.encode("utf-8", "replace").decode()


def _texts(value: Any) -> Any:
    """Texts that can be kept; those that are JSON themselves are masked within."""
    match value:
        case str():
            return _whole(masked_text(value) if value[:1] in ("[", "{") else value)
        case list():
            return [_texts(item) for item in value]
        case dict():
            return {_whole(str(name)): _texts(item) for name, item in value.items()}
    return value


def _kept(changes: Sequence[c.Change], kind: str) -> bool:
    return any(isinstance(change, c.Keep) and change.kind == kind for change in changes)


def _digests(core: Core, changes: Sequence[c.Change]) -> tuple[str | None, str | None]:
    """Keyed digests of the first thing that changes, as it was and as it will be; None: it is not (any more)."""
    if not changes:
        return None, None
    key = core.keys.key("audit names", LASTING)
    tell = _BEFORE_AND_AFTER.get(type(changes[0]))
    before, after = tell(core, changes[0]) if tell is not None else (None, changes[0])
    return (
        None if before is None else digest(key, _encode(before).decode()),
        None if after is None else digest(key, _encode(after).decode()),
    )


def _station(core: Core, change: Any) -> tuple[Any, Any]:
    after = change.station if isinstance(change, c.SaveStation) else None
    lane = core.lanes.get((after.id if after else change.station).casefold())
    return None if lane is None else lane.state.station, after


def _token(core: Core, change: Any) -> tuple[Any, Any]:
    after = change.token if isinstance(change, c.SaveToken) else None
    return core.tokens.get((after.id if after else change.token).casefold()), after


def _record(core: Core, change: Any) -> tuple[Any, Any]:
    if not change.station:
        return core.kept.get(change.kind, {}).get(change.key), change.value
    lane = core.lanes.get(change.station.casefold())
    return None if lane is None else lane.state.kept_of(change.kind).get(change.key), change.value


_BEFORE_AND_AFTER: dict[type[c.Change], Callable[[Core, Any], tuple[Any, Any]]] = {
    c.SaveStation: _station,
    c.DropStation: _station,
    c.SaveToken: _token,
    c.DropToken: _token,
    c.Keep: _record,
}


@dataclass(slots=True)
class _Missed:
    """What one actor was denied again and again: since when, how often, and the row that says so."""

    since: datetime
    row: Row
    said: str
    times: int = 0


class Denials:
    """Whoever may not do what he asks leaves a row; who asks a thousand times a minute does not fill the record."""

    def __init__(self) -> None:
        self._missed: dict[tuple[str, str, str], _Missed] = {}

    async def denied(self, row: Row, refused: Denied) -> None:
        """The first one at once; those of the next minute as one row, when it is over."""
        now = row.core.clock.now()
        about = (row.core.organisation, row.actor.key or row.actor.name, type(row.request).__name__)
        missed = self._missed.get(about)
        if missed is not None and now - missed.since < _DENIALS_EVERY:
            missed.times += 1
            return
        if missed is not None:
            await self._tell(self._missed.pop(about))
        elif len(self._missed) >= _MOST_DENIALS and row.actor is not _OTHERS:
            await self.denied(replace(row, actor=_OTHERS), refused)
            return
        self._missed[about] = _Missed(now, row, refused.message)
        await _alone(row.core, row.ended(refused.name, refused.message))

    async def tell(self, now: datetime) -> None:
        """Write down what was kept back for a minute and longer; asked once a minute."""
        for about, missed in list(self._missed.items()):
            if now - missed.since >= _DENIALS_EVERY:
                del self._missed[about]
                await self._tell(missed)

    async def _tell(self, missed: _Missed) -> None:
        if missed.times:
            await _alone(missed.row.core, missed.row.ended(Denied.__name__, missed.said, times=missed.times))
