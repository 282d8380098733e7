"""Who may charge where and when: one engine for every version, every order, and every explanation.

``judge`` asks rules in one order (contract.access says which) and tells of every step, so that what decides at a
station and what is explained to a person are the same. Budgets are asked besides: domain.usage counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from functools import cache
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

from cms.contract.access import DAYS, EFFECTS, PERIODS, SUBJECTS, THEN, Hours, Rule, Step, Where
from cms.contract.refusals import Invalid
from cms.domain.record import record
from cms.domain.tokens import Authorization

__all__ = ["DAYS", "EFFECTS", "PERIODS", "SUBJECTS", "Hours", "Rule", "Where"]

KIND = "access"
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)
_EVSE = re.compile(r"(?P<station>.+):(?P<evse>[1-9]\d{0,4})", re.DOTALL | re.ASCII)
#: A year of anybody's budget fits in these; what is larger is a slip of the keyboard.
_MOST = {"energy_wh": 10**12, "minutes": 10**6, "sessions": 10**6}
_MOST_PLACES = 1000


@record
class Facts:
    """Who presents a token, and where. ``groups`` are its own and its driver's, without case, as all names here.

    ``evse`` None: not known yet. ``connector_types`` None: the station did not tell. ``time_zone`` is the site's.
    """

    token: str
    driver: str | None = None
    groups: tuple[str, ...] = ()
    station: str = ""
    site: str | None = None
    evse: int | None = None
    connector_types: tuple[str, ...] | None = None
    time_zone: str = "UTC"

    def subjects(self) -> Iterator[tuple[str, str]]:
        """(Kind, name) of everything that a rule can be about, narrowest first."""
        yield "token", self.token
        if self.driver is not None:
            yield "driver", self.driver
        for group in self.groups:
            yield "group", group
        yield "everyone", ""


@record
class Judgement:
    """``rule`` is the one that decided; None: nothing spoke against it. ``steps`` is every rule that was asked."""

    status: Authorization
    rule: Rule | None = None
    reason: str = "no rule speaks against it"
    steps: tuple[Step, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.status is Authorization.ACCEPTED


UsedUp = Callable[[Rule, Facts, datetime], str | None]
"""Which part of a budget is used up by whoever these facts are about, in words; None: something is left."""


class Rules:
    """Rules by their subject, each with its rank in the order in which they are asked. Made anew when one changes."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._of: dict[tuple[str, str], list[tuple[int, Rule]]] = {}
        self._budgets: dict[tuple[str, str], list[Rule]] = {}
        known = sorted(rules, key=precedence)
        for rank, rule in enumerate(known):
            subject = rule.kind, rule.subject.casefold()
            self._of.setdefault(subject, []).append((rank, rule))
            if rule.effect == "budget":
                self._budgets.setdefault(subject, []).append(rule)
        self.restrained = frozenset(
            subject for subject, ranked in self._of.items() if any(r.effect != "allow" for _, r in ranked)
        )
        """The subjects that a rule may refuse somewhere, some time."""
        self.by_evse = any(_by_evse(rule) for rule in known)
        self.by_type = any(_types(rule) for rule in known)
        self.budgets = bool(self._budgets)

    def of(self, facts: Facts) -> list[Rule]:
        """All rules about any of its subjects, in order."""
        found = [ranked for subject in facts.subjects() for ranked in self._of.get(subject, ())]
        return [rule for _, rule in sorted(found, key=_RANK)]

    def budgets_of(self, facts: Facts) -> list[Rule]:
        """Its budgets alone, in no order."""
        return [rule for subject in facts.subjects() for rule in self._budgets.get(subject, ())]

    def about(self, kind: str, subject: str) -> list[Rule]:
        """The rules that name this subject itself, in order."""
        return [rule for _, rule in self._of.get((kind, subject.casefold()), ())]


_RANK = itemgetter(0)


def _by_evse(rule: Rule) -> bool:
    return rule.where is not None and bool(rule.where.evses or rule.where.connector_types)


def _types(rule: Rule) -> bool:
    return rule.where is not None and bool(rule.where.connector_types)


_SUBJECT_RANK = {kind: rank for rank, kind in enumerate(SUBJECTS)}
_EFFECT_RANK = {"deny": 0, "only": 1, "allow": 2, "budget": 3}


def precedence(rule: Rule) -> tuple[int, int, int, bool, int, str]:
    """Where a rule stands in the order: what sorts first is asked first."""
    return (
        -rule.priority,
        _SUBJECT_RANK.get(rule.kind, 9),
        _place_rank(rule.where),
        rule.hours is None,
        _EFFECT_RANK.get(rule.effect, 9),
        rule.id,
    )


def _place_rank(where: Where | None) -> int:
    if where is None:
        return 4
    named = (where.evses, where.stations, where.sites, where.connector_types)
    return next((rank for rank, names in enumerate(named) if names), 4)


def judge(facts: Facts, rules: Sequence[Rule], used_up: UsedUp, now: datetime) -> Judgement:
    """Whether these facts are allowed at this instant. ``rules`` as Rules.of gives them."""
    steps: list[Step] = []
    decided: Judgement | None = None
    for rule in rules:
        if rule.effect == "budget":
            continue
        if decided is not None:
            steps.append(_step(rule, "not-asked", f"{decided.rule.id if decided.rule else ''} decided"))
            continue
        outcome = _asked(rule, facts, now)
        steps.append(_step(rule, "decides" if outcome.status else "passes", outcome.why))
        if outcome.status is not None:
            decided = Judgement(outcome.status, rule, outcome.why)
    judged = decided or Judgement(Authorization.ACCEPTED)
    return _within_budgets(judged, facts, rules, used_up, now, steps)


def _within_budgets(
    judged: Judgement,
    facts: Facts,
    rules: Sequence[Rule],
    used_up: UsedUp,
    now: datetime,
    steps: list[Step],
) -> Judgement:
    """Every budget holds, whatever was allowed; a no of the other rules stays the answer."""
    for rule in rules:
        if rule.effect != "budget":
            continue
        missed = missed_place(rule, facts)
        gone = used_up(rule, facts, now) if missed is None else None
        why = missed or gone or "something is left"
        steps.append(_step(rule, "passes" if gone is None else "used-up", why))
        if gone is not None and judged.accepted:
            judged = Judgement(Authorization.NO_CREDIT, rule, gone)
    return Judgement(judged.status, judged.rule, judged.reason, tuple(steps))


def _step(rule: Rule, outcome: str, why: str) -> Step:
    return Step(rule.id, rule.effect, _subject_words(rule), outcome, why)


def _subject_words(rule: Rule) -> str:
    return f"{rule.kind} {rule.subject}".strip()


@record
class _Outcome:
    """What a rule says: a status where it decides, and why it does or does not."""

    status: Authorization | None
    why: str


def _asked(rule: Rule, facts: Facts, now: datetime) -> _Outcome:
    """One rule: allow and deny decide where their conditions hold, only where they do not."""
    place, hours = missed_place(rule, facts), missed_hours(rule, facts, now)
    missed = place or hours
    if rule.effect == "only":
        if missed is None:
            return _Outcome(None, "holds here and now: others decide")
        return _Outcome(_refusal(rule, facts, place is not None), f"only {says(rule)}: {missed}")
    if missed is not None:
        return _Outcome(None, missed)
    if rule.effect == "allow":
        return _Outcome(Authorization.ACCEPTED, f"allowed {says(rule)}")
    return _Outcome(_denial(rule), f"denied {says(rule)}")


def _denial(rule: Rule) -> Authorization:
    """What a deny rule says to the driver: what of it makes the difference."""
    if rule.hours is not None:
        return Authorization.NOT_NOW
    where = rule.where
    if where is None:
        return Authorization.BLOCKED
    return Authorization.WRONG_EVSE if where.evses or where.connector_types else Authorization.NOT_HERE


def _refusal(rule: Rule, facts: Facts, by_place: bool) -> Authorization:
    """What an only rule says that does not hold: another EVSE of this station would do, another place, or a time."""
    if not by_place:
        return Authorization.NOT_NOW
    where = rule.where
    assert where is not None
    if _somewhere(where) and not _near(where, facts):
        return Authorization.NOT_HERE
    return Authorization.WRONG_EVSE


def _somewhere(where: Where) -> bool:
    return bool(where.sites or where.stations or where.evses)


def _near(where: Where, facts: Facts) -> bool:
    """Whether it is about this station: the whole of it, or an EVSE."""
    return _there(where, facts) or any(_split(place)[0] == facts.station for place in where.evses)


def missed_place(rule: Rule, facts: Facts) -> str | None:
    """Why the rule is not about this place; None: it is."""
    where = rule.where
    if where is None:
        return None
    if _somewhere(where) and not _there(where, facts):
        return f"{_place_words(facts)} is none of its places"
    if where.connector_types and not _fits(where.connector_types, facts.connector_types):
        known = ", ".join(facts.connector_types or ()) or "not known"
        return f"the connector type here is {known}"
    return None


def _there(where: Where, facts: Facts) -> bool:
    if facts.site is not None and any(site.casefold() == facts.site for site in where.sites):
        return True
    if any(station.casefold() == facts.station for station in where.stations):
        return True
    return facts.evse is not None and (facts.station, facts.evse) in map(_split, where.evses)


@cache
def _split(place: str) -> tuple[str, int]:
    found = _EVSE.fullmatch(place)
    return (found["station"].casefold(), int(found["evse"])) if found else (place.casefold(), 0)


def _fits(wanted: Sequence[str], known: Sequence[str] | None) -> bool:
    return known is not None and not {word.casefold() for word in wanted}.isdisjoint(known)


def _place_words(facts: Facts) -> str:
    evse = "" if facts.evse is None else f":{facts.evse}"
    return f"{facts.station}{evse}" + ("" if facts.site is None else f" (site {facts.site})")


def missed_hours(rule: Rule, facts: Facts, now: datetime) -> str | None:
    """Why the rule does not hold at this instant; None: it does."""
    if rule.hours is None or within(rule.hours, local(now, rule.time_zone or facts.time_zone)):
        return None
    return f"it is {_clock_words(local(now, rule.time_zone or facts.time_zone))} there"


def _clock_words(here: datetime) -> str:
    return f"{DAYS[here.weekday()]} {here:%H:%M}"


def local(now: datetime, zone: str) -> datetime:
    """An instant by a site's clock; a zone that is not known is UTC."""
    return now.astimezone(zone_named(zone) or ZoneInfo("UTC"))


@cache
def zone_named(name: str) -> ZoneInfo | None:
    """An IANA time zone; None where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def within(hours: Hours, here: datetime) -> bool:
    """Whether a local instant lies in these hours. What begins before midnight belongs to the day it began on.

    Clocks on the wall are compared: an hour that a change of time repeats is in twice, one that it skips never.
    """
    since, until = _clock(hours.from_time), _clock(hours.to_time)
    clock = here.time()
    today, yesterday = DAYS[here.weekday()], DAYS[here.weekday() - 1]
    if since < until or until == time.min:
        return _on(hours, today) and clock >= since and (until == time.min or clock < until)
    return (clock >= since and _on(hours, today)) or (clock < until and _on(hours, yesterday))


def _on(hours: Hours, day: str) -> bool:
    return not hours.days or day in hours.days


def _clock(text: str | None) -> time:
    """A time of day; none, and midnight as an end, is the edge of the day."""
    return time.min if text is None else time.fromisoformat(text)


def says(rule: Rule) -> str:
    """Its conditions on one line: ``at site garage, mon tue 07:00-19:00``."""
    parts = [part for part in (_where_words(rule.where), _hours_words(rule.hours)) if part]
    if rule.budget is not None:
        parts.insert(0, budget_words(rule))
    return ", ".join(parts) or "everywhere, always"


def _where_words(where: Where | None) -> str:
    if where is None:
        return ""
    named = {"site": where.sites, "station": where.stations, "EVSE": where.evses}
    places = [f"{word} {name}" for word, names in named.items() for name in names]
    words = [f"at {' or '.join(places)}"] if places else []
    words += [f"with {' or '.join(where.connector_types)}"] if where.connector_types else []
    return " ".join(words)


def _hours_words(hours: Hours | None) -> str:
    if hours is None:
        return ""
    span = f"{hours.from_time or '00:00'}-{hours.to_time or '24:00'}"
    whole = hours.from_time is None and hours.to_time is None
    return " ".join([*_days_words(hours.days), *(() if whole else (span,))])


def _days_words(days: Sequence[str]) -> Iterator[str]:
    """``mon-fri sun``: three days in a row and more are a span."""
    numbers = sorted(DAYS.index(day) for day in days)
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        row = [DAYS[number] for _, number in run]
        yield from (f"{row[0]}-{row[-1]}",) if len(row) > 2 else row


def budget_words(rule: Rule) -> str:
    """``20 kWh, 10.00 EUR each driver per day``."""
    budget = rule.budget
    assert budget is not None
    amounts = {
        "kWh": None if budget.energy_wh is None else f"{budget.energy_wh / 1000:g}",
        "": None if budget.cost is None else f"{budget.cost.amount} {budget.cost.currency}",
        "min": budget.minutes,
        "sessions": budget.sessions,
    }
    said = ", ".join(f"{amount} {unit}".strip() for unit, amount in amounts.items() if amount is not None)
    then = f", then {budget.power_w} W" if budget.then == "limit" else ""
    return f"{said}{' each' if budget.each else ''} per {budget.period}{then}"


def check(rule: Rule) -> None:
    """Raise Invalid for a rule that says nothing, or what nobody can keep."""
    if not _ID.fullmatch(rule.id):
        raise Invalid("a rule's id has 1 to 60 letters, digits, dots, dashes or underscores")
    _one_of("effect", rule.effect, EFFECTS)
    _one_of("subject", rule.kind, SUBJECTS)
    if (rule.kind == "everyone") is bool(rule.subject):
        raise Invalid(f"{rule.id}: a rule names its {rule.kind}, and for everyone it names nobody")
    if rule.time_zone is not None and zone_named(rule.time_zone) is None:
        raise Invalid(f"there is no time zone {rule.time_zone!r}", "e.g. Europe/Berlin")
    if abs(rule.priority) > 1000:
        raise Invalid(f"{rule.id}: a priority lies between -1000 and 1000, not {rule.priority}")
    if rule.effect == "only" and rule.where is None and rule.hours is None:
        raise Invalid(f"{rule.id}: only where, or only when?", "give places, days or hours")
    _check_where(rule)
    _check_hours(rule)
    _check_budget(rule)


def _one_of(what: str, word: str, words: Iterable[str]) -> None:
    if word not in words:
        raise Invalid(f"{what} must be one of {', '.join(words)}, not {word!r}")


def _check_where(rule: Rule) -> None:
    where = rule.where
    if where is None:
        return
    for place in where.evses:
        if not _EVSE.fullmatch(place):
            raise Invalid(f"{place!r} is no EVSE", "write STATION:EVSE; EVSEs count from 1")
    names = (*where.sites, *where.stations, *where.evses, *where.connector_types)
    if len(names) > _MOST_PLACES or not all(0 < len(name) <= 255 and name.isprintable() for name in names):
        raise Invalid(f"{rule.id}: at most {_MOST_PLACES} places, each of 1 to 255 printable characters")


def _check_hours(rule: Rule) -> None:
    hours = rule.hours
    if hours is None:
        return
    for day in hours.days:
        _one_of("day", day, DAYS)
    for clock in (hours.from_time, hours.to_time):
        if clock is not None and not _CLOCK.fullmatch(clock):
            raise Invalid(f"{rule.id}: {clock!r} is no time of day", "write HH:MM")
    if not hours.days and hours.from_time is None and hours.to_time is None:
        raise Invalid(f"{rule.id}: hours need a day or a time of day")
    if hours.from_time is not None and hours.from_time == hours.to_time:
        raise Invalid(f"{rule.id}: {hours.from_time} to {hours.to_time} is no time at all")


def _check_budget(rule: Rule) -> None:
    budget = rule.budget
    if (rule.effect == "budget") is (budget is None):
        raise Invalid(f"{rule.id}: a budget says how much, and no other rule does")
    if budget is None:
        return
    if rule.hours is not None:
        raise Invalid(f"{rule.id}: a budget has no hours: it has a period")
    _one_of("period", budget.period, PERIODS)
    _one_of("then", budget.then, THEN)
    if (budget.then == "limit") is (budget.power_w is None) or (budget.power_w or 0) < 0:
        raise Invalid(f"{rule.id}: who is limited when the budget is used up is limited to so many watts")
    amounts: Mapping[str, int | None] = {
        "energy_wh": budget.energy_wh,
        "minutes": budget.minutes,
        "sessions": budget.sessions,
    }
    if budget.cost is None and all(amount is None for amount in amounts.values()):
        raise Invalid(f"{rule.id}: a budget has kWh, money, minutes or sessions")
    for name, amount in amounts.items():
        if amount is not None and not 0 <= amount <= _MOST[name]:
            raise Invalid(f"{rule.id}: {name} lies between 0 and {_MOST[name]}, not {amount}")
    if budget.cost is not None and not (
        budget.cost.amount.is_finite()
        and 0 <= budget.cost.amount <= 10**9
        and re.fullmatch(r"[A-Z]{3}", budget.cost.currency)
    ):
        raise Invalid(f"{rule.id}: money is an amount and a currency as in ISO 4217, e.g. 50 EUR")
