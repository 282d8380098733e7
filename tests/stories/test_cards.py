"""The daemon is killed with -9 at every step of taking money from a card: nothing is taken twice, no session is lost.

A whole daemon, a simulated station, localstripe in a process of its own, and a line between them that holds a request
(before it arrives) or its answer (after the provider did it) until the daemon is dead. At the end the provider's books
and ours must say the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms.client import AsyncClient
from cms.contract.adhoc import BeginAdHoc, ShowAdHoc, ShowOffer, StopAdHoc
from cms.contract.charges import ListCharges, ShowCharge
from cms.contract.ledger import ListAccounts, VerifyLedger
from cms.contract.refusals import NotFound
from cms.contract.sessions import ListSessions
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.simulator.cars import Car
from cms.simulator.evse import Evse
from cms.simulator.station import Place, Station
from tests.fleet import CMS, ended, enrol
from tests.stories.test_crash import a_daemon, a_free_port
from tests.stripes import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET, Line, LocalStripe

TAX = (Tax("VAT", Decimal(19)),)
#: A second at 22 kW is 6 Wh: 0.60 EUR.
TARIFF = Tariff(
    "story",
    "EUR",
    energy=Component((Price(Decimal(100)),), TAX),
    fixed_fee=Component((Price(Decimal(1)),), TAX),
)
CREATE, CONFIRM, CAPTURE, BOOKS, CANCEL = (
    "POST .*/payment_intents$",
    "POST .*/confirm$",
    "POST .*/capture$",
    "GET .*/refunds$",
    "POST .*/cancel$",
)
EVERY = [(step, when) for step in (CREATE, CONFIRM, CAPTURE, BOOKS, CANCEL) for when in ("before", "after")]
SOME = [(CONFIRM, "after"), (CAPTURE, "before"), (CAPTURE, "after")]


@dataclass
class World:
    folder: Path
    port: int
    line: Line
    stripe: LocalStripe
    environ: dict[str, str]
    station: Station
    running: AsyncExitStack
    client: AsyncClient

    @property
    def evse(self) -> Evse:
        return self.station.evses[0]

    async def kill(self) -> None:
        """With -9."""
        await self.running.aclose()

    async def start(self) -> None:
        daemon = a_daemon(self.folder, self.port, (*CMS, "serve"), self.environ)
        self.client = await self.running.enter_async_context(daemon)
        await self.running.enter_async_context(self.client)

    async def payable(self) -> None:
        """Until the station has come and told of its EVSE."""
        async with asyncio.timeout(60):
            while True:
                with suppress(NotFound):
                    if (await self.client.ask(ShowOffer("CARD-1*1"))).payable:
                        return
                await asyncio.sleep(0.05)

    async def status(self, id: str, *wanted: str) -> Any:
        """Until the driver's page says one of these."""
        async with asyncio.timeout(90):
            while (view := await self.client.ask(ShowAdHoc(id))).status not in wanted:
                assert view.status not in ("declined", "failed"), view
                await asyncio.sleep(0.05)
        return view

    async def given_back(self, id: str) -> None:
        """Until the provider did it: the driver is told so as soon as it is certain."""
        async with asyncio.timeout(90):
            while (await self.client.ask(ShowCharge(id))).status != "canceled":
                await asyncio.sleep(0.05)


@asynccontextmanager
async def a_world(folder: Path, version: str) -> AsyncIterator[World]:
    stripe, port = await asyncio.to_thread(LocalStripe), a_free_port()
    for name, key in (("sk", SECRET_KEY), ("whsec", WEBHOOK_SECRET)):
        (folder / name).write_text(key)
    async with AsyncExitStack() as running, Line(stripe.url).open() as line:
        environ = {
            "CMS_STRIPE_URL": line.url,
            "CMS_STRIPE_KEY_FILE": str(folder / "sk"),
            "CMS_STRIPE_WEBHOOK_SECRET_FILE": str(folder / "whsec"),
            "CMS_STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        }
        daemon = a_daemon(folder, port, (*CMS, "serve"), environ)
        client = await running.enter_async_context(await running.enter_async_context(daemon))
        password = (await enrol(client, ["CARD-1"], []))["CARD-1"]
        await client.ask(AddTariff(TARIFF))
        await client.ask(UseTariff("story"))
        place = Place(f"ws://127.0.0.1:{port}/ocpp", "CARD-1", password)
        station = Station(place, version, [Evse(1, 22_000)], rng=random.Random(1), back_off_s=0.2)
        life = asyncio.create_task(station.run())
        try:
            yield World(folder, port, line, stripe, environ, station, running, client)
        finally:
            await ended(life)
            stripe.close()


async def killed_at(world: World, step: str, when: str, number: int) -> str:
    """One driver pays, charges and goes, and the daemon is killed on the way; the id of his session."""
    card, key = world.stripe.card(), f"driver-{number:04}"
    world.line.cut(step, when, held=True)
    gives_up = step == CANCEL
    await world.payable()
    if not gives_up:
        world.station.plug_in(world.evse, Car(80_000, 0.1, 1.0, 22_000, 150_000))
    driver = asyncio.create_task(drive(world, key, card, gives_up))
    async with asyncio.timeout(90):
        await world.line.reached.wait()
    await world.kill()
    world.line.let_go()  # nobody hears the answer, or nobody asked
    driver.cancel()
    await asyncio.gather(driver, return_exceptions=True)
    await world.start()
    return await drive(world, key, card, gives_up)


async def drive(world: World, key: str, card: str, gives_up: bool) -> str:
    """What a driver does, from wherever he is: his page asks again, and he goes when it says that he charges."""
    view = await world.client.ask(BeginAdHoc(place="CARD-1*1", method=card, key=key))
    id = str(view.id)
    if gives_up:
        await world.client.ask(StopAdHoc(id))
        await world.given_back(id)
        return id
    view = await world.status(id, "charging", "ended", "paid")
    if view.status == "charging":
        await asyncio.sleep(0.3)
        world.station.unplug(world.evse)
    await world.status(id, "paid")
    return id


async def story(folder: Path, version: str, points: Sequence[tuple[str, str]]) -> str:
    async with a_world(folder, version) as world:
        ids = [await killed_at(world, step, when, n) for n, (step, when) in enumerate(points)]
        return await agreed(world, world.client, ids)


async def agreed(world: World, client: AsyncClient, ids: Sequence[str]) -> str:
    """The provider's books, our charges, the sessions and the ledger say the same."""
    known = {charge.id: charge for charge in await client.ask(ListCharges())}
    assert sorted(known) == sorted(ids)
    taken = {id: world.stripe.taken(id) for id in ids}
    for id, charge in known.items():
        caught = [
            p for p in world.stripe.payments(id) if p["latest_charge"] and p["latest_charge"]["captured"]
        ]
        assert len(caught) <= 1, f"{id} was charged twice"
        assert int(charge.captured * 100) == taken[id]
        if charge.status == "captured":
            view = await client.ask(ShowAdHoc(id))
            assert view.bill is not None and view.bill.gross * 100 == taken[id] > 0
    sessions = await client.ask(ListSessions())
    # A session without energy costs nothing, and its driver gets back what was held (2.1 C20.FR.03).
    paid = {charge.session for charge in known.values() if charge.captured}
    # Where a driver gave up, the station waits for a car all the same: the next one's start is refused.
    good = [session for session in sessions if session.authorization == "accepted"]
    assert paid == {session.id for session in good if session.energy_wh}
    assert all(session.status == "ended" for session in sessions)
    accounts = {account.account: account for account in await client.ask(ListAccounts())}
    assert accounts["provider/stripe"].balance.amount * 100 == sum(taken.values())
    owing = [name for name, seen in accounts.items() if name.startswith("payment/") and seen.balance.amount]
    assert owing == []
    assert (await client.ask(VerifyLedger())).differences == ()
    return (
        f"{len(ids)} kills, {len(sessions)} sessions, {sum(taken.values()) / 100:.2f} EUR taken, none twice"
    )


@pytest.mark.timeout(240)
def test_nothing_is_taken_twice_and_no_session_lost_by_kills(tmp_path: Path) -> None:
    print(asyncio.run(story(tmp_path, "1.6", SOME)))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_nor_at_any_step_in_any_version(tmp_path: Path, version: str) -> None:
    print(asyncio.run(story(tmp_path, version, EVERY * 2)))
