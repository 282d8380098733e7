from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cms.domain import payments

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECRET = "a secret of one station, and no other"


def fits(code: str, at: datetime) -> bool:
    return payments.totp_fits(SECRET, code, at, 60, 8)


def test_a_code_is_good_in_its_interval_and_in_those_beside_it() -> None:
    code = payments.totp(SECRET, NOON, 60, 8)
    assert [fits(code, NOON + timedelta(seconds=s)) for s in (-61, -60, 0, 59, 119, 120)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_a_code_is_that_of_one_secret_alone_and_every_character_counts() -> None:
    code = payments.totp(SECRET, NOON, 60, 8)
    assert len(code) == 8 and set(code) <= set(payments.ALPHABET)
    assert not payments.totp_fits("another", code, NOON, 60, 8)
    assert not fits(code[:-1], NOON)
    assert not fits(code + "0", NOON)
    assert not fits("ä" * 8, NOON)


def test_a_code_is_shown_from_the_beginning_of_its_interval_to_its_end() -> None:
    begin, end = payments.interval_of(NOON + timedelta(seconds=42), 60)
    assert (begin, end) == (NOON, NOON + timedelta(seconds=60))
