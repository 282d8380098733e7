"""``cms doctor``: what is wrong, why, and what mends it, seen from the daemon and from here."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cli.flags import Flags
from cli.noun import flags_of, single
from cli.render import Column, Row, select, show_list, show_one, when
from cms.client import Address, ask
from cms.contract.diagnosis import Diagnose, ListHandshakes
from cms.contract.refusals import Conflict, Refusal, Unreachable
from cms.contract.safe import safe
from cms.contract.status import ShowStatus

app = single("What is wrong, why, and what mends it.")

SIGNS = {"ok": "✔", "look": "▲", "bad": "✖"}
_ORDER = ("ok", "look", "bad")
_PATIENCE_S = 3.0
#: Between this machine's clock and the daemon's.
_SKEW_S = 60
_ROOM = 300_000_000
_ENDS_SOON_DAYS = 30

ANYWHERE = "0.0.0.0"  # noqa: S104  # an address one reads, and binds nothing to

HANDSHAKES = (
    Column("identity"),
    Column("address"),
    Column("attempts", "tries", right=True),
    Column("last_at", "last", when),
    Column("status", show=lambda value: str(value or "")),
    Column("path", wide=True),
    Column("offered", wide=True),
    Column("credentials", wide=True),
    Column("tls", wide=True),
    Column("why", wide=True),
    Column("cause"),
    Column("cure", wide=True),
)


def check(name: str, verdict: str, found: str, cure: str | None = None) -> Row:
    """One thing that was looked at, as contract.diagnosis.Check."""
    return {"name": name, "verdict": verdict, "found": found, "cure": cure}


@app.command()
def doctor(
    ctx: typer.Context,
    station: Annotated[
        str | None, typer.Argument(metavar="[STATION]", help="Look at this one alone.")
    ] = None,
    handshakes: Annotated[
        bool,
        typer.Option("--handshakes", help="Only who failed to connect, and how; also what was solved since."),
    ] = False,
) -> None:
    """Look at the daemon, its record, disk, clock, ports and certificates, and at stations that cannot connect.

    Exit code 0 when nothing is bad, 5 when something is, 7 when no daemon answers.
    """
    flags = flags_of(ctx)
    if handshakes:
        request = ListHandshakes(station, every=True, limit=flags.limit or 200)
        rows = select(ask(request, flags.address, flags.patience_s), flags)
        show_list(rows, HANDSHAKES, flags, name="identity")
        return
    told, absent = examined(flags, station)
    _show(told, flags)
    if absent is not None:
        raise absent
    if told["verdict"] == "bad":
        bad = [one["name"] for one in told["checks"] if one["verdict"] == "bad"]
        raise Conflict(f"Something needs you: {', '.join(bad)}", "each with its cure above")


def examined(flags: Flags, station: str | None) -> tuple[Row, Refusal | None]:
    """The diagnosis with what can be seen from here; and the refusal where no daemon answers."""
    here = datetime.now(UTC)
    try:
        told: Row = ask(Diagnose(station), flags.address, flags.patience_s)
    except Unreachable as absent:
        checks = [check("daemon", "bad", absent.message, absent.hint), *_without_a_daemon(flags.address)]
        return {"now": here.isoformat(), "verdict": "bad", "checks": checks, "handshakes": []}, absent
    if station is None:
        seen = [*_from_here(flags, told, here)]
        told = {**told, "checks": [*seen, *told["checks"]]}
        told["verdict"] = max((one["verdict"] for one in told["checks"]), key=_gravity, default="ok")
    return told, None


def _gravity(verdict: str) -> int:
    """How bad it is; a verdict of a newer daemon, which we do not know, is worth a look."""
    return _ORDER.index(verdict) if verdict in _ORDER else _ORDER.index("look")


def _show(told: Row, flags: Flags) -> None:
    if flags.output not in ("table", "wide"):
        show_one(told, (), flags, name="verdict")
        return
    width = max((len(one["name"]) for one in told["checks"]), default=0)
    for one in told["checks"]:
        print(f"{SIGNS.get(one['verdict'], '?')} {safe(one['name']):<{width}}  {safe(one['found'])}")
        if one["cure"] and one["verdict"] != "ok":
            print(f"  {'':<{width}}  → {safe(one['cure'])}")
    if told["handshakes"]:
        print("\nCannot connect:")
        for row in told["handshakes"]:
            print(f"  {safe(_who(row))}")
            print(
                f"    {safe(row['cause'])} ({safe(row['why'])})"
                if row["why"]
                else f"    {safe(row['cause'])}"
            )
            print(f"    → {safe(row['cure'])}")


def _who(row: Row) -> str:
    """``CP-7 from 10.0.0.8, 12 times, last 3m: /ocpp/CP-7, ocpp1.6, basic, no TLS``."""
    tries = f", {row['attempts']} times" if row["attempts"] > 1 else ""
    shape = [
        row["path"],
        " ".join(row["offered"]) or "no subprotocol",
        f"credentials {row['credentials']}",
        row["tls"] or "no TLS",
    ]
    said = f": {', '.join(shape)}" if row["path"] else ""
    who = f"{row['identity'] or 'somebody'} from {row['address'] or 'somewhere'}"
    return f"{who}{tries}, last {when(row['last_at'])}{said}"


# From here, while a daemon answers.


def _from_here(flags: Flags, told: Row, here: datetime) -> Iterator[Row]:
    from cms import __version__

    status: Row = ask(ShowStatus(), flags.address, flags.patience_s)
    same = status["version"] == __version__
    cure = None if same else "bring both to the same version"
    yield check(
        "daemon", "ok" if same else "look", f"version {status['version']}, this is {__version__}", cure
    )
    if flags.address.url is not None:
        yield _clock(datetime.fromisoformat(told["now"]), here)
    for name, url in (
        ("port", status["ocpp_url"]),
        ("port for TLS", status["ocpp_tls_url"]),
        ("pay page", status.get("pay_url")),
    ):
        if url:
            yield from _port(name, url)


def _clock(theirs: datetime, here: datetime) -> Row:
    off_s = (here - theirs).total_seconds()
    if abs(off_s) <= _SKEW_S:
        return check("this clock", "ok", "as the daemon's")
    return check(
        "this clock", "look", f"differs from the daemon's by {off_s:+.0f} s", "set up NTP on both machines"
    )


def _port(name: str, url: str) -> Iterator[Row]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = {ANYWHERE: "127.0.0.1", "::": "::1"}.get(host, host)
    secure = parts.scheme in ("wss", "https")
    port = parts.port or (443 if secure else 80)
    try:
        with socket.create_connection((host, port), _PATIENCE_S) as link:
            yield check(name, "ok", f"{host}:{port} answers")
            if secure:
                yield _certificate(link, host)
    except OSError as error:
        cure = "is a firewall in between, or is the name wrong (public_url, public_tls_url)?"
        yield check(name, "bad", f"{host}:{port} does not answer from here: {error.strerror or error}", cure)


def _certificate(link: socket.socket, host: str) -> Row:
    """What stations are shown, and whether it holds; who signed it is the stations' business."""
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(link, server_hostname=host) as secured:
            der = secured.getpeercert(binary_form=True) or b""
    except (ssl.SSLError, OSError) as error:
        return check(
            "certificate shown", "bad", f"the TLS handshake fails: {error}", "look into the daemon's log"
        )
    ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    left = (ends - datetime.now(UTC)).days
    verdict = "ok" if left >= _ENDS_SOON_DAYS else "look" if left >= 0 else "bad"
    cure = None if verdict == "ok" else "replace it (tls_certificates): it is taken over without a restart"
    return check("certificate shown", verdict, f"ends on {ends:%Y-%m-%d}, in {left} days", cure)


# Without a daemon.


def _without_a_daemon(address: Address) -> Iterator[Row]:
    """What can be seen of one that is not there: its socket, folder, disk and record."""
    if address.url is not None:
        parts = urlsplit(address.url)
        yield from _port("its address", f"{parts.scheme}://{parts.netloc}")
        return
    path = Path(address.socket or "")
    folder = path.parent
    if not folder.is_dir():
        yield check(
            "data", "look", f"there is no {folder}", "cms serve makes it; --data-dir where it is elsewhere"
        )
        return
    yield _socket(path)
    yield _lock(folder / "cms.lock")
    yield from _room(folder)
    if (record := folder / "cms.db").exists():
        yield _readable(record)


def _socket(path: Path) -> Row:
    if not path.exists():
        return check("socket", "look", f"there is no {path}", "start a daemon: cms serve")
    if not os.access(path, os.R_OK | os.W_OK):
        return check("socket", "bad", f"{path} is another user's", "be that user, or one of its group")
    return check(
        "socket",
        "bad",
        f"{path} is there and nobody listens",
        "the daemon ended without tidying up: start it again",
    )


def _lock(path: Path) -> Row:
    """Whether the process that wrote its number there is alive."""
    with suppress(OSError, ValueError):
        pid = int(path.read_text("ascii").split()[0])
        with suppress(ProcessLookupError):
            try:
                os.kill(pid, 0)
            except PermissionError:
                pass
            return check(
                "process",
                "bad",
                f"process {pid} is there and does not answer",
                "look into its log; end it, then cms serve",
            )
        return check(
            "process",
            "look",
            f"process {pid} of the daemon has ended",
            "its log says why; start it again: cms serve",
        )
    return check("process", "look", "no daemon was started here", "cms serve")


def _room(folder: Path) -> Iterator[Row]:
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        cure = f"make room on the disk of {folder}: without it no daemon starts"
        yield check("disk", "ok" if free > _ROOM else "bad", f"{free / 1e9:.1f} GB free", cure)


def _readable(record: Path) -> Row:
    try:
        with closing(sqlite3.connect(f"{record.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as opened:
            opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return check(
            "record", "bad", f"{record} cannot be read: {error}", "restore a backup (docs/running.md)"
        )
    return check("record", "ok", f"{record} can be read")
