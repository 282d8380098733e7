"""The last frames of a link, for people: kept as they came, masked and unwrapped only when somebody looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cms.contract.stations import Message
from cms.domain.masking import masked_start, masked_text

KEPT_FRAMES = 30
KEPT_CHARACTERS = 2048

#: Where the payload begins in [2, id, action, payload], [3, id, payload] and [4, id, code, description, details].
_PAYLOAD_AT = {"call": 3, "result": 2, "error": 2}  # "raw" is shown whole


#: What the schema says of a frame: its kind, action and payload.
Judge = Callable[[str, str, str], str | None]


class Cut(str):
    """The beginning of a long frame, masked already."""

    __slots__ = ()


def cut(text: str | bytes) -> str:
    """What is kept of a long frame."""
    # Masked before it is cut: half a frame cannot be parsed any more.
    return Cut(masked_start(_as_text(text), KEPT_CHARACTERS))


class Seen(NamedTuple):
    """One frame that crossed the link. ``text`` is whole when short, else Cut."""

    at: datetime
    direction: str
    kind: str
    action: str
    message_id: str | int
    text: str | bytes
    latency_ms: float | None

    def message(self, station: str, judge: Judge) -> Message:
        latency_ms = None if self.latency_ms is None else round(self.latency_ms, 3)
        payload = _shown(self.kind, self.text)
        whole = not isinstance(self.text, Cut)
        return Message(
            at=self.at,
            direction=self.direction,
            kind=self.kind,
            action=self.action,
            message_id=str(self.message_id),
            payload=payload,
            latency_ms=latency_ms,
            station=station,
            verdict=judge(self.kind, self.action, payload) if whole else None,
        )


class Ring:
    """A link's last frames, oldest first."""

    __slots__ = ("_frames", "_judge", "_station")

    def __init__(self, station: str = "", judge: Judge = lambda kind, action, payload: None) -> None:
        self._station = station
        self._judge = judge
        self._frames: deque[tuple[Any, ...]] = deque(maxlen=KEPT_FRAMES)
        """The fields of Seen; made into one only when somebody looks."""

    def add(
        self,
        at: datetime,
        direction: str,
        kind: str,
        action: str,
        message_id: str | int,
        text: str | bytes,
        latency_ms: float | None,
    ) -> None:
        if len(text) > KEPT_CHARACTERS:
            text = cut(text)
        self._frames.append((at, direction, kind, action, message_id, text, latency_ms))

    def forget(self, words: Iterable[str]) -> None:
        """Keep no frame in which one of these words stands."""
        needles = [word.casefold() for word in words]
        kept = [f for f in self._frames if not any(n in _as_text(f[5]).casefold() for n in needles)]
        if len(kept) < len(self._frames):
            self._frames = deque(kept, maxlen=KEPT_FRAMES)

    def last(self) -> Message:
        return Seen(*self._frames[-1]).message(self._station, self._judge)

    def messages(self) -> list[Message]:
        return [Seen(*fields).message(self._station, self._judge) for fields in self._frames]


def _shown(kind: str, text: str | bytes) -> str:
    return str(text) if isinstance(text, Cut) else _payload(kind, masked_text(_as_text(text)))


def _as_text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode()


def _payload(kind: str, text: str) -> str:
    """The payload of a frame as JSON text; the text itself where it is cut or broken."""
    try:
        parts = msgspec.json.decode(text, type=list[msgspec.Raw])[_PAYLOAD_AT.get(kind, 99) :]
    except (msgspec.MsgspecError, RecursionError):
        return text
    if not parts:
        return text
    return (
        bytes(parts[0]).decode()
        if len(parts) == 1
        else "[" + ",".join(bytes(part).decode() for part in parts) + "]"
    )
