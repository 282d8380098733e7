from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.refusals import Conflict, NotFound, NotSupported
from cms.contract.sessions import Sample as SampleView
from cms.contract.sessions import ShowSession, StartSession
from cms.contract.tariffs import (
    AddTariff,
    ChangeSessionTariff,
    Component,
    CostView,
    ListCredits,
    Price,
    SetCredit,
    ShowCost,
    Tariff,
    UseTariff,
    When,
)
from cms.domain.changes import SaveVariables
from cms.domain.observations import (
    ConnectorReported,
    Metered,
    Reading,
    Sample,
    StationCosts,
    TokenPresented,
    TokenRef,
    TransactionMore,
    TransactionReported,
    VariableReported,
)
from cms.domain.orders import RemoteStop
from cms.domain.tariffs import UpdateCost
from cms.operations import balances, sessions, tariffs
from cms.operations.accounts import readings_of
from tests.domain.build import NOON, after, event, register, start, stop
from tests.operations.small import ANA, Small

D = Decimal


def kwh(id: str, amount: str, *, currency: str = "EUR", **more: Any) -> Tariff:
    return Tariff(id, currency, energy=Component((Price(D(amount)),)), **more)


async def sell(small: Small, tariff: Tariff, **place: Any) -> None:
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await tariffs.use(small.core, UseTariff(tariff.id, **place), ANA)


async def able(small: Small, **values: str) -> None:
    """The station told these variables, e.g. ``TariffCostCtrlr__Enabled__Cost``."""
    told = tuple(
        VariableReported("TxCtrlr.SupportedLimits" if name == "limits" else name, value)
        for name, value in values.items()
    )
    await small.core.store.commit((SaveVariables("CP1", told, small.core.clock.now()),), ())


COSTS = {"TariffCostCtrlr.Enabled#Cost": "true"}
TEXTS = {"TariffCostCtrlr.Enabled#Tariff": "true"}
CARD = TokenRef("CARD1", "rfid")


async def tell(small: Small, report: TransactionReported, version: str = "2.0.1") -> Any:
    small.clock.time = max(small.clock.time, report.at or small.clock.time)
    return await small.hear("CP1", report, version)


async def cost(small: Small, session: str) -> CostView:
    return await tariffs.cost(small.core, ShowCost(session), ANA)


async def only_session(small: Small) -> Any:
    from cms.contract.sessions import ListSessions

    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    return session


def begin(**more: Any) -> TransactionReported:
    more.setdefault("token", CARD)
    at = more.pop("at", NOON)
    return event(
        "started",
        0,
        at,
        evse=1,
        connector=1,
        trigger="Authorized",
        charging_state="Charging",
        readings=(register(1000, at, "Transaction.Begin"),),
        **more,
    )


def end(wh: float = 6000, minutes: float = 60, seq: int = 9, **more: Any) -> TransactionReported:
    at = after(minutes)
    return event("ended", seq, at, readings=(register(wh, at, "Transaction.End"),), **more)


async def test_without_a_tariff_nothing_has_a_price(small: Small) -> None:
    await tell(small, begin())
    answer = await tell(small, end())
    assert answer.account is None
    session = await only_session(small)
    assert session.cost is None
    with pytest.raises(NotFound, match="no price"):
        await cost(small, session.id)


async def test_the_end_tells_the_final_cost_and_a_repeat_the_same(small: Small) -> None:
    await sell(small, kwh("T", "0.25"))
    started = await tell(small, begin())
    assert started.account is None  # this station did not say that it shows a running cost
    answer = await tell(small, end())
    assert answer.account.total == D("1.25")
    assert await tell(small, end()) == answer
    session = await only_session(small)
    assert session.cost == {"amount": "1.25", "currency": "EUR"}
    view = await cost(small, session.id)
    assert (view.final, view.source, [line.what for line in view.lines]) == (True, "central", ["energy"])


def at_amperes(wh: float, at: datetime, *phases: str) -> Reading:
    """A register, and the current of each phase."""
    amperes = [
        Sample("Current.Import", D(value), "A", phase=f"L{number}") for number, value in enumerate(phases, 1)
    ]
    return Reading(at, (*register(wh, at).samples, *amperes))


async def test_a_price_by_current_holds_where_the_phases_together_reach_it(small: Small) -> None:
    fast = Price(D("0.50"), When(min_current_a=D(32)))
    await sell(small, Tariff("T", "EUR", energy=Component((fast, Price(D("0.25"))))))
    await tell(small, begin())
    for seq, (minutes, wh, phases) in enumerate([(20, 3000, ("16", "16", "16")), (40, 5000, ("10",))], 1):
        at = after(minutes)
        await tell(small, event("updated", seq, at, readings=(at_amperes(wh, at, *phases),)))
    answer = await tell(small, end(6000))
    assert answer.account.total == D("1.75")  # 2 kWh at 48 A; 2 kWh at 10 A, and 1 kWh of which nobody said


async def test_a_free_tariff_is_not_no_tariff(small: Small) -> None:
    await sell(small, kwh("FREE", "0"))
    await tell(small, begin())
    assert (await tell(small, end(1000))).account.total == D("0.00")


async def test_a_1_6_session_has_a_cost_too(small: Small) -> None:
    await sell(small, kwh("T", "0.25"))
    answer = await small.hear("CP1", start())
    small.clock.pass_(minutes=60)
    ended = await small.hear("CP1", stop(answer.transaction_id, at=after(60)))
    assert ended.account is None  # 1.6 has no word for it
    assert (await only_session(small)).cost == {"amount": "1.25", "currency": "EUR"}


async def test_a_1_6_car_that_waits_on_its_connector_pays_for_idling(small: Small) -> None:
    idle = Tariff("IDLE", "EUR", idle_time=Component((Price(D("0.10")),)))
    await sell(small, idle)
    answer = await small.hear("CP1", start())
    await small.hear("CP1", Metered(1, (register(5000, after(30)),), answer.transaction_id))
    small.clock.time = after(30)
    await small.hear("CP1", ConnectorReported(1, 1, "suspended-ev", after(30)))
    small.clock.time = after(60)
    await small.hear("CP1", stop(answer.transaction_id, at=after(60)))
    assert (await only_session(small)).cost == {"amount": "3.00", "currency": "EUR"}


async def test_a_state_that_comes_late_counts_where_it_belongs(small: Small) -> None:
    idle = Tariff("IDLE", "EUR", idle_time=Component((Price(D("0.10")),)))
    await sell(small, idle)
    await tell(small, begin())
    await tell(small, event("updated", 3, after(40), charging_state="Charging"))
    await tell(small, event("updated", 2, after(20), charging_state="SuspendedEV"))
    await tell(small, end(6000, minutes=60, seq=4))
    assert (await only_session(small)).cost == {"amount": "2.00", "currency": "EUR"}


async def test_the_cost_runs_along_where_the_station_shows_it(small: Small) -> None:
    await able(small, **COSTS)
    await sell(small, kwh("T", "0.50"))
    assert (await tell(small, begin())).account.total == D("0.00")
    report = event("updated", 1, after(10), readings=(register(3000, after(10)),))
    assert (await tell(small, report)).account.total == D("1.00")
    assert (await only_session(small)).cost == {"amount": "1.00", "currency": "EUR"}


async def test_an_account_survives_the_daemon(small: Small) -> None:
    await sell(small, kwh("T", "0.50"))
    await tell(small, begin())
    await tell(small, event("updated", 1, after(10), readings=(register(3000, after(10)),)))
    await small.restart()
    assert (await tell(small, end())).account.total == D("2.50")


async def test_what_comes_after_the_fact_costs_what_held_then(small: Small) -> None:
    night = Tariff(
        "DAYNIGHT",
        "EUR",
        energy=Component((Price(D("0.10"), When(to_time="12:30")), Price(D("0.40")))),
    )
    await sell(small, night)
    small.clock.pass_(hours=5)
    await sell(small, kwh("LATER", "9.99"))
    await tell(small, begin(offline=True))
    assert (await tell(small, end(7000, offline=True))).account.total == D("1.50")


async def test_a_reading_that_comes_after_the_end_changes_the_bill(small: Small) -> None:
    stepped = Tariff(
        "STEP",
        "EUR",
        energy=Component((Price(D("0.10"), When(to_time="12:30")), Price(D("0.40")))),
    )
    await sell(small, stepped)
    await tell(small, begin())
    assert (await tell(small, end(7000))).account.total == D("1.50")
    late = event("updated", 5, after(30), readings=(register(6000, after(30)),))
    await tell(small, late)
    assert (await only_session(small)).cost == {"amount": "0.90", "currency": "EUR"}


async def test_a_tokens_tariff_precedes_its_stations_which_precedes_the_default(small: Small) -> None:
    await sell(small, kwh("ALL", "1"))
    await sell(small, kwh("HERE", "2"), station="CP1")
    assert (await tell(small, begin(tx="a"))) is not None
    assert (await tell(small, end(2000, tx="a"))).account.total == D("2.00")
    await sell(small, kwh("MINE", "3"), token="CARD1")
    await tell(small, begin(tx="b", at=after(61)))
    assert (await tell(small, end(2000, minutes=90, tx="b"))).account.total == D("3.00")


async def test_who_identifies_later_pays_the_own_price_from_the_beginning(small: Small) -> None:
    await sell(small, kwh("ALL", "1"))
    await sell(small, kwh("MINE", "3"), token="CARD1")
    await tell(small, begin(token=None))
    await tell(small, event("updated", 1, after(5), token=CARD, readings=(register(2000, after(5)),)))
    assert (await tell(small, end(3000))).account.total == D("6.00")


async def test_a_tariffs_content_never_changes(small: Small) -> None:
    await tariffs.add(small.core, AddTariff(kwh("T", "1")), ANA)
    await tariffs.add(small.core, AddTariff(kwh("T", "1")), ANA)
    with pytest.raises(Conflict, match="never changes"):
        await tariffs.add(small.core, AddTariff(kwh("T", "2")), ANA)


async def test_a_running_session_goes_on_at_another_price_and_its_driver_reads_so(small: Small) -> None:
    await able(small, **TEXTS)
    await sell(small, kwh("A", "0.10"))
    await tariffs.add(small.core, AddTariff(kwh("B", "0.50")), ANA)
    await tell(small, begin())
    small.clock.time = after(30)
    await tell(small, event("updated", 1, after(30), readings=(register(3000, after(30)),)))
    session = await only_session(small)
    await tariffs.change(small.core, ChangeSessionTariff(session=session.id, tariff="B"), ANA)
    told = await tell(small, event("updated", 2, after(40), readings=(register(4000, after(40)),)))
    assert told.account.text.content == "0.50 EUR/kWh"
    again = await tell(small, event("updated", 3, after(45)))
    assert again.account is None
    assert (await tell(small, end(5000))).account.total == D("1.20")
    await tariffs.add(small.core, AddTariff(kwh("USD", "1", currency="USD")), ANA)


async def test_a_price_in_another_currency_is_refused(small: Small) -> None:
    await sell(small, kwh("A", "0.10"))
    await tariffs.add(small.core, AddTariff(kwh("USD", "1", currency="USD")), ANA)
    await tell(small, begin())
    session = await only_session(small)
    with pytest.raises(Conflict, match="priced in EUR"):
        await tariffs.change(small.core, ChangeSessionTariff(session=session.id, tariff="USD"), ANA)


async def test_a_card_is_told_the_price_and_a_2_1_station_the_drivers_tariff(small: Small) -> None:
    await sell(small, kwh("ALL", "1"))
    presented = TokenPresented(CARD)
    assert (await small.hear("CP1", presented, "2.0.1")).priced.text is None
    await able(small, **TEXTS)
    assert (await small.hear("CP1", presented, "2.0.1")).priced.text.content == "1.00 EUR/kWh"
    assert (await small.hear("CP1", presented, "2.1")).priced.tariff is None
    await sell(small, kwh("MINE", "3"), token="CARD1")
    assert (await small.hear("CP1", presented, "2.1")).priced.tariff.id == "MINE"
    assert (await small.hear("CP1", presented, "1.6")).priced is None


async def test_the_stations_own_calculation_is_the_bill(small: Small) -> None:
    await sell(small, kwh("T", "0.25"))
    await tell(small, begin(), "2.1")
    own = StationCosts("EUR", D("1.00"), D("1.21"), parts=(("energy", D("1.00"), D("1.21")),))
    answer = await tell(small, end(more=TransactionMore(own)), "2.1")
    assert answer.account.total == D("1.21")
    view = await cost(small, (await only_session(small)).id)
    assert (view.source, str(view.total.amount)) == ("station", "1.21")


async def test_a_station_that_cannot_calculate_is_calculated_for(small: Small) -> None:
    await sell(small, kwh("T", "0.25"))
    await tell(small, begin(), "2.1")
    own = StationCosts("EUR", D(0), D(0), failure="no clock")
    assert (await tell(small, end(more=TransactionMore(own)), "2.1")).account.total == D("1.25")
    view = await cost(small, (await only_session(small)).id)
    assert "the station could not calculate: no clock" in view.remarks


async def prepaid(small: Small, amount: str) -> None:
    await balances.set_credit(small.core, SetCredit("CARD1", D(amount), "EUR"), ANA)


async def test_a_prepaid_card_is_good_while_something_is_left_and_never_cached(small: Small) -> None:
    await prepaid(small, "20")
    good = await small.hear("CP1", TokenPresented(CARD), "2.1")
    assert (good.status, good.expires) == ("accepted", small.clock.now())
    await prepaid(small, "0")
    broke = await small.hear("CP1", TokenPresented(CARD), "2.1")
    assert (broke.status, broke.expires) == ("no-credit", small.clock.now())


async def test_a_prepaid_limit_is_told_once_and_the_balance_debited_at_the_end(small: Small) -> None:
    await able(small, limits="maxCost, maxEnergy")
    await sell(small, kwh("T", "1"))
    await prepaid(small, "20.00")
    begun = await tell(small, begin(), "2.1")
    assert begun.account.limit.max_cost == D("20.00")
    assert begun.token.status == "accepted"
    onward = await tell(
        small, event("updated", 1, after(10), token=CARD, readings=(register(3000, after(10)),)), "2.1"
    )
    assert (onward.account.limit, onward.account.total) == (None, D("2.00"))
    assert onward.token.status == "accepted"  # its own session does not use up its balance
    (held,) = await balances.credits_(small.core, ListCredits(), ANA)
    assert (held.balance.amount, held.available.amount) == (D("20.00"), D("0.00"))
    await tell(small, end(), "2.1")
    await small.settled()
    (left,) = await balances.credits_(small.core, ListCredits(), ANA)
    assert (left.balance.amount, left.available.amount) == (D("15.00"), D("15.00"))
    await small.restart()
    (left,) = await balances.credits_(small.core, ListCredits(), ANA)
    assert left.balance.amount == D("15.00")


async def test_a_limit_the_station_cannot_keep_is_kept_here(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")
    await sell(small, kwh("T", "1"))
    await prepaid(small, "2")
    assert (await tell(small, begin())).account.limit is None
    await tell(small, event("updated", 1, after(10), readings=(register(2500, after(10)),)))
    await small.settled()
    assert not [o for _, o in small.stations.given if isinstance(o, RemoteStop)]
    await tell(small, event("updated", 2, after(20), readings=(register(3500, after(20)),)))
    await small.settled()
    await tell(small, event("updated", 3, after(21), readings=(register(3600, after(21)),)))
    await small.settled()
    assert [o for _, o in small.stations.given if isinstance(o, RemoteStop)] == [RemoteStop("tx-1")]


async def limited_start(small: Small, **limits: Any) -> int:
    small.stations.connect("CP1", "2.1")
    await sessions.start(small.core, StartSession(station="CP1", token="CARD1", evse=1, **limits), ANA)
    order = small.stations.given[-1][1]
    return order.remote_start_id  # type: ignore[attr-defined, no-any-return]


async def test_a_limit_of_a_remote_start_is_told_once_and_only_what_the_station_knows(small: Small) -> None:
    await able(small, limits="MaxEnergy")
    number = await limited_start(small, max_energy_wh=D(10_000), max_time_s=60)
    begun = await tell(small, begin(remote_start_id=number), "2.1")
    assert (begun.account.limit.max_energy_wh, begun.account.limit.max_time_s) == (D(10_000), None)
    onward = await tell(small, event("updated", 1, after(0.5), trigger="LimitSet"), "2.1")
    assert onward.account is None


async def test_a_lower_limit_of_the_station_is_not_raised(small: Small) -> None:
    from cms.contract.payments import Limit

    number = await limited_start(small, max_energy_wh=D(10_000), max_soc=80)
    more = TransactionMore(limit=Limit(max_energy_wh=D(5000)))
    begun = await tell(small, begin(remote_start_id=number, more=more), "2.1")
    assert begun.account.limit == Limit(max_soc=80)


async def test_only_2_1_can_be_told_where_a_session_ends(small: Small) -> None:
    with pytest.raises(NotSupported, match=r"OCPP 1\.6 cannot be told where a session ends"):
        await sessions.start(small.core, StartSession(station="CP1", token="CARD1", max_soc=80), ANA)


async def test_meter_values_beside_the_transaction_make_the_cost_an_order(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")
    await able(small, **COSTS)
    await sell(small, kwh("T", "1"))
    await tell(small, begin())
    for minutes in (10, 10.2, 12):
        small.clock.time = after(minutes)
        reading = register(1000 + 100 * minutes, after(minutes))
        await small.hear("CP1", Metered(1, (reading,), transaction_id="tx-1"), "2.0.1")
        await small.settled()
    told = [o.total for _, o in small.stations.given if isinstance(o, UpdateCost)]
    assert told == [D("1.00"), D("1.20")]


async def test_who_only_looks_at_a_session_sees_what_it_costs(small: Small) -> None:
    await sell(small, kwh("T", "1"))
    await tell(small, begin())
    session = await only_session(small)
    shown = await sessions.show(small.core, ShowSession(session.id), ANA)
    assert shown.cost == {"amount": "0.00", "currency": "EUR"}
    assert small.clock.now() - session.started_at < timedelta(days=1)


async def test_a_balance_in_another_currency_pays_for_nothing_and_says_so(small: Small) -> None:
    await sell(small, kwh("USD", "1", currency="USD"))
    await prepaid(small, "20")
    assert (await tell(small, begin(), "2.1")).account is None
    await tell(small, end(), "2.1")
    view = await cost(small, (await only_session(small)).id)
    assert "the balance of CARD1 is in EUR, the price in USD" in view.remarks
    (left,) = await balances.credits_(small.core, ListCredits(), ANA)
    assert left.balance.amount == D("20")


async def test_a_prepaid_card_without_a_balance_starts_nothing_from_afar(small: Small) -> None:
    await prepaid(small, "0")
    with pytest.raises(Conflict, match="nothing left to pay with"):
        await sessions.start(small.core, StartSession(station="CP1", token="CARD1"), ANA)


async def test_a_crash_after_the_end_of_a_session_takes_its_cost_once(small: Small) -> None:
    await sell(small, kwh("T", "1"))
    await prepaid(small, "20")
    await tell(small, begin(), "2.1")
    small.core.spawn = lambda work: work.close()  # the daemon dies before it comes to anything else
    await tell(small, end(), "2.1")
    for _ in range(2):
        await small.restart()
        (left,) = await balances.credits_(small.core, ListCredits(), ANA)
        assert (left.balance.amount, left.available.amount) == (D("15.00"), D("15.00"))


async def test_a_contract_is_told_its_price_like_a_card(small: Small) -> None:
    from cms.contract.tokens import AddToken
    from cms.domain.certificates import Contract
    from cms.domain.iso15118 import ContractPresented
    from cms.operations import prices, tokens
    from tests.domain.build import received

    seen = ContractPresented(TokenRef("EMAID1", "emaid"), standing=Contract.GOOD)

    async def shown() -> Any:
        state = small.core.lane("CP1").state
        return (
            await prices.contract_presented(small.core, state, received(seen, version="2.1"), seen)
        ).answer

    await tokens.add(small.core, AddToken("EMAID1", kind="emaid"), ANA)
    await sell(small, kwh("MINE", "3"), token="EMAID1")
    assert (await shown()).token.priced.tariff.id == "MINE"
    await balances.set_credit(small.core, SetCredit("EMAID1", D(0), "EUR"), ANA)
    assert (await shown()).token.status == "no-credit"


@pytest.mark.parametrize("said", ["NaN", "Infinity", "1_000", "１２", " 7", "0x1", ""])
def test_what_was_not_read_as_a_number_is_none_when_a_session_is_counted_anew(said: str) -> None:
    shown = SampleView(
        at=NOON,
        measurand="Energy.Active.Import.Register",
        value=said,
        unit="Wh",
        context="Sample.Periodic",
        location="Outlet",
        phase=None,
        format="Raw",
        evse=1,
    )
    assert readings_of([shown]) == []
    assert readings_of([replace(shown, value="12.5")])[0].samples[0].value == Decimal("12.5")


async def test_times_of_day_are_those_of_the_site(small: Small) -> None:
    from cms.contract.sites import AddSite
    from cms.contract.stations import SetStation
    from cms.operations import sites, stations

    tokyo = Component((Price(D("0.10"), When(from_time="21:00", to_time="22:00")), Price(D("0.40"))))
    await sell(small, Tariff("SITE", "EUR", energy=tokyo, time_zone="Europe/Berlin"))
    await sites.add(small.core, AddSite(site="garage", time_zone="Asia/Tokyo"), ANA)
    await stations.set_(small.core, SetStation("CP1", site="garage"), ANA)
    await tell(small, begin())  # noon in UTC is 21:00 there
    assert (await tell(small, end())).account.total == D("0.50")
    view = await cost(small, (await only_session(small)).id)
    assert [(line.since, line.until) for line in view.lines] == [(NOON, after(60))]


async def test_a_session_pays_for_the_reservation_that_it_used(small: Small) -> None:
    from cms.contract.reservations import AddReservation
    from cms.operations import reservations

    held = Tariff(
        "HELD",
        "EUR",
        energy=Component((Price(D("0.25")),)),
        reservation_time=Component((Price(D("5"), step=300, per_hour=True),)),
        reservation_fixed=Component((Price(D("2")),)),
    )
    await sell(small, held)
    asked = AddReservation(station="CP1", token="CARD1", expires_at=after(60), evse=1)
    await reservations.add(small.core, asked, ANA)
    small.clock.time = after(13)
    await tell(small, begin(at=after(13)))
    assert (await tell(small, end(6000, minutes=73))).account.total == D("4.50")
    view = await cost(small, (await only_session(small)).id)
    assert [(line.what, line.quantity) for line in view.lines] == [
        ("energy", D(5)),
        ("reservation-time", D("0.25")),
        ("reservation-fixed", D(1)),
    ]
    late = event("updated", 5, after(30), readings=(register(3000, after(30)),))
    await tell(small, late)
    assert (await only_session(small)).cost == {"amount": "4.50", "currency": "EUR"}
