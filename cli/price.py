"""``cms price``: why a session costs what it costs, and what sessions would cost otherwise."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.files import text_of
from cli.noun import flags_of, group
from cli.render import Column, kwh, show_list, show_one, show_pairs, when
from cli.times import earlier
from cms.client import ask
from cms.contract import prices
from cms.contract.money import money

#: A hundred thousand sessions are priced in some minutes.
_PATIENCE_S = 900.0

app = group("Prices: why a session costs what it costs, and what it would have cost otherwise.")


def paid(value: Any) -> str:
    """An amount with its currency, as people write it."""
    return "" if not value else money(value["amount"], value["currency"])


def _percent(value: Any) -> str:
    return "" if value is None else f"{value} %"


def _span(value: Any) -> str:
    return "" if value is None else f"{value // 3600}:{value % 3600 // 60:02d} h"


def _quantity(value: Any) -> str:
    return f"{value}".rstrip("0").rstrip(".") if "." in f"{value}" else f"{value}"


LINES = (
    Column("what"),
    Column("since", "from", when, wide=True),
    Column("until", "to", when, wide=True),
    Column("quantity", show=_quantity, right=True),
    Column("unit"),
    Column("price", right=True),
    Column("vat_percent", "VAT %", right=True),
    Column("net", right=True),
    Column("vat", "VAT", right=True),
    Column("gross", right=True),
    Column("tariff"),
    Column("why"),
)
STATIONS = (
    Column("id", "station"),
    Column("sessions", right=True),
    Column("energy_wh", "energy", kwh, right=True),
    Column("before", show=paid, right=True),
    Column("after", show=paid, right=True),
    Column("change", show=paid, right=True),
    Column("change_percent", "change %", _percent, right=True),
    Column("unpriced", right=True, wide=True),
)
EXPLANATION = (Column("session"), Column("gross"), Column("currency"), Column("tariffs"), Column("reasons"))
SIMULATION = (Column("tariff"), Column("sessions"), Column("before", show=paid), Column("after", show=paid))


@app.command()
def explain(ctx: typer.Context, session: Annotated[str, typer.Argument(metavar="SESSION")]) -> None:
    """Every line of what a session costs, so far or in the end: which price, of which tariff, and why."""
    flags = flags_of(ctx)
    told = ask(prices.ExplainPrice(session), flags.address, flags.patience_s)
    if flags.output not in ("table", "wide"):
        show_one(told, EXPLANATION, flags, "session")
        return
    show_list(told["lines"], LINES, flags, "what")
    print()
    total = paid({"amount": told["gross"], "currency": told["currency"]})
    vat = paid({"amount": told["vat"], "currency": told["currency"]})
    pairs = [
        ("total", f"{total}, {vat} of it VAT" + ("" if told["final"] else ", so far")),
        ("energy", kwh(told["energy_wh"])),
        ("charging", _span(told["charging_s"])),
        ("not charging", _span(told["idle_s"])),
        *(("because", reason) for reason in told["reasons"]),
    ]
    show_pairs(pairs)


@app.command()
def simulate(
    ctx: typer.Context,
    tariff: Annotated[str, typer.Option("--tariff", metavar="FILE|TARIFF", help="A file, or a tariff.")],
    last: Annotated[str, typer.Option("--last", metavar="SPAN", help="e.g. 30d, or since when.")] = "30d",
    until: Annotated[str | None, typer.Option("--until", metavar="TIME")] = None,
    site: Annotated[str | None, typer.Option("--site", metavar="SITE")] = None,
    station: Annotated[str | None, typer.Option("--station", metavar="STATION")] = None,
) -> None:
    """What the sessions of the last time would have brought by another tariff, by station and in total."""
    flags = flags_of(ctx)
    is_file = tariff == "-" or Path(tariff).is_file()
    request = prices.SimulateTariff(
        since=earlier(last).astimezone(UTC),
        until=None if until is None else earlier(until).astimezone(UTC),
        tariff=None if is_file else tariff,
        text=text_of(tariff) if is_file else None,
        site=site,
        station=station,
    )
    told = ask(request, flags.address, max(flags.patience_s, _PATIENCE_S))
    if flags.output not in ("table", "wide"):
        if flags.output in ("csv", "jsonl", "name"):
            show_list(told["stations"], STATIONS, flags)
        else:
            show_one(told, SIMULATION, flags, "tariff")
        return
    total = {**told, "id": "all", "energy_wh": sum(row["energy_wh"] for row in told["stations"])}
    show_list([*told["stations"], total], STATIONS, flags)
    for remark in told["remarks"]:
        note(remark, flags.quiet)
