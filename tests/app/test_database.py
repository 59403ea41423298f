import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.exc import DatabaseError

from app.conftest import act, add_ready
from spinexplain.app.accounts import has_accounts, local_account
from spinexplain.app.database import migrate, open_database, sqlite_url
from spinexplain.app.events import acts_of, append_act, reading_of
from spinexplain.app.migrations.versions import first_schema
from spinexplain.app.schema import Record
from spinexplain.errors import ConfigError


def test_commits_are_on_disk_before_they_are_acknowledged(server):
    with server.database.reading() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2  # FULL


def test_migrating_again_changes_nothing(server):
    migrate(server.database.engine)
    again = open_database(sqlite_url(server.folder.database))
    with again.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "0003"


def test_two_writers_at_once_lose_nothing(server, ready):
    def write():
        for _ in range(5):
            with server.database.writing() as session:
                last = reading_of(session, ready, 1).last
                append_act(session, ready, 1, "draft", None, {"text": "x"}, last, {})

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with server.database.reading() as session:
        assert reading_of(session, ready, 1).last == 10


def test_postgresql_gets_exactly_these_tables(postgres):
    migrate(postgres.database.engine)  # changes nothing any more
    with postgres.database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Record.metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0003"


def test_a_postgresql_of_the_first_version_is_brought_up_to_date(postgres_url):
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            first_schema.upgrade()
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
        connection.execute(
            text(
                "INSERT INTO accounts (name, password_hash, role, created_at) "
                "VALUES ('ada', '!', 'reader', 'then')"
            )
        )
    engine.dispose()
    database = open_database(postgres_url)
    assert {"prototype_decisions", "study_answers"} <= set(
        inspect(database.engine).get_table_names()
    )
    with database.reading() as session:
        assert session.scalar(text("SELECT name FROM accounts")) == "ada"
    database.engine.dispose()


def test_the_server_and_its_worker_may_make_the_tables_at_once(postgres_url):
    code = "import sys; from spinexplain.app.database import open_database as o; o(sys.argv[1])"
    command = [sys.executable, "-c", code, postgres_url]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said[-500:]


def test_acts_on_postgresql_are_kept_undone_and_never_changed(postgres, drawn):
    scan = add_ready(postgres, drawn)
    client = postgres.client()
    assert act(client, scan, "word", "L1", {"verdict": "agree"}, 0).json()["last"] == 1
    assert act(client, scan, "undo", None, {}, 1).json()["last"] == 2
    assert act(client, scan, "word", "L1", {"verdict": "agree"}, 1).status_code == 409
    with postgres.database.reading() as session:
        assert reading_of(session, scan, 1).words == {}
        assert [one.kind for one in acts_of(session, scan, 1)] == ["word", "undo"]
    for change in ("UPDATE events SET kind = 'word'", "DELETE FROM events"):
        with (
            pytest.raises(DatabaseError, match="never changed"),
            postgres.database.writing() as session,
        ):
            session.execute(text(change))
    assert client.get("/").status_code == client.get(f"/scans/{scan}/").status_code == 200


def test_two_writers_on_postgresql_lose_nothing(postgres, drawn):
    scan = add_ready(postgres, drawn)

    def write(_):
        for _ in range(10):
            with postgres.database.writing() as session:
                last = reading_of(session, scan, 1).last
                append_act(session, scan, 1, "draft", None, {"text": "x"}, last, {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with postgres.database.reading() as session:
        assert reading_of(session, scan, 1).last == 40


def test_a_reading_of_postgresql_sees_one_state_and_writes_nothing(postgres):
    with postgres.database.reading() as session:
        assert not has_accounts(session)
        postgres.account("ada", "admin")
        assert not has_accounts(session)
        with pytest.raises(DatabaseError, match="read-only"):
            local_account(session)
    with postgres.database.reading() as session:
        assert has_accounts(session)


def test_accounts_on_postgresql_sign_in_and_wait_after_wrong_passwords(postgres):
    postgres.account("ada", "admin")
    client = postgres.client()

    def sign_in(name, password):
        answer = client.post("/sign-in", data={"name": name, "password": password})
        return answer.status_code

    assert client.get("/").status_code != 200
    assert sign_in("ada\0", "long enough") == 401  # PostgreSQL takes no zero byte
    assert sign_in("ada", "long enough") == 303
    assert client.get("/").status_code == 200
    assert [sign_in("bob", "wrong one") for _ in range(9)] == [401] * 8 + [429]


def test_numbers_beyond_what_postgresql_holds_are_refused_not_a_fault(postgres):
    token, _ = postgres.account("ada", "admin")
    asked = {"scan_id": "x", "account_id": str(2**40)}
    answer = postgres.client(token).post("/accounts/grants", data=asked)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("no address", "address"),
        ("mysql+nothing://a:secret@b/c", "no driver"),
        ("postgresql+nothing://a:secret@b/c", "no driver"),
        ("postgresql+pg8000://a:secret@127.0.0.1:1/c", "does not let the reader in"),
    ],
)
def test_a_database_that_can_not_be_opened_says_why_without_the_password(url, expected):
    with pytest.raises(ConfigError, match=expected) as refused:
        open_database(url)
    assert "secret" not in str(refused.value)


def test_a_wrong_password_for_postgresql_says_so(postgres_url):
    wrong = make_url(postgres_url).set(password="secret")
    with pytest.raises(ConfigError, match="let the reader in") as refused:
        open_database(wrong.render_as_string(hide_password=False))
    assert "secret" not in str(refused.value)
