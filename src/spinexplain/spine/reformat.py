"""Sheets and boxes along the spine, and the patches sampled on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spinexplain.errors import ConfigError
from spinexplain.geometry import BoxFrame, SheetFrame, apply_affine, box_axes
from spinexplain.spine.curve import centers_mm, coronal_curve, fold_flag, locate, spine_curve
from spinexplain.spine.sampling import sample_labels, sample_volume
from spinexplain.spine.straighten import straightened_frame
from spinexplain.types import Frame, Patch, Vertebra, Volume

__all__ = [
    "box_frame",
    "fold_flag",
    "overview_frame",
    "reformat",
    "sample_labels",
    "sample_patch",
    "sample_volume",
    "sheet_frame",
    "spine_curve",
]

SHEET_SHAPE = (112, 112)
BOX_SHAPE = (96, 96, 96)
_OVERVIEW_MARGIN_MM = 40.0
_OVERVIEW_ANTERIOR_MM = 40.0  # from the centers past the front of bodies
_OVERVIEW_POSTERIOR_MM = 70.0  # from the centers to the tips of the spinous processes


def sheet_frame(
    vertebrae: Sequence[Vertebra],
    vertebra: Vertebra,
    shape: tuple[int, int] = SHEET_SHAPE,
    spacing_mm: float = 1.0,
    offset_mm: float = 0.0,
) -> SheetFrame:
    """Lay a sagittal sheet along the spine, centered on one vertebral body.

    Parameters
    ----------
    vertebrae : sequence of Vertebra
        All of the scan; they give the left-right course.
    vertebra : Vertebra
        The one in the middle; one of ``vertebrae``.
    shape : tuple of 2 ints
        Rows (cranial to caudal), columns (anterior to posterior).
    spacing_mm : float
    offset_mm : float
        Shift of the whole sheet towards the patient's left: a parasagittal view.

    Raises
    ------
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`; also if ``vertebra`` is not among them.
    """
    _check_sampling(shape, 2, spacing_mm)
    coronal = coronal_curve(vertebrae)
    at = locate(vertebrae, vertebra)
    s_center = float(coronal.knots_s_mm[at])
    y_center = float(vertebra.centroid_mm[1])
    return SheetFrame(coronal, s_center, y_center, shape, spacing_mm, offset_mm)


def box_frame(
    vertebrae: Sequence[Vertebra],
    vertebra: Vertebra,
    shape: tuple[int, int, int] = BOX_SHAPE,
    spacing_mm: float = 1.0,
) -> BoxFrame:
    """Set a rigid box on one vertebral body, upright along the spine's curve.

    Parameters
    ----------
    vertebrae : sequence of Vertebra
        All of the scan; they give the tangent.
    vertebra : Vertebra
        The one in the middle; one of ``vertebrae``.
    shape : tuple of 3 ints
        Samples along caudal, posterior, left. 1 makes it a plane: (112, 1, 112) is coronal,
        (1, 112, 112) axial.
    spacing_mm : float

    Raises
    ------
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`; also if ``vertebra`` is not among them.
    """
    _check_sampling(shape, 3, spacing_mm)
    curve = spine_curve(vertebrae)
    tangent = curve.tangent(curve.knots_s_mm[locate(vertebrae, vertebra)])
    return BoxFrame(np.array(vertebra.centroid_mm), box_axes(tangent), shape, spacing_mm)


def overview_frame(
    vertebrae: Sequence[Vertebra], volume: Volume, spacing_mm: float = 1.0
) -> SheetFrame:
    """Lay a sheet along the whole spine, from bodies to spinous processes.

    It reaches 40 mm past the first and the last center, or to where the scan ends; from
    40 mm before the foremost to 70 mm behind the hindmost center, so that a kyphotic spine
    stays in view.

    Raises
    ------
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`.
    """
    coronal = coronal_curve(vertebrae)
    y = centers_mm(vertebrae)[:, 1]
    s = np.arange(-_OVERVIEW_MARGIN_MM, coronal.length_mm + _OVERVIEW_MARGIN_MM + 0.5, 1.0)
    xz = coronal.at(s)
    points = np.stack([xz[:, 0], np.interp(s, coronal.knots_s_mm, y), xz[:, 1]], axis=-1)
    ijk = apply_affine(np.linalg.inv(volume.affine), points)
    beyond = np.any((ijk < -0.5) | (ijk > np.array(volume.array.shape) - 0.5), axis=-1)
    first = max(s[beyond & (s < 0)], default=s[0])
    last = min(s[beyond & (s > coronal.length_mm)], default=s[-1])
    front, back = y.max() + _OVERVIEW_ANTERIOR_MM, y.min() - _OVERVIEW_POSTERIOR_MM
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in volume.array.shape]))
    scan_y = apply_affine(volume.affine, corners.reshape(3, -1).T)[:, 1]
    front, back = min(front, scan_y.max()), max(back, scan_y.min())
    shape = (
        max(int((last - first) / spacing_mm), 1),
        max(int((front - back) / spacing_mm), 1),
    )
    return SheetFrame(coronal, (first + last) / 2, (front + back) / 2, shape, spacing_mm)


def reformat(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    kind: str = "2d",
    shape: tuple[int, ...] | None = None,
    spacing_mm: float = 1.0,
) -> list[Patch]:
    """Sample one patch a vertebra, straight from the CT's native grid.

    Parameters
    ----------
    volume : Volume
    vertebrae : sequence of Vertebra
    kind : {"2d", "3d", "3d-straightened"}
        Sheets that follow the spine left-right, or rigid boxes. Row-wise straightened
        blocks are there for comparison only: they hide part of a wedge.
    shape : tuple of ints, optional
        Of each patch; (112, 112) or (96, 96, 96) if left out.
    spacing_mm : float

    Returns
    -------
    list of Patch
        In the order of ``vertebrae``.

    Raises
    ------
    ConfigError
        If ``kind`` is unknown, or the shape does not belong to it.
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`.
    """
    if kind not in _FRAMES:
        raise ConfigError(f"kind is {kind!r}; expected one of {', '.join(_FRAMES)}.")
    lay, default_shape = _FRAMES[kind]
    frames = [lay(vertebrae, one, shape or default_shape, spacing_mm) for one in vertebrae]
    return [
        sample_patch(volume, vertebra, frame)
        for vertebra, frame in zip(vertebrae, frames, strict=True)
    ]


def sample_patch(volume: Volume, vertebra: Vertebra, frame: Frame, smooth: bool = True) -> Patch:
    """Sample a frame into a patch that knows where it lies; see :func:`sample_volume`."""
    array, outside = sample_volume(volume, frame, smooth)
    return Patch(vertebra, array, frame, outside)


_FRAMES: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "2d": (sheet_frame, SHEET_SHAPE),
    "3d": (box_frame, BOX_SHAPE),
    "3d-straightened": (straightened_frame, BOX_SHAPE),
}


def _check_sampling(shape: tuple[int, ...], dimensions: int, spacing_mm: float) -> None:
    if len(shape) != dimensions or min(shape) < 1:
        raise ConfigError(f"shape is {shape}; expected {dimensions} positive numbers.")
    if not 0 < spacing_mm < 100:
        raise ConfigError(f"spacing_mm is {spacing_mm}; expected a positive number.")
