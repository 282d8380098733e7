"""What a station's local list should hold, what it holds, and the update that makes the one the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict
from cms.contract.stations import Variable
from cms.contract.tokens import TokenView
from cms.core import Core, Lane
from cms.domain import lists
from cms.domain.lists import Entry, Held, LocalList, SendList, Update
from cms.domain.record import record
from cms.domain.tokens import KINDS, Token
from cms.operations.access_rulings import free
from cms.operations.deciding import settle
from cms.operations.identifying import standing
from cms.operations.tokens import view

#: Characters of a token that a version can say (1.6 IdToken, 2.0.1 and 2.1 IdTokenType).
_LONGEST = {"1.6": 20, "2.0.1": 36, "2.1": 255}

#: What stations tell of their list: entries of one message, bytes of one message, entries of the whole list.
_PER_MESSAGE = ("SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage")
#: So many entries where the station did not tell: about 10 kB, which small stations still hold.
_USUAL = 100
_BYTES = ("LocalAuthListCtrlr.BytesPerMessage",)
_ROOM = ("LocalAuthListMaxLength",)
_ROOM_2 = "LocalAuthListCtrlr.Entries"


@record
class Wanted:
    """All tokens as lists of one choice have them: those good everywhere once, those that are not one by one."""

    everywhere: Mapping[str, Entry]
    limited: Mapping[str, list[Token]]
    """By station without case."""


class Wishes:
    """What lists should hold now; what is the same for many stations is worked out once."""

    def __init__(self, core: Core, now: datetime) -> None:
        self._core = core
        self._now = now
        self._known: dict[tuple[str | None, str], Wanted] = {}
        self._marks: dict[tuple[str | None, str], int] = {}

    def entries(self, station: str, version: str, known: LocalList) -> dict[str, Entry]:
        """By token without case."""
        wanted = self._wanted(known.choice, version)
        entries = dict(wanted.everywhere)
        entries.update(self._limited(station, version, wanted))
        for key in known.without:
            entries.pop(key, None)
        return entries

    def mark(self, station: str, version: str, known: LocalList) -> str:
        """What stands for these entries, without making a list of them."""
        wanted = self._wanted(known.choice, version)
        out = (wanted.everywhere[key] for key in known.without if key in wanted.everywhere)
        out_here = frozenset(known.without)
        limited = self._limited(station, version, wanted)
        kept_in = (entry for key, entry in limited.items() if key not in out_here)
        return lists.spelled(self._mark(known.choice, version) ^ lists.mark(out) ^ lists.mark(kept_in))

    def _mark(self, choice: str | None, version: str) -> int:
        key = (choice, version)
        if key not in self._marks:
            self._marks[key] = lists.mark(self._wanted(choice, version).everywhere.values())
        return self._marks[key]

    def _limited(self, station: str, version: str, wanted: Wanted) -> dict[str, Entry]:
        return dict(self._made(wanted.limited.get(station.casefold(), ()), station, version))

    def _wanted(self, choice: str | None, version: str) -> Wanted:
        key = (choice, version)
        if key not in self._known:
            chosen = self._chosen(choice)
            everywhere = dict(self._made((t for t in chosen if not t.places), "", version))
            self._known[key] = Wanted(everywhere, _by_station(chosen))
        return self._known[key]

    def _chosen(self, choice: str | None) -> list[Token]:
        """Whom rules may refuse is in no list: the station has to ask."""
        if choice == "":
            return []
        tokens = (standing(self._core, token) for token in free(self._core, self._core.tokens.values()))
        if not choice:
            return list(tokens)
        fits = parse(choice, keys_of(TokenView))
        return [token for token in tokens if fits(view(token, self._now))]

    def _made(self, tokens: Iterable[Token], station: str, version: str) -> Iterable[tuple[str, Entry]]:
        longest, by_evse = _LONGEST.get(version, 20), version != "1.6"
        for token in tokens:
            if version == "2.0.1" and token.kind not in KINDS:
                continue  # kinds of anybody's own came with 2.1
            entry = lists.entry(token, station, self._now, longest, by_evse=by_evse)
            if entry is not None:
                yield token.id.casefold(), entry


def _by_station(tokens: Iterable[Token]) -> dict[str, list[Token]]:
    """Tokens that are good at some places, under each station that they are good at."""
    found: dict[str, list[Token]] = {}
    for token in tokens:
        for station in {place.partition(":")[0].casefold() for place in token.places}:
            found.setdefault(station, []).append(token)
    return found


async def plan(core: Core, lane: Lane, order: SendList) -> Update:
    """The update that this station needs now."""
    station = lane.state.station.id
    told = await core.store.variables(station)
    held: Held | None = (await core.store.kept(station, lists.HELD)).get(lists.KEY)
    return _update(core, lane, order, held, told, core.clock.now())


async def prepare(core: Core, lane: Lane, order: SendList) -> SendList:
    """The update as it is sent. From here until its answer the list is unsure: a crash or a lost link shows."""
    update = await plan(core, lane, order)
    async with lane.lock:
        decision = lists.begun(lane.state, core.clock.now())
        await settle(core, lane, decision.state, decision.changes, decision.events)
    return SendList(order.full, update)


def _update(
    core: Core, lane: Lane, order: SendList, held: Held | None, told: list[Variable], now: datetime
) -> Update:
    station, known = lane.state.station, lists.of(lane.state)
    unsorted = Wishes(core, now).entries(station.id, version_of(core, lane), known)
    wanted = {key: unsorted[key] for key in sorted(unsorted)}
    room = _number(told, _ROOM) or _room_2(told)
    if room is not None and len(wanted) > room:
        raise Conflict(
            f"the list of {station.id} takes {room} tokens, and {len(wanted)} should be in it",
            f"choose some: cms lists set {station.id} --tokens FILTER",
        )
    full = order.full or not known.sure or held is None or known.version <= 0
    added, removed = list(wanted.values()), list[Entry]()
    if not full:
        assert held is not None
        added, removed = lists.changes_between(held.entries, wanted)
    return Update(
        full=full,
        version=lists.next_version(known),
        entries=tuple(added),
        removed=tuple(removed),
        whole=tuple(wanted.values()),
        per_message=_number(told, _PER_MESSAGE) or _USUAL,
        bytes_per_message=_number(told, _BYTES),
    )


def version_of(core: Core, lane: Lane) -> str:
    """The OCPP version the station speaks, or spoke; 1.6, which can say least, where nobody knows."""
    link = core.stations.link(lane.state.station.id)
    return (link.ocpp_version if link else lane.state.station.ocpp_version) or "1.6"


def _number(told: list[Variable], names: tuple[str, ...]) -> int | None:
    """The first of these that the station told of as a positive number."""
    known = {v.name.casefold(): v.value for v in told if v.attribute == "Actual"}
    texts = (known.get(name.casefold()) for name in names)
    return next((int(text) for text in texts if text and text.isdecimal() and int(text) > 0), None)


def _room_2(told: list[Variable]) -> int | None:
    """2.x: how many entries fit is the upper limit of the variable that counts them (D01, 2.0.1 Part 2 appendix)."""
    limits = [
        v.max_limit for v in told if v.name.casefold() == _ROOM_2.casefold() and v.max_limit is not None
    ]
    return int(limits[0]) if limits and limits[0] > 0 else None
