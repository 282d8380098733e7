"""The figures the daemon tells Prometheus. Counting a message costs one dictionary entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cms.contract.events import Event

Figure = Callable[[], float]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Stations name actions as they like; beyond this many names the rest is counted together.
_MOST_ACTIONS = 200
_COMMIT_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics(Collector):
    """What the daemon feeds: ``message`` per frame, ``commit`` per batch, ``events`` as published.

    Gauges are functions that are called when somebody looks.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages: Counter[tuple[str, str, str]] = Counter()
        self._actions: set[str] = set()
        self._events: Counter[str] = Counter()
        self._gauges: dict[str, tuple[str, Figure]] = {}
        self._queues: dict[str, Figure] = {}
        self._commit_s = Histogram(
            "cms_commit_seconds",
            "How long one group commit took.",
            buckets=_COMMIT_BUCKETS_S,
            registry=self.registry,
        )
        self._batch = Histogram(
            "cms_commit_items",
            "How many waiting changes one group commit wrote.",
            buckets=_BATCH_BUCKETS,
            registry=self.registry,
        )
        self.registry.register(self)

    def message(self, direction: str, version: str, action: str) -> None:
        """Count one OCPP message; ``direction`` is in (the station asked) or out."""
        if action not in self._actions:
            if len(self._actions) >= _MOST_ACTIONS:
                action = "other"
            self._actions.add(action)
        self._messages[direction, version, action] += 1

    def commit(self, items: int, seconds: float) -> None:
        """Note one group commit (the store's ``on_batch``)."""
        self._batch.observe(items)
        self._commit_s.observe(seconds)

    def events(self, events: Sequence[Event]) -> None:
        """Count events as they are published."""
        for event in events:
            self._events[event.type] += 1

    def watch_stations(self, connected: Figure) -> None:
        """Where to look for the number of connected stations."""
        self._gauges["cms_stations_connected"] = ("Stations with a live connection.", connected)

    def watch_sessions(self, active: Figure) -> None:
        """Where to look for the number of sessions that are not over."""
        self._gauges["cms_sessions_active"] = ("Charging sessions that are not over.", active)

    def watch_queue(self, name: str, waiting: Figure) -> None:
        """Where to look for the length of one queue, e.g. ``commit``."""
        self._queues[name] = waiting

    def collect(self) -> Iterable[Metric]:
        """For Prometheus: everything but the histograms, which are registered themselves."""
        messages = CounterMetricFamily(
            "cms_ocpp_messages", "OCPP messages.", labels=("direction", "version", "action")
        )
        for labels, count in list(self._messages.items()):
            messages.add_metric(labels, count)
        yield messages
        events = CounterMetricFamily("cms_events", "Events by type.", labels=("type",))
        for kind, count in list(self._events.items()):
            events.add_metric((kind,), count)
        yield events
        for name, (meaning, figure) in self._gauges.items():
            yield GaugeMetricFamily(name, meaning, value=figure())
        queues = GaugeMetricFamily("cms_queue_depth", "What waits in a queue.", labels=("queue",))
        for name, figure in self._queues.items():
            queues.add_metric((name,), figure())
        yield queues

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
