"""``cms security``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import Station, flags_of, group
from cli.orders import Names, Terms, Wait, give, stations_meant
from cli.render import Column, select, show_list, show_one, when
from cms.client import ask
from cms.contract import events, security

app = group("Passwords, security profiles and security events of stations.")

Interface = Annotated[
    str, typer.Option("--interface", metavar="NAME", help="Wired0 ... Wireless3, or Any (2.1).")
]
_MOST_EVENTS = 10_000

SHOWN = (
    Column("station"),
    Column("profile"),
    Column("upgrading_to"),
    Column("connected_with"),
    Column("password_pending"),
    Column("entropy", "password"),
    Column("despite_expiry", "expired allowed"),
    Column("cipher", "TLS suite"),
    Column("certificate"),
    Column("certificate_name"),
    Column("certificate_not_after", "certificate ends", when),
    Column("network_profiles"),
)
EVENTS = (
    Column("at", "received", when),
    Column("station"),
    Column("data.kind", "event"),
    Column("data.critical", "critical"),
    Column("data.reported_at", "happened", when),
    Column("data.detail", "detail"),
)


@app.command()
def show(ctx: typer.Context, station: Station) -> None:
    """How far a station is trusted, and what is under way."""
    flags = flags_of(ctx)
    show_one(ask(security.ShowSecurity(station), flags.address, flags.patience_s), SHOWN, flags, "station")


@app.command("events")
def events_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
    critical: Annotated[
        bool, typer.Option("--critical", help="Those that a person should look into.")
    ] = False,
) -> None:
    """Security events that stations reported, oldest first."""
    flags = flags_of(ctx)
    request = events.ListEvents(station=station, type="station.security", limit=_MOST_EVENTS)
    told = ask(request, flags.address, flags.patience_s)
    rows = [row for row in told if not critical or row["data"].get("critical")]
    show_list(select(rows, flags), EVENTS, flags, "cursor")


@app.command()
def rotate(
    ctx: typer.Context,
    names: Names = None,
    form: Annotated[
        str | None, typer.Option("--form", metavar="hex|text", help="How a 1.6 station is told its key.")
    ] = None,
) -> None:
    """Give stations new passwords that nobody sees."""
    flags = flags_of(ctx)
    meant, many = stations_meant(names, flags)

    def build(name: str, **fields: Any) -> security.RotatePassword:
        return security.RotatePassword(station=name, form=form, **fields)

    give(flags, meant, many, Terms(), build)


@app.command()
def network(
    ctx: typer.Context,
    station: Station,
    slot: Annotated[int, typer.Option("--slot", metavar="N", help="The configuration slot to fill.")],
    profile: Annotated[int, typer.Option("--profile", metavar="0..3", help="Security profile.")],
    url: Annotated[str | None, typer.Option("--to", metavar="URL", help="Without: where we are.")] = None,
    interface: Interface = "Wired0",
    message_timeout: Annotated[int, typer.Option("--message-timeout", metavar="SECONDS")] = 30,
    force: Annotated[bool, typer.Option("--force", help="Also the slot that is in use.")] = False,
) -> None:
    """Fill a network connection profile of a 2.x station."""

    def build(name: str, **fields: Any) -> security.SetNetworkProfile:
        return security.SetNetworkProfile(
            station=name,
            slot=slot,
            security_profile=profile,
            url=url,
            interface=interface,
            message_timeout_s=message_timeout,
            force=force,
            **fields,
        )

    give(flags_of(ctx), [station], False, Terms(), build)


@app.command()
def upgrade(
    ctx: typer.Context,
    names: Names = None,
    profile: Annotated[
        int, typer.Option("--profile", metavar="2|3", help="The higher security profile.")
    ] = 2,
    slot: Annotated[int | None, typer.Option("--slot", metavar="N", help="2.x: the slot to fill.")] = None,
    interface: Interface = "Wired0",
    force: Annotated[bool, typer.Option("--force", help="Although something may be missing.")] = False,
    wait: Wait = False,
) -> None:
    """Raise stations to a higher security profile: configure, and reset."""
    flags = flags_of(ctx)
    meant, many = stations_meant(names, flags)

    def build(name: str, **fields: Any) -> security.UpgradeSecurity:
        return security.UpgradeSecurity(
            station=name, profile=profile, slot=slot, interface=interface, force=force, **fields
        )

    give(flags, meant, many, Terms(wait), build)


@app.command()
def lower(
    ctx: typer.Context,
    station: Station,
    profile: Annotated[int, typer.Option("--profile", metavar="1|2", help="The lower security profile.")],
) -> None:
    """Let a station prove less than before; --reason is needed. Nothing else ever lowers a profile."""
    flags = flags_of(ctx)
    request = security.LowerSecurity(station=station, profile=profile, reason=flags.reason or "")
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags, "station")


@app.command("allow-expired")
def allow_expired(
    ctx: typer.Context,
    station: Station,
    no_longer: Annotated[bool, typer.Option("--no-longer", help="End the exception.")] = False,
) -> None:
    """Let one station in with an expired certificate, to renew it."""
    flags = flags_of(ctx)
    request = security.AllowExpired(station, not no_longer, flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags, "station")
