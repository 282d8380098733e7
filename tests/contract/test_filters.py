"""The filter language: what matches, and where a mistake is said to be."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.contract.events import Event
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Invalid
from cms.contract.stations import ConnectorView, StationView

STATION = StationView(
    id="CP-1",
    ocpp_version="1.6",
    vendor="ABB",
    model="Terra 184",
    firmware="1.10",
    serial=None,
    online=False,
    last_seen=datetime(2026, 11, 22, 12, 0, 0, 500, UTC),
    site="Berlin-Mitte",
    connectors=(
        ConnectorView(1, 1, "faulted", None, None, "GroundFailure"),
        ConnectorView(2, 1, "charging", "s1", 60_000, None),
    ),
)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "site~berlin and (status=faulted or power_w>50000) and not model=abc*",
        "model=terra*",
        "MODEL=x or model='terra 184'",
        "model=terra* berlin",
        "ground",
        '"berlin-mitte"',
        "online=false",
        "not online=true",
        "serial=null",
        "site!=null",
        "site!=garage",
        "connectors.power_w>=60000",
        "connectors.status=charging",
        "last_seen>2026-11-22T12:00:00Z",
        "last_seen<2026-11-23",
        "firmware=1.10",
        "a or b or abb",
    ],
)
def test_these_match(expression: str) -> None:
    assert parse(expression, None)(STATION)


@pytest.mark.parametrize(
    "expression",
    [
        "site~garage",
        "status!=faulted",
        "online=true and site~berlin",
        "power_w>60000",
        "serial~x",
        "serial<5",
        "model='terra*'",
        "last_seen<2026-11-22T12:00:00Z",
        "abb and not berlin",
    ],
)
def test_these_do_not_match(expression: str) -> None:
    assert not parse(expression)(STATION)


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("a or", 5),
        ("(a", 3),
        ("site=", 6),
        ("=b", 1),
        ("site='abc", 6),
        ("a))", 2),
        ("online=false and (site=x or)", 28),
        ("a = and", 5),
    ],
)
def test_a_mistake_is_told_with_its_column(expression: str, column: int) -> None:
    with pytest.raises(Invalid, match=f"column {column}\\b"):
        parse(expression)


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(Invalid) as refused:
        parse("stat=faulted", keys_of(StationView))
    assert refused.value.hint == "did you mean 'status'?"


def test_the_keys_of_a_view_are_plain_and_dotted_and_open_for_free_parts() -> None:
    assert {"site", "status", "connectors.status"} <= keys_of(StationView)
    parse("data.status=charging", keys_of(Event))


def test_plain_mappings_match_like_views() -> None:
    row = {"id": "CP-1", "connectors": [{"status": "faulted"}], "data": {"soc": 80.5}}
    assert parse("status=faulted and soc>80")(row)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_invalid(expression: str) -> None:
    try:
        parse(expression)(STATION)
    except Invalid as refused:
        assert "column" in refused.message


def test_the_words_of_the_link_are_found_though_it_is_held_as_yes_or_no() -> None:
    online = dataclasses.replace(STATION, online=True)
    assert [parse("offline")(STATION), parse("offline")(online)] == [True, False]
    assert [parse("Online")(STATION), parse("not offline ground")(online)] == [False, True]
    assert not parse("online")({"id": "a session"})


def test_days_are_compared_as_days() -> None:
    thing = {"until": date(2026, 11, 30)}
    assert [text for text in ("until<2026-12-01", "until>=2026-11-30", "until>2026-11-30", "until=2026-11-30")
            if parse(text)(thing)] == ["until<2026-12-01", "until>=2026-11-30", "until=2026-11-30"]  # fmt: skip
