"""docs/scale.md: what an archive of a million scans costs."""

from __future__ import annotations

import heapq
import json
from pathlib import Path

MILLION = 1_000_000


def written(before: str, results: Path) -> str:
    """Return the page."""
    content = json.loads((results / "archive-scale.json").read_text())
    clinical, small, paired = content["clinical"], content["small"], content["paired"]
    cpu_s = sum(clinical["cpu_s"].values())
    scan_bytes = clinical["bytes_read"]
    shape = " x ".join(map(str, clinical["shape"]))
    stages = "\n".join(f"| {name} | {value:.2f} |" for name, value in clinical["cpu_s"].items())
    tenth = max(small["scans"] // 10, 1)
    early, late = small["rss_mib"][tenth], small["rss_mib"][-1]
    per_scan = [one["worker_cpu_s"] / one["scans"] for one in paired]
    return f"""# An archive of a million scans

Measured by `scripts/archive_scale.py`; the figures are in [archive-scale.json](results/archive-scale.json). CPU seconds, because the
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

## Drift

`summarize` says whether an archive looks like what its model learned from: HU in the middle of the bodies, the score of
the class called, and the spacing where the training knows it (sheets that were drawn directly have none). It compares
in the archive's own mixture of classes, so that more or fewer fractures are no drift, by the population stability index:
from 0.1 on *shifted*, from 0.25 on *drifted*, but never within what as many values as there are scans reach by
chance, drawn from the training itself. Under some 60 scans chance alone reaches 0.25, and it says *too few scans to say*.
What the shipped model learned from comes with the package (`scripts/training_values.py`); for your own
model name it and its cohort once, `summarize graded --model run --cohort cohort`, and later the file that this
leaves, `--training graded/training.json`. `--reference` compares with an earlier batch as well. A drifted archive is no
proof that grades are wrong, and one that has not drifted no proof that they are right.

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
