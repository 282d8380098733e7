"""What a payment provider tells us by itself: it is signed, and looked up before it is believed."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from cms.contract.refusals import NotFound
from cms.operations import charges
from cms.payweb import gate
from cms.payweb.shop import Visit

#: Provider -> the header with its signature.
_SIGNED_IN = {"stripe": "stripe-signature"}


async def told(visit: Visit) -> Response:
    """An event. Anything but 2xx has the provider send it again."""
    header = _SIGNED_IN.get(visit.named("provider"))
    if header is None:
        raise NotFound("there is no such provider")
    sent = await gate.body(visit.request, gate.MOST_WEBHOOK_BYTES)
    signature = visit.request.headers.get(header, "")
    await charges.webhook(visit.core, sent, signature)
    return PlainTextResponse("heard\n")
