"""``cms plans``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from cli.ends import decimal
from cli.files import text_of
from cli.money import amount, money
from cli.noun import flags_of, group, tell_list
from cli.render import Column, show_one
from cms.client import ask
from cms.contract import plans
from cms.contract.refusals import Invalid

app = group("Subscription plans: a monthly fee, energy that is included, a tariff of their own.")

PlanId = Annotated[str, typer.Argument(metavar="PLAN")]
Driver = Annotated[str, typer.Argument(metavar="DRIVER")]
From = Annotated[str | None, typer.Option("--from", metavar="DATE", help="Its first day; else today.")]
Now = Annotated[bool, typer.Option("--now", help="In spite of term and notice; needs --reason.")]


def _kwh(wh: Any) -> str:
    return "" if wh is None else f"{wh / 1000:g}"


def _versions(versions: Any) -> str:
    told = (
        f"from {plan['valid_from']}: {money(plan['fee'], plan['currency'])}, {_kwh(plan['included_wh'])} kWh"
        for plan in versions
    )
    return "; ".join(told)


def _steps(steps: Any) -> str:
    return "; ".join(f"{step['since']} {step['plan'] or 'none'} ({step['by']})" for step in steps)


LIST = (
    Column("id", "plan"),
    Column("name"),
    Column("status"),
    Column("fee", "a month", amount, right=True),
    Column("vat_percent", "with tax %", right=True),
    Column("included_wh", "kWh", _kwh, right=True),
    Column("tariff"),
    Column("members", right=True),
    Column("term_months", "term", right=True, wide=True),
    Column("notice_days", "notice", right=True, wide=True),
    Column("valid_from", "from", wide=True),
    Column("closed_on", "closed", wide=True),
)
SHOWN = (
    *(Column(column.key, column.heading, column.show) for column in LIST),
    Column("versions", show=_versions),
)
MEMBERS = (
    Column("driver"),
    Column("plan"),
    Column("status"),
    Column("since"),
    Column("until"),
    Column("next"),
    Column("free_from", "could leave", wide=True),
)
MEMBER = (
    *(Column(column.key, column.heading, column.show) for column in MEMBERS),
    Column("steps", "history", _steps),
)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All plans as they are today."""
    flags = flags_of(ctx)
    tell_list(flags, plans.ListPlans(flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, plan: PlanId) -> None:
    """One plan with all its versions."""
    flags = flags_of(ctx)
    show_one(ask(plans.ShowPlan(plan), flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def add(
    ctx: typer.Context,
    plan: PlanId,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="As invoices say it.")] = None,
    fee: Annotated[str | None, typer.Option("--fee", metavar="AMOUNT", help="A month, with taxes.")] = None,
    currency: Annotated[str, typer.Option("--currency", metavar="EUR")] = "EUR",
    vat: Annotated[str, typer.Option("--vat", metavar="PERCENT", help="That is in the fee.")] = "0",
    kwh: Annotated[str, typer.Option("--kwh", metavar="KWH", help="Included each month.")] = "0",
    tariff: Annotated[
        str | None, typer.Option("--tariff", metavar="TARIFF", help="Members charge by.")
    ] = None,
    term: Annotated[int, typer.Option("--term", metavar="MONTHS", help="To stay at least.")] = 0,
    notice: Annotated[int, typer.Option("--notice", metavar="DAYS", help="To stay after cancelling.")] = 0,
    since: From = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="JSON", help="All of it, or - for stdin.")
    ] = None,
) -> None:
    """Offer a plan, or with a later --from a new version of it. What a version says never changes."""
    flags = flags_of(ctx)
    said: dict[str, Any] = {
        "name": name or plan,
        "fee": fee,
        "currency": currency,
        "vat_percent": vat,
        "included_wh": _wh(kwh),
        "tariff": tariff,
        "term_months": term,
        "notice_days": notice,
        "valid_from": since,
    }
    if file is not None:
        said = _from_file(file)
    elif fee is None:
        raise Invalid(
            "What does a month of it cost?", "e.g. cms plans add flat --fee 19.90 --vat 19 --kwh 100"
        )
    show_one(ask(plans.AddPlan(_plan({**said, "id": plan})), flags.address, flags.patience_s), SHOWN, flags)


def _wh(kwh: str) -> int:
    wh = decimal(kwh) * 1000
    if wh != wh.to_integral_value():
        raise Invalid(f"{kwh} kWh is no whole number of Wh")
    return int(wh)


def _from_file(name: str) -> dict[str, Any]:
    import json

    try:
        said = json.loads(text_of(name), parse_float=str)
    except ValueError as error:
        raise Invalid(f"{name} is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise Invalid("a plan is a JSON object", 'e.g. {"name": "Flat", "fee": "19.90", "currency": "EUR"}')
    return said


def _plan(said: dict[str, Any]) -> plans.Plan:
    import msgspec

    from cli.strangers import strangers

    try:
        plan = msgspec.convert(said, plans.Plan, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"this is no plan: {error}") from None
    for stranger in strangers(said, msgspec.to_builtins(plan)):
        raise Invalid(f"this is no plan: nothing in one is called {stranger!r}")
    return plan


@app.command()
def close(
    ctx: typer.Context,
    plan: PlanId,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="Else today.")] = None,
) -> None:
    """Let nobody sign up any more; members stay."""
    flags = flags_of(ctx)
    show_one(
        ask(plans.ClosePlan(plan, _day(on), flags.reason), flags.address, flags.patience_s), SHOWN, flags
    )


@app.command()
def members(ctx: typer.Context, plan: Annotated[str | None, typer.Argument(metavar="[PLAN]")] = None) -> None:
    """Who has a plan now; without one, everybody's subscription."""
    flags = flags_of(ctx)
    tell_list(flags, plans.ListSubscriptions(plan, flags.filter), MEMBERS, name="driver", filtered=True)


@app.command()
def member(ctx: typer.Context, driver: Driver) -> None:
    """Which plan a driver has, and those he had."""
    _told(ctx, plans.ShowSubscription(driver))


@app.command("sign-up")
def sign_up(ctx: typer.Context, driver: Driver, plan: PlanId, since: From = None) -> None:
    """Give a driver a plan."""
    _told(ctx, plans.SignUp(driver, plan, _day(since), flags_of(ctx).reason))


@app.command()
def change(ctx: typer.Context, driver: Driver, plan: PlanId, since: From = None, now: Now = False) -> None:
    """Another plan instead: at once where it costs as much or more, else when the present one may be left."""
    _told(ctx, plans.ChangePlan(driver, plan, _day(since), now, flags_of(ctx).reason))


@app.command()
def cancel(
    ctx: typer.Context,
    driver: Driver,
    until: Annotated[str | None, typer.Option("--at", metavar="DATE", help="The last day.")] = None,
    now: Now = False,
) -> None:
    """End a driver's subscription as term and notice have it, or later."""
    _told(ctx, plans.CancelPlan(driver, _day(until), now, flags_of(ctx).reason))


def _told(ctx: typer.Context, request: Any) -> None:
    flags = flags_of(ctx)
    show_one(ask(request, flags.address, flags.patience_s), MEMBER, flags, "driver")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no date", "e.g. 2026-11-30") from None
