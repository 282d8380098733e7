"""Long texts are taken apart beside the loop, and nobody notices but by its turning."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from cms.aside import LONG, Beside
from cms.contract.refusals import Rejected
from cms.domain.observations import Metered
from cms.domain.orders import CallAction
from cms.ocpp.dialect import V21
from cms.ocpp.link import Link
from tests.ocpp.fakes import converse

T = TypeVar("T")
HEARTBEAT = [2, "h", "Heartbeat", {}]
AT = "2026-01-01T12:00:00Z"


def meter_values(**sample: Any) -> list[Any]:
    samples = [{"value": str(n), **sample} for n in range(LONG // 10)]
    return [
        2,
        "long",
        "MeterValues",
        {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": samples}]},
    ]


class Gate:
    """Does the work once somebody lets it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked = 0

    async def __call__(self, work: Callable[[], T]) -> T:
        self.asked += 1
        await self.open.wait()
        return work()


@pytest.fixture
def beside() -> Iterator[Beside]:
    made = Beside()
    yield made
    made.close()


async def test_a_long_message_is_answered_in_its_turn(beside: Beside) -> None:
    talk = converse(aside=beside)
    said = await talk.hear([2, "a", "Heartbeat", {}], meter_values(), HEARTBEAT)
    assert [frame[1] for frame in said] == ["a", "long", "h"]
    metered = talk.backend.received[1]
    assert isinstance(metered.observation, Metered)
    assert len(metered.observation.readings[0].samples) == LONG // 10
    assert len(metered.raw) > LONG


async def test_the_loop_turns_and_no_more_is_read_while_a_long_text_is_taken_apart() -> None:
    gate = Gate()
    talk = converse(aside=gate)
    talk.link.hear(json.dumps(meter_values()))
    await asyncio.sleep(0)
    assert gate.asked == 1 and talk.wire.paused and talk.wire.sent == []
    gate.open.set()
    await talk.link.settled()
    assert talk.wire.sent == [[3, "long", {}]] and not talk.wire.paused


async def test_what_is_wrong_with_a_long_message_is_said(beside: Beside) -> None:
    talk = converse(aside=beside)
    (said,) = await talk.hear([2, "long", "Authorize", {"idTag": "x" * LONG}])
    assert said[2:4] == ["PropertyConstraintViolation", "idTag: too long"]
    (said,) = await talk.hear([2, "long", "Heartbeat", {}, "x" * LONG])
    assert said[2] == "FormationViolation"


async def test_a_long_message_with_a_mistake_in_each_entry_is_forgiven_with_one_remark(
    beside: Beside,
) -> None:
    talk = converse(aside=beside)
    assert await talk.hear(meter_values(unit="furlongs")) == [[3, "long", {}]]
    assert talk.backend.received[0].remarks == ("enum:meterValue.sampledValue.unit",)


async def test_of_a_long_text_people_see_the_masked_beginning(beside: Beside) -> None:
    talk = converse(aside=beside)
    await talk.hear([2, "long", "DataTransfer", {"vendorId": "v", "password": "hunter2", "data": "x" * LONG}])
    shown = talk.link.ring.messages()[0].payload
    assert "hunter2" not in shown and "***" in shown and len(shown) <= 2048


async def test_a_station_that_is_shut_is_not_heard_any_more() -> None:
    gate = Gate()
    talk = converse(aside=gate)
    talk.link.hear(json.dumps(meter_values()))
    await asyncio.sleep(0)
    talk.link.shut(1008, "enough")
    gate.open.set()
    await _turns(talk.link)
    assert talk.backend.received == [] and talk.wire.sent == []


async def test_a_long_message_is_handled_though_the_connection_is_gone() -> None:
    gate = Gate()
    talk = converse(aside=gate)
    talk.link.hear(json.dumps(meter_values()))
    await asyncio.sleep(0)
    talk.link.lost("gone")
    gate.open.set()
    await talk.link.settled()
    assert len(talk.backend.received) == 1


async def test_a_long_answer_reaches_who_asked_while_a_call_of_the_station_is_handled(beside: Beside) -> None:
    talk = converse(aside=beside)
    talk.backend.gate = asyncio.Event()
    talk.link.hear(json.dumps(HEARTBEAT))
    giving = asyncio.create_task(talk.link.give(CallAction("GetConfiguration", {}), 5))
    asked = await talk.until_sent(1)
    keys = [{"key": f"K{n}", "readonly": True, "value": "v"} for n in range(LONG // 20)]
    talk.link.hear(json.dumps([3, asked[1], {"configurationKey": keys}]))
    answer = await giving
    assert len(answer.answer["configurationKey"]) == LONG // 20
    talk.backend.gate.set()
    await talk.link.settled()


async def test_a_long_answer_that_is_wrong_is_disputed(beside: Beside) -> None:
    talk = converse(V21, aside=beside)
    giving = asyncio.create_task(talk.link.give(CallAction("ClearCache", {}), 5))
    asked = await talk.until_sent(1)
    talk.link.hear(json.dumps([3, asked[1], {"status": 5, "customData": {"vendorId": "x" * LONG}}]))
    with pytest.raises(Rejected, match="status: wrong type"):
        await giving
    assert talk.wire.sent[-1][0] == 5


async def _turns(link: Link) -> None:
    await link.settled()
    for _ in range(5):
        await asyncio.sleep(0)
