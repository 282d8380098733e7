"""Who may charge where and when: one engine for every version, every order, and every explanation.

``judge`` asks rules in one order (contract.access says which) and tells of every step, so that what decides at a
station and what is explained to a person are the same. Budgets are asked besides: domain.usage counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, time
from functools import cache
from operator import itemgetter
from zoneinfo import ZoneInfo

from cms.contract.access import DAYS, SUBJECTS, Hours, Rule, Step, Where
from cms.domain.access_rules import EVSE, says, zone_named
from cms.domain.record import record
from cms.domain.tokens import Authorization

KIND = "access"


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
    found = EVSE.fullmatch(place)
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
