"""Organisations: who operates stations. Each has a world of its own; what is said of it is kept in it too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cms.contract.refusals import Invalid
from cms.domain.record import record
from cms.domain.sites import read_party, read_words, read_zone

KIND = "organisation"
#: Within an organisation's own world its record has this key.
OWN = "own"
STATUSES = ("active", "suspended")

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@record
class Organisation:
    """``id`` is a slug that is part of station addresses; ``party`` is ``DE*ABC`` (OCPI country code and party id).

    A suspended one keeps its record and serves nobody.
    """

    id: str
    name: str = ""
    party: str | None = None
    time_zone: str = "UTC"
    currency: str = "EUR"
    status: str = "active"
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    note: str | None = None
    added_at: datetime | None = None


def own(kept: Mapping[str, Mapping[str, Any]]) -> Organisation | None:
    """What is said of the organisation whose world this is."""
    found: Organisation | None = kept.get(KIND, {}).get(OWN)
    return found


def check_id(organisation_id: str) -> None:
    """A slug: it stands in addresses."""
    if not _ID.fullmatch(organisation_id):
        raise Invalid(
            f"{organisation_id[:40]!r} cannot be an organisation's id",
            "1 to 32 of a-z, 0-9 and '-', e.g. city-charging",
        )


def read_currency(text: str) -> str:
    """ISO 4217."""
    code = text.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise Invalid(f"{text[:20]!r} is no currency", "three letters, e.g. EUR")
    return code


#: What is said of an organisation as it is said of a site.
_AS_OF_A_SITE = ("name", "contact_name", "contact_phone", "contact_email", "note")


def read(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an organisation that these words give it; null says nothing."""
    fields = read_words({name: said.get(name) for name in _AS_OF_A_SITE})
    if said.get("party") is not None:
        fields["party"] = read_party(said["party"]) if said["party"].strip() else None
    if said.get("time_zone"):
        fields["time_zone"] = read_zone(said["time_zone"])
    if said.get("currency"):
        fields["currency"] = read_currency(said["currency"])
    return fields


def suspended(kept: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the organisation whose world this is serves nobody now."""
    mine = own(kept)
    return mine is not None and mine.status == "suspended"
