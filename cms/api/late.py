"""Routes that are made when somebody first comes for them.

FastAPI writes a schema for each field of each route, which for all routes of the contract takes longer than
everything else that a daemon does before it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies import utils
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute, Match, NoMatchFound, compile_path
from starlette.types import Receive, Scope, Send

# FastAPI remembers the fields of 128 models of query parameters, and takes those of others for new ones each time that
# it looks: with more routes than that OpenAPI cannot be told, and each request would have its model analysed again.
_fields_of = getattr(utils, "get_cached_model_fields", None)
if _fields_of is not None:
    utils.get_cached_model_fields = lru_cache(maxsize=None)(_fields_of.__wrapped__)  # type: ignore[attr-defined]

Make = Callable[[APIRouter], None]
"""Adds one route to a router."""


class LateRoute(BaseRoute):
    """Stands for a route until it is met; it knows the way there and nothing of what is behind."""

    def __init__(self, path: str, method: str, make: Make) -> None:
        self.path = path
        self.methods = {method}
        self._regex, _, self._convertors = compile_path(path)
        self.make = make
        self._made: APIRoute | None = None

    @property
    def route(self) -> APIRoute:
        """The route itself."""
        if self._made is None:
            router = APIRouter()
            self.make(router)
            made = router.routes[-1]
            assert isinstance(made, APIRoute)
            self._made = made
        return self._made

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or not self._regex.match(scope["path"]):
            return Match.NONE, {}
        if scope["method"] not in self.methods:
            return Match.PARTIAL, {}
        return self.route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.route.handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)


class LateApp(FastAPI):
    """An application some of whose routes are late ones; /openapi.json tells of all of them."""

    def add_late(self, path: str, method: str, make: Make) -> None:
        self.router.routes.append(LateRoute(path, method, make))

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            told = FastAPI(
                title=self.title,
                version=self.version,
                docs_url=None,
                redoc_url=None,
                openapi_url=None,
                separate_input_output_schemas=self.separate_input_output_schemas,
            )
            for route in self.routes:
                if isinstance(route, LateRoute):
                    route.make(told.router)
                else:
                    told.router.routes.append(route)
            self.openapi_schema = told.openapi()
        return self.openapi_schema
