"""Text to frames and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.ocpp import frames
from cms.ocpp.frames import Call, Error, Failure, Result, ResultError, Send, Silent, Strange, Unreadable


def refusal(text: str) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        frames.read(text)
    return caught.value


def test_a_call_is_read():
    assert frames.read('[2,"m1","Heartbeat",{}]') == Call("m1", "Heartbeat", {})


def test_a_null_payload_is_an_empty_one():
    assert frames.read('[2,"m1","Heartbeat",null]') == Call("m1", "Heartbeat", {})
    assert frames.read('[3,"m1",null]') == Result("m1", {})


def test_an_answer_is_read():
    assert frames.read('[3,"m1",{"a":1}]') == Result("m1", {"a": 1})
    assert frames.read('[4,"m1","InternalError","oh",{}]') == Error("m1", "InternalError", "oh")


def test_an_answer_without_payload_keeps_its_id():
    assert frames.read('[3,"m1"]') == Result("m1", None)
    assert frames.read('[3,"m1",[]]') == Result("m1", None)
    assert frames.read('[4,"m1"]') == Error("m1", "", "")


def test_messages_that_are_never_answered():
    assert frames.read('[5,"m1","FormatViolation","",{}]') == ResultError("m1", "FormatViolation", "")
    assert frames.read('[6,"s1","NotifyPeriodicEventStream",{}]') == Send(
        "s1", "NotifyPeriodicEventStream", {}
    )
    assert frames.read("[3]") == Silent(3)
    assert frames.read("[5]") == Silent(5)
    assert frames.read('[6,"s1",7,{}]') == frames.read('[6,"s1","X"]') == Silent(6)


def test_an_unknown_message_type_is_strange():
    assert frames.read('[7,"m1","Heartbeat",{}]') == Strange(7, "m1")


def test_a_number_as_message_id_is_kept_as_it_is():
    assert frames.read('[2,17,"Heartbeat",{}]') == Call(17, "Heartbeat", {})


def test_numbers_with_a_fraction_are_exact():
    frame = frames.read('[2,"m1","X",{"a":16.1,"b":123456789.123,"c":20000.0,"d":5}]')
    assert isinstance(frame, Call)
    assert frame.payload == {"a": Decimal("16.1"), "b": Decimal("123456789.123"), "c": Decimal(20000), "d": 5}
    assert str(frame.payload["a"]) == "16.1"


@pytest.mark.parametrize(
    "text",
    [
        '[2,"m1","Heartbeat",{',
        "not json",
        '{"a":1}',
        '"x"',
        "[]",
        "[2]",
        "[true]",
        "[null,null]",
        '[2,null,"Heartbeat",{}]',
        '[2,["m1"],"Heartbeat",{}]',
        f'[2,"{"x" * 256}","Heartbeat",{{}}]',
        '[2,"m1","X",{"a":NaN}]',
        '[2,"m1","X",{"a":"\\ud800"}]',
        "[" * 100_000,
        '[2,"m1","X",{"a":' + "9" * 100_000 + "}]",
        '[2,"m1","X",{"a":1.' + "9" * 100_000 + "}]",
        '[2,"m1","X",{"a":1e999999999999999999999}]',
    ],
)
def test_what_cannot_be_read_has_no_id(text: str):
    unreadable = refusal(text)
    assert unreadable.failure is Failure.FRAMEWORK
    assert unreadable.message_id is None


@pytest.mark.parametrize(
    "text",
    [
        '[2,"m1"]',
        '[2,"m1","Heartbeat"]',
        '[2,"m1","Heartbeat",{},{}]',
        '[2,"m1",5,{}]',
        '[2,"m1","Heartbeat",[]]',
    ],
)
def test_a_broken_call_keeps_its_id(text: str):
    unreadable = refusal(text)
    assert (unreadable.failure, unreadable.message_id) == (Failure.FORMAT, "m1")


def test_depth_is_bounded_and_brackets_in_texts_do_not_count():
    deep = '[2,"m1","X",' + '{"a":' * 40 + "1" + "}" * 41 + "]"
    assert refusal('[2,"m1","X",' + '{"a":' * 40 + "1" + "}" * 40 + "]").message_id == "m1"
    assert refusal(deep).message_id is None
    assert isinstance(frames.read('[2,"m1","X",{"a":"' + "[{" * 400 + '"}]'), Call)
    assert isinstance(frames.read('[2,"m1","X",{"a":[' + ",".join(["[]"] * 400) + "]}]"), Call)


def test_a_long_text_of_digits_is_no_huge_number():
    digits = "7" * 5000
    assert frames.read(f'[2,"m1","X",{{"a":"{digits}"}}]') == Call("m1", "X", {"a": digits})


@pytest.mark.parametrize("crowd", ["[[2]]," * 30_000, '{"a":1},' * 45_000, "1.5," * 110_000], ids=len)
def test_a_crowd_of_values_is_not_read(crowd: str):
    assert refusal(f'[2,"m1","DataTransfer",{{"x":[{crowd}0]}}]').failure is Failure.FRAMEWORK


def test_brackets_and_commas_in_a_text_are_no_crowd():
    data = '[{,\\"' * 60_000
    read = frames.read(f'[2,"m1","DataTransfer",{{"data":"{data}"}}]')
    assert isinstance(read, Call) and len(str(read.payload["data"])) == 240_000


def test_nul_is_taken_out():
    assert frames.read('[2,"m1","X",{"a":"b\\u0000c"}]') == Call("m1", "X", {"a": "bc"})


def test_frames_are_written_with_exact_numbers():
    assert frames.call("m1", "X", {"limit": Decimal("16.1")}) == b'[2,"m1","X",{"limit":16.1}]'
    assert frames.result("m1", {}) == b'[3,"m1",{}]'


def test_an_error_has_five_elements_and_a_bounded_description():
    assert (
        frames.error("m1", "InternalError", "x" * 300) == b'[4,"m1","InternalError","' + b"x" * 255 + b'",{}]'
    )


@given(st.text())
def test_every_text_is_a_frame_or_unreadable(text: str):
    try:
        frames.read(text)
    except Unreadable as unreadable:
        assert unreadable.words


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=10,
)


@given(st.lists(_JSON, max_size=6))
def test_every_array_is_a_frame_or_unreadable(items: list[object]):
    import json

    try:
        frames.read(json.dumps(items))
    except Unreadable as unreadable:
        assert unreadable.words
