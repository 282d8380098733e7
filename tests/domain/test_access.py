from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.access import DAYS, Budget, Hours, Rule, Where
from cms.contract.refusals import Invalid
from cms.domain.access import Facts, Rules, judge, within
from cms.domain.access_rules import check, says

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NIGHT = Hours(from_time="22:00", to_time="06:00")
WORK = Hours(("mon", "tue", "wed", "thu", "fri"), "07:00", "19:00")
HERE = Facts("card", "ana", ("staff",), "cp1", "garage", 2, ("iec_62196_t2",))


def rule(effect: str, kind: str = "everyone", subject: str = "", id: str = "", **more: Any) -> Rule:
    return Rule(id or f"{effect}-{kind}", effect, kind, subject, **more)


def ruled(*rules: Rule, facts: Facts = HERE, at: datetime = MONDAY, used_up: str | None = None) -> Any:
    return judge(facts, Rules(rules).of(facts), lambda rule, facts, at: used_up, at)


def test_without_a_rule_a_token_may_charge() -> None:
    judged = ruled()
    assert (judged.status, judged.rule, judged.steps) == ("accepted", None, ())


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        (Where(sites=("Garage",)), True),
        (Where(sites=("other",)), False),
        (Where(stations=("CP1",)), True),
        (Where(stations=("CP2",)), False),
        (Where(evses=("CP1:2",)), True),
        (Where(evses=("CP1:1",)), False),
        (Where(evses=("CP2:2",)), False),
        (Where(sites=("other",), stations=("CP1",)), True),
        (Where(connector_types=("IEC_62196_T2",)), True),
        (Where(connector_types=("CHADEMO",)), False),
        (Where(sites=("garage",), connector_types=("CHADEMO",)), False),
    ],
)
def test_a_place_is_one_of_the_places_and_has_one_of_the_outlets(where: Where, holds: bool) -> None:
    assert ruled(rule("deny", where=where)).accepted is not holds
    assert ruled(rule("only", where=where)).accepted is holds


def test_what_is_not_known_fits_no_outlet() -> None:
    facts = Facts("card", station="cp1", evse=1)
    assert not ruled(rule("only", where=Where(connector_types=("CHADEMO",))), facts=facts).accepted


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (rule("deny"), "blocked"),
        (rule("deny", where=Where(stations=("CP1",))), "not-at-this-location"),
        (rule("deny", where=Where(evses=("CP1:2",))), "not-allowed-type-evse"),
        (rule("deny", hours=WORK), "not-at-this-time"),
        (rule("only", where=Where(stations=("CP2",))), "not-at-this-location"),
        (rule("only", where=Where(evses=("CP1:1",))), "not-allowed-type-evse"),
        (rule("only", where=Where(connector_types=("CHADEMO",))), "not-allowed-type-evse"),
        (rule("only", hours=NIGHT), "not-at-this-time"),
    ],
)
def test_a_refusal_says_what_would_make_the_difference(one: Rule, status: str) -> None:
    assert ruled(one).status == status


@pytest.mark.parametrize(
    ("rules", "decides"),
    [
        # The narrower subject.
        ((rule("deny"), rule("allow", "group", "staff")), "allow-group"),
        ((rule("deny", "group", "staff"), rule("allow", "driver", "ana")), "allow-driver"),
        ((rule("allow", "driver", "ana"), rule("deny", "token", "CARD")), "deny-token"),
        # The narrower place.
        ((rule("deny", id="a"), rule("allow", id="b", where=Where(sites=("garage",)))), "b"),
        (
            (
                rule("deny", id="a", where=Where(sites=("garage",))),
                rule("allow", id="b", where=Where(stations=("cp1",))),
            ),
            "b",
        ),
        (
            (
                rule("allow", id="a", where=Where(stations=("cp1",))),
                rule("deny", id="b", where=Where(evses=("cp1:2",))),
            ),
            "b",
        ),
        # What holds at certain hours, then deny.
        ((rule("deny", id="a"), rule("allow", id="b", hours=WORK)), "b"),
        ((rule("allow", id="a"), rule("deny", id="b")), "b"),
        # A priority precedes everything.
        ((rule("deny", "token", "card"), rule("allow", id="b", priority=1)), "b"),
    ],
)
def test_the_first_in_order_decides(rules: tuple[Rule, ...], decides: str) -> None:
    for order in (rules, rules[::-1]):
        judged = ruled(*order)
        assert judged.rule is not None and judged.rule.id == decides
        assert [step.outcome for step in judged.steps] == ["decides", "not-asked"]


def test_where_an_only_rule_holds_others_go_on_deciding() -> None:
    only = rule("only", "token", "card", where=Where(sites=("garage",)))
    assert ruled(only).accepted
    judged = ruled(only, rule("deny", "group", "staff", hours=WORK))
    assert (judged.status, judged.rule.id) == ("not-at-this-time", "deny-group")


def test_an_allowed_token_is_exempt_from_what_others_only_may() -> None:
    judged = ruled(rule("only", "group", "staff", hours=NIGHT), rule("allow", "token", "card"))
    assert judged.accepted


def test_rules_about_others_are_not_asked() -> None:
    others = (rule("deny", "token", "other"), rule("deny", "group", "guests"), rule("deny", "driver", "bob"))
    assert ruled(*others).steps == ()


def test_a_budget_holds_whatever_is_allowed() -> None:
    budget = rule("budget", "token", "card", budget=Budget("day", energy_wh=1))
    allow = rule("allow", "token", "card", id="a", priority=9)
    judged = ruled(budget, allow, used_up="the budget of 0.001 kWh a day is used up")
    assert (judged.status, judged.rule.id) == ("no-credit", "budget-token")
    assert [step.outcome for step in judged.steps] == ["decides", "used-up"]
    assert ruled(budget, allow).accepted


def test_a_no_of_other_rules_stays_the_answer() -> None:
    budget = rule("budget", "token", "card", budget=Budget("day", energy_wh=1))
    judged = ruled(budget, rule("deny", "token", "card"), used_up="used up")
    assert judged.status == "blocked"


@pytest.mark.parametrize(
    ("here", "holds"),
    [
        ("2026-11-23T07:00", True),  # a Monday
        ("2026-11-23T06:59", False),
        ("2026-11-23T19:00", False),
        ("2026-11-22T12:00", False),  # a Sunday
    ],
)
def test_days_and_hours_are_met_from_their_first_minute_to_before_their_last(here: str, holds: bool) -> None:
    assert within(WORK, datetime.fromisoformat(here)) is holds


@pytest.mark.parametrize(
    ("here", "holds"),
    [
        ("2026-11-27T22:00", True),  # Friday evening
        ("2026-11-28T05:59", True),  # still Friday's night
        ("2026-11-28T06:00", False),
        ("2026-11-28T23:00", False),  # Saturday's night is another
        ("2026-11-27T05:00", False),  # and so is Thursday's
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(here: str, holds: bool) -> None:
    friday = Hours(("fri",), "22:00", "06:00")
    assert within(friday, datetime.fromisoformat(here)) is holds


def test_hours_are_meant_by_the_clock_on_the_wall_also_when_it_changes() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    two = Hours(from_time="02:00", to_time="03:00")
    # 2026-10-25: 03:00 becomes 02:00, so the hour is there twice; 2026-03-29: 02:00 becomes 03:00, it is skipped.
    autumn = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]
    assert [within(two, at.astimezone(berlin)) for at in autumn] == [True, True]
    spring = [datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(minutes=m) for m in range(0, 120, 10)]
    assert not any(within(two, at.astimezone(berlin)) for at in spring)


def test_the_same_instant_is_another_hour_at_another_site() -> None:
    at = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    only = rule("only", hours=WORK)
    for zone, holds in (("Europe/Berlin", True), ("UTC", False), ("America/New_York", False)):
        facts = Facts("card", station="cp1", time_zone=zone)
        assert ruled(only, facts=facts, at=at).accepted is holds
    own = rule("only", hours=WORK, time_zone="Europe/Berlin")
    assert ruled(own, facts=Facts("card", time_zone="UTC"), at=at).accepted


CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"]
)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(CLOCKS, CLOCKS, st.sets(st.sampled_from(DAYS)), ZONES, INSTANTS)
def test_hours_and_the_hours_between_them_share_every_instant(
    one: str, other: str, days: set[str], zone: str, at: datetime
) -> None:
    """What is not within from-to on any day is within to-from; days alone decide which of a night's halves count."""
    if one == other:
        return
    here = at.astimezone(ZoneInfo(zone))
    assert within(Hours((), one, other), here) is not within(Hours((), other, one), here)
    if within(Hours(tuple(days), one, other), here) and days:
        start = here if here.strftime("%H:%M") >= one or one < other else here - timedelta(days=1)
        assert DAYS[start.weekday()] in days


@given(st.permutations(range(6)), INSTANTS)
def test_the_order_in_which_rules_were_made_does_not_matter(order: list[int], at: datetime) -> None:
    known = [
        rule("deny", hours=NIGHT),
        rule("allow", "group", "staff", hours=WORK),
        rule("only", "group", "staff", where=Where(sites=("garage",))),
        rule("deny", "driver", "ana", hours=Hours(("sun",)), priority=-1),
        rule("allow", "token", "card", where=Where(evses=("cp1:2",)), hours=Hours(to_time="03:00")),
        rule("budget", "everyone", budget=Budget("day", sessions=1)),
    ]
    assert ruled(*(known[n] for n in order), at=at) == ruled(*known, at=at)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (rule("forbid"), "effect must be one of"),
        (rule("deny", "token"), "names its token"),
        (rule("deny", "everyone", "x"), "names nobody"),
        (rule("deny", "car", "x"), "subject must be one of"),
        (rule("only"), "only where, or only when"),
        (rule("deny", id="a b"), "a rule's id"),
        (rule("deny", hours=Hours(from_time="7")), "no time of day"),
        (rule("deny", hours=Hours(("monday",))), "day must be one of"),
        (rule("deny", hours=Hours(from_time="07:00", to_time="07:00")), "no time at all"),
        (rule("deny", time_zone="Mars/Base"), "no time zone"),
        (rule("deny", time_zone="../../etc/passwd"), "no time zone"),
        (rule("deny", where=Where(evses=("CP1",))), "is no EVSE"),
        (rule("deny", where=Where(sites=("a\nb",))), "printable"),
        (rule("budget"), "a budget says how much"),
        (rule("deny", budget=Budget("day", sessions=1)), "a budget says how much"),
        (rule("budget", budget=Budget("day")), "kWh, money, minutes or sessions"),
        (rule("budget", budget=Budget("year", sessions=1)), "period must be"),
        (rule("budget", budget=Budget("day", sessions=-1)), "between 0"),
        (rule("budget", budget=Budget("day", sessions=1), hours=NIGHT), "has a period"),
        (rule("budget", budget=Budget("day", sessions=1, then="limit")), "so many watts"),
    ],
)
def test_a_rule_that_nobody_can_keep_is_refused(wrong: Rule, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check(wrong)


def test_a_rule_reads_as_one_line() -> None:
    one = rule("only", where=Where(sites=("garage",), connector_types=("CHADEMO",)), hours=WORK)
    assert says(one) == "at site garage with CHADEMO, mon-fri 07:00-19:00"
    budget = Budget("month", energy_wh=200_000, each=True, then="limit", power_w=3700)
    assert says(rule("budget", budget=budget)) == "200 kWh each per month, then 3700 W"
