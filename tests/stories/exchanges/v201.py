"""Orders to stations that speak OCPP 2.0.1: one row per action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.contract import (
    certificates,
    charging,
    checks,
    configuration,
    customers,
    datatransfer,
    displays,
    jobs,
    lists,
    monitoring,
    reservations,
    security,
    sessions,
    stations,
    tariffs,
)
from tests.stories.exchanges.rows import (
    CARD,
    FILE,
    HASHES,
    IND,
    MD5,
    PEM,
    SERIAL,
    TEMPERATURE,
    TRANSACTION,
    Exchange,
    Json,
    Known,
    Then,
    csr,
    each,
    now,
    profile,
    said,
    until,
)

PLACE = {"id": 1, "connectorId": 1}
VARIABLE = {"component": {"name": "ControllerTemperature"}, "variable": {"name": "Temperature"}}


def status(word: str) -> Then:
    told = {"connectorStatus": word, "evseId": 1, "connectorId": 1}
    return lambda _, __: [("StatusNotification", told | {"timestamp": now()})]


def boot(_: Known, __: Json) -> Sequence[tuple[str, Json]]:
    who = {"vendorName": "Independent", "model": "Two"}
    return [("BootNotification", {"chargingStation": who, "reason": "RemoteReset"})]


def event(kind: str, trigger: str, number: int, **more: Any) -> tuple[str, Json]:
    info = {"transactionId": TRANSACTION} | more.pop("info", {})
    told = {"eventType": kind, "timestamp": now(), "triggerReason": trigger, "seqNo": number}
    return "TransactionEvent", told | {"transactionInfo": info} | more


def begin(_: Known, order: Json) -> Sequence[tuple[str, Json]]:
    info = {"remoteStartId": order["remoteStartId"], "chargingState": "Charging"}
    values = [{"timestamp": now(), "sampledValue": [{"value": 0.0, "context": "Transaction.Begin"}]}]
    return [
        event("Started", "RemoteStart", 0, info=info, evse=PLACE, idToken=order["idToken"]),
        event("Updated", "MeterValuePeriodic", 1, meterValue=values),
    ]


def end(_: Known, __: Json) -> Sequence[tuple[str, Json]]:
    return [event("Ended", "RemoteStop", 2, info={"stoppedReason": "Remote"})]


def told_profiles(_: Known, order: Json) -> Sequence[tuple[str, Json]]:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    }
    one = {
        "id": 7, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule | {"startSchedule": now()}],
    }  # fmt: skip
    told = {
        "requestId": order["requestId"],
        "chargingLimitSource": "CSO",
        "evseId": 1,
        "chargingProfile": [one],
    }
    return [("ReportChargingProfiles", told)]


def report(action: str, **more: Any) -> Then:
    return lambda _, order: [
        (action, {"requestId": order["requestId"], "generatedAt": now(), "seqNo": 0, "tbc": False} | more)
    ]


HOUR = timedelta(hours=1)
DAILY = charging.Profile(
    "tx-default",
    (
        charging.Schedule(
            "W",
            (
                charging.Period(0, Decimal("11000.0"), phases=3),
                charging.Period(3600, Decimal("3700.5"), phases=1),
            ),
            start=datetime(2026, 1, 1, tzinfo=UTC),
            duration_s=86_400,
            min_rate=Decimal("1000.1"),
        ),
    ),
    kind="recurring",
    recurrency="daily",
    stack_level=3,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_to=datetime(2099, 1, 1, tzinfo=UTC),
)
VALUE = {**VARIABLE, "variableAttribute": [{"value": "20"}]}
MONITOR = {"id": 3, "transaction": False, "value": 70.0, "type": "UpperThreshold", "severity": 5}
NOTIFICATION = {"eventNotificationType": "CustomMonitor"}
WISH = monitoring.MonitorWish(TEMPERATURE, "upper-threshold", 5, 70.0)


def told_monitors(known: Known, order: Json) -> Sequence[tuple[str, Json]]:
    monitor = MONITOR | (NOTIFICATION if known.version == "2.1" else {})
    told = report("NotifyMonitoringReport", monitor=[{**VARIABLE, "variableMonitoring": [monitor]}])
    return told(known, order)


ORDERS = (
    Exchange(
        "GetBaseReport",
        lambda _: configuration.ReportConfiguration(station=IND, base="full"),
        {"reportBase": "FullInventory", "requestId": ...},
        report("NotifyReport", reportData=[VALUE]),
    ),
    Exchange(
        "GetReport",
        lambda _: configuration.ReportConfiguration(station=IND, criteria=("problem",), names=(TEMPERATURE,)),
        {"componentCriteria": ["Problem"], "componentVariable": [VARIABLE]},
        report("NotifyReport", reportData=[VALUE]),
    ),
    Exchange(
        "GetVariables",
        lambda _: stations.GetConfiguration(station=IND, names=("OCPPCommCtrlr.HeartbeatInterval",)),
        {"getVariableData": [{"variable": {"name": "HeartbeatInterval"}}]},
        answer=each(
            "getVariableData", "getVariableResult", "component", "variable", attributeStatus="Accepted",
            attributeValue="300",
        ),
    ),
    Exchange(
        "SetVariables",
        lambda _: stations.SetConfiguration(station=IND, values={"OCPPCommCtrlr.HeartbeatInterval": "600"}),
        {"setVariableData": [{"attributeValue": "600"}]},
    ),
    Exchange("SetMonitoringBase", lambda _: monitoring.SetMonitoringBase(station=IND, base="all"), {
        "monitoringBase": "All"
    }),
    Exchange("SetMonitoringLevel", lambda _: monitoring.SetMonitoringLevel(station=IND, severity=4), {"severity": 4}),
    Exchange(
        "SetVariableMonitoring",
        lambda _: monitoring.SetMonitors(station=IND, monitors=(WISH,)),
        {"setMonitoringData": [{"value": 70, "type": "UpperThreshold", "severity": 5, **VARIABLE}]},
        answer=each(
            "setMonitoringData", "setMonitoringResult", "type", "severity", "component", "variable",
            status="Accepted", id=3,
        ),
    ),
    Exchange(
        "GetMonitoringReport",
        lambda _: monitoring.ReportMonitors(station=IND, criteria=("threshold",)),
        {"requestId": ..., "monitoringCriteria": ["ThresholdMonitoring"]},
        told_monitors,
    ),
    Exchange(
        "ClearVariableMonitoring",
        lambda _: monitoring.ClearMonitors(station=IND, ids=(3,)),
        {"id": [3]},
        answer=lambda order: {"clearMonitoringResult": [{"status": "Accepted", "id": id_} for id_ in order["id"]]},
    ),
    Exchange("ClearCache", lambda _: lists.ClearCache(station=IND)),
    Exchange("GetLocalListVersion", lambda _: lists.AskListVersion(station=IND), answer=lambda _: {
        "versionNumber": 0
    }),
    Exchange("SendLocalList", lambda _: lists.SyncList(station=IND, full=True), {
        "updateType": "Full", "localAuthorizationList": [{"idToken": {"idToken": CARD}, "idTokenInfo": ...}]
    }),
    Exchange(
        "DataTransfer",
        lambda _: datatransfer.SendData(station=IND, vendor="Independent", data='{"a": 1}', as_json=True),
        {"vendorId": "Independent", "data": {"a": 1}},
    ),
    Exchange(
        "TriggerMessage",
        lambda _: stations.TriggerMessage(station=IND, message="StatusNotification", evse=1, connector=1),
        {"requestedMessage": "StatusNotification", "evse": PLACE},
        status("Available"),
    ),
    Exchange(
        "ChangeAvailability",
        lambda _: stations.ChangeAvailability(station=IND, availability="inoperative", evse=1),
        {"operationalStatus": "Inoperative", "evse": {"id": 1}},
        status("Unavailable"),
    ),
    Exchange(
        "ChangeAvailability",
        lambda _: stations.ChangeAvailability(station=IND, availability="operative"),
        {"operationalStatus": "Operative"},
        status("Available"),
    ),
    Exchange(
        "ReserveNow",
        lambda _: reservations.AddReservation(station=IND, token=CARD, expires_at=until(), evse=1, reservation=5),
        {"id": 5, "evseId": 1, "idToken": {"idToken": CARD}, "expiryDateTime": ...},
    ),
    Exchange(
        "CancelReservation",
        lambda _: reservations.CancelReservation(reservation=5, station=IND),
        {"reservationId": 5},
    ),
    Exchange(
        "RequestStartTransaction",
        lambda _: sessions.StartSession(station=IND, token=CARD, evse=1, profile=profile("tx")),
        {"idToken": {"idToken": CARD}, "evseId": 1, "remoteStartId": ..., "chargingProfile": {
            "chargingProfilePurpose": "TxProfile"
        }},
        begin,
    ),
    Exchange(
        "GetTransactionStatus",
        lambda known: checks.CheckSession(session=known.session),
        {"transactionId": TRANSACTION},
        answer=lambda _: {"ongoingIndicator": True, "messagesInQueue": False},
    ),
    Exchange(
        "CostUpdated",
        lambda known: tariffs.SendCost(session=known.session),
        {"transactionId": TRANSACTION, "totalCost": ...},
    ),
    Exchange(
        "SetChargingProfile",
        lambda _: charging.SetProfile(station=IND, profile=profile("tx", id=9, stack_level=1), evse=1),
        {"evseId": 1, "chargingProfile": {"id": 9, "transactionId": TRANSACTION}},
    ),
    Exchange(
        "GetChargingProfiles",
        lambda _: charging.GetProfiles(station=IND, evse=1, purpose="tx-default"),
        {"evseId": 1, "requestId": ..., "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}},
        told_profiles,
    ),
    Exchange(
        "GetCompositeSchedule",
        lambda _: charging.GetComposite(station=IND, evse=1, duration_s=600, unit="A"),
        {"evseId": 1, "duration": 600, "chargingRateUnit": "A"},
        answer=lambda _: {"status": "Accepted", "schedule": {
            "evseId": 1, "duration": 600, "scheduleStart": now(), "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}],
        }},
    ),
    Exchange("ClearChargingProfile", lambda _: charging.ClearProfiles(station=IND, profile=9), {
        "chargingProfileId": 9
    }),
    # What else can be said along.
    Exchange(
        "SetChargingProfile",
        lambda _: charging.SetProfile(station=IND, profile=DAILY, evse=0),
        {"evseId": 0, "chargingProfile": {"recurrencyKind": "Daily", "stackLevel": 3, "validTo": ...}},
    ),
    Exchange(
        "ClearChargingProfile",
        lambda _: charging.ClearProfiles(station=IND, evse=0, purpose="tx-default", stack_level=3),
        {"chargingProfileCriteria": {"evseId": 0, "stackLevel": 3}},
    ),
    Exchange(
        "SetDisplayMessage",
        lambda known: displays.SetDisplayMessage(
            station=IND, text="wait", priority="always-front", state="charging", starts_at=until(),
            session=known.session,
        ),
        {"message": {"priority": "AlwaysFront", "state": "Charging", "transactionId": TRANSACTION}},
    ),
    Exchange(
        "CustomerInformation",
        lambda _: customers.AskCustomer(
            station=IND, report=False, clear=True, certificate=f"SHA256:{'ab' * 32}:{'cd' * 32}:{SERIAL}"
        ),
        {"report": False, "clear": True, "customerCertificate": HASHES},
    ),
    Exchange(
        "ReserveNow",
        lambda _: reservations.AddReservation(
            station=IND, token=CARD, expires_at=until(), connector_type="cCCS2", with_group=True
        ),
        {"connectorType": "cCCS2", "idToken": {"idToken": CARD}},
    ),
    Exchange("GetTransactionStatus", lambda _: checks.CheckQueue(station=IND), answer=lambda _: {
        "messagesInQueue": True
    }),
    Exchange(
        "GetLog",
        lambda _: jobs.GetLog(
            station=IND, log_type="security", location=FILE, oldest=until() - 2 * HOUR, latest=until() - HOUR
        ),
        {"logType": "SecurityLog", "log": {"oldestTimestamp": ..., "latestTimestamp": ...}},
        said("LogStatusNotification", status="Uploaded", requestId=...),
    ),
    Exchange(
        "GetMonitoringReport",
        lambda _: monitoring.ReportMonitors(station=IND, names=(TEMPERATURE, "Connector")),
        {"componentVariable": [VARIABLE, {"component": {"name": "Connector"}}]},
        told_monitors,
    ),
    Exchange(
        "UpdateFirmware",
        lambda _: jobs.UpdateFirmware(station=IND, location=FILE, retries=1, retry_interval_s=5),
        {"retries": 1, "retryInterval": 5, "firmware": {"location": FILE}},
        said("FirmwareStatusNotification", status="Installed", requestId=...),
    ),
    # The usual again.
    Exchange(
        "SetDisplayMessage",
        lambda _: displays.SetDisplayMessage(station=IND, text="hello", message=4, language="en"),
        {"message": {"id": 4, "priority": "NormalCycle", "message": {"content": "hello", "language": "en"}}},
    ),
    Exchange(
        "GetDisplayMessages",
        lambda _: displays.GetDisplayMessages(station=IND),
        {"requestId": ...},
        lambda _, order: [("NotifyDisplayMessages", {"requestId": order["requestId"], "messageInfo": [
            {"id": 4, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "hello"}}
        ]})],
    ),
    Exchange("ClearDisplayMessage", lambda _: displays.ClearDisplayMessage(station=IND, message=4), {"id": 4}),
    Exchange(
        "CustomerInformation",
        lambda _: customers.AskCustomer(station=IND, token=CARD),
        {"requestId": ..., "report": True, "clear": False, "idToken": {"idToken": CARD}},
        report("NotifyCustomerInformation", data="a card"),
    ),
    Exchange(
        "RequestStopTransaction",
        lambda known: sessions.StopSession(session=known.session),
        {"transactionId": TRANSACTION},
        end,
    ),
    Exchange(
        "UnlockConnector",
        lambda _: stations.UnlockConnector(station=IND, connector=1),
        {"evseId": 1, "connectorId": 1},
        answer=lambda _: {"status": "Unlocked"},
    ),
    Exchange(
        "GetLog",
        lambda _: jobs.GetLog(station=IND, location=FILE, retries=2, retry_interval_s=60),
        {"logType": "DiagnosticsLog", "requestId": ..., "log": {"remoteLocation": FILE}, "retries": 2},
        said("LogStatusNotification", status="Uploaded", requestId=...),
    ),
    Exchange(
        "UpdateFirmware",
        lambda _: jobs.UpdateFirmware(
            station=IND, location=FILE, install_at=until(), certificate=PEM, signature="AA=="
        ),
        {"requestId": ..., "firmware": {"location": FILE, "signature": "AA==", "signingCertificate": PEM}},
        said("FirmwareStatusNotification", status="Installed", requestId=...),
    ),
    Exchange(
        "PublishFirmware",
        lambda _: jobs.PublishFirmware(station=IND, location=FILE, checksum=MD5),
        {"requestId": ..., "location": FILE, "checksum": MD5},
        said("PublishFirmwareStatusNotification", status="Published", requestId=..., location=[FILE]),
    ),
    Exchange(
        "UnpublishFirmware",
        lambda _: jobs.UnpublishFirmware(station=IND, checksum=MD5),
        {"checksum": MD5},
        answer=lambda _: {"status": "Unpublished"},
    ),
    Exchange(
        "InstallCertificate",
        lambda _: certificates.InstallCertificate(station=IND, type="csms-root"),
        {"certificateType": "CSMSRootCertificate", "certificate": ...},
    ),
    Exchange(
        "GetInstalledCertificateIds",
        lambda _: certificates.ReadCertificates(station=IND, types=("csms-root",)),
        {"certificateType": ["CSMSRootCertificate"]},
        answer=lambda _: {"status": "Accepted", "certificateHashDataChain": [
            {"certificateType": "CSMSRootCertificate", "certificateHashData": HASHES}
        ]},
    ),
    Exchange(
        "DeleteCertificate",
        lambda _: certificates.DeleteCertificate(station=IND, certificate=SERIAL),
        {"certificateHashData": HASHES},
    ),
    Exchange(
        "CertificateSigned",
        lambda _: certificates.RenewCertificate(station=IND),
        {"certificateChain": ..., "certificateType": "ChargingStationCertificate"},
        lambda _, __: [
            ("SignCertificate", {"csr": csr(), "certificateType": "ChargingStationCertificate"})
        ],
    ),
    Exchange(
        "SetNetworkProfile",
        lambda _: security.SetNetworkProfile(
            station=IND, slot=2, security_profile=1, url="wss://csms.example/ocpp"
        ),
        {"configurationSlot": 2, "connectionData": {"securityProfile": 1, "ocppInterface": "Wired0"}},
    ),
    Exchange(
        "Reset", lambda _: stations.ResetStation(station=IND, kind="immediate"), {"type": "Immediate"}, boot
    ),
)  # fmt: skip
