"""Valid messages with one thing wrong: every one is answered, none is a bug of ours, none ends the conversation."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.ocpp.fakes import converse
from tests.schemas import check

AT = "2026-01-01T12:00:00Z"
VALUES_16 = [
    {
        "timestamp": AT,
        "sampledValue": [
            {
                "value": "1.5",
                "context": "Trigger",
                "format": "Raw",
                "measurand": "Voltage",
                "phase": "L1",
                "location": "EV",
                "unit": "V",
            }
        ],
    }
]
SIGNED = {"signedMeterData": "x", "signingMethod": "", "encodingMethod": "", "publicKey": ""}
VALUES_2 = [
    {
        "timestamp": AT,
        "sampledValue": [
            {
                "value": 1.5,
                "context": "Trigger",
                "measurand": "Voltage",
                "phase": "L1",
                "location": "EV",
                "signedMeterValue": SIGNED,
                "unitOfMeasure": {"unit": "V", "multiplier": 0},
            }
        ],
    }
]
COMPONENT = {"name": "Connector", "instance": "a", "evse": {"id": 1, "connectorId": 1}}
VARIABLE = {"name": "AvailabilityState", "instance": "b"}
TOKEN = {"idToken": "TAG", "type": "ISO14443", "additionalInfo": [{"additionalIdToken": "x", "type": "y"}]}

MESSAGES_16 = {
    "BootNotification": {
        "chargePointVendor": "V",
        "chargePointModel": "M",
        "chargePointSerialNumber": "S",
        "iccid": "1",
    },
    "Heartbeat": {},
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
        "info": "i",
        "timestamp": AT,
    },
    "Authorize": {"idTag": "TAG"},
    "StartTransaction": {
        "connectorId": 1,
        "idTag": "TAG",
        "meterStart": 0,
        "timestamp": AT,
        "reservationId": 1,
    },
    "StopTransaction": {
        "transactionId": 1,
        "idTag": "TAG",
        "meterStop": 5,
        "timestamp": AT,
        "reason": "Local",
        "transactionData": VALUES_16,
    },
    "MeterValues": {"connectorId": 1, "transactionId": 1, "meterValue": VALUES_16},
    "DataTransfer": {"vendorId": "v", "messageId": "m", "data": "d"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "LogStatusNotification": {"status": "Idle", "requestId": 1},
    "SecurityEventNotification": {"type": "x", "timestamp": AT, "techInfo": "t"},
}
MESSAGES_2 = {
    "BootNotification": {
        "reason": "PowerUp",
        "chargingStation": {"model": "M", "vendorName": "V", "serialNumber": "S", "modem": {"iccid": "1"}},
    },
    "StatusNotification": {"timestamp": AT, "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
    "Authorize": {"idToken": TOKEN},
    "TransactionEvent": {
        "eventType": "Started",
        "timestamp": AT,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "offline": False,
        "reservationId": 1,
        "transactionInfo": {
            "transactionId": "t",
            "chargingState": "Charging",
            "stoppedReason": "Local",
            "remoteStartId": 1,
        },
        "evse": {"id": 1, "connectorId": 1},
        "idToken": TOKEN,
        "meterValue": VALUES_2,
        "customData": {"vendorId": "v"},
    },
    "MeterValues": {"evseId": 1, "meterValue": VALUES_2},
    "NotifyEvent": {
        "generatedAt": AT,
        "seqNo": 0,
        "tbc": False,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": AT,
                "trigger": "Delta",
                "cause": 1,
                "actualValue": "Occupied",
                "techCode": "c",
                "cleared": False,
                "component": COMPONENT,
                "variable": VARIABLE,
                "eventNotificationType": "HardWiredNotification",
            }
        ],
    },
    "NotifyReport": {
        "requestId": 1,
        "generatedAt": AT,
        "seqNo": 0,
        "tbc": False,
        "reportData": [
            {
                "component": COMPONENT,
                "variable": VARIABLE,
                "variableAttribute": [{"type": "Actual", "value": "v", "mutability": "ReadOnly"}],
            }
        ],
    },
    "DataTransfer": {"vendorId": "v", "messageId": "m", "data": {"a": [1]}},
    "FirmwareStatusNotification": {"status": "Installed", "requestId": 1},
    "LogStatusNotification": {"status": "Idle", "requestId": 1},
    "SecurityEventNotification": {"type": "x", "timestamp": AT, "techInfo": "t"},
}
ALL = [(V16, action, payload) for action, payload in MESSAGES_16.items()]
ALL += [(dialect, action, payload) for dialect in (V201, V21) for action, payload in MESSAGES_2.items()]

MISSING = object()
REPLACEMENTS = (
    None,
    True,
    -1,
    0,
    1.5,
    10**20,
    "",
    "x" * 2000,
    "\x1b[2J\u202e",
    [],
    {},
    [None],
    {"a": None},
    [[]],
    MISSING,
)


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Every place inside this JSON."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield from places(inner, (*path, step))


def replaced(payload: Any, path: tuple, value: Any) -> Any:
    changed = copy.deepcopy(payload)
    box = changed
    for step in path[:-1]:
        box = box[step]
    if value is MISSING:
        del box[path[-1]]
    else:
        box[path[-1]] = value
    return changed


async def survives(dialect: Dialect, action: str, payload: Any) -> None:
    talk = converse(dialect)
    (said,) = await talk.hear([2, "m1", action, payload])
    if said[0] == 3:
        check(dialect.version, action, said[2], response=True)
        assert len(talk.backend.received) == 1
    else:
        assert said[0] == 4 and said[2] != "InternalError", (payload, said)
        assert talk.backend.received == [], "what is refused is not stored"
        json.dumps(said).encode()
    assert talk.link.closed is None


@pytest.mark.parametrize(("dialect", "action", "payload"), ALL, ids=[f"{d.version}-{a}" for d, a, _ in ALL])
async def test_every_field_may_be_nonsense(dialect: Dialect, action: str, payload: Any):
    talk = converse(dialect)
    (said,) = await talk.hear([2, "m1", action, payload])
    assert said[0] == 3 and talk.backend.received[0].remarks == ()
    for path in places(payload):
        for value in REPLACEMENTS:
            await survives(dialect, action, replaced(payload, path, value))


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
async def test_two_things_may_be_nonsense_at_once(data: st.DataObject):
    dialect, action, payload = data.draw(st.sampled_from(ALL))
    for _ in range(2):
        if where := list(places(payload)):
            payload = replaced(payload, data.draw(st.sampled_from(where)), data.draw(_JSON))
    await survives(dialect, action, payload)
