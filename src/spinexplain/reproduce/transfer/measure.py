"""Grades everything that was prepared, once, and lays the figures out as JSON-ready facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import spinexplain
from spinexplain.data.phantom.scan import make_subject
from spinexplain.models.grader import Grader
from spinexplain.reproduce.real_scans import WHOLE, real_scan
from spinexplain.reproduce.transfer import refusals, simulated, tally
from spinexplain.reproduce.transfer.baselines import FIXED_LOSS, PixelRegression
from spinexplain.reproduce.transfer.phantoms import FAMILIAR, LOOK_ALIKES, MEASURED, Drawn
from spinexplain.reproduce.transfer.prepared import grade_prepared, prepared_scan, read_prepared

TESTED = ("verse-like", "hard", "shifted-scanner")
CHECKED_PHANTOMS = 1


def graded(
    grader: Grader, paths: Sequence[Path], pixels: PixelRegression | None = None
) -> list[dict[str, Any]]:
    """Grade stored scans; a row a vertebra, with what is known of its scan and where it lies."""
    rows = []
    for path in paths:
        scan, vertebrae = read_prepared(path)
        scores = pixels.scores(vertebrae) if pixels else np.full(len(vertebrae), np.nan)
        for at, row in enumerate(grade_prepared(grader, vertebrae)):
            rows.append({**scan, **row, "pixels": float(scores[at]), "file": str(path), "at": at})
    return rows


def phantom_table(grader: Grader, paths: Sequence[Path], pixels: PixelRegression) -> pd.DataFrame:
    """Grade stored phantoms, a row a vertebra."""
    return tally.phantom_table(graded(grader, paths, pixels))


def phantom_figures(
    groups: Mapping[str, pd.DataFrame], heights_loss: float, pixels: PixelRegression
) -> dict[str, Any]:
    """Figures of the tested presets, of opponents, of look-alike kinds, of other scanners."""
    for table in groups.values():
        table["by_heights"] = table["height_loss"] >= heights_loss
        table["by_fixed_heights"] = table["height_loss"] >= FIXED_LOSS
        table["by_pixels"] = table["pixels"] >= pixels.threshold
    shifted = groups["shifted-scanner"]
    return {
        "populations": {name: tally.population(groups[name]) for name in TESTED},
        "familiar": tally.population(groups[FAMILIAR]),
        "opponents": {n: tally.opponents(groups[n]) for n in TESTED if n in MEASURED},
        "look_alikes": tally.kinds(pd.concat([groups[kind] for kind in LOOK_ALIKES])),
        "shifted_lower_by": {
            name: tally.lower_by(shifted, groups[name]) for name in (FAMILIAR, *TESTED[:2])
        },
    }


def real_figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay out the figures of the real CTs."""
    return {"as_is": simulated.as_is(rows), "simulated": simulated.figures(rows)}


def limit_figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay out the figures of the limits."""
    return refusals.all_cases(rows)


def same_as_users(grader: Grader, phantoms: Sequence[Drawn], data: Path) -> dict[str, int]:
    """Grade some scans by `spinexplain.grade` itself, and compare with what was stored."""
    expected: list[tuple[dict[str, Any], ...]] = []
    scans = []
    for source in WHOLE:
        scan = real_scan(data, source)
        scans.append((scan.volume, scan.labels, scan.centroids))
        expected.append(tuple(grade_prepared(grader, prepared_scan(scan, measured=False))))
    for task in phantoms[:CHECKED_PHANTOMS]:
        made = make_subject(task.preset, task.seed, task.index)
        scans.append((made.image.volume, made.image.labels, None))
        expected.append(tuple(grade_prepared(grader, read_prepared(task.path)[1])))
    same = total = 0
    for (volume, labels, centroids), rows in zip(scans, expected, strict=True):
        found = spinexplain.grade(volume, labels=labels, centroids=centroids, models=[grader])
        for vertebra, row in zip(found.vertebrae, rows, strict=True):
            grading = vertebra.assessments[0].grading
            total += 1
            same += (grading.grade if grading else None) == row["called"]
    return {"vertebrae": total, "same": same}
