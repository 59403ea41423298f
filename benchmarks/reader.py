"""The reader with twenty readers at once while scans are graded, and its first picture of a CT.

Server and worker are processes of their own, as `spinexplain serve` starts them; readers are
threads of this process that look, try heights and say words with a second's pause, each on a
scan of their own.
"""

import json
import random
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
from harness.measure import row, write
from harness.reader_server import (
    ReaderServer,
    Together,
    copy_scan,
    cpu_seconds_of,
    peak_mib_of,
)
from harness.scan import clinical_scan
from reader_kills import wait_until_graded
from sqlalchemy import select

from spinexplain.app.accounts import local_account
from spinexplain.app.database import Database, open_database, sqlite_url
from spinexplain.app.folder import DataFolder, make_folder
from spinexplain.app.intake import copy_in, new_scan, queue
from spinexplain.app.schema import Scan
from spinexplain.io.nifti import write_nifti

EXAMPLES = Path(str(files("spinexplain.data") / "examples"))
SHAPE, TALL = (512, 512, 400), 512
READERS, SECONDS, PAUSE_S = 20, 40, 1.0
WHOLE_CTS = 6


def add(database: Database, folder: DataFolder, ct: Path, mask: Path, name: str) -> str:
    """Take a scan in and queue it."""
    with database.writing() as session:
        scan = new_scan(session, name, None, local_account(session).id)
        copy_in(folder, scan, "ct", ct)
        copy_in(folder, scan, "labels", mask)
        queue(session, folder, scan.id)
    return scan.id


def write_large(ct: Path, mask: Path) -> None:
    """Write the middle of a taller scan: the phantom's spine is longer than 400 slices."""
    volume, labels = clinical_scan((*SHAPE[:2], TALL))
    start = (TALL - SHAPE[2]) // 2
    affine = volume.affine.copy()
    affine[:3, 3] += start * affine[:3, 2]
    part = np.s_[:, :, start : start + SHAPE[2]]
    write_nifti(ct, volume.array[part], affine)
    write_nifti(mask, labels.array[part], affine)


class OneReader:
    """Looks at levels in turn and says words; notes how long each answer took."""

    def __init__(self, server: ReaderServer, scan_id: str, number: int) -> None:
        self.server, self.scan_id, self.rng = server, scan_id, random.Random(number)
        self.at, self.last = number, 0
        self.times: list[tuple[str, float]] = []

    def timed(self, what: str, method: str, path: str, content: object = None) -> bytes:
        """Send one request."""
        start = time.perf_counter()
        if content is None:
            status, answer = self.server.request(method, f"/scans/{self.scan_id}/{path}")
        else:
            status, answer = self.server.post(f"/scans/{self.scan_id}/{path}", content)
        self.times.append((what, time.perf_counter() - start))
        assert status < 300, answer
        return answer

    def step(self) -> None:
        """Do what one look at a level asks of the server, one request after a pause each."""
        level = ("T12", "L1", "L2", "L3", "L4", "L5")[self.at % 6]
        self.at += 1
        body = {"verdict": "grade", "grade": "G0", "shape": "none", "comment": f"{self.at}"}
        acts = {"kind": "word", "level": level, "body": body, "after": self.last}
        points = [[[x, 40], [x, 66]] for x in (45, 56, 67)]
        for what, method, path, content in (
            ("page", "GET", "", None),
            ("level", "GET", f"levels/{level}", None),
            ("plane", "GET", f"levels/{level}/planes/sagittal.png?offset_mm=2", None),
            ("plane", "GET", f"levels/{level}/planes/axial.png?offset_mm=-3&window=soft", None),
            ("heights", "POST", f"levels/{level}/heights", {"points": points}),
            ("act", "POST", "acts", acts),
        ):
            time.sleep(self.rng.uniform(0.5, 1.5) * PAUSE_S)
            answer = self.timed(what, method, path, content)
        self.last = json.loads(answer)["last"]


def first_picture(server: ReaderServer, scan_id: str) -> tuple[float, float]:
    """Seconds, and CPU seconds of the server, until the page and the whole spine's picture came."""
    before = cpu_seconds_of(server.process.pid)
    start = time.perf_counter()
    _, page = server.request("GET", f"/scans/{scan_id}/")
    picture = page.partition(b'href="pictures/')[2].partition(b'"')[0].decode()
    status, content = server.request("GET", f"/scans/{scan_id}/pictures/{picture}")
    assert status == 200
    assert content[:4] == b"\x89PNG"
    return time.perf_counter() - start, cpu_seconds_of(server.process.pid) - before


def busy(server, database, folder, example: str, large: tuple[Path, Path]) -> list:
    """Let the readers read while large scans are graded; all requests with their seconds."""
    scans = [copy_scan(database, folder, example, f"of {n}") for n in range(READERS)]
    for number in range(4):
        add(database, folder, *large, f"large {number}")
    readers = [OneReader(server, scan_id, n) for n, scan_id in enumerate(scans)]
    together = Together(*(one.step for one in readers))
    time.sleep(SECONDS)
    with database.reading() as session:
        states = set(session.scalars(select(Scan.state)))
    assert "grading" in states, "nothing was graded any more: the scans were too few"
    together.stop()
    return [found for one in readers for found in one.times]


def main() -> None:
    """Measure and store."""
    with tempfile.TemporaryDirectory() as made:
        root, place = Path(made) / "data", Path(made)
        ct, mask = place / "ct.nii.gz", place / "mask.nii.gz"
        write_large(ct, mask)
        folder = make_folder(root)
        database = open_database(sqlite_url(folder.database))
        example = add(
            database,
            folder,
            EXAMPLES / "lumbar_ct.nii.gz",
            EXAMPLES / "lumbar_seg-vert_msk.nii.gz",
            "example",
        )
        scan = add(database, folder, ct, mask, "large")
        server = ReaderServer(root)
        server.wait()
        assert wait_until_graded(database) == ["ready", "ready"]
        seconds, cpu = first_picture(server, scan)
        times = busy(server, database, folder, example, (ct, mask))
        reading_mib = peak_mib_of(server.process.pid)
        worker_mib = peak_mib_of(server.worker())
        pages = [lambda: server.request("GET", f"/scans/{scan}/volumes/ct.nii.gz")] * WHOLE_CTS
        whole = Together(*pages)
        whole.stop()
        whole_mib = peak_mib_of(server.process.pid)
        server.end()
    store(seconds, cpu, times, reading_mib, whole_mib, worker_mib)


def store(seconds, cpu, times, reading_mib, whole_mib, worker_mib) -> None:
    """Write the rows."""
    every = np.array([one for _, one in times])
    rows = [
        row("first picture of 512 x 512 x 400: page and whole spine", seconds, None, "<= 1", "s"),
        row("the same, CPU of the server", cpu, None, "<= 1", "CPU s"),
        row(f"{READERS} readers while scans are graded: requests", len(every), unit="requests"),
        row("median", float(np.median(every)), unit="s"),
        row("95th percentile", float(np.percentile(every, 95)), None, "<= 0.3", "s"),
        row("slowest", float(every.max()), unit="s"),
    ]
    for kind in sorted({kind for kind, _ in times}):
        share = [one for name, one in times if name == kind]
        rows.append(row(f"95th percentile of {kind}", float(np.percentile(share, 95)), unit="s"))
    rows += [
        row("peak memory of the server, reading", reading_mib, None, "<= 500", "MiB"),
        row(f"after {WHOLE_CTS} whole CTs asked for at once", whole_mib, None, "<= 1500", "MiB"),
        row("peak memory of the worker, grading 512 x 512 x 400", worker_mib, unit="MiB"),
    ]
    note = (
        f"{READERS} readers, each asking once in about {PAUSE_S:g} s for a page, a level, a plane, "
        "heights that are tried, or sending a word, while the worker grades CTs of 512 x 512 x "
        "400. Seconds are wall time as the readers see it, on shared cores."
    )
    write("reader", "The reader in the browser", note, rows, ("fastapi", "sqlalchemy", "uvicorn"))


if __name__ == "__main__":
    main()
