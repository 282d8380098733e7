"""The device model beside its values: reports, monitors, problems, streams."""

from __future__ import annotations

from typing import Any

from cms.contract import configuration, monitoring
from tui.books.shape import Book, Cell, count, field, moment, order, split
from tui.orders import Target
from tui.widgets.paint import Span


def _whole(row: Any) -> Span:
    if row.complete:
        return ("✔ whole", "good")
    return (f"▲ misses {', '.join(map(str, row.holes))}", "warn") if row.holes else ("… coming", "busy")


def _monitor(target: Target, text: str) -> monitoring.SetMonitors:
    name, kind, severity, *value = split(text, 3, "Component.Variable upper-threshold 4 32")
    wish = monitoring.MonitorWish(
        name=name,
        type=kind,
        severity=count(severity, "the severity"),
        value=float(value[0]) if value else None,
    )
    return monitoring.SetMonitors(station=target.station, monitors=(wish,))


REPORTS = Book(
    "reports",
    "Reports",
    "reports in parts that the station gave, and what is missing of them",
    configuration.ReportView,
    lambda station: configuration.ListReports(station or ""),
    lambda row: str(row.request_id),
    (
        Cell("Request", 11, field("request_id"), right=True),
        Cell("About", 12, field("subject")),
        Cell("State", 16, _whole),
        Cell("Parts", 6, field("parts"), right=True),
        Cell("Entries", 8, field("items"), right=True),
        Cell("Asked", 16, lambda row: moment("asked_at")(row) or ("nobody asked", "dim"), drop=2),
        Cell("Heard", 16, moment("heard_at"), grow=True, drop=3),
    ),
    "the station gave no report: L asks for all of its device model",
    ("station.configuration", "station.monitors", "profiles.reported", "display.changed", "der.reported"),
    (
        order("L", "full report", "have the station report its device model", "Report the device model of",
              lambda target, _: configuration.ReportConfiguration(station=target.station, base="full")),
    ),
    of_station=True,
)  # fmt: skip

MONITORS = Book(
    "monitors",
    "Monitors",
    "what the station watches by itself",
    monitoring.MonitorView,
    lambda station: monitoring.ListMonitors(station or ""),
    lambda row: str(row.id),
    (
        Cell("#", 6, field("id"), right=True),
        Cell("Variable", 34, field("name")),
        Cell("Type", 16, field("type")),
        Cell("Value", 10, field("value"), right=True),
        Cell("Sev", 3, field("severity"), right=True),
        Cell("Origin", 13, field("origin"), grow=True, drop=2),
    ),
    "no monitor is known: L asks the station, N sets one",
    ("station.monitors", "intent.changed"),
    (
        order("L", "read", "have the station report its monitors", "Read the monitors of",
              lambda target, _: monitoring.ReportMonitors(station=target.station)),
        order("N", "new", "set a monitor", "Set a monitor of", _monitor,
              "Component.Variable TYPE SEVERITY [VALUE]:"),
        order("D", "clear", "clear the monitor under the cursor", "Clear a monitor of",
              lambda target, _: monitoring.ClearMonitors(station=target.station, ids=(target.row.id,)),
              at_row=True),
    ),
    of_station=True,
)  # fmt: skip

PROBLEMS = Book(
    "problems",
    "Problems",
    "what stations said is wrong and did not take back",
    monitoring.ProblemView,
    monitoring.ListProblems,
    lambda row: f"{row.station} {row.name} {row.monitor} {row.event_id}",
    (
        Cell("Station", 14, field("station")),
        Cell("Sev", 3, field("severity"), right=True),
        Cell("What", 30, field("name")),
        Cell("Value", 14, lambda row: (str(row.value), "bad")),
        Cell("Since", 16, moment("since"), drop=1),
        Cell(
            "More", 20, lambda row: " ".join(filter(None, (row.tech_code, row.tech_info))), grow=True, drop=2
        ),
    ),
    "no station has a problem",
    ("problem.", "connector.status"),
)

STREAMS = Book(
    "streams",
    "Streams",
    "periodic event streams that the station opened (2.1)",
    monitoring.StreamView,
    lambda station: monitoring.ListStreams(station or ""),
    lambda row: str(row.id),
    (
        Cell("#", 6, field("id"), right=True),
        Cell("Variable", 34, field("name")),
        Cell("Last", 12, field("last"), right=True),
        Cell("Received", 9, field("received"), right=True),
        Cell("Pending", 8, lambda row: (str(row.pending), "warn" if row.pending else "dim"), right=True),
        Cell("Heard", 16, moment("heard_at"), grow=True, drop=1),
    ),
    "the station has opened no stream: L asks it",
    ("stream.",),
    (
        order("L", "read", "ask the station which streams it has open", "Read the streams of",
              lambda target, _: monitoring.ReadStreams(station=target.station)),
        order("W", "pace", "change how often the stream under the cursor sends", "Adjust a stream of",
              lambda target, text: monitoring.AdjustStream(
                  station=target.station, stream=target.row.id, interval_s=count(text, "the interval")),
              "seconds between messages:", at_row=True),
    ),
    of_station=True,
)  # fmt: skip

BOOKS = (REPORTS, MONITORS, PROBLEMS, STREAMS)
