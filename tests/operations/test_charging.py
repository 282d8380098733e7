"""Charging profiles from an operator's order to the register; what cars ask for and get."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from cms.contract.charging import (
    AllowEnergyTransfer,
    ClearProfiles,
    GetComposite,
    GetProfiles,
    ListChargingNeeds,
    ListProfiles,
    Period,
    Profile,
    Schedule,
    SetEnergyTransferRight,
    SetProfile,
    ShowComposite,
    ShowProfile,
)
from cms.contract.refusals import Conflict, Invalid, NotFound, Rejected
from cms.contract.sessions import StartSession
from cms.domain.changes import SaveVariables
from cms.domain.charging.needs import Needs
from cms.domain.charging.notices import (
    EvScheduleNotified,
    LimitCleared,
    LimitNotified,
    NeedsNotified,
    ProfilesReported,
)
from cms.domain.charging.orders import SetChargingProfile
from cms.domain.evolve import evolve
from cms.domain.observations import Booted, Received, TokenRef, VariableReported
from cms.domain.orders import OrderAnswer, RemoteStart
from cms.operations import charging, sessions, v2x
from cms.operations.admission import connected
from cms.operations.observe import observe
from tests.domain.build import NOON, TOKEN, after, event, start, stop
from tests.operations.small import ANA, Small

NO = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
UNKNOWN = OrderAnswer("accepted", "Unknown", {"status": "Unknown"})


def profile(purpose: str = "tx-default", limit: float = 16, unit: str = "A", **more: Any) -> Profile:
    return Profile(purpose, (Schedule(unit, (Period(0, D(str(limit))),)),), **more)


async def put(small: Small, evse: int | None = 1, wanted: Profile | None = None, **terms: Any) -> Any:
    request = SetProfile(station="CP1", profile=wanted or profile(), evse=evse, **terms)
    return await charging.set_(small.core, request, ANA)


async def known(small: Small) -> list[Any]:
    return await charging.list_(small.core, ListProfiles("CP1"), ANA)


async def tell(small: Small, **variables: str) -> None:
    """The station told these of its configuration."""
    told = tuple(VariableReported(name.replace("__", "."), value) for name, value in variables.items())
    await small.core.store.commit((SaveVariables("CP1", told, NOON),), ())


def sent(small: Small) -> SetChargingProfile:
    order = small.stations.given[-1][1]
    assert isinstance(order, SetChargingProfile)
    return order


async def test_what_the_station_takes_is_in_the_register_also_after_a_restart(small: Small) -> None:
    await put(small)
    await small.restart()
    (one,) = await known(small)
    assert (one.evse, one.purpose, one.limit, one.set_by, one.source) == (
        1,
        "tx-default",
        D(16),
        "ana",
        "CSO",
    )
    assert (await charging.show(small.core, ShowProfile("CP1", one.id), ANA)).id == one.id


async def test_what_it_refuses_is_not(small: Small) -> None:
    small.stations.answer = NO
    with pytest.raises(Rejected):
        await put(small)
    assert await known(small) == []
    with pytest.raises(NotFound, match="no profile 5"):
        await charging.show(small.core, ShowProfile("CP1", 5), ANA)


async def test_a_profile_in_the_same_place_takes_its_id_and_replaces_it(small: Small) -> None:
    await put(small)
    first = sent(small).profile.id
    await put(small, wanted=profile(limit=6))
    assert sent(small).profile.id == first
    assert [one.limit for one in await known(small)] == [D(6)]


async def test_unknown_means_that_it_is_gone(small: Small) -> None:
    await put(small)
    small.stations.answer = UNKNOWN
    await charging.clear(small.core, ClearProfiles(station="CP1", purpose="tx-default"), ANA)
    assert await known(small) == []


async def test_a_profile_of_a_session_ends_with_it(small: Small) -> None:
    answer = await small.hear("CP1", start())
    await put(small, wanted=profile("tx"))
    assert sent(small).profile.transaction_id == answer.transaction_id
    await small.hear("CP1", stop(answer.transaction_id))
    assert await known(small) == []


async def test_a_profile_of_a_session_does_not_survive_a_boot_of_1_6(small: Small) -> None:
    await small.hear("CP1", start())
    await put(small, wanted=profile("tx"))
    await put(small)
    await small.hear("CP1", Booted("V", "M"))
    assert [one.purpose for one in await known(small)] == ["tx-default"]


async def test_a_resumed_session_of_2_1_gets_its_profile_again(small: Small) -> None:
    small.stations.connect("CP1", "2.1")
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.1")
    await put(small, wanted=profile("tx"))
    await small.hear("CP1", Booted("V", "M"), "2.1")
    await small.hear("CP1", event("updated", 1, after(1), trigger="TxResumed"), "2.1")
    orders = [order for _, order in small.stations.given if isinstance(order, SetChargingProfile)]
    assert len(orders) == 2 and orders[0] == orders[1]
    await tell(small, **{"SmartChargingCtrlr__ChargingProfilePersistence#TxProfile": "true"})
    await small.hear("CP1", event("updated", 2, after(2), trigger="TxResumed"), "2.1")
    assert len(small.stations.given) == 2


async def test_a_remote_start_brings_its_profile_and_the_session_adopts_it(small: Small) -> None:
    wanted = profile("tx", kind="relative")
    await sessions.start(small.core, StartSession(station="CP1", token="CARD1", evse=1, profile=wanted), ANA)
    order = small.stations.given[-1][1]
    assert isinstance(order, RemoteStart) and order.profile is not None
    assert order.profile.transaction_id is None
    answer = await small.hear("CP1", start())
    (one,) = await known(small)
    assert one.transaction_id == answer.transaction_id


async def test_a_remote_start_takes_no_other_profile(small: Small) -> None:
    request = StartSession(station="CP1", token="CARD1", evse=1, profile=profile("tx-default"))
    with pytest.raises(Invalid, match="tx profile"):
        await sessions.start(small.core, request, ANA)


async def test_limits_in_the_other_unit_are_converted_only_when_the_voltage_is_said(small: Small) -> None:
    await tell(small, ChargingScheduleAllowedChargingRateUnit="Power")
    with pytest.raises(Conflict, match="in W only"):
        await put(small)
    await put(small, voltage=D(230), phases=3)
    assert sent(small).profile.schedules[0].periods[0].limit == D("11040.0")
    with pytest.raises(Invalid, match="both are needed"):
        await put(small, voltage=D(230))


async def test_asking_for_nothing_asks_for_everybodys_profiles(small: Small) -> None:
    await charging.get(small.core, GetProfiles(station="CP1"), ANA)
    assert small.stations.given[-1][1].sources == ("CSO", "EMS", "SO", "Other")  # type: ignore[attr-defined]


async def test_what_a_whole_report_lacks_is_gone(small: Small) -> None:
    await put(small)
    small.clock.pass_(minutes=1)
    await charging.get(small.core, GetProfiles(station="CP1", purpose="tx-default"), ANA)
    request_id = small.stations.given[-1][1].request_id  # type: ignore[attr-defined]
    small.clock.pass_(seconds=1)
    other = profile(limit=7, id=99)
    await small.hear("CP1", ProfilesReported(request_id, 2, "CSO", (other,)), "2.0.1")
    assert [(one.evse, one.id) for one in await known(small)] == [(2, 99)]


async def test_the_composite_schedule_is_told_beside_our_own(small: Small) -> None:
    await put(small)
    told = Schedule("A", (Period(0, D("10.0")),), NOON, 300)
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (), (told,))
    await charging.get_composite(small.core, GetComposite(station="CP1", evse=1, duration_s=300), ANA)
    await small.restart()
    view = await charging.show_composite(small.core, ShowComposite("CP1", 1, 300), ANA)
    assert [step.limit for step in view.told] == [D("10.0")]
    assert [step.limit for step in view.ours] == [D(16)]
    in_w = await charging.show_composite(small.core, ShowComposite("CP1", 1, 300, "W"), ANA)
    assert [step.limit for step in in_w.ours] == [None] and len(in_w.left_out) == 1


NEEDS = Needs(1, "AC_three_phase", max_current=D(32), max_voltage=D(400), departure_at=after(60))


async def ask_for(small: Small, needs: Needs = NEEDS) -> str:
    answer = await small.hear("CP1", NeedsNotified(needs), "2.0.1")
    status: str = answer.status
    return status


async def test_a_car_gets_what_applies_cut_to_what_it_takes(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    await put(small, wanted=profile(limit=16))
    assert await ask_for(small) == "accepted"
    plan = sent(small).profile
    assert (plan.purpose, plan.transaction_id, plan.schedules[0].duration_s) == ("tx", "tx-1", 3600)
    assert [(p.limit, p.phases) for p in plan.schedules[0].periods] == [(D("16.0"), 3)]
    (view,) = await charging.needed(small.core, ListChargingNeeds("CP1"), ANA)
    assert (view.profile, view.answer) == (plan.id, "accepted")


async def test_a_plan_made_of_an_operators_profile_keeps_its_place(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    await put(small, wanted=profile("tx", limit=10, stack_level=2))
    operators = sent(small).profile.id
    await ask_for(small)
    plan = sent(small).profile
    assert (plan.id, plan.stack_level, plan.schedules[0].periods[0].limit) == (operators, 2, D("10.0"))
    await ask_for(small, evolve(NEEDS, max_current=D(8)))
    assert sent(small).profile.schedules[0].periods[0].limit == D("8.0")


async def test_without_a_session_there_is_nothing_to_plan(small: Small) -> None:
    assert await ask_for(small) == "rejected"
    assert not small.stations.given


async def test_a_car_gives_energy_back_only_with_the_right_to(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.1")
    needs = evolve(NEEDS, energy_transfer="DC_BPT", max_power=D(20_000))
    assert await ask_for(small, needs) == "rejected"
    (session,) = small.core.lane("CP1").state.sessions.values()
    request = AllowEnergyTransfer(session=session.id, modes=("DC_BPT",))
    await v2x.allow(small.core, request, ANA)
    assert await ask_for(small, needs) == "accepted"
    assert await ask_for(small) == "rejected"


async def test_the_right_may_be_the_tokens(small: Small) -> None:
    await v2x.set_right(small.core, SetEnergyTransferRight(TOKEN.id, ("DC_BPT",)), ANA)
    await small.restart()
    await small.hear("CP1", event("started", 0, NOON, evse=1, token=TokenRef(TOKEN.id)), "2.1")
    assert await ask_for(small, evolve(NEEDS, energy_transfer="DC_BPT")) == "accepted"


async def test_a_flood_of_needs_is_one_plan_at_a_time(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    asked = 0

    async def again() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            for current in range(10, 20):
                small.clock.pass_(seconds=1)
                received = NeedsNotified(evolve(NEEDS, max_current=D(current)))
                await observe(small.core, "CP1", Received(received, small.clock.now(), "2.0.1", "x", "[]"))

    small.stations.before_answer = again
    await ask_for(small)
    orders = [order for _, order in small.stations.given if isinstance(order, SetChargingProfile)]
    assert len(orders) == 2
    assert orders[-1].profile.schedules[0].periods[0].limit == D("19.0")


async def test_a_schedule_beyond_the_limits_is_rejected_and_answered_with_a_plan(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    await ask_for(small)
    within = EvScheduleNotified(1, Schedule("A", (Period(0, D(32)),)), NOON + timedelta(seconds=1))
    assert (await small.hear("CP1", within, "2.0.1")).accepted
    beyond = EvScheduleNotified(1, Schedule("A", (Period(0, D(64)),)), NOON + timedelta(seconds=1))
    small.clock.pass_(minutes=2)
    before = len(small.stations.given)
    assert not (await small.hear("CP1", beyond, "2.0.1")).accepted
    assert len(small.stations.given) == before + 1


async def test_the_preview_is_the_same_as_a_command_line(small: Small) -> None:
    two = (Period(0, D(16), 3), Period(7200, D("6.5"), 3))
    wanted = Profile("tx-default", (Schedule("A", two, duration_s=9000),), stack_level=1)
    shown = await put(small, wanted=wanted, dry_run=True)
    assert shown.cli == (
        "cms profiles set CP1 --evse 1 --purpose tx-default --rate 16A --rate 7200=6.5A --stack-level 1"
        " --duration 9000 --phases 3"
    )
    assert not small.stations.given


async def limits_sent(small: Small) -> list[D | None]:
    await small.settled()
    return [
        order.profile.schedules[0].periods[0].limit
        for _, order in small.stations.given
        if isinstance(order, SetChargingProfile) and order.profile.purpose == "tx"
    ]


async def test_a_car_with_a_plan_is_told_when_the_limits_change(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    await ask_for(small)
    small.clock.pass_(minutes=2)
    await put(small, wanted=profile(limit=16))
    assert await limits_sent(small) == [D("32.0"), D("16.0")]
    ems = LimitNotified(0, "EMS", (Schedule("A", (Period(0, D(9)),)),))
    await small.hear("CP1", ems, "2.0.1")
    await small.hear("CP1", ems, "2.0.1")
    assert await limits_sent(small) == [D("32.0"), D("16.0"), D("9.0")]
    await small.hear("CP1", LimitCleared("EMS"), "2.0.1")
    assert await limits_sent(small) == [D("32.0"), D("16.0"), D("9.0"), D("16.0")]
    await charging.clear(small.core, ClearProfiles(station="CP1", purpose="tx-default"), ANA)
    assert (await limits_sent(small))[-1] == D("32.0")


async def test_limits_that_change_while_a_plan_is_being_sent_make_one_plan_more(small: Small) -> None:
    await small.hear("CP1", event("started", 0, NOON, evse=1), "2.0.1")
    await ask_for(small)
    small.clock.pass_(minutes=2)

    async def meanwhile() -> None:
        small.stations.before_answer = None
        for limit in range(6, 30):
            seen = LimitNotified(0, "EMS", (Schedule("A", (Period(0, D(limit)),)),))
            await observe(small.core, "CP1", Received(seen, small.clock.now(), "2.0.1", "x", "[]"))
        while len(small.tasks) and not all(task.done() for task in small.tasks[-24:]):
            await asyncio.sleep(0)

    small.stations.before_answer = meanwhile
    await small.hear("CP1", LimitNotified(0, "EMS", (Schedule("A", (Period(0, D(5)),)),)), "2.0.1")
    assert await limits_sent(small) == [D("32.0"), D("5.0"), D("29.0")]


async def test_a_queued_profile_is_sent_as_it_was_ordered(small: Small) -> None:
    link = small.stations.links.pop("CP1")
    wanted = profile("tx-default", 6.5)
    intent = await put(small, wanted=wanted, queue_s=600)
    assert intent.status == "queued"
    await small.restart()
    small.stations.links["CP1"] = link
    await connected(small.core, "CP1", "1.6", "127.0.0.1")
    await small.settled()
    order = sent(small)
    assert (order.evse, order.profile.schedules[0].periods[0].limit) == (1, D("6.5"))
    assert order.profile.schedules[0].start == NOON
    assert [one.id for one in await known(small)] == [order.profile.id]
