"""Where the roots of all keys lie: wrapped by a master key, in a file of the data directory.

``keys.json`` holds each root encrypted (AES-256-GCM) under a key made of the master key. Whoever has the file and the
database alone can read no secret and check no guess of a password. The master key comes, in this order, from

1. the credential ``cms-master-key`` that systemd hands over (``LoadCredential=``, ``LoadCredentialEncrypted=``);
2. the file that ``master_key_file`` names; ``-`` asks for a passphrase instead;
3. ``secret.key`` in the data directory, made at the first start: it works, and protects nothing that is copied along.

A master key is 32 bytes, as they are or written in hexadecimal or base64. Another one is taken over when the former
is still to be found once (``former``): the roots are wrapped anew, and nothing that was made with them changes.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import getpass
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from cms.contract.refusals import Invalid
from cms.keys import LASTING, LENGTH, Roots
from cms.pki.files import keep

CREDENTIAL = "cms-master-key"
ASK = Path("-")
_NONCE = 12
_HEX = re.compile(rb"[0-9A-Fa-f]{64}")
#: Memory-hard (RFC 7914): 64 MiB and a quarter of a second for each guess of a passphrase.
_SCRYPT = {"n": 2**16, "r": 8, "p": 1, "maxmem": 128 * 1024 * 1024, "dklen": LENGTH}

Ask = Callable[[], str]
"""Asks whoever starts the daemon for the passphrase."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The roots of a data directory, where their master key was found, and whether that is beside the data."""

    roots: Roots
    source: str
    beside_data: bool
    former: Path | None = None
    """A master key that is no longer needed, and still lies there."""


class _File(msgspec.Struct):
    """``keys.json``. ``salt`` is that of a passphrase; roots are wrapped, by version."""

    form: int
    salt: bytes
    roots: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class _Master:
    key: bytes
    source: str
    path: Path | None = None
    beside_data: bool = False


def from_terminal() -> str:
    """The passphrase, without an echo on a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase of the keys: ")
    return sys.stdin.readline().rstrip("\n")


def open_roots(
    data_dir: Path,
    named: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    ask: Ask = from_terminal,
) -> Opened:
    """The roots of this data directory, made when there are none. Raises Invalid when no master key opens them."""
    path = data_dir / "keys.json"
    known = _read(path)
    salt = known.salt if known else os.urandom(16)
    old = data_dir / "secret.key"
    lasting = _bytes_of(old) if known is None and old.exists() else os.urandom(LENGTH)
    master = _master(data_dir, named, environ, ask, salt)
    if known is None:
        # What was made before there were roots was made with secret.key itself: it lasts.
        roots = {LASTING: lasting, 1: os.urandom(LENGTH)}
        _write(path, salt, roots, master.key)
    else:
        roots = _unwrapped(known, master, _former(data_dir, named, environ), path)
    return Opened(
        Roots(roots, lambda changed: _write(path, salt, changed, master.key)),
        master.source,
        master.beside_data,
        former=old if old.exists() and old != master.path else None,
    )


# The master key


def _master(data_dir: Path, named: Path | None, environ: Mapping[str, str], ask: Ask, salt: bytes) -> _Master:
    credential = _credential(environ, CREDENTIAL)
    if credential is not None:
        return _Master(_bytes_of(credential), f"the systemd credential {CREDENTIAL}")
    if named == ASK:
        said = ask().encode()
        if len(said) < 12:
            raise Invalid("the passphrase of the keys has at least 12 characters")
        return _Master(hashlib.scrypt(said, salt=salt, **_SCRYPT), "a passphrase")
    if named is not None:
        inside = named.resolve().is_relative_to(data_dir.resolve())
        return _Master(_bytes_of(named), str(named), named, beside_data=inside)
    path = data_dir / "secret.key"
    return _Master(_made(path), str(path), path, beside_data=True)


def _credential(environ: Mapping[str, str], name: str) -> Path | None:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / name if folder else None
    return path if path is not None and path.exists() else None


def _made(path: Path) -> bytes:
    """The key that lies beside the data: made once, readable by the daemon's user alone."""
    if not path.exists():
        keep(path, os.urandom(LENGTH))
    return _bytes_of(path)


def _bytes_of(path: Path) -> bytes:
    try:
        if stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
            raise Invalid(
                f"{path} holds the master key, and everybody on this machine may use it", f"chmod o= {path}"
            )
        written = path.read_bytes()
    except OSError as error:
        raise Invalid(
            f"the master key {path} cannot be read: {error.strerror}", "see master_key_file"
        ) from error
    if len(written) == LENGTH:
        return written
    text = written.strip()
    with contextlib.suppress(binascii.Error, ValueError):
        key = bytes.fromhex(text.decode()) if _HEX.fullmatch(text) else base64.b64decode(text, validate=True)
        if len(key) == LENGTH:
            return key
    raise Invalid(f"{path} is no master key: {LENGTH} bytes, as they are or in hexadecimal or base64")


def _former(data_dir: Path, named: Path | None, environ: Mapping[str, str]) -> Iterator[bytes]:
    """Master keys that may have been in force before: beside the present one, or in the data directory."""
    beside = None if named in (None, ASK) else Path(f"{named}.former")
    for path in (_credential(environ, f"{CREDENTIAL}-former"), beside, data_dir / "secret.key"):
        if path is not None and path.exists():
            yield _bytes_of(path)


# The file


def _read(path: Path) -> _File | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File, strict=False)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid(f"the keys in {path} cannot be read: {error}", "take it from a backup") from error


def _unwrapped(known: _File, master: _Master, former: Iterator[bytes], path: Path) -> dict[int, bytes]:
    found = _opened(known, master.key)
    if found is not None:
        return found
    for key in former:
        if (found := _opened(known, key)) is not None:
            _write(path, known.salt, found, master.key)
            return found
    raise Invalid(
        f"{path} was not made with the master key from {master.source}",
        "name the right one with master_key_file, or leave the former one beside it once as *.former",
    )


def _opened(known: _File, master: bytes) -> dict[int, bytes] | None:
    cipher = _cipher(master)
    try:
        return {
            version: cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound(version))
            for version, wrapped in known.roots.items()
        }
    except (InvalidTag, ValueError):
        return None


def _write(path: Path, salt: bytes, roots: Mapping[int, bytes], master: bytes) -> None:
    cipher, wrapped = _cipher(master), dict[int, bytes]()
    for version, root in roots.items():
        nonce = os.urandom(_NONCE)
        wrapped[version] = nonce + cipher.encrypt(nonce, root, _bound(version))
    keep(path, msgspec.json.format(msgspec.json.encode(_File(1, salt, wrapped))))


def _cipher(master: bytes) -> AESGCM:
    return AESGCM(HKDFExpand(SHA256(), LENGTH, b"cms|roots").derive(master))


def _bound(version: int) -> bytes:
    return f"cms|root|{version}".encode()
