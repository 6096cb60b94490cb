"""Alembic's entry: runs the revisions over the connection that storage.migrate opened."""

from alembic import context

from storage import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.SourceRow.metadata,
    render_as_batch=True,
    transaction_per_migration=True,
    compare_type=True,
)

with context.begin_transaction():
    context.run_migrations()
