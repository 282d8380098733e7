"""Screen 4: drivers with where they charge and what they owe, their groups; tokens beside them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from cms.contract.drivers import DriverView, ListDrivers
from cms.contract.ledger import AccountView, ListAccounts
from cms.contract.refusals import Denied
from cms.contract.support import ShowSupportCard
from cms.contract.tariffs import Money
from tests.tui.fake import NOON, FakeDaemon
from tests.tui.seat import seated
from tests.tui.test_session import with_card
from tui.screens.drivers import NO_GROUP, Group, groups_of


def driver(id: str, *tokens: str, **news: object) -> DriverView:
    base = DriverView(
        id, "active", id.title(), None, None, None, None, None, None, False, (), None, tokens, NOON
    )
    return replace(base, **news)  # type: ignore[arg-type]


def people() -> FakeDaemon:
    daemon = with_card()
    daemon.shelf[ListDrivers] = [
        driver("anna", "04A2BC9F", groups=("staff", "night")),
        driver("ben", "04B7D011AA22", groups=("staff",), status="suspended", status_reason="debt"),
        driver("cleo"),
    ]
    owed = Money(Decimal("41.20"), "EUR")
    daemon.shelf[ListAccounts] = [AccountView("receivable/ben", owed, "debit")]
    return daemon


def test_groups_count_their_drivers_and_those_in_none_stand_last() -> None:
    drivers = people().shelf[ListDrivers]
    assert groups_of(drivers) == [
        Group("night", 1, 1, 1),
        Group("staff", 2, 1, 2),
        Group(NO_GROUP, 1, 1, 0),
    ]


async def test_drivers_show_where_they_charge_why_not_and_what_they_owe() -> None:
    daemon = people()
    async with seated(daemon) as seat:
        await seat.press("4")
        await seat.sees("[Drivers]", "anna", "CP-0018/1 43.1kW +2", "suspended (debt)", "41.20", "no token")
        daemon.meter("88140", 12_000, 55_300)
        await seat.sees("CP-0042/1 55.3kW")
        await seat.press("slash")
        await seat.type("04b7")
        await seat.press("enter")
        await seat.loses("cleo")
        await seat.press("escape", "g", "enter")
        await seat.sees("Support card ▸ anna")
        assert any(isinstance(request, ShowSupportCard) for request in daemon.asked)
        await seat.press("escape", "right")
        await seat.sees("[Tokens]", "Refused lately")
        await seat.press("right")
        await seat.sees("[Groups]", "May charge", "staff")
        await seat.press("enter")
        await seat.sees("[Drivers]", "/ groups=")


async def test_whoever_may_not_see_accounts_sees_drivers_without_them() -> None:
    daemon = people()
    daemon.refusing[ListAccounts] = Denied("it takes billing.read")
    async with seated(daemon, size=(44, 20)) as seat:
        await seat.press("4")
        await seat.sees("anna", "ben")
        assert "billing.read" not in seat.text
