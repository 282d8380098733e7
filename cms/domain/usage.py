"""What was used of budgets: each session that counts is remembered with what it took, and counted where it began.

A session's record is written anew with whatever comes late, so counting twice is harmless. Periods are calendar
days, weeks (from Monday) and months by the clock of the budget's time zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from cms.contract.access import Budget, Rule, UsageView
from cms.contract.tariffs import Money
from cms.domain.access import Facts, Rules, local, missed_place
from cms.domain.access_rules import zone_named
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.sessions import Session, SessionStatus

KIND = "usage"
#: What began longer ago than this belongs to no period that anybody still asks about.
KEPT = timedelta(days=70)


@record
class Spent:
    """What one session took, and whose it was when it took it; names without case. ``ended``: it is over."""

    session: str
    token: str
    began_at: datetime
    driver: str | None = None
    groups: tuple[str, ...] = ()
    station: str = ""
    site: str | None = None
    evse: int | None = None
    time_zone: str = "UTC"
    energy_wh: int = 0
    seconds: int = 0
    cost: Decimal | None = None
    currency: str | None = None
    ended: bool = False

    def facts(self) -> Facts:
        """Who and where, as rules ask for it."""
        return Facts(
            self.token, self.driver, self.groups, self.station, self.site, self.evse, (), self.time_zone
        )


def counted(spent: Spent, session: Session, now: datetime) -> Spent:
    """The record with what the session took: a suspect one takes no time any more."""
    until = session.ended_at or now
    if session.status == SessionStatus.SUSPECT:
        until = session.last_sample_at or session.started_at
    return evolve(
        spent,
        evse=session.evse,
        energy_wh=session.energy_wh,
        seconds=max(round((until - session.started_at).total_seconds()), 0),
        cost=session.cost,
        currency=session.currency,
        ended=session.status == SessionStatus.ENDED,
    )


@record
class Used:
    """What is used of one budget in one period. ``running`` sessions are among ``sessions``."""

    energy_wh: int = 0
    seconds: int = 0
    cost: Decimal = Decimal(0)
    sessions: int = 0
    running: int = 0


Slot = tuple[str, str, str]
"""Rule, whose, and the first day of the period."""


class Ledger:
    """Sums of what was used, held in memory and moved with every session that counts."""

    def __init__(self, rules: Rules, spent: Iterable[Spent] = ()) -> None:
        self._rules = rules
        self._spent: dict[str, Spent] = {}
        self._used: dict[Slot, Used] = {}
        for one in spent:
            self.put(one)

    def __contains__(self, session: str) -> bool:
        return session in self._spent

    def get(self, session: str) -> Spent | None:
        """What a session took so far."""
        return self._spent.get(session)

    def running(self) -> list[Spent]:
        """What the sessions took that are not over."""
        return [spent for spent in self._spent.values() if not spent.ended]

    def budgets(self, spent: Spent) -> list[Rule]:
        """The budgets that this session counts towards."""
        return _counting(self._rules, spent.facts())

    def put(self, spent: Spent) -> None:
        """Count a session, or count it anew."""
        self.drop(spent.session)
        self._spent[spent.session] = spent
        self._count(spent, 1)

    def drop(self, session: str) -> None:
        """Count a session no more."""
        before = self._spent.pop(session, None)
        if before is not None:
            self._count(before, -1)

    def _count(self, spent: Spent, sign: int) -> None:
        facts = spent.facts()
        for rule in _counting(self._rules, facts):
            slot = slot_of(rule, facts, spent.began_at)
            self._used[slot] = _moved(self._used.get(slot, Used()), rule, spent, sign)

    def used(self, rule: Rule, facts: Facts, at: datetime) -> Used:
        """What is used of a budget by whoever these facts are about, in the period of an instant."""
        return self._used.get(slot_of(rule, facts, at), Used())

    def holders(self, rule: Rule, at: datetime) -> list[tuple[str, Used]]:
        """Whose budget of this rule is used in the period of an instant, and how far; by the rule's own zone."""
        day = period(rule, at)[0].isoformat()
        return sorted((slot[1], used) for slot, used in self._used.items() if slot[::2] == (rule.id, day))


def _moved(used: Used, rule: Rule, spent: Spent, sign: int) -> Used:
    budget = rule.budget
    priced = budget is not None and budget.cost is not None and spent.currency == budget.cost.currency
    return Used(
        used.energy_wh + sign * spent.energy_wh,
        used.seconds + sign * spent.seconds,
        used.cost + sign * (spent.cost if priced and spent.cost is not None else Decimal(0)),
        used.sessions + sign,
        used.running + (0 if spent.ended else sign),
    )


def _counting(rules: Rules, facts: Facts) -> list[Rule]:
    """The budgets that a session there counts towards."""
    return [rule for rule in rules.budgets_of(facts) if rule.where is None or counts(rule, facts)]


def counts(rule: Rule, facts: Facts) -> bool:
    """Whether a session there counts towards a budget. An EVSE's connector type is not remembered: it does."""
    if rule.where is None:
        return True
    place = evolve(rule, where=evolve(rule.where, connector_types=()))
    return missed_place(place, facts) is None


def slot_of(rule: Rule, facts: Facts, at: datetime) -> Slot:
    return rule.id, holder(rule, facts), period(rule, at, facts.time_zone)[0].isoformat()


def holder(rule: Rule, facts: Facts) -> str:
    """Whose budget it is: the subject's, or where each has its own the driver's, or a token's without one."""
    if rule.budget is None or not rule.budget.each:
        return f"{rule.kind}:{rule.subject}".rstrip(":")
    return f"driver:{facts.driver}" if facts.driver is not None else f"token:{facts.token}"


def period(rule: Rule, at: datetime, zone: str = "UTC") -> tuple[date, datetime, datetime]:
    """The first day of the period that an instant lies in, its beginning, and its end (exclusive), in UTC.

    A budget that reaches over sites has one clock only if it names one: else the site's of each session.
    """
    assert rule.budget is not None
    name = rule.time_zone or zone
    near = _period(rule.budget.period, name, at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0))
    return near if near[1] <= at < near[2] else _period(rule.budget.period, name, at)


@lru_cache(4096)
def _period(span: str, zone: str, at: datetime) -> tuple[date, datetime, datetime]:
    clock = zone_named(zone) or ZoneInfo("UTC")
    first = _first_day(span, local(at, zone).date())
    following = _following(span, first)
    if at >= _midnight(following, clock):  # clocks that go back over midnight: the new period has begun
        first, following = following, _following(span, following)
    return first, _midnight(first, clock), _midnight(following, clock)


def _midnight(day: date, clock: ZoneInfo) -> datetime:
    """When a day begins: the first midnight of two, and where a change of time skips it the instant of the change."""
    return datetime.combine(day, time.min, clock).astimezone(UTC)


def _first_day(span: str, day: date) -> date:
    if span == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if span == "month" else day


def _following(span: str, first: date) -> date:
    if span == "month":
        return (first + timedelta(days=32)).replace(day=1)
    return first + timedelta(days=7 if span == "week" else 1)


def used_up(rule: Rule, used: Used, *, running: bool = False) -> str | None:
    """Which part of the budget is used up, in words. ``running``: for a session that counts in it already."""
    budget = rule.budget
    assert budget is not None
    if budget.energy_wh is not None and used.energy_wh >= budget.energy_wh:
        return _gone(f"{budget.energy_wh / 1000:g} kWh", budget)
    if budget.cost is not None and used.cost >= budget.cost.amount:
        return _gone(f"{budget.cost.amount} {budget.cost.currency}", budget)
    if budget.minutes is not None and used.seconds >= budget.minutes * 60:
        return _gone(f"{budget.minutes} minutes", budget)
    if not running and budget.sessions is not None and used.sessions >= budget.sessions:
        return _gone(f"{budget.sessions} sessions", budget)
    return None


def _gone(amount: str, budget: Budget) -> str:
    return f"the budget of {amount} a {budget.period} is used up"


def left(rule: Rule, used: Used) -> Budget:
    """The same budget with what is left of it."""
    budget = rule.budget
    assert budget is not None
    cost = None
    if budget.cost is not None:
        cost = Money(max(budget.cost.amount - used.cost, Decimal(0)), budget.cost.currency)
    return evolve(
        budget,
        energy_wh=_rest(budget.energy_wh, used.energy_wh),
        cost=cost,
        minutes=_rest(budget.minutes, -(-used.seconds // 60)),
        sessions=_rest(budget.sessions, used.sessions),
    )


def _rest(most: int | None, used: int) -> int | None:
    return None if most is None else max(most - used, 0)


def view(rule: Rule, whose: str, used: Used, at: datetime, zone: str = "UTC") -> UsageView:
    """What is used of a budget, as clients see it."""
    assert rule.budget is not None
    _, since, until = period(rule, at, zone)
    return UsageView(
        rule=rule.id,
        holder=whose,
        period=rule.budget.period,
        since=since,
        until=until,
        energy_wh=used.energy_wh,
        cost=None if rule.budget.cost is None else Money(used.cost, rule.budget.cost.currency),
        minutes=used.seconds // 60,
        sessions=used.sessions,
        running=used.running,
        left=left(rule, used),
        used_up=used_up(rule, used),
    )


@record
class Acted:
    """How often a session was acted upon because of a budget, and when it is due again."""

    times: int
    again_at: datetime


class Rulebook:
    """The rules of an organisation with what is used of their budgets. Made anew when a rule changes.

    ``acted`` is by session and rule; ``types`` the connector types by EVSE that stations told, and since when.
    """

    def __init__(self, rules: Iterable[Rule], spent: Iterable[Spent] = ()) -> None:
        self._budgets = _budgets_in(rules := list(rules))
        self.rules = Rules(rules)
        self.ledger = Ledger(self.rules, spent)
        self.acted: dict[tuple[str, str], Acted] = {}
        self.types: dict[str, tuple[datetime, Mapping[int, tuple[str, ...]]]] = {}

    def ruled_by(self, rules: Iterable[Rule]) -> bool:
        """Take other rules over; False where their budgets are others, so that all must be counted anew."""
        if _budgets_in(rules := list(rules)) != self._budgets:
            return False
        self.rules = Rules(rules)
        return True

    def used_up(self, rule: Rule, facts: Facts, at: datetime) -> str | None:
        """For a session that would begin now."""
        return used_up(rule, self.ledger.used(rule, facts, at))


def _budgets_in(rules: Iterable[Rule]) -> list[Rule]:
    return sorted((rule for rule in rules if rule.budget is not None), key=lambda rule: rule.id)
