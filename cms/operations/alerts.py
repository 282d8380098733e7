"""Alerts: listed, looked after, muted. What is wrong is found by operations.attention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from cms.contract.alerts import (
    AcknowledgeAlert,
    AlertMember,
    AlertNote,
    AlertView,
    ClaimAlert,
    ListAlerts,
    ListMutes,
    MuteAlert,
    MuteView,
    NoteAlert,
    ShowAlert,
    UnmuteAlert,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import alerts, security
from cms.domain.alerts import CHANGED, ENDED, KIND, MUTE, Alert, Finding, Mute
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.stations import StationState
from cms.operations.deciding import keep

_LONGEST_NOTE = 1_000
_LONGEST_MUTE = timedelta(days=366)
_MOST_MUTES = 1_000
#: Members that ShowAlert names.
_NAMED = 1_000


# Reading


async def list_(core: Core, request: ListAlerts, actor: Actor) -> list[AlertView]:
    chosen = parse(request.filter or "", keys_of(AlertView))
    now, mutes = core.clock.now(), muted(core)
    if request.ended:
        over = sorted(ended(core).values(), key=_ended_at, reverse=True)
        return [one for one in (alerts.view(alert, mutes, now) for alert in over) if chosen(one)]
    views = [alerts.view(alert, mutes, now) for alert in core.alerts.open.values()]
    return [one for one in [*_of_record(core, now), *sorted(views, key=alerts.order)] if chosen(one)]


def _of_record(core: Core, now: datetime) -> list[AlertView]:
    """That the record cannot be written can not be written: it is told as long as it is so."""
    if core.store.healthy:
        return []
    why = "the database cannot be written: stations are kept away"
    member = AlertMember("the record", why, now)
    return [
        AlertView(
            "database", "daemon.database", "critical", "new", "the record", why, now, 1,
            members=(member,), command="cms status",
        )
    ]  # fmt: skip


async def show(core: Core, request: ShowAlert, actor: Actor) -> AlertView:
    """One with its members, what they share, and when it was there last."""
    now, mutes = core.clock.now(), muted(core)
    alert = core.alerts.open.get(request.alert)
    if alert is None:
        over = ended(core).get(request.alert)
        if over is None:
            raise _unknown(core, request.alert)
        return alerts.view(over, mutes, now, over.members)
    members = core.alerts.members(alert.id)
    before = _before(core, alert)
    return evolve(
        alerts.view(alert, mutes, now, members[:_NAMED]),
        shared=tuple(_shared(core, members)),
        before_at=before.since if before else None,
        before_lasted_s=(_ended_at(before) - before.since).total_seconds() if before else None,
    )


def _before(core: Core, alert: Alert) -> Alert | None:
    """The latest that is over and had the same cause."""
    same = (one for one in ended(core).values() if one.cause == alert.cause)
    return max(same, key=_ended_at, default=None)


def _ended_at(alert: Alert) -> datetime:
    return alert.ended_at or alert.changed_at


#: What stations may have in common: its name, and where it stands.
_COMMON: dict[str, Callable[[StationState], str | None]] = {
    "vendor": lambda state: state.station.vendor,
    "model": lambda state: state.station.model,
    "firmware": lambda state: state.station.firmware,
    "OCPP": lambda state: state.station.ocpp_version,
    "site": lambda state: state.station.site,
    "network": lambda state: security.of(state).known_at or None,
}


def _shared(core: Core, members: Iterable[Finding]) -> Iterable[str]:
    """What all stations of a group have in common."""
    named = {member.station.casefold() for member in members if member.station}
    states = [core.lanes[name].state for name in named if name in core.lanes]
    if len(states) < 2:
        return
    for name, told in _COMMON.items():
        values = {told(state) for state in states}
        if len(values) == 1 and (value := values.pop()):
            yield f"{name} {value}"


def muted(core: Core) -> Mapping[str, Mute]:
    """All mutes by id."""
    return core.kept.get(MUTE, {})


def ended(core: Core) -> Mapping[str, Alert]:
    """Those that are over, by id."""
    return core.kept.get(ENDED, {})


# Looking after


async def acknowledge(core: Core, request: AcknowledgeAlert, actor: Actor) -> AlertView:
    by = None if request.undo else actor.name
    return await _change(core, request.alert, actor, lambda alert: evolve(alert, acknowledged_by=by))


async def claim(core: Core, request: ClaimAlert, actor: Actor) -> AlertView:
    """Somebody looks after it. Who claims it from another says so to that one first: release it, then claim."""

    def claimed(alert: Alert) -> Alert:
        if not request.release and alert.claimed_by not in (None, actor.name):
            raise Conflict(
                f"{alert.claimed_by} looks after alert {alert.id} already",
                f"cms alerts claim {alert.id} --release gives it back",
            )
        return evolve(alert, claimed_by=None if request.release else actor.name)

    return await _change(core, request.alert, actor, claimed)


async def note(core: Core, request: NoteAlert, actor: Actor) -> AlertView:
    text = request.note.strip()
    if not text or len(text) > _LONGEST_NOTE:
        raise Invalid(f"a note has 1 to {_LONGEST_NOTE} characters, not {len(text)}")
    written = AlertNote(core.clock.now(), actor.name, text)
    return await _change(
        core,
        request.alert,
        actor,
        lambda alert: evolve(alert, notes=(*alert.notes, written)[-alerts.MOST_NOTES :]),
    )


async def _change(core: Core, id_: str, actor: Actor, change: Callable[[Alert], Alert]) -> AlertView:
    """The alert as it stands once those before us are done, changed."""
    async with core.books:
        now = core.clock.now()
        alert = evolve(change(_find(core, id_)), changed_at=now)
        told = _told(core, alert, now, actor)
        await keep(core, KIND, alert.id, alert, told)
        core.alerts.open[alert.id] = alert
    return alerts.view(alert, muted(core), now)


def _told(core: Core, alert: Alert, now: datetime, actor: Actor | None = None) -> Happened:
    view = alerts.view(alert, muted(core), now)
    return Happened(CHANGED, now, view.station, view.session, actor.name if actor else None, {"alert": view})


def _find(core: Core, id_: str) -> Alert:
    alert = core.alerts.open.get(id_)
    if alert is None:
        raise _unknown(core, id_)
    return alert


def _unknown(core: Core, id_: str) -> NotFound:
    if id_ in ended(core):
        return NotFound(f"alert {id_} is over", "see `cms alerts list --ended`")
    return NotFound(f"there is no alert {id_}", "see `cms alerts list`")


# Muting


async def mute(core: Core, request: MuteAlert, actor: Actor) -> MuteView:
    """Keep something quiet for a while; nobody is told of it by bell, and the counts leave it out."""
    span = timedelta(seconds=request.for_s)
    if not timedelta(0) < span <= _LONGEST_MUTE:
        raise Invalid("a mute lasts more than nothing and at most a year")
    named = (request.alert, request.kind, request.station, request.site)
    if not any(named):
        raise Invalid("What shall be muted?", "an alert, or --kind, --station or --site")
    if request.alert is not None:
        _find(core, request.alert)
    if request.station is not None:
        core.lane(request.station)
    async with core.books:
        now = core.clock.now()
        if len(muted(core)) >= _MOST_MUTES:
            raise Conflict(f"there are {_MOST_MUTES} mutes already", "see `cms alerts mutes`")
        made = Mute(core.mint.id(now), now + span, actor.name, now, *named, request.reason)
        await _keep_mute(core, made.id, made, actor)
    core.alerts.wake(made.until, MUTE)
    return _view(made)


async def unmute(core: Core, request: UnmuteAlert, actor: Actor) -> None:
    async with core.books:
        known = muted(core)
        gone = [one.id for one in known.values() if request.mute in (one.id, one.alert)]
        if not gone:
            raise NotFound(f"there is no mute {request.mute}", "see `cms alerts mutes`")
        for id_ in gone:
            await _keep_mute(core, id_, None, actor)


async def list_mutes(core: Core, request: ListMutes, actor: Actor) -> list[MuteView]:
    chosen, now = parse(request.filter or "", keys_of(MuteView)), core.clock.now()
    views = [_view(one) for one in muted(core).values() if now < one.until]
    return [one for one in sorted(views, key=lambda one: one.until) if chosen(one)]


async def forget_mutes(core: Core) -> None:
    """Those whose time is over: what they kept quiet is told of again."""
    async with core.books:
        now = core.clock.now()
        for one in list(muted(core).values()):
            if one.until <= now:
                await _keep_mute(core, one.id, None, None)


async def _keep_mute(core: Core, id_: str, made: Mute | None, actor: Actor | None) -> None:
    """A mute comes or goes; the alerts that it is about read otherwise then. ``core.books`` is held."""
    now = core.clock.now()
    about = made or muted(core)[id_]
    after = {**{key: one for key, one in muted(core).items() if key != id_}, **({id_: made} if made else {})}
    told = [
        Happened(CHANGED, now, one.station, one.session, actor.name if actor else None, {"alert": one})
        for one in (
            alerts.view(alert, after, now) for alert in core.alerts.open.values() if about.fits(alert)
        )
    ]
    await keep(core, MUTE, id_, made, *told)


def _view(one: Mute) -> MuteView:
    return MuteView(one.id, one.until, one.by, one.at, one.alert, one.kind, one.station, one.site, one.reason)
