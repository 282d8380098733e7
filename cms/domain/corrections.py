"""Bills changed by hand: a correction is a line of its own, with its rate of tax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from cms.contract.tariffs import Bill, BillLine, VatPart
from cms.domain import costs
from cms.domain.evolve import evolve

CORRECTION = "correction"
_ZERO, _ONE = Decimal(0), Decimal(1)


def line(gross: Decimal, vat_percent: Decimal, currency: str) -> BillLine:
    """So much more (or less), taxes included."""
    net = costs.rounded(gross / (1 + vat_percent / 100), currency)
    return BillLine(
        what=CORRECTION,
        tariff=None,
        since=None,
        until=None,
        quantity=_ONE,
        unit="session",
        price=net,
        vat_percent=vat_percent,
        net=net,
        vat=gross - net,
        gross=gross,
    )


def with_lines(bill: Bill, more: Sequence[BillLine]) -> Bill:
    """The bill with these lines: each of its sums grows by theirs."""
    if not more:
        return bill
    vat = tuple(summed([*bill.vat, *(VatPart(x.vat_percent, x.net, x.vat, x.gross) for x in more)]))
    return evolve(
        bill,
        lines=(*bill.lines, *more),
        vat=vat,
        net=sum((part.net for part in vat), _ZERO),
        gross=sum((part.gross for part in vat), _ZERO),
    )


def carried(bill: Bill, before: Bill) -> Bill:
    """The bill with what the one before was corrected by, in the same currency."""
    if bill.currency != before.currency:
        return bill
    return with_lines(bill, [each for each in before.lines if each.what == CORRECTION])


def rate_of(bill: Bill) -> Decimal | None:
    """The rate of tax of all of its lines; None where they differ."""
    rates = {part.percent for part in bill.vat}
    return rates.pop() if len(rates) == 1 else None


def summed(parts: Iterable[VatPart]) -> list[VatPart]:
    """One part a rate, lowest first."""
    found: dict[Decimal, VatPart] = {}
    for part in parts:
        known = found.get(part.percent, VatPart(part.percent, _ZERO, _ZERO, _ZERO))
        found[part.percent] = VatPart(
            part.percent, known.net + part.net, known.vat + part.vat, known.gross + part.gross
        )
    return [found[percent] for percent in sorted(found)]
