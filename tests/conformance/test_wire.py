"""What no central system may say is found in every frame that it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.wire import Watch, Wire

FINE: list[tuple[str, list[Any]]] = [
    ("1.6", [2, "1", "Reset", {"type": "Hard"}]),
    ("2.1", [2, "1", "Reset", {"type": "ImmediateAndResume"}]),
    ("1.6", [4, "x", "OccurenceConstraintViolation", "", {}]),
    ("2.1", [6, "x", "AnyStream", {}]),
]
WRONG: list[tuple[str, list[Any], str]] = [
    ("1.6", [2, "1", "Reset", {"type": "Immediate"}], "not one of"),
    ("2.0.1", [2, "1", "Reset", {"type": "ImmediateAndResume"}], "not one of"),
    ("2.0.1", [2, "1", "StartTransaction", {}], "no action of 2.0.1"),
    ("2.0.1", [2, "1", "Reset", {"type": "OnIdle", "evseId": None}], "null"),
    ("2.0.1", [2, "1", "GetVariables", {"getVariableData": []}], "empty list"),
    ("1.6", [2, "1", "GetDiagnostics", {"location": "x", "startTime": "2026-01-01T10:00:00"}], "no time"),
    ("1.6", [2, "1" * 37, "Reset", {"type": "Hard"}], "longer than 36"),
    ("2.0.1", [4, "x", "OccurenceConstraintViolation", "", {}], "no error code"),
    ("1.6", [4, "x", "GenericError", ""], "not a frame"),
    ("2.0.1", [6, "x", "NotifyPeriodicEventStream", {}], "not a frame"),
]


@pytest.mark.parametrize(("version", "frame"), FINE)
def test_a_fine_frame_has_no_faults(version: str, frame: list[Any]) -> None:
    assert list(Wire("A", version, Watch())._problems(frame)) == []


@pytest.mark.parametrize(("version", "frame", "fault"), WRONG)
def test_a_fault_is_named(version: str, frame: list[Any], fault: str) -> None:
    assert fault in " ".join(Wire("A", version, Watch())._problems(frame))


def test_a_call_while_another_is_outstanding_is_a_fault_and_so_is_an_id_that_comes_again() -> None:
    wire = Wire("A", "1.6", Watch())
    reset = [2, "1", "Reset", {"type": "Hard"}]
    assert list(wire._problems(reset)) == []
    assert "outstanding" in " ".join(wire._problems([2, "2", *reset[2:]]))
    wire.outstanding = None
    assert "used before" in " ".join(wire._problems(reset))
