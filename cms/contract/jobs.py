"""Long work of stations: firmware updates, publications, uploads of logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class JobStep:
    """One status word of the station, when it came."""

    at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that a station sent to our upload address. ``size`` in bytes."""

    name: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class JobView:
    """``kind``: firmware, publish, log. ``outcome``: running, done, failed, cancelled, refused.

    ``status`` is the station's last word; ``before`` and ``after`` are firmware versions.
    """

    station: str
    request_id: int
    kind: str
    status: str
    outcome: str
    detail: str | None
    requested_at: datetime
    location: str
    log_type: str | None
    signed: bool
    retrieve_at: datetime | None
    install_at: datetime | None
    checksum: str | None
    before: str | None
    after: str | None
    file_name: str | None
    locations: tuple[str, ...]
    steps: tuple[JobStep, ...]
    uploads: tuple[UploadedFile, ...]
    intent: str | None


@dataclass(frozen=True, slots=True)
class FilePart:
    """Part of a file in Base64; ``next_offset`` is None at its end."""

    name: str
    size: int
    offset: int
    content: str
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class ListJobs:
    """Jobs of a station, or of all; ``kind`` as in JobView. The youngest first."""

    station: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ReadUpload:
    """A part of an uploaded file: at most 1 MiB from ``offset``."""

    station: str
    request_id: int
    name: str
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFirmware(OrderTerms):
    """``certificate`` (PEM) and ``signature`` (Base64) together make a signed update. Times are aware."""

    station: str
    location: str
    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    certificate: str | None = None
    signature: str | None = None
    retries: int | None = None
    retry_interval_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFirmware(OrderTerms):
    """Let a local controller offer a firmware to its stations; ``checksum`` is MD5, 32 hex digits."""

    station: str
    location: str
    checksum: str
    retries: int | None = None
    retry_interval_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpublishFirmware(OrderTerms):
    station: str
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLog(OrderTerms):
    """``log_type``: diagnostics, security, data-collector (2.1). Without ``location``: our own upload address."""

    station: str
    log_type: str = "diagnostics"
    location: str | None = None
    oldest: datetime | None = None
    latest: datetime | None = None
    retries: int | None = None
    retry_interval_s: int | None = None
