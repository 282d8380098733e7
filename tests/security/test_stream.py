"""Text in events cannot break the stream that carries them."""

from __future__ import annotations

import asyncio

import pytest

from cms.client import AsyncClient
from tests.api.conftest import address, api, client, folder, house, metrics
from tests.api.small import House
from tests.security.strings import HOSTILE

__all__ = ["address", "api", "client", "folder", "house", "metrics"]


async def test_hostile_text_travels_whole_and_the_next_event_too(client: AsyncClient, house: House) -> None:
    for text in HOSTILE:
        house.happen("station.booted", station=text, data={"vendor": text, text: text})
    heard = []
    async with asyncio.timeout(10):
        async for item in client.follow("0"):
            heard.append(item)
            if len(heard) == len(HOSTILE):
                break
    assert [event.data["vendor"] for event in heard] == list(HOSTILE)
    assert [event.station for event in heard] == list(HOSTILE)


@pytest.mark.parametrize("broken", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
async def test_what_other_languages_call_a_line_end_is_none(
    client: AsyncClient, house: House, broken: str
) -> None:
    house.happen("station.booted", data={"vendor": f"AB{broken}B"})
    async for item in client.follow("0"):
        assert item.data["vendor"] == f"AB{broken}B"
        break
