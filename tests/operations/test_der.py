"""DER controls from an operator's order to what runs; grid alarms open and close."""

from __future__ import annotations

from typing import Any

import pytest

from cms.contract.der import ClearDerControls, GetDerControls, ListDerAlarms, ListDerControls, SetDerControl
from cms.contract.refusals import Conflict, Invalid
from cms.domain.der import Control, ControlMoved, ControlsReported, GridAlarmed
from cms.domain.orders import OrderAnswer
from cms.operations import der
from tests.domain.build import NOON, after
from tests.operations.small import ANA, Small

DROOP = {"overFreq": 50.2, "underFreq": 49.8, "overDroop": 5, "underDroop": 5, "responseTime": 1}


async def put(small: Small, kind: str = "FreqDroop", **fields: Any) -> Any:
    settings = {"duration": 60, **DROOP} if not fields.get("default") else DROOP
    request = SetDerControl(station="CP1", control_type=kind, **{"settings": settings, **fields})
    return await der.set_(small.core, request, ANA)


async def known(small: Small) -> dict[str, str]:
    found = await der.list_(small.core, ListDerControls("CP1"), ANA)
    return {control.id: control.state for control in found}


async def test_a_control_is_kept_with_its_time_and_superseded_by_what_the_station_says(small: Small) -> None:
    await put(small, control="a")
    small.stations.answer = OrderAnswer("accepted", "Accepted", {}, (), ("a",))
    await put(small, control="b")
    await small.restart()
    assert await known(small) == {"a": "superseded", "b": "waiting"}
    (_, b) = await der.list_(small.core, ListDerControls(), ANA)
    assert (b.start_at, b.duration_s, b.set_by, b.default) == (NOON, 60, "ana", False)


async def test_it_runs_and_stops_as_the_station_says(small: Small) -> None:
    await put(small, control="a")
    await put(small, control="b")
    await small.hear("CP1", ControlMoved("b", True, NOON, ("a",)), "2.1")
    assert await known(small) == {"a": "superseded", "b": "running"}
    await small.hear("CP1", ControlMoved("b", False, NOON), "2.1")
    await small.hear("CP1", ControlMoved("a", True, NOON), "2.1")
    assert await known(small) == {"a": "running", "b": "stopped"}


async def test_a_whole_report_says_what_is_set(small: Small) -> None:
    await put(small, control="a")
    await put(small, control="z", default=True)
    small.clock.pass_(minutes=1)
    await der.get(small.core, GetDerControls(station="CP1", default=False), ANA)
    request_id = small.stations.given[-1][1].request_id  # type: ignore[attr-defined]
    small.clock.pass_(minutes=1)
    for number, more in (("x", True), ("y", False)):
        told = Control(number, "FreqDroop", False)
        await small.hear("CP1", ControlsReported(request_id, (told,), more), "2.1")
    assert sorted(await known(small)) == ["x", "y", "z"]


async def test_clearing_follows_the_answer_and_the_kind_of_the_control(small: Small) -> None:
    await put(small, control="a")
    await put(small, control="z", default=True)
    await der.clear(small.core, ClearDerControls(station="CP1", control="z"), ANA)
    assert small.stations.given[-1][1].default is True  # type: ignore[attr-defined]
    await der.clear(small.core, ClearDerControls(station="CP1", control_type="VoltVar"), ANA)
    assert list(await known(small)) == ["a"]
    await der.clear(small.core, ClearDerControls(station="CP1"), ANA)
    assert await known(small) == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "Nonsense"}, "no DER control"),
        ({"default": True, "settings": {**DROOP, "duration": 5}}, "always holds"),
        ({"settings": DROOP}, "how long it holds"),
        ({"kind": "EnterService"}, "only be a default"),
        ({"control": "x" * 37}, "36 characters"),
    ],
)
async def test_what_no_station_may_be_sent_is_refused(
    small: Small, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        await put(small, **fields)
    assert not small.stations.given


async def test_an_id_stands_for_one_kind_of_control(small: Small) -> None:
    await put(small, control="a")
    with pytest.raises(Conflict, match="a is FreqDroop already"):
        await put(small, "VoltVar", control="a")
    await put(small)
    assert len(set(await known(small))) == 2


async def test_alarms_open_and_close(small: Small) -> None:
    async def alarms(**more: Any) -> list[Any]:
        found = await der.alarms(small.core, ListDerAlarms("CP1", **more), ANA)
        return [(one.control_type, one.fault, one.started_at, one.ended_at) for one in found]

    await small.hear("CP1", GridAlarmed("LFMustTrip", "UnderFrequency", NOON), "2.1")
    await small.hear("CP1", GridAlarmed("LFMustTrip", "UnderFrequency", after(1)), "2.1")
    assert await alarms() == [("LFMustTrip", "UnderFrequency", NOON, None)]
    await small.hear("CP1", GridAlarmed("LFMustTrip", None, after(2), ended=True), "2.1")
    assert await alarms() == []
    assert await alarms(all=True) == [("LFMustTrip", "UnderFrequency", NOON, after(2))]
    await small.hear("CP1", GridAlarmed("LFMustTrip", "UnderFrequency", after(3)), "2.1")
    assert await alarms() == [("LFMustTrip", "UnderFrequency", after(3), None)]
