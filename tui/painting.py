"""When what changed is painted: collected for a while, sooner where the eye rests, not at all while paused."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

from textual.timer import Timer

from tui.mirror import Ref
from tui.notes import Collected
from tui.screens.place import Place
from tui.screens.station import Station
from tui.widgets.live_table import LiveTable

if TYPE_CHECKING:
    from tui.app import CmsApp

#: Changes are painted together this often; those where the eye rests sooner.
COLLECT_S = 0.5
NEAR_S = 0.1
BASKET_LIMIT = 50_000


class Painting:
    """The basket of changes that are not painted yet, and the timer that empties it."""

    def __init__(self, app: CmsApp, collect_s: float = COLLECT_S) -> None:
        self._app = app
        self._collect_s = collect_s
        self.paused = False
        self.places: WeakSet[Place] = WeakSet()
        """Every place that is open, shown or not."""
        self._basket: set[Ref] = set()
        self._timer: Timer | None = None
        self._due = 0.0
        self._painted_at = 0.0
        self._minute: datetime | None = None

    def begin(self) -> None:
        """Watch the clock as long as the console runs."""
        self._app.set_interval(1.0, self._each_second, name="minutes")
        self._minute = self._this_minute()

    def collect(self, changed: set[Ref]) -> None:
        """This changed; it is painted when its time comes."""
        empty = not self._basket
        self._basket |= changed
        if len(self._basket) > BASKET_LIMIT:
            # A long pause: what is not kept any more need not be drawn.
            kept = self._app.mirror.events
            self._basket = {ref for ref in self._basket if ref[0] != "event" or ref[1] in kept}
        if empty and changed:
            self._app.post_message(Collected())
        elif changed and self._timer is not None:
            self.plan()

    def plan(self) -> None:
        """Paint after what is left of the collecting time; sooner where the eye rests."""
        if self.paused:
            return
        due = self._painted_at + (min(self._collect_s, NEAR_S) if self._is_near() else self._collect_s)
        if self._timer is not None:
            if due >= self._due:
                return
            self._timer.stop()
        self._due = due
        wait_s = due - time.monotonic()
        if wait_s <= 0:
            self._timer = None
            self.flush()
        else:
            self._timer = self._app.set_timer(wait_s, self.flush)

    def _is_near(self) -> bool:
        """Whether something changed that the eye rests on."""
        place = self._app.here
        if place is None:
            return False
        return not self._basket.isdisjoint(place.near() | self._app.progress.near(self._basket))

    def flush(self) -> None:
        """Draw what was collected."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        changed, self._basket = self._basket, set()
        self._painted_at = time.monotonic()
        if (told := self._app.progress.told(changed)) is not None:
            self._app.flash = told
        place = self._app.here
        for other in self.places:
            if other is not place:
                other.miss(changed)
        if place is not None and place.is_mounted:
            place.draw_frame()
            place.draw(changed)

    def pause(self) -> None:
        """Stand still, or go on with all that changed meanwhile."""
        app = self._app
        self.paused = not self.paused
        if self.paused:
            app.say("the picture stands still; p goes on")
            return
        app.say(f"{len(self._basket):,} changes while the picture stood still")
        self.flush()
        if isinstance(app.screen, Station):
            app.screen.draw_frames()

    def _this_minute(self) -> datetime:
        return self._app.now().replace(second=0, microsecond=0)

    def _each_second(self) -> None:
        """Ages and the clock are in minutes: nothing is painted while the minute lasts."""
        minute, before = self._this_minute(), self._minute
        if minute == before:
            return
        if before is not None and minute.date() != before.date():
            self._app.run_worker(self._app.following.begin_day(), group="day")
        self._minute = minute
        if (place := self._app.here) is not None:
            place.draw_frame()
            for table in place.query(LiveTable):
                table.repaint_changed()
