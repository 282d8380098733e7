"""What we take through a payment provider: one row a charge, whose status says what is certain.

Before the provider is asked for anything, the row says that it will be; what it answered is written in the commit that
enters it in the ledger. Whoever comes back after a crash asks the provider what became of it, and goes on: so nothing
is taken twice even where a provider knows no idempotency keys.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cms.domain.changes import Change
from cms.domain.evolve import evolve
from cms.domain.ledger import DISPUTED, WRITTEN_OFF, Entry
from cms.domain.record import record

#: status -> what it may become.
STATUSES: dict[str, tuple[str, ...]] = {
    # The provider is being asked, and is asked again until it says what became of it.
    "authorizing": ("authorized", "action-needed", "captured", "declined", "canceled", "failed"),
    "taking": ("captured", "waiting", "unpaid", "failed"),
    "capturing": ("captured", "expired", "failed"),
    "voiding": ("canceled", "captured", "failed"),
    "refunding": ("captured", "refunded"),
    # Somebody else's turn: the driver's bank, the end of the session, the day of another try.
    "action-needed": ("authorized", "captured", "declined", "voiding", "canceled"),
    "authorized": ("capturing", "voiding", "captured", "canceled", "expired"),
    "waiting": ("taking", "captured", "unpaid", "canceled"),
    # The money is with the provider.
    "captured": ("refunding", "refunded", "disputed"),
    "disputed": ("captured", "lost", "refunded"),
    "refunded": ("disputed",),
    # A person looks at these.
    "unpaid": ("taking", "captured", "canceled"),
    "expired": ("captured", "canceled"),
    "failed": ("authorizing", "taking", "capturing", "voiding", "captured", "canceled"),
    "lost": (),
    # Over, and nothing was taken (but by somebody's hand at the provider).
    "declined": ("captured",),
    "canceled": ("captured",),
}
ASKING = ("authorizing", "taking", "capturing", "voiding", "refunding")
#: A person must see these: nothing more happens by itself.
FOR_A_PERSON = ("unpaid", "expired", "failed", "disputed")
PURPOSES = ("ad-hoc", "session", "invoice", "top-up")

#: How the provider says that a payment stands, in our words (cms/provider translates).
UNCONFIRMED, ACTION, PROCESSING, HELD, TAKEN, CANCELED, DECLINED = (
    "unconfirmed",
    "action-needed",
    "processing",
    "held",
    "taken",
    "canceled",
    "declined",
)

#: A card that was declined is tried again after so many days, each time counted from the last one.
RETRY_DAYS = (1, 3)
#: There is no use in trying again with these.
HARD = frozenset(
    {
        "authentication_required",
        "card_not_supported",
        "expired_card",
        "fraudulent",
        "incorrect_number",
        "invalid_account",
        "lost_card",
        "pickup_card",
        "stolen_card",
        "resource_missing",
    }
)
_PATIENCE_S, _MOST_PATIENCE_S = 5, 900
#: Ids of provider's events that a charge remembers: what comes again is not looked into again.
_HEARD = 20


@record
class Charge:
    """Amounts in minor units. ``provider_ref`` is the provider's name for it (Stripe: the PaymentIntent).

    ``owed_to`` is the ledger account that the money settles (``receivable/ana``, ``prepaid/ana``,
    ``payment/REFERENCE``); ``next`` is when it is looked at again, ``step`` counts what the provider was asked (with
    the id it makes the idempotency key), ``attempts`` how often a saved card was tried, ``unanswered`` how often in
    a row the provider did not answer. ``refunds`` are the provider's names of refunds that are in the ledger.
    """

    id: str
    purpose: str
    status: str
    amount: int
    currency: str
    owed_to: str
    created_at: datetime
    changed_at: datetime
    provider: str = "stripe"
    provider_ref: str | None = None
    customer: str | None = None
    method: str | None = None
    captured: int = 0
    refunded: int = 0
    driver: str | None = None
    session: str | None = None
    station: str | None = None
    evse: int | None = None
    invoice: str | None = None
    attempts: int = 0
    unanswered: int = 0
    step: int = 0
    next: datetime | None = None
    code: str | None = None
    detail: str | None = None
    wanted: int | None = None
    """What is to be captured or refunded, while that is being asked."""
    reason: str | None = None
    """Why it is refunded, while that is being asked."""
    doing: str | None = None
    """What was being asked when the provider refused it (``failed``)."""
    refunds: tuple[str, ...] = ()
    dispute: str | None = None
    heard: tuple[str, ...] = ()
    card: str | None = None
    """Brand and last digits, for the receipt: ``visa 4242``."""

    @property
    def key(self) -> str:
        """The idempotency key of what the provider is being asked."""
        return f"{self.id}-{self.step}"

    @property
    def left(self) -> int:
        """What was taken and not given back."""
        return self.captured - self.refunded


@record
class SaveCharge(Change):
    charge: Charge


@record
class AddCharge(Change):
    """Write a charge that is to be taken; one that is there already stays as it is."""

    charge: Charge


@record
class Refunded:
    """A refund as the provider has it. ``key``: the one we gave it; None: it was made in the provider's dashboard."""

    ref: str
    amount: int
    key: str | None = None


@record
class Found:
    """How a payment stands at the provider: ``status`` in our words, ``taken`` before refunds, amounts in minor units.

    ``client_secret`` is for the driver's browser alone and kept nowhere. ``code`` and ``message`` say why a card was
    declined; the message is the provider's text.
    """

    ref: str
    status: str
    taken: int = 0
    refunds: tuple[Refunded, ...] = ()
    client_secret: str | None = None
    code: str | None = None
    message: str | None = None
    card: str | None = None


@record
class Disputed:
    """A dispute as the provider has it. ``status``: open, won, lost. ``amount`` is what was taken back from us."""

    ref: str
    payment: str
    amount: int
    currency: str
    status: str
    reason: str


@record
class Told:
    """A provider's event: which payment it is about, and whether it is about a dispute. Nothing else is believed."""

    id: str
    type: str
    payment: str | None = None
    dispute: str | None = None


def may_become(charge: Charge, status: str) -> bool:
    return status in STATUSES[charge.status]


def asked(charge: Charge, status: str, now: datetime, **fields: object) -> Charge:
    """The charge with a new intention: it gets an idempotency key of its own."""
    assert may_become(charge, status), f"{charge.status} cannot become {status}"
    return evolve(
        charge,
        status=status,
        step=charge.step + 1,
        unanswered=0,
        next=now,
        code=None,
        detail=None,
        changed_at=now,
        **fields,
    )


def unanswered(charge: Charge, why: str, now: datetime) -> Charge:
    """Nobody knows whether the provider did it: asked again later, and later."""
    wait_s = min(_PATIENCE_S * 2**charge.unanswered, _MOST_PATIENCE_S)
    return evolve(
        charge,
        unanswered=charge.unanswered + 1,
        next=now + timedelta(seconds=wait_s),
        detail=why,
        changed_at=now,
    )


def concluded(charge: Charge, found: Found | None, now: datetime) -> Charge | None:
    """What the intention came to by what the provider has; None: it has not been done, it is still to be asked."""
    if found is None:
        return None
    charge = evolve(
        charge,
        provider_ref=found.ref,
        card=found.card or charge.card,
        captured=max(charge.captured, found.taken),
    )
    after = _CONCLUDED[charge.status](charge, found, now)
    if after is None:
        return None
    return evolve(refunds_counted(after, found), unanswered=0, changed_at=now)


def _authorized(charge: Charge, found: Found, now: datetime) -> Charge | None:
    match found.status:
        case "unconfirmed":
            return None
        case "processing":
            return unanswered(charge, "the provider is still at it", now)
        case "declined":
            return _ended(charge, "declined", code=found.code, detail=found.message)
    return _ended(charge, _AS_FOUND[found.status])


#: What a payment that we ask nothing about has become.
_AS_FOUND = {HELD: "authorized", ACTION: "action-needed", TAKEN: "captured", CANCELED: "canceled"}


def _taken(charge: Charge, found: Found, now: datetime) -> Charge | None:
    match found.status:
        case "unconfirmed":
            return None
        case "processing":
            return unanswered(charge, "the provider is still at it", now)
        case "taken":
            return _ended(charge, "captured")
        case "held":
            return _ended(charge, "failed", detail="the provider holds the amount and took nothing")
        case "canceled":
            return declined(charge, "canceled", "the payment was canceled at the provider", now)
        case "action-needed":
            return declined(charge, "authentication_required", "the bank wants to see the driver", now)
    return declined(charge, found.code or "card_declined", found.message, now)


def declined(charge: Charge, code: str, message: str | None, now: datetime) -> Charge:
    """A saved card that was declined: another day, or a person."""
    tries = charge.attempts
    if code in HARD or tries > len(RETRY_DAYS):
        return _ended(charge, "unpaid", code=code, detail=message)
    again = now + timedelta(days=RETRY_DAYS[tries - 1])
    return evolve(_ended(charge, "waiting", code=code, detail=message), next=again)


def _captured(charge: Charge, found: Found, now: datetime) -> Charge | None:
    match found.status:
        case "held":
            return None
        case "taken":
            return _ended(charge, "captured")
        case "canceled":
            return _ended(charge, "expired", detail="the provider no longer holds the amount")
        case "processing":
            return unanswered(charge, "the provider is still at it", now)
    return _ended(charge, "failed", detail=f"the payment is {found.status} at the provider")


def _voided(charge: Charge, found: Found, now: datetime) -> Charge | None:
    match found.status:
        case "canceled" | "declined":
            return _ended(charge, "canceled")
        case "taken":
            return _ended(charge, "captured", detail="taken before it could be given back")
        case "processing":
            return unanswered(charge, "the provider is still at it", now)
    return None


def _refunded(charge: Charge, found: Found, now: datetime) -> Charge | None:
    if not any(refund.key == charge.key for refund in found.refunds):
        return None
    return _ended(charge, "captured")


_CONCLUDED = {
    "authorizing": _authorized,
    "taking": _taken,
    "capturing": _captured,
    "voiding": _voided,
    "refunding": _refunded,
}


def _ended(charge: Charge, status: str, code: str | None = None, detail: str | None = None) -> Charge:
    return evolve(charge, status=status, next=None, wanted=None, reason=None, code=code, detail=detail)


def refused(charge: Charge, why: str, now: datetime) -> Charge:
    """The provider will not do what was asked, and it is not done: a person looks, or it is as it was."""
    if charge.status == "refunding":
        return evolve(_ended(charge, "captured", detail=why), changed_at=now)
    if charge.status == "taking":
        return evolve(_ended(charge, "unpaid", detail=why), changed_at=now)
    failed = _ended(charge, "failed", detail=why)
    return evolve(failed, wanted=charge.wanted, doing=charge.status, changed_at=now)


_NOTHING_TAKEN = ("unpaid", "waiting", "failed", "expired", "declined", "canceled")


def noticed(charge: Charge, found: Found, now: datetime) -> Charge:
    """A charge of which nothing is being asked, by what the provider has now: somebody else may have been at it."""
    charge = evolve(charge, captured=max(charge.captured, found.taken), card=found.card or charge.card)
    status = charge.status
    if status in ("action-needed", "authorized"):
        if found.status in _AS_FOUND:
            status = _AS_FOUND[found.status]
        elif found.status == DECLINED:
            status = "declined"
        if charge.status == "authorized" and status == "canceled":
            status = "expired"
    elif status in _NOTHING_TAKEN and found.status == TAKEN:
        status = "captured"
    # What cannot follow is not believed: what was held cannot want the driver's bank again.
    if status in STATUSES[charge.status]:
        charge = _ended(charge, status, code=found.code, detail=found.message)
    return refunds_counted(charge, found)


def refunds_counted(charge: Charge, found: Found) -> Charge:
    """With the refunds that the provider has; all of it given back is a status."""
    if not found.refunds:
        return charge
    back = sum(refund.amount for refund in found.refunds)
    status = charge.status
    if status in ("captured", "refunded"):
        status = "refunded" if back >= charge.captured else "captured"
    return evolve(charge, refunded=back, refunds=tuple(refund.ref for refund in found.refunds), status=status)


def heard(charge: Charge, event: str) -> Charge:
    return evolve(charge, heard=(*charge.heard, event)[-_HEARD:])


def entries(before: Charge, after: Charge, found: Found | None, now: datetime) -> list[Entry]:
    """What the ledger learns of it: money that came to the provider, and money it gave back."""
    cash = f"provider/{after.provider}"
    made: list[Entry] = []
    came = after.captured - before.captured
    if came > 0:
        made.append(_entry(after, f"captured/{after.captured}", now, cash, after.owed_to, came, "card"))
    for refund in found.refunds if found is not None else ():
        if refund.ref in before.refunds:
            continue
        why = before.reason if refund.key is not None else "refunded at the provider"
        entry = _entry(
            after, f"refund/{refund.ref}", now, after.owed_to, cash, refund.amount, "card-refund", why
        )
        made.append(entry)
    return made


#: Disputed.status -> Charge.status. With an inquiry no money has moved.
_DISPUTES = {"open": "disputed", "inquiry": "disputed", "lost": "lost"}


def disputed(charge: Charge, dispute: Disputed, now: datetime) -> Charge:
    """The charge as its dispute stands; unchanged where that is known already."""
    state = f"{dispute.ref} {dispute.status}"
    if charge.dispute == state or charge.status == "lost":
        return charge
    back = "refunded" if charge.refunded >= charge.captured else "captured"
    return evolve(
        charge,
        status=_DISPUTES.get(dispute.status, back),
        dispute=state,
        detail=f"disputed: {dispute.reason}",
        next=None,
        changed_at=now,
    )


def dispute_entries(charge: Charge, dispute: Disputed, now: datetime) -> list[Entry]:
    """What a dispute moves: taken from us while it is open, back when it is won, lost when it is lost.

    Who hears of the end alone books its beginning with it; what is booked already is not booked again.
    """
    cash = f"provider/{charge.provider}"
    taken = (DISPUTED, cash)
    steps = {
        "open": {"open": taken},
        "won": {"open": taken, "won": (cash, DISPUTED)},
        "lost": {"open": taken, "lost": (WRITTEN_OFF, DISPUTED)},
    }.get(dispute.status, {})
    if charge.dispute == f"{dispute.ref} open":
        steps = {state: accounts for state, accounts in steps.items() if state != "open"}
    return [
        _entry(
            charge,
            f"dispute/{dispute.ref}/{state}",
            now,
            debit,
            credit,
            dispute.amount,
            "dispute",
            dispute.reason,
        )
        for state, (debit, credit) in steps.items()
    ]


def _entry(
    charge: Charge,
    key: str,
    now: datetime,
    debit: str,
    credit: str,
    amount: int,
    kind: str,
    why: str | None = None,
) -> Entry:
    return Entry(
        f"charge/{charge.id}/{key}",
        now,
        debit,
        credit,
        amount,
        charge.currency,
        kind,
        f"charge/{charge.id}",
        why,
    )
