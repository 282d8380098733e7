"""Charging by card without a contract: hold an amount, start, wait for the end, take what it cost.

``proceed`` does what is next, whoever comes along: the driver's page, the end of a session, a daemon that came back
after a crash. It reads how things stand from the record and does one step after the other, each of which is harmless
when it is done twice.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

from cms.contract.adhoc import AdHocView, BeginAdHoc, ContinueAdHoc, Offer, ShowAdHoc, ShowOffer, StopAdHoc
from cms.contract.intents import IntentView
from cms.contract.payments import Limit
from cms.contract.refusals import Conflict, NotFound, Refusal, Unreachable
from cms.contract.sessions import ListSessions, StopSession
from cms.contract.stations import OrderTerms
from cms.contract.tariffs import Money
from cms.core import Actor, Core, Lane
from cms.domain import adhoc, cdrs, organisations, payments, sites, tariffs
from cms.domain.adhoc import KIND, AdHoc
from cms.domain.cdrs import Cdr
from cms.domain.changes import DropToken, Keep, SavePayment, SaveToken
from cms.domain.charges import Charge, SaveCharge
from cms.domain.evolve import evolve
from cms.domain.ledger import major, minor
from cms.domain.orders import RemoteStart
from cms.domain.payments import Payment
from cms.domain.sessions import RUNNING, Session, SessionStatus
from cms.domain.sessions import view as session_view
from cms.domain.tokens import Token
from cms.domain.verification import Mail
from cms.keys import LASTING
from cms.operations import evses, holding, sessions, takings
from cms.operations.apps import named
from cms.operations.billing import payment_event
from cms.operations.collecting import provider_of
from cms.operations.deciding import keep
from cms.operations.intents import give
from cms.operations.openings import known_tariffs
from cms.operations.previews import limits, line, preview
from cms.operations.secrecy import opened, sealed
from cms.operations.stations import version_of
from cms.operations.takings import PAYMENT, found, turn

SELF = Actor("ad hoc", "system", frozenset())
_STARTS = 20
#: Statuses of an EVSE at which nobody can begin.
_CLOSED = {
    "faulted": "this charging point is out of order",
    "unavailable": "this charging point is out of service",
    "charging": "somebody charges here",
    "suspended-ev": "somebody charges here",
    "suspended-evse": "somebody charges here",
    "finishing": "somebody charges here",
    "reserved": "this charging point is reserved",
}


# What it costs.


async def offer(core: Core, request: ShowOffer, actor: Actor) -> Offer:
    lane, evse = named(core, request.place)
    return _offer(core, lane, evse)


def _offer(core: Core, lane: Lane, evse: int) -> Offer:
    state, now = lane.state, core.clock.now()
    seen = evses.view(state, evse)
    site = sites.of(core.kept.get(sites.KIND, {}), seen.site)
    version = holding.held(core, holding.facts(core, state, None, evse, None, now), now)
    tariff = known_tariffs(core).get(version or "")
    provider = core.provider
    shown = Offer(
        place=seen.evse_id or f"{seen.station}*{evse}",
        station=seen.station,
        evse=evse,
        evse_id=seen.evse_id,
        reference=seen.reference,
        status=seen.status,
        online=core.stations.link(seen.station) is not None,
        site_name=site.name if site else None,
        street=site.street if site else None,
        postcode=site.postcode if site else None,
        city=site.city if site else None,
        country=site.country if site else None,
        time_zone=site.time_zone if site else None,
        open=sites.open_at(site, now) if site else True,
        operator=(site.operator if site else None) or _operator(core),
        tariff=version,
        price=tuple(tariffs.text_for(tariff).content.splitlines()) if tariff else (),
        currency=tariff.currency if tariff else None,
        reserved=_held_amount(core, tariff.currency) if tariff else None,
        payable=False,
        provider=provider.name if provider else None,
        key=provider.publishable_key if provider else None,
        script=provider.script_url if provider else None,
    )
    why = _not_payable(core, shown)
    return replace(shown, payable=why is None, detail=why)


def _held_amount(core: Core, currency: str) -> Decimal:
    """What is held, in whole coins of the currency."""
    return core.terms.adhoc_amount.quantize(major(1, currency))


def _operator(core: Core) -> str | None:
    own = organisations.own(core.kept)
    return own.name if own is not None else None


def _not_payable(core: Core, shown: Offer) -> str | None:
    """Why nobody can pay by card here now; None: he can."""
    if shown.provider is None or shown.key is None:
        return "cards are not taken here"
    if shown.tariff is None:
        return "no price holds here: nothing can be paid"
    if not shown.online:
        return "this charging point cannot be reached now"
    if not shown.open:
        return "this place is closed now"
    if shown.status in _CLOSED:
        return _CLOSED[shown.status]
    place = (shown.station.casefold(), shown.evse)
    if any((one.station.casefold(), one.evse) == place for one in _open(core)):
        return "somebody pays here already"
    return None


def _open(core: Core) -> list[AdHoc]:
    return list(core.kept.get(KIND, {}).values())


def _of_charge(core: Core, charge_id: str) -> AdHoc | None:
    return next((one for one in _open(core) if one.charge == charge_id), None)


# What the driver does.


async def begin(core: Core, request: BeginAdHoc, actor: Actor) -> AdHocView:
    adhoc.check(request.key, request.method, request.email)
    provider_of(core)
    lane, evse = named(core, request.place)
    charge_id = _id(core, request.key)
    async with _turn(core, charge_id):
        if await core.store.accounting.charge(charge_id) is None:
            await _hold(core, charge_id, lane, evse, request)
        return await _proceed(core, charge_id)


def _id(core: Core, key: str) -> str:
    """The same wish has the same id, and nobody else can tell which."""
    return adhoc.id_of(hmac.digest(core.keys.key("ad hoc", LASTING), key.encode(), sha256))


def _turn(core: Core, charge_id: str) -> asyncio.Lock:
    return core.turns.setdefault(f"ad hoc {charge_id}", asyncio.Lock())


async def _hold(core: Core, charge_id: str, lane: Lane, evse: int, request: BeginAdHoc) -> None:
    """Write down what will be held; then hold it."""
    async with core.books:
        shown = _offer(core, lane, evse)
        if not shown.payable or shown.reserved is None or shown.currency is None:
            raise Conflict(f"nothing can be paid by card at {shown.place}: {shown.detail}")
        now, token = core.clock.now(), adhoc.token_of(os.urandom(10))
        key = token.casefold()
        one = AdHoc(
            charge_id,
            token,
            shown.station,
            evse,
            shown.reserved,
            shown.currency,
            now,
            language=request.language,
            email=sealed(core, KIND, "", key, "email", request.email) if request.email else None,
        )
        charge = Charge(
            id=charge_id,
            purpose="ad-hoc",
            status="authorizing",
            amount=minor(shown.reserved, shown.currency),
            currency=shown.currency,
            owed_to=PAYMENT + token,
            created_at=now,
            changed_at=now,
            provider=provider_of(core).name,
            method=request.method,
            station=shown.station,
            evse=evse,
            step=1,
            next=now,
        )
        await core.store.commit((Keep("", KIND, key, one, now), SaveCharge(charge)), (takings.told(charge),))
        core.kept.setdefault(KIND, {})[key] = one
    async with turn(core, charge_id):
        await takings.pursue(core, charge, fresh=True)


async def continue_(core: Core, request: ContinueAdHoc, actor: Actor) -> AdHocView:
    """He says that he proved who he is: the provider knows whether he did."""
    await _mine(core, request.id)
    async with _turn(core, request.id):
        await takings.look(core, request.id)
        return await _proceed(core, request.id)


async def show(core: Core, request: ShowAdHoc, actor: Actor) -> AdHocView:
    charge = await _mine(core, request.id)
    return replace(await _view(core, charge), client_secret=await _secret(core, charge))


async def stop(core: Core, request: StopAdHoc, actor: Actor) -> AdHocView:
    await _mine(core, request.id)
    async with _turn(core, request.id):
        one = _of_charge(core, request.id)
        session = await _session(core, one) if one is not None else None
        if session is not None and session.status in RUNNING:
            await sessions.stop(core, StopSession(session=session.id, reason="its driver asked"), SELF)
        elif one is not None and session is None:
            await _keep(core, evolve(one, stopped=True))
        return await _proceed(core, request.id)


async def _mine(core: Core, charge_id: str) -> Charge:
    charge = await core.store.accounting.charge(charge_id)
    if charge is None or charge.purpose != "ad-hoc":
        raise NotFound("there is no such payment")
    return charge


# What is next.


async def proceed(core: Core, charge_id: str) -> None:
    """Do what is next."""
    async with _turn(core, charge_id):
        await _proceed(core, charge_id)


async def _proceed(core: Core, charge_id: str) -> AdHocView:
    charge = await found(core, charge_id)
    one = _of_charge(core, charge_id)
    if one is not None:
        charge = await _step(core, charge, one)
    return replace(await _view(core, charge), client_secret=await _secret(core, charge))


async def _secret(core: Core, charge: Charge) -> str | None:
    """With what the driver's browser finishes the payment at his bank: asked of the provider, and kept nowhere."""
    if charge.status != "action-needed" or charge.provider_ref is None or core.provider is None:
        return None
    with suppress(Unreachable):  # the page asks again
        seen = await core.provider.find(charge)
        return seen.client_secret if seen is not None else None
    return None


async def _step(core: Core, charge: Charge, one: AdHoc) -> Charge:
    now = core.clock.now()
    match charge.status:
        case "authorizing" | "voiding" | "capturing":
            return charge  # the provider is being asked
        case "action-needed":
            if one.stopped or now >= one.began_at + adhoc.PROOF_WITHIN:
                return await _step(core, await takings.void(core, charge.id), one)
            return charge
        case "authorized":
            return await _held(core, charge, one)
    await _close(core, charge, one)
    return charge


async def _held(core: Core, charge: Charge, one: AdHoc) -> Charge:
    """The money is there: start, or wait, or take it."""
    session = await _session(core, one)
    if session is not None:
        charge = await _with(core, charge, session=session.id)
        if session.status == SessionStatus.ENDED:
            return await _settle(core, charge, one, session)
        return charge
    why = adhoc.not_begun(one, core.clock.now(), core.terms.begins_within)
    if why is None and one.ordered_at is None:
        one = await _start(core, one)
        why = one.refused
    if why is None:
        return charge
    charge = await takings.void(core, charge.id)
    return await _step(core, charge, one)


async def _session(core: Core, one: AdHoc) -> Session | None:
    """The session that it pays for; one of its token at another station is none of ours."""
    lane = core.lanes.get(one.station.casefold())
    if lane is not None:
        async with lane.lock:  # what is being decided there is written down by then
            mine = [s for s in lane.state.sessions.values() if _same(s.token, one.token)]
        if mine:
            return mine[-1]
    if one.ordered_at is None:
        return None
    past = await core.store.sessions(ListSessions(station=one.station, token=one.token, limit=1))
    return past[0] if past else None


def _same(token: str | None, other: str) -> bool:
    return token is not None and token.casefold() == other.casefold()


async def _with(core: Core, charge: Charge, **fields: str) -> Charge:
    if all(getattr(charge, name) == value for name, value in fields.items()):
        return charge
    async with turn(core, charge.id):
        charge = await found(core, charge.id)
        return await takings.save(core, charge, evolve(charge, **fields))


async def _start(core: Core, one: AdHoc) -> AdHoc:
    """Register its token for this place alone, then ask the station. A crash in between is a start that fails."""
    lane, now = core.lane(one.station), core.clock.now()
    direct = version_of(core, lane) == "2.1"
    one = evolve(one, ordered_at=now)
    token = Token(
        one.token,
        kind=payments.DIRECT,
        max_sessions=1,
        added_at=now,
        places=(f"{one.station}:{one.evse}",),
    )
    limit = Limit(max_cost=one.amount)
    payment = Payment(one.token, "authorized", now, station=one.station, evse=one.evse, limit=limit)
    async with core.books:
        key = one.token.casefold()
        changes = (Keep("", KIND, key, one, now), SaveToken(token), SavePayment(payment))
        await core.store.commit(changes, (payment_event(payment),))
        core.kept.setdefault(KIND, {})[key] = one
        core.tokens[key] = token
    kind = payments.DIRECT if direct else "central"
    order = RemoteStart(one.token, kind, core.mint.number(), one.evse, limit=limit)
    shown = preview(
        lane.state,
        "start",
        line("payments authorize", one.token, one.station, evse=one.evse, **limits(limit)),
        (),
        "starts a session that was paid for by card",
    )
    try:
        given = await give(core, SELF, one.station, "start", order, OrderTerms(), shown)
    except Unreachable as refused:
        # It may have heard us all the same: whoever was asked may still begin.
        asked = await _given(core, one)
        return await _keep(
            core, evolve(one, intent=asked.id) if asked else evolve(one, refused=refused.message)
        )
    except Refusal as refused:
        return await _keep(core, evolve(one, refused=refused.message))
    assert isinstance(given, IntentView)
    return await _keep(core, evolve(one, intent=given.id))


async def _given(core: Core, one: AdHoc) -> IntentView | None:
    """The order to start that was written down for it."""
    for intent in await core.store.intents(one.station, None, _STARTS):
        if intent.order == "start" and intent.params.get("token") == one.token:
            return intent
    return None


async def _settle(core: Core, charge: Charge, one: AdHoc, session: Session) -> Charge:
    """The session is over: take what it cost. Without a price a person decides; a bill that is held is waited for."""
    known = await core.store.accounting.revisions(session.id)
    if not known:
        return await _stuck(core, charge, one, "the session has no price")
    cdr = await _owed(core, known)
    if cdr is None:
        return await _with(core, charge, detail=f"its bill is held: cms bills release {session.id}")
    if cdr.bill.currency != charge.currency:
        return await _stuck(core, charge, one, f"the session costs {cdr.bill.currency}")
    gross = minor(cdr.gross, charge.currency)
    if gross <= 0:
        charge = await takings.void(core, charge.id)
    else:
        charge = await takings.capture(core, charge.id, min(gross, charge.amount))
    return await _step(core, charge, one)


async def _stuck(core: Core, charge: Charge, one: AdHoc, why: str) -> Charge:
    async with turn(core, charge.id):
        charge = await found(core, charge.id)
        failed = evolve(charge, status="failed", doing=None, detail=why, changed_at=core.clock.now())
        charge = await takings.save(core, charge, failed)
    await _close(core, charge, one)
    return charge


async def _owed(core: Core, known: Sequence[Cdr]) -> Cdr | None:
    """The revision that the ledger has; None while all are held."""
    return cdrs.entered(known, await core.store.accounting.cdr_marks(known[-1].session)) if known else None


async def _cdr(core: Core, session_id: str) -> Cdr | None:
    return await _owed(core, await core.store.accounting.revisions(session_id))


async def _keep(core: Core, one: AdHoc) -> AdHoc:
    async with core.books:
        await keep(core, KIND, one.token.casefold(), one)
    return one


async def _close(core: Core, charge: Charge, one: AdHoc) -> None:
    """It is over: the token goes, the receipt is sent."""
    if charge.status == "captured" and one.email is not None and core.mail is not None:
        core.spawn(
            _send_receipt(core, charge, opened(core, KIND, "", one.token.casefold(), "email", one.email))
        )
    async with core.books:
        key, now = one.token.casefold(), core.clock.now()
        await core.store.commit((Keep("", KIND, key, None, now), DropToken(one.token)), ())
        core.kept.get(KIND, {}).pop(key, None)
        core.tokens.pop(key, None)


async def _send_receipt(core: Core, charge: Charge, email: str) -> None:
    assert core.mail is not None
    view = await _view(core, charge)
    if view.bill is None or view.paid is None:
        return
    place = " ".join(word for word in (view.site_name, view.evse_id or view.station) if word)
    lines = [
        f"{view.operator or 'Your charging station operator'}",
        f"Charging at {place}",
        f"{view.started_at:%Y-%m-%d %H:%M} UTC, {view.energy_wh / 1000:.3f} kWh" if view.started_at else "",
        "",
        *(f"{part.what}: {part.gross} {view.bill.currency}" for part in view.bill.lines),
        *(f"of which VAT {part.percent} %: {part.vat} {view.bill.currency}" for part in view.bill.vat),
        f"Paid: {view.paid.amount} {view.paid.currency}" + (f" ({charge.card})" if charge.card else ""),
        "",
        f"Payment {charge.owed_to.removeprefix(PAYMENT)}",
    ]
    with suppress(Refusal, OSError):
        await core.mail(Mail(email, f"Your receipt: charging at {place}", "\n".join(lines) + "\n"))


async def _view(core: Core, charge: Charge) -> AdHocView:
    one = _of_charge(core, charge.id)
    session = await _session(core, one) if one is not None else None
    if session is None and charge.session is not None:
        session = await core.store.session(charge.session)
    seen = session_view(session) if session is not None else None
    ended = session is not None and session.status == SessionStatus.ENDED
    cdr = await _cdr(core, session.id) if ended and session is not None else None
    lane = core.lanes.get((charge.station or "").casefold())
    state = lane.state if lane is not None else None
    site = sites.of(core.kept.get(sites.KIND, {}), state.station.site) if state is not None else None
    status = adhoc.status(charge, session is not None, ended)
    cost = Money(cdr.gross, cdr.bill.currency) if cdr is not None else None
    if cost is None and session is not None and session.cost is not None and session.currency is not None:
        cost = Money(session.cost, session.currency)
    paid = Money(major(charge.left, charge.currency), charge.currency) if charge.captured else None
    return AdHocView(
        id=charge.id,
        status=status,
        station=charge.station or "",
        evse=charge.evse or 0,
        evse_id=evses.of(state, charge.evse).id if state is not None and charge.evse else None,
        site_name=site.name if site else None,
        operator=(site.operator if site else None) or _operator(core),
        time_zone=site.time_zone if site else "UTC",
        created_at=charge.created_at,
        reserved=Money(major(charge.amount, charge.currency), charge.currency),
        session=session.id if session is not None else None,
        started_at=session.started_at if session is not None else None,
        ended_at=session.ended_at if session is not None else None,
        energy_wh=session.energy_wh if session is not None else 0,
        power_w=seen.power_w if seen is not None else None,
        cost=cost,
        paid=paid,
        bill=cdr.bill if cdr is not None else None,
        detail=_told(charge, one),
    )


def _told(charge: Charge, one: AdHoc | None) -> str | None:
    if charge.status in ("voiding", "canceled"):
        why = one.refused if one is not None else None
        return f"the charging point did not start: {why}" if why else charge.detail
    return charge.detail
