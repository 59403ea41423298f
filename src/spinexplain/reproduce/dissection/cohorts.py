"""Boxes of narrow scans: with planted marks and the same without, or of any preset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.phantom.cohorts import box_cohort
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.reproduce.setting import Setting

MARKED = "shortcut"
NARROW_MM = {
    "half_width_mm": (44.0, 48.0),
    "front_mm": (48.0, 54.0),
    "behind_mm": (48.0, 54.0),
    "spacing_mm": (0.9, 1.2),
    "slice_mm": (1.0, 1.2),
}


def marked_boxes(
    setting: Setting, seed: int, scans: int, masks: bool, preset: str = MARKED
) -> dict[str, Cohort]:
    """Sample the boxes of scans with planted marks, and of the same scans without.

    Row for row the same vertebrae; ``masks`` asks for those of the marked ones.
    """
    # As JSON has it: a cohort of other settings would be drawn again.
    sizes = {name: list(ends) for name, ends in NARROW_MM.items()}
    settings = {"preset": preset, "field": sizes, "seed": seed, "scans": scans}
    work = setting.work / "cohorts"
    writers = {
        name: CohortWriter.create(work / f"{preset}-{seed}-{scans}-{name}", settings, force=True)
        for name in ("marked", "plain")
    }
    for index in range(scans):
        name = f"{preset}-{seed}-phantom{index + 1:04d}"
        if all(writer.notes(name, name) is not None for writer in writers.values()):
            continue
        scan = make_subject(narrow(preset), seed, index, unmarked=True)
        assert scan.unmarked is not None
        writers["marked"].add_series(box_shard(scan, masks))
        writers["plain"].add_series(box_shard(replace(scan, image=scan.unmarked), masks=False))
        setting.progress.step("Marked scans", index + 1, scans)
    return {name: writer.finish() for name, writer in writers.items()}


def narrow_boxes(
    setting: Setting, preset: str, seed: int, scans: int, masks: bool = False
) -> Cohort:
    """Sample the boxes of scans that show little more than them, or open those that are there."""
    kind = "boxes" if masks else "bare-boxes"
    return box_cohort(
        setting.work / "cohorts" / f"narrow-{preset}-{seed}-{scans}-{kind}",
        narrow(preset),
        seed,
        scans,
        masks=masks,
        jobs=setting.jobs,
        progress=setting.progress,
    )


def narrow(preset: str) -> Preset:
    """Return a preset whose scans show little more than the boxes; a third of the work."""
    chosen = load_preset(preset)
    sizes: dict[str, Any] = NARROW_MM
    return replace(chosen, field=replace(chosen.field, wide=0.0, **sizes))
