"""An invoice as Cross Industry Invoice (UN/CEFACT D22B), in the words of EN 16931-1: BT and BG name its terms."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from cms.documents.words import WORDS, language_of
from cms.domain.invoices import EXEMPT, REVERSE_CHARGE, Invoice, Item, Party

_RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
_UDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
_QDT = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
_RSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
_NAMES = {"rsm": _RSM, "ram": _RAM, "udt": _UDT, "qdt": _QDT}
_PROFILE = "urn:cen.eu:en16931:2017"
#: UNTDID 1001.
_TYPES = {"invoice": "380", "credit-note": "381"}
#: UN/ECE recommendation 20; what is not named is counted.
_UNITS = {"kWh": "KWH", "min": "MIN", "h": "HUR", "month": "MON", "day": "DAY"}
#: UNTDID 4461: SEPA credit transfer, bank card.
_SEPA, _CARD = "58", "48"
#: What XML 1.0 cannot say.
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = Any


def xml(invoice: Invoice) -> bytes:
    """UTF-8."""
    root = etree.Element(f"{{{_RSM}}}CrossIndustryInvoice", nsmap=_NAMES)
    context = _rsm(root, "ExchangedDocumentContext")
    _put(context, "GuidelineSpecifiedDocumentContextParameter/ID", _PROFILE)
    _head(_rsm(root, "ExchangedDocument"), invoice)
    trade = _rsm(root, "SupplyChainTradeTransaction")
    for number, item in enumerate(invoice.items, 1):
        _line(_sub(trade, "IncludedSupplyChainTradeLineItem"), invoice, number, item)
    _parties(_sub(trade, "ApplicableHeaderTradeAgreement"), invoice)
    delivery = _sub(trade, "ApplicableHeaderTradeDelivery")
    _day(_sub(delivery, "ActualDeliverySupplyChainEvent"), "OccurrenceDateTime", invoice.period_to)  # BT-72
    _settlement(_sub(trade, "ApplicableHeaderTradeSettlement"), invoice)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


def _head(at: Element, invoice: Invoice) -> None:
    _put(at, "ID", invoice.id)  # BT-1
    _put(at, "TypeCode", _TYPES[invoice.kind])  # BT-3
    _day(at, "IssueDateTime", invoice.issued_on)  # BT-2
    if invoice.note:
        _put(at, "IncludedNote/Content", invoice.note)  # BT-22


def _line(at: Element, invoice: Invoice, number: int, item: Item) -> None:
    _put(at, "AssociatedDocumentLineDocument/LineID", str(number))  # BT-126
    product = _sub(at, "SpecifiedTradeProduct")
    _put(product, "Name", item.text)  # BT-153
    told = ", ".join(part for part in (item.place, item.session) if part)
    if told:
        _put(product, "Description", told)  # BT-154
    price = _sub(at, "SpecifiedLineTradeAgreement")
    _put(price, "NetPriceProductTradePrice/ChargeAmount", _plain(item.price))  # BT-146
    quantity = _put(at, "SpecifiedLineTradeDelivery/BilledQuantity", _plain(item.quantity))  # BT-129
    quantity.set("unitCode", _UNITS.get(item.unit, "C62"))  # BT-130
    settled = _sub(at, "SpecifiedLineTradeSettlement")
    tax = _sub(settled, "ApplicableTradeTax")
    _put(tax, "TypeCode", "VAT")
    _put(tax, "CategoryCode", category(invoice, item.vat_percent))  # BT-151
    _put(tax, "RateApplicablePercent", _percent(item.vat_percent))  # BT-152
    if item.since is not None and item.until is not None:
        zone = ZoneInfo(item.time_zone)
        _period(settled, item.since.astimezone(zone).date(), item.until.astimezone(zone).date())
    _put(settled, "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount", f"{item.net:f}")  # BT-131


def category(invoice: Invoice, percent: Decimal) -> str:
    """UNTDID 5305."""
    return "S" if percent else invoice.untaxed


def _parties(at: Element, invoice: Invoice) -> None:
    if invoice.buyer.reference:
        _put(at, "BuyerReference", invoice.buyer.reference)  # BT-10
    _party(_sub(at, "SellerTradeParty"), invoice.seller)  # BG-4
    _party(_sub(at, "BuyerTradeParty"), invoice.buyer)  # BG-7


def _party(at: Element, party: Party) -> None:
    _put(at, "Name", party.name)
    if party.contact or party.phone or party.email:
        contact = _sub(at, "DefinedTradeContact")
        _put(contact, "PersonName", party.contact or party.name)
        if party.phone:
            _put(contact, "TelephoneUniversalCommunication/CompleteNumber", party.phone)
        if party.email:
            _put(contact, "EmailURIUniversalCommunication/URIID", party.email)
    address = _sub(at, "PostalTradeAddress")
    for name, value in (
        ("PostcodeCode", party.postcode),
        ("LineOne", party.street),
        ("CityName", party.city),
        ("CountryID", party.country),
    ):
        if value:
            _put(address, name, value)
    if party.email:
        _put(at, "URIUniversalCommunication/URIID", party.email).set("schemeID", "EM")  # BT-34, BT-49
    for id, scheme in ((party.vat_id, "VA"), (party.tax_number, "FC")):
        if id:
            _put(at, "SpecifiedTaxRegistration/ID", id).set("schemeID", scheme)


def _settlement(at: Element, invoice: Invoice) -> None:
    _put(at, "PaymentReference", invoice.id)  # BT-83
    _put(at, "InvoiceCurrencyCode", invoice.currency)  # BT-5
    means = _sub(at, "SpecifiedTradeSettlementPaymentMeans")
    _put(means, "TypeCode", _SEPA if invoice.card is None else _CARD)  # BT-81
    if invoice.card is None:
        _put(means, "PayeePartyCreditorFinancialAccount/IBANID", invoice.seller.iban or "")  # BT-84
    if invoice.seller.bic and invoice.card is None:
        _put(means, "PayeeSpecifiedCreditorFinancialInstitution/BICID", invoice.seller.bic)  # BT-86
    for part in invoice.vat:
        _tax(_sub(at, "ApplicableTradeTax"), invoice, part)  # BG-23
    _period(at, invoice.period_from, invoice.period_to)  # BG-14
    terms = _sub(at, "SpecifiedTradePaymentTerms")
    words = WORDS[language_of(invoice)]
    _put(
        terms, "Description", words["credited" if invoice.credits else "terms"].format(id=invoice.id)
    )  # BT-20
    _day(terms, "DueDateDateTime", invoice.due_on)  # BT-9
    _sums(_sub(at, "SpecifiedTradeSettlementHeaderMonetarySummation"), invoice)
    if invoice.corrects is not None:
        _put(at, "InvoiceReferencedDocument/IssuerAssignedID", invoice.corrects)  # BT-25


def _tax(at: Element, invoice: Invoice, part: Any) -> None:
    kind = category(invoice, part.percent)
    _put(at, "CalculatedAmount", f"{part.vat:f}")  # BT-117
    _put(at, "TypeCode", "VAT")
    if kind in (REVERSE_CHARGE, EXEMPT):
        _put(at, "ExemptionReason", invoice.untaxed_why or WORDS["en"]["exempt"])  # BT-120
    _put(at, "BasisAmount", f"{part.net:f}")  # BT-116
    _put(at, "CategoryCode", kind)  # BT-118
    if kind == REVERSE_CHARGE:
        _put(at, "ExemptionReasonCode", "VATEX-EU-AE")  # BT-121
    _put(at, "RateApplicablePercent", _percent(part.percent))  # BT-119


def _sums(at: Element, invoice: Invoice) -> None:
    _put(at, "LineTotalAmount", f"{invoice.net:f}")  # BT-106
    _put(at, "TaxBasisTotalAmount", f"{invoice.net:f}")  # BT-109
    taxes = invoice.gross - invoice.net
    _put(at, "TaxTotalAmount", f"{taxes:f}").set("currencyID", invoice.currency)  # BT-110
    if invoice.rounding:
        _put(at, "RoundingAmount", f"{invoice.rounding:f}")  # BT-114
    _put(at, "GrandTotalAmount", f"{invoice.gross:f}")  # BT-112
    _put(at, "DuePayableAmount", f"{invoice.payable:f}")  # BT-115


def _period(at: Element, since: date, until: date) -> None:
    period = _sub(at, "BillingSpecifiedPeriod")
    _day(period, "StartDateTime", since)
    _day(period, "EndDateTime", until)


def _day(at: Element, name: str, day: date) -> None:
    text = etree.SubElement(_sub(at, name), f"{{{_UDT}}}DateTimeString", format="102")
    text.text = f"{day:%Y%m%d}"


def _put(at: Element, path: str, text: str) -> Element:
    """An element below others, with this text."""
    for name in path.split("/"):
        at = _sub(at, name)
    at.text = _UNSAYABLE.sub("\ufffd", text)
    return at


def _sub(at: Element, name: str) -> Element:
    return etree.SubElement(at, f"{{{_RAM}}}{name}")


def _rsm(at: Element, name: str) -> Element:
    return etree.SubElement(at, f"{{{_RSM}}}{name}")


def _percent(percent: Decimal) -> str:
    return f"{percent:.2f}"


def _plain(number: Decimal) -> str:
    """Without an exponent or zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
