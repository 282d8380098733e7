from __future__ import annotations

from typing import Any

import pytest

from cms.domain import intents
from cms.domain.connectors import Connector
from cms.domain.intents import Intent
from cms.domain.observations import Booted, ConnectorReported, TokenRef
from cms.domain.orders import OrderAnswer
from cms.domain.stations import Station, StationState
from tests.domain.build import NOON, after, event, received, start, stop

STATE = StationState(Station("CP1"))
ACCEPTED = OrderAnswer("accepted", "Accepted", {"status": "Accepted"})


def intent(order: str, **params: Any) -> Intent:
    return Intent("i1", "CP1", order, params, "sent", "ana", created_at=NOON, sent_at=NOON)


def accepted(order: str, **params: Any) -> Intent:
    return intents.answered(intent(order, **params), ACCEPTED, NOON, STATE)


def test_accepted_is_not_done_for_an_order_with_an_effect() -> None:
    reset = accepted("reset", kind="hard")
    assert (reset.status, reset.confirmed_at) == ("accepted", None)
    assert accepted("unlock", evse=1, connector=1).status == "confirmed"


def test_a_station_that_says_no_has_refused() -> None:
    refused = intents.answered(intent("reset"), OrderAnswer("rejected", "Rejected", {}), NOON, STATE)
    assert (refused.status, refused.detail) == ("refused", "the station said Rejected")


EFFECTS = [
    ("reset", {"kind": "soft"}, Booted("V", "M")),
    ("start", {"token": "card1", "evse": 1, "remote_start_id": 5}, start()),
    ("start", {"token": "x", "remote_start_id": 5}, event("started", 0, NOON, remote_start_id=5)),
    ("stop", {"transaction_id": "7"}, stop("7")),
    ("availability", {"operative": False, "evse": 1}, ConnectorReported(1, 1, "unavailable", NOON)),
    ("availability", {"operative": True}, ConnectorReported(2, 1, "available", NOON)),
]


@pytest.mark.parametrize(("order", "params", "seen"), EFFECTS)
def test_the_effect_confirms(order: str, params: dict[str, Any], seen: Any) -> None:
    done = intents.confirm(accepted(order, **params), received(seen, after(1)), "s1", STATE)
    assert done is not None and done.status == "confirmed"


STRANGERS = [
    ("reset", {"kind": "soft"}, start()),
    ("start", {"token": "card2", "evse": 1, "remote_start_id": 5}, start()),
    ("start", {"token": "card1", "evse": 2, "remote_start_id": 5}, start()),
    ("start", {"token": "card1", "remote_start_id": 5}, start(at=after(-60))),
    ("start", {"token": "x", "remote_start_id": 5}, event("started", 0, NOON, remote_start_id=6)),
    ("stop", {"transaction_id": "7"}, stop("8")),
    ("availability", {"operative": False, "evse": 1}, ConnectorReported(2, 1, "unavailable", NOON)),
]


@pytest.mark.parametrize(("order", "params", "seen"), STRANGERS)
def test_something_else_does_not_confirm(order: str, params: dict[str, Any], seen: Any) -> None:
    assert intents.confirm(accepted(order, **params), received(seen, after(1)), None, STATE) is None


def test_a_triggered_message_confirms_its_trigger() -> None:
    asked = accepted("trigger", message="StatusNotification")
    seen = received(ConnectorReported(1, 1, "available", NOON), action="StatusNotification")
    assert intents.confirm(asked, seen, None, STATE) is not None


def test_an_effect_may_overtake_the_answer() -> None:
    done = intents.confirm(intent("reset", kind="hard"), received(Booted("V", "M"), after(1)), None, STATE)
    assert done is not None
    assert intents.answered(done, ACCEPTED, after(2), STATE).status == "confirmed"


def test_a_whole_station_is_unavailable_when_its_last_connector_is() -> None:
    order = accepted("availability", operative=False)
    first, last = Connector(1, 1, "available"), Connector(2, 1, "available")
    one = received(ConnectorReported(1, 1, "unavailable", NOON))
    before = StationState(Station("CP1"), {(1, 1): first, (2, 1): last})
    assert intents.confirm(order, one, None, before) is None
    other = received(ConnectorReported(2, 1, "unavailable", NOON))
    half = StationState(Station("CP1"), {(1, 1): Connector(1, 1, "unavailable"), (2, 1): last})
    assert intents.confirm(order, other, None, half) is not None
    # A 1.6 station may speak for all its connectors with connector 0.
    whole = received(ConnectorReported(0, 0, "unavailable", NOON))
    assert intents.confirm(order, whole, None, before) is not None


def test_an_availability_that_holds_already_is_confirmed_at_once() -> None:
    places = {(1, 1): Connector(1, 1, "unavailable")}
    order = intent("availability", operative=False, evse=1)
    assert intents.answered(order, ACCEPTED, NOON, StationState(Station("CP1"), places)).status == "confirmed"


def test_an_effect_that_does_not_come_in_time_has_failed() -> None:
    waiting = accepted("start", token="x", remote_start_id=1)
    assert intents.overdue(waiting, after(1)) is None
    late = intents.overdue(waiting, after(10))
    assert late is not None and (late.status, late.detail) == (
        "failed",
        "the station accepted but no session began in time",
    )


def test_what_was_on_its_way_when_the_daemon_died_is_unknown_and_not_resent() -> None:
    assert intents.after_restart(intent("reset"), after(1)).status == "failed"
    waiting = accepted("reset", kind="soft")
    assert intents.after_restart(waiting, after(1)) is waiting


def test_a_token_in_other_case_is_the_same_token() -> None:
    asked = accepted("start", token="CARD1", remote_start_id=1)
    assert intents.confirm(asked, received(start("card1"), after(0)), "s1", STATE) is not None
    assert TokenRef("card1").kind is None
