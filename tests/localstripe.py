"""localstripe as a process of its own: ``python -m tests.localstripe [PORT]`` says its port on the first line.

It serves localstripe's own application, on this machine alone and without its file of everything it knows. Disputes,
which it has not, are added: ``POST /v1/disputes`` opens one, ``POST /v1/disputes/ID`` decides it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
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


async def serve(port: int) -> None:
    from localstripe import resources, server

    resources.store.dump_to_disk = lambda: None
    _disputes()
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
