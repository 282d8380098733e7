"""Where stations stand: sites and EVSEs; and who operates them."""

from __future__ import annotations

import shlex
from typing import Any

from cms.contract import evses, organisations, sites
from cms.contract.intents import Preview
from tui import words
from tui.books.shape import Book, Cell, field, order
from tui.orders import Draft, Target
from tui.widgets.paint import Span

_STATUSES = {"available": "good", "charging": "busy", "faulted": "bad", "active": "good", "suspended": "bad"}


def _open(row: Any) -> Span:
    return ("○ open", "good") if row.open else ("– closed", "dim")


def _status(row: Any) -> Span:
    return (row.status, _STATUSES.get(row.status, "dim"))


def _address(row: Any) -> Span:
    return ", ".join(part for part in (row.street, row.city) if part)


def _outlets(row: Any) -> Span:
    return ", ".join(
        f"{outlet.standard or outlet.power_type or '?'} {words.power(outlet.power_w) if outlet.power_w else ''}".strip()
        for outlet in row.connectors
    )


def _named(target: Target, text: str) -> evses.SetEvse:
    return evses.SetEvse(station=target.station, evse=target.row.evse, evse_id=text.strip())


def _name_foretold(draft: Draft) -> Preview:
    row, said = draft.target.row, shlex.quote(draft.text.strip())
    line = f"cms evses set {shlex.quote(row.station)} {row.evse} --id {said}"
    return Preview(
        draft.act.name, row.station, 1, f"EVSE {row.evse} is {draft.text.strip()} from now on", line
    )


def _adopt_foretold(draft: Draft) -> Preview:
    station = draft.target.station
    does = "outlets and ids are registered as its device model told them; what was set by hand stays"
    return Preview(draft.act.name, station, 1, does, f"cms evses adopt {shlex.quote(station)}")


SITES = Book(
    "sites",
    "Sites",
    "where stations stand, and when that is open",
    sites.SiteView,
    lambda station: sites.ListSites(),
    lambda row: row.id,
    (
        Cell("Site", 16, field("id")),
        Cell("Name", 18, field("name"), drop=2),
        Cell("Now", 8, _open),
        Cell("St", 4, field("stations"), right=True),
        Cell("On", 4, field("online"), right=True),
        Cell("Busy", 4, field("charging"), right=True),
        Cell("Power", 9, lambda row: words.power(row.power_w), right=True),
        Cell("Address", 16, _address, grow=True, drop=1),
    ),
    "no site is registered: cms sites add",
    ("site.",),
)

EVSES = Book(
    "evses",
    "EVSEs",
    "their ids, what is painted on them, their outlets",
    evses.EvseView,
    evses.ListEvses,
    lambda row: row.id,
    (
        Cell("EVSE", 16, field("id")),
        Cell("State", 12, _status),
        Cell("Id", 20, field("evse_id")),
        Cell("Painted", 8, field("reference"), drop=3),
        Cell("Level", 5, field("floor"), drop=4),
        Cell("Site", 12, field("site"), drop=2),
        Cell("Outlets", 20, _outlets, grow=True, drop=1),
    ),
    "no EVSE is known yet: stations tell of them when they boot",
    ("station.changed", "connector.status"),
    (
        order("N", "name", "give the EVSE under the cursor its id", "Name an EVSE of", _named,
              "EVSE id, e.g. DE*ABC*E1001:", at_row=True, foretell=_name_foretold),
        order("K", "adopt", "register what the station's device model tells of its EVSEs", "Adopt the EVSEs of",
              lambda target, _: evses.AdoptEvses(target.station), foretell=_adopt_foretold),
    ),
)  # fmt: skip

ORGANISATIONS = Book(
    "organisations",
    "Organisations",
    "who operates stations on this platform",
    organisations.OrganisationView,
    lambda station: organisations.ListOrganisations(),
    lambda row: row.id,
    (
        Cell("Organisation", 16, field("id")),
        Cell("State", 10, _status),
        Cell("Party", 7, field("party")),
        Cell("Time zone", 16, field("time_zone"), drop=2),
        Cell("Money", 5, field("currency"), drop=3),
        Cell("Name", 16, field("name"), grow=True, drop=1),
    ),
    "there is none but the main one",
    ("organisation.",),
)

BOOKS = (SITES, EVSES, ORGANISATIONS)
