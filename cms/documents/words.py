"""What stands on invoices beside their own texts, in the languages they are written in."""

from __future__ import annotations

from cms.domain import invoicing
from cms.domain.invoices import Invoice

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "invoice": "Invoice",
        "credit-note": "Credit note",
        "number": "Number",
        "date": "Date",
        "period": "Period",
        "customer": "Customer",
        "your-vat-id": "Your VAT id",
        "your-reference": "Your reference",
        "attention": "Attn.",
        "corrects": "Corrects invoice",
        "reason": "Reason",
        "item": "Item",
        "quantity": "Quantity",
        "price": "Unit price",
        "vat": "VAT",
        "net": "Net",
        "sessions": "Charging sessions",
        "other": "Other items",
        "incl": "incl. VAT",
        "sum": "Total, net",
        "vat-at": "VAT {percent} on {net}",
        "gross": "Total with VAT",
        "rounding": "Rounding",
        "payable": "Amount due",
        "returned": "Amount credited",
        "pay": "Please pay {amount} by {due} to the account below, naming {id}.",
        "card": "{amount} are charged to your card ({card}), as far as that was not done already.",
        "nothing": "Nothing is to be paid.",
        "note": "This credit note is set off against invoice {id}; what was paid already is returned.",
        "note-alone": "This amount is credited to you.",
        "terms": "Payable without deduction, naming {id}",
        "credited": "Set off against what is owed",
        "exempt": "Exempt from VAT",
        "bank": "Bank details",
        "scan": "Pay with your banking app",
        "page": "Page",
        "of": "of",
        "vat-id": "VAT id",
        "tax-number": "Tax number",
        "month": "month",
        "session": "×",
        "min": "min",
    },
    "de": {
        "invoice": "Rechnung",
        "credit-note": "Rechnungskorrektur",
        "number": "Nummer",
        "date": "Datum",
        "period": "Leistungszeitraum",
        "customer": "Kunde",
        "your-vat-id": "Ihre USt-IdNr.",
        "your-reference": "Ihre Referenz",
        "attention": "z. Hd.",
        "corrects": "Zu Rechnung",
        "reason": "Grund",
        "item": "Leistung",
        "quantity": "Menge",
        "price": "Einzelpreis",
        "vat": "USt",
        "net": "Netto",
        "sessions": "Ladevorgänge",
        "other": "Weitere Posten",
        "incl": "brutto",
        "sum": "Summe netto",
        "vat-at": "USt {percent} auf {net}",
        "gross": "Summe brutto",
        "rounding": "Rundung",
        "payable": "Zu zahlen",
        "returned": "Gutgeschriebener Betrag",
        "pay": "Bitte überweisen Sie {amount} bis zum {due} auf das unten genannte Konto und nennen Sie {id}.",
        "card": "{amount} werden Ihrer Karte ({card}) belastet, soweit das noch nicht geschehen ist.",
        "nothing": "Es ist nichts zu zahlen.",
        "note": "Der Betrag wird mit Rechnung {id} verrechnet; was schon bezahlt ist, wird erstattet.",
        "note-alone": "Der Betrag wird Ihnen gutgeschrieben.",
        "terms": "Zahlbar ohne Abzug unter Angabe von {id}",
        "credited": "Wird mit offenen Beträgen verrechnet",
        "exempt": "Von der Umsatzsteuer befreit",
        "bank": "Bankverbindung",
        "scan": "Mit der Banking-App bezahlen",
        "page": "Seite",
        "of": "von",
        "vat-id": "USt-IdNr.",
        "tax-number": "Steuernummer",
        "month": "Monat",
        "session": "×",
        "min": "min",
    },
}


def language_of(invoice: Invoice) -> str:
    """The buyer's, else the seller's."""
    return invoicing.language_of(invoice.buyer.language, invoice.seller.language or "")


def locale_of(invoice: Invoice) -> str:
    """How amounts and dates are written: as the seller's locale has it where that is of the same language."""
    language, locale = language_of(invoice), invoice.seller.language or ""
    return locale if locale.partition("_")[0] == language else {"en": "en_GB", "de": "de_DE"}[language]
