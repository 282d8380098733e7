"""Block N: variable monitors, what they notice, and the reports of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cms.simulator.evse import Evse
from cms.simulator.language import Message, Order, info
from cms.simulator.v2 import streams
from cms.simulator.v2.state import Monitor
from cms.simulator.v2.variables import entry_of, name_of, too_many, unknown, value_of
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

LOOK_S = 5.0
"""How often a station with monitors looks at what they watch."""
PART = 10
TYPES = {
    "2.0.1": frozenset({"UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"}),
    "2.1": frozenset(
        {
            "UpperThreshold",
            "LowerThreshold",
            "Delta",
            "Periodic",
            "PeriodicClockAligned",
            "TargetDelta",
            "TargetDeltaRelative",
        }
    ),
}
PERIODIC = frozenset({"Periodic", "PeriodicClockAligned"})
#: MonitoringCriterion (N02) by type of monitor.
CRITERIA = {
    "UpperThreshold": "ThresholdMonitoring",
    "LowerThreshold": "ThresholdMonitoring",
    "Delta": "DeltaMonitoring",
    "TargetDelta": "DeltaMonitoring",
    "TargetDeltaRelative": "DeltaMonitoring",
    "Periodic": "PeriodicMonitoring",
    "PeriodicClockAligned": "PeriodicMonitoring",
}


def availability(station: Station, evse: Evse, word: str) -> Message:
    """A connector's state as 2.1 tells it (G01)."""
    entry = {
        **entry_of(station, f"Connector@{evse.id}/{evse.connector}.AvailabilityState"),
        **_occurrence(station, "Delta", word),
        "eventNotificationType": "HardWiredNotification",
    }
    return _event(station, [entry])


def _occurrence(station: Station, trigger: str, value: str) -> Payload:
    return {
        "eventId": station.next_number(),
        "timestamp": station.stamp(),
        "trigger": trigger,
        "actualValue": value,
    }


def _event(station: Station, entries: list[Payload]) -> Message:
    payload = {"generatedAt": station.stamp(), "seqNo": 0, "tbc": False, "eventData": entries}
    return "NotifyEvent", payload


def factory(station: Station) -> list[Monitor]:
    """What the station came with: problems are wired in, the temperature's monitor may be cleared."""
    hot = {"component": {"name": "ControllerTemperature"}, "variable": {"name": "Temperature"}}
    problems = ["ChargingStation.Problem"] + [
        f"ConnectorPlugRetentionLock@{evse.id}/{evse.connector}.Problem" for evse in station.evses
    ]
    wired = [
        Monitor(number, name, entry_of(station, name), "Delta", 1.0, 3, "HardWiredMonitor", reference="false")
        for number, name in zip((1, *range(3, 3 + len(station.evses))), problems, strict=True)
    ]
    return [
        *wired,
        Monitor(
            2, "ControllerTemperature.Temperature", hot, "UpperThreshold", 85.0, 4, "PreconfiguredMonitor"
        ),
    ]


def monitors(station: Station) -> dict[int, Monitor]:
    """All of a station's monitors; those of the factory are there from the first look on."""
    kept = station.kept
    if not kept.monitors and kept.monitoring_base == "All":
        kept.monitors = {monitor.id: monitor for monitor in factory(station)}
    return kept.monitors


# Set, clear, report


def _items(station: Station, action: str) -> int:
    return int(station.configuration[f"MonitoringCtrlr.ItemsPerMessage.{action}"].value)


def _set(station: Station, order: Payload) -> Reply | Fault:
    asked = order["setMonitoringData"]
    action = "SetVariableMonitoring"
    if fault := too_many(station, action, asked, _items(station, action)):
        return fault
    results = [_set_one(station, entry) for entry in asked]
    opened = [
        (entry, result["id"])
        for entry, result in zip(asked, results, strict=True)
        if result["status"] == "Accepted" and "periodicEventStream" in entry
    ]

    async def open_streams() -> None:
        for entry, monitor_id in opened:
            await streams.open_for(station, monitor_id, entry["periodicEventStream"])

    watch(station)
    return Reply({"setMonitoringResult": results}, open_streams if opened else None)


def _set_one(station: Station, entry: Payload) -> Payload:
    told = {key: entry[key] for key in ("component", "variable", "type", "severity")}
    status, monitor_id = _placed(station, entry)
    return {**told, "status": status, **({"id": monitor_id} if monitor_id is not None else {})}


def _placed(station: Station, entry: Payload) -> tuple[str, int | None]:
    """N04: the status, and the monitor's id once it is accepted."""
    name, known = name_of(entry), monitors(station)
    if name not in station.configuration:
        return unknown(station, name), None
    setting = station.configuration[name]
    if not setting.monitored or entry["type"] not in TYPES[station.version]:
        return "UnsupportedMonitorType", None
    beyond = (setting.low is not None and entry["value"] < setting.low) or (
        setting.high is not None and entry["value"] > setting.high
    )
    if entry["type"] in ("UpperThreshold", "LowerThreshold") and beyond:
        return "Rejected", None  # N04.FR.03
    former = known.get(entry["id"]) if "id" in entry else None
    if "id" in entry and (former is None or former.name.lower() != name.lower()):
        return "Rejected", None  # N04.FR.12, FR.13
    if former is not None and former.origin == "HardWiredMonitor":
        return "Rejected", None
    twin = next((other for other in known.values() if _like(other, name, entry)), None)
    if twin is not None and twin is not former:
        return "Duplicate", None
    monitor_id = former.id if former else max(known, default=0) + 1
    known[monitor_id] = _monitor(station, monitor_id, name, entry)
    return "Accepted", monitor_id


def _like(other: Monitor, name: str, entry: Payload) -> bool:
    """N04.FR.10: the same variable, type and severity."""
    return (other.name.lower(), other.type, other.severity) == (
        name.lower(), entry["type"], entry["severity"]
    )  # fmt: skip


def _monitor(station: Station, monitor_id: int, name: str, entry: Payload) -> Monitor:
    return Monitor(
        monitor_id,
        name,
        {"component": entry["component"], "variable": entry["variable"]},
        entry["type"],
        float(entry["value"]),
        entry["severity"],
        in_transactions=entry.get("transaction", False),
        reference=value_of(station, name),
        due_s=float(entry["value"]),
    )


def _clear(station: Station, order: Payload) -> Reply | Fault:
    action = "ClearVariableMonitoring"
    if fault := too_many(station, action, order["id"], _items(station, action)):
        return fault
    results = [{"id": id, "status": _cleared(station, id)} for id in order["id"]]
    gone = [stream for stream in station.kept.streams.values() if stream.monitor not in monitors(station)]

    async def close_streams() -> None:
        for stream in gone:
            await streams.close(station, stream)

    return Reply({"clearMonitoringResult": results}, close_streams if gone else None)


def _cleared(station: Station, monitor_id: int) -> str:
    monitor = monitors(station).get(monitor_id)
    if monitor is None:
        return "NotFound"
    if monitor.origin == "HardWiredMonitor":
        return "Rejected"  # N06.FR.06
    del station.kept.monitors[monitor_id]
    return "Accepted"


def _base(station: Station, order: Payload) -> Reply:
    """N03: FactoryDefault and HardWiredOnly take custom monitors away; All keeps them."""
    base = station.kept.monitoring_base = order["monitoringBase"]
    custom = {
        monitor.id: monitor
        for monitor in monitors(station).values()
        if monitor.origin == "CustomMonitor" and base == "All"
    }
    factory_made = {
        monitor.id: monitor
        for monitor in factory(station)
        if base != "HardWiredOnly" or monitor.origin == "HardWiredMonitor"
    }
    station.kept.monitors = factory_made | custom
    return Reply({"status": "Accepted"})


def _level(station: Station, order: Payload) -> Reply:
    if not 0 <= order["severity"] <= 9:
        return Reply({"status": "Rejected", **info("InvalidValue")})
    station.kept.monitoring_level = order["severity"]
    return Reply({"status": "Accepted"})


def _report(station: Station, order: Payload) -> Reply:
    asked, criteria = order.get("componentVariable"), order.get("monitoringCriteria")
    found = [
        monitor
        for monitor in monitors(station).values()
        if (criteria is None or CRITERIA[monitor.type] in criteria)
        and (asked is None or any(_asked(monitor, entry) for entry in asked))
    ]
    if not found:
        return Reply({"status": "EmptyResultSet"})

    async def report() -> None:
        parts = [found[start : start + PART] for start in range(0, len(found), PART)]
        for seq_no, part in enumerate(parts):
            await station.say(
                "NotifyMonitoringReport",
                {
                    "requestId": order["requestId"],
                    "generatedAt": station.stamp(),
                    "seqNo": seq_no,
                    "tbc": seq_no < len(parts) - 1,
                    "monitor": [_reported(station, monitor) for monitor in part],
                },
            )

    return Reply({"status": "Accepted"}, report)


def _asked(monitor: Monitor, entry: Payload) -> bool:
    wanted = name_of(entry).lower()
    return monitor.name.lower() == wanted or monitor.name.lower().startswith(wanted + ".")


def _reported(station: Station, monitor: Monitor) -> Payload:
    told: dict[str, Any] = {
        "id": monitor.id,
        "transaction": monitor.in_transactions,
        "value": monitor.value,
        "type": monitor.type,
        "severity": monitor.severity,
    }
    if station.version == "2.1":
        told["eventNotificationType"] = monitor.origin
    return {**monitor.entry, "variableMonitoring": [told]}


# What monitors notice


def watch(station: Station) -> None:
    """Look every few seconds, for as long as there is a monitor that was set."""
    watching = station.kept.watching
    if watching is None or watching.done():
        station.kept.watching = station.do(lambda: _watch(station))


async def _watch(station: Station) -> None:
    while any(monitor.origin == "CustomMonitor" for monitor in monitors(station).values()):
        await station.pace.sleep(LOOK_S)
        await look(station, LOOK_S)


async def look(station: Station, passed_s: float = 0.0) -> None:
    """Tell what the monitors notice now; ``passed_s`` since the last look."""
    for evse in station.evses:
        evse.advance(station.pace.now())
    noticed = [
        entry
        for monitor in list(monitors(station).values())
        if monitor.severity <= station.kept.monitoring_level
        if not monitor.in_transactions or not station.idle
        if (entry := _noticed(station, monitor, passed_s)) is not None
    ]
    if noticed:
        await station.report(*_event(station, noticed))


def _noticed(station: Station, monitor: Monitor, passed_s: float) -> Payload | None:
    """An eventData entry, or None."""
    if monitor.id in {stream.monitor for stream in station.kept.streams.values()}:
        return None  # the stream tells
    value = value_of(station, monitor.name)
    told = NOTICES[CRITERIA[monitor.type]](monitor, value, passed_s)
    if told is None:
        return None
    trigger, more = told
    entry = {
        **monitor.entry,
        **_occurrence(station, trigger, value),
        "eventNotificationType": monitor.origin,
        "variableMonitoringId": monitor.id,
        **more,
    }
    if station.version == "2.1":
        entry["severity"] = monitor.severity
    return entry


Noticed = tuple[str, Payload] | None


def _threshold(monitor: Monitor, value: str, passed_s: float) -> Noticed:
    """Alerting once when it is crossed, and once more, cleared, when all is well again (N07.FR.04)."""
    number = float(value)
    crossed = number > monitor.value if monitor.type == "UpperThreshold" else number < monitor.value
    if crossed == monitor.alarmed:
        return None
    monitor.alarmed = crossed
    return "Alerting", {"cleared": not crossed}


def _delta(monitor: Monitor, value: str, passed_s: float) -> Noticed:
    """By so much for numbers; any change of anything else (N04.FR.07)."""
    reference = monitor.reference
    if reference is None:
        monitor.reference = value
        return None
    try:
        changed = abs(float(value) - float(reference)) >= monitor.value
    except ValueError:
        changed = value != reference
    if not changed:
        return None
    monitor.reference = value
    return "Delta", {}


def _periodic(monitor: Monitor, value: str, passed_s: float) -> Noticed:
    monitor.due_s -= passed_s
    if monitor.due_s > 0:
        return None
    monitor.due_s = monitor.value
    return "Periodic", {}


NOTICES: dict[str, Callable[[Monitor, str, float], Noticed]] = {
    "ThresholdMonitoring": _threshold,
    "DeltaMonitoring": _delta,
    "PeriodicMonitoring": _periodic,
}

ORDERS: dict[str, Order] = {
    "SetVariableMonitoring": _set,
    "ClearVariableMonitoring": _clear,
    "SetMonitoringBase": _base,
    "SetMonitoringLevel": _level,
    "GetMonitoringReport": _report,
}
