from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cms.contract.monitoring import (
    AdjustStream,
    ClearMonitors,
    DismissProblem,
    ListMonitors,
    ListProblems,
    ListStreams,
    ListStreamSamples,
    MonitorWish,
    ReadStreams,
    ReportMonitors,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetMonitors,
    ShowMonitoring,
)
from cms.contract.refusals import Conflict, Invalid, NotFound, Rejected
from cms.contract.stations import AddStation
from cms.domain.changes import SaveVariables
from cms.domain.monitoring import ClearAnswer, Monitor, MonitorAnswer
from cms.domain.monitoring import ClearMonitors as Clear
from cms.domain.monitoring import SetMonitors as Set
from cms.domain.observations import ComponentEvent, ConnectorReported, EventsNotified, VariableReported
from cms.domain.orders import OrderAnswer
from cms.domain.streams import Stream, StreamAnswer, StreamOpened, StreamSampled
from cms.operations import monitoring, stations
from tests.domain.build import NOON
from tests.operations.small import ANA, Small

OK = OrderAnswer("accepted", "Accepted", {"status": "Accepted"})
POWER = Monitor(42, "EVSE@1.Power", "periodic", 60.0, 8)
WISH = MonitorWish("EVSE@1.Power", "periodic", 8, 60)


async def monitored(small: Small, monitor: Monitor = POWER) -> None:
    small.stations.connect("CP1", "2.1")
    small.stations.answer = replace(OK, told=(MonitorAnswer(monitor, "Accepted"),))
    await monitoring.set_(small.core, SetMonitors(station="CP1", monitors=(WISH,)), ANA)
    small.stations.answer = OK


async def known(small: Small) -> list[int]:
    return [monitor.id for monitor in await monitoring.list_(small.core, ListMonitors("CP1"), ANA)]


async def alert(small: Small, station: str, severity: int | None) -> None:
    event = ComponentEvent(1, NOON, "Fan", "Hot", "1", "Alerting", name="Fan.Hot", severity=severity)
    await small.hear(station, EventsNotified("k", b"d" * 16, (event,)), "2.1", "NotifyEvent")


async def test_what_a_station_watches_survives_a_restart(small: Small) -> None:
    await monitored(small)
    await alert(small, "CP1", None)
    await monitoring.level(small.core, SetMonitoringLevel(station="CP1", severity=5), ANA)
    await small.restart()
    assert await known(small) == [42]
    view = await monitoring.show(small.core, ShowMonitoring("CP1"), ANA)
    assert (view.level, view.base, view.monitors, view.problems) == (5, None, 1, 1)


async def test_a_monitor_that_the_station_refuses_is_not_in_the_register(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")
    told = (MonitorAnswer(POWER, "UnsupportedMonitorType"),)
    small.stations.answer = OrderAnswer("rejected", "UnsupportedMonitorType", {}, told=told)
    with pytest.raises(Rejected, match="UnsupportedMonitorType"):
        await monitoring.set_(small.core, SetMonitors(station="CP1", monitors=(WISH,)), ANA)
    assert await known(small) == []


async def test_a_difference_of_what_is_no_number_is_one(small: Small) -> None:
    small.stations.connect("CP1", "2.0.1")
    from cms.domain.devicemodel import Characteristics

    told = VariableReported("EVSE@1.State", "A", characteristics=Characteristics("OptionList"))
    await small.core.store.commit([SaveVariables("CP1", (told,), NOON)], [])
    for name in ("EVSE@1.State", "Who.Knows"):
        wish = MonitorWish(name, "delta", 8, 5 if name == "EVSE@1.State" else None)
        await monitoring.set_(small.core, SetMonitors(station="CP1", monitors=(wish,)), ANA)
        order = small.stations.given[-1][1]
        assert isinstance(order, Set) and order.monitors[0].value == 1.0


@pytest.mark.parametrize(
    "request_",
    [
        SetMonitors(station="CP1"),
        SetMonitors(station="CP1", monitors=(replace(WISH, type="sometimes"),)),
        SetMonitors(station="CP1", monitors=(replace(WISH, severity=10),)),
        SetMonitors(station="CP1", monitors=(replace(WISH, value=None),)),
        SetMonitors(station="CP1", monitors=(replace(WISH, value=0),)),
        SetMonitors(station="CP1", monitors=(replace(WISH, value=float("nan")),)),
        SetMonitors(station="CP1", monitors=(replace(WISH, id=-2),)),
        ClearMonitors(station="CP1"),
        ClearMonitors(station="CP1", ids=(-1,)),
        SetMonitoringBase(station="CP1", base="none"),
        SetMonitoringLevel(station="CP1", severity=-1),
        ReportMonitors(station="CP1", criteria=("vague",)),
        AdjustStream(station="CP1", stream=1),
        AdjustStream(station="CP1", stream=1, interval_s=-1),
    ],
)
async def test_nonsense_is_refused_before_anything_is_sent(small: Small, request_: Any) -> None:
    small.stations.connect("CP1", "2.1")
    does: dict[type, Any] = {
        SetMonitors: monitoring.set_,
        ClearMonitors: monitoring.clear,
        SetMonitoringBase: monitoring.base,
        SetMonitoringLevel: monitoring.level,
        ReportMonitors: monitoring.report,
        AdjustStream: monitoring.adjust,
    }
    with pytest.raises(Invalid):
        await does[type(request_)](small.core, request_, ANA)
    assert small.stations.given == []


async def test_a_hard_wired_monitor_is_not_replaced(small: Small) -> None:
    await monitored(small)
    lane = small.core.lane("CP1")
    hard = replace(POWER, origin="hard-wired")
    lane.state = lane.state.keeping("monitor", "42", hard)
    with pytest.raises(Conflict, match="hard-wired"):
        await monitoring.set_(small.core, SetMonitors(station="CP1", monitors=(replace(WISH, id=42),)), ANA)


async def test_monitors_that_are_cleared_are_named_once(small: Small) -> None:
    await monitored(small)
    small.stations.answer = replace(OK, told=(ClearAnswer(42, "Accepted"),))
    await monitoring.clear(small.core, ClearMonitors(station="CP1", ids=(42, 42)), ANA)
    assert small.stations.given[-1][1] == Clear((42,))
    assert await known(small) == []


async def test_the_gravest_problem_comes_first_and_one_without_severity_last(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    await alert(small, "CP1", 7)
    await alert(small, "CP2", 2)
    await small.hear("CP1", ConnectorReported(1, 1, "faulted", NOON, "GroundFailure"))
    found = await monitoring.problems(small.core, ListProblems(), ANA)
    assert [(p.station, p.name) for p in found] == [
        ("CP2", "Fan.Hot"),
        ("CP1", "Fan.Hot"),
        ("CP1", "GroundFailure"),
    ]
    assert len(await monitoring.problems(small.core, ListProblems("CP2"), ANA)) == 1


async def test_values_of_a_stream_can_be_read_after_it_was_closed(small: Small) -> None:
    await monitored(small)
    opened = await small.hear("CP1", StreamOpened(Stream(1, 42)), "2.1")
    assert opened == StreamAnswer(True)
    await small.hear("CP1", StreamSampled(1, 0, ((NOON, "230"),)), "2.1")
    (stream,) = await monitoring.list_streams(small.core, ListStreams("CP1"), ANA)
    assert (stream.name, stream.received) == ("EVSE@1.Power", 1)
    await monitoring.read_streams(small.core, ReadStreams(station="CP1"), ANA)
    assert await monitoring.list_streams(small.core, ListStreams("CP1"), ANA) == []
    samples = await monitoring.samples(small.core, ListStreamSamples("CP1", 42), ANA)
    assert [(s.at, s.value) for s in samples] == [(NOON, "230")]
    with pytest.raises(NotFound):
        await monitoring.samples(small.core, ListStreamSamples("CP1", 7), ANA)


async def test_a_person_may_dismiss_what_the_station_forgot_to_clear(small: Small) -> None:
    await alert(small, "CP1", 2)
    await monitoring.dismiss(small.core, DismissProblem("CP1", "fan.hot", "mended"), ANA)
    assert await monitoring.problems(small.core, ListProblems(), ANA) == []
    (event,) = [e for e in await small.core.store.events_after(None, 9) if e.type == "problem.cleared"]
    assert (event.actor, event.data["reason"]) == ("ana", "mended")
    with pytest.raises(NotFound, match="no standing alert"):
        await monitoring.dismiss(small.core, DismissProblem("CP1", "Fan.Hot"), ANA)
