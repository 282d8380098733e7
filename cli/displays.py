"""``cms displays``: messages on the displays of stations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.noun import Station, flags_of, group, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give
from cli.render import Column, when
from cli.times import later
from cms.contract import displays
from cms.contract.refusals import Invalid

app = group("Messages on the displays of stations (OCPP 2.x).")

LIST = (
    Column("id"),
    Column("station"),
    Column("text"),
    Column("priority"),
    Column("state", "while"),
    Column("starts_at", "from", when),
    Column("ends_at", "until", when),
    Column("transaction_id", "transaction", wide=True),
    Column("language", wide=True),
    Column("format", wide=True),
    Column("translations", wide=True),
    Column("set_by", "by"),
    Column("seen_at", "told", when, wide=True),
    Column("over"),
)

Priority = Annotated[
    str | None, typer.Option("--priority", metavar="WORD", help="always-front, in-front, normal-cycle")
]
State = Annotated[
    str | None,
    typer.Option("--state", metavar="WORD", help="Only while charging, faulted, idle, unavailable ..."),
]


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
) -> None:
    """What we know to be on displays; `cms displays get` asks the station."""
    tell_list(flags_of(ctx), displays.ListDisplayMessages(station), LIST)


@app.command("set")
def set_(
    ctx: typer.Context,
    station: Station,
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    message: Annotated[
        int | None, typer.Option("--message", metavar="ID", help="In place of the one with this number.")
    ] = None,
    priority: Priority = None,
    state: State = None,
    starts: Annotated[str | None, typer.Option("--from", metavar="TIME", help="e.g. 22:00, 2h")] = None,
    ends: Annotated[str | None, typer.Option("--until", metavar="TIME")] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="During this session only.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", metavar="utf8|ascii|html|uri|qrcode")] = "utf8",
    language: Annotated[str | None, typer.Option("--language", metavar="TAG", help="e.g. de")] = None,
    translations: Annotated[
        list[str] | None,
        typer.Option("--translation", metavar="TAG=TEXT", help="The same in other languages (2.1)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Though the station said it cannot.")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Show a message."""

    def build(name: str, **terms: Any) -> displays.SetDisplayMessage:
        return displays.SetDisplayMessage(
            station=name,
            text=text,
            message=message,
            format=format_,
            language=language,
            priority=priority or "normal-cycle",
            state=state,
            starts_at=_utc(starts),
            ends_at=_utc(ends),
            session=session,
            translations=_translations(translations),
            force=force,
            **terms,
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def get(
    ctx: typer.Context,
    station: Station,
    messages: Annotated[list[int] | None, typer.Argument(metavar="ID...")] = None,
    priority: Priority = None,
    state: State = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask a station for its messages: all, or those named. With --wait until it has reported them."""

    def build(name: str, **terms: Any) -> displays.GetDisplayMessages:
        return displays.GetDisplayMessages(
            station=name, messages=tuple(messages or ()), priority=priority, state=state, **terms
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def clear(
    ctx: typer.Context,
    station: Station,
    messages: Annotated[list[int], typer.Argument(metavar="ID...")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Take messages off a station's display."""

    def build(number: str, **terms: Any) -> displays.ClearDisplayMessage:
        return displays.ClearDisplayMessage(station=station, message=int(number), **terms)

    give(
        flags_of(ctx), [str(m) for m in messages], len(messages) > 1, Terms(wait, when_idle, at, queue), build
    )


def _utc(text: str | None) -> datetime | None:
    return later(text).astimezone(UTC) if text else None


def _translations(given: list[str] | None) -> dict[str, str] | None:
    pairs = [text.partition("=") for text in given or ()]
    for language, sign, text in pairs:
        if not language or not sign or not text:
            raise Invalid(f"{language!r} is no translation", "write TAG=TEXT, e.g. --translation 'de=Hallo'")
    return {language: text for language, _, text in pairs} or None
