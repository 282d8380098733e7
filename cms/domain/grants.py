"""Rights for a while: somebody may do at one station what a role may, until an hour that is named beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cms.domain.record import record

KIND = "grant"
LONGEST = timedelta(days=7)


@record
class Grant:
    """``who`` as in Principal.keys_in. ``permissions`` are those of the role that the granter had himself."""

    id: str
    who: str
    name: str
    role: str
    station: str
    permissions: tuple[str, ...]
    reason: str
    granted_by: str
    granted_at: datetime
    ends_at: datetime


def granted(
    grants: Iterable[Grant], keys: frozenset[str], station: str | None, permission: str, now: datetime
) -> Grant | None:
    """The grant by which whoever is called so (Principal.keys_in) may do this at this station now."""
    if station is None:
        return None
    return next(
        (
            grant
            for grant in grants
            if grant.who in keys
            and permission in grant.permissions
            and now < grant.ends_at
            and grant.station.casefold() == station.casefold()
        ),
        None,
    )
