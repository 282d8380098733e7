"""Names that the daemon knows, kept in small files for who presses tab, or mistyped one.

A file (`$XDG_CACHE_HOME/cms/names/DAEMON/KIND`, for its user alone) is read as it is and refreshed beside that by a
process of its own, so that nobody waits for a daemon with ten thousand stations. Only who has no file yet waits a
moment.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli.flags import Flags
from cms.contract.refusals import Refusal

#: How long whoever has no file yet waits for it.
FIRST_S = 0.15
#: A file is good for so long, or for so many times what asking for it took.
_FRESH_S = 3.0
_TIMES = 20
#: The longest that refreshing may take.
_PATIENCE_S = 20.0
_MOST = 1000


def _stations() -> Any:
    from cms.contract.stations import ListStations

    return ListStations()


def _unknown_stations() -> Any:
    from cms.contract.stations import ListUnknownStations

    return ListUnknownStations()


def _tokens() -> Any:
    from cms.contract.tokens import ListTokens

    return ListTokens()


def _unknown_cards() -> Any:
    from cms.contract.tokens import ListUnknownCards

    return ListUnknownCards()


def _sessions() -> Any:
    from cms.contract.sessions import ListSessions

    return ListSessions(limit=_MOST)


def _active_sessions() -> Any:
    from cms.contract.sessions import ListSessions

    return ListSessions(active=True, limit=_MOST)


def _intents() -> Any:
    from cms.contract.intents import ListIntents

    return ListIntents(limit=_MOST)


def _reservations() -> Any:
    from cms.contract.reservations import ListReservations

    return ListReservations()


def _sites() -> Any:
    from cms.contract.sites import ListSites

    return ListSites()


def _organisations() -> Any:
    from cms.contract.organisations import ListOrganisations

    return ListOrganisations()


def _drivers() -> Any:
    from cms.contract.drivers import ListDrivers

    return ListDrivers()


def _grants() -> Any:
    from cms.contract.grants import ListGrants

    return ListGrants()


def _approvals() -> Any:
    from cms.contract.approvals import ListApprovals

    return ListApprovals()


def _rules() -> Any:
    from cms.contract.access import ListRules

    return ListRules()


def _tariffs() -> Any:
    from cms.contract.tariffs import ListTariffs

    return ListTariffs()


def _plans() -> Any:
    from cms.contract.plans import ListPlans

    return ListPlans()


def _invoices() -> Any:
    from cms.contract.invoices import ListInvoices

    return ListInvoices(limit=_MOST)


def _payments() -> Any:
    from cms.contract.payments import ListPayments

    return ListPayments(limit=_MOST)


def _charges() -> Any:
    from cms.contract.charges import ListCharges

    return ListCharges(limit=_MOST)


#: Kind -> the list it is in, the key of its name, the keys that say what it is.
SOURCES: Mapping[str, tuple[Callable[[], Any], str, tuple[str, ...]]] = {
    "stations": (_stations, "id", ("site_name", "site", "model")),
    "unknown stations": (_unknown_stations, "id", ("reason",)),
    "tokens": (_tokens, "id", ("driver", "visual_number", "kind")),
    "unknown cards": (_unknown_cards, "id", ("station",)),
    "sessions": (_sessions, "id", ("status", "station")),
    "active sessions": (_active_sessions, "id", ("status", "station")),
    "intents": (_intents, "id", ("order", "station", "status")),
    "reservations": (_reservations, "id", ("station", "token")),
    "sites": (_sites, "id", ("name",)),
    "organisations": (_organisations, "id", ("name",)),
    "drivers": (_drivers, "id", ("name",)),
    "grants": (_grants, "id", ("role", "to")),
    "approvals": (_approvals, "id", ("operation",)),
    "rules": (_rules, "id", ("effect",)),
    "tariffs": (_tariffs, "id", ("name",)),
    "plans": (_plans, "id", ("name",)),
    "invoices": (_invoices, "number", ("status", "driver")),
    "payments": (_payments, "reference", ("status", "station")),
    "charges": (_charges, "id", ("status", "driver")),
}

Names = dict[str, str]
"""Name -> what is said of it, perhaps nothing."""


def known(kind: str, flags: Flags, patience_s: float | None = None) -> Names:
    """The names of a kind as we know them, perhaps a moment old; nothing rather than an error.

    Waits ``patience_s`` (FIRST_S) at most, and only where nothing is known yet.
    """
    first_s = FIRST_S if patience_s is None else patience_s
    file = cache_folder() / "names" / _daemon(flags) / kind.replace(" ", "-")
    with suppress(OSError):
        if _is_old(file):
            _refresh(kind, flags, file, 0.0 if file.exists() else first_s)
    return _read(file)


def cache_folder() -> Path:
    """Where what can be asked for again is kept."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home and home.startswith("/") else Path.home() / ".cache") / "cms"


def _daemon(flags: Flags) -> str:
    """One folder for each daemon and organisation, told from what names them, without looking for its token."""
    from hashlib import sha256

    from cms import contexts, places

    environ = os.environ
    named = flags.socket or flags.url or flags.context
    if named is None:
        named = environ.get("CMS_URL") or environ.get("CMS_SOCKET") or environ.get("CMS_CONTEXT")
    with suppress(Refusal):
        named = named or contexts.read().current
    organisation = flags.organisation or environ.get("CMS_ORG") or ""
    told = f"{named or places.daemon_socket(environ)}\n{organisation}"
    return sha256(told.encode()).hexdigest()[:16]


def _is_old(file: Path) -> bool:
    try:
        age_s = time.time() - file.stat().st_mtime
        with file.open(encoding="utf-8") as lines:
            took_s = float(next(lines, "0"))
    except (OSError, ValueError):
        return True
    return age_s > max(_FRESH_S, _TIMES * took_s)


def _read(file: Path) -> Names:
    try:
        _, *lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError):
        return {}
    return {name: about for name, _, about in (line.partition("\t") for line in lines)}


def _refresh(kind: str, flags: Flags, file: Path, patience_s: float) -> None:
    """Write the file anew in a process of its own; wait so long for it, and no longer."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _alone(writes)
        with suppress(BaseException):
            _write(kind, flags, file)
        os._exit(0)
    os.close(writes)
    try:
        # The pipe ends when the child does: it alone holds the other end.
        select.select([reads], [], [], patience_s)
    finally:
        os.close(reads)


def _alone(keep: int) -> None:
    """Away from the shell: it waits until nobody holds its pipe, and may end while we still ask."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.set_inheritable(keep, False)


def _write(kind: str, flags: Flags, file: Path) -> None:
    from cms.client import ask
    from cms.contract.safe import safe

    make, key, about = SOURCES[kind]
    began = time.monotonic()
    rows = ask(make(), flags.address, _PATIENCE_S)
    took_s = time.monotonic() - began
    said = [f"{took_s:.3f}"]
    for row in rows:
        name = str(row[key])
        # What a shell or a terminal would read otherwise than as a name is left out.
        if name and safe(name) == name and not set(name) & set("\t\n "):
            told = " ".join(str(row[word]) for word in about if row.get(word) is not None)
            said.append(f"{name}\t{safe(told)[:60]}".rstrip("\t"))
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as lines:
        lines.write("\n".join(said) + "\n")
    fresh.replace(file)
