"""Routes: what comes in, what goes out, and how no is said."""

from __future__ import annotations

import re
from typing import Any

import httpx
import jsonschema
import pytest

from cms.contract import intents, stations
from cms.contract.routes import EVENT_STREAM, ROUTES
from cms.operations import OPERATIONS
from tests.api.small import House


async def test_an_answer_has_every_key_and_times_in_utc(http: httpx.AsyncClient) -> None:
    told = (await http.get("/v1/stations/cp-1")).json()
    assert told["last_seen"] == "2026-11-22T12:00:00Z"
    assert told["serial"] is None
    assert set(told) == set(stations.StationView.__dataclass_fields__)


async def test_a_request_is_built_from_path_and_body(http: httpx.AsyncClient, house: House) -> None:
    answer = await http.post("/v1/stations/CP-1/reset", json={"kind": "hard", "queue_s": 7200})
    assert answer.status_code == 200
    assert house.asked == [stations.ResetStation(station="CP-1", kind="hard", queue_s=7200.0)]


async def test_a_body_of_defaults_may_be_left_out(http: httpx.AsyncClient, house: House) -> None:
    assert (await http.post("/v1/stations/CP-1/reset")).status_code == 200
    assert house.asked == [stations.ResetStation(station="CP-1")]


async def test_a_list_carries_the_cursor_from_before_the_query(http: httpx.AsyncClient, house: House) -> None:
    house.happen("station.changed")
    assert (await http.get("/v1/stations")).headers["X-Cms-Cursor"] == "1"


async def test_an_empty_answer_is_204(http: httpx.AsyncClient) -> None:
    answer = await http.delete("/v1/stations/CP-2")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_the_asker_is_the_user_at_the_other_end(http: httpx.AsyncClient, house: House) -> None:
    import getpass

    await http.get("/v1/stations")
    assert house.actors[0].name == getpass.getuser()
    assert house.actors[0].role == "owner"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "refusal", "message"),
    [
        ("GET", "/v1/stations/nope", None, 404, "NotFound", "no station nope"),
        ("GET", "/v1/stations?fliter=x", None, 422, "Invalid", "'fliter'"),
        ("GET", "/v1/stations?filter=sit=1", None, 422, "Invalid", "'sit'"),
        ("POST", "/v1/stations/CP-1/reset", {"dryrun": True}, 422, "Invalid", "'dryrun'"),
        ("POST", "/v1/stations/CP-1/reset", {"timeout_s": "x"}, 422, "Invalid", "timeout_s"),
        ("POST", "/v1/stations/CP-1/reset", [1], 422, "Invalid", "JSON object"),
        ("POST", "/v1/tokens", {}, 422, "Invalid", "token is missing"),
        ("POST", "/v1/tokens", {"token": "TAG1"}, 409, "Conflict", "TAG1"),
        ("POST", "/v1/stations/CP-1/unlock", {}, 501, "NotSupported", "no lock"),
        ("POST", "/v1/stations/CP-2/reset", {}, 503, "Unreachable", "offline"),
        ("GET", "/v1/stations/CP-1/variables", None, 500, "Refusal", "inside the daemon"),
        ("GET", "/v1/nothing", None, 404, "NotFound", "no such route"),
        ("PUT", "/v1/tokens", None, 405, "Invalid", "Not Allowed"),
    ],
)
async def test_a_no_is_typed_and_one_sentence(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int, refusal: str, message: str
) -> None:
    answer = await http.request(method, path, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["refusal"]) == (status, refusal)
    assert message in error["message"]
    assert set(error) == {"refusal", "message", "hint"}


async def test_a_body_that_is_not_json_is_invalid(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/tokens", content=b"{{", headers={"Content-Type": "application/json"})
    assert answer.json()["error"]["message"] == "The body is not JSON"


async def test_a_list_without_a_record_still_answers_but_carries_no_cursor(
    http: httpx.AsyncClient, house: House
) -> None:
    house.record.healthy = False
    answer = await http.get("/v1/stations")
    assert answer.status_code == 200
    assert "X-Cms-Cursor" not in answer.headers


async def test_openapi_tells_fields_answers_and_refusals_of_every_route(http: httpx.AsyncClient) -> None:
    told = (await http.get("/openapi.json")).json()
    reset = told["paths"]["/v1/stations/{station}/reset"]["post"]
    schemas = told["components"]["schemas"]
    fields = schemas[reset["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]]
    assert {"kind", "dry_run", "queue_s", "at"} <= set(fields["properties"])
    assert "station" not in fields["properties"]
    assert fields["additionalProperties"] is False
    answers = reset["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert [answer["$ref"].split("/")[-1] for answer in answers] == ["IntentView", "Preview"]
    assert set(reset["responses"]) >= {"403", "404", "409", "422", "501", "502", "503", "504"}
    assert EVENT_STREAM in told["paths"]
    query = told["paths"]["/v1/stations"]["get"]["parameters"]
    assert [parameter["name"] for parameter in query] == ["filter", "CMS-Organisation"]


def test_every_operation_has_a_route_and_every_route_an_operation() -> None:
    assert set(OPERATIONS) == set(ROUTES)


def test_no_two_routes_are_the_same() -> None:
    assert len({(route.method, route.path) for route in ROUTES.values()}) == len(ROUTES)


async def test_ready_says_whether_the_record_can_be_written(http: httpx.AsyncClient, house: House) -> None:
    assert (await http.get("/readyz")).status_code == 200
    house.record.healthy = False
    assert (await http.get("/readyz")).status_code == 503
    assert (await http.get("/healthz")).status_code == 200


async def test_a_preview_is_told_from_an_intent(client: Any) -> None:
    assert isinstance(await client.ask(stations.ResetStation(station="CP-1", dry_run=True)), intents.Preview)
    assert isinstance(await client.ask(stations.ResetStation(station="CP-1")), intents.IntentView)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/status",
        "/v1/events/list",
        "/v1/stations",
        "/v1/stations/CP-1",
        "/v1/unknown-stations",
        "/v1/sessions",
        "/v1/sessions/s1",
        "/v1/tokens",
        "/v1/intents",
    ],
)
async def test_answers_are_as_openapi_tells(http: httpx.AsyncClient, house: House, path: str) -> None:
    house.happen("connector.status", station="CP-1", data={"evse": 1})
    await http.post("/v1/stations/CP-1/reset")
    told = (await http.get("/openapi.json")).json()
    route = next(
        methods["get"]
        for pattern, methods in told["paths"].items()
        if "get" in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)
    )
    schema = route["responses"]["200"]["content"]["application/json"]["schema"]
    answer = (await http.get(path)).json()
    jsonschema.validate(answer, {**schema, "components": told["components"]})
