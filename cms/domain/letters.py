"""What is written to buyers beside their invoices, in their language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cms.domain.invoices import Invoice
from cms.domain.invoicing import language_of
from cms.domain.verification import Attachment, Mail

__all__ = ["Attachment", "Mail", "invoice", "reminder"]

_SUBJECTS = {
    "en": {
        "invoice": "Invoice {id}",
        "credit-note": "Credit note {id}",
        "reminder": "Reminder {level}: invoice {id}",
    },
    "de": {
        "invoice": "Rechnung {id}",
        "credit-note": "Rechnungskorrektur {id}",
        "reminder": "{level}. Mahnung: Rechnung {id}",
    },
}
_TEXTS = {
    "en": {
        "invoice": "Good day,\n\nplease find attached invoice {id} of {issued} over {amount} {currency}, due on {due}."
        "\n\nYours sincerely\n{seller}\n",
        "credit-note": "Good day,\n\nplease find attached credit note {id} of {issued} over {amount} {currency}."
        "\n\nYours sincerely\n{seller}\n",
        "reminder": "Good day,\n\ninvoice {id} of {issued} was due on {due}; {open} {currency} of it are still open."
        "{fee}\n\nPlease pay to {iban}, naming {id}. If your payment is on its way already, please disregard this."
        "\n\nYours sincerely\n{seller}\n",
        "fee": " This includes a reminder fee of {amount} {currency}.",
    },
    "de": {
        "invoice": "Guten Tag,\n\nanbei die Rechnung {id} vom {issued} über {amount} {currency}, fällig am {due}."
        "\n\nMit freundlichen Grüßen\n{seller}\n",
        "credit-note": "Guten Tag,\n\nanbei die Rechnungskorrektur {id} vom {issued} über {amount} {currency}."
        "\n\nMit freundlichen Grüßen\n{seller}\n",
        "reminder": "Guten Tag,\n\ndie Rechnung {id} vom {issued} war am {due} fällig; davon sind noch {open} "
        "{currency} offen.{fee}\n\nBitte überweisen Sie den Betrag auf das Konto {iban} und nennen Sie {id}. Sollte "
        "Ihre Zahlung schon unterwegs sein, betrachten Sie dieses Schreiben als gegenstandslos."
        "\n\nMit freundlichen Grüßen\n{seller}\n",
        "fee": " Darin sind {amount} {currency} Mahngebühr enthalten.",
    },
}
_DAYS = {"en": "%Y-%m-%d", "de": "%d.%m.%Y"}


def invoice(it: Invoice, to: str) -> Mail:
    """The letter that an invoice or a credit note goes with."""
    language = _language(it)
    words = _words(it, language)
    return Mail(to, _SUBJECTS[language][it.kind].format(**words), _TEXTS[language][it.kind].format(**words))


def reminder(it: Invoice, to: str, level: int, owed: Decimal, fee: Decimal) -> Mail:
    """``owed`` is all that is open, the ``fee`` of this reminder with it."""
    language = _language(it)
    words = _words(it, language)
    of_fee = _TEXTS[language]["fee"].format(**{**words, "amount": _amount(fee, language)}) if fee else ""
    subject = _SUBJECTS[language]["reminder"].format(level=level, **words)
    text = _TEXTS[language]["reminder"].format(open=_amount(owed, language), fee=of_fee, **words)
    return Mail(to, subject, text)


def _language(it: Invoice) -> str:
    return language_of(it.buyer.language, it.seller.language or "")


def _words(it: Invoice, language: str) -> dict[str, str]:
    return {
        "id": it.id,
        "issued": _day(it.issued_on, language),
        "due": _day(it.due_on, language),
        "amount": _amount(it.payable, language),
        "currency": it.currency,
        "seller": it.seller.name,
        "iban": it.seller.iban or "",
    }


def _day(day: date, language: str) -> str:
    return format(day, _DAYS[language])


def _amount(amount: Decimal, language: str) -> str:
    written = f"{amount:,f}"
    return written.translate(str.maketrans(",.", ".,")) if language == "de" else written
