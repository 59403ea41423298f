"""Whether a model's grade and the measured height loss go together: three answers."""

from __future__ import annotations

from collections.abc import Mapping

from spinexplain.types import Heights

AGREE, COMPATIBLE, DISAGREE = "agree", "compatible", "disagree"
TOLERANCE = 0.05
"""How far a loss or its interval may lie outside a band: readers differ by as much."""

# Height loss that goes with a class, from and to.
_BANDS: Mapping[str, tuple[float, float]] = {
    "G0": (-1.0, 0.20),
    "no fracture": (-1.0, 0.20),
    "G1": (0.20, 0.25),
    "G2": (0.25, 0.40),
    "G3": (0.40, 1.0),
    "fracture": (0.20, 1.0),
}


def agreement(class_name: str | None, heights: Heights | None) -> str | None:
    """Tell whether a class fits the measured height loss.

    Parameters
    ----------
    class_name : str or None
        What a model called the vertebra.
    heights : Heights or None

    Returns
    -------
    str or None
        ``"agree"`` where the loss lies in the class's band and its interval at most 5 points
        outside; ``"disagree"`` where the loss itself lies more than 5 points outside;
        otherwise ``"compatible"``. None where there is no class, no measurement, or the class
        has no band.

    Notes
    -----
    Only ``"agree"`` looks at the interval, and only to refuse: a wider interval never makes
    the agreement better.

    Examples
    --------
    >>> agreement(None, None) is None
    True
    """
    if class_name is None or heights is None or class_name not in _BANDS:
        return None
    low, high = _BANDS[class_name]
    if not low - TOLERANCE <= heights.loss <= high + TOLERANCE:
        return DISAGREE
    bottom, top = heights.loss_interval
    certain = low - TOLERANCE <= bottom and top <= high + TOLERANCE
    return AGREE if certain and low <= heights.loss <= high else COMPATIBLE
