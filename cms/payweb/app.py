"""The pay page as an application: which address is which page, and what goes wrong as a page too."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cms.contract.refusals import Refusal, TooMany, Unreachable
from cms.core import Clash, Core, StoreDown
from cms.houses import Houses
from cms.limits import take
from cms.operations import Operation
from cms.payweb import cards, charging, gate, offers, webhooks
from cms.payweb.shop import Shop, Visit, visit

log = structlog.get_logger("cms.payweb")


class Page(Protocol):
    """Answers a visit."""

    __name__: str

    async def __call__(self, visit: Visit, /) -> Response: ...


#: Address below an organisation (the main one has none of its own), method, page.
_PAGES: tuple[tuple[str, str, Page], ...] = (
    ("/", "GET", offers.welcome),
    ("/e", "GET", offers.look_up),
    ("/e/{place}", "GET", offers.show),
    ("/e/{place}", "POST", offers.begin),
    ("/w/{station}/{evse:int}", "GET", offers.scanned),
    ("/p/{id}", "GET", charging.show),
    ("/p/{id}/live", "GET", charging.live),
    ("/p/{id}/confirmed", "POST", charging.confirmed),
    ("/p/{id}/stop", "POST", charging.stop),
    ("/p/{id}/receipt", "GET", charging.receipt),
    ("/card/{id}", "GET", cards.show),
    ("/card/{id}", "POST", cards.finish),
    ("/webhooks/{provider}", "POST", webhooks.told),
)

#: HTTP status -> the word for it; what is to be said besides.
_ERRORS = {
    403: ("denied", "denied_more"),
    404: ("not_found", "not_found_more"),
    405: ("not_found", "not_found_more"),
    409: ("conflict", None),
    413: ("too_long", None),
    422: ("invalid", None),
    429: ("too_often", "too_often_more"),
    501: ("conflict", None),
    502: ("conflict", None),
    503: ("away", "away_more"),
    504: ("away", "away_more"),
}
_BROKEN = ("broken", "broken_more")
#: Errors whose own sentence helps a driver.
_TELLING = (409, 422, 501, 502)


def create_pay_app(
    served: Core | Houses, operations: Mapping[type, Operation], url: str, links: Sequence[str] = ()
) -> Starlette:
    """The application. ``url`` is where drivers reach it; ``links`` are ``terms=URL``, ``privacy=``, ``imprint=``."""
    houses = served if isinstance(served, Houses) else Houses(served, served)
    shop = Shop(houses, operations, url, tuple(links))
    routes = [Route("/static/{name}", _static(shop)), Route("/healthz", _healthy)]
    routes += [
        Route(above + path, _endpoint(shop, page), methods=[method])
        for above in ("", "/{organisation}")
        for path, method, page in _PAGES
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _missing(shop)})
    app.router.redirect_slashes = False
    app.state.shop = shop
    return app


def _endpoint(shop: Shop, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visitor = visit(shop, request)
        who = gate.network(request)
        try:
            take(shop.limits.reads, who, "requests")
            if request.method == "POST":
                gate.same_site(request)  # a provider's machine says nothing of sites
            return await page(visitor)
        except Exception as error:
            return _refused(visitor, page, who, error)

    return endpoint


def _refused(visitor: Visit, page: Page, who: str, error: Exception) -> Response:
    """An error as a page; a bug of ours is logged here once, and says nothing of itself."""
    if isinstance(error, StoreDown):
        error = Unreachable("the record cannot be written now")
    status = 409 if isinstance(error, Clash) else gate.status_of(error)
    if status == 404 and (wait_s := visitor.shop.limits.misses.wait_s(who)):
        error, status = TooMany("too many guesses", wait_s), 429
    if status == 500:
        # Not the address: who has that of a session may end it.
        log.error("page.failed", page=f"{page.__module__}.{page.__name__}", exc_info=error)
    return _told(visitor, status, error)


def _told(visitor: Visit, status: int, error: Exception) -> Response:
    word, more = _ERRORS.get(status, _BROKEN)
    told = error.message if isinstance(error, Refusal) and status in _TELLING else None
    place = visitor.request.path_params.get("place")
    if status == 404 and place is not None:
        word, more = "no_point", "no_point_more"
    answer = visitor.page("problem", status, word=word, more=more, told=told, place=place)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    elif status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def _missing(shop: Shop) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Addresses that there are not."""

    async def missing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        answer = _told(visit(shop, request), error.status_code, error)
        answer.headers.update(error.headers or {})
        return answer

    return missing


def _static(shop: Shop) -> Callable[[Request], Awaitable[Response]]:
    async def static(request: Request) -> Response:
        found = shop.static.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        forever = {**gate.HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(found[1], headers=forever, media_type=found[0])

    return static


async def _healthy(_: Request) -> Response:
    """For a proxy that asks whether we are there."""
    return Response("ok\n", headers=gate.HEADERS, media_type="text/plain")
