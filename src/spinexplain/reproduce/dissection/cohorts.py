"""The phantom cohorts of the dissection experiments, drawn once and taken up again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.sheets import sheet_shard
from spinexplain.spine.sampling import sample_labels

SHARD, MARKED = 200, "shortcut"
NARROW_MM = {
    "half_width_mm": (44.0, 48.0),
    "front_mm": (48.0, 54.0),
    "behind_mm": (48.0, 54.0),
    "spacing_mm": (0.9, 1.2),
    "slice_mm": (1.0, 1.2),
}


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


def marked_boxes(work: Path, seed: int, scans: int, masks: bool) -> dict[str, Cohort]:
    """Sample the boxes of scans with planted marks, and of the same scans without.

    Row for row the same vertebrae; ``masks`` asks for those of the marked ones.
    """
    # As JSON has it: a cohort of other settings would be drawn again.
    sizes = {name: list(ends) for name, ends in NARROW_MM.items()}
    settings = {"preset": MARKED, "field": sizes, "seed": seed, "scans": scans}
    writers = {
        name: CohortWriter.create(work / f"{MARKED}-{seed}-{scans}-{name}", settings, force=True)
        for name in ("marked", "plain")
    }
    for index in range(scans):
        name = f"{MARKED}-{seed}-phantom{index + 1:04d}"
        if all(writer.notes(name, name) is not None for writer in writers.values()):
            continue
        scan = make_subject(narrow(MARKED), seed, index, unmarked=True)
        assert scan.unmarked is not None
        writers["marked"].add_series(box_shard(scan, masks))
        writers["plain"].add_series(box_shard(replace(scan, image=scan.unmarked), masks=False))
        print(name, flush=True)
    return {name: writer.finish() for name, writer in writers.items()}


def narrow(preset: str) -> Preset:
    """Return a preset whose scans show little more than the boxes; a third of the work."""
    chosen = load_preset(preset)
    return replace(chosen, field=replace(chosen.field, wide=0.0, **NARROW_MM))
