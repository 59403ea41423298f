"""The reader killed with -9 at random moments, over HTTP: is what it acknowledged there?

Reads, uploads and signatures go on at once; server and worker, or the server alone, are killed
after a random time and started again on the same folder. After every kill the database and the
files are looked into. `--database URL` takes a PostgreSQL; the results stand side by side.
"""

import argparse
import json
import random
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from harness.measure import row, write
from harness.reader_server import ForkedReader, ReaderServer, Together, copy_scan
from sqlalchemy import select, text

from spinexplain.app.accounts import local_account
from spinexplain.app.database import open_database, sqlite_url
from spinexplain.app.events import acts_of
from spinexplain.app.folder import DataFolder, make_folder
from spinexplain.app.intake import copy_in, new_scan, queue
from spinexplain.app.schema import Scan
from spinexplain.app.worker import grade_next, take_up_again

EXAMPLES = Path(str(files("spinexplain.data") / "examples"))
FILES = {"ct": "lumbar_ct.nii.gz", "labels": "lumbar_seg-vert_msk.nii.gz"}
SENT = {kind: (EXAMPLES / name).read_bytes() for kind, name in FILES.items()}
QUEUED_OF = 4  # one of so many sent scans is graded, which costs the most here
LONGEST_S = 2.0
READY = "ready at the end, copies included"
READ_OFF = ("acknowledged", "signed", "uploads", READY, "given up")
GIVEN_UP = "killed"  # a scan that was being graded at three kills waits for a person


class Clients:
    """What a reader, a sender and a signer do, and what the server acknowledged of it."""

    def __init__(self, server: ReaderServer, to_read: str, to_sign: list[str], read: int) -> None:
        self.server, self.to_read, self.to_sign, self.read = server, to_read, to_sign, read
        self.acknowledged: list[tuple[str, str, object]] = []

    def act(self) -> None:
        """Say, draw, write or take back something on one scan."""
        kind, level, body = (
            ("word", "L1", {"verdict": "grade", "grade": "G2", "comment": f"c{self.read}"}),
            ("draft", None, {"text": f"text {self.read}"}),
            ("undo", None, {}),
            ("shift", None, {"by": 1 if self.read % 8 < 4 else -1}),
        )[self.read % 4]
        asked = {"kind": kind, "level": level, "body": body, "after": self.read}
        status, answer = self.server.post(f"/scans/{self.to_read}/acts", asked)
        assert status == 201, answer
        self.read = json.loads(answer)["last"]
        self.acknowledged.append(("act", self.to_read, (self.read, kind, body)))

    def send(self) -> None:
        """Send a scan with its mask and have it graded."""
        status, answer = self.server.form("/scans", "name=sent")
        assert status == 201, answer
        scan_id = json.loads(answer)["id"]
        for kind, content in SENT.items():
            path = f"/scans/{scan_id}/files/{kind}"
            status, answer = self.server.request("PUT", path, content)
            assert status == 200, answer
            self.acknowledged.append(("sent", scan_id, kind))
        if int(scan_id, 16) % QUEUED_OF == 0:
            status, answer = self.server.request("POST", f"/scans/{scan_id}/queue")
            assert status == 200, answer
            self.acknowledged.append(("queued", scan_id, None))
        time.sleep(1)

    def sign(self) -> None:
        """Finalize a reading and add an addendum."""
        if not self.to_sign:
            time.sleep(0.05)
            return
        scan_id = self.to_sign.pop()
        for after, kind, body in (
            (0, "finalise", {"name": "A"}),
            (1, "addendum", {"name": "A", "text": "more"}),
        ):
            asked = {"kind": kind, "level": None, "body": body, "after": after}
            status, answer = self.server.post(f"/scans/{scan_id}/acts", asked)
            assert status == 201, answer
            self.acknowledged.append(("act", scan_id, (after + 1, kind, body)))
        time.sleep(0.1)


def lost(session, folder: DataFolder, acknowledged) -> list[str]:
    """Name what was acknowledged and is not there."""
    missing = []
    for kind, scan_id, what in acknowledged:
        if kind == "act":
            seq, name, body = what
            stored = {act.seq: act for act in acts_of(session, scan_id, 1)}
            kept = stored.get(seq)
            if kept is None or kept.kind != name or any(kept.body[k] != body[k] for k in body):
                missing.append(f"{name} {seq} of {scan_id}")
        elif kind == "sent":
            path = folder.input(scan_id, what)
            if path is None or path.read_bytes() != SENT[what]:
                missing.append(f"{what} of {scan_id}")
        else:
            scan = session.get_one(Scan, scan_id)
            kept = scan.state in ("queued", "grading", "ready") or GIVEN_UP in scan.message
            missing += [] if kept else [f"{scan_id} is not queued"]
    return missing


def half_written(session, folder: DataFolder, among=None) -> list[str]:
    """Name acts out of their order, files that are not whole, and results with parts missing."""
    wrong = []
    every = select(Scan)
    for scan in session.scalars(every if among is None else every.where(Scan.id.in_(among))):
        seqs = [act.seq for act in acts_of(session, scan.id, 1)]
        if seqs != list(range(1, len(seqs) + 1)):
            wrong.append(f"acts of {scan.id}: {seqs}")
        for kind, content in SENT.items():
            path = folder.input(scan.id, kind)
            if path is not None and path.read_bytes() != content:
                wrong.append(str(path))
        if scan.state == "ready":
            wrong += incomplete(folder, scan.id)
    return wrong


def incomplete(folder: DataFolder, scan_id: str) -> list[str]:
    """Name what a graded scan lacks."""
    view, graded = folder.view(scan_id), folder.graded(scan_id)
    try:
        levels = json.loads((view / "view.json").read_text())["levels"]
        json.loads((graded / "result.json").read_text())
    except (OSError, ValueError) as error:
        return [f"{scan_id}: {error}"]
    needed = [view / "levels" / f"{one['level']}.html" for one in levels]
    needed += [view / "spine.npy", view / "spine.nii.gz", graded / "report.html"]
    return [str(path) for path in needed if not path.is_file() or not path.stat().st_size]


def healthy(session) -> bool:
    """Ask SQLite whether its file is whole; PostgreSQL would not have started."""
    if session.get_bind().dialect.name != "sqlite":
        return True
    return session.scalar(text("PRAGMA integrity_check")) == "ok"


def wait_until_graded(database, seconds: float = 900) -> list[str]:
    """Wait until nothing is queued; states of the scans then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with database.reading() as session:
            states = list(session.scalars(select(Scan.state)))
        if not {"queued", "grading"} & set(states):
            return states
        time.sleep(0.5)
    raise TimeoutError("not all scans were graded")


def kill_often(root: Path, url: str, kills: int, seed: int) -> dict[str, int]:
    """Kill a reader so many times, and count."""
    rng = random.Random(seed)
    folder = make_folder(root)
    database = open_database(url)
    with database.writing() as session:
        scan = new_scan(session, "first", None, local_account(session).id)
        for kind, name in FILES.items():
            copy_in(folder, scan, kind, EXAMPLES / name)
        queue(session, folder, scan.id)
    grade_next(database, folder)
    graded = scan.id
    to_read = copy_scan(database, folder, graded, "read")
    to_sign = [copy_scan(database, folder, graded, f"sign {n}") for n in range(4 * kills)]
    counts = {"acknowledged": 0, "signed": 0, "uploads": 0, "lost": 0, "half-written": 0}
    for turn in range(kills):
        with database.reading() as session:
            read = len(acts_of(session, to_read, 1))
        database.engine.dispose()  # a connection must not be shared with a forked process
        server = ForkedReader(root, url)
        server.wait()
        clients = Clients(server, to_read, to_sign, read)
        together = Together(clients.act, clients.send, clients.sign)
        time.sleep(rng.uniform(0, LONGEST_S))
        server.kill(worker_too=rng.random() < 0.7)
        together.stop()
        with database.reading() as session:
            missing = lost(session, folder, clients.acknowledged)
            touched = [scan_id for _, scan_id, _ in clients.acknowledged]
            touched += session.scalars(select(Scan.id).where(Scan.name == "sent"))
            wrong = half_written(session, folder, touched)
            wrong += [] if healthy(session) else ["the database"]
        for line in missing + wrong:
            print("WRONG", turn, line, flush=True)
        kinds = [kind for kind, *_ in clients.acknowledged]
        named = [what[1] for kind, _, what in clients.acknowledged if kind == "act"]
        counts["acknowledged"] += len(kinds)
        counts["uploads"] += kinds.count("sent")
        counts["signed"] += named.count("finalise") + named.count("addendum")
        counts["lost"] += len(missing)
        counts["half-written"] += len(wrong)
        print(turn + 1, counts, flush=True)
    return counts | finish(root, url, database, folder)


def finish(root: Path, url: str, database, folder: DataFolder) -> dict[str, int]:
    """Start once more, let everything be graded, and count what is left over."""
    database.engine.dispose()
    server = ForkedReader(root, url)
    server.wait()
    states = wait_until_graded(database)
    server.end()
    take_up_again(database, folder)
    with database.reading() as session:
        wrong = half_written(session, folder)
    for line in wrong:
        print("WRONG at the end", line)
    return {
        READY: states.count("ready"),
        "given up": states.count("refused"),
        "half-written at the end": len(wrong),
    }


def store(database: str, counts: dict[str, int]) -> None:
    """Write the rows of one database."""
    rows = [row("killed", counts["killed"], unit="times")]
    for what in READ_OFF:
        rows.append(row(what, counts[what], unit="acts, files or scans"))
    for what in ("lost", "half-written", "half-written at the end"):
        rows.append(row(what, counts[what], target="<= 0", unit="found"))
    write(
        f"reader_kills_{database.lower()}",
        f"The reader on {database}, killed at random moments",
        "Server and worker (three times of ten the server alone) are killed with -9 while a reader "
        "says words, a sender uploads scans for grading and a signer finalizes, all over HTTP. "
        "Both are forked from a process that has loaded the package, which saves the imports. "
        "*Acknowledged* counts the acts and files that the server had answered for; *given up*, "
        "scans that were being graded at three kills, which wait for a person.",
        rows,
        ("fastapi", "sqlalchemy", "uvicorn"),
    )


def main() -> None:
    """Kill, look, store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", metavar="URL", help="an empty PostgreSQL database")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        root = Path(made) / "data"
        url = arguments.database or sqlite_url(root / "reader.sqlite")
        counts = kill_often(root, url, arguments.kills, arguments.seed)
    counts["killed"] = arguments.kills
    store("PostgreSQL" if arguments.database else "SQLite", counts)


if __name__ == "__main__":
    main()
