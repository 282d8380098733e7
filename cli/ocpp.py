"""``cms ocpp``: any action of a station's OCPP version, word for word."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cli.files import json_object
from cli.noun import Station, flags_of, group
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give
from cms.contract import datatransfer, ocpp

app = group("OCPP word for word: any action of the station's version.")


@app.command()
def call(
    ctx: typer.Context,
    station: Station,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="As OCPP spells it, e.g. GetVariables.")],
    payload: Annotated[str, typer.Argument(metavar="JSON", help="The payload, or - for stdin.")] = "{}",
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Send one action, checked against its schema, and print the answer."""
    said = json_object(payload, "the payload is", "{}")
    terms = Terms(wait, when_idle, at, queue)

    def build(name: str, **fields: Any) -> ocpp.CallStation:
        return ocpp.CallStation(station=name, action=action, payload=said, **fields)

    give(flags_of(ctx), [station], False, terms, build)


@app.command("send-raw")
def send_raw(
    ctx: typer.Context,
    station: Station,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The frame as it is, or - for stdin.")],
    lab: Annotated[bool, typer.Option("--lab", help="Yes, this station is in a laboratory.")] = False,
) -> None:
    """Send a text that nobody checks; the answer is printed when the text is a CALL."""
    frame = sys.stdin.read().rstrip("\n") if text == "-" else text

    def build(name: str, **fields: Any) -> ocpp.SendRaw:
        return ocpp.SendRaw(station=name, text=frame, lab=lab, **fields)

    give(flags_of(ctx), [station], False, Terms(), build)


@app.command()
def data(
    ctx: typer.Context,
    station: Station,
    vendor: Annotated[str, typer.Argument(metavar="VENDOR", help="The vendor id, e.g. com.example.")],
    message: Annotated[str | None, typer.Argument(metavar="[MESSAGE]")] = None,
    content: Annotated[str | None, typer.Argument(metavar="[DATA]", help="A text, or - for stdin.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="DATA is JSON: a 2.x station gets it as such, not as a text.")
    ] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Transfer data that a vendor agreed on beside the standard, and print the answer."""
    told = sys.stdin.read() if content == "-" else content

    def build(name: str, **fields: Any) -> datatransfer.SendData:
        return datatransfer.SendData(
            station=name, vendor=vendor, message=message, data=told, as_json=as_json, **fields
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)
