"""Conversations without a socket: who waits for what, and what each version answers to nonsense."""

import asyncio

import pytest

from cms.contract.refusals import Invalid, NotSupported, Rejected, Unreachable
from cms.core import StoreDown
from cms.domain.observations import NotYet
from cms.domain.orders import ReadVariables, Reset, Unlock, WriteVariables
from cms.ocpp.dialect import V16, V21, V201, Dialect
from cms.ocpp.ports import Limits
from tests.ocpp.fakes import NOON, Conversation, converse

HEARTBEAT = [2, "h", "Heartbeat", {}]
ALIVE = [3, "h", {"currentTime": "2026-01-01T12:00:00.000Z"}]
EVERY = pytest.mark.parametrize("dialect", [V16, V201, V21], ids=lambda dialect: dialect.version)


def code(frame: list) -> tuple[int, object, str]:
    assert len(frame) == 5 and frame[4] == {}
    return frame[0], frame[1], frame[2]


@EVERY
async def test_a_call_is_answered_under_its_id(dialect: Dialect):
    assert await converse(dialect).hear(HEARTBEAT) == [ALIVE]


@EVERY
async def test_an_empty_text_is_ignored(dialect: Dialect):
    assert await converse(dialect).hear("", "  ", HEARTBEAT) == [ALIVE]


@pytest.mark.parametrize("text", ["not json", '[2,"m1","Heartbeat",{', '{"a":1}', '"x"', "[]", "[2]"])
async def test_1_6_drops_what_it_cannot_read(text: str):
    assert await converse(V16).hear(text, HEARTBEAT) == [ALIVE]


@pytest.mark.parametrize("text", ["not json", '[2,"m1","Heartbeat",{', '{"a":1}', '"x"', "[]", "[2]"])
async def test_2_x_answers_what_it_cannot_read_to_minus_one(text: str):
    said, alive = await converse(V201).hear(text, HEARTBEAT)
    assert code(said) == (4, "-1", "RpcFrameworkError")
    assert alive == ALIVE


@pytest.mark.parametrize(("dialect", "word"), [(V16, "FormationViolation"), (V201, "FormatViolation")])
async def test_a_call_of_wrong_length_is_refused_under_its_id(dialect: Dialect, word: str):
    short, long = await converse(dialect).hear([2, "m1", "Heartbeat"], [2, "m2", "Heartbeat", {}, {}])
    assert code(short) == (4, "m1", word)
    assert code(long) == (4, "m2", word)


@EVERY
async def test_unknown_actions_are_not_implemented_and_known_ones_not_supported(dialect: Dialect):
    said = await converse(dialect).hear(
        [2, "m1", "FlyToTheMoon", {}],
        [2, "m2", "heartbeat", {}],
        [2, "m3", "Reset", {}],
        [2, "m4", "UnlockConnector", {}],
    )
    assert [code(frame)[2] for frame in said] == [
        "NotImplemented",
        "NotImplemented",
        "NotSupported",
        "NotSupported",
    ]


async def test_an_action_of_another_version_is_not_implemented():
    said = await converse(V201).hear(
        [2, "m1", "StartTransaction", {}], [2, "m2", "OpenPeriodicEventStream", {}]
    )
    assert [code(frame)[2] for frame in said] == ["NotImplemented", "NotImplemented"]


async def test_an_unknown_message_type_is_ignored_except_by_2_0_1():
    strange = [7, "m1", "Heartbeat", {}]
    assert await converse(V16).hear(strange, HEARTBEAT) == [ALIVE]
    assert await converse(V21).hear(strange, HEARTBEAT) == [ALIVE]
    said, _ = await converse(V201).hear(strange, HEARTBEAT)
    assert code(said) == (4, "m1", "MessageTypeNotSupported")


async def test_a_send_and_an_error_about_our_answer_are_never_answered():
    talk = converse(V21)
    stream = {"id": 999, "pending": 0, "basetime": "2026-01-01T12:00:00Z", "data": [{"t": 0, "v": "1"}]}
    nonsense = [
        [6, "s1", "NotifyPeriodicEventStream", stream],
        [6, "s2", "Nonsense", {}],
        [5, "h", "FormatViolation", "", {}],
    ]
    assert await talk.hear(*nonsense, HEARTBEAT) == [ALIVE]


async def test_odd_message_ids_are_echoed():
    said = await converse().hear(
        [2, "x" * 37, "Heartbeat", {}], [2, 17, "Heartbeat", {}], [2, "", "Heartbeat", {}]
    )
    assert [frame[:2] for frame in said] == [[3, "x" * 37], [3, 17], [3, ""]]


async def test_the_same_id_with_another_payload_is_another_call():
    said = await converse().hear([2, "1", "Heartbeat", {}], [2, "1", "Authorize", {"idTag": "TAG"}])
    assert "idTagInfo" in said[1][2]


async def test_pipelined_calls_are_handled_in_order():
    talk = converse()
    said = await talk.hear(*([2, f"m{number}", "Heartbeat", {}] for number in range(5)))
    assert [frame[1] for frame in said] == ["m0", "m1", "m2", "m3", "m4"]


async def test_messages_wait_until_the_link_is_open():
    talk = converse()
    talk.link._opened = False
    assert await talk.hear(HEARTBEAT) == []
    talk.link.open()
    await talk.link.settled()
    assert talk.wire.sent == [ALIVE]


@EVERY
async def test_a_station_not_yet_accepted_gets_a_security_error(dialect: Dialect):
    talk = converse(dialect)
    talk.backend.answering = lambda _: NotYet()
    assert code((await talk.hear(HEARTBEAT))[0]) == (4, "h", "SecurityError")


async def test_a_store_that_is_down_closes_the_link_without_an_answer():
    talk = converse()
    talk.backend.failing = StoreDown()
    assert await talk.hear(HEARTBEAT, HEARTBEAT) == []
    assert talk.wire.shut_with is not None and talk.wire.shut_with[0] == 1013
    assert len(talk.backend.received) == 1
    assert talk.link.closed is not None


async def test_a_bug_is_an_internal_error_and_logged_once(caplog: pytest.LogCaptureFixture):
    talk = converse()
    talk.backend.failing = ZeroDivisionError()
    assert code((await talk.hear(HEARTBEAT))[0]) == (4, "h", "InternalError")
    assert len(caplog.records) == 1
    talk.backend.failing = None
    assert await talk.hear(HEARTBEAT) == [ALIVE]


async def test_what_was_received_is_handled_though_the_connection_is_gone():
    talk = converse()
    talk.backend.gate = asyncio.Event()
    talk.link.hear('[2,"h","Heartbeat",{}]')
    talk.link.lost("gone")
    talk.backend.gate.set()
    await talk.link.settled()
    assert len(talk.backend.received) == 1
    assert talk.wire.sent == []


# Orders


async def give(talk: Conversation, order=Reset("hard"), timeout_s: float = 5) -> asyncio.Task:
    return asyncio.create_task(talk.link.give(order, timeout_s))


async def test_an_order_is_sent_and_its_answer_understood():
    talk = converse()
    giving = await give(talk)
    kind, message_id, action, payload = await talk.until_sent(1)
    assert (kind, action, payload) == (2, "Reset", {"type": "Hard"})
    assert len(message_id) <= 36
    await talk.hear([3, message_id, {"status": "Accepted"}])
    answer = await giving
    assert (answer.verdict, answer.word) == ("accepted", "Accepted")


async def test_one_call_is_outstanding_at_a_time():
    talk = converse()
    first, second = await give(talk, Reset("hard")), await give(talk, Reset("soft"))
    sent = await talk.until_sent(1)
    await talk.hear(HEARTBEAT)
    assert len(talk.wire.sent) == 2, "the heartbeat is answered, the second order waits"
    await talk.hear([3, sent[1], {"status": "Accepted"}])
    sent = await talk.until_sent(3)
    assert sent[3] == {"type": "Soft"}
    await talk.hear([3, sent[1], {"status": "Rejected"}])
    assert (await first).verdict == "accepted"
    assert (await second).verdict == "rejected"


async def test_a_message_handler_may_order_the_same_station():
    talk = converse()
    talk.backend.gate = asyncio.Event()
    talk.link.hear('[2,"h","Heartbeat",{}]')
    giving = await give(talk)
    sent = await talk.until_sent(1)
    talk.link.hear(f'[3,"{sent[1]}",{{"status":"Accepted"}}]')
    assert (await giving).verdict == "accepted"
    talk.backend.gate.set()
    await talk.link.settled()
    assert talk.wire.sent[-1] == ALIVE


async def test_a_timeout_frees_the_slot_and_a_late_answer_is_ignored():
    talk = converse()
    first, second = await give(talk, timeout_s=0.01), await give(talk, Reset("soft"))
    late = await talk.until_sent(1)
    with pytest.raises(Unreachable, match=r"CP-7 did not answer Reset within 0.01 s"):
        await first
    sent = await talk.until_sent(2)
    await talk.hear([3, late[1], {"status": "Rejected"}])
    assert not second.done()
    await talk.hear([3, sent[1], {"status": "Accepted"}])
    assert (await second).verdict == "accepted"


async def test_orders_end_when_the_link_is_lost():
    talk = converse()
    first, second = await give(talk), await give(talk)
    await talk.until_sent(1)
    talk.link.lost("the connection broke")
    for giving in (first, second):
        with pytest.raises(Unreachable, match="off line"):
            await giving
    assert len(talk.wire.sent) == 1


async def test_only_so_many_orders_wait():
    talk = converse(limits=Limits(orders=1))
    first = await give(talk)
    await talk.until_sent(1)
    with pytest.raises(Unreachable, match="1 orders waiting"):
        await talk.link.give(Reset("hard"), 5)
    talk.link.lost("enough")
    await asyncio.wait([first])
    assert isinstance(first.exception(), Unreachable)


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ([4, None, "NotSupported", "no", {}], NotSupported),
        ([4, None, "NotImplemented", "", {}], NotSupported),
        ([4, None, "InternalError", "oh", {}], Rejected),
        ([4, None], Rejected),
        ([3, None, {"foo": 1}], Rejected),
        ([3, None, {"status": 5}], Rejected),
        ([3, None], Rejected),
        ([3, None, []], Rejected),
    ],
)
async def test_a_no_or_a_wrong_answer_is_a_refusal_and_frees_the_slot(answer: list, refusal: type[Exception]):
    talk = converse()
    giving = await give(talk)
    sent = await talk.until_sent(1)
    answer[1] = sent[1]
    assert await talk.hear(answer) == []
    with pytest.raises(refusal, match="CP-7 answered Reset"):
        await giving
    again = await give(talk)
    sent = await talk.until_sent(2)
    await talk.hear([3, sent[1], {"status": "Accepted"}])
    assert (await again).verdict == "accepted"


async def test_what_the_version_cannot_say_is_refused_before_it_is_sent():
    talk = converse()
    with pytest.raises(NotSupported, match="whole stations only"):
        await talk.link.give(Reset("soft", evse=1), 5)
    with pytest.raises(Invalid, match="value: too long"):
        await talk.link.give(WriteVariables({"HeartbeatInterval": "9" * 501}), 5)
    with pytest.raises(NotSupported, match="by name only"):
        await converse(V201).link.give(ReadVariables(), 5)
    assert talk.wire.sent == []


async def test_our_message_ids_never_repeat():
    ids = set()
    for _ in range(3):
        talk = converse()
        for number in range(1, 21):
            giving = await give(talk, Unlock(1, 1))
            sent = await talk.until_sent(number)
            ids.add(sent[1])
            await talk.hear([3, sent[1], {"status": "Unlocked"}])
            await giving
    assert len(ids) == 60


# Bounds


async def test_an_answer_nobody_waits_for_is_ignored():
    talk = converse()
    assert await talk.hear([3, "nope", {}], [4, "nope", "InternalError", "", {}], HEARTBEAT) == [ALIVE]


async def test_a_flood_of_such_answers_ends_the_conversation():
    talk = converse(limits=Limits(strays_per_minute=100))
    await talk.hear(*([3, f"nope{number}", {}] for number in range(202)))
    assert talk.wire.shut_with is not None and talk.wire.shut_with[0] == 1008


async def test_reading_stops_while_too_many_calls_wait():
    talk = converse(limits=Limits(queue=4))
    talk.backend.gate = asyncio.Event()
    for number in range(5):
        talk.link.hear(f'[2,"m{number}","Heartbeat",{{}}]')
    assert talk.wire.paused and talk.link.holding
    talk.backend.gate.set()
    await talk.link.settled()
    assert not talk.wire.paused
    assert len(talk.wire.sent) == 5, "backpressure loses nothing"


async def test_reading_stops_above_the_rate_and_goes_on_later():
    talk = converse(limits=Limits(rate_per_s=20, burst=10))
    said = await talk.hear(*([2, f"m{number}", "Heartbeat", {}] for number in range(14)))
    assert len(said) == 14
    assert talk.wire.paused
    async with asyncio.timeout(5):
        while talk.wire.paused:
            await asyncio.sleep(0.001)


async def test_draining_stops_reading_until_the_end():
    talk = converse()
    talk.link.stop_reading()
    assert talk.wire.paused
    await talk.hear(HEARTBEAT)
    assert talk.wire.paused


# What others see of it


async def test_frames_are_counted_by_known_action():
    talk = converse()
    await talk.hear(HEARTBEAT, [2, "m", "\x1b[2J", {}], "not json")
    assert sorted(talk.backend.counts) == [
        ("in", "Heartbeat", "1.6"),
        ("in", "unknown", "1.6"),
        ("in", "unreadable", "1.6"),
    ]


async def test_a_station_that_speaks_another_version_than_it_agreed_on_is_told_so(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level("WARNING")
    boot_16 = {"chargePointVendor": "V", "chargePointModel": "M"}
    boot_2 = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
    (said,) = await converse(V201).hear([2, "b", "BootNotification", boot_16])
    assert said[3].endswith("this is BootNotification of OCPP 1.6")
    (said,) = await converse(V16).hear([2, "b", "BootNotification", boot_2])
    assert said[3].endswith("this is BootNotification of OCPP 2.0.1")
    (said,) = await converse(V201).hear([2, "b", "BootNotification", {}])
    assert "of OCPP" not in said[3]
    assert "agreed on OCPP 2.0.1 and speaks 1.6" in caplog.text


async def test_a_blank_text_is_counted_and_nothing_else():
    talk = converse(V201)
    assert await talk.hear("", " \n") == []
    assert talk.backend.counts == [("in", "blank", "2.0.1")] * 2


async def test_both_directions_are_remembered_with_their_latency():
    talk = converse()
    talk.link.hear('[2,"h","Heartbeat",{}]')
    talk.clock.advance(0.25)
    await talk.link.settled()
    call, result = talk.link.ring.messages()
    assert (call.direction, call.kind, call.action, call.payload, call.at) == (
        "in",
        "call",
        "Heartbeat",
        "{}",
        NOON,
    )
    assert (result.direction, result.kind, result.action, result.latency_ms) == (
        "out",
        "result",
        "Heartbeat",
        250,
    )
    assert talk.backend.frames == [call, result]


async def test_the_link_tells_who_it_is():
    talk = converse(V201)
    talk.clock.advance(5)
    await talk.hear(HEARTBEAT)
    assert (talk.link.info.ocpp_version, talk.link.info.address) == ("2.0.1", "10.0.0.7")
    assert (talk.link.info.last_seen_at - talk.link.info.since).total_seconds() == 5
