"""What a station knows of one customer (OCPP 2.x): personal data, asked for and cleared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class CustomerReportView:
    """One answer of a station, put together from its parts. ``text`` is null in a list.

    ``missing`` are the numbers of parts that did not come; ``cut``: there was more than is kept.
    """

    request_id: int
    station: str
    asked_at: datetime | None
    heard_at: datetime | None
    parts: int
    complete: bool
    missing: tuple[int, ...]
    cut: bool
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCustomer(OrderTerms):
    """Have a station report (``report``) and/or clear (``clear``) what it knows of a customer.

    Exactly one of ``token``, ``identifier`` and ``certificate`` names the customer. ``certificate`` is
    ``ALGORITHM:ISSUER_NAME_HASH:ISSUER_KEY_HASH:SERIAL``, hexadecimal; the algorithm is SHA256, SHA384 or SHA512.
    ``kind`` of a token that is not registered.
    """

    station: str
    report: bool = True
    clear: bool = False
    token: str | None = None
    kind: str | None = None
    identifier: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class ListCustomerReports:
    """Which reports of a station are kept, without their text."""

    station: str


@dataclass(frozen=True, slots=True)
class ShowCustomerReport:
    """One report with its text; without ``request_id`` the latest."""

    station: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class ForgetCustomerReports:
    """Delete the kept reports of a station."""

    station: str
