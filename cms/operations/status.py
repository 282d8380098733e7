"""The daemon about itself, from the picture in memory."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime

from cms.contract.status import (
    ListQuarantine,
    QuarantinedMessage,
    SessionCounts,
    ShowStatus,
    StationCounts,
    StatusView,
)
from cms.core import Actor, Core
from cms.domain import approvals, grants, organisations, tariffs
from cms.domain.sessions import RUNNING
from cms.domain.stations import with_sessions
from cms.operations.intents import check_limit


async def show(core: Core, request: ShowStatus, actor: Actor) -> StatusView:
    terms = core.terms
    now = core.clock.now()
    connectors: Counter[str] = Counter()
    sessions: Counter[str] = Counter()
    power_w = 0
    for lane in core.lanes.values():
        connectors.update(shown for place, shown, _ in with_sessions(lane.state) if place.evse)
        for session in lane.state.sessions.values():
            sessions["active" if session.status in RUNNING else "suspect"] += 1
            power_w += session.power_w or 0
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return StatusView(
        version=terms.version,
        uptime_s=round((now - (terms.started_at or now)).total_seconds(), 1),
        ocpp_url=terms.ocpp_url,
        socket=terms.socket,
        database=terms.database,
        bus=terms.bus,
        stations=StationCounts(total=len(core.lanes), online=core.stations.online()),
        connectors=dict(sorted(connectors.items())),
        sessions=SessionCounts(
            active=sessions["active"],
            suspect=sessions["suspect"],
            energy_today_wh=await core.store.energy_since(midnight),
        ),
        power_w=power_w,
        cursor=await core.store.cursor(),
        quarantined=await core.store.count_quarantine(),
        unknown_stations=len(await core.store.unknown_stations()),
        health="ok" if core.store.healthy else "the database cannot be written: stations are kept away",
        pid=os.getpid(),
        data_dir=terms.data_dir,
        open_enrolment=terms.open_enrolment,
        ocpp_tls_url=terms.ocpp_tls_url,
        pay_url=terms.pay_url,
        notes=(*terms.notes, *_exceptions(core, now), *await _unbilled(core, midnight)),
    )


def _exceptions(core: Core, now: datetime) -> list[str]:
    """Rights that somebody has for a while, and what waits for a second person."""
    told = [
        f"{grant.name} is {grant.role} at {grant.station} until {grant.ends_at:%Y-%m-%d %H:%M} UTC (cms grants list)"
        for grant in core.kept.get(grants.KIND, {}).values()
        if now < grant.ends_at
    ]
    waiting = [
        one
        for one in core.kept.get(approvals.KIND, {}).values()
        if approvals.status_at(one, now) == approvals.WAITING
    ]
    if waiting:
        told.append(f"{len(waiting)} wait for a second person (cms approvals list)")
    if core.organisation and organisations.suspended(core.kept):
        told.insert(0, "this organisation is suspended: its stations are turned away, nothing can be changed")
    return told


async def _unbilled(core: Core, midnight: datetime) -> list[str]:
    """What nobody will pay before a person has looked at it; nothing where nothing has a price."""
    if not core.kept.get(tariffs.TARIFF):
        return []
    held, disputed = len(await core.store.accounting.held()), len(await core.store.accounting.disputed())
    unpriced = await core.store.accounting.unpriced_since(midnight)
    told = (
        (held, "held, cms bills list --status held", "bill waits", "bills wait"),
        (disputed, "disputed, cms bills list --status disputed", "bill waits", "bills wait"),
        (unpriced, "without a price, of today: cms bills unpriced", "session waits", "sessions wait"),
    )
    return [
        f"{count} {one if count == 1 else many} for somebody ({why})"
        for count, why, one, many in told
        if count
    ]


async def quarantine(core: Core, request: ListQuarantine, actor: Actor) -> list[QuarantinedMessage]:
    check_limit(request.limit)
    return await core.store.quarantine(request.station, request.limit)
