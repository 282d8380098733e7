"""The device model, monitors, streams and vendors' data, word for word in every version that has them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cms.contract.refusals import Invalid, NotSupported, Rejected
from cms.domain.datatransfer import SendData
from cms.domain.devicemodel import ReportVariables
from cms.domain.monitoring import (
    NEW,
    ClearAnswer,
    ClearMonitors,
    Monitor,
    MonitorAnswer,
    MonitorsReported,
    ReportMonitors,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetMonitors,
)
from cms.domain.orders import Order, ReadVariables, Trigger, VariableAnswer, WriteVariables
from cms.domain.streams import (
    AdjustStream,
    ReadStreams,
    Stream,
    StreamAnswer,
    StreamClosed,
    StreamOpened,
    StreamSampled,
)
from cms.ocpp.dialect import V16, V21, V201, Dialect
from cms.ocpp.v2.batches import parts
from tests.ocpp.fakes import NOON, converse
from tests.ocpp.test_orders import OK, V2, give
from tests.ocpp.test_v2 import AT, BOTH, say
from tests.schemas import check

DELTA = Monitor(NEW, "EVSE@1.AvailabilityState", "delta", None, 8)
PLACE = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (ReportVariables(7, "full"), "GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"}),
        (
            ReportVariables(7, "configuration"),
            "GetBaseReport",
            {"requestId": 7, "reportBase": "ConfigurationInventory"},
        ),
        (ReportVariables(7, "summary"), "GetBaseReport", {"requestId": 7, "reportBase": "SummaryInventory"}),
        (
            ReportVariables(7, None, ("problem",), ("EVSE@1.AvailabilityState", "Connector@1:2")),
            "GetReport",
            {
                "requestId": 7,
                "componentCriteria": ["Problem"],
                "componentVariable": [
                    PLACE,
                    {"component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}}},
                ],
            },
        ),
        (ReportMonitors(7), "GetMonitoringReport", {"requestId": 7}),
        (
            ReportMonitors(7, ("threshold", "delta"), ("EVSE@1.AvailabilityState",)),
            "GetMonitoringReport",
            {
                "requestId": 7,
                "monitoringCriteria": ["ThresholdMonitoring", "DeltaMonitoring"],
                "componentVariable": [PLACE],
            },
        ),
        (SetMonitoringBase("factory-default"), "SetMonitoringBase", {"monitoringBase": "FactoryDefault"}),
        (SetMonitoringLevel(4), "SetMonitoringLevel", {"severity": 4}),
        (SendData("com.example"), "DataTransfer", {"vendorId": "com.example"}),
        (
            SendData("com.example", "ping", '{"a": 1}'),
            "DataTransfer",
            {"vendorId": "com.example", "messageId": "ping", "data": '{"a": 1}'},
        ),
        (
            SendData("com.example", None, '{"a": 1}', as_json=True),
            "DataTransfer",
            {"vendorId": "com.example", "data": {"a": 1}},
        ),
    ],
)
async def test_every_order_of_the_blocks(dialect: Dialect, order: Order, action: str, payload: Any) -> None:
    calls, understood = await give(dialect, order, OK)
    assert calls == [(action, payload)]
    assert (understood.verdict, understood.word) == ("accepted", "Accepted")


@BOTH
@pytest.mark.parametrize("order", [ReportVariables(7, "full"), ReportMonitors(7)])
async def test_an_empty_result_is_no_refusal(dialect: Dialect, order: Order) -> None:
    _, understood = await give(dialect, order, {"status": "EmptyResultSet"})
    assert (understood.verdict, understood.word) == ("accepted", "EmptyResultSet")
    _, understood = await give(dialect, order, {"status": "Rejected"})
    assert understood.verdict == "rejected"


@BOTH
async def test_monitors_get_the_ids_of_their_own_results(dialect: Dialect) -> None:
    power = Monitor(7, "EVSE@1.Power", "upper-threshold", 11000.5, 5, transaction=True)
    result = {"type": "Delta", "severity": 8, **PLACE}
    high = {"type": "UpperThreshold", "severity": 5, **PLACE, "variable": {"name": "Power"}}
    answer = {
        "setMonitoringResult": [
            {"id": 7, "status": "Accepted", **high},
            {"id": 42, "status": "Accepted", **result},
        ]
    }
    calls, understood = await give(dialect, SetMonitors((DELTA, power)), answer)
    ((_, payload),) = calls
    assert payload["setMonitoringData"] == [
        {"value": 1, **result},
        {"value": 11000.5, "id": 7, "transaction": True, **high},
    ]
    assert understood.verdict == "accepted"
    assert [(a.monitor.id, a.monitor.name, a.monitor.value) for a in understood.told] == [
        (7, "EVSE@1.Power", 11000.5),
        (42, "EVSE@1.AvailabilityState", None),
    ]


@BOTH
async def test_one_refused_monitor_makes_it_a_no_and_the_others_are_told_all_the_same(
    dialect: Dialect,
) -> None:
    refused = {"type": "Delta", "severity": 8, "status": "Duplicate", **PLACE}
    _, understood = await give(dialect, SetMonitors((DELTA,)), {"setMonitoringResult": [refused]})
    assert (understood.verdict, understood.word) == ("rejected", "Duplicate")
    assert understood.told == (MonitorAnswer(DELTA, "Duplicate"),)


@BOTH
async def test_no_more_monitors_are_cleared_at_once_than_the_station_takes(dialect: Dialect) -> None:
    answers = [
        {"clearMonitoringResult": [{"id": n, "status": word} for n, word in told]}
        for told in ([(1, "Accepted"), (2, "NotFound")], [(3, "Rejected")])
    ]
    calls, understood = await give(dialect, ClearMonitors((1, 2, 3), 2), *answers)
    assert [payload["id"] for _, payload in calls] == [[1, 2], [3]]
    assert understood.told == (
        ClearAnswer(1, "Accepted"),
        ClearAnswer(2, "NotFound"),
        ClearAnswer(3, "Rejected"),
    )


@BOTH
async def test_a_report_of_monitors(dialect: Dialect) -> None:
    told = {"id": 1, "transaction": True, "value": 22.5, "type": "LowerThreshold", "severity": 2}
    if dialect is V21:
        told["eventNotificationType"] = "HardWiredMonitor"
    payload = {
        "requestId": 7,
        "seqNo": 0,
        "generatedAt": AT,
        "monitor": [{**PLACE, "variableMonitoring": [told]}],
    }
    _, observation, _ = await say(dialect, "NotifyMonitoringReport", payload)
    origin = "hard-wired" if dialect is V21 else None
    monitor = Monitor(1, "EVSE@1.AvailabilityState", "lower-threshold", 22.5, 2, True, origin)
    assert observation == MonitorsReported(7, 0, (monitor,))


@pytest.mark.parametrize(
    "monitor",
    [
        Monitor(NEW, "EVSE@1.Power", "target-delta", 1.0, 5),
        Monitor(NEW, "EVSE@1.Power", "periodic", 5.0, 5, interval_s=10),
    ],
)
async def test_what_only_2_1_can_watch_is_refused_in_2_0_1(monitor: Monitor) -> None:
    with pytest.raises(NotSupported, match=r"2\.0\.1"):
        await converse(V201).link.give(SetMonitors((monitor,)), 5)
    named = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
    kind = "Periodic" if monitor.interval_s else "TargetDelta"
    result = {"id": 1, "status": "Accepted", "type": kind, "severity": 5, **named}
    calls, _ = await give(V21, SetMonitors((monitor,)), {"setMonitoringResult": [result]})
    assert calls[0][1]["setMonitoringData"][0].get("periodicEventStream") in (None, {"interval": 10})


@pytest.mark.parametrize("order", [ReportMonitors(1), ReportVariables(1, "full"), SetMonitoringLevel(1)])
async def test_1_6_has_no_device_model(order: Order) -> None:
    with pytest.raises(NotSupported, match=r"OCPP 1\.6"):
        await converse(V16).link.give(order, 5)


async def test_a_stream_is_opened_and_sends_without_an_answer() -> None:
    talk = converse(V21)
    talk.backend.answering = lambda seen: StreamAnswer(seen.observation.stream.id == 1)  # type: ignore[attr-defined]
    terms = {"interval": 10, "values": 5}
    for number, word in ((1, "Accepted"), (2, "Rejected")):
        stream = {"id": number, "variableMonitoringId": 42, "params": terms}
        (said,) = await talk.hear(
            [2, f"m{number}", "OpenPeriodicEventStream", {"constantStreamData": stream}]
        )
        check("2.1", "OpenPeriodicEventStream", said[2], response=True)
        assert said[2] == {"status": word}
    assert talk.backend.received[0].observation == StreamOpened(Stream(1, 42, interval_s=10, values=5))


def test_values_of_a_stream_have_their_times_counted_from_its_base() -> None:
    from datetime import timedelta

    from cms.ocpp.v2.streams import sampled

    data = [{"t": 0, "v": "1"}, {"t": 5, "v": "2"}, {"t": 10**9, "v": "far"}]
    seen = sampled({"id": 1, "pending": 2, "basetime": AT, "data": data}, [])
    assert seen == StreamSampled(1, 2, ((NOON, "1"), (NOON + timedelta(seconds=5), "2")))
    assert sampled({"id": 1, "pending": 2, "basetime": "never", "data": data}, []).samples == ()


async def test_streams_are_read_closed_and_adjusted() -> None:
    calls, understood = await give(V21, ReadStreams(), {})
    assert (calls, understood.verdict, understood.told) == ([("GetPeriodicEventStream", {})], "accepted", ())
    told = {"constantStreamData": [{"id": 1, "variableMonitoringId": 42, "params": {}}]}
    _, understood = await give(V21, ReadStreams(), told)
    assert understood.told == (Stream(1, 42),)
    calls, _ = await give(V21, AdjustStream(1, values=3), OK)
    assert calls == [("AdjustPeriodicEventStream", {"id": 1, "params": {"values": 3}})]
    said, closed, _ = await say(V21, "ClosePeriodicEventStream", {"id": 1})
    assert (said[2], closed) == ({}, StreamClosed(1))
    with pytest.raises(NotSupported):
        await converse(V201).link.give(ReadStreams(), 5)


async def test_data_for_1_6_is_text_and_json_must_be_json() -> None:
    calls, _ = await give(V16, SendData("v", "m", '{"a": 1}', as_json=True), OK)
    assert calls == [("DataTransfer", {"vendorId": "v", "messageId": "m", "data": '{"a": 1}'})]
    with pytest.raises(Invalid, match="not JSON"):
        await converse(V201).link.give(SendData("v", None, "{", as_json=True), 5)


async def test_a_trigger_of_the_stations_own() -> None:
    calls, _ = await give(V21, Trigger("ReadTemp", 1, None, custom=True), OK)
    said = {"requestedMessage": "CustomTrigger", "customTrigger": "ReadTemp", "evse": {"id": 1}}
    assert calls == [("TriggerMessage", said)]
    for dialect in (V16, V201):
        with pytest.raises(NotSupported, match="of a station's own"):
            await converse(dialect).link.give(Trigger("ReadTemp", custom=True), 5)


async def test_a_signed_firmware_status_is_asked_for_by_the_extended_trigger() -> None:
    calls, _ = await give(V16, Trigger("SignedFirmwareStatusNotification"), OK)
    assert calls == [("ExtendedTriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})]
    calls, _ = await give(V16, Trigger("StatusNotification", 0), OK)
    assert calls == [("TriggerMessage", {"requestedMessage": "StatusNotification"})]


@BOTH
async def test_an_attribute_is_read_and_written_by_its_name(dialect: Dialect) -> None:
    named = {"component": {"name": "C"}, "variable": {"name": "V"}, "attributeType": "Target"}
    answer = {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "5", **named}]}
    calls, understood = await give(dialect, ReadVariables(("C.V:Target",)), answer)
    assert calls == [("GetVariables", {"getVariableData": [named]})]
    assert understood.variables == (VariableAnswer("C.V", "5", "Accepted", None, "Target"),)
    answer = {"setVariableResult": [{"attributeStatus": "Accepted", **named}]}
    calls, understood = await give(dialect, WriteVariables({"C.V:Target": "6"}), answer)
    assert calls == [("SetVariables", {"setVariableData": [named | {"attributeValue": "6"}]})]
    assert understood.variables == (VariableAnswer("C.V", "6", "Accepted", None, "Target"),)


def test_messages_are_no_longer_than_the_station_takes() -> None:
    items = [{"v": "x" * 50}] * 4
    assert [len(part) for part in parts(items, None, None)] == [4]
    assert [len(part) for part in parts(items, 3, None)] == [3, 1]
    assert [len(part) for part in parts(items, None, 260)] == [2, 2]
    assert [len(part) for part in parts(items, None, 10)] == [1, 1, 1, 1]
    assert list(parts([], 3, 10)) == []


@BOTH
async def test_a_list_that_the_station_finds_too_long_is_sent_in_halves(dialect: Dialect) -> None:
    talk = converse(dialect)
    giving = asyncio.create_task(talk.link.give(ReadVariables(("C.A", "C.B", "C.D")), 5))
    sizes = []
    for number in range(1, 4):
        _, message_id, _, payload = await talk.until_sent(number)
        wanted = payload["getVariableData"]
        sizes.append(len(wanted))
        results = [{"attributeStatus": "Accepted", "attributeValue": "1", **item} for item in wanted]
        too_long = [4, message_id, "OccurrenceConstraintViolation", "", {}]
        fits = number > 1
        await talk.hear([3, message_id, {"getVariableResult": results}] if fits else too_long)
    answer = await giving
    assert sizes == [3, 1, 2]
    assert [variable.name for variable in answer.variables] == ["C.A", "C.B", "C.D"]


async def test_a_single_entry_that_is_too_long_is_refused() -> None:
    talk = converse(V201)
    giving = asyncio.create_task(talk.link.give(ReadVariables(("C.A",)), 5))
    _, message_id, _, _ = await talk.until_sent(1)
    await talk.hear([4, message_id, "OccurrenceConstraintViolation", "", {}])
    with pytest.raises(Rejected, match="Occurrence"):
        await giving


async def test_what_the_station_took_counts_though_it_answers_the_next_message_with_an_error() -> None:
    talk = converse(V16)
    giving = asyncio.create_task(talk.link.give(WriteVariables({"A": "1", "B": "2", "C": "3"}), 5))
    for number in range(1, 4):
        _, message_id, _, _ = await talk.until_sent(number)
        error = [4, message_id, "InternalError", "", {}]
        await talk.hear(error if number == 2 else [3, message_id, OK])
    answer = await giving
    assert answer.verdict == "rejected"
    assert [(v.name, v.status) for v in answer.variables] == [
        ("A", "Accepted"),
        ("B", "Rejected"),
        ("C", "Accepted"),
    ]


@pytest.mark.parametrize("dialect", V2, ids=lambda dialect: dialect.version)
@pytest.mark.parametrize(
    "order",
    [
        ReadVariables(("C.A", "C.B:Target"), 1),
        WriteVariables({"C.A": "1", "C.B:Target": "2"}, 1),
        SetMonitors((DELTA, DELTA), 1),
        ClearMonitors((1, 2), 1),
    ],
)
async def test_an_error_to_one_of_several_messages_is_a_no_to_what_was_in_it(
    dialect: Dialect, order: Order
) -> None:
    talk = converse(dialect)
    giving = asyncio.create_task(talk.link.give(order, 5))
    for number in (1, 2):
        _, message_id, _, _ = await talk.until_sent(number)
        await talk.hear([4, message_id, "InternalError", "", {}])
    answer = await giving
    assert (answer.verdict, answer.word) == ("rejected", "Rejected")
    assert len(answer.told or answer.variables) == 2


async def test_nothing_is_sent_when_the_last_of_several_messages_cannot_be() -> None:
    talk = converse(V16)
    with pytest.raises(Invalid):
        await talk.link.give(WriteVariables({"A": "1", "B": "9" * 501}), 5)
    assert talk.wire.sent == []
