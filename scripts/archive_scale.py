"""Measure what an archive costs, and write docs/scale.md from what was measured.

python scripts/archive_scale.py measure    # writes docs/results/archive-scale.json
python scripts/archive_scale.py            # writes docs/scale.md from it
"""

from __future__ import annotations

import heapq
import json
import resource
import sys
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
PAGE = ROOT / "docs" / "scale.md"
EXAMPLES = ROOT / "src" / "spinexplain" / "data" / "examples"
CLINICAL_SPACING_MM = (0.75, 0.75, 1.0)
CLINICAL_SCANS = 4
SMALL_SCANS = 200
PAIRED_SCANS = 48
MILLION = 1_000_000


def simulate(
    scans: int, workers: int, cpu_s: float, scan_bytes: float, storage: float, link: float
) -> float:
    """Return the seconds until all scans are done.

    Each worker reads a scan, then computes on it. Readers share the storage's bytes a second
    evenly, and none reads faster than its own link.
    """
    now = attained = 0.0  # attained: bytes that a reader present from the start would have got
    readers: list[float] = []  # what `attained` must reach for each reader to be done
    computing: list[float] = []
    left = scans - min(workers, scans)
    readers = [scan_bytes] * min(workers, scans)
    while readers or computing:
        rate = min(link, storage / len(readers)) if readers else 0.0
        read_end = now + (readers[0] - attained) / rate if readers else float("inf")
        compute_end = computing[0] if computing else float("inf")
        step = min(read_end, compute_end)
        attained += rate * (step - now)
        now = step
        if read_end <= compute_end:
            heapq.heappop(readers)
            heapq.heappush(computing, now + cpu_s)
        else:
            heapq.heappop(computing)
            if left:
                left -= 1
                heapq.heappush(readers, attained + scan_bytes)
    return now


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


def write_page() -> None:
    """Write the page from the stored results."""
    content = json.loads(RESULTS.read_text())
    PAGE.write_text(page(content))


def page(content: dict) -> str:
    """Return docs/scale.md."""
    clinical, small, paired = content["clinical"], content["small"], content["paired"]
    cpu_s = sum(clinical["cpu_s"].values())
    scan_bytes = clinical["bytes_read"]
    shape = " x ".join(map(str, clinical["shape"]))
    stages = "\n".join(f"| {name} | {value:.2f} |" for name, value in clinical["cpu_s"].items())
    tenth = max(small["scans"] // 10, 1)
    early, late = small["rss_mib"][tenth], small["rss_mib"][-1]
    per_scan = [one["worker_cpu_s"] / one["scans"] for one in paired]
    return f"""# An archive of a million scans

Written by `scripts/archive_scale.py` from `docs/results/archive-scale.json`. CPU seconds, because the
machine that measured was shared; a wall time there would say nothing.

```console
spinexplain batch archive.csv -o graded --workers 8
spinexplain summarize graded --reference last-year
```

`archive.csv` lists `ct`, `labels` or `centroids`, and where known `name`, `age`, `sex`, `series` and
`label_scheme`. A scan is done when its `result.json` is there; bad input and scans that kill or hang their
worker are rows of `scans.parquet`. Run the command again to go on; add `--retry` for those that failed.
With `--address ray://...` the same work runs on a Ray cluster (`pip install -e ".[scale]"`), whose nodes must
see the same paths.

## One scan of clinical size

The bundled lumbar CT with its mask, resampled to {shape} voxels with noise added; {scan_bytes / 2**20:.0f} MiB
compressed; one core, one worker that has its model loaded.

| stage | CPU s |
|---|---|
{stages}
| **all** | **{cpu_s:.2f}** |

Peak memory {max(clinical["peak_mib"])} MiB.

## Memory and workers

{small["scans"]} scans of the small lumbar CT in one worker: {early} MiB after {tenth} scans, {late} MiB after
{small["scans"]}; graded {small["graded"]}. CPU seconds a scan, start of the workers included:
{per_scan[0]:.2f} with one worker, {per_scan[1]:.2f} with two, an efficiency of
{per_scan[0] / per_scan[1]:.2f} in CPU time.

## A million scans

{MILLION * cpu_s / 3600:,.0f} CPU hours and {MILLION * scan_bytes / 2**40:.0f} TiB read, without finding the
vertebrae: a segmentation tool costs many times as much. A worker reads
{scan_bytes / cpu_s / 2**20:.1f} MiB a second, so the storage saturates before the cores where it gives less
than that times the workers.

Days for a million scans, by a simulation of workers that read and compute in turn (links of 1 Gbit/s,
storage shared evenly); simulated over {SIMULATED:,} scans and scaled:

{_simulated_table(cpu_s, scan_bytes)}
"""


SIMULATED = 20_000
STORAGE = {"1 GB/s": 1e9, "5 GB/s": 5e9, "20 GB/s": 2e10}
LINK = 1.25e8


def _simulated_table(cpu_s: float, scan_bytes: float) -> str:
    rows = [
        "| workers | " + " | ".join(f"storage {name}" for name in STORAGE) + " |",
        "|---|" + "---|" * len(STORAGE),
    ]
    for workers in (1, 10, 100, 1000):
        days = [
            simulate(SIMULATED, workers, cpu_s, scan_bytes, storage, LINK)
            * (MILLION / SIMULATED)
            / 86400
            for storage in STORAGE.values()
        ]
        rows.append(f"| {workers:,} | " + " | ".join(f"{day:.2f}" for day in days) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        measure()
    write_page()
