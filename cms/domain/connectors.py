"""A connector's status in one vocabulary, and which reports may change the live picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from cms.domain.observations import ConnectorReported
from cms.domain.record import record


class ConnectorStatus(StrEnum):
    """1.6 words where they say more than 2.x; 2.x Occupied is ``occupied`` until a session says more."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended-ev"
    SUSPENDED_EVSE = "suspended-evse"
    FINISHING = "finishing"
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    UNKNOWN = "unknown"


#: Connectors that are kept of one station; what it tells of more is an event and nothing else.
MOST = 1000


@record
class Connector:
    """One connector as last reported. ``reported_at`` is the station's time (ours when it sent none)."""

    evse: int
    connector: int
    status: str = ConnectorStatus.UNKNOWN
    error_code: str | None = None
    info: str | None = None
    vendor_error_code: str | None = None
    reported_at: datetime | None = None
    requested_availability: str | None = None


#: What a running session says about a 2.x connector that is only ``occupied``: its charging state, or its status.
_OCCUPIED_BY = {
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "charging": ConnectorStatus.CHARGING,
    "suspended": ConnectorStatus.SUSPENDED_EV,
    "pending": ConnectorStatus.PREPARING,
}


def told(status: str, session_status: str | None, charging_state: str | None) -> str:
    """The status as it is shown: 2.x says occupied, and its session says with what (1.6 says both at once)."""
    if status != ConnectorStatus.OCCUPIED or session_status is None:
        return status
    if session_status == "suspended" and charging_state in _OCCUPIED_BY:
        return _OCCUPIED_BY[charging_state]
    return _OCCUPIED_BY.get(session_status, status)


def believable(known: Mapping[tuple[int, int], Connector], place: tuple[int, int]) -> bool:
    """Whether a station has a connector there: a number below 0 is none, and none has more than MOST."""
    return place in known or (min(place) >= 0 and len(known) < MOST)


def apply(connector: Connector, report: ConnectorReported, received_at: datetime) -> Connector | None:
    """The connector after this report; None when a newer report is already known (late queue, G01)."""
    at = min(report.at or received_at, received_at)
    if connector.reported_at is not None and at < connector.reported_at:
        return None
    healthy = report.error_code in (None, "NoError")
    return replace(
        connector,
        status=report.status,
        error_code=None if healthy else report.error_code,
        info=report.info,
        vendor_error_code=report.vendor_error_code,
        reported_at=at,
    )
