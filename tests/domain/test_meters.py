from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cms.domain.evolve import evolve
from cms.domain.meters import INTERVAL, POWER, REGISTER, Tally, gist
from cms.domain.observations import Reading, Sample
from cms.domain.sessions import Session
from tests.domain.build import NOON, after, register


def session(start_wh: int | None = 1000) -> Session:
    blank = Session("s1", "CP1", "1.6", "7", 7, "charging", NOON, NOON)
    tally = Tally(blank)
    if start_wh is not None:
        tally.begin(start_wh, NOON)
    return evolve(blank, **tally.fields())


def tally_of(*readings: Reading, start_wh: int | None = 1000) -> Tally:
    tally = Tally(session(start_wh))
    for reading in readings:
        tally.read(reading, NOON, live=True)
    return tally


def sample(measurand: str, value: str, **more: str) -> Sample:
    return Sample(measurand, Decimal(value), None, **more)


def test_the_total_at_the_outlet_is_preferred_and_phases_are_not_added_on_top() -> None:
    seen = gist(
        [
            sample(POWER, "7000"),
            sample(POWER, "2300", phase="L1"),
            sample(POWER, "2400", phase="L2"),
            sample(REGISTER, "99999", location="Inlet"),
            sample(REGISTER, "1234.5"),
        ]
    )
    assert (seen.power_w, seen.register_wh) == (7000, 1234)


def test_without_a_total_the_phases_are_summed() -> None:
    phases = [sample(POWER, "2300", phase=f"L{n}-N") for n in (1, 2, 3)]
    assert gist([*phases, sample(POWER, "400", phase="L1-L2")]).power_w == 6900


def test_power_is_derived_from_the_register_where_none_is_sent() -> None:
    assert tally_of(register(2000, after(6))).power_w == 10_000


def test_intervals_count_when_there_is_no_register_and_a_repeat_counts_once() -> None:
    reading = Reading(after(1), (sample(INTERVAL, "250"),))
    tally = tally_of(reading, reading, Reading(after(2), (sample(INTERVAL, "50"),)), start_wh=None)
    assert (tally.energy_wh, tally.source) == (300, "interval")


def test_a_register_that_restarts_counts_what_it_delivered_before_and_after() -> None:
    tally = tally_of(register(3000, after(1)), register(100, after(2)), register(600, after(3)))
    assert tally.energy_wh == 2000 + 500
    assert "register-decreased" in tally.flags


def test_a_single_zero_is_a_gap_and_no_reset() -> None:
    tally = tally_of(register(3000, after(1)), register(0, after(2)), register(3500, after(3)))
    assert (tally.energy_wh, sorted(tally.flags)) == (2500, ["register-zero"])


def test_a_register_that_jumps_back_to_where_it_fell_from_goes_on() -> None:
    tally = tally_of(register(3000, after(1)), register(40, after(2)), register(3300, after(3)))
    assert tally.energy_wh == 2300


def test_an_impossible_jump_is_flagged_and_kept() -> None:
    tally = tally_of(register(5_000_000, after(1)))
    assert "implausible-jump" in tally.flags and tally.energy_wh == 4_999_000


def test_readings_out_of_order_do_not_go_back() -> None:
    assert tally_of(register(3000, after(5)), register(2000, after(3))).energy_wh == 2000


def test_a_stop_below_the_start_keeps_the_energy_of_the_samples() -> None:
    tally = tally_of(register(3000, after(1)))
    assert tally.end(10, after(2)) == 10
    assert (tally.energy_wh, tally.source) == (2000, "last-sample")


def test_text_instead_of_a_number_is_no_reading() -> None:
    tally = tally_of(Reading(after(1), (Sample(REGISTER, None, "Wh", raw=""),)))
    assert tally.energy_wh == 0 and tally.last_sample_at == after(1)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40), st.integers(0, 10**9))
def test_a_rising_register_gives_its_difference(steps: list[int], start_wh: int) -> None:
    tally, register_wh = Tally(session(start_wh)), start_wh
    for minute, step in enumerate(steps, 1):
        register_wh += step
        tally.read(register(register_wh, after(minute)), NOON, live=True)
    # A zero where the register starts at zero is no fall.
    assert tally.energy_wh == register_wh - start_wh


@given(st.lists(st.tuples(st.integers(-100, 10**7), st.integers(-5, 60)), max_size=30))
def test_energy_is_never_negative_whatever_a_meter_says(readings: list[tuple[int, int]]) -> None:
    tally, at = Tally(session()), NOON
    for value, minutes in readings:
        at += timedelta(minutes=minutes)
        tally.read(register(value, at), NOON, live=True)
        assert tally.energy_wh >= 0
