"""The public keys of meters, and what a session's signed values prove with them."""

from __future__ import annotations

from cms.contract.cdrs import (
    DropMeterKey,
    ListMeterKeys,
    MeterKeyView,
    SetMeterKey,
    ShowTransparency,
    SignedView,
    TransparencyView,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain import signedvalues
from cms.domain.changes import Happened
from cms.domain.signedvalues import KIND, MeterKey
from cms.operations.deciding import keep
from cms.operations.sessions import find
from cms.operations.signatures import signed_of

#: No register grows without end.
_MOST = 200_000
_MOST_EVSES = 999


async def list_keys(core: Core, request: ListMeterKeys, actor: Actor) -> list[MeterKeyView]:
    known: dict[str, MeterKey] = core.kept.get(KIND, {})
    station = request.station.casefold() if request.station else None
    return [
        _view(core, key)
        for _, key in sorted(known.items())
        if station is None or key.station.casefold() == station
    ]


def _view(core: Core, key: MeterKey) -> MeterKeyView:
    curve = core.trust.meter_key(key.key)
    return MeterKeyView(key.station, key.evse, curve, key.key, key.registered, key.at, key.actor)


async def set_key(core: Core, request: SetMeterKey, actor: Actor) -> MeterKeyView:
    """From now on what the meter signs is verified with this key; what was rated before stays as it was."""
    station = core.lane(request.station).state.station.id
    if not 0 <= request.evse <= _MOST_EVSES:
        raise Invalid(f"there is no EVSE {request.evse}", "0 means all of the station")
    key = signedvalues.read_key(request.key)
    if key is None:
        raise Invalid("this is no public key of a meter", "PEM, or hex digits of its DER form")
    core.trust.meter_key(key)
    name = signedvalues.key_of(station, request.evse)
    async with core.books:
        known = core.kept.get(KIND, {})
        if name not in known and len(known) >= _MOST:
            raise Conflict(f"there are {_MOST} keys of meters already")
        now = core.clock.now()
        entry = MeterKey(station, request.evse, key, True, now, actor.name)
        told = Happened("meter.key", now, station, actor=actor.name, data={"evse": request.evse, "set": True})
        await keep(core, KIND, name, entry, told)
    return _view(core, entry)


async def drop_key(core: Core, request: DropMeterKey, actor: Actor) -> None:
    name = signedvalues.key_of(request.station, request.evse)
    async with core.books:
        known: MeterKey | None = core.kept.get(KIND, {}).get(name)
        if known is None:
            raise NotFound(
                f"no key of a meter at {request.station}, EVSE {request.evse}", "see `cms meters keys`"
            )
        data = {"evse": known.evse, "set": False}
        told = Happened("meter.key", core.clock.now(), known.station, actor=actor.name, data=data)
        await keep(core, KIND, name, None, told)


async def transparency(core: Core, request: ShowTransparency, actor: Actor) -> TransparencyView:
    """All signed values of a session with the key that is known now, as its driver may check them himself."""
    session = await find(core, request.session)
    signed = await signed_of(core, session.id)
    if not signed:
        raise NotFound(f"session {session.id} has no signed meter values", "its meter signs none")
    known = signedvalues.key_for(core.kept.get(KIND, {}), session.station, session.evse)
    key = known.key if known is not None else next((one.key for one in signed if one.key), None)
    vouched = await core.aside(lambda: [core.trust.vouched(one, key) for one in signed])
    verdict = signedvalues.judged(signed, vouched, known, session.energy_wh)
    return TransparencyView(
        session=session.id,
        signature=verdict.status,
        start_wh=verdict.start_wh,
        stop_wh=verdict.stop_wh,
        energy_wh=session.energy_wh,
        remarks=verdict.remarks,
        key=key,
        values=tuple(
            SignedView(one.at, one.context, one.encoding, told.valid, one.text)
            for one, told in zip(signed, vouched, strict=True)
        ),
        xml=signedvalues.transparency_xml(signed, key),
    )
