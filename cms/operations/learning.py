"""What an answer to an order teaches us about the station, beside the order's own fate: one row per order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cms.core import Core
from cms.domain import (
    checks,
    customers,
    der,
    devicemodel,
    displays,
    due,
    installed,
    jobs,
    lists,
    monitoring,
    network,
    reports,
    reservations,
    security,
    signing,
    stationtariffs,
    streams,
    swaps,
    tariffs,
)
from cms.domain.changes import (
    Change,
    Decision,
    ForgetVariables,
    Happened,
    SaveConnector,
    SaveIntent,
    SaveVariables,
)
from cms.domain.charging import answers as charging
from cms.domain.charging import orders as charging_orders
from cms.domain.devicemodel import ReportVariables
from cms.domain.evolve import evolve
from cms.domain.intents import Intent, failed
from cms.domain.jobs import GetLog, PublishFirmware, UpdateFirmware
from cms.domain.monitoring import (
    ClearMonitors,
    ReportMonitors,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetMonitors,
)
from cms.domain.observations import VariableReported
from cms.domain.orders import (
    CallAction,
    Order,
    OrderAnswer,
    RemoteStart,
    SetAvailability,
    WriteVariables,
)
from cms.domain.record import record
from cms.domain.stations import StationState
from cms.domain.streams import AdjustStream, ReadStreams
from cms.domain.wordforword import own_order
from cms.operations.credentials import SECRET_NAMES, as_told
from cms.operations.deciding import intent_event, with_intent

#: A station's words for a variable that it told of, or took.
TAKEN = ("Accepted", "RebootRequired")


@record
class Learned:
    """The state after an answer, and what is written and told with it."""

    state: StationState
    changes: tuple[Change, ...] = ()
    events: tuple[Happened, ...] = ()


@record
class Answered:
    """An order with its answer. ``answer.verdict`` may be a no: most rows then learn nothing."""

    intent: Intent
    order: Any
    answer: OrderAnswer
    at: datetime

    @property
    def taken(self) -> bool:
        return self.answer.verdict != "rejected"


def learn(
    core: Core, state: StationState, intent: Intent, order: Order, answer: OrderAnswer, now: datetime
) -> Learned:
    """Everything an answer teaches: its variables, and what the order's own row makes of it."""
    answered = Answered(intent, order, answer, now)
    learned = _variables(state, answered)
    row = LEARNING.get(type(order))
    if row is None:
        return learned
    more = row(core, learned.state, answered)
    return Learned(more.state, learned.changes + more.changes, learned.events + more.events)


def _variables(state: StationState, answered: Answered) -> Learned:
    told = [v for v in answered.answer.variables if v.status in TAKEN]
    if not told:
        return Learned(state)
    station = answered.intent.station
    kept = tuple(
        VariableReported(v.name, v.value, v.attribute, v.readonly, v.status == "RebootRequired") for v in told
    )
    values = {v.name: v.value for v in told}
    event = Happened("station.configuration", answered.at, station, data={"values": values})
    return Learned(state, (SaveVariables(station, kept, answered.at),), (event,))


def _availability(_: Core, state: StationState, answered: Answered) -> Learned:
    """What was requested is shown beside what is (G03, G04)."""
    order: SetAvailability = answered.order
    if not answered.taken:
        return Learned(state)
    wanted = "operative" if order.operative else "inoperative"
    changes: list[Change] = []
    for place, connector in state.connectors.items():
        if order.evse in (None, 0, place[0]) and order.connector in (None, place[1]):
            asked = evolve(connector, requested_availability=wanted)
            state = evolve(state, connectors={**state.connectors, place: asked})
            changes.append(SaveConnector(state.station.id, asked))
    return Learned(state, tuple(changes))


def _password(core: Core, state: StationState, answered: Answered) -> Learned:
    """A station that took a new password connects with it from now on; one that refused it with the old one."""
    order: WriteVariables = answered.order
    words = {v.name.casefold(): v.status for v in answered.answer.variables}
    learned = Learned(state)
    for name, value in order.values.items():
        word = words.get(name.casefold())
        if name.casefold() not in SECRET_NAMES or word in (None, "RebootRequired"):
            continue  # which of the two it uses after the next boot, that shows
        digest = as_told(core.keys, state.station.id, value)
        settled = security.settled(learned.state, digest, answered.at, taken=word in TAKEN)
        learned = Learned(settled.state, learned.changes + settled.changes, learned.events + settled.events)
    return _security_profile(learned, order, words, answered.at)


def _called(core: Core, state: StationState, answered: Answered) -> Learned:
    """What was set, or asked to be reported, word for word is set and expected all the same."""
    name, params = own_order(answered.order.action, answered.order.payload) or ("", {})
    if name == "config-set" and answered.answer.variables:
        return _password(core, state, evolve(answered, order=WriteVariables(params["values"])))
    if name == "config-report":
        return _expected(state, answered, params["request_id"], devicemodel.SUBJECTS[params["base"]])
    if name == "monitors-report":
        subject = monitoring.SOME if params["some"] else monitoring.ALL
        return _expected(state, answered, params["request_id"], subject)
    return Learned(state)


def _security_profile(
    learned: Learned, order: WriteVariables, words: dict[str, str], now: datetime
) -> Learned:
    """A 1.6 station that took a higher SecurityProfile will come with it (whitepaper A05)."""
    for name, value in order.values.items():
        taken = words.get(name.casefold()) in TAKEN
        if name.casefold() == "securityprofile" and taken and value in ("1", "2", "3"):
            rise = security.upgrading(learned.state, int(value), now)
            learned = Learned(rise.state, learned.changes + rise.changes, learned.events + rise.events)
    return learned


def _swap(_: Core, state: StationState, answered: Answered) -> Learned:
    """An exchange of batteries is expected (2.1 S02)."""
    if not answered.taken:
        return Learned(state)
    by = answered.intent.requested_by
    state, changes = swaps.requested(state, answered.order, by, answered.at)
    return Learned(state, tuple(changes))


def _job(_: Core, state: StationState, answered: Answered) -> Learned:
    """A firmware update or a log upload begins, or is refused."""
    said = answered.answer.answer
    file_name = said.get("fileName") or said.get("filename")
    state, changes, events = jobs.begun(
        state,
        answered.intent,
        answered.answer.word,
        answered.taken,
        str(file_name) if file_name else None,
        answered.at,
    )
    for intent in tuple(state.intents.values()):
        job: jobs.Job | None = state.kept_of(jobs.KIND).get(str(intent.params.get("request_id")))
        if job is not None and job.intent == intent.id and job.outcome == jobs.CANCELLED:
            # Another order took its place: nothing of this one will ever be seen.
            ended = failed(intent, answered.at, job.detail or job.status)
            state = with_intent(state, ended)
            changes.append(SaveIntent(ended))
            events.append(intent_event("intent.changed", ended, answered.at))
    return Learned(state, tuple(changes), tuple(events))


def _decided(
    decide: Callable[[StationState, Intent, Any, OrderAnswer, datetime], Decision],
) -> Callable[[Core, StationState, Answered], Learned]:
    """A row whose block decides without the core; what it keeps is looked at again when its time comes."""

    def row(core: Core, state: StationState, answered: Answered) -> Learned:
        decision = decide(state, answered.intent, answered.order, answered.answer, answered.at)
        for when, name in due.instants_of(decision.changes):
            core.wake(when, state.station.id, name)
        return Learned(decision.state, decision.changes, decision.events)

    return row


def _report(_: Core, state: StationState, answered: Answered) -> Learned:
    """A report in parts is expected from now on; one that overtook the answer may be whole already."""
    order: ReportVariables | ReportMonitors = answered.order
    return _expected(state, answered, order.request_id, _subject(order))


def _expected(state: StationState, answered: Answered, request_id: int, subject: str) -> Learned:
    if answered.answer.word != "Accepted":
        return Learned(state)
    begun = answered.intent.sent_at or answered.at
    state, changes = reports.asked(state, request_id, subject, begun)
    whole: reports.Report = state.kept_of(reports.KIND)[str(request_id)]
    if not whole.complete:
        return Learned(state, tuple(changes))
    state, gone = monitoring.swept(state, whole, answered.at)
    forgotten = (ForgetVariables(state.station.id, begun),) if whole.subject == devicemodel.FULL else ()
    return Learned(state, (*changes, *gone, *forgotten))


def _subject(order: ReportVariables | ReportMonitors) -> str:
    if isinstance(order, ReportMonitors):
        return monitoring.SOME if order.criteria or order.names else monitoring.ALL
    return devicemodel.SUBJECTS[order.base]


def _monitoring(_: Core, state: StationState, answered: Answered) -> Learned:
    """The register of monitors, and the streams: what the station took, item by item."""
    match answered.order:
        case SetMonitors():
            state, changes = monitoring.set_(state, answered.answer.told, answered.at)
        case ClearMonitors():
            state, changes = monitoring.cleared(state, answered.answer.told, answered.at)
        case SetMonitoringBase(base=base) if answered.taken:
            state, changes = monitoring.based(state, base, answered.at)
        case SetMonitoringLevel(severity=severity) if answered.taken:
            state, changes = monitoring.levelled(state, severity, answered.at)
        case ReadStreams() if answered.taken:
            state, changes = streams.listed(state, answered.answer.told, answered.at)
        case AdjustStream() if answered.taken:
            state, changes = streams.adjusted(state, answered.order, answered.at)
        case _:
            return Learned(state)
    return Learned(state, tuple(changes))


LEARNING: dict[type[Order], Callable[[Core, StationState, Answered], Learned]] = {
    SetAvailability: _availability,
    ReportVariables: _report,
    ReportMonitors: _report,
    SetMonitors: _monitoring,
    ClearMonitors: _monitoring,
    SetMonitoringBase: _monitoring,
    SetMonitoringLevel: _monitoring,
    ReadStreams: _monitoring,
    AdjustStream: _monitoring,
    WriteVariables: _password,
    CallAction: _called,
    UpdateFirmware: _job,
    PublishFirmware: _job,
    GetLog: _job,
    signing.TakeCertificate: _decided(signing.handed_over),
    installed.InstallCertificate: _decided(installed.installed),
    installed.ListInstalled: _decided(installed.listed),
    installed.DeleteCertificate: _decided(installed.deleted),
    network.SetNetworkProfile: _decided(network.answered),
    lists.SendList: _decided(lists.sent),
    lists.AskListVersion: _decided(lists.version_told),
    reservations.Reserve: _decided(reservations.answered),
    reservations.CancelReservation: _decided(reservations.cancel_answered),
    checks.CheckTransaction: _decided(checks.answered),
    charging_orders.SetChargingProfile: _decided(charging.set_answered),
    charging_orders.ClearChargingProfiles: _decided(charging.clear_answered),
    charging_orders.GetChargingProfiles: _decided(charging.get_answered),
    charging_orders.GetCompositeSchedule: _decided(charging.composite_answered),
    charging_orders.UsePriorityCharging: _decided(charging.priority_answered),
    charging_orders.UpdateDynamicSchedule: _decided(charging.update_answered),
    charging_orders.AllowEnergyTransfer: _decided(charging.transfer_answered),
    RemoteStart: _decided(charging.start_answered),
    der.SetControl: _decided(der.set_answered),
    der.GetControls: _decided(der.get_answered),
    der.ClearControls: _decided(der.clear_answered),
    displays.SetDisplay: _decided(displays.set_answered),
    displays.GetDisplays: _decided(displays.get_answered),
    displays.ClearDisplay: _decided(displays.clear_answered),
    customers.AskCustomer: _decided(customers.answered),
    tariffs.SetDefaultTariff: _decided(stationtariffs.set_default),
    tariffs.GetTariffs: _decided(stationtariffs.got),
    tariffs.ClearTariffs: _decided(stationtariffs.cleared),
    tariffs.ChangeTransactionTariff: _decided(stationtariffs.changed),
    swaps.RequestBatterySwap: _swap,
}
