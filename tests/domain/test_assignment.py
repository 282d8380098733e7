"""Which tariff holds where, for whom, and which version of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest

from cms.contract.tariffs import Component, Price, Tariff
from cms.domain import assignment
from cms.domain.assignment import Asked
from cms.domain.tariffs import DEFAULT, Registered, Use, station_key, token_key

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CCS = "IEC_62196_T2_COMBO"
ALL = Asked("CP1", "North", 2, CCS, "CARD1", ("staff",), "flat")
#: The rungs from the most particular, with the key that each is kept under.
LADDER = {
    "token": token_key("card1"),
    "plan": assignment.plan_key("Flat"),
    "group": assignment.group_key("Staff"),
    "evse": assignment.evse_key("cp1", 2),
    "station-type": assignment.type_key(CCS, station_key("cp1")),
    "station": station_key("cp1"),
    "site-type": assignment.type_key(CCS, assignment.site_key("north")),
    "site": assignment.site_key("north"),
    "type": assignment.type_key(CCS),
    "default": DEFAULT,
}


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def entry(
    id: str,
    family: str = "",
    version: int = 1,
    added: datetime = NOON,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Registered:
    tariff = Tariff(id, "EUR", energy=Component((Price(Decimal("0.5")),)), valid_from=begins, valid_to=ends)
    return Registered(tariff, added, family, version)


def register(*entries: Registered) -> dict[str, Registered]:
    return {entry.tariff.id: entry for entry in entries}


def always(tariff: str) -> Use:
    return Use().changed(tariff, hours(-1000))


def test_the_ladder_has_a_rung_for_every_way_to_assign() -> None:
    assert [name for name, _ in assignment.keys(ALL, {})] == list(assignment.RUNGS) == list(LADDER)
    assert [key for _, key in assignment.keys(ALL, {})] == list(LADDER.values())


@pytest.mark.parametrize(("upper", "lower"), list(combinations(LADDER, 2)))
def test_the_more_particular_of_two_rungs_wins(upper: str, lower: str) -> None:
    known = register(entry("UP"), entry("LOW"))
    uses = {LADDER[upper]: always("UP"), LADDER[lower]: always("LOW")}
    found = assignment.resolve(uses, known, ALL, NOON)
    assert found is not None
    assert (found.name, found.version) == (upper, "UP")


def test_nothing_holds_where_nothing_is_assigned() -> None:
    assert assignment.resolve({}, {}, ALL, NOON) is None
    assert assignment.resolve({DEFAULT: always("A")}, register(entry("A")), Asked(), NOON) is not None


def test_of_several_groups_the_lowest_order_wins_then_the_first_by_name() -> None:
    asked = Asked(groups=("fleet", "staff", "guests"))
    known = register(entry("F"), entry("S"), entry("G"))
    uses = {
        assignment.group_key("fleet"): Use(always("F").steps, order=5),
        assignment.group_key("staff"): Use(always("S").steps, order=1),
        assignment.group_key("guests"): Use(always("G").steps, order=1),
    }
    found = assignment.resolve(uses, known, asked, NOON)
    assert found is not None
    assert found.version == "G"


def test_what_a_plan_names_itself_holds_unless_something_is_assigned_to_it() -> None:
    known = register(entry("OWN"), entry("SAID"))
    asked = Asked(plan="flat", plan_tariff="OWN")
    found = assignment.resolve({}, known, asked, NOON)
    assert found is not None
    assert (found.name, found.version) == ("plan", "OWN")
    found = assignment.resolve({assignment.plan_key("flat"): always("SAID")}, known, asked, NOON)
    assert found is not None
    assert found.version == "SAID"


def test_a_later_version_holds_from_its_registration_on_or_when_it_says() -> None:
    known = register(
        entry("A"),
        entry("A.2", "A", 2, added=hours(2)),
        entry("A.3", "A", 3, added=hours(3), begins=hours(10)),
    )
    held = [assignment.version_at(known, "A", hours(h)) for h in (-9, 1.99, 2, 9.99, 10)]
    assert held == ["A", "A", "A.2", "A.2", "A.3"]


def test_a_planned_version_holds_though_another_was_registered_after_it() -> None:
    known = register(
        entry("A"),
        entry("A.2", "A", 2, added=hours(1), begins=hours(10)),
        entry("A.3", "A", 3, added=hours(2)),
    )
    assert [assignment.version_at(known, "A", hours(h)) for h in (3, 10)] == ["A.3", "A.2"]


def test_after_its_end_a_version_gives_way_to_the_one_before_and_a_tariff_to_the_next_rung() -> None:
    known = register(
        entry("A"),
        entry("A.2", "A", 2, added=hours(1), begins=hours(1), ends=hours(5)),
        entry("B", begins=hours(2), ends=hours(3)),
    )
    assert [assignment.version_at(known, "A", hours(h)) for h in (0, 1, 5)] == ["A", "A.2", "A"]
    uses = {station_key("CP1"): always("B"), DEFAULT: always("A")}
    won = [assignment.resolve(uses, known, Asked("CP1"), hours(h)) for h in (1, 2, 3)]
    assert [rung and rung.name for rung in won] == ["default", "station", "default"]


def test_a_pinned_version_holds_whatever_comes_after_it() -> None:
    known = register(entry("A"), entry("A.2", "A", 2, added=hours(1)), entry("A.3", "A", 3, added=hours(2)))
    assert assignment.version_at(known, "A.2", hours(9)) == "A.2"
    assert assignment.version_at(known, "A.1", hours(9)) == "A"
    assert assignment.version_at(known, "A.9", hours(9)) is None


def test_an_old_tariff_whose_id_looks_like_a_version_is_none() -> None:
    known = register(entry("A"), entry("A.2"), entry("A.3", "A", 3, added=hours(1)))
    assert [found.tariff.id for found in assignment.versions(known, "A")] == ["A", "A.3"]
    assert assignment.version_at(known, "A.2", NOON) == "A.2"


def test_a_use_may_be_said_beforehand_and_taken_back() -> None:
    known = register(entry("ALL"), entry("HERE"), entry("MINE"))
    uses = {
        DEFAULT: Use().changed("ALL", NOON),
        station_key("CP1"): Use().changed("HERE", NOON).changed(None, hours(1)),
        token_key("CARD1"): Use().changed("MINE", hours(2)),
    }
    asked = Asked(station="cp1", token="card1")
    won = [assignment.resolve(uses, known, asked, hours(h)) for h in (0, 1, 2)]
    assert [rung and rung.version for rung in won] == ["HERE", "ALL", "MINE"]
    assert assignment.personal(uses, known, asked, NOON) is None
    assert assignment.personal(uses, known, asked, hours(2)) == "MINE"
