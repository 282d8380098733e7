"""Drivers: registered, changed, suspended, written about. What is personal about them is read when somebody looks."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from cms.contract.drivers import (
    AddDriver,
    AddDriverNote,
    CloseDriver,
    DriverNote,
    DriverView,
    ListDrivers,
    ResumeDriver,
    SetDriver,
    ShowDriver,
    SuspendDriver,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import drivers
from cms.domain.atrest import Sealed, place
from cms.domain.changes import Change, Happened, Keep
from cms.domain.drivers import Box, Driver, Note, Notes, Person, standing
from cms.domain.evolve import evolve, with_fields
from cms.domain.tokens import Token, status_at
from cms.keys import LASTING
from cms.operations.identifying import told_as

T = TypeVar("T")

#: The fields of a Person, as requests name them too.
PERSONAL = ("name", "email", "phone", "street", "postcode", "city", "country")
_LONGEST = 200
_LONGEST_NOTE = 4_000
_MOST_GROUPS = 50
_ID = re.compile(r"[^\s/][^/]{0,62}[^\s/]|[^\s/]")
_EMAIL = re.compile(r"[^@\s<>\",;:\\]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{2,30}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
#: Field -> what it must look like, and how that is said.
_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "email": (_EMAIL, "an e-mail address"),
    "phone": (_PHONE, "a telephone number"),
    "country": (_COUNTRY, "a country of ISO 3166 in two capitals"),
    "language": (_LANGUAGE, "a language as in BCP 47, e.g. de or de-AT"),
}


# Reading


async def list_(core: Core, request: ListDrivers, actor: Actor) -> list[DriverView]:
    chosen = parse(request.filter or "", keys_of(DriverView))
    persons = await persons_of(core)
    owned = tokens_by_driver(core)
    views = (
        view(driver, persons.get(driver.id), owned.get(driver.id, []))
        for _, driver in sorted(registered(core).items())
    )
    return [driver for driver in views if chosen(driver)]


async def show(core: Core, request: ShowDriver, actor: Actor) -> DriverView:
    return await shown(core, find(core, request.driver))


async def shown(core: Core, driver: Driver) -> DriverView:
    """One driver with everything that is known of him."""
    notes = await notes_of(core, driver.id)
    return view(driver, await person_of(core, driver.id), tokens_of(core, driver.id), notes)


def view(driver: Driver, person: Person | None, owned: list[Token], notes: Notes | None = None) -> DriverView:
    person = person or Person()
    return DriverView(
        id=driver.id,
        status=standing(driver),
        **{name: getattr(person, name) for name in PERSONAL},
        company=driver.company,
        groups=driver.groups,
        language=driver.language,
        tokens=tuple(sorted(token.id for token in owned)),
        added_at=driver.added_at,
        status_reason=driver.status_reason,
        notes=tuple(DriverNote(note.at, note.by, note.text) for note in notes.entries) if notes else (),
    )


def registered(core: Core) -> Mapping[str, Driver]:
    """All drivers by id."""
    return core.kept.get(drivers.KIND, {})


def find(core: Core, id: str) -> Driver:
    """The driver of this id; written in another case too, where that is clear."""
    known = registered(core)
    driver = known.get(id)
    if driver is not None:
        return driver
    folded = id.casefold()
    driver = next((other for key, other in known.items() if key.casefold() == folded), None)
    if driver is None:
        raise NotFound(f"there is no driver {id}", "see `cms drivers list`, or register him: cms drivers add")
    return driver


async def person_of(core: Core, id: str) -> Person:
    box = await core.store.kept_one("", drivers.PERSON, id)
    return Person() if box is None else opened(core, drivers.PERSON, id, box, Person)


async def persons_of(core: Core) -> dict[str, Person]:
    """All of them, by driver."""
    boxes: dict[str, Box] = await core.store.kept("", drivers.PERSON)
    return {id: opened(core, drivers.PERSON, id, box, Person) for id, box in boxes.items()}


async def notes_of(core: Core, id: str) -> Notes:
    box = await core.store.kept_one("", drivers.NOTES, id)
    return Notes() if box is None else opened(core, drivers.NOTES, id, box, Notes)


def opened(core: Core, kind: str, id: str, box: Box, type: type[T]) -> T:
    """What lies in a box of this driver's."""
    return msgspec.json.decode(core.keys.open(*place(kind, "", id), "body", box.body), type=type)


def boxed(core: Core, kind: str, id: str, personal: Person | Notes) -> Box:
    """Encrypted, for this driver alone."""
    return Box(Sealed(core.keys.seal(*place(kind, "", id), "body", msgspec.json.encode(personal))))


def tokens_of(core: Core, id: str) -> list[Token]:
    return [token for token in core.tokens.values() if token.driver == id]


def tokens_by_driver(core: Core) -> dict[str, list[Token]]:
    owned: dict[str, list[Token]] = {}
    for token in core.tokens.values():
        if token.driver is not None:
            owned.setdefault(token.driver, []).append(token)
    return owned


# Writing


async def add(core: Core, request: AddDriver, actor: Actor) -> DriverView:
    return await added(core, request, actor, verified=True)


async def added(core: Core, request: AddDriver, actor: Actor, *, verified: bool) -> DriverView:
    """A new driver; one who is not verified has an e-mail address, which nobody else has."""
    async with core.books:
        person = Person(**{name: said(getattr(request, name), name) for name in PERSONAL})
        driver = Driver(
            id=new_id(core, request.driver),
            company=request.company,
            groups=groups_of(request.groups),
            language=said(request.language, "language"),
            added_at=core.clock.now(),
            verified=verified,
            email_key=email_key(core, person.email),
        )
        if not verified:
            _check_own_address(core, driver)
        await save(core, actor, "driver.added", driver, person)
    return view(driver, person, [])


def _check_own_address(core: Core, driver: Driver) -> None:
    if driver.email_key is None:
        raise Invalid("a driver who registers himself gives an e-mail address")
    if any(other.email_key == driver.email_key for other in registered(core).values()):
        raise Conflict("somebody has registered with this e-mail address already")


def email_key(core: Core, email: str | None) -> str | None:
    """A digest by which it shows that an address is taken."""
    if email is None:
        return None
    key = core.keys.key("e-mail address", LASTING)
    return hmac.digest(key, email.casefold().encode(), hashlib.sha256).hex()[:32]


async def set_(core: Core, request: SetDriver, actor: Actor) -> DriverView:
    async with core.books:
        before = find(core, request.driver)
        known = await person_of(core, before.id)
        told = {name: getattr(request, name) for name in (*PERSONAL, "company", "language")}
        changes = {name: value for name, value in told.items() if value is not None}
        driver, person = changed(core, before, known, changes, request.groups)
        await save(core, actor, "driver.changed", driver, person if person != known else None)
    return await shown(core, driver)


def changed(
    core: Core, driver: Driver, person: Person, changes: Mapping[str, Any], groups: tuple[str, ...] | None
) -> tuple[Driver, Person]:
    """Both with these fields: an empty text takes one away."""
    personal = {name: said(value, name) for name, value in changes.items() if name in PERSONAL}
    own: dict[str, Any] = {}
    if "company" in changes:
        own["company"] = changes["company"]
    if "language" in changes:
        own["language"] = said(changes["language"], "language")
    if "email" in personal:
        own["email_key"] = email_key(core, personal["email"])
    if groups is not None:
        own["groups"] = groups_of(groups)
    return with_fields(driver, own) if own else driver, with_fields(person, personal) if personal else person


async def suspend(core: Core, request: SuspendDriver, actor: Actor) -> DriverView:
    return await _moved(core, request.driver, "suspended", request.reason, actor)


async def close(core: Core, request: CloseDriver, actor: Actor) -> DriverView:
    return await _moved(core, request.driver, "closed", request.reason, actor)


async def resume(core: Core, request: ResumeDriver, actor: Actor) -> DriverView:
    return await _moved(core, request.driver, "active", request.reason, actor)


async def _moved(core: Core, id: str, status: str, reason: str | None, actor: Actor) -> DriverView:
    async with core.books:
        before = find(core, id)
        if before.status == status == "active" and not before.verified:
            raise Conflict(f"driver {before.id} is not verified yet", f"cms drivers verify {before.id}")
        driver = evolve(before, status=status, status_reason=said(reason, "reason"))
        await save(core, actor, "driver.changed", driver, moved=driver.may_charge != before.may_charge)
    return await shown(core, driver)


async def note(core: Core, request: AddDriverNote, actor: Actor) -> DriverView:
    text = request.text.strip()
    if not text or len(text) > _LONGEST_NOTE or not _readable(text):
        raise Invalid(f"a note has 1 to {_LONGEST_NOTE} characters, none of them for control")
    async with core.books:
        driver = find(core, request.driver)
        now = core.clock.now()
        notes = (await notes_of(core, driver.id)).with_one(Note(now, actor.name, text))
        # The event says that something was written, not what: it is personal.
        told = Happened("driver.noted", now, actor=actor.name, data={"driver": driver.id})
        box = boxed(core, drivers.NOTES, driver.id, notes)
        await core.store.commit((Keep("", drivers.NOTES, driver.id, box, now),), (told,))
    return await shown(core, driver)


def _readable(text: str) -> bool:
    return all(line.isprintable() for line in text.splitlines())


async def save(
    core: Core, actor: Actor, type: str, driver: Driver, person: Person | None = None, *, moved: bool = False
) -> None:
    """Write a driver down; ``moved``: whether his tokens are good changed. ``core.books`` is held by the caller."""
    now = core.clock.now()
    changes: list[Change] = [Keep("", drivers.KIND, driver.id, driver, now)]
    if person is not None:
        box = boxed(core, drivers.PERSON, driver.id, person)
        changes.append(Keep("", drivers.PERSON, driver.id, box, now))
    data = {"driver": driver.id, "status": standing(driver), "groups": driver.groups}
    events = [Happened(type, now, actor=actor.name, data=data)]
    if moved:
        events += [_moved_along(core, token, driver, actor) for token in tokens_of(core, driver.id)]
    await core.store.commit(changes, events)
    core.kept.setdefault(drivers.KIND, {})[driver.id] = driver


def _moved_along(core: Core, token: Token, driver: Driver, actor: Actor) -> Happened:
    """A token stands or falls with its driver: whoever holds lists of tokens hears of it."""
    now = core.clock.now()
    status = status_at(drivers.under(token, {driver.id: driver}), now)
    data = {"token": told_as(token), "status": status, "reason": f"its driver is {standing(driver)}"}
    return Happened("token.changed", now, actor=actor.name, data=data)


# Checking


def new_id(core: Core, asked: str | None) -> str:
    """The id asked for, when it is free, or a new one."""
    if asked is None or not asked:
        return f"D{core.mint.id(core.clock.now())}"
    id = well_formed(asked)
    folded = id.casefold()
    taken = next((other for other in registered(core) if other.casefold() == folded), None)
    if taken is not None:
        raise Conflict(f"driver {taken} is registered already", f"cms drivers show {taken}")
    return id


def well_formed(asked: str) -> str:
    """The id without blanks around it. Raises Invalid."""
    id = asked.strip()
    if not _ID.fullmatch(id) or not id.isprintable():
        raise Invalid("a driver's id has 1 to 64 printable characters, no / among them")
    return id


def said(text: str | None, name: str) -> str | None:
    """A text of a person's, checked; None where it is empty."""
    if text is None or not (text := text.strip()):
        return None
    if len(text) > _LONGEST or not text.isprintable():
        raise Invalid(f"{name} has at most {_LONGEST} printable characters")
    if text[0] in "=@":
        raise Invalid(f"{name} begins like a formula of a sheet: {text[:20]!r}")
    shape = _SHAPES.get(name)
    if shape is not None and not shape[0].fullmatch(text):
        raise Invalid(f"{text!r} is not {shape[1]}")
    return text


def groups_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Groups, each once, sorted."""
    found = sorted({name.strip() for name in names if name.strip()})
    if len(found) > _MOST_GROUPS or any(len(name) > 64 or not name.isprintable() for name in found):
        raise Invalid(f"a driver has at most {_MOST_GROUPS} groups, of at most 64 printable characters each")
    return tuple(found)


async def owner(core: Core, id: str | None, actor: Actor) -> str | None:
    """The driver to whom a token shall belong, as registered.

    One whom nobody registered is registered by being named: what is known of him may come later.
    """
    if not id:
        return None
    try:
        return find(core, id).id
    except NotFound:
        return (await add(core, AddDriver(driver=id), actor)).id
