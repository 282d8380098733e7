"""Charging profiles, limits of others, what cars want, DER controls."""

from __future__ import annotations

from typing import Any

from cms.contract import charging, der
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import LIMIT_PROMPT, limited
from tui.widgets.paint import Span


def _limit(row: Any) -> Span:
    return "" if row.limit is None else f"{row.limit} {row.unit}"


PROFILES = Book(
    "profiles",
    "Charging profiles",
    "which limits are installed where",
    charging.ProfileView,
    charging.ListProfiles,
    lambda row: f"{row.station} {row.id}",
    (
        Cell("Station", 14, field("station")),
        Cell("EVSE", 4, lambda row: str(row.evse) if row.evse else "all", right=True),
        Cell("#", 6, field("id"), right=True, drop=4),
        Cell("For", 16, field("purpose")),
        Cell("Level", 5, field("stack_level"), right=True),
        Cell("Now", 10, _limit, right=True),
        Cell("Kind", 9, field("kind"), drop=3),
        Cell("By", 10, lambda row: row.set_by or row.source, drop=2),
        Cell("Installed", 16, moment("installed_at"), grow=True, drop=1),
    ),
    "no charging profile is known: P sets a limit, L asks the station",
    ("profiles.", "charging."),
    (
        order("P", "limit", "limit the station or an EVSE: 16A, 11kW, 2: 16A", "Limit", limited,
              LIMIT_PROMPT),
        order("L", "read", "have the station report its profiles", "Read the profiles of",
              lambda target, _: charging.GetProfiles(station=target.station)),
        order("D", "clear", "take the profile under the cursor off", "Take a profile off",
              lambda target, _: charging.ClearProfiles(station=target.station, profile=target.row.id),
              at_row=True),
    ),
)  # fmt: skip

LIMITS = Book(
    "limits",
    "Limits of others",
    "what energy managers and grid operators limit at stations",
    charging.ChargingLimitView,
    charging.ListChargingLimits,
    lambda row: f"{row.station} {row.evse} {row.source}",
    (
        Cell("Station", 14, field("station")),
        Cell("EVSE", 4, lambda row: str(row.evse) if row.evse else "all", right=True),
        Cell("Source", 10, field("source")),
        Cell("Grid", 8, lambda row: ("critical", "warn") if row.grid_critical else ""),
        Cell("Since", 16, moment("reported_at"), grow=True),
    ),
    "nobody else limits a station",
    ("charging.",),
)

NEEDS = Book(
    "needs",
    "Charging needs",
    "what cars asked for (ISO 15118), and what they were given",
    charging.ChargingNeedsView,
    charging.ListChargingNeeds,
    lambda row: f"{row.station} {row.evse}",
    (
        Cell("Station", 14, field("station")),
        Cell("EVSE", 4, field("evse"), right=True),
        Cell("Wants", 16, field("energy_transfer")),
        Cell("Wh", 8, field("energy_wh"), right=True),
        Cell("Leaves", 16, moment("departure_at"), drop=1),
        Cell("Answer", 12, field("answer")),
        Cell("Car's plan", 10, field("ev_schedule"), grow=True, drop=2),
    ),
    "no car has told what it needs",
    ("charging.",),
)

DER = Book(
    "der",
    "DER controls",
    "how stations that give energy back behave towards the grid (2.1)",
    der.DerControlView,
    der.ListDerControls,
    lambda row: f"{row.station} {row.id}",
    (
        Cell("Station", 14, field("station")),
        Cell("Control", 20, field("control_type")),
        Cell("State", 10, field("state")),
        Cell("Default", 7, lambda row: "yes" if row.default else ""),
        Cell("From", 16, moment("start_at"), drop=1),
        Cell("Id", 12, field("id", "dim"), grow=True, drop=2),
    ),
    "no DER control is known: L asks the station",
    ("der.",),
    (
        order("L", "read", "have the station report its controls", "Read the DER controls of",
              lambda target, _: der.GetDerControls(station=target.station)),
        order("D", "clear", "take the control under the cursor off", "Take a DER control off",
              lambda target, _: der.ClearDerControls(
                  station=target.station, control=target.row.id, default=target.row.default),
              at_row=True),
    ),
)  # fmt: skip

ALARMS = Book(
    "alarms",
    "Grid alarms",
    "grid faults that stations report (2.1)",
    der.DerAlarmView,
    lambda station: der.ListDerAlarms(station, all=True),
    lambda row: f"{row.station} {row.control_type} {row.started_at}",
    (
        Cell("Station", 14, field("station")),
        Cell("Control", 20, field("control_type")),
        Cell(
            "Fault",
            18,
            lambda row: (
                f"{row.fault or ''}{' (over)' if row.ended_at else ''}",
                "dim" if row.ended_at else "bad",
            ),
        ),
        Cell("Began", 16, moment("started_at")),
        Cell("Ended", 16, moment("ended_at"), drop=1),
        Cell("Info", 12, field("info"), grow=True, drop=2),
    ),
    "no grid alarm was reported",
    ("der.alarm",),
)

BOOKS = (PROFILES, LIMITS, NEEDS, DER, ALARMS)
