"""Orders to stations: those under way and those that are over, what waits, and long work of stations."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cms.contract import intents, jobs, sessions, stations
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import NotSupported
from tui import signs, words
from tui.books.maintenance import FIRMWARE
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import Draft, Target
from tui.widgets.paint import Span

#: A second far away, so that what is later has the lower key.
_LAST = 10**10
#: What of an order's own words is left out in a list: how it is split into messages says nothing to a person.
_SILENT = frozenset({"per_message", "bytes_per_message", "token_kind", "remote_start_id"})


def newest_first(row: IntentView) -> float:
    return _LAST - row.created_at.timestamp()


def said_of(row: IntentView) -> str:
    """The order's own words, the station left out: ``reset soft``, ``config-set HeartbeatInterval=60``."""
    parts = [_plain(name, value) for name, value in row.params.items() if name not in _SILENT]
    return " ".join([row.order, *filter(None, parts)])


def _plain(name: str, value: Any) -> str:
    if not value and not isinstance(value, int):
        return ""
    match value:
        case False:
            return ""
        case True:
            return name
        case str():
            return value
        case dict():
            return " ".join(f"{key}={part}" for key, part in value.items())
        case list() | tuple():
            return " ".join(map(str, value))
        case _:
            return f"{name} {value}"


def _state(row: IntentView) -> Span:
    sign = signs.of_intent(row)
    return f"{sign.mark} {sign.word}", sign.tone


def _took(row: IntentView) -> Span:
    """How long until the effect was seen, or the answer came."""
    end = row.confirmed_at or row.answered_at
    return "" if end is None else f"{(end - row.created_at).total_seconds():.1f} s"


def _answer(row: IntentView) -> Span:
    """What became of it: one sentence, else the station's own word."""
    said = row.detail or (row.answer or {}).get("status") or ""
    return str(said), signs.of_intent(row).tone if row.status in signs.FINAL else ""


def _cancel(target: Target, _: str) -> intents.CancelIntent:
    return intents.CancelIntent(target.row.id)


def _cancelled(draft: Draft) -> Preview:
    row = draft.target.row
    does = (
        f"{row.order} is over before it is done: it is not sent any more"
        if row.status == "queued"
        else f"{row.order} is with {row.station} already: we only stop waiting for its effect"
    )
    return Preview(draft.act.name, row.station, 1, does, f"cms intents cancel {shlex.quote(row.id)}")


def _operative(row: IntentView) -> str:
    return "operative" if row.params.get("operative") else "inoperative"


#: How an order that was given is asked for again; of the others the station holds more than their words.
_AGAIN: dict[str, Callable[[IntentView], stations.OrderTerms]] = {
    "reset": lambda row: stations.ResetStation(
        station=row.station, kind=row.params["kind"], evse=row.params.get("evse")
    ),
    "unlock": lambda row: stations.UnlockConnector(
        station=row.station, evse=row.params["evse"], connector=row.params["connector"]
    ),
    "availability": lambda row: stations.ChangeAvailability(
        station=row.station, availability=_operative(row), evse=row.params.get("evse"),
        connector=row.params.get("connector"),
    ),
    "trigger": lambda row: stations.TriggerMessage(
        station=row.station, message=row.params["message"], evse=row.params.get("evse"),
        connector=row.params.get("connector"), custom=bool(row.params.get("custom")),
    ),
    "config-get": lambda row: stations.GetConfiguration(
        station=row.station, names=tuple(row.params.get("names") or ())
    ),
    "config-set": lambda row: stations.SetConfiguration(
        station=row.station, values=dict(row.params["values"])
    ),
    "stop": lambda row: sessions.StopSession(session=_session_of(row)),
}  # fmt: skip


def _session_of(row: IntentView) -> str:
    if row.session is None:
        raise NotSupported(f"the order {row.id} does not say which session it was about")
    return row.session


def again(row: IntentView) -> stations.OrderTerms:
    """The request that gives the same order to the same station once more."""
    make = _AGAIN.get(row.order)
    if make is None:
        raise NotSupported(f"{row.order} can not be repeated from here", "give it at its station")
    try:
        return make(row)
    except KeyError as missing:
        raise NotSupported(f"the record does not say {missing.args[0]} of the order {row.id}") from None


ACTS = (
    order("X", "cancel", "cancel the order under the cursor", "Cancel the order", _cancel, at_row=True,
          foretell=_cancelled),
    order("R", "again", "give the order under the cursor once more", "Give again the order to",
          lambda target, _: again(target.row), at_row=True),
)  # fmt: skip

_CELLS = (
    Cell("", 1, lambda row: (signs.of_intent(row).mark, signs.of_intent(row).tone)),
    Cell("When", 8, lambda row: words.clock(row.created_at)),
    Cell("Station", 12, field("station")),
    Cell("Order", 16, said_of, grow=True),
    Cell("State", 9, lambda row: (signs.of_intent(row).word, signs.of_intent(row).tone), drop=1),
    Cell("Took", 7, _took, right=True, drop=4),
    Cell("By", 10, field("requested_by"), drop=3),
    Cell("Reason", 14, field("reason"), drop=5),
    Cell("Result", 10, _answer, grow=True, drop=2),
    Cell("Id", 26, field("id", "dim"), drop=6),
)

ORDERS = Book(
    "orders",
    "Orders",
    "what stations were told to do, and what became of it",
    IntentView,
    lambda station: intents.ListIntents(station=station),
    lambda row: row.id,
    _CELLS,
    "no station was told to do anything yet",
    acts=ACTS,
    live=lambda mirror: mirror.intents,
    kind="intent",
    rank=newest_first,
)


def waits(row: IntentView) -> bool:
    return row.status == "queued"


QUEUE = Book(
    "queue",
    "Queue",
    "orders that wait: until the station is back, is idle, or it is time",
    IntentView,
    lambda station: intents.ListIntents(station=station, status="queued"),
    lambda row: row.id,
    (
        Cell("Since", 16, moment("created_at"), drop=2),
        Cell("Station", 12, field("station")),
        Cell("Order", 14, said_of, grow=True),
        Cell("Until", 16, moment("expires_at"), drop=1),
        Cell("By", 10, field("requested_by"), drop=4),
        Cell("Why", 10, _answer, grow=True, drop=3),
        Cell("Reason", 14, field("reason"), drop=5),
    ),
    "no order waits",
    acts=ACTS,
    live=lambda mirror: mirror.intents,
    kind="intent",
    rank=newest_first,
    admits=waits,
)

_KIND = Cell("Kind", 8, field("kind"), drop=5)


def _jobs(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Those of the updates, with the kind of work behind the station; what a job said last leaves a narrow list."""
    kept = {"Station", "Outcome"}
    return (
        cells[0],
        _KIND,
        *(cell if cell.drop or cell.title in kept else replace(cell, drop=4) for cell in cells[1:]),
    )


JOBS = Book(
    "jobs",
    "Jobs",
    "long work of stations: firmware and logs, and how far it is",
    jobs.JobView,
    jobs.ListJobs,
    lambda row: f"{_LAST - row.requested_at.timestamp():015.3f} {row.station} {row.request_id}",
    _jobs(FIRMWARE.cells),
    "no firmware was given and no log was asked for: F and D at a station",
    ("firmware.", "log."),
    called=lambda row: f"{row.station} {row.request_id}",
)

BOOKS: tuple[Book, ...] = (ORDERS, QUEUE, JOBS)
