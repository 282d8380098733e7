"""Billing that nobody has to ask for: each session of those who want it so, and last month on the day that was set."""

from __future__ import annotations

from datetime import date, timedelta

import structlog

from cms.contract.invoices import RunBilling
from cms.contract.refusals import Refusal
from cms.core import Actor, Core
from cms.domain import billing, sellers
from cms.operations import billingruns
from cms.operations.sellers import known

log = structlog.get_logger("cms")

#: Who makes invoices that nobody asked for.
SELF = Actor("cms", "system", frozenset())
#: How far back sessions are looked for: one that was held is released later.
_LOOKS_BACK = timedelta(days=62)


async def bill(core: Core, today: date, day: int, done: dict[str, date]) -> None:
    """What is due today; ``done`` remembers the month that was billed. Asked again it bills nothing twice."""
    if sellers.missing(known(core)):
        return
    try:
        await _sessions(core, today)
        month = today.replace(day=1)
        if day and today.day >= day and done.get(core.organisation) != month:
            await _run(core, RunBilling())
            done[core.organisation] = month
    except Refusal as refusal:
        log.warning("nothing was billed", organisation=core.organisation, why=refusal.message)


async def _sessions(core: Core, today: date) -> None:
    profiles = core.kept.get(billing.KIND, {}).values()
    drivers = tuple(p.driver for p in profiles if p.every == "session" and p.way != "prepaid")
    if drivers:
        await _run(core, RunBilling(since=today - _LOOKS_BACK, until=today, drivers=drivers))


async def _run(core: Core, asked: RunBilling) -> None:
    after: str | None = None
    while True:
        made = await billingruns.run(
            core, RunBilling(asked.since, asked.until, asked.drivers, after=after), SELF
        )
        if made.invoices:
            log.info("billed", organisation=core.organisation, invoices=len(made.invoices))
        after = made.next
        if after is None:
            return
