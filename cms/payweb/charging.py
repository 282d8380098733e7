"""After the payment: how the session stands, its end, the receipt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response

from cms.contract.adhoc import OVER, AdHocView, ContinueAdHoc, Offer, ShowAdHoc, ShowOffer, StopAdHoc
from cms.contract.invoices import SellerView, ShowSeller
from cms.limits import take
from cms.payweb import figures, gate
from cms.payweb.shop import Visit

_LONGEST_ID = 80
#: Status -> the step it is at (see ``_STEPS``), seconds until the page asks again.
_AT: dict[str, tuple[int, int | None]] = {
    "authorizing": (0, 2),
    "action-needed": (0, 5),
    "starting": (1, 2),
    "charging": (2, 5),
    "ended": (3, 2),
    "paid": (4, None),
    "declined": (0, None),
    "failed": (3, 30),
    "canceled": (0, None),
}
_STEPS = ("step_pay", "step_start", "step_charge", "step_receipt")
#: Whether the driver can end it, and what that is called; while his bank asks, he can beside that.
_ENDS = {"authorizing": "give_up", "starting": "give_up", "charging": "stop"}


async def show(visit: Visit) -> Response:
    """How it stands; the page looks again by itself."""
    view = await _view(visit)
    offer: Offer | None = None
    if view.status == "action-needed":
        # What his browser needs for it is told to nobody but the page that shows it.
        view = await visit.ask(ContinueAdHoc(view.id))
        offer = await visit.ask(ShowOffer(_place(view)))
        visit.script = offer.script if offer else None
    return visit.page("session", **_shown(visit, view), offer=offer)


async def live(visit: Visit) -> Response:
    """What of the page changes, for its JavaScript."""
    view = await _view(visit)
    shown = _shown(visit, view)
    told = {
        "status": view.status,
        "headline": visit.words(f"s_{view.status}"),
        "body": visit.part("_session", **shown),
        "again_s": shown["again_s"],
        "over": view.status in OVER,
    }
    headers = {**gate.HEADERS, "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(told), headers=headers, media_type="application/json")


async def _view(visit: Visit) -> AdHocView:
    view: AdHocView = await visit.ask(ShowAdHoc(visit.named("id")[:_LONGEST_ID]))
    return view


def _place(view: AdHocView) -> str:
    return view.evse_id or f"{view.station}*{view.evse}"


def _shown(visit: Visit, view: AdHocView) -> dict[str, Any]:
    step, again_s = _AT[view.status]
    now: datetime = visit.core.clock.now()
    reserved = figures.amount(view.reserved, visit.words.language)
    steps = [
        (name, "done" if at < step else "now" if at == step else "next") for at, name in enumerate(_STEPS)
    ]
    return {
        "view": view,
        "place": _place(view),
        "over": view.status in OVER,
        "steps": [] if view.status in ("declined", "failed", "canceled") else steps,
        "again_s": again_s,
        "reserved": reserved,
        "ends": _ENDS.get(view.status),
        "lasted": figures.lasted(view.started_at, view.ended_at or now) if view.started_at else None,
    }


async def confirmed(visit: Visit) -> Response:
    """The driver comes back from his bank."""
    take(visit.shop.limits.tries, ("confirm", gate.network(visit.request)), "payments")
    view: AdHocView = await visit.ask(ContinueAdHoc(visit.named("id")[:_LONGEST_ID]))
    return visit.go("p", view.id)


async def stop(visit: Visit) -> Response:
    """The driver has enough, or thought better of it."""
    view: AdHocView = await visit.ask(StopAdHoc(visit.named("id")[:_LONGEST_ID]))
    return visit.go("p", view.id)


async def receipt(visit: Visit) -> Response:
    """What was charged, line by line; before there is anything to say, how it stands."""
    view = await _view(visit)
    if view.bill is None or view.status not in ("ended", "paid", "failed"):
        return visit.go("p", view.id)
    seller: SellerView = await visit.ask(ShowSeller())
    shown: dict[str, Any] = {"view": view, "place": _place(view), "bill": view.bill, "seller": seller}
    return visit.page("receipt", lines=figures.merged(view.bill), **shown)
