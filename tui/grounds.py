"""What stands where: sites with their stations, summed up, and the tree of it as far as it is open.

Sums are kept up station by station, so that a change costs the same with ten stations and with ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from cms.contract.sites import SiteView
from cms.contract.stations import StationView
from tui.mirror import Mirror

NOWHERE = ""
"""The site of stations that have none."""

Branch = tuple[str, str]
"""What a row of the tree is: (kind, id); kinds are site, station, evse, connector, session."""


@dataclass(slots=True)
class Sums:
    """What is at a site. ``trouble``: faulted connectors, and stations that are offline."""

    stations: int = 0
    online: int = 0
    connectors: int = 0
    sessions: int = 0
    trouble: int = 0
    power_w: int = 0

    def add(self, other: Sums, sign: int = 1) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + sign * getattr(other, each.name))


def figures(mirror: Mirror, station: StationView) -> Sums:
    """One station's part in the sums of its site."""
    plugs = [connector for connector in station.connectors if connector.evse]
    running = mirror.sessions_of(station.id)
    faulted = sum(plug.status == "faulted" for plug in plugs) if station.online else 1
    return Sums(
        1, int(station.online), len(plugs), len(running), faulted, sum(s.power_w or 0 for s in running)
    )


def limit_w(site: SiteView | None) -> int | None:
    """What charging may take of the site's grid connection: what is said so, else what the connection carries."""
    return None if site is None else site.grid_limit_w or site.grid_power_w


class Grounds:
    """Stations by site with their sums; ``sites`` are those that are registered, by id."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self.sites: dict[str, SiteView] = {}
        self.sums: dict[str, Sums] = {}
        self.stations: dict[str, set[str]] = {}
        """By site, those that stand there."""
        self._figures: dict[str, tuple[str, Sums]] = {}

    def load(self, sites: Iterable[SiteView]) -> None:
        """These sites are registered."""
        self.sites = {site.id: site for site in sites}
        for key in self.sites:
            self._open_account(key)
        for key in [key for key in self.sums if key not in self.sites and not self.stations[key]]:
            del self.sums[key], self.stations[key]

    def count_all(self) -> None:
        """Every station anew."""
        self.touch([*self._figures, *self._mirror.stations])

    def touch(self, stations: Iterable[str]) -> tuple[set[str], bool]:
        """These stations changed: answers the sites whose sums did, and whether any came, went or moved."""
        changed: set[str] = set()
        moved = False
        for key in stations:
            view = self._mirror.stations.get(key)
            before = self._figures.get(key)
            now = None if view is None else (view.site or NOWHERE, figures(self._mirror, view))
            if now == before:
                continue
            if before is not None:
                self.sums[before[0]].add(before[1], -1)
                changed.add(before[0])
            if now is not None:
                self._open_account(now[0])
                self.sums[now[0]].add(now[1])
                changed.add(now[0])
            moved |= self._move(key, before and before[0], now and now[0])
            if now is None:
                self._figures.pop(key, None)
            else:
                self._figures[key] = now
        return changed, moved

    def _move(self, station: str, was: str | None, at: str | None) -> bool:
        if was == at:
            return False
        if was is not None:
            self.stations[was].discard(station)
            if not self.stations[was] and was not in self.sites:
                del self.stations[was], self.sums[was]
        if at is not None:
            self.stations[at].add(station)
        return True

    def _open_account(self, site: str) -> None:
        self.sums.setdefault(site, Sums())
        self.stations.setdefault(site, set())

    # ---- of one site

    def name(self, site: str) -> str:
        view = self.sites.get(site)
        return view.name if view and view.name != site else site

    def headroom_w(self, site: str) -> int | None:
        """What may still be taken; None where nobody said what there is."""
        most = limit_w(self.sites.get(site))
        return None if most is None else most - self.sums[site].power_w


#: Orders of sites; where there is no figure, last. Each begins with what a person looks for.
ORDERS: dict[str, Callable[[Grounds, str], tuple[float, str]]] = {
    "name": lambda grounds, site: (float(site == NOWHERE), grounds.name(site).casefold()),
    "power": lambda grounds, site: (-grounds.sums[site].power_w, site.casefold()),
    "headroom": lambda grounds, site: (_or_last(grounds.headroom_w(site)), site.casefold()),
    "trouble": lambda grounds, site: (-grounds.sums[site].trouble, site.casefold()),
    "stations": lambda grounds, site: (-grounds.sums[site].stations, site.casefold()),
}


def _or_last(value: int | None) -> float:
    return float("inf") if value is None else value


def row_key(*branch: object) -> str:
    """A branch as the id of a row."""
    return "\0".join(map(str, branch))


def branch_of(row: str) -> tuple[str, ...]:
    """(kind, id) or (kind, station, EVSE, connector)."""
    return tuple(row.split("\0"))


def grown(
    mirror: Mirror,
    grounds: Grounds,
    order: Iterable[str],
    opened: Mapping[str, bool] | set[str],
    wanted: Callable[[str], bool],
) -> Iterator[str]:
    """The rows of the tree from above: sites in this order, and what hangs on those that are open.

    ``wanted`` says which stations are shown at all.
    """
    for site in order:
        key = row_key("site", site)
        yield key
        if key not in opened:
            continue
        for station in sorted(filter(wanted, grounds.stations.get(site, ())), key=str.casefold):
            below = row_key("station", station)
            yield below
            if below in opened:
                yield from _of_station(mirror, station, opened)


def _of_station(mirror: Mirror, station: str, opened: Mapping[str, bool] | set[str]) -> Iterator[str]:
    """EVSEs, the connectors of those that have several, and what runs on them."""
    view = mirror.stations.get(station)
    plugs: dict[int, list[int]] = {}
    for connector in view.connectors if view else ():
        if connector.evse:
            plugs.setdefault(connector.evse, []).append(connector.connector)
    placed: set[str] = set()
    running = mirror.sessions_of(station)
    for evse, connectors in plugs.items():
        key = row_key("evse", station, evse)
        yield key
        if key not in opened:
            placed.update(session.id for session in running if session.evse == evse)
            continue
        here = [session for session in running if session.evse == evse]
        if len(connectors) == 1:
            placed.update(session.id for session in here)
            yield from (row_key("session", session.id) for session in here)
            continue
        for number in connectors:
            yield row_key("connector", station, evse, number)
            on_it = [session.id for session in here if (session.connector or 1) == number]
            placed.update(on_it)
            yield from (row_key("session", session) for session in on_it)
    yield from (row_key("session", session.id) for session in running if session.id not in placed)
