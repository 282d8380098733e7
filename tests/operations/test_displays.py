from __future__ import annotations

from typing import Any

import pytest

from cms.contract.displays import (
    ClearDisplayMessage,
    DisplayView,
    GetDisplayMessages,
    ListDisplayMessages,
    SetDisplayMessage,
)
from cms.contract.intents import IntentView, ListIntents
from cms.contract.refusals import Conflict, Invalid, NotSupported, Rejected
from cms.contract.sessions import ListSessions
from cms.contract.stations import AddStation
from cms.domain.changes import SaveVariables
from cms.domain.displays import MOST, Content, Display, DisplaysTold
from cms.domain.observations import VariableReported
from cms.domain.orders import OrderAnswer
from cms.operations import displays, intents, sessions, stations
from tests.domain.build import NOON, after, event
from tests.operations.small import ANA, Small


@pytest.fixture(autouse=True)
async def speaks_2(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")


async def put(small: Small, text: str = "Hi", **fields: Any) -> int:
    request = SetDisplayMessage(**{"station": "CP1", "text": text} | fields)
    answer = await displays.set_(small.core, request, ANA)
    assert isinstance(answer, IntentView)
    number: int = answer.params["display"]["id"]
    return number


async def get(small: Small, **fields: Any) -> int:
    answer = await displays.get(small.core, GetDisplayMessages(**{"station": "CP1"} | fields), ANA)
    assert isinstance(answer, IntentView)
    number: int = answer.params["request_id"]
    return number


async def known(small: Small) -> list[DisplayView]:
    return await displays.list_(small.core, ListDisplayMessages("CP1"), ANA)


async def tell(small: Small, request_id: int, *ids: int, more: bool = False) -> None:
    told = tuple(Display(id, Content(f"text {id}")) for id in ids)
    await small.hear("CP1", DisplaysTold(request_id, told, more), version="2.0.1")


async def test_what_the_station_accepted_is_on_its_display(small: Small) -> None:
    number = await put(small, "Hello", priority="in-front", ends_at=after(10))
    (seen,) = await known(small)
    assert (seen.id, seen.text, seen.priority, seen.set_by, seen.over) == (
        number,
        "Hello",
        "in-front",
        "ana",
        False,
    )
    small.clock.pass_(minutes=11)
    assert (await known(small))[0].over


async def test_the_same_number_replaces_a_message_and_a_cleared_one_is_gone(small: Small) -> None:
    number = await put(small)
    await put(small, "Ho", message=number)
    assert [seen.text for seen in await known(small)] == ["Ho"]
    await displays.clear(small.core, ClearDisplayMessage(station="CP1", message=number), ANA)
    assert await known(small) == []


async def test_a_message_that_the_station_does_not_know_is_gone_too(small: Small) -> None:
    number = await put(small)
    small.stations.answer = OrderAnswer("rejected", "Unknown", {"status": "Unknown"})
    with pytest.raises(Rejected, match="Unknown"):
        await displays.clear(small.core, ClearDisplayMessage(station="CP1", message=number), ANA)
    assert await known(small) == []


async def test_a_refused_message_is_not_on_the_display(small: Small) -> None:
    small.stations.answer = OrderAnswer(
        "rejected", "NotSupportedPriority", {"status": "NotSupportedPriority"}
    )
    with pytest.raises(Rejected, match="NotSupportedPriority"):
        await put(small)
    assert await known(small) == []


async def test_a_report_of_all_messages_replaces_what_was_known(small: Small) -> None:
    await put(small, message=9)
    small.clock.pass_(seconds=1)
    request_id = await get(small)
    await tell(small, request_id, 1, 2, more=True)
    assert next(i.status for i in await intents.list_(small.core, ListIntents(), ANA)) == "accepted"
    await tell(small, request_id, 3)
    assert [seen.id for seen in await known(small)] == [1, 2, 3]
    assert next(i.status for i in await intents.list_(small.core, ListIntents(), ANA)) == "confirmed"


async def test_a_report_of_some_messages_adds_to_what_was_known(small: Small) -> None:
    await put(small, message=9)
    await tell(small, await get(small, messages=(1,)), 1)
    assert {seen.id for seen in await known(small)} == {1, 9}


async def test_a_station_without_such_messages_is_not_waited_for(small: Small) -> None:
    small.stations.answer = OrderAnswer("accepted", "Unknown", {"status": "Unknown"})
    await get(small)
    (intent,) = await intents.list_(small.core, ListIntents(), ANA)
    assert (intent.status, intent.detail) == ("confirmed", "the station said Unknown")


async def test_a_flood_of_messages_is_bounded(small: Small) -> None:
    for part in range(3):
        await tell(small, 4711, *range(part * 400, part * 400 + 400), more=True)
    assert len(await known(small)) == MOST


async def test_a_message_of_a_session_is_over_with_it(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), version="2.0.1")
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    await put(small, session=session.id)
    (seen,) = await known(small)
    assert (seen.transaction_id, seen.over) == ("tx-1", False)
    await small.hear("CP1", event("ended", 1, after(1)), version="2.0.1")
    assert (await known(small))[0].over


async def test_a_message_is_shown_where_its_session_is(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    await small.hear("CP2", event("started", 0, NOON, evse=1), version="2.0.1")
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    with pytest.raises(Conflict, match="at CP2, not at CP1"):
        await put(small, session=session.id)


async def test_what_the_station_said_it_cannot_show_is_not_sent(small: Small) -> None:
    can = VariableReported("DisplayMessageCtrlr.SupportedPriorities", "NormalCycle, InFront")
    await small.core.store.commit((SaveVariables("CP1", (can,), NOON),), ())
    await put(small, priority="in-front")
    with pytest.raises(NotSupported, match="SupportedPriorities is NormalCycle, InFront"):
        await put(small, priority="always-front")
    await put(small, priority="always-front", force=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"priority": "loud"},
        {"state": "angry"},
        {"format": "morse"},
        {"message": 0},
        {"starts_at": after(2), "ends_at": after(1)},
    ],
)
async def test_nonsense_is_refused(small: Small, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await put(small, **fields)


async def test_1_6_has_no_display_messages(small: Small) -> None:
    small.stations.connect("CP1", "1.6")
    with pytest.raises(NotSupported, match=r"OCPP 1\.6 has no display messages"):
        await put(small)
    assert not small.stations.given
