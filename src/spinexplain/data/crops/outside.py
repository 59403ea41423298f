"""How much of a model's own crop lies outside the scan: cohorts store crops with a margin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.config.training import InputSpec
from spinexplain.data.crops.body_scale import expected_heights_mm
from spinexplain.spine.sampling import AIR_HU, outside_share

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort


def outside_shares(cohort: Cohort, rows: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Return which share of the crop that a model sees lies outside the scan, shape (n,).

    The same share that grading a CT finds, so that the same vertebrae are refused.

    Parameters
    ----------
    cohort : Cohort
    rows : ndarray of int, shape (n,)
    spec : InputSpec
        The model's; its crop is smaller than the stored one.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 1; 0 for sheets that were drawn without a scan. Cohorts from before the scan's
        grid was stored give the share of the crop's samples that hold the value of the
        outside, at most what the whole stored crop was known to hold.
    """
    steps_mm = np.ones(len(rows))
    if spec.body_height_mm is not None:
        steps_mm = expected_heights_mm(cohort, rows, spec.axes) / spec.body_height_mm
    return np.array(
        [_share(cohort, int(row), spec, step) for row, step in zip(rows, steps_mm, strict=True)]
    )


def _share(cohort: Cohort, row: int, spec: InputSpec, step_mm: float) -> float:
    record: Any = cohort.index.loc[row]
    stored = record[f"outside_{spec.axes}d"]
    if stored is None or not np.isfinite(stored):
        return 0.0
    side = round(spec.extent_mm)
    shape = record["scan_shape"]
    if shape is None or not len(shape):
        patch = cohort.read(f"patches_{spec.axes}d", [row])[0]
        return share_of_air(patch, side * step_mm, round(stored * patch.size))
    stored_frame: Any = cohort.frame(row, f"{spec.axes}d")
    frame = replace(stored_frame, shape=(side,) * spec.axes, spacing_mm=float(step_mm))
    affine = np.reshape(record["scan_affine"], (4, 4))
    return outside_share(frame, affine, tuple(int(n) for n in shape))


def share_of_air(patch: np.ndarray, side: float, most: int) -> float:
    """Return the share of the middle of a patch that holds the value of the outside.

    Parameters
    ----------
    patch : ndarray of int16, shape (*S)
        HU.
    side : float
        Of the middle, in samples.
    most : int
        Samples that may be outside; air within the scan can have the same value.

    Examples
    --------
    >>> row = np.array([[-1000, -1000, 40, 40]] * 4, np.int16)
    >>> share_of_air(row, 2, 8), share_of_air(row, 4, 8), share_of_air(row, 4, 4)
    (0.5, 0.5, 0.25)
    """
    first = [max(int((n - side) // 2), 0) for n in patch.shape]
    middle = patch[tuple(slice(low, n - low) for low, n in zip(first, patch.shape, strict=True))]
    return min(int(np.sum(middle == AIR_HU)), most) / middle.size
