"""The ledger: what invoices and people still owe, and how that is settled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from cms.core import Core
from cms.domain import ledger
from cms.domain.invoices import Invoice
from cms.domain.ledger import Enter


async def open_amount(core: Core, invoice: Invoice) -> Decimal:
    """What an invoice is still owed, in major units; below nothing where too much was paid for it."""
    return (await open_amounts(core, [invoice]))[invoice.id]


async def open_amounts(core: Core, invoices: Iterable[Invoice]) -> dict[str, Decimal]:
    """The same of many, by their ids: ``payable`` less what entries of settling kinds say was paid."""
    asked = {invoice.id: invoice for invoice in invoices}
    refs = {id: ledger.of_invoice(id) for id in asked}
    moved = await core.store.accounting.moved(list(refs.values()), ledger.SETTLING)
    return {
        id: invoice.payable
        + ledger.major(moved.get(refs[id], {}).get((invoice.account, invoice.currency), 0), invoice.currency)
        for id, invoice in asked.items()
    }


def settle(
    invoice: Invoice,
    amount: int,
    source: str,
    key: str,
    at: datetime,
    *,
    still_open: int | None = None,
    reason: str | None = None,
    actor: str | None = None,
) -> tuple[Enter, ...]:
    """What enters a payment of ``amount`` minor units from ``source`` (``bank``, ``provider/stripe``) for an invoice.

    A negative amount takes one back. What exceeds ``still_open`` stays on the account as credit, for no invoice.
    ``key`` is unique: who comes again with it gets a Clash, and has paid nothing twice.
    """
    fits = amount if still_open is None or amount <= 0 else min(amount, max(still_open, 0))
    over = amount - fits
    entered = []
    if fits:
        ref = ledger.of_invoice(invoice.id)
        entered.append(
            ledger.payment(
                key, at, invoice.account, source, fits, invoice.currency, ref, reason=reason, actor=actor
            )
        )
    if over:
        over_key = f"{key}/over" if fits else key
        entered.append(
            ledger.payment(
                over_key,
                at,
                invoice.account,
                source,
                over,
                invoice.currency,
                invoice.account,
                reason=f"more than invoice {invoice.id} was owed",
                actor=actor,
            )
        )
    return tuple(entered)
