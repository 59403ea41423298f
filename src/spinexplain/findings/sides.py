"""Which side of a vertebra is graver: a network on sheets, asked left and right of the middle.

A network that sees one sheet says nothing of the side. Asked on parallel sheets it does: the
sheets on the side that sank more look graver. No mask is needed, and no further training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.spine.sheet_stack import sheets_beside
from spinexplain.types import Grading, Patch, SideEvidence, Volume

if TYPE_CHECKING:
    from spinexplain.models.grader import Grader


def expected_grade(grading: Grading) -> float:
    """Return the mean Genant grade of a grading, 0 to 3, each class weighed by its score.

    Parameters
    ----------
    grading : Grading
        A class of several grades counts as their mean.

    Examples
    --------
    >>> from spinexplain.config.tasks import derived_task
    >>> from spinexplain.types import Vertebra
    >>> from spinexplain.anatomy import VertebraLevel
    >>> task = derived_task(("G0", "G2", "G3"))
    >>> l1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
    >>> expected_grade(Grading(l1, task, (0.5, 0.5, 0.0)))
    1.0
    """
    numbers = [
        float(np.mean([GENANT_GRADES.index(grade) for grade in grades])) if grades else 0.0
        for grades in grading.task.grades
    ]
    return float(np.dot(grading.probabilities, numbers))


def left_minus_right(offsets_mm: Sequence[float], values: Sequence[float]) -> float:
    """Return the mean of the sheets on the left minus that on the right.

    Examples
    --------
    >>> left_minus_right((-8.0, 0.0, 8.0), (0.5, 2.0, 2.5))
    2.0
    """
    at, value = np.asarray(offsets_mm, float), np.asarray(values, float)
    return float(value[at > 0].mean() - value[at < 0].mean())


def side_evidence(
    grader: Grader, volume: Volume, patch: Patch, grading: Grading
) -> SideEvidence | None:
    """Ask a prototype network about parallel sheets of one fracture.

    Parameters
    ----------
    grader : Grader
        With prototypes. How far to the sides to ask, and from which difference a side is
        named, was tested on this very model and stands in its ``info``.
    volume : Volume
    patch : Patch
        The vertebra's own sheet.
    grading : Grading
        What the network says of it.

    Returns
    -------
    SideEvidence or None
        None where the network calls no fracture, or was not tested, or where the scan ends
        beside the body: of a sheet without a patient it says something, too.
    """
    known = grader.info.sides
    if known is None or not grading.is_fracture:
        return None
    offsets = tuple(sorted((0.0, *known.offsets_mm, *(-mm for mm in known.offsets_mm))))
    sheets = sheets_beside(volume, patch, offsets)
    if any(grader.not_assessable(sheet) for sheet in sheets):
        return None
    grades = tuple(expected_grade(grading) for grading in grader.grade(sheets))
    return SideEvidence(
        offsets,
        grades,
        tuple(_speaking(grader, sheet, grading.grade) for sheet in sheets),
        left_minus_right(offsets, grades),
        known.least,
    )


def _speaking(grader: Grader, sheet: Patch, target: str) -> np.ndarray:
    """Add up the maps of the prototypes of a class, each times its connection."""
    from spinexplain.explainers.prototypes import explain_prototypes

    found = explain_prototypes(grader, sheet, target).evidence
    maps = [
        item.heatmap * (item.score / max(float(item.heatmap.max()), 1e-6))
        for item in found
        if item.class_name == target and item.score > 0
    ]
    total = np.sum(maps, axis=0) if maps else np.zeros(sheet.array.shape)
    return np.asarray(total, np.float32)
