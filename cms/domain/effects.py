"""Which orders are done only when something is seen to happen, and what: the table EFFECTS on one page.

An order without a row is confirmed by the station's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from cms.domain import customers, displays, jobs
from cms.domain.connectors import ConnectorStatus
from cms.domain.observations import (
    Booted,
    ConnectorReported,
    EventsNotified,
    Received,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.record import record
from cms.domain.wordforword import own

if TYPE_CHECKING:
    from cms.domain.intents import Intent
    from cms.domain.stations import StationState


def _always(_: Intent) -> bool:
    return True


def _not_lost(_: Intent, __: Received, ___: StationState) -> str | None:
    return None


def _never(_: Intent, __: StationState) -> bool:
    return False


@record
class Effect:
    """``seen`` says in words how a message is the effect, or None; it gets the state after that message.

    An accepted order has failed when nothing was seen ``within`` this time, ``missing`` says what. ``already``:
    the effect holds, nothing will be sent. ``lost`` says how a message rules the effect out. ``applies``: some
    orders of the kind have no effect to wait for.
    """

    within: timedelta
    seen: Callable[[Intent, Received, StationState], str | None]
    missing: str
    lost: Callable[[Intent, Received, StationState], str | None] = _not_lost
    already: Callable[[Intent, StationState], bool] = _never
    applies: Callable[[Intent], bool] = _always
    patience: Callable[[Intent], timedelta] | None = None
    """``within`` of an order that says it itself."""


def _boots_all(intent: Intent) -> bool:
    """A reset of one EVSE boots nothing."""
    return not intent.params.get("evse")


def _rebooted(_: Intent, received: Received, __: StationState) -> str | None:
    return "the station booted again" if isinstance(received.observation, Booted) else None


def _began(intent: Intent, received: Received, _: StationState) -> str | None:
    seen = received.observation
    if not isinstance(seen, TransactionReported) or seen.phase is TransactionPhase.ENDED:
        return None
    if seen.remote_start_id is not None:
        return "the session began" if seen.remote_start_id == intent.params.get("remote_start_id") else None
    # 1.6 has no correlation id: the token, the connector and the time must do.
    wanted_evse = intent.params.get("evse")
    same_token = (
        seen.token is not None and seen.token.id.casefold() == str(intent.params.get("token")).casefold()
    )
    recent = seen.at is None or intent.sent_at is None or seen.at >= intent.sent_at - timedelta(minutes=2)
    fits = seen.phase is TransactionPhase.STARTED and same_token and recent
    return "the session began" if fits and wanted_evse in (None, 0, seen.evse) else None


def _stopped(intent: Intent, received: Received, _: StationState) -> str | None:
    seen = received.observation
    if not isinstance(seen, TransactionReported) or seen.phase is not TransactionPhase.ENDED:
        return None
    return "the session ended" if seen.transaction_id == intent.params.get("transaction_id") else None


def _became_available(intent: Intent, received: Received, state: StationState) -> str | None:
    """A report that fits, and no other place of the order's is known to be otherwise (2.0.1 G03, G04)."""
    seen = received.observation
    reports: Iterable[ConnectorReported] = ()
    if isinstance(seen, ConnectorReported):
        reports = (seen,)
    elif isinstance(seen, EventsNotified):
        reports = seen.statuses
    concerned = [report for report in reports if _concerns(intent, report.evse, report.connector)]
    if not any(_as_ordered(intent, report.status) for report in concerned):
        return None
    # A 1.6 station may speak for all its connectors with connector 0.
    whole = any(report.evse == 0 for report in concerned)
    told = {(report.evse, report.connector) for report in concerned}
    others = (c for key, c in state.connectors.items() if key not in told and _concerns(intent, *key))
    done = whole or all(_as_ordered(intent, c.status) for c in others if c.evse)
    return "the status arrived" if done else None


def _already_so(intent: Intent, state: StationState) -> bool:
    """An availability that holds already makes no station send a status."""
    places = state.connectors.values()
    wanted = [c for c in places if c.evse and _concerns(intent, c.evse, c.connector)]
    return bool(wanted) and all(_as_ordered(intent, c.status) for c in wanted)


def _concerns(intent: Intent, evse: int, connector: int) -> bool:
    ordered_evse, ordered_connector = intent.params.get("evse"), intent.params.get("connector")
    return ordered_evse in (None, 0, evse) and ordered_connector in (None, connector)


def _as_ordered(intent: Intent, status: str) -> bool:
    unavailable = status == ConnectorStatus.UNAVAILABLE
    return not unavailable if intent.params.get("operative") else unavailable


#: Triggers whose message is not of their own name.
_TRIGGERED = {
    "signchargepointcertificate": {"SignCertificate"},
    "signchargingstationcertificate": {"SignCertificate"},
    "signv2gcertificate": {"SignCertificate"},
    "signv2g20certificate": {"SignCertificate"},
    "signcombinedcertificate": {"SignCertificate"},
    "metervalues": {"MeterValues", "TransactionEvent"},
    "statusnotification": {"StatusNotification", "NotifyEvent"},
    "firmwarestatusnotification": {"FirmwareStatusNotification", "SignedFirmwareStatusNotification"},
    "signedfirmwarestatusnotification": {"FirmwareStatusNotification", "SignedFirmwareStatusNotification"},
}


def triggers(message: str, action: str) -> bool:
    """Whether ``action`` is what a station sends when it was asked for ``message``, however that is spelled."""
    word = message.casefold()
    return action in _TRIGGERED[word] if word in _TRIGGERED else action.casefold() == word


def _standard(intent: Intent) -> bool:
    """What a station sends for a trigger of its own, nobody knows but its vendor."""
    return not intent.params.get("custom")


def _sent_it(intent: Intent, received: Received, _: StationState) -> str | None:
    message = str(intent.params.get("message"))
    return f"the station sent {received.action}" if triggers(message, received.action) else None


def _call_triggers(intent: Intent) -> bool:
    """Of the calls that are OCPP already, a trigger that was taken has the effect of a trigger."""
    meant = own(intent)
    word = (intent.answer or {}).get("status", "Accepted")
    return meant.order == "trigger" and _standard(meant) and word == "Accepted"


def _call_sent_it(intent: Intent, received: Received, state: StationState) -> str | None:
    return _sent_it(own(intent), received, state)


def reported(intent: Intent, _: Received, state: StationState) -> str | None:
    """The effect of every order that asks for a report in parts: all of them have come (domain.reports)."""
    report = state.kept_of("report").get(str(intent.params.get("request_id")))
    if report is None or not report.complete:
        return None
    return f"the report came: {report.items} entries in {len(report.parts)} parts"


def _nothing_to_report(intent: Intent, _: StationState) -> bool:
    return (intent.answer or {}).get("status") == "EmptyResultSet"


def _report_within(intent: Intent) -> timedelta:
    return timedelta(seconds=float(intent.params.get("within_s") or REPORT_WITHIN.total_seconds()))


def _something(nothing: str) -> Callable[[Intent], bool]:
    """Whether a report will come: not where the station said that it has nothing to report."""
    return lambda intent: not intent.answer or intent.answer.get("status") != nothing


def _report_lost(_: Intent, received: Received, __: StationState) -> str | None:
    """A station that restarts forgets what it was about to tell; one that was asked to boot did not restart."""
    seen = received.observation
    restarted = isinstance(seen, Booted) and seen.reason != "Triggered"
    return "the station booted before its report was whole" if restarted else None


REPORT_WITHIN = timedelta(minutes=5)
_REPORT = Effect(
    REPORT_WITHIN,
    reported,
    "the station accepted but parts of its report are missing",
    lost=_report_lost,
    already=_nothing_to_report,
    patience=_report_within,
)

#: By the order's name in orderbook.ORDERS.
EFFECTS: dict[str, Effect] = {
    "reset": Effect(
        timedelta(minutes=10),
        _rebooted,
        "the station accepted but did not boot again in time",
        applies=_boots_all,
    ),
    "start": Effect(timedelta(minutes=3), _began, "the station accepted but no session began in time"),
    "stop": Effect(
        timedelta(minutes=2), _stopped, "the station accepted but the session did not end in time"
    ),
    "availability": Effect(
        timedelta(minutes=2),
        _became_available,
        "the station accepted but its status did not change in time",
        already=_already_so,
    ),
    "trigger": Effect(
        timedelta(minutes=1),
        _sent_it,
        "the station accepted but did not send the message in time",
        applies=_standard,
    ),
    "call": Effect(
        timedelta(minutes=1),
        _call_sent_it,
        "the station accepted but did not send the message in time",
        applies=_call_triggers,
    ),
    "config-report": _REPORT,
    "profiles-get": Effect(
        REPORT_WITHIN,
        reported,
        "the station accepted but did not report its charging profiles in time",
        applies=_something("NoProfiles"),
    ),
    "der-get": Effect(
        REPORT_WITHIN,
        reported,
        "the station accepted but did not report its DER controls in time",
        applies=_something("NotFound"),
    ),
    "monitors-report": _REPORT,
    "firmware": Effect(
        timedelta(days=7),
        jobs.ended_well,
        "the station accepted but did not say that it installed the firmware",
        lost=jobs.ended_badly,
    ),
    "publish-firmware": Effect(
        timedelta(days=1),
        jobs.ended_well,
        "the station accepted but did not say that it published the firmware",
        lost=jobs.ended_badly,
    ),
    "log": Effect(
        timedelta(hours=6),
        jobs.ended_well,
        "the station accepted but did not say that it uploaded the log",
        lost=jobs.ended_badly,
        applies=jobs.goes_on,
    ),
    displays.GET: Effect(
        REPORT_WITHIN,
        reported,
        "the station accepted but did not report its messages in time",
        applies=displays.reports_follow,
    ),
    customers.ASK: Effect(
        REPORT_WITHIN,
        reported,
        "the station accepted but did not report what it knows in time",
        applies=customers.reports_follow,
    ),
}
