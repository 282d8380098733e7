"""What a schema complaint says."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from cms.ocpp.dialect import DIALECTS
from cms.ocpp.frames import Call, Refused, Unreadable, read
from cms.ocpp.schemas import KEPT, LENGTHS, LOOKED_UP, STRICT, TOLD, Schemas, Tolerance
from tests.fuzz.seeds import actions, one_of, request
from tests.fuzz.texts import mutated

WHOLE = {"timestamp": "2026-11-22T12:00:00Z", "signal": -3}


def test_a_missing_field_is_named_and_nothing_of_the_payload_is() -> None:
    with pytest.raises(Refused, match=r"^payload: a required field is missing \(timestamp\)$"):
        Schemas("v21", "Request").check_call("AFRRSignal", {"signal": -3}, STRICT, [])
    with pytest.raises(Refused, match=r"^payload: an unknown field$"):
        Schemas("v21", "Request").check_call("AFRRSignal", {**WHOLE, "hunter2": 1}, STRICT, [])


FOLDERS = {"1.6": ("v16", ""), "2.0.1": ("v201", "Request"), "2.1": ("v21", "Request")}
KNOWN = {version: Schemas(*folder) for version, folder in FOLDERS.items()}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    version=st.sampled_from(list(FOLDERS)),
    tolerance=st.sampled_from([STRICT, LENGTHS, LOOKED_UP, TOLD, KEPT]),
    choices=st.randoms(use_true_random=False),
)
def test_a_long_message_is_judged_as_a_short_one(
    version: str, tolerance: Tolerance, choices: random.Random
) -> None:
    schemas = KNOWN[version]
    action = one_of(choices, actions(version))
    payload = mutated(choices, request(choices, version, action), times=1 + choices.randrange(3))
    said = _read(action, payload)
    judged = [_judged(schemas, action, said.payload, tolerance, long=long) for long in (False, True)]
    assert judged[0] == judged[1]


def _read(action: str, payload: Any) -> Call:
    """As it comes from a station; what is no CALL is of no interest."""
    try:
        frame = read(json.dumps([2, "m", action, payload], default=str))
    except Unreadable:
        reject()
    assert isinstance(frame, Call)
    return frame


def _judged(
    schemas: Schemas, action: str, payload: Any, tolerance: Tolerance, *, long: bool
) -> tuple[str, bool]:
    """Whether it is taken, and whether something is remarked upon."""
    remarks: list[str] = []
    try:
        schemas.check_call(action, payload, tolerance, remarks, long=long)
    except Refused:
        return "refused", True
    return "taken", bool(remarks)


def test_of_many_mistakes_in_a_long_message_the_first_is_remarked_upon() -> None:
    samples = [{"value": "1", "unit": "furlongs", "phase": f"P{n}"} for n in range(3)]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": WHOLE["timestamp"], "sampledValue": samples}]}
    remarks: list[str] = []
    KNOWN["1.6"].check_call("MeterValues", payload, KEPT, remarks, long=True)
    assert len(remarks) == 1 and remarks[0].startswith("enum:meterValue.sampledValue.")


@pytest.mark.parametrize(
    ("kind", "action", "payload", "verdict"),
    [
        ("call", "Heartbeat", "{}", "valid"),
        ("result", "Heartbeat", '{"currentTime":"2026-11-22T12:00:00Z"}', "valid"),
        ("result", "Heartbeat", "{}", "payload: a required field is missing (currentTime)"),
        ("call", "Heartbeat", '{"colour":"red"}', "payload: an unknown field"),
        ("call", "Heartbeat", '{"cut off', "no JSON"),
        ("error", "Heartbeat", "{}", None),
        ("call", "Invented", "{}", None),
    ],
)
def test_people_are_told_what_the_schema_says_of_a_frame(
    kind: str, action: str, payload: str, verdict: str | None
) -> None:
    assert DIALECTS["ocpp1.6"].schemas.verdict(kind, action, payload) == verdict
