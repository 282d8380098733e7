"""OCPP 2.1 block N11 to N15: periodic event streams. Their values come as SEND: nothing answers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cms.domain.orders import OrderAnswer
from cms.domain.streams import (
    AdjustStream,
    ReadStreams,
    Stream,
    StreamAnswer,
    StreamClosed,
    StreamOpened,
    StreamSampled,
)
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, shown, status_of
from cms.ocpp.v2.monitoring import stream_terms
from cms.ocpp.values import Json, Remarks, exact, instant, whole

#: Seconds from the base time that a value may be: a stream tells of moments, not of years.
_FURTHEST_S = 10**8


def _stream(told: Json) -> Stream:
    terms = told.get("params") or {}
    return Stream(
        id=int(told["id"]),
        monitor=int(told["variableMonitoringId"]),
        interval_s=whole(terms.get("interval")),
        values=whole(terms.get("values")),
    )


def opened(payload: Json, _: Remarks) -> StreamOpened:
    return StreamOpened(_stream(payload["constantStreamData"]))


def open_answer(answer: StreamAnswer) -> Json:
    return {"status": "Accepted" if answer.accepted else "Rejected"}


def closed(payload: Json, _: Remarks) -> StreamClosed:
    return StreamClosed(int(payload["id"]))


def sampled(payload: Json, remarks: Remarks) -> StreamSampled:
    base = instant(payload["basetime"], remarks)
    samples = tuple(_samples(payload["data"], base)) if base else ()
    return StreamSampled(int(payload["id"]), int(payload["pending"]), samples)


def _samples(told: Sequence[Json], base: datetime) -> Iterator[tuple[datetime, str]]:
    for item in told:
        after_s = exact(item["t"])
        if after_s is not None and abs(after_s) < _FURTHEST_S:
            yield base + timedelta(seconds=float(after_s)), item["v"]


def read_streams(_: ReadStreams) -> list[Asked]:
    return [("GetPeriodicEventStream", {})]


def streams_read(_: ReadStreams, answers: Sequence[Json]) -> OrderAnswer:
    told = tuple(_stream(item) for item in answers[0].get("constantStreamData") or ())
    return OrderAnswer("accepted", "Accepted", shown(answers), told=told)


def adjust_stream(order: AdjustStream) -> list[Asked]:
    said: Json = {"id": order.stream, "params": stream_terms(order.interval_s, order.values)}
    return [("AdjustPeriodicEventStream", said)]


INCOMING_21 = {
    "OpenPeriodicEventStream": Incoming(TOLD, opened, open_answer),
    "ClosePeriodicEventStream": Incoming(TOLD, closed, nothing),
    "NotifyPeriodicEventStream": Incoming(TOLD, sampled, nothing),
}
OUTGOING_21 = {
    ReadStreams: Outgoing(read_streams, streams_read, ("GetPeriodicEventStream",)),
    AdjustStream: Outgoing(adjust_stream, status_of, ("AdjustPeriodicEventStream",)),
}
