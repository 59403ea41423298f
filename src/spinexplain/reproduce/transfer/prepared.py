"""Scans as `spinexplain.grade` sees them just before the model: models can be swapped.

Drawing and measuring a scan takes seconds, grading it hundredths. What lies between is stored
once per scan: the crops as the model gets them, quality flags, heights from the mask.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.analysis.stored_frame import EXTENT_MM, StoredFrame
from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError
from spinexplain.findings.vertebrae import scan_vertebrae
from spinexplain.io.files import atomic_file
from spinexplain.models.grader import Grader
from spinexplain.models.input_arrays import center_index
from spinexplain.reproduce.real_scans import RealScan
from spinexplain.spine.morphometry import measure
from spinexplain.spine.quality import not_assessable_reason
from spinexplain.spine.reformat import reformat
from spinexplain.types import LabelMap, Patch, Vertebra, Volume


@dataclass(frozen=True, eq=False)
class Prepared:
    """One vertebra, ready for any 2-D model of the usual extent; ``facts`` is JSON-ready."""

    facts: dict[str, Any]
    crop: np.ndarray


def prepare_scan(
    volume: Volume,
    labels: LabelMap | None = None,
    centroids: Sequence[Vertebra] | None = None,
    measured: bool = True,
) -> list[Prepared]:
    """Take the steps of `spinexplain.grade` up to the model; heights only if they are wanted."""
    spine = scan_vertebrae(volume, labels, centroids)
    vertebrae, flags = spine.vertebrae, spine.flags(volume)
    heights = measure(labels, vertebrae) if labels is not None and measured else {}
    ready = []
    for patch in reformat(volume, vertebrae, kind="2d", shape=(EXTENT_MM, EXTENT_MM)):
        level = patch.vertebra.level
        if not level.is_graded:
            continue
        facts: dict[str, Any] = {
            "level": level.value,
            "flags": list(flags[level]),
            "outside": patch.outside,
            "center": center_index(patch).tolist(),
        }
        if level in heights:
            found = heights[level]
            facts["height_loss"] = found.loss
            facts["height_loss_interval"] = list(found.loss_interval)
        ready.append(Prepared(facts, np.asarray(patch.array, np.float32)))
    return ready


def prepared_or_refused(volume: Volume, centers: Sequence[Vertebra]) -> list[Prepared]:
    """Prepare a scan by its centers alone; where it is refused, every level with the reason."""
    try:
        return prepare_scan(volume, None, centers)
    except (LabelError, GeometryError) as error:
        empty = np.zeros((round(EXTENT_MM), round(EXTENT_MM)), np.float32)
        facts = {"flags": [], "outside": 0.0, "center": [0.0, 0.0], "refused": str(error)}
        return [Prepared({"level": v.level.value, **facts}, empty) for v in centers]


def prepared_scan(scan: RealScan, measured: bool) -> list[Prepared]:
    """Prepare a real CT with what its user would have."""
    return prepare_scan(scan.volume, scan.labels, scan.centroids, measured)


def as_patch(one: Prepared) -> Patch:
    """Give a stored crop back to a model."""
    center = one.facts["center"]
    vertebra = Vertebra(VertebraLevel(one.facts["level"]), (0.0, 0.0, 0.0))
    frame = StoredFrame((center[0], center[1]))
    return Patch(vertebra, one.crop, frame, one.facts["outside"])


def refusal(grader: Grader, one: Prepared) -> str | None:
    """Say why `spinexplain.grade` would not grade this vertebra, or None."""
    flags = one.facts["flags"]
    if "refused" in one.facts:
        return str(one.facts["refused"])
    return not_assessable_reason(flags) or grader.not_assessable(as_patch(one), flags)


def grade_prepared(grader: Grader, vertebrae: Sequence[Prepared]) -> list[dict[str, Any]]:
    """Return the facts of each vertebra with what the model made of it."""
    reasons = [refusal(grader, one) for one in vertebrae]
    asked = [one for one, reason in zip(vertebrae, reasons, strict=True) if reason is None]
    given = iter(grader.grade([as_patch(one) for one in asked]))
    rows = []
    for one, reason in zip(vertebrae, reasons, strict=True):
        row = {**one.facts, "reason": reason or "", "called": None, "scores": None}
        if reason is None:
            grading = next(given)
            row |= {"called": grading.grade, "scores": list(grading.probabilities)}
        rows.append(row)
    return rows


def write_prepared(path: Path, scan: dict[str, Any], vertebrae: Sequence[Prepared]) -> None:
    """Store a prepared scan in one file, at once or not at all."""
    facts = json.dumps({**scan, "vertebrae": [one.facts for one in vertebrae]})
    crops = np.stack([one.crop for one in vertebrae]) if vertebrae else np.zeros((0, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, facts=np.array(facts), crops=crops)


def read_prepared(path: Path) -> tuple[dict[str, Any], list[Prepared]]:
    """Read a prepared scan: what is known of the scan, and its vertebrae."""
    with np.load(path, allow_pickle=False) as stored:
        scan = json.loads(str(stored["facts"]))
        crops = stored["crops"]
    facts = scan.pop("vertebrae")
    return scan, [Prepared(f, crop) for f, crop in zip(facts, crops, strict=True)]
