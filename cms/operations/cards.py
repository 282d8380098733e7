"""Unknown cards: the inbox of those that were presented, learning the next one, and who tries card numbers (T6)."""

from __future__ import annotations

from datetime import timedelta

from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound, Refusal
from cms.contract.tokens import (
    AddToken,
    EnrolCard,
    ForgetUnknownCard,
    LearningView,
    LearnToken,
    ListUnknownCards,
    ShowLearning,
    StopLearning,
    TokenView,
    UnknownCardView,
)
from cms.core import Actor, Core, StoreDown
from cms.domain import cards
from cms.domain.cards import UnknownCard
from cms.domain.changes import Change, Happened, Keep
from cms.domain.observations import TokenRef
from cms.operations import drivers, tokens
from cms.operations.deciding import keep
from cms.operations.identifying import named
from cms.sightings import MOST_STRANGERS, Learning

_LONGEST_WAIT_S = 3600.0


# What stations present


def noticed(core: Core, presented: TokenRef, station: str, evse: int | None = None) -> None:
    """A card that nobody registered was presented: noted beside the answer, which does not wait for it."""
    if cards.worth_keeping(presented):
        core.spawn(_note(core, presented, station, evse))


async def _note(core: Core, presented: TokenRef, station: str, evse: int | None) -> None:
    now, key = core.clock.now(), presented.id.casefold()
    tried = core.sightings.stranger(station.casefold(), key, now)
    learning = core.sightings.learns(station.casefold(), now)
    try:
        async with core.books:
            inbox = core.kept.get(cards.KIND, {})
            card = cards.presented_again(inbox.get(key), presented, station, evse, now)
            data = {"token": card.token, "kind": card.kind, "count": card.count}
            events = [Happened("token.unknown", now, station, data=data)]
            if tried >= MOST_STRANGERS:
                events.append(Happened("token.enumeration", now, station, data={"cards": tried}))
            await _write(core, key, card, events)
        if learning is not None and named(core, presented.id) is None:
            await _learned(core, learning, card)
    except StoreDown:
        return  # the card will be presented again


async def _write(core: Core, key: str, card: UnknownCard, events: list[Happened]) -> None:
    """Keep the card as the youngest; of too many the oldest goes. ``core.books`` is held by the caller."""
    inbox = core.kept.setdefault(cards.KIND, {})
    gone = [known for known in inbox if known != key][: max(0, len(inbox) - cards.MOST + (key not in inbox))]
    changes: list[Change] = [Keep("", cards.KIND, key, card, card.last_at)]
    changes += [Keep("", cards.KIND, old, None, card.last_at) for old in gone]
    await core.store.commit(changes, events)
    for old in (key, *gone):
        inbox.pop(old, None)
    inbox[key] = card


async def _learned(core: Core, learning: Learning, card: UnknownCard) -> None:
    learning.learned, learning.kind = card.token, card.kind
    if learning.enrol:
        request = EnrolCard(card.token, driver=learning.driver, group=learning.group)
        try:
            await enrol(core, request, learning.actor)
        except Refusal:
            learning.enrol = False  # his driver has gone meanwhile: somebody looks at the inbox
    data = {"token": card.token, "kind": card.kind, "driver": learning.driver, "enrolled": learning.enrol}
    told = Happened("token.learned", core.clock.now(), card.station, actor=learning.actor.name, data=data)
    await core.store.commit((), (told,))


# The inbox


async def list_(core: Core, request: ListUnknownCards, actor: Actor) -> list[UnknownCardView]:
    chosen = parse(request.filter or "", keys_of(UnknownCardView))
    station = core.lane(request.station).state.station.id if request.station else None
    views = [view(card) for card in reversed(core.kept.get(cards.KIND, {}).values())]
    return [card for card in views if station in (None, card.station) and chosen(card)]


def view(card: UnknownCard) -> UnknownCardView:
    return UnknownCardView(
        card.token, card.kind, card.station, card.evse, card.first_at, card.last_at, card.count
    )


def _find(core: Core, token: str) -> UnknownCard:
    card: UnknownCard | None = core.kept.get(cards.KIND, {}).get(token.casefold())
    if card is None:
        raise NotFound(f"no unknown card {token} was presented lately", "cms tokens unknown")
    return card


async def enrol(core: Core, request: EnrolCard, actor: Actor) -> TokenView:
    card = _find(core, request.token)
    asked = AddToken(
        card.token,
        kind=request.kind or card.kind,
        driver=request.driver,
        group=request.group,
        valid_to=request.valid_to,
        visual_number=request.visual_number,
        max_sessions=request.max_sessions,
    )
    added = await tokens.add(core, asked, actor)
    async with core.books:
        await keep(core, cards.KIND, card.token.casefold(), None)
    return added


async def forget(core: Core, request: ForgetUnknownCard, actor: Actor) -> None:
    card = _find(core, request.token)
    async with core.books:
        await keep(core, cards.KIND, card.token.casefold(), None)


# Learning


async def learn(core: Core, request: LearnToken, actor: Actor) -> LearningView:
    if not 0 < request.timeout_s <= _LONGEST_WAIT_S:
        raise Invalid(
            f"a station waits for a card for up to {_LONGEST_WAIT_S:.0f} s, not {request.timeout_s:g}"
        )
    station = core.lane(request.station).state.station.id
    now = core.clock.now()
    waits = core.sightings.learns(station.casefold(), now)
    if waits is not None and waits.actor.name != actor.name:
        raise Conflict(f"{waits.actor.name} waits for a card at {station} until {waits.until:%H:%M:%S} UTC")
    learning = Learning(
        station,
        now + timedelta(seconds=request.timeout_s),
        actor,
        await drivers.owner(core, request.driver, actor),
        request.group,
        request.enrol,
    )
    core.sightings.learning[station.casefold()] = learning
    data = {"until": learning.until, "driver": learning.driver, "enrol": request.enrol}
    await core.store.commit((), (Happened("token.learning", now, station, actor=actor.name, data=data),))
    return _learning_view(core, learning)


async def show_learning(core: Core, request: ShowLearning, actor: Actor) -> LearningView:
    return _learning_view(core, _learning(core, request.station))


async def stop_learning(core: Core, request: StopLearning, actor: Actor) -> None:
    station = _learning(core, request.station).station
    del core.sightings.learning[station.casefold()]


def _learning(core: Core, station: str) -> Learning:
    id = core.lane(station).state.station.id
    learning = core.sightings.learning.get(id.casefold())
    if learning is None:
        raise NotFound(f"{id} does not wait for a card", f"cms tokens learn --station {id}")
    return learning


def _learning_view(core: Core, learning: Learning) -> LearningView:
    state = "waiting" if core.clock.now() < learning.until else "over"
    if learning.learned is not None:
        state = "enrolled" if learning.enrol else "learned"
    return LearningView(
        learning.station, state, learning.until, learning.driver, learning.learned, learning.kind
    )
