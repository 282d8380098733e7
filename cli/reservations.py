"""``cms reservations``."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

import typer

from cli.noun import Station, flags_of, group, named, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give
from cli.render import Column, show_one, when
from cli.times import later
from cms.client import ask
from cms.contract import reservations
from cms.contract.refusals import Invalid

app = group("Reservations: an EVSE held for a token until some time.")

SIGNS = {"active": "●", "used": "✔", "expired": "–", "cancelled": "–", "removed": "▲", "refused": "✖"}


def _status(word: Any) -> str:
    return f"{SIGNS.get(word, '?')} {word}"


def _place(value: Any) -> str:
    return "any" if value is None else str(value)


LIST = (
    Column("id"),
    Column("station"),
    Column("evse", show=_place, right=True),
    Column("connector_type", "type", wide=True),
    Column("token"),
    Column("group", wide=True),
    Column("status", show=_status),
    Column("expires_at", "expires", when),
    Column("requested_by", "by", wide=True),
    Column("reason", wide=True),
    Column("created_at", "made", when, wide=True),
    Column("ended_at", "ended", when),
    Column("session"),
    Column("detail"),
)


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
    active: Annotated[bool | None, typer.Option("--active/--over", help="Held now, or not.")] = None,
) -> None:
    """The latest reservations, youngest first."""
    flags = flags_of(ctx)
    request = reservations.ListReservations(station, active, flags.filter)
    tell_list(flags, request, LIST, filtered=True)


@app.command()
def show(
    ctx: typer.Context,
    reservation: Annotated[int, typer.Argument(metavar="ID")],
    station: Annotated[str | None, typer.Option("--station", metavar="NAME", help="Where.")] = None,
) -> None:
    """One reservation."""
    flags = flags_of(ctx)
    request = reservations.ShowReservation(reservation, station)
    show_one(ask(request, flags.address, flags.patience_s), LIST, flags)


@app.command()
def add(
    ctx: typer.Context,
    station: Station,
    token: Annotated[str, typer.Option("--token", metavar="TAG", help="For whom.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="e.g. 22:00, 45m, 2h")],
    evse: Annotated[
        int | None, typer.Option("--evse", metavar="N", help="Without it the station chooses.")
    ] = None,
    connector_type: Annotated[
        str | None, typer.Option("--connector-type", metavar="TYPE", help="As OCPP spells it: cCCS2 (2.x).")
    ] = None,
    with_group: Annotated[
        bool, typer.Option("--with-group", help="Other tokens of its group may use it too.")
    ] = False,
    reservation: Annotated[
        int | None, typer.Option("--replace", metavar="ID", help="Instead of this one.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Though it would be refused here.")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Hold an EVSE for a token; the number of the reservation is in the order's params."""

    def build(name: str, **terms: Any) -> reservations.AddReservation:
        return reservations.AddReservation(
            station=name,
            token=token,
            expires_at=later(until).astimezone(UTC),
            evse=evse,
            connector_type=connector_type,
            with_group=with_group,
            reservation=reservation,
            force=force,
            **terms,
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def cancel(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Several, or - for stdin.")
    ] = None,
    station: Annotated[
        str | None, typer.Option("--station", metavar="NAME", help="Where, when nobody here knows it.")
    ] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Give reservations up."""
    if not names:
        raise Invalid("Which reservation?", "give its number, or - for stdin; see `cms reservations list`")
    meant = named(names)

    def build(name: str, **terms: Any) -> reservations.CancelReservation:
        if not name.isascii() or not name.isdecimal():
            raise Invalid(f"{name!r} is not the number of a reservation", "see `cms reservations list`")
        return reservations.CancelReservation(reservation=int(name), station=station, **terms)

    give(flags_of(ctx), meant, len(meant) > 1 or "-" in names, Terms(wait, when_idle, at, queue), build)
