"""``cms stations`` against the real API."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest

from cms.contract import stations
from tests.api.small import House
from tests.cli.conftest import Cms

STATION_KEYS = [
    "id", "ocpp_version", "vendor", "model", "firmware", "serial", "online", "last_seen", "site", "connectors",
]  # fmt: skip


async def test_a_list_is_a_table_for_people(cms: Cms) -> None:
    said = await cms("stations", "list")
    assert said.code == 0
    assert said.lines[0].split()[:4] == ["ID", "LINK", "CONNECTORS", "POWER"]
    assert [line.split()[0] for line in said.lines[1:]] == ["CP-1", "CP-2"]
    assert "●✖ charging faulted" in said.lines[1]


async def test_a_list_as_json_has_the_promised_keys(cms: Cms) -> None:
    first = (await cms("stations", "list", "-o", "json")).told[0]
    assert list(first)[:10] == STATION_KEYS
    assert first["serial"] is None
    assert first["last_seen"] == "2026-11-22T12:00:00Z"
    connector = first["connectors"][0]
    assert list(connector)[:6] == ["evse", "connector", "status", "session", "power_w", "error_code"]


async def test_one_station_as_json_is_one_object(cms: Cms) -> None:
    assert (await cms("stations", "show", "CP-1", "-o", "json")).told["id"] == "CP-1"


async def test_jsonl_is_one_object_a_line_and_name_one_id(cms: Cms) -> None:
    assert len((await cms("stations", "list", "-o", "jsonl")).lines) == 2
    assert (await cms("stations", "list", "-o", "name")).out == "CP-1\nCP-2\n"


async def test_csv_cells_are_no_formulas(cms: Cms) -> None:
    said = await cms("stations", "list", "-o", "csv", "--columns", "id,firmware,online")
    assert list(csv.reader(io.StringIO(said.out))) == [
        ["id", "firmware", "online"],
        ["CP-1", "'=1+1", "true"],
        ["CP-2", "'=1+1", "false"],
    ]


async def test_yaml_reads_as_the_same_values(cms: Cms) -> None:
    yaml = pytest.importorskip("yaml")
    told = (await cms("stations", "list", "-o", "json")).told
    assert yaml.safe_load((await cms("stations", "list", "-o", "yaml")).out) == told


@pytest.mark.parametrize("output", ["table", "wide", "json", "jsonl", "csv", "yaml", "name"])
async def test_hostile_text_never_reaches_the_terminal(cms: Cms, output: str) -> None:
    for verb in (["list"], ["show", "CP-1"], ["unknown"]):
        said = await cms("stations", *verb, "-o", output)
        assert said.code == 0
        bad = {c for c in said.out if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}
        assert not bad


async def test_filter_sort_limit_columns_and_headers_are_obeyed(cms: Cms) -> None:
    said = await cms("stations", "list", "--filter", "online=false", "--columns", "id,site", "--no-headers")
    assert said.out == "CP-2  garage\n"
    assert (await cms("stations", "list", "--sort", "-id", "--limit", "1", "-o", "name")).out == "CP-2\n"


@pytest.mark.parametrize("output", ["table", "wide"])
async def test_of_two_columns_with_one_key_the_first_is_meant(cms: Cms, output: str) -> None:
    said = await cms("stations", "list", "--columns", "id,connectors", "--limit", "1", "-o", output)
    assert [line.split() for line in said.lines] == [
        ["ID", "CONNECTORS"],
        ["CP-1", "●✖", "charging", "faulted"],
    ]


@pytest.mark.parametrize("verb", [["list"], ["list", "--watch"], ["show", "CP-1"]])
@pytest.mark.parametrize("output", ["table", "csv", "jsonl"])
async def test_an_unknown_column_is_refused_with_the_nearest_or_all(
    cms: Cms, output: str, verb: list[str]
) -> None:
    said = await cms("stations", *verb, "--columns", "id,stie", "-o", output)
    assert (said.code, said.out) == (2, "")
    assert said.err == "cms: There is no column 'stie': did you mean site?\n"
    said = await cms("stations", *verb, "--columns", "id,xyz", "-o", output)
    assert said.err.startswith("cms: There is no column 'xyz': one of id, ocpp_version, ")


async def test_columns_are_keys_of_the_json_too_and_keys_within_them(cms: Cms) -> None:
    said = await cms("stations", "show", "CP-1", "--columns", "ocpp_version,connectors.status", "-o", "json")
    assert said.told == {"ocpp_version": "1.6", "connectors.status": ["charging", "faulted"]}


async def test_a_filter_with_a_mistake_says_where(cms: Cms) -> None:
    said = await cms("stations", "list", "--filter", "sitee=x")
    assert (said.code, said.out) == (2, "")
    assert said.err == "cms: Filter: there is no key 'sitee' (column 1): did you mean 'site'?\n"


async def test_a_station_that_is_not_there_is_exit_4(cms: Cms) -> None:
    said = await cms("stations", "show", "nope")
    assert (said.code, said.out) == (4, "")
    assert said.err == "cms: There is no station nope. Try: cms stations list\n"


async def test_with_json_the_error_is_an_object_on_stderr(cms: Cms) -> None:
    said = await cms("stations", "show", "nope", "-o", "json")
    assert said.code == 4
    assert said.error == {
        "refusal": "NotFound",
        "message": "There is no station nope",
        "hint": "cms stations list",
    }


async def test_registering_prints_the_password_as_data(cms: Cms) -> None:
    said = await cms("stations", "add", "S1", "-o", "json")
    assert said.told["password"] == "pw"
    assert (await cms("stations", "add", "S1")).lines[-1].split() == ["password", "pw"]


async def test_a_password_comes_from_stdin(cms: Cms, house: House) -> None:
    await cms("stations", "add", "S1", "--password-stdin", stdin="secret\n")
    assert house.asked == [stations.AddStation("S1", password="secret")]


async def test_removing_asks_first_and_refuses_where_nobody_is(cms: Cms, house: House) -> None:
    said = await cms("stations", "remove", "CP-2")
    assert said.code == 2
    assert "--yes" in said.err
    assert (await cms("stations", "remove", "CP-2", types="n\n")).code == 130
    assert set(house.stations) == {"CP-1", "CP-2"}
    assert (await cms("stations", "remove", "CP-2", types="y\n")).code == 0
    assert set(house.stations) == {"CP-1"}


async def test_a_dry_run_of_removing_says_what_would_happen_and_asks_nothing(cms: Cms, house: House) -> None:
    said = await cms("stations", "remove", "CP-2", "--dry-run")
    assert (said.code, said.err) == (0, "cms: would remove station CP-2\n")
    assert set(house.stations) == {"CP-1", "CP-2"}
