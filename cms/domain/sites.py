"""Sites: the places where stations stand."""

from __future__ import annotations

from cms.domain.record import record

KIND = "site"


@record
class Site:
    """One place. ``time_zone`` is an IANA name (``Europe/Berlin``): hours of rules and tariffs are meant there."""

    id: str
    name: str = ""
    time_zone: str = "UTC"
