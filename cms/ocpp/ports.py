"""What a conversation with a station leans on: whom it calls, what bounds it, and its wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from cms.aside import Aside, at_once
from cms.contract.stations import Message
from cms.domain.observations import Answer, Received


def _always(_: str) -> bool:
    return True


async def _unheard(station: str, served: str, kept_out: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Hooks:
    """What this border calls when something happens; the daemon hands it in."""

    connected: Callable[[str, str, str], Awaitable[None]]
    """Station id, OCPP version, address. Its messages wait until this returns."""
    disconnected: Callable[[str, str], Awaitable[None]]
    """Station id, reason; only when no newer connection has taken over."""
    observe: Callable[[str, Received], Awaitable[Answer]]
    """Decide and make durable; the answer leaves after this returns. May raise core.StoreDown."""
    frame: Callable[[str, Message], None]
    """Every frame, masked, of stations that ``watched`` says yes to."""
    count: Callable[[str, str, str], None]
    """Direction (in, out), action, OCPP version."""
    watched: Callable[[str], bool] = _always
    """Whether anybody looks at this station's frames now: making a Message costs more than reading a frame."""
    contested: Callable[[str, str, str], Awaitable[None]] = _unheard
    """Station id, the address that is served and the one that is kept out: two that both prove to be one station."""
    aside: Aside = at_once
    """Where long texts are taken apart."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds before anything is parsed. Seconds and bytes; frame sizes count after inflating."""

    max_frame_bytes: int = 1024 * 1024
    max_depth: int = 32
    rate_per_s: float = 200.0
    burst: float = 1000.0
    bytes_per_token: int = 4096
    """A long frame costs as much as several: to read and decide 512 KiB takes 0.1 s of CPU, mostly beside the loop."""
    queue: int = 16
    """CALLs of one station that wait for the worker before we stop reading."""
    orders: int = 64
    """Orders that wait for one station."""
    strays_per_minute: int = 100
    handshake_s: float = 10.0
    handshakes: int = 4096
    files: int | None = None
    """How many this process may open; some stay free for everything else."""
    call_timeout_s: float = 30.0
    """The answer deadline of an order that names none."""
    ping_s: float = 30.0
    pong_s: float = 20.0
    close_s: float = 5.0
    write_s: float = 10.0
    max_unsent_bytes: int = 1024 * 1024
    max_fragments: int = 1024


class Wire(Protocol):
    """What a conversation needs of a connection."""

    def write(self, data: bytes) -> None: ...

    def shut(self, code: int, reason: str) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    async def drained(self) -> None:
        """Returns when the station has taken what was written; at once when it has."""
        ...
