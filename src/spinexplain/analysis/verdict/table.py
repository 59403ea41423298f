"""The bench as a table: a row for every vertebra and route, with what each witness says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.bench import read_bench_scan, stored_heights, stored_patches
from spinexplain.analysis.verdict.severity import IMAGE
from spinexplain.anatomy import VertebraLevel
from spinexplain.findings.deformity import deformities
from spinexplain.findings.witness import (
    BROAD,
    HEIGHTS,
    PROTOTYPES,
    SEVERE,
    heights_witness,
    network_witness,
)
from spinexplain.models.grader import Grader
from spinexplain.spine.image_terms import image_terms, scan_terms
from spinexplain.spine.quality import not_assessable_reason
from spinexplain.types import Grading, Heights


def witness_table(grader: Grader, paths: Iterable[Path]) -> pd.DataFrame:
    """Ask a network about every stored scan, and the heights beside it.

    Parameters
    ----------
    grader : Grader
        On sheets of 112 mm.
    paths : iterable of Path
        Stored scans, see :class:`~spinexplain.analysis.verdict.bench.BenchScan`.

    Returns
    -------
    DataFrame
        ``group``, ``subject``, ``normal``, ``level``, ``route``, ``grade`` (true), ``loss``
        (true), ``prototypes`` and ``prototypes_spread`` (log odds; NaN where refused),
        ``prototypes_severe`` (log odds of a severe fracture), ``image_<term>`` (terms of the
        image, see :mod:`spinexplain.spine.image_terms`),
        ``called`` (the network's grade at the given center), ``severity`` (its likeliest
        fracture grade), ``heights`` and ``heights_broad`` (units; NaN where not measured),
        ``measured_loss``, ``deformity``, ``refusal``. Levels with foreign material are left out.
    """
    rows: list[dict[str, Any]] = []
    for path in sorted(paths):
        scan, crops = read_bench_scan(path)
        shapes = {route: _deformities(scan["vertebrae"], route) for route in ("labels", "both")}
        terms = _image(scan, crops)
        for row, sheets, image in zip(scan["vertebrae"], crops, terms, strict=True):
            if row["truth"]["foreign_material"]:
                continue
            rows.append({**_row(grader, scan, row, sheets, shapes), **image})
    return pd.DataFrame(rows)


def _image(scan: Mapping[str, Any], crops: np.ndarray) -> list[dict[str, float]]:
    """Measure the terms of the image on every row's first sheet, scan-wide ones by route."""
    found: list[dict[str, float]] = [{} for _ in scan["vertebrae"]]
    for route in sorted({row["route"] for row in scan["vertebrae"]}):
        at = [n for n, row in enumerate(scan["vertebrae"]) if row["route"] == route]
        sheets = [stored_patches(scan["vertebrae"][n], crops[n])[0] for n in at]
        own = [image_terms(sheet, scan["spacing_mm"]) for sheet in sheets]
        for n, terms in zip(at, scan_terms(own), strict=True):
            found[n] = {IMAGE + name: value for name, value in terms.items()}
    return found


def _row(
    grader: Grader,
    scan: Mapping[str, Any],
    row: Mapping[str, Any],
    sheets: np.ndarray,
    shapes: Mapping[str, Mapping[VertebraLevel, str]],
) -> dict[str, Any]:
    patches = stored_patches(row, sheets)
    refusal = not_assessable_reason(row["flags"]) or grader.not_assessable(patches[0], row["flags"])
    gradings = grader.grade(patches) if refusal is None else []
    fractures = grader.task.fractures
    asked = network_witness(PROTOTYPES, gradings)
    heights = stored_heights(row)
    measured = heights_witness(heights)
    return {
        "group": scan["group"],
        "subject": scan["subject"],
        "normal": scan["normal"],
        "level": row["level"],
        "route": row["route"],
        "grade": row["truth"]["grade"],
        "shape": row["truth"]["shape"],
        "loss": row["truth"]["loss"],
        "look_alikes": ",".join(row["truth"]["look_alikes"]),
        "prototypes": asked.value if asked else np.nan,
        "prototypes_spread": asked.spread if asked else np.nan,
        PROTOTYPES + SEVERE: asked.severe if asked and asked.severe is not None else np.nan,
        "called": gradings[0].grade if gradings else "",
        "severity": likeliest(gradings, fractures) if gradings else "",
        HEIGHTS: measured.value if measured else np.nan,
        HEIGHTS + BROAD: measured.broad if measured else np.nan,
        "measured_loss": heights.loss if heights else np.nan,
        "deformity": shapes.get(row["route"], {}).get(VertebraLevel(row["level"]), ""),
        "refusal": refusal or "",
    }


def likeliest(gradings: Sequence[Grading], fractures: Sequence[str]) -> str:
    """Return the fracture class with the highest mean probability over the poses."""
    classes = gradings[0].classes
    mean = np.mean([one.probabilities for one in gradings], axis=0)
    return max(fractures, key=lambda name: mean[classes.index(name)])


def _deformities(rows: Sequence[Mapping[str, Any]], route: str) -> dict[VertebraLevel, str]:
    measured: dict[VertebraLevel, Heights] = {}
    for row in rows:
        heights = stored_heights(row) if row["route"] == route else None
        if heights is not None:
            measured[VertebraLevel(row["level"])] = heights
    return deformities(measured)
