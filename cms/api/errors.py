"""Everything that goes wrong, as a refusal with a status and a body; the only such table on this border."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from cms.contract.refusals import Conflict, Invalid, NotFound, Refusal, TooMany, Unreachable
from cms.core import Clash, StoreDown

log = structlog.get_logger("cms.api")

JSON = "application/json"

#: The body of every refusal, as OpenAPI tells it.
REFUSAL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["refusal", "message", "hint"],
            "properties": {
                "refusal": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": ["string", "null"]},
            },
        }
    },
}


def refused(refusal: Refusal, status: int | None = None) -> Response:
    """The refusal as it goes over the wire; ``status`` where the table's is not the right one."""
    told = {"refusal": refusal.name, "message": refusal.message, "hint": refusal.hint}
    status = status or refusal.http_status
    body = msgspec.json.encode({"error": told})
    return Response(body, status, _advice(refusal, status), media_type=JSON)


def _advice(refusal: Refusal, status: int) -> dict[str, str]:
    """Headers that tell a program what to do."""
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="cms"'}  # RFC 6750, 3
    if isinstance(refusal, TooMany):
        return {"Retry-After": str(math.ceil(refusal.retry_after_s))}
    return {"Retry-After": "5"} if isinstance(refusal, Unreachable) else {}


def as_refusal(error: Exception) -> Refusal:
    """What the asker is told of this error; a bug of ours is a plain Refusal, and logged here once."""
    match error:
        case Refusal():
            return error
        case StoreDown():
            return Unreachable("The database cannot commit now; nothing was changed", "try again shortly")
        case Clash():
            return Conflict("Somebody changed the same thing at the same moment", "look again, then repeat")
        case RequestValidationError():
            return Invalid(_sentence(error.errors()))
        case HTTPException(status_code=404):
            return NotFound("There is no such route", "GET /openapi.json lists them")
        case HTTPException():
            return Invalid(str(error.detail))
    log.error("request.failed", exc_info=error)
    return Refusal("Something went wrong inside the daemon; its log has the details")


async def answer_error(request: Request, error: Exception) -> Response:
    """Exception handler for everything. A body that is no JSON is as invalid as one with a wrong field: 422."""
    if not isinstance(error, HTTPException) or error.status_code == 400:
        return refused(as_refusal(error))
    answer = refused(as_refusal(error), error.status_code)
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(sorted(_allowed(request)))  # RFC 9110, 15.5.6
    return answer


def _allowed(request: Request) -> set[str]:
    """The methods of all routes with this path."""
    found = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in found for method in route.methods or ()}


def _sentence(mistakes: Sequence[Any]) -> str:
    """The first mistake: which field, what is wrong with it."""
    first = mistakes[0]
    place = [str(part) for part in first["loc"][1:]]
    field = ".".join(place) or "the request"
    match first["type"]:
        case "extra_forbidden":
            return f"There is no field {field!r} in this request"
        case "missing":
            return f"{field} is missing"
        case "json_invalid":
            return "The body is not JSON"
        case "model_attributes_type":
            return "The body must be a JSON object"
    problem = str(first["msg"])
    return f"{field}: {problem[:1].lower()}{problem[1:]}"
