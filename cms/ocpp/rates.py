"""What a charging schedule period says beyond one limit: rates per phase, setpoints, operation modes (2.1)."""

from __future__ import annotations

from cms.contract.charging import RATES, Details, FrequencyPoint, SignalPoint
from cms.ocpp.values import Json, exact

_NAMES = {
    "limit": "limit",
    "discharge_limit": "dischargeLimit",
    "setpoint": "setpoint",
    "setpoint_reactive": "setpointReactive",
}
#: Our rate -> its name in ChargingScheduleUpdateType and in a period: ``discharge_limit_l2`` is dischargeLimit_L2.
RATE_NAMES = {
    rate: _NAMES[name] + (f"_L{rate[-1]}" if rate != name else "")
    for rate in RATES
    for name in (rate.removesuffix("_l2").removesuffix("_l3"),)
}
_MODES = {
    "idle": "Idle",
    "charging-only": "ChargingOnly",
    "central-setpoint": "CentralSetpoint",
    "external-setpoint": "ExternalSetpoint",
    "external-limits": "ExternalLimits",
    "central-frequency": "CentralFrequency",
    "local-frequency": "LocalFrequency",
    "local-load-balancing": "LocalLoadBalancing",
}
_MODE_OF = {word: ours for ours, word in _MODES.items()}
#: A period has one of these, or it says no more than its limit.
_BEYOND = (
    frozenset(RATE_NAMES.values()) - {"limit"}
    | {"operationMode", "v2xBaseline", "v2xFreqWattCurve", "v2xSignalWattCurve"}
    | {"preconditioningRequest", "evseSleep"}
)
#: Points of a curve (the schema of 2.1).
_MOST_POINTS = 20


def details_said(details: Details) -> Json:
    """The members of a ChargingSchedulePeriodType beyond its limit and phases."""
    said: Json = {name: getattr(details, ours) for ours, name in RATE_NAMES.items() if ours != "limit"}
    said |= {
        "operationMode": details.mode and _MODES[details.mode],
        "v2xBaseline": details.baseline,
        "v2xFreqWattCurve": [{"frequency": p.frequency, "power": p.power} for p in details.frequency_curve],
        "v2xSignalWattCurve": [{"signal": p.signal, "power": p.power} for p in details.signal_curve],
        "preconditioningRequest": details.preconditioning,
        "evseSleep": details.evse_sleep,
    }
    return {name: value for name, value in said.items() if value not in (None, [])}


def details_told(said: Json) -> Details | None:
    """Likewise, as a station reports them."""
    if _BEYOND.isdisjoint(said):
        return None
    rates = {ours: exact(said.get(name)) for ours, name in RATE_NAMES.items() if ours != "limit"}
    return Details(
        **rates,
        mode=_MODE_OF.get(said.get("operationMode", "")),
        baseline=exact(said.get("v2xBaseline")),
        frequency_curve=tuple(_frequency_points(said)),
        signal_curve=tuple(_signal_points(said)),
        preconditioning=said.get("preconditioningRequest"),
        evse_sleep=said.get("evseSleep"),
    )


def _frequency_points(said: Json) -> list[FrequencyPoint]:
    points = [(exact(p["frequency"]), exact(p["power"])) for p in _points(said, "v2xFreqWattCurve")]
    return [FrequencyPoint(at, power) for at, power in points if at is not None and power is not None]


def _signal_points(said: Json) -> list[SignalPoint]:
    points = [(int(p["signal"]), exact(p["power"])) for p in _points(said, "v2xSignalWattCurve")]
    return [SignalPoint(signal, power) for signal, power in points if power is not None]


def _points(said: Json, name: str) -> list[Json]:
    points: list[Json] = said.get(name) or []
    return points[:_MOST_POINTS]
