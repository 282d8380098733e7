"""Billing profiles of drivers: how each pays, and what stands on his invoices."""

from __future__ import annotations

import msgspec

from cms.contract.billingprofiles import (
    BillingProfileView,
    ListBillingProfiles,
    SetBillingProfile,
    ShowBillingProfile,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain import billing, vatids
from cms.domain.atrest import Sealed, place
from cms.domain.billing import BillingProfile, Contact
from cms.domain.changes import Change, Happened, Keep
from cms.domain.drivers import Box
from cms.domain.evolve import evolve, with_fields
from cms.operations.drivers import find, opened, registered, said

_PERSONAL = ("company", "purchase_reference", "invoice_email")
#: By which check of a driver's words these are read (operations.drivers.said).
_READ_AS = {"invoice_email": "email"}


async def list_(core: Core, request: ListBillingProfiles, actor: Actor) -> list[BillingProfileView]:
    chosen = parse(request.filter or "", keys_of(BillingProfileView))
    boxes = await core.store.kept("", billing.CONTACT)
    known: dict[str, BillingProfile] = core.kept.get(billing.KIND, {})
    views = (
        _view(core, known[id], _opened(core, id, boxes.get(id)))
        for id in sorted(known)
        if id in registered(core)
    )
    return [view for view in views if chosen(view)]


async def show(core: Core, request: ShowBillingProfile, actor: Actor) -> BillingProfileView:
    return await shown(core, find(core, request.driver).id)


async def shown(core: Core, driver_id: str) -> BillingProfileView:
    known = billing.profile(core.kept, driver_id) or BillingProfile(driver_id)
    return _view(core, known, await contact_of(core, driver_id))


async def contact_of(core: Core, driver_id: str) -> Contact:
    """What stands on a driver's invoices beside what is known of him: company, VAT number, reference, address."""
    return _opened(core, driver_id, await core.store.kept_one("", billing.CONTACT, driver_id))


def _opened(core: Core, driver_id: str, box: Box | None) -> Contact:
    return Contact() if box is None else opened(core, billing.CONTACT, driver_id, box, Contact)


def _view(core: Core, known: BillingProfile, contact: Contact) -> BillingProfileView:
    return BillingProfileView(
        driver=known.driver,
        way=known.way,
        every=known.every,
        company=contact.company,
        vat_id=contact.vat_id,
        vat_checked=known.vat_checked,
        purchase_reference=contact.purchase_reference,
        invoice_email=contact.invoice_email,
        language=known.language,
        card=card_of(known),
        plan=billing.plan_of(core.kept, known.driver, core.clock.now()),
        changed_at=known.changed_at,
    )


def card_of(known: BillingProfile) -> str | None:
    """What people call his saved card; None: none is saved."""
    return known.method_text or ("saved" if known.method else None)


async def set_(core: Core, request: SetBillingProfile, actor: Actor) -> BillingProfileView:
    driver_id = find(core, request.driver).id
    vat_id, vat_checked = await _vat(core, request.vat_id)
    async with core.books:
        before = billing.profile(core.kept, driver_id) or BillingProfile(driver_id)
        known = await contact_of(core, driver_id)
        contact = _contact(known, request, vat_id)
        profile = _profile(before, request)
        if request.vat_id is not None:
            profile = evolve(profile, vat_checked=vat_checked)
        await save(core, profile, actor, contact if contact != known else None)
    return await shown(core, driver_id)


async def _vat(core: Core, asked: str | None) -> tuple[str | None, bool | None]:
    """The number as it is written down, and what whoever is asked about them says of it."""
    if not asked or not asked.strip():
        return None, None
    number = vatids.read(asked)
    if core.vat is None:
        return number, None
    answer = await core.vat(number)
    if not answer.accepted:
        raise Invalid(f"the VAT number {number} is not accepted: {answer.reason or 'it is not valid'}")
    return number, True


def _contact(known: Contact, request: SetBillingProfile, vat_id: str | None) -> Contact:
    told = {name: getattr(request, name) for name in _PERSONAL}
    changes = {name: said(text, _READ_AS.get(name, name)) for name, text in told.items() if text is not None}
    if request.vat_id is not None:
        changes["vat_id"] = vat_id
    return with_fields(known, changes) if changes else known


def _profile(before: BillingProfile, request: SetBillingProfile) -> BillingProfile:
    profile = before
    if request.way is not None:
        profile = evolve(profile, way=_one_of("way", request.way, billing.WAYS) if request.way else None)
    if request.every is not None:
        profile = evolve(profile, every=_one_of("every", request.every, billing.EVERY))
    if request.language is not None:
        profile = evolve(profile, language=said(request.language, "language"))
    return profile


def _one_of(what: str, word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise Invalid(f"{what} is {', '.join(words)}, not {word[:20]!r}")
    return word


async def save(core: Core, profile: BillingProfile, actor: Actor, contact: Contact | None = None) -> None:
    """Write a profile down. ``core.books`` is held by the caller."""
    now = core.clock.now()
    profile = evolve(profile, changed_at=now)
    changes: list[Change] = [Keep("", billing.KIND, profile.driver, profile, now)]
    if contact is not None:
        where = place(billing.CONTACT, "", profile.driver)
        box = Box(Sealed(core.keys.seal(*where, "body", msgspec.json.encode(contact))))
        changes.append(Keep("", billing.CONTACT, profile.driver, box, now))
    data = {
        "driver": profile.driver,
        "way": profile.way,
        "every": profile.every,
        "card": profile.method is not None,
    }
    told = Happened("billing.profile", now, actor=actor.name, data=data)
    await core.store.commit(changes, (told,))
    core.kept.setdefault(billing.KIND, {})[profile.driver] = profile


async def save_card(
    core: Core, driver_id: str, customer: str, method: str | None, text: str | None, actor: Actor
) -> None:
    """Keep the provider's names for a driver and his card; without a ``method`` his card is forgotten."""
    async with core.books:
        if driver_id not in registered(core):
            raise Conflict(f"driver {driver_id} is registered no more")
        before = billing.profile(core.kept, driver_id) or BillingProfile(driver_id)
        profile = evolve(before, customer=customer, method=method, method_text=text)
        await save(core, profile, actor)
