"""Tariffs, ad hoc payments, battery swaps."""

from __future__ import annotations

from typing import Any

from cms.contract import payments, swaps, tariffs
from tui.books.shape import Book, Cell, field, moment, order
from tui.widgets.paint import Span
from tui.words import minute

_PAYMENTS = {"settled": "good", "rejected": "bad", "failed": "bad", "charging": "busy"}


def _money(name: str) -> Any:
    def show(row: Any) -> Span:
        money = getattr(row, name)
        return "" if money is None else f"{money.amount} {money.currency}"

    return show


def _used(row: tariffs.TariffView) -> Span:
    """Everywhere, or how many stations, tokens and other places."""
    if row.default:
        return "default", "good"
    counts = ((len(row.stations), "st"), (len(row.tokens), "tok"), (len(row.places), "pl"))
    return " ".join(f"{count} {what}" for count, what in counts if count) or ("nowhere", "dim")


def _valid(row: tariffs.TariffView) -> Span:
    if row.valid_to is not None:
        return f"to {minute(row.valid_to)[:10]}", "warn"
    return f"from {minute(row.valid_from)[:10]}" if row.valid_from is not None else ""


TARIFFS = Book(
    "tariffs",
    "Tariffs",
    "prices, and where they are used",
    tariffs.TariffView,
    lambda station: tariffs.ListTariffs(),
    lambda row: row.id,
    (
        Cell("Tariff", 16, field("id")),
        Cell("Used", 16, _used, drop=2),
        Cell("Prices", 20, field("summary"), grow=True),
        Cell("Version", 9, lambda row: f"{row.version} of {row.versions}" if row.holds else ("none now", "warn"),
             drop=1),
        Cell("Valid", 16, _valid, drop=4),
        Cell("Added", 16, moment("added_at"), drop=3),
    ),
    "there is no tariff: cms tariffs add",
    ("tariff.",),
)  # fmt: skip

TARIFF_USES = Book(
    "tariff-uses",
    "Where tariffs are used",
    "which tariff holds where and for whom, the version of the day",
    tariffs.TariffUseView,
    lambda station: tariffs.ListTariffUses(),
    lambda row: row.id,
    (
        Cell("Place", 20, field("place"), grow=True),
        Cell("Tariff", 16, field("tariff")),
        Cell("Version", 16, lambda row: row.version or ("not valid now", "warn"), drop=1),
        Cell("Since", 16, moment("since"), drop=2),
    ),
    "no tariff is used anywhere: cms tariffs use",
    ("tariff.",),
)

STATION_TARIFFS = Book(
    "station-tariffs",
    "Tariffs in the station",
    "the tariffs that a 2.1 station calculates with itself",
    tariffs.InstalledTariff,
    lambda station: tariffs.ListStationTariffs(station or ""),
    lambda row: f"{row.tariff} {row.kind}",
    (
        Cell("Tariff", 20, field("tariff")),
        Cell("Kind", 14, field("kind")),
        Cell("EVSEs", 10, lambda row: " ".join(map(str, row.evses)) or "all"),
        Cell("Heard", 16, moment("heard_at"), grow=True),
    ),
    "none is known: L asks the station, N gives it one",
    ("intent.changed",),
    (
        order("L", "read", "ask the station which tariffs it holds", "Read the tariffs of",
              lambda target, _: tariffs.GetStationTariffs(station=target.station)),
        order("N", "set", "give the station a default tariff", "Set the tariff of",
              lambda target, text: tariffs.SetStationTariff(station=target.station, tariff=text.strip()),
              "tariff:"),
        order("D", "clear", "take the tariff under the cursor from the station", "Take a tariff from",
              lambda target, _: tariffs.ClearStationTariffs(
                  station=target.station, tariffs=(target.row.tariff,)), at_row=True),
    ),
    of_station=True,
)  # fmt: skip

PAYMENTS = Book(
    "payments",
    "Payments",
    "ad hoc payments, and what became of them",
    payments.PaymentView,
    lambda station: payments.ListPayments(station=station),
    lambda row: row.psp_ref,
    (
        Cell("Reference", 16, field("psp_ref")),
        Cell("State", 11, lambda row: (row.status, _PAYMENTS.get(row.status, ""))),
        Cell("Station", 14, field("station"), drop=1),
        Cell("Amount", 12, _money("amount"), right=True),
        Cell("Settled", 9, field("settled"), right=True, drop=2),
        Cell("Changed", 16, moment("changed_at"), drop=3),
        Cell("Detail", 12, field("detail"), grow=True, drop=4),
    ),
    "nobody has paid ad hoc yet",
    ("payment.",),
)

SWAPS = Book(
    "swaps",
    "Battery swaps",
    "exchanges of batteries at the station (2.1)",
    swaps.SwapView,
    lambda station: swaps.ListSwaps(station or ""),
    lambda row: str(row.id),
    (
        Cell("#", 11, field("id"), right=True),
        Cell("State", 10, field("status")),
        Cell("Token", 16, field("token")),
        Cell("Came", 14, lambda row: " ".join(row.came)),
        Cell("Went", 14, lambda row: " ".join(row.went)),
        Cell("Began", 16, moment("began_at"), grow=True, drop=1),
    ),
    "no battery was swapped: N lets somebody begin",
    ("battery.",),
    (
        order("N", "swap", "let the holder of a token swap batteries", "Begin a battery swap at",
              lambda target, text: swaps.RequestSwap(station=target.station, token=text.strip()), "token:"),
    ),
    of_station=True,
)  # fmt: skip

BATTERIES = Book(
    "batteries",
    "Batteries",
    "the batteries a station told of (2.1)",
    swaps.BatteryView,
    lambda station: swaps.ListBatteries(station or ""),
    lambda row: row.id,
    (
        Cell("Serial", 20, field("id")),
        Cell("EVSE", 4, field("evse"), right=True),
        Cell("Where", 8, lambda row: "inside" if row.inside else ("gone", "dim")),
        Cell("SoC %", 6, field("soc_percent"), right=True),
        Cell("SoH %", 6, field("soh_percent"), right=True),
        Cell("Heard", 16, moment("heard_at"), grow=True),
    ),
    "the station told of no battery",
    ("battery.",),
    of_station=True,
)

BOOKS = (TARIFFS, TARIFF_USES, STATION_TARIFFS, PAYMENTS, SWAPS, BATTERIES)
