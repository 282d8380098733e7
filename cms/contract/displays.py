"""Messages on the displays of stations (OCPP 2.x)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class DisplayView:
    """One message. ``over``: its time, or its session, has ended. ``set_by`` null: the station told of it.

    ``priority``: always-front, in-front, normal-cycle. ``state``: shown only while the station is charging,
    faulted, idle, unavailable (2.1 also suspended, discharging). ``format``: utf8, ascii, html, uri (2.1 qrcode).
    """

    id: int
    station: str
    text: str
    format: str
    language: str | None
    priority: str
    state: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    transaction_id: str | None
    translations: dict[str, str]
    set_by: str | None
    seen_at: datetime | None
    over: bool


@dataclass(frozen=True, slots=True)
class ListDisplayMessages:
    """What we know to be on the displays of one station, or of all."""

    station: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDisplayMessage(OrderTerms):
    """Show a message; ``message`` with the number of one that is there replaces it.

    ``session``: only during that session, and gone with it. ``translations``: by language (2.1).
    """

    station: str
    text: str
    message: int | None = None
    format: str = "utf8"
    language: str | None = None
    priority: str = "normal-cycle"
    state: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    session: str | None = None
    translations: dict[str, str] | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDisplayMessages(OrderTerms):
    """Ask the station for its messages: all, or those with these numbers, this priority, this state."""

    station: str
    messages: tuple[int, ...] = ()
    priority: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearDisplayMessage(OrderTerms):
    station: str
    message: int
