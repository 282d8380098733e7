from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cms.contract.configuration import BootView, SetBoot, ShowBoot
from cms.contract.monitoring import ListMonitors, MonitorWish, SetMonitors
from cms.contract.quirks import SetQuirks
from cms.contract.refusals import Invalid, Rejected
from cms.domain.devicemodel import ReportVariables
from cms.domain.monitoring import Monitor, MonitorAnswer, ReportMonitors
from cms.domain.observations import Booted
from cms.domain.orders import OrderAnswer, ReadVariables, Reset, Trigger, VariableAnswer, WriteVariables
from cms.operations import boots, monitoring, quirks
from tests.operations.small import ANA, Small

BOOT = Booted("V", "M", firmware="1.0")
OK = OrderAnswer("accepted", "Accepted", {"status": "Accepted"})


async def boot(small: Small, version: str = "1.6", seen: Booted = BOOT) -> str:
    """What the station is answered; everything that follows has been done."""
    answer = await small.hear("CP1", seen, version, "BootNotification")
    await small.settled()
    return str(answer.status)


async def shown(small: Small) -> BootView:
    return await boots.show(small.core, ShowBoot("CP1"), ANA)


def given(small: Small) -> list[Any]:
    return [order for _, order in small.stations.given]


async def test_variables_are_set_before_the_station_is_accepted(small: Small) -> None:
    await boots.set_(small.core, SetBoot(station="CP1", values={"HeartbeatInterval": "60"}), ANA)
    assert (await shown(small)).policy == "pending"
    assert await boot(small) == "pending"
    assert given(small) == [WriteVariables({"HeartbeatInterval": "60"}), Trigger("BootNotification")]
    assert (await shown(small)).progress == "set"
    assert await boot(small) == "accepted"
    view = await shown(small)
    assert (view.policy, view.progress) == ("accepted", "done")
    assert await boot(small) == "accepted"
    assert len(given(small)) == 2, "it is done once"


async def test_a_station_that_refuses_stays_pending_and_is_told_again_at_its_next_boot(small: Small) -> None:
    await boots.set_(small.core, SetBoot(station="CP1", values={"A": "1"}), ANA)
    told = (VariableAnswer("A", "1", "Rejected"),)
    small.stations.answer = OrderAnswer("rejected", "Rejected", {}, told)
    assert await boot(small) == "pending"
    view = await shown(small)
    assert (view.progress, view.policy) == ("failed", "pending")
    assert view.detail is not None and "A Rejected" in view.detail
    small.stations.answer = OK
    assert await boot(small) == "pending"
    assert (await shown(small)).progress == "set"


async def test_values_that_need_a_reboot_get_one(small: Small) -> None:
    await boots.set_(small.core, SetBoot(station="CP1", values={"A": "1"}), ANA)
    small.stations.answer = OrderAnswer(
        "accepted", "RebootRequired", {}, (VariableAnswer("A", "1", "RebootRequired"),)
    )
    await boot(small)
    assert given(small) == [WriteVariables({"A": "1"}), Reset("on-idle")]
    assert await boot(small) == "accepted"


async def test_a_station_that_is_pending_already_need_not_boot_first(small: Small) -> None:
    await boots.set_(small.core, SetBoot(station="CP1", policy="pending"), ANA)
    await boot(small)
    await boots.set_(small.core, SetBoot(station="CP1", policy="accepted", values={"A": "1"}), ANA)
    await small.settled()
    assert given(small) == [WriteVariables({"A": "1"}), Trigger("BootNotification")]


async def test_waiting_values_can_be_taken_back(small: Small) -> None:
    await boots.set_(small.core, SetBoot(station="CP1", values={"A": "1"}), ANA)
    await boots.set_(small.core, SetBoot(station="CP1", values={}), ANA)
    assert await boot(small) == "accepted"
    assert given(small) == []


async def test_waiting_values_survive_a_restart(small: Small) -> None:
    await boots.set_(small.core, SetBoot(station="CP1", values={"A": "1"}), ANA)
    await small.restart()
    assert await boot(small) == "pending"


async def test_no_secret_waits_in_the_record(small: Small) -> None:
    with pytest.raises(Invalid, match="secret"):
        await boots.set_(small.core, SetBoot(station="CP1", values={"AuthorizationKey": "x" * 16}), ANA)
    for nonsense in (SetBoot(station="CP1", policy="maybe"), SetBoot(station="CP1", inventory="maybe")):
        with pytest.raises(Invalid):
            await boots.set_(small.core, nonsense, ANA)


def automatic(small: Small, inventory: str = "2.x", *, monitors: bool = True) -> None:
    small.core.terms = replace(small.core.terms, inventory=inventory, monitors=monitors)
    small.stations.connect("CP1", "2.0.1")


async def test_the_inventory_is_taken_on_the_first_boot_with_a_firmware(small: Small) -> None:
    automatic(small)
    await boot(small, "2.0.1")
    (order,) = given(small)
    assert isinstance(order, ReportVariables) and order.base == "full"
    await boot(small, "2.0.1")
    assert len(given(small)) == 1, "this firmware is known"
    await boot(small, "2.0.1", Booted("V", "M", firmware="2.0"))
    assert len(given(small)) == 2
    assert (await shown(small)).inventory_of == "2.0"


async def test_a_station_that_has_no_report_is_not_asked_at_every_boot(small: Small) -> None:
    automatic(small)
    small.stations.answer = Rejected("CP1 answered GetBaseReport with 'NotSupported'")
    await boot(small, "2.0.1")
    await boot(small, "2.0.1")
    assert [order.base for order in given(small)] == ["full", "configuration"]


async def test_automatic_commands_are_switched_for_all_and_for_each(small: Small) -> None:
    automatic(small)
    await boots.set_(small.core, SetBoot(station="CP1", inventory="off"), ANA)
    await boot(small, "2.0.1")
    assert given(small) == []
    automatic(small, "off")
    await boots.set_(small.core, SetBoot(station="CP1", inventory="on"), ANA)
    await quirks.set_(small.core, SetQuirks("CP1", {"automatic-commands": "no"}), ANA)
    await boot(small, "2.0.1")
    assert given(small) == []


async def test_a_1_6_station_tells_all_its_keys_where_that_is_wanted(small: Small) -> None:
    small.core.terms = replace(small.core.terms, inventory="2.x")
    await boot(small)
    assert given(small) == []
    small.core.terms = replace(small.core.terms, inventory="all")
    await boot(small)
    assert given(small) == [ReadVariables()]


async def test_monitors_are_read_again_after_a_boot_because_their_numbers_may_be_others(small: Small) -> None:
    automatic(small, "off")
    await boot(small, "2.0.1")
    assert given(small) == [], "there is nothing to read"
    wish = MonitorWish("EVSE@1.Power", "periodic", 8, 60)
    told = MonitorAnswer(Monitor(42, "EVSE@1.Power", "periodic", 60.0, 8), "Accepted")
    small.stations.answer = replace(OK, told=(told,))
    await monitoring.set_(small.core, SetMonitors(station="CP1", monitors=(wish,)), ANA)
    assert [m.id for m in await monitoring.list_(small.core, ListMonitors("CP1"), ANA)] == [42]
    small.stations.answer = OK
    await boot(small, "2.0.1")
    assert isinstance(given(small)[-1], ReportMonitors)
