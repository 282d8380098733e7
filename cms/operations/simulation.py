"""What recorded sessions would have brought at another price: a question to the record, which changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from cms.contract.prices import SimulatedStation, SimulateTariff, Simulation
from cms.contract.refusals import Invalid, NotFound
from cms.contract.sessions import ListSessions
from cms.contract.tariffs import Money
from cms.core import Actor, Core
from cms.domain import accounts, costs, pricing, sites
from cms.domain.cdrs import Cdr
from cms.domain.evolve import evolve
from cms.domain.money import rounded
from cms.domain.pricing import Facts
from cms.domain.record import record
from cms.domain.sessions import Session
from cms.domain.stands import stand_of
from cms.domain.tariffs import Tariff, components
from cms.operations import holding
from cms.operations.accounts import readings_of
from cms.operations.tariffs import meant

#: Sessions are read and priced so many at a time: stations are heard in between.
_AT_ONCE = 100
MOST = 100_000
#: A session that ends within the time may have begun so long before.
_LONGEST = timedelta(days=31)
_NOTHING = Decimal(0)


@record
class Case:
    """A session, and what it came to; None: it had no price."""

    session: Session
    cdr: Cdr | None


@record
class Outcome:
    """What a session brought and would have brought; ``after`` None: nobody can tell."""

    station: str
    energy_wh: int
    before: Decimal | None
    after: Decimal | None


async def simulate(core: Core, request: SimulateTariff, actor: Actor) -> Simulation:
    """All sessions there that ended within the time, each priced by its own readings and charging times."""
    tariff = await meant(core, request.tariff, request.text)
    until = request.until or core.clock.now()
    for at in (request.since, until):
        holding.instant(at)
    if request.since >= until:
        raise Invalid("the time would end before it begins")
    cases = await _cases(core, request, until)
    remarks = ["sessions with a tariff of their own (token, plan, group) are priced by this one too"]
    foreign = [case for case in cases if case.cdr is not None and case.cdr.bill.currency != tariff.currency]
    if foreign:
        remarks.append(f"{len(foreign)} sessions in another currency than {tariff.currency} are left out")
    outcomes: list[Outcome] = []
    counted = [case for case in cases if case not in foreign] if foreign else cases
    for chunk in _chunks(counted):
        outcomes += await _outcomes(core, tariff, chunk)
    return _summed(tariff, request.since, until, outcomes, len(foreign), tuple(remarks))


async def _cases(core: Core, request: SimulateTariff, until: datetime) -> list[Case]:
    """Sessions that ended then and there, with their records."""
    station = core.lane(request.station).state.station.id if request.station is not None else None
    there = _stations_of(core, request.site)
    query = ListSessions(
        station=station, active=False, since=request.since - _LONGEST, until=until, limit=MOST + 1
    )
    found = await core.store.sessions(query)
    if len(found) > MOST:
        raise Invalid(f"these are more than {MOST} sessions", "simulate a shorter time, a site, or a station")
    known = {
        cdr.session: cdr
        for cdr in await core.store.accounting.cdrs(since=request.since, until=until, station=station)
    }
    return [
        Case(session, known.get(session.id))
        for session in found
        if session.ended_at is not None
        and request.since <= session.ended_at < until
        and (there is None or session.station.casefold() in there)
    ]


def _stations_of(core: Core, site_id: str | None) -> frozenset[str] | None:
    if site_id is None:
        return None
    site = sites.of(core.kept.get(sites.KIND, {}), site_id)
    if site is None:
        raise NotFound(f"there is no site {site_id}", "see `cms sites list`")
    key = site.id.casefold()
    lanes = core.lanes.items()
    return frozenset(name for name, lane in lanes if (lane.state.station.site or "").casefold() == key)


def _chunks(cases: Sequence[Case]) -> Iterator[Sequence[Case]]:
    for begin in range(0, len(cases), _AT_ONCE):
        yield cases[begin : begin + _AT_ONCE]


async def _outcomes(core: Core, tariff: Tariff, cases: Sequence[Case]) -> list[Outcome]:
    # Without conditions only the sums matter: most tariffs need no readings.
    conditional = any(price.when for _, component in components(tariff) for price in component.prices)
    facts = [await _facts(core, case.session, conditional) for case in cases]

    def priced() -> list[Decimal]:
        return [rounded(pricing.calculated(known, tariff).incl_tax, tariff.currency) for known in facts]

    after = await core.aside(priced)
    return [
        Outcome(
            case.session.station,
            case.session.energy_wh,
            case.cdr.gross if case.cdr is not None else None,
            price,
        )
        for case, price in zip(cases, after, strict=True)
    ]


async def _facts(core: Core, session: Session, readings: bool) -> Facts:
    """What its price depends on; of a session that had none, as far as its readings tell."""
    account = await core.store.bill(session.id)
    if account is None:
        lane = core.lanes.get(session.station.casefold())
        stand = stand_of(core.kept.get(sites.KIND, {}), lane.state if lane else None, session.evse)
        account = accounts.opened(session, (), costs.begin(session.started_at, None, zone=stand.zone))
        # Nobody counted whether it charged: it did where energy flowed.
        account = evolve(account, turns=((session.started_at, None),))
        readings = True
    samples = await core.store.samples(session.id) if readings else []
    return accounts.facts(account, session, readings_of(samples))


def _summed(
    tariff: Tariff,
    since: datetime,
    until: datetime,
    outcomes: Sequence[Outcome],
    skipped: int,
    remarks: tuple[str, ...],
) -> Simulation:
    by_station: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_station.setdefault(outcome.station, []).append(outcome)
    before, after = _revenue(outcomes)
    return Simulation(
        tariff=tariff.id,
        since=since,
        until=until,
        sessions=len(outcomes),
        before=Money(before, tariff.currency),
        after=Money(after, tariff.currency),
        change=Money(after - before, tariff.currency),
        change_percent=_percent(before, after),
        stations=tuple(_station(name, by_station[name], tariff.currency) for name in sorted(by_station)),
        skipped=skipped,
        remarks=remarks,
    )


def _station(name: str, outcomes: Sequence[Outcome], currency: str) -> SimulatedStation:
    before, after = _revenue(outcomes)
    return SimulatedStation(
        id=name,
        sessions=len(outcomes),
        energy_wh=sum(outcome.energy_wh for outcome in outcomes),
        before=Money(before, currency),
        after=Money(after, currency),
        change=Money(after - before, currency),
        change_percent=_percent(before, after),
        unpriced=sum(outcome.before is None for outcome in outcomes),
    )


def _revenue(outcomes: Iterable[Outcome]) -> tuple[Decimal, Decimal]:
    before = after = _NOTHING
    for outcome in outcomes:
        before += outcome.before or _NOTHING
        after += outcome.after or _NOTHING
    return before, after


def _percent(before: Decimal, after: Decimal) -> Decimal | None:
    """The change, to a tenth of a per cent; None where there was nothing."""
    if not before:
        return None
    return ((after - before) / before * 100).quantize(Decimal("0.1"))
