"""Drivers who register themselves: a code goes to their e-mail address, and they charge once it came back."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cms.contract.drivers import (
    AddDriver,
    DriverView,
    RegisterDriver,
    SendVerification,
    VerificationView,
    VerifyDriver,
)
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain import verification
from cms.domain.changes import Happened
from cms.domain.drivers import Driver
from cms.domain.evolve import evolve
from cms.domain.verification import Verification
from cms.keys import LASTING
from cms.operations import drivers
from cms.operations.deciding import keep


async def register(core: Core, request: RegisterDriver, actor: Actor) -> DriverView:
    """He is there, and charges nothing yet. One address registers once."""
    asked = AddDriver(name=request.name, email=request.email, language=request.language)
    return await drivers.added(core, asked, actor, verified=False)


async def send(core: Core, request: SendVerification, actor: Actor) -> VerificationView:
    if core.mail is None:
        raise Conflict("this daemon sends no mail", "settings smtp_url and mail_from")
    code = f"{secrets.randbelow(1_000_000):06d}"
    async with core.books:
        driver = drivers.find(core, request.driver)
        if driver.verified:
            raise Conflict(f"driver {driver.id} is verified already")
        person = await drivers.person_of(core, driver.id)
        if person.email is None:
            raise Conflict(
                f"driver {driver.id} has no e-mail address", f"cms drivers set {driver.id} --email"
            )
        now, before = core.clock.now(), await _of(core, driver)
        if (next_at := verification.next_at(before, now)) > now:
            raise Conflict(f"driver {driver.id} was sent a code just now", f"again at {next_at:%H:%M:%S} UTC")
        after = verification.sent(before, _digest(core, driver, code), now)
        told = Happened("driver.code-sent", now, actor=actor.name, data={"driver": driver.id})
        await keep(core, verification.KIND, driver.id, after, told)
    await core.mail(verification.letter(person.email, code, driver.language))
    return VerificationView(driver.id, after.expires_at, verification.next_at(after, now))


async def verify(core: Core, request: VerifyDriver, actor: Actor) -> DriverView:
    async with core.books:
        driver = drivers.find(core, request.driver)
        if not driver.verified:
            await _check(core, driver, request.code)
            driver = evolve(driver, verified=True)
            await drivers.save(core, actor, "driver.changed", driver, moved=driver.may_charge)
            await keep(core, verification.KIND, driver.id, None)
    return await drivers.shown(core, driver)


async def _check(core: Core, driver: Driver, code: str) -> None:
    """Raises Conflict where no code is good, Invalid for a wrong one, which costs a try."""
    known, now = await _of(core, driver), core.clock.now()
    if known is None or not verification.open_at(known, now):
        raise Conflict(
            f"no code of driver {driver.id} is good now", f"cms drivers verify {driver.id} sends one"
        )
    if hmac.compare_digest(known.digest, _digest(core, driver, code.strip())):
        return
    known = verification.tried(known)
    await keep(core, verification.KIND, driver.id, known)
    raise Invalid("that is not the code", f"{known.tries} more tries")


async def _of(core: Core, driver: Driver) -> Verification | None:
    known: Verification | None = await core.store.kept_one("", verification.KIND, driver.id)
    return known


def _digest(core: Core, driver: Driver, code: str) -> bytes:
    key = core.keys.key("verification code", LASTING)
    return hmac.digest(key, driver.id.encode() + b"\0" + code.encode(), hashlib.sha256)
