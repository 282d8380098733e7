"""Who pays a session, decided when it ends."""

from __future__ import annotations

from cms.core import Core
from cms.domain import billing
from cms.domain.accounts import Account
from cms.domain.cdrs import Payer
from cms.domain.ledger import WAIVED
from cms.domain.sessions import Session
from cms.operations.credits import paying


def payer(core: Core, session: Session, account: Account) -> Payer:
    """The payment that was taken for it, the balance it was limited by, else its driver in the way he pays."""
    token = core.tokens.get(session.token.casefold()) if session.token else None
    driver = token.driver if token is not None else None
    if account.psp_ref is not None:
        return Payer("ad-hoc", f"payment/{account.psp_ref}", driver)
    balance = paying(core, account)
    if balance is not None:
        return Payer("prepaid", balance, driver)
    way = billing.way_of(core.kept, driver)
    if way == "free":
        return Payer(way, WAIVED, driver)
    if driver is not None:
        return Payer("card" if way == "card" else "invoice", f"receivable/{driver}", driver)
    if session.token is not None:
        return Payer("invoice", f"receivable/token/{session.token}")
    return Payer("nobody", "receivable/nobody")
