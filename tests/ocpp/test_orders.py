"""What we tell stations, word for word, and how their answers are understood."""

import asyncio
from typing import Any

import pytest

from cms.contract.refusals import Invalid, NotSupported
from cms.domain.orders import (
    CallAction,
    Order,
    OrderAnswer,
    ReadVariables,
    RemoteStart,
    RemoteStop,
    Reset,
    SetAvailability,
    Trigger,
    Unlock,
    VariableAnswer,
    WriteVariables,
)
from cms.ocpp.dialect import V16, V21, V201, Dialect
from tests.ocpp.fakes import converse
from tests.schemas import check

OK = {"status": "Accepted"}
V2 = (V201, V21)


async def give(dialect: Dialect, order: Order, *answers: Any) -> tuple[list[tuple[str, Any]], OrderAnswer]:
    """The CALLs that were sent, each valid by the published schema, and what became of the order."""
    talk = converse(dialect)
    giving = asyncio.create_task(talk.link.give(order, 5))
    calls = []
    for number, answer in enumerate(answers, 1):
        _, message_id, action, payload = await talk.until_sent(number)
        check(dialect.version, action, payload)
        calls.append((action, payload))
        await talk.hear([3, message_id, answer])
    return calls, await giving


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (Reset("soft"), "Reset", {"type": "Soft"}),
        (Reset("on-idle"), "Reset", {"type": "Soft"}),
        (Reset("hard"), "Reset", {"type": "Hard"}),
        (Reset("immediate"), "Reset", {"type": "Hard"}),
        (RemoteStart("TAG", "rfid", 5, 1), "RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}),
        (RemoteStart("TAG", "app", 5), "RemoteStartTransaction", {"idTag": "TAG"}),
        (RemoteStop("17"), "RemoteStopTransaction", {"transactionId": 17}),
        (Unlock(2, 1), "UnlockConnector", {"connectorId": 2}),
        (SetAvailability(False, 1, 1), "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
        (SetAvailability(True), "ChangeAvailability", {"connectorId": 0, "type": "Operative"}),
        (Trigger("MeterValues", 1), "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
        (Trigger("heartbeat"), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
        (
            Trigger("LogStatusNotification"),
            "ExtendedTriggerMessage",
            {"requestedMessage": "LogStatusNotification"},
        ),
    ],
)
async def test_every_order_of_1_6(order: Order, action: str, payload: dict):
    answer = {"status": "Unlocked"} if action == "UnlockConnector" else OK
    calls, understood = await give(V16, order, answer)
    assert calls == [(action, payload)]
    assert (understood.verdict, understood.word, understood.answer) == ("accepted", answer["status"], answer)


TOKEN = {"idToken": "TAG", "type": "ISO14443"}


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (Reset("soft"), "Reset", {"type": "OnIdle"}),
        (Reset("on-idle", 1), "Reset", {"type": "OnIdle", "evseId": 1}),
        (Reset("hard"), "Reset", {"type": "Immediate"}),
        (
            RemoteStart("TAG", "rfid", 5, 1),
            "RequestStartTransaction",
            {"idToken": TOKEN, "remoteStartId": 5, "evseId": 1},
        ),
        (
            RemoteStart("x", "no-authorization", 5),
            "RequestStartTransaction",
            {"idToken": {"idToken": "", "type": "NoAuthorization"}, "remoteStartId": 5},
        ),
        (RemoteStop("t1"), "RequestStopTransaction", {"transactionId": "t1"}),
        (Unlock(1, 2), "UnlockConnector", {"evseId": 1, "connectorId": 2}),
        (SetAvailability(False), "ChangeAvailability", {"operationalStatus": "Inoperative"}),
        (
            SetAvailability(True, 1),
            "ChangeAvailability",
            {"operationalStatus": "Operative", "evse": {"id": 1}},
        ),
        (
            SetAvailability(True, 1, 2),
            "ChangeAvailability",
            {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 2}},
        ),
        (
            Trigger("TransactionEvent", 1),
            "TriggerMessage",
            {"requestedMessage": "TransactionEvent", "evse": {"id": 1}},
        ),
        (
            Trigger("StatusNotification", 1),
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
        ),
        (Trigger("Heartbeat"), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
    ],
)
async def test_every_order_of_2_x(dialect: Dialect, order: Order, action: str, payload: dict):
    answer = {"status": "Unlocked"} if action == "UnlockConnector" else OK
    calls, understood = await give(dialect, order, answer)
    assert calls == [(action, payload)]
    assert understood.verdict == "accepted"


@pytest.mark.parametrize(
    "kind", ["rfid", "app", "central", "emaid", "key-code", "local", "mac", "no-authorization"]
)
@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_every_kind_of_token_can_be_sent(dialect: Dialect, kind: str):
    await give(dialect, RemoteStart("TAG", kind, 5), OK)


@pytest.mark.parametrize(
    ("order", "word", "verdict"),
    [
        (Reset("hard"), "Rejected", "rejected"),
        (SetAvailability(False), "Scheduled", "scheduled"),
        (Unlock(1, 1), "UnlockFailed", "rejected"),
        (Unlock(1, 1), "NotSupported", "rejected"),
        (Trigger("Heartbeat"), "NotImplemented", "rejected"),
        (Reset("hard"), "Perhaps", "rejected"),
    ],
)
async def test_a_station_may_say_no_or_later(order: Order, word: str, verdict: str):
    _, understood = await give(V16, order, {"status": word})
    assert (understood.verdict, understood.word) == (verdict, word)


async def test_an_answer_with_numbers_is_plain_json():
    _, understood = await give(V201, Reset("hard"), OK | {"customData": {"vendorId": "v", "x": 1.5}})
    assert understood.answer["customData"]["x"] == 1.5


async def test_reading_keys_of_1_6():
    answer = {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "NumberOfConnectors", "readonly": True},
            {"key": "AuthorizationKey", "readonly": False, "value": "hush"},
            {"key": "Careless", "value": "x"},
        ],
    }
    calls, understood = await give(V16, ReadVariables(), answer)
    assert calls == [("GetConfiguration", {})]
    assert understood.variables == (
        VariableAnswer("HeartbeatInterval", "300", "Accepted", False),
        VariableAnswer("NumberOfConnectors", None, "Accepted", True),
        VariableAnswer("AuthorizationKey", None, "Accepted", False),
        VariableAnswer("Careless", "x", "Accepted", None),
    )
    assert "hush" not in str(understood)


async def test_keys_that_a_call_reads_or_sets_in_1_6_are_known_from_then_on():
    answer = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
    _, understood = await give(V16, CallAction("GetConfiguration", {}), answer)
    assert understood.variables == (VariableAnswer("HeartbeatInterval", "300", "Accepted", False),)
    order = CallAction("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"})
    _, understood = await give(V16, order, {"status": "Rejected"})
    assert (understood.verdict, understood.word) == ("accepted", "Rejected")
    assert understood.variables == (VariableAnswer("HeartbeatInterval", "60", "Rejected"),)


async def test_a_key_that_is_unknown_does_not_lose_the_ones_that_are_known():
    answer = {"configurationKey": [{"key": "A", "readonly": False, "value": "1"}], "unknownKey": ["Nope"]}
    _, understood = await give(V16, ReadVariables(("A", "Nope")), answer)
    assert understood.verdict == "accepted"
    assert [variable.status for variable in understood.variables] == ["Accepted", "UnknownKey"]


async def test_reading_an_unknown_key_is_a_no():
    calls, understood = await give(V16, ReadVariables(("Nope",)), {"unknownKey": ["Nope"]})
    assert calls == [("GetConfiguration", {"key": ["Nope"]})]
    assert (understood.verdict, understood.word) == ("rejected", "UnknownKey")


async def test_reading_more_keys_than_the_station_takes_is_several_calls():
    calls, _ = await give(V16, ReadVariables(("A", "B", "C"), per_message=2), {}, {})
    assert [payload for _, payload in calls] == [{"key": ["A", "B"]}, {"key": ["C"]}]


async def test_writing_keys_of_1_6_is_one_call_each():
    order = WriteVariables({"HeartbeatInterval": "60", "AuthorizationKey": "hush", "Nope": "1"})
    calls, understood = await give(V16, order, {"status": "RebootRequired"}, OK, {"status": "NotSupported"})
    assert calls[0] == ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"})
    assert (understood.verdict, understood.word) == ("rejected", "NotSupported")
    assert understood.variables == (
        VariableAnswer("HeartbeatInterval", "60", "RebootRequired"),
        VariableAnswer("AuthorizationKey", None, "Accepted"),
        VariableAnswer("Nope", "1", "NotSupported"),
    )


def _result(component: str, variable: str, status: str, **more: str) -> dict:
    return {
        "attributeStatus": status,
        "component": {"name": component},
        "variable": {"name": variable},
        **more,
    }


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_reading_variables_of_2_x(dialect: Dialect):
    names = ("OCPPCommCtrlr.OfflineThreshold", "SecurityCtrlr.BasicAuthPassword", "EVSE@1.Power")
    answers = [
        {
            "getVariableResult": [
                _result("OCPPCommCtrlr", "OfflineThreshold", "Accepted", attributeValue="60"),
                _result("SecurityCtrlr", "BasicAuthPassword", "Accepted", attributeValue="hush"),
            ]
        },
        {"getVariableResult": [_result("EVSE", "Power", "UnknownVariable")]},
    ]
    calls, understood = await give(dialect, ReadVariables(names, per_message=2), *answers)
    assert calls[1][1] == {
        "getVariableData": [{"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}]
    }
    assert [variable.value for variable in understood.variables] == ["60", None, None]
    assert understood.variables[2].status == "UnknownVariable"
    assert understood.verdict == "accepted", "what was told is not lost for what was not"
    assert "hush" not in str(understood)


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
async def test_writing_variables_of_2_x(dialect: Dialect):
    order = WriteVariables(
        {"OCPPCommCtrlr.OfflineThreshold": "123", "AuthCtrlr.AuthorizeRemoteStart": "false"}
    )
    answer = {
        "setVariableResult": [
            _result("OCPPCommCtrlr", "OfflineThreshold", "RebootRequired"),
            _result("AuthCtrlr", "AuthorizeRemoteStart", "Accepted"),
        ]
    }
    calls, understood = await give(dialect, order, answer)
    assert calls[0][1]["setVariableData"][0] == {
        "attributeValue": "123",
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "OfflineThreshold"},
    }
    assert (understood.verdict, understood.word) == ("accepted", "RebootRequired")
    assert [variable.value for variable in understood.variables] == ["123", "false"]


@pytest.mark.parametrize(
    ("dialect", "order", "refusal"),
    [
        (V16, RemoteStop("t1"), Invalid),
        (V16, RemoteStart("T" * 21, "rfid", 5), Invalid),
        (V16, Trigger("TransactionEvent"), NotSupported),
        (V201, Trigger("DiagnosticsStatusNotification"), NotSupported),
        (V201, Trigger("SignV2G20Certificate"), NotSupported),
        (V201, ReadVariables(("NoDot",)), Invalid),
        (V201, RemoteStart("T" * 37, "rfid", 5), Invalid),
        (V201, RemoteStart("T", "vendorX", 5), NotSupported),
    ],
)
async def test_what_cannot_be_said_is_refused_unsent(
    dialect: Dialect, order: Order, refusal: type[Exception]
):
    talk = converse(dialect)
    with pytest.raises(refusal):
        await talk.link.give(order, 5)
    assert talk.wire.sent == []
