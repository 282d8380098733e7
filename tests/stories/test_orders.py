"""Every order that we may give, asked for as clients ask, is understood by stations that are not ours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms.client import AsyncClient
from cms.contract.certificates import CreateAuthority
from cms.contract.intents import AwaitIntent, IntentView
from cms.contract.ocpp import CallStation
from cms.contract.payments import ShowWebPaymentCode
from cms.contract.sessions import ListSessions
from cms.contract.tariffs import AddTariff, Bound, Component, Price, Tariff, TariffText, Tax, UseTariff, When
from cms.contract.tokens import AddToken
from cms.ocpp.actions import said_to_stations
from cms.ocpp.dialect import DIALECTS
from tests.fleet import client_of, enrol, running
from tests.stories.exchanges import ARRIVALS, EXCHANGES, USUAL
from tests.stories.exchanges.rows import CARD, IND, Exchange, Known
from tests.stories.payloads import made
from tests.stories.peers import KINDS, Json, Peer

ACTIONS = {dialect.version: dialect.schemas.actions for dialect in DIALECTS.values()}


#: A tariff that says everything a tariff can say.
EVENING = When(
    from_time="18:00",
    to_time="06:00",
    days=("Monday",),
    from_date="2026-01-01",
    to_date="2027-01-01",
    evse_kind="AC",
    min_energy_wh=Decimal(1000),
    max_energy_wh=Decimal(50_000),
    min_current_a=Decimal(6),
    max_power_w=Decimal("11000.5"),
    min_time_s=60,
    max_charging_s=7200,
    min_idle_s=0,
)
TAXES = (Tax("vat", Decimal("19")), Tax("city", Decimal("2.5"), 1))
PAID = Component((Price(Decimal("0.35"), EVENING), Price(Decimal("0.5"))), TAXES)
ONCE = Component((Price(Decimal(1)),), TAXES)
FULL = Tariff(
    "full",
    "EUR",
    energy=PAID,
    charging_time=PAID,
    idle_time=PAID,
    fixed_fee=ONCE,
    reservation_time=Component((Price(Decimal("0.1")),), TAXES),
    reservation_fixed=ONCE,
    min_cost=Bound(Decimal(1)),
    max_cost=Bound(Decimal(100), Decimal(119)),
    texts=(TariffText("dear", "en"), TariffText("teuer", "de")),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
)


class Desk:
    """How the station answers, and what it was asked."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.row: Exchange | None = None
        self.heard: list[tuple[str, Json]] = []
        self._news = asyncio.Event()

    def answering(self, action: str, payload: Json) -> Json:
        self.heard.append((action, payload))
        self._news.set()
        if self.row is not None and self.row.action == action and self.row.answer is not None:
            return self.row.answer(payload)
        if action in USUAL:
            return USUAL[action](payload)
        values = {"date-time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        return made(self._version, action, response=True, values=values)

    async def order(self, action: str) -> Json:
        """The payload of this order, when it has come."""
        async with asyncio.timeout(10):
            while True:
                for heard, payload in self.heard:
                    if heard == action:
                        return payload
                self._news.clear()
                await self._news.wait()


@pytest.mark.parametrize("version", EXCHANGES)
def test_no_order_of_the_version_is_left_out(version: str) -> None:
    assert {row.action for row in EXCHANGES[version]} == said_to_stations(version, ACTIONS[version])


@pytest.mark.parametrize("version", EXCHANGES)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_order_is_understood_and_comes_to_its_end(
    kind: str, version: str, tmp_path: Path
) -> None:
    desk, known = Desk(version), Known(version)
    async with running(tmp_path, inventory_after_boot="off") as daemon, client_of(daemon) as client:
        passwords = await enrol(client, [IND], [])
        await _set_up(client)
        async with KINDS[kind](daemon.endpoint.url, passwords[IND], version, desk.answering) as station:
            for action, payload in (said for says in ARRIVALS[version] for said in says(known, {})):
                await station.say(action, payload)
            wrong = [
                f"{row.action}: {finding}"
                for row in EXCHANGES[version]
                if (finding := await _exchanged(client, station, desk, known, row))
            ]
        assert wrong == []
        assert station.wrong == []


@pytest.mark.parametrize("version", EXCHANGES)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_action_can_be_called_word_for_word(kind: str, version: str, tmp_path: Path) -> None:
    desk = Desk(version)
    # Another BootNotification must not be asked for.
    values = {
        "date-time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "requestedMessage": "Heartbeat",
    }
    async with running(tmp_path, inventory_after_boot="off") as daemon, client_of(daemon) as client:
        passwords = await enrol(client, [IND], [])
        async with KINDS[kind](daemon.endpoint.url, passwords[IND], version, desk.answering) as station:
            for says in ARRIVALS[version]:
                for action, payload in says(Known(version), {}):
                    await station.say(action, payload)
            for action in sorted(said_to_stations(version, ACTIONS[version])):
                for payload in (made(version, action, values=values, rich=rich) for rich in (False, True)):
                    called = CallStation(station=IND, action=action, payload=payload)
                    intent = await client.ask(called)
                    assert intent.status in ("accepted", "confirmed"), (action, intent.detail)
                    assert desk.heard[-1] == (action, payload)
        assert station.wrong == []


async def _set_up(client: AsyncClient) -> None:
    """What some orders are about: a token of a group, an authority that signs, sessions that are priced."""
    await client.ask(AddToken(CARD, group="fleet"))
    await client.ask(CreateAuthority())
    for name, amount in (("usual", "0.5"), ("other", "0.4")):
        energy = Component((Price(Decimal(amount)),))
        await client.ask(AddTariff(Tariff(name, "EUR", energy)))
    await client.ask(AddTariff(FULL))
    await client.ask(UseTariff("usual"))


async def _exchanged(
    client: AsyncClient, station: Peer, desk: Desk, known: Known, row: Exchange
) -> str | None:
    """What went wrong with this order, if anything."""
    desk.row = row
    desk.heard.clear()
    try:
        await _learn(client, known, row)
        intent = await client.ask(row.ask(known))
        for action, payload in row.then(known, desk.heard[-1][1]):
            await station.say(action, payload)
        heard = await desk.order(row.action)
        seen: IntentView = await client.ask(AwaitIntent(intent.id, wait_s=5))
    except Exception as wrong:  # a refusal of ours, or whatever the packages say
        return f"{type(wrong).__name__}: {wrong}"
    if not _fits(row.fields, heard):
        return f"heard {heard}, not {row.fields}"
    return None if seen.status == row.status else f"it is {seen.status}: {seen.detail}"


async def _learn(client: AsyncClient, known: Known, row: Exchange) -> None:
    if sessions := await client.ask(ListSessions(station=IND, active=True)):
        known.session = sessions[0].id
    if row.action == "NotifyWebPaymentStarted":
        known.code = (await client.ask(ShowWebPaymentCode(IND, 1))).totp


def _fits(wanted: Any, heard: Any) -> bool:
    """Whether everything wanted is there; ``...`` is whatever."""
    match wanted:
        case dict():
            return isinstance(heard, dict) and all(
                key in heard and _fits(value, heard[key]) for key, value in wanted.items()
            )
        case list():
            return len(wanted) <= len(heard) and all(map(_fits, wanted, heard))
    return wanted is ... or wanted == heard
