"""What the localizer costs on a bare CT of clinical size: centers and names, then bodies.

Everything runs in fresh processes. The memory beyond reading is the peak of the whole process
less that of one that only reads.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.measure import row, write

HERE = Path(__file__).parent
MAKE = """
import sys
from harness.scan import trunk_scan
from spinexplain.io.nifti import write_nifti
volume = trunk_scan()
write_nifti(sys.argv[1], volume.array, volume.affine)
"""
READ = """
import sys
from spinexplain.io.read import read_scan
read_scan(sys.argv[1])
"""
LOCALIZE = """
import json, sys, time
import numpy as np
from spinexplain.io.read import read_scan
volume = read_scan(sys.argv[1])
marks = [time.process_time()]
from spinexplain.localizer.locate import locate
from spinexplain.localizer.networks import shipped_networks
networks = shipped_networks(runtime=sys.argv[2])
marks.append(time.process_time())
found = locate(volume, networks)
marks.append(time.process_time())
vertebrae = [] if found.refused else found.vertebrae()
if vertebrae:
    from spinexplain.localizer.segment import paint_bodies
    paint_bodies(volume, vertebrae, networks.body)
marks.append(time.process_time())
steps = [later - before for before, later in zip(marks, marks[1:])]
print(json.dumps({"seconds": steps, "vertebrae": len(vertebrae)}))
"""


RUNTIMES = ("openvino", "torch")
STEPS = ("load", "locate", "paint")


def peak_mib(code: str, *arguments: str) -> tuple[float, str]:
    """Peak memory of a process, MiB, and what it prints; this process stays small."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, cwd=HERE, text=True
    )
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, code)
    return used.ru_maxrss / 1024, printed


def measured(ct: str, rounds: int) -> tuple[dict[str, dict[str, float]], float, int]:
    """Least CPU seconds of each step by runtime, peak MiB by OpenVINO, and vertebrae found.

    The runtimes take turns; the least of several rounds is what others on the machine add
    least to.
    """
    found = {runtime: [] for runtime in RUNTIMES}
    peak, count = 0.0, 0
    for _ in range(rounds):
        for runtime in RUNTIMES:
            mib, printed = peak_mib(LOCALIZE, ct, runtime)
            said = json.loads(printed.splitlines()[-1])
            found[runtime].append(said["seconds"])
            if runtime == RUNTIMES[0]:
                peak, count = max(peak, mib), said["vertebrae"]
    least = {
        runtime: dict(zip(STEPS, (min(one) for one in zip(*runs, strict=True)), strict=True))
        for runtime, runs in found.items()
    }
    return least, peak, count


def main(rounds: int, ct: str | None) -> None:
    """Measure and store; ``ct`` is kept from run to run, where it is given."""
    with tempfile.TemporaryDirectory() as folder:
        ct = ct or f"{folder}/ct.nii.gz"
        if not Path(ct).is_file():
            subprocess.run([sys.executable, "-c", MAKE, ct], check=True, cwd=HERE)
        reading, _ = peak_mib(READ, ct)
        least, peak, count = measured(ct, rounds)
    ours, torch = (least[runtime] for runtime in RUNTIMES)
    both = [one["load"] + one["locate"] for one in (ours, torch)]
    rows = [
        row("centers and names, beyond reading", both[0], target="<= 5"),
        row("the same / by torch", *both),
        row("of which loading the networks / by torch", ours["load"], torch["load"]),
        row(f"bodies of the {count} vertebrae found / by torch", ours["paint"], torch["paint"]),
        row(
            "peak memory beyond reading",
            (peak - reading) / 1024,
            target="<= 1.5",
            unit="GiB",
        ),
    ]
    note = (
        "512 x 512 x 600 int16 CT: a phantom's whole trunk, from skull base to pelvis. CPU seconds "
        "of all threads, the least of several runs in turns; reading the file is left out. "
        "Reference: the same networks run by torch."
    )
    write("localizing", "localize at clinical size", note, rows)


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    main(rounds, sys.argv[2] if len(sys.argv) > 2 else None)
