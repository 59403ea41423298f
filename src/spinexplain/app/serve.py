"""Starting the reader: the server in this process, the worker in a second one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher

from spinexplain.app.accounts import add_account, check_first, has_accounts
from spinexplain.app.database import Database, open_database, sqlite_url
from spinexplain.app.folder import DataFolder, make_folder
from spinexplain.app.intake import add_examples
from spinexplain.app.protection import LOOPBACK
from spinexplain.app.studies import add_study
from spinexplain.errors import ConfigError

_RESTART_S = 2.0


@dataclass(frozen=True)
class ServeRequest:
    """What ``serve`` is asked for.

    Parameters
    ----------
    data : Path
        The reader's folder; made if it is not there.
    host : str
        Address to listen on. Any but this machine's own demands accounts.
    port : int
    names : tuple of str
        Further names under which browsers may address the server.
    database_url : str, optional
        SQLAlchemy's, such as ``postgresql+pg8000://...``; by default a file in ``data``.
    identified : bool
        Whether folder names of watched scans are shown: they may name the patient.
    examples : bool
        Whether the example scans are taken in.
    studies : tuple of Path
        Reader studies that are taken in: their pages, not their keys.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = field(default=())
    database_url: str | None = None
    identified: bool = False
    examples: bool = False
    studies: tuple[Path, ...] = ()

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database_url or sqlite_url(self.data.resolve() / "reader.sqlite")


def prepare(request: ServeRequest) -> tuple[Database, DataFolder]:
    """Open folder and database and check that this server may listen where it is asked to.

    Raises
    ------
    ConfigError
        If others could reach it and nobody has an account.
    """
    folder = make_folder(request.data)
    database = open_database(request.url)
    if request.host not in LOOPBACK:
        with database.reading() as session:
            if not has_accounts(session):
                raise ConfigError(
                    f"--host is {request.host} and there is no account; others could read every "
                    "scan. Make one with --add-account NAME first."
                )
    if request.examples:
        add_examples(database, folder)
    for study in request.studies:
        add_study(database, folder, study)
    return database, folder


def create_account(request: ServeRequest, name: str, password: str, role: str) -> None:
    """Make an account in the reader's database."""
    make_folder(request.data)
    with open_database(request.url).writing() as session:
        check_first(session, role)
        add_account(session, name, password, role, PasswordHasher())


def hosts_of(request: ServeRequest) -> Iterable[str]:
    """Return the names under which the server may be addressed."""
    own = () if request.host in ("0.0.0.0", "::") else (request.host,)
    return frozenset(name.lower() for name in (*LOOPBACK, *own, *request.names))


def serve(request: ServeRequest) -> None:
    """Serve until the process is ended."""
    import uvicorn

    from spinexplain.app.server import create_app

    database, folder = prepare(request)
    app = create_app(database, folder, hosts_of(request))
    with worker_process(request):
        # Addresses hold no names of patients, yet who looked at what is in the events only.
        uvicorn.run(
            app,
            host=request.host,
            port=request.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )


@contextmanager
def worker_process(request: ServeRequest) -> Iterator[None]:
    """Keep a worker running as long as the block; one that dies is started again."""
    ended = threading.Event()
    kind = "identified" if request.identified else "pseudonymized"
    command = [sys.executable, "-m", "spinexplain.app.worker"]
    command += [str(request.data), request.url, kind, str(os.getpid())]
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not ended.is_set():
            running[:] = [subprocess.Popen(command)]
            running[0].wait()
            ended.wait(_RESTART_S)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        for process in running:
            process.terminate()
        keeper.join(timeout=10)
