"""``cms tail``: what stations and daemon say to each other, request and answer on one line, as it happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.flags import Flags
from cli.noun import flags_of, named, single
from cli.render import Column, Row, cell, compact, fitted, list_lines
from cms.contract.filters import parse
from cms.contract.refusals import Invalid
from cms.contract.safe import decoded
from cms.contract.stations import Message

app = single("OCPP as it is spoken: request and answer paired, with latency and the schema's verdict.")

#: After this long a request counts as unanswered; an answer may still come, and is told by itself.
UNANSWERED_S = 30.0
#: So many requests are remembered that wait for their answers.
_MOST = 10_000
ARROWS = {"in": "→", "out": "←"}

_WIDTHS = {"at": 12, "station": 14, "direction": 1, "action": 26, "status": 8, "latency_ms": 5}


def told(payload: Any) -> str:
    """``connectorId=1 status=Faulted``: the plain values of a payload, those of inner parts too."""
    return " ".join(f"{name}={value}" for name, value in _leaves(payload))


def _said(sign: str, payload: Any) -> str:
    text = told(payload)
    return f"{sign} {text}" if text else ""


#: What every report carries, and nobody reads on one line.
_DULL = frozenset({"timestamp", "generatedAt", "seqNo", "tbc", "customData"})


def _leaves(payload: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    match payload:
        case {"value": value} if name == "sampledValue":
            yield _sample(payload, value)
        case dict():
            for key, value in payload.items():
                if key not in _DULL:
                    yield from _leaves(value, key)
        case list():
            for value in payload:
                yield from _leaves(value, name)
        case None | "":
            return
        case _:
            yield name or "payload", payload


def _sample(sample: dict[str, Any], value: Any) -> tuple[str, Any]:
    """``Power.Active.Import=3700.0W``, with its phase where it has one; energy is what a bare value is."""
    measured = sample.get("measurand") or "Energy.Active.Import.Register"
    unit = sample.get("unit") or (sample.get("unitOfMeasure") or {}).get("unit") or ""
    phase = f"@{sample['phase']}" if sample.get("phase") else ""
    return f"{measured}{phase}", f"{value}{unit}"


LIST = (
    Column("at", show=lambda value: value[11:23].rstrip("Z")),
    Column("station"),
    Column("direction", "", lambda value: ARROWS.get(value, "?")),
    Column("action"),
    Column("status"),
    Column("latency_ms", "ms", lambda value: "" if value is None else f"{value:.0f}", right=True),
    Column("verdict", show=lambda value: "" if value in (None, "valid") else f"▲ {value}"),
    Column("answer", show=lambda value: _said("⇒", value)),
    Column("request", show=told),
)


@dataclass(slots=True)
class Pairs:
    """Requests that wait for their answers; an exchange is told when it is over.

    What was asked before we began to listen is not told: its answer would look like one to nothing.
    """

    since: datetime
    waiting: dict[tuple[str, str, str], Message] = field(default_factory=dict)

    def hear(self, frame: Message) -> Row | None:
        """The exchange that this frame ends; None while it is under way."""
        other = {"in": "out", "out": "in"}.get(frame.direction, "")
        if frame.kind == "call":
            self.waiting[frame.station, frame.direction, frame.message_id] = frame
            if len(self.waiting) > _MOST:
                return self.give_up(next(iter(self.waiting)))
            return None
        asked = self.waiting.pop((frame.station, other, frame.message_id), None)
        early = (frame.at - self.since).total_seconds() < UNANSWERED_S
        return None if asked is None and early else exchange(asked, frame)

    def overdue(self, now: datetime) -> Iterator[Row]:
        """Requests that nobody answered in time."""
        limit = now - timedelta(seconds=UNANSWERED_S)
        for key in [key for key, frame in self.waiting.items() if frame.at < limit]:
            yield self.give_up(key)

    def give_up(self, key: tuple[str, str, str]) -> Row:
        return exchange(self.waiting.pop(key), None)


def exchange(asked: Message | None, answered: Message | None) -> Row:
    """A request with its answer; either may be missing. ``status``: ok, error, silent, or stray (an answer alone)."""
    first = asked or answered
    assert first is not None
    status = "silent" if answered is None else {"result": "ok"}.get(answered.kind, answered.kind)
    return {
        "at": first.at.isoformat().replace("+00:00", "Z"),
        "station": first.station,
        "direction": first.direction,
        "action": first.action,
        "status": "stray" if asked is None else status,
        "latency_ms": _latency_ms(asked, answered),
        "verdict": _verdict(asked, answered),
        "message_id": first.message_id,
        "request": _decoded(asked),
        "answer": _decoded(answered),
    }


def _latency_ms(asked: Message | None, answered: Message | None) -> float | None:
    if asked is None or answered is None:
        return None
    if answered.latency_ms is not None:
        return answered.latency_ms
    return round((answered.at - asked.at).total_seconds() * 1000, 3)


def _verdict(*both: Message | None) -> str | None:
    """What is wrong first with one of them; valid where both are, as far as there are schemas."""
    verdicts = [frame.verdict for frame in both if frame is not None and frame.verdict is not None]
    return next((verdict for verdict in verdicts if verdict != "valid"), verdicts[0] if verdicts else None)


def _decoded(frame: Message | None) -> Any:
    """The payload; a text that is no JSON as text."""
    if frame is None:
        return None
    try:
        return decoded(frame.payload)
    except ValueError:
        return frame.payload


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exchanges are shown."""

    stations: frozenset[str]
    actions: frozenset[str]
    errors: bool
    slow_ms: float | None
    rest: Callable[[Any], bool]

    def __call__(self, row: Row) -> bool:
        return (
            (not self.stations or row["station"].casefold() in self.stations)
            and (not self.actions or row["action"].casefold() in self.actions)
            and (not self.errors or row["status"] != "ok" or row["verdict"] not in (None, "valid"))
            and (
                self.slow_ms is None or (row["latency_ms"] or 0) >= self.slow_ms or row["status"] == "silent"
            )
            and self.rest(row)
        )


@app.command()
def tail(
    ctx: typer.Context,
    stations: Annotated[
        list[str] | None, typer.Argument(metavar="[STATION]...", help="Of these alone; - for stdin.")
    ] = None,
    action: Annotated[str | None, typer.Option("--action", metavar="ACTION,ACTION")] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="What failed, was silent, or is not valid.")
    ] = False,
    slow: Annotated[
        int | None, typer.Option("--slow", metavar="MS", help="What took so long.", min=0)
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The payloads too, in full.")] = False,
) -> None:
    """Follow the frames of all stations, or of some, until Ctrl-C; --limit ends after so many."""
    flags = flags_of(ctx)
    if flags.output in ("json", "yaml"):
        raise Invalid(f"cms tail cannot write {flags.output}: it has no end", "use -o jsonl")
    wanted = Wanted(
        frozenset(name.casefold() for name in named(stations or ())),
        frozenset(name.strip().casefold() for name in (action or "").split(",") if name.strip()),
        errors,
        slow,
        parse(flags.filter or ""),
    )
    asyncio.run(_follow(flags, wanted, full))


async def _follow(flags: Flags, wanted: Wanted, full: bool) -> None:
    from cms.client import AsyncClient, Back, Lost

    pairs, count = Pairs(datetime.now(UTC)), 0
    only = next(iter(wanted.stations)) if len(wanted.stations) == 1 else "*"
    show = _Shown(flags, full)
    async with AsyncClient(flags.address) as client:
        # Of the events none is of interest: they would come as they do for any other reader.
        async for item in client.follow(frames=only, type="daemon.none"):
            rows: list[Row] = []
            if isinstance(item, Lost):
                note(f"the daemon is gone ({item.reason}); waiting for it", flags.quiet)
            elif isinstance(item, Back):
                note("the daemon is back; frames of the meantime are missing", flags.quiet)
            elif isinstance(item, Message):
                done = pairs.hear(item)
                rows = [*pairs.overdue(item.at), *([done] if done is not None else [])]
            for row in filter(wanted, rows):
                show(row)
                count += 1
                if flags.limit and count >= flags.limit:
                    return


class _Shown:
    """Writes a row at once, in the format asked for."""

    def __init__(self, flags: Flags, full: bool) -> None:
        self._flags = replace(flags, limit=None)
        self._full = full

    def __call__(self, row: Row) -> None:
        if self._flags.output in ("table", "wide"):
            print(fitted(line_of(row, LIST)))
            if self._full:
                for name in ("request", "answer"):
                    if row[name] not in (None, {}):
                        print(f"    {name:<8}{compact(row[name])}")
        else:
            sys.stdout.writelines(f"{line}\n" for line in list_lines([row], LIST, self._flags, "message_id"))
            self._flags = replace(self._flags, no_headers=True)
        sys.stdout.flush()


def line_of(row: Row, columns: Sequence[Column]) -> str:
    """An exchange on one line for people."""
    parts = (f"{cell(row, column):<{_WIDTHS.get(column.key, 0)}}" for column in columns)
    return "  ".join(part for part in parts if part).rstrip()
