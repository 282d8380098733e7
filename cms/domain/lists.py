"""Local authorisation lists: what a station should hold, what it holds, and what makes the one the other (block D).

Each station has its own list and its own versions. The version rises only when the station accepted; whatever else
happens on the way (a refusal, a lost link, a crash) makes the list unsure, and the next update a full one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from cms.domain.changes import Change, Decision, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.observations import Noted, Received
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState
from cms.domain.tokens import Token, places_at, status_at

if TYPE_CHECKING:
    from cms.domain.intents import Intent

#: One record of each kind a station, under this key: the small one is present, the long one only looked at.
KIND, HELD, KEY = "list", "list-held", "list"
#: Versions are positive; 0 means empty and -1 unsupported (1.6 errata 3.52).
_HIGHEST = 2**31 - 1
#: Kinds that are no card or app: a key code is never written down (C04.FR.04), the others are nobody's.
_NEVER = frozenset({"key-code", "no-authorization", "direct-payment"})
#: 1.6: the station's own list and the central system's contradict each other.
CONFLICT = "LocalListConflict"


@record
class Entry:
    """A token as a list has it. ``evses``: only there (2.x)."""

    token: str
    kind: str
    status: str
    group: str | None = None
    expires: datetime | None = None
    evses: tuple[int, ...] = ()


@record
class Update:
    """What is sent. ``full`` replaces the list, else ``entries`` are added or changed and ``removed`` taken out.

    Each message has the next version from ``version`` on, at most ``per_message`` entries and about
    ``bytes_per_message`` bytes. ``whole`` is what the list then holds.
    """

    full: bool
    version: int
    entries: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    whole: tuple[Entry, ...] = ()
    per_message: int | None = None
    bytes_per_message: int | None = None


@record
class SendList(Order):
    """Make a station's list what it should be; all of it anew where ``full`` is asked for.

    The ``update`` is put together when it is sent, not when it is asked for (operations.preparing).
    """

    full: bool = False
    update: Update | None = None


@record
class AskListVersion(Order):
    """GetLocalListVersion: the answer's word is the number."""


@record
class ClearCache(Order):
    """Forget what it learned of tokens from our answers (C11)."""


@record
class LocalList:
    """What we know of one station's list.

    ``choice``: which tokens it should hold: None all, "" none, else a filter of tokens. ``without``: tokens (folded)
    that are kept out because the customer was cleared there (N10.FR.02). ``version`` was accepted last, ``told`` is
    what the station itself said. ``sure``: it holds what ``mark`` stands for. ``supported`` None: nobody knows yet.
    """

    choice: str | None = None
    without: tuple[str, ...] = ()
    version: int = 0
    told: int | None = None
    told_at: datetime | None = None
    sure: bool = False
    supported: bool | None = None
    entries: int = 0
    mark: str = ""
    sent_at: datetime | None = None
    trouble: str | None = None


@record
class Held:
    """The entries that the station accepted last, by token without case."""

    entries: Mapping[str, Entry] = field(default_factory=dict)


def of(state: StationState) -> LocalList:
    """What we know of the station's list."""
    known: LocalList = state.kept_of(KIND).get(KEY) or LocalList()
    return known


def entry(token: Token, station_id: str, now: datetime, longest: int, *, by_evse: bool) -> Entry | None:
    """The token as this station's list has it; None where it does not belong there.

    An expired token, and one too long for the version, is left out; a blocked one is there as blocked. A station
    that cannot be told of EVSEs (1.6) gets no token that is good for some only.
    """
    if token.kind in _NEVER or token.master or len(token.id) > longest or status_at(token, now) == "expired":
        return None
    places = places_at(token, station_id)
    if places is None or (places and not by_evse):
        return None
    status = "blocked" if token.blocked else "accepted"
    return Entry(token.id, token.kind, status, token.group, token.valid_to, places)


def mark(entries: Iterable[Entry]) -> int:
    """A number that stands for these entries, in whatever order: marks of parts add up by exclusive or."""
    whole = 0
    for one in entries:
        whole ^= int.from_bytes(blake2b(_text(one), digest_size=8).digest())
    return whole


def _text(entry: Entry) -> bytes:
    """The same for the same entry, whichever way its instant is held."""
    expires = entry.expires.timestamp() if entry.expires is not None else None
    return repr((entry.token, entry.kind, entry.status, entry.group, expires, entry.evses)).encode()


def spelled(whole: int) -> str:
    return f"{whole:016x}"


def changes_between(
    held: Mapping[str, Entry], wanted: Mapping[str, Entry]
) -> tuple[list[Entry], list[Entry]]:
    """What must be added or changed, and what removed; the spelling of what is removed is the one it was sent in."""
    added = [one for key, one in wanted.items() if held.get(key) != one]
    removed = [one for key, one in held.items() if key not in wanted]
    return added, removed


def next_version(known: LocalList) -> int:
    """Above everything that the station ever accepted or told; round again at the end of its range."""
    following = max(known.version, known.told or 0, 0) + 1
    return following if following < _HIGHEST - 100_000 else 1


def begun(state: StationState, now: datetime) -> Decision:
    """Before anything is sent: until the answer is there nobody knows what the station holds."""
    known = of(state)
    if not known.sure:
        return Decision(Noted(), state)
    return evolve(_kept(state, evolve(known, sure=False), now), events=())


def sent(
    state: StationState, intent: Intent, order: SendList, answer: OrderAnswer, now: datetime
) -> Decision:
    """The answer to SendList. Its word is that of the first message that was not accepted, if any."""
    known = of(state)
    if answer.verdict == "rejected":
        # One that says Failed or VersionMismatch keeps a list.
        supported = answer.word not in _CANNOT
        after = evolve(known, sure=False, supported=supported, trouble=f"the station said {answer.word}")
        return _kept(state, after, now)
    assert order.update is not None, "an update is put together before it is sent"
    version, whole = int(answer.answer["version"]), order.update.whole
    after = evolve(
        known,
        version=version,
        told=version,
        told_at=now,
        sure=True,
        supported=True,
        entries=len(whole),
        mark=spelled(mark(whole)),
        sent_at=now,
        trouble=None,
    )
    decision = _kept(state, after, now)
    held = Keep(state.station.id, HELD, KEY, Held({e.token.casefold(): e for e in whole}), now)
    return evolve(decision, changes=(*decision.changes, held))


_CANNOT = frozenset({"NotSupported", "NotImplemented"})


def version_told(
    state: StationState, intent: Intent, order: AskListVersion, answer: OrderAnswer, now: datetime
) -> Decision:
    """0: it holds nothing; -1: it keeps no list (1.6); another than ours: somebody else changed it (D02)."""
    known, told = of(state), int(answer.word)
    same = told == known.version and known.sure
    after = evolve(
        known,
        told=told,
        told_at=now,
        supported=False if told < 0 else True if told > 0 else known.supported,
        sure=same,
        trouble=None if same or told <= 0 else f"the station has version {told}, not {known.version}",
    )
    return _kept(state, after, now)


def cannot(state: StationState, why: str, now: datetime) -> Decision:
    """The station knows no such message at all (CALLERROR NotImplemented or NotSupported)."""
    return _kept(state, evolve(of(state), supported=False, sure=False, trouble=why), now)


def conflicting(decision: Decision, received: Received) -> Decision:
    """After StatusNotification with LocalListConflict (1.6 section 7.6): the list must be sent anew, in full."""
    after = evolve(of(decision.state), sure=False, trouble="the station reported LocalListConflict")
    more = _kept(decision.state, after, received.at)
    told = Happened("list.conflict", received.at, decision.state.station.id)
    return evolve(
        decision,
        state=more.state,
        changes=decision.changes + more.changes,
        events=(*decision.events, *more.events, told),
    )


def chosen(state: StationState, choice: str | None, now: datetime) -> Decision:
    """Which tokens the list should hold from now on; customers that were cleared there may come back."""
    return _kept(state, evolve(of(state), choice=choice, without=()), now)


def kept_out(state: StationState, token: str, now: datetime) -> Decision:
    """A customer was cleared at the station: the token leaves its list and stays out (N10.FR.02)."""
    known, key = of(state), token.casefold()
    if key in known.without:
        return Decision(Noted(), state)
    return _kept(state, evolve(known, without=(*known.without, key)[-_OUT:]), now)


#: So many cleared customers of a station are remembered.
_OUT = 1_000


def _kept(state: StationState, after: LocalList, now: datetime) -> Decision:
    station = state.station.id
    changes: tuple[Change, ...] = (Keep(station, KIND, KEY, after, now),)
    data = {"version": after.version, "sure": after.sure, "entries": after.entries, "trouble": after.trouble}
    told = Happened("list.changed", now, station, data=data)
    return Decision(Noted(), state.keeping(KIND, KEY, after), changes, (told,))
