"""Charge detail records for partners: OCPI 2.2.1 objects, what was rated again with the credit of what it replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from cms.contract.cdrs import CdrExport, ExportCdrs
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain import cdrs, evses, ocpicdrs, organisations, signedvalues, sites
from cms.domain.cdrs import Cdr
from cms.domain.countries import alpha3
from cms.domain.evses import Evse
from cms.domain.ocpicdrs import Json, Place, Proof
from cms.domain.ocpitariffs import write
from cms.domain.tariffs import TARIFF, Registered
from cms.operations.cdrs import LATELY, aware, by_session, check_limit
from cms.operations.signatures import signed_of

#: OCPI's numbers are numbers, not text; they stay exact on their way.
_encode = msgspec.json.Encoder(decimal_format="number").encode


async def export(core: Core, request: ExportCdrs, actor: Actor) -> CdrExport:
    """Of each session all that was ever said: a record, its credit, the next one. What is held is not said yet."""
    check_limit(request.limit)
    until = aware(request.until)
    since = aware(request.since) or (until or core.clock.now()) - LATELY
    found = await core.store.accounting.cdrs(since=since, until=until, station=request.station, every=True)
    marks = by_session(await core.store.accounting.cdr_marks(since=since))
    said: dict[str, list[Cdr]] = {}
    for cdr in reversed(found):
        if cdrs.in_force(cdr, marks.get(cdr.session, ())):
            said.setdefault(cdr.session, []).append(cdr)
    chosen = [sorted(own, key=lambda cdr: cdr.revision) for own in list(said.values())[: request.limit]]
    invoices = await core.store.accounting.billed_by([cdr.ref for own in chosen for cdr in own])
    lines = [_encode(one).decode() for own in chosen for one in await _objects(core, own, invoices)]
    return CdrExport(tuple(lines))


async def _objects(core: Core, own: Sequence[Cdr], invoices: Mapping[str, str]) -> list[Json]:
    """The revisions of one session, each before its credit."""
    proof = await _proof(core, own[-1])
    found: list[Json] = []
    for cdr in own:
        if found:
            found.append(ocpicdrs.credit_of(found[-1], cdr.rated_at))
        place = _place(core, cdr)
        tariffs = list(_tariffs(core, cdr, place.party))
        found.append(ocpicdrs.cdr_object(cdr, place, tariffs, proof, invoices.get(cdr.ref)))
    return found


async def _proof(core: Core, cdr: Cdr) -> Proof | None:
    if cdr.signature == signedvalues.NONE:
        return None
    signed = signedvalues.chosen(await signed_of(core, cdr.session))
    known = signedvalues.key_for(core.kept.get(signedvalues.KIND, {}), cdr.station, cdr.evse)
    key = known.key if known is not None else next((one.key for one in signed if one.key), None)
    return Proof(tuple(signed), key)


def _place(core: Core, cdr: Cdr) -> Place:
    site = sites.of(core.kept.get(sites.KIND, {}), cdr.site)
    lane = core.lanes.get(cdr.station.casefold())
    evse: Evse | None = lane.state.kept_of(evses.KIND).get(evses.number(cdr.evse or 0)) if lane else None
    outlet = evse.outlet(cdr.connector or 1) if evse is not None else None
    party = cdr.party or (site.party if site is not None else None) or _own_party(core, cdr.evse_id)
    if party is None:
        where = f"site {cdr.site}" if cdr.site else f"station {cdr.station}, which stands at no site"
        raise Conflict(
            f"nobody said whose charge detail records those of {where} are",
            "cms sites set SITE --party 'DE*ABC', or the organisation's",
        )
    return Place(party, site, alpha3(site.country) if site is not None and site.country else None, outlet)


def _own_party(core: Core, evse_id: str | None) -> str | None:
    """The organisation's; that of the EVSE id where it has none."""
    own = organisations.own(core.kept)
    if own is not None and own.party:
        return own.party
    return "*".join(evse_id.split("*")[:2]) if evse_id else None


def _tariffs(core: Core, cdr: Cdr, party: str) -> Iterator[Json]:
    """The tariffs that it was rated by, as OCPI has them; of one that a station made up itself we have none."""
    known: Mapping[str, Registered] = core.kept.get(TARIFF, {})
    for tariff in dict.fromkeys(cdr.tariffs):
        if tariff in known:
            with suppress(Invalid):  # OCPI has no words for all that a tariff of ours may say
                yield write(known[tariff].tariff, party, known[tariff].added_at)
