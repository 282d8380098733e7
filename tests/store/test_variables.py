"""The device model and the values of streams, in both databases."""

from __future__ import annotations

from datetime import timedelta

from cms.domain.boots import AtBoot
from cms.domain.changes import (
    AddStreamSamples,
    ForgetVariables,
    Keep,
    Rebooted,
    SaveStation,
    SaveVariables,
)
from cms.domain.devicemodel import Characteristics
from cms.domain.monitoring import Monitor
from cms.domain.observations import VariableReported
from cms.domain.problems import Problem
from cms.domain.stations import Station
from cms.domain.streams import Stream
from cms.store.engine import SqlStore
from tests.domain.build import NOON

LATER = NOON + timedelta(minutes=1)
KIND = Characteristics("integer", "s", 0.5, 99.0, 3, ("A", "B"), True)


async def test_what_a_report_told_stays_when_a_later_answer_has_the_value_alone(store: SqlStore) -> None:
    await store.commit([SaveStation(Station("CP1")), SaveStation(Station("CP2"))], [])
    told = VariableReported("C.V", "1", "Actual", False, False, "ReadWrite", True, False, KIND)
    await store.commit([SaveVariables("CP1", (told,), NOON)], [])
    await store.commit(
        [SaveVariables("CP1", (VariableReported("C.V", "2", reboot_required=True),), LATER)], []
    )
    (variable,) = await store.variables("cp1")
    assert (variable.value, variable.reboot_required, variable.reported_at) == ("2", True, LATER)
    assert (variable.mutability, variable.persistent, variable.constant) == ("ReadWrite", True, False)
    assert (variable.data_type, variable.unit, variable.min_limit, variable.max_limit) == (
        "integer",
        "s",
        0.5,
        99,
    )
    assert (variable.max_elements, variable.values, variable.monitored) == (3, ("A", "B"), True)
    await store.commit([Rebooted("CP1")], [])
    assert not (await store.variables("CP1"))[0].reboot_required


async def test_attributes_are_kept_apart(store: SqlStore) -> None:
    await store.commit([SaveStation(Station("CP1")), SaveStation(Station("CP2"))], [])
    both = (VariableReported("C.V", "1"), VariableReported("C.V", "9", "MaxSet"))
    await store.commit([SaveVariables("CP1", both, NOON)], [])
    assert {v.attribute: v.value for v in await store.variables("CP1")} == {"Actual": "1", "MaxSet": "9"}


async def test_what_was_told_before_an_instant_is_forgotten_of_that_station_alone(store: SqlStore) -> None:
    await store.commit([SaveStation(Station("CP1")), SaveStation(Station("CP2"))], [])
    for station in ("CP1", "CP2"):
        await store.commit([SaveVariables(station, (VariableReported("Old.One", "1"),), NOON)], [])
    new = SaveVariables("CP1", (VariableReported("New.One", "1"),), LATER)
    await store.commit([new, ForgetVariables("CP1", LATER)], [])
    assert [v.name for v in await store.variables("CP1")] == ["New.One"]
    assert [v.name for v in await store.variables("CP2")] == ["Old.One"]


async def test_the_latest_values_of_a_stream_are_read_oldest_first(store: SqlStore) -> None:
    values = tuple((NOON + timedelta(seconds=n), str(n)) for n in range(5))
    await store.commit([AddStreamSamples("CP1", 42, "EVSE@1.Power", values, LATER)], [])
    await store.commit([AddStreamSamples("CP1", 43, "EVSE@1.Voltage", values[:1], LATER)], [])
    found = await store.stream_samples("cp1", 42, 2)
    assert [(s.at, s.name, s.value) for s in found] == [
        (values[3][0], "EVSE@1.Power", "3"),
        (values[4][0], "EVSE@1.Power", "4"),
    ]


async def test_old_values_of_streams_are_forgotten_by_when_they_came_not_by_what_they_claim(
    store: SqlStore,
) -> None:
    future = ((NOON + timedelta(days=9000), "x"),)
    await store.commit([AddStreamSamples("CP1", 1, "A.B", future, NOON)], [])
    await store.commit([AddStreamSamples("CP1", 1, "A.B", ((NOON, "y"),), LATER)], [])
    assert await store.prune(streams_before=LATER) == 1
    assert [s.value for s in await store.stream_samples("CP1", 1, 9)] == ["y"]


async def test_monitors_problems_streams_and_boots_come_back_as_they_were(store: SqlStore) -> None:
    kept = {
        "monitor": Monitor(42, "EVSE@1.Power", "delta", 1.5, 5, True, "custom", 10, 5, NOON),
        "problem": Problem("EVSE@1.Power", "12", NOON, 7, 1, None, 5, 42, 6, "P7", None, LATER),
        "stream": Stream(1, 42, "EVSE@1.Power", 10, None, NOON),
        "boot": AtBoot({"A": "1"}, "failed", "no", None, False, ("V", None, "1.0"), NOON),
    }
    changes = [Keep("CP1", kind, "k", record, NOON) for kind, record in kept.items()]
    await store.commit([SaveStation(Station("CP1")), *changes], [])
    (state,) = (await store.load()).states
    assert {kind: state.kept[kind]["k"] for kind in kept} == kept
