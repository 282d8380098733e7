"""The storage border: one schema and one store on SQLite and on PostgreSQL."""
