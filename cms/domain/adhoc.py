"""Charging by card without a contract: what is known of one that is not over.

Its charge (domain.charges) says how it stands with the money; this says how it stands at the station. What happens next
follows from both, whoever looks: a page that waits, a session that ended, a daemon that came back.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.contract.adhoc import OVER
from cms.contract.refusals import Invalid
from cms.domain.atrest import Sealed
from cms.domain.charges import Charge
from cms.domain.record import record

KIND = "ad-hoc"

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_METHOD = re.compile(r"[A-Za-z0-9_]{4,255}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s]{2,60}")
#: A driver who did not prove to his bank who he is by then has gone.
PROOF_WITHIN = timedelta(minutes=15)
#: Beyond the time in which an accepted start begins: its report may be on its way.
_SLACK = timedelta(seconds=30)


@record
class AdHoc:
    """One that is not over, kept under the token by which its session is known (without case).

    ``ordered_at``: when the station was about to be asked; ``session`` as soon as there is one.
    """

    charge: str
    token: str
    station: str
    evse: int
    amount: Decimal
    currency: str
    began_at: datetime
    ordered_at: datetime | None = None
    intent: str | None = None
    refused: str | None = None
    """Why the station will not start."""
    session: str | None = None
    stopped: bool = False
    """Whether its driver gave up before it began."""
    language: str | None = None
    email: Sealed | None = None


def check(key: str, method: str, email: str | None) -> None:
    """What the page of a stranger may say. Raises Invalid."""
    if not _KEY.fullmatch(key):
        raise Invalid("a key has 8 to 64 letters, digits, - and _")
    check_method(method)
    if email is not None and not (_EMAIL.fullmatch(email) and email.isprintable()):
        raise Invalid("that is no email address")


def check_method(method: str) -> None:
    """What a provider calls a card. Raises Invalid."""
    if not _METHOD.fullmatch(method):
        raise Invalid("method is the provider's name for a card, e.g. pm_1ABC")


def id_of(digest: bytes) -> str:
    """The id of one: nobody can guess it, and the same wish has the same."""
    return "ah_" + base64.b32encode(digest[:20]).decode().lower()


def token_of(random: bytes) -> str:
    """The token of its session: 18 characters, 80 random bits (1.6 takes 20 characters, and compares without case)."""
    return "AH" + base64.b32encode(random[:10]).decode()


def known(kept: Mapping[str, Mapping[str, Any]], token: str | None, station: str) -> AdHoc | None:
    """The one whose session has this token, at its own station alone."""
    of_kind = kept.get(KIND)
    if not of_kind or token is None:
        return None
    one: AdHoc | None = of_kind.get(token.casefold())
    return one if one is not None and one.station == station else None


def not_begun(adhoc: AdHoc, now: datetime, begins_within: timedelta) -> str | None:
    """Why no session will begin any more; None while one may."""
    if adhoc.refused is not None:
        return adhoc.refused
    if adhoc.stopped:
        return "its driver gave up"
    if adhoc.ordered_at is None and now >= adhoc.began_at + PROOF_WITHIN:
        return "it took too long to pay"
    if adhoc.ordered_at is not None and now >= adhoc.ordered_at + begins_within + _SLACK:
        return "no session began in time"
    return None


#: Charge.status -> AdHocView.status, where it does not depend on the session.
_BY_CHARGE = {
    "authorizing": "authorizing",
    "action-needed": "action-needed",
    "capturing": "ended",
    "captured": "paid",
    "refunding": "paid",
    "refunded": "paid",
    "disputed": "paid",
    "lost": "paid",
    "declined": "declined",
    "voiding": "canceled",
    "canceled": "canceled",
}


def status(charge: Charge, began: bool, ended: bool) -> str:
    """How it stands, for its driver."""
    if charge.status == "authorized":
        return "ended" if ended else "charging" if began else "starting"
    return _BY_CHARGE.get(charge.status, "failed")


def over(status: str) -> bool:
    return status in OVER
