"""A tariff's prices as drivers read them, before anything is charged: with VAT, in their language.

Each price is one line with its conditions. A language is a table of phrases; money, numbers, days and dates are
written by babel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cms.contract.money import money
from cms.contract.tariffs import Bound, Component, Price, Tariff, When
from cms.domain.tariffs import DAYS, components, gross, taxes_of, with_taxes

ENGLISH: dict[str, str] = {
    "energy": "{price} per kWh",
    "charging_time": "{price} per minute of charging",
    "charging_time_h": "{price} per hour of charging",
    "idle_time": "{price} per minute connected without charging",
    "idle_time_h": "{price} per hour connected without charging",
    "fixed_fee": "{price} per session",
    "reservation_time": "{price} per minute of reservation",
    "reservation_time_h": "{price} per hour of reservation",
    "reservation_fixed": "{price} per reservation",
    "otherwise": "otherwise {line}",
    "above": "from {least}",
    "below": "up to {most}",
    "between": "from {least} to {most}",
    "later": "after {span}",
    "sooner": "in the first {span}",
    "later_charging": "after {span} of charging",
    "sooner_charging": "in the first {span} of charging",
    "later_idle": "after {span} without charging",
    "sooner_idle": "in the first {span} without charging",
    "from_date": "from {day} on",
    "to_date": "before {day}",
    "step": "in steps of {step}",
    "expired": "if nobody comes",
    "minimum": "at least {price} per session",
    "maximum": "at most {price} per session",
    "vat": "incl. {percent} VAT",
    "some_vat": "incl. VAT",
    "free": "free of charge",
    "hours": "h",
    "minutes": "min",
    "seconds": "s",
}
LANGUAGES: dict[str, dict[str, str]] = {
    "en": ENGLISH,
    "de": {
        "energy": "{price} je kWh",
        "charging_time": "{price} je Minute Ladezeit",
        "charging_time_h": "{price} je Stunde Ladezeit",
        "idle_time": "{price} je Minute Standzeit ohne Laden",
        "idle_time_h": "{price} je Stunde Standzeit ohne Laden",
        "fixed_fee": "{price} je Ladevorgang",
        "reservation_time": "{price} je Minute Reservierung",
        "reservation_time_h": "{price} je Stunde Reservierung",
        "reservation_fixed": "{price} je Reservierung",
        "otherwise": "sonst {line}",
        "above": "ab {least}",
        "below": "bis {most}",
        "between": "von {least} bis {most}",
        "later": "nach {span}",
        "sooner": "in den ersten {span}",
        "later_charging": "nach {span} Ladezeit",
        "sooner_charging": "in den ersten {span} Ladezeit",
        "later_idle": "nach {span} ohne Laden",
        "sooner_idle": "in den ersten {span} ohne Laden",
        "from_date": "ab {day}",
        "to_date": "vor dem {day}",
        "step": "in Schritten von {step}",
        "expired": "wenn niemand kommt",
        "minimum": "mindestens {price} je Ladevorgang",
        "maximum": "höchstens {price} je Ladevorgang",
        "vat": "inkl. {percent} MwSt.",
        "some_vat": "inkl. MwSt.",
        "free": "kostenlos",
        "hours": "Std.",
        "minutes": "Min.",
        "seconds": "Sek.",
    },
    "fr": {
        "energy": "{price} par kWh",
        "charging_time": "{price} par minute de charge",
        "charging_time_h": "{price} par heure de charge",
        "idle_time": "{price} par minute de connexion sans charge",
        "idle_time_h": "{price} par heure de connexion sans charge",
        "fixed_fee": "{price} par session",
        "reservation_time": "{price} par minute de réservation",
        "reservation_time_h": "{price} par heure de réservation",
        "reservation_fixed": "{price} par réservation",
        "otherwise": "sinon {line}",
        "above": "à partir de {least}",
        "below": "jusqu'à {most}",
        "between": "de {least} à {most}",
        "later": "après {span}",
        "sooner": "pendant les premières {span}",
        "later_charging": "après {span} de charge",
        "sooner_charging": "pendant les premières {span} de charge",
        "later_idle": "après {span} sans charge",
        "sooner_idle": "pendant les premières {span} sans charge",
        "from_date": "à partir du {day}",
        "to_date": "avant le {day}",
        "step": "par tranches de {step}",
        "expired": "si personne ne vient",
        "minimum": "au moins {price} par session",
        "maximum": "au plus {price} par session",
        "vat": "TVA de {percent} comprise",
        "some_vat": "TTC",
        "free": "gratuit",
    },
    "nl": {
        "energy": "{price} per kWh",
        "charging_time": "{price} per minuut laden",
        "charging_time_h": "{price} per uur laden",
        "idle_time": "{price} per minuut aangesloten zonder laden",
        "idle_time_h": "{price} per uur aangesloten zonder laden",
        "fixed_fee": "{price} per laadsessie",
        "reservation_time": "{price} per minuut reservering",
        "reservation_time_h": "{price} per uur reservering",
        "reservation_fixed": "{price} per reservering",
        "otherwise": "anders {line}",
        "above": "vanaf {least}",
        "below": "tot {most}",
        "between": "van {least} tot {most}",
        "later": "na {span}",
        "sooner": "in de eerste {span}",
        "later_charging": "na {span} laden",
        "sooner_charging": "in de eerste {span} laden",
        "later_idle": "na {span} zonder laden",
        "sooner_idle": "in de eerste {span} zonder laden",
        "from_date": "vanaf {day}",
        "to_date": "vóór {day}",
        "step": "in stappen van {step}",
        "expired": "als niemand komt",
        "minimum": "ten minste {price} per laadsessie",
        "maximum": "ten hoogste {price} per laadsessie",
        "vat": "incl. {percent} btw",
        "some_vat": "incl. btw",
        "free": "gratis",
        "hours": "uur",
    },
}
_TIMED = frozenset({"charging_time", "idle_time", "reservation_time"})
#: Pairs of conditions with an amount -> what their amounts are counted in.
_AMOUNTS = {"energy_wh": ("kWh", 3), "power_w": ("kW", 3), "current_a": ("A", 0)}
_SPANS = {"time_s": "", "charging_s": "_charging", "idle_s": "_idle"}


class Words:
    """A language: its phrases, and babel's locale for numbers, days and dates."""

    def __init__(self, language: str) -> None:
        self.language = language if language.partition("-")[0] in LANGUAGES else "en"
        self.locale = _locale(self.language)
        self._phrases: Mapping[str, str] = LANGUAGES[self.language.partition("-")[0]]

    def say(self, phrase: str, **words: Any) -> str:
        return self._phrases.get(phrase, ENGLISH[phrase]).format(**words)

    def money(self, amount: Decimal, currency: str) -> str:
        return money(amount, currency, self.locale)

    def number(self, value: Decimal, unit: str) -> str:
        from babel.numbers import format_decimal

        return f"{format_decimal(value, locale=self.locale)} {unit}"

    def percent(self, value: Decimal) -> str:
        from babel.numbers import format_percent

        shown = format_percent(value / 100, locale=self.locale, decimal_quantization=False)
        return shown.replace("\u00a0", " ").replace("\u202f", " ")

    def day(self, iso: str) -> str:
        from babel.dates import format_date

        return format_date(date.fromisoformat(iso), "medium", locale=self.locale)

    def days(self, names: tuple[str, ...]) -> str:
        """``Mon–Fri``, ``Sat, Sun``."""
        from babel.dates import get_day_names

        short = get_day_names("abbreviated", locale=self.locale)
        runs: list[list[int]] = []
        for index in sorted(DAYS.index(name) for name in names):
            if runs and runs[-1][-1] == index - 1:
                runs[-1].append(index)
            else:
                runs.append([index])
        parts = [
            f"{short[run[0]]}–{short[run[-1]]}" if len(run) > 2 else ", ".join(short[day] for day in run)
            for run in runs
        ]
        return ", ".join(parts)

    def span(self, seconds: int) -> str:
        for size, unit in ((3600, "hours"), (60, "minutes")):
            if seconds and seconds % size == 0:
                return f"{seconds // size} {self.say(unit)}"
        if seconds > 3600 and seconds % 60 == 0:
            return f"{seconds // 3600} {self.say('hours')} {seconds % 3600 // 60} {self.say('minutes')}"
        return f"{seconds} {self.say('seconds')}"


def _locale(language: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language, sep="-"))
    except (UnknownLocaleError, ValueError):
        return language.partition("-")[0]


def lines(tariff: Tariff, language: str = "en") -> tuple[str, ...]:
    """Each price with its conditions and VAT in it, then the bounds; one line that it is free where nothing costs."""
    words = Words(language)
    found = [
        line for name, component in components(tariff) for line in _component(tariff, name, component, words)
    ]
    for name, said in (("minimum", tariff.min_cost), ("maximum", tariff.max_cost)):
        if said is not None:
            found.append(words.say(name, price=bound(tariff, said, words)))
    return tuple(found) or (words.say("free"),)


def _component(tariff: Tariff, name: str, component: Component, words: Words) -> Iterator[str]:
    for place, price in enumerate(component.prices):
        phrase = f"{name}_h" if price.per_hour and name in _TIMED else name
        line = words.say(phrase, price=words.money(gross(tariff, component, price), tariff.currency))
        held = list(conditions(price, words))
        if not held and place:
            line = words.say("otherwise", line=line)
        step = _step(name, price, words)
        yield ", ".join([line, *held, *([step] if step else [])])


def conditions(price: Price, words: Words) -> Iterator[str]:
    """When it holds, a phrase each."""
    when = price.when
    if when is None:
        return
    if when.days:
        yield words.days(when.days)
    if when.from_time or when.to_time:
        yield f"{when.from_time or '00:00'}–{when.to_time or '24:00'}"
    for name in ("from_date", "to_date"):
        if getattr(when, name):
            yield words.say(name, day=words.day(getattr(when, name)))
    if when.evse_kind:
        yield when.evse_kind
    yield from _ranges(when, words)
    for named in (when.payment_brand, when.payment_recognition):
        if named:
            yield named
    if when.reservation == "RESERVATION_EXPIRES":
        yield words.say("expired")


def _ranges(when: When, words: Words) -> Iterator[str]:
    for name, (unit, scale) in _AMOUNTS.items():
        low, high = (_amount(getattr(when, f"{end}_{name}"), unit, scale, words) for end in ("min", "max"))
        if low and high:
            yield words.say("between", least=low, most=high)
        elif low or high:
            yield words.say("above", least=low) if low else words.say("below", most=high)
    for name, which in _SPANS.items():
        least, most = getattr(when, f"min_{name}"), getattr(when, f"max_{name}")
        if least:
            yield words.say(f"later{which}", span=words.span(least))
        if most is not None:
            yield words.say(f"sooner{which}", span=words.span(most))


def _amount(value: Decimal | None, unit: str, scale: int, words: Words) -> str | None:
    return words.number(value.scaleb(-scale), unit) if value else None


def _step(name: str, price: Price, words: Words) -> str | None:
    """OCPI writes a step of 1 Wh or 1 s at every price: nobody needs to read that."""
    if price.step is None or price.step <= 1:
        return None
    shown = (
        words.number(Decimal(price.step).scaleb(-3), "kWh") if name == "energy" else words.span(price.step)
    )
    return words.say("step", step=shown)


def bound(tariff: Tariff, said: Bound, words: Words) -> str:
    """The least or most, with VAT."""
    amount = said.incl_tax
    if amount is None:
        amount = with_taxes(said.excl_tax or Decimal(0), said.taxes)
    return words.money(amount, tariff.currency)


def vat(tariff: Tariff, language: str = "en") -> str | None:
    """``incl. 19% VAT``; None where there is none in the prices."""
    levied = [
        with_taxes(Decimal(100), taxes_of(component, price)) - 100
        for _, component in components(tariff)
        for price in component.prices
    ]
    rates = set(levied)
    if not any(rates):
        return None
    words = Words(language)
    return words.say("some_vat") if len(rates) > 1 else words.say("vat", percent=words.percent(rates.pop()))


def text(tariff: Tariff, language: str = "en") -> str:
    """What a driver is shown: the tariff's own text in his language, else its prices line by line."""
    own = [said for said in tariff.texts if said.format in ("UTF8", "ASCII")]
    wanted = language.partition("-")[0].casefold()
    for said in own:
        if said.language is not None and said.language.partition("-")[0].casefold() == wanted:
            return said.content
    for said in own:
        if said.language is None:
            return said.content
    tax = vat(tariff, language)
    return "\n".join((*lines(tariff, language), *((tax,) if tax else ())))
