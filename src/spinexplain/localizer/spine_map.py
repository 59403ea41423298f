"""Where the spine is in a whole scan at 4 mm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinexplain.localizer.coarse import padded
from spinexplain.models.localizing import CURVE_STRIDE, as_densities
from spinexplain.types import Volume

CurveAnswers = Callable[[np.ndarray], np.ndarray]
"""From densities (1, 1, X, Y, Z) to logits (1, 4, X, Y, Z)."""

_AIR_HU = -1000.0
_LEAST = 4 * CURVE_STRIDE


def spine_map(whole: Volume, network: CurveAnswers) -> np.ndarray:
    """Return the probability of every region, shape (4, X, Y, Z), float32.

    Parameters
    ----------
    whole : Volume
        At 4 mm, axes right, anterior, cranial.
    network : callable
        From densities (1, 1, X, Y, Z) to logits (1, 4, X, Y, Z); sides are multiples of 8.
    """
    array = whole.array
    wide = padded(_at_least(array), CURVE_STRIDE, _AIR_HU)
    logits = network(as_densities(wide)[None, None])[0]
    x, y, z = (slice(0, n) for n in array.shape)
    shown = logits[:, x, y, z]
    shown = np.exp(shown - shown.max(axis=0))
    return np.asarray(shown / shown.sum(axis=0), np.float32)


def _at_least(array: np.ndarray) -> np.ndarray:
    wide = [(0, max(_LEAST - n, 0)) for n in array.shape]
    return np.pad(array, wide, constant_values=_AIR_HU)
