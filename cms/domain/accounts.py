"""A running session's account: what it costs so far, its limits, and who pays; closed, it is the session's bill.

An account exists only where something is to be counted: a tariff holds, a limit was given, the token is prepaid, or
the station calculates itself. Every other session knows nothing of money.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any

from cms.contract.payments import Limit
from cms.contract.tariffs import Bill, CostLine, CostView, Money, Tariff
from cms.domain import costs
from cms.domain.costs import Progress, Stretch
from cms.domain.evolve import evolve
from cms.domain.meters import gist
from cms.domain.observations import Reading, StationCosts
from cms.domain.record import record
from cms.domain.sessions import FACTS, Fact, Session, SessionStatus

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

    ``late``: readings came that belong before what was counted, so it is counted anew when it matters.
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
    remarks: tuple[str, ...] = field(default_factory=tuple)

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


def follow(account: Account, session: Session, news: News, tariffs: Mapping[str, Tariff]) -> Account:
    """The account after a message; ``session`` is the session after it."""
    progress = account.progress
    late = account.late
    for at, reached_wh in _points(session, news):
        late = late or at < progress.at
        energy_wh = max(reached_wh, progress.energy_wh)
        charging = _charged(account.charging, energy_wh - progress.energy_wh)
        progress = costs.advance(progress, Stretch(at, energy_wh, charging), account.timeline, tariffs)
    # The register was corrected downwards: what was counted is too much.
    late = late or session.energy_wh < progress.energy_wh
    fact = FACTS.get(news.state or "")
    if fact is not None and news.at < account.progress.at:
        # An old state that comes late says what was then; what we knew holds again from where we knew it.
        turns = _turned(account.turns, news.at, fact is Fact.FLOW)
        if account.turns[-1][0] <= news.at:
            turns = _turned(turns, account.progress.at, account.charging)
        return evolve(account, late=True, turns=turns)
    now = _CHARGES.get(session.status, False) if fact is None else fact is Fact.FLOW
    turns = account.turns if now is account.charging else _turned(account.turns, news.at, now)
    return evolve(account, progress=progress, late=late, charging=now, turns=turns)


#: What a session's status says of its time; before anything is known, energy that flows says it.
_CHARGES: dict[str, bool | None] = {SessionStatus.CHARGING: True, SessionStatus.PENDING: None}


def _charged(said: bool | None, flowed_wh: Decimal) -> bool:
    """Whether a stretch is charging time."""
    return flowed_wh > 0 if said is None else said


def _turned(
    turns: tuple[tuple[datetime, bool | None], ...], at: datetime, charging: bool | None
) -> tuple[tuple[datetime, bool | None], ...]:
    if len(turns) >= _TURNS:
        return turns
    ordered = list(turns)
    insort(ordered, (at, charging), key=itemgetter(0))
    return tuple(ordered)


def _points(session: Session, news: News) -> list[tuple[datetime, Decimal]]:
    """(Instant, energy of the session by then): of each reading with a register, and of the message itself."""
    points = []
    for reading in news.readings:
        register_wh = gist(reading.samples).register_wh if reading.at is not None else None
        if register_wh is not None and session.register_wh is not None and reading.at is not None:
            energy_wh = Decimal(session.energy_wh - (session.register_wh - register_wh))
            points.append((reading.at, min(max(energy_wh, Decimal(0)), Decimal(session.energy_wh))))
    points.sort(key=itemgetter(0))
    last = (news.at, Decimal(session.energy_wh))
    if not points or (points[-1][0] <= news.at and points[-1] != last):
        points.append(last)
    return points


def recounted(
    account: Account, session: Session, readings: Iterable[Reading], tariffs: Mapping[str, Tariff]
) -> Account:
    """Calculated anew from all readings and turns: late and offline data count where they belong."""
    end = max(session.ended_at or account.progress.at, session.started_at)
    stretches = _stretches(session, account.turns, readings, end)
    progress = costs.recount(
        session.started_at, stretches, account.timeline, tariffs, account.progress.evse_kind
    )
    return evolve(account, progress=progress, late=False)


def _stretches(
    session: Session,
    turns: Sequence[tuple[datetime, bool | None]],
    readings: Iterable[Reading],
    end: datetime,
) -> list[Stretch]:
    final = Decimal(session.energy_wh)
    news = News(session.started_at, tuple(readings))
    known = {session.started_at: Decimal(0)}
    for at, energy_wh in _points(session, news):
        if session.started_at < at <= end:
            known[at] = max(known.get(at, Decimal(0)), energy_wh)
    known[end] = final
    points: list[tuple[datetime, Decimal]] = []
    peak = Decimal(0)
    for at in sorted(known):
        peak = min(max(peak, known[at]), final)
        points.append((at, peak))
    instants = sorted({at for at, _ in points} | {at for at, _ in turns if session.started_at < at < end})
    if len(instants) == 1:
        # Begun and ended in one instant, or before it began, as its clock says: what flowed is billed all the same.
        return [Stretch(end, final, _charged(None, final))]
    energies = [_energy_at(points, at) for at in instants]
    return [
        Stretch(at, energy_wh, _charged(_charging_at(turns, before), energy_wh - energy_before))
        for (before, at), (energy_before, energy_wh) in zip(
            pairwise(instants), pairwise(energies), strict=True
        )
    ]


def _energy_at(points: Sequence[tuple[datetime, Decimal]], at: datetime) -> Decimal:
    """Between two readings energy is taken to flow evenly."""
    index = bisect_left(points, at, key=itemgetter(0))
    after = points[index]
    if after[0] == at or index == 0:
        return after[1]
    before = points[index - 1]
    share = Decimal((at - before[0]).total_seconds()) / Decimal((after[0] - before[0]).total_seconds())
    return (before[1] + (after[1] - before[1]) * share).quantize(Decimal("0.000001"))


def _charging_at(turns: Sequence[tuple[datetime, bool | None]], at: datetime) -> bool | None:
    charging: bool | None = None
    for since, turned in turns:
        if since > at:
            break
        charging = turned
    return charging


def valued(account: Account, session: Session, tariffs: Mapping[str, Tariff]) -> Account:
    """With its total. The station's own calculation is the bill where it has one (2.1 I12)."""
    own = account.station_costs
    if own is not None and own.failure is None:
        return evolve(account, total=costs.rounded(own.incl_tax, own.currency), currency=own.currency)
    total = costs.total(account.progress, account.timeline, tariffs)
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
        lines = tuple(
            CostLine(what, None, Decimal(1), "session", excl, excl, incl) for what, excl, incl in own.parts
        )
        return costs.bill(costs.Total(own.currency, own.excl_tax, own.incl_tax, own.kind, lines))
    total = costs.total(account.progress, account.timeline, tariffs)
    if total is None or account.total == 0:
        return Bill(account.currency, (), (), Decimal(0), Decimal(0))
    return costs.bill(total)


def reached(account: Account, session: Session) -> str | None:
    """Which limit is reached, in words, where the station cannot keep it itself."""
    limit = account.central
    if limit is None or session.status == SessionStatus.ENDED:
        return None
    spent_s = (account.progress.at - session.started_at).total_seconds()
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


_NEAR = Decimal("0.000001")


def view(account: Account, session: Session, tariffs: Mapping[str, Tariff]) -> CostView | None:
    """The calculation as clients see it; None where there is no price."""
    if account.total is None or account.currency is None:
        return None
    own = account.station_costs
    by_station = own is not None and own.failure is None
    total = None if by_station else costs.total(account.progress, account.timeline, tariffs)
    lines: tuple[CostLine, ...] = ()
    excl, kind = Decimal(0), "normal"
    if own is not None and by_station:
        lines = tuple(
            CostLine(what, None, Decimal(1), "session", excl, excl, incl) for what, excl, incl in own.parts
        )
        excl, kind = own.excl_tax, own.kind
    elif total is not None:
        lines, excl, kind = tuple(_near(line) for line in total.lines), total.excl_tax, total.kind
    remarks = list(account.remarks)
    if own is not None and own.failure is not None:
        remarks.append(f"the station could not calculate: {own.failure}")
    return CostView(
        session=session.id,
        station=session.station,
        final=account.final,
        source="station" if by_station else "central",
        kind=kind,
        total=Money(account.total, account.currency),
        excl_tax=excl.quantize(_NEAR),
        energy_wh=session.energy_wh,
        charging_s=own.charging_s if own and by_station else round(account.progress.charging_s),
        idle_s=own.idle_s if own and by_station else round(account.progress.idle_s),
        lines=lines,
        tariffs=own.tariffs if own and by_station else tuple(tariff for _, tariff in account.timeline),
        remarks=(*remarks, *session.flags),
    )


def _near(line: CostLine) -> CostLine:
    """To a millionth: enough to check a bill by hand."""
    return evolve(
        line,
        quantity=line.quantity.quantize(_NEAR),
        excl_tax=line.excl_tax.quantize(_NEAR),
        incl_tax=line.incl_tax.quantize(_NEAR),
    )
