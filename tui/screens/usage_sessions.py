"""The sessions that a row of usage is made of: the last step from how much to what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cms.contract.sessions import ListSessions, SessionView
from tui import signs, words
from tui.books.shape import Book, Cell
from tui.screens.book import BookPlace
from tui.widgets.paint import Span

LONGEST = timedelta(days=2)
"""A session that began so long before the span may still have charged in it."""
LIMIT = 5_000


def _state(session: SessionView) -> Span:
    sign = signs.of_session(session.status)
    return (sign.word, sign.tone)


def _cost(session: SessionView) -> Span:
    return words.NONE if session.cost is None else f"{session.cost['amount']} {session.cost['currency']}"


CELLS = (
    Cell("Session", 14, lambda s: s.id),
    Cell("Station", 12, lambda s: s.station, drop=2),
    Cell("Started", 16, lambda s: words.minute(s.started_at)),
    Cell("Until", 16, lambda s: words.minute(s.ended_at), drop=7),
    Cell("kWh", 8, lambda s: words.kilowatt_hours(s.energy_wh), right=True),
    Cell("Cost", 10, _cost, right=True, drop=3),
    Cell("Conn", 4, lambda s: words.plug(s.evse, s.connector), drop=5),
    Cell("State", 10, _state, drop=1),
    Cell("Token", 10, lambda s: s.token or words.NONE, grow=True, drop=6),
)


def within(request: ListSessions, counts: Callable[[SessionView], bool]) -> Book:
    """The sessions that charged between the request's bounds, those that count, as a book."""
    since = request.since
    begun = since - LONGEST if since is not None else None
    asked = replace(request, since=begun, limit=LIMIT)

    def overlapping(sessions: list[SessionView]) -> list[Any]:
        return [
            session
            for session in sessions
            if counts(session) and (since is None or session.ended_at is None or session.ended_at > since)
        ]

    return Book(
        word="sessions",
        title="Sessions",
        about="sessions of the span",
        view_type=SessionView,
        ask=lambda _: asked,
        key=lambda session: session.id,
        cells=CELLS,
        empty="no session in this span",
        rows=overlapping,
    )


class UsageSessions(BookPlace):
    """Opened from a row of usage; enter opens the session."""

    def __init__(self, request: ListSessions, title: str, counts: Callable[[SessionView], bool]) -> None:
        super().__init__(within(request, counts), request.station)
        self._title = title

    def crumbs(self) -> list[str]:
        return ["Usage", self._title, "Sessions"]

    def open_row(self, called: str, row: Any) -> None:
        self.console.travel.open_session(row.id)
