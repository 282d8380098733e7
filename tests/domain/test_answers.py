"""What a station's answer says to people."""

from __future__ import annotations

from cms.domain.orders import OrderAnswer


def answer(**info: object) -> OrderAnswer:
    return OrderAnswer("rejected", "Rejected", {"status": "Rejected", "statusInfo": info})


def test_the_reason_that_a_station_gives_stands_beside_its_word() -> None:
    assert answer(reasonCode="NoBatteryAvailable").said == "Rejected (NoBatteryAvailable)"
    assert answer(reasonCode="Other", additionalInfo="door open").said == "Rejected (Other: door open)"
    assert OrderAnswer("accepted", "Accepted", {"status": "Accepted"}).said == "Accepted"


def test_a_long_story_is_cut() -> None:
    assert len(answer(reasonCode="Other", additionalInfo="x" * 1024).said) < 220
