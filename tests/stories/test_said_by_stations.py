"""Every action that a station may say, said by software that is not ours, gets a valid answer: little and much."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cms.ocpp.actions import SAID_BY_STATIONS
from tests.fleet import client_of, enrol, running
from tests.stories.payloads import made
from tests.stories.peers import KINDS, Json, Peer

CARD = "04A1B2C3"
#: What comes as SEND has no answer, and neither package knows that kind of message (2.1, Part 4 section 4.2.5).
UNANSWERED = {"NotifyPeriodicEventStream"}
#: By field name, in every message: what means something to the daemon, or has a form that no schema tells.
VALUES = {
    "idToken": CARD,
    "idTag": CARD,
    "type": "ISO14443",
    "evseId": 1,
    "connectorId": 1,
}


def said(version: str) -> list[str]:
    """A station boots before it says anything else."""
    return sorted(
        SAID_BY_STATIONS[version] - UNANSWERED, key=lambda action: (action != "BootNotification", action)
    )


def refused(action: str, payload: Json) -> Json:
    raise AssertionError(f"nobody asked for {action}")


@pytest.mark.parametrize("version", SAID_BY_STATIONS)
@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_a_station_may_say_is_answered_validly(
    kind: str, version: str, tmp_path: Path
) -> None:
    async with running(tmp_path, inventory_after_boot="off") as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["IND-1"], [CARD])
        async with KINDS[kind](daemon.endpoint.url, passwords["IND-1"], version, refused) as station:
            failed = [
                f"{action} ({'much' if rich else 'little'}): {wrong}"
                for rich in (False, True)
                for action in said(version)
                if (wrong := await _said(station, version, action, rich))
            ]
        assert failed == []
        assert station.wrong == []


async def _said(station: Peer, version: str, action: str, rich: bool) -> str | None:
    values: dict[str, Any] = VALUES | {"date-time": datetime.now(UTC).isoformat(timespec="milliseconds")}
    try:
        await station.say(action, made(version, action, rich=rich, values=values))
    except Exception as wrong:  # whatever the packages say of it
        return f"{type(wrong).__name__}: {wrong}"
    return None
