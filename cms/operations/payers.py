"""Who pays a session, decided when it ends."""

from __future__ import annotations

from cms.core import Core
from cms.domain.accounts import Account
from cms.domain.cdrs import Payer
from cms.domain.sessions import Session


def payer(core: Core, session: Session, account: Account) -> Payer:
    """The payment that was taken for it, the balance it was limited by, else its driver by invoice."""
    token = core.tokens.get(session.token.casefold()) if session.token else None
    driver = token.driver if token is not None else None
    if account.psp_ref is not None:
        return Payer("ad-hoc", f"payment/{account.psp_ref}", driver)
    if account.prepaid is not None:
        return Payer("prepaid", f"prepaid/{holder(core, account.prepaid)}", driver)
    if driver is not None:
        return Payer("invoice", f"receivable/{driver}", driver)
    if session.token is not None:
        return Payer("invoice", f"receivable/token/{session.token}")
    return Payer("nobody", "receivable/nobody")


def holder(core: Core, token_id: str) -> str:
    """Whose the money of a token is: its driver's, or its own (``token/ID``)."""
    token = core.tokens.get(token_id.casefold())
    return token.driver if token is not None and token.driver is not None else f"token/{token_id}"
