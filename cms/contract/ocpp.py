"""OCPP word for word, for people who know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStation(OrderTerms):
    """Any action of the station's OCPP version, checked against its schema before it is sent."""

    station: str
    action: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRaw(OrderTerms):
    """A text as it is, unchecked, to see what a station makes of it. ``lab`` must be true: never in the field."""

    station: str
    text: str
    lab: bool = False
