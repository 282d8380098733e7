"""What the operator of this daemon decided, in the words of operations: settings are the daemon's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """As far as operations need it; the daemon fills it in from cms.settings."""

    heartbeat_s: int = 300
    call_timeout_s: float = 30.0
    """Patience with a station's answer to an order that names none."""
    boot_retry_s: int = 60
    boot_policy: str = "accepted"
    boot_trigger_s: float = 0.0
    """When a station that connects without a BootNotification is asked for one; 0: never."""
    probe: bool = False
    """Whether a make that connects for the first time is asked what it takes."""
    inventory: str = "off"
    """Whose inventory is taken after the first boot with a firmware: off, 2.x, all."""
    monitors: bool = False
    """Whether monitors are read again after a boot."""
    automatic_delay_s: float = 0.0
    """How long after a boot; up to twice as long, so that a fleet is not asked at once."""
    begins_within: timedelta = timedelta(minutes=3)
    """How long an accepted remote start waits for its session (stations wait ConnectionTimeOut)."""
    open_enrolment: bool = False
    insecure_lab: bool = False
    """Whether stations with security profile 0 are served, which prove nothing."""
    suspect_after: timedelta = timedelta(hours=24)
    ocpp_url: str = ""
    upload_url: str = ""
    """Where stations put their files; empty when this daemon takes none."""
    ocpp_tls_url: str = ""
    organisations: tuple[str, ...] = ()
    """Whose client certificates are taken: ours and those we trust; none named, all (A00.FR.404)."""
    socket: str = ""
    database: str = ""
    bus: str = "local"
    data_dir: str = ""
    master_key: str = ""
    """Where the master key of all secrets was found."""
    notes: tuple[str, ...] = ()
    """What a person should mend about this daemon."""
    alert_offline_s: int = 60
    """How long a link may be away before somebody is told."""
    started_at: datetime | None = None
    version: str = ""
    suspicious_speed_kmh: float = 0.0
    """A card that would have travelled faster is suspicious; 0: not looked at."""
    suspicious_sessions_per_day: int = 0
    """So is one that begins more sessions a day; 0: not looked at."""
    suspicious_blocks: tuple[str, ...] = ()
    """Which doubts are a no (domain.suspicion)."""
    qr_url: str = "{evse_id}"
    """What the QR code on an EVSE says (domain.qr)."""
    pay_url: str = ""
    """Where drivers without a contract pay, without a slash at its end; empty when nobody listens there."""
    adhoc_amount: Decimal = Decimal(50)
    """What is held on a card before a session without a contract, in the currency of its tariff."""
    receipt_url: str | None = None
    """Where drivers find the receipt of a payment: ``{psp_ref}`` stands for its reference."""
    four_eyes: tuple[str, ...] = ()
    """Organisations in which grave orders need a second person; ``*``: all."""
