"""What is wrong, why, and what mends it, from what is in memory and a look at the machine."""

from __future__ import annotations

import ctypes
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from cms.contract.diagnosis import VERDICTS, Check, Diagnose, Diagnosis, Handshake, ListHandshakes
from cms.contract.events import Event
from cms.core import Actor, Core, Lane
from cms.domain.certificates import Use
from cms.domain.handshakes import NO_UPGRADE, SILENT, Attempt, told
from cms.operations.expiry import relied_on
from cms.operations.intents import check_limit

#: Free room on the disk below which somebody should look, and below which it is late.
_ROOM = (2_000_000_000, 300_000_000)
#: A clock that is off by more makes sessions, certificates and logs wrong.
SKEW = timedelta(seconds=60)
_ENDS_SOON = timedelta(days=30)
_STATUSES = 2_000
#: A probe of a balancer is nobody's trouble.
_PROBES = frozenset({SILENT, NO_UPGRADE})
_SHOWN = 50


async def diagnose(core: Core, request: Diagnose, actor: Actor) -> Diagnosis:
    now = core.clock.now()
    station = request.station
    attempts = [a for a in _attempts(core, station) if station or a.outcome not in _PROBES]
    if station is not None and not attempts:
        core.lane(station)  # one that nobody registered, and that never tried: not found
    lane = core.lanes.get(station.casefold()) if station is not None else None
    skews = _skews(await core.store.events_after(None, _STATUSES, station=station, type="connector.status"))
    checks: list[Check] = []
    if station is None:
        checks = await _of_daemon(core, now, skews)
    elif lane is not None:
        checks = list(_of_station(core, lane, now, skews))
    shown = [_view(core, attempt) for attempt in attempts if attempt.solved_at is None][:_SHOWN]
    checks += _at_the_door(shown)
    return Diagnosis(now, worst(checks), tuple(checks), tuple(shown))


def worst(checks: Iterable[Check]) -> str:
    """The worst verdict; ok of nothing."""
    return max((check.verdict for check in checks), key=VERDICTS.index, default="ok")


async def handshakes(core: Core, request: ListHandshakes, actor: Actor) -> list[Handshake]:
    check_limit(request.limit)
    rows = [a for a in _attempts(core, request.station) if request.every or a.solved_at is None]
    return [_view(core, attempt) for attempt in rows[: request.limit]]


def _attempts(core: Core, station: str | None) -> list[Attempt]:
    """The latest first."""
    wanted = station.casefold() if station is not None else None
    return [a for a in reversed(core.stations.attempts()) if wanted in (None, a.identity.casefold())]


def _view(core: Core, attempt: Attempt) -> Handshake:
    cause, cure = told(attempt)
    lane = core.lanes.get(attempt.identity.casefold()) if attempt.identity else None
    return Handshake(
        identity=attempt.identity,
        station=lane.state.station.id if lane is not None else None,
        address=attempt.address,
        path=attempt.target,
        offered=attempt.offered,
        credentials=attempt.credentials,
        tls=attempt.tls,
        status=attempt.status,
        why=attempt.why,
        cause=cause,
        cure=cure,
        attempts=attempt.count,
        first_at=attempt.first_at,
        last_at=attempt.at,
        solved_at=attempt.solved_at,
    )


# The daemon and all stations.


async def _of_daemon(core: Core, now: datetime, skews: dict[str, timedelta]) -> list[Check]:
    return [
        _record(core),
        *_disk(core.terms.data_dir),
        _own_clock(core, skews, synchronised()),
        *_ports(core),
        *_certificates(core, now),
        *await _stations(core, skews),
    ]


def _record(core: Core) -> Check:
    if core.store.healthy:
        return Check("record", "ok", f"{core.terms.database}: it can be written")
    return Check(
        "record",
        "bad",
        "the database cannot be written: stations are kept away until it can",
        "look at the disk, at the database server, and into the daemon's log",
    )


def _disk(data_dir: str) -> Iterator[Check]:
    with suppress(OSError):
        free = shutil.disk_usage(data_dir or ".").free
        verdict = "ok" if free > _ROOM[0] else "look" if free > _ROOM[1] else "bad"
        cure = (
            None
            if verdict == "ok"
            else f"make room on the disk of {data_dir}: when it is full, stations are kept away"
        )
        yield Check("disk", verdict, f"{free / 1e9:.1f} GB free at {data_dir}", cure)


#: What adjtimex answers where nothing keeps the clock right (TIME_ERROR).
_UNSYNCHRONISED = 5


def synchronised() -> bool | None:
    """Whether something keeps this machine's clock right; None where that cannot be told (not Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    with suppress(OSError, AttributeError):
        answered: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
        return None if answered < 0 else answered != _UNSYNCHRONISED
    return None


def _own_clock(core: Core, skews: dict[str, timedelta], kept_right: bool | None) -> Check:
    off = sorted(skew.total_seconds() for skew in skews.values())
    middle = off[len(off) // 2] if off else 0.0
    if len(off) >= 3 and abs(middle) > SKEW.total_seconds():
        return Check(
            "clock",
            "bad",
            f"most stations' clocks differ from ours by {middle:+.0f} s: it is ours that is wrong",
            "set up NTP on this machine (timedatectl set-ntp true)",
        )
    if kept_right is False:
        return Check(
            "clock",
            "look",
            "nothing keeps this machine's clock right",
            "set up NTP on this machine (timedatectl set-ntp true)",
        )
    return Check("clock", "ok", "as the stations' clocks" if off else "no station has told the time yet")


def _ports(core: Core) -> Iterator[Check]:
    terms = core.terms
    yield Check("stations connect to", "ok", terms.ocpp_url)
    if terms.ocpp_tls_url:
        yield Check("with TLS", "ok", terms.ocpp_tls_url)
    if terms.open_enrolment:
        cure = "unset open_enrolment where strangers can reach the port"
        yield Check("enrolment", "look", "whoever connects is registered", cure)


def _certificates(core: Core, now: datetime) -> Iterator[Check]:
    ending: list[tuple[str, datetime]] = []
    for use in Use:
        ours = core.trust.authority(use)
        if ours is not None:
            ending.append((f"our {use} authority", ours.certificate.not_after))
    for lane in core.lanes.values():
        ending += [(f"{lane.state.station.id} ({kind})", c.not_after) for kind, c in relied_on(core, lane)]
    soon = sorted((at, name) for name, at in ending if at - now < _ENDS_SOON)
    if not soon:
        yield Check("certificates", "ok", f"{len(ending)} known, none ends within 30 days")
        return
    at, name = soon[0]
    more = f", and {len(soon) - 1} more within 30 days" if len(soon) > 1 else ""
    verdict = "bad" if at <= now else "look"
    ended = "ended" if at <= now else "ends"
    yield Check(
        "certificates",
        verdict,
        f"that of {name} {ended} on {at:%Y-%m-%d}{more}",
        "cms certificates list --expiring 30d, then cms certificates renew",
    )


async def _stations(core: Core, skews: dict[str, timedelta]) -> list[Check]:
    states = [lane.state.station for lane in core.lanes.values()]
    online = core.stations.online()
    never = sum(1 for station in states if station.last_seen_at is None)
    wrong = sorted(name for name, skew in skews.items() if abs(skew) > SKEW)
    waiting = [station.id for station in states if station.boot_status in ("pending", "rejected")]
    strangers = len(await core.store.unknown_stations())
    odd = await core.store.count_quarantine()
    present = f"{online} of {len(states)} online{f', {never} have never connected' if never else ''}"
    return [
        _counted("stations", len(states) - online, present, "cms stations list --filter online=false"),
        _counted("boots", len(waiting), _named("wait to be accepted", waiting), "cms stations show STATION"),
        _counted("stations' clocks", len(wrong), _named("are wrong", wrong), "cms doctor STATION"),
        _counted(
            "unknown stations",
            strangers,
            f"{strangers} knocked",
            "cms stations unknown, then enrol or forget",
        ),
        _counted("quarantine", odd, f"{odd} messages that could not be placed", "cms sessions quarantine"),
    ]


def _named(what: str, names: list[str]) -> str:
    return (
        f"{len(names)} {what}{': ' if names else ''}{', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
    )


def _counted(name: str, count: int, found: str, cure: str) -> Check:
    """Fine where there is none."""
    return Check(name, "look", found, cure) if count else Check(name, "ok", found)


def _at_the_door(failed: list[Handshake]) -> list[Check]:
    if not failed:
        return [Check("handshakes", "ok", "none failed that was not solved since")]
    names = list(dict.fromkeys(one.identity or one.address for one in failed))
    found = f"{len(names)} cannot connect: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
    return [Check("handshakes", "bad", found, "each with cause and cure below; cms doctor STATION for one")]


# One station.


def _of_station(core: Core, lane: Lane, now: datetime, skews: dict[str, timedelta]) -> Iterator[Check]:
    for look in _LOOKS:
        yield from look(core, lane, now)
    skew = skews.get(lane.state.station.id)
    if skew is None:
        yield Check("its clock", "ok", "it has not told the time lately")
    elif abs(skew) > SKEW:
        cure = "a Heartbeat sets most clocks (cms stations trigger); else look at its NTP server"
        yield Check("its clock", "bad", f"differs from ours by {skew.total_seconds():+.0f} s", cure)
    else:
        yield Check("its clock", "ok", f"within {abs(skew).total_seconds():.0f} s of ours")


def _link(core: Core, lane: Lane, now: datetime) -> Iterator[Check]:
    station, link = lane.state.station, core.stations.link(lane.state.station.id)
    if link is not None:
        heard = f"heard {max(0, int((now - link.last_seen_at).total_seconds()))} s ago"
        yield Check("link", "ok", f"online from {link.address}, {heard}, OCPP {link.ocpp_version}")
    elif station.last_seen_at is None:
        cure = f"its address is {core.terms.ocpp_url.replace('<station>', station.id)}; what it tries is told below"
        yield Check("link", "bad", "it has never connected", cure)
    else:
        cure = "power and network at the site first; what it tries is told below"
        yield Check("link", "bad", f"offline since {station.last_seen_at:%Y-%m-%d %H:%M} UTC", cure)


def _boot(core: Core, lane: Lane, now: datetime) -> Iterator[Check]:
    station = lane.state.station
    status = station.boot_status
    if status in ("pending", "rejected"):
        yield Check(
            "boot",
            "look",
            f"its boot was answered {status}",
            f"cms stations show {station.id}: see its boot policy",
        )
    elif status is not None:
        yield Check(
            "boot",
            "ok",
            f"{status}, {' '.join(filter(None, (station.vendor, station.model, station.firmware)))}",
        )


def _security(core: Core, lane: Lane, now: datetime) -> Iterator[Check]:
    station = lane.state.station
    verdict = "ok" if station.security_profile else "look"
    cure = (
        None
        if station.security_profile
        else f"cms security password {station.id}: who knows its name can be it"
    )
    yield Check("security", verdict, f"security profile {station.security_profile}", cure)
    for kind, certificate in relied_on(core, lane):
        if certificate.not_after - now < _ENDS_SOON:
            found = f"its {kind} certificate ends on {certificate.not_after:%Y-%m-%d}"
            yield Check(
                "certificate",
                "bad" if certificate.not_after <= now else "look",
                found,
                f"cms certificates renew {station.id}",
            )


def _connectors(core: Core, lane: Lane, now: datetime) -> Iterator[Check]:
    faulted = [
        f"{evse}.{connector}"
        for (evse, connector), c in lane.state.connectors.items()
        if c.status == "faulted"
    ]
    if faulted:
        yield Check(
            "connectors",
            "bad",
            f"faulted: {', '.join(faulted)}",
            f"cms stations show {lane.state.station.id}",
        )
    elif lane.state.connectors:
        yield Check(
            "connectors", "ok", f"{len([1 for evse, _ in lane.state.connectors if evse])} known, none faulted"
        )
    else:
        yield Check(
            "connectors",
            "look",
            "it has told of none",
            f"cms stations trigger {lane.state.station.id} StatusNotification",
        )


def _orders(core: Core, lane: Lane, now: datetime) -> Iterator[Check]:
    waiting = len(lane.state.intents)
    if waiting:
        yield Check(
            "orders",
            "look",
            f"{waiting} under way or waiting",
            f"cms intents list --filter station={lane.state.station.id}",
        )


_LOOKS: tuple[Callable[[Core, Lane, datetime], Iterator[Check]], ...] = (
    _link,
    _boot,
    _security,
    _connectors,
    _orders,
)


def _skews(events: Iterable[Event]) -> dict[str, timedelta]:
    """How far each station's clock is before ours, by what it reported lately.

    What it kept for us while it was offline tells of the past: of several the smallest difference counts.
    """
    found: dict[str, timedelta] = {}
    for event in events:
        told_at = event.data.get("reported_at")
        if event.station is None or not told_at:
            continue
        at = told_at if isinstance(told_at, datetime) else datetime.fromisoformat(str(told_at))
        found[event.station] = min(at - event.at, found.get(event.station, at - event.at), key=abs)
    return found
