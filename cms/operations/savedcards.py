"""Saved cards of drivers: the provider keeps the card, we keep its name in the driver's billing profile."""

from __future__ import annotations

import secrets
from dataclasses import replace
from hashlib import sha256

from cms.contract.charges import (
    CardLink,
    CardView,
    CardWish,
    FinishCardLink,
    ForgetCard,
    LinkCard,
    SaveCard,
    ShowCardLink,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import adhoc, billing, organisations
from cms.domain.billing import BillingProfile
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.savedcards import GOOD_FOR, KIND, Link
from cms.operations.collecting import provider_of
from cms.operations.deciding import keep
from cms.operations.drivers import find


async def save(core: Core, request: SaveCard, actor: Actor) -> CardView:
    driver = find(core, request.driver).id
    return await _save(core, driver, request.method, actor)


async def _save(core: Core, driver: str, method: str, actor: Actor) -> CardView:
    adhoc.check_method(method)
    customer = await _customer(core, driver)
    # The same card given twice is one wish; so is a repeat after a lost answer.
    key = f"card-{customer}-{method}"
    saved, text = await provider_of(core).save(customer, method, key)
    return await _keep(core, driver, actor, customer=customer, method=saved, method_text=text)


async def _customer(core: Core, driver: str) -> str:
    """The provider's name for him: the one that he has, or a new one."""
    known = billing.profile(core.kept, driver)
    if known is not None and known.customer is not None:
        return known.customer
    key = f"customer-{core.organisation}-{driver}-{core.mint.id(core.clock.now())}"
    customer = await provider_of(core).customer(core.organisation, driver, key)
    await _keep(core, driver, None, customer=customer)
    return customer


async def _keep(core: Core, driver: str, actor: Actor | None, **fields: str | None) -> CardView:
    async with core.books:
        now = core.clock.now()
        known = billing.profile(core.kept, driver) or BillingProfile(driver)
        known = evolve(known, changed_at=now, **fields)
        told = Happened(
            "driver.card",
            now,
            actor=actor.name if actor else None,
            data={"driver": driver, "saved": known.method is not None},
        )
        await keep(core, billing.KIND, driver, known, *((told,) if "method" in fields else ()))
    return CardView(driver, known.method_text, known.method)


async def forget(core: Core, request: ForgetCard, actor: Actor) -> CardView:
    driver = find(core, request.driver).id
    return await _keep(core, driver, actor, method=None, method_text=None)


async def link(core: Core, request: LinkCard, actor: Actor) -> CardLink:
    provider_of(core)
    driver = find(core, request.driver).id
    if not core.terms.pay_url:
        raise Conflict(
            "there is no pay page to send a driver to", "set pay_port and pay_url (docs/payments.md)"
        )
    id, until = secrets.token_urlsafe(24), core.clock.now() + GOOD_FOR
    async with core.books:
        for key, old in list(core.kept.get(KIND, {}).items()):
            if old.driver == driver or old.until <= core.clock.now():
                await keep(core, KIND, key, None)
        await keep(core, KIND, _digest(id), Link(driver, until))
    return CardLink(driver, f"{core.terms.pay_url}/card/{id}", until)


def _digest(id: str) -> str:
    """A link is as good as a password: the record does not have it."""
    return sha256(id.encode()).hexdigest()


def _found(core: Core, id: str) -> Link:
    found: Link | None = core.kept.get(KIND, {}).get(_digest(id))
    if found is None or found.until <= core.clock.now():
        raise NotFound("this link is not good any more", "ask for another one")
    return found


async def show_link(core: Core, request: ShowCardLink, actor: Actor) -> CardWish:
    """A wish of its own each time that the page is shown."""
    known, provider = _found(core, request.id), provider_of(core)
    customer = await _customer(core, known.driver)
    wish, secret = await provider.ask_for_card(customer, f"wish-{secrets.token_hex(16)}")
    async with core.books:
        await keep(core, KIND, _digest(request.id), evolve(known, wish=wish))
    own = organisations.own(core.kept)
    return CardWish(
        request.id,
        own.name if own else None,
        provider.name,
        provider.publishable_key,
        provider.script_url,
        secret,
    )


async def finish_link(core: Core, request: FinishCardLink, actor: Actor) -> CardView:
    known = _found(core, request.id)
    given = await provider_of(core).card_given(known.wish) if known.wish is not None else None
    if given is None:
        raise Conflict("the provider has no card yet", "finish there first")
    if given[0] != await _customer(core, known.driver):
        raise Invalid("this card was given by somebody else")
    view = await _save(core, known.driver, given[1], actor)
    async with core.books:
        await keep(core, KIND, _digest(request.id), None)
    return replace(view, method=None)
