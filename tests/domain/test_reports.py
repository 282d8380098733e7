from __future__ import annotations

from cms.domain import reports
from cms.domain.reports import REMEMBERED, Report
from cms.domain.stations import Station, StationState
from tests.domain.build import NOON, after

EMPTY = StationState(Station("CP1"))


def parts(*numbers: tuple[int | None, bool], state: StationState = EMPTY) -> Report:
    for number, more in numbers:
        state, _, report = reports.part(state, 7, "inventory", NOON, items=2, more=more, seq_no=number)
    return report


def test_a_report_is_complete_when_its_last_part_and_all_before_it_have_come():
    assert not parts((0, True), (1, True)).complete
    whole = parts((0, True), (1, True), (2, False))
    assert (whole.complete, whole.items, whole.holes) == (True, 6, ())


def test_a_missing_part_is_a_hole_that_can_be_filled_late():
    assert parts((0, True), (2, False)).holes == (1,)
    assert parts((0, True), (2, False), (1, True)).complete


def test_a_repeated_part_counts_once():
    assert parts((0, True), (0, True), (1, False)).items == 4


def test_stations_that_count_from_one_or_never_count_are_understood():
    assert parts((1, True), (2, False)).complete
    assert parts((None, True), (None, False)).complete
    assert parts((0, True), (0, False)).complete


def test_a_part_far_beyond_the_others_does_not_make_a_million_holes():
    assert parts((0, True), (2**31 - 1, False)).holes == ()


def test_a_report_may_overtake_the_answer_to_its_order():
    state, _, _ = reports.part(EMPTY, 7, "inventory", NOON, items=1, more=False, seq_no=0)
    state, _ = reports.asked(state, 7, "inventory", after(1))
    assert state.kept_of("report")["7"].complete


def test_only_the_latest_reports_are_remembered():
    state = EMPTY
    for number in range(REMEMBERED + 5):
        state, _ = reports.asked(state, number, "inventory", NOON)
    assert list(state.kept_of("report")) == [str(n) for n in range(5, REMEMBERED + 5)]
