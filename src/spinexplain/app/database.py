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
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from spinexplain.app.schema import Record
from spinexplain.errors import ConfigError

_WAIT_MS = 30_000
_WRITER = 0x7370696E65  # number of the lock that a writer holds on PostgreSQL
_EXPECTED = "expected sqlite:///FILE or postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"


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

        It holds the only writer's lock from its beginning, so that nobody reads a number,
        counts on and finds it taken.
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

    Raises
    ------
    ConfigError
        If it is no address of a database, its driver is not installed, or nobody is let in
        there. A password in it is not repeated.
    """
    address = _address(url)
    engine = _engine(address)
    begins = {"sqlite": _begin_sqlite, "postgresql": _begin_postgresql}
    if engine.dialect.name not in begins:
        raise ConfigError(f"the database is {engine.dialect.name}; {_EXPECTED}.")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    else:
        _check_reached(engine, address)
    event.listen(engine, "begin", begins[engine.dialect.name])
    migrate(engine)
    return Database(engine)


def _address(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"the database's address is none; {_EXPECTED}.") from None


def _engine(address: URL) -> Engine:
    try:
        return create_engine(address, pool_pre_ping=address.get_backend_name() != "sqlite")
    except (NoSuchModuleError, ModuleNotFoundError):
        raise ConfigError(
            f"there is no driver for {address.drivername}; {_EXPECTED}. pg8000 comes with "
            "spinexplain[postgres]."
        ) from None


def _check_reached(engine: Engine, address: URL) -> None:
    try:
        engine.connect().close()
    except DBAPIError:
        raise ConfigError(
            f"the database {address.render_as_string(hide_password=True)} does not let the "
            "reader in; check that it runs, and its host, port, user, password and name."
        ) from None


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


def _begin_postgresql(connection: Connection) -> None:
    # The lock ends with the transaction. A writer sees what was committed while it waited.
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


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
