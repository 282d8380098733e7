"""What we keep about a station beside its sessions and connectors: every kind of it on one page.

A kind is a record type with a key per station. Where ``present``, it is part of StationState: decisions see it
without asking the record. The others are read when somebody asks (core.Store.kept). Kinds of no station
(tariffs ...) are kept under the station "" and are in core.Core.kept.
"""

from __future__ import annotations

from typing import Any

from cms.domain import jobs, reports, security
from cms.domain.record import record


@record
class Kind:
    """The record type, and whether it is held in memory."""

    type: type[Any]
    present: bool = True


KINDS: dict[str, Kind] = {
    reports.KIND: Kind(reports.Report),
    security.KIND: Kind(security.Security),
    security.REVOKED: Kind(security.Revoked),
    jobs.KIND: Kind(jobs.Job),
}
