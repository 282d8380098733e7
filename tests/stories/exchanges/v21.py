"""Orders that OCPP 2.1 adds: one row per action. A session goes on: they come before its stop."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from cms.contract import (
    charging,
    der,
    displays,
    jobs,
    monitoring,
    payments,
    security,
    stations,
    swaps,
    tariffs,
)
from tests.stories.exchanges.rows import CARD, FILE, IND, TEMPERATURE, TRANSACTION, Exchange, each, said

DYNAMIC = charging.Profile(
    "tx-default",
    (charging.Schedule("A", (charging.Period(0, Decimal("16.0")),), start=None),),
    kind="dynamic",
    id=11,
    stack_level=1,
    dyn_interval_s=60,
)
GRADIENT = {"priority": 1, "gradient": 5.0, "softGradient": 1.0}
STREAMED = monitoring.MonitorWish(TEMPERATURE, "periodic", 8, 10.0, interval_s=10, values=5)
CURVE = {
    "curveData": [{"x": 90.5, "y": 10.0}, {"x": 110, "y": 0}],
    "priority": 2,
    "yUnit": "PctMaxW",
    "duration": 600.0,
}
BIDIRECTIONAL = charging.Profile(
    "tx-default",
    (
        charging.Schedule(
            "W",
            (
                charging.Period(
                    0,
                    details=charging.Details(mode="central-setpoint", setpoint=Decimal("-500.5")),
                ),
            ),
            start=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    ),
    id=12,
    stack_level=5,
)
STREAM = {"id": 1, "variableMonitoringId": 3, "params": {"interval": 10, "values": 5}}

ORDERS = (
    Exchange(
        "SetChargingProfile",
        lambda _: charging.SetProfile(station=IND, profile=DYNAMIC, evse=1),
        {"chargingProfile": {"id": 11, "chargingProfileKind": "Dynamic", "dynUpdateInterval": 60}},
    ),
    Exchange(
        "UpdateDynamicSchedule",
        lambda _: charging.UpdateProfile(station=IND, profile=11, rates={"limit": Decimal("8.5")}),
        {"chargingProfileId": 11, "scheduleUpdate": {"limit": 8.5}},
    ),
    Exchange(
        "UsePriorityCharging",
        lambda known: charging.UsePriority(session=known.session),
        {"transactionId": TRANSACTION, "activate": True},
    ),
    Exchange(
        "NotifyAllowedEnergyTransfer",
        lambda known: charging.AllowEnergyTransfer(session=known.session, modes=("DC", "DC_BPT")),
        {"transactionId": TRANSACTION, "allowedEnergyTransfer": ["DC", "DC_BPT"]},
    ),
    Exchange(
        "AFRRSignal",
        lambda _: charging.SignalAfrr(station=IND, signal=5),
        {"signal": 5, "timestamp": ...},
    ),
    Exchange(
        "ChangeTransactionTariff",
        lambda known: tariffs.ChangeSessionTariff(session=known.session, tariff="other"),
        {"transactionId": TRANSACTION, "tariff": {"tariffId": "other", "currency": "EUR"}},
    ),
    Exchange(
        "SetDefaultTariff",
        lambda _: tariffs.SetStationTariff(station=IND, tariff="usual", evse=1),
        {"evseId": 1, "tariff": {"tariffId": "usual", "energy": {"prices": [{"priceKwh": 0.5}]}}},
    ),
    Exchange(
        "GetTariffs",
        lambda _: tariffs.GetStationTariffs(station=IND),
        {"evseId": 0},
        answer=lambda _: {"status": "Accepted", "tariffAssignments": [
            {"tariffId": "usual", "tariffKind": "DefaultTariff", "evseIds": [1]}
        ]},
    ),
    Exchange(
        "ClearTariffs",
        lambda _: tariffs.ClearStationTariffs(station=IND, tariffs=("usual",), evse=1),
        {"tariffIds": ["usual"], "evseId": 1},
        answer=lambda _: {"clearTariffsResult": [{"tariffId": "usual", "status": "Accepted"}]},
    ),
    Exchange(
        "SetVariableMonitoring",
        lambda _: monitoring.SetMonitors(station=IND, monitors=(STREAMED,)),
        {"setMonitoringData": [{"type": "Periodic", "periodicEventStream": {"interval": 10, "values": 5}}]},
        answer=each(
            "setMonitoringData", "setMonitoringResult", "type", "severity", "component", "variable",
            status="Accepted", id=3,
        ),
    ),
    Exchange(
        "GetPeriodicEventStream",
        lambda _: monitoring.ReadStreams(station=IND),
        answer=lambda _: {"constantStreamData": [STREAM]},
    ),
    Exchange(
        "AdjustPeriodicEventStream",
        lambda _: monitoring.AdjustStream(station=IND, stream=1, interval_s=20),
        {"id": 1, "params": {"interval": 20}},
    ),
    Exchange(
        "SetDERControl",
        lambda _: der.SetDerControl(
            station=IND, control_type="Gradients", settings=GRADIENT, default=True, control="c1"
        ),
        {"controlId": "c1", "controlType": "Gradients", "isDefault": True, "gradient": GRADIENT},
    ),
    Exchange(
        "GetDERControl",
        lambda _: der.GetDerControls(station=IND, control="c1"),
        {"requestId": ..., "controlId": "c1"},
        lambda _, order: [("ReportDERControl", {"requestId": order["requestId"], "gradient": [
            {"id": "c1", "gradient": GRADIENT}
        ]})],
    ),
    Exchange(
        "ClearDERControl",
        lambda _: der.ClearDerControls(station=IND, control="c1", default=True),
        {"controlId": "c1", "isDefault": True},
    ),
    # What else can be said along.
    Exchange(
        "SetDERControl",
        lambda _: der.SetDerControl(station=IND, control_type="VoltWatt", settings=CURVE),
        {"controlType": "VoltWatt", "isDefault": False, "curve": {"curveData": [{"x": 90.5, "y": 10.0}]}},
    ),
    Exchange(
        "SetChargingProfile",
        lambda _: charging.SetProfile(station=IND, profile=BIDIRECTIONAL, evse=1),
        {"chargingProfile": {"chargingSchedule": [{"chargingSchedulePeriod": [{"operationMode": "CentralSetpoint"}]}]}},
    ),
    Exchange(
        "SetDefaultTariff",
        lambda _: tariffs.SetStationTariff(station=IND, tariff="full"),
        {"evseId": 0, "tariff": {"tariffId": "full", "maxCost": ..., "description": ..., "idleTime": ...}},
    ),
    Exchange(
        "SetDisplayMessage",
        lambda _: displays.SetDisplayMessage(
            station=IND, text="hello", language="en", translations={"de": "hallo"}
        ),
        {"message": {"messageExtra": [{"content": "hallo", "language": "de"}]}},
    ),
    Exchange(
        "GetLog",
        lambda _: jobs.GetLog(station=IND, log_type="data-collector", location=FILE),
        {"logType": "DataCollectorLog"},
        said("LogStatusNotification", status="Uploaded", requestId=...),
    ),
    Exchange(
        "SetNetworkProfile",
        lambda _: security.SetNetworkProfile(
            station=IND, slot=3, security_profile=1, url="wss://csms.example/ocpp", identity="IND-1"
        ),
        {"connectionData": {"identity": "IND-1"}},
    ),
    Exchange(
        "Reset", lambda _: stations.ResetStation(station=IND, kind="on-idle", evse=1), {"type": "OnIdle", "evseId": 1}
    ),
    # The usual again.
    Exchange(
        "SetVariables",
        lambda _: payments.SetUpWebPayment(station=IND),
        {"setVariableData": [{"component": {"name": "WebPaymentsCtrlr"}}]},
    ),
    Exchange(
        "NotifyWebPaymentStarted",
        lambda known: payments.BeginWebPayment(station=IND, evse=1, totp=known.code),
        {"evseId": 1, "timeout": 120},
    ),
    Exchange(
        "RequestBatterySwap",
        lambda _: swaps.RequestSwap(station=IND, token=CARD),
        {"idToken": {"idToken": CARD}, "requestId": ...},
    ),
)  # fmt: skip
