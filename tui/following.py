"""The daemon as this console follows it: whether it is there, since when it is gone, and how a new day begins."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cms.contract.operators import ShowIdentity
from cms.contract.refusals import Refusal
from cms.contract.status import ShowStatus
from tui.link import Daemon, Link, LinkState
from tui.notes import IdentityKnown, LinkTurned
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line

if TYPE_CHECKING:
    from tui.app import CmsApp


class Following:
    """The link to the daemon, and what the console says of it."""

    def __init__(self, app: CmsApp, daemon: Daemon) -> None:
        self._app = app
        self._daemon = daemon
        self.link = Link(daemon, app.mirror, app.painting.collect, self._turned)
        self.state = LinkState(False)
        self.was_live = False
        self._lost_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether the picture is true; acts are off while it is not."""
        return self.state.live

    def begin(self) -> None:
        """Follow the daemon as long as the console runs."""
        self._app.run_worker(self.link.run(), group="link", exclusive=True, exit_on_error=True)

    def reach_now(self) -> None:
        """Read all anew and follow from there, without waiting for the next attempt."""
        self._app.say("reaching for the daemon …", "busy")
        self.begin()

    async def _ask_who(self) -> None:
        """Who the daemon takes us for: somebody who may only look is shown no acts."""
        try:
            identity = await self._daemon.ask(ShowIdentity())
        except Refusal:
            return  # each act is refused by itself then
        self._app.post_message(IdentityKnown(identity.permissions))

    def _turned(self, state: LinkState) -> None:
        self._app.post_message(LinkTurned(state))

    def turn(self, state: LinkState) -> None:
        """The daemon is gone, or back: say so, and draw what looks different then."""
        if state.live:
            if self.was_live and not self.state.live:
                self._app.say("the daemon is back: nothing was missed", "good")
            if not self.was_live:
                self._app.run_worker(self._ask_who(), group="identity")
            self.was_live = True
            self._lost_at = None
        elif self.state.live or self._lost_at is None:
            self._lost_at = self._app.now()
        self.state = state
        if (place := self._app.here) is not None:
            place.draw_frame()
            for table in place.query(LiveTable):
                table.refresh()

    def banner(self) -> Line:
        """What the red line says while the daemon is gone."""
        if self.state.live:
            return ()
        since = ""
        if self.was_live and self._lost_at is not None:
            since = f"daemon gone since {self._lost_at.astimezone():%H:%M:%S}, acts are off · "
        return ((f" ▒ {since}^R tries now: {self.state.reason}".ljust(400), "banner"),)

    async def begin_day(self) -> None:
        """A new day (UTC): what was delivered "today" begins anew."""
        try:
            status = await self._daemon.ask(ShowStatus())
        except Refusal:
            return  # the daemon is gone; its return brings a whole reading
        self._app.mirror.energy_today_wh = status.sessions.energy_today_wh
        self._app.painting.collect({("daemon", "")})
