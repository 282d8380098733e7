"""Who an invoice is for: a driver as he is known when it is made, or the holder of a card that nobody registered."""

from __future__ import annotations

from dataclasses import dataclass

from cms.core import Core
from cms.domain import billing, drivers, invoices, ledger, sellers
from cms.domain.billing import BillingProfile, Contact
from cms.domain.drivers import Driver
from cms.domain.invoices import Party
from cms.domain.invoicing import language_of
from cms.domain.sellers import Seller
from cms.operations.billingprofiles import contact_of
from cms.operations.drivers import person_of

#: Why the buyer owes the tax himself, as the law wants it said (directive 2006/112/EC, article 226 number 11a).
REVERSE_CHARGE = {
    "en": "Reverse charge: VAT is owed by the recipient of the supply",
    "de": "Steuerschuldnerschaft des Leistungsempfängers",
}


@dataclass(frozen=True, slots=True)
class Buyer:
    """``untaxed``: the category of what is taxed at 0 per cent (domain.invoices), and why."""

    driver: str | None
    party: Party
    language: str
    card: str | None = None
    """The card that is charged for invoices, or was for sessions."""
    untaxed: str = invoices.ZERO_RATED
    untaxed_why: str | None = None


async def buyer_of(core: Core, seller: Seller, account: str) -> Buyer:
    """Whose account it is, with what is personal about him."""
    name = account.removeprefix(ledger.RECEIVABLE)
    driver: Driver | None = core.kept.get(drivers.KIND, {}).get(name)
    if driver is None:
        language = language_of(None, seller.locale)
        stranger = Party(name=name.removeprefix("token/"), country=seller.country, language=language)
        return Buyer(None, stranger, language, None, *_exempt(seller))
    profile, contact = billing.profile(core.kept, driver.id), await contact_of(core, driver.id)
    wanted = (profile.language if profile is not None else None) or driver.language
    language = language_of(wanted, seller.locale)
    person = await person_of(core, driver.id)
    party = Party(
        name=contact.company or person.name or driver.id,
        street=person.street,
        postcode=person.postcode,
        city=person.city,
        country=person.country or seller.country,
        vat_id=contact.vat_id,
        email=contact.invoice_email or person.email,
        phone=person.phone,
        language=language,
        contact=person.name if contact.company and person.name else None,
        reference=contact.purchase_reference,
    )
    card = _card(core, profile)
    if _owes_the_tax(seller, contact, profile):
        return Buyer(driver.id, party, language, card, invoices.REVERSE_CHARGE, REVERSE_CHARGE[language])
    return Buyer(driver.id, party, language, card, *_exempt(seller))


def _card(core: Core, profile: BillingProfile | None) -> str | None:
    if core.provider is None or profile is None or profile.way != "card" or profile.method is None:
        return None
    return profile.method_text or "card"


def _owes_the_tax(seller: Seller, contact: Contact, profile: BillingProfile | None) -> bool:
    """Whether both have VAT ids, of two member states, and nobody said that the buyer's is none."""
    if seller.vat_id is None or contact.vat_id is None or (profile and profile.vat_checked is False):
        return False
    states = {seller.vat_id[:2].upper(), contact.vat_id[:2].upper()}
    return len(states) == 2 and states <= sellers.EU_VAT


def _exempt(seller: Seller) -> tuple[str, str | None]:
    return (invoices.EXEMPT, seller.exemption) if seller.exemption else (invoices.ZERO_RATED, None)
