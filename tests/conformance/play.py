"""One run of a scenario: its stations, its names, and the steps one after the other.

The verbs are in tests.conformance.verbs; this is what they act upon.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import yaml

from cms.contract.refusals import Conflict, Refusal
from tests.conformance.house import House
from tests.conformance.language import FIXTURE, Mistaken, Scope, chosen, shown
from tests.conformance.scenario import Case
from tests.conformance.wire import CALL, Watch, Wire, basic
from tests.schemas import check

PASSWORD: Final = "conformance-password-1"
#: Deadline of one wait, seconds.
PATIENCE_S: Final = 5.0
#: Between two looks at something that is about to become true, seconds.
LOOK_AGAIN_S: Final = 0.02
#: Deadline of a whole scenario, seconds.
SCENARIO_S: Final = 60.0

#: Identity of a station of each version; its letter (but for A) and the scenario's number follow.
IDENTITIES: Final = {"1.6": "CP16", "2.0.1": "CS201", "2.1": "CS21"}

_LATER = (datetime.now(UTC) + timedelta(days=300)).isoformat()
_PAST = (datetime.now(UTC) - timedelta(days=3)).isoformat()

#: Tokens that a scenario may name; those that it names are registered for it. TAG_NONE is nobody's.
TOKENS: Final[dict[str, dict[str, Any]]] = {
    "TAG_OK": {"group": "GRP1", "valid_to": _LATER},
    "TAG_OK2": {"group": "GRP1"},
    "TAG_SOLO": {},
    "TAG_BLOCKED": {"blocked": "lost"},
    "TAG_EXPIRED": {"valid_to": _PAST},
    "TAG_ONE": {"max_sessions": 1},
    "PIN_4711": {"kind": "key-code"},
    "EMAID_OK": {"kind": "emaid"},
}


class Unmet(AssertionError):
    """What came is not what the scenario expects."""


@dataclass
class Station:
    """A station of a scenario: who it is, and its connection."""

    letter: str
    identity: str
    version: str
    wire: Wire
    password: str = PASSWORD
    last_call: list[Any] = field(default_factory=list)
    #: Message ids of calls whose answers are looked at later.
    later: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a request: its answer, or the refusal."""

    answer: Any = None
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Step:
    """One step: the verb, what it is given, and what else was written beside it."""

    verb: str
    value: Any
    more: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.more.get(name)


Verb = Callable[["Play", Step], Awaitable[None]]
#: Verbs: name, what it does, what may stand beside it.
Rows = tuple[tuple[str, Verb, set[str]], ...]


class Play:
    """The state of one run."""

    def __init__(self, case: Case, house: House, perform: Callable[[Play, Any], Awaitable[None]]) -> None:
        self.case = case
        self.house = house
        self._perform = perform
        self.watch: Watch = house.watch
        self.watch.exchange, self.watch.faults = [], []
        self.scope = Scope(case.version, f"-{next(house.numbers):x}")
        self.stations: dict[str, Station] = {}
        self.orders: dict[str, asyncio.Task[Outcome]] = {}
        self._ids = itertools.count(1)

    def message_id(self) -> str:
        return f"m{next(self._ids)}"

    # before the first step

    async def set_up(self) -> None:
        """Tokens, stations, connections."""
        scenario, version = self.case.scenario, self.case.version
        await self._register_tokens(chosen(scenario.tokens, version))
        for letter, told in {"A": {}, **chosen(scenario.stations, version)}.items():
            station = self.introduce(letter, dict(told))
            await self._bring(station, dict(told))

    async def _register_tokens(self, extra: Mapping[str, dict[str, Any]]) -> None:
        scenario = self.case.scenario
        named = set(FIXTURE.findall(yaml.safe_dump([scenario.steps, scenario.auto]))) & TOKENS.keys()
        for name, told in {**{name: TOKENS[name] for name in sorted(named)}, **extra}.items():
            fields = self.scope.fill({"token": name, **told})
            blocked = fields.pop("blocked", None)
            if "driver" in fields:
                with suppress(Conflict):
                    await self.house.ask("AddDriver", {"driver": fields["driver"]})
            await self.house.ask("AddToken", fields)
            if blocked:
                await self.house.ask("BlockToken", {"token": fields["token"], "reason": blocked})

    def introduce(self, letter: str, told: dict[str, Any]) -> Station:
        """A station by its letter; nothing is registered or connected yet."""
        version = str(told.get("version", self.case.version))
        mark = "" if letter == "A" else letter
        identity = told.get("identity", f"{IDENTITIES[version]}{mark}") + self.scope.suffix
        if twin := told.get("twin"):
            identity = self.stations[twin].identity
        wire = Wire(letter, version, self.watch)
        wire.auto = self.scope.fill(chosen(self.case.scenario.auto, self.case.version))
        station = Station(letter, identity, version, wire, self.scope.fill(told.get("password", PASSWORD)))
        self.stations[letter] = station
        self.scope.names[letter] = identity
        return station

    async def _bring(self, station: Station, told: dict[str, Any]) -> None:
        """As far as it is said to be: unknown, registered, connected, booted."""
        link = told.pop("link", self.case.scenario.link)
        if link == "unknown" or "twin" in told:
            return
        fields = {key: value for key, value in told.items() if key not in ("version", "identity")}
        await self.house.ask(
            "AddStation",
            {"station": station.identity, "password": station.password, **self.scope.fill(fields)},
        )
        if link == "registered":
            return
        await self.connect(station)
        if link == "booted":
            await self.step({"boot": None, "by": station.letter})

    async def connect(self, station: Station, **options: Any) -> None:
        """Connect as it should: its own name and password, its version."""
        headers = {"Authorization": basic(station.identity, station.password)}
        url = f"{self.house.url}/{quote(station.identity, safe='')}"
        await station.wire.connect(url, headers, [f"ocpp{station.version}"], **options)

    # the steps

    async def steps(self, steps: list[Any]) -> None:
        for raw in steps:
            await self.step(raw)

    async def step(self, raw: Any) -> None:
        """Do one step; what the central system did wrong meanwhile counts against it."""
        await self._perform(self, raw)
        if self.watch.faults:
            raise Unmet("; ".join(self.watch.faults))

    def station(self, step: Step) -> Station:
        letter = self.scope.text(step["by"] or "A")
        if letter not in self.stations:
            raise Mistaken(f"there is no station {letter}")
        return self.stations[letter]

    def require(self, differences: list[str]) -> None:
        if differences:
            raise Unmet("; ".join(differences))

    async def fence(self, station: Station) -> None:
        """Until the station's Heartbeat is answered: whatever was said before it has been dealt with."""
        id = self.message_id()
        await station.wire.call("Heartbeat", {}, id)
        await station.wire.take(lambda frame: frame[0] != CALL and frame[1] == id, PATIENCE_S)

    def background(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Ask while the scenario goes on; ``outcome`` waits for the answer."""

        async def asked() -> Outcome:
            try:
                return Outcome(await work)
            except Refusal as refusal:
                return Outcome(refusal=refusal)

        self.orders[name] = asyncio.create_task(asked())

    async def outcome(self, name: str, deadline_s: float = PATIENCE_S) -> Outcome:
        if name not in self.orders:
            raise Mistaken(f"no order {name!r} was given; there are: {', '.join(self.orders) or 'none'}")
        try:
            outcome = await asyncio.wait_for(asyncio.shield(self.orders[name]), deadline_s)
        except TimeoutError:
            raise Unmet(f"the order {name!r} was not answered within {deadline_s:g} s") from None
        for station in self.stations.values():
            station.wire.outstanding = None  # answered, or given up: the next may come
        return outcome

    async def tear_down(self) -> None:
        self.house.unlock_storage()
        for station in self.stations.values():
            await station.wire.close()
        for task in self.orders.values():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def valid(version: str, action: str, payload: Any, *, response: bool = False) -> None:
    """Raise Mistaken when a payload that we are about to say is not what the schema allows."""
    with suppress(FileNotFoundError):
        try:
            check(version, action, payload, response=response)
        except AssertionError as error:
            raise Mistaken(f"{error} (say `invalid: true` when that is meant)") from None


def report(play: Play, raw: Any, error: BaseException) -> str:
    """What a person needs to see why it failed: the step, what was expected, the exchange so far."""
    case = play.case
    written = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=100).strip()
    exchange = play.watch.exchange[-40:]
    what = str(error) or type(error).__name__
    if not isinstance(error, AssertionError | Mistaken | Refusal):
        what = f"{type(error).__name__}: {what}"
    names = {key: value for key, value in play.scope.names.items() if not isinstance(value, dict | list)}
    return "\n".join(
        [
            f"{case}: {case.scenario.title}",
            f"  {what}",
            "at the step",
            *(f"  {line}" for line in written.splitlines()[:30]),
            "after",
            *(f"  {line}" for line in exchange),
            f"with {shown(names)}",
        ]
    )


def words(line: str) -> list[str]:
    """A command line's words; double quotes hold spaces."""
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def listed(value: Any) -> list[Any]:
    """One value, or several, as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]
