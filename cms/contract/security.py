"""How far stations are trusted, as clients see it: passwords, security profiles, network profiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class NetworkProfileView:
    """A configuration slot of a 2.x station, as far as we filled it. ``status``: accepted, rejected, failed."""

    slot: int
    url: str
    security_profile: int
    interface: str
    message_timeout_s: int
    status: str
    at: datetime
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class SecurityView:
    """One station's security. ``profile``: 0 none, 1 password, 2 with TLS, 3 client certificate.

    ``upgrading_to``: the profile that holds from its first connection with it. ``password_pending``: a new password
    was sent and its fate is unknown; both are taken until the station shows which it has. ``connected_with``: the
    profile it proved when it came in last. ``certificate``: the fingerprint of the one it showed then. ``entropy`` of
    its password: high when it was generated here, low when a person chose it. ``cipher``: the TLS suite it came with.
    """

    station: str
    profile: int
    upgrading_to: int | None
    password_pending: bool
    despite_expiry: bool
    connected_with: int | None
    certificate: str | None
    certificate_name: str | None
    certificate_not_after: datetime | None
    network_profiles: tuple[NetworkProfileView, ...] = ()
    entropy: str | None = None
    cipher: str | None = None


@dataclass(frozen=True, slots=True)
class ShowSecurity:
    station: str


@dataclass(frozen=True, slots=True)
class AllowExpired:
    """Let this one station in with an expired certificate, to renew it (2.x A00.FR.429); ``allow`` false ends that."""

    station: str
    allow: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LowerSecurity:
    """Let a station prove less than before. It is never lowered by itself, nor over OCPP (2.x A00.FR.005)."""

    station: str
    profile: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatePassword(OrderTerms):
    """Give a station a new password that nobody sees. ``form`` (1.6): hex, or text where it wants it raw.

    Without ``form``: hex, unless a quirk of the station says otherwise.
    """

    station: str
    form: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNetworkProfile(OrderTerms):
    """Fill a configuration slot (2.x). Without ``url``: where we are reached with that security profile."""

    station: str
    slot: int
    security_profile: int
    url: str | None = None
    interface: str = "Wired0"
    message_timeout_s: int = 30
    identity: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeSecurity(OrderTerms):
    """Raise a station's security profile: configure, and reset it. ``force``: although something may be missing.

    ``slot`` (2.x): the configuration slot to fill; without it one that is not in use.
    """

    station: str
    profile: int
    slot: int | None = None
    interface: str = "Wired0"
    force: bool = False
