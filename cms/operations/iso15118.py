"""Asking others for stations: OCSP responders, lists, the contract certificate provider (2.x C07, M01, M02, M06, M07).

All of this happens without the station's lock, and within what a car waits: ISO 15118-2 gives the whole
exchange about 4.5 s.
"""

from __future__ import annotations

import asyncio

from cms.contract.refusals import Refusal
from cms.core import Core
from cms.domain import iso15118, tokens
from cms.domain.certificates import Contract, Standing
from cms.domain.changes import Decision
from cms.domain.evolve import evolve
from cms.domain.iso15118 import ChainAsked, ContractCertificateAsked, ContractPresented, Source, StandingAsked
from cms.domain.observations import Observation, Received
from cms.domain.stations import StationState
from cms.operations import access_outside, access_rulings
from cms.operations.identifying import known

_PATIENCE_S = 4.0


async def standing_of_contract(core: Core, received: Received, seen: ContractPresented) -> Observation:
    """Hash data is asked about; a chain without it is verified here and its members asked about (C07.FR.05, 06)."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            if seen.named:
                pairs = [(each.hash_data, each.responder) for each in seen.named]
                standing = await core.trust.contract_named(pairs, received.at)
            else:
                standing = await core.trust.contract_chain(seen.chain or "", received.at)
    except TimeoutError:
        standing = Contract.BROKEN
    return evolve(seen, standing=standing)


async def presented(core: Core, state: StationState, received: Received, seen: ContractPresented) -> Decision:
    token = known(core, seen.token)
    here = tokens.Presented(state.station.id) if token is not None and token.limited else None
    ruling = tokens.rule(token, seen.token, received.at, at=here)
    ruling = access_outside.ruled(core, received, ruling, seen.token, received.outside)
    ruling = await access_rulings.ruled_presented(core, state, ruling, received.at)
    return iso15118.presented(state, received, seen, ruling)


async def standing(core: Core, received: Received, seen: StandingAsked) -> Observation:
    urls = (seen.named.responder,) if seen.named.responder else ()
    source = Source(seen.named.hash_data, "ocsp", urls)
    return evolve(seen, standing=await _standing(core, received, source))


async def chain(core: Core, received: Received, seen: ChainAsked) -> Observation:
    told = await asyncio.gather(*(_standing(core, received, source) for source in seen.sources))
    pairs = zip(seen.sources, told, strict=True)
    return evolve(seen, sources=tuple(evolve(source, standing=one) for source, one in pairs))


async def _standing(core: Core, received: Received, source: Source) -> Standing | None:
    """What the first of the source's addresses says that says anything; None when none does in time."""
    ask = core.trust.standing if source.kind == "ocsp" else core.trust.listed
    try:
        async with asyncio.timeout(_PATIENCE_S):
            for url in source.urls:
                try:
                    return await ask(source.hash_data, url, received.at)
                except Refusal:
                    continue
    except TimeoutError:
        pass
    return None


async def contract_certificate(core: Core, received: Received, seen: ContractCertificateAsked) -> Observation:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return evolve(seen, given=await core.trust.contract_certificate(seen))
    except (TimeoutError, Refusal):
        return seen
