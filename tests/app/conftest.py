"""A server with one graded scan, made from the invented lumbar findings without any model."""

import json
import shutil
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from app.postgres_by_hand import cluster, empty_database
from fixtures.scans import LUMBAR
from spinexplain.app.accounts import add_account, local_account, open_session
from spinexplain.app.database import open_database, sqlite_url
from spinexplain.app.folder import make_folder
from spinexplain.app.intake import copy_in, new_scan
from spinexplain.app.scan_view import read_view, write_view
from spinexplain.app.schema import Scan
from spinexplain.app.server import create_app
from spinexplain.findings import rules
from spinexplain.findings.weighing import read_calibration
from spinexplain.report.html import write_report
from spinexplain.results.heatmaps import write_heatmaps

ORIGIN = "http://127.0.0.1"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def steady(patch):
    """Judge by weights that stay here too: the suite's own fixture lives for one test only."""
    path = Path(__file__).parents[1] / "fixtures" / "verdict.json"
    fixed = read_calibration(json.loads(path.read_text("utf-8")))
    patch.setattr(rules, "stored_calibration", lambda: fixed)


@pytest.fixture(scope="session")
def drawn(lumbar, tmp_path_factory):
    """What the worker writes of a scan: its folders ``view`` and ``graded``."""
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        steady(patch)
        write_view(lumbar, folder / "view")
    (folder / "graded").mkdir()
    write_heatmaps(lumbar, folder / "graded")
    write_report(lumbar, folder / "graded")
    return folder


@pytest.fixture(scope="session")
def view(drawn):
    return read_view(drawn / "view")


@dataclass
class Server:
    """A server under test and how to talk to it."""

    database: object
    folder: object
    app: object

    def client(self, token=None):
        cookies = {} if token is None else {"spinexplain_session": token}
        return TestClient(
            self.app,
            base_url=ORIGIN,
            headers={"origin": ORIGIN},
            cookies=cookies,
            follow_redirects=False,
        )

    def account(self, name, role):
        """Make an account and return the token of its session."""
        with self.database.writing() as session:
            account = add_account(session, name, "long enough", role, CHEAP)
            return open_session(session, account), account.id


@pytest.fixture
def server(tmp_path):
    folder = make_folder(tmp_path / "data")
    database = open_database(sqlite_url(folder.database))
    app = create_app(database, folder, {"127.0.0.1"}, hasher=CHEAP, largest_bytes=2**22)
    return Server(database, folder, app)


@pytest.fixture(scope="session")
def postgres_cluster():
    with cluster() as address:
        yield address


@pytest.fixture
def postgres_url(postgres_cluster):
    """The address of an empty database on a real PostgreSQL."""
    return empty_database(postgres_cluster)


@pytest.fixture
def postgres(tmp_path, postgres_url):
    """A server whose database is on a real PostgreSQL."""
    folder = make_folder(tmp_path / "postgres-data")
    database = open_database(postgres_url)
    app = create_app(database, folder, {"127.0.0.1"}, hasher=CHEAP, largest_bytes=2**22)
    yield Server(database, folder, app)
    database.engine.dispose()


@pytest.fixture
def ready(server, drawn):
    """The id of a graded scan of the account ``local``."""
    return add_ready(server, drawn)


def add_ready(server, drawn, name="made scan", account_id=None):
    with server.database.writing() as session:
        scan = new_scan(session, name, None, account_id or local_account(session).id)
        scan.state, scan.worst, scan.headline, scan.disagreement = "ready", 231.0, "L1 G2", 1
    place = server.folder.scan(scan.id)
    place.mkdir(parents=True)
    for part in ("view", "graded"):
        shutil.copytree(drawn / part, place / part)
    copy_in(server.folder, scan, "ct", LUMBAR / "example_ct.nii.gz")
    copy_in(server.folder, scan, "labels", LUMBAR / "totalseg_vertebrae_pp_refined.nii.gz")
    return scan.id


@pytest.fixture(scope="module")
def running(request, drawn, tmp_path_factory):
    """A server on a free port: (address, a maker of graded scans, the server)."""
    folder = make_folder(tmp_path_factory.mktemp("browser") / "data")
    with ExitStack() as stack:
        url = sqlite_url(folder.database)
        if request.config.getoption("--postgres"):
            url = empty_database(stack.enter_context(cluster()))
        database = open_database(url)
        made = Server(database, folder, create_app(database, folder, {"127.0.0.1"}, hasher=CHEAP))
        base = stack.enter_context(listening(made))
        yield base, lambda name: add_ready(made, drawn, name), made


@contextmanager
def listening(made):
    """Let a server listen on a free port and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(made.app, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def open_page(watched, running):
    """Open a path of the running server."""
    return lambda path, *size, **context: watched(running[0] + path, *size, **context)


def act(client, scan_id, kind, level=None, body=None, after=0):
    asked = {"kind": kind, "level": level, "body": body or {}, "after": after, "seen": {}}
    return client.post(f"/scans/{scan_id}/acts", json=asked)


def state_of(server, scan_id):
    with server.database.reading() as session:
        return session.get(Scan, scan_id)
