"""The figures."""

from __future__ import annotations

from cms.api.metrics import Metrics
from cms.contract.events import Event
from tests.api.small import NOON


def test_messages_commits_events_and_gauges_are_told() -> None:
    metrics = Metrics()
    metrics.message("in", "1.6", "Heartbeat")
    metrics.message("in", "1.6", "Heartbeat")
    metrics.commit(items=3, seconds=0.002)
    metrics.events([Event("1", NOON, "session.started")])
    metrics.watch_stations(lambda: 7)
    metrics.watch_sessions(lambda: 2)
    metrics.watch_queue("commit", lambda: 5)
    text = metrics.render().decode()
    assert 'cms_ocpp_messages_total{action="Heartbeat",direction="in",version="1.6"} 2.0' in text
    assert 'cms_commit_seconds_bucket{le="0.0025"} 1.0' in text
    assert "cms_commit_items_sum 3.0" in text
    assert 'cms_events_total{type="session.started"} 1.0' in text
    assert "cms_stations_connected 7.0" in text
    assert "cms_sessions_active 2.0" in text
    assert 'cms_queue_depth{queue="commit"} 5.0' in text


def test_a_station_that_invents_actions_cannot_fill_memory() -> None:
    metrics = Metrics()
    for number in range(10_000):
        metrics.message("in", "1.6", f"Invented{number}")
    assert len(metrics.render()) < 100_000
    assert 'action="other"' in metrics.render().decode()
