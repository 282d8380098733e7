"""A session's price as a sheet of text: each line with its reason, then what no line says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.contract.money import money

if TYPE_CHECKING:
    from cms.contract.prices import ExplainedLine, Explanation


def sheet(told: Explanation) -> list[str]:
    """Lines to read, the sum first."""
    sofar = "" if told.final else " so far"
    vat = money(told.vat, told.currency)
    head = f"{money(told.gross, told.currency)}{sofar}, {vat} of it VAT · {told.energy_wh / 1000:.2f} kWh"
    lines = [head, f"charging {_span(told.charging_s)}, not charging {_span(told.idle_s)}", ""]
    for line in told.lines:
        lines += [_line(line, told.currency), f"    {line.why}"]
    return [*lines, "", *(f"· {reason}" for reason in told.reasons)]


def _line(line: ExplainedLine, currency: str) -> str:
    quantity = (
        f"{line.quantity:f}".rstrip("0").rstrip(".") if "." in f"{line.quantity:f}" else f"{line.quantity:f}"
    )
    price = money(line.price, currency)
    return (
        f"{line.what}: {quantity} {line.unit} x {price}, VAT {line.vat_percent:f} %: "
        f"{money(line.net, currency)} + {money(line.vat, currency)} = {money(line.gross, currency)}"
    )


def _span(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d} h"
