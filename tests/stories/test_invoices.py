"""From registration to a paid invoice: sessions at a station, a billing run that is killed, documents, payment."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from facturx import get_xml_from_pdf, xml_check_xsd
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from cms.client import Address, AsyncClient
from cms.contract.drivers import AddDriver
from cms.contract.events import Event
from cms.contract.invoices import (
    ExportInvoice,
    ListInvoices,
    PayInvoice,
    RunBilling,
    SetSeller,
    ShowInvoice,
)
from cms.contract.ledger import ListAccounts
from cms.contract.refusals import Refusal
from cms.contract.stations import AddStation
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.contract.tokens import AddToken
from tests.fleet import serving

DRIVERS = [f"driver-{number:02d}" for number in range(12)]
SESSIONS = 2
SELLER = SetSeller(
    name="Volt GmbH", street="Am Markt 1", postcode="89073", city="Ulm", country="DE",
    vat_id="DE123456789", iban="DE89370400440532013000",
)  # fmt: skip
D = Decimal


def client(folder: Path) -> AsyncClient:
    return AsyncClient(Address(socket=str(folder / "cms.sock")))


async def said(station: ClientConnection, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    await station.send(json.dumps([2, action, action, payload]))
    answer: dict[str, Any] = json.loads(await station.recv())[2]
    return answer


async def prepared(desk: AsyncClient) -> str:
    """A seller, a price, drivers with cards, and a station; its password."""
    await desk.ask(SELLER)
    await desk.ask(AddTariff(Tariff("T1", "EUR", Component((Price(D("0.49")),), (Tax("VAT", D(19)),)))))
    await desk.ask(UseTariff("T1"))
    for name in DRIVERS:
        await desk.ask(AddDriver(name, name=name.title(), email=f"{name}@example.org", language="de"))
        await desk.ask(AddToken(f"CARD-{name}", driver=name))
    password: str = (await desk.ask(AddStation("CP-1"))).password
    return password


async def charged(url: str, password: str) -> None:
    """Everybody charges some times: 1.6 over a websocket."""
    credentials = base64.b64encode(f"CP-1:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    ocpp = [Subprotocol("ocpp1.6")]
    async with connect(f"{url}/CP-1", subprotocols=ocpp, additional_headers=headers, proxy=None) as station:
        await said(station, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        for number in range(SESSIONS):
            for index, name in enumerate(DRIVERS):
                at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
                start = {"connectorId": 1, "idTag": f"CARD-{name}", "meterStart": number, "timestamp": at}
                begun = await said(station, "StartTransaction", start)
                wh = 137 + 10 * index + 2 * number
                over = {"transactionId": begun["transactionId"], "meterStop": wh, "timestamp": at}
                await said(station, "StopTransaction", over)


async def killed_while_billing(folder: Path, process: Any, after: int, run: RunBilling) -> None:
    """Begin a run, and kill the daemon with -9 as soon as it has told of so many invoices."""
    async with client(folder) as desk, client(folder) as watcher:
        _, cursor = await watcher.ask_with_cursor(ListInvoices())
        billing = asyncio.create_task(desk.ask(run))
        with suppress(Refusal):
            async for told in watcher.follow(cursor):
                after -= isinstance(told, Event) and told.type == "invoice.made"
                if after == 0:
                    process.kill()
                    process.wait()
                    break
        with suppress(Refusal):
            await billing


async def test_a_run_that_is_killed_and_repeated_bills_everything_once(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    run = RunBilling(today.replace(day=1), today)
    with serving(tmp_path) as (process, status):
        async with client(tmp_path) as desk:
            password = await prepared(desk)
            await charged(status["ocpp_url"], password)
            told = await desk.ask(RunBilling(today.replace(day=1), today, dry_run=True))
            assert len(told.invoices) == len(DRIVERS) and not told.left_out
        await killed_while_billing(tmp_path, process, 2, run)
    with serving(tmp_path) as (process, _):
        await killed_while_billing(tmp_path, process, 3, run)
    with serving(tmp_path):
        async with client(tmp_path) as desk:
            await desk.ask(run)
            assert (await desk.ask(run)).invoices == ()
            made = await desk.ask(ListInvoices())
            whole = [await desk.ask(ShowInvoice(invoice.invoice)) for invoice in made]
            sources = [item.source for invoice in whole for item in invoice.items]
            assert len(set(sources)) == len(sources) == len(DRIVERS) * SESSIONS
            numbers = sorted(invoice.invoice for invoice in made)
            assert numbers == [f"{today:%Y}-{number:04d}" for number in range(1, len(DRIVERS) + 1)]
            assert sorted(invoice.driver or "" for invoice in made) == DRIVERS
            owed = {view.account: view.balance for view in await desk.ask(ListAccounts())}
            for invoice in made:
                assert owed[f"receivable/{invoice.driver}"].amount == invoice.payable == invoice.open
            await read_and_paid(desk, made[0].invoice)


async def read_and_paid(desk: AsyncClient, number: str) -> None:
    """Its documents are valid, and a payment settles it."""
    file = await desk.ask(ExportInvoice(number))
    assert file.name == f"{number}.pdf"
    name, within = await asyncio.to_thread(get_xml_from_pdf, base64.b64decode(file.content))
    assert name == "factur-x.xml"
    alone = base64.b64decode((await desk.ask(ExportInvoice(number, "xml"))).content)
    assert within == alone and xml_check_xsd(alone, flavor="factur-x", level="en16931")
    paid = await desk.ask(PayInvoice(number, "transfer 4711"))
    assert (paid.status, paid.open) == ("paid", D(0))
