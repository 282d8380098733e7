"""What an access rule says, in words, and what none may say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo

from cms.contract.access import DAYS, EFFECTS, PERIODS, SUBJECTS, THEN, Hours, Rule, Where
from cms.contract.refusals import Invalid

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)
EVSE = re.compile(r"(?P<station>.+):(?P<evse>[1-9]\d{0,4})", re.DOTALL | re.ASCII)
#: A year of anybody's budget fits in these; what is larger is a slip of the keyboard.
_MOST = {"energy_wh": 10**12, "minutes": 10**6, "sessions": 10**6}
_MOST_PLACES = 1000


@cache
def zone_named(name: str) -> ZoneInfo | None:
    """An IANA time zone; None where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


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
        if not EVSE.fullmatch(place):
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
