"""Times and numbers as stations write them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cms.ocpp.values import digest, exact, instant, plain, rfc3339

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T12:00:00.000Z", NOON),
        ("2026-01-01T14:00:00+02:00", NOON),
        ("2026-01-01T14:00:00+02", NOON),
        ("2026-01-01T12:00:00.123456Z", NOON.replace(microsecond=123456)),
        ("2026-01-01T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        (" 2026-01-01T12:00:00z ", NOON),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(written: str, at: datetime):
    remarks: list[str] = []
    assert instant(written, remarks) == at
    assert remarks == []


def test_a_time_without_zone_is_utc_and_remarked():
    remarks: list[str] = []
    assert instant("2026-01-01T12:00:00", remarks) == NOON
    assert instant("2026-01-01T12:00:00", remarks) == NOON
    assert remarks == ["time-without-zone"]


@pytest.mark.parametrize(
    ("written", "remark"),
    [
        ("0001-01-01T00:00:00Z", "time-absurd"),
        ("0001-01-01T00:00:00+14:00", "time-absurd"),
        ("9999-12-31T23:59:59-14:00", "time-absurd"),
        ("yesterday", "time-unreadable"),
        ("", "time-unreadable"),
        ("12:60", "time-unreadable"),
    ],
)
def test_what_cannot_be_a_time_is_none_and_remarked(written: str, remark: str):
    remarks: list[str] = []
    assert instant(written, remarks) is None
    assert remarks == [remark]


def test_no_time_is_no_remark():
    remarks: list[str] = []
    assert instant(None, remarks) is None
    assert remarks == []


def test_we_write_milliseconds_and_z():
    assert rfc3339(NOON) == "2026-01-01T12:00:00.000Z"
    assert rfc3339(NOON.replace(microsecond=123999)) == "2026-01-01T12:00:00.123Z"


@pytest.mark.parametrize("written", ["16.1", "-0.5", "+3", "1e3", "123456789.123", " 7 ", "5."])
def test_numbers_in_texts_are_exact(written: str):
    assert exact(written) == Decimal(written.strip())


@pytest.mark.parametrize(
    "written",
    ["", " ", "abc", "NaN", "Infinity", "1_000", "１２", "1,5", "1e99", "1e-99", "9" * 16, None, True, [1]],
)
def test_everything_else_is_no_number(written: object):
    assert exact(written) is None


def test_numbers_beyond_reason_are_none():
    assert exact(Decimal("1e400")) is None
    assert exact(Decimal("1." + "1" * 60)) is None
    assert exact(10**30) is None


def test_a_digest_follows_content_not_order():
    assert digest({"a": 1, "b": Decimal("16.1")}) == digest({"b": Decimal("16.1"), "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest({})) == 16


def test_plain_numbers_are_ordinary():
    assert plain({"a": [Decimal("2.0"), Decimal("16.1")]}) == {"a": [2, 16.1]}


def test_a_number_of_gigabytes_stays_the_few_letters_it_came_in():
    assert plain({"a": Decimal("1e4002147483648"), "b": Decimal("1e-999999"), "c": Decimal("20.0")}) == {
        "a": "1E+4002147483648",
        "b": "1E-999999",
        "c": 20,
    }
