"""A running session's account: what it costs so far, its limits, and who pays; closed, it is the session's bill.

An account exists only where something is to be counted: a tariff holds, a limit was given, the token is prepaid, or
the station calculates itself. Every other session knows nothing of money.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Any

from cms.contract.payments import Limit
from cms.contract.tariffs import Bill, CostLine, CostView, Money, Tariff
from cms.domain import costs, pricing
from cms.domain.bills import Line, taxed
from cms.domain.conditions import SECOND
from cms.domain.costs import Progress, Total
from cms.domain.counting import Count, Reserved, micros
from cms.domain.evolve import evolve
from cms.domain.meters import current_a, gist
from cms.domain.money import decimal, exact
from cms.domain.observations import Reading, StationCosts
from cms.domain.pricing import Facts, Point, Reached
from cms.domain.record import record
from cms.domain.sessions import FACTS, Fact, Session, SessionStatus
from cms.domain.stands import Stand

KIND = "account"
#: Changes between charging and not that are remembered for a later calculation.
_TURNS = 200

#: What a trigger of 2.1 says of the session for good (E16, E17, I11).
MARKS: dict[str, str] = {
    "CostLimitReached": "cost-limit-reached",
    "EnergyLimitReached": "energy-limit-reached",
    "TimeLimitReached": "time-limit-reached",
    "SoCLimitReached": "soc-limit-reached",
    "TxResumed": "resumed",
    "TariffNotAccepted": "tariff-not-accepted",
}


@record
class Account:
    """``timeline`` is which tariff held from when; ``turns`` when charging began and ceased (None: nobody said yet).

    ``progress`` is counted up to the last reading; ``heard`` is when the last message was. ``late``: readings came
    that belong before what was counted, so it is counted anew when it matters.
    ``unsaid``: what of the limit the station is still to be told (2.1 E16.FR.02: once). ``central``: what of it
    the station cannot keep, so that we end the session.
    """

    session: str
    progress: Progress
    timeline: tuple[tuple[datetime, str], ...] = ()
    charging: bool | None = None
    turns: tuple[tuple[datetime, bool | None], ...] = ()
    late: bool = False
    total: Decimal | None = None
    currency: str | None = None
    running: bool = False
    texts: bool = False
    told_text: str | None = None
    limit: Limit | None = None
    unsaid: Limit | None = None
    central: Limit | None = None
    stopped: bool = False
    reported_limit: Limit | None = None
    prepaid: str | None = None
    psp_ref: str | None = None
    station_costs: StationCosts | None = None
    sent_at: datetime | None = None
    final: bool = False
    stand: Stand | None = None
    signed: bool = False
    """Whether signed meter values came: they are verified when the session ends."""
    remarks: tuple[str, ...] = field(default_factory=tuple)
    heard: datetime | None = None
    reserved: Reserved | None = None

    @property
    def tariff(self) -> str | None:
        """The tariff that holds now."""
        return self.timeline[-1][1] if self.timeline else None


@record
class News:
    """What a message tells of a session: when, its readings, and the charging state it names (2.x)."""

    at: datetime
    readings: tuple[Reading, ...] = ()
    state: str | None = None


def opened(session: Session, timeline: tuple[tuple[datetime, str], ...], progress: Progress) -> Account:
    charging = _CHARGES.get(session.status, False)
    return Account(session.id, progress, timeline, charging=charging, turns=((session.started_at, charging),))


def reserved(
    account: Account, session: Session, held: Reserved | None, tariffs: Mapping[str, Tariff]
) -> Account:
    """The account of a session that used a reservation, where its tariff has a price for one."""
    first = tariffs.get(account.timeline[0][1]) if account.timeline else None
    if held is None or first is None or (first.reservation_time is None and first.reservation_fixed is None):
        return account
    progress = account.progress
    if progress.at > session.started_at:
        return evolve(account, reserved=held, late=True)
    begun = costs.begin(session.started_at, first, progress.evse_kind, progress.zone, held)
    return evolve(account, reserved=held, progress=begun)


def follow(account: Account, session: Session, news: News, tariffs: Mapping[str, Tariff]) -> Account:
    """The account after a message; ``session`` is the session after it.

    Counted is up to the last reading: how energy flowed until now the next one says. So it is the same whether a
    station tells its states with readings (2.x) or without (1.6).
    """
    counted_at = account.progress.at
    account = _turned(account, session, news)
    points = _points(session, news, account.progress)
    late = account.late or any(point.at < account.progress.at for point in points)
    # The register was corrected downwards: what was counted is too much.
    late = late or session.energy_wh < account.progress.energy_wh
    progress = _advanced(account, points, tariffs) if points else account.progress
    heard = max(news.at, account.heard or counted_at)
    return evolve(account, progress=progress, late=late, heard=heard)


#: What a session's status says of its time; before anything is known, energy that flows says it.
_CHARGES: dict[str, bool | None] = {SessionStatus.CHARGING: True, SessionStatus.PENDING: None}


def _turned(account: Account, session: Session, news: News) -> Account:
    """With what the message says of the charging state."""
    fact = FACTS.get(news.state or "")
    counted = account.progress.at
    heard = max(account.heard or counted, counted)
    if fact is not None and news.at < heard:
        # An old state that comes late says what was then; what we knew holds again from where we knew it.
        turns = _inserted(account.turns, news.at, fact is Fact.FLOW)
        if account.turns[-1][0] <= news.at:
            turns = _inserted(turns, heard, account.charging)
        return evolve(account, late=account.late or news.at < counted, turns=turns)
    now = _CHARGES.get(session.status, False) if fact is None else fact is Fact.FLOW
    if now is account.charging:
        return account
    at = max(news.at, counted)
    if len(account.turns) < _TURNS:
        return evolve(account, charging=now, turns=_inserted(account.turns, at, now))
    # Only the latest is remembered from here on.
    return evolve(account, charging=now, turns=(*account.turns[:-1], (at, now)))


def _inserted(
    turns: tuple[tuple[datetime, bool | None], ...], at: datetime, charging: bool | None
) -> tuple[tuple[datetime, bool | None], ...]:
    if len(turns) >= _TURNS:
        return turns
    ordered = list(turns)
    insort(ordered, (at, charging), key=itemgetter(0))
    return tuple(ordered)


def _points(session: Session, news: News, progress: Progress) -> list[Reached]:
    """Where the session had got to, by each reading with a register; at its end, and where energy is new, by now."""
    points = _registered(session, news.readings)
    last = points[-1] if points else None
    new = last is None and session.energy_wh > progress.energy_wh
    if not (new or session.status == SessionStatus.ENDED):
        return points
    now = Reached(news.at, session.energy_wh)
    if last is None or (last.at <= now.at and last != now):
        points.append(now)
    return points


def _registered(session: Session, readings: Iterable[Reading]) -> list[Reached]:
    """Readings with a register, as energy of the session by then, in the order of time."""
    points = []
    for reading in readings:
        if reading.at is None or session.register_wh is None:
            continue
        register_wh = gist(reading.samples).register_wh
        if register_wh is not None:
            energy_wh = session.energy_wh - (session.register_wh - register_wh)
            energy_wh = min(max(energy_wh, 0), session.energy_wh)
            points.append(Reached(reading.at, energy_wh, current_a(reading.samples)))
    points.sort(key=lambda point: point.at)
    return points


def _advanced(account: Account, points: Sequence[Reached], tariffs: Mapping[str, Tariff]) -> Progress:
    count = costs.loaded(account.progress)
    _count_on(count, account, points, tariffs)
    return costs.kept(count, account.progress.since)


def _count_on(
    count: Count, account: Account, points: Sequence[Reached], tariffs: Mapping[str, Tariff]
) -> None:
    """Count from where the account had got to on to points; those before it are for ``recounted``."""
    known: list[Point] = []
    peak = count.energy
    for point in points:
        if point.at >= account.progress.at:
            peak = max(peak, exact(point.energy_wh))
            current = None if point.current_a is None else exact(point.current_a)
            known.append((micros(point.at), peak, current))
    turns = pricing.turned(pricing.since_when(account.turns, account.progress.at))
    steps = pricing.divided(count.at, count.energy, known, turns)
    costs.follow(count, steps, account.timeline, tariffs)


def recounted(
    account: Account, session: Session, readings: Iterable[Reading], tariffs: Mapping[str, Tariff]
) -> Account:
    """Calculated anew from all readings and turns: late and offline data count where they belong."""
    known = facts(account, session, readings)
    progress = costs.kept(pricing.counted(known, account.timeline, tariffs), known.since)
    return evolve(account, progress=progress, late=False)


def facts(account: Account, session: Session, readings: Iterable[Reading]) -> Facts:
    """What the price of a session depends on, from its account and all its readings."""
    end = session.ended_at or account.heard or account.progress.at
    return Facts(
        session.started_at,
        max(end, session.started_at),
        session.energy_wh,
        tuple(_registered(session, readings)),
        account.turns,
        account.progress.evse_kind,
        account.progress.zone,
        account.reserved,
    )


def _calculated(
    account: Account, tariffs: Mapping[str, Tariff], apart: bool = True
) -> tuple[Count, Total | None]:
    """Its calculation up to the last message: time passes also where no reading tells of energy."""
    count = costs.loaded(account.progress)
    if account.heard is not None and account.heard > account.progress.at:
        _count_on(count, account, [Reached(account.heard, account.progress.energy_wh)], tariffs)
    return count, costs.summed(count, account.timeline, tariffs, apart)


def valued(account: Account, session: Session, tariffs: Mapping[str, Tariff]) -> Account:
    """With its total. The station's own calculation is the bill where it has one (2.1 I12)."""
    own = account.station_costs
    if own is not None and own.failure is None:
        return evolve(account, total=costs.rounded(own.incl_tax, own.currency), currency=own.currency)
    _, total = _calculated(account, tariffs, apart=False)
    if account.psp_ref is not None and session.energy_wh == 0 and account.final:
        # 2.1 C20.FR.03: a payment cancelled before any energy flowed costs nothing.
        currency = total.currency if total else account.currency
        return evolve(account, total=Decimal(0), currency=currency)
    if total is None:
        return account
    return evolve(account, total=total.payable, currency=total.currency)


def bill(account: Account, session: Session, tariffs: Mapping[str, Tariff]) -> Bill | None:
    """The account to the smallest coin; None where there is no price."""
    if account.total is None or account.currency is None:
        return None
    own = account.station_costs
    if own is not None and own.failure is None:
        return costs.bill(_station_total(own))
    _, total = _calculated(account, tariffs)
    if total is None or account.total == 0:
        return Bill(account.currency, (), (), Decimal(0), Decimal(0))
    return costs.bill(total)


def _station_total(own: StationCosts) -> Total:
    lines = tuple(taxed(what, excl, incl) for what, excl, incl in own.parts)
    return Total(own.currency, Fraction(own.incl_tax), own.kind, lines, Fraction(own.excl_tax))


def reached(account: Account, session: Session) -> str | None:
    """Which limit is reached, in words, where the station cannot keep it itself."""
    limit = account.central
    if limit is None or session.status == SessionStatus.ENDED:
        return None
    spent_s = ((account.heard or account.progress.at) - session.started_at).total_seconds()
    checks: tuple[tuple[str, Any, Any], ...] = (
        ("cost", limit.max_cost, account.total),
        ("energy", limit.max_energy_wh, session.energy_wh),
        ("time", limit.max_time_s, spent_s),
        ("state of charge", limit.max_soc, session.soc_percent),
    )
    for name, most, now in checks:
        if most is not None and now is not None and now >= most:
            return f"the {name} limit of {most} is reached"
    return None


def lower(ours: Limit, theirs: Limit | None) -> Limit:
    """What of our limit is to be said: nothing that would raise one the station has already (E16.FR.08)."""
    if theirs is None:
        return ours
    kept = {}
    for name in ("max_cost", "max_energy_wh", "max_time_s", "max_soc"):
        own, other = getattr(ours, name), getattr(theirs, name)
        kept[name] = own if own is not None and (other is None or own < other) else None
    return Limit(**kept)


def divided(limit: Limit, kinds: Sequence[str] | None) -> tuple[Limit, Limit]:
    """What of a limit a station keeps that supports these kinds (E16.FR.12; None: it did not say), and what we keep."""
    if kinds is None:
        return limit, Limit()
    known = {kind.strip().casefold() for kind in kinds}
    names = {
        "max_cost": "maxcost",
        "max_energy_wh": "maxenergy",
        "max_time_s": "maxtime",
        "max_soc": "maxsoc",
    }
    there = {name: getattr(limit, name) if word in known else None for name, word in names.items()}
    here = {name: None if word in known else getattr(limit, name) for name, word in names.items()}
    return Limit(**there), Limit(**here)


def given(limit: Limit | None) -> bool:
    """Whether anything is limited."""
    return limit is not None and limit != Limit()


def view(account: Account, session: Session, tariffs: Mapping[str, Tariff]) -> CostView | None:
    """The calculation as clients see it; None where there is no price."""
    if account.total is None or account.currency is None:
        return None
    own = account.station_costs
    by_station = own is not None and own.failure is None
    count, central = _calculated(account, tariffs)
    total = _station_total(own) if own is not None and by_station else central
    remarks = list(account.remarks)
    if own is not None and own.failure is not None:
        remarks.append(f"the station could not calculate: {own.failure}")
    return CostView(
        session=session.id,
        station=session.station,
        final=account.final,
        source="station" if by_station else "central",
        kind=total.kind if total is not None else "normal",
        total=Money(account.total, account.currency),
        excl_tax=decimal(total.excl_tax) if total is not None else Decimal(0),
        energy_wh=session.energy_wh,
        charging_s=own.charging_s if own and by_station else round(Fraction(count.charging, SECOND)),
        idle_s=own.idle_s if own and by_station else round(Fraction(count.idle, SECOND)),
        lines=tuple(_near(line) for line in total.lines) if total is not None else (),
        tariffs=own.tariffs if own and by_station else tuple(tariff for _, tariff in account.timeline),
        remarks=(*remarks, *session.flags),
    )


def _near(line: Line) -> CostLine:
    """To a millionth: enough to check a bill by hand."""
    return CostLine(
        what=line.what,
        tariff=line.tariff,
        quantity=decimal(line.quantity),
        unit=line.unit,
        price=line.price,
        excl_tax=_written(line.excl_tax),
        incl_tax=_written(line.incl_tax),
        since=line.since,
        until=line.until,
    )


def _written(amount: Fraction) -> Decimal:
    """Hundredths at least, and no zeros after them."""
    near = decimal(amount)
    hundredths = near.quantize(Decimal("0.01"))
    return hundredths if near == hundredths else near.normalize()
