"""What is kept about stations: reports, jobs, lists, profiles, certificates ... (cms/domain/kept.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Where a token is good, and whether it is a master pass.
    op.add_column("tokens", sa.Column("places", sa.Text(), nullable=True))
    op.add_column("tokens", sa.Column("master", sa.Boolean(), nullable=True))
    op.execute(sa.text("UPDATE tokens SET places = '[]', master = :no").bindparams(no=False))
    # What sessions cost, how that was calculated, and who paid ad hoc.
    op.add_column("sessions", sa.Column("cost", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("currency", sa.Text(), nullable=True))
    op.create_table(
        "bills",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("station_key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_bills"),
    )
    op.create_table(
        "payments",
        sa.Column("psp_ref", sa.Text(), nullable=False),
        sa.Column("station_key", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("psp_ref", name="pk_payments"),
    )
    op.create_index("ix_payments_at", "payments", ["at"])
    op.create_index("ix_payments_status_at", "payments", ["status", "at"])
    op.create_table(
        "kept",
        sa.Column("station_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("station_key", "kind", "key", name="pk_kept"),
    )
    # What reports tell of a variable beside its value (OCPP 2.x device model).
    op.add_column("variables", sa.Column("mutability", sa.Text(), nullable=True))
    op.add_column("variables", sa.Column("persistent", sa.Boolean(), nullable=True))
    op.add_column("variables", sa.Column("constant", sa.Boolean(), nullable=True))
    op.add_column("variables", sa.Column("characteristics", sa.Text(), nullable=True))
    op.create_table(
        "stream_samples",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_key", sa.Text(), nullable=False),
        sa.Column("monitor", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stream_samples"),
    )
    op.create_index(
        "ix_stream_samples_station_key_monitor_at", "stream_samples", ["station_key", "monitor", "at"]
    )
