"""What a place reads beside the mirror: a station's frames, a session's story, variables, presented cards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from cms.client import Back, Lost
from cms.contract.events import Event, ListEvents
from cms.contract.evses import ListEvses
from cms.contract.refusals import Refusal
from cms.contract.sessions import ListSamples
from cms.contract.sites import ShowSite
from cms.contract.stations import ListMessages, ListVariables, Message
from tui import words
from tui.link import Daemon
from tui.notes import (
    BookRead,
    Fetched,
    FramesHeard,
    PowerRead,
    PresentedRead,
    PriceRead,
    RowRead,
    SurroundingsRead,
    VariablesRead,
)
from tui.screens.book import BookPlace
from tui.screens.configuration import Configuration
from tui.screens.place import Place
from tui.screens.station import Station

if TYPE_CHECKING:
    from tui.app import CmsApp
    from tui.screens.tokens import Tokens

FRAME_RETRY_S = 2.0

Ask = Callable[[Any], Awaitable[Any]]


class Reading:
    """Workers that read as long as the place exists that wants to know; notes bring it what they read."""

    def __init__(self, app: CmsApp, daemon: Daemon) -> None:
        self._app = app
        self._daemon = daemon

    # ---- one station

    def watch_frames(self, place: Station) -> None:
        """Follow the station's frames as long as its place exists; read what its sessions have drawn so far."""
        for session in self._app.mirror.sessions_of(place.station):
            place.run_worker(self._fetch_power(place, session.id), group="power")
        place.run_worker(self._follow_frames(place), group="frames", exclusive=True)

    async def _follow_frames(self, place: Station) -> None:
        """The list, then the stream; with the first frame heard the list again: it has what fell between."""
        while True:
            try:
                await self._list_frames(place)
                stream = self._daemon.follow(None, frames=place.station, station=place.station)
                async with aclosing(cast("Any", stream)) as frames:
                    await self._hear_frames(place, frames)
            except Refusal as refusal:
                if self._app.following.live:
                    self._say_later(refusal)
            await asyncio.sleep(FRAME_RETRY_S)

    async def _hear_frames(self, place: Station, stream: AsyncIterator[Any]) -> None:
        first = True
        async for item in stream:
            match item:
                case Message() if first:
                    first = False
                    await self._list_frames(place)
                    self._app.post_message(FramesHeard(place, [item]))
                case Message():
                    self._app.post_message(FramesHeard(place, [item]))
                case Event(type="station.connected") | Back():
                    await self._list_frames(place)
                case Lost():
                    pass

    async def _list_frames(self, place: Station) -> None:
        frames = await self._daemon.ask(ListMessages(station=place.station))
        self._app.post_message(FramesHeard(place, frames))

    async def _fetch_power(self, place: Station, session: str) -> None:
        try:
            samples = await self._daemon.ask(ListSamples(session))
        except Refusal:
            return  # the picture does without: what is heard from now on is drawn
        self._app.post_message(PowerRead(place, session, samples))

    def read_surroundings(self, place: Station) -> None:
        """Where the station stands, and what is registered of its EVSEs."""
        place.run_worker(self._fetch_surroundings(place), group="surroundings", exclusive=True)

    async def _fetch_surroundings(self, place: Station) -> None:
        view = place.view
        stands_at = view.site if view and view.site_name is not None else None
        try:
            evses = await self._daemon.ask(ListEvses(place.station))
            site = await self._daemon.ask(ShowSite(stands_at)) if stands_at else None
        except Refusal:
            return  # the picture does without
        self._app.post_message(SurroundingsRead(place, site, evses))

    def read_variables(self, place: Configuration) -> None:
        place.run_worker(self._fetch_variables(place), group="variables", exclusive=True)

    async def _fetch_variables(self, place: Configuration) -> None:
        try:
            variables = await self._daemon.ask(ListVariables(place.station))
        except Refusal as refusal:
            self._say_later(refusal)
            return
        self._app.post_message(VariablesRead(place, variables))

    def read_book(self, place: BookPlace) -> None:
        work: Any = partial(self._fetch_book, place)
        place.run_worker(work, group="book", exclusive=True)

    async def _fetch_book(self, place: BookPlace) -> None:
        try:
            answer = await self._daemon.ask(place.book.ask(place.station))
        except Refusal as refusal:
            self._app.post_message(BookRead(place, refusal))
            return
        self._app.post_message(BookRead(place, place.book.rows(answer)))

    def read_row(self, place: BookPlace, called: str, request: Any) -> None:
        place.run_worker(self._fetch_row(place, called, request), group="row", exclusive=True)

    async def _fetch_row(self, place: BookPlace, called: str, request: Any) -> None:
        try:
            row = await self._daemon.ask(request)
        except Refusal as refusal:
            self._say_later(refusal)
            return
        self._app.post_message(RowRead(place, called, row))

    # ---- whatever else a place wants to know

    def fetch(self, place: Place, what: str, fetch: Callable[[Ask], Awaitable[Any]]) -> None:
        """Ask the daemon in one or several requests; ``place.take(what, found)`` gets the answer or the refusal."""
        work: Any = partial(self._fetch, place, what, fetch)
        place.run_worker(work, group=what, exclusive=True)

    async def _fetch(self, place: Place, what: str, fetch: Callable[[Ask], Awaitable[Any]]) -> None:
        try:
            found = await fetch(self._daemon.ask)
        except Refusal as refusal:
            found = refusal
        self._app.post_message(Fetched(place, what, found))

    # ---- prices, cards

    def read_price(self, place: Place, session: str) -> None:
        place.run_worker(self._fetch_price(session), group="price", exclusive=True)

    async def _fetch_price(self, session: str) -> None:
        from cms.contract.prices import ExplainPrice  # only who asks for a price pays for its import

        try:
            told = await self._daemon.ask(ExplainPrice(session))
        except Refusal as refusal:
            self._say_later(refusal)
            return
        self._app.post_message(PriceRead(told))

    def read_presented(self, place: Tokens) -> None:
        place.run_worker(self._fetch_presented(place), group="presented", exclusive=True)

    async def _fetch_presented(self, place: Tokens) -> None:
        try:
            presented = await self._daemon.ask(ListEvents(type="token.presented"))
        except Refusal:
            return  # those that are heard from now on are shown
        self._app.post_message(PresentedRead(place, presented))

    def _say_later(self, refusal: Refusal) -> None:
        self._app.call_later(self._app.say, words.sentence(refusal), "warn")
