"""Routes that are made when somebody first comes for them.

FastAPI writes a schema for each field of each route, which for all routes of the contract takes longer than
everything else that a daemon does before it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute, Match, NoMatchFound, compile_path
from starlette.types import Receive, Scope, Send

Make = Callable[[APIRouter], None]
"""Adds one route to a router."""


class LateRoute(BaseRoute):
    """Stands for a route until it is met; it knows the way there and nothing of what is behind."""

    def __init__(self, path: str, method: str, make: Make) -> None:
        self.path = path
        self.methods = {method}
        self._regex, _, self._convertors = compile_path(path)
        self._make = make
        self._made: APIRoute | None = None

    @property
    def route(self) -> APIRoute:
        """The route itself."""
        if self._made is None:
            router = APIRouter()
            self._make(router)
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
            routes = [route.route if isinstance(route, LateRoute) else route for route in self.routes]
            self.openapi_schema = get_openapi(
                title=self.title,
                version=self.version,
                routes=routes,
                separate_input_output_schemas=self.separate_input_output_schemas,
            )
        return self.openapi_schema
