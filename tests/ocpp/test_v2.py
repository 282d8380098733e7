"""What OCPP 2.0.1 and 2.1 stations say, in our language, and what we answer."""

from decimal import Decimal
from typing import Any

import pytest

from cms.domain.devicemodel import Characteristics
from cms.domain.observations import (
    Booted,
    ComponentEvent,
    ConnectorReported,
    DataTransferred,
    LogProgressed,
    ReportReceived,
    SecurityEventRaised,
    TokenAnswer,
    TokenPresented,
    TokenRef,
    TransactionAnswer,
    TransactionPhase,
    VariableReported,
)
from cms.domain.tokens import Authorization
from cms.ocpp.dialect import V21, V201, Dialect
from tests.ocpp.fakes import NOON, converse
from tests.schemas import check

AT = "2026-01-01T12:00:00Z"
BOTH = pytest.mark.parametrize("dialect", [V201, V21], ids=lambda dialect: dialect.version)
EVENT = {
    "eventType": "Started",
    "timestamp": AT,
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t1", "chargingState": "EVConnected"},
}


async def say(
    dialect: Dialect, action: str, payload: Any, answer: Any = None
) -> tuple[list, Any, tuple[str, ...]]:
    """The answering frame, the observation (None when nothing was observed), the remarks."""
    talk = converse(dialect)
    if answer is not None:
        talk.backend.answering = lambda _: answer
    (said,) = await talk.hear([2, "m1", action, payload])
    if said[0] == 3:
        check(dialect.version, action, said[2], response=True)
    if not talk.backend.received:
        return said, None, ()
    (received,) = talk.backend.received
    return said, received.observation, received.remarks


async def refused(dialect: Dialect, action: str, payload: Any) -> str:
    said, observation, _ = await say(dialect, action, payload)
    assert observation is None, "nothing is stored"
    assert said[:2] == [4, "m1"]
    return said[2]


@BOTH
async def test_a_boot(dialect: Dialect):
    station = {"model": "M", "vendorName": "V", "serialNumber": "SN-1", "firmwareVersion": "1.0"}
    station["modem"] = {"iccid": "I"}
    said, observation, _ = await say(
        dialect, "BootNotification", {"reason": "PowerUp", "chargingStation": station}
    )
    assert observation == Booted("V", "M", "SN-1", "1.0", "PowerUp", iccid="I")
    assert said[2]["status"] == "Accepted"


@BOTH
async def test_missing_and_wrong_fields_are_refused_in_2_x_spelling(dialect: Dialect):
    boot = {"chargingStation": {"model": "M", "vendorName": "V"}}
    assert await refused(dialect, "BootNotification", boot) == "OccurrenceConstraintViolation"
    assert await refused(dialect, "TransactionEvent", EVENT | {"seqNo": "0"}) == "TypeConstraintViolation"
    assert (
        await refused(dialect, "TransactionEvent", EVENT | {"eventType": "Paused"})
        == "PropertyConstraintViolation"
    )
    assert (
        await refused(dialect, "TransactionEvent", {**EVENT, "transactionInfo": None})
        == "OccurrenceConstraintViolation"
    )


@BOTH
@pytest.mark.parametrize("word", ["Available", "Occupied", "Reserved", "Unavailable", "Faulted"])
async def test_a_status_and_its_event_are_the_same(dialect: Dialect, word: str):
    status = {"timestamp": AT, "connectorStatus": word, "evseId": 1, "connectorId": 2}
    _, told, _ = await say(dialect, "StatusNotification", status)
    entry = {
        "eventId": 1,
        "timestamp": AT,
        "trigger": "Delta",
        "actualValue": word,
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "AvailabilityState"},
        "eventNotificationType": "HardWiredNotification",
    }
    _, notified, _ = await say(dialect, "NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": [entry]})
    assert told == ConnectorReported(1, 2, word.lower(), NOON)
    assert notified.statuses == (told,)
    assert notified.events == (
        ComponentEvent(
            1,
            NOON,
            "Connector",
            "AvailabilityState",
            word,
            "Delta",
            1,
            2,
            name="Connector@1:2.AvailabilityState",
            origin="hard-wired-notification",
        ),
    )
    assert (notified.key, notified.more) == (f"event|{AT}|0|1", False)


@BOTH
async def test_an_invented_status_is_refused(dialect: Dialect):
    status = {"timestamp": AT, "connectorStatus": "Sleeping", "evseId": 1, "connectorId": 1}
    assert await refused(dialect, "StatusNotification", status) == "PropertyConstraintViolation"


@BOTH
async def test_another_event_is_no_status(dialect: Dialect):
    entry = {
        "eventId": 2,
        "timestamp": AT,
        "trigger": "Alerting",
        "cause": 1,
        "actualValue": "true",
        "cleared": True,
        "techCode": "E7",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "Problem"},
        "eventNotificationType": "HardWiredNotification",
    }
    payload = {"generatedAt": AT, "seqNo": 3, "tbc": True, "eventData": [entry]}
    _, notified, _ = await say(dialect, "NotifyEvent", payload)
    assert notified.statuses == () and notified.more
    (event,) = notified.events
    assert (event.cause, event.cleared, event.tech_code) == (1, True, "E7")


@BOTH
@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ISO14443", "rfid"),
        ("ISO15693", "rfid"),
        ("KeyCode", "key-code"),
        ("eMAID", "emaid"),
        ("Central", "central"),
        ("Local", "local"),
        ("MacAddress", "mac"),
        ("NoAuthorization", "no-authorization"),
    ],
)
async def test_every_kind_of_token(dialect: Dialect, word: str, kind: str):
    said, observation, _ = await say(dialect, "Authorize", {"idToken": {"idToken": "TAG", "type": word}})
    assert observation == TokenPresented(TokenRef("TAG", kind))
    info = {
        "status": "Accepted",
        "cacheExpiryDateTime": "2026-01-01T12:00:00.000Z",
        "groupIdToken": {"idToken": "GRP1", "type": "Central"},
    }
    assert said[2] == {"idTokenInfo": info}


async def test_a_new_kind_of_2_1_is_no_rfid_card():
    _, observation, _ = await say(V21, "Authorize", {"idToken": {"idToken": "TAG", "type": "EVCCID"}})
    assert observation.token.kind == "evccid"
    assert (
        await refused(V201, "Authorize", {"idToken": {"idToken": "T", "type": "EVCCID"}})
        == "PropertyConstraintViolation"
    )


@BOTH
@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Authorization.ACCEPTED, "Accepted"),
        (Authorization.BLOCKED, "Blocked"),
        (Authorization.EXPIRED, "Expired"),
        (Authorization.UNKNOWN, "Unknown"),
        (Authorization.INVALID, "Invalid"),
        (Authorization.CONCURRENT, "ConcurrentTx"),
    ],
)
async def test_every_authorization_has_its_word(dialect: Dialect, status: Authorization, word: str):
    said, _, _ = await say(dialect, "TransactionEvent", EVENT, TransactionAnswer(None, TokenAnswer(status)))
    assert said[2] == {"idTokenInfo": {"status": word}}


async def test_a_group_too_long_to_say_is_left_out():
    answer = TokenAnswer("accepted", "G" * 40)
    token = {"idToken": {"idToken": "TAG", "type": "Central"}}
    said, _, _ = await say(V201, "Authorize", token, answer)
    assert "groupIdToken" not in said[2]["idTokenInfo"]
    said, _, _ = await say(V21, "Authorize", token, answer)
    assert said[2]["idTokenInfo"]["groupIdToken"]["idToken"] == "G" * 40


@BOTH
async def test_a_transaction_event(dialect: Dialect):
    payload = EVENT | {
        "offline": True,
        "evse": {"id": 2},
        "idToken": {"idToken": "TAG", "type": "ISO14443"},
        "reservationId": 11,
        "transactionInfo": {
            "transactionId": "t1",
            "chargingState": "Charging",
            "remoteStartId": 5,
            "stoppedReason": "Local",
        },
    }
    said, observation, remarks = await say(dialect, "TransactionEvent", payload)
    assert said[2]["idTokenInfo"]["status"] == "Accepted"
    assert remarks == ()
    assert (observation.phase, observation.key, observation.seq_no) == (
        TransactionPhase.STARTED,
        "tx|t1|0",
        0,
    )
    assert (observation.transaction_id, observation.at, observation.offline) == ("t1", NOON, True)
    assert (observation.evse, observation.connector) == (2, None)
    assert observation.token == TokenRef("TAG", "rfid")
    assert (observation.reservation_id, observation.remote_start_id) == (11, 5)
    assert (observation.trigger, observation.charging_state, observation.stop_reason) == (
        "Authorized",
        "Charging",
        "Local",
    )


@BOTH
async def test_an_event_without_token_is_answered_without_token(dialect: Dialect):
    said, observation, _ = await say(dialect, "TransactionEvent", EVENT)
    assert (said[2], observation.token, observation.evse) == ({}, None, None)


@BOTH
async def test_a_start_without_authorization_has_an_empty_token(dialect: Dialect):
    payload = EVENT | {"idToken": {"idToken": "", "type": "NoAuthorization"}}
    _, observation, _ = await say(dialect, "TransactionEvent", payload)
    assert observation.token == TokenRef("", "no-authorization")


@BOTH
async def test_custom_data_is_welcome_everywhere(dialect: Dialect):
    custom = {"vendorId": "com.example", "Some_Key": {"x-y": 1}}
    info = EVENT["transactionInfo"] | {"customData": custom}
    said, _, remarks = await say(
        dialect, "TransactionEvent", EVENT | {"transactionInfo": info, "customData": custom}
    )
    assert said[0] == 3 and remarks == ()


@BOTH
async def test_a_transaction_event_is_kept_however_odd_its_words(dialect: Dialect):
    payload = EVENT | {
        "triggerReason": "Whim",
        "offline": None,
        "extra": 1,
        "meterValue": [],
        "transactionInfo": {"transactionId": "t" * 40, "stoppedReason": "Boredom"},
    }
    said, observation, remarks = await say(dialect, "TransactionEvent", payload)
    assert said[0] == 3
    assert (observation.trigger, observation.stop_reason, observation.offline) == ("Whim", "Boredom", False)
    assert "null-field" in remarks and "enum:triggerReason" in remarks
    assert observation.flags == remarks


@BOTH
async def test_sampled_values(dialect: Dialect):
    signed = {
        "signedMeterData": "T0NNRnx7fQ==",
        "encodingMethod": "OCMF",
        "signingMethod": "",
        "publicKey": "x",
    }
    samples = [
        {"value": 1500},
        {"value": 6, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}},
        {"value": 16.1, "measurand": "Current.Import", "phase": "L1", "unitOfMeasure": {"unit": "A"}},
        {"value": 1.234, "unitOfMeasure": {"unit": "kWh"}},
        {"value": 6000, "context": "Transaction.End", "signedMeterValue": signed},
        {"value": 5, "unitOfMeasure": {"multiplier": 99}},
        {"value": "7.5", "measurand": "Voltage", "location": "Inlet"},
    ]
    payload = EVENT | {"meterValue": [{"timestamp": AT, "sampledValue": samples}]}
    said, observation, remarks = await say(dialect, "TransactionEvent", payload)
    assert said[0] == 3
    bare, scaled, current, kilo, sealed, wild, volts = observation.readings[0].samples
    assert (bare.value, bare.unit, bare.measurand) == (Decimal(1500), "Wh", "Energy.Active.Import.Register")
    assert (scaled.value, kilo.value) == (Decimal(6000), Decimal(1234))
    assert (str(current.value), current.unit, current.phase) == ("16.1", "A", "L1")
    assert (sealed.signed, sealed.value, sealed.context) == (signed, Decimal(6000), "Transaction.End")
    assert (wild.value, wild.raw) == (None, "5 x 10^99")
    assert (volts.value, volts.unit, volts.location) == (Decimal("7.5"), None, "Inlet")
    assert "multiplier-absurd" in remarks


@BOTH
async def test_a_signature_with_gaps_is_kept_verbatim(dialect: Dialect):
    signed = {"signedMeterData": "x" * 3000}
    samples = [{"value": 1, "signedMeterValue": signed}]
    payload = EVENT | {"meterValue": [{"timestamp": AT, "sampledValue": samples}]}
    said, observation, _ = await say(dialect, "TransactionEvent", payload)
    assert said[0] == 3
    assert observation.readings[0].samples[0].signed == signed


@BOTH
async def test_meter_values_outside_a_transaction(dialect: Dialect):
    sample = {"value": 123456.7, "context": "Sample.Clock", "unitOfMeasure": {"unit": "Wh"}}
    payload = {"evseId": 0, "meterValue": [{"timestamp": AT, "sampledValue": [sample]}]}
    said, observation, _ = await say(dialect, "MeterValues", payload)
    assert said[2] == {}
    assert (observation.evse, observation.transaction_id) == (0, None)
    assert observation.readings[0].samples[0].value == Decimal("123456.7")


@BOTH
async def test_a_report(dialect: Dialect):
    rows = [
        {
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "OfflineThreshold"},
            "variableAttribute": [
                {"value": "60"},
                {"type": "Target", "value": "90", "mutability": "ReadOnly", "persistent": True},
            ],
            "variableCharacteristics": {
                "dataType": "integer",
                "unit": "s",
                "minLimit": 0,
                "maxLimit": 99.5,
                "supportsMonitoring": True,
            },
        },
        {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
            "variableAttribute": [{"value": "hush", "mutability": "WriteOnly"}],
        },
    ]
    payload = {"requestId": 7, "generatedAt": AT, "seqNo": 1, "tbc": True, "reportData": rows}
    said, observation, _ = await say(dialect, "NotifyReport", payload)
    assert said[2] == {}
    told = {"persistent": False, "constant": False}
    threshold = Characteristics("integer", "s", 0, 99.5, monitored=True)
    assert observation == ReportReceived(
        key="report|7|1",
        digest=observation.digest,
        request_id=7,
        seq_no=1,
        variables=(
            VariableReported(
                "OCPPCommCtrlr.OfflineThreshold",
                "60",
                "Actual",
                False,
                mutability="ReadWrite",
                characteristics=threshold,
                **told,
            ),
            VariableReported(
                "OCPPCommCtrlr.OfflineThreshold",
                "90",
                "Target",
                True,
                mutability="ReadOnly",
                characteristics=threshold,
                persistent=True,
                constant=False,
            ),
            VariableReported(
                "SecurityCtrlr.BasicAuthPassword", None, "Actual", False, mutability="WriteOnly", **told
            ),
        ),
        more=True,
    )


@BOTH
@pytest.mark.parametrize(
    ("data", "text"), [("y", "y"), (None, None), ({"a": 1.5}, '{"a":1.5}'), ([1], "[1]")]
)
async def test_a_data_transfer_carries_any_json(dialect: Dialect, data: Any, text: str | None):
    said, observation, _ = await say(
        dialect, "DataTransfer", {"vendorId": "v", "messageId": "x", "data": data}
    )
    assert observation == DataTransferred("v", "x", text, observation.digest)
    assert said[2] == {"status": "UnknownVendorId"}


@BOTH
async def test_progress_and_security_events(dialect: Dialect):
    _, firmware, _ = await say(dialect, "FirmwareStatusNotification", {"status": "Installed", "requestId": 3})
    assert (firmware.status, firmware.request_id) == ("Installed", 3)
    _, logs, _ = await say(dialect, "LogStatusNotification", {"status": "Idle"})
    assert logs == LogProgressed("Idle", logs.digest)
    _, event, _ = await say(
        dialect, "SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": AT}
    )
    assert event == SecurityEventRaised("StartupOfTheDevice", NOON, None, event.digest)
