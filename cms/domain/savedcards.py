"""Links by which drivers save a card themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from cms.domain.record import record

KIND = "card-link"
GOOD_FOR = timedelta(days=7)


@record
class Link:
    """Kept under a digest of its id. ``wish`` is the provider's name for the card that is being given."""

    driver: str
    until: datetime
    wish: str | None = None
