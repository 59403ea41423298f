from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from spinexplain.app.schema import Record


def test_the_migrations_make_exactly_these_tables(server):
    with server.database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Record.metadata) == []
