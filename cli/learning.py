"""``cms tokens learn``: wait for the next unknown card at a station, and offer to register it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from cli.errors import note
from cli.flags import Flags
from cli.noun import confirmed
from cms.client import AsyncClient, ask
from cms.contract import tokens
from cms.contract.events import Event
from cms.contract.refusals import TimedOut

#: So long a station waits for a card unless --timeout says otherwise.
_PATIENCE_S = 120.0


def learned(flags: Flags, station: str, driver: str | None, group: str | None) -> dict[str, Any] | None:
    """The token that was registered; None: the card is in the inbox and nobody wanted it."""
    wait_s = flags.timeout_s or _PATIENCE_S
    request = tokens.LearnToken(station, wait_s, driver, group, enrol=flags.yes)
    seen = asyncio.run(_wait(flags, request))
    assert seen.token is not None
    if seen.state == "enrolled":
        return _asked(flags, tokens.ShowToken(seen.token))
    note(f"{seen.token} ({seen.kind}) was presented at {seen.station}", flags.quiet)
    if not sys.stdin.isatty():
        note(f"to register it: cms tokens enrol {seen.token}", flags.quiet)
        return None
    whose = f" for {driver}" if driver else ""
    if not confirmed(flags, f"Register {seen.token}{whose}?"):
        return None
    return _asked(flags, tokens.EnrolCard(seen.token, driver=driver, group=group))


def _asked(flags: Flags, request: Any) -> dict[str, Any]:
    row: dict[str, Any] = ask(request, flags.address, flags.patience_s)
    return row


async def _wait(flags: Flags, request: tokens.LearnToken) -> tokens.LearningView:
    """Until a card came; then or at the end of patience the station waits no more."""
    async with AsyncClient(flags.address) as client:
        begun = await client.ask(request)
        note(f"hold the card to {begun.station}, within {request.timeout_s:g} s", flags.quiet)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await _card(client, begun.station)
        except TimeoutError:
            raise TimedOut(f"no unknown card was presented at {begun.station} in time") from None
        finally:
            await client.ask(tokens.StopLearning(begun.station))


async def _card(client: AsyncClient, station: str) -> tokens.LearningView:
    seen, cursor = await client.ask_with_cursor(tokens.ShowLearning(station))
    if seen.state in ("waiting", "over"):
        async for item in client.follow(cursor, station=station, type="token.learned"):
            if isinstance(item, Event):
                break
        seen = await client.ask(tokens.ShowLearning(station))
    view: tokens.LearningView = seen
    return view
