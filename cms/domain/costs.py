"""What a session costs: the only arithmetic on money. Pure and exact; rounded once, last.

A session is a row of stretches, each from one instant to the next with the energy that flowed and whether the car
was charging. ``advance`` adds a stretch to what was counted before, at a price that does not grow with the session;
``total`` makes the bill of it. Running cost, final bill and a later calculation from the readings are these two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from cms.contract.tariffs import Bill, BillLine, CostLine, VatPart
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.tariffs import DAYS, UNITS, Bound, Price, Tariff, When, clock, components, with_taxes

_ZERO, _ONE = Decimal(0), Decimal(1)
#: Thirds of a minute leave an error in the last of 28 digits: 170 s at 0.33 a minute are half a cent, not less.
_SURE = Context(prec=24)
#: Volumes are kept to a millionth of a Wh or second.
_GRAIN = Decimal("0.000001")
#: A stretch longer than this comes from a clock that is wrong; it is not cut at midnights.
_LONGEST = timedelta(days=366)
#: Currencies whose smallest coin is not a hundredth (ISO 4217).
_DECIMALS = dict.fromkeys(("JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF", "PYG", "UGX"), 0) | dict.fromkeys(
    ("BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD"), 3
)
#: Wh or seconds, as they are counted -> what a price is per.
_PER = {"kWh": Decimal(1000), "min": Decimal(60), "session": _ONE, "reservation": _ONE}


@record
class Volume:
    """How much (Wh, seconds, times) was taken at one price of a tariff."""

    tariff: str
    component: str
    price: int
    amount: Decimal


@record
class Progress:
    """What was counted until ``at``. Energy in Wh, spans in seconds."""

    since: datetime
    at: datetime
    energy_wh: Decimal = _ZERO
    charging_s: Decimal = _ZERO
    idle_s: Decimal = _ZERO
    volumes: tuple[Volume, ...] = ()
    evse_kind: str | None = None


@record
class Stretch:
    """Until when, the energy of the whole session by then, and whether the car was charging meanwhile."""

    until: datetime
    energy_wh: Decimal
    charging: bool


Timeline = Sequence[tuple[datetime, str]]
"""Which tariff held from when, oldest first."""


@record
class Total:
    """A calculation. ``kind``: normal, minimum, maximum. ``incl_tax`` is not rounded yet."""

    currency: str
    excl_tax: Decimal
    incl_tax: Decimal
    kind: str = "normal"
    lines: tuple[CostLine, ...] = field(default_factory=tuple)

    @property
    def payable(self) -> Decimal:
        return rounded(self.incl_tax, self.currency)


def minor_units(currency: str) -> int:
    """How many decimals the currency's smallest coin has (ISO 4217)."""
    return _DECIMALS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """In the currency's smallest coin, halves up."""
    return _SURE.plus(amount).quantize(_ONE.scaleb(-_DECIMALS.get(currency, 2)), rounding=ROUND_HALF_UP)


def bill(total: Total) -> Bill:
    """The calculation in whole coins: what rounding leaves over goes to the lines that it took most from."""
    gross = total.payable
    shares = _shared(gross, [line.incl_tax for line in total.lines], total.currency)
    lines = tuple(
        _bill_line(line, share, total.currency) for line, share in zip(total.lines, shares, strict=True)
    )
    parts = []
    for percent in sorted({line.vat_percent for line in lines}):
        taxed = [line for line in lines if line.vat_percent == percent]
        net, whole = sum((x.net for x in taxed), _ZERO), sum((x.gross for x in taxed), _ZERO)
        parts.append(VatPart(percent, net, whole - net, whole))
    net = sum((part.net for part in parts), _ZERO)
    return Bill(total.currency, lines, tuple(parts), net, gross, total.kind)


def _bill_line(line: CostLine, gross: Decimal, currency: str) -> BillLine:
    percent = (line.incl_tax / line.excl_tax - 1) * 100 if line.excl_tax else _ZERO
    percent = percent.quantize(_GRAIN).normalize() + 0
    net = rounded(gross / (1 + percent / 100), currency)
    return BillLine(
        what=line.what,
        tariff=line.tariff,
        since=None,
        until=None,
        quantity=line.quantity.quantize(_GRAIN),
        unit=line.unit,
        price=line.price,
        vat_percent=percent,
        net=net,
        vat=gross - net,
        gross=gross,
    )


def _shared(whole: Decimal, parts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The whole in coins, divided as its parts are: largest remainders first."""
    coin = _ONE.scaleb(-_DECIMALS.get(currency, 2))
    floors = [part.quantize(coin, rounding=ROUND_FLOOR) for part in parts]
    left = int((whole - sum(floors, _ZERO)) / coin)
    order = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    for index in order[:left]:
        floors[index] += coin
    return floors


def begin(since: datetime, tariff: Tariff | None, evse_kind: str | None = None) -> Progress:
    """A session that begins: the fixed fee is due (its conditions are judged at the start)."""
    progress = Progress(since, since, evse_kind=evse_kind)
    if tariff is None or tariff.fixed_fee is None:
        return progress
    moment = _Moment(progress, tariff, since, _ZERO, None)
    index = _first(tariff.fixed_fee.prices, moment)
    return progress if index is None else _added(progress, [(tariff.id, "fixed_fee", index, _ONE)])


def advance(
    progress: Progress, stretch: Stretch, timeline: Timeline, tariffs: Mapping[str, Tariff]
) -> Progress:
    """One stretch more. One that lies before what was counted adds nothing: it is for ``recount``."""
    if stretch.until < progress.at or stretch.energy_wh < progress.energy_wh:
        return progress
    for until, energy_wh, tariff_id in _segments(progress, stretch, timeline):
        tariff = tariffs.get(tariff_id) if tariff_id is not None else None
        progress = _counted(progress, tariff, until, energy_wh, stretch.charging)
    return progress


def recount(
    since: datetime,
    stretches: Iterable[Stretch],
    timeline: Timeline,
    tariffs: Mapping[str, Tariff],
    evse_kind: str | None = None,
) -> Progress:
    """Everything from the start, from stretches in the order of time: for data that came late."""
    first = tariffs.get(timeline[0][1]) if timeline else None
    progress = begin(since, first, evse_kind)
    for stretch in stretches:
        progress = advance(progress, stretch, timeline, tariffs)
    return progress


def total(progress: Progress, timeline: Timeline, tariffs: Mapping[str, Tariff]) -> Total | None:
    """The bill; None where there was no tariff. The last tariff's bounds hold for the whole."""
    last = tariffs.get(timeline[-1][1]) if timeline else None
    if last is None:
        return None
    lines = tuple(_lines(progress, tariffs))
    excl = sum((line.excl_tax for line in lines), _ZERO)
    incl = sum((line.incl_tax for line in lines), _ZERO)
    plain = Total(last.currency, excl, incl, "normal", lines)
    return _bounded(plain, last)


def _lines(progress: Progress, tariffs: Mapping[str, Tariff]) -> Iterator[CostLine]:
    order = list(UNITS)
    for volume in sorted(progress.volumes, key=lambda v: (order.index(v.component), v.price)):
        tariff = tariffs[volume.tariff]
        component = getattr(tariff, volume.component)
        price: Price = component.prices[volume.price]
        unit = UNITS[volume.component]
        quantity = volume.amount / _PER[unit]
        excl = quantity * price.amount
        yield CostLine(
            what=volume.component.replace("_", "-"),
            tariff=tariff.id,
            quantity=quantity,
            unit=unit,
            price=price.amount,
            excl_tax=excl,
            incl_tax=with_taxes(excl, component.taxes),
        )


def _bounded(plain: Total, tariff: Tariff) -> Total:
    """The least or most that the tariff allows, as a line of its own."""
    for kind, bound, sign in (("minimum", tariff.min_cost, 1), ("maximum", tariff.max_cost, -1)):
        if bound is None:
            continue
        excl, incl = _both(bound)
        beyond = (
            (incl - plain.incl_tax) * sign if bound.incl_tax is not None else (excl - plain.excl_tax) * sign
        )
        if beyond > 0:
            line = CostLine(
                kind, tariff.id, _ONE, "session", excl, excl - plain.excl_tax, incl - plain.incl_tax
            )
            return Total(plain.currency, excl, incl, kind, (*plain.lines, line))
    return plain


def _both(bound: Bound) -> tuple[Decimal, Decimal]:
    """The bound before and after taxes, whichever of them it names."""
    factor = with_taxes(_ONE, bound.taxes)
    excl = bound.excl_tax if bound.excl_tax is not None else (bound.incl_tax or _ZERO) / factor
    incl = bound.incl_tax if bound.incl_tax is not None else excl * factor
    return excl, incl


def _segments(
    progress: Progress, stretch: Stretch, timeline: Timeline
) -> Iterator[tuple[datetime, Decimal, str | None]]:
    """The stretch cut where the tariff changed; energy is spread evenly over its time."""
    begin_at, begin_wh = progress.at, progress.energy_wh
    span_s = _seconds(stretch.until - begin_at)
    held = None
    for since, tariff in timeline:
        if begin_at < since < stretch.until:
            share = _seconds(since - begin_at) / span_s
            yield since, begin_wh + (stretch.energy_wh - begin_wh) * share, held
        if held is None or since < stretch.until:
            held = tariff
    yield stretch.until, stretch.energy_wh, held


class _Moment:
    """What conditions are judged by: one point within a stretch."""

    __slots__ = ("_values", "at", "evse_kind", "local", "tariff")

    def __init__(
        self,
        progress: Progress,
        tariff: Tariff,
        at: datetime,
        energy_wh: Decimal,
        power_w: Decimal | None,
        charging_s: Decimal = _ZERO,
        idle_s: Decimal = _ZERO,
    ) -> None:
        self.at = at
        self.evse_kind = progress.evse_kind
        self.local = at.astimezone(ZoneInfo(tariff.time_zone))
        self._values: dict[str, Decimal | None] = {
            "energy_wh": energy_wh,
            "power_w": power_w,
            # Nobody measures the current over all phases centrally: such a price is for stations.
            "current_a": None,
            "time_s": _seconds(at - progress.since),
            "charging_s": charging_s,
            "idle_s": idle_s,
        }

    def holds(self, when: When) -> bool:
        return self._in_range(when) and self._on_time(when) and self._of_kind(when)

    def _in_range(self, when: When) -> bool:
        for name, value in self._values.items():
            low, high = getattr(when, f"min_{name}"), getattr(when, f"max_{name}")
            if low is None and high is None:
                continue
            if value is None or (low is not None and value < low) or (high is not None and value >= high):
                return False
        return True

    def _on_time(self, when: When) -> bool:
        now, today = self.local.time(), self.local.date().isoformat()
        if when.days and DAYS[self.local.weekday()] not in when.days:
            return False
        if (when.from_date and today < when.from_date) or (when.to_date and today >= when.to_date):
            return False
        start = clock(when.from_time) if when.from_time else None
        end = clock(when.to_time) if when.to_time else None
        if start is not None and end is not None and end <= start:
            return now >= start or now < end  # over midnight
        return (start is None or now >= start) and (end is None or now < end)

    def _of_kind(self, when: When) -> bool:
        # How a payment was made is known where it was made: at the station.
        if when.payment_brand is not None or when.payment_recognition is not None:
            return False
        return when.evse_kind is None or when.evse_kind == self.evse_kind


def _first(prices: Sequence[Price], moment: _Moment) -> int | None:
    """The first price whose conditions hold."""
    for index, price in enumerate(prices):
        if price.when is None or moment.holds(price.when):
            return index
    return None


def _counted(
    progress: Progress, tariff: Tariff | None, until: datetime, energy_wh: Decimal, charging: bool
) -> Progress:
    """With one stretch under one tariff, cut wherever a condition may turn."""
    span_s = _seconds(until - progress.at)
    flowed = energy_wh - progress.energy_wh
    after = evolve(
        progress,
        at=until,
        energy_wh=energy_wh,
        charging_s=progress.charging_s + (span_s if charging else _ZERO),
        idle_s=progress.idle_s + (_ZERO if charging else span_s),
    )
    if tariff is None or (not span_s and not flowed):
        return after
    added: list[tuple[str, str, int, Decimal]] = []
    power_w = flowed * 3600 / span_s if span_s else None
    timed = "charging_time" if charging else "idle_time"
    edges = [_ZERO, *_cuts(progress, tariff, until, energy_wh, charging), _ONE]
    for begin_u, end_u in pairwise(edges):
        middle = (begin_u + end_u) / 2
        moment = _Moment(
            progress,
            tariff,
            progress.at + (until - progress.at) * float(middle),
            progress.energy_wh + flowed * middle,
            power_w,
            progress.charging_s + (span_s * middle if charging else _ZERO),
            progress.idle_s + (_ZERO if charging else span_s * middle),
        )
        shares = {"energy": flowed * end_u - flowed * begin_u, timed: span_s * end_u - span_s * begin_u}
        for name, amount in shares.items():
            component = getattr(tariff, name)
            index = _first(component.prices, moment) if component is not None and amount else None
            if index is not None:
                added.append((tariff.id, name, index, amount))
    return _added(after, added)


def _added(progress: Progress, added: Iterable[tuple[str, str, int, Decimal]]) -> Progress:
    volumes = {(v.tariff, v.component, v.price): v.amount for v in progress.volumes}
    for tariff, component, price, amount in added:
        key = (tariff, component, price)
        volumes[key] = volumes.get(key, _ZERO) + amount.quantize(_GRAIN)
    return evolve(progress, volumes=tuple(Volume(*key, amount) for key, amount in volumes.items()))


def _cuts(
    progress: Progress, tariff: Tariff, until: datetime, energy_wh: Decimal, charging: bool
) -> list[Decimal]:
    """Where within the stretch (0 to 1) a condition may begin or cease to hold."""
    whens = [price.when for _, c in components(tariff) for price in c.prices if price.when is not None]
    if not whens:
        return []
    span_s = _seconds(until - progress.at)
    flowed = energy_wh - progress.energy_wh
    found: set[Decimal] = set()
    spent = {
        "time_s": (_seconds(progress.at - progress.since), span_s),
        "charging_s": (progress.charging_s, span_s if charging else _ZERO),
        "idle_s": (progress.idle_s, _ZERO if charging else span_s),
        "energy_wh": (progress.energy_wh, flowed),
    }
    for when in whens:
        for name, (before, more) in spent.items():
            for bound in (getattr(when, f"min_{name}"), getattr(when, f"max_{name}")):
                if bound is not None and more:
                    found.add((bound - before) / more)
        if span_s:
            found |= {
                _seconds(edge - progress.at) / span_s for edge in _edges(when, tariff, progress.at, until)
            }
    return sorted(cut for cut in found if _ZERO < cut < _ONE)


def _edges(when: When, tariff: Tariff, begin_at: datetime, until: datetime) -> Iterator[datetime]:
    """Midnights and times of day, local, within the stretch."""
    if until - begin_at > _LONGEST:
        return
    times = [clock(text) for text in (when.from_time, when.to_time) if text]
    if when.days or when.from_date or when.to_date:
        times.append(clock("00:00"))
    if not times:
        return
    zone = ZoneInfo(tariff.time_zone)
    day, last = begin_at.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        for at in times:
            yield datetime.combine(day, at, zone)
        day += timedelta(days=1)


def _seconds(span: timedelta) -> Decimal:
    """Exact, to the microsecond."""
    return Decimal(span // timedelta(microseconds=1)) / 1_000_000
