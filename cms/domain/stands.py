"""Where a session stands: what of its place a bill names, as it was when the session began."""

from __future__ import annotations

from collections.abc import Mapping

from cms.domain import evses, sites
from cms.domain.evses import Evse
from cms.domain.record import record
from cms.domain.sites import Site
from cms.domain.stations import StationState


@record
class Stand:
    """``evse_id`` is its eMI3 id, ``party`` whose it is (``DE*ABC``)."""

    site: str | None = None
    time_zone: str = "UTC"
    evse_id: str | None = None
    party: str | None = None

    @property
    def zone(self) -> str | None:
        """Where times of day are meant; a site that says UTC most likely said nothing: then it is the tariff's."""
        return self.time_zone if self.time_zone != "UTC" else None


def stand_of(registered: Mapping[str, Site], state: StationState | None, evse: int | None) -> Stand:
    """Where this EVSE stands now; nowhere in particular once its station was removed."""
    if state is None:
        return Stand()
    site = sites.of(registered, state.station.site)
    known: Evse | None = state.kept_of(evses.KIND).get(evses.number(evse or 0))
    evse_id = known.id if known is not None else None
    if site is None:
        return Stand(evse_id=evse_id)
    return Stand(site.id, site.time_zone, evse_id, site.party)
