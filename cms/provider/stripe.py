"""Cards through Stripe: PaymentIntents, saved cards, refunds, disputes, webhooks (docs/payments.md).

The SDK speaks; nothing is retried by it: what is unknown is written down, looked up and asked again by
operations.charges, with the same idempotency key. Whoever speaks as Stripe does can take its place (``stripe_url``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from cms.contract.refusals import Conflict, Denied, Invalid, Unreachable
from cms.contract.safe import safe
from cms.domain.charges import (
    ACTION,
    CANCELED,
    DECLINED,
    HELD,
    PROCESSING,
    TAKEN,
    UNCONFIRMED,
    Charge,
    Disputed,
    Found,
    Refunded,
    Told,
)
from cms.domain.evolve import evolve

if TYPE_CHECKING:
    import stripe

SCRIPT_URL = "https://js.stripe.com/v3/"
_TIMEOUT_S = 20.0
#: How old an event may be that we are told: a recorded one is worth nothing later.
_TOLERANCE_S = 300
_LONGEST = 200
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CARD = ["card"]  # Apple Pay and Google Pay come as cards

#: PaymentIntent.status -> ours.
_STATUSES = {
    "requires_payment_method": DECLINED,
    "requires_confirmation": UNCONFIRMED,
    "requires_action": ACTION,
    "processing": PROCESSING,
    "requires_capture": HELD,
    "succeeded": TAKEN,
    "canceled": CANCELED,
}
#: Dispute.status -> ours. With an inquiry (warning_...) nothing is taken from us.
_DISPUTES = {
    "needs_response": "open",
    "under_review": "open",
    "won": "won",
    "lost": "lost",
}


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """The secret key and the one that signs webhooks are read from files, and never shown."""

    secret: str = field(repr=False)
    webhook: str | None = field(default=None, repr=False)
    publishable: str | None = None

    @classmethod
    def read(cls, secret: Path, webhook: Path | None, publishable: str | None) -> StripeKeys:
        return cls(_read(secret), None if webhook is None else _read(webhook), publishable)


def _read(path: Path) -> str:
    try:
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the key file {path} cannot be read: {error}") from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Invalid(f"the key file {path} holds no key", "one line, as Stripe shows it")
    return key


class Stripe:
    """Stripe, or what speaks as it does at ``url``."""

    name = "stripe"

    def __init__(self, keys: StripeKeys, url: str | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        if url is not None:
            _check(url)
        self.publishable_key = keys.publishable
        self.script_url: str | None = SCRIPT_URL if url is None else f"{url.rstrip('/')}/js.stripe.com/v3/"
        self._keys, self._url, self._timeout_s = keys, url, timeout_s
        self._opened: stripe.StripeClient | None = None
        self._http: stripe.HTTPXClient | None = None

    @property
    def _client(self) -> stripe.StripeClient:
        """Made when it is first needed: daemons without cards do not pay for the SDK."""
        if self._opened is None:
            import stripe

            stripe.enable_telemetry = False
            self._http = stripe.HTTPXClient(timeout=self._timeout_s)
            self._opened = stripe.StripeClient(
                self._keys.secret,
                base_addresses={"api": self._url.rstrip("/")} if self._url else None,
                max_network_retries=0,
                http_client=self._http,
            )
        return self._opened

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK's own gap

    # Drivers and their cards.

    async def customer(self, organisation: str, driver: str, key: str) -> str:
        metadata = {"organisation": organisation, "driver": driver}
        made = await self._ask(
            lambda c: c.v1.customers.create_async({"metadata": metadata}, {"idempotency_key": key})
        )
        return str(made.id)

    async def save(self, customer: str, method: str, key: str) -> tuple[str, str]:
        try:
            kept = await self._ask(
                lambda c: c.v1.payment_methods.attach_async(
                    method, {"customer": customer}, {"idempotency_key": key}
                )
            )
        except _DeclinedError as declined:
            raise Conflict(f"the card was declined: {declined.message}", "try another one") from None
        return str(kept.id), _named(kept) or "card"

    async def ask_for_card(self, customer: str, key: str) -> tuple[str, str]:
        wanted: Any = {"customer": customer, "usage": "off_session", "payment_method_types": _CARD}
        made = await self._ask(lambda c: c.v1.setup_intents.create_async(wanted, {"idempotency_key": key}))
        return str(made.id), str(made.client_secret)

    async def card_given(self, wish: str) -> tuple[str, str] | None:
        seen = await self._ask(lambda c: c.v1.setup_intents.retrieve_async(wish))
        if seen.status != "succeeded":
            return None
        return _id(seen.customer) or "", _id(seen.payment_method) or ""

    # Charges.

    async def begin(self, charge: Charge, organisation: str) -> Found:
        order: Any = {**_order(charge, organisation), "capture_method": "manual"}
        made = await self._ask(
            lambda c: c.v1.payment_intents.create_async(order, {"idempotency_key": f"{charge.key}-begin"})
        )
        return await self._found(made)

    async def confirm(self, charge: Charge) -> Found:
        ref = charge.provider_ref or ""
        try:
            seen = await self._ask(
                lambda c: c.v1.payment_intents.confirm_async(
                    ref, {"expand": ["latest_charge"]}, {"idempotency_key": f"{charge.key}-confirm"}
                )
            )
        except _DeclinedError as declined:
            return declined.found(ref)
        return await self._found(seen)

    async def take(self, charge: Charge, organisation: str) -> Found:
        order: Any = {
            **_order(charge, organisation),
            "capture_method": "automatic",
            "confirm": True,
            "off_session": True,
            "expand": ["latest_charge"],
        }
        try:
            made = await self._ask(
                lambda c: c.v1.payment_intents.create_async(order, {"idempotency_key": charge.key})
            )
        except _DeclinedError as declined:
            return declined.found(charge.provider_ref or "")
        if made.status == "requires_action":
            # Nobody is there to prove who he is: it must not be finished behind our back later.
            await self._cancel(made.id, f"{charge.key}-cancel")
            return Found(made.id, DECLINED, code="authentication_required", message="the bank asks for proof")
        return await self._found(made)

    async def find(self, charge: Charge) -> Found | None:
        if charge.provider_ref is not None:
            return await self._retrieved(charge.provider_ref)
        if charge.customer is None:
            return None
        ref = await self._looked_for(charge)
        return None if ref is None else await self._retrieved(ref)

    async def _looked_for(self, charge: Charge) -> str | None:
        """Its answer was lost: among the charges of its customer, the one that has our key."""
        since = int((charge.created_at - timedelta(hours=1)).timestamp())
        page = await self._ask(
            lambda c: c.v1.charges.list_async(
                {"customer": charge.customer or "", "created": {"gt": since}, "limit": 100}
            )
        )
        while True:
            for seen in page.data:
                ref = _id(seen.payment_intent)
                if ref is None:
                    continue
                payment = await self._ask(
                    lambda c, ref=ref: c.v1.payment_intents.retrieve_async(ref)  # type: ignore[misc]
                )
                if (_plain(payment).get("metadata") or {}).get("key") == charge.key:
                    return ref
            if not page.has_more:
                return None
            page = await self._ask(lambda c, page=page: page.next_page_async())  # type: ignore[misc]

    async def capture(self, charge: Charge) -> Found:
        ref = charge.provider_ref or ""
        seen = await self._ask(
            lambda c: c.v1.payment_intents.capture_async(
                ref,
                {"amount_to_capture": charge.wanted or 0, "expand": ["latest_charge"]},
                {"idempotency_key": charge.key},
            )
        )
        return await self._found(seen)

    async def void(self, charge: Charge) -> Found:
        return await self._found(await self._cancel(charge.provider_ref or "", charge.key))

    async def _cancel(self, ref: str, key: str) -> Any:
        return await self._ask(lambda c: c.v1.payment_intents.cancel_async(ref, {}, {"idempotency_key": key}))

    async def refund(self, charge: Charge) -> Found:
        ref = charge.provider_ref or ""
        await self._ask(
            lambda c: c.v1.refunds.create_async(
                {"payment_intent": ref, "amount": charge.wanted or 0, "metadata": {"key": charge.key}},
                {"idempotency_key": charge.key},
            )
        )
        return await self._retrieved(ref)

    async def dispute(self, ref: str) -> Disputed:
        seen = await self._ask(lambda c: c.v1.disputes.retrieve_async(ref))
        return Disputed(
            ref=str(seen.id),
            payment=_id(seen.payment_intent) or "",
            amount=seen.amount,
            currency=str(seen.currency).upper(),
            status=_DISPUTES.get(seen.status, "inquiry"),
            reason=safe(seen.reason, _LONGEST),
        )

    def told(self, body: bytes, signature: str) -> Told:
        import stripe

        if self._keys.webhook is None:
            raise Denied("nobody may tell us of payments: stripe_webhook_secret_file is not set")
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._keys.webhook, _TOLERANCE_S)
            event = msgspec.json.decode(body, type=_Event)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            raise Denied("the event is not signed with our webhook secret, or is too old") from None
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise Invalid("the event is not one of Stripe's") from None
        about = event.data.object
        kind, ref = about.get("object"), about.get("id")
        payment = ref if kind == "payment_intent" else _id(about.get("payment_intent"))
        return Told(
            event.id[:_LONGEST],
            event.type[:_LONGEST],
            payment if isinstance(payment, str) else None,
            ref if kind == "dispute" and isinstance(ref, str) else None,
        )

    async def _retrieved(self, ref: str) -> Found:
        seen = await self._ask(
            lambda c: c.v1.payment_intents.retrieve_async(ref, {"expand": ["latest_charge"]})
        )
        return await self._found(seen)

    async def _found(self, payment: Any) -> Found:
        """A PaymentIntent in our words, with its refunds where something was taken."""
        seen = _plain(payment)
        status = _STATUSES.get(seen["status"], PROCESSING)
        error = seen.get("last_payment_error") or {}
        charge = seen.get("latest_charge")
        charge = charge if isinstance(charge, dict) else {}
        found = Found(
            ref=seen["id"],
            status=status,
            client_secret=seen.get("client_secret") if status == ACTION else None,
            code=_code(error) if status == DECLINED else None,
            message=safe(error.get("message") or "", _LONGEST) or None,
            card=_card(charge.get("payment_method_details") or {}),
        )
        if status != TAKEN:
            return found
        listed = await self._ask(
            lambda c: c.v1.refunds.list_async({"payment_intent": found.ref, "limit": 100})
        )
        everything = [_plain(refund) for refund in listed.data]
        refunds = tuple(_refund(one) for one in everything if _moved_money(one, found.ref))
        taken = seen.get("amount_received")
        if taken is None:  # older servers: what was not captured is a refund that no payment names
            released = sum(one["amount"] for one in everything if not one.get("payment_intent"))
            taken = seen["amount"] - released
        return evolve(found, taken=taken, refunds=refunds)

    async def _ask(self, call: Callable[[stripe.StripeClient], Awaitable[Any]]) -> Any:
        """Ask, and say in our words what went wrong."""
        import stripe

        try:
            return await call(self._client)
        except stripe.CardError as error:
            raise _DeclinedError(error) from None
        except stripe.AuthenticationError:
            raise Unreachable("Stripe does not take our key: see stripe_key_file") from None
        except stripe.APIConnectionError as error:
            raise Unreachable(f"Stripe did not answer ({type(error.__cause__).__name__})") from None
        except stripe.RateLimitError:
            raise Unreachable("Stripe is asked too much at once") from None
        except stripe.StripeError as error:
            if error.http_status is None or error.http_status >= 500 or error.http_status == 409:
                raise Unreachable(f"Stripe is in trouble: {_said(error)}") from None
            raise Conflict(f"Stripe will not do it: {_said(error)}") from None


class _DeclinedError(Exception):
    """A card that was declined, with what is known of the payment."""

    def __init__(self, error: stripe.CardError) -> None:
        super().__init__()
        body = error.json_body if isinstance(error.json_body, dict) else {}
        said = body.get("error")
        said = said if isinstance(said, dict) else {}
        self.code = _code(said)
        self.message = _said(error)
        self._payment = _id(said.get("payment_intent"))

    def found(self, ref: str) -> Found:
        return Found(self._payment or ref, DECLINED, code=self.code, message=self.message)


class _About(msgspec.Struct):
    object: dict[str, Any]


class _Event(msgspec.Struct):
    """As much of an event as is believed: it points at something, which is looked up."""

    id: str
    type: str
    data: _About


def _check(url: str) -> None:
    """The key goes there: over TLS, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise Invalid(f"stripe_url must be https, or http on this machine: not {url}")


def _order(charge: Charge, organisation: str) -> dict[str, Any]:
    """What a payment is made of; for whom is nobody's business but ours."""
    order: dict[str, Any] = {
        "amount": charge.amount,
        "currency": charge.currency.lower(),
        "payment_method": charge.method,
        "payment_method_types": _CARD,
        "metadata": {"charge": charge.id, "key": charge.key, "organisation": organisation},
    }
    return order | ({"customer": charge.customer} if charge.customer else {})


def _plain(answer: Any) -> dict[str, Any]:
    """An object of the SDK as the dict it came as."""
    return dict(answer.to_dict(recursive=True))


def _id(named: Any) -> str | None:
    """A reference, whether it came as an id or as the whole thing."""
    if named is None or isinstance(named, str):
        return named or None
    found = named.get("id") if isinstance(named, dict) else getattr(named, "id", None)
    return found if isinstance(found, str) else None


def _code(error: dict[str, Any]) -> str:
    return safe(error.get("decline_code") or error.get("code") or "card_declined", 64)


def _said(error: stripe.StripeError) -> str:
    return safe(error.user_message or type(error).__name__, _LONGEST)


def _moved_money(refund: dict[str, Any], payment: str) -> bool:
    """Not what is given back of a hold: that never was ours, and no balance moved."""
    if refund.get("status") in ("failed", "canceled"):
        return False
    ours = "key" in (refund.get("metadata") or {})
    return ours or (refund.get("payment_intent") == payment and bool(refund.get("balance_transaction")))


def _refund(refund: dict[str, Any]) -> Refunded:
    return Refunded(refund["id"], refund["amount"], (refund.get("metadata") or {}).get("key"))


def _card(details: dict[str, Any]) -> str | None:
    card = details.get("card")
    if not isinstance(card, dict):
        return None
    return safe(f"{card.get('brand') or 'card'} {card.get('last4') or ''}".strip(), 40)


def _named(method: Any) -> str | None:
    """``visa 4242 12/28``"""
    seen = _plain(method)
    card = _card(seen)
    if card is None:
        return None
    month, year = seen["card"].get("exp_month"), seen["card"].get("exp_year")
    valid = isinstance(month, int) and isinstance(year, int)
    return f"{card} {month:02}/{year % 100:02}" if valid else card
