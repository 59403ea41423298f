"""Heat maps as numbers: what rises above their floor, and where they lie on a sheet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

from spinexplain.types import Patch


def above_floor(heatmap: np.ndarray) -> np.ndarray:
    """Keep what rises above a heat map's median.

    A similarity map is small but not zero far from the evidence. Summed over many pixels that
    floor would hold most of the mass, and a contour of the mass would trace its ripples.

    Examples
    --------
    >>> above_floor(np.array([1.0, 1, 1, 4])).tolist()
    [0.0, 0.0, 0.0, 3.0]
    """
    return np.clip(heatmap - np.median(heatmap), 0, None)


def on_sheet(heatmap: np.ndarray, patch: Patch, shown: Patch) -> np.ndarray:
    """Resample a heat map from the patch it lives on to the sheet that is shown.

    Parameters
    ----------
    heatmap : ndarray, shape of ``patch``
    patch : Patch
        2-D or 3-D.
    shown : Patch
        A 2-D sheet.

    Returns
    -------
    ndarray of float32, shape of ``shown``
        0 where the sheet leaves the patch.
    """
    return onto_sheet(patch, shown)(heatmap)


def onto_sheet(patch: Patch, shown: Patch) -> Callable[[np.ndarray], np.ndarray]:
    """Prepare :func:`on_sheet` for many heat maps of one patch.

    Where the sheet's samples lie in the patch is worked out once, not for every map.

    Returns
    -------
    callable
        Takes a heat map of the patch, returns it on the sheet.
    """
    if patch.frame is shown.frame:
        return lambda heatmap: np.asarray(heatmap, dtype=np.float32)
    rows, columns = shown.frame.shape
    index = np.moveaxis(np.indices((rows, columns), dtype=float), 0, -1)
    there = np.moveaxis(np.asarray(patch.frame.to_patch(shown.frame.to_mm(index))), -1, 0)
    return lambda heatmap: map_coordinates(
        heatmap, there[: heatmap.ndim], output=np.float32, order=1, mode="constant", cval=0.0
    )
