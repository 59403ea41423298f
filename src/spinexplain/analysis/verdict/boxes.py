"""Phantom spines with the boxes that a detector sees, stored beside their sheets.

A detector is asked once a vertebra, on the box around the given center, as grading a CT asks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.stored_frame import StoredFrame
from spinexplain.analysis.verdict.bench import (
    ROUTES,
    BenchScan,
    read_bench_scan,
)
from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.scan import PhantomImage, make_subject
from spinexplain.errors import ConfigError
from spinexplain.findings.witness import DETECTOR, network_witness
from spinexplain.io.files import atomic_file
from spinexplain.models.grader import Grader
from spinexplain.spine.localize import localize, with_graded_levels
from spinexplain.spine.quality import not_assessable_reason
from spinexplain.spine.reformat import reformat
from spinexplain.types import Patch, Vertebra

BOX_MM = 96
SHAPE = (BOX_MM, BOX_MM, BOX_MM)
_MIDDLE = (BOX_MM - 1) / 2


@dataclass(frozen=True)
class BoxedScan:
    """One phantom scan by the route with a mask, with its boxes.

    Parameters
    ----------
    scan : BenchScan
        Which person, and where its sheets are stored.
    """

    scan: BenchScan

    @property
    def boxes_path(self) -> Path:
        """Where its boxes are stored; some 2 MB a vertebra."""
        return boxes_path(self.scan.path)

    @property
    def is_stored(self) -> bool:
        """Whether sheets and boxes are there."""
        return self.scan.path.exists() and self.boxes_path.exists()

    def make(self) -> None:
        """Draw the scan once, store its boxes, then its sheets."""
        made = make_subject(self.scan.preset, self.scan.seed, self.scan.index)
        levels, boxes, outside = _boxes(made.image, {fact.level for fact in made.truth})
        self.boxes_path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.boxes_path) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, levels=np.array(levels), boxes=boxes, outside=np.array(outside))
        self.scan.store(made, ROUTES[:1])


def boxes_path(sheets: Path) -> Path:
    """Return where the boxes of a stored scan are, beside its sheets."""
    return sheets.with_name(f"{sheets.stem}-boxes.npz")


def _boxes(image: PhantomImage, known: set[str]) -> tuple[list[str], np.ndarray, list[float]]:
    """Sample the box of every level of known truth."""
    vertebrae = with_graded_levels(localize(image.volume, labels=image.labels))
    found = reformat(image.volume, vertebrae, kind="3d", shape=SHAPE)
    patches = [patch for patch in found if patch.vertebra.level.value in known]
    stored = [np.round(patch.array).astype(np.int16) for patch in patches]
    boxes = np.stack(stored) if stored else np.zeros((0, *SHAPE), np.int16)
    return [p.vertebra.level.value for p in patches], boxes, [p.outside for p in patches]


def detector_table(grader: Grader, paths: Iterable[Path]) -> pd.DataFrame:
    """Ask a detector about every stored scan.

    Parameters
    ----------
    grader : Grader
        On boxes of 96 mm.
    paths : iterable of Path
        Stored sheets, with boxes beside them.

    Returns
    -------
    DataFrame
        ``group``, ``subject``, ``route`` (by mask), ``level`` and ``detector`` (log odds of a
        fracture; NaN where refused). It is asked once, so that no spread is known.

    Raises
    ------
    ConfigError
        If the network takes other boxes.
    """
    if grader.spec.axes != 3 or grader.spec.extent_mm != BOX_MM or grader.spec.body_height_mm:
        raise ConfigError(
            f'model "{grader.info.name}" takes {grader.spec.axes}-D crops of '
            f"{grader.spec.extent_mm:g} mm; the bench stores boxes of {BOX_MM} mm. "
            "Name a detector on such boxes."
        )
    rows = [row for path in sorted(paths) for row in _rows(grader, path)]
    return pd.DataFrame(rows, columns=["group", "subject", "route", "level", DETECTOR])


def _rows(grader: Grader, path: Path) -> list[dict[str, Any]]:
    scan, _ = read_bench_scan(path)
    flags = {row["level"]: row["flags"] for row in scan["vertebrae"] if row["route"] == ROUTES[0]}
    with np.load(boxes_path(path), allow_pickle=False) as stored:
        levels, boxes, outside = stored["levels"].tolist(), stored["boxes"], stored["outside"]
    return [
        {
            "group": scan["group"],
            "subject": scan["subject"],
            "route": ROUTES[0],
            "level": level,
            DETECTOR: _said(grader, level, box, float(beyond), flags[level]),
        }
        for level, box, beyond in zip(levels, boxes, outside, strict=True)
    ]


def _said(grader: Grader, level: str, box: np.ndarray, outside: float, flags: list[str]) -> float:
    """Return a detector's log odds on one box; NaN where it refuses."""
    if not_assessable_reason(flags) or grader.refusal(level, outside, flags):
        return float("nan")
    vertebra = Vertebra(VertebraLevel(level), (0.0, 0.0, 0.0))
    frame = StoredFrame((_MIDDLE, _MIDDLE, _MIDDLE), SHAPE)
    patch = Patch(vertebra, box.astype(np.float32), frame, outside)
    spoken = network_witness(DETECTOR, grader.grade([patch]))
    assert spoken is not None
    return spoken.value
