"""Before the payment: what an EVSE costs, and the card that is to be held."""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import parse_qsl

from starlette.responses import Response

from cms.contract.adhoc import AdHocView, BeginAdHoc, Offer, ShowOffer
from cms.contract.apps import ShowPlace
from cms.contract.payments import BeginWebPayment
from cms.contract.prices import PriceTag, ShowPriceTag
from cms.contract.refusals import Invalid, NotFound, Unreachable
from cms.contract.tariffs import Money
from cms.domain import organisations
from cms.limits import take
from cms.payweb import figures, gate
from cms.payweb.shop import Visit

_MOST_FIELDS = 12
_LONGEST_PLACE = 100
#: How an EVSE is -> why nobody can pay there.
_WHY = {"offline": "why_offline", "closed": "why_closed", "out_of_order": "why_broken"}


async def welcome(visit: Visit) -> Response:
    """What this is, and a field for the number of an EVSE whose code cannot be scanned."""
    return visit.page("welcome", place=None)


async def look_up(visit: Visit) -> Response:
    """The number as somebody typed it."""
    place = visit.request.query_params.get("place", "").strip()
    return visit.go("e", place[:_LONGEST_PLACE]) if place else visit.go("")


async def show(visit: Visit) -> Response:
    """An EVSE: where and how it is, what it costs, how to pay."""
    return await _page(visit, await _offer(visit))


async def _offer(visit: Visit) -> Offer:
    """What is offered; nothing by an operator who is suspended: whoever charges there already sees his session."""
    if organisations.suspended(visit.core.kept):
        raise Unreachable("this operator is suspended")
    offer: Offer = await visit.ask(ShowOffer(visit.named("place")[:_LONGEST_PLACE]))
    return offer


async def _page(visit: Visit, offer: Offer, status: int = 200, notice: str | None = None) -> Response:
    visit.script = offer.script if _by_card(offer) else None
    return visit.page(
        "offer",
        status,
        offer=offer,
        tag=await _price(visit, offer),
        plugs=figures.plugs(await visit.ask(ShowPlace(offer.place)), visit.words.language),
        place=offer.place,
        notice=notice,
        standing=figures.standing(offer),
        reserved=figures.amount(_reserved(offer), visit.words.language),
        by_card=_by_card(offer),
        why=None if _by_card(offer) else _why(offer),
        key=secrets.token_urlsafe(24),
        quote=quoted(offer),
    )


async def _price(visit: Visit, offer: Offer) -> PriceTag | None:
    """Its prices line by line in the visitor's language; None where nothing is priced (any more)."""
    if offer.tariff is None:
        return None
    try:
        tag: PriceTag = await visit.ask(
            ShowPriceTag(offer.station, offer.evse, language=visit.words.language)
        )
    except NotFound:
        return None
    return tag


def _by_card(offer: Offer) -> bool:
    """Whether a card can be taken now, with an address of JavaScript that a browser may be told."""
    return offer.payable and offer.reserved is not None and gate.origin_of(offer.script) is not None


def _why(offer: Offer) -> str:
    """The word for why it cannot be paid here now."""
    if offer.provider is None or offer.key is None:
        return "no_provider"
    if offer.tariff is None:
        return "no_price"
    # Where it looks free all the same, somebody else is about to pay.
    return _WHY.get(figures.standing(offer)[0], "why_taken")


def _reserved(offer: Offer) -> Money | None:
    if offer.reserved is None or offer.currency is None:
        return None
    return Money(offer.reserved, offer.currency)


def quoted(offer: Offer) -> str:
    """What the visitor was shown of the price, in short: he pays no other one."""
    said = f"{offer.tariff}|{offer.currency}|{offer.reserved}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


async def begin(visit: Visit) -> Response:
    """Hold the amount and start. A form that is sent twice has one key, and so one session."""
    form = await _form(visit)
    offer = await _offer(visit)
    if not form.get("method"):
        return await _page(visit, offer, 422, "no_card_given")
    if form.get("quote") != quoted(offer):
        return await _page(visit, offer, 409, "price_changed")
    limits = visit.shop.limits
    take(limits.tries, gate.network(visit.request), "payments")
    take(limits.tries_at_place, (visit.core.organisation, offer.station, offer.evse), "payments here")
    begun: AdHocView = await visit.ask(
        BeginAdHoc(
            place=offer.place,
            method=form["method"],
            key=form.get("key", ""),
            email=form.get("email", "").strip() or None,
            language=visit.words.language,
        )
    )
    return visit.go("p", begun.id)


async def _form(visit: Visit) -> dict[str, str]:
    """The fields of a form of ours."""
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/x-www-form-urlencoded":
        raise Invalid("this is no form")
    sent = await gate.body(visit.request, gate.MOST_FORM_BYTES)
    try:
        fields = parse_qsl(
            sent.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise Invalid("this form cannot be read") from None
    return dict(fields)


async def scanned(visit: Visit) -> Response:
    """A dynamic QR code (2.1 C25): it is checked, and the station hears that somebody is about to pay."""
    query = visit.request.query_params
    station, evse = visit.named("station"), int(visit.named("evse")[:6])
    take(visit.shop.limits.tries, ("code", gate.network(visit.request)), "codes")
    await visit.ask(
        BeginWebPayment(
            station=station, evse=evse, totp=query.get("totp", "")[:64], version=query.get("version", "1")[:8]
        )
    )
    return visit.go("e", f"{station}*{evse}")
