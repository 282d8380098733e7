"""One FastAPI route from each row of OPERATIONS; method, path and answer from cms.contract.routes.

Fields of a request that its path names come from there, the others from the query (GET, DELETE) or the JSON
body (POST, PATCH). Unknown fields are refused: a misspelt ``dry_run`` must not reset a station.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, create_model
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from cms import __version__
from cms.api import metrics as figures
from cms.api.errors import JSON, REFUSAL_SCHEMA, answer_error, as_refusal, refused
from cms.api.follow import Following, Wanted, WatchFrames, stream
from cms.api.late import LateApp
from cms.api.listeners import Listeners
from cms.api.masked import FollowEvents, blindly, listening, note_denied, request_id, shown
from cms.api.pairing import add_pairings
from cms.api.who import PRINCIPAL, SLASH, Access, Gate
from cms.contract.intents import AwaitIntent
from cms.contract.refusals import Denied, Invalid, Unreachable
from cms.contract.routes import EVENT_STREAM, ORGANISATION_HEADER, ROUTES, Route
from cms.contract.stations import OrderTerms
from cms.core import Actor, Core, StoreDown
from cms.domain.roles import OWNER, PERMISSIONS
from cms.houses import Houses
from cms.limits import AtOnce, Buckets, Spread, take
from cms.operations import Operation
from cms.operations.approvals import check_served, hold, needs_two, wants_two
from cms.operations.auditing import Denials, Row, carried_out, changes_something
from cms.operations.grants import place_of

CURSOR_HEADER = "X-Cms-Cursor"

_IN_PATH = re.compile(r"\{(\w+)\}")
_STRICT = ConfigDict(extra="forbid")
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {JSON: {"schema": REFUSAL_SCHEMA}}}
    for status, meaning in {
        401: "Denied: nobody we know; over TCP a token is needed (Authorization: Bearer).",
        403: "Denied: the asker may not do this.",
        404: "NotFound: nothing of that name.",
        409: "Conflict: a rule speaks against it.",
        413: "Invalid: the body is too long.",
        422: "Invalid: the request is not right.",
        429: "Unreachable: too often, or too much at once; Retry-After says when.",
        501: "NotSupported: this station, or its OCPP version, cannot.",
        502: "Rejected: the station said no.",
        503: "Unreachable: the station or the database does not answer.",
        504: "TimedOut: the effect did not come in time.",
    }.items()
}


#: What OpenAPI says of the header, beside the parameters of each route.
_ORGANISATION = {
    "name": ORGANISATION_HEADER,
    "in": "header",
    "required": False,
    "description": "The organisation that is meant, `*` for the platform itself; else the asker's first.",
    "schema": {"type": "string"},
}


def create_app(
    served: Core | Houses,
    operations: Mapping[type, Operation],
    metrics: figures.Metrics,
    *,
    frames: WatchFrames | None = None,
    ready: Callable[[], bool] = lambda: True,
    own_uid: int | None = None,
    orders_per_minute: float = 30,
) -> FastAPI:
    """The control API over these operations. ``ready`` says whether stations can connect.

    Setting ``app.state.closing`` (an asyncio.Event) ends the event streams; ``app.state.denials`` is to be asked once a
    minute for what it kept back. ``orders_per_minute`` is for one asker and station. One core alone is the only
    organisation, and the platform too.
    """
    houses = served if isinstance(served, Houses) else Houses(served, served)
    permissions = frozenset(operation.permission for operation in operations.values()) | frozenset(
        PERMISSIONS
    )
    access = Access(houses, permissions, own_uid)
    rooms = _Rooms(access, orders_per_minute)
    access.denials = rooms.denials
    app = LateApp(
        title="Charging management system",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=True,
    )
    app.state.closing = asyncio.Event()
    app.state.denials = rooms.denials
    for kind, operation in operations.items():
        _add_route(app, rooms, kind, ROUTES[kind], operation)
    _add_event_stream(app, rooms, frames)
    _add_probes(app, houses.platform, metrics, ready)
    add_pairings(app, houses)
    for error in (HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error, answer_error)
    app.add_middleware(Gate, access=access)
    return app


class _Rooms:
    """Who may come to which operation, in which organisation, and how often."""

    def __init__(self, access: Access, orders_per_minute: float) -> None:
        self.access = access
        self.listeners = Listeners()
        self.denials = Denials()
        self._orders = Buckets(orders_per_minute / 60, orders_per_minute)
        self._exports = AtOnce(2, "exports")
        self._spread = Spread(_FLEET, _FLEET_WITHIN_S)

    def core(self, request: Request, *, platform: bool = False) -> Core:
        """The organisation that a request is about."""
        named = request.headers.get(ORGANISATION_HEADER)
        return self.access.core(request.scope[PRINCIPAL], named, platform=platform)

    async def row(
        self, core: Core, request: Request, asked: Any, permission: str, station: str | None
    ) -> Row:
        """Who asks what, allowed to, as the audit will know it. Raises Denied, which the audit knows too."""
        principal = request.scope[PRINCIPAL]
        try:
            actor = self.access.actor(core, principal, permission, station)
        except Denied as refused_:
            await note_denied(self.denials, core, principal, asked, permission, refused_)
            raise
        return Row(core, actor, asked, permission, request_id(core, request))

    def spare(self, core: Core, actor: Actor, asked: Any) -> None:
        """A station is given so many orders a minute by one asker. Raises TooMany.

        Not counted are those who own the daemon: a script of theirs is the machine itself.
        """
        if isinstance(asked, OrderTerms) and not asked.dry_run and actor.role != OWNER:
            where = str(getattr(asked, "station", None) or getattr(asked, "session", None) or "")
            key = (actor.key, core.organisation, where.casefold())
            take(self._orders, key, f"orders for {where} by {actor.name}")

    def fleet_wide(self, core: Core, asked: Any, actor: Actor) -> bool:
        """Whether this order of a kind goes to one station too many for one person, where the organisation wants two.

        A fleet is ordered about station by station: only by looking back it is seen as what it is.
        """
        if not isinstance(asked, OrderTerms) or asked.dry_run or not wants_two(core):
            return False
        if type(asked).__name__.startswith(_LOOKS):
            return False
        where = str(getattr(asked, "station", None) or getattr(asked, "session", None) or "").casefold()
        return self._spread.too_far((actor.key, core.organisation, type(asked)), where)

    def alone(self, kind: type, actor: Actor) -> AbstractContextManager[None]:
        """Held while it is done; exports are few at once."""
        return self._exports.one(actor.key) if kind.__name__.startswith("Export") else nullcontext()

    def moved(self, operation: Operation) -> None:
        """Rights may have changed: whoever lost his is sent away now."""
        if operation.permission in _RIGHTS:
            self.listeners.look_again()


#: More stations than this, given the same order by one person within so long, are a fleet.
_FLEET = 10
_FLEET_WITHIN_S = 600.0
#: Orders that only ask a station for something.
_LOOKS = ("Get", "Read", "Report", "Ask", "Check", "Trigger")

#: Operations with these change what others may do.
_RIGHTS = frozenset({"operators.write", "grants.write", "organisations.write"})


def _add_route(app: LateApp, rooms: _Rooms, kind: type, route: Route, operation: Operation) -> None:
    def make(router: APIRouter) -> None:
        router.add_api_route(
            route.path,
            _endpoint(rooms, kind, route, operation),
            methods=[route.method],
            name=kind.__name__,
            operation_id=kind.__name__,
            summary=_words(kind.__name__),
            description=_meaning(kind),
            tags=[route.path.split("/")[2]],
            status_code=204 if route.answers is None else 200,
            response_model=route.answers,
            responses=_REFUSALS,
            openapi_extra={"x-permission": operation.permission, "parameters": [_ORGANISATION]},
        )

    app.add_late(route.path, route.method, make)


def _endpoint(
    rooms: _Rooms, kind: type, route: Route, operation: Operation
) -> Callable[..., Awaitable[Response]]:
    """The function that FastAPI calls: its signature says where each field of the request comes from."""
    in_path = _IN_PATH.findall(route.path)
    fields_model = _model(kind, skip=in_path)

    async def endpoint(request: Request, fields: BaseModel, **path: Any) -> Response:
        names = {
            name: value.replace(SLASH, "/") if isinstance(value, str) else value
            for name, value in path.items()
        }
        asked = kind(**names, **{name: getattr(fields, name) for name in type(fields).model_fields})
        try:
            core = rooms.core(request, platform=getattr(operation, "platform", False))
            if route.method == "GET":
                _check_times(asked)
            row = await rooms.row(core, request, asked, operation.permission, place_of(core, asked))
            rooms.spare(core, row.actor, asked)
            cursor = await _cursor(core) if route.method == "GET" else None
            told, chosen = blindly(row)
            with rooms.alone(kind, row.actor):
                work = carried_out(row, lambda core: _done(rooms, core, told, row.actor, operation))
                answer = await (_while_wanted(request, work) if kind in _WAITING else work)
            rooms.moved(operation)
            answer = await shown(row, answer, chosen)
        except Exception as error:
            return refused(as_refusal(error))
        return _answered(answer, cursor)

    hints = typing.get_type_hints(kind)
    in_path_as = {name: hints[name] for name in in_path}
    endpoint.__signature__ = _signature(fields_model, in_path_as, route.method)  # type: ignore[attr-defined]
    return endpoint


def _check_times(asked: Any) -> None:
    """Moments to look at are moments, and far enough from the ends of the calendar to reckon with."""
    for field in dataclasses.fields(asked):
        at = getattr(asked, field.name)
        if isinstance(at, datetime) and (at.tzinfo is None or not 1970 <= at.year < 9999):
            raise Invalid(
                f"{field.name}: {at.isoformat()} is no time with an offset, after 1970 and before 9999",
                "e.g. 2026-05-01T12:00:00Z",
            )


async def _done(rooms: _Rooms, core: Core, asked: Any, actor: Actor, operation: Operation) -> Any:
    """What was asked; or kept until somebody else agrees."""
    if changes_something(asked):
        check_served(core, operation)
    if needs_two(core, asked, actor, operation) or rooms.fleet_wide(core, asked, actor):
        await hold(core, asked, actor, operation)
    return await operation.function(core, asked, actor)


#: Requests that only wait: nothing is lost when they end before their time. An order is never among them: it goes
#: on when whoever gave it has gone.
_WAITING = frozenset({AwaitIntent})


async def _while_wanted(request: Request, work: Awaitable[Any]) -> Any:
    """The answer; Unreachable as soon as the asker has gone or the daemon closes."""
    closing: asyncio.Event = request.app.state.closing
    answer = asyncio.ensure_future(work)
    ends = (asyncio.create_task(closing.wait()), asyncio.create_task(_gone(request)))
    try:
        await asyncio.wait((answer, *ends), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise Unreachable("The daemon is stopping; the order goes on without it", "ask again when it is back")
    finally:
        for task in (answer, *ends):
            task.cancel()
        await asyncio.gather(answer, *ends, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _model(kind: type, skip: list[str]) -> type[BaseModel]:
    """The request's other fields as pydantic checks them; the dataclass stays free of pydantic."""
    hints = typing.get_type_hints(kind)
    fields: dict[str, Any] = {
        field.name: (hints[field.name], _default(field))
        for field in dataclasses.fields(kind)
        if field.name not in skip
    }
    return create_model(f"{kind.__name__}Fields", __config__=_STRICT, __doc__=_meaning(kind), **fields)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return ... if field.default_factory is dataclasses.MISSING else field.default_factory()


def _signature(fields: type[BaseModel], in_path: Mapping[str, Any], method: str) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    source: Any = Body() if method in ("POST", "PATCH") else Query()
    optional = not any(field.is_required() for field in fields.model_fields.values())
    parameters = [
        inspect.Parameter("request", keyword, annotation=Request),
        inspect.Parameter(
            "fields",
            keyword,
            annotation=Annotated[fields, source],
            default=fields() if optional and method in ("POST", "PATCH") else inspect.Parameter.empty,
        ),
        *(inspect.Parameter(name, keyword, annotation=Annotated[k, Path()]) for name, k in in_path.items()),
    ]
    return inspect.Signature(parameters)


async def _cursor(core: Core) -> str | None:
    """Where events stand before the answer is made; without a record the answer comes without."""
    try:
        return await core.store.cursor()
    except StoreDown:
        return None


def _answered(answer: Any, cursor: str | None) -> Response:
    headers = {CURSOR_HEADER: cursor} if cursor is not None else None
    if answer is None:
        return Response(status_code=204, headers=headers)
    return Response(msgspec.json.encode(answer), headers=headers, media_type=JSON)


def _add_event_stream(app: FastAPI, rooms: _Rooms, frames: WatchFrames | None) -> None:
    async def follow(
        request: Request,
        after: Annotated[str | None, Query(description="Begin after this cursor; else from now on.")] = None,
        station: Annotated[str | None, Query(description="Events of this station alone.")] = None,
        type: Annotated[str | None, Query(description="e.g. session.*,connector.status")] = None,
        frames_of: Annotated[
            str | None,
            Query(
                alias="frames", description="Add this station's frames (event: frame); * for all stations."
            ),
        ] = None,
    ) -> Response:
        if frames_of is not None and frames is None:
            return refused(Invalid("This daemon cannot show frames"))
        cursor = request.headers.get("Last-Event-ID") or after
        principal = request.scope[PRINCIPAL]
        wants = [("events.read", station)]
        if frames_of is not None:
            wants.append(("messages.read", None if frames_of == "*" else frames_of))
        try:
            core = rooms.core(request)
            asked = FollowEvents(station, type, frames_of)
            for permission, place in wants:
                row = await rooms.row(core, request, asked, permission, place)
            rooms.listeners.check(principal)
            if cursor is None:
                cursor = await core.store.cursor()
            else:
                await core.store.events_after(cursor, 1)
            shown_as = await listening(row)
            watched = (
                frames(core.organisation, frames_of) if frames is not None and frames_of is not None else None
            )
        except Exception as error:
            return refused(as_refusal(error))

        def may() -> bool:
            return all(rooms.access.may(core, principal, permission, place) for permission, place in wants)

        begin = partial(
            stream, core, cursor, Wanted(station, type), app.state.closing, watched, shown=shown_as
        )
        return Following(rooms.listeners.one(principal, may), lambda no_more: begin(no_more=no_more))

    app.add_api_route(
        EVENT_STREAM,
        follow,
        methods=["GET"],
        operation_id="FollowEvents",
        summary="Follow events",
        description="Server-sent events: id is the cursor, event the type, data the event as JSON.",
        tags=["events"],
        response_class=StreamingResponse,
        openapi_extra={"x-permission": "events.read", "parameters": [_ORGANISATION]},
        responses={
            200: {
                "description": "The stream.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **_REFUSALS,
        },
    )


def _add_probes(app: FastAPI, core: Core, metrics: figures.Metrics, ready: Callable[[], bool]) -> None:
    async def healthz() -> Response:
        """The process runs and its loop turns."""
        return PlainTextResponse("ok\n")

    async def readyz() -> Response:
        """The record can be written and stations can connect."""
        if not core.store.healthy:
            return refused(Unreachable("The database cannot commit now"))
        if not ready():
            return refused(Unreachable("Stations cannot connect yet"))
        return PlainTextResponse("ready\n")

    async def scrape() -> Response:
        """Figures for Prometheus."""
        return Response(metrics.render(), media_type=figures.CONTENT_TYPE)

    for path, endpoint in {"/healthz": healthz, "/readyz": readyz, "/metrics": scrape}.items():
        app.add_api_route(path, endpoint, methods=["GET"], tags=["probes"], response_class=PlainTextResponse)


def _words(name: str) -> str:
    """``ListUnknownStations`` -> ``List unknown stations``."""
    return re.sub(r"(?<!^)([A-Z])", lambda match: " " + match[1].lower(), name)


def _meaning(kind: type) -> str:
    """The request's docstring; nothing where dataclasses made one up."""
    text = inspect.getdoc(kind) or ""
    return "" if text.startswith(f"{kind.__name__}(") else text
