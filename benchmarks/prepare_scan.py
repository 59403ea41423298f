"""Cost of preparing one large scan: CPU seconds and peak memory of the worker process.

The scan is 512 x 512 x 600 voxels of 0.8 x 0.8 x 1.0 mm in int16 with 18 vertebrae, the
largest that public vertebra data sets hold; each measurement runs in a process of its own.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.plan import plan_cohort
from spinexplain.data.series import series_shard
from spinexplain.geometry import apply_affine
from spinexplain.io.centroids import write_centroids
from spinexplain.io.nifti import write_nifti
from spinexplain.types import Vertebra, Volume

RESULT = Path(__file__).parent / "results" / "prepare_scan.json"
SHAPE, SPACING_MM = (512, 512, 600), (0.8, 0.8, 1.0)
LEVELS = ("C7", *(f"T{i}" for i in range(1, 13)), *(f"L{i}" for i in range(1, 6)))
VERSE_SCANS, MEMORY_MB, CORES = 374, 4096, 2


def write_scan(folder: Path) -> None:
    """Write CT, mask and centroids of a straight spine of blocks with arches."""
    rng = np.random.default_rng(0)
    affine = np.diag([*SPACING_MM, 1.0])
    hu = rng.integers(-20, 80, SHAPE, dtype=np.int16)
    labels = np.zeros(SHAPE, np.uint8)
    vertebrae = []
    for at, name in enumerate(LEVELS):
        level = VertebraLevel(name)
        top = SHAPE[2] - 20 - 31 * at
        body = np.s_[230:282, 240:282, top - 25 : top]
        arch = np.s_[220:292, 190:225, top - 22 : top - 6]
        pedicles = np.s_[240:246, 220:242, top - 18 : top - 8]
        for part in (body, arch, pedicles):
            labels[part] = level.verse_label
            hu[part] += 250
        middle = np.array([(one.start + one.stop - 1) / 2 for one in body])
        vertebrae.append(Vertebra(level, tuple(apply_affine(affine, middle))))
    stem = "sub-verse001"
    write_nifti(folder / f"{stem}_ct.nii.gz", hu, affine)
    write_nifti(folder / f"{stem}_seg-vert_msk.nii.gz", labels, affine)
    write_centroids(folder / f"{stem}_seg-subreg_ctd.json", vertebrae, Volume(hu, affine))


def measure(folder: Path, patches: str) -> dict[str, float]:
    """Prepare the scan once in this process."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    (planned,) = plan_cohort([folder]).series
    start = time.process_time()
    shard = series_shard(planned, patches)
    cpu_s = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": cpu_s, "peak_mb": peak_mb, "vertebrae": len(shard.rows)}


def measured_apart(folder: Path, patches: str) -> dict[str, float]:
    """Measure in a fresh process, so that the peak is that of one worker."""
    command = [sys.executable, __file__, str(folder), patches]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Write the result file of this benchmark."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_scan(Path(folder))
        for patches in ("2d", "both"):
            found = measured_apart(Path(folder), patches)
            hours = found["cpu_s"] * VERSE_SCANS / CORES / 3600
            peak = {"target": f"{MEMORY_MB // CORES}", "unit": "MB"}
            rows += [
                {"name": f"{patches}, one scan", "value": found["cpu_s"], "unit": "CPU s"},
                {"name": f"{patches}, peak of one process", "value": found["peak_mb"], **peak},
                {
                    "name": f"{patches}, {VERSE_SCANS} scans of this size on {CORES} cores",
                    "value": hours,
                    "unit": "hours",
                },
            ]
    note = (
        f"One scan of 512 x 512 x 600 int16 voxels (315 MB) with {found['vertebrae']:.0f} graded "
        "vertebrae, CT, mask and centroids; each row in a fresh process. 4 GiB on two cores leave "
        "2048 MB to each process."
    )
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    result = {"title": "Preparing a cohort", "note": note, "rows": rows, "machine": machine}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])))
    else:
        main()
