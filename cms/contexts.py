"""The daemons that this user knows by name: ``contexts.json`` in his configuration directory. No secrets in it.

Read by every command that names no daemon itself, so it costs nothing where there is no such file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cms.contract.refusals import Invalid, NotFound

_FILE = "contexts.json"


@dataclass(frozen=True, slots=True)
class Context:
    """A daemon elsewhere, or one of this machine by its socket.

    ``pin`` is the SHA-256 of its certificate in hexadecimal, ``ca`` a file of authorities; neither: the system's.
    ``kept`` says where its token is (cms.credentials).
    """

    url: str | None = None
    socket: str | None = None
    organisation: str | None = None
    pin: str | None = None
    ca: str | None = None
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Contexts:
    """All of them by name, and the one that is meant when none is named."""

    contexts: dict[str, Context]
    current: str | None = None

    def named(self, name: str) -> Context:
        """The context; NotFound otherwise."""
        found = self.contexts.get(name)
        if found is None:
            raise NotFound(f"there is no context {name}", "see `cms context list`")
        return found


def folder() -> Path:
    """Where the client keeps what it knows."""
    import platformdirs

    return Path(platformdirs.user_config_dir("cms"))


def read() -> Contexts:
    """What is known; nothing where there is no file. Raises Invalid."""
    path = folder() / _FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Contexts({})
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    import msgspec

    try:
        return msgspec.json.decode(text, type=Contexts)
    except msgspec.DecodeError as error:
        raise Invalid(
            f"{path} is not what `cms context` writes: {error}", "remove it, and log in again"
        ) from None


def meant(environ: Mapping[str, str], name: str | None = None) -> tuple[str, Context] | None:
    """The context named here, in CMS_CONTEXT, or the current one; None where there is none."""
    name = name or environ.get("CMS_CONTEXT")
    known = read()
    name = name or known.current
    return None if name is None else (name, known.named(name))


def at(url: str) -> tuple[str, Context] | None:
    """The context of this address: its token, and whom to believe there."""
    return next(((name, context) for name, context in read().contexts.items() if context.url == url), None)


def write(contexts: Contexts) -> None:
    """Keep it: written beside and renamed, so that a crash leaves the old one."""
    import msgspec

    keep(folder() / _FILE, msgspec.json.format(msgspec.json.encode(contexts), indent=2) + b"\n")


def keep(path: Path, content: bytes) -> None:
    """A file that only its owner can read (0600), whole or not at all. Raises Invalid."""
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # O_EXCL, 0600
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            Path(beside).unlink()
        raise Invalid(f"{path} cannot be written: {error.strerror}") from error
