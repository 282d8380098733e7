from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cms.contract.intents import IntentView, ListIntents
from cms.contract.refusals import Conflict, Invalid, NotFound, NotSupported, Rejected
from cms.contract.reservations import AddReservation, CancelReservation, ListReservations, ShowReservation
from cms.contract.tokens import AddToken
from cms.domain.changes import SaveVariables
from cms.domain.observations import ConnectorReported, VariableReported
from cms.domain.orders import OrderAnswer
from cms.domain.reservations import ReservationEnded
from cms.operations import due, intents, reservations, tokens
from tests.domain.build import NOON, after, event, start
from tests.operations.small import ANA, Small

NO = OrderAnswer("rejected", "Occupied", {"status": "Occupied"})


async def reserve(small: Small, **fields: Any) -> int:
    usual: dict[str, Any] = {"station": "CP1", "token": "CARD1", "expires_at": after(60), "evse": 1}
    intent = await reservations.add(small.core, AddReservation(**usual | fields), ANA)
    assert isinstance(intent, IntentView)
    number: int = intent.params["id"]
    return number


async def status(small: Small, number: int) -> str:
    return (await reservations.show(small.core, ShowReservation(number), ANA)).status


def reported(word: str, minutes: float) -> ConnectorReported:
    return ConnectorReported(1, 1, word, after(minutes))


async def test_a_reservation_is_held_until_it_is_used(small: Small) -> None:
    number = await reserve(small)
    assert await status(small, number) == "active"
    await small.hear("CP1", start(reservation_id=number))
    seen = await reservations.show(small.core, ShowReservation(number), ANA)
    assert (seen.status, seen.session is not None) == ("used", True)


async def test_a_token_that_starts_at_its_reserved_evse_uses_it_without_saying_so(small: Small) -> None:
    other = await reserve(small, evse=2)
    number = await reserve(small)
    await small.hear("CP1", event("started", 0, NOON, evse=1, token=start().token), version="2.1")
    assert await status(small, number) == "used"
    assert await status(small, other) == "active"


async def test_a_session_from_before_a_reservation_does_not_use_it(small: Small) -> None:
    small.clock.pass_(minutes=30)
    number = await reserve(small)
    token = start().token
    await small.hear("CP1", event("started", 0, NOON, evse=1, token=token, offline=True), version="2.1")
    assert await status(small, number) == "active"
    await small.hear("CP1", event("ended", 1, after(20), offline=True), version="2.1")
    await small.hear("CP1", event("started", 0, after(31), tx="tx-2", evse=1, token=token), version="2.1")
    assert await status(small, number) == "used"


async def test_another_token_uses_a_reservation_only_if_it_is_of_its_group(small: Small) -> None:
    await tokens.add(small.core, AddToken("CARD2", group="GRP1"), ANA)
    alone = await reserve(small)
    shared = await reserve(small, evse=2, with_group=True)
    await small.hear("CP1", start("CARD2", evse=1))
    await small.hear("CP1", start("CARD2", evse=2))
    assert [await status(small, number) for number in (alone, shared)] == ["active", "used"]


async def test_a_reservation_expires_by_our_clock_when_the_station_says_nothing(small: Small) -> None:
    number = await reserve(small)
    small.clock.pass_(minutes=59)
    await intents.look_again(small.core, "CP1", f"reservation:{number}")
    assert await status(small, number) == "active"
    await small.restart()
    small.clock.pass_(minutes=2)
    await intents.look_again(small.core, "CP1", f"reservation:{number}")
    assert await status(small, number) == "expired"


async def test_what_expires_is_on_the_agenda_again_after_a_restart(small: Small) -> None:
    number = await reserve(small)
    await small.restart()
    woken: list[tuple[datetime, str, str]] = []
    small.core.wake = lambda *look: woken.append(look)
    due.remember(small.core)
    assert woken == [(after(60), "CP1", f"reservation:{number}")]


async def test_a_reservation_that_waited_too_long_for_its_station_is_not_made(small: Small) -> None:
    small.stations.links.clear()
    await reserve(small, queue_s=86_400)
    small.clock.pass_(hours=2)
    small.stations.connect("CP1")
    await intents.flush(small.core, "CP1")
    (intent,) = await intents.list_(small.core, ListIntents(), ANA)
    assert (intent.status, small.stations.given) == ("failed", [])
    assert "came back too late" in (intent.detail or "")


async def test_a_reserved_connector_that_is_free_again_holds_no_reservation(small: Small) -> None:
    number = await reserve(small)
    await small.hear("CP1", reported("reserved", 0))
    small.clock.pass_(minutes=5)
    await small.hear("CP1", reported("available", 5))
    seen = await reservations.show(small.core, ShowReservation(number), ANA)
    assert (seen.status, seen.detail) == ("removed", "the connector is free again")


async def test_what_the_station_says_of_the_end_is_kept_and_an_unknown_one_is_told(small: Small) -> None:
    number = await reserve(small)
    await small.hear("CP1", ReservationEnded(4711, "removed"), version="2.0.1")
    await small.hear("CP1", ReservationEnded(number, "removed"), version="2.0.1")
    await small.hear("CP1", ReservationEnded(number, "removed"), version="2.0.1")
    assert await status(small, number) == "removed"
    told = [e.data["id"] for e in await small.core.store.events_after(None, 50, type="reservation.changed")]
    assert told == [number, 4711, number]


async def test_an_end_that_overtakes_the_answer_stands(small: Small) -> None:
    async def ends_first() -> None:
        (intent,) = small.core.lanes["cp1"].state.intents.values()
        await small.hear("CP1", ReservationEnded(intent.params["id"], "expired"), version="2.0.1")

    small.stations.before_answer = ends_first
    assert await status(small, await reserve(small)) == "expired"


async def test_a_use_that_overtakes_the_answer_stands(small: Small) -> None:
    async def used_first() -> None:
        (intent,) = small.core.lanes["cp1"].state.intents.values()
        await small.hear("CP1", start(reservation_id=intent.params["id"]))

    small.stations.before_answer = used_first
    assert await status(small, await reserve(small)) == "used"


async def test_a_refused_reservation_is_none(small: Small) -> None:
    small.stations.answer = NO
    with pytest.raises(Rejected, match="Occupied"):
        await reserve(small)
    (seen,) = await reservations.list_(small.core, ListReservations(), ANA)
    assert (seen.status, seen.detail) == ("refused", "the station said Occupied")
    assert await reservations.list_(small.core, ListReservations(active=True), ANA) == []


async def test_the_same_number_replaces_a_reservation(small: Small) -> None:
    number = await reserve(small)
    await reserve(small, reservation=number, evse=2, expires_at=after(90))
    (seen,) = await reservations.list_(small.core, ListReservations(), ANA)
    assert (seen.id, seen.evse, seen.expires_at) == (number, 2, after(90))


async def test_a_reservation_is_cancelled_by_the_station_that_holds_it(small: Small) -> None:
    number = await reserve(small)
    await reservations.cancel(small.core, CancelReservation(reservation=number), ANA)
    assert await status(small, number) == "cancelled"
    small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await reservations.cancel(small.core, CancelReservation(reservation=number), ANA)
    assert await status(small, number) == "cancelled"


async def test_a_reservation_that_the_station_does_not_know_is_none(small: Small) -> None:
    number = await reserve(small)
    small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await reservations.cancel(small.core, CancelReservation(reservation=number), ANA)
    assert await status(small, number) == "removed"
    with pytest.raises(NotFound):
        await reservations.cancel(small.core, CancelReservation(reservation=4711), ANA)


async def test_nothing_is_reserved_for_who_may_not_charge(small: Small) -> None:
    with pytest.raises(Conflict, match="unknown"):
        await reserve(small, token="NOBODY")
    await reserve(small, token="NOBODY", force=True)
    with pytest.raises(Invalid, match="past"):
        await reserve(small, expires_at=NOON - timedelta(minutes=1))
    with pytest.raises(Invalid, match="no group"):
        await reserve(small, token="NOBODY", force=True, with_group=True)


async def test_any_evse_is_reserved_only_where_the_station_can_choose(small: Small) -> None:
    await reserve(small, evse=None)
    zero = VariableReported("ReserveConnectorZeroSupported", "false", readonly=True)
    await small.core.store.commit((SaveVariables("CP1", (zero,), NOON),), ())
    with pytest.raises(NotSupported, match="ReserveConnectorZeroSupported is false"):
        await reserve(small, evse=None)


async def test_a_key_code_is_not_written_down_with_its_reservation(small: Small) -> None:
    await tokens.add(small.core, AddToken("4711", kind="key-code"), ANA)
    await reserve(small, token="4711")
    (seen,) = await reservations.list_(small.core, ListReservations(), ANA)
    assert seen.token == "***"


async def test_only_so_many_reservations_that_are_over_are_remembered(small: Small) -> None:
    small.stations.answer = NO
    for _ in range(55):
        with pytest.raises(Rejected):
            await reserve(small)
    assert len(await reservations.list_(small.core, ListReservations(), ANA)) == 50
