"""Organisations: who operates stations on this platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """One organisation. ``party`` is ``DE*ABC``: OCPI's country code and party id. ``status``: active, suspended."""

    id: str
    name: str
    party: str | None
    time_zone: str
    currency: str
    status: str
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    note: str | None = None
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListOrganisations:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowOrganisation:
    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOrganisation:
    """Begin to serve an organisation; ``organisation`` is a slug that stands in its stations' addresses."""

    organisation: str
    name: str
    party: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOrganisation:
    """Change what is said of an organisation; what is null stays, an empty text takes back."""

    organisation: str
    name: str | None = None
    party: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    note: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SuspendOrganisation:
    """Stop serving an organisation, or serve it again with ``suspended`` false; its record stays."""

    organisation: str
    suspended: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ShowOwnOrganisation:
    """The organisation that the asker works for."""
