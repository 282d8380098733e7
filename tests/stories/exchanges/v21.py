"""Orders that OCPP 2.1 adds: one row per action. A session goes on: they come before its stop."""

from __future__ import annotations

from decimal import Decimal

from cms.contract import (
    charging,
    der,
    monitoring,
    payments,
    swaps,
    tariffs,
)
from tests.stories.exchanges.rows import (
    CARD,
    IND,
    TRANSACTION,
    Exchange,
)

DYNAMIC = charging.Profile(
    "tx-default",
    (charging.Schedule("A", (charging.Period(0, Decimal("16.0")),), start=None),),
    kind="dynamic",
    id=11,
    stack_level=1,
    dyn_interval_s=60,
)
GRADIENT = {"priority": 1, "gradient": 5.0, "softGradient": 1.0}
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
