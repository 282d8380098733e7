"""Finds what needs a person: hears what is committed, judges what it touched, tells of alerts.

Nothing waits for it: an event marks its station as touched, and a second later the touched ones are judged by their
state in memory. What time alone makes wrong (a link that stays away, a meter that stands still) is on an agenda.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from cms.contract.events import Event
from cms.contract.openmatters import ListOpenMatters
from cms.contract.refusals import Refusal
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import alerts, findings, tariffs
from cms.domain.alerts import ENDED, KIND, MUTE, OVER, Alert, Finding
from cms.domain.changes import Happened, Keep
from cms.domain.findings import CRITICAL, FLAT, HEARS, HOUR, INFO, MENDS, WARNING, Seen
from cms.operations import openmatters
from cms.operations.alerts import ended, forget_mutes, muted
from cms.operations.expiry import relied_on

log = structlog.get_logger("cms.alerts")

#: Changes are collected so long.
_COLLECT_S = 1.0
_AGAIN_S = 30.0
_POLL_S = 10.0
#: Links that were lost together come due together.
_SLOT_S = 15
#: How long stations may take to come back after our start.
_RETURN = timedelta(minutes=3)
#: How long a station that was registered may take to be there for the first time.
_MOUNTED = timedelta(hours=1)
#: Stations that are judged in one go.
_AT_ONCE = 100
#: Open matters of money are counted this often at most, and once an hour whatever happens.
_MONEY, _MONEY_SOON = timedelta(hours=1), timedelta(minutes=10)
_QUEUE = 50_000

#: Events after which their station is judged anew: what they begin with.
_TOUCHING = (
    "station.", "connector.", "session.started", "session.changed", "session.ended", "session.flagged",
    "firmware.job", "log.job", "publish.job", "problem.", "certificate.", "quarantine.", "intent.changed",
)  # fmt: skip
#: Events after which something of money may be open.
_MONEYED = ("cdr.", "charge.", "invoice.", "bank.", "seller.", "plan.", "billing.", "ledger.", "payment.")
_STRANGERS = ("station.unknown", "station.enrolled", "station.forgotten")
_STRANGER, _OPEN, _CERTIFICATE = "*station", "*money", "*certificate"
_US = Actor("cms", "owner", frozenset())


class Watch:
    """One organisation's eye. ``heard`` marks, ``look`` judges and tells; ``run`` does both for ever."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._board = core.alerts
        self._started = core.clock.now()
        self._touched: set[str] = set()
        self._meters: dict[str, tuple[int, datetime]] = {}
        """Session -> its energy (Wh), and since when it is that."""
        self._came: dict[str, list[datetime]] = {}
        self._booted: dict[str, list[datetime]] = {}
        self._pending: list[tuple[str, Alert]] = []
        """What was told to nobody yet, because the record could not be written."""
        self._awake = asyncio.Event()
        self._money_at = self._started + timedelta(minutes=1)
        self._board.load(core.kept.get(KIND, {}).values())
        for mute in muted(core).values():
            self._board.wake(mute.until, MUTE)
        for thing in self._board.things():
            for finding in self._board.standing(thing):
                if finding.until is not None:
                    self._board.wake(finding.until, thing)
        self._board.wake(self._money_at, _OPEN)

    # ---- hearing

    async def run(self) -> None:
        """Hear and judge, until the daemon ends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear_all())
            group.create_task(self._look_all())

    async def _hear_all(self) -> None:
        """What is committed; where we were too slow, everything may have changed."""
        while True:
            subscription = self._core.bus.subscribe(_QUEUE)
            try:
                self.touch_all()
                async for event in subscription:
                    try:
                        self.hear(event)
                    except Exception:
                        log.exception("an event could not be heard", type=event.type, station=event.station)
            finally:
                subscription.close()

    def touch_all(self) -> None:
        """Everything is to be judged."""
        self._touched.update(self._core.lanes, (_STRANGER, _CERTIFICATE))
        self._awake.set()

    def hear(self, event: Event) -> None:
        """Mark what an event is about; it runs for every event, and must be short."""
        kind = event.type
        if kind == "session.metered":
            self._metered(event)
        elif kind.startswith(_TOUCHING):
            self._touch(event)
        elif kind.startswith(_MONEYED):
            self._money_soon(event.at)

    def _touch(self, event: Event) -> None:
        kind = event.type
        station = (event.station or "").casefold()
        if kind in _STRANGERS:
            self._mark(_STRANGER)
        if kind.startswith("certificate.") and not station:
            self._certificate(event)
        if kind == "session.ended":
            self._meters.pop(event.session or "", None)
        elif kind == "station.connected":
            self._came.setdefault(station, []).append(event.at)
        elif kind == "station.booted":
            self._booted.setdefault(station, []).append(event.at)
        if kind in MENDS:
            self._board.mend(station, MENDS[kind])
        if kind in HEARS and (found := HEARS[kind](event)) is not None:
            self._hear_finding(alerts.thing_of(found), found)
        if station:
            self._mark(station)

    def _hear_finding(self, thing: str, found: Finding) -> None:
        """Heard again it is counted, and began when it was first heard."""
        known = next((one for one in self._board.standing(thing) if one.key == found.key), None)
        self._board.hear(thing, findings.again(known, found))
        if found.until is not None:
            self._board.wake(found.until, thing)

    def _mark(self, thing: str) -> None:
        self._touched.add(thing)
        self._awake.set()

    def _metered(self, event: Event) -> None:
        """A session's meter: it moved, or it stands since a while."""
        energy, session = event.data.get("energy_wh"), event.session
        if session is None or energy is None or event.station is None:
            return
        known = self._meters.get(session)
        if known is not None and known[0] == energy:
            return
        self._meters[session] = (energy, event.at)
        station = event.station.casefold()
        if known is None:
            self._board.wake(event.at + FLAT, station)
        elif self._board.has(f"session.flat|{event.station}|{session}"):
            self._mark(station)

    def _certificate(self, event: Event) -> None:
        """One of ours: its end is told of at a few ages."""
        if event.type != "certificate.expiring":
            return
        data = event.data
        days, name = int(data.get("days", 0)), str(data.get("kind", ""))
        ends = data["not_after"]
        ends = ends if isinstance(ends, datetime) else datetime.fromisoformat(str(ends))
        key = f"certificate.own||{name}"
        severity = CRITICAL if days <= 3 else WARNING if days <= 14 else INFO
        why = f"ends on {ends:%Y-%m-%d}" if days else f"ends or has ended on {ends:%Y-%m-%d}"
        self._board.hear(
            _CERTIFICATE,
            Finding(
                key=key, kind="certificate.own", severity=severity, what=f"our {name} certificate", why=why,
                since=event.at, cause=key, until=event.at + timedelta(days=15), command="cms certificates authorities",
            ),
        )  # fmt: skip
        self._board.wake(event.at + timedelta(days=15), _CERTIFICATE)
        self._mark(_CERTIFICATE)

    def _money_soon(self, at: datetime) -> None:
        """Open matters are counted again a little later, however much happens until then."""
        soon = at + _MONEY_SOON
        if soon < self._money_at:
            self._money_at = soon
            self._board.wake(soon, _OPEN)

    # ---- looking

    async def _look_all(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s()):
                    await self._awake.wait()
            self._awake.clear()
            await asyncio.sleep(_COLLECT_S)
            try:
                await self.look()
            except Exception:
                log.exception("alerts could not be judged; all of it again in a while")
                await asyncio.sleep(_AGAIN_S)
                self.touch_all()

    def _patience_s(self) -> float | None:
        """Until the agenda has something; what waits for the record is tried again."""
        due = self._board.next_due()
        if self._pending:
            return _AGAIN_S
        if due is None:
            return None
        # A demonstration's clock runs faster than the loop: what is due is looked for now and then.
        return min(max(0.0, (due - self._core.clock.now()).total_seconds()), _POLL_S)

    async def look(self) -> None:
        """Judge what was touched or came due, and tell of what that changed."""
        now = self._core.clock.now()
        due = self._board.due(now)
        touched, self._touched = self._touched | due, set()
        if MUTE in touched:
            await forget_mutes(self._core)
        if _STRANGER in touched:
            await self._judge_strangers(now)
        if _OPEN in touched and now >= self._money_at:
            await self._judge_money(now)
        for index, thing in enumerate(touched - {MUTE, _STRANGER, _OPEN}):
            if index and index % _AT_ONCE == 0:
                await asyncio.sleep(0)  # stations do not wait for a long look
            self._board.expire(thing, now)
            if not thing.startswith("*"):
                self._judge(thing, now)
        await self._tell(now)

    def _judge(self, key: str, now: datetime) -> None:
        lane = self._core.lanes.get(key)
        if lane is None:
            self._board.forget(key)
            return
        seen = self._seen(key, lane, now)
        found = findings.of_station(lane.state, seen)
        flaps = findings.flapping(
            lane.state, self._lately(self._came, key, now), self._lately(self._booted, key, now)
        )
        if flaps is not None:
            found.append(flaps)
            self._board.wake(flaps.until or now, key)
        known = {finding.key: finding for finding in self._board.standing(key)}
        self._board.judge(key, [findings.still(known.get(one.key), one) for one in found])

    def _lately(self, told: dict[str, list[datetime]], key: str, now: datetime) -> list[datetime]:
        """The times within the last hour; older ones are forgotten."""
        times = [at for at in told.get(key, ()) if now - at < HOUR]
        if times:
            told[key] = times
        else:
            told.pop(key, None)
        return times

    def _seen(self, key: str, lane: Lane, now: datetime) -> Seen:
        """What the state does not say; what is not wrong yet is looked at again in time."""
        state = lane.state
        online = self._core.stations.link(state.station.id) is not None
        gone = before = False
        if not online:
            seen, registered = state.station.last_seen_at, state.station.enrolled_at or self._started
            last = seen or registered + _MOUNTED
            before = last < self._started
            due = self._gone_at(last)
            gone = now >= due or self._board.stands(key, alerts.OFFLINE)
            if not gone:
                self._board.wake(due, key)
        return Seen(now, online, gone, before, self._flat(key, lane, now), tuple(relied_on(self._core, lane)))

    def _gone_at(self, last: datetime) -> datetime:
        """When a link that was lost then is told of; those of one moment together."""
        patience = timedelta(seconds=self._core.terms.alert_offline_s)
        due = max(last + patience, self._started + _RETURN if last < self._started else last)
        return datetime.fromtimestamp(-(-due.timestamp() // _SLOT_S) * _SLOT_S, due.tzinfo)

    def _flat(self, key: str, lane: Lane, now: datetime) -> dict[str, datetime]:
        """Sessions that charge and whose meter stands still, since when."""
        flat: dict[str, datetime] = {}
        for session in lane.state.sessions.values():
            _, since = self._meters.get(session.id, (0, None))
            if since is None:
                continue
            if now - since < FLAT:
                self._board.wake(since + FLAT, key)
            elif session.last_sample_at is not None and now - session.last_sample_at < FLAT:
                flat[session.id] = since
        return flat

    async def _judge_strangers(self, now: datetime) -> None:
        known = await self._core.store.unknown_stations()
        self._board.judge(_STRANGER, findings.of_strangers(known, now))
        if known:
            self._board.wake(min(one.last_seen for one in known) + findings.HEARD, _STRANGER)

    async def _judge_money(self, now: datetime) -> None:
        """What of money waits for a person."""
        self._money_at = now + _MONEY
        self._board.wake(self._money_at, _OPEN)
        if not self._core.kept.get(tariffs.TARIFF):
            self._board.judge(_OPEN, ())  # nothing has a price: there is nothing to be paid
            return
        try:
            matters = await openmatters.list_(self._core, ListOpenMatters(), _US)
        except (Refusal, StoreDown):
            return
        waiting = [one for one in matters if one.count and one.waits_for == openmatters.PERSON]
        self._board.judge(_OPEN, [findings.of_matter(one, now) for one in waiting])

    # ---- telling

    async def _tell(self, now: datetime) -> None:
        """Write what changed and tell of it; what cannot be written is tried again."""
        core = self._core
        async with core.books:
            self._pending += self._board.settle(now, _sizes(core))
            if not self._pending:
                return
            changes, events = _written(core, self._pending, now)
            try:
                await core.store.commit(changes, events)
            except StoreDown:
                return
            for change in changes:
                of_kind = core.kept.setdefault(change.kind, {})
                of_kind.pop(change.key, None)
                if change.value is not None:
                    of_kind[change.key] = change.value
            self._pending = []


def _sizes(core: Core) -> alerts.StationsAt:
    """How many stations a site has; counted once, when somebody asks."""
    counted: Counter[str | None] = Counter()

    def stations_at(site: str | None) -> int:
        if site is None:
            return len(core.lanes)
        if not counted:
            counted.update(lane.state.station.site for lane in core.lanes.values())
        return counted[site]

    return stations_at


def _written(
    core: Core, told: Sequence[tuple[str, Alert]], now: datetime
) -> tuple[list[Keep], list[Happened]]:
    """As changes of the record and events: each alert as it stands last."""
    changes: list[Keep] = []
    events: list[Happened] = []
    mutes = muted(core)
    over = list(ended(core))
    for word, alert in told:
        view = alerts.view(alert, mutes, now)
        changes.append(Keep("", KIND, alert.id, None if word == OVER else alert, now))
        if word == OVER:
            changes.append(Keep("", ENDED, alert.id, alert, now))
            over.append(alert.id)
        events.append(Happened(word, now, view.station, view.session, data={"alert": view}))
    for id_ in over[: max(0, len(over) - alerts.REMEMBERED)]:
        changes.append(Keep("", ENDED, id_, None, now))
    return changes, events
