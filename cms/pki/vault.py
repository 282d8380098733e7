"""Private keys of our authorities on disk: PEM encrypted with a key of ours (docs/secrets.md).

The line before the PEM says which version of our keys it takes. A key that an operator put there in clear is taken
too, and encrypted when the keys are renewed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cms.contract.refusals import Invalid
from cms.keys import Keys
from cms.pki.files import keep

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_VERSION = re.compile(rb"cms-key-version: (\d{1,5})\r?\n")


class Vault:
    """Reads and writes key files. Without ``keys`` it writes them in clear (0600)."""

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys

    def write(self, path: Path, key: PrivateKey) -> None:
        head, lock = b"", self._lock(path)
        if self._keys is not None:
            head = b"cms-key-version: %d\n" % self._keys.current
        keep(path, head + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))

    def _lock(self, path: Path) -> KeySerializationEncryption:
        if self._keys is None:
            return NoEncryption()
        return BestAvailableEncryption(self._password(self._keys, path, self._keys.current))

    def read(self, path: Path) -> PrivateKey:
        """Raises Invalid for what is no key or cannot be opened, OSError for a file that cannot be read."""
        written = path.read_bytes()
        version = _version(written)
        if version is not None and self._keys is None:
            raise Invalid(f"{path} is encrypted, and nobody said with which keys")
        password = (
            None if version is None or self._keys is None else self._password(self._keys, path, version)
        )
        try:
            key = load_pem_private_key(written, password)
        except (ValueError, TypeError) as error:
            raise Invalid(f"{path} is not a private key in PEM without a password of its own") from error
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise Invalid(f"{path} is neither an RSA nor an EC key")
        return key

    def versions(self, folder: Path) -> Iterator[int]:
        """With which version of the keys each key file below this folder is encrypted."""
        for path in sorted(folder.glob("*/*.key")):
            if (version := _version(path.read_bytes())) is not None:
                yield version

    def renew(self, folder: Path) -> None:
        """Encrypt every key file below this folder with the key in force."""
        for path in sorted(folder.glob("*/*.key")):
            if self._keys is not None and _version(path.read_bytes()) != self._keys.current:
                self.write(path, self.read(path))

    def _password(self, keys: Keys, path: Path, version: int) -> bytes:
        # By folder, not by name: a former authority's file is renamed.
        return keys.key(f"key file {path.parent.name}", version).hex().encode()


def _version(written: bytes) -> int | None:
    found = _VERSION.match(written)
    return int(found[1]) if found else None
