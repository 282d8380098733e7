"""For those who come without a token: a code is asked for, and later whether somebody approved it (``cms login``).

Nobody is authenticated here, so nothing is told but to the one who knows what he asked with, and few may ask.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Body, FastAPI, Query, Request
from starlette.responses import Response

from cms.api.errors import JSON, as_refusal, refused
from cms.api.who import PAIRINGS
from cms.contract.refusals import NotFound
from cms.contract.routes import ORGANISATION_HEADER
from cms.core import Core
from cms.domain import pairing
from cms.houses import MAIN, Houses
from cms.limits import Buckets, take
from cms.operations.operators import ask_pairing, fetch_pairing

_PER_MINUTE = 5
_FETCHES_PER_S = 2


def add_pairings(app: FastAPI, houses: Houses) -> None:
    """The two routes."""
    asked = Buckets(_PER_MINUTE / 60, _PER_MINUTE)
    fetched = Buckets(_FETCHES_PER_S, 10 * _FETCHES_PER_S)

    async def ask(request: Request, digest: Annotated[str, Body()], name: Annotated[str, Body()]) -> Response:
        """Wait for a token whose secret has this SHA-256; answers the code that somebody must approve."""
        address = _address(request)
        try:
            take(asked, address, "codes asked for from here")
            made = ask_pairing(_core(houses, request), digest, name, address)
        except Exception as error:
            return refused(as_refusal(error))
        told = {"code": pairing.shown(made.code), "lasts_s": int(pairing.LASTS.total_seconds())}
        return Response(msgspec.json.encode(told), media_type=JSON)

    async def fetch(request: Request, code: str, digest: Annotated[str, Query()]) -> Response:
        """``waiting``, or ``approved`` with the id of the token."""
        try:
            take(fetched, _address(request), "questions")
            status, environment, id_ = fetch_pairing(_core(houses, request), code, digest)
        except Exception as error:
            return refused(as_refusal(error))
        told = {"status": status, "environment": environment, "id": id_}
        return Response(msgspec.json.encode(told), media_type=JSON)

    app.add_api_route(PAIRINGS, ask, methods=["POST"], include_in_schema=False)
    app.add_api_route(f"{PAIRINGS}/{{code}}", fetch, methods=["GET"], include_in_schema=False)


def _core(houses: Houses, request: Request) -> Core:
    named = request.headers.get(ORGANISATION_HEADER) or MAIN
    try:
        return houses.platform if named == "*" else houses.of(named)
    except NotFound:
        # Whether there is such an organisation is nobody's business: its code is one that nobody will approve.
        return houses.platform


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
