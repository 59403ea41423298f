"""The spine's curve through the centers of the vertebral bodies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spinexplain.errors import LabelError
from spinexplain.geometry import Curve, fit_curve
from spinexplain.types import Vertebra

_CAUDAL = np.array([0.0, 0.0, -1.0])


def spine_curve(vertebrae: Sequence[Vertebra]) -> Curve:
    """Pass a curve in space through the body centers, from cranial to caudal.

    Raises
    ------
    LabelError
        If there is no vertebra, a level comes twice, or the levels run upwards.
    GeometryError
        If two neighboring centers coincide.

    Examples
    --------
    >>> from spinexplain.anatomy import VertebraLevel
    >>> pair = [Vertebra(VertebraLevel.L1, (0, 0, 0)), Vertebra(VertebraLevel.L2, (0, 0, -35))]
    >>> spine_curve(pair).length_mm
    35.0
    """
    return fit_curve(centers_mm(vertebrae), _CAUDAL)


def coronal_curve(vertebrae: Sequence[Vertebra]) -> Curve:
    """Pass a curve through the body centers as seen from the front, in (x, z).

    Raises
    ------
    LabelError, GeometryError
        As :func:`spine_curve`.
    """
    return fit_curve(centers_mm(vertebrae)[:, [0, 2]], _CAUDAL[[0, 2]])


def centers_mm(vertebrae: Sequence[Vertebra]) -> np.ndarray:
    """Return the body centers in RAS+ mm from cranial to caudal, shape (n, 3).

    Raises
    ------
    LabelError
        As :func:`spine_curve`.
    """
    ordered = _ordered(vertebrae)
    if not ordered:
        raise LabelError("no vertebra is given; expected at least one. Check the mask's labels.")
    for upper, lower in pairwise(ordered):
        if upper.level is lower.level:
            raise LabelError(f"{upper.level.value} comes twice; expected each level once.")
    centers = np.array([vertebra.centroid_mm for vertebra in ordered], dtype=float)
    if len(ordered) > 1 and centers[-1, 2] >= centers[0, 2]:
        raise LabelError(
            f"{ordered[0].level.value} lies below {ordered[-1].level.value} (z "
            f"{centers[0, 2]:.0f} and {centers[-1, 2]:.0f} mm); expected levels from top to "
            "bottom. Check the label scheme and the orientation in the header."
        )
    return centers


def locate(vertebrae: Sequence[Vertebra], vertebra: Vertebra) -> int:
    """Return a vertebra's position in cranio-caudal order, the index of its knot.

    Raises
    ------
    LabelError
        If its level is not among those given.
    """
    levels = [one.level for one in _ordered(vertebrae)]
    if vertebra.level not in levels:
        names = ", ".join(level.value for level in levels)
        raise LabelError(f"{vertebra.level.value} is not among the vertebrae given ({names}).")
    return levels.index(vertebra.level)


def fold_flag(curve: Curve, s_mm: float, half_rows_mm: float, beside_mm: float) -> bool:
    """Say whether the sheets along a curve fold onto themselves within a crop.

    Parameters
    ----------
    curve : Curve, D = 2
        As seen from the front, (x, z), cranial to caudal.
    s_mm : float
        Arc length of the crop's center.
    half_rows_mm : float
        How far the crop's rows reach up and down.
    beside_mm : float
        How far sheets are moved to either side.

    Returns
    -------
    bool
        True if, within the rows, the radius of curvature is under ``beside_mm`` or the curve
        runs upwards.

    Examples
    --------
    >>> line = fit_curve(np.array([[0.0, 90], [0.0, 0]]), np.array([0.0, -1]))
    >>> fold_flag(line, 45.0, 56.0, 12.0)
    False
    """
    s = np.arange(s_mm - half_rows_mm, s_mm + half_rows_mm + 0.5, 1.0)
    too_sharp = np.max(curve.curvature_per_mm(s)) * beside_mm > 1.0
    return bool(too_sharp or np.max(curve.tangent(s)[:, 1]) >= 0.0)


def _ordered(vertebrae: Sequence[Vertebra]) -> list[Vertebra]:
    return sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
