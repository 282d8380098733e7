"""Who may operate: mappings of users and groups, API tokens, pairing, and who one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OperatorView:
    """A user or group of the daemon's machine (``who``: ``uid:1000``, ``gid:1001``) and its role."""

    who: str
    name: str
    role: str
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class ListOperators:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class MapOperator:
    """Give a user or group a role: ``uid:alice``, ``uid:1000``, ``gid:cms-finance``; names as the daemon's machine
    knows them. Roles: app, viewer, technician, operator, finance, admin.
    """

    who: str
    role: str


@dataclass(frozen=True, slots=True)
class UnmapOperator:
    """Take the role away; what it has open ends at once."""

    who: str


@dataclass(frozen=True, slots=True)
class ApiTokenView:
    """An API token without its secret. ``status``: active or expired."""

    id: str
    name: str
    role: str
    status: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None = None
    organisations: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiTokenCredential:
    """A new API token; ``secret`` is shown this once."""

    id: str
    name: str
    role: str
    expires_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListApiTokens:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class AddApiToken:
    """Make a token for somebody (``name``) elsewhere. It can do no more than whoever makes it.

    ``networks``: addresses it is taken from (CIDR); none: any. ``organisations`` is for tokens of the platform
    (``*`` for all). At most 366 days, 20 tokens per name.
    """

    name: str
    role: str
    days: int = 90
    networks: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RevokeApiToken:
    """Make a token worthless now; what it has open ends."""

    id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the daemon takes you for. ``proposes``: what you may ask for and another must agree to."""

    name: str
    via: str
    organisation: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    proposes: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShowIdentity:
    pass


@dataclass(frozen=True, slots=True)
class ApprovePairing:
    """Give whoever shows this code (``cms login URL``) a token with this role. The secret goes to him alone."""

    code: str
    role: str
    name: str | None = None
    days: int = 90
