"""Who is on the telephone, and everything to answer him in ten seconds: one question, one card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from cms.contract.access import Rule
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.sessions import ListSessions, SessionView
from cms.contract.support import FindDrivers, FoundDriver, Right, ShowSupportCard, SupportCard, Try
from cms.core import Actor, Core
from cms.domain import access, sessions
from cms.domain.access_rules import says
from cms.domain.drivers import Driver, Person
from cms.domain.tokens import Token
from cms.operations.drivers import find as driver_called
from cms.operations.drivers import persons_of, registered, shown, tokens_by_driver, tokens_of
from cms.operations.identifying import named, standing, told_as
from cms.operations.sessions import find as session_called
from cms.operations.tokens import view as token_view

_MOST_FOUND = 200
#: Digits of a telephone or card number that say enough: the last four are what people read out.
_DIGITS = 4
_LETTERS = 2
#: So many of the latest presentations of cards are looked through for his.
_LOOKED_THROUGH = 1_000
_TRIES = 10
_LAST = 10
_SESSIONS = 1_000
_LATELY = timedelta(days=30)


async def find(core: Core, request: FindDrivers, actor: Actor) -> list[FoundDriver]:
    if not 0 < request.limit <= _MOST_FOUND:
        raise Invalid(f"limit must be between 1 and {_MOST_FOUND}, not {request.limit}")
    return (await _found(core, request.text))[: request.limit]


async def _found(core: Core, text: str) -> list[FoundDriver]:
    """Exact matches first, then what begins so, then by name."""
    text = text.strip().casefold()
    if len(text) < _LETTERS:
        raise Invalid(f"type at least {_LETTERS} characters of a name, a card or a telephone number")
    return sorted(_matches(core, text, await persons_of(core)), key=lambda hit: _rank(hit, text))


def _rank(hit: FoundDriver, text: str) -> tuple[bool, bool, str, str]:
    matched = hit.matched.casefold()
    return (
        matched != text,
        not matched.startswith(text),
        (hit.name or hit.driver or "~").casefold(),
        matched,
    )


def _matches(core: Core, text: str, persons: dict[str, Person]) -> Iterator[FoundDriver]:
    """Each driver once, by the first thing of his that matches; then tokens that belong to nobody."""
    owned = tokens_by_driver(core)
    for driver in registered(core).values():
        person = persons.get(driver.id, Person())
        for by, value, token in _said_of(driver, person, owned.get(driver.id, ())):
            if _matches_text(by, value, text):
                yield FoundDriver(driver.id, person.name, token, by, value)
                break
    for nobodys in core.tokens.values():
        if nobodys.driver is not None:
            continue
        for by, value, id in _of_token(nobodys):
            if _matches_text(by, value, text):
                yield FoundDriver(None, None, id, by, value)
                break


def _said_of(driver: Driver, person: Person, owned: Iterable[Token]) -> Iterator[tuple[str, str, str | None]]:
    """(Field, value, token) of what a caller may say of himself."""
    for by in ("name", "email", "phone"):
        if value := getattr(person, by):
            yield by, value, None
    yield "driver", driver.id, None
    for token in owned:
        yield from _of_token(token)


def _of_token(token: Token) -> Iterator[tuple[str, str, str | None]]:
    yield "token", token.id, token.id
    if token.visual_number:
        yield "visual number", token.visual_number, token.id


def _matches_text(by: str, value: str, text: str) -> bool:
    if by == "phone":
        said = _digits(text)
        return len(said) >= _DIGITS and said.removeprefix("0") in _digits(value)
    return text in value.casefold()


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdecimal())


async def card(core: Core, request: ShowSupportCard, actor: Actor) -> SupportCard:
    driver, owned = await _meant(core, request.who)
    now = core.clock.now()
    running, over, lately = await _sessions(core, owned)
    return SupportCard(
        driver=None if driver is None else await shown(core, driver),
        tokens=tuple(token_view(standing(core, token), now) for token in owned),
        now=tuple(running),
        last=tuple(over[:_LAST]),
        tries=tuple(await _tries(core, owned)),
        rights=tuple(_rights(core, driver, owned)),
        sessions_30d=len(lately),
        energy_30d_wh=sum(session.energy_wh for session in lately),
    )


async def _meant(core: Core, who: str) -> tuple[Driver | None, Sequence[Token]]:
    """The driver and his tokens, or nobody and a token: by id, else by what is found, where that is one."""
    text = who.strip()
    if (token := named(core, text)) is not None:
        return _holder(core, token)
    try:
        driver = driver_called(core, text)
    except NotFound:
        return _only(core, text, await _found(core, text))
    return driver, tokens_of(core, driver.id)


def _holder(core: Core, token: Token) -> tuple[Driver | None, Sequence[Token]]:
    driver = registered(core).get(token.driver) if token.driver is not None else None
    return (None, (token,)) if driver is None else (driver, tokens_of(core, driver.id))


def _only(core: Core, text: str, found: Sequence[FoundDriver]) -> tuple[Driver | None, Sequence[Token]]:
    if not found:
        raise NotFound(
            f"no driver and no card is known by {text!r}", "try a part of the name, or four digits"
        )
    exact = [hit for hit in found if hit.matched.casefold() == text.casefold()] or found
    if len(exact) > 1:
        several = ", ".join(hit.driver or f"card {hit.token}" for hit in exact[:5])
        raise Conflict(f"{text!r} may be {len(exact)} of them: {several}", f"cms drivers find {text}")
    hit = exact[0]
    if hit.driver is None:
        return None, (core.tokens[(hit.token or "").casefold()],)
    return registered(core)[hit.driver], tokens_of(core, hit.driver)


async def _sessions(
    core: Core, owned: Iterable[Token]
) -> tuple[list[SessionView], list[SessionView], list[SessionView]]:
    """Those that run, those that are over (newest first), and those that began lately."""
    since = core.clock.now() - _LATELY
    running, stored = list[SessionView](), list[SessionView]()
    for token in owned:
        for id in core.active.get(token.id.casefold(), ()):
            running.append(sessions.view(await session_called(core, id)))
        found = await core.store.sessions(ListSessions(token=token.id, limit=_SESSIONS))
        stored += [sessions.view(session) for session in found]
    stored.sort(key=lambda session: session.started_at, reverse=True)
    over = [session for session in stored if session.ended_at is not None]
    return running, over, [session for session in stored if session.started_at >= since]


async def _tries(core: Core, owned: Iterable[Token]) -> list[Try]:
    """Newest first, from the latest that were presented anywhere."""
    names = {name.casefold() for token in owned for name in (token.id, told_as(token))}
    events = await core.store.events_after(None, _LOOKED_THROUGH, type="token.presented")
    his = [event for event in events if str(event.data.get("token")).casefold() in names]
    return [
        Try(
            event.at,
            str(event.data.get("token")),
            event.station or "",
            str(event.data.get("status")),
            event.data.get("rule"),
        )
        for event in his[: -_TRIES - 1 : -1]
    ]


def _rights(core: Core, driver: Driver | None, owned: Iterable[Token]) -> Iterator[Right]:
    """The rules that are about him, in the order in which they are asked."""
    subjects = {("token", token.id.casefold()) for token in owned}
    subjects |= {("group", token.group.casefold()) for token in owned if token.group is not None}
    if driver is not None:
        subjects.add(("driver", driver.id.casefold()))
        subjects |= {("group", group.casefold()) for group in driver.groups}
    rules: list[Rule] = sorted(core.kept.get(access.KIND, {}).values(), key=access.precedence)
    for rule in rules:
        if (rule.kind, rule.subject.casefold()) in subjects:
            yield Right(rule.id, rule.effect, f"{rule.kind} {rule.subject}", says(rule))
