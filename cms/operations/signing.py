"""Signing what stations ask for: answer first, then sign and hand over as an order of ours (2.x A02, A03)."""

from __future__ import annotations

from cms.contract.intents import Preview
from cms.contract.refusals import Refusal
from cms.contract.stations import OrderTerms
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import signing
from cms.domain.certificates import Signed, Use, unsignable
from cms.domain.changes import Decision, Happened
from cms.domain.observations import Received
from cms.domain.signing import USES, CertificateRequested, Fate, TakeCertificate
from cms.domain.stations import StationState
from cms.operations.deciding import settle
from cms.operations.intents import give

US = Actor("cms", "system", frozenset())
ORDER = "certificate-sign"
#: 1.6 whitepaper CertificateSigned, 2.x A02.FR.16: what a station does not limit itself.
_LONGEST_CHAIN = 10_000
_CHAIN_LIMITS = {"certificatesignedmaxchainsize", "securityctrlr.maxcertificatechainsize"}


async def requested(
    core: Core, state: StationState, received: Received, seen: CertificateRequested
) -> Decision:
    """SignCertificate. What is worthy is signed once this is answered: not before (2.x A02.FR.11)."""
    use = USES.get(seen.kind)
    if use is None:
        return signing.refused(state, received, f"there are no certificates of the kind {seen.kind!r}")
    if not core.trust.signs(use):
        return signing.refused(state, received, f"there is no authority for {use} certificates here")
    try:
        request = core.trust.read_request(seen.csr)
    except Refusal as refused:
        return signing.refused(state, received, refused.message)
    station = state.station
    wrong = unsignable(request, (station.serial, station.id), core.terms.organisations)
    decision, begin = signing.decide(state, received, seen, request, wrong)
    if begin:
        core.spawn(_hand_over(core, station.id, use, seen))
    return decision


async def _hand_over(core: Core, station_id: str, use: Use, seen: CertificateRequested) -> None:
    """Sign, remember, send. The lane's lock is free again when the request is answered."""
    lane = core.lane(station_id)
    try:
        signed = await _signed(core, lane, use, seen.csr)
        if signed is None:
            return
        order = TakeCertificate(signed.chain, signed.leaf.fingerprint, seen.kind, seen.request_id)
        shown = Preview(ORDER, station_id, 1, "the station gets the certificate it asked for", "")
        try:
            await give(core, US, station_id, ORDER, order, OrderTerms(reason="the station asked"), shown)
        except Refusal as refused:
            await _lost(core, lane, signed.leaf.fingerprint, refused.message)
    except StoreDown:
        return  # the station asks again


async def _signed(core: Core, lane: Lane, use: Use, csr: str) -> Signed | None:
    """What was signed, remembered before anybody sees it; None when it was not to be."""
    station_id = lane.state.station.id
    limit = await _chain_limit(core, station_id)
    signed: Signed | None = None
    try:
        signed = await core.trust.sign(use, csr, core.clock.now())
        reason = f"the chain has {len(signed.chain)} characters, the station takes {limit}"
    except Refusal as refused:
        reason = refused.message
    async with lane.lock:
        now = core.clock.now()
        if signed is not None and len(signed.chain) <= limit:
            state, changes = signing.issued(lane.state, use, signed.leaf, now)
            await settle(core, lane, state, changes, ())
            return signed
        changes = []
        state = signing.closed(lane.state, use, now, changes)
        told = Happened("certificate.failed", now, station_id, data={"use": use, "reason": reason})
        await settle(core, lane, state, changes, (told,))
    return None


async def _chain_limit(core: Core, station_id: str) -> int:
    for variable in await core.store.variables(station_id):
        if variable.name.casefold() in _CHAIN_LIMITS and variable.value and variable.value.isdecimal():
            return min(int(variable.value) or _LONGEST_CHAIN, _LONGEST_CHAIN)
    return _LONGEST_CHAIN


async def _lost(core: Core, lane: Lane, fingerprint: str, reason: str) -> None:
    """The certificate did not arrive (a station that refused it has said so: that is learned elsewhere)."""
    async with lane.lock:
        known = lane.state.kept_of(signing.ISSUED).get(fingerprint)
        if known is None or known.fate != Fate.SENT:
            return
        now = core.clock.now()
        state, changes = signing.fared(lane.state, fingerprint, Fate.LOST, now)
        data = {"use": known.use, "reason": reason}
        told = Happened("certificate.failed", now, lane.state.station.id, data=data)
        await settle(core, lane, state, changes, (told,))
