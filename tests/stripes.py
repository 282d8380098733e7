"""localstripe for a test, and a line to it that can be cut: before a request arrives, or before its answer does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from cms.provider import Stripe, StripeKeys

ROOT = Path(__file__).parent.parent
SECRET_KEY, WEBHOOK_SECRET, PUBLISHABLE_KEY = "sk_test_12345", "whsec_12345", "pk_test_12345"
VISA, DECLINING, AUTHENTICATING = "4242424242424242", "4000000000000341", "4000002500003155"


class LocalStripe:
    """A running localstripe, and what a test does there itself: as a browser, as the bank, as the dashboard."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.localstripe"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._http = httpx.Client(base_url=self.url, auth=(SECRET_KEY, ""), verify=False)

    def close(self) -> None:
        self._http.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Nobody knows of anything: for the next test."""
        self._http.delete("/_config/data")

    def ask(self, method: str, path: str, **fields: str) -> Any:
        answer = self._http.request(method, f"/v1/{path}", data=fields if method == "POST" else None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def card(self, number: str = VISA) -> str:
        """A card as a browser gives it to the provider."""
        card = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
        return str(self.ask("POST", "payment_methods", type="card", **card)["id"])

    def payments(self, charge: str) -> list[Any]:
        """What there is of one of our charges; nobody else's word counts."""
        every = self.ask("GET", "payment_intents?limit=100")["data"]
        return [one for one in every if one["metadata"].get("charge") == charge]

    def taken(self, charge: str) -> int:
        """What was taken for it and not given back, over all payments that there are."""
        total = 0
        for one in self.payments(charge):
            seen = one["latest_charge"]
            if seen is not None and seen["captured"] and seen["status"] == "succeeded":
                total += seen["amount"] - seen["amount_refunded"]
        return total


def signed(event: dict[str, Any], secret: str = WEBHOOK_SECRET, at: float | None = None) -> tuple[bytes, str]:
    """An event as the provider sends it: body and signature."""
    body, when = json.dumps(event).encode(), int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), b"%d.%s" % (when, body), hashlib.sha256).hexdigest()
    return body, f"t={when},v1={digest}"


def provider(url: str, timeout_s: float = 5.0) -> Stripe:
    return Stripe(StripeKeys(SECRET_KEY, WEBHOOK_SECRET, PUBLISHABLE_KEY), url, timeout_s)


class Line:
    """A proxy before a server. ``cut(pattern, when)`` cuts the next request that fits (``POST /v1/...``): ``before`` it
    arrives, or ``after`` the server did it. With ``held`` it is cut when the test says so: ``reached`` is set, then
    the line waits for ``let_go``.
    """

    def __init__(self, target: str) -> None:
        self._target, self._cuts = target, list[tuple[re.Pattern[str], str, bool]]()
        self.reached, self._go = asyncio.Event(), asyncio.Event()
        self.seen: list[str] = []
        self.down = False
        self.url = ""

    def cut(self, pattern: str, when: str, held: bool = False) -> None:
        self._cuts.append((re.compile(pattern), when, held))
        self.reached.clear()
        self._go.clear()

    def let_go(self) -> None:
        self._go.set()

    @asynccontextmanager
    async def open(self) -> Any:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with httpx.AsyncClient(base_url=self._target, verify=False) as self._client:
            try:
                yield self
            finally:
                self._go.set()
                await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.Response:
        said = f"{request.method} {request.path}"
        self.seen.append(said)
        when, held = self._taken(said)
        if self.down or when == "before":
            await self._hung_up(request, held)
        answer = await self._forwarded(request)
        if when == "after":
            await self._hung_up(request, held)
        return web.Response(status=answer.status_code, body=answer.content, content_type="application/json")

    def _taken(self, said: str) -> tuple[str, bool]:
        for cut in self._cuts:
            if cut[0].search(said):
                self._cuts.remove(cut)
                return cut[1], cut[2]
        return "", False

    async def _forwarded(self, request: web.Request) -> httpx.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
        return await self._client.request(
            request.method, request.path_qs, content=await request.read(), headers=headers
        )

    async def _hung_up(self, request: web.Request, held: bool) -> None:
        if held:
            self.reached.set()
            await self._go.wait()
        if request.transport is not None:  # else whoever asked is gone already
            request.transport.abort()
        raise asyncio.CancelledError
