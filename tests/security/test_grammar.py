"""T10: grammar first. What our reader of frames takes and what another one takes, and why they differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocpp.exceptions import OCPPError  # type: ignore[import-untyped]
from ocpp.messages import unpack  # type: ignore[import-untyped]

from cms.ocpp.frames import Call, Error, Failure, Result, Silent, Strange, Unreadable, read

TAKEN, REFUSED = "taken", "refused"


def ours(text: str) -> str:
    """A broken answer is answered by nobody: not taken."""
    try:
        frame = read(text)
    except Unreadable:
        return REFUSED
    broken = isinstance(frame, Silent | Strange) or (isinstance(frame, Result) and frame.payload is None)
    return REFUSED if broken else TAKEN


def theirs(text: str) -> str:
    """The reader of the ``ocpp`` package; what it lets escape besides its own errors would end a conversation."""
    try:
        unpack(text)
    except OCPPError:
        return REFUSED
    except Exception as escaped:
        return type(escaped).__name__
    return TAKEN


#: text -> (ours, theirs, why they differ; "" where they agree).
CORPUS: dict[str, tuple[str, str, str]] = {
    '[2,"m","Heartbeat",{}]': (TAKEN, TAKEN, ""),
    '[3,"m",{}]': (TAKEN, TAKEN, ""),
    '[4,"m","InternalError","",{}]': (TAKEN, TAKEN, ""),
    ' [ 2 , "m" , "Heartbeat" , { } ] \n': (TAKEN, TAKEN, ""),
    "": (REFUSED, REFUSED, ""),
    "null": (REFUSED, REFUSED, ""),
    '{"2":"m"}': (REFUSED, REFUSED, ""),
    "[]": (REFUSED, REFUSED, ""),
    '[2,"m"]': (REFUSED, REFUSED, ""),
    '[2,"m","Heartbeat"]': (REFUSED, REFUSED, ""),
    '[2,"m","Heartbeat",{},{}]': (REFUSED, REFUSED, ""),
    '[7,"m","Heartbeat",{}]': (REFUSED, REFUSED, ""),
    '["2","m","Heartbeat",{}]': (REFUSED, REFUSED, ""),
    '[2,"m","Heartbeat",{}]]': (REFUSED, REFUSED, ""),
    '[2,"m","Heartbeat",{}] [2,"n","Reset",{}]': (REFUSED, REFUSED, ""),
    '[2,"m","Heartbeat",[]]': (REFUSED, TAKEN, "a payload is an object (OCPP-J 4.2.1)"),
    '[2,"m","Heartbeat","x"]': (REFUSED, TAKEN, "a payload is an object (OCPP-J 4.2.1)"),
    '[2,"m",{},{}]': (REFUSED, TAKEN, "an action is a text"),
    '[2,null,"Heartbeat",{}]': (REFUSED, TAKEN, "an answer needs an id"),
    '[2,["m"],"Heartbeat",{}]': (REFUSED, TAKEN, "an id that cannot be looked up"),
    '[true,"m","Heartbeat",{}]': (REFUSED, REFUSED, ""),
    '[2.0,"m","Heartbeat",{}]': (REFUSED, TAKEN, "a message type is a whole number"),
    '[2,"m","Heartbeat",{"a":NaN}]': (REFUSED, TAKEN, "NaN is no JSON"),
    '[2,"m","Heartbeat",{"a":"\\ud800"}]': (REFUSED, TAKEN, "half a character is no text"),
    '[2,"m","Heartbeat",null]': (TAKEN, TAKEN, ""),
    '[3,"m",[]]': (REFUSED, TAKEN, "a payload is an object"),
    '[4,"m"]': (TAKEN, REFUSED, "whatever it lacks, it ends the wait for its id"),
    '[6,"m","NotifyPeriodicEventStream",{}]': (TAKEN, REFUSED, "SEND is of 2.1"),
    "[" * 100_000: (REFUSED, "RecursionError", "depth is bounded before it costs"),
}


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: text[:40])
def test_each_difference_between_the_readers_has_a_reason(text: str) -> None:
    our, their, why = CORPUS[text]
    assert (ours(text), theirs(text)) == (our, their)
    assert bool(why) == (our != their)


@pytest.mark.parametrize("text", ['x[2,"m","Reset",{}]', '[2,"m","Heartbeat",{"a":"]"}', '[2,"a","b",{}}]'])
def test_a_frame_inside_other_text_is_none(text: str) -> None:
    """What a regular expression would find."""
    assert ours(text) == REFUSED


def test_a_frame_inside_a_payload_is_a_text() -> None:
    frame = read(json.dumps([2, "m", "DataTransfer", {"vendorId": '[3,"m",{}]'}]))
    assert isinstance(frame, Call)
    assert (frame.id, frame.payload) == ("m", {"vendorId": '[3,"m",{}]'})


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)
_ITEMS = st.one_of(
    st.tuples(st.sampled_from([2, 3, 4]), st.text("ab1", max_size=4)).flatmap(
        lambda head: st.lists(_VALUES, max_size=4).map(lambda rest: [*head, *rest])
    ),
    st.lists(_VALUES, max_size=6),
)


@given(_ITEMS)
@settings(max_examples=60, deadline=None)
def test_what_both_readers_take_says_the_same_in_both(items: list[Any]) -> None:
    text = json.dumps(items)
    if ours(text) == theirs(text) == TAKEN:
        frame, theirs_read = read(text), unpack(text)
        assert (frame.id or "") == (theirs_read.unique_id or "")  # type: ignore[union-attr]
        match frame:
            case Call():
                assert frame.action == theirs_read.action
                assert frame.payload == (theirs_read.payload or {})
            case Result():
                assert frame.payload == (theirs_read.payload or {})
            case Error():
                assert frame.code == str(theirs_read.error_code)[:50]


@given(_ITEMS)
@settings(max_examples=60, deadline=None)
def test_a_call_that_is_refused_says_why_and_under_its_id_where_it_has_one(items: list[Any]) -> None:
    try:
        read(json.dumps(items))
    except Unreadable as refused:
        assert refused.words
        assert refused.failure in (Failure.FRAMEWORK, Failure.FORMAT)
        if len(items) > 1 and type(items[0]) is int and items[0] == 2 and isinstance(items[1], str):
            assert refused.message_id == items[1]
