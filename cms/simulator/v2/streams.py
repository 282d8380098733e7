"""2.1 N11 to N15: periodic event streams, sent unconfirmed (message type 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cms.simulator.language import Order
from cms.simulator.v2.state import Stream
from cms.simulator.v2.variables import value_of
from cms.simulator.wire import LinkLost, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

INTERVAL_S, VALUES = 60, 10


def told(stream: Stream) -> Payload:
    """ConstantStreamDataType."""
    return {
        "id": stream.id,
        "variableMonitoringId": stream.monitor,
        "params": {"interval": stream.interval_s, "values": stream.values},
    }


async def open_for(station: Station, monitor_id: int, params: Payload) -> None:
    """Ask for a stream of a monitor's values, and feed it once it is accepted (N11)."""
    streams = station.kept.streams
    stream = Stream(
        max(streams, default=0) + 1,
        monitor_id,
        params.get("interval", INTERVAL_S),
        params.get("values", VALUES),
    )
    answer = await station.call("OpenPeriodicEventStream", {"constantStreamData": told(stream)})
    if answer["status"] == "Accepted":
        streams[stream.id] = stream
        stream.task = station.do(lambda: _feed(station, stream))


async def close(station: Station, stream: Stream) -> None:
    """N13."""
    station.kept.streams.pop(stream.id, None)
    if stream.task is not None:
        stream.task.cancel()
    await station.say("ClosePeriodicEventStream", {"id": stream.id})


async def _feed(station: Station, stream: Stream) -> None:
    while station.kept.streams.get(stream.id) is stream:
        monitor = station.kept.monitors.get(stream.monitor)
        if monitor is None:
            return
        began = station.pace.now()
        step_s = max(1.0, min(monitor.value, stream.interval_s or monitor.value))
        gathered: list[dict[str, Any]] = []
        while not gathered or not _full(stream, gathered, step_s):
            await station.pace.sleep(step_s)
            passed_s = (station.pace.now() - began).total_seconds()
            gathered.append({"t": round(passed_s, 1), "v": value_of(station, monitor.name)})
        await _send(station, stream, station.stamp(began), gathered)


def _full(stream: Stream, gathered: list[dict[str, Any]], step_s: float) -> bool:
    """N15: as many values as were asked for, or the interval is over."""
    by_number = stream.values > 0 and len(gathered) >= stream.values
    return by_number or (stream.interval_s > 0 and len(gathered) * step_s >= stream.interval_s)


async def _send(station: Station, stream: Stream, since: str, gathered: list[dict[str, Any]]) -> None:
    payload = {"id": stream.id, "pending": 0, "basetime": since, "data": gathered}
    if station.online and station.life.wire is not None:
        try:
            await station.life.wire.send("NotifyPeriodicEventStream", payload)
        except LinkLost:
            return  # unconfirmed: what is lost is lost


def _get(station: Station, order: Payload) -> Reply:
    streams = [told(stream) for stream in station.kept.streams.values()]
    return Reply({"constantStreamData": streams} if streams else {})


def _adjust(station: Station, order: Payload) -> Reply:
    stream = station.kept.streams.get(order["id"])
    if stream is None:
        return Reply({"status": "Rejected"})
    stream.interval_s = order["params"].get("interval", stream.interval_s)
    stream.values = order["params"].get("values", stream.values)
    return Reply({"status": "Accepted"})


ORDERS: dict[str, Order] = {"GetPeriodicEventStream": _get, "AdjustPeriodicEventStream": _adjust}
