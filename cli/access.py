"""``cms access``: who may charge where and when, and how much."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from cli import operators
from cli.errors import note as remark
from cli.noun import each, flags_of, group, named, tell_list
from cli.render import Column, show_list, show_one, when
from cli.tariffs import money
from cli.times import later
from cms.client import ask
from cms.contract import access
from cms.contract.refusals import Invalid
from cms.contract.tariffs import Money

app = group("Access: which token may charge where and when, and how much; and why.")
operators.add_to(app)

LIST = (
    Column("rank", "#", right=True),
    Column("id"),
    Column("effect"),
    Column("kind", "for"),
    Column("subject"),
    Column("says"),
    Column("priority", right=True),
    Column("note", wide=True),
    Column("changed_at", "changed", when, wide=True),
    Column("changed_by", "by", wide=True),
)
EXPLAINED = (
    Column("token"),
    Column("station"),
    Column("evse"),
    Column("local_time", "local time"),
    Column("status"),
    Column("rule"),
    Column("reason"),
    Column("evses", show=lambda value: " ".join(map(str, value))),
)
STEPS = (Column("rule"), Column("effect"), Column("subject"), Column("outcome"), Column("why"))
USAGE = (
    Column("rule"),
    Column("holder"),
    Column("period"),
    Column("since", show=when),
    Column("energy_wh", "kWh", lambda value: f"{value / 1000:.1f}", right=True),
    Column("cost", show=money, right=True),
    Column("minutes", right=True),
    Column("sessions", right=True),
    Column("running", right=True),
    Column("used_up", "used up"),
)

Several = list[str] | None
Token = Annotated[str | None, typer.Option("--token", metavar="TAG", help="For this token.")]
Driver = Annotated[str | None, typer.Option("--driver", metavar="ID", help="For this driver.")]
Group = Annotated[str | None, typer.Option("--group", metavar="NAME", help="For this group or fleet.")]
Everyone = Annotated[bool, typer.Option("--everyone", help="For all tokens.")]
Site = Annotated[Several, typer.Option("--site", metavar="ID", help="At this site; several: any of them.")]
AtStation = Annotated[Several, typer.Option("--station", metavar="NAME", help="At this station.")]
Evse = Annotated[Several, typer.Option("--evse", metavar="STATION:N", help="At this EVSE.")]
Type = Annotated[Several, typer.Option("--connector-type", metavar="TYPE", help="e.g. cCCS2, sType2.")]
Days = Annotated[str | None, typer.Option("--days", metavar="DAYS", help="e.g. mon-fri or sat,sun.")]
Hours = Annotated[str | None, typer.Option("--hours", metavar="HH:MM-HH:MM", help="e.g. 22:00-06:00.")]
Zone = Annotated[
    str | None, typer.Option("--time-zone", metavar="ZONE", help="Instead of the site's time zone.")
]
Per = Annotated[str | None, typer.Option("--per", metavar="PERIOD", help="Budget per day, week or month.")]
Kwh = Annotated[str | None, typer.Option("--kwh", metavar="N", help="Budget: energy.")]
Cost = Annotated[str | None, typer.Option("--cost", metavar="AMOUNT", help="Budget: money, with taxes.")]
Currency = Annotated[str, typer.Option("--currency", metavar="EUR")]
Minutes = Annotated[int | None, typer.Option("--minutes", metavar="N", help="Budget: time.")]
Sessions = Annotated[int | None, typer.Option("--sessions", metavar="N", help="Budget: sessions.")]
Each = Annotated[bool, typer.Option("--each", help="Each driver has the budget for himself.")]
Watts = Annotated[
    int | None, typer.Option("--then-limit", metavar="WATT", help="Used up: limit the session, not stop it.")
]
Priority = Annotated[int, typer.Option("--priority", metavar="N", help="Higher is asked first.")]
Note = Annotated[str | None, typer.Option("--note", help="For whoever reads it.")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All rules, in the order in which they are asked."""
    flags = flags_of(ctx)
    tell_list(flags, access.ListRules(flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, rule: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One rule; all of it with -o json."""
    flags = flags_of(ctx)
    show_one(ask(access.ShowRule(rule), flags.address, flags.patience_s), LIST, flags)


@app.command("add")
@app.command("set")
def rule(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="What the rule is called.")],
    effect: Annotated[str, typer.Argument(metavar="EFFECT", help="allow, deny, only or budget.")],
    token: Token = None,
    driver: Driver = None,
    group: Group = None,
    everyone: Everyone = False,
    site: Site = None,
    station: AtStation = None,
    evse: Evse = None,
    connector_type: Type = None,
    days: Days = None,
    hours: Hours = None,
    zone: Zone = None,
    per: Per = None,
    kwh: Kwh = None,
    cost: Cost = None,
    currency: Currency = "EUR",
    minutes: Minutes = None,
    sessions: Sessions = None,
    each_: Each = False,
    watts: Watts = None,
    priority: Priority = 0,
    note: Note = None,
) -> None:
    """Say for whom, and where and when it holds, or how much: a new rule, or (set) all of one anew.

    cms access add office only --group staff --site garage --days mon-fri --hours 07:00-19:00
    """
    flags = flags_of(ctx)
    kind, subject = _subject(token, driver, group, everyone)
    asked = access.Rule(
        id=id,
        effect=effect,
        kind=kind,
        subject=subject,
        where=_where(site, station, evse, connector_type),
        hours=_hours(days, hours),
        budget=_budget(per, kwh, cost, currency, minutes, sessions, each_, watts),
        priority=priority,
        time_zone=zone,
        note=note,
    )
    if flags.dry_run:
        remark(f"would {ctx.info_name} rule {id}", flags.quiet)
        return
    request = access.AddRule(asked) if ctx.info_name == "add" else access.SetRule(asked)
    show_one(ask(request, flags.address, flags.patience_s), LIST, flags)


def _subject(token: str | None, driver: str | None, group: str | None, everyone: bool) -> tuple[str, str]:
    given = [(kind, name) for kind, name in (("token", token), ("driver", driver), ("group", group)) if name]
    given += [("everyone", "")] if everyone else []
    if len(given) != 1:
        raise Invalid("For whom?", "give one of --token, --driver, --group or --everyone")
    return given[0]


def _where(sites: Several, stations: Several, evses: Several, types: Several) -> access.Where | None:
    where = access.Where(*(tuple(names or ()) for names in (sites, stations, evses, types)))
    return None if where == access.Where() else where


def _hours(days: str | None, hours: str | None) -> access.Hours | None:
    if days is None and hours is None:
        return None
    since, dash, until = (hours or "-").partition("-")
    if not dash:
        raise Invalid(f"{hours!r} are no hours", "write HH:MM-HH:MM, e.g. 22:00-06:00")
    return access.Hours(_days(days), since.strip() or None, until.strip() or None)


def _days(text: str | None) -> tuple[str, ...]:
    """``mon-fri,sun``; a span may run over the end of the week."""
    found: list[str] = []
    for part in (text or "").split(",") if text else ():
        first, dash, last = (word.strip().casefold() for word in part.partition("-"))
        if first not in access.DAYS or (dash and last not in access.DAYS):
            raise Invalid(f"{part.strip()!r} is no day", "write mon-fri or sat,sun")
        start = access.DAYS.index(first)
        length = (access.DAYS.index(last) - start) % 7 if dash else 0
        found += [access.DAYS[(start + step) % 7] for step in range(length + 1)]
    return tuple(day for day in access.DAYS if day in found)


def _budget(
    per: str | None,
    kwh: str | None,
    cost: str | None,
    currency: str,
    minutes: int | None,
    sessions: int | None,
    each_: bool,
    watts: int | None,
) -> access.Budget | None:
    amounts = {
        "energy_wh": None if kwh is None else round(_number("--kwh", kwh) * 1000),
        "cost": None if cost is None else Money(_number("--cost", cost), currency),
        "minutes": minutes,
        "sessions": sessions,
    }
    if all(amount is None for amount in amounts.values()):
        if per is not None or each_ or watts is not None:
            raise Invalid("How much?", "give --kwh, --cost, --minutes or --sessions")
        return None
    if per is None:
        raise Invalid("Per what is the budget?", "give --per day, week or month")
    then = "stop" if watts is None else "limit"
    return access.Budget(per, **amounts, each=each_, then=then, power_w=watts)  # type: ignore[arg-type]


def _number(flag: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Invalid(f"{flag} is a number, not {text!r}") from None
    if not number.is_finite():
        raise Invalid(f"{flag} is a number, not {text!r}")
    return number


@app.command()
def remove(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Several, or - for stdin.")
    ] = None,
) -> None:
    """Take rules away; holds with the very next card."""
    if not names:
        raise Invalid("Which rule?", "give its id, or - for stdin; see `cms access list`")
    each(flags_of(ctx), named(names), len(names) > 1 or "-" in names, access.RemoveRule, LIST, "remove rule")


@app.command()
def explain(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TOKEN")],
    station: Annotated[str, typer.Argument(metavar="STATION")],
    evse: Annotated[int | None, typer.Option("--evse", metavar="N")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="e.g. 22:00; else now.")] = None,
) -> None:
    """Whether a token may charge at a station, which rule decided, and why the others did not."""
    flags = flags_of(ctx)
    instant = None if at is None else later(at).astimezone(UTC)
    said = ask(access.ExplainAccess(token, station, evse, instant), flags.address, flags.patience_s)
    show_one(said, EXPLAINED, flags, "token")
    if flags.output in ("table", "wide") and said["steps"]:
        print()
        show_list(list(said["steps"]), STEPS, flags)
    if flags.output in ("table", "wide") and said["budgets"]:
        print()
        show_list(list(said["budgets"]), USAGE, flags)


@app.command()
def usage(
    ctx: typer.Context,
    subject: Annotated[
        str | None,
        typer.Argument(metavar="SUBJECT", help="token:TAG, driver:ID, group:NAME, everyone; else all."),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Of the period then.")] = None,
) -> None:
    """What is used of budgets in the present period: a subject's, or all."""
    instant = None if at is None else later(at).astimezone(UTC)
    tell_list(flags_of(ctx), access.ShowBudgets(subject, instant), USAGE, name="rule")
