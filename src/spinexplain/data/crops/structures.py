"""Which structure every sample of a training crop belongs to, for looking at evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spinexplain.anatomy import VertebraLevel

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort

STRUCTURES = ("beside the bone", "body", "posterior elements", "other vertebrae")
"""Names of the codes 0 to 3."""

BESIDE, BODY, POSTERIOR, OTHER = range(4)


def structures_of(cohort: Cohort, rows: np.ndarray, axes: int) -> np.ndarray:
    """Code every sample of vertebra crops by the structure it lies on.

    Parameters
    ----------
    cohort : Cohort
    rows : ndarray of int, shape (n,)
        Rows of its index.
    axes : int
        2 for sheets, 3 for boxes.

    Returns
    -------
    ndarray of uint8, shape (n, *S)
        Positions in ``STRUCTURES``. Posterior elements are the target's label without its
        body. A crop without body mask or labels is 0 everywhere: nothing is known of it.
    """
    own = np.array(
        [VertebraLevel(level).verse_label for level in cohort.index["level"].iloc[rows]]
    ).reshape(-1, *(1,) * axes)
    labels = cohort.read(f"labels_{axes}d", rows, missing=0)
    body = cohort.read(f"body_{axes}d", rows, missing=0) == own
    codes = np.zeros(labels.shape, np.uint8)
    codes[labels > 0] = OTHER
    codes[labels == own] = POSTERIOR
    codes[body] = BODY
    known = body.reshape(len(rows), -1).any(axis=1) & (labels > 0).reshape(len(rows), -1).any(1)
    codes[~known] = BESIDE
    return codes


def shares_on(region: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
    """Return which part of a region lies on each structure.

    Parameters
    ----------
    region : ndarray of bool, shape (*S)
    codes : ndarray of int, shape (*S)
        Positions in ``STRUCTURES``.

    Returns
    -------
    ndarray of float, shape (4,), or None
        Sums to 1; None where the region is empty or nothing is known of the crop.

    Examples
    --------
    >>> region = np.array([True, True, True, True, False])
    >>> shares_on(region, np.array([1, 1, 2, 0, 3])).tolist()
    [0.25, 0.5, 0.25, 0.0]
    """
    if not region.any() or not (codes == BODY).any():
        return None
    counts = np.bincount(codes[region].astype(int), minlength=len(STRUCTURES))
    return counts / counts.sum()
