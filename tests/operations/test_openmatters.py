"""What of money is open: each register tells its part, and names the command that shows it."""

from __future__ import annotations

import shlex
from decimal import Decimal

from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.cdrs import DisputeCdr
from cms.contract.drivers import AddDriver, CloseDriver
from cms.contract.openmatters import ListOpenMatters, OpenMatter
from cms.contract.plans import AddPlan, Plan, SignUp
from cms.contract.tariffs import AddTariff, Component, Money, Price, Tariff, UseTariff
from cms.contract.tokens import AddToken
from cms.operations import billingprofiles, cdrs, drivers, openmatters, plans, subscriptions, tariffs, tokens
from tests.domain.build import NOON, after, start, stop
from tests.operations.small import ANA, Small
from tests.security.commands import tree

D = Decimal


async def told(small: Small) -> dict[str, OpenMatter]:
    return {one.matter: one for one in await openmatters.list_(small.core, ListOpenMatters(), ANA)}


async def charged(small: Small, token: str) -> str:
    small.clock.time = after(70)
    answer = await small.hear("CP1", start(token=token), "1.6")
    [session] = small.core.lane("CP1").state.sessions
    await small.hear("CP1", stop(answer.transaction_id, at=after(60)), "1.6")
    return str(session)


async def test_what_is_open_is_counted_and_what_is_not_is_ticked_off(small: Small) -> None:
    core = small.core
    await charged(small, "CARD1")  # before there was any price
    await tariffs.add(core, AddTariff(Tariff("T1", "EUR", energy=Component((Price(D("0.50")),)))), ANA)
    await tariffs.use(core, UseTariff("T1", since=NOON), ANA)
    await drivers.add(core, AddDriver("ada"), ANA)
    for card in ("CARD8", "CARD9"):
        await tokens.add(core, AddToken(card, driver="ada"), ANA)
    await billingprofiles.set_(core, SetBillingProfile("ada", way="card"), ANA)
    await charged(small, "CARD8")
    await cdrs.dispute(core, DisputeCdr(await charged(small, "CARD9"), "was not there"), ANA)

    open_ = await told(small)
    assert (open_["unbilled"].count, open_["unbilled"].amount) == (1, Money(D("2.50"), "EUR"))
    assert (open_["disputed"].count, open_["disputed"].amount) == (1, Money(D("2.50"), "EUR"))
    assert (open_["unpriced"].count, open_["no-card"].count, open_["seller"].count) == (1, 1, 1)
    assert (open_["overdue"].count, open_["charges"].count, open_["overdrawn"].count) == (0, 0, 0)
    assert [one.waits_for for one in open_.values() if one.count] == ["a person"] * 4 + ["a run"]


async def test_every_matter_names_a_command_that_there_is(small: Small) -> None:
    for matter in (await told(small)).values():
        cms, *words = shlex.split(matter.command)
        verbs = [word for word in words if not word.startswith("-")]
        assert cms == "cms"
        assert any(" ".join(verbs[:count]) in tree() for count in (2, 3)), matter.command


async def test_a_plan_that_outlives_its_driver_is_told(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    await plans.add(small.core, AddPlan(Plan("flat", "Flat", D(30), "EUR")), ANA)
    await subscriptions.sign_up(small.core, SignUp("ada", "flat"), ANA)
    assert (await told(small))["closed"].count == 0
    await drivers.close(small.core, CloseDriver("ada"), ANA)
    assert (await told(small))["closed"].count == 1
