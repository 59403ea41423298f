"""The phantom cohorts of the dissection experiments, drawn once and taken up again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.phantom.scan import make_subject
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.sheets import sheet_shard
from spinexplain.spine.sampling import sample_labels

SHARD = 200


def sheets(work: Path, preset: str, seed: int, count: int) -> Cohort:
    """Draw phantom sheets into a cohort, or take up the one that is there."""
    path = work / f"{preset}-{seed}-{count}"
    if (path / "index.parquet").is_file():
        return Cohort.open(path)
    writer = CohortWriter.create(path, {"preset": preset, "seed": seed}, force=True)
    for start in range(0, count, SHARD):
        series = f"{preset}-{seed}-{start:06d}"
        if writer.notes("phantom", series) is None:
            drawn = phantom_sheets(preset, seed, min(SHARD, count - start), start=start)
            writer.add_series(sheet_shard(series, drawn, seed=seed))
    return writer.finish()


def boxes(work: Path, preset: str, seed: int, scans: int) -> Cohort:
    """Sample the boxes of phantom scans with all their masks, or take up what is there."""
    path = work / f"{preset}-{seed}-{scans}-boxes"
    if (path / "index.parquet").is_file():
        return Cohort.open(path)
    settings = {"preset": preset, "seed": seed, "scans": scans}
    writer = CohortWriter.create(path, settings, force=True)
    for index in range(scans):
        name = f"{preset}-{seed}-phantom{index + 1:04d}"
        if writer.notes(name, name) is None:
            scan = make_subject(preset, seed, index)
            shard = box_shard(scan)
            labels = [sample_labels(scan.image.labels, row.box) for row in shard.rows]
            shard.arrays["labels_3d"] = np.stack(labels)
            writer.add_series(shard)
            print(name, flush=True)
    return writer.finish()
