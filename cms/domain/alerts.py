"""What needs a person: findings become alerts, and findings with one cause become one alert. Pure.

A finding is one thing that is wrong. Most are seen in a state (domain.findings) and are over when the state says so;
some are only heard of (a security event) and are over by themselves at an instant. The board holds what is open.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from cms.contract.alerts import SEVERITIES, AlertMember, AlertNote, AlertView
from cms.domain.evolve import evolve
from cms.domain.record import record

KIND, ENDED, MUTE = "alert", "alert-ended", "alert-mute"
#: Alerts that are over and are remembered; members of one that are written down; notes of one; members told.
REMEMBERED, WRITTEN, MOST_NOTES, TOLD = 500, 200, 50, 10

OFFLINE = "station.offline"
#: Stations that lose their links so close together have one cause.
_CLOSE = timedelta(seconds=5)
#: An alert with more members than are told is told of this often at most: in a large fleet a station comes or goes
#: every second, and each time all of them would be written down.
_SELDOM = timedelta(seconds=10)
#: What is on the agenda for it.
_LATER = "*later"
#: A burst on the whole fleet rather than on sites: so many stations, of so many sites, such a part of all.
_FLEET_STATIONS, _FLEET_SITES, _FLEET_PART = 10, 3, 20
#: So many stations of a site at once are a critical matter, whether somebody charges there or not.
_MANY = 3


@record
class Finding:
    """One thing that is wrong. ``key`` is its own; findings of one ``cause`` are one alert.

    ``count``: how often it happened. ``until``: it was only heard of, and is over then. ``quiet``: its station is out
    of operation on purpose. ``running``: sessions at its station.
    """

    key: str
    kind: str
    severity: str
    what: str
    why: str
    since: datetime
    cause: str
    station: str | None = None
    site: str | None = None
    evse: int | None = None
    connector: int | None = None
    session: str | None = None
    count: int = 1
    until: datetime | None = None
    quiet: bool = False
    running: int = 0
    command: str | None = None


@record
class Alert:
    """An open trouble, or one that is over. ``until`` is the ``since`` of its latest member."""

    id: str
    kind: str
    severity: str
    cause: str
    what: str
    why: str
    since: datetime
    until: datetime
    count: int
    changed_at: datetime
    members: tuple[Finding, ...] = ()
    acknowledged_by: str | None = None
    claimed_by: str | None = None
    notes: tuple[AlertNote, ...] = ()
    ended_at: datetime | None = None
    most: int = 0
    """How many had it when it was at its worst, and how that was told: what is remembered of it."""
    most_what: str = ""
    most_why: str = ""


@record
class Mute:
    """``alert`` is quiet until then; or all of a ``kind`` at a ``station`` or ``site``, as far as they are named."""

    id: str
    until: datetime
    by: str
    at: datetime
    alert: str | None = None
    kind: str | None = None
    station: str | None = None
    site: str | None = None
    reason: str | None = None

    def fits(self, alert: Alert) -> bool:
        """Whether it keeps this alert quiet: a group as a whole or not at all."""
        if self.alert is not None:
            return self.alert == alert.id
        return (
            self.kind in (None, alert.kind)
            and (self.station is None or all(_same(m.station, self.station) for m in alert.members))
            and (self.site is None or all(_same(m.site, self.site) for m in alert.members))
        )


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()


StationsAt = Callable[[str | None], int]
"""How many stations a site has; of None: all there are."""

RAISED, CHANGED, OVER = "alert.raised", "alert.changed", "alert.ended"


class Board:
    """What is open, by alert, by finding and by thing; and what changed since somebody asked."""

    def __init__(self) -> None:
        self.open: dict[str, Alert] = {}
        self._members: dict[str, dict[str, Finding]] = {}
        self._alert_of: dict[str, str] = {}
        self._keys_of: dict[str, set[str]] = {}
        self._by_cause: dict[str, list[str]] = {}
        self._fresh: dict[str, Finding] = {}
        self._touched: set[str] = set()
        self._agenda: list[tuple[datetime, str]] = []
        self._on_agenda: set[tuple[datetime, str]] = set()

    # ---- the agenda

    def wake(self, when: datetime, thing: str) -> None:
        """Look at a thing again at an instant."""
        if (when, thing) not in self._on_agenda:
            self._on_agenda.add((when, thing))
            heapq.heappush(self._agenda, (when, thing))

    def next_due(self) -> datetime | None:
        """When something is to be looked at next."""
        return self._agenda[0][0] if self._agenda else None

    def due(self, now: datetime) -> set[str]:
        """What is to be looked at by now; it is taken off the agenda."""
        found: set[str] = set()
        while self._agenda and self._agenda[0][0] <= now:
            entry = heapq.heappop(self._agenda)
            self._on_agenda.discard(entry)
            found.add(entry[1])
        return found

    # ---- findings

    def load(self, alerts: Iterable[Alert]) -> None:
        """What was open when we stopped; what does not stand any more is over when its thing is judged."""
        for alert in alerts:
            self.open[alert.id] = alert
            self._by_cause.setdefault(alert.cause, []).append(alert.id)
            self._members[alert.id] = {}
            for finding in alert.members:
                self._put(alert.id, finding)

    def things(self) -> list[str]:
        """All things with which something is wrong."""
        return list(self._keys_of)

    def has(self, key: str) -> bool:
        """Whether a finding is open."""
        return key in self._alert_of or key in self._fresh

    def stands(self, thing: str, kind: str) -> bool:
        """Whether a thing is known to be wrong in this way."""
        return any(finding.kind == kind for finding in self.standing(thing))

    def standing(self, thing: str) -> list[Finding]:
        """What is known to be wrong with a thing."""
        return [self._finding(key) for key in self._keys_of.get(thing, ())]

    def judge(self, thing: str, findings: Iterable[Finding]) -> None:
        """What is wrong with a thing by its state; what was and is not named is over."""
        named = {finding.key: finding for finding in findings}
        for key in list(self._keys_of.get(thing, ())):
            if key not in named and self._finding(key).until is None:
                self._drop(thing, key)
        for finding in named.values():
            self.hear(thing, finding)

    def hear(self, thing: str, finding: Finding) -> None:
        """One thing that is wrong; heard again it may say more."""
        self._keys_of.setdefault(thing, set()).add(finding.key)
        id_ = self._alert_of.get(finding.key)
        if id_ is None:
            # Not in an alert yet: the next settlement finds one for it.
            self._fresh[finding.key] = finding
        elif self._members[id_][finding.key] != finding:
            self._members[id_][finding.key] = finding
            self._touched.add(id_)

    def mend(self, thing: str, kind: str) -> None:
        """A thing is not wrong in this way any more."""
        for finding in self.standing(thing):
            if finding.kind == kind:
                self._drop(thing, finding.key)

    def forget(self, thing: str) -> None:
        """A thing is not there any more."""
        for finding in self.standing(thing):
            self._drop(thing, finding.key)

    def expire(self, thing: str, now: datetime) -> None:
        """What was only heard of is over after its time."""
        for finding in self.standing(thing):
            if finding.until is not None and finding.until <= now:
                self._drop(thing, finding.key)

    def _finding(self, key: str) -> Finding:
        found = self._fresh.get(key)
        return found if found is not None else self._members[self._alert_of[key]][key]

    def _put(self, id_: str, finding: Finding) -> None:
        self._members[id_][finding.key] = finding
        self._alert_of[finding.key] = id_
        self._keys_of.setdefault(thing_of(finding), set()).add(finding.key)

    def _drop(self, thing: str, key: str) -> None:
        keys = self._keys_of[thing]
        keys.discard(key)
        if not keys:
            del self._keys_of[thing]
        if self._fresh.pop(key, None) is None:
            id_ = self._alert_of.pop(key)
            del self._members[id_][key]
            self._touched.add(id_)

    # ---- alerts

    def settle(self, now: datetime, stations_at: StationsAt) -> list[tuple[str, Alert]]:
        """Make alerts of what was found since; answers those that were raised, changed or are over."""
        fresh, self._fresh = list(self._fresh.values()), {}
        raised: set[str] = set()
        for finding in fresh:
            if (id_ := self._joined(finding)) is not None:
                self._join(id_, finding)
        for group in _groups([f for f in fresh if f.key not in self._alert_of], stations_at):
            raised.add(self._raise(group, now))
        later = {id_ for id_ in self._touched - raised if self._waits(id_, now)}
        told = [
            self._turned(id_, id_ in raised, now, stations_at)
            for id_ in sorted((raised | self._touched) - later)
        ]
        self._touched = later
        return told

    def _waits(self, id_: str, now: datetime) -> bool:
        """Whether a large alert was told of a moment ago; then it is on the agenda."""
        due = self.open[id_].changed_at + _SELDOM
        if len(self._members[id_]) <= TOLD or now >= due:
            return False
        self.wake(due, _LATER)
        return True

    def _joined(self, finding: Finding) -> str | None:
        """The open alert that this belongs to."""
        for cause in (finding.cause, f"{OFFLINE}|*") if finding.kind == OFFLINE else (finding.cause,):
            for id_ in self._by_cause.get(cause, ()):
                alert = self.open[id_]
                if alert.kind != OFFLINE or alert.since - _CLOSE <= finding.since <= alert.until + _CLOSE:
                    return id_
        return None

    def _join(self, id_: str, finding: Finding) -> None:
        """A further member: whoever saw the alert did not see this."""
        alert = self.open[id_]
        self._put(id_, finding)
        until = max(alert.until, finding.since)
        self.open[id_] = evolve(alert, until=until, acknowledged_by=None)
        self._touched.add(id_)

    def _raise(self, group: tuple[str, list[Finding]], now: datetime) -> str:
        cause, findings = group
        since = min(finding.since for finding in findings)
        until = max(finding.since for finding in findings)
        first = findings[0]
        id_ = hashlib.sha256(f"{cause}|{since.isoformat()}".encode()).hexdigest()[:8]
        self.open[id_] = Alert(
            id_, first.kind, first.severity, cause, first.what, first.why, since, until, 0, now
        )
        self._by_cause.setdefault(cause, []).append(id_)
        self._members.setdefault(id_, {})
        for finding in findings:
            self._put(id_, finding)
        return id_

    def _turned(self, id_: str, raised: bool, now: datetime, stations_at: StationsAt) -> tuple[str, Alert]:
        alert, members = self.open[id_], list(self._members[id_].values())
        if not members:
            self._end(id_)
            worst = {"what": alert.most_what, "why": alert.most_why, "count": alert.most}
            return OVER, evolve(alert, ended_at=now, changed_at=now, **worst)
        what, why = told_of(alert.kind, members, stations_at)
        alert = evolve(
            alert,
            severity=_gravest(alert.kind, members),
            what=what,
            why=why,
            count=len(members) if len(members) > 1 else members[0].count,
            members=tuple(members[:WRITTEN]),
            changed_at=now,
        )
        if alert.count >= alert.most:
            alert = evolve(alert, most=alert.count, most_what=what, most_why=why)
        self.open[id_] = alert
        return (RAISED if raised else CHANGED), alert

    def _end(self, id_: str) -> None:
        alert = self.open.pop(id_)
        del self._members[id_]
        self._by_cause[alert.cause].remove(id_)
        if not self._by_cause[alert.cause]:
            del self._by_cause[alert.cause]

    def members(self, id_: str) -> list[Finding]:
        """All that have the trouble, the first first."""
        found = self._members.get(id_)
        return sorted(found.values(), key=lambda f: (f.since, f.what)) if found else []


def thing_of(finding: Finding) -> str:
    """Under which thing a finding is judged: its station, or its kind where it has none."""
    return finding.station.casefold() if finding.station else f"*{finding.kind.partition('.')[0]}"


# Grouping


def _groups(findings: list[Finding], stations_at: StationsAt) -> list[tuple[str, list[Finding]]]:
    """Findings by cause; lost links by what was lost together."""
    by_cause: dict[str, list[Finding]] = {}
    lost = [finding for finding in findings if finding.kind == OFFLINE]
    for finding in findings:
        if finding.kind != OFFLINE:
            by_cause.setdefault(finding.cause, []).append(finding)
    groups = list(by_cause.items())
    for burst in _bursts(lost):
        groups += _by_scope(burst, stations_at)
    return groups


def _bursts(lost: list[Finding]) -> list[list[Finding]]:
    """Links that were lost one shortly after the other."""
    bursts: list[list[Finding]] = []
    for finding in sorted(lost, key=lambda f: f.since):
        if bursts and finding.since - bursts[-1][-1].since <= _CLOSE:
            bursts[-1].append(finding)
        else:
            bursts.append([finding])
    return bursts


def _by_scope(burst: list[Finding], stations_at: StationsAt) -> list[tuple[str, list[Finding]]]:
    """One for the fleet where much of it is gone at once; otherwise one for each site."""
    sites = {finding.site for finding in burst}
    part = stations_at(None) // _FLEET_PART
    if len(sites) >= _FLEET_SITES and len(burst) >= max(_FLEET_STATIONS, part):
        return [(f"{OFFLINE}|*", burst)]
    by_cause: dict[str, list[Finding]] = {}
    for finding in burst:
        by_cause.setdefault(finding.cause, []).append(finding)
    return list(by_cause.items())


def _gravest(kind: str, members: list[Finding]) -> str:
    if kind == OFFLINE and len(members) >= _MANY:
        return SEVERITIES[0]
    return min((finding.severity for finding in members), key=SEVERITIES.index)


# Words

#: Kind -> what several of them are called, and what is said of them together.
_MANY_OF: dict[str, tuple[str, str]] = {
    "connector.faulted": ("connectors", "{why}: one cause"),
    "station.never": ("stations", "have never connected"),
    "station.unknown": ("unknown stations", "knock and are not enrolled"),
    "certificate.expiring": ("certificates", "end soon, the first: {what}"),
}


def told_of(kind: str, members: list[Finding], stations_at: StationsAt) -> tuple[str, str]:
    """What an alert is about, and why, in words."""
    first = min(members, key=lambda f: (f.since, f.what))
    if len(members) == 1:
        return first.what, first.why
    if kind == OFFLINE:
        return _lost(members, stations_at)
    noun, why = _MANY_OF.get(kind, ("things", "{why}"))
    stations = {finding.station for finding in members}
    if len(stations) == 1 and first.station is not None:
        return f"{first.station} ({len(members)})", why.format(why=first.why, what=first.what)
    return f"{len(members)} {noun}", why.format(why=first.why, what=first.what)


def _lost(members: list[Finding], stations_at: StationsAt) -> tuple[str, str]:
    """Stations that lost their links together."""
    times = [finding.since for finding in members]
    seconds = max(1, round((max(times) - min(times)).total_seconds()))
    sites = {finding.site for finding in members}
    running = sum(finding.running for finding in members)
    also = f", {running} session{'s' if running > 1 else ''} running" if running else ""
    within = f"lost their link within {seconds} s: one cause{also}"
    if len(sites) == 1 and None not in sites:
        site = members[0].site
        return f"{site}", f"{len(members)} of {stations_at(site)} stations {within}"
    where = f" at {len(sites)} sites" if len(sites) > 1 else ""
    return f"{len(members)} stations", f"{len(members)} of {stations_at(None)} stations{where} {within}"


# What a person does


def state_of(alert: Alert, mute: Mute | None) -> tuple[str, str | None]:
    """How an alert stands, and by whom."""
    if mute is not None:
        return "muted", mute.by
    if alert.members and all(finding.quiet for finding in alert.members):
        return "muted", "maintenance"
    if alert.claimed_by is not None:
        return "claimed", alert.claimed_by
    if alert.acknowledged_by is not None:
        return "acknowledged", alert.acknowledged_by
    return "new", None


def mute_of(alert: Alert, mutes: Mapping[str, Mute], now: datetime) -> Mute | None:
    """What keeps an alert quiet now, the longest."""
    fitting = [mute for mute in mutes.values() if now < mute.until and mute.fits(alert)]
    return max(fitting, key=lambda mute: mute.until, default=None)


def view(
    alert: Alert, mutes: Mapping[str, Mute], now: datetime, members: Iterable[Finding] | None = None
) -> AlertView:
    """The alert as clients see it; with its first members, or with these."""
    mute = mute_of(alert, mutes, now) if alert.ended_at is None else None
    state, by = state_of(alert, mute)
    one = alert.members[0] if len(alert.members) == 1 and alert.count >= 1 else None
    stations = {finding.station for finding in alert.members}
    sites = {finding.site for finding in alert.members}
    told = alert.members[:TOLD] if members is None else members
    running = {finding.station: finding.running for finding in alert.members}
    return AlertView(
        id=alert.id,
        kind=alert.kind,
        severity=alert.severity,
        state=state,
        what=alert.what,
        why=alert.why,
        since=alert.since,
        count=alert.count,
        site=next(iter(sites)) if len(sites) == 1 else None,
        station=next(iter(stations)) if len(stations) == 1 else None,
        evse=one.evse if one else None,
        connector=one.connector if one else None,
        session=one.session if one else None,
        by=by,
        muted_until=mute.until if mute else None,
        changed_at=alert.changed_at,
        ended_at=alert.ended_at,
        notes=alert.notes,
        members=tuple(AlertMember(f.what, f.why, f.since, f.station, f.site, f.session) for f in told),
        command=alert.members[0].command if alert.members else None,
        sessions=sum(running.values()),
    )


def order(one: AlertView) -> tuple[int, float, str]:
    """The gravest first, the latest of them first."""
    return SEVERITIES.index(one.severity), -one.since.timestamp(), one.id
