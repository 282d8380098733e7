"""What sessions came to, the ledger, invoices, charges through a payment provider."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: Tables of which rows are only added.
_FOR_EVER = ("ledger", "invoices", "billed", "invoice_marks")


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _only_added(table: str) -> list[str]:
    never = f"{table} is only added to"
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{never}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {table}_only_added() RETURNS trigger AS"
        f" $$ BEGIN RAISE EXCEPTION '{never}'; END $$ LANGUAGE plpgsql",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {table}_only_added()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_only_added()",
    ]


def upgrade() -> None:
    op.create_table(
        "cdrs",
        _text("organisation"),
        _text("session"),
        _number("revision"),
        _text("station_key"),
        _text("account"),
        _number("ended_at"),
        _number("rated_at"),
        sa.Column("held", sa.Boolean(), nullable=False),
        _text("body"),
        sa.PrimaryKeyConstraint("organisation", "session", "revision", name="pk_cdrs"),
    )
    op.create_index(
        "ix_cdrs_held",
        "cdrs",
        ["organisation", "session"],
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.create_index("ix_cdrs_organisation_ended_at", "cdrs", ["organisation", "ended_at"])
    op.create_index("ix_cdrs_organisation_account_ended_at", "cdrs", ["organisation", "account", "ended_at"])
    op.create_index(
        "ix_cdrs_organisation_station_key_ended_at", "cdrs", ["organisation", "station_key", "ended_at"]
    )
    op.create_table(
        "cdr_marks",
        _text("organisation"),
        _text("session"),
        _text("key"),
        _text("what"),
        _number("revision"),
        _number("at"),
        _text("reason"),
        _text("actor", nullable=True),
        sa.PrimaryKeyConstraint("organisation", "session", "key", name="pk_cdr_marks"),
    )
    op.create_index("ix_cdr_marks_organisation_at", "cdr_marks", ["organisation", "at"])
    op.create_table(
        "ledger",
        _text("organisation"),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        _text("key"),
        _number("at"),
        _text("debit"),
        _text("credit"),
        _number("amount"),
        _text("currency"),
        _text("kind"),
        _text("ref"),
        _text("reason", nullable=True),
        _text("actor", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
        sa.UniqueConstraint("organisation", "key", name="uq_ledger_organisation_key"),
        sa.CheckConstraint("amount > 0 AND debit <> credit", name="ck_ledger_moves"),
    )
    for side in ("debit", "credit"):
        op.create_index(
            f"ix_ledger_organisation_{side}", "ledger", ["organisation", side, "currency", "amount"]
        )
    op.create_index("ix_ledger_organisation_ref", "ledger", ["organisation", "ref"])
    op.create_table(
        "invoices",
        _text("organisation"),
        _text("series"),
        _number("number"),
        _text("account"),
        _number("made_at"),
        _text("body"),
        sa.PrimaryKeyConstraint("organisation", "series", "number", name="pk_invoices"),
    )
    op.create_index("ix_invoices_organisation_account", "invoices", ["organisation", "account"])
    op.create_index("ix_invoices_organisation_made_at", "invoices", ["organisation", "made_at"])
    op.create_table(
        "billed",
        _text("organisation"),
        _text("source"),
        _text("series"),
        _number("number"),
        sa.PrimaryKeyConstraint("organisation", "source", name="pk_billed"),
    )
    op.create_index("ix_billed_organisation_number", "billed", ["organisation", "series", "number"])
    op.create_table(
        "invoice_marks",
        _text("organisation"),
        _text("series"),
        _number("number"),
        _text("key"),
        _number("at"),
        _text("detail", nullable=True),
        _text("actor", nullable=True),
        sa.PrimaryKeyConstraint("organisation", "series", "number", "key", name="pk_invoice_marks"),
    )
    op.create_table(
        "charges",
        _text("organisation"),
        _text("id"),
        _text("status"),
        _text("provider_ref", nullable=True),
        _text("session", nullable=True),
        _text("owed_to"),
        _number("at"),
        _text("body"),
        sa.PrimaryKeyConstraint("organisation", "id", name="pk_charges"),
    )
    for column in ("provider_ref", "session", "owed_to"):
        op.create_index(f"ix_charges_organisation_{column}", "charges", ["organisation", column])
    op.create_index("ix_charges_organisation_status_at", "charges", ["organisation", "status", "at"])
    for table in _FOR_EVER:
        for statement in _only_added(table):
            op.execute(statement)
