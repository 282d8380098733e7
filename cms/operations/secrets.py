"""The keys of the whole daemon: which versions there are, a new one, an old one forgotten (docs/secrets.md).

Nobody is locked out by a new version: a password is checked with the version it was last digested with, and is
digested anew when its station shows it. Kept secrets are sealed anew beside everything else, and after a crash in the
middle by the next round of ``rewrap``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cms.contract.refusals import Conflict, NotFound, Refusal
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

log = logging.getLogger(__name__)

_NAMED = 20
#: Records that one commit seals anew.
_AT_ONCE = 100
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
    core.trust.renew_keys()
    for one in core.all_cores():
        core.spawn(_all_anew(one))
    return await show(core, ShowSecrets(), actor)


async def _all_anew(core: Core) -> None:
    """Beside everything else: an organisation may have a hundred thousand drivers."""
    await rewrap(core)


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
    version, changed = core.keys.current, 0
    if core.keys.rewrapped == version:
        return 0
    for kind in SEALED:
        stale: dict[str, list[str]] = {}
        for station, key, record in await core.store.kept_everywhere(kind):
            if _stale(core, kind, record):
                stale.setdefault(station, []).append(key)
        for station, keys in stale.items():
            for some in range(0, len(keys), _AT_ONCE):
                changed += await _rewrapped(core, kind, station, keys[some : some + _AT_ONCE])
    core.keys.rewrapped = version
    return changed


def _stale(core: Core, kind: str, record: Any) -> list[str]:
    """The fields of this record that an older key opens."""
    sealed = ((field, getattr(record, field)) for field in SEALED[kind])
    return [field for field, box in sealed if box and version_of(box) != core.keys.current]


async def _rewrapped(core: Core, kind: str, station: str, keys: Sequence[str]) -> int:
    """Seal some records anew, each as it is now; they stay still meanwhile."""
    lane = core.lanes.get(station)
    async with core.books if lane is None else lane.lock:
        fresh: dict[str, Any] = {}
        for key in keys:
            record = await core.store.kept_one(station, kind, key)
            if record is not None and (fields := _stale(core, kind, record)):
                fresh[key] = _anew(core, place(kind, station, key), record, fields)
        changes = [Keep(station, kind, key, record, core.clock.now()) for key, record in fresh.items()]
        if lane is None:
            await core.store.commit(changes, ())
            held = core.kept.get(kind, {})
            held.update({key: record for key, record in fresh.items() if key in held})
            return len(fresh)
        state = lane.state
        for key, record in fresh.items() if KINDS[kind].present else ():
            state = state.keeping(kind, key, record)
        await settle(core, lane, state, changes, ())
        return len(fresh)


def _anew(core: Core, where: tuple[str, str], record: Any, fields: Sequence[str]) -> Any:
    sealed = {}
    for field in fields:
        try:
            sealed[field] = core.keys.seal(
                *where, field, core.keys.open(*where, field, getattr(record, field))
            )
        except Refusal as refused:
            log.error("a kept secret cannot be sealed anew: %s", refused.message)
    return with_fields(record, sealed)
