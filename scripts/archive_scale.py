"""Measures what an archive costs, for docs/scale.md: ``python scripts/archive_scale.py``.

Four CPU minutes; ``cd docs && python -m writers archive-scale`` then writes the page.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results" / "archive-scale.json"
EXAMPLES = ROOT / "src" / "spinexplain" / "data" / "examples"
CLINICAL_SPACING_MM = (0.75, 0.75, 1.0)
CLINICAL_SCANS = 4
SMALL_SCANS = 200
PAIRED_SCANS = 48


def measure() -> None:
    """Measure and store; minutes of one core."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = {
            "clinical": _clinical(folder),
            "small": _small(folder, SMALL_SCANS, workers=1),
            "paired": [_small(folder, PAIRED_SCANS, workers=n) for n in (1, 2)],
        }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")


def _clinical(folder: Path) -> dict:
    """Grade the bundled lumbar CT, resampled to a clinical grid, several times in one process."""
    from spinexplain.findings.assess import grade
    from spinexplain.io.read import read_mask, read_scan
    from spinexplain.models.bundle.store import load_grader
    from spinexplain.results.result_json import write_result

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        ct, mask = other.submit(_resampled, folder).result()  # its memory is not that of grading
    seconds: dict[str, list[float]] = defaultdict(list)
    grader = load_grader("protoverse-phantom")
    peaks = []
    for _ in range(CLINICAL_SCANS):
        with _timed(seconds, "read CT"):
            volume = read_scan(ct)
        with _timed(seconds, "read mask"):
            labels = read_mask(mask, scheme="verse")
        with _timed(seconds, "grade"):
            findings = grade(volume, labels=labels, models=(grader,))
        with _timed(seconds, "write"):
            write_result(findings, folder)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return {
        "shape": list(volume.array.shape),
        "bytes_read": ct.stat().st_size + mask.stat().st_size,
        # The first scan pays for imports; an archive does not.
        "cpu_s": {stage: round(min(values[1:]), 3) for stage, values in seconds.items()},
        "peak_mib": [round(one) for one in peaks],
    }


@contextmanager
def _timed(seconds: dict[str, list[float]], stage: str) -> Iterator[None]:
    started = time.process_time()
    yield
    seconds[stage].append(time.process_time() - started)


def _resampled(folder: Path) -> tuple[Path, Path]:
    import numpy as np
    from scipy.ndimage import zoom

    from spinexplain.io.nifti import read_labels, read_volume, write_nifti

    volume = read_volume(EXAMPLES / "lumbar_ct.nii.gz")
    labels = read_labels(EXAMPLES / "lumbar_seg-vert_msk.nii.gz")
    factor = np.array(volume.spacing_mm) / CLINICAL_SPACING_MM
    affine = volume.affine @ np.diag([*(1 / factor), 1.0])
    ct = zoom(volume.array.astype(np.float32), factor, order=1, grid_mode=True, mode="nearest")
    # A smooth CT would compress too well.
    ct += 15 * np.random.default_rng(0).standard_normal(ct.shape, np.float32)
    mask = zoom(labels.array, factor, order=0, grid_mode=True, mode="nearest")
    paths = folder / "ct.nii.gz", folder / "mask.nii.gz"
    write_nifti(paths[0], ct.astype(np.int16), affine)
    write_nifti(paths[1], mask.astype(np.uint8), affine)
    return paths


def _small(folder: Path, count: int, workers: int) -> dict:
    """Grade copies of the bundled lumbar CT by ``batch``, and follow its workers' memory."""
    import psutil

    from spinexplain.jobs.batch.crew import Crew
    from spinexplain.jobs.batch.run import BatchRequest, run_batch

    manifest = folder / f"archive-{count}-{workers}.csv"
    ct, mask = EXAMPLES / "lumbar_ct.nii.gz", EXAMPLES / "lumbar_seg-vert_msk.nii.gz"
    lines = [f"s{i},{ct},{mask}" for i in range(count)]
    manifest.write_text("\n".join(["name,ct,labels", *lines]) + "\n")
    rss_mib: list[int] = []
    cpu: dict[int, float] = {}
    parent = psutil.Process()

    def ended(_: object) -> None:
        used = []
        for child in parent.children():
            try:
                times, memory = child.cpu_times(), child.memory_info()
            except psutil.Error:
                continue
            cpu[child.pid] = times.user + times.system
            used.append(memory.rss // 2**20)
        rss_mib.append(max(used, default=0))

    started = time.perf_counter()
    request = BatchRequest(manifest, folder / f"out-{count}-{workers}", crew=Crew(workers))
    report = run_batch(request, lambda *_: None, ended)
    return {
        "scans": count,
        "workers": workers,
        "graded": report.graded,
        "wall_s": round(time.perf_counter() - started, 1),
        "worker_cpu_s": round(sum(cpu.values()), 1),
        "rss_mib": rss_mib,
    }


if __name__ == "__main__":
    measure()
