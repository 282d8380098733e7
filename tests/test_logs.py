"""Lines of the log: sparing with those that say the same again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cms.logs import Sparing

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def test_a_station_that_redials_every_three_seconds_gets_a_few_lines_a_minute() -> None:
    sparing = Sparing(per_minute=6)
    passed = [sparing.kept_back("CP-7", NOON + timedelta(seconds=3 * n)) for n in range(40)]
    assert passed[:6] == [0] * 6
    assert passed[6:20] == [None] * 14
    assert passed[20] == 14, "the next minute tells what was kept back"
    assert passed[21:26] == [0] * 5


def test_one_station_does_not_silence_another() -> None:
    sparing = Sparing(per_minute=1)
    assert [sparing.kept_back(name, NOON) for name in ("CP-7", "CP-8", "CP-7")] == [0, 0, None]


def test_strangers_cannot_make_it_grow() -> None:
    sparing = Sparing()
    for number in range(25_000):
        sparing.kept_back(number, NOON)
    assert len(sparing._minutes) <= Sparing._MOST_SUBJECTS + 1
