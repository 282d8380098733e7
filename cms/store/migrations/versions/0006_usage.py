"""How sessions are counted, and sums of that; all sessions that are over are to be counted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTS = ("sessions", "starts", "failed", "unpriced", "energy_wh", "connected_s", "charging_s", "revenue")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "usage_marks",
        _text("organisation"),
        _text("session"),
        _number("stamp"),
        sa.PrimaryKeyConstraint("organisation", "session", name="pk_usage_marks"),
    )
    op.create_table(
        "usage_sessions",
        _text("organisation"),
        _text("session"),
        _text("station"),
        _number("evse", nullable=True),
        _number("connector", nullable=True),
        *map(_text, ("site", "zone", "driver", "tariff")),
        *map(_number, ("started_at", "ended_at", "energy_wh", "starts", "failed", "unpriced")),
        _text("currency"),
        _number("revenue"),
        _text("shares"),
        sa.PrimaryKeyConstraint("organisation", "session", name="pk_usage_sessions"),
    )
    op.create_index("ix_usage_sessions_organisation_ended_at", "usage_sessions", ["organisation", "ended_at"])
    for column in ("site", "station", "driver"):
        name = f"ix_usage_sessions_organisation_{column}_ended_at"
        op.create_index(name, "usage_sessions", ["organisation", column, "ended_at"])
    op.create_table(
        "usage_sums",
        *map(_text, ("organisation", "scope", "grain")),
        _number("at"),
        *map(_text, ("key", "currency")),
        *map(_number, _COUNTS),
        sa.PrimaryKeyConstraint(
            "organisation", "scope", "grain", "at", "key", "currency", name="pk_usage_sums"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_evses",
        _text("organisation"),
        _text("station"),
        _number("evse"),
        _number("number"),
        _text("site"),
        _number("since"),
        _number("until", nullable=True),
        sa.PrimaryKeyConstraint("organisation", "station", "evse", "number", name="pk_usage_evses"),
    )
    op.execute(
        "INSERT INTO usage_marks (organisation, session, stamp)"
        " SELECT organisation, id, 0 FROM sessions WHERE status = 'ended'"
    )
