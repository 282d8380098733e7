"""The benchmark's load is what real stations say: frames valid against the published schemas."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.load import Talk
from tests.schemas import check


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_every_frame_of_the_load_is_valid_and_new(version: str) -> None:
    talk = Talk("L-1", version)
    frames = [json.loads(text) for _ in range(3) for text in talk.session()]
    for _, _, action, payload in frames:
        check(version, action, payload)
    assert len(frames) == 3 * 10
    assert len({message_id for _, message_id, _, _ in frames}) == len(frames)
    assert len({json.dumps(frame[2:]) for frame in frames if frame[2] == "MeterValues"}) in (0, 15)


def test_a_meter_value_has_eight_samples() -> None:
    payload = json.loads(Talk("L-1", "1.6").meter_values())[3]
    assert len(payload["meterValue"][0]["sampledValue"]) == 8
