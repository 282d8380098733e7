"""T6: thousands of wrong passwords from one address refuse not one good station, from the same address either."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from cms.contract.stations import AddStation
from cms.core import Actor, Core
from cms.operations import stations
from tests.fleet import running
from tests.ocpp.test_endpoint import basic

ANA = Actor("ana", "admin", frozenset())
_GOOD, _WRONG = 40, 400


async def knock(url: str, identity: str, password: str) -> int:
    dialled = connect(
        f"{url}/{identity}",
        subprotocols=[Subprotocol("ocpp1.6")],
        proxy=None,
        additional_headers=basic(identity, password),
    )
    try:
        async with dialled:
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def enrolled(core: Core) -> dict[str, str]:
    fleet = {}
    for number in range(_GOOD):
        credential = await stations.add(core, AddStation(f"CP-{number}"), ANA)
        fleet[credential.id] = str(credential.password)
    return fleet


async def test_a_guesser_is_slowed_and_no_good_station_notices(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        url, fleet = daemon.endpoint.url, await enrolled(daemon.core)
        names = list(fleet)
        guesses = [knock(url, names[number % 3], f"guess-{number}") for number in range(_WRONG)]
        goods = [knock(url, name, password) for name, password in fleet.items()]
        told = await asyncio.gather(*guesses[:200], *goods, *guesses[200:])
        good = Counter(told[200 : 200 + _GOOD])
        wrong = Counter((*told[:200], *told[200 + _GOOD :]))
        assert good == {101: _GOOD}
        assert set(wrong) == {401, 429} and wrong[429] > wrong[401]
        # What a flood of refusals leaves in the record is bounded too.
        events = await daemon.core.store.events_after(None, 1000, type="station.refused")
        assert len(events) <= 120
