"""Keys by purpose, in versions: what seals secrets that are read back, and what digests those that are not.

A *root* is 32 random bytes under a version number. Every key that is used is derived from a root by its purpose and
organisation (HKDF, RFC 5869), so that no two purposes and no two organisations share one. A new root is for what is
made from then on; the older ones stay for what was made with them, until they are forgotten. Version 0 is the root that
never changes: for digests by which something is found or proved again years later (key codes, the audit log). Where
the roots lie, and what keeps them secret there, is ``cms.keystore``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from cms.contract.refusals import Conflict, Invalid, NotFound

LENGTH = 32
#: The version of what is never made anew.
LASTING = 0
_NONCE = 12
_VERSION = 2
#: The first byte of a sealed secret: its form, should there ever be another.
_FORM = b"\x01"


class Roots:
    """All roots by version. ``save`` keeps a change before it is in force."""

    def __init__(
        self, roots: dict[int, bytes], save: Callable[[dict[int, bytes]], None] = lambda roots: None
    ) -> None:
        if LASTING not in roots or len(roots) == 1 or any(len(root) != LENGTH for root in roots.values()):
            raise ValueError(f"there is a lasting root and one in force at least, of {LENGTH} bytes each")
        self._roots = dict(roots)
        self._save = save

    @property
    def current(self) -> int:
        return max(self._roots)

    @property
    def versions(self) -> tuple[int, ...]:
        """Those that change, oldest first."""
        return tuple(sorted(self._roots.keys() - {LASTING}))

    def root(self, version: int) -> bytes:
        if version not in self._roots:
            raise NotFound(f"there is no key version {version} (any more)", "see `cms secrets status`")
        return self._roots[version]

    def renew(self) -> int:
        """A new root, for everything from now on; its version."""
        self._change({**self._roots, self.current + 1: os.urandom(LENGTH)})
        return self.current

    def forget(self, version: int) -> None:
        """What was made with this root cannot be read or checked any more."""
        self.root(version)
        if version == LASTING:
            raise Conflict("the lasting key is never forgotten: nothing would be found or proved any more")
        if version == self.current:
            raise Conflict(f"key version {version} is in force", "cms secrets rotate makes another")
        self._change({known: root for known, root in self._roots.items() if known != version})

    def _change(self, roots: dict[int, bytes]) -> None:
        self._save(roots)
        self._roots = roots


class Keys:
    """The keys of one organisation (docs/secrets.md)."""

    def __init__(self, roots: Roots, organisation: str = "main") -> None:
        self.roots = roots
        self.organisation = organisation
        self.rewrapped = 0
        """The version with which, as far as we know, every kept secret of this organisation is sealed."""
        self._derived: dict[tuple[str, int], bytes] = {}

    @property
    def current(self) -> int:
        """The version with which everything new is made."""
        return self.roots.current

    def key(self, purpose: str, version: int | None = None) -> bytes:
        """The 32 bytes for this purpose, e.g. ``station password``; NotFound when that version was forgotten."""
        version = self.current if version is None else version
        root = self.roots.root(version)
        found = self._derived.get((purpose, version))
        if found is None:
            info = f"cms|{purpose}|{self.organisation}".encode()
            found = HKDFExpand(SHA256(), LENGTH, info).derive(root)
            self._derived[purpose, version] = found
        return found

    @property
    def lasting(self) -> bytes:
        """The lasting root itself: what was made before there were versions was made with it."""
        return self.roots.root(LASTING)

    def seal(self, table: str, row: str, column: str, secret: bytes) -> bytes:
        """Encrypted, and bound to this place: moved to another one it cannot be opened (AES-256-GCM)."""
        nonce, version = os.urandom(_NONCE), self.current
        head = _FORM + version.to_bytes(_VERSION)
        return (
            head
            + nonce
            + self._cipher(version).encrypt(nonce, secret, head + self._place(table, row, column))
        )

    def open(self, table: str, row: str, column: str, sealed: bytes) -> bytes:
        """The secret that was sealed for this place. Raises Invalid, or NotFound when its key was forgotten."""
        head, rest = sealed[: 1 + _VERSION], sealed[1 + _VERSION :]
        if head[:1] != _FORM or len(rest) <= _NONCE:
            raise Invalid("this is no sealed secret")
        place = head + self._place(table, row, column)
        try:
            return self._cipher(version_of(sealed)).decrypt(rest[:_NONCE], rest[_NONCE:], place)
        except InvalidTag:
            raise Invalid(f"a sealed secret of {table} was changed, or is not of this place") from None

    def _cipher(self, version: int) -> AESGCM:
        return AESGCM(self.key("secrets at rest", version))

    def _place(self, table: str, row: str, column: str) -> bytes:
        # Lengths, because a row's name may hold any sign that could divide them.
        words = (table, row, column, self.organisation)
        return "|".join(f"{len(word)}:{word}" for word in words).encode()


def version_of(sealed: bytes) -> int:
    """With which version of the keys this was sealed."""
    return int.from_bytes(sealed[1 : 1 + _VERSION])


def single(root: bytes, organisation: str = "main") -> Keys:
    """Keys of one root that nobody keeps."""
    return Keys(Roots({LASTING: root, 1: root}), organisation)


def of_organisations(roots: Roots) -> Callable[[str], Keys]:
    """The keys of each organisation by its name."""
    return partial(Keys, roots)
