"""Rights for a while at one station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GrantView:
    """``who`` may do at ``station`` what the role may, until ``ends_at``; never more than the granter himself."""

    id: str
    who: str
    name: str
    role: str
    station: str
    reason: str
    granted_by: str
    granted_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ListGrants:
    """Grants that have not ended."""

    filter: str | None = None


@dataclass(frozen=True, slots=True)
class AddGrant:
    """``who``: ``uid:alice``, ``gid:...``, ``token:ID``, or a name: a user of the daemon's machine, else the name on
    API tokens. At most seven days.
    """

    who: str
    role: str
    station: str
    duration_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class RevokeGrant:
    id: str
