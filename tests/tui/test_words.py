"""What the console says of events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cms.contract.events import Event
from tui import words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type", "data", "said"),
    [
        ("intent.changed", {"intent": {"order": "reset", "status": "sent"}}, "changed reset sent"),
        (
            "payment.changed",
            {"payment": {"psp_ref": "PSP1", "station": "CP1", "status": "settled", "limit": None}},
            "payment.changed PSP1 settled",
        ),
        (
            "logs.job",
            {"job": {"request_id": 7, "kind": "log", "status": "Uploading", "steps": [{"at": "x"}]}},
            "logs.job 7 log Uploading",
        ),
        ("displays.changed", {"set": [1, 2], "cleared": []}, "displays.changed set 1, 2"),
        ("charging.schedule", {"evse": 1, "accepted": False}, "charging.schedule evse 1 accepted no"),
    ],
)
def test_events_are_told_in_words_and_not_as_data(type: str, data: dict[str, Any], said: str) -> None:
    assert words.happening(Event("1", NOON, type, "CP1", data=data)) == said
