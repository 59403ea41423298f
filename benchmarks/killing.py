"""The node killed with SIGKILL at 30 random moments: what is lost, what is done twice.

A process of its own runs the node's ledger and loop over a mailbox on disk. A stand-in for the
grading sleeps, writes a result by rename and delivers it, as the real work does; the real one
takes seconds of CPU, and then almost every kill falls into it.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

from harness.measure import row, write

from spinexplain.node.ledger import Ledger
from spinexplain.node.log import json_log
from spinexplain.node.mailbox import Arrival
from spinexplain.node.metrics import Metrics
from spinexplain.node.rules import facts_of
from spinexplain.node.service import Node
from spinexplain.node.settings import NodeSettings
from spinexplain.node.work import Outcome

KILLS, SERIES, SEED = 30, 300, 1
GRADING_S, DELIVERY_S = 0.05, 0.02


class DiskMailbox:
    """Series that are there from the start; results are files, storing again changes nothing."""

    name = "disk"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def arrivals(self, cursor: str) -> tuple[list[Arrival], str]:
        """Return all series once."""
        if cursor:
            return [], cursor
        tags = {
            "Modality": "CT",
            "SliceThickness": "1",
            "PatientAge": "070Y",
            "StudyInstanceUID": "1",
        }
        found = [
            Arrival(f"r{k}", facts_of(tags | {"SeriesInstanceUID": f"1.2.{k}"}, 100))
            for k in range(SERIES)
        ]
        return found, "all"

    def deliver(self, files: list[Path]) -> None:
        """Store one after another, and note each time."""
        for file in files:
            time.sleep(DELIVERY_S)
            with (self.folder / "delivered.txt").open("a") as stream:
                stream.write(f"{file.stem}\n")

    def forget(self, reference: str) -> None:
        """Do nothing."""


def graded(entry, mailbox, settings, load, stage) -> Outcome:
    """Stand in for the grading: sleep, write a result by rename, deliver it."""
    results = settings.state.folder / "results" / entry.key
    if not results.is_dir():
        part = results.with_name(f"{results.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        time.sleep(GRADING_S)
        (part / f"{entry.key}.dcm").write_text("result")
        part.rename(results)
        with (settings.state.folder / "graded.txt").open("a") as stream:
            stream.write(f"{entry.key}\n")
    mailbox.deliver(sorted(results.glob("*.dcm")))
    return Outcome(0, "")


def run_node(folder: Path) -> None:
    """Run the node until nothing is left; this process is the one that is killed."""
    settings = NodeSettings.model_validate(
        {
            "mailbox": {"kind": "orthanc", "url": "http://127.0.0.1:1", "poll_seconds": 0.01},
            "state": {"folder": folder, "min_free_gib": 0, "retry_seconds": 0, "attempts": 1000},
        }
    )
    log = json_log((folder / "log").open("a"))
    node = Node(settings, DiskMailbox(folder), Ledger(folder), log, Metrics(), graded)
    print("ready", flush=True)
    node.run(Event(), once=True)


def state_at(folder: Path) -> dict[str, int]:
    """Return how many series are in each state, as a new process would find them."""
    ledger = Ledger(folder)
    try:
        return ledger.counts()
    finally:
        ledger.close()


def measure(folder: Path) -> list[dict[str, object]]:
    """Kill the node, start it again, kill it, and count at the end."""
    moments, inside, before = random.Random(SEED), 0, 0
    command = [sys.executable, __file__, str(folder)]
    for _ in range(KILLS):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.02, 0.8))
        assert child.poll() is None, "the node was done before the last kill; take more series"
        child.kill()
        child.wait()
        counts = state_at(folder)
        inside += counts["working"] > 0
        before += counts["done"] == 0
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    counts = state_at(folder)
    once, stored = ((folder / name).read_text().split() for name in ("graded.txt", "delivered.txt"))
    return [
        row("kills", KILLS, target=">= 30", unit="kills"),
        row("of which while a series was in hand", inside, unit="kills"),
        row("of which before the first was done", before, unit="kills"),
        row("series done", counts["done"], target=f">= {SERIES}", unit=f"of {SERIES}"),
        row(
            "series without a result stored",
            SERIES - len(set(stored)),
            target="<= 0",
            unit="series",
        ),
        row("series graded twice", len(once) - len(set(once)), target="<= 0", unit="series"),
        row("results sent again after a kill", len(stored) - len(set(stored)), unit="results"),
        row(
            "results left half-written",
            len(list(folder.rglob("*.part"))),
            target="<= 0",
            unit="files",
        ),
    ]


def main() -> None:
    """Measure, and store the figures for the page."""
    if len(sys.argv) > 1:
        run_node(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    note = (
        f"{SERIES} series of a mailbox on disk, {1000 * GRADING_S:.0f} ms for a stand-in of the "
        f"grading and {1000 * DELIVERY_S:.0f} ms for storing; SIGKILL 20 to 800 ms after each "
        "start, then one run to the end. Results carry deterministic UIDs: one that is sent again "
        "replaces itself. The grading of a CT takes seconds: there, nearly every kill falls into "
        "it."
    )
    write("killing", "A node killed at random moments", note, rows)


if __name__ == "__main__":
    main()
