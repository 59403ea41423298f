"""Whether a model's grade and the measured height loss go together: three answers."""

from __future__ import annotations

from collections.abc import Mapping

from spinexplain.types import Grading, Heights

AGREE, COMPATIBLE, DISAGREE = "agree", "compatible", "disagree"
TOLERANCE = 0.05
"""How far a loss or its interval may lie outside a band: readers differ by as much."""

# Height loss that goes with a Genant grade, from and to.
_BANDS: Mapping[str, tuple[float, float]] = {
    "G0": (-1.0, 0.20),
    "G1": (0.20, 0.25),
    "G2": (0.25, 0.40),
    "G3": (0.40, 1.0),
}


def agreement(grading: Grading | None, heights: Heights | None) -> str | None:
    """Say whether a grade fits the measured height loss.

    Parameters
    ----------
    grading : Grading or None
        A class that stands for several grades has the bands of all of them.
    heights : Heights or None

    Returns
    -------
    str or None
        ``"agree"`` where the loss lies in the class's band and its interval at most 5 points
        outside; ``"disagree"`` where the loss itself lies more than 5 points outside;
        otherwise ``"compatible"``. None where there is no grade, no measurement, or the class
        stands for no Genant grade.

    Notes
    -----
    Only ``"agree"`` looks at the interval, and only to refuse: a wider interval never makes
    the agreement better.

    Examples
    --------
    >>> agreement(None, None) is None
    True
    """
    if grading is None or heights is None:
        return None
    bands = [_BANDS[grade] for grade in grading.task.grades_of(grading.grade)]
    if not bands:
        return None
    low, high = min(band[0] for band in bands), max(band[1] for band in bands)
    if not low - TOLERANCE <= heights.loss <= high + TOLERANCE:
        return DISAGREE
    bottom, top = heights.loss_interval
    certain = low - TOLERANCE <= bottom and top <= high + TOLERANCE
    return AGREE if certain and low <= heights.loss <= high else COMPATIBLE
