"""A PostgreSQL cluster of the tests: this machine's alone, with a password, gone afterwards."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

USER = "postgres"


def programs():
    """The folder of initdb and pg_ctl, which Debian keeps off the path."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    places = [place for place in places if (place / "pg_ctl").exists()]
    if not places:
        reason = "PostgreSQL is not installed; scripts/apt-deps.sh brings it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return places[-1]


def as_owner(command):
    """Run as the user of Debian's package where this is root, which PostgreSQL refuses."""
    words = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [str(word) for word in command], cwd="/", capture_output=True, text=True, **words
    )
    assert done.returncode == 0, done.stderr[-500:]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def cluster():
    """Start a cluster and give the address of its first database."""
    bin_folder = programs()
    # Not below pytest's folder, which the server's user may not enter.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder, port = Path(name), free_port()
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        password = secrets.token_hex(16)
        (folder / "password").write_text(password)
        (folder / "password").chmod(0o644)  # in a folder that only the server's user enters
        data = folder / "data"
        made = [bin_folder / "initdb", "-D", data, "-U", USER, "--pwfile", folder / "password"]
        as_owner([*made, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off"
        options += " -c unix_socket_directories="
        control = [bin_folder / "pg_ctl", "-D", data, "-w", "-s"]
        # Output goes to a file: a pipe would stay open as long as the server runs.
        as_owner([*control, "-l", folder / "log", "-o", options, "start"])
        try:
            yield make_url(f"postgresql+pg8000://{USER}:{password}@127.0.0.1:{port}/postgres")
        finally:
            as_owner([*control, "-m", "immediate", "stop"])


def empty_database(address):
    """Make a database and return its address."""
    name = f"reader_{secrets.token_hex(4)}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return address.set(database=name).render_as_string(hide_password=False)
