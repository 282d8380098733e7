"""Who may wait at the door, and who goes when there are too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cms.ocpp.gate import Gate

CROWD, DEPOT = "198.51.100.0", "10.0.0.0"


def test_the_crowd_pays_for_its_own_and_a_station_from_elsewhere_finds_a_place() -> None:
    gate: Gate[str] = Gate(places=4)
    for number in range(4):
        assert gate.enter(f"idle-{number}", CROWD, now=number) is None
    assert gate.enter("station", DEPOT, now=10) == "idle-0", "the one that has waited longest"
    assert gate.enter("idle-4", CROWD, now=10) == "idle-1"
    assert "station" in gate.all() and len(gate) == 4


def test_a_storm_of_good_stations_loses_nobody_who_is_being_served() -> None:
    gate: Gate[int] = Gate(places=100)
    for number in range(100):
        assert gate.enter(number, DEPOT, now=0.0) is None
    assert gate.enter(100, DEPOT, now=0.5) == 100, "the newest goes: it has cost nothing yet"
    gate.leave(0)
    assert gate.enter(101, DEPOT, now=0.5) is None


def test_some_files_are_never_taken() -> None:
    gate: Gate[str] = Gate(places=10, files=2000)
    assert gate.enter("first", DEPOT, now=0, file=1500) is None
    assert gate.enter("last", DEPOT, now=0, file=1501) == "last"
    assert Gate[str](places=10, files=40).enter("few", DEPOT, now=0, file=31) == "few"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 3), st.floats(0, 3))))
def test_there_are_never_too_many_and_nobody_is_forgotten(steps: list[tuple[bool, int, int, float]]) -> None:
    gate: Gate[int] = Gate(places=5)
    inside: set[int] = set()
    now = 0.0
    for enters, number, network, passes in steps:
        now += passes
        if enters and number not in inside:
            inside |= {number}
            inside -= {gate.enter(number, f"10.0.{network}.0", now)}
        elif not enters:
            gate.leave(number)
            inside -= {number}
        assert set(gate.all()) == inside and len(gate) <= 5
