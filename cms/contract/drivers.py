"""Drivers: the people and companies who charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cms.contract.billingprofiles import BillingProfileView
from cms.contract.plans import SubscriptionView
from cms.contract.sessions import SessionView
from cms.contract.tokens import TokenView


@dataclass(frozen=True, slots=True)
class DriverNote:
    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class DriverView:
    """One driver. ``status``: active, unverified, suspended or closed; ``tokens`` are the ids of his tokens.

    ``notes`` only where one driver is shown.
    """

    id: str
    status: str
    name: str | None
    email: str | None
    phone: str | None
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    company: bool
    groups: tuple[str, ...]
    language: str | None
    tokens: tuple[str, ...]
    added_at: datetime | None
    status_reason: str | None = None
    notes: tuple[DriverNote, ...] = ()


@dataclass(frozen=True, slots=True)
class ListDrivers:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowDriver:
    driver: str


@dataclass(frozen=True, slots=True)
class AddDriver:
    """Register a driver; without an id he is given one. ``language`` as in BCP 47 (``de``, ``de-AT``)."""

    driver: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    company: bool = False
    groups: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SetDriver:
    """Change a driver; what is null stays, an empty text is taken away, ``groups`` replace those he had."""

    driver: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    company: bool | None = None
    groups: tuple[str, ...] | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SuspendDriver:
    """His tokens are blocked until he is resumed; sessions that run go on."""

    driver: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CloseDriver:
    """He charges here no more: his tokens are blocked. What is known of him stays until it is erased."""

    driver: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeDriver:
    driver: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AddDriverNote:
    """Write something about a driver; notes are not changed afterwards."""

    driver: str
    text: str


@dataclass(frozen=True, slots=True)
class RegisterDriver:
    """Somebody registers himself with an app, whose back end asks this: he charges once his address is verified."""

    email: str
    name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SendVerification:
    """Send a driver a code of six digits by e-mail, good for fifteen minutes and five tries."""

    driver: str


@dataclass(frozen=True, slots=True)
class VerifyDriver:
    driver: str
    code: str


@dataclass(frozen=True, slots=True)
class VerificationView:
    """Until when the code is good, and when the next may be sent."""

    driver: str
    expires_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class ExportDriver:
    """Everything that is known about a driver, for him to have (GDPR articles 15 and 20)."""

    driver: str


@dataclass(frozen=True, slots=True)
class DriverExport:
    """``named_in`` are rows of the record, by table, that name him or a token of his: events, orders, messages ...

    ``records`` are the charge detail records of his sessions with all revisions, ``invoices`` what he was billed.
    """

    driver: DriverView
    at: datetime
    tokens: tuple[TokenView, ...]
    sessions: tuple[SessionView, ...]
    bills: tuple[dict[str, Any], ...]
    billing: BillingProfileView
    subscription: SubscriptionView
    records: tuple[dict[str, Any], ...]
    invoices: tuple[dict[str, Any], ...]
    named_in: dict[str, tuple[dict[str, Any], ...]]
    cut: bool
    """There was more of something than one export holds."""


@dataclass(frozen=True, slots=True)
class EraseDriver:
    """Forget a driver: his contact, notes and tokens; what stays (sessions, bills) names an alias (GDPR article 17).

    It cannot be undone. ``dry_run`` counts what would change.
    """

    driver: str
    dry_run: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ErasedDriver:
    """``rows``: how many rows of which table; ``lists``: stations whose local list holds a token of his still."""

    done: bool
    alias: str
    tokens: int
    rows: dict[str, int]
    files: int
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriverRow:
    """One line of a file of drivers: everything as text. Lines of one driver each bring a token of his.

    ``groups`` have commas or spaces between them; ``kind``, ``group``, ``visual_number``, ``valid_from``,
    ``valid_to`` and ``max_sessions`` are the token's.
    """

    line: int
    driver: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    company: str = ""
    language: str = ""
    groups: str = ""
    token: str = ""
    kind: str = ""
    group: str = ""
    visual_number: str = ""
    valid_from: str = ""
    valid_to: str = ""
    max_sessions: str = ""


@dataclass(frozen=True, slots=True)
class ImportDrivers:
    """Register or change drivers and tokens: all lines or none, unless ``partial``. An empty cell changes nothing."""

    rows: tuple[DriverRow, ...]
    dry_run: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of a line. ``outcome``: added, changed, unchanged or error; ``why`` says what is wrong with it."""

    line: int
    driver: str
    token: str | None
    outcome: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ImportView:
    """``done``: whether anything was written."""

    done: bool
    added: int
    changed: int
    unchanged: int
    errors: int
    rows: tuple[ImportedRow, ...]
