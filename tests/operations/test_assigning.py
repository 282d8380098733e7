"""Versions of tariffs, their use, and the ladder that says why a session has the one it has."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.drivers import AddDriver
from cms.contract.evses import SetEvse
from cms.contract.plans import AddPlan, Plan, SignUp
from cms.contract.prices import ResolveTariff
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.sites import AddSite
from cms.contract.stations import SetStation
from cms.contract.tariffs import (
    AddTariff,
    Component,
    DiffTariffs,
    ExportTariff,
    ListTariffs,
    ListTariffUses,
    ListTariffVersions,
    Price,
    ShowTariff,
    Tariff,
    UseTariff,
)
from cms.contract.tokens import AddToken
from cms.domain import assignment
from cms.domain.accounts import KIND
from cms.operations import assigning, drivers, evses, plans, sites, stations, subscriptions, tariffs, tokens
from tests.domain.build import NOON, after, start, stop
from tests.operations.small import ANA, Small

D = Decimal


def kwh(id: str, amount: str, **more: Any) -> Tariff:
    return Tariff(id, "EUR", energy=Component((Price(D(amount)),)), **more)


async def add(small: Small, tariff: Tariff, *, revise: bool = False) -> str:
    return (await tariffs.add(small.core, AddTariff(tariff, revise=revise), ANA)).id


async def use(small: Small, tariff: str | None, **where: Any) -> None:
    await assigning.use(small.core, UseTariff(tariff, **where), ANA)


async def begun(small: Small, station: str = "CP1", **how: Any) -> Any:
    """A session that begins now; its account."""
    await small.hear(station, start(at=small.clock.now(), **how), "1.6")
    [account] = small.core.lane(station).state.kept_of(KIND).values()
    return account


async def test_other_content_is_a_conflict_unless_it_is_a_revision(small: Small) -> None:
    await add(small, kwh("DAY", "0.40"))
    assert await add(small, kwh("DAY", "0.40")) == "DAY"
    with pytest.raises(Conflict) as refused:
        await add(small, kwh("DAY", "0.50"))
    assert "--revise" in (refused.value.hint or "")
    assert await add(small, kwh("DAY", "0.50"), revise=True) == "DAY.2"
    assert await add(small, kwh("DAY", "0.50"), revise=True) == "DAY.2"
    assert await add(small, kwh("DAY", "0.40"), revise=True) == "DAY.3"
    with pytest.raises(Conflict, match="is a version of DAY"):
        await add(small, kwh("DAY.2", "0.99"))


async def test_versions_say_what_they_changed_and_which_holds(small: Small) -> None:
    await add(small, kwh("DAY", "0.40"))
    small.clock.pass_(hours=1)
    await add(small, kwh("DAY", "0.50", valid_from=after(600)), revise=True)
    seen = await tariffs.versions(small.core, ListTariffVersions("DAY.2"), ANA)
    assert [(v.id, v.version, v.holds, v.changes) for v in seen] == [
        ("DAY", 1, True, ()),
        (
            "DAY.2",
            2,
            False,
            (f'valid-from: nothing -> "{after(600):%Y-%m-%dT%H:%M:%SZ}"', "energy: 0.40 -> 0.50"),
        ),
    ]
    [change] = [
        c for c in await tariffs.diff(small.core, DiffTariffs("DAY.2", "DAY.1"), ANA) if c.key == "energy"
    ]
    assert (change.before, change.after) == ("0.40", "0.50")
    [row] = await tariffs.list_(small.core, ListTariffs(), ANA)
    assert (row.id, row.tariff.id, row.versions, row.holds) == ("DAY", "DAY", 2, True)
    shown = await tariffs.show(small.core, ShowTariff("DAY.2"), ANA)
    assert (shown.id, shown.version, shown.holds, shown.valid_from) == ("DAY.2", 2, False, after(600))


async def test_a_session_has_the_version_of_its_start_and_keeps_it_to_its_end(small: Small) -> None:
    await add(small, kwh("DAY", "0.40"))
    await use(small, "DAY")
    small.clock.time = after(1)
    assert (await begun(small)).tariff == "DAY"
    await add(small, kwh("DAY", "0.80"), revise=True)
    [session] = small.core.lane("CP1").state.sessions.values()
    small.clock.time = after(60)
    await small.hear("CP1", stop(session.transaction_id, at=after(60)), "1.6")
    [cdr] = await small.core.store.accounting.revisions(session.id)
    assert (cdr.tariffs, cdr.gross) == (("DAY",), D("2.00"))
    small.clock.time = after(70)
    assert (await begun(small)).tariff == "DAY.2"


async def test_versions_and_uses_are_there_after_a_restart(small: Small) -> None:
    await add(small, kwh("DAY", "0.40"))
    await add(small, kwh("DAY", "0.80"), revise=True)
    await use(small, "DAY.1", group="staff", order=3)
    await small.restart()
    [row] = await tariffs.list_(small.core, ListTariffs(), ANA)
    assert row.versions == 2
    [used] = await assigning.list_(small.core, ListTariffUses(), ANA)
    assert (used.place, used.tariff, used.version, used.order) == ("group staff", "DAY.1", "DAY", 3)


async def test_every_rung_decides_where_the_ones_above_say_nothing(small: Small) -> None:
    core = small.core
    await sites.add(core, AddSite(site="North", time_zone="Europe/Berlin"), ANA)
    await stations.set_(core, SetStation("CP1", site="North"), ANA)
    await evses.set_(core, SetEvse(station="CP1", evse=1, connector=1, standard="ccs2"), ANA)
    await drivers.add(core, AddDriver("ben", groups=("staff",)), ANA)
    await tokens.add(core, AddToken("BENS", driver="ben"), ANA)
    rungs: list[dict[str, Any]] = [
        {},
        {"connector_type": "ccs2"},
        {"site": "north"},
        {"site": "north", "connector_type": "CCS"},
        {"station": "cp1"},
        {"station": "CP1", "connector_type": "IEC_62196_T2_COMBO"},
        {"station": "CP1", "evse": 1},
        {"group": "Staff"},
        {"token": "bens"},
    ]
    ask = ResolveTariff("CP1", 1, 1, token="BENS")
    for number, where in enumerate(rungs):
        name = f"T{number}"
        await add(small, kwh(name, "0.1"))
        await use(small, name, since=NOON - timedelta(hours=1), **where)
        found = await assigning.resolve(core, ask, ANA)
        assert found.tariff == name
        assert [rung.version for rung in found.ladder if rung.wins] == [name]
    assert [rung.rung for rung in found.ladder] == list(assignment.RUNGS)
    assert found.ladder[1].why == "no plan"
    assert found.ladder[-2].why == "gives way to the token above it"
    assert (await begun(small, token="BENS")).tariff == "T8"
    [row] = [row for row in await tariffs.list_(core, ListTariffs(), ANA) if row.id == "T5"]
    assert row.places == ("IEC_62196_T2_COMBO at station CP1",)


async def test_the_tariff_of_a_plan_holds_for_its_members_alone(small: Small) -> None:
    core = small.core
    await add(small, kwh("MEMBER", "0.3"))
    await drivers.add(core, AddDriver("ben"), ANA)
    await tokens.add(core, AddToken("BENS", driver="ben"), ANA)
    await plans.add(core, AddPlan(Plan("flat", "Flat", D(10), "EUR", D(19), tariff="MEMBER")), ANA)
    await subscriptions.sign_up(core, SignUp("ben", "flat"), ANA)
    found = await assigning.resolve(core, ResolveTariff("CP1", token="BENS"), ANA)
    assert (found.tariff, found.rung) == ("MEMBER", "plan")
    assert found.ladder[1].why == "wins: by the plan itself"
    assert found.ladder[3].why == "no EVSE was named"
    small.clock.time = after(60)
    assert (await begun(small, token="BENS")).tariff == "MEMBER"
    assert (await assigning.resolve(core, ResolveTariff("CP1"), ANA)).tariff is None


async def test_a_tariff_that_is_not_valid_yet_gives_way(small: Small) -> None:
    await add(small, kwh("ALL", "0.4"))
    await add(small, kwh("SOON", "0.2", valid_from=after(600)))
    await use(small, "ALL")
    await use(small, "SOON", station="CP1")
    found = await assigning.resolve(small.core, ResolveTariff("CP1"), ANA)
    assert (found.tariff, found.rung) == ("ALL", "default")
    assert "no version of SOON is valid then" in [rung.why for rung in found.ladder]
    later = await assigning.resolve(small.core, ResolveTariff("CP1", at=after(600)), ANA)
    assert (later.tariff, later.rung) == ("SOON", "station")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"station": "CP1", "token": "CARD1"}, "name one of"),
        ({"evse": 1}, "name that too"),
        ({"station": "CP1", "evse": 1, "connector_type": "ccs"}, "name it, or their type"),
        ({"group": "g", "connector_type": "ccs"}, "of a site, of a station, or of all"),
        ({"station": "CP1", "order": 1}, "only groups have an order"),
        ({"connector_type": "plug"}, "no connector standard"),
        ({"group": ""}, "1 to 64"),
    ],
)
async def test_a_place_that_makes_no_sense_is_refused(
    small: Small, where: dict[str, Any], words: str
) -> None:
    await add(small, kwh("T", "0.4"))
    with pytest.raises(Invalid, match=words):
        await use(small, "T", **where)


async def test_what_is_not_there_is_not_used(small: Small) -> None:
    await add(small, kwh("T", "0.4"))
    for where in ({"site": "Mars"}, {"plan": "gold"}, {"token": "GHOST"}, {"station": "CP9"}):
        with pytest.raises(NotFound):
            await use(small, "T", **where)
    with pytest.raises(NotFound):
        await use(small, "T.2")


async def test_a_file_is_registered_and_written_again(small: Small) -> None:
    text = "id: DAY\ncurrency: EUR\nvat: 19\nenergy: 0.40\n"
    assert (await tariffs.add(small.core, AddTariff(text=text), ANA)).id == "DAY"
    assert (await tariffs.export(small.core, ExportTariff("DAY"), ANA)).text == text
    await tariffs.add(small.core, AddTariff(text=text.replace("0.40", "0.50"), revise=True), ANA)
    assert (await tariffs.export(small.core, ExportTariff("DAY.2"), ANA)).id == "DAY.2"
    assert (await tariffs.export(small.core, ExportTariff("DAY"), ANA)).text == text.replace("0.40", "0.50")
    named = await tariffs.add(small.core, AddTariff(text=text, id="NIGHT"), ANA)
    assert named.tariff.id == "NIGHT"
    with pytest.raises(Conflict, match="no party"):
        await tariffs.export(small.core, ExportTariff("DAY", "ocpi-2.2.1"), ANA)
    with pytest.raises(Invalid, match="line 1: nothing in a tariff is called 'idd'"):
        await tariffs.add(small.core, AddTariff(text="idd: DAY"), ANA)
