"""Sites: the places where stations stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.refusals import Invalid
from cms.contract.sites import Hours
from cms.domain import hours
from cms.domain.countries import country
from cms.domain.record import record

KIND = "site"

_LONGEST_ID = 36  # OCPI 2.2.1 Location.id
_LONGEST = {"access": 1000, "note": 1000}
_USUAL = 120
_PARTY = re.compile(r"([A-Z]{2})[*\-]?([A-Z0-9]{3})", re.ASCII)


@record
class Site:
    """One place. ``time_zone`` is an IANA name (``Europe/Berlin``): hours of rules and tariffs are meant there.

    ``latitude`` and ``longitude`` are WGS 84 degrees to 7 places (OCPI 2.2.1 GeoLocation); both or neither.
    ``country`` is ISO 3166-1 alpha-2, ``party`` ``DE*ABC``. The grid connection carries ``grid_power_w``, or
    ``grid_current_a`` on each of ``grid_phases``; charging may take ``grid_limit_w`` of it.
    """

    id: str
    name: str = ""
    time_zone: str = "UTC"
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    hours: Hours | None = None
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
    added_at: datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone; UTC where this machine does not know it any more."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo("UTC")


def key(site_id: str) -> str:
    """Under which it is kept: ids compare without case."""
    return site_id.casefold()


def of(sites: Mapping[str, Site], site_id: str | None) -> Site | None:
    """The site that a station names; None where it names none, or one that is not registered."""
    return sites.get(site_id.casefold()) if site_id else None


def open_at(site: Site, now: datetime) -> bool:
    """Whether it may be reached at an instant; open where no hours are said."""
    return hours.open_at(site.hours, site.zone, now)


def check_id(site_id: str) -> None:
    """1 to 36 printable characters that survive a URL path."""
    good = site_id.isprintable() and site_id == site_id.strip() and not set("/?#") & set(site_id)
    if not site_id or len(site_id) > _LONGEST_ID or not good:
        raise Invalid(
            f"{site_id[:60]!r} cannot be a site's id: 1 to {_LONGEST_ID} printable characters without '/', '?', '#'"
        )


def read_zone(text: str) -> str:
    """An IANA name that this machine knows."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"{text[:60]!r} is no time zone", "an IANA name, e.g. Europe/Berlin") from error
    return text


def read_coordinates(text: str) -> tuple[float, float]:
    """``LATITUDE,LONGITUDE`` in degrees, to the 7 places that OCPI has (a centimetre)."""
    hint = "LATITUDE,LONGITUDE in degrees, e.g. 52.5200660,13.4049540"
    try:
        latitude, longitude = (round(float(part), 7) for part in text.split(","))
    except ValueError as error:
        raise Invalid(f"{text[:60]!r} are no coordinates", hint) from error
    if not (isfinite(latitude) and isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        raise Invalid(f"{text[:60]!r} is nowhere on earth", hint)
    return latitude, longitude


def read_party(text: str) -> str:
    """Country and party id as in EVSE ids: ``DE*ABC``; separators may be left out."""
    found = _PARTY.fullmatch(text.strip().upper())
    if found is None:
        raise Invalid(f"{text[:20]!r} is no party", "country and three characters, e.g. DE*ABC")
    return f"{country(found[1])}*{found[2]}"


def _email(text: str) -> str:
    name, at, domain = text.partition("@")
    if not (name and at and "." in domain) or " " in text:
        raise Invalid(f"{text[:60]!r} is no e-mail address")
    return text


def _at_least_0(name: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isfinite(value) or value < 0:
            raise Invalid(f"{name} cannot be {value}")
        return value

    return read


def _phases(value: int) -> int:
    if value not in (1, 2, 3):
        raise Invalid(f"a grid connection has 1 to 3 phases, not {value}")
    return value


#: How what is said of a site is read, where that is more than text.
_READ: dict[str, Callable[[Any], Any]] = {
    "time_zone": read_zone,
    "country": country,
    "party": read_party,
    "contact_email": _email,
    "grid_power_w": _at_least_0("the power of a grid connection"),
    "grid_current_a": _at_least_0("the current of a grid connection"),
    "grid_limit_w": _at_least_0("the limit of a grid connection"),
    "grid_phases": _phases,
}
#: These stand in a site as they are said (or as _READ has them).
PLAIN = (
    "name",
    "time_zone",
    "street",
    "postcode",
    "city",
    "country",
    "grid_power_w",
    "grid_current_a",
    "grid_phases",
    "grid_limit_w",
    "grid_reference",
    "party",
    "operator",
    "contact_name",
    "contact_phone",
    "contact_email",
    "access",
    "note",
)
_WHEN_TAKEN_BACK: dict[str, Any] = {"name": "", "time_zone": "UTC"}


def read_words(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a site that these words give it: null says nothing, an empty text or 0 takes back."""
    return {name: _value(name, said[name]) for name in PLAIN if said.get(name) is not None}


def _value(name: str, said: Any) -> Any:
    text = said.strip() if isinstance(said, str) else said
    if not text:
        return _WHEN_TAKEN_BACK.get(name)
    if isinstance(text, str):
        most = _LONGEST.get(name, _USUAL)
        if len(text) > most or not text.isprintable():
            raise Invalid(f"{name.replace('_', ' ')} has at most {most} printable characters")
    read = _READ.get(name)
    return read(text) if read else text


def read_hours(
    known: Hours | None,
    zone: ZoneInfo,
    week: str | None,
    openings: tuple[str, ...] | None,
    closings: tuple[str, ...] | None,
) -> Hours | None:
    """Opening hours with what is said of them anew; nothing at all is None."""
    was = known or Hours()
    always, regular = (was.twentyfourseven, was.regular) if week is None else _week(week)
    changed = Hours(
        always,
        regular,
        was.exceptional_openings if openings is None else _spans(openings, zone),
        was.exceptional_closings if closings is None else _spans(closings, zone),
    )
    hours.check(changed)
    return None if changed == Hours() else changed


def _week(text: str) -> tuple[bool, Any]:
    return hours.read(text) if text.strip() else (False, ())


def _spans(said: tuple[str, ...], zone: ZoneInfo) -> tuple[Any, ...]:
    return tuple(sorted((hours.read_span(text, zone) for text in said), key=lambda span: span.begin))
