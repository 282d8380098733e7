"""A daemon in which every text is an attack: each route of the contract answers with views full of them.

What it answers is made from the types of ``ROUTES``, so that a new route, view or field is hostile without a
line here. ``python -m tests.security.hostile FOLDER`` serves two sockets: ``answers`` does, ``refuses`` refuses
everything in hostile words.
"""

from __future__ import annotations

import asyncio
import collections.abc
import dataclasses
import enum
import itertools
import json
import re
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from cms.contract.alerts import AlertView
from cms.contract.events import EVENT_TYPES, Event
from cms.contract.intents import IntentView, Preview
from cms.contract.routes import EVENT_STREAM, ROUTES
from cms.contract.sessions import SessionView
from cms.contract.stations import Message
from cms.contract.tokens import TokenView
from tests.security.strings import HOSTILE, MARK

#: Texts that clients compute with: what the contract says of their form is kept.
FORMS: dict[tuple[str, str], Callable[[int], Any]] = {
    ("FilePart", "content"): lambda _: "Zm9v",  # base64
    ("FilePart", "next_offset"): lambda _: None,
    ("SessionView", "ended_at"): lambda _: None,
    ("AlertView", "ended_at"): lambda _: None,
    ("AuthorityView", "use"): lambda nth: ("station", "csms", "v2g", "other")[nth],
    # Most are over, else they would be waited for.
    ("IntentView", "status"): lambda nth: ("confirmed", "failed", "queued", "sent")[nth % 4],
}
#: The row whose order waits; so do those that events tell of.
QUEUED = 2
NUMBERS = {bool: True, int: 1, float: -12.5, bytes: b"x"}
ROWS = 4


class Attacks:
    """Hostile texts in turn, and values of any type that are made of them."""

    def __init__(self) -> None:
        self._texts = itertools.cycle(HOSTILE)

    def text(self) -> str:
        return next(self._texts)

    def whole(self, kind: Any, name: str = "", nth: int = 0) -> Any:
        """A value of the type; ``nth`` makes numbers and times differ."""
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return self.whole(next(part for part in parts if part is not types.NoneType), name, nth)
        if origin in (typing.Annotated, typing.Literal):
            return parts[0] if origin is typing.Literal else self.whole(parts[0], name, nth)
        if origin in (list, tuple, set, frozenset, collections.abc.Sequence):
            count = 1 if origin is tuple and len(parts) == 2 and parts[1] is ... else 0
            kinds = [parts[0]] * 2 if count or origin is not tuple else list(parts)
            return [self.whole(each, name, at) for at, each in enumerate(kinds)]
        if name == "cost":
            return self.anything()
        if origin in (dict, collections.abc.Mapping):
            return {self.text(): self.whole(parts[1], name, at) for at in range(2)}
        if dataclasses.is_dataclass(kind):
            return self.view(kind, nth)
        return self._plain(kind, name, nth)

    def view(self, kind: Any, nth: int = 0) -> dict[str, Any]:
        """A view as its JSON object."""
        return {
            key: FORMS[form](nth) if (form := (kind.__name__, key)) in FORMS else self.whole(hint, key, nth)
            for key, hint in typing.get_type_hints(kind).items()
        }

    def _plain(self, kind: Any, name: str, nth: int) -> Any:
        now = datetime.now(UTC) - timedelta(minutes=nth)
        if kind is str:
            return self.text()
        if kind is datetime:
            return now
        if kind in (date, time, timedelta):
            return {date: now.date(), time: now.time(), timedelta: 60.0}[kind]
        if kind is Decimal:
            return Decimal(f"-{nth}.50")
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return next(iter(kind)).value
        if kind in NUMBERS:
            return nth + 1 if kind is int else NUMBERS[kind]
        return self.anything()

    def anything(self) -> dict[str, Any]:
        """An object of no known form, nested."""
        told: dict[str, Any] = {"amount": "-1.50", "total": "-1.50", "currency": self.text()}
        told[self.text()] = {self.text(): [self.text(), -1, None]}
        told["text"] = self.text()
        return told

    def _of_event(self, key: str) -> Any:
        """A value of an event's data; figures and times are ours, not the station's."""
        if key.endswith(("_wh", "_w", "_s", "_percent")):
            return 1
        return datetime.now(UTC) if key == "at" or key.endswith("_at") else self.text()

    def events(self) -> Iterator[Event]:
        """One of each type there is, and one of none, about what the lists tell."""
        for number, name in enumerate([*EVENT_TYPES, self.text()], 1):
            if name.startswith("daemon."):
                continue
            told: dict[str, Any] = {key: self._of_event(key) for key in EVENT_TYPES.get(name, ())}
            told |= {self.text(): self.text(), "text": self.text()}
            whole = {"session": SessionView, "intent": IntentView, "token": TokenView, "alert": AlertView}
            told |= {
                key: self.view(kind, QUEUED) for key, kind in whole.items() if name.startswith(f"{key}.")
            }
            told |= {"evse": 1, "connector": 1} if name == "connector.status" else {}
            yield Event(str(number), datetime.now(UTC), name, self.text(), self.text(), self.text(), told)


class Api:
    """The control API over HTTP: any request is answered, none is checked."""

    def __init__(self, *, refuses: bool) -> None:
        self.refuses = refuses
        rows = sorted(ROUTES.items(), key=lambda row: row[1].path.count("{"))
        self.routes = [(route.method, _pattern(route.path), route.answers) for _, route in rows]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["raw_path"].decode().partition("?")[0], scope["method"]
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if path == EVENT_STREAM and not self.refuses:
            await _stream(receive, send, b"frames=" in scope["query_string"])
        elif self.refuses:
            texts = Attacks()
            told = {"refusal": "Conflict", "message": f"No: {' '.join(HOSTILE)}", "hint": texts.text()}
            await _answer(send, 409, {"error": told})
        else:
            dry = b'"dry_run":true' in body or b"dry_run=true" in scope["query_string"]
            after = re.search(rb"\bafter=(\w+)", scope["query_string"])
            last = after is not None and after[1] != b"0"
            await _answer(send, 200, [] if last else self.told(method, path, dry=dry))

    def told(self, method: str, path: str, *, dry: bool) -> Any:
        """The answer of the route, hostile throughout."""
        for of, pattern, answers in self.routes:
            if of == method and pattern.fullmatch(path):
                if typing.get_origin(answers) is list:
                    (kind,) = typing.get_args(answers)
                    texts = Attacks()
                    return [texts.whole(kind, nth=nth) for nth in range(ROWS)]
                if dry and Preview in typing.get_args(answers):
                    return {**Attacks().view(Preview), "level": 2, "dry_run": True}
                return None if answers is None else Attacks().whole(answers)
        return Attacks().anything()


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))


async def _answer(send: Any, status: int, told: Any) -> None:
    body = msgspec.json.encode(told)
    headers = [(b"content-type", b"application/json"), (b"x-cms-cursor", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(receive: Callable[[], Awaitable[Any]], send: Any, frames: bool) -> None:
    """Every event once, in what msgspec makes of it (as the real stream does), then silence."""
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    texts = Attacks()
    told = [(event.type if MARK not in event.type else "odd", event) for event in texts.events()]
    lines = [f"id: {at}\nevent: {name}\ndata: " for at, (name, _) in enumerate(told, 1)]
    parts = [line.encode() + msgspec.json.encode(event) for line, (_, event) in zip(lines, told, strict=True)]
    if frames:
        parts += [b"event: frame\ndata: " + msgspec.json.encode(texts.view(Message)) for _ in range(2)]
    for part in parts:
        await send({"type": "http.response.body", "body": part + b"\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def serve(folder: Path) -> None:
    """Both sockets, until the process is ended; a line on stdout says that they are there."""
    servers = []
    for name, refuses in (("answers", False), ("refuses", True)):
        config = uvicorn.Config(
            Api(refuses=refuses), uds=str(folder / name), log_level="error", lifespan="off"
        )
        servers.append(uvicorn.Server(config))
    tasks = [asyncio.ensure_future(server.serve()) for server in servers]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.01)
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
