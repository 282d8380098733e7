"""The daemon itself on one page: what it is, where it listens, whom it works for, its keys, what is to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from textual import events
from textual.widget import Widget

from cms.contract.certificates import AuthorityView, CertificateView, ListAuthorities, ListCertificates
from cms.contract.diagnosis import Diagnose, Diagnosis
from cms.contract.operators import (
    ApiTokenView,
    Identity,
    ListApiTokens,
    ListOperators,
    OperatorView,
    ShowIdentity,
)
from cms.contract.organisations import ListOrganisations, OrganisationView, ShowOwnOrganisation
from cms.contract.refusals import Refusal
from cms.contract.secrets import SecretsView, ShowSecrets
from cms.contract.status import ShowStatus, StatusView
from tui import words
from tui.mirror import Ref
from tui.reading import Ask
from tui.screens.place import Place
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span
from tui.widgets.question import wrapped

#: The page is read again this often while it is shown: nothing tells of uptime or of a certificate's age.
READ_AGAIN_S = 30.0
#: Certificates that end within this time are told.
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What was read; None: one may not see it, or there is none."""

    status: StatusView | None = None
    organisations: Sequence[OrganisationView] = ()
    secrets: SecretsView | None = None
    authorities: Sequence[AuthorityView] | None = None
    ending: Sequence[CertificateView] | None = None
    operators: Sequence[OperatorView] | None = None
    tokens: Sequence[ApiTokenView] | None = None
    identity: Identity | None = None
    diagnosis: Diagnosis | None = None
    refused: dict[str, str] = field(default_factory=dict)
    """By name of a part: why it was not told."""


async def read_cluster(ask: Ask) -> Cluster:
    """Every part by itself: who may not see one sees the others."""
    found: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, requests in PARTS.items():
        for request in requests:
            try:
                found[name] = await ask(request)
                refused.pop(name, None)
                break
            except Refusal as refusal:
                refused[name] = refusal.message
    own = found.get("organisations")
    if isinstance(own, OrganisationView):
        found["organisations"] = [own]
    return Cluster(**found, refused=refused)


#: What is asked for each part; the next one where the one before is refused.
PARTS: dict[str, tuple[Any, ...]] = {
    "status": (ShowStatus(),),
    "organisations": (ListOrganisations(), ShowOwnOrganisation()),
    "secrets": (ShowSecrets(),),
    "authorities": (ListAuthorities(),),
    "ending": (ListCertificates(expiring_s=SOON.total_seconds()),),
    "operators": (ListOperators(),),
    "tokens": (ListApiTokens(),),
    "identity": (ShowIdentity(),),
    "diagnosis": (Diagnose(),),
}

NAMES = 20
"""Cells of the names on the left."""
MOST_ROWS = 4
Row = tuple[str, str, str]
"""Name, what is told, tone. A row without a name goes on with the one above; one without text is a heading."""


def _days(until: datetime, now: datetime) -> str:
    left = (until - now).days
    return f"in {left} days" if left >= 0 else f"{-left} days ago"


def uptime(seconds: float) -> str:
    """``3 d 4:05 h``, or ``0:07 h`` within the first day."""
    minutes = int(seconds // 60)
    days, rest = divmod(minutes, 1440)
    return f"{f'{days} d ' if days else ''}{rest // 60}:{rest % 60:02d} h"


def daemon_rows(told: Cluster) -> Iterable[Row]:
    status = told.status
    if status is None:
        return
    healthy = status.health == "ok"
    yield "health", ("● " if healthy else "✖ ") + status.health, "good" if healthy else "bad"
    yield "version", f"{status.version}, up {uptime(status.uptime_s)}, pid {status.pid or '?'}", ""
    yield "database", f"{status.database}{f' in {status.data_dir}' if status.data_dir else ''}", ""
    yield "bus", status.bus, ""
    if status.open_enrolment:
        yield "enrolment", "▲ open: whoever connects is registered", "warn"
    for note in status.notes:
        yield "to mend", f"▲ {note}", "warn"


def port_rows(told: Cluster) -> Iterable[Row]:
    status = told.status
    if status is None:
        return
    yield "stations", status.ocpp_url or "nobody listens without TLS", ""
    yield "stations, TLS", status.ocpp_tls_url or "nobody listens", "" if status.ocpp_tls_url else "dim"
    yield "operators", status.socket, ""
    yield "pay page", status.pay_url or "nobody listens", "" if status.pay_url else "dim"


def load_rows(told: Cluster) -> Iterable[Row]:
    status = told.status
    if status is None:
        return
    yield "stations", f"{status.stations.online:,} of {status.stations.total:,} online", ""
    connectors = ", ".join(f"{count:,} {word}" for word, count in status.connectors.items() if count)
    yield "connectors", connectors or "none", ""
    sessions = status.sessions
    suspect = f", {sessions.suspect:,} suspect" if sessions.suspect else ""
    today = words.energy(sessions.energy_today_wh)
    yield "sessions", f"{sessions.active:,} active{suspect}, {words.power(status.power_w)}, {today} today", ""
    knocking = status.unknown_stations
    yield "inbox", f"{knocking:,} unknown stations", "warn" if knocking else "dim"
    kept = status.quarantined
    yield "quarantine", f"{kept:,} messages that could not be placed", "warn" if kept else "dim"


def organisation_rows(told: Cluster) -> Iterable[Row]:
    for one in told.organisations:
        suspended = one.status != "active"
        about = ", ".join(part for part in (one.name, one.party, one.time_zone, one.currency) if part)
        yield one.id or "main", f"{'✖ suspended · ' if suspended else ''}{about}", "bad" if suspended else ""


def key_rows(told: Cluster, now: datetime) -> Iterable[Row]:
    if (secrets := told.secrets) is not None:
        yield "master key", secrets.master_key, ""
        older = sum(
            version.passwords + version.secrets for version in secrets.versions if not version.in_force
        )
        waits = f", {older:,} secrets hang on older ones" if older else ""
        yield "keys", f"version {secrets.in_force} in force{waits}", "warn" if older else ""
        if secrets.chosen_passwords:
            yield "passwords", f"▲ {secrets.chosen_passwords:,} were chosen by a person", "warn"
        for warning in secrets.warnings:
            yield "to mend", f"▲ {warning}", "warn"
    for authority in told.authorities or ():
        tone = "bad" if authority.not_after <= now else "warn" if authority.not_after - now < SOON else ""
        yield f"CA {authority.use}", f"ends {_days(authority.not_after, now)} · {authority.key}", tone
    if told.ending is not None:
        count = len(told.ending)
        yield (
            "certificates",
            f"{'▲ ' if count else ''}{count:,} of stations end within {SOON.days} days",
            "warn" if count else "dim",
        )


def people_rows(told: Cluster, now: datetime) -> Iterable[Row]:
    if (you := told.identity) is not None:
        ends = f", ends {_days(you.expires_at, now)}" if you.expires_at else ""
        yield "you", f"{you.name} ({', '.join(you.roles) or 'no role'}) by {you.via}{ends}", ""
    for operator in told.operators or ():
        yield operator.name or operator.who, f"{operator.role} · {operator.who}", ""
    for token in told.tokens or ():
        used = words.ago(token.last_used_at, now) if token.last_used_at else "never"
        tone = "dim" if token.status != "active" else "warn" if token.expires_at - now < SOON else ""
        yield f"token {token.name}", f"{token.role} · used {used} · ends {_days(token.expires_at, now)}", tone


VERDICTS = {"look": ("▲", "warn"), "bad": ("✖", "bad")}


def check_rows(told: Cluster) -> Iterable[Row]:
    """What is wrong, and beneath it what mends it; what is well on one line; who cannot connect, and why."""
    if (found := told.diagnosis) is None:
        return
    for check in found.checks:
        if check.verdict != "ok":
            sign, tone = VERDICTS.get(check.verdict, ("?", ""))
            yield check.name, f"{sign} {check.found}", tone
            if check.cure:
                yield "", f"  → {check.cure}", "dim"
    well = [check.name for check in found.checks if check.verdict == "ok"]
    if well:
        yield "well", f"✔ {', '.join(well)}", "dim"
    for one in found.handshakes:
        times = f", {one.attempts:,} times" if one.attempts > 1 else ""
        yield one.identity or "somebody", f"✖ {one.cause} (from {one.address}{times})", "bad"
        yield "", f"  → {one.cure}", "dim"


SECTIONS: tuple[tuple[str, str, Callable[[Cluster, datetime], Iterable[Row]]], ...] = (
    ("Daemon", "status", lambda told, now: daemon_rows(told)),
    ("Addresses", "status", lambda told, now: port_rows(told)),
    ("Checks", "diagnosis", lambda told, now: check_rows(told)),
    ("Now", "status", lambda told, now: load_rows(told)),
    ("Organisations", "organisations", lambda told, now: organisation_rows(told)),
    ("Keys, certificates", "secrets", key_rows),
    ("Who operates", "operators", people_rows),
)


def rows_of(told: Cluster, now: datetime) -> list[Row]:
    """The page from top to bottom; a part that was refused says so."""
    page: list[Row] = []
    for title, part, rows in SECTIONS:
        page.append((title, "", "title"))
        page += [(name, text, tone) for name, text, tone in rows(told, now)]
        if part in told.refused:
            page.append(("", told.refused[part], "dim"))
    return page


def _parts(text: str, room: int) -> list[tuple[bool, str]]:
    """The text in rows of so many cells; whether a row is the first of them."""
    return [(number == 0, part.strip()) for number, part in enumerate(wrapped(text, room, MOST_ROWS))]


class ClusterPlace(Place):
    """One page that one scrolls through; it is read anew while it is looked at."""

    place = "cluster"
    title_words = "Cluster"

    def __init__(self) -> None:
        super().__init__()
        self._told: Cluster | None = None
        self._rows: list[Row] = []

    def body(self) -> Iterable[Widget]:
        columns = (Column("", NAMES), Column("", 20, grow=True))
        table = LiveTable(columns, self.cells, id="list", header=False)
        table.empty = "reading …"
        yield table

    def on_mount(self) -> None:
        self.set_interval(READ_AGAIN_S, self._read_if_seen)

    def _read_if_seen(self) -> None:
        if self.is_current and self.console.following.live and not self.console.painting.paused:
            self._read()

    def _read(self) -> None:
        self.console.reading.fetch(self, "cluster", read_cluster)

    def come_back(self) -> None:
        self.draw(None)
        self._read()

    def take(self, what: str, found: Cluster | Refusal) -> None:
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")
            return
        self._told = found
        self.draw(None)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is not None or self._told is None:
            return
        room = max(20, self.app.size.width - NAMES - 4)
        self._rows = [
            (name if first else "", part, tone)
            for name, text, tone in rows_of(self._told, self.console.now())
            for first, part in _parts(text, room)
        ]
        table = self.query_one("#list", LiveTable)
        table.set_ids([str(number) for number in range(len(self._rows))])
        table.repaint_changed()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.draw(None)

    def cells(self, key: str) -> Sequence[Span]:
        name, text, tone = self._rows[int(key)]
        return (
            (f" {name}" if tone == "title" else f"   {name}", "title" if tone == "title" else "dim"),
            (text, tone),
        )
