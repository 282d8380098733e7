"""Station passwords: generated, shown once, kept as a keyed digest (cheap to check, useless to steal)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from cms.contract.refusals import Conflict, Invalid, NotSupported, Rejected
from cms.contract.stations import OrderTerms
from cms.core import Core, Lane
from cms.domain import security
from cms.domain.changes import Change
from cms.domain.record import record
from cms.domain.stations import StationState
from cms.keys import LASTING, Keys
from cms.operations.deciding import settle

T = TypeVar("T")

# 27 characters of 62: 160 bits, within the 16 to 40 that 2.0.1 A00.FR.205 allows. A 1.6 station that takes only
# 20 bytes gets a shorter one by --password.
_LENGTH = 27
#: 1.6 whitepaper A00.FR.205: an AuthorizationKey has 16 to 20 bytes. 20 characters of 62 are 119 bits.
_KEY_LENGTH = 20
_ALPHABET = string.ascii_letters + string.digits
#: What the whitepaper makes of 16 to 20 bytes.
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,20}")

_PURPOSE = "station password"
#: A digest begins with its form and the version of its key; one of 32 bytes is of before there were versions.
_FORM, _BARE = b"\x02", 32

#: Names (without case) under which a station is told its own password.
SECRET_NAMES = frozenset({"authorizationkey", "securityctrlr.basicauthpassword"})


def generate() -> str:
    """A new station password."""
    return _random(_LENGTH)


def generate_key() -> str:
    """A new password that fits into a 1.6 AuthorizationKey."""
    return _random(_KEY_LENGTH)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def digest_of(keys: Keys, station_id: str, password: bytes, version: int | None = None) -> bytes:
    """HMAC-SHA256 over identity and password, with the version of its key before it.

    The key is one organisation's, so the same password at two stations, or at two of one name, shows nothing.
    """
    version = keys.current if version is None else version
    key = keys.key(_PURPOSE, version)
    return _FORM + version.to_bytes(2) + _mac(key, station_id, password)


def _mac(key: bytes, station_id: str, password: bytes) -> bytes:
    return hmac.digest(key, station_id.casefold().encode() + b"\0" + password, hashlib.sha256)


def key_version(digest: bytes) -> int:
    """With which version of the keys this digest was made; ``LASTING`` for those of before there were versions."""
    return LASTING if len(digest) == _BARE else int.from_bytes(digest[1:3])


@record
class Fit:
    """A password that is right: the digest it fits, and the one to keep from now on when its key is an old one."""

    digest: bytes
    renewed: bytes | None = None


def check(keys: Keys, state: StationState | None, identity: str, password: bytes) -> Fit | None:
    """Which digest the password fits: the one in force or a promised one; None when it is wrong.

    Takes the same time for an unknown station. A 1.6 station may send its AuthorizationKey as the bytes it stands
    for, or as the hexadecimal text it was told (1.6 J 6.2.2): both are it.
    """
    name = state.station.id if state else identity
    taken = _taken(state)
    versions = {key_version(digest) for digest in taken} or {keys.current}
    found = None
    for version in versions:
        for said in (password, *([bytes.fromhex(password.decode())] if _HEX.fullmatch(password) else ())):
            tried = _made(keys, name, said, version)
            for digest in taken:
                if hmac.compare_digest(tried, digest):
                    found = Fit(digest, None if version == keys.current else digest_of(keys, name, said))
    return found


def _made(keys: Keys, name: str, password: bytes, version: int) -> bytes:
    """What the digest of this password would be; of a key that was forgotten, nothing that fits."""
    if version == LASTING:
        return _mac(keys.lasting, name, password)
    if version not in keys.roots.versions:
        return b""
    return digest_of(keys, name, password, version)


def _taken(state: StationState | None) -> tuple[bytes, ...]:
    if state is None or state.station.password_digest is None:
        return ()
    return (state.station.password_digest, *security.of(state).promised)


def check_profile(state: StationState, values: Mapping[str, str]) -> None:
    """A 1.6 SecurityProfile only rises (whitepaper A05.FR.09)."""
    current = state.station.security_profile
    for name, value in values.items():
        if name.casefold() == "securityprofile" and value.isdecimal() and int(value) < current:
            raise Conflict(
                f"{state.station.id} is on security profile {current}, which only rises: {value} is lower"
            )


async def telling(
    core: Core,
    lane: Lane,
    values: Mapping[str, str],
    terms: OrderTerms,
    giving: Coroutine[Any, Any, T],
    *,
    chosen: bool = True,
) -> T:
    """Give an order that tells a station new passwords (or none) so that no crash locks it out (A01).

    They are taken too before they are sent, and no longer when the station certainly did not take them. When nobody
    knows (it did not answer, we stopped), both are taken until it shows at the door which it has. ``chosen``: a
    person chose them.
    """
    told = [value for name, value in values.items() if name.casefold() in SECRET_NAMES]
    if not told or terms.dry_run or core.stations.link(lane.state.station.id) is None:
        return await giving
    digests = [as_told(core.keys, lane.state.station.id, value) for value in told]
    try:
        await _promise(core, lane, digests, chosen)
    except BaseException:
        giving.close()
        raise
    try:
        return await giving
    except (Rejected, NotSupported, Invalid, Conflict):
        await _withdraw(core, lane, digests)
        raise


async def _promise(core: Core, lane: Lane, digests: Sequence[bytes], chosen: bool) -> None:
    async with lane.lock:
        state, changes = lane.state, list[Change]()
        for digest in digests:
            state, change = security.promise(state, digest, core.clock.now(), chosen=chosen)
            changes.append(change)
        await settle(core, lane, state, changes, ())


async def _withdraw(core: Core, lane: Lane, digests: Sequence[bytes]) -> None:
    async with lane.lock:
        for digest in digests:
            done = security.settled(lane.state, digest, core.clock.now(), taken=False)
            await settle(core, lane, done.state, done.changes, done.events)


def as_told(keys: Keys, station_id: str, value: str) -> bytes:
    """The digest of a password as a station will use it after it was told ``value``: hexadecimal text means bytes."""
    told = value.encode()
    return digest_of(keys, station_id, bytes.fromhex(value) if _HEX.fullmatch(told) else told)
