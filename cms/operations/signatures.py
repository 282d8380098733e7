"""Signed meter values: found while their session runs, verified beside the loop when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cms.core import Core
from cms.domain import signedvalues
from cms.domain.accounts import Account
from cms.domain.evolve import evolve
from cms.domain.observations import Reading
from cms.domain.sessions import Session
from cms.domain.signedvalues import KIND, MeterKey, SignedValue, Verdict
from cms.operations.deciding import keep


def noted(account: Account, readings: Sequence[Reading]) -> Account:
    """The account that knows of signed values, so that at the end nobody looks for any where there are none."""
    if account.signed or not any(s.signed is not None for r in readings for s in r.samples):
        return account
    return evolve(account, signed=True)


async def signed_of(core: Core, session_id: str, new: Iterable[Reading] = ()) -> list[SignedValue]:
    """The signed values of a session: those of the record, and those that are about to be written."""
    stored = [(sample.at, sample) for sample in await core.store.samples(session_id)]
    arriving = [(reading.at, sample) for reading in new for sample in reading.samples]
    return signedvalues.found([*stored, *arriving])


async def verdict(core: Core, session: Session, new: Iterable[Reading]) -> Verdict:
    """What the signed values say of a session; a key that came with them is remembered where none is known."""
    signed = signedvalues.chosen(await signed_of(core, session.id, new))
    known = signedvalues.key_for(core.kept.get(KIND, {}), session.station, session.evse)
    sent = next((one.key for one in reversed(signed) if one.key is not None), None)
    key = known.key if known is not None else sent
    vouched = await core.aside(lambda: [core.trust.vouched(one, key) for one in signed])
    if known is None and sent is not None and any(one.valid for one in vouched):
        core.spawn(
            _remember(core, MeterKey(session.station, session.evse or 0, sent, False, core.clock.now()))
        )
    return signedvalues.judged(signed, vouched, known, session.energy_wh)


async def _remember(core: Core, key: MeterKey) -> None:
    """The key that a station sent first: another one later is remarked upon. It proves nothing."""
    name = signedvalues.key_of(key.station, key.evse)
    async with core.books:
        if name not in core.kept.get(KIND, {}):
            await keep(core, KIND, name, key)
