"""Everything belongs to an organisation, whose id begins every key.

What was there belongs to ``main``. Connectors and variables refer to a station of their own organisation.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Table -> its key after the organisation.
_OWNED = {
    "stations": ("key",),
    "connectors": ("station_key", "evse", "connector"),
    "variables": ("station_key", "name", "attribute"),
    "kept": ("station_key", "kind", "key"),
    "tokens": ("key",),
    "unknown_stations": ("key",),
    "deliveries": ("station_key", "kind", "key"),
    "intents": ("id",),
    "sessions": ("id",),
    "bills": ("session",),
    "payments": ("psp_ref",),
}
_BELONGING = ("readings", "stream_samples", "quarantine", "events")

#: Table -> old unique constraint -> (new name, columns after the organisation).
_UNIQUE: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "sessions": {
        "uq_sessions_number": ("uq_sessions_organisation_number", ("number",)),
        "uq_sessions_station_key_transaction_id": (
            "uq_sessions_organisation_station_key_transaction_id",
            ("station_key", "transaction_id"),
        ),
    },
    "readings": {
        "uq_readings_station_key_transaction_id_at_evse_digest": (
            "uq_readings_said_once",
            ("station_key", "transaction_id", "at", "evse", "digest"),
        )
    },
}

_OPEN = "status <> 'ended'"
_WAITING = "status NOT IN ('cancelled', 'confirmed', 'expired', 'failed', 'refused')"
_TOLD = "station_key IS NOT NULL AND type <> 'session.metered'"

#: Table -> old index -> (new name, columns after the organisation, where).
_INDEXES: dict[str, dict[str, tuple[str, tuple[str, ...], str | None]]] = {
    "sessions": {
        "ix_sessions_open": ("ix_sessions_open", ("station_key",), _OPEN),
        "ix_sessions_started_at": ("ix_sessions_organisation_started_at", ("started_at",), None),
        "ix_sessions_token_key": ("ix_sessions_organisation_token_key", ("token_key",), None),
    },
    "intents": {
        "ix_intents_waiting": ("ix_intents_waiting", ("station_key",), _WAITING),
        "ix_intents_station_key": (
            "ix_intents_organisation_station_key",
            ("station_key", "created_at"),
            None,
        ),
        "ix_intents_created_at": ("ix_intents_organisation_created_at", ("created_at",), None),
    },
    "payments": {
        "ix_payments_at": ("ix_payments_organisation_at", ("at",), None),
        "ix_payments_status_at": ("ix_payments_organisation_status_at", ("status", "at"), None),
    },
    "quarantine": {
        "ix_quarantine_station_key": ("ix_quarantine_organisation_station_key", ("station_key",), None),
    },
    "stream_samples": {
        "ix_stream_samples_station_key_monitor_at": (
            "ix_stream_samples_organisation_station_key_monitor_at",
            ("station_key", "monitor", "at"),
            None,
        ),
    },
    "events": {
        "ix_events_station_key": ("ix_events_organisation_station_key", ("station_key", "seq"), _TOLD),
    },
}
_OF_STATIONS = ("connectors", "variables")


def upgrade() -> None:
    for indexes in _INDEXES.values():
        for name in indexes:
            op.drop_index(name)
    for table in (*_OWNED, *_BELONGING):
        _given_owner(table)
    for table, indexes in _INDEXES.items():
        for name, columns, where in indexes.values():
            condition = None if where is None else sa.text(where)
            op.create_index(
                name,
                table,
                ["organisation", *columns],
                sqlite_where=condition,
                postgresql_where=condition,
            )


def _given_owner(table: str) -> None:
    keywords = {"sqlite_with_rowid": False} if table == "deliveries" else {}
    with op.batch_alter_table(table, table_kwargs=keywords) as batch:
        batch.add_column(sa.Column("organisation", sa.Text(), nullable=False, server_default="main"))
        for old, (name, columns) in _UNIQUE.get(table, {}).items():
            batch.drop_constraint(old, type_="unique")
            batch.create_unique_constraint(name, ["organisation", *columns])
        if key := _OWNED.get(table):
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["organisation", *key])
        if table in _OF_STATIONS:
            batch.create_foreign_key(
                f"fk_{table}_station",
                "stations",
                ["organisation", "station_key"],
                ["organisation", "key"],
                ondelete="CASCADE",
            )
    # Whoever writes says whose it is: there is no default to fall into.
    with op.batch_alter_table(table, table_kwargs=keywords) as batch:
        batch.alter_column("organisation", server_default=None)
