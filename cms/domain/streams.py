"""Periodic event streams (2.1 N11 to N15): a station sends the values of a monitor as a series, unanswered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cms.domain.changes import AddStreamSamples, Decision, Happened
from cms.domain.evolve import evolve
from cms.domain.keeping import Kept, keep_many
from cms.domain.monitoring import MONITOR
from cms.domain.observations import Answer, Noted, Observation, Received
from cms.domain.orders import Order
from cms.domain.record import record
from cms.domain.stations import StationState

KIND = "stream"
#: Streams of one station that are taken at once, and values of one message that are kept.
MOST = 64
MOST_SAMPLES = 1_000
#: A value of 2,500 characters is no measurement.
_LONGEST_VALUE = 200


@record
class Stream:
    """``name`` is the variable that its monitor watches. ``values`` and ``interval_s``: when it sends."""

    id: int
    monitor: int
    name: str = ""
    interval_s: int | None = None
    values: int | None = None
    opened_at: datetime | None = None
    heard_at: datetime | None = None
    received: int = 0
    pending: int = 0
    last: str | None = None


# Orders


@record
class ReadStreams(Order):
    pass


@record
class AdjustStream(Order):
    stream: int
    interval_s: int | None = None
    values: int | None = None


# What stations tell


@record
class StreamOpened(Observation):
    stream: Stream


@record
class StreamClosed(Observation):
    stream: int


@record
class StreamSampled(Observation):
    """NotifyPeriodicEventStream. ``samples``: time and value, the station's claims; ``pending`` are yet to come."""

    stream: int
    pending: int
    samples: tuple[tuple[datetime, str], ...]


@record
class StreamAnswer(Answer):
    accepted: bool


def opened(state: StationState, received: Received, seen: StreamOpened) -> Decision:
    """OpenPeriodicEventStream: taken when we know the monitor whose values they are (N11)."""
    stream = seen.stream
    known = state.kept_of(KIND)
    monitor = state.kept_of(MONITOR).get(str(stream.monitor))
    if monitor is None or (str(stream.id) not in known and len(known) >= MOST):
        return Decision(StreamAnswer(False), state)
    stream = evolve(stream, name=monitor.name, opened_at=received.at)
    state, changes = keep_many(state, KIND, {str(stream.id): stream}, (), received.at)
    return Decision(
        StreamAnswer(True), state, tuple(changes), (_told("stream.opened", state, stream, received.at),)
    )


def closed(state: StationState, received: Received, seen: StreamClosed) -> Decision:
    """ClosePeriodicEventStream: its values stay."""
    stream = state.kept_of(KIND).get(str(seen.stream))
    if stream is None:
        return Decision(Noted(), state)
    state, changes = keep_many(state, KIND, {}, (str(seen.stream),), received.at)
    return Decision(Noted(), state, tuple(changes), (_told("stream.closed", state, stream, received.at),))


def sampled(state: StationState, received: Received, seen: StreamSampled) -> Decision:
    """NotifyPeriodicEventStream: kept under the monitor's variable; of a stream that nobody opened, nothing is."""
    stream = state.kept_of(KIND).get(str(seen.stream))
    if stream is None:
        return Decision(Noted(), state)
    samples = tuple((at, value[:_LONGEST_VALUE]) for at, value in seen.samples[:MOST_SAMPLES])
    heard = evolve(
        stream,
        heard_at=received.at,
        received=stream.received + len(samples),
        pending=seen.pending,
        last=samples[-1][1] if samples else stream.last,
    )
    # Where it stands moves in memory; the record has the values themselves, and the stream since it was opened.
    kept = {**state.kept, KIND: {**state.kept_of(KIND), str(stream.id): heard}}
    added = AddStreamSamples(state.station.id, stream.monitor, stream.name, samples, received.at)
    return Decision(Noted(), evolve(state, kept=kept), (added,))


def listed(state: StationState, streams: Iterable[Stream], now: datetime) -> Kept:
    """The station said which streams it has: those it did not name are closed."""
    known = state.kept_of(KIND)
    monitors = state.kept_of(MONITOR)
    heard: dict[str, Stream] = {}
    for stream in list(streams)[:MOST]:
        before = known.get(str(stream.id))
        monitor = monitors.get(str(stream.monitor))
        name = monitor.name if monitor else ""
        same = before is not None and before.monitor == stream.monitor
        heard[str(stream.id)] = (
            evolve(before, interval_s=stream.interval_s, values=stream.values)
            if same and before
            else evolve(stream, name=name, opened_at=now)
        )
    return keep_many(state, KIND, heard, [key for key in known if key not in heard], now)


def adjusted(state: StationState, order: AdjustStream, now: datetime) -> Kept:
    """The station took other terms; one that it did not name stays."""
    stream = state.kept_of(KIND).get(str(order.stream))
    if stream is None:
        return state, []
    terms = {name: value for name in ("interval_s", "values") if (value := getattr(order, name)) is not None}
    return keep_many(state, KIND, {str(stream.id): evolve(stream, **terms)}, (), now)


def _told(type: str, state: StationState, stream: Stream, now: datetime) -> Happened:
    data = {"stream": stream.id, "monitor": stream.monitor, "name": stream.name}
    return Happened(type, now, state.station.id, data=data)
