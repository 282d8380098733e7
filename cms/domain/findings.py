"""What is wrong with one station, by its state, and what events say that leaves no state behind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from cms.contract.events import Event
from cms.contract.openmatters import OpenMatter
from cms.contract.stations import UnknownStation
from cms.domain import alarms, jobs, problems
from cms.domain.alerts import OFFLINE, Finding
from cms.domain.certificates import Certificate
from cms.domain.connectors import Connector
from cms.domain.evolve import evolve
from cms.domain.problems import Problem
from cms.domain.record import record
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import StationState

CRITICAL, WARNING, INFO = "critical", "warning", "info"

#: A meter that stands still so long while its connector charges is worth a look.
FLAT = timedelta(minutes=15)
#: What was only heard of is over after this long without a repetition.
HEARD = timedelta(hours=24)
REFUSED = timedelta(hours=1)
#: Connections, and boots, of an hour from which on a station flaps.
HOUR = timedelta(hours=1)
CONNECTS, BOOTS = 6, 3
#: A job that failed is of interest so long.
_JOBS = timedelta(days=7)
#: Days before a certificate ends -> how grave that is.
_ENDS = ((3, CRITICAL), (14, WARNING), (30, INFO))
#: What a station tells of one trouble comes within this time.
_TOGETHER = timedelta(minutes=1)
#: Monitors of 2.x: severities (0 danger ... 9 debug) up to which a problem is critical, or a warning.
_PROBLEM_CRITICAL, _PROBLEM_WARNING = 3, 6


@record
class Seen:
    """What the state of a station does not say itself.

    ``gone``: its link has been away long enough to tell of it; ``before``: since before we started. ``flat``: sessions
    whose meter stands still, since when. ``certificates`` it depends on, by what they are for.
    """

    now: datetime
    online: bool
    gone: bool = False
    before: bool = False
    flat: dict[str, datetime] = field(default_factory=dict)
    certificates: Collection[tuple[str, Certificate]] = ()


def of_station(state: StationState, seen: Seen) -> list[Finding]:
    """Everything that is wrong with a station by its state."""
    return [finding for look in _LOOKS for finding in look(state, seen)]


def _make(state: StationState, kind: str, severity: str, why: str, since: datetime, **more: Any) -> Finding:
    """A finding about a station; ``part`` names what of it."""
    station = state.station
    part = more.pop("part", "")
    what = more.pop("what", station.id)
    key = f"{kind}|{station.id}|{part}"
    more.setdefault("cause", key)
    more.setdefault("command", f"cms stations show {station.id}")
    return Finding(
        key=key, kind=kind, severity=severity, what=what, why=why, since=since, station=station.id,
        site=station.site, quiet=out_of_operation(state), running=running(state), **more,
    )  # fmt: skip


def out_of_operation(state: StationState) -> bool:
    """Whether somebody put the whole station out of operation: what goes wrong meanwhile is expected."""
    asked = [connector.requested_availability for connector in state.connectors.values()]
    return bool(asked) and all(one == "inoperative" for one in asked)


def running(state: StationState) -> int:
    """How many sessions run at a station."""
    return sum(session.status in RUNNING for session in state.sessions.values())


def _link(state: StationState, seen: Seen) -> Iterator[Finding]:
    if seen.online or not seen.gone:
        return
    station = state.station
    if station.last_seen_at is None:
        since = station.enrolled_at or seen.now
        yield _make(state, "station.never", INFO, "has never connected", since, cause="station.never")
        return
    busy = running(state)
    why = "did not come back after a restart of the daemon" if seen.before else "lost its link"
    if busy:
        why += f", {busy} session{'s' if busy > 1 else ''} running"
    scope = station.site or station.id
    cause = f"{OFFLINE}|{'restart' if seen.before else 'lost'}|{scope}"
    severity = CRITICAL if busy else WARNING
    yield _make(state, OFFLINE, severity, why, station.last_seen_at, cause=cause)


def _boot(state: StationState, seen: Seen) -> Iterator[Finding]:
    station = state.station
    if seen.online and station.boot_status in ("pending", "rejected"):
        why = f"its boot was answered {station.boot_status}"
        yield _make(state, f"boot.{station.boot_status}", WARNING, why, station.booted_at or seen.now)


def _connectors(state: StationState, seen: Seen) -> Iterator[Finding]:
    """Faults of a station that is there: of one that is gone the last word is old."""
    if not seen.online:
        return
    station = state.station
    for connector in state.connectors.values():
        if connector.status != "faulted":
            continue
        told = [part for part in (connector.error_code, connector.vendor_error_code, connector.info) if part]
        told = told or [problem.name for problem in _explaining(state, connector) if problem.evse]
        code = connector.vendor_error_code or ""
        shared = f"{code}|{connector.error_code}|{station.model}|{station.firmware}"
        own = f"{station.id}|{connector.error_code}"
        plug = f" c{connector.evse}" if connector.evse else ""
        yield _make(
            state, "connector.faulted", CRITICAL, " ".join(["faulted", *told]),
            connector.reported_at or station.last_seen_at or seen.now,
            what=f"{station.id}{plug}", part=f"{connector.evse}.{connector.connector}|{connector.error_code}|{code}",
            cause=f"connector.faulted|{shared if code else own}", evse=connector.evse, connector=connector.connector,
        )  # fmt: skip


def _explaining(state: StationState, connector: Connector) -> Iterator[Problem]:
    """The problems with which a 2.x station says why a connector is faulted: the same trouble, told again."""
    at = connector.reported_at
    for problem in state.kept_of(problems.KIND).values():
        stands = problem.cleared_at is None and problem.monitor is None
        near = at is not None and abs(problem.since - at) <= _TOGETHER
        if stands and near and problem.evse in (None, 0, connector.evse):
            yield problem


def _problems(state: StationState, seen: Seen) -> Iterator[Finding]:
    """What a 2.x station says of itself and did not take back (N07)."""
    faulted = [one for one in state.connectors.values() if one.status == "faulted"] if seen.online else []
    explained = {problem.name for one in faulted for problem in _explaining(state, one)}
    for key, problem in state.kept_of(problems.KIND).items():
        if problem.cleared_at is not None or problem.name in explained:
            continue
        why = " ".join(part for part in (problem.name, problem.value, problem.tech_info) if part)
        yield _make(
            state, "station.problem", _severity(problem.severity), why, problem.since, part=key,
            command=f"cms monitoring problems {state.station.id}",
        )  # fmt: skip


def _severity(told: int | None) -> str:
    if told is None:
        return WARNING
    return CRITICAL if told <= _PROBLEM_CRITICAL else WARNING if told <= _PROBLEM_WARNING else INFO


def _sessions(state: StationState, seen: Seen) -> Iterator[Finding]:
    for session in state.sessions.values():
        heard = session.last_sample_at or session.started_at
        if session.status == "suspect":
            why = ", ".join(["never got a stop", *session.flags])
            yield _of_session(state, session, "session.suspect", WARNING, why, heard)
        elif session.flags:
            yield _of_session(
                state, session, "session.flagged", INFO, ", ".join(session.flags), session.started_at
            )
        if session.id in seen.flat and session.status == "charging":
            why = "its meter stands still while it charges"
            yield _of_session(state, session, "session.flat", WARNING, why, seen.flat[session.id])


def _of_session(
    state: StationState, session: Session, kind: str, severity: str, why: str, since: datetime
) -> Finding:
    plug = f" c{session.evse}" if session.evse else ""
    return _make(
        state, kind, severity, f"{why} ({state.station.id}{plug})", since, part=session.id,
        what=f"session {session.id}", session=session.id, evse=session.evse, connector=session.connector,
        command=f"cms sessions show {session.id}",
    )  # fmt: skip


def _jobs(state: StationState, seen: Seen) -> Iterator[Finding]:
    """The latest job of each kind, where it failed."""
    latest = {job.kind: job for job in state.kept_of(jobs.KIND).values()}
    for kind, job in latest.items():
        at = job.steps[-1].at if job.steps else job.requested_at
        if job.outcome == jobs.FAILED and seen.now - at < _JOBS:
            noun = "logs" if kind == "log" else "firmware"
            why = f"{'log upload' if kind == 'log' else kind} failed: {job.detail or job.status}"
            command = f"cms {noun} list {state.station.id}"
            yield _make(state, f"job.{kind}", WARNING, why, at, part=str(job.request_id), command=command)


def _certificates(state: StationState, seen: Seen) -> Iterator[Finding]:
    for use, certificate in seen.certificates:
        if (told := ending(certificate, seen.now)) is not None:
            severity, why = told
            yield _make(
                state, "certificate.expiring", severity, f"its {use} certificate {why}",
                certificate.not_after - timedelta(days=_ENDS[-1][0]), part=certificate.fingerprint,
                cause=f"certificate.expiring|{severity}",
                command=f"cms certificates list --filter station={state.station.id}",
            )  # fmt: skip


def ending(certificate: Certificate, now: datetime) -> tuple[str, str] | None:
    """How grave it is that a certificate ends, and in words; None: it has time."""
    left = certificate.not_after - now
    if left <= timedelta(0):
        return CRITICAL, f"has ended on {certificate.not_after:%Y-%m-%d}"
    for days, severity in _ENDS:
        if left <= timedelta(days=days):
            return severity, f"ends in {left.days} days" if left.days != 1 else "ends in 1 day"
    return None


_LOOKS: tuple[Callable[[StationState, Seen], Iterable[Finding]], ...] = (
    _link,
    _boot,
    _connectors,
    _problems,
    _sessions,
    _jobs,
    _certificates,
)


# What leaves no state


def _conflict(event: Event) -> Finding:
    places = " and ".join(str(address) for address in event.data.get("addresses", ()))
    why = f"connects from {places} in turns: rotate its password"
    # It stands until its password is another one: nobody forgets a stolen credential.
    return _heard(event, "station.identity-conflict", CRITICAL, why, timedelta(days=3650))


def _security(event: Event) -> Finding | None:
    kind = str(event.data.get("kind", ""))
    if not alarms.is_critical(kind):
        return None
    detail = event.data.get("detail")
    why = f"{kind}{f': {detail}' if detail else ''}"
    return _heard(event, "station.security", CRITICAL, why, HEARD, part=kind)


def _refused(event: Event) -> Finding:
    why = f"is turned away at {event.data.get('address')}: {event.data.get('reason')}"
    return _heard(event, "station.refused", WARNING, why, REFUSED)


def _quarantined(event: Event) -> Finding:
    why = f"a message was put aside: {event.data.get('reason')}"
    return _heard(event, "message.quarantined", WARNING, why, HEARD, command="cms sessions quarantine")


def _heard(
    event: Event,
    kind: str,
    severity: str,
    why: str,
    lasts: timedelta,
    part: str = "",
    command: str | None = None,
) -> Finding:
    station = event.station or ""
    key = f"{kind}|{station}|{part}"
    return Finding(
        key=key, kind=kind, severity=severity, what=station, why=why, since=event.at, cause=key,
        station=station or None, until=event.at + lasts,
        command=command or f"cms stations show {station}",
    )  # fmt: skip


#: Event -> what it says is wrong, where nothing else remembers it.
HEARS: dict[str, Callable[[Event], Finding | None]] = {
    "station.identity_conflict": _conflict,
    "station.security": _security,
    "station.refused": _refused,
    "quarantine.added": _quarantined,
}


def still(known: Finding | None, found: Finding) -> Finding:
    """What stands already: it began when it was first found, also where we were restarted meanwhile."""
    if known is None or found.kind != OFFLINE:
        return found
    why = found.why if found.cause == known.cause else known.why
    return evolve(found, since=known.since, cause=known.cause, why=why)


def again(known: Finding | None, found: Finding) -> Finding:
    """What is heard once more: it is counted, and began when it was first heard."""
    if known is None:
        return found
    return evolve(found, since=known.since, cause=known.cause, count=known.count + 1)


#: Event -> the kind of finding at its station that is over with it.
MENDS: dict[str, str] = {
    "station.password": "station.identity-conflict",
    "station.secured": "station.identity-conflict",
    "station.connected": "station.refused",
}


def flapping(state: StationState, connects: list[datetime], boots: list[datetime]) -> Finding | None:
    """A station that came back, or booted, too often within the hour; both oldest first."""
    for times, most, noun in ((boots, BOOTS, "reboots"), (connects, CONNECTS, "reconnects")):
        if len(times) >= most:
            return _make(
                state, "station.flapping", WARNING, f"{len(times)} {noun} in 1 h", times[0],
                count=len(times), until=times[-1] + HOUR,
            )  # fmt: skip
    return None


#: Strangers beyond so many are one alert: anybody can knock under any name.
_STRANGERS = 10


def of_strangers(known: Iterable[UnknownStation], now: datetime) -> list[Finding]:
    """Unknown stations that knocked lately, those that were there first each on its own."""
    lately = sorted((one for one in known if now - one.last_seen < HEARD), key=lambda one: one.first_seen)
    return [
        Finding(
            key=f"station.unknown||{one.id}",
            kind="station.unknown",
            severity=WARNING,
            what=one.id,
            why=f"{one.reason}; knocked {one.knocks}x from {one.address}",
            since=one.first_seen,
            cause=f"station.unknown|{one.id if place < _STRANGERS else '*'}",
            command="cms stations unknown",
        )
        for place, one in enumerate(lately)
    ]


#: What of money waits for somebody because something failed; the rest can wait for office hours.
_FAILED = ("charges", "disputed-invoices", "disputed")


def of_matter(matter: OpenMatter, now: datetime) -> Finding:
    """What of money waits for a person: how many, never how much nor whose."""
    since = now if matter.oldest is None else datetime.combine(matter.oldest, time(), UTC)
    name = matter.matter.partition("-")[0] if matter.amount is not None else matter.matter
    return Finding(
        key=f"money.{matter.matter}",
        kind=f"money.{matter.matter}",
        severity=WARNING if name in _FAILED else INFO,
        what="billing",
        why=matter.what if matter.matter == "seller" else f"{matter.count} {matter.what}",
        since=since,
        cause=f"money.{matter.matter}",
        count=matter.count,
        command=matter.command,
    )
