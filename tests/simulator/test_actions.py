"""Every action of every version: each order is answered as its schema says, each message that is sent is valid."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from cms.simulator.console import do
from cms.simulator.station import LANGUAGES, Station
from tests.schemas import FOLDERS
from tests.simulator.desk import Desk
from tests.simulator.stage import VERSIONS, charging, settle, story
from tests.virtual import START

UNTIL = (START + timedelta(days=1)).isoformat()
CARD = {"idToken": "CARD2", "type": "ISO14443"}
HASHES = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab",
    "issuerKeyHash": "cd",
    "serialNumber": "1",
}
TEMPERATURE = {"component": {"name": "ControllerTemperature"}, "variable": {"name": "Temperature"}}
SCHEDULE = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5000.0}]}
OLD_PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": SCHEDULE,
}
PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [{"id": 1, **SCHEDULE}],
}
TARIFF = {"tariffId": "T1", "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.5}]}}
NOWHERE = "http://127.0.0.1:9/file"
OLD_ORDERS: dict[str, dict[str, Any]] = {
    "CancelReservation": {"reservationId": 9},
    "CertificateSigned": {"certificateChain": "none"},
    "ChangeAvailability": {"connectorId": 2, "type": "Inoperative"},
    "ChangeConfiguration": {"key": "HeartbeatInterval", "value": "60"},
    "ClearCache": {},
    "ClearChargingProfile": {"id": 77},
    "DataTransfer": {"vendorId": "nobody"},
    "DeleteCertificate": {"certificateHashData": HASHES},
    "ExtendedTriggerMessage": {"requestedMessage": "LogStatusNotification"},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 600},
    "GetConfiguration": {},
    "GetDiagnostics": {"location": NOWHERE},
    "GetInstalledCertificateIds": {"certificateType": "CentralSystemRootCertificate"},
    "GetLocalListVersion": {},
    "GetLog": {"logType": "SecurityLog", "requestId": 3, "log": {"remoteLocation": NOWHERE}},
    "InstallCertificate": {"certificateType": "CentralSystemRootCertificate", "certificate": "none"},
    "RemoteStartTransaction": {"idTag": "CARD2", "connectorId": 2},
    "RemoteStopTransaction": {"transactionId": 99},
    "ReserveNow": {"connectorId": 2, "expiryDate": UNTIL, "idTag": "CARD2", "reservationId": 4},
    "Reset": {"type": "Soft"},
    "SendLocalList": {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []},
    "SetChargingProfile": {"connectorId": 1, "csChargingProfiles": OLD_PROFILE},
    "SignedUpdateFirmware": {
        "requestId": 5,
        "firmware": {
            "location": NOWHERE, "retrieveDateTime": UNTIL, "signingCertificate": "none", "signature": "none"
        },
    },
    "TriggerMessage": {"requestedMessage": "StatusNotification", "connectorId": 1},
    "UnlockConnector": {"connectorId": 2},
    "UpdateFirmware": {"location": NOWHERE, "retrieveDate": UNTIL},
}  # fmt: skip
ORDERS: dict[str, dict[str, Any]] = {
    "CancelReservation": {"reservationId": 9},
    "CertificateSigned": {"certificateChain": "none"},
    "ChangeAvailability": {"operationalStatus": "Inoperative", "evse": {"id": 2, "connectorId": 1}},
    "ClearCache": {},
    "ClearChargingProfile": {"chargingProfileId": 77},
    "ClearDisplayMessage": {"id": 5},
    "ClearVariableMonitoring": {"id": [1, 2, 77]},
    "CostUpdated": {"totalCost": 1.5, "transactionId": "x"},
    "CustomerInformation": {"requestId": 1, "report": True, "clear": True, "idToken": CARD},
    "DataTransfer": {"vendorId": "nobody"},
    "DeleteCertificate": {"certificateHashData": HASHES},
    "GetBaseReport": {"requestId": 1, "reportBase": "SummaryInventory"},
    "GetChargingProfiles": {"requestId": 1, "chargingProfile": {"stackLevel": 0}},
    "GetCompositeSchedule": {"evseId": 0, "duration": 600},
    "GetDisplayMessages": {"requestId": 1},
    "GetInstalledCertificateIds": {},
    "GetLocalListVersion": {},
    "GetLog": {"logType": "SecurityLog", "requestId": 3, "log": {"remoteLocation": NOWHERE}},
    "GetMonitoringReport": {"requestId": 1},
    "GetReport": {"requestId": 1, "componentCriteria": ["Problem"]},
    "GetTransactionStatus": {},
    "GetVariables": {"getVariableData": [TEMPERATURE]},
    "InstallCertificate": {"certificateType": "CSMSRootCertificate", "certificate": "none"},
    "PublishFirmware": {"location": NOWHERE, "checksum": "0" * 32, "requestId": 1},
    "RequestStartTransaction": {"idToken": CARD, "remoteStartId": 1, "evseId": 2},
    "RequestStopTransaction": {"transactionId": "x"},
    "ReserveNow": {"id": 1, "expiryDateTime": UNTIL, "idToken": CARD, "evseId": 2},
    "Reset": {"type": "OnIdle"},
    "SendLocalList": {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [
        {"idToken": CARD, "idTokenInfo": {"status": "Accepted"}}
    ]},
    "SetChargingProfile": {"evseId": 1, "chargingProfile": PROFILE},
    "SetDisplayMessage": {
        "message": {"id": 1, "priority": "InFront", "message": {"format": "UTF8", "content": "hello"}}
    },
    "SetMonitoringBase": {"monitoringBase": "All"},
    "SetMonitoringLevel": {"severity": 5},
    "SetNetworkProfile": {
        "configurationSlot": 1,
        "connectionData": {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": "ws://127.0.0.1:9/ocpp",
            "messageTimeout": 30,
            "securityProfile": 1,
            "ocppInterface": "Wired0",
        },
    },
    "SetVariableMonitoring": {
        "setMonitoringData": [{**TEMPERATURE, "value": 60.0, "type": "UpperThreshold", "severity": 5}]
    },
    "SetVariables": {"setVariableData": [{**TEMPERATURE, "attributeValue": "20"}]},
    "TriggerMessage": {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
    "UnlockConnector": {"evseId": 2, "connectorId": 1},
    "UnpublishFirmware": {"checksum": "0" * 32},
    "UpdateFirmware": {"requestId": 5, "firmware": {"location": NOWHERE, "retrieveDateTime": UNTIL}},
}  # fmt: skip
NEW_ORDERS: dict[str, dict[str, Any]] = {
    "AFRRSignal": {"timestamp": UNTIL, "signal": 1},
    "AdjustPeriodicEventStream": {"id": 1, "params": {"interval": 10}},
    "ChangeTransactionTariff": {"transactionId": "x", "tariff": TARIFF},
    "ClearDERControl": {"isDefault": True},
    "ClearTariffs": {},
    "GetDERControl": {"requestId": 1},
    "GetPeriodicEventStream": {},
    "GetTariffs": {"evseId": 0},
    "NotifyAllowedEnergyTransfer": {"transactionId": "x", "allowedEnergyTransfer": ["DC"]},
    "NotifyWebPaymentStarted": {"evseId": 1, "timeout": 60},
    "RequestBatterySwap": {"idToken": CARD, "requestId": 1},
    "SetDERControl": {
        "isDefault": True, "controlId": "c1", "controlType": "Gradients",
        "gradient": {"priority": 1, "gradient": 5.0, "softGradient": 1.0},
    },
    "SetDefaultTariff": {"evseId": 0, "tariff": TARIFF},
    "UpdateDynamicSchedule": {"chargingProfileId": 1, "scheduleUpdate": {"limit": 3000.0}},
    "UsePriorityCharging": {"transactionId": "x", "activate": True},
}  # fmt: skip
BY_VERSION = {"1.6": OLD_ORDERS, "2.0.1": ORDERS, "2.1": {**ORDERS, **NEW_ORDERS}}


def actions(version: str) -> set[str]:
    """What the version's schemas name, in either direction."""
    names = {
        place.name.removesuffix(".json") for place in (files("ocpp") / FOLDERS[version] / "schemas").iterdir()
    }
    return {name.removesuffix("Request") for name in names if not name.endswith("Response")}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_action_of_the_version_is_obeyed_or_sent(version: str) -> None:
    language = LANGUAGES[version]()
    assert language.orders.keys() | language.samples.keys() == actions(version)
    assert language.orders.keys() & language.samples.keys() == {"DataTransfer"}
    assert language.orders.keys() == BY_VERSION[version].keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_order_is_answered_as_its_schema_says(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await settle()
        for action, payload in BY_VERSION[version].items():
            if action != "Reset":
                assert isinstance(await desk.order("CP-1", action, payload), dict), action
        assert isinstance(await desk.order("CP-1", "Reset", BY_VERSION[version]["Reset"]), dict)
        await settle(3600)

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_that_a_station_may_send_is_valid(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        await settle()
        for action in station.language.samples:
            await do([station], f"send {action}")
            await settle()
            assert desk.all(action), action

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_that_breaks_its_schema_is_refused(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        for action, payload in BY_VERSION[version].items():
            wrong = {**payload, "nonsense": 1}
            assert await desk.order("CP-1", action, wrong) == station.language.malformed

    story(tell, version)
