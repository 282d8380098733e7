"""Orders to stations: whom, on which terms, after which question, and what became of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.errors import note, say_of
from cli.flags import Flags
from cli.noun import confirmed, named
from cli.progress import progress
from cli.render import Column, Row, compact, show_list, show_one, when
from cli.times import duration_s, later
from cms.client import ask
from cms.contract.intents import AwaitIntent, ShowIntent
from cms.contract.refusals import (
    Conflict,
    Invalid,
    Refusal,
    Rejected,
    TimedOut,
    Unreachable,
)
from cms.contract.safe import safe
from cms.contract.stations import ListStations, OrderTerms

Wait = Annotated[bool, typer.Option("--wait", help="Wait until the effect was seen; the exit code tells.")]
WhenIdle = Annotated[bool, typer.Option("--when-idle", help="Give the order when nobody charges there.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="Give it then, e.g. 22:00 or 2h.")]
Queue = Annotated[
    str | None, typer.Option("--queue", metavar="DURATION", help="Keep it so long for an offline station.")
]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME...", help="Several, or - for stdin, or --filter.")
]

#: Patience of --wait beyond the terms, when --timeout says nothing; the order itself fails earlier.
_EFFECT_S = 600.0
_IDLE_S = 86_400.0
#: One question to the daemon waits so long; then the next is asked.
_ROUND_S = 25.0
#: How often it is looked how many are done.
_LOOK_S = 0.25
#: Of so many orders that stand each gets a line of its own.
_TOLD = 10

_ANSWER_WORDS = ("status", "word")


def _answer(value: Any) -> str:
    """The station's own word, or its whole answer."""
    if not isinstance(value, dict):
        return ""
    for key in _ANSWER_WORDS:
        if isinstance(value.get(key), str):
            return str(value[key])
    return compact(value)


INTENT_COLUMNS = (
    Column("id"),
    Column("station"),
    Column("order"),
    Column("status"),
    Column("requested_by", wide=True),
    Column("reason", wide=True),
    Column("created_at", "created", when),
    Column("answered_at", "answered", when, wide=True),
    Column("confirmed_at", "confirmed", when, wide=True),
    Column("answer", show=_answer),
    Column("detail"),
)
PREVIEW_COLUMNS = (
    Column("station"),
    Column("order"),
    Column("level", right=True),
    Column("impact"),
    Column("cli"),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an order as the flags say them."""

    wait: bool = False
    when_idle: bool = False
    at: str | None = None
    queue: str | None = None

    def of(self, flags: Flags) -> dict[str, Any]:
        """The same as fields of OrderTerms."""
        terms: dict[str, Any] = {"reason": flags.reason, "when_idle": self.when_idle}
        if self.at:
            terms["at"] = later(self.at).astimezone(UTC)
        if self.queue:
            terms["queue_s"] = duration_s(self.queue)
        if flags.timeout_s and not self.wait:
            terms["timeout_s"] = flags.timeout_s
        return terms

    def patience_s(self, flags: Flags) -> float:
        """How long --wait waits."""
        if flags.timeout_s:
            return flags.timeout_s
        patience = _EFFECT_S
        if self.queue:
            patience += duration_s(self.queue)
        if self.at:
            patience += (later(self.at) - datetime.now(UTC)).total_seconds()
        return patience + (_IDLE_S if self.when_idle else 0.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order: what to print, and the refusal that it amounts to, if any."""

    name: str
    row: Row | None
    refusal: Refusal | None = None

    @property
    def code(self) -> int:
        return self.refusal.exit_code if self.refusal else 0


#: How an intent that did not come to its effect is told.
_ENDS: dict[str, Callable[[Row], Refusal]] = {
    "refused": lambda row: Rejected(_told(row, "the station said no")),
    "failed": lambda row: (
        TimedOut(_told(row, "the effect did not come"))
        if row.get("answered_at")
        else Unreachable(_told(row, "the station did not answer"))
    ),
    "expired": lambda row: Unreachable(_told(row, "the station did not come back in time")),
    "cancelled": lambda row: Conflict(_told(row, "the order was cancelled")),
}


def _told(row: Row, otherwise: str) -> str:
    return row.get("detail") or f"{row['station']}: {row['order']}: {otherwise}"


def stations_meant(names: Sequence[str] | None, flags: Flags) -> tuple[list[str], bool]:
    """The stations an order goes to, and whether they are a list (several, stdin, or a filter)."""
    if flags.filter:
        only_one(names, "stations")
        rows = ask(ListStations(filter=flags.filter), flags.address, flags.patience_s)
        found = [row["id"] for row in rows]
        return found[: flags.limit] if flags.limit else found, True
    given = list(names or [])
    if not given:
        raise Invalid("Which station?", "give names, - for stdin, or --filter")
    meant = named(given)
    return meant, len(given) > 1 or "-" in given


def only_one(names: Sequence[str] | None, what: str) -> None:
    """Refuse names beside a filter: whoever gives both may mean fewer than the filter finds."""
    if names:
        raise Invalid(f"Name the {what}, or choose them with --filter", "not both")


def give(
    flags: Flags,
    names: Sequence[str],
    many: bool,
    terms: Terms,
    build: Callable[..., OrderTerms],
    *,
    quiet: bool = False,
) -> None:
    """Give one order to each, after the question that it needs; print intents and exit with the worst code.

    ``quiet`` leaves the intents that came to an end unprinted: the caller has something better to show.
    """
    if not names:
        note("nothing matches: nothing was done", flags.quiet)
    fields = terms.of(flags)
    requests = {name: build(name, **fields) for name in names}
    if flags.dry_run:
        previews = at_once(flags, requests, lambda name, request: _preview(flags, name, request))
        _finish(flags, previews, many, PREVIEW_COLUMNS)
    if not flags.yes and requests:
        requests = _agreed(flags, requests)
    outcomes = _given(flags, requests, terms)
    if quiet:
        outcomes = [replace(o, row=None) if o.row and o.row["status"] == "confirmed" else o for o in outcomes]
    _finish(flags, outcomes, many, INTENT_COLUMNS)


def _given(flags: Flags, requests: dict[str, Any], terms: Terms) -> list[Outcome]:
    """What became of the orders. Whoever interrupts the wait is told which of them stand."""
    standing: dict[str, Row | None] = {}
    try:
        return at_once(flags, requests, lambda name, request: _order(flags, name, request, terms, standing))
    except KeyboardInterrupt:
        for line in _stands(standing):
            note(line, flags.quiet)
        raise


def _stands(standing: Mapping[str, Row | None]) -> Iterator[str]:
    """What is said of orders that nobody waits for any more: a line each, or one for many."""
    known = [row for row in list(standing.values()) if row is not None]
    for row in known[:_TOLD]:
        yield f"{row['station']}: {row['order']} stands ({row['status']}); see `cms intents show {row['id']}`"
    if len(known) > _TOLD:
        yield f"{len(known) - _TOLD} more orders stand; see `cms intents list`"
    if unanswered := [name for name, row in list(standing.items()) if row is None]:
        more = f" and {len(unanswered) - 1} more" if len(unanswered) > 1 else ""
        yield f"whether the order for {unanswered[0]}{more} was given: see `cms intents list`"


def at_once(flags: Flags, requests: dict[str, Any], do: Callable[[str, Any], Outcome]) -> list[Outcome]:
    """So many as --at-once says at a time: one after the other would wait for each silent station in turn.

    Daemon threads, so that Ctrl-C ends the command and does not wait for those stations either.
    """
    if len(requests) <= 1:
        return [do(name, request) for name, request in requests.items()]
    import threading

    waiting = iter(list(requests.items()))
    outcomes: dict[str, Outcome] = {}
    bugs: list[Exception] = []

    def work() -> None:
        # Taking the next from a list iterator is atomic.
        for name, request in waiting:
            try:
                outcomes[name] = do(name, request)
            except Exception as bug:
                bugs.append(bug)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(requests), flags.at_once))]
    for thread in threads:
        thread.start()
    with progress(flags, "done", len(requests)) as at:
        for thread in threads:
            while thread.is_alive():
                thread.join(_LOOK_S)
                at(len(outcomes))
    if bugs:
        raise bugs[0]
    return [outcomes[name] for name in requests]


def _preview(flags: Flags, name: str, request: OrderTerms) -> Outcome:
    try:
        row = ask(replace(request, dry_run=True), flags.address, flags.patience_s)
    except Refusal as refusal:
        return Outcome(name, None, refusal)
    return Outcome(name, row)


def _agreed(flags: Flags, requests: dict[str, Any]) -> dict[str, Any]:
    """The requests after the question: as they are, none, or changed to wait until idle."""
    previews = at_once(flags, requests, lambda name, request: _preview(flags, name, request))
    level = max((outcome.row["level"] for outcome in previews if outcome.row), default=0)
    if sys.stdin.isatty():
        # On a terminal many objects are a danger of their own; a script has named them on purpose.
        level = max(level, 3 if len(requests) > 10 else 2 if len(requests) > 1 else 0)
    if level < 2:
        return requests
    question = _question([outcome.row for outcome in previews if outcome.row])
    if not sys.stdin.isatty():
        raise Invalid(f"{question} Nobody is there to ask", "say --yes to do it")
    match _reply(f"{question} [y/N/w = when idle] "):
        case "y" | "yes":
            return requests
        case "w":
            return {name: replace(request, when_idle=True) for name, request in requests.items()}
    raise typer.Exit(130)


def _question(previews: list[Row]) -> str:
    """What will happen, and to whom."""
    if len(previews) == 1:
        preview = previews[0]
        return f"{preview['station']}: {preview['order']}: {preview['impact']}. Go on?"
    lines = "\n".join(f"  {preview['station']}: {preview['impact']}" for preview in previews[:10])
    more = f"\n  and {len(previews) - 10} more" if len(previews) > 10 else ""
    return f"{previews[0]['order'] if previews else 'order'} for {len(previews)}:\n{lines}{more}\nGo on?"


def _reply(question: str) -> str:
    harmless = "\n".join(safe(line) for line in question.split("\n"))
    print(harmless, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower()


def _order(
    flags: Flags, name: str, request: OrderTerms, terms: Terms, standing: dict[str, Row | None]
) -> Outcome:
    """Give an order; it is in ``standing`` (with its intent, once there is one) until it is over."""
    row: Row | None = None
    standing[name] = None
    try:
        row = ask(request, flags.address, flags.patience_s)
        assert row is not None
        if terms.wait:
            standing[name] = row
            row = await_effect(flags, row, terms.patience_s(flags))
    except Refusal as refusal:
        del standing[name]
        return Outcome(name, row, refusal)
    del standing[name]
    return outcome_of(row)


def outcome_of(row: Row) -> Outcome:
    """What an intent amounts to."""
    end = _ENDS.get(row["status"])
    return Outcome(row["station"], row, end(row) if end else None)


def await_effect(flags: Flags, row: Row, patience_s: float) -> Row:
    """The intent when it is over. Raises TimedOut when patience ends first."""
    deadline = time.monotonic() + patience_s
    while row["status"] not in ("confirmed", *_ENDS):
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimedOut(
                f"{row['station']}: {row['order']} is still {row['status']} after {patience_s:g} s",
                f"cms intents wait {row['id']}",
            )
        try:
            row = ask(AwaitIntent(row["id"], min(left_s, _ROUND_S)), flags.address, flags.patience_s)
        except Refusal:
            # The round is over, or the order is: the intent itself says which, and why.
            row = ask(ShowIntent(row["id"]), flags.address, flags.patience_s)
    return row


def finish_intent(flags: Flags, row: Row) -> None:
    """Print one intent, and exit with what became of it."""
    _finish(flags, [outcome_of(row)], False, INTENT_COLUMNS)


def wait_for(flags: Flags, intents: Sequence[str], many: bool, patience_s: float) -> None:
    """Wait for orders that were given; print them, and exit with the worst that became of them."""
    standing: dict[str, Row | None] = {}

    def waited(intent: str, _: Any) -> Outcome:
        row: Row | None = None
        try:
            row = standing[intent] = ask(ShowIntent(intent), flags.address, flags.patience_s)
            assert row is not None
            row = await_effect(flags, row, patience_s)
        except Refusal as refusal:
            standing.pop(intent, None)
            return Outcome(intent, row, refusal)
        del standing[intent]
        return outcome_of(row)

    try:
        outcomes = at_once(flags, dict.fromkeys(intents), waited)
    except KeyboardInterrupt:
        for line in _stands(standing):
            note(line, flags.quiet)
        raise
    _finish(flags, outcomes, many, INTENT_COLUMNS)


def _finish(flags: Flags, outcomes: list[Outcome], many: bool, columns: Sequence[Column]) -> None:
    rows = [outcome.row for outcome in outcomes if outcome.row is not None]
    if many and (rows or flags.output not in ("table", "wide")):
        show_list(rows, columns, flags)
    elif rows:
        show = show_one if flags.output in ("json", "yaml") else _as_table
        show(rows[0], columns, flags)
    failed = [outcome for outcome in outcomes if outcome.refusal is not None]
    for outcome in failed:
        assert outcome.refusal is not None
        say_of(outcome.refusal, flags)
    if many and outcomes and flags.output != "json":
        note(f"{len(outcomes) - len(failed)} of {len(outcomes)} done", flags.quiet)
    raise typer.Exit(max((outcome.code for outcome in outcomes), default=0))


def _as_table(row: Row, columns: Sequence[Column], flags: Flags) -> None:
    show_list([row], columns, flags)


def removed(
    flags: Flags, names: Sequence[str], what: str, build: Callable[[str], Any], *, asks: bool
) -> None:
    """Do a request for each name (``-``: those on stdin) that answers nothing; the exit code is the worst."""
    names = named(names)
    if asks and names and not flags.dry_run and not confirmed(flags, f"Remove {what} {', '.join(names)}?"):
        raise typer.Exit(130)
    code = 0
    for name in names:
        if flags.dry_run:
            note(f"would remove {what} {name}", flags.quiet)
            continue
        try:
            ask(build(name), flags.address, flags.patience_s)
            note(f"removed {what} {name}", flags.quiet)
        except Refusal as refusal:
            say_of(refusal, flags)
            code = max(code, refusal.exit_code)
    raise typer.Exit(code)
