"""Slices in any order become a lattice: sorted, checked for gaps, with its affine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinexplain.errors import GeometryError
from spinexplain.io.dicom_slices import SliceHeader

_SAME_PLACE_MM = 1e-3
_ROUNDING_MM = 0.06  # positions written with one decimal are off by up to 0.05 mm
_GAP_TOLERANCE = 0.25  # of the usual gap
_LINE_TOLERANCE_MM = 0.1
_ALTERNATING = 3  # changes per acquisition, from which they do not follow each other
_NAMED = 5  # how many places a message lists

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order along their normal.

    Parameters
    ----------
    places : tuple of tuples of SliceHeader
        One entry per slice position, ascending along the normal; more than one header in
        an entry where slices lie on each other.
    affine : ndarray, shape (4, 4)
        (column, row, slice) to RAS+ mm; sheared when the gantry was tilted.
    tilt_degrees : float
        Angle between the direction of stacking and the slice normal, 0 without tilt.
    """

    places: tuple[tuple[SliceHeader, ...], ...]
    affine: np.ndarray
    tilt_degrees: float


def stack_slices(name: str, slices: Sequence[SliceHeader]) -> Stack:
    """Sort slices along their normal and derive the affine of the lattice they form.

    Parameters
    ----------
    name : str
        What to call the series in messages.
    slices : sequence of SliceHeader
        Of one orientation, size and pixel spacing, in any order.

    Raises
    ------
    GeometryError
        If there are fewer than two positions, slices are missing, unevenly spaced, or
        shifted sideways from their common line; the positions are named. Also if slices of
        several acquisitions alternate.

    Notes
    -----
    DICOM PS3.3 C.7.6.2.1.1: P = position + column x spacing[1] x row axis + row x
    spacing[0] x column axis. The third step is (last - first) / (n - 1) of the positions
    themselves, not of slice thickness, so a tilted gantry gives a sheared affine.
    """
    first = slices[0]
    row_axis, column_axis = np.reshape(first.orientation, (2, 3))
    normal = np.cross(row_axis, column_axis)
    depths = np.array([np.dot(item.position_mm, normal) for item in slices])
    places = _places(slices, depths)
    _check_same_place(name, places)
    positions = np.array([place[0].position_mm for place in places])
    if len(places) < 2:
        raise GeometryError(
            f"{name}: has slices at one position only; expected a volume of at least two."
        )
    _check_one_acquisition(name, places)
    _check_gaps(name, positions @ normal)
    step = (positions[-1] - positions[0]) / (len(places) - 1)
    _check_line(name, positions, step, normal)
    row_step, column_step = first.pixel_spacing_mm
    lps = np.eye(4)
    lps[:3] = np.column_stack([row_axis * column_step, column_axis * row_step, step, positions[0]])
    return Stack(places, _LPS_TO_RAS @ lps, _degrees(step, normal))


def _degrees(step: np.ndarray, normal: np.ndarray) -> float:
    along = float(step @ normal)
    return float(np.degrees(np.arctan2(np.linalg.norm(step - along * normal), along)))


def _places(
    slices: Sequence[SliceHeader], depths: np.ndarray
) -> tuple[tuple[SliceHeader, ...], ...]:
    order = np.argsort(depths, kind="stable")
    breaks = np.flatnonzero(np.diff(depths[order]) > _SAME_PLACE_MM) + 1
    return tuple(tuple(slices[i] for i in part) for part in np.split(order, breaks))


def _check_same_place(name: str, places: tuple[tuple[SliceHeader, ...], ...]) -> None:
    for place in places:
        corners = np.array([item.position_mm for item in place])
        if np.ptp(corners, axis=0).max() > _LINE_TOLERANCE_MM:
            raise GeometryError(
                f"{name}: two slices lie side by side in one plane, at "
                f"{corners[0].round(2).tolist()} and {corners[-1].round(2).tolist()} mm (LPS); "
                "expected one slice per position. Export one acquisition alone."
            )


def _check_one_acquisition(name: str, places: Sequence[Sequence[SliceHeader]]) -> None:
    """Refuse acquisitions that alternate along the spine: phases, or breaths, mixed into one.

    Acquisitions that follow each other, as of an axial scan table position by table position,
    are one volume.
    """
    numbers = [place[0].acquisition for place in places]
    several = set(numbers)
    changes = sum(one != other for one, other in pairwise(numbers))
    if None in several or changes < _ALTERNATING * len(several):
        return
    shown = ", ".join(map(str, sorted(number for number in several if number is not None)))
    raise GeometryError(
        f"{name}: slices of {len(several)} acquisitions (numbers {shown}) alternate, {changes} "
        "times along the slice normal; expected one acquisition, or one after the other. They "
        "may be phases of contrast medium: export one acquisition alone."
    )


def _check_gaps(name: str, depths: np.ndarray) -> None:
    gaps = np.diff(depths)
    usual = float(np.median(gaps))
    odd = np.flatnonzero(np.abs(gaps - usual) > _GAP_TOLERANCE * usual + _ROUNDING_MM)
    if not odd.size:
        return
    if np.all(gaps[odd] > 1.5 * usual):
        finding = f"slices are missing (they are {usual:.3g} mm apart elsewhere)"
    else:
        finding = f"slices are not evenly spaced ({gaps.min():.3g} to {gaps.max():.3g} mm)"
    spans = [f"{depths[i]:.2f} and {depths[i + 1]:.2f} mm" for i in odd[:_NAMED]]
    more = f" and {odd.size - _NAMED} more places" if odd.size > _NAMED else ""
    raise GeometryError(
        f"{name}: {finding} between {'; '.join(spans)}{more} along the slice normal; "
        "expected even spacing. Export the whole series again."
    )


def _check_line(name: str, positions: np.ndarray, step: np.ndarray, normal: np.ndarray) -> None:
    expected = positions[0] + np.arange(len(positions))[:, None] * step
    off = np.linalg.norm(positions - expected, axis=1)
    if off.max() <= _LINE_TOLERANCE_MM + _GAP_TOLERANCE / 2 * np.linalg.norm(step):
        return
    worst = int(off.argmax())
    raise GeometryError(
        f"{name}: the slice at {positions[worst] @ normal:.2f} mm along the normal lies "
        f"{off[worst]:.2f} mm off the line through the others; expected slices stacked on a "
        "straight line. Export the series again, or one acquisition of it."
    )
