"""Power over time of the whole fleet: from the record as far as it goes back, then as events come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from cms.contract.events import Event
from cms.contract.sessions import SessionView

POINTS_KEPT = 720
SPAN = timedelta(hours=24)
FINEST_S = 2

Sample = tuple[datetime, int]
"""A time and the power (W) from then on."""


class Trend:
    """Samples in time order, the last of each step; the longer the time, the coarser the steps."""

    def __init__(self) -> None:
        self.step_s = FINEST_S
        self.samples: list[Sample] = []

    def add(self, at: datetime, power_w: int) -> None:
        """The power is this from now on; what is older than the last sample is known already."""
        samples = self.samples
        if samples and at < samples[-1][0]:
            return
        if samples and self._step(at) == self._step(samples[-1][0]):
            samples[-1] = (samples[-1][0], power_w)
            return
        samples.append((at, power_w))
        if len(samples) > POINTS_KEPT:
            self._thin(at - SPAN)

    def _step(self, at: datetime) -> int:
        return int(at.timestamp()) // self.step_s

    def _thin(self, since: datetime) -> None:
        """Forget what is too old; steps twice as long where that does not make room."""
        recent = [sample for sample in self.samples if sample[0] >= since]
        if len(recent) > POINTS_KEPT * 3 // 4:
            self.step_s *= 2
        self.samples = []
        for at, power_w in recent:
            self.add(at, power_w)


def recalled(metered: Iterable[Event], sessions: Mapping[str, SessionView]) -> list[Sample]:
    """The fleet's power since the first of these ``session.metered`` events, as steps in time order.

    A session's first value holds from its start, its last until its end; one that is not known any more
    ends with its last value.
    """
    heard: dict[str, list[Sample]] = {}
    for event in sorted(metered, key=lambda event: event.at):
        if event.session and event.data.get("power_w") is not None:
            heard.setdefault(event.session, []).append((event.at, int(event.data["power_w"])))
    if not heard:
        return []
    begin = min(samples[0][0] for samples in heard.values())
    changes: list[Sample] = []
    for key, samples in heard.items():
        changes += _changes(samples, sessions.get(key), begin)
    for key, session in sessions.items():
        if key not in heard and session.ended_at is None and session.power_w:
            changes.append((max(begin, session.started_at), session.power_w))
    steps: list[Sample] = []
    total = 0
    for at, change_w in sorted(changes):
        total += change_w
        steps.append((at, total))
    return steps


def _changes(samples: list[Sample], session: SessionView | None, begin: datetime) -> list[Sample]:
    """What one session adds to the fleet's power, and takes from it, and when."""
    changes: list[Sample] = []
    power_w = 0
    if session is not None:
        samples = [(min(samples[0][0], max(begin, session.started_at)), samples[0][1]), *samples]
    for at, watts in samples:
        changes.append((at, watts - power_w))
        power_w = watts
    if session is None:
        changes.append((samples[-1][0], -power_w))
    elif session.ended_at is not None:
        changes.append((max(session.ended_at, samples[-1][0]), -power_w))
    return changes
