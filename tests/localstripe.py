"""localstripe as a process of its own: ``python -m tests.localstripe [PORT]`` says its port on the first line.

It serves localstripe's own application, on this machine alone and without its file of everything it knows. Disputes,
which it has not, are added: ``POST /v1/disputes`` opens one, ``POST /v1/disputes/ID`` decides it. So is what browsers
need to name a card: ``createPaymentMethod`` of its JavaScript does nothing of itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

from aiohttp import web


def _disputes() -> None:
    from localstripe import resources, server  # type: ignore[import-untyped]

    class Dispute(resources.StripeObject):  # type: ignore[misc]  # it has no types
        object = "dispute"
        _id_prefix = "dp_"

        def __init__(self, payment_intent: str = "", amount: str | None = None, **_: Any) -> None:
            payment = resources.PaymentIntent._api_retrieve(payment_intent)
            super().__init__()
            self.payment_intent = payment_intent
            self.amount = int(amount) if amount is not None else payment.amount
            self.currency = payment.currency
            self.reason = "fraudulent"
            self.status = "needs_response"

    for method, path, kind in (
        ("POST", "/v1/disputes", server.api_create),
        ("GET", "/v1/disputes/{id}", server.api_retrieve),
        ("POST", "/v1/disputes/{id}", server.api_update),
    ):
        server.app.router.add_route(method, path, kind(Dispute, path))


#: Stripe.js: a card that was typed becomes a payment method, with the publishable key alone.
_CREATE_PAYMENT_METHOD = """
createPaymentMethod: async ({card, billing_details}) => {
  const body = JSON.stringify({key: apiKey, type: 'card', card: card.value.card, billing_details});
  const answer = await fetch(`${LOCALSTRIPE_BASE_API}/v1/payment_methods`, {method: 'POST', body});
  const made = await answer.json().catch(() => ({}));
  return answer.status === 200 ? {paymentMethod: made} : {error: made.error};
},
"""


def _browsers() -> None:
    from localstripe import server

    key_of, script = server.get_api_key, Path(server.__file__).with_name("localstripe-v3.js")
    text = script.read_text("utf-8").replace("createPaymentMethod: async () => {},", _CREATE_PAYMENT_METHOD)

    def key(request: web.Request) -> Any:
        given = key_of(request)
        return "sk_of_a_browser" if given is None and request.path == "/v1/payment_methods" else given

    async def changed(request: web.Request, handler: Any) -> Any:
        if request.path == "/js.stripe.com/v3/":
            return web.Response(text=text, content_type="application/javascript")
        return await handler(request)

    server.get_api_key = key
    server.app.middlewares.insert(0, web.middleware(changed))


async def serve(port: int) -> None:
    from localstripe import resources, server

    resources.store.dump_to_disk = lambda: None
    _disputes()
    _browsers()
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
