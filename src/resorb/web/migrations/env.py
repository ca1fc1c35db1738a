"""Run the migrations on the connection that the service holds."""

from alembic import context

from resorb.web.store import META

context.configure(connection=context.config.attributes["connection"], target_metadata=META)
with context.begin_transaction():
    context.run_migrations()
