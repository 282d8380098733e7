"""What needs a person, as the daemon judges it: alerts as lines, and what became of them while nobody looked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cms.contract.alerts import SEVERITIES, AlertView

#: Severity -> sign and tone.
SIGNS: dict[str, tuple[str, str]] = {"critical": ("✖", "bad"), "warning": ("▲", "warn"), "info": ("·", "dim")}
#: Kinds with a sign of their own: it says more than how grave it is.
_OF_KIND = {"station.offline": "⊘", "station.never": "⊘", "station.unknown": "?"}
STRANGER = "station.unknown"
#: State -> its word in a narrow column; who did it follows.
WORDS = {"new": "new", "acknowledged": "acked", "claimed": "claimed", "muted": "muted"}

#: Without a key for so long somebody looks away.
AWAY = timedelta(minutes=1)
_TOLD = 500


@dataclass(frozen=True, slots=True)
class Concern:
    """One line of a list of alerts. ``alert`` opens what it is about: a group, a session, a station.

    ``stranger`` can be enrolled.
    """

    alert: AlertView
    mark: str
    tone: str
    state: str

    @property
    def stranger(self) -> str | None:
        """Which unknown station knocks, where it is about one."""
        one = self.alert
        return one.members[0].what if one.kind == STRANGER and len(one.members) == 1 else None

    @property
    def minder(self) -> str:
        """Who looks after it, shorter than its state: ``ben``, ``ack ben``."""
        if self.alert.state == "claimed":
            return self.alert.by or "claimed"
        return f"ack {self.alert.by or ''}" if self.alert.state == "acknowledged" else ""

    @property
    def is_group(self) -> bool:
        """Whether it is about several things."""
        return len(self.alert.members) > 1

    @property
    def where(self) -> str:
        one = self.alert
        if one.site is not None and one.site != one.what:
            return one.site
        return one.station if one.station is not None and one.session is not None else ""


def concern(one: AlertView) -> Concern:
    """The line of an alert."""
    mark, tone = SIGNS.get(one.severity, SIGNS["warning"])
    by = f" {one.by}" if one.by and one.state != "new" else ""
    return Concern(one, _OF_KIND.get(one.kind, mark), tone, f"{WORDS.get(one.state, one.state)}{by}")


def urgent(alerts: Iterable[AlertView]) -> list[AlertView]:
    """Those that are not muted, the gravest first, the latest of them first."""
    return sorted((one for one in alerts if one.state != "muted"), key=rank)


def rank(one: AlertView) -> tuple[int, float, str]:
    """The gravest first, the latest of them first."""
    grave = SEVERITIES.index(one.severity) if one.severity in SEVERITIES else len(SEVERITIES)
    return grave, -one.since.timestamp(), one.id


def alike(one: AlertView, alerts: Mapping[str, AlertView]) -> list[str]:
    """The ids of all that are of its kind and not muted, itself first."""
    others = [key for key, other in alerts.items() if other.kind == one.kind and other.state != "muted"]
    return [one.id, *(key for key in others if key != one.id)]


class Away:
    """What was raised and what ended while nobody pressed a key."""

    def __init__(self) -> None:
        self._happened: deque[tuple[datetime, str, str]] = deque(maxlen=_TOLD)
        self._key_at: datetime | None = None
        self.since: datetime | None = None
        """When the person looked away last; None: never, or it was read."""
        self._until: datetime | None = None

    def happened(self, at: datetime, word: str, alert: str) -> None:
        """An alert was raised, changed or ended."""
        self._happened.append((at, word, alert))

    def key(self, now: datetime) -> None:
        """A key was pressed: the person is here."""
        if self._key_at is not None and now - self._key_at >= AWAY and self._told(self._key_at, now):
            self.since, self._until = self._key_at, now
        self._key_at = now

    def read(self) -> None:
        """The person has seen what changed."""
        self.since = self._until = None

    def _told(self, since: datetime, until: datetime) -> tuple[int, int] | None:
        words = {alert: word for at, word, alert in self._happened if since < at <= until}
        raised = sum(word == "alert.raised" for word in words.values())
        ended = sum(word == "alert.ended" for word in words.values())
        return (raised, ended) if raised or ended else None

    def line(self) -> str:
        """``3 new, 1 over since 12:36``; empty when there is nothing to say."""
        if self.since is None or self._until is None or (told := self._told(self.since, self._until)) is None:
            return ""
        parts = [f"{count} {word}" for count, word in zip(told, ("new", "over"), strict=True) if count]
        return f"{', '.join(parts)} since {self.since.astimezone():%H:%M}"
