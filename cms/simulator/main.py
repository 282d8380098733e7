"""``cms simulate``: a fleet against any CSMS, with one line on stdout for each thing that happens."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime

from cms.simulator.faults import named
from cms.simulator.fleet import MIXED, VERSIONS, Fleet, Plan, tokens
from cms.simulator.pace import Pace
from cms.simulator.station import Station


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
    fleet = Fleet(plan, Pace(speed), news=_silence if quiet else _print)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await fleet.run()


def _print(station: Station, word: str, detail: str) -> None:
    at = datetime.now(UTC).strftime("%H:%M:%S")
    line = f"{at}  {station.id}  {word}  {detail}".rstrip()
    sys.stdout.write("".join(c if c.isprintable() else "?" for c in line) + "\n")
    sys.stdout.flush()


def _silence(station: Station, word: str, detail: str) -> None:
    pass
