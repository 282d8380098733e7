"""Who operates: roles of users and groups, API tokens, rights for a while, and what waits for a second person."""

from __future__ import annotations

import shlex
from typing import Any

from cms.contract import approvals, grants, operators
from cms.contract.intents import Preview
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import Draft
from tui.widgets.paint import Span

_STATES = {"waiting": "warn", "approved": "good", "rejected": "bad", "active": "good", "expired": "dim"}


def _state(row: Any) -> Span:
    return (row.status, _STATES.get(row.status, ""))


def _asked(row: Any) -> Span:
    told = row.request
    return " ".join(f"{name}={told[name]}" for name in told)


def _preview(draft: Draft, does: str, cli: str, level: int = 2) -> Preview:
    return Preview(draft.act.name, draft.target.station, level, does, cli)


def _unmap_foretold(draft: Draft) -> Preview:
    row = draft.target.row
    does = f"{row.name} is no {row.role} any more; what is open with it ends"
    return _preview(draft, does, f"cms access unmap {shlex.quote(row.who)}")


def _revoke_foretold(draft: Draft) -> Preview:
    row = draft.target.row
    return _preview(
        draft, f"the token of {row.name} opens nothing any more", f"cms access token revoke {row.id}"
    )


def _end_foretold(draft: Draft) -> Preview:
    row = draft.target.row
    return _preview(
        draft, f"{row.name} has no rights at {row.station} any more", f"cms grants revoke {row.id}"
    )


def _approve_foretold(draft: Draft) -> Preview:
    row = draft.target.row
    does = f"{row.operation} is done now, in the name of {row.asked_by}: {_asked(row)}"
    return _preview(draft, does, f"cms approvals approve {row.id}", 3)


def _reject_foretold(draft: Draft) -> Preview:
    row = draft.target.row
    return _preview(draft, f"{row.asked_by} hears no to {row.operation}", f"cms approvals reject {row.id}", 1)


OPERATORS = Book(
    "operators",
    "Operators",
    "users and groups of the daemon's machine, and their roles",
    operators.OperatorView,
    lambda station: operators.ListOperators(),
    lambda row: row.who,
    (
        Cell("Who", 16, field("who")),
        Cell("Name", 20, field("name"), grow=True),
        Cell("Role", 12, field("role")),
        Cell("Since", 16, moment("added_at"), drop=2),
        Cell("By", 14, field("added_by"), drop=1),
    ),
    "only the daemon's own user and root may use it: cms access map uid:NAME ROLE",
    ("operator.",),
    (
        order("D", "unmap", "take the role under the cursor away", "Take a role away",
              lambda target, _: operators.UnmapOperator(target.row.who), at_row=True,
              foretell=_unmap_foretold),
    ),
)  # fmt: skip

API_TOKENS = Book(
    "api-tokens",
    "API tokens",
    "with which people and programs come from elsewhere",
    operators.ApiTokenView,
    lambda station: operators.ListApiTokens(),
    lambda row: row.id,
    (
        Cell("Token", 11, field("id")),
        Cell("Whose", 18, field("name"), grow=True),
        Cell("Role", 12, field("role")),
        Cell("State", 8, _state),
        Cell("Until", 16, moment("expires_at")),
        Cell("Used", 16, moment("last_used_at"), drop=1),
        Cell("From", 18, lambda row: ", ".join(row.networks), drop=3),
        Cell("By", 12, field("created_by"), drop=2),
    ),
    "there is no API token: cms access token add NAME --role ROLE",
    ("api-token.",),
    (
        order("D", "revoke", "make the token under the cursor worthless", "Revoke an API token",
              lambda target, _: operators.RevokeApiToken(target.row.id), at_row=True,
              foretell=_revoke_foretold),
    ),
)  # fmt: skip

GRANTS = Book(
    "grants",
    "Grants",
    "rights at one station for a while",
    grants.GrantView,
    lambda station: grants.ListGrants(),
    lambda row: row.id,
    (
        Cell("Who", 16, field("name")),
        Cell("Role", 12, field("role")),
        Cell("Station", 14, field("station")),
        Cell("Until", 16, moment("ends_at")),
        Cell("Why", 20, field("reason"), grow=True, drop=1),
        Cell("By", 12, field("granted_by"), drop=2),
    ),
    "nothing is granted: cms grant NAME ROLE --station STATION --for 2h --reason WHY",
    ("grant.",),
    (
        order("D", "end", "end the grant under the cursor", "End a grant",
              lambda target, _: grants.RevokeGrant(target.row.id), at_row=True, foretell=_end_foretold),
    ),
)  # fmt: skip

APPROVALS = Book(
    "approvals",
    "Approvals",
    "what one person asked for and another must agree to",
    approvals.ApprovalView,
    lambda station: approvals.ListApprovals(all=True),
    lambda row: row.id,
    (
        Cell("What", 18, field("operation")),
        Cell("State", 9, _state),
        Cell("Asked by", 14, field("asked_by")),
        Cell("Asked", 16, moment("asked_at"), drop=2),
        Cell("Asked for", 24, _asked, grow=True),
        Cell("Why", 14, field("reason"), drop=3),
        Cell("Decided", 12, field("decided_by"), drop=1),
        Cell("Became", 16, field("detail", "dim"), drop=1),
    ),
    "nothing waits for a second person",
    ("approval.",),
    (
        order("Y", "approve", "agree to what is under the cursor: it is done now", "Approve",
              lambda target, _: approvals.Approve(target.row.id), at_row=True,
              foretell=_approve_foretold),
        order("D", "reject", "say no to what is under the cursor", "Reject",
              lambda target, text: approvals.Reject(target.row.id, text or None), at_row=True,
              foretell=_reject_foretold),
    ),
)  # fmt: skip

BOOKS = (OPERATORS, API_TOKENS, GRANTS, APPROVALS)
