"""Where a client finds its token, and where it puts one: files, variables, the system's keyring.

Looked for in this order: ``--token-file`` (CMS_TOKEN_FILE), CMS_TOKEN, ``$CREDENTIALS_DIRECTORY/cms-token``
(systemd), the keyring, a file of our own. A keyring that is there but locked or broken is an error: nobody's token
moves from a safe place to a less safe one in silence.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from cms import contexts
from cms.contract.refusals import Denied, Invalid, Unreachable

SERVICE = "charging-cms"
#: A collection that is locked asks for a password on a screen that nobody may look at.
KEYRING_WITHIN_S = 3.0
#: Where a token was put, as contexts.json says it.
KEYRING, FILE = "keyring", "file"
_CANARY = "canary"
_FILE = "credentials"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """A token, and where it lives, for people."""

    token: str = field(repr=False)
    where: str


def find(
    name: str | None,
    kept: str = "",
    environ: Mapping[str, str] = os.environ,
    token_file: str | None = None,
) -> Found | None:
    """The token for this context (or URL); None where there is none. Raises Invalid, Denied, Unreachable.

    ``kept`` says where ``store`` put it, so that a file is read without loading the keyring first.
    """
    if path := token_file or environ.get("CMS_TOKEN_FILE"):
        return Found(_of_file(Path(path).expanduser()), str(path))
    if token := environ.get("CMS_TOKEN"):
        return Found(token.strip(), "CMS_TOKEN")
    if directory := environ.get("CREDENTIALS_DIRECTORY"):
        path_given = Path(directory) / "cms-token"
        if path_given.is_file():
            return Found(_of_file(path_given), str(path_given))
    if name is None:
        return None
    return (None if kept == FILE else _of_keyring(name)) or _of_our_file(name)


def _of_file(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Invalid(f"the token file {path} cannot be read: {why}") from error


def store(name: str, token: str, *, insecure: bool) -> tuple[str, str]:
    """Keep the token of this context: (``keyring`` or ``file``, where, for people).

    Raises Denied where no keyring can be had and ``insecure`` is not said.
    """
    if insecure:
        return FILE, _to_our_file(name, token)
    if not usable():
        raise Denied(
            "this machine has no keyring that could keep a token",
            f"--insecure-storage keeps it in {_path()}, in clear, readable by you alone",
        )
    _within(lambda: _keyring().set_password(SERVICE, name, token))
    forget_in_file(name)
    return KEYRING, backend_name()


def forget(name: str, kept: str = "") -> None:
    """Forget the token of this context wherever we put it."""
    forget_in_file(name)
    if kept != FILE and usable(probe=False):
        keyring = _keyring()
        if _within(lambda: keyring.get_password(SERVICE, name)) is not None:
            _within(lambda: keyring.delete_password(SERVICE, name))


def usable(*, probe: bool = True) -> bool:
    """Whether there is a keyring that really keeps: one that fails, keeps nothing, or keeps in clear is none.

    Raises Unreachable where there is one that is locked or broken.
    """
    from keyring.backends import chainer, fail, null

    backend = _keyring().get_keyring()
    inside = list(backend.backends) if isinstance(backend, chainer.ChainerBackend) else [backend]
    # A chain writes to the first that takes it.
    first = next((one for one in inside if not isinstance(one, fail.Keyring | null.Keyring)), None)
    if first is None or _in_clear(first):
        return False
    return not probe or _keeps()


def _in_clear(backend: Any) -> bool:
    name = f"{type(backend).__module__}.{type(backend).__name__}".casefold()
    return "plaintext" in name


def _keeps() -> bool:
    """Set, read back, delete: the null backend takes everything and keeps nothing."""
    keyring, secret = _keyring(), os.urandom(8).hex()

    def tried() -> bool:
        keyring.set_password(SERVICE, _CANARY, secret)
        kept = bool(keyring.get_password(SERVICE, _CANARY) == secret)
        if kept:
            keyring.delete_password(SERVICE, _CANARY)
        return kept

    return _within(tried)


def backend_name() -> str:
    """The keyring in use, for people."""
    return f"keyring ({_keyring().get_keyring().name})"


def _of_keyring(name: str) -> Found | None:
    if not usable(probe=False):
        return None
    token = _within(lambda: _keyring().get_password(SERVICE, name))
    return None if token is None else Found(token, backend_name())


def _keyring() -> Any:
    import keyring

    return keyring


def _within(work: Callable[[], _T]) -> _T:
    """Do it in a thread that nobody waits for at the end: a locked keyring may never answer. Raises Unreachable."""
    done: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True, name="keyring")
    thread.start()
    thread.join(KEYRING_WITHIN_S)
    if done:
        return done[0]
    hint = "unlock it, or use CMS_TOKEN or --token-file"
    if failed:
        why = str(failed[0]) or type(failed[0]).__name__
        raise Unreachable(f"the keyring does not work: {why}", hint) from failed[0]
    raise Unreachable(f"the keyring did not answer within {KEYRING_WITHIN_S:g} s: it may be locked", hint)


def _path() -> Path:
    return contexts.folder() / _FILE


def _kept_in_file() -> dict[str, str]:
    """What our file holds. Raises Denied where others could read or have written it."""
    path = _path()
    try:
        with path.open("rb") as file:
            told = os.fstat(file.fileno())
            if told.st_uid != os.geteuid() or stat.S_IMODE(told.st_mode) & 0o077:
                raise Denied(
                    f"{path} can be read by others: its tokens may be known", "revoke them, remove the file"
                )
            content = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    import msgspec

    try:
        return msgspec.json.decode(content, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise Invalid(f"{path} is damaged: {error}", "remove it, and log in again") from None


def _of_our_file(name: str) -> Found | None:
    token = _kept_in_file().get(name)
    return None if token is None else Found(token, f"{_path()} (in clear)")


def _to_our_file(name: str, token: str) -> str:
    import msgspec

    contexts.keep(_path(), msgspec.json.encode({**_kept_in_file(), name: token}))
    return f"{_path()} (in clear)"


def forget_in_file(name: str) -> None:
    """Forget the token of this context in our file."""
    import msgspec

    kept = _kept_in_file()
    if kept.pop(name, None) is not None:
        contexts.keep(_path(), msgspec.json.encode(kept))
