"""What is odd about a tariff: what it says and will not do (errors), and what is rarely meant (warnings)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from decimal import Decimal

from cms.contract.prices import Finding
from cms.contract.tariffs import Bound, Component, Price, Tariff, When
from cms.domain.tariffs import DAYS, components, taxes_of, with_taxes

_WEEK = 7 * 1440
_ALL = (1 << _WEEK) - 1
#: Conditions that are about the clock and the day of the week alone.
_CLOCK = frozenset({"from_time", "to_time", "days"})
#: Components whose prices should hold at any hour: nobody expects them for nothing.
_ALWAYS = ("energy", "charging_time")
_TIMED = ("charging_time", "idle_time", "reservation_time")
_LONGEST_STEP_S = 900


def lint(tariff: Tariff, currencies: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Everything that is odd, errors first; ``currencies`` are those of the other tariffs in use."""
    found = [*_whole(tariff, currencies)]
    for name, component in components(tariff):
        found += _component(tariff, name, component)
    return tuple(sorted(found, key=lambda finding: finding.level != "error"))


def _error(rule: str, where: str, words: str) -> Finding:
    return Finding("error", rule, where, words)


def _warning(rule: str, where: str, words: str) -> Finding:
    return Finding("warning", rule, where, words)


def _whole(tariff: Tariff, currencies: Sequence[str]) -> Iterator[Finding]:
    if tariff.valid_from and tariff.valid_to and tariff.valid_to <= tariff.valid_from:
        yield _error("validity", "valid-to", "it ends before it begins: it never holds")
    least, most = (_incl(bound) for bound in (tariff.min_cost, tariff.max_cost))
    if least is not None and most is not None and least > most:
        yield _error("bounds", "min", f"the least cost ({least:f}) is more than the most ({most:f})")
    if tariff.energy is None and tariff.charging_time is None and tariff.fixed_fee is None:
        yield _warning("free-energy", "energy", "charging costs nothing")
    elif tariff.energy is None:
        yield _warning("free-energy", "energy", "energy costs nothing, only time or the session does")
    if currencies and tariff.currency not in currencies:
        used = ", ".join(sorted(set(currencies)))
        yield _warning("currency", "currency", f"{tariff.currency}, where the tariffs in use are in {used}")
    if not tariff.texts:
        yield _warning("text", "text", "drivers are shown a line made of its prices: there is no text")
    clocked = any(price.when and (price.when.from_time or price.when.to_time) for price in _prices(tariff))
    if clocked and tariff.time_zone == "UTC":
        yield _warning("zone", "zone", "times of day are UTC where a site names no zone: say which is meant")


def _incl(bound: Bound | None) -> Decimal | None:
    if bound is None:
        return None
    if bound.incl_tax is not None:
        return bound.incl_tax
    return with_taxes(bound.excl_tax or Decimal(0), bound.taxes)


def _prices(tariff: Tariff) -> Iterator[Price]:
    for _, component in components(tariff):
        yield from component.prices


def _component(tariff: Tariff, name: str, component: Component) -> Iterator[Finding]:
    where = name.replace("_", "-")
    yield from _reached(where, component)
    yield from _overlapping(where, component)
    if name in _ALWAYS:
        yield from _gaps(where, component)
    untaxed = [price for price in component.prices if not taxes_of(component, price)]
    if untaxed:
        yield _warning("vat", where, "no VAT is in it and none comes on top")
    if name == "energy" and any(price.amount == 0 for price in component.prices):
        yield _warning("free-energy", where, "a price of 0: energy is free then")
    if any(price.amount < 0 for price in component.prices):
        yield _warning("negative", where, "a price below 0 pays the driver")
    if name == "idle_time" and not any(_graceful(price) for price in component.prices):
        yield _warning(
            "grace", where, "every idle minute costs from the first on: a grace is usual (after: 20 min)"
        )
    for place, price in enumerate(component.prices, 1):
        odd = _odd_step(name, price.step)
        if odd:
            yield _warning("step", f"{where}[{place}]", odd)


def _graceful(price: Price) -> bool:
    """Whether idle time is for nothing, or something else counts, at first."""
    when = price.when
    return when is not None and bool(when.min_idle_s or when.min_time_s or when.min_charging_s)


def _odd_step(name: str, step: int | None) -> str | None:
    if step is None or step <= 1:
        return None
    if name == "energy":
        return f"{step} Wh divide no kWh" if step > 1000 or 1000 % step else None
    if name in _TIMED and (step > _LONGEST_STEP_S or 3600 % step):
        return f"steps of {step} s are longer than people expect, or divide no hour"
    return None


def _reached(where: str, component: Component) -> Iterator[Finding]:
    for place, price in enumerate(component.prices):
        if price.when is not None and _impossible(price.when):
            yield _error("unreachable", f"{where}[{place + 1}]", "its conditions never hold together")
            continue
        above = next(
            (i for i, other in enumerate(component.prices[:place]) if _covers(other.when, price.when)), None
        )
        if above is not None:
            words = f"price {above + 1} always holds where this one would: the first that matches counts"
            yield _error("unreachable", f"{where}[{place + 1}]", words)


def _impossible(when: When) -> bool:
    for field in fields(When):
        if field.name.startswith("min_"):
            low, high = getattr(when, field.name), getattr(when, f"max_{field.name[4:]}")
            if low is not None and high is not None and low >= high:
                return True
    return bool(when.from_date and when.to_date and when.from_date >= when.to_date)


def _covers(wider: When | None, narrower: When | None) -> bool:
    """Whether the first holds wherever the second does."""
    if wider is None:
        return True
    if narrower is None:
        return False
    for field in fields(When):
        if field.name in _CLOCK:
            continue
        said, other = getattr(wider, field.name), getattr(narrower, field.name)
        if said is None:
            continue
        if other is None:
            return False
        if field.name.startswith("min_") or field.name == "from_date":
            holds = other >= said
        elif field.name.startswith("max_") or field.name == "to_date":
            holds = other <= said
        else:
            holds = other == said
        if not holds:
            return False
    return not _minutes(narrower) & ~_minutes(wider)


def _minutes(when: When | None) -> int:
    """The minutes of the week at which it holds, by its times and days: a bit each."""
    if when is None:
        return _ALL
    begin, end = _of_day(when.from_time, 0), _of_day(when.to_time, 1440)
    runs = [(begin, end)] if begin < end else [(begin, 1440), (0, end)]
    day = sum((1 << until) - (1 << since) for since, until in runs)
    days = [DAYS.index(name) for name in when.days] or range(7)
    return sum(day << index * 1440 for index in days)


def _of_day(clock: str | None, otherwise: int) -> int:
    return otherwise if clock is None else int(clock[:2]) * 60 + int(clock[3:])


def _by_clock(when: When | None) -> bool:
    """Whether nothing but times and days matters to it."""
    return when is None or all(
        field.name in _CLOCK or getattr(when, field.name) is None for field in fields(When)
    )


def _gaps(where: str, component: Component) -> Iterator[Finding]:
    """Hours without a price: rarely meant of energy; of time they may be."""
    words = _unpriced(component)
    if words is not None:
        yield Finding("error" if where == "energy" else "warning", "gap", where, words)


def _unpriced(component: Component) -> str | None:
    clocked = [price.when for price in component.prices if _by_clock(price.when)]
    if not clocked:
        return "every price has a condition: where none holds it costs nothing"
    left = _ALL
    for when in clocked:
        left &= ~_minutes(when)
    if not left:
        return None
    begin = (left & -left).bit_length() - 1
    run = left >> begin
    end = begin + (~run & (run + 1)).bit_length() - 1
    words = f"no price holds {DAYS[begin // 1440]} {_clock(begin)} to {_clock(end)}"
    more = left.bit_count() > end - begin
    return f"{words}, nor at other times: it costs nothing then" if more else f"{words}: free then"


def _clock(minute: int) -> str:
    return "24:00" if minute == _WEEK else f"{minute % 1440 // 60:02d}:{minute % 60:02d}"


def _overlapping(where: str, component: Component) -> Iterator[Finding]:
    """Windows of which neither holds the other: who wrote them may not know that the first counts."""
    clocked = [
        (place, price.when) for place, price in enumerate(component.prices, 1) if price.when is not None
    ]
    windows = [(place, when, _minutes(when)) for place, when in clocked if _by_clock(when)]
    for index, (place, _, minutes) in enumerate(windows):
        for other, _, others in windows[index + 1 :]:
            if minutes & others and others & ~minutes and minutes & ~others:
                yield _warning(
                    "overlap", f"{where}[{other}]", f"it overlaps price {place}, which counts there"
                )
