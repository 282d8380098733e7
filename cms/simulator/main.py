"""``cms simulate``: a fleet against any CSMS, with one line on stdout for each thing that happens."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cms.simulator.faults import named
from cms.simulator.fleet import MIXED, VERSIONS, Fleet, Plan, tokens
from cms.simulator.pace import Pace
from cms.simulator.station import News, Station


async def run(
    url: str,
    *,
    stations: int = 1,
    ocpp: str | None = None,
    speed: float = 1.0,
    seed: int = 1,
    prefix: str = "CP-",
    password: str | None = None,
    faults: str = "",
    duration_s: float | None = None,
    cards: tuple[str, ...] = (),
    quiet: bool = False,
) -> None:
    """Simulate until cancelled, or for ``duration_s`` real seconds. ValueError says which value is wrong.

    ``url`` is the CSMS's address without the identity; ``ocpp`` one version, or None for a mixture; ``faults``
    names as in faults.py, with commas; ``cards`` the tokens that drivers have (DEMO0001... without).
    """
    if ocpp is not None and ocpp not in VERSIONS:
        raise ValueError(f"no station here speaks OCPP {ocpp!r}; there are: {', '.join(VERSIONS)}")
    _check(url, stations, speed)
    plan = Plan(
        url=url,
        stations=stations,
        versions=(ocpp,) if ocpp else MIXED,
        seed=seed,
        prefix=prefix,
        password=lambda identity: password,
        tokens=cards or tuple(tokens()),
        faults=named(faults),
        visits_a_day=12.0,
        busy_at_start=1.0,  # who simulates one station waits for its first driver, not for half a day
    )
    fleet = Fleet(plan, Pace(speed), news=_Once(url, _silence if quiet else _print))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await fleet.run()


def _check(url: str, stations: int, speed: float) -> None:
    """ValueError says which value is wrong."""
    if not _is_websocket(url):
        raise ValueError(f"stations connect to ws://HOST:PORT/PATH or wss://..., not to {url!r}")
    if stations < 1:
        raise ValueError(f"there must be a station at least, not {stations}")
    if not 0 < speed < math.inf:
        raise ValueError(f"speed must be above 0, not {speed:g}")


def _is_websocket(url: str) -> bool:
    try:
        told = urlsplit(url)
        return told.scheme in ("ws", "wss") and bool(told.hostname) and told.port != 0
    except ValueError:  # no port, no IPv6 address
        return False


class _Once:
    """News without repetition: stations that cannot connect try for ever, and that is said once.

    Until one of them was let in it is the central system's matter and said in a sentence on stderr; from then
    on it is the station's.
    """

    def __init__(self, url: str, tell: News) -> None:
        self._url = url
        self._tell = tell
        self._reached = False
        self._said: set[tuple[str, str]] = set()

    def __call__(self, station: Station, word: str, detail: str) -> None:
        if word == "connected":
            self._reached = True
            self._said = {said for said in self._said if said[0] != station.id}
        if word != "cannot connect":
            self._tell(station, word, detail)
            return
        key = (station.id if self._reached else "", detail)
        if key in self._said:
            return
        self._said.add(key)
        if self._reached:
            self._tell(station, word, detail)
        else:
            line = f"cms: {station.id} cannot connect to {self._url} and goes on trying: {detail}"
            sys.stderr.write(_printable(line) + "\n")


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in line)


def _print(station: Station, word: str, detail: str) -> None:
    at = datetime.now(UTC).strftime("%H:%M:%S")
    line = f"{at}  {station.id}  {word}  {detail}".rstrip()
    sys.stdout.write(_printable(line) + "\n")
    sys.stdout.flush()


def _silence(station: Station, word: str, detail: str) -> None:
    pass
