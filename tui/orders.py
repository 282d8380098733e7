"""The acts: which order a key gives, what must be chosen for it, and the request that asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cms.contract.sessions import StartSession, StopSession
from cms.contract.stations import ChangeAvailability, ResetStation, TriggerMessage, UnlockConnector


@dataclass(frozen=True, slots=True)
class Target:
    """What stands under the cursor. ``plugs`` are the (evse, connector) pairs that one may choose from."""

    station: str
    plug: tuple[int, int] | None = None
    session: str | None = None
    plugs: tuple[tuple[int, int], ...] = ()
    token: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to give an order: its key in the question, its word, its value in the request."""

    key: str
    word: str
    value: str


@dataclass(frozen=True, slots=True)
class Act:
    """An order as a person gives it. ``plug``: no, maybe (0 is the whole station), or must."""

    name: str
    title: str
    build: Callable[[Target, str], Any]
    variants: tuple[Variant, ...] = ()
    plug: str = "no"
    needs_session: bool = False
    needs_token: bool = False


def _reset(target: Target, kind: str) -> ResetStation:
    return ResetStation(station=target.station, kind=kind)


def _unlock(target: Target, _: str) -> UnlockConnector:
    evse, connector = target.plug or (1, 1)
    return UnlockConnector(station=target.station, evse=evse, connector=connector)


def _availability(target: Target, availability: str) -> ChangeAvailability:
    evse, connector = target.plug or (None, None)
    return ChangeAvailability(
        station=target.station, availability=availability, evse=evse, connector=connector
    )


def _trigger(target: Target, message: str) -> TriggerMessage:
    evse, connector = target.plug or (None, None)
    return TriggerMessage(station=target.station, message=message, evse=evse, connector=connector)


def _start(target: Target, _: str) -> StartSession:
    evse, connector = target.plug or (1, 1)
    return StartSession(station=target.station, token=target.token, evse=evse, connector=connector)


def _stop(target: Target, _: str) -> StopSession:
    assert target.session is not None
    return StopSession(session=target.session)


ACTS: dict[str, Act] = {
    "reset": Act(
        "reset", "Reset", _reset, (Variant("s", "soft", "soft"), Variant("h", "hard", "hard"))
    ),
    "unlock": Act("unlock", "Unlock", _unlock, plug="must"),
    "start": Act("start", "Start a session at", _start, plug="must", needs_token=True),
    "stop": Act("stop", "Stop the session at", _stop, needs_session=True),
    "availability": Act(
        "availability",
        "Put",
        _availability,
        (
            Variant("i", "out of operation", "inoperative"),
            Variant("o", "in operation", "operative"),
        ),
        plug="maybe",
    ),
    "trigger": Act(
        "trigger",
        "Trigger a message of",
        _trigger,
        (
            Variant("s", "status", "StatusNotification"),
            Variant("m", "meter values", "MeterValues"),
            Variant("b", "boot", "BootNotification"),
            Variant("h", "heartbeat", "Heartbeat"),
        ),
        plug="maybe",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that is being thought about; every change of it asks the daemon anew what it would do."""

    act: Act
    target: Target
    variant: int = 0
    reason: str = ""
    when_idle: bool = False

    @classmethod
    def of(cls, act: Act, target: Target) -> Draft:
        """The first variant, and the connector under the cursor or the only one there is."""
        if act.plug == "must" and target.plug is None:
            target = replace(target, plug=target.plugs[0] if target.plugs else (1, 1))
        return cls(act, target)

    @property
    def value(self) -> str:
        return self.act.variants[self.variant].value if self.act.variants else ""

    def choose(self, key: str) -> Draft | None:
        """The draft after this key; None when the key chooses nothing."""
        for index, variant in enumerate(self.act.variants):
            if variant.key == key:
                return replace(self, variant=index)
        if not key.isdecimal() or self.act.plug == "no":
            return None
        number = int(key)
        if number == 0 and self.act.plug == "maybe":
            return replace(self, target=replace(self.target, plug=None))
        if 1 <= number <= len(self.target.plugs):
            return replace(self, target=replace(self.target, plug=self.target.plugs[number - 1]))
        return None

    def request(self, *, dry_run: bool) -> Any:
        """The request that gives this order, or that asks what it would do."""
        request = self.act.build(self.target, self.value)
        return replace(request, dry_run=dry_run, reason=self.reason or None, when_idle=self.when_idle)
