"""``cms simulate``: a fleet against any CSMS, with one line on stdout for each thing that happens.

Lines for the stations (console.py) come from ``--do`` and, with ``--console``, from stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cms.simulator.console import Wrong, do, usage
from cms.simulator.faults import FAULTS, named
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
    names: tuple[str, ...] = (),
    drivers: bool = True,
    roots: str | None = None,
    vendor: str | None = None,
    model: str | None = None,
    firmware: str | None = None,
    evses: int | None = None,
    lines: Sequence[str] = (),
    console: bool = False,
    quiet: bool = False,
) -> None:
    """Simulate until cancelled, or for ``duration_s`` real seconds. ValueError says which value is wrong.

    ``url`` is the CSMS's address without the identity; ``ocpp`` one version, or None for a mixture; ``faults``
    names as in faults.py, with commas; ``cards`` the tokens that drivers have (DEMO0001... without); ``names`` the
    stations' identities instead of numbered ones; ``vendor``, ``model``, ``firmware`` and ``evses`` say what they are
    instead of a mixture; ``lines`` are done when the stations have booted, ``quit`` ends.
    """
    if ocpp is not None and ocpp not in VERSIONS:
        raise ValueError(f"no station here speaks OCPP {ocpp!r}; there are: {', '.join(VERSIONS)}")
    _check(url, stations, speed, evses)
    _check_roots(roots)
    plan = Plan(
        url=url,
        stations=len(names) or stations,
        versions=(ocpp,) if ocpp else MIXED,
        seed=seed,
        prefix=prefix,
        password=lambda identity: password,
        tokens=cards or tuple(tokens()),
        faults=named(faults),
        visits_a_day=12.0,
        busy_at_start=1.0,  # who simulates one station waits for its first driver, not for half a day
        names=names,
        drivers=drivers,
        roots=roots,
        vendor=vendor,
        model=model,
        firmware=firmware,
        evses=evses,
    )
    fleet = Fleet(plan, Pace(speed), news=_Once(url, _silence if quiet else _print))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await _live(fleet, lines, console)


async def _live(fleet: Fleet, lines: Sequence[str], console: bool) -> None:
    """Until cancelled, or until a line says quit."""
    life = asyncio.create_task(fleet.run())
    try:
        if lines or console:
            talk = asyncio.create_task(_talk(fleet, lines, console))
            await asyncio.wait((life, talk), return_when=asyncio.FIRST_COMPLETED)
            if talk.done() and await talk:
                return
        await life
    finally:
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life


async def _talk(fleet: Fleet, lines: Sequence[str], console: bool) -> bool:
    """Do the lines, once every station is accepted; whether to end then."""
    for station in fleet.stations:
        await station.life.accepted.wait()
    for line in lines:
        if not await _said(fleet, line):
            return True
    if not console:
        return False
    async for line in _stdin():
        if not await _said(fleet, line):
            return True
    return True  # Ctrl-D


async def _said(fleet: Fleet, line: str) -> bool:
    """Do a line; False for ``quit``."""
    match line.strip():
        case "quit":
            return False
        case "help":
            sys.stdout.write(usage() + "\n")
        case "faults":
            sys.stdout.write(fault_list() + "\n")
        case told:
            try:
                await do(fleet.stations, told)
            except Wrong as why:
                sys.stderr.write(_printable(f"cms: {why}") + "\n")
    return True


async def _stdin() -> AsyncIterator[str]:
    """Lines as they are typed. A daemon thread reads, since a read cannot be cancelled."""
    loop, typed = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(typed.put_nowait, line)
        loop.call_soon_threadsafe(typed.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await typed.get()) is not None:
        yield line


def fault_list() -> str:
    """A line per fault."""
    width = max(map(len, FAULTS))
    return "\n".join(f"{name:<{width}}  {what}" for name, what in FAULTS.items())


#: More than any station has, and still a sensible burst of statuses.
MOST_EVSES = 64


def _check(url: str, stations: int, speed: float, evses: int | None) -> None:
    """ValueError says which value is wrong."""
    if not _is_websocket(url):
        raise ValueError(f"stations connect to ws://HOST:PORT/PATH or wss://..., not to {url!r}")
    if stations < 1:
        raise ValueError(f"there must be a station at least, not {stations}")
    if evses is not None and not 0 < evses <= MOST_EVSES:
        raise ValueError(f"a station has 1 to {MOST_EVSES} EVSEs, not {evses}")
    if not 0 < speed < math.inf:
        raise ValueError(f"speed must be above 0, not {speed:g}")


def _check_roots(roots: str | None) -> None:
    """ValueError when stations could never trust anybody: they would try for ever."""
    if roots is None:
        return
    try:
        ssl.create_default_context(cafile=roots)
    except OSError as error:
        raise ValueError(f"{roots} cannot be read as certificates in PEM: {error.strerror}") from error


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
