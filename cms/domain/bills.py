"""From an exact calculation to a bill in whole coins.

The rule of rounding: the gross amount is rounded once, halves up. Its lines are shares of it in whole coins (the
largest remainders get what is left over), and so sum to it. Of each rate of tax the net is what the rate leaves of the
rounded gross, rounded once; what is left is the tax. Nets of lines are shares of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from cms.contract.tariffs import Bill, BillLine, Bound, Tariff, VatPart
from cms.domain.money import decimal, exact, minor_units, money, rounded, shared, whole
from cms.domain.record import record
from cms.domain.tariffs import components, tax_factor

_ONE, _NOTHING = Fraction(1), Fraction(0)


@record
class Line:
    """One line of a calculation, exactly; ``factor`` is what its taxes make of 1, ``percent`` the same for people."""

    what: str
    tariff: str | None
    quantity: Fraction
    unit: str
    price: Decimal
    excl_tax: Fraction
    incl_tax: Fraction
    factor: Fraction = _ONE
    percent: Decimal = Decimal(0)
    since: datetime | None = None
    until: datetime | None = None


@record
class Total:
    """A calculation. ``kind``: normal, minimum, maximum. Nothing is rounded yet."""

    currency: str
    excl_tax: Fraction
    incl_tax: Fraction
    kind: str = "normal"
    lines: tuple[Line, ...] = field(default_factory=tuple)

    @property
    def payable(self) -> Decimal:
        return rounded(self.incl_tax, self.currency)


def taxed(what: str, excl: Decimal, incl: Decimal) -> Line:
    """A line that somebody else calculated."""
    net, gross = Fraction(excl), Fraction(incl)
    factor = gross / net if net else _ONE
    return Line(what, None, _ONE, "session", excl, net, gross, factor, percent_of(factor))


def percent_of(factor: Fraction) -> Decimal:
    return decimal((factor - 1) * 100).normalize() + 0


def bill(total: Total) -> Bill:
    """The calculation in whole coins."""
    currency, coin = total.currency, 10 ** minor_units(total.currency)
    gross = whole(exact(total.incl_tax * coin))
    shares = shared(gross, [exact(line.incl_tax * coin) for line in total.lines])
    nets = [0] * len(shares)
    parts = []
    rates: dict[Decimal, list[int]] = {}
    for index, line in enumerate(total.lines):
        rates.setdefault(line.percent, []).append(index)
    for percent in sorted(rates):
        places = rates[percent]
        factor = total.lines[places[0]].factor
        net = _untaxed(places, shares, nets, factor)
        whole_part = sum(shares[index] for index in places)
        parts.append(VatPart(percent, *(money(c, currency) for c in (net, whole_part - net, whole_part))))
    lines = tuple(
        _bill_line(line, gross_of_line, net_of_line, currency)
        for line, gross_of_line, net_of_line in zip(total.lines, shares, nets, strict=True)
    )
    return Bill(currency, lines, tuple(parts), money(sum(nets), currency), money(gross, currency), total.kind)


def _untaxed(places: Sequence[int], shares: Sequence[int], nets: list[int], factor: Fraction) -> int:
    """What one rate leaves of the lines it is levied on; entered in ``nets``."""
    if factor == 1:
        for index in places:
            nets[index] = shares[index]
        return sum(shares[index] for index in places)
    net = whole(exact(sum(shares[index] for index in places) / factor))
    for index, share in zip(places, shared(net, [shares[index] / factor for index in places]), strict=True):
        nets[index] = share
    return net


def _bill_line(line: Line, gross: int, net: int, currency: str) -> BillLine:
    return BillLine(
        what=line.what,
        tariff=line.tariff,
        since=line.since,
        until=line.until,
        quantity=decimal(line.quantity),
        unit=line.unit,
        price=line.price,
        vat_percent=line.percent,
        net=money(net, currency),
        vat=money(gross - net, currency),
        gross=money(gross, currency),
    )


def bounded(lines: tuple[Line, ...], tariff: Tariff) -> Total:
    """The least or most that the tariff allows, as lines of its own: one for each rate of tax that it changes."""
    excl = sum((line.excl_tax for line in lines), _NOTHING)
    incl = sum((line.incl_tax for line in lines), _NOTHING)
    for kind, bound, sign in (("minimum", tariff.min_cost, 1), ("maximum", tariff.max_cost, -1)):
        if bound is None:
            continue
        least, most = _amounts(bound)
        beyond = [
            said is not None and (said - found) * sign > 0 for said, found in ((least, excl), (most, incl))
        ]
        if any(beyond):
            more = _adjusted(kind, bound, lines, tariff, all(beyond))
            lines = (*lines, *more)
            excl += sum(line.excl_tax for line in more)
            incl += sum(line.incl_tax for line in more)
            return Total(tariff.currency, excl, incl, kind, lines)
    return Total(tariff.currency, excl, incl, "normal", lines)


def _amounts(bound: Bound) -> tuple[Fraction | None, Fraction | None]:
    """The bound before and after taxes; where it names its taxes one follows from the other."""
    excl = None if bound.excl_tax is None else Fraction(bound.excl_tax)
    incl = None if bound.incl_tax is None else Fraction(bound.incl_tax)
    if bound.taxes:
        factor = tax_factor(bound.taxes)
        excl = incl / factor if excl is None and incl is not None else excl
        incl = excl * factor if incl is None and excl is not None else incl
    return excl, incl


def _adjusted(kind: str, bound: Bound, lines: Sequence[Line], tariff: Tariff, both: bool) -> tuple[Line, ...]:
    """The lines that make a calculation no more or no less than its bound.

    A bound that says how it is taxed is the whole price then. Else each rate keeps its share.
    """
    said = _amounts(bound)
    sums: dict[Fraction, Fraction] = {}
    for line in lines:
        sums[line.factor] = sums.get(line.factor, _NOTHING) + line.excl_tax
    excl, incl = said
    goal: dict[Fraction, Fraction]
    if both and excl and incl is not None:
        goal = {**dict.fromkeys(sums, _NOTHING), incl / excl: excl}
    else:
        goal = _scaled(kind, said, sums, tariff)
    found = []
    for factor, net in goal.items():
        more = net - sums.get(factor, _NOTHING)
        if more:
            price = excl if excl is not None else incl
            assert price is not None
            found.append(
                Line(
                    kind,
                    tariff.id,
                    _ONE,
                    "session",
                    decimal(price).normalize() + 0,
                    more,
                    more * factor,
                    factor,
                    percent_of(factor),
                )
            )
    return tuple(found)


def _scaled(
    kind: str,
    said: tuple[Fraction | None, Fraction | None],
    sums: dict[Fraction, Fraction],
    tariff: Tariff,
) -> dict[Fraction, Fraction]:
    """The net of each rate, all by the same share, so that what is said of either amount holds."""
    nets = sum(sums.values(), _NOTHING)
    whole_sum = sum((net * factor for factor, net in sums.items()), _NOTHING)
    if nets <= 0 or whole_sum <= 0:
        # Nothing to share by: the rate of the first thing that the tariff has a price of.
        factor = _first_factor(tariff)
        wanted = max(
            amount
            for amount in (said[0], None if said[1] is None else said[1] / factor)
            if amount is not None
        )
        if kind == "maximum":
            wanted = min(
                amount
                for amount in (said[0], None if said[1] is None else said[1] / factor)
                if amount is not None
            )
        return {**dict.fromkeys(sums, _NOTHING), factor: wanted}
    shares = [
        amount / found for amount, found in ((said[0], nets), (said[1], whole_sum)) if amount is not None
    ]
    share = max(shares) if kind == "minimum" else min(shares)
    return {factor: net * share for factor, net in sums.items()}


def _first_factor(tariff: Tariff) -> Fraction:
    for _, component in components(tariff):
        taxes = component.prices[0].taxes
        return tax_factor(component.taxes if taxes is None else taxes)
    return _ONE
