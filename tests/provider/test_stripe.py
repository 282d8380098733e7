"""What Stripe itself says, where localstripe says it otherwise: in our words, and asked once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cms.contract.refusals import Conflict, Invalid, Unreachable
from cms.domain.charges import Charge, Refunded
from cms.domain.evolve import evolve
from cms.provider import Stripe, StripeKeys
from tests.stripes import SECRET_KEY, provider

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CHARGE = Charge(
    "c1",
    "invoice",
    "taking",
    1000,
    "EUR",
    "receivable/bea",
    NOW,
    NOW,
    customer="cus_1",
    method="pm_1",
    step=1,
)
#: As documented (API reference, PaymentIntent, Refund); of what was held 700 were captured.
PAYMENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 1000,
    "amount_received": 700,
    "currency": "eur",
    "status": "succeeded",
    "metadata": {"charge": "c1", "key": "c1-1"},
    "last_payment_error": None,
    "client_secret": "pi_1_secret_x",
    "latest_charge": {
        "id": "ch_1",
        "object": "charge",
        "payment_method_details": {"card": {"brand": "visa", "last4": "4242"}, "type": "card"},
    },
}


def refund(id: str, amount: int, **more: Any) -> dict[str, Any]:
    usual = {"payment_intent": "pi_1", "status": "succeeded", "balance_transaction": "txn_1", "metadata": {}}
    return {"id": id, "object": "refund", "amount": amount, **usual, **more}


class Counter:
    """Answers what a test says, and remembers how it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.stripe: Stripe

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.asked.append((request.method, request.path, dict(request.headers), body))
        status, said = self.answers[f"{request.method} {request.path}"]
        if isinstance(said, str):
            return web.Response(status=status, text=said)
        return web.json_response(said, status=status)


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    behind, app = Counter(), web.Application()
    app.router.add_route("*", "/{path:.*}", behind.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    behind.stripe = provider(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield behind
    await behind.stripe.close()
    await runner.cleanup()


async def test_what_is_given_back_of_a_hold_is_no_refund(counter: Counter) -> None:
    refunds = [
        refund("re_1", 300, balance_transaction=None),  # released at the capture: it never was ours
        refund("re_2", 100, metadata={"key": "c1-4"}, balance_transaction=None, status="pending"),
        refund("re_3", 50),
        refund("re_4", 60, status="failed"),
    ]
    counter.answers = {
        "GET /v1/payment_intents/pi_1": (200, PAYMENT),
        "GET /v1/refunds": (200, {"object": "list", "data": refunds, "has_more": False}),
    }
    found = await counter.stripe.find(evolve(CHARGE, provider_ref="pi_1"))
    assert found is not None
    assert (found.status, found.taken, found.card) == ("taken", 700, "visa 4242")
    assert found.refunds == (Refunded("re_2", 100, "c1-4"), Refunded("re_3", 50, None))
    assert found.client_secret is None


async def test_a_declined_card_says_why_in_the_banks_word(counter: Counter) -> None:
    error = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card has \x1b[31minsufficient funds.",
        "payment_intent": {**PAYMENT, "status": "requires_payment_method"},
    }
    counter.answers["POST /v1/payment_intents"] = (402, {"error": error})
    found = await counter.stripe.take(CHARGE, "main")
    assert (found.ref, found.status, found.code) == ("pi_1", "declined", "insufficient_funds")
    assert found.message is not None and "\x1b" not in found.message


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (401, {"error": {"message": "Invalid API Key"}}, Unreachable),
        (409, {"error": {"type": "idempotency_error", "message": "in progress"}}, Unreachable),
        (429, {"error": {"message": "Too many"}}, Unreachable),
        (500, {"error": {"message": "Oh"}}, Unreachable),
        (502, "<html>bad gateway</html>", Unreachable),
        (400, {"error": {"type": "invalid_request_error", "message": "No such customer"}}, Conflict),
    ],
)
async def test_trouble_is_unknown_and_a_no_is_a_no(
    counter: Counter, status: int, said: Any, kind: type[Exception]
) -> None:
    counter.answers["POST /v1/payment_intents"] = (status, said)
    with pytest.raises(kind) as raised:
        await counter.stripe.take(CHARGE, "main")
    assert SECRET_KEY not in str(raised.value)
    assert len(counter.asked) == 1  # the SDK does not ask again behind our back


async def test_every_request_has_its_key_and_says_nothing_of_the_driver(counter: Counter) -> None:
    counter.answers["POST /v1/payment_intents"] = (200, {**PAYMENT, "status": "requires_capture"})
    await counter.stripe.take(CHARGE, "main")
    _, _, headers, body = counter.asked[0]
    assert headers["Idempotency-Key"] == "c1-1"
    assert "bea" not in body and "receivable" not in body
    assert "platform" not in headers.get("X-Stripe-Client-User-Agent", "")


def test_keys_come_from_files_and_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk_live_SECRET\n")
    keys = StripeKeys.read(tmp_path / "key", None, "pk_live_1")
    assert keys.secret == "sk_live_SECRET"
    assert "SECRET" not in repr(keys)
    (tmp_path / "key").write_text("two\nlines")
    with pytest.raises(Invalid):
        StripeKeys.read(tmp_path / "key", None, None)
    with pytest.raises(Invalid, match="cannot be read"):
        StripeKeys.read(tmp_path / "none", None, None)


@pytest.mark.parametrize("url", ["http://stripe.example", "ftp://127.0.0.1", "http://127.0.0.1.evil.example"])
def test_the_key_goes_nowhere_in_clear(url: str) -> None:
    with pytest.raises(Invalid, match="https"):
        provider(url)
