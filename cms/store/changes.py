"""Change -> statements: the whole outbound map of the store on one page.

Within a batch, rows are grouped by statement and written in the order of this table. That order is safe
because the changes of a group commute, except drops: a commit with a drop is a group of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cms.domain import changes as c
from cms.domain.audit import Audit
from cms.domain.cdrs import AddCdr, AddCdrMark
from cms.domain.charges import AddCharge, SaveCharge
from cms.domain.history import DropSession
from cms.domain.invoices import AddInvoice, AddMark
from cms.domain.ledger import Enter
from cms.domain.measures import AddToSums, CountSession, SaveInService, Uncount, Unmark
from cms.store import (
    audit,
    bills,
    cdrs,
    charges,
    connectors,
    deliveries,
    history,
    intents,
    invoices,
    kept,
    ledger,
    meters,
    payments,
    quarantine,
    sessions,
    stations,
    streams,
    tokens,
    unknown,
    usage,
    variables,
)
from cms.store.statements import Params, Statement

Now = Callable[[], int]
"""The present in microseconds, for the few rows that hold it."""

#: A change -> the rows of its statement.
Rows = Callable[[Any, Now], list[Params]]

WRITES: dict[type[c.Change], tuple[tuple[Statement, Rows], ...]] = {
    c.SaveStation: ((stations.SAVE, stations.saved),),
    c.SeeStations: ((stations.SEE, stations.seen),),
    c.SaveConnector: ((connectors.SAVE, connectors.saved),),
    c.SaveToken: ((tokens.SAVE, tokens.saved),),
    c.NoteUnknown: ((unknown.NOTE, unknown.noted),),
    c.OpenSession: ((sessions.INSERT, sessions.row), (usage.MARK, usage.ended)),
    c.UpdateSession: ((sessions.SAVE, sessions.row), (usage.MARK, usage.ended)),
    c.MeterSession: ((sessions.MOVE, sessions.moved),),
    c.AddReading: ((meters.ADD, meters.added),),
    c.Deliver: ((deliveries.ADD, deliveries.added),),
    c.SaveIntent: ((intents.SAVE, intents.saved),),
    c.SaveVariables: ((variables.SAVE, variables.saved),),
    c.Rebooted: ((variables.REBOOTED, variables.rebooted),),
    c.ForgetVariables: ((variables.FORGET, variables.forgotten),),
    c.AddStreamSamples: ((streams.ADD, streams.added),),
    c.Keep: ((kept.SAVE, kept.saved),),
    c.SaveBill: ((bills.SAVE, bills.saved),),
    c.SavePayment: ((payments.SAVE, payments.saved),),
    AddCdr: ((cdrs.ADD, cdrs.added), (usage.MARK, usage.billed)),
    AddCdrMark: ((cdrs.MARK, cdrs.marked), (usage.MARK, usage.said)),
    Enter: ((ledger.ADD, ledger.added),),
    AddInvoice: ((invoices.ADD, invoices.added), (invoices.BILL, invoices.billed)),
    AddMark: ((invoices.MARK, invoices.marked),),
    SaveCharge: ((charges.SAVE, charges.saved),),
    AddCharge: ((charges.ADD, charges.saved),),
    c.Quarantine: ((quarantine.ADD, quarantine.added),),
    c.DropStation: (
        (stations.DROP, stations.dropped),
        (connectors.DROP, stations.dropped),
        (variables.DROP, stations.dropped),
        (kept.DROP, stations.dropped),
        (intents.DROP_WAITING, stations.dropped),
    ),
    c.DropToken: ((tokens.DROP, tokens.dropped),),
    DropSession: (
        (history.DROP, history.dropped),
        (history.DROP_READINGS, history.readings_dropped),
        (usage.MARK, usage.dropped),
    ),
    CountSession: ((usage.COUNT, usage.counted),),
    Uncount: ((usage.UNCOUNT, usage.uncounted),),
    AddToSums: ((usage.ADD, usage.added),),
    Unmark: ((usage.UNMARK, usage.unmarked),),
    SaveInService: ((usage.SERVE, usage.served),),
    c.ForgetUnknown: ((unknown.FORGET, unknown.forgotten),),
    Audit: ((audit.ADD, audit.added),),
}

_ORDER = {statement: n for n, writes in enumerate(WRITES.values()) for statement, _ in writes}
_DROPS = frozenset({c.DropStation, c.DropToken, c.ForgetUnknown})


@dataclass(frozen=True, slots=True)
class Step:
    """One bulk statement with its rows."""

    statement: Statement
    rows: list[Params]


@dataclass(slots=True, eq=False)
class Item:
    """What one commit writes: rows in the order of its changes, and its events without numbers."""

    rows: list[tuple[Statement, Params]]
    events: list[Params]
    organisation: str = ""
    alone: bool = False
    """Its rows do not commute with those of others, or with each other: written in its own order."""
    tidies: str = ""
    """``fold``: the log is emptied afterwards; ``vacuum``: the file is written anew, without what was freed."""
    done: Callable[[], None] | None = None
    """Called when it is durable, before anybody hears of it, whether or not its asker still waits."""


def rows_of(changes: Iterable[c.Change], organisation: str, now: Now) -> list[tuple[Statement, Params]]:
    """The rows of these changes of an organisation, in their order."""
    # Most begin with the organisation: those are made here, without a call.
    return [
        (
            statement,
            (organisation, *row) if statement.owner == 0 else _owned(row, statement.owner, organisation),
        )
        for change in changes
        for statement, rows in WRITES[type(change)]
        for row in rows(change, now)
    ]


def _owned(row: Params, at: int, organisation: str) -> Params:
    return (*row[:at], organisation, *row[at:])


def drops(changes: Iterable[c.Change]) -> bool:
    """Whether one of them removes what others of the batch may write."""
    return not _DROPS.isdisjoint(map(type, changes))


def plan(items: Sequence[Item]) -> list[Step]:
    """The steps that write these items, few and large."""
    steps: list[Step] = []
    groups: dict[Statement, list[Params]] = {}
    for item in items:
        if item.alone:
            steps += _in_order(groups)
            groups = {}
            steps += [Step(statement, [row]) for statement, row in item.rows]
            continue
        for statement, row in item.rows:
            group = groups.get(statement)
            if group is None:
                groups[statement] = [row]
            else:
                group.append(row)
    return steps + _in_order(groups)


def _in_order(groups: dict[Statement, list[Params]]) -> list[Step]:
    return [
        Step(statement, _latest(groups[statement], statement.latest))
        for statement in sorted(groups, key=_ORDER.__getitem__)
    ]


def _latest(rows: list[Params], key: int) -> list[Params]:
    """The last row of each key, where only the last counts."""
    if not key or len(rows) == 1:
        return rows
    return list({row[:key]: row for row in rows}.values())
