"""What all versions share of local lists: how an update is cut into messages, and what their answers mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from cms.domain.lists import Entry, SendList, Update
from cms.domain.orders import OrderAnswer
from cms.ocpp.translation import shown, verdict
from cms.ocpp.values import Json

#: A message with less is worth no sending: the action, the version and one entry.
_LEAST_BYTES = 400
_ENVELOPE_BYTES = 200
_size = msgspec.json.Encoder().encode


def messages(
    update: Update | None, added: Callable[[Entry], Json], removed: Callable[[Entry], Json], version_key: str
) -> Iterator[Json]:
    """SendLocalList payloads: one Full (empty where the list becomes empty), then Differentials, versions rising.

    Never more entries or bytes than the station takes (D01.FR.11, 1.6 SendLocalListMaxLength). A full list
    without entries has no list at all: an empty one is against the schema (D01.FR.04 empties it).
    """
    assert update is not None, "an update is put together before it is sent"
    said = [*map(removed, update.removed), *map(added, update.entries)]
    parts = list(_parts(said, update.per_message, update.bytes_per_message)) or [[]]
    for number, part in enumerate(parts):
        full = update.full and number == 0
        payload: Json = {
            version_key: update.version + number,
            "updateType": "Full" if full else "Differential",
        }
        yield payload | ({"localAuthorizationList": part} if part else {})


def _parts(
    entries: list[Json], per_message: int | None, bytes_per_message: int | None
) -> Iterator[list[Json]]:
    room = max(bytes_per_message, _LEAST_BYTES) - _ENVELOPE_BYTES if bytes_per_message else None
    part: list[Json] = []
    taken = 0
    for entry in entries:
        size = len(_size(entry)) + 1 if room is not None else 0
        if part and (len(part) == (per_message or 0) or (room is not None and taken + size > room)):
            yield part
            part, taken = [], 0
        part.append(entry)
        taken += size
    if part:
        yield part


def accepted(answer: Json) -> bool:
    """After a no the rest would only make it worse: the list is sent anew (D01.FR.03)."""
    return bool(answer["status"] == "Accepted")


def understood(order: SendList, answers: Sequence[Json]) -> OrderAnswer:
    """The word of the last message; the version that the station holds when all were accepted."""
    assert order.update is not None, "an update is put together before it is sent"
    word = str(answers[-1]["status"])
    said = {
        **shown(answers[-1:]),
        "messages": len(answers),
        "version": order.update.version + len(answers) - 1,
        "update": "Full" if order.update.full else "Differential",
        "entries": len(order.update.entries),
        "removed": len(order.update.removed),
    }
    return OrderAnswer(verdict(word), word, said)


def version(answer: Json, key: str) -> OrderAnswer:
    """GetLocalListVersion: whatever the number is, it is the answer."""
    return OrderAnswer("accepted", str(int(answer[key])), shown([answer]))
