"""The keys of the whole daemon: which versions there are, a new one, an old one forgotten (docs/secrets.md).

Nobody is locked out by a new version: a password is checked with the version it was last digested with, and is
digested anew when its station shows it. Kept secrets are sealed anew at once, and after a crash in the middle by the
next round of ``rewrap``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cms.contract.refusals import Conflict, NotFound
from cms.contract.secrets import ForgetSecrets, KeyVersionView, RotateSecrets, SecretsView, ShowSecrets
from cms.core import MAIN, Actor, Core
from cms.domain import security
from cms.domain.atrest import place, sealed_fields
from cms.domain.changes import Happened, Keep
from cms.domain.evolve import with_fields
from cms.domain.kept import KINDS
from cms.keys import LASTING, version_of
from cms.operations.credentials import key_version
from cms.operations.deciding import settle

_NAMED = 20
#: Kinds of kept records with a secret in them, and in which fields.
SEALED = {name: fields for name, kind in KINDS.items() if (fields := sealed_fields(kind.type))}


async def show(core: Core, request: ShowSecrets, actor: Actor) -> SecretsView:
    """``core`` is the platform's, here and below; the keys are everybody's."""
    roots, cores = core.keys.roots, tuple(core.all_cores())
    passwords = Counter(version for one in cores for _, version in _passwords(one))
    secrets = Counter([version async for version in _secrets(cores)])
    files = Counter(core.trust.key_versions())
    older = [name for one in cores for name, version in _passwords(one) if version != roots.current]
    chosen = sum(security.is_chosen(lane.state) for one in cores for lane in one.lanes.values())
    known = {*roots.versions, *passwords, *secrets, *files}
    return SecretsView(
        in_force=roots.current,
        master_key=core.terms.master_key,
        versions=tuple(
            KeyVersionView(
                version, version == roots.current, passwords[version], secrets[version], files[version]
            )
            for version in sorted(known)
        ),
        waiting=tuple(older[:_NAMED]),
        chosen_passwords=chosen,
        warnings=core.terms.notes,
    )


async def rotate(core: Core, request: RotateSecrets, actor: Actor) -> SecretsView:
    """A new version, in force at once."""
    async with core.books:
        version = core.keys.roots.renew()
    data = {"version": version} | _because(request.reason)
    told = Happened("secrets.rotated", core.clock.now(), actor=actor.name, data=data)
    await core.store.commit((), (told,))
    for one in core.all_cores():
        await rewrap(one)
    core.trust.renew_keys()
    return await show(core, ShowSecrets(), actor)


async def forget(core: Core, request: ForgetSecrets, actor: Actor) -> SecretsView:
    """Take an old version out of the keys: what was made with it is worth nothing from then on."""
    version, roots = request.version, core.keys.roots
    if version != LASTING and version not in roots.versions:
        raise NotFound(f"there is no version {version} of the keys", "see `cms secrets status`")
    cores = tuple(core.all_cores())
    for one in cores:
        await rewrap(one)
    core.trust.renew_keys()
    needing = [name for one in cores for name, made in _passwords(one) if made == version]
    if needing and not request.force and version != roots.current:
        some = ", ".join(needing[:5]) + (" ..." if len(needing) > 5 else "")
        raise Conflict(
            f"{len(needing)} station{'s need' if len(needing) > 1 else ' needs'} version {version} of the keys: {some}",
            "they need it until they connect once; --force cuts them off until they have new passwords",
        )
    async with core.books:
        roots.forget(version)
    data = {"version": version, "cut_off": len(needing)} | _because(request.reason)
    told = Happened("secrets.forgotten", core.clock.now(), actor=actor.name, data=data)
    await core.store.commit((), (told,))
    return await show(core, ShowSecrets(), actor)


def _because(reason: str | None) -> dict[str, str]:
    return {"reason": reason} if reason else {}


def _passwords(core: Core) -> Iterator[tuple[str, int]]:
    """(Station, version of the key) of every password in force; stations of others with their organisation's name."""
    for lane in core.lanes.values():
        station = lane.state.station
        if station.password_digest is not None:
            name = station.id if core.organisation == MAIN else f"{core.organisation}/{station.id}"
            yield name, key_version(station.password_digest)


async def _secrets(cores: tuple[Core, ...]) -> Any:
    """The version of the key of every kept secret."""
    for core in cores:
        for kind, fields in SEALED.items():
            for _, _, record in await core.store.kept_everywhere(kind):
                for field in fields:
                    if sealed := getattr(record, field):
                        yield version_of(sealed)


async def rewrap(core: Core) -> int:
    """Seal every kept secret of an organisation with the key in force; how many records that took."""
    changed = 0
    for kind in SEALED:
        for station, key, record in await core.store.kept_everywhere(kind):
            if _stale(core, kind, record):
                changed += await _rewrapped(core, kind, station, key)
    return changed


def _stale(core: Core, kind: str, record: Any) -> list[str]:
    """The fields of this record that an older key opens."""
    sealed = ((field, getattr(record, field)) for field in SEALED[kind])
    return [field for field, box in sealed if box and version_of(box) != core.keys.current]


async def _rewrapped(core: Core, kind: str, station: str, key: str) -> bool:
    """Seal one record anew, as it is when nobody else changes it."""
    lane = core.lanes.get(station)
    async with core.books if lane is None else lane.lock:
        record = (await core.store.kept(station, kind)).get(key)
        if record is None or not (fields := _stale(core, kind, record)):
            return False
        fresh = with_fields(
            record, {field: _anew(core, kind, station, key, record, field) for field in fields}
        )
        change = Keep(station, kind, key, fresh, core.clock.now())
        if lane is not None:
            state = lane.state.keeping(kind, key, fresh) if KINDS[kind].present else lane.state
            await settle(core, lane, state, (change,), ())
        else:
            await core.store.commit((change,), ())
            if key in core.kept.get(kind, {}):
                core.kept[kind][key] = fresh
        return True


def _anew(core: Core, kind: str, station: str, key: str, record: Any, field: str) -> bytes:
    where = place(kind, station, key)
    return core.keys.seal(*where, field, core.keys.open(*where, field, getattr(record, field)))
