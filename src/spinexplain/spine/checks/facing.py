"""Whether the arches lie behind the bodies and the levels one above the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError
from spinexplain.types import Vertebra

_LEAST_OFFSET_MM = 5.0  # of bone and body; masks of bodies alone have none
_MOST_DEGREES = 60.0
_FEWEST_LEVELS = 3


def check_facing(
    vertebrae: Sequence[Vertebra], bone_centers_mm: Mapping[VertebraLevel, np.ndarray]
) -> bool:
    """Refuse a scan whose axes are not the patient's, as the vertebrae themselves show.

    Parameters
    ----------
    vertebrae : sequence of Vertebra
        With the centers of their bodies.
    bone_centers_mm : mapping of VertebraLevel to ndarray, shape (3,)
        Centers of the whole bones, RAS+ mm: 10 to 20 mm behind those of the bodies.

    Returns
    -------
    bool
        Whether the bones have arches: labels of bodies alone say nothing.

    Raises
    ------
    GeometryError
        If the arches lie in front of the bodies or beside them, or the spine does not run
        from head to foot.

    Examples
    --------
    >>> l1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
    >>> check_facing([l1], {VertebraLevel.L1: np.array([0.0, -14.0, -3.0])})
    True
    >>> check_facing([l1], {VertebraLevel.L1: np.array([0.0, 14.0, -3.0])})
    Traceback (most recent call last):
    ...
    spinexplain.errors.GeometryError: the arches lie 14 mm in front of the bodies; ...
    """
    check_runs_caudally(vertebrae)
    offsets = np.array(
        [bone_centers_mm[v.level] - v.centroid_mm for v in vertebrae if v.level in bone_centers_mm]
    ).reshape(-1, 3)
    if not len(offsets):
        return False
    x, y = np.median(offsets[:, :2], axis=0)
    if np.hypot(x, y) < _LEAST_OFFSET_MM:
        return False
    if np.degrees(np.arctan2(abs(x), -y)) <= _MOST_DEGREES:
        return True
    where = "in front of" if y > abs(x) else "beside"
    distance = y if y > abs(x) else abs(x)
    raise GeometryError(
        f"the arches lie {distance:.0f} mm {where} the bodies; expected behind them. The "
        "orientation in the header is wrong (front and back exchanged, or axes swapped): "
        "convert the scan and its mask again."
    )


def check_runs_caudally(vertebrae: Sequence[Vertebra]) -> None:
    """Refuse levels that lie side by side: the scan's axes are not the patient's.

    Raises
    ------
    GeometryError
        If three or more levels are further apart across the body than along it, by over 60
        degrees.
    """
    if len(vertebrae) < _FEWEST_LEVELS:
        return
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    centers = np.array([vertebra.centroid_mm for vertebra in ordered])
    along = np.median(np.diff(centers, axis=0), axis=0)
    across = float(np.hypot(*along[:2]))
    if across == 0.0 or np.degrees(np.arctan2(across, abs(along[2]))) <= _MOST_DEGREES:
        return
    raise GeometryError(
        f"the levels lie side by side ({across:.0f} mm across, {abs(along[2]):.0f} mm along the "
        "body per level); expected one above the other. The axes in the header are swapped: "
        "convert the scan and its mask again."
    )
