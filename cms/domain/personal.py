"""What of what we show is about a person: masked for those who may not see it, noted in the audit for those who do.

One table says it, by type and field, and by name for what has no type of ours: data of events, parameters of orders,
frames of stations. ``domain.masking`` is about secrets, which nobody sees.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Any

from cms.domain.masking import MASK, rewritten

#: The permission to see it.
PII = "pii.read"

_SHOWN = 4
_MASKED = re.compile(rf"{re.escape(MASK)}.{{{_SHOWN}}}", re.DOTALL)


def token(value: str) -> str:
    """The last characters of a token, so that somebody who holds the card can tell whether it is this one."""
    if len(value) < 2 * _SHOWN:
        return value if _MASKED.fullmatch(value) else text(value)
    return MASK + value[-_SHOWN:]


def text(value: str) -> str:
    return MASK if value else value


def subject(value: str) -> str:
    """``token:04A2B3C4D5E6``, or with a space: whom an access rule is about."""
    kind, sign, name = value.partition(":") if ":" in value else value.partition(" ")
    return f"{kind}{sign}{token(name)}" if kind == "token" else value


def account(value: str) -> str:
    """``receivable/token/04A2B3C4D5E6``: an account of the ledger, or what is named by one."""
    before, sign, name = value.partition("token/")
    return f"{before}{sign}{token(name)}" if sign else value


def json_text(value: str) -> str:
    """A frame's text: its personal members masked; where it cannot be read, whatever may be one."""
    return rewritten(value, masked, _SUSPECT) if _SUSPECT.search(value) else value


Mask = Callable[[str], str]


@dataclasses.dataclass(frozen=True, slots=True)
class Where:
    """Personal only where another field of the same value says so."""

    mask: Mask
    field: str
    value: str


#: By name, wherever it stands. OCPP 1.6 and 2.x names among them.
BY_NAME: dict[str, Mask] = {
    "token": token,
    "tokens": token,
    "stop_token": token,
    "visual_number": token,
    "idTag": token,
    "parentIdTag": token,
    "idToken": token,
    "groupIdToken": token,
    "additionalIdToken": token,
    "emaid": token,
    "eMAID": token,
    "evccId": token,
    "evccid": token,
    "customerIdentifier": text,
    "customer_identifier": text,
    "personalMessage": text,
    "vat_number": text,
    "vatNumber": text,
    "email": text,
    "phone": text,
    "plate": text,
    "contact_name": text,
    "contact_phone": text,
    "contact_email": text,
}

_PERSON: dict[str, Mask | Where | None] = dict.fromkeys(
    ("name", "email", "phone", "street", "postcode", "city", "address", "status_reason"), text
)

_INVOICED: dict[str, Mask | Where | None] = dict.fromkeys(
    ("company", "vat_id", "purchase_reference", "invoice_email", "card"), text
)

#: Requests whose holder may be a token, and what has accounts of the ledger in it.
_OF_HOLDER = ("ShowBalance", "TopUpBalance", "RefundBalance", "CorrectBalance", "SetBalance", "CloseBalance")
_OF_ACCOUNTS = ("EntryView", "AccountView", "Difference", "ListEntries", "ShowEntry", "CorrectLedger")

#: By type and field, before BY_NAME; ``None``: harmless in spite of its name.
BY_TYPE: dict[str, dict[str, Mask | Where | None]] = {
    "TokenView": {"id": token, "group": token},
    "ListEntry": {"group": token},
    "ReservationView": {"group": token},
    "AuditView": {"request": None},  # names nobody: operations.auditing
    "ListView": {"tokens": None},  # all, none or a filter
    "SetList": {"tokens": None},
    "AddToken": {"group": token},
    "SetToken": {"group": token},
    "EnrolCard": {"group": token},
    "LearnToken": {"group": token},
    "UnknownCardView": {"id": token},
    "DriverView": {**_PERSON},
    "AddDriver": {**_PERSON},
    "SetDriver": {**_PERSON},
    "RegisterDriver": {**_PERSON},
    "DriverRow": {**_PERSON},
    "Unknown": {"name": Where(token, "kind", "token")},
    "CdrView": {"account": account},
    "CdrExport": {"lines": text},
    "SignedView": {"text": text},
    "TransparencyView": {"xml": text},
    "DriverNote": {"text": text},
    "AddDriverNote": {"text": text},
    # About a place, for whoever stands before it.
    "StationNote": {"text": None},
    "AddStationNote": {"text": None},
    "FoundDriver": {"name": text, "matched": text},
    "FindDrivers": {"text": text},
    "ShowSupportCard": {"who": text},
    "Right": {"subject": subject},
    "VerifyDriver": {"code": text},
    "BillingProfileView": {**_INVOICED},
    "SetBillingProfile": {**_INVOICED},
    "DriverAccount": {"card": None},  # brand and last digits: his own app shows them to him
    "Rule": {"subject": Where(token, "kind", "token")},
    "RuleView": {"subject": Where(token, "kind", "token")},
    "ShowBudgets": {"subject": subject},
    "Step": {"subject": subject},
    "UsageView": {"holder": subject},
    "StatementLine": {**_PERSON, "iban": text, "text": text},
    # Its text is what an operator wrote about the entry.
    "Booking": {"debit": account, "credit": account, "document": account, "text": None},
    "ImportStatement": {"text": text},
    "BalanceView": {"holder": Where(token, "kind", "token")},
    **{name: {"holder": token} for name in _OF_HOLDER},
    **{
        name: dict.fromkeys(("account", "debit", "credit", "key", "ref", "what"), account)
        for name in _OF_ACCOUNTS
    },
    "ChargeView": {"card": text},
    "CardView": {"card": text},
    "AskCustomer": {"identifier": text},
    "InvoiceView": {"buyer": text},
    "InvoiceFile": {"content": text},
    "BilledView": {"account": account},
    "LeftOutView": {"account": account},
    "BillingRunView": {"next": account},
    "RunBilling": {"after": account},
    # Who sells is on every invoice, and says so of himself.
    "SellerView": {"email": None, "phone": None},
    "SetSeller": {"email": None, "phone": None},
    "CustomerReportView": {"text": text},
    "Message": {"payload": json_text},
    "QuarantinedMessage": {"payload": json_text},
    "SendRaw": {"text": json_text},
}

#: What may be such a name; a name may be written with escapes (\\u0069dTag).
_SUSPECT = re.compile("|".join([*(rf'"{name}"' for name in BY_NAME), r"\\u"]))


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    name: str
    mask: Mask | Where | None
    deep: bool

    def mask_in(self, value: Any) -> Mask | None:
        """How it is masked in this value."""
        if isinstance(self.mask, Where):
            return self.mask.mask if getattr(value, self.mask.field) == self.mask.value else None
        return self.mask


@cache
def _plan(kind: Any) -> tuple[_Field, ...]:
    """How each field of a dataclass is to be treated."""
    own = BY_TYPE.get(kind.__name__, {})
    try:
        hints = typing.get_type_hints(kind)
    except NameError:  # a type that only the checker knows: look into everything
        hints = dict.fromkeys((field.name for field in dataclasses.fields(kind)), Any)
    return tuple(
        _Field(
            field.name,
            own[field.name] if field.name in own else BY_NAME.get(field.name),
            own.get(field.name, True) is not None and _may_hold(hints[field.name]),
        )
        for field in dataclasses.fields(kind)
    )


def _is_ours(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


@cache
def _watched(kind: Any) -> tuple[_Field, ...]:
    """The fields of a dataclass in which something personal may stand."""
    return tuple(field for field in _plan(kind) if field.mask is not None or field.deep)


def may_show(kind: Any) -> bool:
    """Whether a view of this type may show something personal."""
    return bool(_watched(kind))


def _may_hold(hint: Any) -> bool:
    """Whether something personal may be inside a value of this type."""
    if _is_ours(hint):
        return bool(_watched(hint))
    origin = typing.get_origin(hint)
    if origin is None:
        return hint in (Any, object, dict)
    if origin in (typing.Union, UnionType, list, tuple, typing.Annotated):
        return any(_may_hold(part) for part in typing.get_args(hint))
    return origin is dict and bool(
        {str, Any} <= set(typing.get_args(hint)) or _may_hold(typing.get_args(hint)[1])
    )


def masked(value: Any, named: Mask = token) -> Any:
    """The same with what is personal masked, dataclasses as objects of JSON. ``named``: how a token is written."""
    match value:
        case list() | tuple():
            return [masked(item, named) for item in value]
        case dict():
            return {name: _put(BY_NAME.get(name), item, named) for name, item in value.items()}
    kind: Any = type(value)
    if not _is_ours(kind) or not _watched(kind):
        return value
    return {
        field.name: _put(field.mask_in(value), getattr(value, field.name), named) for field in _plan(kind)
    }


def _put(mask: Mask | None, value: Any, named: Mask) -> Any:
    match value:
        case str():
            return value if mask is None else named(value) if mask is token else mask(value)
        case list() | tuple() if mask is not None:
            return [_put(mask, item, named) for item in value]
    return masked(value, named)


def shows(value: Any) -> bool:
    """Whether anything personal stands in it."""
    match value:
        case list() | tuple():
            return any(map(shows, value))
        case dict():
            return any(_stands(BY_NAME.get(name), item) for name, item in value.items())
    kind: Any = type(value)
    if not _is_ours(kind):
        return False
    return any(_stands(field.mask_in(value), getattr(value, field.name)) for field in _watched(kind))


def _stands(mask: Mask | None, value: Any) -> bool:
    match value:
        case str():
            return mask is not None and mask(value) != value
        case list() | tuple() if mask is not None:
            return any(_stands(mask, item) for item in value)
    return shows(value)
