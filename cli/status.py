"""``cms status``."""

from __future__ import annotations

import typer

from cli.noun import flags_of, single
from cli.render import Row, age, kw, kwh, show_one, show_pairs
from cms.client import ask
from cms.contract.status import ShowStatus

app = single("How the daemon and the stations are.")


@app.command()
def status(ctx: typer.Context) -> None:
    """How the daemon and the stations are."""
    flags = flags_of(ctx)
    told = ask(ShowStatus(), flags.address, flags.patience_s)
    if flags.output not in ("table", "wide"):
        show_one(told, (), flags, name="health")
        return
    show_pairs(_lines(told))


def _lines(told: Row) -> list[tuple[str, str]]:
    stations, sessions = told["stations"], told["sessions"]
    connectors = " · ".join(f"{count} {word}" for word, count in told["connectors"].items() if count)
    lines = [
        ("daemon", f"{told['health']} · version {told['version']} · up {age(told['uptime_s'])}"),
        ("stations connect to", told["ocpp_url"]),
        ("with TLS", told["ocpp_tls_url"] or "nobody listens"),
        ("drivers pay at", told.get("pay_url") or "nobody listens"),
        ("control socket", told["socket"]),
        ("database", told["database"]),
        ("bus", told["bus"]),
        ("stations", f"{stations['online']} of {stations['total']} online"),
        ("connectors", connectors or "none reported yet"),
        ("sessions", f"{sessions['active']} active, {sessions['suspect']} suspect"),
        ("power now", kw(told["power_w"])),
        ("energy today", kwh(sessions["energy_today_wh"])),
    ]
    if told["unknown_stations"]:
        lines.append(("unknown stations", f"{told['unknown_stations']} (cms stations unknown)"))
    if told["quarantined"]:
        lines.append(("to look at", f"{told['quarantined']} messages that could not be placed"))
    return [*lines, *(("note", text) for text in told["notes"])]
