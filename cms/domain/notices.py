"""Deciding on what stations report besides transactions: boots, statuses, events, reports, progress, security."""

from __future__ import annotations

from cms.domain import boots, connectors, devicemodel, lists, problems, reports, reservations
from cms.domain.alarms import is_critical
from cms.domain.changes import (
    Decision,
    Deliver,
    ForgetVariables,
    Happened,
    Rebooted,
    SaveConnector,
    SaveStation,
    SaveVariables,
    UpdateSession,
)
from cms.domain.connectors import Connector, ConnectorStatus
from cms.domain.evolve import evolve
from cms.domain.following import doubted, session_event, with_session
from cms.domain.observations import (
    BootAnswer,
    Booted,
    ComponentEvent,
    ConnectorReported,
    EventsNotified,
    Noted,
    Received,
    ReportReceived,
    SecurityEventRaised,
)
from cms.domain.record import record
from cms.domain.sessions import FACTS, Session, SessionStatus, moved, trusted
from cms.domain.stations import Delivered, StationState


@record
class BootTerms:
    """Seconds between heartbeats of an accepted station, and before the next boot of one that is not."""

    heartbeat_s: int = 300
    retry_s: int = 60
    hold: bool = False
    """Pending, whatever its policy is."""


def boot(state: StationState, received: Received, booted: Booted, terms: BootTerms) -> Decision:
    """BootNotification: identity is learned, the policy decides. Open transactions stay open (2.0.1 E11, TX16-21)."""
    station = state.station
    status = boots.policy(state)
    status = "pending" if terms.hold and status == "accepted" else status
    state, done = boots.booted(state, status, received.at)
    after = evolve(
        station,
        vendor=booted.vendor,
        model=booted.model,
        serial=booted.serial or station.serial,
        firmware=booted.firmware,
        ocpp_version=received.ocpp_version,
        boot_status=status,
        booted_at=received.at,
        last_seen_at=received.at,
    )
    interval_s = terms.heartbeat_s if status == "accepted" else terms.retry_s
    told = {
        "status": status,
        "reason": booted.reason,
        "vendor": booted.vendor,
        "model": booted.model,
        "firmware": booted.firmware,
        "serial": booted.serial,
        "remarks": received.remarks,
    }
    return Decision(
        BootAnswer(status, received.at, interval_s),
        evolve(state, station=after),
        (SaveStation(after), Rebooted(station.id), *done),
        (Happened("station.booted", received.at, station.id, data=told),),
    )


def connector(state: StationState, received: Received, report: ConnectorReported) -> Decision:
    """StatusNotification."""
    decision = _connectors(Decision(Noted(), state), received, (report,))
    return lists.conflicting(decision, received) if report.error_code == lists.CONFLICT else decision


def _connectors(decision: Decision, received: Received, reports: tuple[ConnectorReported, ...]) -> Decision:
    state, changes, events = decision.state, list(decision.changes), list(decision.events)
    for report in reports:
        place = (report.evse, report.connector)
        known = state.connectors.get(place) or Connector(*place)
        after = connectors.apply(known, report, received.at)
        events.append(_status_event(state, received, report, late=after is None))
        if after is None or not connectors.believable(state.connectors, place):
            continue
        state = evolve(state, connectors={**state.connectors, place: after})
        changes.append(SaveConnector(state.station.id, after))
        if known.status == ConnectorStatus.RESERVED and after.status == ConnectorStatus.AVAILABLE:
            over = reservations.released(state, report.evse, received.at)
            state, changes, events = over.state, [*changes, *over.changes], [*events, *over.events]
        for session in _touched(state, report):
            moved_session = _after_status(session, report)
            if moved_session is not session:
                state = with_session(state, moved_session)
                changes.append(UpdateSession(moved_session))
                events.append(session_event("session.changed", moved_session, received.at))
    return evolve(decision, state=state, changes=tuple(changes), events=tuple(events))


def _touched(state: StationState, report: ConnectorReported) -> list[Session]:
    return [
        session
        for session in state.sessions.values()
        if session.evse == report.evse and session.connector in (None, report.connector)
    ]


def _after_status(session: Session, report: ConnectorReported) -> Session:
    """What a connector's status says about the session on it.

    Available after energy flowed means that the car is gone and the stop went missing, unless the station has said
    that the transaction goes on without a car (2.0.1 E10). 2.x tells the charging state itself; 1.6 only has the
    connector's word.
    """
    if report.at is not None and report.at < session.started_at:
        return session
    if report.status == ConnectorStatus.AVAILABLE:
        begun = session.status in (SessionStatus.CHARGING, SessionStatus.SUSPENDED)
        return doubted(session, "no-stop") if begun and session.charging_state != "Idle" else session
    if session.number is None:
        return session
    status = moved(session.status, FACTS.get(report.status))
    if status == session.status:
        return session
    power_w = session.power_w if status == SessionStatus.CHARGING else 0
    flags = trusted(session.flags, session.status, status)
    return evolve(session, status=status, power_w=power_w, flags=flags)


def _status_event(
    state: StationState, received: Received, report: ConnectorReported, *, late: bool
) -> Happened:
    data = {
        "evse": report.evse,
        "connector": report.connector,
        "status": report.status,
        "error_code": None if report.error_code in (None, "NoError") else report.error_code,
        "info": report.info,
        "vendor_error_code": report.vendor_error_code,
        "reported_at": report.at or received.at,
    }
    if late:
        data["late"] = True
    return Happened("connector.status", received.at, state.station.id, data=data)


def events(state: StationState, received: Received, notified: EventsNotified) -> Decision:
    """NotifyEvent: availability moves connectors (G01: equal to StatusNotification), the rest is told."""
    if _key("event", notified.key, notified.digest) in state.recent:
        return Decision(Noted(), state)
    told = tuple(_notified(state, received, event) for event in notified.events)
    decision = Decision(Noted(), state, (), told)
    if any(map(problems.concerns, notified.events)):
        (state, changes), changed = problems.alerts(state, notified.events, received.at)
        decision = Decision(Noted(), state, tuple(changes), (*told, *changed))
    decision = _connectors(decision, received, notified.statuses)
    return _once(decision, received, "event", notified.key, notified.digest)


def _notified(state: StationState, received: Received, event: ComponentEvent) -> Happened:
    data = {
        "component": event.component,
        "variable": event.variable,
        "name": event.name,
        "value": event.value,
        "trigger": event.trigger,
        "evse": event.evse,
        "connector": event.connector,
        "cleared": event.cleared,
        "reported_at": event.at,
        "tech_code": event.tech_code,
        "tech_info": event.tech_info,
        "event_id": event.event_id,
        "cause": event.cause,
        "monitor": event.monitor,
        "severity": problems.severity_of(state, event),
        "origin": event.origin,
        "transaction": event.transaction,
    }
    return Happened("station.notified", received.at, state.station.id, data=data)


def report(state: StationState, received: Received, part: ReportReceived) -> Decision:
    """NotifyReport: one part of a device model report; after a full one, what it left out is no more (B07)."""
    if _key("report", part.key, part.digest) in state.recent:
        return Decision(Noted(), state)
    known = state.kept_of(reports.KIND).get(str(part.request_id))
    state, changes, whole = reports.part(
        state,
        part.request_id,
        known.subject if known else devicemodel.SUBJECTS[None],
        received.at,
        items=len(part.variables),
        more=part.more,
        seq_no=part.seq_no,
    )
    if whole.complete and whole.subject == devicemodel.FULL and whole.asked_at is not None:
        changes.append(ForgetVariables(state.station.id, whole.asked_at))
    values = {variable.name: variable.value for variable in part.variables if variable.attribute == "Actual"}
    data = {
        "values": values,
        "request_id": part.request_id,
        "seq_no": part.seq_no,
        "more": part.more,
        "complete": whole.complete,
    }
    told = Happened("station.configuration", received.at, state.station.id, data=data)
    saved = SaveVariables(state.station.id, part.variables, received.at)
    decision = Decision(Noted(), state, (saved, *changes), (told,))
    return _once(decision, received, "report", part.key, part.digest)


def security(state: StationState, received: Received, raised: SecurityEventRaised) -> Decision:
    """SecurityEventNotification: kept with the station's time; a repeat is told once."""
    key = f"{raised.kind}|{raised.at.isoformat() if raised.at else ''}"
    if _key("security", key, raised.digest) in state.recent:
        return Decision(Noted(), state)
    data = {
        "kind": raised.kind,
        "reported_at": raised.at,
        "detail": raised.detail,
        "critical": is_critical(raised.kind),
    }
    told = Happened("station.security", received.at, state.station.id, data=data)
    return _once(Decision(Noted(), state, (), (told,)), received, "security", key, raised.digest)


def _key(kind: str, key: str, digest: bytes) -> str:
    return f"{kind}:{key}|{digest.hex()}"


def _once(decision: Decision, received: Received, kind: str, key: str, digest: bytes) -> Decision:
    """Remember the message by its natural key and content: a Clash on it in the record means that it is a repeat."""
    full = _key(kind, key, digest)
    state = decision.state.remembering(full, Delivered(digest, None))
    deliver = Deliver(state.station.id, kind, full, digest, None, received.at)
    return evolve(decision, state=state, changes=(deliver, *decision.changes))
