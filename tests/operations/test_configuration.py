from __future__ import annotations

import pytest

from cms.contract.configuration import ListReports, ReportConfiguration
from cms.contract.intents import IntentView, ShowIntent
from cms.contract.refusals import Conflict, Invalid, Rejected
from cms.contract.stations import GetConfiguration, ListVariables, SetConfiguration, Variable
from cms.domain.devicemodel import Characteristics, ReportVariables
from cms.domain.observations import Booted, ReportReceived, VariableReported
from cms.domain.orders import OrderAnswer, ReadVariables, VariableAnswer, WriteVariables
from cms.operations import configuration, intents
from tests.operations.small import ANA, Small


def part(request_id: int, number: int, *variables: VariableReported, more: bool = False) -> ReportReceived:
    key = f"report|{request_id}|{number}"
    return ReportReceived(key, key.encode()[:16].ljust(16), request_id, number, variables, more)


async def known(small: Small) -> dict[str, Variable]:
    found = await configuration.list_(small.core, ListVariables("CP1"), ANA)
    return {variable.name: variable for variable in found}


async def hear(small: Small, *parts: ReportReceived) -> None:
    for each in parts:
        await small.hear("CP1", each, "2.0.1", "NotifyReport")


async def ask(small: Small, base: str = "full") -> tuple[int, IntentView]:
    """The request id of a report that was asked for, and its order."""
    small.stations.connect("CP1", "2.0.1")
    request = ReportConfiguration(station="CP1", base=base)
    intent = await configuration.report(small.core, request, ANA)
    assert isinstance(intent, IntentView)
    order = small.stations.given[-1][1]
    assert isinstance(order, ReportVariables)
    return order.request_id, intent


async def test_a_full_report_that_is_whole_takes_the_place_of_what_was_known(small: Small) -> None:
    await hear(small, part(1, 0, VariableReported("Old.One", "1"), VariableReported("New.A", "0")))
    small.clock.pass_(minutes=1)
    number, intent = await ask(small)
    small.clock.pass_(seconds=1)
    await hear(small, part(number, 0, VariableReported("New.A", "a"), more=True))
    await hear(small, part(number, 2, VariableReported("New.C", "c")))
    assert set(await known(small)) == {"Old.One", "New.A", "New.C"}
    (_, report) = await configuration.list_reports(small.core, ListReports("CP1"), ANA)
    assert (report.holes, report.complete, report.subject) == ((1,), False, "inventory")
    await hear(small, part(number, 1, VariableReported("New.B", "b"), more=True))
    told = {name: v.value for name, v in (await known(small)).items()}
    assert told == {"New.A": "a", "New.B": "b", "New.C": "c"}
    assert (await intents.show(small.core, ShowIntent(intent.id), ANA)).status == "confirmed"


async def test_a_report_of_less_than_everything_takes_nothing_away(small: Small) -> None:
    await hear(small, part(1, 0, VariableReported("Old.One", "1")))
    small.clock.pass_(minutes=1)
    number, _ = await ask(small, "configuration")
    await hear(small, part(number, 0, VariableReported("New.A", "a")))
    assert set(await known(small)) == {"Old.One", "New.A"}


async def test_a_report_that_overtakes_its_answer_is_whole_all_the_same(small: Small) -> None:
    await hear(small, part(1, 0, VariableReported("Old.One", "1")))
    small.clock.pass_(minutes=1)

    async def overtake() -> None:
        order = small.stations.given[-1][1]
        assert isinstance(order, ReportVariables)
        await hear(small, part(order.request_id, 0, VariableReported("New.A", "a")))

    small.stations.before_answer = overtake
    _, intent = await ask(small)
    assert intent.status == "confirmed"
    assert set(await known(small)) == {"New.A"}


async def test_parts_that_nobody_asked_for_are_kept(small: Small) -> None:
    await hear(small, part(99, 0, VariableReported("Own.Idea", "x")))
    assert (await known(small))["Own.Idea"].value == "x"
    (report,) = await configuration.list_reports(small.core, ListReports("CP1"), ANA)
    assert (report.asked_at, report.complete) == (None, True)


async def test_a_report_that_never_ends_has_failed_when_its_time_is_over(small: Small) -> None:
    number, intent = await ask(small)
    await hear(small, part(number, 0, more=True))
    small.clock.pass_(seconds=301)
    await intents.look_again(small.core, "CP1", intent.id)
    view = await intents.show(small.core, ShowIntent(intent.id), ANA)
    assert (view.status, view.detail) == (
        "failed",
        "the station accepted but parts of its report are missing",
    )


async def test_a_report_is_not_waited_for_when_the_station_restarts(small: Small) -> None:
    number, intent = await ask(small)
    await hear(small, part(number, 0, more=True))
    await small.hear("CP1", Booted("V", "M", reason="Triggered"), "2.0.1")
    assert (await intents.show(small.core, ShowIntent(intent.id), ANA)).status == "accepted"
    await small.hear("CP1", Booted("V", "M", reason="PowerUp"), "2.0.1")
    view = await intents.show(small.core, ShowIntent(intent.id), ANA)
    assert (view.status, view.detail) == ("failed", "the station booted before its report was whole")


async def test_a_refused_report_is_not_waited_for(small: Small) -> None:
    small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await ask(small)
    assert await configuration.list_reports(small.core, ListReports("CP1"), ANA) == []


async def test_what_a_report_told_of_a_variable_stays_when_its_value_is_read_again(small: Small) -> None:
    kind = Characteristics("integer", "s", 0.0, 99.0, values=(), monitored=True)
    told = VariableReported("C.V", "5", readonly=False, mutability="ReadWrite", characteristics=kind)
    await hear(small, part(1, 0, told))
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (VariableAnswer("C.V", "6", "Accepted"),))
    small.stations.connect("CP1", "2.0.1")
    await configuration.get(small.core, GetConfiguration(station="CP1", names=("C.V",)), ANA)
    variable = (await known(small))["C.V"]
    assert (variable.value, variable.unit, variable.max_limit, variable.monitored) == ("6", "s", 99.0, True)
    with pytest.raises(Invalid, match="at most 99 s"):
        await configuration.set_(small.core, SetConfiguration(station="CP1", values={"C.V": "100"}), ANA)


async def test_what_is_read_only_is_refused_unless_it_is_forced(small: Small) -> None:
    await hear(small, part(1, 0, VariableReported("C.V", "5", readonly=True, mutability="ReadOnly")))
    small.stations.connect("CP1", "2.0.1")
    with pytest.raises(Conflict, match="read-only"):
        await configuration.set_(small.core, SetConfiguration(station="CP1", values={"C.V": "6"}), ANA)
    request = SetConfiguration(station="CP1", values={"C.V": "6"}, force=True)
    await configuration.set_(small.core, request, ANA)
    assert small.stations.given[-1][1] == WriteVariables({"C.V": "6"})


async def test_a_write_only_value_is_never_shown(small: Small) -> None:
    await hear(small, part(1, 0, VariableReported("C.V", None, mutability="WriteOnly")))
    small.stations.connect("CP1", "2.0.1")
    small.stations.answer = OrderAnswer(
        "accepted", "Accepted", {}, (VariableAnswer("C.V", "hush", "Accepted"),)
    )
    await configuration.set_(small.core, SetConfiguration(station="CP1", values={"C.V": "hush"}), ANA)
    assert (await known(small))["C.V"].value is None


async def test_a_caller_need_not_know_how_much_the_station_takes(small: Small) -> None:
    items = VariableReported("DeviceDataCtrlr.ItemsPerMessage#GetVariables", "4")
    size = VariableReported("DeviceDataCtrlr.BytesPerMessage#GetVariables", "900")
    await hear(small, part(1, 0, items, size))
    small.stations.connect("CP1", "2.0.1")
    await configuration.get(small.core, GetConfiguration(station="CP1", names=("A.B", "a.b", "C.D")), ANA)
    assert small.stations.given[-1][1] == ReadVariables(("A.B", "C.D"), 4, 900)


async def test_a_name_of_the_other_generation_is_understood(small: Small) -> None:
    request = SetConfiguration(station="CP1", values={"OCPPCommCtrlr.HeartbeatInterval": "60"})
    await configuration.set_(small.core, request, ANA)
    assert small.stations.given[-1][1] == WriteVariables({"HeartbeatInterval": "60"})


async def test_standard_keys_are_described_though_1_6_stations_tell_values_alone(small: Small) -> None:
    told = VariableAnswer("heartbeatInterval", "300", "Accepted", readonly=False)
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (told,))
    await configuration.get(small.core, GetConfiguration(station="CP1"), ANA)
    variable = (await known(small))["heartbeatInterval"]
    assert (variable.unit, variable.data_type, variable.same_as) == (
        "s",
        "integer",
        "OCPPCommCtrlr.HeartbeatInterval",
    )


async def test_a_report_is_of_one_kind(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")
    for nonsense in (
        ReportConfiguration(station="CP1"),
        ReportConfiguration(station="CP1", base="everything"),
        ReportConfiguration(station="CP1", base="full", names=("C.V",)),
        ReportConfiguration(station="CP1", criteria=("broken",)),
        ReportConfiguration(station="CP1", base="full", within_s=0),
    ):
        with pytest.raises(Invalid):
            await configuration.report(small.core, nonsense, ANA)
    assert small.stations.given == []
