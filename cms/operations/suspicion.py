"""Velocity and clone checks where a card begins to charge: from memory alone (cms.sightings), for T18."""

from __future__ import annotations

from datetime import datetime

from cms.core import Core
from cms.domain import sites
from cms.domain.changes import Decision, Happened
from cms.domain.evolve import evolve
from cms.domain.observations import Received, TransactionReported
from cms.domain.sites import Site
from cms.domain.stations import StationState
from cms.domain.suspicion import Before, Now, doubts, refusal
from cms.domain.tokens import Ruling, Token

Found = tuple[str, ...] | None
"""The doubts about a card that begins to charge; None: none begins."""


def judged(
    core: Core, state: StationState, received: Received, report: TransactionReported, ruling: Ruling
) -> tuple[Ruling, TransactionReported, Found]:
    """The ruling, the report with a flag for each doubt, and the doubts. A no stays a no; history is not judged."""
    token = ruling.token
    if token is None or not ruling.accepted or not _begins(state, received, report):
        return ruling, report, None
    terms, now = core.terms, _now(core, state, token, received.at)
    before = _before(core, state, token)
    found = doubts(token, before, now, terms.suspicious_speed_kmh, terms.suspicious_sessions_per_day)
    if not found:
        return ruling, report, found
    no = refusal(found, terms.suspicious_blocks)
    flagged = evolve(report, flags=(*report.flags, *found))
    return (ruling if no is None else Ruling(no, token)), flagged, found


def followed(core: Core, decision: Decision, received: Received, ruling: Ruling, found: Found) -> Decision:
    """Remember where the card is now, and tell of the doubts; a repeated message does neither."""
    token, station = ruling.token, decision.state.station.id
    if token is None or found is None or not decision.changes:
        return decision
    if ruling.accepted:
        core.sightings.began(token.id.casefold(), station, received.at)
    if not found:
        return decision
    data = {"token": token.id, "doubts": found, "blocked": not ruling.accepted}
    told = Happened("token.suspicious", received.at, station, data=data)
    return evolve(decision, events=(*decision.events, told))


def _begins(state: StationState, received: Received, report: TransactionReported) -> bool:
    if report.stops or report.is_history(received.at):
        return False
    session = state.session_of(report.transaction_id) if report.transaction_id else None
    return session is None or session.token is None


def _now(core: Core, state: StationState, token: Token, at: datetime) -> Now:
    key = token.id.casefold()
    running = core.active.get(key)
    elsewhere = running is not None and any(session not in state.sessions for session in running)
    return Now(_site(core, state), at, elsewhere, core.sightings.today(key, at))


def _before(core: Core, state: StationState, token: Token) -> Before | None:
    seen = core.sightings.seen.get(token.id.casefold())
    if seen is None or seen.station == state.station.id:
        return None
    lane = core.lanes.get(seen.station.casefold())
    return Before(_site(core, lane.state), seen.at) if lane is not None else None


def _site(core: Core, state: StationState) -> Site | None:
    return sites.of(core.kept.get(sites.KIND, {}), state.station.site)
