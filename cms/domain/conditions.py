"""When a price holds. A tariff's conditions are made ready once; to judge a piece of a session then costs little.

Counters are whole where nothing was cut: Wh, and microseconds. Times of day are judged by the clock on the wall of one
zone: in the night when it goes back, 02:30 comes twice, and a price from 02:00 to 03:00 holds for two hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.tariffs import Component, Price, Tariff, When
from cms.domain.bills import bounds_of
from cms.domain.money import Exact, decimal, exact
from cms.domain.tariffs import DAYS, RESERVATIONS, UNITS, clock, components, tax_factor, taxes_of

SECOND = 1_000_000
_DAY = 86_400 * SECOND
#: A stretch longer than this comes from a clock that is wrong; it is not cut at midnights.
_LONGEST = 366 * _DAY
_1970 = date(1970, 1, 1).toordinal()
_THURSDAY = 3
#: What conditions count, and how many of our units one of theirs is.
COUNTERS = {"energy_wh": 1, "time_s": SECOND, "charging_s": SECOND, "idle_s": SECOND}
EXPIRED = RESERVATIONS[1]
_RESERVED = ("reservation_time", "reservation_fixed")


class Clocks:
    """Times of day and dates of one zone."""

    __slots__ = ("times", "zone")

    def __init__(self, zone: str, times: tuple[int, ...]) -> None:
        self.zone = zone
        self.times = times

    def edges(self, since: int, until: int) -> list[int]:
        """Instants between two others when one of the times comes, or the clock is put forward or back."""
        first, last = since // _DAY, (until - 1) // _DAY
        if first == last:
            return [edge for edge in _edges(self.zone, self.times, first) if since < edge < until]
        if until - since > _LONGEST:
            return []
        days = range(first, last + 1)
        return [edge for day in days for edge in _edges(self.zone, self.times, day) if since < edge < until]

    def next_edge(self, at: int) -> int:
        """The next of them, no later than the end of the day (of UTC)."""
        day = at // _DAY
        return next((edge for edge in _edges(self.zone, self.times, day) if edge >= at), (day + 1) * _DAY)

    def local(self, at: int) -> tuple[int, int]:
        """Days since 1970 and microseconds since midnight, there."""
        offset = 0
        for since, then in _offsets(self.zone, at // _DAY):
            if since > at:
                break
            offset = then
        return divmod(at + offset, _DAY)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    """UTC where this machine does not know the zone any more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _offset(zone: str, at_s: int) -> int:
    try:
        offset = datetime.fromtimestamp(at_s, _zone(zone)).utcoffset()
    except (OverflowError, ValueError):  # a clock at the ends of the calendar
        return 0
    return offset // _MICROSECOND if offset is not None else 0


_MICROSECOND = datetime.resolution


@lru_cache(maxsize=4096)
def _offsets(zone: str, day: int) -> tuple[tuple[int, int], ...]:
    """(Since when, microseconds ahead of UTC) on a day of UTC: two where the clock is put forward or back."""
    low, high = day * 86_400, (day + 1) * 86_400
    before, after = _offset(zone, low), _offset(zone, high)
    first = (low * SECOND, before)
    if before == after:
        return (first,)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return (first, (high * SECOND, after))


@lru_cache(maxsize=8192)
def _edges(zone: str, times: tuple[int, ...], day: int) -> tuple[int, ...]:
    found = set()
    offsets = _offsets(zone, day)
    ends = [*(since for since, _ in offsets[1:]), (day + 1) * _DAY]
    found.update(ends[:-1])
    for (since, offset), end in zip(offsets, ends, strict=True):
        for local in range((since + offset) // _DAY, (end + offset - 1) // _DAY + 1):
            found.update(at for t in times if since <= (at := local * _DAY + t - offset) < end)
    return tuple(sorted(found))


class Window:
    """Days, dates and times of day between which a price holds."""

    __slots__ = ("days", "first", "last", "since", "until")

    def __init__(self, when: When) -> None:
        self.days = frozenset(DAYS.index(day) for day in when.days) if when.days else None
        self.first = _days(when.from_date)
        self.last = _days(when.to_date)
        self.since = _of_day(when.from_time)
        self.until = _of_day(when.to_time)

    @property
    def turns_at_midnight(self) -> bool:
        """Days do, and so does a time of day without another one."""
        dated = self.days is not None or self.first is not None or self.last is not None
        return dated or (self.since is None) is not (self.until is None)

    def holds(self, day: int, of_day: int) -> bool:
        if self.days is not None and (day + _THURSDAY) % 7 not in self.days:
            return False
        if (self.first is not None and day < self.first) or (self.last is not None and day >= self.last):
            return False
        since, until = self.since, self.until
        if since is not None and until is not None and until <= since:
            return of_day >= since or of_day < until  # over midnight
        return (since is None or of_day >= since) and (until is None or of_day < until)


def _days(text: str | None) -> int | None:
    return None if text is None else date.fromisoformat(text).toordinal() - _1970


def _of_day(text: str | None) -> int | None:
    if text is None:
        return None
    at = clock(text)
    return (at.hour * 3600 + at.minute * 60) * SECOND


Range = tuple[int, Exact | None, Exact | None]
"""Which counter (by its place in COUNTERS), and twice its bounds: middles are then sums."""


class Rate:
    """A price made ready: what a unit costs, and when it holds."""

    __slots__ = (
        "always",
        "amount",
        "bottom",
        "current",
        "factor",
        "index",
        "per",
        "percent",
        "power",
        "ranges",
        "step",
        "top",
        "unit",
        "window",
    )

    def __init__(self, tariff: Tariff, name: str, component: Component, index: int) -> None:
        price = component.prices[index]
        self.index = index
        self.unit = UNITS[name]
        if price.per_hour and self.unit == "min":
            self.unit = "h"
        #: Of our units (Wh, microseconds, times) in one that the price is per.
        self.per = _PER[self.unit]
        self.step = (price.step or 0) * (SECOND if self.unit in ("min", "h") else 1)
        self.amount = price.amount
        self.factor = tax_factor(taxes_of(component, price))
        self.percent = decimal((self.factor - 1) * 100).normalize() + 0
        said = Fraction(price.amount)
        #: With taxes, of one of our units.
        each = (said if tariff.tax_included else said * self.factor) / self.per
        self.top, self.bottom = each.numerator, each.denominator
        when = price.when
        self.window = Window(when) if when is not None and _on_clock(when) else None
        self.ranges = _ranges(when)
        self.power = _between(when, "power_w")
        self.current = _between(when, "current_a")
        self.always = not (self.ranges or self.power or self.current) and self.window is None


_PER = {"kWh": 1000, "min": 60 * SECOND, "h": 3600 * SECOND, "session": 1, "reservation": 1}


def _on_clock(when: When) -> bool:
    return bool(when.days or when.from_date or when.to_date or when.from_time or when.to_time)


def _between(when: When | None, name: str) -> tuple[Exact | None, Exact | None] | None:
    low, high = (getattr(when, f"{end}_{name}", None) for end in ("min", "max"))
    if low is None and high is None:
        return None
    return (None if low is None else exact(low), None if high is None else exact(high))


def _ranges(when: When | None) -> tuple[Range, ...]:
    found: list[Range] = []
    for place, (name, scale) in enumerate(COUNTERS.items()):
        bounds = _between(when, name)
        if bounds is not None:
            low, high = (None if bound is None else bound * 2 * scale for bound in bounds)
            found.append((place, low, high))
    return tuple(found)


class Ready:
    """A tariff made ready for one zone and kind of EVSE: the rates of each component, and where pieces are cut."""

    __slots__ = (
        "allowed",
        "bounds",
        "charging",
        "clocks",
        "cutting",
        "energy",
        "idle",
        "rates",
        "steady",
        "tariff",
        "usable",
    )

    def __init__(self, tariff: Tariff, zone: str, kind: str | None, expired: bool) -> None:
        self.tariff = tariff
        #: Every price by its component and its place there, as volumes name it.
        self.rates = {
            name: tuple(Rate(tariff, name, component, index) for index in range(len(component.prices)))
            for name, component in components(tariff)
        }
        self.usable = {
            name: _usable(name, component.prices, self.rates[name], kind, expired)
            for name, component in components(tariff)
        }
        self.allowed = bounds_of(tariff)
        judged = [rate for rates in self.usable.values() for rate in rates]
        every = ((place, _bounds_of(judged, place)) for place in range(len(COUNTERS)))
        #: What conditions count (by its place in COUNTERS), and where it makes them turn.
        self.bounds = tuple((place, bounds) for place, bounds in every if bounds)
        windows = [rate.window for rate in judged if rate.window is not None]
        self.clocks = Clocks(zone, _times(windows)) if windows else None
        self.cutting = self.clocks is not None or bool(self.bounds)
        #: Whether prices turn at these alone, not with every reading.
        self.steady = not any(rate.power or rate.current for rate in judged)
        self.energy, self.charging, self.idle = (
            self.usable.get(name, ()) for name in ("energy", "charging_time", "idle_time")
        )


def _usable(
    name: str, prices: Sequence[Price], rates: Sequence[Rate], kind: str | None, expired: bool
) -> tuple[Rate, ...]:
    """The rates that may hold, in order; what stands behind one that always holds never does."""
    found: list[Rate] = []
    for rate in sorted(rates, key=lambda rate: not (expired and _of_expired(prices[rate.index]))):
        if _possible(prices[rate.index].when, name, kind, expired):
            found.append(rate)
            if rate.always:
                break
    return tuple(found)


def _of_expired(price: Price) -> bool:
    return price.when is not None and price.when.reservation == EXPIRED


def _possible(when: When | None, name: str, kind: str | None, expired: bool) -> bool:
    if when is None:
        return True
    # How a payment was made is known where it was made: at the station.
    if when.payment_brand is not None or when.payment_recognition is not None:
        return False
    if when.reservation is not None and (
        name not in _RESERVED or (when.reservation == EXPIRED and not expired)
    ):
        return False
    return when.evse_kind is None or when.evse_kind == kind


def _bounds_of(rates: Sequence[Rate], place: int) -> tuple[Exact, ...]:
    """Where one counter makes a price begin or cease to hold."""
    found: set[Exact] = set()
    for rate in rates:
        for which, low, high in rate.ranges:
            if which == place:
                found.update(exact(Fraction(bound) / 2) for bound in (low, high) if bound is not None)
    return tuple(sorted(found))


def _times(windows: Sequence[Window]) -> tuple[int, ...]:
    times = {at for window in windows for at in (window.since, window.until) if at is not None}
    if any(window.turns_at_midnight for window in windows):
        times.add(0)
    return tuple(sorted(times))


#: Tariffs that were made ready, by identity: a registered tariff is one object for ever, and never changes.
_KNOWN: dict[tuple[int, str, str | None, bool], Ready] = {}
_MOST = 4096


def ready(tariff: Tariff, zone: str | None, kind: str | None, expired: bool = False) -> Ready:
    """The tariff made ready; ``zone`` (IANA) precedes its own."""
    key = (id(tariff), zone or tariff.time_zone, kind, expired)
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        # It holds the tariff, so that no other one gets its identity meanwhile.
        found = _KNOWN[key] = Ready(tariff, key[1], kind, expired)
    return found


class Piece:
    """What conditions are judged by: the middle of a piece. ``twice`` its counters, in the order of COUNTERS."""

    __slots__ = ("_local", "at", "clocks", "speed", "twice")

    def __init__(
        self,
        clocks: Clocks | None,
        at: int,
        twice: tuple[Exact, Exact, Exact, Exact],
        speed: tuple[Exact, int, Exact | None] = (0, 0, None),
    ) -> None:
        self.clocks = clocks
        self.at = at
        self.twice = twice
        #: Energy and time whose quotient is the power, and the current.
        self.speed = speed
        self._local: tuple[int, int] | None = None

    def holds(self, rate: Rate) -> bool:
        for place, low, high in rate.ranges:
            value = self.twice[place]
            if (low is not None and value < low) or (high is not None and value >= high):
                return False
        if rate.window is not None:
            if self._local is None:
                assert self.clocks is not None
                self._local = self.clocks.local(self.at)
            if not rate.window.holds(*self._local):
                return False
        return self._flows(rate)

    def _flows(self, rate: Rate) -> bool:
        work, span, current = self.speed
        if rate.power is not None:
            low, high = rate.power
            work *= 3600 * SECOND
            if not span or (low is not None and work < low * span):
                return False
            if high is not None and work >= high * span:
                return False
        if rate.current is not None:
            low, high = rate.current
            # Where nobody measured it such a price never holds.
            if current is None or (low is not None and current < low):
                return False
            if high is not None and current >= high:
                return False
        return True


def rate_at(rates: Sequence[Rate], piece: Piece) -> Rate | None:
    """The first price whose conditions hold."""
    for rate in rates:
        if piece.holds(rate):
            return rate
    return None
