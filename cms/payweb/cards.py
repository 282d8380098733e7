"""A driver saves a card for what he charges: he comes by a link that was sent to him alone."""

from __future__ import annotations

from starlette.responses import Response

from cms.contract.charges import CardView, CardWish, FinishCardLink, ShowCardLink
from cms.limits import take
from cms.payweb import gate
from cms.payweb.shop import Visit

_LONGEST_ID = 80


async def show(visit: Visit) -> Response:
    """The provider's field for his card."""
    wish: CardWish = await visit.ask(ShowCardLink(visit.named("id")[:_LONGEST_ID]))
    visit.script = wish.script
    return visit.page("card", wish=wish)


async def finish(visit: Visit) -> Response:
    """The provider has it: so we keep its name."""
    take(visit.shop.limits.tries, ("card", gate.network(visit.request)), "cards")
    kept: CardView = await visit.ask(FinishCardLink(visit.named("id")[:_LONGEST_ID]))
    return visit.page("saved", card=kept.card)
