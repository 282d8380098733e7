"""The acts: which order a key gives, what must be chosen for it, and the request that asks for it.

Orders to stations are foretold by the daemon (dry run). What we only keep in our own books has no dry run:
such an act foretells itself.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from cms.contract import charging
from cms.contract.intents import Preview
from cms.contract.jobs import GetLog, UpdateFirmware
from cms.contract.refusals import Invalid, Refusal
from cms.contract.sessions import StartSession, StopSession
from cms.contract.stationnotes import AddStationNote
from cms.contract.stations import (
    ChangeAvailability,
    EnrolStation,
    ForgetUnknownStation,
    GetConfiguration,
    ResetStation,
    SetConfiguration,
    TriggerMessage,
    UnlockConnector,
)
from cms.contract.tokens import AddToken, BlockToken, RemoveToken, UnblockToken
from tui.words import plug

#: What names a row of a book, the first that it has.
NAMES_OF_ROWS = ("id", "invoice", "holder", "session", "driver", "line", "who")


@dataclass(frozen=True, slots=True)
class Target:
    """What stands under the cursor. ``plugs`` are the (evse, connector) pairs that one may choose from.

    ``kind``: station, stranger (``station`` is what it calls itself), token, or card (a token that nobody has
    registered). ``variables`` are the names to read (none: all that there are), ``must_name`` where a station wants
    them named; ``variable`` and ``value`` are the one under the cursor.
    """

    station: str
    plug: tuple[int, int] | None = None
    session: str | None = None
    plugs: tuple[tuple[int, int], ...] = ()
    token: str = ""
    kind: str = "station"
    variable: str = ""
    value: str = ""
    variables: tuple[str, ...] = ()
    must_name: bool = False
    row: Any = None
    """The row of a book under the cursor (tui/books); ``kind`` row where it is of no station."""
    now: datetime | None = None
    """The console's time when the act of a book began: what is typed as a duration counts from here."""

    @property
    def subject(self) -> str:
        """What the act is about, by its id."""
        if self.kind == "row":
            named = (getattr(self.row, name, None) for name in NAMES_OF_ROWS)
            return str(next(filter(None, named), self.station))
        return self.token if self.kind in ("token", "card") else self.station


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to give an order: its key in the question, its word, its value in the request."""

    key: str
    word: str
    value: str


@dataclass(frozen=True, slots=True)
class Act:
    """An order as a person gives it. ``plug``: no, maybe (0 is the whole station), or must.

    ``kind`` is the kind of target. ``needs``: what must be typed before the question is put, if it is not
    known: token, value, names, stranger. ``text``: what may be typed in the question, (its key, its name).
    """

    name: str
    title: str
    build: Callable[[Target, str], Any]
    variants: tuple[Variant, ...] = ()
    plug: str = "no"
    needs_session: bool = False
    needs: str = ""
    kind: str = "station"
    text: tuple[str, str] | None = None
    prompt: str = ""
    """What stands before the line that is typed into; a value needs one."""
    foretell: Callable[[Draft], Preview | Refusal] | None = None
    """Says what would happen, where the daemon does not."""


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


def _start_for(target: Target, text: str) -> StartSession:
    station, evse = [*text.split(), "1"][:2] if text.strip() else ("", "1")
    if not station or not evse.isdecimal():
        raise Invalid("type it like this: CP-7 1 (station, EVSE)")
    return StartSession(station=station, token=target.token, evse=int(evse))


def _stop(target: Target, _: str) -> StopSession:
    assert target.session is not None
    return StopSession(session=target.session)


def _read(target: Target, _: str) -> GetConfiguration:
    return GetConfiguration(station=target.station, names=target.variables)


def _write(target: Target, value: str) -> SetConfiguration:
    return SetConfiguration(station=target.station, values={target.variable: value})


_LIMIT = re.compile(r"(?:(\d+)\s*:\s*)?(\d+(?:\.\d)?)\s*(A|W|kW)", re.IGNORECASE)
LIMIT_PROMPT = "limit, e.g. 16A, 11kW, or 2: 16A for EVSE 2:"


def limited(target: Target, text: str) -> charging.SetProfile:
    """``16A`` or ``11kW`` for the whole station, ``2: 16A`` as the default at EVSE 2."""
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise Invalid("type it like this: 16A, 11kW, or 2: 16A for EVSE 2")
    evse, number, unit = int(found[1] or 0), Decimal(found[2]), found[3]
    if unit.casefold() == "kw":
        number, unit = number * 1000, "W"
    schedule = charging.Schedule(unit.upper(), (charging.Period(0, number),))
    purpose = "tx-default" if evse else "station-max"
    profile = charging.Profile(purpose, (schedule,))
    return charging.SetProfile(station=target.station, profile=profile, evse=evse)


def _maintenance(target: Target, availability: str) -> ChangeAvailability:
    """The whole station, wherever the cursor stands."""
    return ChangeAvailability(station=target.station, availability=availability)


def own(level: int, does: str, cli: str, option: str = "") -> Callable[[Draft], Preview]:
    """A preview of our own: how dangerous, what happens, the CLI line and its option for the text."""

    def foretell(draft: Draft) -> Preview:
        text = f" {option} {shlex.quote(draft.text)}" if option and draft.text else ""
        subject = draft.target.subject
        line = f"cms {cli} {shlex.quote(subject)}{text}"
        return Preview(draft.act.name, draft.target.station, level, does, line)

    return foretell


def _noted(draft: Draft) -> Preview | Refusal:
    if not draft.text.strip():
        return Invalid("nothing was typed", "n goes back")
    line = f"cms stations note {shlex.quote(draft.target.station)} {shlex.quote(draft.text)}"
    return Preview(
        draft.act.name, draft.target.station, 0, "it is kept with your name, and not changed", line
    )


ACTS: dict[str, Act] = {
    "reset": Act(
        "reset", "Reset", _reset, (Variant("s", "soft", "soft"), Variant("h", "hard", "hard"))
    ),
    "unlock": Act("unlock", "Unlock", _unlock, plug="must"),
    "start": Act("start", "Start a session at", _start, plug="must", needs="token"),
    "start-for": Act(
        "start-for", "Start for", _start_for, kind="token", needs="value", prompt="STATION EVSE, e.g. CP-7 1:"
    ),
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
    "config-get": Act("config-get", "Read the configuration of", _read, needs="names"),
    "config-set": Act("config-set", "Set", _write, needs="value"),
    "firmware": Act(
        "firmware", "Update the firmware of",
        lambda target, location: UpdateFirmware(station=target.station, location=location.strip()),
        needs="value", prompt="address of the firmware (http, https, ftp, sftp):",
    ),
    "diagnostics": Act(
        "diagnostics", "Fetch the diagnostics of", lambda target, _: GetLog(station=target.station)
    ),
    "limit": Act("limit", "Limit", limited, needs="value", prompt=LIMIT_PROMPT),
    "maintenance": Act(
        "maintenance", "Put", _maintenance,
        (
            Variant("i", "out of operation for maintenance", "inoperative"),
            Variant("o", "back in operation", "operative"),
        ),
    ),
    "note": Act(
        "note", "Write about", lambda target, text: AddStationNote(target.station, text), needs="value",
        prompt="note:", foretell=_noted,
    ),
    "enrol": Act(
        "enrol", "Enrol", lambda target, site: EnrolStation(target.station, site or None),
        kind="stranger", needs="stranger", text=("s", "site"),
        foretell=own(1, "it gets a password of its own, which is shown once", "stations enrol", "--site"),
    ),
    "forget": Act(
        "forget", "Forget", lambda target, _: ForgetUnknownStation(target.station),
        kind="stranger", needs="stranger",
        foretell=own(1, "it is off the list until it knocks again", "stations forget"),
    ),
    "token-add": Act(
        "token-add", "Accept the token", lambda target, driver: AddToken(target.token, driver=driver or None),
        kind="card", needs="token", text=("d", "driver"),
        foretell=own(1, "it may charge from now on", "tokens add", "--driver"),
    ),
    "token-block": Act(
        "token-block", "Block the token", lambda target, reason: BlockToken(target.token, reason or None),
        kind="token", text=("r", "reason"),
        foretell=own(1, "it is refused from now on; a running session goes on", "tokens block", "--reason"),
    ),
    "token-unblock": Act(
        "token-unblock", "Accept the token again",
        lambda target, reason: UnblockToken(target.token, reason or None),
        kind="token", text=("r", "reason"),
        foretell=own(1, "it may charge again from now on", "tokens unblock", "--reason"),
    ),
    "token-remove": Act(
        "token-remove", "Remove the token", lambda target, _: RemoveToken(target.token), kind="token",
        foretell=own(2, "it is unknown from now on; its sessions keep what they were charged with",
                      "tokens remove"),
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
    text: str = ""
    others: tuple[Target, ...] = ()
    """The further targets of an act for all that are marked."""

    @classmethod
    def of(cls, act: Act, target: Target) -> Draft:
        """The first variant, and the connector under the cursor or the only one there is."""
        if act.plug == "must" and target.plug is None:
            target = replace(target, plug=target.plugs[0] if target.plugs else (1, 1))
        return cls(act, target)

    @property
    def value(self) -> str:
        return self.act.variants[self.variant].value if self.act.variants else self.text

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.target, *self.others)

    def each(self) -> list[Draft]:
        """The same for each of its targets alone."""
        return [replace(self, target=target, others=()) for target in self.targets]

    def name_of(self, target: Target) -> str:
        """What one of its targets is called: by its session where the act is about one."""
        return (self.act.needs_session and target.session) or target.subject

    @property
    def confirms(self) -> str:
        """What is typed to confirm the gravest: how many, or the id."""
        return str(len(self.targets)) if self.others else self.target.subject

    def headline(self) -> str:
        """What is asked, as a question."""
        act, target = self.act, self.target
        if self.others:
            return self._headline_of_many()
        if act.name == "config-set":
            return f"Set {target.variable} of {target.station} to {self.text}?"
        where = target.subject
        if target.plug and act.plug != "no":
            where += f" c{plug(*target.plug)}"
        if act.needs == "token" and act.kind == "station":
            where += f" for {target.token}"
        if act.needs_session:
            where += f" ({target.session})"
        if act.needs == "value" and self.text:
            where += f": {self.text}"
        chosen = f" {act.variants[self.variant].word}" if act.variants else ""
        return f"{act.title} {where}{chosen}{', when it is idle' if self.when_idle else ''}?"

    def _headline_of_many(self) -> str:
        act, names = self.act, [self.name_of(target) for target in self.targets]
        what = next((noun for noun in (" the token", " the session at") if noun in act.title), "")
        noun = (
            "sessions"
            if act.needs_session
            else {"station": "stations", "row": "rows"}.get(act.kind, "tokens")
        )
        chosen = f" {act.variants[self.variant].word}" if act.variants else ""
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        typed = f": {self.text}" if act.needs == "value" and self.text else ""
        idle = ", when idle" if self.when_idle else ""
        title = act.title.replace(what, "") if what else act.title
        return f"{title} {len(names):,} {noun}{chosen}{typed}{idle} ({', '.join(names[:3])}{more})?"

    def choose(self, key: str) -> Draft | None:
        """The draft after this key; None when the key chooses nothing."""
        for index, variant in enumerate(self.act.variants):
            if variant.key == key:
                return replace(self, variant=index)
        if not key.isdecimal() or self.act.plug == "no" or self.others:
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
        if self.act.foretell is not None:
            return request
        return replace(request, dry_run=dry_run, reason=self.reason or None, when_idle=self.when_idle)
