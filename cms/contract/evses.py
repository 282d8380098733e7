"""EVSEs as places: their ids, what is painted on them, and their outlets in OCPI's words."""

from __future__ import annotations

from dataclasses import dataclass

from cms.contract.record import record


@record
class Outlet:
    """One connector as it is built (OCPI 2.2.1 Connector): V (AC: to neutral), A per phase, W.

    ``standard``: e.g. IEC_62196_T2_COMBO; ``format``: SOCKET or CABLE; ``power_type``: AC_1_PHASE, AC_2_PHASE,
    AC_2_PHASE_SPLIT, AC_3_PHASE, DC.
    """

    connector: int
    standard: str | None = None
    format: str | None = None
    power_type: str | None = None
    voltage_v: int | None = None
    current_a: int | None = None
    power_w: int | None = None


@dataclass(frozen=True, slots=True)
class EvseView:
    """One EVSE. ``evse_id`` is its eMI3 id (``DE*ABC*E1001``), ``reference`` what is painted on it.

    ``source``: where the outlets are from: registered, reported (the station's device model), none.
    """

    id: str
    station: str
    evse: int
    site: str | None
    evse_id: str | None
    reference: str | None
    floor: str | None
    directions: str | None
    status: str
    connectors: tuple[Outlet, ...] = ()
    source: str = "none"


@dataclass(frozen=True, slots=True)
class ListEvses:
    station: str | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowEvse:
    station: str
    evse: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEvse:
    """Say what an EVSE is; null: not said, an empty text or 0 takes it back.

    What is said of an outlet is of ``connector``; ``no_outlet`` takes that outlet back. ``standard`` as OCPI has
    it, or as people say it: type2, ccs2, chademo ...
    """

    station: str
    evse: int
    evse_id: str | None = None
    reference: str | None = None
    floor: str | None = None
    directions: str | None = None
    connector: int = 1
    standard: str | None = None
    format: str | None = None
    power_type: str | None = None
    voltage_v: int | None = None
    current_a: int | None = None
    power_w: int | None = None
    no_outlet: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AdoptEvses:
    """Register the outlets of a station's EVSEs as its device model told them; what is registered stays."""

    station: str


@dataclass(frozen=True, slots=True)
class ForgetEvse:
    """Take back all that was said of an EVSE."""

    station: str
    evse: int


@dataclass(frozen=True, slots=True)
class ShowQr:
    """What the QR code on an EVSE says."""

    station: str
    evse: int


@dataclass(frozen=True, slots=True)
class QrView:
    """``text`` is what a phone reads (settings: qr_url)."""

    id: str
    station: str
    evse: int
    evse_id: str | None
    text: str
