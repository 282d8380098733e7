"""Alembic's entry: runs on the connection that cms.store.migrate hands in."""

from __future__ import annotations

from alembic import context

from cms.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
