"""The database: SQLite set so that nothing acknowledged is lost, or PostgreSQL by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from spinexplain.app.schema import Record

_WAIT_MS = 30_000


@dataclass(frozen=True)
class Database:
    """Sessions for reading and for writing.

    Parameters
    ----------
    engine : Engine
    """

    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads; it sees one state of the database."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session that writes; what it did is on disk when the block is left.

        On SQLite it holds the only writer's lock from its beginning, so that nobody reads a
        number, counts on and finds it taken.
        """
        engine = self.engine.execution_options(writes=True)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session


def open_database(url: str) -> Database:
    """Open a database and bring its tables to this version.

    Parameters
    ----------
    url : str
        SQLAlchemy's; see :func:`sqlite_url` for a file.
    """
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    migrate(engine)
    return Database(engine)


def sqlite_url(path: Path) -> str:
    """Return the URL of a database file.

    Examples
    --------
    >>> sqlite_url(Path("/data/reader.sqlite"))
    'sqlite:////data/reader.sqlite'
    """
    return f"sqlite:///{path}"


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # FULL: a commit is on the disk before it is acknowledged, in WAL mode too.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={_WAIT_MS}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def migrate(engine: Engine) -> None:
    """Run the steps that the database has not had; all of them on an empty one."""
    config = Config()
    folder = resources.files("spinexplain.app") / "migrations"
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)

    def steps(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs("head", revision)

    with (
        engine.execution_options(writes=True).connect() as connection,
        EnvironmentContext(config, scripts, fn=steps) as environment,
    ):
        environment.configure(
            connection=connection, target_metadata=Record.metadata, render_as_batch=True
        )
        with environment.begin_transaction():
            environment.run_migrations()
        connection.commit()


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC, comparable as text.

    Examples
    --------
    >>> len(utc_now())
    27
    """
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
