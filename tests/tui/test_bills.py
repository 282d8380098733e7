"""The books of bills, and of sessions without a price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cms.contract.cdrs import CdrView, ListCdrs, ListUnpriced, ReleaseCdr, RerateSessions, UnpricedView
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated

HELD = CdrView(
    id="S1.1",
    session="S1",
    revision=1,
    status="held",
    station="CP-0018",
    evse=1,
    evse_id=None,
    site=None,
    token="CARD1",
    driver="ada",
    way="invoice",
    account="receivable/ada",
    started_at=NOON,
    ended_at=NOON + timedelta(hours=1),
    energy_wh=5000,
    charging_s=3600,
    idle_s=0,
    currency="EUR",
    net=Decimal("2.50"),
    vat=Decimal("0.48"),
    gross=Decimal("2.98"),
    kind="normal",
    source="central",
    signature="invalid",
    tariffs=("T1",),
    holds=("signature-invalid",),
    remarks=(),
    psp_ref=None,
    rated_at=NOON,
    reason="the session ended",
)
UNPRICED = UnpricedView("S2", "CP-0018", 1, "CARD1", NOON, NOON, 1234, "there is no tariff")


def with_bills() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListCdrs] = [HELD]
    daemon.shelf[ListUnpriced] = [UNPRICED]
    daemon.shelf[RerateSessions] = []
    daemon.shown[ReleaseCdr] = None
    return daemon


async def test_a_held_bill_says_why_and_is_released_with_a_reason() -> None:
    daemon = with_bills()
    async with seated(daemon, size=(160, 48)) as seat:
        seat.app.travel.open_book("bills", None)
        await seat.sees("S1", "held", "signature-invalid", "2.98")
        await seat.press("R")
        await seat.sees("why:")
        await seat.type("the meter was changed")
        await seat.press("enter")
        await seat.sees("cms bills release S1 --reason 'the meter was changed'")
        await seat.press("y")
        await seat.until(lambda: ReleaseCdr("S1", "the meter was changed") in daemon.asked)


async def test_a_session_without_a_price_is_rated_from_its_book() -> None:
    daemon = with_bills()
    async with seated(daemon) as seat:
        seat.app.travel.open_book("unpriced", None)
        await seat.sees("S2", "1.23", "there is no tariff")
        await seat.press("T")
        await seat.type("forgotten")
        await seat.press("enter")
        await seat.sees("cms bills rerate S2 --reason forgotten")
        await seat.press("y")
        await seat.until(lambda: RerateSessions("forgotten", ("S2",)) in daemon.asked)
