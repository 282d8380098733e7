"""The audit log: who did what to what, why, and with which result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditView:
    """One row. ``via``: how the actor came (uid, API token). ``result``: changed, ordered (the ``intent`` knows what
    became of it), nothing (there was nothing to change), read (personal data was shown), or the name of a refusal,
    whose sentence is ``detail``.

    ``target`` and ``request`` name tokens as ``*END#DIGEST``; ``before`` and ``after`` are keyed digests of the
    first thing that changed. ``times``: how many denied requests the row stands for. ``mac`` seals the row and the
    one before.
    """

    seq: int
    at: datetime
    actor: str
    via: str
    role: str
    permission: str
    operation: str
    target: str | None
    result: str
    detail: str | None
    reason: str | None
    request_id: str
    intent: str | None
    request: dict[str, Any]
    before: str | None
    after: str | None
    times: int
    mac: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """The chain is whole: how many rows it has, and its last seal. ``heads``: how many told heads it agrees with."""

    rows: int
    seq: int
    mac: str
    heads: int


@dataclass(frozen=True, slots=True)
class ListAudit:
    """The latest rows, oldest first; those after (or before) the row with this number instead.

    ``target`` is the name of a station, driver, token ... as it was asked about; ``operation`` the name of a request
    (``ResetStation``), ``result`` as in AuditView. Without ``looks`` those are left out that only tell that personal
    data was shown.
    """

    after: int | None = None
    before: int | None = None
    actor: str | None = None
    operation: str | None = None
    target: str | None = None
    result: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    looks: bool = True
    limit: int = 200


@dataclass(frozen=True, slots=True)
class VerifyAudit:
    """Follow the chain from its first row; Conflict names the first row that is not as it was written.

    ``head``: ``NUMBER:SEAL`` as the daemon's log told it; the chain must lead there too.
    """

    head: str | None = None
