"""``cms usage``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.flags import Flags, near
from cli.money import amount
from cli.noun import flags_of, group
from cli.render import Column, Row, select, show_list, show_one
from cli.times import earlier
from cms.client import ask
from cms.contract.refusals import Invalid
from cms.contract.usage import GROUPINGS, MEASURES, TIMES, ShowUsage

app = group("How much the network is used: sessions, energy, revenue, utilisation, success.")

TOTAL = "total"
#: Reports of a year of many stations take longer than other answers.
_PATIENCE_S = 60.0


def _kwh(value: Any) -> str:
    return "" if value is None else f"{value / 1000:,.1f}"


def _kw(value: Any) -> str:
    return "" if value is None else f"{value / 1000:,.1f}"


def _hours(value: Any) -> str:
    return "" if value is None else f"{value / 3600:,.1f}"


def _percent(value: Any) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def _money(value: Any) -> str:
    return ", ".join(map(amount, value or ()))


def _change(value: Any) -> str:
    return "" if value is None else f"{value:+.1f} %"


#: What is said of each measure; ``usage.`` is left out.
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "sessions": (
        Column("sessions", right=True),
        Column("running", right=True, wide=True),
    ),
    "energy": (
        Column("energy_wh", "kWh", _kwh, right=True),
        Column("peak_w", "peak kW", _kw, right=True, wide=True),
    ),
    "revenue": (
        Column("revenue", show=_money, right=True),
        Column("unpriced", right=True, wide=True),
    ),
    "utilisation": (
        Column("connected_s", "connected h", _hours, right=True, wide=True),
        Column("charging_s", "charging h", _hours, right=True, wide=True),
        Column("available_s", "in service h", _hours, right=True, wide=True),
        Column("utilisation", "used", _percent, right=True),
    ),
    "success": (
        Column("starts", right=True, wide=True),
        Column("failed", right=True),
        Column("success", show=_percent, right=True),
    ),
}
#: The field by which a measure is compared and drawn.
_MAIN = {
    "sessions": "sessions",
    "energy": "energy_wh",
    "revenue": "revenue",
    "utilisation": "utilisation",
    "success": "success",
}
_UNITS: dict[str, tuple[float, str]] = {
    "sessions": (1, ""),
    "energy": (1000, " kWh"),
    "revenue": (1, ""),
    "utilisation": (0.01, " %"),
    "success": (0.01, " %"),
}

Option = Annotated[str | None, typer.Option(metavar="NAME")]


@app.command()
def show(
    ctx: typer.Context,
    by: Annotated[str, typer.Option("--by", metavar="WORD", help="|".join(GROUPINGS))] = "day",
    measure: Annotated[
        str | None, typer.Option("--measure", metavar="WORD,WORD", help=f"{'|'.join(MEASURES)}; else all.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--last", metavar="SPAN", help="24h, 30d, 4w, 12m (months), 1y; else 30d.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="A date of the site's, or an instant.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to this date, which is no part.")
    ] = None,
    site: Option = None,
    station: Option = None,
    driver: Option = None,
    tariff: Option = None,
    compare: Annotated[bool, typer.Option("--compare", help="With the span before, as long.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw it: one picture for each measure.")] = False,
) -> None:
    """A report of usage by time, place, driver or tariff."""
    flags = flags_of(ctx)
    measures = _measures(measure)
    if plot and flags.output not in ("table", "wide"):
        raise Invalid(
            f"--plot draws for people, -o {flags.output} writes for programs", "leave one of them out"
        )
    request = ShowUsage(
        by=by,
        last=last,
        **_bound("since", since),
        **_bound("until", until),
        site=site,
        station=station,
        driver=driver,
        tariff=tariff,
        compare=compare,
    )
    report = ask(request, flags.address, max(flags.patience_s, _PATIENCE_S))
    if plot:
        sys.stdout.writelines(f"{line}\n" for line in _drawn(report, measures))
    elif flags.output in ("json", "yaml"):
        show_one(report, (), flags)
    else:
        _tell(report, measures, flags)


def _measures(text: str | None) -> list[str]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()] or list(MEASURES)
    for name in names:
        if name not in MEASURES:
            raise Invalid(f"There is no measure {name!r}", near(name, list(MEASURES)))
    return names


def _bound(name: str, text: str | None) -> dict[str, Any]:
    """A date is a day of the site's clock, which the daemon knows; everything else an instant."""
    if text is None:
        return {}
    try:
        return {f"{name}_day": date.fromisoformat(text)}
    except ValueError:
        return {name: earlier(text)}


# Numbers


def _tell(report: Row, measures: Sequence[str], flags: Flags) -> None:
    rows = [_flat(row["key"], row["title"], row, measures) for row in report["rows"]]
    rows = select(rows, flags)
    if flags.output in ("table", "wide"):
        rows.append(_flat(TOTAL, TOTAL, _whole(report), measures))
    if flags.output == "csv":
        rows = [_in_a_sheet(row) for row in rows]
    columns = _columns(measures, compared=report["before"] is not None)
    show_list(rows, columns, flags, name="key")


def _whole(report: Row) -> Row:
    return {
        "usage": report["total"],
        "before": report["before"],
        "since": report["since"],
        "until": report["until"],
    }


def _columns(measures: Sequence[str], *, compared: bool) -> list[Column]:
    found = [Column("title", "group"), Column("since", wide=True), Column("until", wide=True)]
    for measure in measures:
        found += _COLUMNS[measure]
        if compared:
            before = next(column for column in _COLUMNS[measure] if column.key == _MAIN[measure])
            found.append(Column(f"before.{before.key}", "before", before.show, right=True))
            found.append(Column(f"change.{measure}", "change", _change, right=True))
    return found


def _flat(key: str, title: str, row: Row, measures: Sequence[str]) -> Row:
    """A row without its inner object: ``energy_wh`` stands for ``usage.energy_wh``."""
    fields = [field for measure in measures for field in _fields(measure)]
    told: Row = {"key": key, "title": title, "since": row["since"], "until": row["until"]}
    told |= {field: row["usage"][field] for field in fields}
    if row["before"] is not None:
        told["before"] = {field: row["before"][field] for field in fields}
        told["change"] = {name: change(row["usage"], row["before"], name) for name in measures}
    return told


def _fields(measure: str) -> tuple[str, ...]:
    return (*MEASURES[measure], "running") if measure == "sessions" else MEASURES[measure]


def _in_a_sheet(row: Row) -> Row:
    """Every value in a column of its own; money with its currency beside it."""
    told: Row = {}
    for key, value in row.items():
        match key, value:
            case (("before" | "change"), dict()):
                told |= {f"{key}_{name}": inner for name, inner in _in_a_sheet(value).items()}
            case "revenue", list() | None:
                told |= _sheet_money(value)
            case _:
                told[key] = value
    return told


def _sheet_money(value: Any) -> Row:
    """One currency as a number; of several each with its name."""
    if value and len(value) == 1:
        return {"revenue": value[0]["amount"], "currency": value[0]["currency"]}
    return {"revenue": _plainly(value), "currency": None}


def _plainly(value: Any) -> str | None:
    return ", ".join(f"{money['amount']} {money['currency']}" for money in value) if value else None


def change(now: Row, before: Row, measure: str) -> float | None:
    """The change in per cent; of shares in percentage points. None where there was nothing, or two currencies."""
    new, old = (_value(usage, measure) for usage in (now, before))
    if new is None or old is None:
        return None
    if measure in ("utilisation", "success"):
        return round((new - old) * 100, 1)
    return round((new - old) / old * 100, 1) if old else None


def _value(usage: Row, measure: str) -> float | None:
    """The figure of a measure; money only where it is of one currency."""
    value = usage[_MAIN[measure]]
    if measure != "revenue":
        return None if value is None else float(value)
    if not value:
        return None if value is None else 0.0
    return float(Decimal(value[0]["amount"])) if len(value) == 1 else None


# Pictures


def _drawn(report: Row, measures: Sequence[str]) -> Iterator[str]:
    """A picture for each measure, each under its title, with the total."""
    width = shutil.get_terminal_size((80, 24)).columns
    for number, measure in enumerate(measures):
        if number:
            yield ""
        for currency in _currencies(report) if measure == "revenue" else ("",):
            yield _heading(report, measure, currency)
            yield from _picture(report, measure, currency, width)


def _currencies(report: Row) -> list[str]:
    return [money["currency"] for money in report["total"]["revenue"] or ()] or [""]


def _heading(report: Row, measure: str, currency: str) -> str:
    span = f"{report['since'][:10]} to {report['until'][:10]}, {report['time_zone']}"
    size, unit = _UNITS[measure]
    total = _figure(report["total"], measure, currency)
    said = (
        "" if total is None else f": {total / size:,.1f}{unit or f' {currency}'.rstrip()}".replace(".0 ", " ")
    )
    return f"{measure} by {report['by']}{said.removesuffix('.0')}  ({span})"


def _picture(report: Row, measure: str, currency: str, width: int) -> list[str]:
    from cli import plots

    size, unit = _UNITS[measure]
    unit = unit or (f" {currency}" if currency else "")
    figures = [(row, _figure(row["usage"], measure, currency)) for row in report["rows"]]
    values = [None if value is None else value / size for _, value in figures]

    def told(value: float) -> str:
        return f"{value:,.1f}".removesuffix(".0") + unit

    if report["by"] in TIMES:
        return plots.over_time(values, [row["key"][:16] for row, _ in figures], told, width)
    named = [
        (row["key" if report["by"] == "hour-of-week" else "title"], value)
        for (row, _), value in zip(figures, values, strict=True)
    ]
    if report["by"] == "hour-of-week":
        return plots.heat_map(named, told, width)
    return plots.bars(sorted(named, key=lambda item: -(item[1] or 0)), told, width)


def _figure(usage: Row, measure: str, currency: str) -> float | None:
    if measure != "revenue":
        return _value(usage, measure)
    found = (money["amount"] for money in usage["revenue"] or () if money["currency"] == currency)
    amount_ = next(found, None)
    return None if amount_ is None else float(Decimal(amount_))
