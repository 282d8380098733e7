"""Drivers and tokens out of a file: every line is judged first, then all are written in one commit, or none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cms.contract.drivers import DriverRow, ImportDrivers, ImportedRow, ImportView
from cms.contract.refusals import Invalid, Refusal
from cms.core import Actor, Core
from cms.domain import drivers
from cms.domain.changes import Change, Happened, Keep, SaveToken
from cms.domain.drivers import Box, Driver, Person, standing
from cms.domain.evolve import with_fields
from cms.domain.tokens import Token
from cms.operations import tokens
from cms.operations.drivers import PERSONAL, boxed, changed, opened, registered, well_formed
from cms.operations.identifying import told_as

#: So many lines at once: they are one commit, for which no station waits longer than it must.
MOST_ROWS = 5_000
#: So many drivers are looked up one by one; for more, all of them are read at once.
_FEW = 100
#: After so many lines others have their turn.
_BREATH = 100
_GROUPS = re.compile(r"[,;\s]+")
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(slots=True)
class Draft:
    """What the lines so far would make of it. Drivers and persons by driver's id, tokens by id without case."""

    core: Core
    boxes: dict[str, Box]
    drivers: dict[str, Driver] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Driver's id without case -> as it is registered."""

    def driver(self, id: str) -> Driver | None:
        id = self.names.get(id.casefold(), id)
        return self.drivers.get(id) or registered(self.core).get(id)

    def person(self, id: str) -> Person:
        if id in self.persons:
            return self.persons[id]
        box = self.boxes.get(id)
        return Person() if box is None else opened(self.core, drivers.PERSON, id, box, Person)

    def take(self, driver: Driver | None, person: Person | None, token: Token | None) -> None:
        """What a good line makes of them."""
        if driver is not None and person is not None:
            if person != self.person(driver.id):
                self.persons[driver.id] = person
            self.drivers[driver.id], self.names[driver.id.casefold()] = driver, driver.id
        if token is not None:
            self.tokens[token.id.casefold()] = token

    def token(self, id: str) -> Token | None:
        return self.tokens.get(id.casefold()) or self.core.tokens.get(id.casefold())


async def drivers_(core: Core, request: ImportDrivers, actor: Actor) -> ImportView:
    if len(request.rows) > MOST_ROWS:
        raise Invalid(
            f"{len(request.rows)} lines are too many at once", f"at most {MOST_ROWS}: divide the file"
        )
    async with core.books:
        names = {id.casefold(): id for id in registered(core)}
        draft = Draft(core, await _boxes(core, request.rows, names), names=names)
        rows = await _all_judged(draft, request.rows)
        errors = sum(row.outcome == "error" for row in rows)
        done = not request.dry_run and (not errors or request.partial) and bool(draft.drivers or draft.tokens)
        if done:
            await _write(draft, actor)
    count = {word: sum(row.outcome == word for row in rows) for word in ("added", "changed", "unchanged")}
    return ImportView(done, **count, errors=errors, rows=rows)


async def _boxes(core: Core, rows: Sequence[DriverRow], names: Mapping[str, str]) -> dict[str, Box]:
    """What is personal of the drivers that these lines name and that are registered."""
    named = {names[id] for row in rows if (id := _cell(row.driver).casefold()) in names}
    if len(named) > _FEW:
        return await core.store.kept("", drivers.PERSON)
    found = {id: await core.store.kept_one("", drivers.PERSON, id) for id in named}
    return {id: box for id, box in found.items() if box is not None}


async def _all_judged(draft: Draft, rows: Sequence[DriverRow]) -> tuple[ImportedRow, ...]:
    """What becomes of each line; stations are heard in between."""
    judged: list[ImportedRow] = []
    for row in rows:
        judged.append(_judged(draft, row))
        if len(judged) % _BREATH == 0:
            await asyncio.sleep(0)
    return tuple(judged)


def _judged(draft: Draft, row: DriverRow) -> ImportedRow:
    """What becomes of a line; one with a mistake changes nothing of the draft."""
    try:
        cells = {name: _cell(getattr(row, name)) for name in row.__slots__ if name != "line"}
        driver, person = _driver(draft, cells)
        token = _token(draft, cells, driver)
    except Refusal as refusal:
        return ImportedRow(row.line, row.driver[:64], row.token[:255] or None, "error", _sentence(refusal))
    outcome = _outcome(draft, driver, person, token)
    if outcome != "unchanged":
        draft.take(driver, person, token)
    return ImportedRow(row.line, driver.id if driver else "", told_as(token) if token else None, outcome)


def _sentence(refusal: Refusal) -> str:
    return refusal.message if refusal.hint is None else f"{refusal.message}: {refusal.hint}"


def _cell(text: str) -> str:
    """The cell without the quote that marks text in sheets, which our own lists have too."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _outcome(draft: Draft, driver: Driver | None, person: Person | None, token: Token | None) -> str:
    known = draft.driver(driver.id) if driver else None
    had = draft.token(token.id) if token else None
    if (driver is not None and known is None) or (token is not None and had is None):
        return "added"
    same_person = person is None or driver is None or draft.person(driver.id) == person
    return "unchanged" if driver == known and same_person and token == had else "changed"


def _driver(draft: Draft, cells: dict[str, str]) -> tuple[Driver | None, Person | None]:
    """The driver as this line makes him; a line without one is about a token alone."""
    told: dict[str, Any] = {name: cells[name] for name in (*PERSONAL, "language") if cells[name]}
    if cells["company"]:
        told["company"] = _yes(cells["company"])
    groups = tuple(_GROUPS.split(cells["groups"])) if cells["groups"] else None
    id = cells["driver"]
    if not id:
        if told or groups:
            raise Invalid("a line about a driver has his id, so that it means the same one the next time")
        if not cells["token"]:
            raise Invalid("the line says nothing: it has neither driver nor token")
        return None, None
    before = draft.driver(id)
    if before is None:
        before = Driver(id=well_formed(id), added_at=draft.core.clock.now())
    return changed(draft.core, before, draft.person(before.id), told, groups)


def _yes(text: str) -> bool:
    said = _WORDS.get(text.casefold())
    if said is None:
        raise Invalid(f"company is yes or no, not {text[:20]!r}")
    return said


def _token(draft: Draft, cells: dict[str, str], driver: Driver | None) -> Token | None:
    """The token as this line makes it."""
    told = {name: read(cells[name]) for name, read in _TOKEN_CELLS.items() if cells[name]}
    if not cells["token"]:
        if told or cells["kind"]:
            raise Invalid("the line has no token, but something about one")
        return None
    kind = tokens.kind_named(cells["kind"] or "rfid")
    id = tokens.id_of(draft.core, cells["token"], kind)
    before = draft.token(id)
    if before is not None and cells["kind"] and before.kind != kind:
        raise Invalid(f"token {told_as(before)} is registered as {before.kind}")
    if before is not None and driver is not None and before.driver not in (None, driver.id):
        raise Invalid(f"token {told_as(before)} belongs to driver {before.driver}")
    token = before or Token(id, kind, added_at=draft.core.clock.now())
    if driver is not None:
        told["driver"] = driver.id
    token = with_fields(token, told) if told else token
    tokens.check(token)
    return token


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Invalid(f"max_sessions is a whole number, not {text[:20]!r}")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:30]!r} is no time", "e.g. 2027-01-31 or 2027-01-31T12:00+01:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(text: str) -> str:
    if len(text) > 255 or not text.isprintable() or text[0] in "=@":
        raise Invalid(f"{text[:20]!r} is no name")
    return text


_TOKEN_CELLS: dict[str, Callable[[str], Any]] = {
    "group": _text,
    "visual_number": _text,
    "valid_from": _instant,
    "valid_to": _instant,
    "max_sessions": _number,
}


async def _write(draft: Draft, actor: Actor) -> None:
    """All of the draft that differs from what is registered, in one commit."""
    core, now = draft.core, draft.core.clock.now()
    changes: list[Change] = []
    events: list[Happened] = []
    for id, driver in draft.drivers.items():
        known = registered(core).get(id)
        person = draft.persons.get(id)
        if driver != known:
            changes.append(Keep("", drivers.KIND, id, driver, now))
        if person is not None:
            changes.append(Keep("", drivers.PERSON, id, boxed(core, drivers.PERSON, id, person), now))
        if driver == known and person is None:
            continue
        data = {"driver": id, "status": standing(driver), "groups": driver.groups}
        events.append(Happened(f"driver.{_verb(known)}", now, actor=actor.name, data=data))
    for key, token in draft.tokens.items():
        if (had := core.tokens.get(key)) != token:
            changes.append(SaveToken(token))
            events.append(tokens.saved_event(core, token, f"token.{_verb(had)}", actor))
    await core.store.commit(changes, events)
    core.kept.setdefault(drivers.KIND, {}).update(draft.drivers)
    core.tokens.update(draft.tokens)


def _verb(known: object) -> str:
    return "added" if known is None else "changed"
