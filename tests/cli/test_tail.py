"""Frames become exchanges: a request with its answer, how long it took, and what the schemas say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.render import compact
from cli.tail import LIST, UNANSWERED_S, Pairs, Wanted, exchange, line_of, told
from cms.contract.filters import parse
from cms.contract.stations import Message
from tests.security.strings import HOSTILE
from tests.security.terminal import COMMAND, screened

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def frame(kind: str, at_s: float = 0.0, direction: str = "in", **more: object) -> Message:
    fields = {
        "action": "Heartbeat",
        "message_id": "1",
        "payload": "{}",
        "station": "CP-1",
        "verdict": "valid",
    }
    return Message(NOON + timedelta(seconds=at_s), direction, kind, **fields | more)  # type: ignore[arg-type]


def test_a_request_and_its_answer_are_one_row() -> None:
    pairs = Pairs(NOON)
    assert pairs.hear(frame("call")) is None
    assert pairs.hear(frame("call", 0.1, "out", action="Reset")) is None
    row = pairs.hear(frame("result", 0.2, "out", payload='{"currentTime":"now"}'))
    assert row is not None
    assert (row["action"], row["status"], row["latency_ms"], row["verdict"]) == (
        "Heartbeat",
        "ok",
        200.0,
        "valid",
    )
    assert (row["request"], row["answer"]) == ({}, {"currentTime": "now"})
    refused = pairs.hear(frame("error", 0.3, "in", action="Reset", payload="not json", verdict=None))
    assert refused is not None
    assert (refused["direction"], refused["status"], refused["answer"]) == ("out", "error", "not json")


def test_what_is_not_answered_in_time_is_told_as_silent() -> None:
    pairs = Pairs(NOON)
    pairs.hear(frame("call", 0, "out", action="Reset"))
    pairs.hear(frame("call", UNANSWERED_S, message_id="2"))
    assert list(pairs.overdue(NOON + timedelta(seconds=UNANSWERED_S))) == []
    (row,) = pairs.overdue(NOON + timedelta(seconds=UNANSWERED_S + 1))
    assert (row["action"], row["status"], row["answer"]) == ("Reset", "silent", None)


def test_an_answer_to_what_was_asked_before_we_listened_is_not_told_as_stray() -> None:
    pairs = Pairs(NOON)
    assert pairs.hear(frame("result", 1)) is None
    late = pairs.hear(frame("result", UNANSWERED_S + 1))
    assert late is not None and late["status"] == "stray"


def test_the_first_thing_that_is_wrong_is_the_verdict() -> None:
    pairs = Pairs(NOON)
    pairs.hear(frame("call", verdict="payload: an unknown field"))
    row = pairs.hear(frame("result", 1, "out"))
    assert row is not None and row["verdict"] == "payload: an unknown field"


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({}, True),
        ({"stations": frozenset({"cp-2"})}, False),
        ({"actions": frozenset({"heartbeat"})}, True),
        ({"errors": True}, False),
        ({"slow_ms": 500.0}, False),
        ({"slow_ms": 100.0}, True),
        ({"rest": parse("action=Boot*")}, False),
    ],
)
def test_one_sees_what_one_asked_for(wanted: dict[str, object], shown: bool) -> None:
    pairs = Pairs(NOON)
    pairs.hear(frame("call"))
    row = pairs.hear(frame("result", 0.2, "out"))
    assert row is not None
    every = {"stations": frozenset(), "actions": frozenset(), "errors": False, "slow_ms": None}
    assert Wanted(**every | {"rest": parse("")} | wanted)(row) is shown  # type: ignore[arg-type]


def test_a_line_says_what_was_measured_and_leaves_out_what_every_report_has() -> None:
    payload = {
        "timestamp": "2026-11-22T12:00:00Z",
        "seqNo": 3,
        "meterValue": [
            {
                "sampledValue": [
                    {"value": 3700.0, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}}
                ]
            },
            {"sampledValue": [{"value": "16.1", "measurand": "Current.Import", "phase": "L1", "unit": "A"}]},
            {"sampledValue": [{"value": "5"}]},
        ],
    }
    expected = "Power.Active.Import=3700.0W Current.Import@L1=16.1A Energy.Active.Import.Register=5"
    assert told(payload) == expected


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_line_obeys_what_a_station_says(hostile: str) -> None:
    asked = frame(
        "call", station=hostile, action=hostile, payload=compact({hostile: [hostile]}), verdict=hostile
    )
    row = exchange(asked, frame("result", 1, "out", payload=hostile))
    for line in (line_of(row, LIST), compact(row["request"]), compact(row["answer"])):
        assert screened(line.encode(), COMMAND) == []
