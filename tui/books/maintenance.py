"""Firmware, logs, certificates, switches for odd stations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cms.contract import certificates, jobs, quirks
from tui.books.shape import Book, Cell, field, moment, order, own, pairs
from tui.orders import Target
from tui.widgets.paint import Span

_OUTCOMES = {
    "running": ("… running", "busy"),
    "done": ("✔ done", "good"),
    "failed": ("✖ failed", "bad"),
    "refused": ("✖ refused", "bad"),
    "cancelled": ("– cancelled", "dim"),
}
_CERTIFICATE = {"installed": "good", "sent": "busy", "refused": "bad", "lost": "warn", "revoked": "bad"}


def _outcome(row: Any) -> Span:
    return _OUTCOMES.get(str(row.outcome), str(row.outcome))


def _certificate(row: Any) -> Span:
    return (row.status, _CERTIFICATE.get(row.status, "dim"))


def _firmware(target: Target, text: str) -> jobs.UpdateFirmware:
    return jobs.UpdateFirmware(station=target.station, location=text.strip())


def _log(kind: str) -> Callable[[Target, str], jobs.GetLog]:
    return lambda target, text: jobs.GetLog(
        station=target.station, log_type=kind, location=text.strip() or None
    )


def _delete(target: Target, _: str) -> certificates.DeleteCertificate:
    return certificates.DeleteCertificate(station=target.station, certificate=target.row.id)


FIRMWARE = Book(
    "firmware",
    "Firmware",
    "updates that were ordered, and how far they are",
    jobs.JobView,
    lambda station: jobs.ListJobs(station, "firmware"),
    lambda row: f"{row.station} {row.request_id}",
    (
        Cell("Station", 14, field("station")),
        Cell("Outcome", 11, _outcome),
        Cell("Last word", 20, field("status")),
        Cell("From", 10, field("before"), drop=3),
        Cell("To", 10, field("after"), drop=3),
        Cell("Asked", 16, moment("requested_at"), drop=2),
        Cell("What", 20, lambda row: row.detail or row.location, grow=True, drop=1),
    ),
    "no update was ordered: F orders one",
    ("firmware.",),
    (
        order("F", "update", "give the station another firmware", "Update the firmware of", _firmware,
              "address of the firmware (http, https, ftp, sftp):"),
    ),
)  # fmt: skip

LOGS = Book(
    "logs",
    "Logs",
    "logs that were asked for, and what came",
    jobs.JobView,
    lambda station: jobs.ListJobs(station, "log"),
    lambda row: f"{row.station} {row.request_id}",
    (
        Cell("Station", 14, field("station")),
        Cell("Outcome", 11, _outcome),
        Cell("Log", 12, field("log_type"), drop=3),
        Cell("Last word", 16, field("status")),
        Cell("Asked", 16, moment("requested_at"), drop=2),
        Cell("File", 20, lambda row: ", ".join(u.name for u in row.uploads) or row.file_name or row.detail or "",
             grow=True, drop=1),
    ),
    "no log was asked for: L asks for the diagnostics, K for the security log",
    ("log.",),
    (
        order("L", "diagnostics", "let the station upload its diagnostics", "Fetch the diagnostics of",
              _log("diagnostics"), "address to put them at (empty: ours):"),
        order("K", "security log", "let the station upload its security log", "Fetch the security log of",
              _log("security"), "address to put it at (empty: ours):"),
    ),
)  # fmt: skip

CERTIFICATES = Book(
    "certificates",
    "Certificates",
    "what we signed for stations, and what lies in them",
    certificates.CertificateView,
    certificates.ListCertificates,
    lambda row: f"{row.station} {row.place} {row.id}",
    (
        Cell("Station", 14, field("station")),
        Cell("State", 10, _certificate),
        Cell("Type", 16, field("type")),
        Cell("Ends", 16, moment("not_after")),
        Cell("Place", 9, field("place"), drop=3),
        Cell("Name", 20, field("name"), grow=True, drop=1),
    ),
    "no certificate is known: L asks the station",
    ("certificate.",),
    (
        order("L", "read", "ask the station which certificates it has", "Read the certificates of",
              lambda target, _: certificates.ReadCertificates(station=target.station)),
        order("N", "renew", "let the station ask for a new certificate", "Renew the certificate of",
              lambda target, _: certificates.RenewCertificate(station=target.station)),
        order("D", "delete", "delete the certificate under the cursor", "Delete a certificate of", _delete,
              at_row=True),
    ),
)  # fmt: skip

QUIRKS = Book(
    "quirks",
    "Quirks",
    "how the station differs from what the specification says",
    quirks.Quirk,
    lambda station: quirks.ListQuirks(station or ""),
    lambda row: row.name,
    (
        Cell("Switch", 24, field("name")),
        Cell("Value", 12, lambda row: (row.value, "warn" if row.value != row.default else "dim")),
        Cell("Set by", 9, field("origin", "dim")),
        Cell("What it does", 20, lambda row: row.why or row.about, grow=True, drop=1),
    ),
    "this station has no switches",
    ("station.quirks",),
    (
        order("W", "set", "set switches: NAME=VALUE", "Set a switch of",
              lambda target, text: quirks.SetQuirks(target.station, pairs(text)), "NAME=VALUE:",
              foretell=own(1, "we treat the station otherwise from now on", "stations quirks", "--set")),
    ),
    of_station=True,
)  # fmt: skip

BOOKS = (FIRMWARE, LOGS, CERTIFICATES, QUIRKS)
