"""``cms ask`` reaches every operation by the name of its request."""

from __future__ import annotations

import pytest

from cli.ask import built, called, described
from cms.contract.refusals import Invalid, NotFound
from cms.contract.routes import ROUTES
from cms.contract.stations import ListStations, ResetStation


@pytest.mark.parametrize("word", ["ListStations", "list-stations", "liststations", "LIST_STATIONS"])
def test_a_request_is_found_however_it_is_spelled(word: str) -> None:
    assert called(word) is ListStations


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(NotFound) as refused:
        called("ListStation")
    assert refused.value.hint == "did you mean ListStations?"


def test_no_two_requests_have_the_same_name() -> None:
    assert len({kind.__name__.casefold() for kind in ROUTES}) == len(ROUTES)


def test_every_request_can_be_described() -> None:
    rows = [described(kind) for kind in ROUTES]
    assert all(row["method"] and row["path"].startswith("/v1/") for row in rows)
    assert "*station:str" in described(ResetStation)["fields"]


def test_fields_are_read_and_wrong_ones_named() -> None:
    assert built(ResetStation, {"station": "CP-1", "timeout_s": 3}) == ResetStation(
        station="CP-1", timeout_s=3
    )
    with pytest.raises(Invalid) as refused:
        built(ResetStation, {"stations": "CP-1"})
    assert refused.value.hint == "did you mean station?"
    with pytest.raises(Invalid, match=r"ResetStation: .*station"):
        built(ResetStation, {})
    with pytest.raises(Invalid, match="dry_run"):
        built(ResetStation, {"station": "CP-1", "dry_run": "perhaps"})
