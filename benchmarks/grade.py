"""What `grade` costs, stage by stage, on the example scans.

Every scan is graded in a process of its own; CPU seconds are those of the stage, peak memory
is the process's, both as the operating system counts them.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from harness.measure import row, write

EXAMPLES = Path(str(files("spinexplain.data") / "examples"))
SCANS = {
    "lumbar, 3 mm, mask": {
        "ct": EXAMPLES / "lumbar_ct.nii.gz",
        "labels": EXAMPLES / "lumbar_seg-vert_msk.nii.gz",
    },
    "thoracic, 1.5 mm, centroids": {
        "ct": EXAMPLES / "thoracic_ct.nii.gz",
        "centroids": EXAMPLES / "thoracic_ctd.json",
    },
}
ORDER = (
    "start",
    "read",
    "localize",
    "heights",
    "quality",
    "reformat",
    "load model",
    "grade",
    "explain",
    "write",
)


class StageClock:
    """Adds up the CPU seconds of every stage that a job names."""

    def __init__(self, spent: dict[str, float]) -> None:
        self.spent = spent

    @contextmanager
    def stage(self, name):
        start = time.process_time()
        yield
        self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - start

    def step(self, name, done, total):
        """Steps are not timed."""

    def note(self, line):
        """Lines are not timed."""


def grade_here(paths: dict[str, str]) -> dict[str, float]:
    """Grade one scan in this process; CPU seconds by stage, and the peak memory."""
    from spinexplain.findings.assess import grade
    from spinexplain.jobs.grade import GradeRequest, read_inputs, write_outputs

    clock = StageClock({"start": time.process_time()})
    with tempfile.TemporaryDirectory() as folder:
        given = {name: Path(path) for name, path in paths.items()}
        request = GradeRequest(out=Path(folder), **given)
        with clock.stage("read"):
            inputs = read_inputs(request)
        findings = grade(
            inputs.volume, labels=inputs.labels, centroids=inputs.centroids, progress=clock
        )
        with clock.stage("write"):
            write_outputs(findings, Path(folder), request)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return clock.spent | {"all": time.process_time(), "peak memory": peak}


def main() -> None:
    """Grade every scan in a process of its own and store the figures."""
    if len(sys.argv) > 1:
        print(json.dumps(grade_here(json.loads(sys.argv[1]))))
        return
    rows = []
    for name, paths in SCANS.items():
        argument = json.dumps({key: str(path) for key, path in paths.items()})
        command = [sys.executable, __file__, argument]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures = json.loads(done.stdout.splitlines()[-1])
        for key in (*ORDER, "all", "peak memory"):
            if key in figures:
                unit = "MiB" if key == "peak memory" else "CPU s"
                rows.append(row(f"{name}: {key}", figures[key], unit=unit))
    note = (
        "Whole command, model and all: *start* is Python and the imports before the first "
        "stage, *load model* imports torch."
    )
    write("grade", "grade, by stage", note, rows)


if __name__ == "__main__":
    main()
