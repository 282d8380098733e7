"""``cms drivers find`` and ``cms drivers card``: somebody is on the telephone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import flags_of, tell_list
from cli.render import Column, Row, kwh, show_one, when
from cms.client import ask
from cms.contract.support import FindDrivers, ShowSupportCard

FOUND = (Column("driver"), Column("name"), Column("by", "found by"), Column("matched"), Column("token"))
Who = Annotated[
    str, typer.Argument(metavar="TEXT", help="A name, card, e-mail or telephone number, or a part of it.")
]


def add_to(app: typer.Typer) -> None:
    app.command()(find)
    app.command()(card)


def find(ctx: typer.Context, text: Who) -> None:
    """Who is it? By a piece of a name, a card, what is printed on it, an e-mail address, a telephone number."""
    flags = flags_of(ctx)
    tell_list(flags, FindDrivers(text), FOUND, name="driver")


def _driver(driver: Any) -> str:
    if driver is None:
        return "nobody: the card is registered without a driver"
    named = f"{driver['id']} {driver['name']}" if driver["name"] else driver["id"]
    why = f" ({driver['status_reason']})" if driver["status_reason"] else ""
    return f"{named}, {driver['status']}{why}"


def _tokens(tokens: Any) -> str:
    return "; ".join(" ".join(filter(None, (t["id"], t["kind"], t["status"]))) for t in tokens) or "none"


def _session(session: Row) -> str:
    where = f"{session['station']}/{session['evse'] or '?'}"
    return f"{when(session['started_at'])} {where} {kwh(session['energy_wh'])} {session['status']}"


def _sessions(sessions: Any) -> str:
    return "; ".join(map(_session, sessions)) or "none"


def _tries(tries: Any) -> str:
    told = (f"{when(t['at'])} {t['station']} {t['status']}" for t in tries)
    return "; ".join(told) or "none lately"


def _rights(rights: Any) -> str:
    return "; ".join(f"{r['effect']} {r['says']} ({r['rule']})" for r in rights) or "no rule of his own"


CARD = (
    Column("driver", show=_driver),
    Column("tokens", show=_tokens),
    Column("now", show=_sessions),
    Column("tries", "last tries", _tries),
    Column("rights", show=_rights),
    Column("last", "last sessions", _sessions),
    Column("sessions_30d", "30 days, sessions"),
    Column("energy_30d_wh", "30 days, energy", kwh),
)


def card(ctx: typer.Context, text: Who) -> None:
    """All about one caller: his cards, where he charges, why he was refused, his rights, his last sessions."""
    flags = flags_of(ctx)
    told = ask(ShowSupportCard(text), flags.address, flags.patience_s)
    show_one(told, CARD, flags, "driver")
