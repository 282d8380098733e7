"""Sites as clients see them: where stations stand, when they may be reached, what the grid gives there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import StationCredential


@dataclass(frozen=True, slots=True)
class Daily:
    """Opening hours of one weekday (1 is Monday): ``HH:MM`` on the site's wall; ``24:00`` is the end of the day."""

    weekday: int
    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant to another, which is not part of it."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours (OCPI 2.2.1 Hours). A closing overrides regular hours and openings."""

    twentyfourseven: bool = False
    regular: tuple[Daily, ...] = ()
    exceptional_openings: tuple[Span, ...] = ()
    exceptional_closings: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site. ``hours`` is its regular week in one line, ``opening_hours`` all of it; ``open`` is now.

    ``latitude`` and ``longitude``: WGS 84 degrees to 7 places (OCPI). Grid: what the connection carries in W and
    in A per phase, ``grid_limit_w`` what charging may take of it. ``party``: whose EVSE ids are, ``DE*ABC``.
    """

    id: str
    name: str
    time_zone: str
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    open: bool = True
    hours: str | None = None
    opening_hours: Hours | None = None
    grid_power_w: int | None = None
    grid_current_a: float | None = None
    grid_phases: int | None = None
    grid_limit_w: int | None = None
    grid_reference: str | None = None
    party: str | None = None
    operator: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    access: str | None = None
    note: str | None = None
    stations: int = 0
    online: int = 0
    charging: int = 0
    power_w: int = 0
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListSites:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowSite:
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SiteWords:
    """What may be said of a site. Null: not said; an empty text or 0 takes it back.

    ``hours``: ``24/7`` or ``mon-fri 06:00-22:00, sat 08:00-20:00``. ``openings`` and ``closings`` replace those
    that were: a date, or ``BEGIN/END`` in ISO 8601, in the site's time where no zone is said.
    ``country`` is ISO 3166-1 alpha-2, ``coordinates`` are ``LATITUDE,LONGITUDE`` in degrees.
    """

    name: str | None = None
    time_zone: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    coordinates: str | None = None
    hours: str | None = None
    openings: tuple[str, ...] | None = None
    closings: tuple[str, ...] | None = None
    grid_power_w: int | None = None
    grid_current_a: float | None = None
    grid_phases: int | None = None
    grid_limit_w: int | None = None
    grid_reference: str | None = None
    party: str | None = None
    operator: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    access: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSite(_SiteWords):
    """Register a site; without a time zone it has its organisation's."""

    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSite(_SiteWords):
    """Change what is said of a site; what is null stays."""

    site: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveSite:
    """Take a site off the register; refused while stations are there."""

    site: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A line of a file of sites, as text: an empty cell says nothing. ``closings`` are separated by ``;``."""

    line: int
    site: str = ""
    name: str = ""
    time_zone: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    coordinates: str = ""
    hours: str = ""
    closings: str = ""
    grid_power_w: str = ""
    grid_limit_w: str = ""
    grid_reference: str = ""
    party: str = ""
    operator: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    access: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class StationRow:
    """A line of a file of stations, as text: a station, and where it names one, one of its EVSEs with an outlet.

    A station with several EVSEs has several lines; what is said of the station itself is said in the first.
    """

    line: int
    station: str = ""
    site: str = ""
    serial: str = ""
    security_profile: str = ""
    note: str = ""
    evse: str = ""
    evse_id: str = ""
    reference: str = ""
    floor: str = ""
    directions: str = ""
    connector: str = ""
    standard: str = ""
    format: str = ""
    power_type: str = ""
    voltage_v: str = ""
    current_a: str = ""
    power_w: str = ""


@dataclass(frozen=True, slots=True)
class ImportSites:
    """Register or change sites: all lines or none."""

    rows: tuple[SiteRow, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ImportStations:
    """Register stations and their EVSEs: all lines or none. Stations that are registered already stay as they are."""

    rows: tuple[StationRow, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """What became of a line. ``outcome``: added, changed, unchanged, known or error, which ``why`` explains."""

    line: int
    name: str
    outcome: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PlacesView:
    """``done``: whether anything was written. ``credentials`` of new stations are shown this once."""

    done: bool
    rows: tuple[PlaceRow, ...]
    credentials: tuple[StationCredential, ...] = ()
