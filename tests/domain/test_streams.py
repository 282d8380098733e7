from __future__ import annotations

from cms.domain import streams
from cms.domain.changes import AddStreamSamples, Decision
from cms.domain.stations import StationState
from cms.domain.streams import AdjustStream, Stream, StreamAnswer, StreamClosed, StreamOpened, StreamSampled
from tests.domain.build import NOON, after, received, station
from tests.domain.test_monitoring import POWER, monitored


def opened(state: StationState, number: int = 1, monitor: int = 42) -> Decision:
    seen = StreamOpened(Stream(number, monitor, interval_s=10))
    return streams.opened(state, received(seen, NOON, "2.1"), seen)


def sampled(state: StationState, number: int = 1, *values: str) -> Decision:
    samples = tuple((after(n), value) for n, value in enumerate(values))
    seen = StreamSampled(number, 3, samples)
    return streams.sampled(state, received(seen, after(1), "2.1"), seen)


def test_a_stream_of_a_monitor_is_taken_and_its_values_belong_to_the_monitors_variable() -> None:
    decision = opened(monitored(POWER))
    assert decision.answer == StreamAnswer(True)
    decision = sampled(decision.state, 1, "1", "2")
    assert decision.changes == (
        AddStreamSamples("CP1", 42, "EVSE@1.Power", ((NOON, "1"), (after(1), "2")), after(1)),
    )
    (stream,) = decision.state.kept_of(streams.KIND).values()
    assert (stream.received, stream.pending, stream.last) == (2, 3, "2")


def test_a_stream_of_a_monitor_that_nobody_knows_is_not_taken() -> None:
    assert opened(station()).answer == StreamAnswer(False)
    assert sampled(station(), 1, "1").changes == ()


def test_a_station_has_so_many_streams_and_no_more() -> None:
    state = monitored(POWER)
    for number in range(streams.MOST):
        state = opened(state, number).state
    assert opened(state, streams.MOST).answer == StreamAnswer(False)
    assert opened(state, 0).answer == StreamAnswer(True)


def test_one_message_brings_so_many_values_and_no_longer_ones() -> None:
    state = opened(monitored(POWER)).state
    (added,) = sampled(state, 1, *(["x" * 3000] * (streams.MOST_SAMPLES + 1))).changes
    assert isinstance(added, AddStreamSamples)
    assert (len(added.samples), len(added.samples[0][1])) == (streams.MOST_SAMPLES, 200)


def test_a_closed_stream_takes_nothing_more() -> None:
    state = opened(monitored(POWER)).state
    seen = StreamClosed(1)
    state = streams.closed(state, received(seen, NOON, "2.1"), seen).state
    assert sampled(state, 1, "1").changes == ()
    assert streams.closed(state, received(seen, NOON, "2.1"), seen).changes == ()


def test_what_the_station_lists_is_what_is_open() -> None:
    state = opened(opened(monitored(POWER), 1).state, 2).state
    state = sampled(state, 1, "1").state
    told = [Stream(1, 42, interval_s=30), Stream(5, 42)]
    state, _ = streams.listed(state, told, NOON)
    known = {s.id: (s.interval_s, s.received, s.name) for s in state.kept_of(streams.KIND).values()}
    assert known == {1: (30, 1, "EVSE@1.Power"), 5: (None, 0, "EVSE@1.Power")}


def test_terms_that_were_taken_are_the_streams_terms() -> None:
    state = opened(monitored(POWER)).state
    state, _ = streams.adjusted(state, AdjustStream(1, values=7), NOON)
    (stream,) = state.kept_of(streams.KIND).values()
    assert (stream.interval_s, stream.values) == (10, 7)
    assert streams.adjusted(state, AdjustStream(9, values=7), NOON) == (state, [])
