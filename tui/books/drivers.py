"""What stations know of drivers, hold for them and tell them: lists, reservations, displays, customer data."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cms.contract import customers, displays, lists, reservations
from tui.books.shape import Book, Cell, count, field, moment, order, split
from tui.orders import Target
from tui.widgets.paint import Span

_LIST_STATES = {"current": "good", "stale": "warn", "unsupported": "dim", "none": "dim"}
_RESERVATION_STATES = {"active": "busy", "used": "good", "refused": "bad"}


def _list_state(row: Any) -> Span:
    return (row.state, _LIST_STATES.get(row.state, ""))


def _reservation_state(row: Any) -> Span:
    return (row.status, _RESERVATION_STATES.get(row.status, "dim"))


def reserved(target: Target, text: str) -> reservations.AddReservation:
    """``TAG 1 30``: token, EVSE, minutes; EVSE 0 leaves the choice to the station."""
    token, evse, minutes = split(text, 3, "TAG 1 30 (token, EVSE or 0, minutes)")[:3]
    assert target.now is not None  # a book's target has one
    until = target.now + timedelta(minutes=count(minutes, "the time in minutes"))
    number = count(evse, "the EVSE")
    return reservations.AddReservation(
        station=target.station, token=token, evse=number or None, expires_at=until.replace(microsecond=0)
    )


LISTS = Book(
    "lists",
    "Local lists",
    "which tokens stations know when they cannot ask",
    lists.ListView,
    lambda station: lists.ListLists(),
    lambda row: row.station,
    (
        Cell("Station", 14, field("station")),
        Cell("State", 12, _list_state),
        Cell("Version", 8, field("version"), right=True),
        Cell("There", 8, field("station_version"), right=True),
        Cell("Tokens", 7, field("entries"), right=True),
        Cell("Sent", 16, moment("sent_at"), drop=2),
        Cell("Trouble", 16, field("trouble", "warn"), grow=True, drop=1),
    ),
    "no station keeps a list yet: Y sends one",
    ("list.", "token."),
    (
        order("Y", "sync", "send the station what it is missing", "Bring the list up to date of",
              lambda target, _: lists.SyncList(station=target.station)),
        order("L", "version", "ask the station which version it holds", "Ask the list version of",
              lambda target, _: lists.AskListVersion(station=target.station)),
        order("K", "clear cache", "make the station forget what it learned of tokens", "Clear the cache of",
              lambda target, _: lists.ClearCache(station=target.station)),
    ),
)  # fmt: skip

RESERVATIONS = Book(
    "reservations",
    "Reservations",
    "EVSEs that are held for somebody",
    reservations.ReservationView,
    reservations.ListReservations,
    lambda row: str(row.id),
    (
        Cell("#", 11, field("id"), right=True, drop=3),
        Cell("Station", 14, field("station")),
        Cell("EVSE", 4, lambda row: str(row.evse) if row.evse else "any", right=True),
        Cell("State", 10, _reservation_state),
        Cell("Token", 16, field("token")),
        Cell("Until", 16, moment("expires_at")),
        Cell("Why", 12, field("detail"), grow=True, drop=1),
    ),
    "nothing is reserved: N reserves an EVSE",
    ("reservation.",),
    (
        order("N", "new", "reserve an EVSE", "Reserve", reserved, "TOKEN EVSE MINUTES, e.g. TAG 1 30:"),
        order("D", "cancel", "give the reservation under the cursor up", "Cancel a reservation at",
              lambda target, _: reservations.CancelReservation(reservation=target.row.id), at_row=True),
    ),
)  # fmt: skip

DISPLAYS = Book(
    "displays",
    "Display messages",
    "what stands on the displays of stations (2.x)",
    displays.DisplayView,
    displays.ListDisplayMessages,
    lambda row: f"{row.station} {row.id}",
    (
        Cell("Station", 14, field("station")),
        Cell("#", 5, field("id"), right=True),
        Cell("Shown", 13, field("priority")),
        Cell("When", 12, field("state"), drop=2),
        Cell("Until", 16, moment("ends_at"), drop=3),
        Cell("Text", 20, lambda row: (row.text, "dim" if row.over else ""), grow=True),
    ),
    "no message is known: N shows one, L asks the station",
    ("display.",),
    (
        order("N", "new", "show a message", "Show a message at",
              lambda target, text: displays.SetDisplayMessage(station=target.station, text=text), "text:"),
        order("L", "read", "ask the station for its messages", "Read the messages of",
              lambda target, _: displays.GetDisplayMessages(station=target.station)),
        order("D", "clear", "take the message under the cursor away", "Take a message away at",
              lambda target, _: displays.ClearDisplayMessage(station=target.station, message=target.row.id),
              at_row=True),
    ),
)  # fmt: skip

CUSTOMERS = Book(
    "customers",
    "Customer data",
    "what the station was asked to tell about somebody (2.x)",
    customers.CustomerReportView,
    lambda station: customers.ListCustomerReports(station or ""),
    lambda row: str(row.request_id),
    (
        Cell("Request", 11, field("request_id"), right=True),
        Cell("State", 10, lambda row: ("✔ whole", "good") if row.complete else ("… coming", "busy")),
        Cell("Parts", 6, field("parts"), right=True),
        Cell("Asked", 16, moment("asked_at")),
        Cell("Heard", 16, moment("heard_at"), grow=True, drop=1),
    ),
    "nobody was asked about: N asks about a token",
    ("customer.",),
    (
        order("N", "ask", "have the station tell what it knows of a token's holder", "Ask about a customer at",
              lambda target, text: customers.AskCustomer(station=target.station, token=text.strip()),
              "token:"),
    ),
    of_station=True,
)  # fmt: skip

BOOKS = (LISTS, RESERVATIONS, DISPLAYS, CUSTOMERS)
