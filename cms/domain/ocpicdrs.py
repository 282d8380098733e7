"""Charge detail records as OCPI 2.2.1 has them (mod_cdrs, the CDR object); numbers are exact decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cms.contract.evses import Outlet
from cms.contract.tariffs import BillLine
from cms.domain.cdrs import Cdr
from cms.domain.record import record
from cms.domain.signedvalues import SignedValue
from cms.domain.sites import Site

Json = dict[str, Any]
#: What a line of a bill is about -> CdrDimensionType, and how many of its unit are one of OCPI's (kWh, hours).
_DIMENSIONS: dict[str, tuple[str, Decimal]] = {
    "energy": ("ENERGY", Decimal(1)),
    "charging-time": ("TIME", Decimal(60)),
    "idle-time": ("PARKING_TIME", Decimal(60)),
    "reservation-time": ("RESERVATION_TIME", Decimal(60)),
}
#: Fields of the object that sum the cost of some lines.
_TOTALS = {
    "total_fixed_cost": ("fixed-fee",),
    "total_energy_cost": ("energy",),
    "total_time_cost": ("charging-time",),
    "total_parking_cost": ("idle-time",),
    "total_reservation_cost": ("reservation-time", "reservation-fixed"),
}
_TOKENS = {"rfid": "RFID", "app": "APP_USER", "direct-payment": "AD_HOC_USER", "central": "APP_USER"}
_METHODS = {"remote": "COMMAND", "offline": "WHITELIST"}
_NATURES = {"Transaction.Begin": "Start", "Transaction.End": "End"}
_GRAIN = Decimal("0.0001")
_NONE = "#NA"


@record
class Place:
    """Where it was: site and outlet as they are registered. ``country``: ISO 3166-1 alpha-3; ``party``: ``DE*ABC``."""

    party: str
    site: Site | None = None
    country: str | None = None
    outlet: Outlet | None = None


@record
class Proof:
    """Signed meter values of the session, and the key of its meter (hex digits)."""

    values: tuple[SignedValue, ...]
    key: str | None = None


def cdr_object(
    cdr: Cdr, place: Place, tariffs: Sequence[Json], proof: Proof | None = None, invoice: str | None = None
) -> Json:
    """One revision of a record."""
    country, _, party = place.party.partition("*")
    found: Json = {
        "country_code": country,
        "party_id": party,
        "id": cdr.id[:36],
        "start_date_time": _instant(cdr.started_at),
        "end_date_time": _instant(cdr.ended_at),
        "session_id": cdr.session[:36],
        "cdr_token": _token(cdr, country, party),
        "auth_method": _METHODS.get(cdr.started_by, "AUTH_REQUEST"),
        "cdr_location": _location(cdr, place),
        "currency": cdr.bill.currency,
        "tariffs": list(tariffs),
        "charging_periods": _periods(cdr),
        "total_cost": _price(cdr.bill.net, cdr.bill.gross),
        **_totals(cdr.bill.lines),
        "total_energy": _number(Decimal(cdr.energy_wh) / 1000),
        "total_time": _hours((cdr.ended_at - cdr.started_at).total_seconds()),
        "total_parking_time": _hours(cdr.idle_s),
        "last_updated": _instant(cdr.rated_at),
    }
    if cdr.psp_ref is not None:
        found["authorization_reference"] = cdr.psp_ref[:36]
    if proof is not None and proof.values:
        found["signed_data"] = _signed(proof)
    if invoice is not None:
        found["invoice_reference_id"] = invoice[:39]
    if cdr.remarks:
        found["remark"] = ", ".join(cdr.remarks)[:255]
    return found


def credit_of(original: Json, at: datetime) -> Json:
    """A Credit CDR: all of the original, but what it costs; its id is the original's with something appended."""
    cost = {name: -amount for name, amount in original["total_cost"].items()}
    return {
        **original,
        "id": f"{original['id']}-C",
        "total_cost": cost,
        "credit": True,
        "credit_reference_id": original["id"],
        "last_updated": _instant(at),
    }


def _token(cdr: Cdr, country: str, party: str) -> Json:
    uid = cdr.token or cdr.psp_ref or cdr.session
    kind = _TOKENS.get(cdr.token_kind or "rfid", "OTHER") if cdr.token else "AD_HOC_USER"
    return {
        "country_code": country,
        "party_id": party,
        "uid": uid[:36],
        "type": kind,
        "contract_id": (cdr.payer.driver or uid)[:36],
    }


def _location(cdr: Cdr, place: Place) -> Json:
    """Only what somebody said: an outlet that nobody described is left out."""
    site, outlet = place.site, place.outlet
    found: Json = {"id": (cdr.site or cdr.station)[:36]}
    if site is not None and site.name:
        found["name"] = site.name[:255]
    found["address"] = (site.street if site is not None and site.street else _NONE)[:45]
    found["city"] = (site.city if site is not None and site.city else _NONE)[:45]
    if site is not None and site.postcode:
        found["postal_code"] = site.postcode[:10]
    found["country"] = place.country or _NONE
    if site is not None and site.latitude is not None and site.longitude is not None:
        found["coordinates"] = {"latitude": f"{site.latitude:.6f}", "longitude": f"{site.longitude:.6f}"}
    found["evse_uid"] = f"{cdr.station}-{cdr.evse}"[:36] if cdr.evse else _NONE
    found["evse_id"] = (cdr.evse_id or _NONE)[:48]
    found["connector_id"] = str(cdr.connector or 1)
    if outlet is not None:
        told = {
            "connector_standard": outlet.standard,
            "connector_format": outlet.format,
            "connector_power_type": outlet.power_type,
        }
        found |= {name: value for name, value in told.items() if value}
    return found


def _periods(cdr: Cdr) -> list[Json]:
    """A period for each instant at which a price began to hold; of what no price counted, the energy in one."""
    by_start: dict[datetime, dict[str, Decimal]] = {}
    tariff_of: dict[datetime, str | None] = {}
    for line in cdr.bill.lines:
        if line.what not in _DIMENSIONS:
            continue
        kind, per = _DIMENSIONS[line.what]
        since = line.since or cdr.started_at
        volumes = by_start.setdefault(since, {})
        volumes[kind] = volumes.get(kind, Decimal(0)) + line.quantity / per
        tariff_of.setdefault(since, line.tariff)
    if not by_start:
        by_start = {cdr.started_at: {"ENERGY": Decimal(cdr.energy_wh) / 1000}}
    return [_period(since, by_start[since], tariff_of.get(since)) for since in sorted(by_start)]


def _period(since: datetime, volumes: Mapping[str, Decimal], tariff: str | None) -> Json:
    period: Json = {
        "start_date_time": _instant(since),
        "dimensions": [{"type": kind, "volume": _number(volume)} for kind, volume in volumes.items()],
    }
    if tariff is not None:
        period["tariff_id"] = tariff[:36]
    return period


def _totals(lines: Iterable[BillLine]) -> Json:
    """Costs of each kind, where there are any."""
    every = list(lines)
    found: Json = {}
    for name, kinds in _TOTALS.items():
        own = [line for line in every if line.what in kinds]
        if own:
            net = sum((line.net for line in own), Decimal(0))
            found[name] = _price(net, sum((line.gross for line in own), Decimal(0)))
    return found


def _signed(proof: Proof) -> Json:
    found: Json = {
        "encoding_method": proof.values[0].encoding[:36],
        "signed_values": [
            {
                "nature": _NATURES.get(one.context, "Intermediate"),
                "plain_data": one.text[:512],
                "signed_data": one.text[:5000],
            }
            for one in proof.values
        ],
    }
    if proof.key is not None:
        found["public_key"] = proof.key[:512]
    return found


def _price(net: Decimal, gross: Decimal) -> Json:
    return {"excl_vat": net, "incl_vat": gross}


def _hours(seconds: float) -> Decimal:
    return _number(Decimal(round(seconds)) / 3600)


def _number(value: Decimal) -> Decimal:
    """To the fourth decimal (OCPI 2.2.1 types, number)."""
    return value.quantize(_GRAIN, rounding=ROUND_HALF_UP)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
