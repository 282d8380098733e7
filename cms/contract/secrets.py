"""The keys under which secrets are kept, as clients see them: versions, and what still hangs on each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyVersionView:
    """One version of the keys. ``passwords``: stations whose password was last checked with it; ``secrets``: kept
    secrets that it opens; ``files``: key files that it opens.
    """

    version: int
    in_force: bool
    passwords: int
    secrets: int
    files: int


@dataclass(frozen=True, slots=True)
class SecretsView:
    """How secrets are kept. ``master_key``: where the master key was found; ``warnings``: what a person should mend.

    ``waiting``: stations, at most twenty of them, whose password hangs on an older version until they connect.
    ``chosen_passwords``: stations whose password somebody chose, and might guess (``cms security rotate``).
    """

    in_force: int
    master_key: str
    versions: tuple[KeyVersionView, ...]
    waiting: tuple[str, ...] = ()
    chosen_passwords: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowSecrets:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSecrets:
    """A new version of the keys. Kept secrets are sealed anew from now on, passwords when their station connects."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetSecrets:
    """Forget an old version. ``force``: although stations need it, which then need new passwords."""

    version: int
    force: bool = False
    reason: str | None = None
