"""What is known about a person goes out in one piece, or is forgotten so that only aliases stay (T30)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from cms.contract.drivers import DriverExport, ErasedDriver, EraseDriver, ExportDriver
from cms.contract.refusals import Conflict
from cms.contract.sessions import ListSessions, SessionView
from cms.core import Actor, Core, Lane
from cms.domain import (
    apps,
    billing,
    cards,
    drivers,
    ledger,
    lists,
    plans,
    reservations,
    sessions,
    tariffs,
    verification,
)
from cms.domain.balances import of_token
from cms.domain.changes import Change, DropToken, Happened, Keep, SaveIntent, UpdateSession
from cms.domain.charging.needs import ALLOWED
from cms.domain.drivers import Driver, Person
from cms.domain.erasure import ERASED, Aliases, distinctive
from cms.domain.evolve import evolve
from cms.domain.intents import FINAL, Intent
from cms.domain.kept import KINDS
from cms.domain.plans import day_of
from cms.domain.sessions import RUNNING
from cms.domain.stations import StationState
from cms.domain.tokens import KEY_CODE, MAC, Token
from cms.keys import LASTING
from cms.operations import billingprofiles, subscriptions
from cms.operations.access_rulings import made_anew
from cms.operations.balances import handed_on
from cms.operations.deciding import settle
from cms.operations.drivers import find, person_of, shown, tokens_of
from cms.operations.identifying import standing, told_as
from cms.operations.tokens import view as token_view
from cms.operations.usagesums import counting

#: So many rows of each kind are in an export at most.
_MOST = 50_000
#: So many tokens are taken at a time where old sessions are pseudonymised.
_AT_ONCE = 50


# Export


async def export(core: Core, request: ExportDriver, actor: Actor) -> DriverExport:
    driver = find(core, request.driver)
    owned, person = tokens_of(core, driver.id), await person_of(core, driver.id)
    aliases = _aliases(core, driver, person, owned)
    charged = await _sessions(core, owned)
    named: dict[str, list[dict[str, Any]]] = {}
    cut = len(charged) >= _MOST
    for table, row in await core.store.mentions(sorted(aliases.needles), _MOST):
        if _named(aliases, table, row):
            named.setdefault(table, []).append(row)
    for table in ("sessions", "bills"):
        named.pop(table, None)
    bills = [await core.store.bill(session.id) for session in charged]
    records = [cdr for session in charged for cdr in await core.store.accounting.revisions(session.id)]
    invoices = await core.store.accounting.invoices(account=f"{ledger.RECEIVABLE}{driver.id}")
    now = core.clock.now()
    told = Happened("driver.exported", now, actor=actor.name, data={"driver": driver.id})
    await core.store.commit((), (told,))
    return DriverExport(
        driver=await shown(core, driver),
        at=now,
        tokens=tuple(token_view(standing(core, token), now) for token in owned),
        sessions=tuple(charged),
        bills=tuple(msgspec.to_builtins(bill) for bill in bills if bill is not None),
        billing=await billingprofiles.shown(core, driver.id),
        subscription=subscriptions.subscription(core, driver.id),
        records=tuple(msgspec.to_builtins(cdr) for cdr in records),
        invoices=tuple(msgspec.to_builtins(invoice) for invoice in invoices),
        named_in={table: tuple(rows) for table, rows in named.items()},
        cut=cut or any(len(rows) >= _MOST for rows in named.values()),
    )


async def _sessions(core: Core, owned: Iterable[Token]) -> list[SessionView]:
    found = [
        sessions.view(session)
        for token in owned
        for session in await core.store.sessions(ListSessions(token=token.id, limit=_MOST))
    ]
    return sorted(found, key=lambda session: session.started_at)


def _named(aliases: Aliases, table: str, row: dict[str, Any]) -> bool:
    texts = {name: text for name, text in row.items() if isinstance(text, str)}
    return any(aliases.column(f"{table}.{name}", text) != text for name, text in texts.items())


# Erasure


async def erase(core: Core, request: EraseDriver, actor: Actor) -> ErasedDriver:
    driver = find(core, request.driver)
    owned, person = tokens_of(core, driver.id), await person_of(core, driver.id)
    _check_over(core, driver, owned)
    aliases = _aliases(core, driver, person, owned)
    words = sorted(aliases.needles)
    rows = await _mentions(core, aliases, words)
    holders = _holders(core, rows)
    counts = dict(Counter(table for table, _ in rows))
    alias = aliases.text("driver", driver.id)
    if request.dry_run:
        files = await asyncio.to_thread(_in_files, _uploads(core), aliases.distinctive, blank=False)
        return ErasedDriver(False, alias, len(owned), counts, files, holders)
    await _drop(core, driver, owned, alias, aliases, rows, actor)
    for lane in _lanes(core, rows):
        await _forget_here(core, lane, aliases, lane.state.station.id in holders)
    for token in owned:
        core.sightings.forget(token.id.casefold())
    core.stations.forget(words)
    await _rewritten(core, aliases, words)
    files = await asyncio.to_thread(_in_files, _uploads(core), aliases.distinctive, blank=True)
    await core.store.leave_no_traces(sorted(aliases.distinctive - await _in_ledger(core, driver, owned)))
    return ErasedDriver(True, alias, len(owned), counts, files, holders)


async def _in_ledger(core: Core, driver: Driver, owned: Sequence[Token]) -> set[str]:
    """Words of his that accounts of the ledger are named by: the law has it kept, so they stay."""
    holders = (driver.id, *(of_token(token.id) for token in owned))
    accounts_ = [f"{kind}{holder}" for kind in (ledger.RECEIVABLE, ledger.PREPAID) for holder in holders]
    held = [account for account in accounts_ if await core.store.accounting.balances(account)]
    return {account.rpartition("/")[2].casefold() for account in held}


def _check_over(core: Core, driver: Driver, owned: Sequence[Token]) -> None:
    """Nothing of his may be going on: it would be told of with his name again."""
    held = subscriptions.subscription(core, driver.id)
    if held.plan is not None or held.status == "coming":
        last = day_of(core.kept, core.clock.now()) - timedelta(days=1)
        hint = f"cms plans cancel {driver.id} --at {last} --now --reason 'is to be erased'"
        raise Conflict(f"driver {driver.id} has plan {held.plan or held.next}", hint)
    keys = {token.id.casefold() for token in owned}
    for lane in core.lanes.values():
        state = lane.state
        for session in state.sessions.values():
            if session.status in RUNNING and (session.token or "").casefold() in keys:
                raise Conflict(f"driver {driver.id} is charging: session {session.id}", "stop it first")
        for held in state.kept_of(reservations.KIND).values():
            if held.status == "active" and held.token.casefold() in keys:
                raise Conflict(
                    f"driver {driver.id} has reservation {held.id}", f"cms reservations cancel {held.id}"
                )
        for intent in state.intents.values():
            if intent.status not in FINAL and str(intent.params.get("token", "")).casefold() in keys:
                raise Conflict(
                    f"an order for driver {driver.id} is under way", f"cms intents cancel {intent.id}"
                )


def _aliases(core: Core, driver: Driver, person: Person, owned: Iterable[Token]) -> Aliases:
    """A random alias for him and for each of his tokens; other words of his become his alias."""
    his = _alias()
    words = {driver.id: his}
    told = [getattr(person, name) for name in ("name", "email", "phone", "street")]
    words |= {word: his for word in told if word and distinctive(word)}
    for token in owned:
        alias = _alias()
        spellings = {token.id, told_as(token)} if token.kind != KEY_CODE else {token.id}
        if token.visual_number and distinctive(token.visual_number):
            spellings.add(token.visual_number)
        if token.kind == MAC:
            pairs = [token.id[at : at + 2] for at in range(0, len(token.id), 2)]
            spellings |= {":".join(pairs), "-".join(pairs), f"VID:{token.id}", f"VID{token.id}"}
        words |= dict.fromkeys(spellings, alias)
    others = {site.casefold() for site in core.kept.get("site", {})}
    return Aliases(words, core.lanes.keys() | others)


def _alias() -> str:
    return ERASED + secrets.token_hex(6)


async def _mentions(core: Core, aliases: Aliases, words: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Rows that would change."""
    found = await core.store.mentions(words, _MOST)
    return [(table, row) for table, row in found if _named(aliases, table, row)]


def _holders(core: Core, rows: Iterable[tuple[str, dict[str, Any]]]) -> tuple[str, ...]:
    """Stations whose local list names him."""
    keys = {r["station_key"] for table, r in rows if table == "kept" and r["kind"] == lists.HELD}
    return tuple(sorted(core.lanes[key].state.station.id for key in keys if key in core.lanes))


def _lanes(core: Core, rows: Iterable[tuple[str, dict[str, Any]]]) -> list[Lane]:
    """The stations in whose memory he may be named: by what names him in the record."""
    keys = {row["station_key"] for _, row in rows if row.get("station_key")}
    return [
        lane
        for key, lane in sorted(core.lanes.items())
        if key in keys or lane.state.intents or lane.state.sessions
    ]


async def _drop(
    core: Core,
    driver: Driver,
    owned: Sequence[Token],
    alias: str,
    aliases: Aliases,
    rows: Sequence[tuple[str, dict[str, Any]]],
    actor: Actor,
) -> None:
    """He and his tokens are registered no more, and what is kept of no station names him no more."""
    now = core.clock.now()
    async with core.books:
        changes: list[Change] = [
            Keep("", kind, driver.id, None, now)
            for kind in (drivers.PERSON, drivers.NOTES, verification.KIND, billing.CONTACT)
        ]
        gone = {(kind, driver.id): None for kind in (drivers.KIND, apps.KIND, billing.KIND)}
        kept: Kept = {**gone, **_of_tokens(core, owned, aliases)}
        kept |= _subscribed(core, driver, alias)
        for holder in (driver.id, *(of_token(token.id) for token in owned)):
            entries, moved = handed_on(core, holder, aliases)
            changes += entries
            kept |= moved
        for table, row in rows:
            at = (row.get("kind"), row.get("key"))
            if table == "kept" and row["station_key"] == "" and at not in kept and at[0] in core.kept:
                kept |= _moved(core, str(at[0]), str(at[1]), aliases)
        changes += [Keep("", kind, key, value, now) for (kind, key), value in kept.items()]
        changes += [DropToken(token.id) for token in owned]
        data = {"driver": alias, "tokens": len(owned)}
        told = Happened("driver.erased", now, actor=actor.name, data=data)
        await core.store.commit(changes, (told,))
        for (kind, key), value in kept.items():
            of_kind = core.kept.setdefault(kind, {})
            of_kind.pop(key, None)
            if value is not None:
                of_kind[key] = value
        for token in owned:
            core.tokens.pop(token.id.casefold(), None)
        made_anew(core)


Kept = dict[tuple[str, str], Any]


def _subscribed(core: Core, driver: Driver, alias: str) -> Kept:
    """Which plans he had stays under the alias: what a plan brought in is still true."""
    known: plans.Subscription | None = core.kept.get(plans.SUBSCRIPTION, {}).get(driver.id)
    if known is None:
        return {}
    at, steps = (plans.SUBSCRIPTION, alias), tuple(evolve(step, reason=None) for step in known.steps)
    return {(plans.SUBSCRIPTION, driver.id): None, at: evolve(known, driver=alias, steps=steps)}


def _of_tokens(core: Core, owned: Iterable[Token], aliases: Aliases) -> Kept:
    """What is kept under his tokens: rights and prices go with them."""
    kept: Kept = {}
    for token in owned:
        key = token.id.casefold()
        gone = ((ALLOWED, key), (cards.KIND, key), (tariffs.USE, tariffs.token_key(token.id)))
        kept |= {at: None for at in gone if at[1] in core.kept.get(at[0], {})}
    return kept


def _moved(core: Core, kind: str, key: str, aliases: Aliases) -> Kept:
    """A record of no station with aliases in it, under another key where that names him."""
    before = core.kept.get(kind, {}).get(key)
    if before is None:
        return {}
    new_key = aliases.text("kept.key", key)
    gone: Kept = {} if new_key == key else {(kind, key): None}
    return {**gone, (kind, new_key): _record(kind, before, aliases)}


def _record(kind: str, record: Any, aliases: Aliases) -> Any:
    """The record with aliases; itself where it names nobody."""
    text = msgspec.json.encode(record).decode()
    after = aliases.column("kept.body", text)
    return record if after == text else msgspec.json.decode(after, type=KINDS[kind].type, strict=False)


async def _forget_here(core: Core, lane: Lane, aliases: Aliases, holds: bool) -> None:
    """What is in memory of a station names him no more; ``holds``: its local list does, until it is sent anew."""
    async with lane.lock:
        state, changes = _without(lane.state, aliases, core.clock.now())
        known = state.kept_of(lists.KIND).get(lists.KEY)
        if holds and known is not None:
            unsure = evolve(known, sure=False)
            state = state.keeping(lists.KIND, lists.KEY, unsure)
            changes.append(Keep(state.station.id, lists.KIND, lists.KEY, unsure, core.clock.now()))
        await settle(core, lane, state, changes, ())


def _without(state: StationState, aliases: Aliases, now: datetime) -> tuple[StationState, list[Change]]:
    station, changes = state.station.id, list[Change]()
    for kind, records in state.kept.items():
        for key, record in records.items():
            after, new_key = _record(kind, record, aliases), aliases.text("kept.key", key)
            if after is record and new_key == key:
                continue
            if new_key != key:
                state = state.keeping(kind, key, None)
                changes.append(Keep(station, kind, key, None, now))
            state = state.keeping(kind, new_key, after)
            changes.append(Keep(station, kind, new_key, after, now))
    open_sessions, intents = dict(state.sessions), dict(state.intents)
    for session in state.sessions.values():
        after = evolve(
            session,
            token=None if session.token is None else aliases.text("token", session.token),
            stop_token=None if session.stop_token is None else aliases.text("token", session.stop_token),
        )
        if after != session:
            open_sessions[session.id] = after
            changes.append(UpdateSession(after))
    for intent in state.intents.values():
        told = _intent(intent, aliases)
        if told != intent:
            intents[intent.id] = told
            changes.append(SaveIntent(told))
    recent = {key: value for key, value in state.recent.items() if aliases.text("deliveries.key", key) == key}
    return evolve(state, sessions=open_sessions, intents=intents, recent=recent), changes


def _intent(intent: Intent, aliases: Aliases) -> Intent:
    return evolve(
        intent,
        params=aliases.value(intent.params),
        answer=None if intent.answer is None else aliases.value(intent.answer),
        detail=None if intent.detail is None else aliases.text("detail", intent.detail),
        reason=None if intent.reason is None else aliases.text("reason", intent.reason),
    )


async def _rewritten(core: Core, aliases: Aliases, words: Sequence[str]) -> None:
    """Until nothing in the record names him: what was on its way meanwhile too."""
    # Who counts sessions just now takes back what he read under the old name: he is through with it first.
    async with counting(core):
        while await core.store.rewrite(words, aliases.column):
            pass


# Files of stations (logs that they put here)


def _uploads(core: Core) -> Path | None:
    folder = Path(core.terms.data_dir) / "uploads" if core.terms.data_dir else None
    return folder if folder is not None and folder.is_dir() else None


def _in_files(folder: Path | None, words: Iterable[str], *, blank: bool) -> int:
    """How many files name him; ``blank``: his name becomes stars there. What is compressed is not looked into."""
    needles = [word.encode() for word in words]
    count = 0
    for path in sorted(folder.rglob("*")) if folder is not None and needles else ():
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        lower, found = content.lower(), bytearray(content)
        for needle in needles:
            at = lower.find(needle)
            while at >= 0:
                found[at : at + len(needle)] = b"*" * len(needle)
                at = lower.find(needle, at + 1)
        if found != content:
            count += 1
            if blank:
                path.write_bytes(bytes(found))
    return count


# Retention


async def retire(core: Core, before: datetime) -> int:
    """Sessions that ended before this instant name their token no more, nor does what is as old (the setting
    ``personal_retention_days``). How many tokens.
    """
    key, count = core.keys.key("pseudonyms", LASTING), 0
    month = f"{before:%Y-%m}".encode()
    while old := await core.store.old_tokens(before, ERASED, _AT_ONCE):
        aliases = Aliases({token: ERASED + _digest(key, token, month) for token in old}, core.lanes.keys())
        changed = await core.store.rewrite(sorted(aliases.needles), aliases.column, before)
        if not changed.get("sessions"):
            break
        count += len(old)
    return count


def _digest(key: bytes, token: str, month: bytes) -> str:
    """The same for a month, so that its figures still tell cards apart."""
    return hmac.digest(key, token.casefold().encode() + b"\0" + month, hashlib.sha256).hex()[:12]
