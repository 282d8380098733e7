"""Why a session costs what it costs: each line of its bill in words, and what no line says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from cms.contract.prices import ExplainedLine
from cms.contract.tariffs import Bill, BillLine, Component, Price, Tariff
from cms.domain import pricewords
from cms.domain.assignment import Rung
from cms.domain.money import minor_units
from cms.domain.tariffs import components

_FIELDS = {
    "energy": "energy",
    "charging-time": "charging_time",
    "idle-time": "idle_time",
    "fixed-fee": "fixed_fee",
    "reservation-time": "reservation_time",
    "reservation-fixed": "reservation_fixed",
}
_WORDS = pricewords.Words("en")


def lines(bill: Bill, tariffs: Mapping[str, Tariff]) -> tuple[ExplainedLine, ...]:
    """Every line of the bill with why it is there."""
    return tuple(_line(line, tariffs.get(line.tariff or "")) for line in bill.lines)


def _line(line: BillLine, tariff: Tariff | None) -> ExplainedLine:
    return ExplainedLine(
        what=line.what,
        tariff=line.tariff,
        since=line.since,
        until=line.until,
        quantity=line.quantity,
        unit=line.unit,
        price=line.price,
        vat_percent=line.vat_percent,
        net=line.net,
        vat=line.vat,
        gross=line.gross,
        why=_why(line, tariff),
    )


def _why(line: BillLine, tariff: Tariff | None) -> str:
    if tariff is None:
        return "as the station calculated it"
    if line.what in ("minimum", "maximum"):
        least = line.what == "minimum"
        return f"the {'least' if least else 'most'} that {tariff.id} lets a session cost"
    component: Component | None = getattr(tariff, _FIELDS.get(line.what, ""), None)
    if component is None:
        return f"a price of {tariff.id}"
    place = next((i for i, price in enumerate(component.prices) if _is(price, line)), None)
    if place is None:
        return f"a price of {tariff.id}"
    price, count = component.prices[place], len(component.prices)
    which = "its only price" if count == 1 else f"price {place + 1} of {count}, the first that held"
    conditions = ", ".join(pricewords.conditions(price, _WORDS))
    kind = "with VAT" if tariff.tax_included else "before VAT"
    return f"{which}: {conditions}; {kind}" if conditions else f"{which}; {kind}"


def _is(price: Price, line: BillLine) -> bool:
    return price.amount == line.price and price.per_hour == (line.unit == "h")


def reasons(
    bill: Bill,
    timeline: Mapping[str, Tariff],
    rung: Rung | None,
    zone: str,
    charging_s: int,
    idle_s: int,
) -> Iterator[str]:
    """What no line says: whose tariff it is, where times of day are meant, what cost nothing, how it was rounded."""
    for version, tariff in timeline.items():
        yield f"{version}: {_by_rung(version, rung)}"
        yield from _free(tariff, bill, charging_s, idle_s)
        yield from _bounds(tariff, bill)
        yield from _steps(tariff)
    if any(
        price.when is not None
        for tariff in timeline.values()
        for _, c in components(tariff)
        for price in c.prices
    ):
        yield f"times of day and days are those of {zone}"
    coin = Decimal(1).scaleb(-minor_units(bill.currency))
    yield f"rounded once, at the end, to {coin:f} {bill.currency}, halves up; lines and VAT are parts of that sum"


def _by_rung(version: str, rung: Rung | None) -> str:
    if rung is None or rung.version is None:
        return "nothing is assigned there any more as it was when the session began"
    if rung.version != version:
        return (
            f"given by hand or by what was assigned then; today's register says {rung.version} ({rung.name})"
        )
    pinned = "" if rung.assigned == version else f", the version of {rung.assigned} that was valid then"
    return f"assigned by {rung.name}{pinned}"


def _free(tariff: Tariff, bill: Bill, charging_s: int, idle_s: int) -> Iterator[str]:
    """Time that no line is about."""
    charged = {line.what for line in bill.lines}
    if idle_s and tariff.idle_time is None:
        yield f"{_WORDS.span(idle_s)} without charging cost nothing: {tariff.id} has no price for them"
    elif idle_s and "idle-time" not in charged:
        yield f"{_WORDS.span(idle_s)} without charging cost nothing: no price for them held (grace, hours)"
    elif tariff.idle_time is not None and "idle-time" in charged:
        grace = [p.when.min_idle_s for p in tariff.idle_time.prices if p.when and p.when.min_idle_s]
        if grace:
            yield f"the first {_WORDS.span(min(grace))} without charging are free"
    if charging_s and tariff.charging_time is not None and "charging-time" not in charged:
        yield f"{_WORDS.span(charging_s)} of charging cost nothing: no price for them held"


def _bounds(tariff: Tariff, bill: Bill) -> Iterator[str]:
    for name, bound in (("least", tariff.min_cost), ("most", tariff.max_cost)):
        if bound is None:
            continue
        decided = bill.kind == ("minimum" if name == "least" else "maximum")
        amount = pricewords.bound(tariff, bound, _WORDS)
        yield f"the {name} a session costs is {amount}: {'it decided' if decided else 'it did not matter'}"


def _steps(tariff: Tariff) -> Iterator[str]:
    for name, component in components(tariff):
        if any(price.step is not None and price.step > 1 for price in component.prices):
            yield f"{name.replace('_', ' ')} is rounded up to whole steps, once for the session"
