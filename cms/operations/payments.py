"""Ad hoc payments: codes of dynamic QR codes, what a provider authorised and settled, VAT numbers (2.1 C18 to C25)."""

from __future__ import annotations

import hmac
import os
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from cms.contract.intents import IntentView, Preview
from cms.contract.payments import (
    AuthorizePayment,
    BeginWebPayment,
    Limit,
    ListPayments,
    PaymentView,
    SettlePayment,
    SetUpWebPayment,
    ShowPayment,
    ShowWebPaymentCode,
    WebPaymentCode,
)
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound, NotSupported, Refusal
from cms.core import Actor, Core, Lane
from cms.domain import payments
from cms.domain.changes import Decision, Keep, SavePayment
from cms.domain.evolve import evolve
from cms.domain.observations import Observation, Received, TokenRef
from cms.domain.orders import RemoteStart, WriteVariables
from cms.domain.payments import (
    NotifyWebPaymentStarted,
    Payment,
    SettlementAnswer,
    SettlementNotified,
    VatAnswer,
    VatNumberPresented,
    WebPayment,
)
from cms.domain.stations import StationState
from cms.domain.tokens import Authorization, Ruling
from cms.operations import deciding
from cms.operations.billing import foreign_payment, payment_event
from cms.operations.intents import check_limit, give
from cms.operations.previews import limits, line, preview
from cms.operations.secrecy import opened, sealed
from cms.operations.stations import check_place, version_of

_SECRET_LENGTH = 32
_COMPONENT = "WebPaymentsCtrlr"


async def list_(core: Core, request: ListPayments, actor: Actor) -> list[PaymentView]:
    check_limit(request.limit)
    if request.status is not None and request.status not in payments.STATUSES:
        raise Invalid(f"status must be one of {', '.join(payments.STATUSES)}, not {request.status!r}")
    found = await core.store.payments(request.status, request.station, request.limit)
    return [payments.view(payment) for payment in found]


async def _find(core: Core, psp_ref: str) -> Payment:
    found = await core.store.payment(psp_ref)
    if found is None:
        raise NotFound(f"there is no payment {psp_ref}", "see `cms payments list`")
    return found


async def show(core: Core, request: ShowPayment, actor: Actor) -> PaymentView:
    return payments.view(await _find(core, request.psp_ref))


def _needs_21(core: Core, lane: Lane, what: str) -> None:
    version = version_of(core, lane)
    if version != "2.1":
        raise NotSupported(f"OCPP {version or '(not connected yet)'} has no {what}", "OCPP 2.1 has")


def _secret(core: Core, lane: Lane) -> str:
    """The station's secret for its codes."""
    station = lane.state.station.id
    kept: WebPayment | None = lane.state.kept_of(payments.WEB).get("")
    if kept is not None:
        return opened(core, payments.WEB, station, "", "secret", kept.secret)
    # Stations that were set up before secrets were kept have one that is made of our own key.
    said = f"web-payment|{station.casefold()}".encode()
    return _written(hmac.digest(core.keys.lasting, said, sha256))


def _written(random: bytes) -> str:
    return "".join(payments.ALPHABET[byte % len(payments.ALPHABET)] for byte in random[:_SECRET_LENGTH])


async def _new_secret(core: Core, lane: Lane) -> str:
    """The same at every set-up, and kept before it is sent: whatever the station answers, it is the one it may have."""
    async with lane.lock:
        if lane.state.kept_of(payments.WEB):
            return _secret(core, lane)
        secret, station = _written(os.urandom(_SECRET_LENGTH)), lane.state.station.id
        kept = WebPayment(sealed(core, payments.WEB, station, "", "secret", secret))
        change = Keep(station, payments.WEB, "", kept, core.clock.now())
        await deciding.settle(core, lane, lane.state.keeping(payments.WEB, "", kept), (change,), ())
        return secret


async def set_up(core: Core, request: SetUpWebPayment, actor: Actor) -> IntentView | Preview:
    if not 10 <= request.validity_s <= 3600 or not 6 <= request.length <= 32:
        raise Invalid("a code holds for 10 to 3600 s and has 6 to 32 characters")
    lane = core.lane(request.station)
    station = lane.state.station.id
    _needs_21(core, lane, "dynamic QR codes")
    values = {
        f"{_COMPONENT}.SharedSecret": _secret(core, lane)
        if request.dry_run
        else await _new_secret(core, lane),
        f"{_COMPONENT}.ValidityTime": str(request.validity_s),
        f"{_COMPONENT}.Length": str(request.length),
        f"{_COMPONENT}.TOTPVersion": payments.VERSION,
    }
    template = request.url or _to_pay_page(core)
    if template is not None:
        values[f"{_COMPONENT}.URLTemplate"] = template
    shown = preview(
        lane.state,
        "config-set",
        line(
            "payments setup",
            station,
            validity=f"{request.validity_s}s",
            length=request.length,
            template=template,
        ),
        (),
        "codes shown with another secret are no longer good",
        level=1,
    )
    order = WriteVariables(values)
    return await give(core, actor, request.station, "config-set", order, request, shown)


def _to_pay_page(core: Core) -> str | None:
    """Where codes lead unless somebody says otherwise: our own page, where there is one that drivers reach."""
    url = core.terms.pay_url
    return f"{url}/w/{{chargingstationid}}/{{evse}}?totp={{totp}}&version={{version}}" if url else None


async def _terms_of_codes(core: Core, station_id: str) -> tuple[int, int, str | None]:
    """(Validity in seconds, length, URL template) as the station told or took them."""
    known = {v.name.casefold(): v.value for v in await core.store.variables(station_id)}

    def number(name: str, otherwise: int) -> int:
        said = known.get(f"{_COMPONENT}.{name}".casefold())
        return int(said) if said and said.isdecimal() and 0 < int(said) <= 86_400 else otherwise

    return (
        number("ValidityTime", 60),
        min(number("Length", 8), 255),
        known.get(f"{_COMPONENT}.URLTemplate".casefold()),
    )


async def code(core: Core, request: ShowWebPaymentCode, actor: Actor) -> WebPaymentCode:
    lane = core.lane(request.station)
    station = lane.state.station.id
    at: datetime = request.at or core.clock.now()
    validity_s, length, template = await _terms_of_codes(core, station)
    totp = payments.totp(_secret(core, lane), at, validity_s, length)
    begin, end = payments.interval_of(at, validity_s)
    return WebPaymentCode(
        station=station,
        evse=request.evse,
        version=int(payments.VERSION),
        totp=totp,
        valid_from=begin,
        valid_to=end,
        url=None if template is None else _filled(template, station, request.evse, totp),
    )


def _filled(template: str, station: str, evse: int, totp: str) -> str:
    """The URL of the code: what the station puts in place of its template's names."""
    parts = {"chargingstationid": station, "evse": str(evse), "totp": totp, "version": payments.VERSION}
    for name, value in parts.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


async def begin(core: Core, request: BeginWebPayment, actor: Actor) -> IntentView | Preview:
    """Never with a code that is not good now (C25.FR.08)."""
    check_place(request.evse)
    if not 10 <= request.wait_s <= 3600:
        raise Invalid(f"a station waits 10 to 3600 s for a payment, not {request.wait_s}")
    lane = core.lane(request.station)
    station = lane.state.station.id
    _needs_21(core, lane, "web payments")
    if request.version != payments.VERSION:
        raise Invalid(f"codes have version {payments.VERSION}, not {request.version!r}")
    validity_s, length, _ = await _terms_of_codes(core, station)
    secret, now = _secret(core, lane), core.clock.now()
    if not payments.totp_fits(secret, request.totp, now, validity_s, length):
        raise Denied(f"the code is not one that {station} shows now", "scan it again")
    shown = preview(
        lane.state,
        "web-payment",
        line(
            "payments begin",
            station,
            evse=request.evse,
            totp=request.totp,
            within=f"{request.wait_s}s",
        ),
        (),
        f"EVSE {request.evse} starts nothing else for {request.wait_s} s",
        level=0,
    )
    order = NotifyWebPaymentStarted(request.evse, request.wait_s)
    return await give(core, actor, request.station, "web-payment", order, request, shown)


async def authorize(core: Core, request: AuthorizePayment, actor: Actor) -> IntentView | Preview:
    """The payment is recorded first: whatever becomes of the order, the provider's money is accounted for."""
    if not 0 < len(request.psp_ref) <= 255 or not request.psp_ref.isprintable():
        raise Invalid("a provider's reference has 1 to 255 printable characters")
    check_place(request.evse)
    lane = core.lane(request.station)
    _needs_21(core, lane, "payments by reference")
    limit = limit_of(request)
    shown = preview(
        lane.state,
        "start",
        line(
            "payments authorize",
            request.psp_ref,
            lane.state.station.id,
            evse=request.evse or None,
            **limits(limit),
        ),
        (),
        f"starts a session that payment {request.psp_ref} pays for",
        level=1,
    )
    if not request.dry_run:
        await _new(core, lane, request, limit, actor)
    order = RemoteStart(request.psp_ref, payments.DIRECT, core.mint.number(), request.evse, limit=limit)
    try:
        return await give(core, actor, request.station, "start", order, request, shown)
    except Refusal as refused:
        await _not_started(core, lane, request.psp_ref, refused, actor)
        raise


async def _new(core: Core, lane: Lane, request: AuthorizePayment, limit: Limit | None, actor: Actor) -> None:
    async with core.books:
        if await core.store.payment(request.psp_ref) is not None:
            raise Conflict(f"payment {request.psp_ref} is known already")
        payment = Payment(
            request.psp_ref,
            "authorized",
            core.clock.now(),
            station=lane.state.station.id,
            evse=request.evse,
            limit=limit,
        )
        await _save(core, payment, actor)


async def _not_started(core: Core, lane: Lane, psp_ref: str, refused: Refusal, actor: Actor) -> None:
    """The session did not begin: nothing is to be taken, and somebody must give the authorisation back."""
    payment = await core.store.payment(psp_ref)
    if payment is not None and payment.status == "authorized" and not isinstance(refused, Conflict):
        detail = f"not started: {refused.message}"
        await _save(core, evolve(payment, detail=detail, changed_at=core.clock.now()), actor)


async def settle(core: Core, request: SettlePayment, actor: Actor) -> PaymentView:
    if request.status not in payments.SETTLEMENTS:
        raise Invalid(f"status must be one of {', '.join(payments.SETTLEMENTS)}, not {request.status!r}")
    async with core.books:
        payment = await _find(core, request.psp_ref)
        if payment.status == "settled" and request.status != "settled":
            raise Conflict(f"payment {request.psp_ref} is settled already")
        now = core.clock.now()
        payment = evolve(
            payment,
            status=request.status,
            settled=payment.settled if request.amount is None else request.amount,
            settled_at=now,
            receipt_id=request.receipt_id or payment.receipt_id,
            receipt_url=request.receipt_url or payment.receipt_url,
            detail=request.detail or payment.detail,
            changed_at=now,
        )
        await _save(core, payment, actor)
    return payments.view(payment)


async def _save(core: Core, payment: Payment, actor: Actor) -> None:
    await core.store.commit((SavePayment(payment),), (payment_event(payment, actor.name),))


def limit_of(request: object) -> Limit | None:
    """The limit among a request's fields (max_cost, max_energy_wh, max_time_s, max_soc). Raises Invalid."""
    names = ("max_cost", "max_energy_wh", "max_time_s", "max_soc")
    fields = {name: getattr(request, name) for name in names}
    given = {name: value for name, value in fields.items() if value is not None}
    for name, value in given.items():
        if value < 0 or (name == "max_soc" and value > 100):
            raise Invalid(f"{name} cannot be {value}")
    return Limit(**given) if given else None


async def settlement(
    core: Core, state: StationState, received: Received, seen: SettlementNotified
) -> Decision:
    """NotifySettlement (C21, C22): recorded whatever it says; a repeat changes nothing."""
    known = await core.store.payment(seen.psp_ref)
    if known is not None and known.station not in (None, state.station.id):
        told = foreign_payment(state.station.id, received)
        return Decision(SettlementAnswer(), state, (), (told,))
    payment = known or Payment(seen.psp_ref, "ended", received.at)
    session = None if seen.transaction_id is None else state.session_of(seen.transaction_id)
    if session is None and seen.transaction_id is not None:
        session = await core.store.session_of(state.station.id, seen.transaction_id)
    changed = evolve(
        payment,
        status=seen.status,
        station=payment.station or state.station.id,
        session=payment.session or (session.id if session else None),
        settled=seen.amount,
        settled_at=seen.at or received.at,
        receipt_id=seen.receipt_id or payment.receipt_id,
        receipt_url=seen.receipt_url or payment.receipt_url or receipt_url(core, seen.psp_ref),
        vat_number=seen.vat_number or payment.vat_number,
        detail=seen.detail,
        changed_at=received.at,
    )
    answer = SettlementAnswer(None if seen.receipt_url else receipt_url(core, seen.psp_ref))
    if evolve(changed, changed_at=payment.changed_at, settled_at=payment.settled_at) == payment:
        return Decision(answer, state)
    return Decision(answer, state, (SavePayment(changed),), (payment_event(changed),))


async def honoured(core: Core, ruling: Ruling, presented: TokenRef) -> Ruling:
    """The ruling of a payment's reference: one that was given back starts nothing, e.g. when its driver gave up
    after the station was told to wait for a car."""
    if presented.kind != payments.DIRECT or not ruling.accepted:
        return ruling
    known = await core.store.payment(presented.id)
    if known is None or known.status not in payments.WORTHLESS:
        return ruling
    return Ruling(Authorization.INVALID, reason=f"the payment was {known.status}")


def receipt_url(core: Core, psp_ref: str) -> str | None:
    """Where a driver finds the receipt, when the settings say where receipts are."""
    template = core.terms.receipt_url
    return template.replace("{psp_ref}", quote(psp_ref, safe="")) if template else None


async def vat_asked(core: Core, received: Received, seen: VatNumberPresented) -> Observation:
    """Ask whoever the settings name, who has a few seconds; the station waits, and nobody else does."""
    if core.vat is None:
        reason = "no service to check VAT numbers is set"
        return evolve(seen, answer=VatAnswer(seen.number, seen.evse, False, reason=reason))
    return evolve(seen, answer=await core.vat(seen.number))


async def vat_number(
    core: Core, state: StationState, received: Received, seen: VatNumberPresented
) -> Decision:
    """Number and EVSE go back as they came, whatever the service says they were."""
    assert seen.answer is not None, "it was asked first"
    return Decision(evolve(seen.answer, number=seen.number, evse=seen.evse), state)
