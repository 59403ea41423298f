"""Whether two models say the same of a vertebra, and look at the same place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.findings.scan import Assessment
from spinexplain.spine.heatmap import above_floor, onto_sheet
from spinexplain.types import Evidence, Explanation, Patch, UnitDetail


@dataclass(frozen=True)
class ModelAgreement:
    """How a further model compares with the first.

    Parameters
    ----------
    fracture : bool
        Whether both call the vertebra fractured, or both not.
    grade : bool or None
        Whether they give the same grade; None where their classes differ.
    evidence_overlap : float or None
        See :func:`evidence_overlap`; None where one explains nothing.
    """

    fracture: bool
    grade: bool | None
    evidence_overlap: float | None


def model_agreement(first: Assessment, other: Assessment, sheet: Patch) -> ModelAgreement | None:
    """Compare what two models made of one vertebra.

    Parameters
    ----------
    first, other : Assessment
    sheet : Patch
        The 2-D sheet on which their evidence is compared.

    Returns
    -------
    ModelAgreement or None
        None where one of them gave no grade.
    """
    one, two = first.grading, other.grading
    if one is None or two is None:
        return None
    calls = [grading.is_fracture for grading in (one, two)]
    overlap = None
    if first.explanation is not None and other.explanation is not None:
        overlap = evidence_overlap(first.explanation, other.explanation, sheet)
    return ModelAgreement(
        fracture=calls[0] == calls[1],
        grade=one.grade == two.grade if set(one.classes) == set(two.classes) else None,
        evidence_overlap=overlap,
    )


def evidence_overlap(first: Explanation, other: Explanation, sheet: Patch) -> float | None:
    """Return how much of two explanations' evidence lies in the same place, 0 to 1.

    Parameters
    ----------
    first, other : Explanation
    sheet : Patch
        Both are drawn on it, so that 2-D and 3-D evidence can be compared.

    Returns
    -------
    float or None
        The mass that two evidence maps share when each sums to 1: sum of the smaller of
        the two. None where one shows no evidence on the sheet.

    Notes
    -----
    Each map is the sum of the explanation's pieces with a positive score, weighed by it;
    of every piece only what rises above its median counts, as in the contours. Of units
    only those count that are tied to what is explained, fracture or none.
    """
    maps = [evidence_share(explanation, sheet) for explanation in (first, other)]
    if maps[0] is None or maps[1] is None:
        return None
    return float(np.minimum(maps[0], maps[1]).sum())


def evidence_share(explanation: Explanation, sheet: Patch) -> np.ndarray | None:
    """Return where an explanation's evidence lies on a sheet, summing to 1; None if nowhere."""
    total = np.zeros(sheet.array.shape)
    shown = onto_sheet(explanation.patch, sheet)
    for item in explanation.evidence:
        if not _speaks_for(item, explanation):
            continue
        rising = above_floor(shown(item.heatmap)).astype(float)
        mass = rising.sum()
        if mass > 0:
            total += item.score * rising / mass
    weight = total.sum()
    return total / weight if weight > 0 else None


def _speaks_for(item: Evidence, explanation: Explanation) -> bool:
    if isinstance(item.detail, UnitDetail):
        return item.class_name == explanation.target
    return item.score > 0
