"""A driver with a plan: registration, sign-up in the middle of a month, sessions, a change, the month's invoice."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from cms.client import AsyncClient
from cms.contract.apps import ShowDriverAccount
from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.cdrs import ListCdrs
from cms.contract.drivers import AddDriver
from cms.contract.invoices import ListInvoices, PayInvoice, RunBilling, SetSeller, ShowInvoice
from cms.contract.organisations import SetOrganisation
from cms.contract.plans import AddPlan, CancelPlan, ChangePlan, Plan, SignUp
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.contract.tokens import AddToken
from tests.fleet import client_of, enrol, running

D = Decimal
VAT = (Tax("VAT", D(19)),)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 1, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Place:
    """A daemon, its client, and a 1.6 station that says what it is told to."""

    def __init__(self, clock: Clock, client: AsyncClient, socket: ClientConnection) -> None:
        self.clock, self.client, self._socket = clock, client, socket
        self._number, self._meter_wh = 0, 10_000

    def on(self, day: int, hour: int = 8, month: int = 11) -> None:
        self.clock.time = datetime(2026, month, day, hour, tzinfo=UTC)

    async def says(self, action: str, **payload: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send(json.dumps([2, str(self._number), action, payload]))
        while True:
            kind, id, *rest = json.loads(await self._socket.recv())
            if kind == 2:  # what the daemon asks of a station that is new to it
                await self._socket.send(json.dumps([4, id, "NotSupported", "", {}]))
            elif id == str(self._number):
                assert kind == 3, rest
                answer: dict[str, Any] = rest[0]
                return answer

    async def charges(self, kwh: int, token: str = "CARD1") -> None:
        """A session of an hour that begins now."""
        began = await self.says(
            "StartTransaction", connectorId=1, idTag=token, meterStart=self._meter_wh, timestamp=self._now()
        )
        assert began["idTagInfo"]["status"] == "Accepted"
        self._meter_wh += kwh * 1000
        self.clock.time = self.clock.time.replace(hour=self.clock.time.hour + 1)
        await self.says(
            "StopTransaction",
            transactionId=began["transactionId"],
            meterStop=self._meter_wh,
            timestamp=self._now(),
        )

    def _now(self) -> str:
        return self.clock.time.isoformat().replace("+00:00", "Z")


@asynccontextmanager
async def a_place(folder: Path) -> AsyncIterator[Place]:
    """With prices, plans, a seller, and driver ada with a card."""
    clock = Clock()
    async with running(folder, clock) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["CP1"], [])
        await client.ask(SetOrganisation(organisation="main", name="Volt GmbH", time_zone="Europe/Berlin"))
        await client.ask(SetSeller(name="Volt GmbH", street="A 1", postcode="89073", city="Ulm", country="DE",
                                   vat_id="DE136695976", email="billing@volt.example",
                                   iban="DE75512108001245126199", locale="en_GB"))  # fmt: skip
        for id, price in (("public", "0.60"), ("member", "0.50")):
            await client.ask(AddTariff(Tariff(id, "EUR", energy=Component((Price(D(price)),), VAT))))
        await client.ask(UseTariff("public"))
        flat = Plan("flat", "Flat", D("30.00"), "EUR", D(19), 20_000, "member")
        more = Plan("more", "More", D("60.00"), "EUR", D(19), 50_000, "member")
        for plan in (flat, more):
            await client.ask(AddPlan(plan))
        await client.ask(
            AddDriver("ada", name="Ada Lovelace", street="B 2", postcode="1", city="Ulm", country="DE")
        )
        await client.ask(AddToken("CARD1", driver="ada"))
        basic = b64encode(f"CP1:{passwords['CP1']}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        url = f"{daemon.endpoint.url}/CP1"
        async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], additional_headers=headers) as socket:
            place = Place(clock, client, socket)
            await place.says("BootNotification", chargePointVendor="V", chargePointModel="M")
            yield place


def amounts(invoice: Any) -> dict[str, Decimal]:
    """What each line bills, without the ids of sessions."""
    found: dict[str, Decimal] = {}
    for item in invoice.items:
        kind = item.source.partition("/")[0] if item.source.startswith(("cdr", "included")) else item.source
        found[kind] = found.get(kind, D(0)) + item.gross
    return found


async def test_a_month_with_a_plan_from_registration_to_the_paid_invoice(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        ask = place.client.ask
        await place.charges(10)  # before the plan: 10 x 0.714 = 7.14
        place.on(16)
        await ask(SignUp("ada", "flat"))
        await place.charges(8)  # 8 x 0.595 = 4.76, included
        place.on(21)
        await ask(ChangePlan("ada", "more"))
        await place.charges(30)  # 17.85, partly included
        bills = await ask(ListCdrs())
        assert sorted(bill.gross for bill in bills) == [D("4.76"), D("7.14"), D("17.85")]

        place.on(1, month=12)
        dry = await ask(RunBilling(dry_run=True))
        assert await ask(ListInvoices()) == []
        ran = await ask(RunBilling())
        assert [one.payable for one in ran.invoices] == [one.payable for one in dry.invoices]
        [made] = ran.invoices
        invoice = await ask(ShowInvoice(made.invoice))
        # Flat from the 16th to the 20th: 30 x 5/30; More from the 21st: 60 x 10/30. Included: 20 x 5/30 kWh (3.333)
        # and 50 x 10/30 kWh (16.667), in all 20 kWh at 0.595.
        assert amounts(invoice) == {
            "cdr": D("29.75"),
            "fee/ada/flat/2026-11": D("5.00"),
            "fee/ada/more/2026-11": D("20.00"),
            "included": D("-11.90"),
        }
        assert invoice.payable == D("42.85")
        assert (await ask(RunBilling())).invoices == (), "nothing is billed twice"

        account = await ask(ShowDriverAccount("ada"))
        assert (account.plan, account.way) == ("more", None)
        assert [money.amount for money in account.open] == [D("42.85")]
        await ask(PayInvoice(made.invoice, "TRANSFER-1"))
        assert (await ask(ShowInvoice(made.invoice))).status == "paid"
        account = await ask(ShowDriverAccount("ada"))
        assert account.open == () and account.bills[0].total.amount == D("17.85")

        place.on(2, month=12)
        await place.charges(2)
        place.on(15, month=12)
        await ask(CancelPlan("ada", now=True, reason="sold the car"))
        place.clock.time = datetime(2027, 1, 1, 8, tzinfo=UTC)
        [last] = (await ask(RunBilling())).invoices
        # 60 x 15/31 = 29.03; the session is included.
        assert amounts(await ask(ShowInvoice(last.invoice))) == {
            "cdr": D("1.19"),
            "fee/ada/more/2026-12": D("29.03"),
            "included": D("-1.19"),
        }


async def test_who_charges_free_has_bills_and_owes_nothing(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        ask = place.client.ask
        await ask(SetBillingProfile("ada", way="free"))
        await place.charges(10)
        [bill] = await ask(ListCdrs())
        assert (bill.gross, bill.way) == (D("7.14"), "free")
        account = await ask(ShowDriverAccount("ada"))
        assert (account.way, account.open) == ("free", ())
        place.on(1, month=12)
        assert (await ask(RunBilling())).invoices == ()
