"""Sizes no CT scan of a person can have, refused before any memory is taken for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinexplain.errors import GeometryError

_SPACING_MM = (0.03, 25.0)
_LONGEST_MM = 4000.0
_FARTHEST_MM = 1e5  # from the origin of the scanner
_MOST_SHEAR_DEGREES = 50.0  # gantries tilt by 30 at most
_LEAST_VOLUME = 1e-6  # of the box of the same spacings: axes are nearly parallel below


def check_geometry(name: str, affine: np.ndarray, shape: Sequence[int], units: str = "") -> None:
    """Refuse a grid that cannot be a scan of a person.

    Parameters
    ----------
    name : str
        What to call the file in messages.
    affine : ndarray, shape (4, 4)
        Voxel index to mm.
    shape : sequence of 3 ints
    units : str
        What the file says its numbers are in, for the message.

    Raises
    ------
    GeometryError
        If the affine is not finite or singular, its axes are far from a right angle, voxels
        are shorter than 0.03 or longer than 25 mm, the scan is longer than 4 m or lies over
        100 m from the origin.

    Examples
    --------
    >>> check_geometry("ct", np.diag([800.0, 800, 1000, 1]), (512, 512, 300), "unknown units")
    Traceback (most recent call last):
    ...
    spinexplain.errors.GeometryError: ct: voxels of 800 x 800 x 1000 mm (unknown units) ...
    """
    _check_independent(name, affine)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    stated = f" ({units})" if units else ""
    listed = " x ".join(f"{step:.4g}" for step in spacing)
    if spacing.min() < _SPACING_MM[0] or spacing.max() > _SPACING_MM[1]:
        raise GeometryError(
            f"{name}: voxels of {listed} mm{stated} are no CT of a person; expected "
            f"{_SPACING_MM[0]:g} to {_SPACING_MM[1]:g} mm. Check the voxel spacing and its unit "
            "(xyzt_units, pixdim) in the header."
        )
    extent = spacing * np.array(shape)
    if extent.max() > _LONGEST_MM:
        sizes = " x ".join(f"{side:.4g}" for side in extent)
        raise GeometryError(
            f"{name}: the scan is {sizes} mm large{stated}; expected at most "
            f"{_LONGEST_MM:g} mm. Check the voxel spacing and its unit in the header."
        )
    if np.abs(affine[:3, 3]).max() > _FARTHEST_MM:
        raise GeometryError(
            f"{name}: the scan lies at {affine[:3, 3].round(1).tolist()} mm; expected a position "
            f"within {_FARTHEST_MM:g} mm of the origin. Repair the header."
        )


def _check_independent(name: str, affine: np.ndarray) -> None:
    axes = affine[:3, :3]
    lengths = np.linalg.norm(axes, axis=0) if np.all(np.isfinite(affine)) else np.zeros(3)
    volume = abs(np.linalg.det(axes)) if lengths.all() else 0.0
    if not volume > _LEAST_VOLUME * np.prod(lengths):
        raise GeometryError(
            f"{name}: the affine is singular ({affine[:3].round(4).tolist()}); expected three "
            "independent axes of non-zero spacing. Repair the header (sform, qform, pixdim)."
        )
    units = axes / lengths
    cosine = float(np.abs(units.T @ units - np.diag(np.diag(units.T @ units))).max())
    degrees = float(np.degrees(np.arcsin(min(cosine, 1.0))))
    if degrees > _MOST_SHEAR_DEGREES:
        raise GeometryError(
            f"{name}: two axes of the scan are {degrees:.0f} degrees off a right angle; expected "
            f"at most {_MOST_SHEAR_DEGREES:.0f} (a tilted gantry). Repair the header."
        )
