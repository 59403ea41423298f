"""What `grade` costs on a CT of clinical size, beside only unpacking and only reading its files.

Everything runs in fresh processes and in turns, so that the ratios hold on a busy machine too.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from harness.measure import row, write

HERE = Path(__file__).parent
COMMAND = "from spinexplain.cli.main import run; run()"
SIMPLEITK = "import SimpleITK, sys; [SimpleITK.ReadImage(path) for path in sys.argv[1:]]"
MAKE = """
import sys
from harness.scan import clinical_scan
from spinexplain.io.nifti import write_nifti
volume, labels = clinical_scan()
write_nifti(sys.argv[1], volume.array, volume.affine)
write_nifti(sys.argv[2], labels.array, labels.affine)
print(volume.array.nbytes)
"""


def python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs ``code`` with arguments."""
    return [sys.executable, "-c", code, *arguments]


def cost(command: list[str]) -> tuple[float, float]:
    """CPU seconds (all threads) and peak MiB of a process, as the operating system counts them.

    This process stays small: a child's peak starts from its parent's.
    """
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=HERE)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, command)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def stages(ct: str, labels: str) -> dict[str, float]:
    """CPU seconds of `grade` by stage."""
    argument = json.dumps({"ct": ct, "labels": labels})
    command = [sys.executable, "grade.py", argument]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: value for name, value in found.items() if name not in ("all", "peak memory")}


def main(rounds: int) -> None:
    """Measure and store."""
    with tempfile.TemporaryDirectory() as folder:
        ct, labels = f"{folder}/ct.nii.gz", f"{folder}/mask.nii.gz"
        made = subprocess.run(
            python(MAKE, ct, labels), capture_output=True, text=True, check=True, cwd=HERE
        )
        ct_mib = int(made.stdout.split()[-1]) / 2**20
        out = ["-o", f"{folder}/out", "--force"]
        commands = {
            "grade": python(COMMAND, "grade", ct, "--labels", labels, *out),
            "gunzip": ["gunzip", "--keep", "--stdout", ct, labels],
            "SimpleITK": python(SIMPLEITK, ct, labels),
            "imports": python("import SimpleITK"),
        }
        costs = {name: [] for name in commands}
        by_stage = []
        for _ in range(rounds):
            for name, command in commands.items():
                costs[name].append(cost(command))
            by_stage.append(stages(ct, labels))
    seconds = {name: median(s for s, _ in found) for name, found in costs.items()}
    seconds["SimpleITK"] -= seconds.pop("imports")
    spent = {name: median(one[name] for one in by_stage) for name in by_stage[0]}
    store(ct_mib, seconds, max(peak for _, peak in costs["grade"]), spent)


def store(
    ct_mib: float, seconds: dict[str, float], peak_mib: float, spent: dict[str, float]
) -> None:
    """Write the rows for the page."""
    whole = seconds["grade"]
    rows = [
        row("whole command", whole, target="<= 6"),
        row("whole command / gunzip of both files", whole, seconds["gunzip"]),
        row("read / gunzip of both files", spent["read"], seconds["gunzip"]),
        row("read / SimpleITK reading both files", spent["read"], seconds["SimpleITK"]),
        row(
            "peak memory of the whole process", peak_mib / ct_mib, target="<= 2.2", unit="x the CT"
        ),
        *(row(f"of which {name}", value) for name, value in spent.items()),
    ]
    note = (
        f"512 x 512 x 600 int16 CT ({ct_mib:.0f} MiB) with a mask of the same grid: 12 vertebrae "
        "of a phantom at 0.7 mm, set into a noisy body. Python, imports and the model are "
        "included. *read* also hashes the CT, checks both files and tells the mask's scheme; "
        "SimpleITK's import is not counted."
    )
    write("clinical", "grade at clinical size", note, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
