"""kill -9 at random points: what was acknowledged is there, nothing is half-written."""

import asyncio
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from app.conftest import CHEAP, add_ready
from fixtures.scans import LUMBAR
from spinexplain.app.accounts import local_account
from spinexplain.app.database import open_database, sqlite_url
from spinexplain.app.events import acts_of, append_act
from spinexplain.app.folder import DataFolder
from spinexplain.app.intake import new_scan, receive

POINTS = 20
CT = (LUMBAR / "example_ct.nii.gz").read_bytes()


async def _chunks():
    for start in range(0, len(CT), 65536):
        yield CT[start : start + 65536]


def _work(root, scan_id, acknowledged):
    """Read, send and finalise without end; say of each act that it is done."""
    folder = DataFolder(root)
    database = open_database(sqlite_url(folder.database))
    with database.reading() as session:
        last = len(acts_of(session, scan_id, 1))
    while True:
        with database.writing() as session:
            kind = ("word", "draft", "undo")[last % 3]
            body = ({"verdict": "agree"}, {"text": f"text {last}"}, {})[last % 3]
            level = "L1" if kind == "word" else None
            last = append_act(session, scan_id, 1, kind, level, body, last, {})
        os.write(acknowledged, f"act {last}\n".encode())
        if last % 4 == 0:
            with database.writing() as session:
                scan = new_scan(session, "sent", None, local_account(session).id)
            asyncio.run(receive(folder, scan, "ct", _chunks()))
            os.write(acknowledged, f"sent {scan.id}\n".encode())
            with database.writing() as session:
                append_act(session, scan.id, 1, "finalise", None, {"name": "A"}, 0, {})
            os.write(acknowledged, f"signed {scan.id}\n".encode())


def test_nothing_acknowledged_is_lost(server, drawn):
    scan_id = add_ready(server, drawn)
    server.database.engine.dispose()
    rng = random.Random(7)
    acknowledged = []
    for _ in range(POINTS):
        reading, writing = os.pipe()
        context = multiprocessing.get_context("fork")
        child = context.Process(target=_work, args=(server.folder.root, scan_id, writing))
        child.start()
        os.close(writing)
        time.sleep(rng.uniform(0.02, 0.4))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        with os.fdopen(reading) as stream:
            acknowledged += stream.read().splitlines()
    assert len(acknowledged) > POINTS
    _check(server, scan_id, [line.split() for line in acknowledged])


def _check(server, scan_id, acknowledged):
    database = open_database(sqlite_url(server.folder.database))
    with database.reading() as session:
        stored = [act.seq for act in acts_of(session, scan_id, 1)]
        assert stored == list(range(1, len(stored) + 1))
        for kind, what in acknowledged:
            if kind == "act":
                assert int(what) <= len(stored)
            elif kind == "sent":
                assert server.folder.input(what, "ct").read_bytes() == CT
            else:
                assert [act.kind for act in acts_of(session, what, 1)] == ["finalise"]
    for path in (server.folder.root / "scans").rglob("input/ct/[!.]*"):
        assert path.read_bytes() == CT or scan_id in str(path)


@pytest.mark.slow
def test_a_killed_server_keeps_what_it_acknowledged(tmp_path, drawn):
    from app.conftest import Server
    from spinexplain.app.folder import make_folder
    from spinexplain.app.server import create_app

    folder = make_folder(tmp_path / "data")
    database = open_database(sqlite_url(folder.database))
    made = Server(database, folder, create_app(database, folder, {"127.0.0.1"}, CHEAP))
    scan_id = add_ready(made, drawn)
    command = [sys.executable, "-m", "spinexplain.cli.main", "serve", str(folder.root)]
    process = subprocess.Popen([*command, "--port", "18765"], stdout=subprocess.DEVNULL)
    base = "http://127.0.0.1:18765"
    try:
        _post(base, scan_id)
    finally:
        process.kill()
        process.wait()
    answer = made.client().get(f"/scans/{scan_id}/reading.json").json()
    assert [act["kind"] for act in answer["acts"]] == ["word"]


def _post(base, scan_id):
    body = b'{"kind": "word", "level": "L1", "body": {"verdict": "agree"}, "after": 0}'
    headers = {"content-type": "application/json", "origin": base}
    request = urllib.request.Request(f"{base}/scans/{scan_id}/acts", body, headers)
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                assert re.search(rb'"last":\s*1', answer.read())
            return
        except ConnectionError:
            time.sleep(0.1)
        except OSError as error:
            if "refused" not in str(error):
                raise
            time.sleep(0.1)
    raise AssertionError("the server did not start")
