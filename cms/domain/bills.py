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
from itertools import repeat

from cms.contract.tariffs import Bill, BillLine, Bound, Tariff, VatPart
from cms.domain.money import added, decimal, minor_units, money, nearest, rounded, shared
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
    incl_tax: Fraction
    factor: Fraction = _ONE
    percent: Decimal = Decimal(0)
    since: datetime | None = None
    until: datetime | None = None

    @property
    def excl_tax(self) -> Fraction:
        return self.incl_tax / self.factor


@record
class Total:
    """A calculation. ``kind``: normal, minimum, maximum. Nothing is rounded yet.

    ``untaxed`` is what somebody else calculated before taxes; else it follows from the lines.
    """

    currency: str
    incl_tax: Fraction
    kind: str = "normal"
    lines: tuple[Line, ...] = field(default_factory=tuple)
    untaxed: Fraction | None = None

    @property
    def excl_tax(self) -> Fraction:
        if self.untaxed is not None:
            return self.untaxed
        return added(line.excl_tax for line in self.lines)

    @property
    def payable(self) -> Decimal:
        return rounded(self.incl_tax, self.currency)


def taxed(what: str, excl: Decimal, incl: Decimal) -> Line:
    """A line that somebody else calculated."""
    net, gross = Fraction(excl), Fraction(incl)
    # What cannot be a rate of tax is none: the amount with taxes is what is owed.
    factor = gross / net if net and 0 < gross / net <= 2 else _ONE
    return Line(what, None, _ONE, "session", excl, gross, factor, percent_of(factor))


def percent_of(factor: Fraction) -> Decimal:
    return decimal((factor - 1) * 100).normalize() + 0


def bill(total: Total) -> Bill:
    """The calculation in whole coins."""
    currency, coin = total.currency, 10 ** minor_units(total.currency)
    gross = nearest(total.incl_tax.numerator * coin, total.incl_tax.denominator)
    shares = shared(
        gross, [(line.incl_tax.numerator * coin, line.incl_tax.denominator) for line in total.lines]
    )
    nets = list(shares)
    parts = []
    for percent, places in _by_rate(total.lines):
        taxed_part = sum(shares[index] for index in places)
        net = _untax(places, shares, nets, total.lines[places[0]].factor)
        of_rate = (money(net, currency), money(taxed_part - net, currency), money(taxed_part, currency))
        parts.append(VatPart(percent, *of_rate))
    lines = tuple(map(_bill_line, total.lines, shares, nets, repeat(currency)))
    return Bill(currency, lines, tuple(parts), money(sum(nets), currency), money(gross, currency), total.kind)


def _by_rate(lines: Sequence[Line]) -> list[tuple[Decimal, Sequence[int]]]:
    """Rates of tax, lowest first, with the places of their lines; mostly there is one."""
    if not lines:
        return []
    first = lines[0].percent
    if all(line.percent == first for line in lines):
        return [(first, range(len(lines)))]
    rates = sorted({line.percent for line in lines})
    return [(rate, [at for at, line in enumerate(lines) if line.percent == rate]) for rate in rates]


def _untax(places: Sequence[int], shares: Sequence[int], nets: list[int], factor: Fraction) -> int:
    """What one rate leaves of the lines it is levied on, entered in ``nets``."""
    top, bottom = factor.numerator, factor.denominator
    taxed_part = sum(shares[index] for index in places)
    if top == bottom:
        return taxed_part
    net = nearest(taxed_part * bottom, top)
    for index, share in zip(places, shared(net, [(shares[i] * bottom, top) for i in places]), strict=True):
        nets[index] = share
    return net


def _bill_line(line: Line, gross: int, net: int, currency: str) -> BillLine:
    return BillLine(
        line.what,
        line.tariff,
        line.since,
        line.until,
        decimal(line.quantity),
        line.unit,
        line.price,
        line.percent,
        money(net, currency),
        money(gross - net, currency),
        money(gross, currency),
    )


Said = tuple[Fraction | None, Fraction | None]
"""An amount before taxes and after, as far as it was said."""


def bounds_of(tariff: Tariff) -> tuple[tuple[str, Said], ...]:
    """The least and the most that a tariff allows."""
    known = (("minimum", tariff.min_cost), ("maximum", tariff.max_cost))
    return tuple((kind, _amounts(bound)) for kind, bound in known if bound is not None)


def bounded(lines: tuple[Line, ...], bounds: Sequence[tuple[str, Said]], tariff: Tariff) -> Total:
    """The least or most that the tariff allows, as lines of its own: one for each rate of tax that it changes."""
    incl = added(line.incl_tax for line in lines)
    for kind, said in bounds:
        excl = added(line.excl_tax for line in lines) if said[0] is not None else _NOTHING
        beyond = [
            amount is not None and (amount > found if kind == "minimum" else amount < found)
            for amount, found in zip(said, (excl, incl), strict=True)
        ]
        if any(beyond):
            more = _adjusted(kind, said, lines, tariff, all(beyond))
            return Total(tariff.currency, incl + added(x.incl_tax for x in more), kind, (*lines, *more))
    return Total(tariff.currency, incl, "normal", lines)


def _amounts(bound: Bound) -> Said:
    """The bound before and after taxes; where it names its taxes one follows from the other."""
    excl = None if bound.excl_tax is None else Fraction(bound.excl_tax)
    incl = None if bound.incl_tax is None else Fraction(bound.incl_tax)
    if bound.taxes:
        factor = tax_factor(bound.taxes)
        excl = incl / factor if excl is None and incl is not None else excl
        incl = excl * factor if incl is None and excl is not None else incl
    return excl, incl


def _adjusted(
    kind: str,
    said: Said,
    lines: Sequence[Line],
    tariff: Tariff,
    both: bool,
) -> tuple[Line, ...]:
    """The lines that make a calculation no more or no less than its bound.

    A bound that says how it is taxed is the whole price then. Else each rate keeps its share.
    """
    sums: dict[Fraction, Fraction] = {}
    for line in lines:
        sums[line.factor] = sums.get(line.factor, _NOTHING) + line.incl_tax
    excl, incl = said
    if both and excl and incl is not None:
        goal = {**dict.fromkeys(sums, _NOTHING), incl / excl: incl}
    else:
        goal = _scaled(kind, said, sums, tariff)
    amount = excl if incl is None else incl
    assert amount is not None
    price = decimal(amount).normalize() + 0
    more = {factor: gross - sums.get(factor, _NOTHING) for factor, gross in goal.items()}
    return tuple(
        Line(kind, tariff.id, _ONE, "session", price, gross, factor, percent_of(factor))
        for factor, gross in more.items()
        if gross
    )


def _scaled(
    kind: str,
    said: Said,
    sums: dict[Fraction, Fraction],
    tariff: Tariff,
) -> dict[Fraction, Fraction]:
    """The gross of each rate, all by the same share, so that what is said of either amount holds."""
    strictest = max if kind == "minimum" else min
    excl = sum((gross / factor for factor, gross in sums.items()), _NOTHING)
    incl = sum(sums.values(), _NOTHING)
    if excl <= 0 or incl <= 0:
        # Nothing to share by: it is taxed as the first thing is that the tariff has a price of.
        factor = _first_factor(tariff)
        gross = [a * f for a, f in zip(said, (factor, _ONE), strict=True) if a is not None]
        return {**dict.fromkeys(sums, _NOTHING), factor: strictest(gross)}
    share = strictest(a / found for a, found in zip(said, (excl, incl), strict=True) if a is not None)
    return {factor: gross * share for factor, gross in sums.items()}


def _first_factor(tariff: Tariff) -> Fraction:
    for _, component in components(tariff):
        taxes = component.prices[0].taxes
        return tax_factor(component.taxes if taxes is None else taxes)
    return _ONE
