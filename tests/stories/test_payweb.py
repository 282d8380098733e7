"""A driver without a contract: he scans a code, sees the price, pays by card in a browser, charges, gets a receipt."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from cms.client import AsyncClient
from cms.contract.charges import LinkCard
from cms.contract.drivers import AddDriver
from cms.contract.evses import SetEvse, ShowEvse, ShowQr
from cms.contract.payments import SetUpWebPayment, ShowWebPaymentCode
from cms.contract.sites import AddSite
from cms.contract.stations import AddStation
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.daemon import Daemon
from cms.simulator.cars import Car
from cms.simulator.evse import Evse
from cms.simulator.pace import Pace
from cms.simulator.station import Place, Station
from tests.fleet import client_of, ended, running
from tests.payweb.browser import Tab, browsing, installed
from tests.payweb.markup import Page
from tests.stories.test_apps import now, obeys
from tests.stories.test_organisations import connected, said

SECRET = "whsec_of_a_story"
VAT = (Tax("VAT", Decimal(19)),)
TARIFF = Tariff(
    "street",
    "EUR",
    energy=Component((Price(Decimal("0.40")),), VAT),
    fixed_fee=Component((Price(Decimal("1.00")),), VAT),
)
CARD = ("4242424242424242", "12", "30", "123", "10115")
DECLINED = ("4000000000000341", *CARD[1:])
ASKING_BANK = ("4000002760003184", *CARD[1:])


@pytest.fixture
async def stripe() -> AsyncIterator[str]:
    """localstripe; its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.localstripe", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
    yield f"http://127.0.0.1:{port}"
    process.kill()
    await process.wait()


@asynccontextmanager
async def selling(folder: Path, stripe: str) -> AsyncIterator[tuple[Daemon, AsyncClient, str]]:
    """A daemon that takes cards, with a site and a tariff; the address of its pay page."""
    (folder / "key").write_text("sk_test_story")
    (folder / "hook").write_text(SECRET)
    settings: dict[str, Any] = {
        "pay_port": 0,
        "pay_url": "http://pay.example",
        "stripe_key_file": folder / "key",
        "stripe_webhook_secret_file": folder / "hook",
        "stripe_publishable_key": "pk_test_story",
        "stripe_url": stripe,
    }
    async with running(folder, **settings) as daemon, client_of(daemon) as desk:
        assert daemon.pay_page is not None
        url = f"http://127.0.0.1:{daemon.pay_page.port}"
        async with httpx.AsyncClient() as http:
            hook = {"url": f"{url}/webhooks/stripe", "secret": SECRET}
            (await http.post(f"{stripe}/_config/webhooks/story", json=hook)).raise_for_status()
        await desk.ask(AddSite(site="garage", name="Old Town Garage", city="Ulm", operator="Volt GmbH"))
        await desk.ask(AddTariff(TARIFF))
        await desk.ask(UseTariff(TARIFF.id))
        yield daemon, desk, url


async def enrolled(desk: AsyncClient) -> str:
    password = (await desk.ask(AddStation("CP-1", site="garage"))).password
    await desk.ask(SetEvse(station="CP-1", evse=1, evse_id="DE*ABC*E1"))
    assert (await desk.ask(ShowQr("CP-1", 1))).text == "http://pay.example/e/DE*ABC*E1"
    assert password is not None
    return str(password)


async def ready(station: ClientConnection) -> None:
    await said(station, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    await stands(station, "Available")


async def stands(station: ClientConnection, status: str) -> None:
    """How its connector is."""
    told = {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": now()}
    await said(station, "StatusNotification", told)


async def type_card(tab: Tab, card: tuple[str, ...]) -> None:
    names = ("number", "exp_month", "exp_year", "cvc", "postal_code")
    for name, text in zip(names, card, strict=True):
        await tab.type(f"#card input[placeholder={name}]", text)


async def begins(station: ClientConnection) -> int:
    """The station is asked to start, and does; its transaction."""
    [order] = await obeys(station, "RemoteStartTransaction")
    begun = await said(
        station,
        "StartTransaction",
        {"connectorId": 1, "idTag": order["idTag"], "meterStart": 1000, "timestamp": now()},
    )
    assert begun["idTagInfo"]["status"] == "Accepted"
    await stands(station, "Charging")
    return int(begun["transactionId"])


async def meters(station: ClientConnection, transaction: int, wh: int) -> None:
    value = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    reading = {"timestamp": now(), "sampledValue": [value]}
    await said(
        station, "MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": [reading]}
    )


async def taken(stripe: str) -> list[tuple[str, int]]:
    """What the provider knows of payments, newest first: status, and what was taken in cents."""
    async with httpx.AsyncClient(headers={"Authorization": "Bearer sk_test_story"}) as http:
        listed = (await http.get(f"{stripe}/v1/payment_intents?expand[]=data.latest_charge")).json()["data"]
    return [(payment["status"], _captured(payment["latest_charge"])) for payment in listed]


def _captured(charge: dict[str, Any] | None) -> int:
    return charge["amount"] - charge["amount_refunded"] if charge and charge["captured"] else 0


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    command = installed()
    if command is None:
        pytest.skip("no Chromium is installed on this machine")
    async with browsing(command) as tab:
        yield tab
        assert tab.errors == []


async def pays(tab: Tab, url: str, card: tuple[str, ...]) -> None:
    """He scans the code, reads the price and gives a card."""
    await tab.go(f"{url}/e/DE*ABC*E1?lang=en")
    for said_ in ("Old Town Garage", "Free", "Reserved on your card: €50.00"):
        await tab.sees(said_)
    await type_card(tab, card)
    await tab.click("#start")


async def test_a_driver_pays_by_card_in_a_browser_charges_and_gets_a_receipt(
    tmp_path: Path, stripe: str, tab: Tab
) -> None:
    async with selling(tmp_path, stripe) as (daemon, desk, url):
        password = await enrolled(desk)
        async with connected(daemon, "/CP-1", password) as station:
            await ready(station)
            await pays(tab, url, CARD)
            transaction = await begins(station)
            await tab.sees("Charging")
            await meters(station, transaction, 6000)
            await tab.sees("5.00 kWh")
            await tab.sees("€3.57")  # (5 × 0.40 + 1.00) × 1.19
            # Whoever scans the code again on this phone finds his session.
            await tab.go(f"{url}/e/DE*ABC*E1?lang=en")
            await tab.sees("Occupied")
            await tab.click("#resume a")
            await asyncio.gather(tab.click("#end"), obeys(station, "RemoteStopTransaction"))
            over = {"transactionId": transaction, "meterStop": 11_000, "timestamp": now()}
            await said(station, "StopTransaction", over)
            await tab.sees("Paid")
            await tab.click("a[href*=receipt]")
            for line in ("Volt GmbH", "10.00 kWh", "VAT 19 %", "Charged to your card", "€5.95"):
                await tab.sees(line)
        assert await taken(stripe) == [("succeeded", 595)]


async def test_a_card_is_declined_a_bank_asks_a_driver_changes_his_mind_and_one_saves_a_card(
    tmp_path: Path, stripe: str, tab: Tab
) -> None:
    async with selling(tmp_path, stripe) as (daemon, desk, url):
        password = await enrolled(desk)
        async with connected(daemon, "/CP-1", password) as station:
            await ready(station)
            await pays(tab, url, DECLINED)
            await tab.sees("The payment was declined")
            await pays(tab, url, ASKING_BANK)
            await tab.sees("Confirm with your bank")
            await tab.click("#ask")
            await asyncio.gather(
                tab.press("Complete authentication"), obeys(station, "RemoteStartTransaction")
            )
            await tab.sees("Plug in now")
            await tab.click("#end")
            await tab.sees("Nothing was charged")
        await desk.ask(AddDriver("D-1", name="Ada"))
        link = await desk.ask(LinkCard("D-1"))
        await tab.go(link.url.replace("http://pay.example", url))
        await type_card(tab, CARD)
        await tab.click("#start")
        await tab.sees("Your card is saved")
        await tab.sees("4242")
        await tab.go(link.url.replace("http://pay.example", url))
        await tab.sees("Not found")
        tab.errors.remove("Failed to load resource: the server responded with a status of 404 (Not Found)")
        assert [amount for _, amount in await taken(stripe)] == [0, 0]


async def test_a_dynamic_code_of_a_2_1_station_leads_to_the_offer_and_is_paid(
    tmp_path: Path, stripe: str
) -> None:
    async with selling(tmp_path, stripe) as (daemon, desk, url):
        place = Place(daemon.endpoint.url, "CP-1", await enrolled(desk))
        # So strong that a moment of charging costs something.
        station = Station(place, "2.1", [Evse(1, 2_000_000)], Pace(50.0), Random(7))
        life = asyncio.create_task(station.run())
        try:
            await online(desk)
            await desk.ask(SetUpWebPayment(station="CP-1"))
            code = (await desk.ask(ShowWebPaymentCode("CP-1", 1))).url
            assert code is not None and code.startswith("http://pay.example/w/CP-1/1?totp=")
            async with httpx.AsyncClient(base_url=url, follow_redirects=True) as phone:
                offer = await phone.get(code.removeprefix("http://pay.example"))
                assert offer.url.path == "/e/CP-1*1" and station.evses[0].paying_until is not None
                form = {**Page(offer.text).fields, "method": await card(stripe)}
                begun = await phone.post(offer.url.path, data=form)
                station.plug_in(station.evses[0], Car(900_000, 0.1, 1.0, 2_000_000, 2_000_000))
                await stands_at(phone, begun.url.path, "charging")
                await phone.post(f"{begun.url.path}/stop")
                await stands_at(phone, begun.url.path, "paid")
                assert "Charged to your card" in (await phone.get(f"{begun.url.path}/receipt")).text
        finally:
            await ended(life)
        [(status, cents)] = await taken(stripe)
        assert status == "succeeded" and cents > 119


async def online(desk: AsyncClient) -> None:
    """The station has booted and said how its connector is."""
    async with asyncio.timeout(20):
        while (await desk.ask(ShowEvse("CP-1", 1))).status != "available":
            await asyncio.sleep(0.1)


async def card(stripe: str) -> str:
    """A card as the provider's JavaScript names it."""
    typed = dict(zip(("number", "exp_month", "exp_year", "cvc"), CARD, strict=False))
    async with httpx.AsyncClient() as http:
        told = {"key": "pk_test_story", "type": "card", "card": typed}
        return str((await http.post(f"{stripe}/v1/payment_methods", json=told)).json()["id"])


async def stands_at(phone: httpx.AsyncClient, page: str, status: str) -> None:
    """Look as the page's JavaScript does, until it stands so."""
    async with asyncio.timeout(20):
        while (await phone.get(f"{page}/live")).json()["status"] != status:
            await asyncio.sleep(0.1)
