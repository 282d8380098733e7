"""Who may charge where and when, and how much: the rules in their order, and what is used of budgets."""

from __future__ import annotations

import shlex
from typing import Any

from cms.contract import access
from cms.contract.intents import Preview
from tui import words
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import Draft
from tui.widgets.paint import Span

_EFFECTS = {"allow": "good", "deny": "bad", "only": "warn", "budget": "busy"}


def _effect(row: Any) -> Span:
    return (row.effect, _EFFECTS.get(row.effect, ""))


def _subject(row: Any) -> Span:
    return f"{row.kind} {row.subject}".strip()


def _remove_foretold(draft: Draft) -> Preview:
    rule = draft.target.row
    does = f"{rule.id} holds no longer, from the next card on: {rule.effect} {rule.says}"
    return Preview(draft.act.name, "", 2, does, f"cms access remove {shlex.quote(rule.id)}")


RULES = Book(
    "access",
    "Access rules",
    "who may charge where and when, in the order in which rules are asked",
    access.RuleView,
    lambda station: access.ListRules(),
    lambda row: f"{row.rank:05} {row.id}",  # a book stands in the order of its keys
    (
        Cell("Rule", 16, field("id")),
        Cell("Effect", 7, _effect),
        Cell("For", 20, _subject),
        Cell("Says", 24, field("says"), grow=True),
        Cell("Prio", 4, lambda row: str(row.priority) if row.priority else "", right=True, drop=2),
        Cell("Note", 16, field("note", "dim"), drop=1),
        Cell("Changed", 16, moment("changed_at"), drop=3),
    ),
    "there is no rule, so every accepted token may charge everywhere: cms access add",
    ("access.",),
    (
        order("D", "remove", "take the rule under the cursor away", "Remove the access rule",
              lambda target, _: access.RemoveRule(target.row.id), at_row=True, foretell=_remove_foretold),
    ),
    called=lambda row: str(row.id),
)  # fmt: skip


def _left(row: Any) -> Span:
    """What is left of it, or that nothing is."""
    if row.used_up is not None:
        return ("used up", "bad")
    left = row.left
    parts = [
        words.energy(left.energy_wh) if left.energy_wh is not None else "",
        f"{left.cost.amount} {left.cost.currency}" if left.cost is not None else "",
        f"{left.minutes} min" if left.minutes is not None else "",
        f"{left.sessions} sessions" if left.sessions is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _cost(row: Any) -> Span:
    return "" if row.cost is None else f"{row.cost.amount} {row.cost.currency}"


BUDGETS = Book(
    "budgets",
    "Budgets",
    "what is used of them in the present period, and by whom",
    access.UsageView,
    lambda station: access.ShowBudgets(),
    lambda row: f"{row.rule} {row.holder}",
    (
        Cell("Rule", 14, field("rule")),
        Cell("Whose", 20, field("holder")),
        Cell("Per", 6, field("period")),
        Cell("Energy", 9, lambda row: words.energy(row.energy_wh), right=True, drop=1),
        Cell("Cost", 12, _cost, right=True, drop=2),
        Cell("Min", 6, field("minutes"), right=True, drop=3),
        Cell("Sess", 4, field("sessions"), right=True),
        Cell("Runs", 4, lambda row: str(row.running) if row.running else "", right=True, drop=4),
        Cell("Left", 20, _left, grow=True),
    ),
    "nothing is used of any budget yet: cms access add ID budget",
    ("access.", "session.budget", "session.ended", "session.started"),
)

BOOKS = (RULES, BUDGETS)
