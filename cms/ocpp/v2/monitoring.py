"""OCPP 2.x block N02 to N08: monitors, their reports; NotifyEvent is in diagnostics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cms.contract.refusals import NotSupported
from cms.domain.evolve import evolve
from cms.domain.monitoring import (
    NEW,
    TYPES,
    ClearAnswer,
    ClearMonitors,
    Monitor,
    MonitorAnswer,
    MonitorsReported,
    ReportMonitors,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetMonitors,
)
from cms.domain.orders import OrderAnswer
from cms.ocpp.names import parse, spell
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, shown, status_of, verdict
from cms.ocpp.v2.batches import parts
from cms.ocpp.v2.configuration import component_variable, of_report
from cms.ocpp.values import Json, Remarks, real, whole

#: Our word -> MonitorEnumType; the last two are of 2.1.
_TYPES = {word: "".join(part.capitalize() for part in word.split("-")) for word in TYPES}
_OURS = {theirs: ours for ours, theirs in _TYPES.items()}
_ONLY_21 = frozenset({"target-delta", "target-delta-relative"})

_BASES = {"all": "All", "factory-default": "FactoryDefault", "hard-wired-only": "HardWiredOnly"}
_CRITERIA = {"threshold": "ThresholdMonitoring", "delta": "DeltaMonitoring", "periodic": "PeriodicMonitoring"}

#: EventNotificationEnumType -> where the monitor comes from.
ORIGINS = {
    "HardWiredNotification": "hard-wired-notification",
    "HardWiredMonitor": "hard-wired",
    "PreconfiguredMonitor": "preconfigured",
    "CustomMonitor": "custom",
}


def set_monitors_201(order: SetMonitors) -> list[Asked]:
    for monitor in order.monitors:
        if monitor.type in _ONLY_21:
            raise NotSupported(f"OCPP 2.0.1 has no {monitor.type} monitors")
        if monitor.interval_s is not None or monitor.values is not None:
            raise NotSupported("OCPP 2.0.1 has no periodic event streams")
    return set_monitors(order)


def set_monitors(order: SetMonitors) -> list[Asked]:
    wanted = [_wanted(monitor) for monitor in order.monitors]
    return [
        ("SetVariableMonitoring", {"setMonitoringData": part})
        for part in parts(wanted, order.per_message, order.bytes_per_message)
    ]


def _wanted(monitor: Monitor) -> Json:
    component, variable = parse(monitor.name)
    said: Json = {
        "value": _number(monitor.value),
        "type": _TYPES[monitor.type],
        "severity": monitor.severity,
        "component": component,
        "variable": variable,
    }
    if monitor.id != NEW:
        said["id"] = monitor.id
    if monitor.transaction:
        said["transaction"] = True
    terms = stream_terms(monitor.interval_s, monitor.values)
    return said | {"periodicEventStream": terms} if terms else said


def _number(value: float | None) -> float | int:
    number = 1.0 if value is None else value
    return int(number) if number == int(number) else number


def stream_terms(interval_s: int | None, values: int | None) -> Json:
    """PeriodicEventStreamParamsType."""
    terms = {"interval": interval_s, "values": values}
    return {name: value for name, value in terms.items() if value is not None}


def monitors_set(order: SetMonitors, answers: Sequence[Json]) -> OrderAnswer:
    """Results are told by variable, type and severity: the wish that they belong to has the value."""
    waiting = list(order.monitors)
    results = [item for answer in answers for item in answer["setMonitoringResult"]]
    told = tuple(_fared(item, waiting) for item in results)
    return _of_all([answer.status for answer in told], answers, told)


def _fared(item: Json, waiting: list[Monitor]) -> MonitorAnswer:
    name, kind = spell(item["component"], item["variable"]), _OURS.get(item["type"], str(item["type"]))
    severity = int(item.get("severity", 9))
    wish = next(
        (
            m
            for m in waiting
            if m.name.casefold() == name.casefold() and (m.type, m.severity) == (kind, severity)
        ),
        None,
    ) or next((m for m in waiting if m.name.casefold() == name.casefold() and m.type == kind), None)
    if wish is None:
        wish = Monitor(NEW, name, kind, None, severity)
    else:
        waiting.remove(wish)
    number = whole(item.get("id"))
    return MonitorAnswer(evolve(wish, name=name, id=wish.id if number is None else number), item["status"])


def _of_all(words: Sequence[str], answers: Sequence[Json], told: tuple[object, ...]) -> OrderAnswer:
    """One verdict over many: a no if one was refused, whatever became of the others."""
    refused = [word for word in words if verdict(word) == "rejected"]
    word = (refused or ["Accepted"])[0]
    return OrderAnswer(verdict(word), word, shown(answers), told=told)


def clear_monitors(order: ClearMonitors) -> list[Asked]:
    return [
        ("ClearVariableMonitoring", {"id": part})
        for part in parts(order.ids, order.per_message, order.bytes_per_message)
    ]


def monitors_cleared(_: ClearMonitors, answers: Sequence[Json]) -> OrderAnswer:
    results = [item for answer in answers for item in answer["clearMonitoringResult"]]
    told = tuple(ClearAnswer(int(item["id"]), item["status"]) for item in results)
    return _of_all([answer.status for answer in told], answers, told)


def set_base(order: SetMonitoringBase) -> list[Asked]:
    return [("SetMonitoringBase", {"monitoringBase": _BASES[order.base]})]


def set_level(order: SetMonitoringLevel) -> list[Asked]:
    return [("SetMonitoringLevel", {"severity": order.severity})]


def get_report(order: ReportMonitors) -> list[Asked]:
    said: Json = {"requestId": order.request_id}
    if order.criteria:
        said["monitoringCriteria"] = [_CRITERIA[word] for word in order.criteria]
    if order.names:
        said["componentVariable"] = [component_variable(name) for name in order.names]
    return [("GetMonitoringReport", said)]


def report_asked(_: ReportMonitors, answers: Sequence[Json]) -> OrderAnswer:
    return of_report(answers)


def monitors_reported(payload: Json, _: Remarks) -> MonitorsReported:
    return MonitorsReported(
        request_id=int(payload["requestId"]),
        seq_no=int(payload["seqNo"]),
        monitors=tuple(monitor for item in payload.get("monitor") or () for monitor in _monitors(item)),
        more=payload.get("tbc") is True,
    )


def _monitors(item: Json) -> Iterator[Monitor]:
    name = spell(item["component"], item["variable"])
    for told in item["variableMonitoring"]:
        yield Monitor(
            id=int(told["id"]),
            name=name,
            type=_OURS.get(told["type"], str(told["type"])),
            value=real(told["value"]),
            severity=int(told["severity"]),
            transaction=told["transaction"] is True,
            origin=ORIGINS.get(told.get("eventNotificationType")),
        )


def _set_nothing(payload: Json) -> Json:
    """What an error to SetVariableMonitoring stands for: none of these was taken."""
    named = ("type", "severity", "component", "variable")
    results = [{name: item[name] for name in named} for item in payload["setMonitoringData"]]
    return {"setMonitoringResult": [{**result, "status": "Rejected"} for result in results]}


def _cleared_nothing(payload: Json) -> Json:
    return {"clearMonitoringResult": [{"id": number, "status": "Rejected"} for number in payload["id"]]}


INCOMING = {"NotifyMonitoringReport": Incoming(TOLD, monitors_reported, nothing)}

_LISTS = {"SetVariableMonitoring": "setMonitoringData"}
OUTGOING_201 = {
    SetMonitors: Outgoing(
        set_monitors_201, monitors_set, ("SetVariableMonitoring",), _LISTS, refused=_set_nothing
    ),
    ClearMonitors: Outgoing(
        clear_monitors,
        monitors_cleared,
        ("ClearVariableMonitoring",),
        {"ClearVariableMonitoring": "id"},
        refused=_cleared_nothing,
    ),
    SetMonitoringBase: Outgoing(set_base, status_of, ("SetMonitoringBase",)),
    SetMonitoringLevel: Outgoing(set_level, status_of, ("SetMonitoringLevel",)),
    ReportMonitors: Outgoing(get_report, report_asked, ("GetMonitoringReport",)),
}
OUTGOING_21 = {
    SetMonitors: Outgoing(
        set_monitors, monitors_set, ("SetVariableMonitoring",), _LISTS, refused=_set_nothing
    )
}
