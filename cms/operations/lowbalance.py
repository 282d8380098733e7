"""What happens when little is left of a prepaid balance: an event, a letter to its driver, once."""

from __future__ import annotations

from cms.contract.money import money
from cms.core import Core
from cms.domain import balances, drivers
from cms.domain.balances import Balance
from cms.domain.changes import Happened
from cms.domain.drivers import Driver
from cms.domain.evolve import evolve
from cms.domain.ledger import PREPAID
from cms.domain.verification import Mail
from cms.operations.credits import kept, left
from cms.operations.deciding import keep
from cms.operations.drivers import person_of

#: Language -> subject and text of the letter; ``{left}`` is what is left.
_LETTERS: dict[str, tuple[str, str]] = {
    "en": (
        "Your charging balance is low",
        "{left} are left of your balance. Sessions end when it is used up.",
    ),
    "de": (
        "Ihr Ladeguthaben geht zur Neige",
        "Ihr Guthaben beträgt noch {left}. Ladevorgänge enden, wenn es aufgebraucht ist.",
    ),
    "fr": (
        "Votre solde de recharge est bas",
        "Il vous reste {left}. Les recharges s'arrêtent lorsque le solde est épuisé.",
    ),
    "nl": (
        "Uw laadtegoed is bijna op",
        "Uw tegoed is nog {left}. Laadsessies eindigen wanneer het op is.",
    ),
}


async def watch(core: Core, account: str) -> None:
    """After money moved on a prepaid account: tell that it is low, once until it is not any more."""
    async with core.books:
        balance = kept(core).get(balances.key(account.removeprefix(PREPAID)))
        if balance is None:
            return
        there = left(core, balance)
        low = balance.warn_below is not None and there < balance.warn_below
        if low == balance.warned:
            return
        told = []
        if low:
            money_left = {"amount": str(there), "currency": balance.currency}
            data = {"driver": balance.driver, "token": balance.token, "balance": money_left}
            told.append(Happened("balance.low", core.clock.now(), data=data))
        await keep(core, balances.KIND, balance.key, evolve(balance, warned=low), *told)
    if low:
        core.collect.set()  # what his saved card is to bring (operations.charges)
        await _write(core, balance)


async def watch_all(core: Core) -> None:
    """After a start: what became low when nobody could tell it."""
    for balance in list(kept(core).values()):
        if balance.warn_below is not None:
            await watch(core, balance.account)


async def _write(core: Core, balance: Balance) -> None:
    """A letter to the driver, where he has an address and letters are sent."""
    driver: Driver | None = core.kept.get(drivers.KIND, {}).get(balance.driver or "")
    if core.mail is None or driver is None or not driver.verified:
        return
    person = await person_of(core, driver.id)
    if person.email is None:
        return
    language = (driver.language or "en").partition("-")[0].casefold()
    subject, text = _LETTERS.get(language, _LETTERS["en"])
    spoken = language if language in _LETTERS else "en"
    written = money(left(core, balance), balance.currency, spoken)
    await core.mail(Mail(person.email, subject, text.format(left=written) + "\n"))
