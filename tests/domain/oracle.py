"""A second opinion on prices: slow, in fractions alone, and written the other way round.

The engine goes from reading to reading and cuts where conditions turn. This asks of every moment: the session is laid
out as instants (every reading, every turn, every minute at which any clock on any wall of the zone shows a time that a
price names, every threshold), between two neighbours nothing changes, and each piece is judged in its middle by what
the words of the tariff say. The clock is read with ``astimezone``. Nothing is shared with ``cms.domain`` but the words
of a tariff and of the facts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction as F
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cms.contract.tariffs import Component, Price, Tariff, Tax, When
from cms.domain.pricing import Facts

NAMES = ("energy", "charging_time", "idle_time", "fixed_fee", "reservation_time", "reservation_fixed")
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verdict(NamedTuple):
    """In the smallest coin; amounts by component in Wh, seconds, times."""

    gross: int
    taken: dict[str, F]
    kind: str


def seconds(at: datetime) -> F:
    return F((at - EPOCH) // timedelta(microseconds=1), 10**6)


class Curve:
    """Energy over time, straight between the readings."""

    def __init__(self, facts: Facts) -> None:
        since, until = seconds(facts.since), seconds(facts.until)
        final = F(facts.energy_wh)
        best: dict[F, F] = {}
        for reading in facts.readings:
            at = seconds(reading.at)
            if since < at < until:
                best[at] = max(best.get(at, F(0)), F(reading.energy_wh))
        self.points = [(since, F(0))]
        for at in sorted(best):
            self.points.append((at, min(max(best[at], self.points[-1][1]), final)))
        self.points.append((until, final))

    def leg(self, at: F) -> tuple[F, F, F, F]:
        """The readings before and after."""
        for (t0, e0), (t1, e1) in pairwise(self.points):
            if t0 <= at < t1:
                return t0, e0, t1, e1
        raise AssertionError("outside of the session")

    def energy(self, at: F) -> F:
        if at >= self.points[-1][0]:
            return self.points[-1][1]
        t0, e0, t1, e1 = self.leg(at)
        return e0 + (e1 - e0) * (at - t0) / (t1 - t0)

    def when(self, energy: F) -> list[F]:
        """Instants when exactly so much had flowed."""
        found = []
        for (t0, e0), (t1, e1) in pairwise(self.points):
            if e0 < energy < e1:
                found.append(t0 + (t1 - t0) * (energy - e0) / (e1 - e0))
        return found


class Session:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.since, self.until = seconds(facts.since), seconds(facts.until)
        self.curve = Curve(facts)
        self.turns = [(seconds(at), said) for at, said in facts.turns]
        #: Whose state changes at all: between two of them the car does one thing.
        marks = {self.since, self.until, *(at for at, _ in self.curve.points)}
        marks |= {at for at, _ in self.turns if self.since < at < self.until}
        self.plain = sorted(marks)
        self.does = [(begin, end, self.charges(begin, end)) for begin, end in pairwise(self.plain)]

    def charges(self, begin: F, end: F) -> bool:
        said = None
        for at, state in self.turns:
            if at <= begin:
                said = state
        return self.curve.energy(end) > self.curve.energy(begin) if said is None else said

    def spent(self, at: F, charging: bool) -> F:
        """Seconds of charging, or of not charging, until then."""
        return sum(
            (min(end, at) - begin for begin, end, does in self.does if does is charging and begin < at), F(0)
        )

    def reaches(self, span: F, charging: bool) -> list[F]:
        """When so much time of one kind had passed."""
        found, gone = [], F(0)
        for begin, end, does in self.does:
            if does is charging:
                if gone < span < gone + (end - begin):
                    found.append(begin + (span - gone))
                gone += end - begin
        return found


def whens(tariff: Tariff, names: tuple[str, ...] = NAMES) -> list[When]:
    found = []
    for name in names:
        component: Component | None = getattr(tariff, name)
        for price in component.prices if component else ():
            if price.when is not None:
                found.append(price.when)
    return found


def instants(session: Session, tariff: Tariff, zone: ZoneInfo) -> list[F]:
    found = set(session.plain)
    for when in whens(tariff):
        for bound in (when.min_time_s, when.max_time_s):
            if bound is not None:
                found.add(session.since + bound)
        for bound in (when.min_charging_s, when.max_charging_s):
            if bound is not None:
                found.update(session.reaches(F(bound), True))
        for bound in (when.min_idle_s, when.max_idle_s):
            if bound is not None:
                found.update(session.reaches(F(bound), False))
        for energy in (when.min_energy_wh, when.max_energy_wh):
            if energy is not None:
                found.update(session.curve.when(F(energy)))
    found.update(clock_changes(session, tariff, zone))
    return sorted(at for at in found if session.since <= at <= session.until)


def clock_changes(session: Session, tariff: Tariff, zone: ZoneInfo) -> set[F]:
    """Every quarter of an hour, and every minute that a price names: zones differ by quarters."""
    said = [
        when
        for when in whens(tariff)
        if any((when.from_time, when.to_time, when.days, when.from_date, when.to_date))
    ]
    if not said:
        return set()
    named = {int(text[3:]) for when in said for text in (when.from_time, when.to_time) if text}
    minutes = {(minute + quarter) % 60 for minute in {0, *named} for quarter in (0, 15, 30, 45)}
    found = set()
    hour = floor(session.since / 3600) * 3600
    while hour <= session.until:
        found |= {F(hour + minute * 60) for minute in minutes}
        hour += 3600
    return found


def holds(when: When | None, session: Session, at: F, zone: ZoneInfo) -> bool:
    if when is None:
        return True
    if when.payment_brand or when.payment_recognition or when.reservation:
        return False
    if when.evse_kind is not None and when.evse_kind != session.facts.evse_kind:
        return False
    if not on_the_wall(when, at, zone):
        return False
    for name, value in VALUES.items():
        low, high = getattr(when, f"min_{name}"), getattr(when, f"max_{name}")
        if low is None and high is None:
            continue
        now = value(session, at)
        if now is None or (low is not None and now < F(low)) or (high is not None and now >= F(high)):
            return False
    return True


def power(session: Session, at: F) -> F | None:
    if at >= session.until:
        return None
    t0, e0, t1, e1 = session.curve.leg(at)
    return (e1 - e0) * 3600 / (t1 - t0)


VALUES: dict[str, Callable[[Session, F], F | None]] = {
    "energy_wh": lambda session, at: session.curve.energy(at),
    "time_s": lambda session, at: at - session.since,
    "charging_s": lambda session, at: session.spent(at, True),
    "idle_s": lambda session, at: session.spent(at, False),
    # What is due at the start does not know how fast it will charge.
    "power_w": lambda session, at: None if at == session.since else power(session, at),
    "current_a": lambda session, at: None,
}


def on_the_wall(when: When, at: F, zone: ZoneInfo) -> bool:
    wall = (EPOCH + timedelta(microseconds=floor(at * 10**6))).astimezone(zone)
    today, now = wall.date(), wall.time()
    if when.days and WEEK[wall.weekday()] not in when.days:
        return False
    if when.from_date and today < date.fromisoformat(when.from_date):
        return False
    if when.to_date and today >= date.fromisoformat(when.to_date):
        return False
    begin = time.fromisoformat(when.from_time) if when.from_time else None
    end = time.fromisoformat(when.to_time) if when.to_time else None
    if begin and end:
        inside = begin <= now < end
        return inside if begin < end else not (end <= now < begin)
    return (begin is None or now >= begin) and (end is None or now < end)


def factor(taxes: tuple[Tax, ...]) -> F:
    made = F(1)
    for stack in sorted({tax.stack for tax in taxes}):
        made += made * sum(F(tax.percent) for tax in taxes if tax.stack == stack) / 100
    return made


def priced(tariff: Tariff, component: Component, price: Price, name: str, taken: F) -> F:
    """With taxes."""
    if name == "energy":
        units = taken / 1000
    elif name.endswith("_time"):
        units = taken / (3600 if price.per_hour else 60)
    else:
        units = taken
    taxes = component.taxes if price.taxes is None else price.taxes
    return units * F(price.amount) * (1 if tariff.tax_included else factor(taxes))


def judge(facts: Facts, tariff: Tariff) -> Verdict:
    zone = ZoneInfo(facts.zone or tariff.time_zone)
    session = Session(facts)
    #: (component, place of the price) -> amount, and which price was the last of each component.
    taken: dict[tuple[str, int], F] = {}
    last: dict[str, int] = {}

    def take(name: str, at: F, amount: F) -> None:
        component: Component | None = getattr(tariff, name)
        if component is None or not amount:
            return
        for place, price in enumerate(component.prices):
            if holds(price.when, session, at, zone):
                taken[name, place] = taken.get((name, place), F(0)) + amount
                last[name] = place
                return

    take("fixed_fee", session.since, F(1))
    marks = instants(session, tariff, zone)
    known = [session.curve.energy(at) for at in marks]
    for (begin, end), (before, reached) in zip(pairwise(marks), pairwise(known), strict=True):
        middle = (begin + end) / 2
        does = next(state for t0, t1, state in session.does if t0 <= middle < t1)
        take("energy", middle, reached - before)
        take("charging_time" if does else "idle_time", middle, end - begin)
    _step(tariff, taken, last, "energy")
    _step(tariff, taken, last, "idle_time" if "idle_time" in last else "charging_time")
    gross = F(0)
    sums: dict[str, F] = {}
    for (name, place), amount in taken.items():
        component = getattr(tariff, name)
        price = component.prices[place]
        part = priced(tariff, component, price, name, amount)
        gross += part
        sums[name] = sums.get(name, F(0)) + amount
    kind, gross = _bounded(tariff, gross)
    places = {"JPY": 0, "KWD": 3}.get(tariff.currency, 2)
    scaled = abs(gross) * 10**places
    coins = floor(scaled + F(1, 2)) * (1 if gross >= 0 else -1)
    return Verdict(coins, sums, kind)


def _step(tariff: Tariff, taken: dict[tuple[str, int], F], last: dict[str, int], name: str) -> None:
    if name not in last:
        return
    step = getattr(tariff, name).prices[last[name]].step
    if step:
        whole = sum((amount for (what, _), amount in taken.items() if what == name), F(0))
        taken[name, last[name]] += ceil(whole / step) * step - whole


def _bounded(tariff: Tariff, gross: F) -> tuple[str, F]:
    """Only bounds that are said with taxes and without rates of their own."""
    least, most = tariff.min_cost, tariff.max_cost
    if least is not None and least.incl_tax is not None and gross < F(least.incl_tax):
        return "minimum", F(least.incl_tax)
    if most is not None and most.incl_tax is not None and gross > F(most.incl_tax):
        return "maximum", F(most.incl_tax)
    return "normal", gross


def coins(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb({"JPY": 0, "KWD": 3}.get(currency, 2)))
