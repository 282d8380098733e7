"""Access rules from a card at a station to the answer it gets, in every version; budgets while sessions run."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.access import (
    AddRule,
    Budget,
    ExplainAccess,
    Hours,
    ListRules,
    RemoveRule,
    Rule,
    SetRule,
    ShowBudgets,
    Where,
)
from cms.contract.events import ListEvents
from cms.contract.evses import SetEvse
from cms.contract.lists import ShowList
from cms.contract.payments import Limit
from cms.contract.refusals import Conflict, Invalid, NotFound, Rejected
from cms.contract.reservations import AddReservation
from cms.contract.sessions import ListSessions, StartSession
from cms.contract.sites import AddSite
from cms.contract.stations import SetStation
from cms.contract.tariffs import AddTariff, Component, Money, Price, Tariff, UseTariff
from cms.contract.tokens import AddToken
from cms.domain.changes import SaveVariables
from cms.domain.charging.orders import SetChargingProfile
from cms.domain.observations import (
    ConnectorReported,
    Metered,
    TokenPresented,
    TokenRef,
    VariableReported,
)
from cms.domain.orders import OrderAnswer, RemoteStop
from cms.operations import (
    access,
    access_budgets,
    events,
    lists,
    reservations,
    sessions,
    sites,
    stations,
    tariffs,
    tokens,
)
from cms.operations import evses as sites_evses
from tests.domain.build import NOON, after, event, register, start, stop
from tests.operations.small import ANA, Small

CARD = TokenRef("CARD1", "rfid")
NO = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})


async def rule(small: Small, effect: str, kind: str = "token", subject: str = "CARD1", **more: Any) -> None:
    more.setdefault("id", effect)
    await access.add(small.core, AddRule(Rule(effect=effect, kind=kind, subject=subject, **more)), ANA)


async def budget(small: Small, *, kind: str = "token", subject: str = "CARD1", **more: Any) -> None:
    more.setdefault("period", "day")
    await rule(small, "budget", kind, subject, budget=Budget(**more))


async def present(small: Small, version: str = "2.0.1", token: TokenRef = CARD) -> Any:
    return await small.hear("CP1", TokenPresented(token), version)


async def begin(small: Small, tx: str = "tx-1", at: Any = NOON, **more: Any) -> Any:
    more = {"token": CARD, "evse": 1, "connector": 1, "charging_state": "Charging"} | more
    readings = (register(1000, at, "Transaction.Begin"),)
    return await small.hear("CP1", event("started", 0, at, tx, readings=readings, **more), "2.0.1")


async def meter(small: Small, wh: float, minutes: float, seq: int = 1, tx: str = "tx-1") -> None:
    small.clock.time = after(minutes)
    report = event("updated", seq, after(minutes), tx, readings=(register(wh, after(minutes)),))
    await small.hear("CP1", report, "2.0.1")


async def end(small: Small, wh: float, minutes: float, seq: int = 9, tx: str = "tx-1", **more: Any) -> None:
    small.clock.time = after(minutes)
    at = after(minutes)
    report = event("ended", seq, at, tx, readings=(register(wh, at, "Transaction.End"),), **more)
    await small.hear("CP1", report, "2.0.1")


async def evses(small: Small, *numbers: int) -> None:
    for number in numbers:
        await small.hear("CP1", ConnectorReported(number, 1, "available", NOON), "2.0.1")


async def usage(small: Small, subject: str = "token:CARD1") -> Any:
    (row,) = await access.show_usage(small.core, ShowBudgets(subject), ANA)
    return row


def stops(small: Small) -> list[str]:
    return [order.transaction_id for _, order in small.stations.given if isinstance(order, RemoteStop)]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_rule_decides_the_very_next_card_and_no_longer_when_it_is_gone(
    small: Small, version: str
) -> None:
    assert (await present(small, version)).status == "accepted"
    await rule(small, "deny")
    assert (await present(small, version)).status == "blocked"
    await access.set_(
        small.core, SetRule(Rule("deny", "deny", "token", "CARD1", Where(stations=("cp1",)))), ANA
    )
    assert (await present(small, version)).status == "not-at-this-location"
    await access.remove(small.core, RemoveRule("deny"), ANA)
    assert (await present(small, version)).status == "accepted"


async def test_rules_hold_after_a_restart(small: Small) -> None:
    await rule(small, "deny", "group", "grp1")
    await small.restart()
    assert (await present(small)).status == "blocked"


async def test_a_refused_start_is_recorded_numbered_and_says_why(small: Small) -> None:
    await rule(small, "only", hours=Hours(from_time="20:00", to_time="22:00"))
    answer = await small.hear("CP1", start())
    assert (answer.token.status, answer.transaction_id is not None) == ("not-at-this-time", True)
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    assert session.authorization == "not-at-this-time"


async def test_the_event_of_a_refused_card_names_the_rule(small: Small) -> None:
    await rule(small, "deny", id="night-shift")
    await present(small)
    (told,) = await events.list_(small.core, ListEvents(type="token.presented"), ANA)
    assert (told.data["status"], told.data["rule"]) == ("blocked", "night-shift")


async def test_a_card_is_told_the_evses_it_is_good_for(small: Small) -> None:
    await evses(small, 1, 2, 3)
    await rule(small, "deny", where=Where(evses=("CP1:2",)))
    assert (await present(small)).evses == (1, 3)
    assert (await begin(small, "a", evse=2)).token.status == "not-allowed-type-evse"
    await end(small, 1000, 1, tx="a")
    assert (await begin(small, "b", after(2), evse=3)).token.status == "accepted"


async def test_an_outlet_is_known_by_what_the_station_told_of_it(small: Small) -> None:
    await evses(small, 1, 2)
    told = (
        VariableReported("Connector@1:1.ConnectorType", "cCCS2"),
        VariableReported("Connector@2:1.ConnectorType", "sType2"),
    )
    await small.core.store.commit((SaveVariables("CP1", told, NOON),), ())
    await rule(small, "only", where=Where(connector_types=("ccs2",)))
    assert (await present(small)).evses == (1,)
    assert (await begin(small, evse=2)).token.status == "not-allowed-type-evse"
    await sites_evses.set_(small.core, SetEvse(station="CP1", evse=2, standard="ccs2"), ANA)
    assert (await present(small)).evses == ()  # what is registered holds at once: all of them


async def test_hours_are_those_of_the_site(small: Small) -> None:
    await sites.add(small.core, AddSite(site="garage", time_zone="Asia/Tokyo"), ANA)
    await stations.set_(small.core, SetStation("CP1", site="garage"), ANA)
    await rule(small, "only", hours=Hours(from_time="21:00", to_time="21:01"))  # noon, in UTC
    assert (await present(small)).status == "accepted"
    small.clock.pass_(minutes=1)
    assert (await present(small)).status == "not-at-this-time"


async def test_who_charges_already_may_present_the_card_to_stop(small: Small) -> None:
    await rule(small, "only", hours=Hours(from_time="11:00", to_time="12:30"))
    await begin(small)
    await meter(small, 2000, 60)
    assert (await present(small)).status == "accepted"
    await end(small, 3000, 61, token=CARD, trigger="StopAuthorized")
    assert (await present(small)).status == "not-at-this-time"


async def test_a_token_told_again_in_a_running_session_is_not_ruled_again(small: Small) -> None:
    await rule(small, "only", hours=Hours(from_time="11:00", to_time="12:30"))
    await begin(small)
    small.clock.time = after(60)
    answer = await small.hear("CP1", event("updated", 1, after(60), token=CARD), "2.0.1")
    assert answer.token.status == "accepted"


async def test_what_began_offline_is_judged_by_its_own_time_and_flagged_never_refused(small: Small) -> None:
    await rule(small, "only", hours=Hours(from_time="11:00", to_time="12:30"))
    small.clock.time = after(300)
    assert (await begin(small, "a", offline=True)).token.status == "accepted"
    answer = await begin(small, "b", after(60), offline=True)
    assert answer.token.status == "accepted"
    found = {s.transaction_id: s.flags for s in await sessions.list_(small.core, ListSessions(), ANA)}
    assert ("against-rules" in found["a"], "against-rules" in found["b"]) == (False, True)


async def test_a_ruling_that_hours_or_budgets_change_is_not_remembered_by_stations(small: Small) -> None:
    await rule(small, "only", where=Where(stations=("CP1",)))
    assert (await present(small)).expires is None
    await budget(small, sessions=3)
    assert (await present(small)).expires == NOON + timedelta(minutes=1)


async def test_nothing_is_started_or_reserved_for_whom_a_rule_refuses(small: Small) -> None:
    await rule(small, "deny", id="closed")
    with pytest.raises(Conflict, match=r"blocked: denied everywhere, always \(rule closed\)"):
        await sessions.start(small.core, StartSession(station="CP1", token="CARD1"), ANA)
    with pytest.raises(Conflict, match="rule closed"):
        request = AddReservation(station="CP1", token="CARD1", expires_at=after(60))
        await reservations.add(small.core, request, ANA)


async def test_a_budget_of_sessions_is_counted_from_their_start(small: Small) -> None:
    await budget(small, sessions=1)
    await begin(small)
    assert (await usage(small)).running == 1
    assert (await begin(small, "b", evse=2)).token.status in ("no-credit", "concurrent")
    await end(small, 2000, 10)
    assert (await present(small)).status == "no-credit"
    small.clock.time = NOON + timedelta(days=1)
    assert (await present(small)).status == "accepted"


@pytest.mark.parametrize(
    ("amount", "wh", "minutes", "why"),
    [
        ({"energy_wh": 5000}, 6000, 10, "the budget of 5 kWh a day is used up"),
        ({"minutes": 30}, 1500, 30, "the budget of 30 minutes a day is used up"),
        ({"cost": Money(Decimal(2), "EUR")}, 5000, 10, "the budget of 2 EUR a day is used up"),
    ],
)
async def test_a_session_that_uses_up_its_budget_is_stopped(
    small: Small, amount: dict[str, Any], wh: int, minutes: float, why: str
) -> None:
    tariff = Tariff("T", "EUR", energy=Component((Price(Decimal("0.50")),)))
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await tariffs.use(small.core, UseTariff("T"), ANA)
    await budget(small, **amount)
    await begin(small)
    await meter(small, 1200, 5)
    assert stops(small) == []
    await meter(small, wh, minutes, 2)
    assert stops(small) == ["tx-1"]
    (told,) = await events.list_(small.core, ListEvents(type="session.budget"), ANA)
    assert (told.data["rule"], told.data["reason"]) == ("budget", why)
    assert (await small.core.store.intents("CP1", None, 9))[0].reason == f"{why} (rule budget)"


async def test_who_is_refused_uses_nothing_up(small: Small) -> None:
    await budget(small, sessions=1)
    await rule(small, "only", id="one", where=Where(evses=("CP1:1",)))
    await begin(small, "a", evse=2)
    await end(small, 1000, 1, tx="a")
    assert (await usage(small)).sessions == 0
    assert (await begin(small, "b", after(2), evse=1)).token.status == "accepted"


async def test_a_2_1_station_is_told_what_is_left_and_keeps_it_itself(small: Small) -> None:
    tariff = Tariff("T", "EUR", energy=Component((Price(Decimal("0.50")),)))
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await budget(small, energy_wh=10_000, minutes=90, cost=Money(Decimal(4), "EUR"))
    await begin(small, "a")
    await end(small, 4000, 30, tx="a")
    readings = (register(1000, after(31), "Transaction.Begin"),)
    begun = event("started", 0, after(31), "b", token=CARD, evse=1, readings=readings)
    answer = await small.hear("CP1", begun, "2.1")
    assert answer.account.limit == Limit(max_energy_wh=Decimal(7000), max_time_s=3600)
    later = await small.hear("CP1", event("updated", 1, after(32), "b"), "2.1")
    assert later.account is None  # E16.FR.02: once
    await tariffs.use(small.core, UseTariff("T"), ANA)
    small.clock.time = after(40)
    await end(small, 2000, 40, tx="b")
    begun = event("started", 0, after(41), "c", token=CARD, evse=1, readings=readings)
    answer = await small.hear("CP1", begun, "2.1")
    assert answer.account.limit == Limit(Decimal(4), Decimal(6000), 51 * 60)


async def test_a_1_6_session_is_stopped_by_its_meter_values(small: Small) -> None:
    await budget(small, energy_wh=5000)
    answer = await small.hear("CP1", start())
    await small.hear("CP1", Metered(1, (register(6000, after(10)),), answer.transaction_id))
    assert stops(small) == [answer.transaction_id]
    await small.hear("CP1", stop(answer.transaction_id, 6000, after(11)))
    assert (await present(small, "1.6")).status == "no-credit"


async def test_time_runs_out_without_a_message(small: Small) -> None:
    await budget(small, minutes=30)
    await begin(small)
    small.clock.time = after(29)
    await access_budgets.watch(small.core)
    await small.settled()
    assert stops(small) == []
    small.clock.time = after(30)
    await access_budgets.watch(small.core)
    await small.settled()
    assert stops(small) == ["tx-1"]


async def test_what_is_shared_is_used_up_by_all_together_and_all_are_stopped(small: Small) -> None:
    await tokens.add(small.core, AddToken("CARD2", group="GRP1"), ANA)
    await budget(small, kind="group", subject="GRP1", energy_wh=10_000)
    await begin(small, "a")
    await begin(small, "b", evse=2, token=TokenRef("CARD2", "rfid"))
    await meter(small, 6000, 10, tx="a")
    await meter(small, 5000, 11, tx="b")
    assert stops(small) == []
    await meter(small, 6000, 12, 2, tx="b")
    assert stops(small) == ["b"]
    await access_budgets.watch(small.core)
    await small.settled()
    assert stops(small) == ["b", "a"]


async def test_a_station_that_does_not_stop_is_told_again_ever_more_seldom(small: Small) -> None:
    await budget(small, energy_wh=1000)
    small.stations.answer = NO
    await begin(small)
    for minute in range(1, 9):
        await meter(small, 5000 + minute, minute, minute)
    assert stops(small) == ["tx-1"] * 4  # minutes 1, 2, 4, 8


async def test_a_rule_may_limit_instead_of_stop_and_does_so_once(small: Small) -> None:
    await budget(small, energy_wh=1000, then="limit", power_w=1400)
    await begin(small)
    for minute in (1, 5, 20):
        await meter(small, 5000 + minute, minute, minute)
    (order,) = [order for _, order in small.stations.given]
    assert isinstance(order, SetChargingProfile)
    assert (order.profile.purpose, order.profile.transaction_id) == ("tx", "tx-1")
    schedule = order.profile.schedules[0]
    assert (schedule.unit, schedule.periods[0].limit) == ("W", Decimal(1400))


async def test_a_station_that_cannot_limit_is_told_to_stop(small: Small) -> None:
    await budget(small, energy_wh=1000, then="limit", power_w=1400)
    await begin(small)
    small.stations.answer = NO
    await meter(small, 5000, 1)
    assert stops(small) == ["tx-1"]


async def test_usage_survives_the_daemon_ended_and_running(small: Small) -> None:
    await budget(small, energy_wh=10_000)
    await begin(small, "a")
    await end(small, 4000, 10, tx="a")
    await begin(small, "b", after(11))
    await meter(small, 2500, 20, tx="b")
    assert (await usage(small)).energy_wh == 4500
    await small.restart()
    row = await usage(small)
    assert (row.energy_wh, row.sessions, row.running, row.left.energy_wh) == (4500, 2, 1, 5500)


async def test_an_end_told_twice_counts_once_and_a_late_reading_counts(small: Small) -> None:
    await budget(small, energy_wh=10_000)
    await begin(small)
    await end(small, 4000, 10)
    await end(small, 4000, 10)
    assert ((await usage(small)).energy_wh, (await usage(small)).sessions) == (3000, 1)


async def test_a_new_budget_counts_what_was_used_before_it_was_made(small: Small) -> None:
    await begin(small)
    await end(small, 4000, 10)
    await begin(small, "b", after(11))
    await meter(small, 1500, 12, tx="b")
    await budget(small, energy_wh=10_000)
    row = await usage(small)
    assert (row.energy_wh, row.sessions, row.running) == (3500, 2, 1)
    await small.restart()
    assert (await usage(small)).energy_wh == 3500


async def test_what_is_old_is_forgotten_for_good(small: Small) -> None:
    await budget(small, energy_wh=10_000)
    await begin(small)
    await end(small, 4000, 10)
    small.clock.pass_(days=71)
    await access_budgets.forget_old(small.core)
    assert small.core.kept["usage"] == {}
    await small.restart()
    assert not small.core.kept.get("usage")


async def test_an_explanation_is_the_engines_own_answer(small: Small) -> None:
    await rule(small, "allow", id="staff")
    await rule(small, "only", "group", "GRP1", id="days", hours=Hours(("sun",)))
    await budget(small, sessions=2)
    told = await access.explain(small.core, ExplainAccess("card1", "cp1", 1), ANA)
    assert (told.status, told.rule, told.reason) == ("accepted", "staff", "allowed everywhere, always")
    assert [(s.rule, s.outcome) for s in told.steps] == [
        ("staff", "decides"),
        ("days", "not-asked"),
        ("budget", "passes"),
    ]
    assert told.budgets[0].left.sessions == 2
    await access.remove(small.core, RemoveRule("staff"), ANA)
    told = await access.explain(small.core, ExplainAccess("card1", "cp1", 1), ANA)
    assert (told.status, told.rule) == ("not-at-this-time", "days")
    sunday = NOON + timedelta(days=6)
    told = await access.explain(small.core, ExplainAccess("card1", "cp1", 1, sunday), ANA)
    assert (told.status, told.rule, told.local_time) == ("accepted", None, "Sun 2026-05-10 12:00 UTC")


async def test_an_explanation_begins_with_the_token_itself(small: Small) -> None:
    await tokens.add(small.core, AddToken("OLD", valid_to=NOON - timedelta(days=1)), ANA)
    told = await access.explain(small.core, ExplainAccess("OLD", "CP1"), ANA)
    assert (told.status, told.rule, told.reason) == ("expired", None, "it is not valid then")


async def test_a_rule_names_what_is_there(small: Small) -> None:
    for wrong in (
        {"subject": "NOBODY"},
        {"where": Where(sites=("nowhere",))},
        {"where": Where(stations=("CP9",))},
        {"where": Where(evses=("CP9:1",))},
    ):
        with pytest.raises(NotFound):
            await rule(small, "deny", **wrong)
    with pytest.raises(Invalid, match="connector standard"):
        await rule(small, "deny", where=Where(connector_types=("plug",)))
    await rule(small, "deny", where=Where(stations=("cp1",), connector_types=("sType2",)))
    (seen,) = await access.list_(small.core, ListRules(), ANA)
    assert seen.rule.where == Where(stations=("CP1",), connector_types=("IEC_62196_T2",))
    assert (seen.changed_by, seen.changed_at) == (ANA.name, NOON)
    with pytest.raises(Conflict, match="already"):
        await rule(small, "deny")


async def test_rejected_is_not_in_the_way_of_the_next_message(small: Small) -> None:
    await budget(small, energy_wh=1000)
    small.stations.answer = Rejected("no")
    await begin(small)
    await meter(small, 5000, 1)
    await end(small, 5000, 2)
    assert (await usage(small)).used_up == "the budget of 1 kWh a day is used up"


async def test_a_station_that_ends_a_session_at_its_limit_by_itself_is_told_of_once(small: Small) -> None:
    await budget(small, energy_wh=3000)
    await begin(small)
    await end(small, 4000, 10, trigger="EnergyLimitReached")
    late = event("updated", 4, after(5), readings=(register(3000, after(5)),))
    await small.hear("CP1", late, "2.1")
    told = await events.list_(small.core, ListEvents(type="session.budget"), ANA)
    assert [(one.data["rule"], one.data["then"]) for one in told] == [("budget", "stop")]
    assert stops(small) == []


async def test_a_key_code_has_its_budget_though_no_session_tells_the_code(small: Small) -> None:
    await tokens.add(small.core, AddToken("1234-5678", kind="key-code", visual_number="Ana's code"), ANA)
    await budget(small, subject="1234-5678", energy_wh=10_000)
    await begin(small, token=TokenRef("1234-5678", "key-code"))
    await meter(small, 5000, 5)
    assert (await usage(small, "token:1234-5678")).energy_wh == 4000
    await small.restart()
    assert (await usage(small, "token:1234-5678")).energy_wh == 4000
    assert "1234-5678" not in str(small.core.kept)


async def test_whom_a_rule_may_refuse_is_in_no_local_list(small: Small) -> None:
    async def listed() -> set[str]:
        shown = await lists.show(small.core, ShowList("CP1"), ANA)
        return {entry.token for entry in shown.entries}

    await tokens.add(small.core, AddToken("CARD2", group="OTHER"), ANA)
    await rule(small, "deny", "everyone", "", id="everyone", hours=Hours(from_time="22:00"))
    await rule(small, "allow", "group", "OTHER")
    assert await listed() == {"CARD1", "CARD2"}
    await rule(small, "only", "group", "grp1", where=Where(stations=("CP1",)))
    assert await listed() == {"CARD2"}
    await access.remove(small.core, RemoveRule("only"), ANA)
    assert await listed() == {"CARD1", "CARD2"}


async def test_a_token_that_nobody_registered_is_explained_too(small: Small) -> None:
    told = await access.explain(small.core, ExplainAccess("NOBODY", "cp1"), ANA)
    assert (told.status, told.rule, told.reason) == ("unknown", None, "nobody registered it")
