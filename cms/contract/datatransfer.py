"""DataTransfer to stations: what a vendor agreed on beside the standard."""

from __future__ import annotations

from dataclasses import dataclass

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class SendData(OrderTerms):
    """``data`` is a text; with ``as_json`` a 2.x station gets the JSON value that it writes."""

    station: str
    vendor: str
    message: str | None = None
    data: str | None = None
    as_json: bool = False
