"""What Alembic runs to migrate: the caller's connection and transaction, our tables as the target."""

from __future__ import annotations

from alembic import context

from syncd.store.tables import Merchant

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Merchant.metadata,
    render_as_batch=True,
)
context.run_migrations()
