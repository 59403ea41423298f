import threading

from sqlalchemy import text

from spinexplain.app.database import migrate, open_database, sqlite_url
from spinexplain.app.events import append_act, reading_of


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
