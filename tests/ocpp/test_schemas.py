"""What a schema complaint says."""

from __future__ import annotations

import pytest

from cms.ocpp.frames import Refused
from cms.ocpp.schemas import STRICT, Schemas

WHOLE = {"timestamp": "2026-11-22T12:00:00Z", "signal": -3}


def test_a_missing_field_is_named_and_nothing_of_the_payload_is() -> None:
    with pytest.raises(Refused, match=r"^payload: a required field is missing \(timestamp\)$"):
        Schemas("v21", "Request").check_call("AFRRSignal", {"signal": -3}, STRICT, [])
    with pytest.raises(Refused, match=r"^payload: an unknown field$"):
        Schemas("v21", "Request").check_call("AFRRSignal", {**WHOLE, "hunter2": 1}, STRICT, [])
