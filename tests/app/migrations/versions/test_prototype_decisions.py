import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from spinexplain.app.database import open_database, sqlite_url
from spinexplain.app.migrations.versions import first_schema

ROW = (
    "INSERT INTO prototype_decisions (account_id, weights_sha256, prototype, body, at) "
    "VALUES (1, 'a', 1, '{}', 'now')"
)


@pytest.mark.parametrize(
    "change", ["UPDATE prototype_decisions SET prototype = 2", "DELETE FROM prototype_decisions"]
)
def test_decisions_are_never_changed(server, ready, change):
    with server.database.writing() as session:
        session.execute(text(ROW))
    with pytest.raises(DatabaseError, match="never changed"), server.database.writing() as session:
        session.execute(text(change))


def test_a_database_of_the_first_version_gets_the_table(tmp_path):
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    url = sqlite_url(tmp_path / "old.sqlite")
    with create_engine(url).begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            first_schema.upgrade()
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
        connection.execute(
            text(
                "INSERT INTO accounts (name, password_hash, role, created_at) "
                "VALUES ('ada', '!', 'reader', 'then')"
            )
        )
    database = open_database(url)
    assert "prototype_decisions" in inspect(database.engine).get_table_names()
    with database.reading() as session:
        assert session.scalar(text("SELECT name FROM accounts")) == "ada"
