"""Orders to stations that speak OCPP 1.6 with the security extension: one row per action."""

from __future__ import annotations

from collections.abc import Sequence

from cms.contract import (
    certificates,
    charging,
    datatransfer,
    jobs,
    lists,
    reservations,
    sessions,
    stations,
)
from tests.stories.exchanges.rows import (
    CARD,
    FILE,
    HASHES,
    IND,
    PEM,
    SERIAL,
    Exchange,
    Json,
    Known,
    Then,
    csr,
    now,
    profile,
    said,
    until,
)


def status(word: str) -> Then:
    return lambda _, __: [
        (
            "StatusNotification",
            {"connectorId": number, "errorCode": "NoError", "status": word, "timestamp": now()},
        )
        for number in (0, 1)
    ]


def begin(_: Known, order: Json) -> Sequence[tuple[str, Json]]:
    started = {"connectorId": 1, "idTag": order["idTag"], "meterStart": 0, "timestamp": now()}
    return [("StartTransaction", started)]


def end(_: Known, order: Json) -> Sequence[tuple[str, Json]]:
    number = order["transactionId"]
    return [
        (
            "StopTransaction",
            {"transactionId": number, "meterStop": 900, "timestamp": now(), "reason": "Remote"},
        )
    ]


def boot(_: Known, __: Json) -> Sequence[tuple[str, Json]]:
    return [("BootNotification", {"chargePointVendor": "Independent", "chargePointModel": "Sixteen"})]


ORDERS = (
    Exchange("GetConfiguration", lambda _: stations.GetConfiguration(station=IND), {}, answer=lambda _: {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}], "unknownKey": []
    }),
    Exchange(
        "ChangeConfiguration",
        lambda _: stations.SetConfiguration(station=IND, values={"HeartbeatInterval": "600"}),
        {"key": "HeartbeatInterval", "value": "600"},
    ),
    Exchange("ClearCache", lambda _: lists.ClearCache(station=IND)),
    Exchange("GetLocalListVersion", lambda _: lists.AskListVersion(station=IND), answer=lambda _: {"listVersion": 0}),
    Exchange("SendLocalList", lambda _: lists.SyncList(station=IND, full=True), {
        "updateType": "Full", "localAuthorizationList": [
            {"idTag": CARD, "idTagInfo": {"status": "Accepted", "parentIdTag": "fleet"}}
        ]
    }),
    Exchange(
        "DataTransfer",
        lambda _: datatransfer.SendData(station=IND, vendor="Independent", message="hello", data="text"),
        {"vendorId": "Independent", "messageId": "hello", "data": "text"},
    ),
    Exchange(
        "TriggerMessage",
        lambda _: stations.TriggerMessage(station=IND, message="StatusNotification", evse=1),
        {"requestedMessage": "StatusNotification", "connectorId": 1},
        status("Available"),
    ),
    Exchange(
        "ExtendedTriggerMessage",
        lambda _: stations.TriggerMessage(station=IND, message="LogStatusNotification"),
        {"requestedMessage": "LogStatusNotification"},
        said("LogStatusNotification", status="Idle"),
    ),
    Exchange(
        "ChangeAvailability",
        lambda _: stations.ChangeAvailability(station=IND, availability="inoperative", evse=1),
        {"connectorId": 1, "type": "Inoperative"},
        status("Unavailable"),
    ),
    Exchange(
        "ChangeAvailability",
        lambda _: stations.ChangeAvailability(station=IND, availability="operative"),
        {"connectorId": 0, "type": "Operative"},
        status("Available"),
    ),
    Exchange(
        "ReserveNow",
        lambda _: reservations.AddReservation(
            station=IND, token=CARD, expires_at=until(), evse=1, reservation=5
        ),
        {"reservationId": 5, "connectorId": 1, "idTag": CARD, "expiryDate": ...},
    ),
    Exchange(
        "CancelReservation",
        lambda _: reservations.CancelReservation(reservation=5, station=IND),
        {"reservationId": 5},
    ),
    Exchange(
        "RemoteStartTransaction",
        lambda _: sessions.StartSession(station=IND, token=CARD, evse=1, profile=profile("tx")),
        {"idTag": CARD, "connectorId": 1, "chargingProfile": {"chargingProfilePurpose": "TxProfile"}},
        begin,
    ),
    Exchange(
        "SetChargingProfile",
        lambda _: charging.SetProfile(station=IND, profile=profile("tx", id=9, stack_level=1), evse=1),
        {"connectorId": 1, "csChargingProfiles": {"chargingProfileId": 9, "transactionId": ...}},
    ),
    Exchange(
        "GetCompositeSchedule",
        lambda _: charging.GetComposite(station=IND, evse=1, duration_s=600, unit="A"),
        {"connectorId": 1, "duration": 600, "chargingRateUnit": "A"},
        answer=lambda order: {"status": "Accepted", "connectorId": 1, "scheduleStart": now(), "chargingSchedule": {
            "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}]
        }},
    ),
    Exchange("ClearChargingProfile", lambda _: charging.ClearProfiles(station=IND, profile=9), {"id": 9}),
    Exchange(
        "RemoteStopTransaction",
        lambda known: sessions.StopSession(session=known.session),
        {"transactionId": ...},
        end,
    ),
    Exchange(
        "UnlockConnector",
        lambda _: stations.UnlockConnector(station=IND, connector=1),
        {"connectorId": 1},
        answer=lambda _: {"status": "Unlocked"},
    ),
    Exchange(
        "GetDiagnostics",
        lambda _: jobs.GetLog(station=IND, location=FILE, retries=2, retry_interval_s=60),
        {"location": FILE, "retries": 2, "retryInterval": 60},
        said("DiagnosticsStatusNotification", status="Uploaded"),
        answer=lambda _: {"fileName": "log.zip"},
    ),
    Exchange(
        "GetLog",
        lambda _: jobs.GetLog(station=IND, log_type="security", location=FILE),
        {"logType": "SecurityLog", "requestId": ..., "log": {"remoteLocation": FILE}},
        said("LogStatusNotification", status="Uploaded", requestId=...),
    ),
    Exchange(
        "UpdateFirmware",
        lambda _: jobs.UpdateFirmware(station=IND, location=FILE, retries=1),
        {"location": FILE, "retrieveDate": ..., "retries": 1},
        said("FirmwareStatusNotification", status="Installed"),
    ),
    Exchange(
        "SignedUpdateFirmware",
        lambda _: jobs.UpdateFirmware(
            station=IND, location=FILE, install_at=until(), certificate=PEM, signature="AA=="
        ),
        {"requestId": ..., "firmware": {"location": FILE, "signature": "AA==", "signingCertificate": PEM}},
        said("SignedFirmwareStatusNotification", status="Installed", requestId=...),
    ),
    Exchange(
        "InstallCertificate",
        lambda _: certificates.InstallCertificate(station=IND, type="csms-root"),
        {"certificateType": "CentralSystemRootCertificate", "certificate": ...},
    ),
    Exchange(
        "GetInstalledCertificateIds",
        lambda _: certificates.ReadCertificates(station=IND, types=("csms-root",)),
        {"certificateType": "CentralSystemRootCertificate"},
        answer=lambda _: {"status": "Accepted", "certificateHashData": [HASHES]},
    ),
    Exchange(
        "DeleteCertificate",
        lambda _: certificates.DeleteCertificate(station=IND, certificate=SERIAL),
        {"certificateHashData": HASHES},
    ),
    Exchange(
        "CertificateSigned",
        lambda _: certificates.RenewCertificate(station=IND),
        {"certificateChain": ...},
        lambda _, __: [("SignCertificate", {"csr": csr()})],
    ),
    Exchange("Reset", lambda _: stations.ResetStation(station=IND, kind="hard"), {"type": "Hard"}, boot),
)  # fmt: skip
