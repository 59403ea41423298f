"""Further views of one vertebra for a reader: parasagittal, coronal, axial."""

from __future__ import annotations

from collections.abc import Sequence

from spinexplain.spine.reformat import box_frame, sample_patch, sheet_frame
from spinexplain.types import Patch, Vertebra, Volume

_SIDE = 112


def parasagittal(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    vertebra: Vertebra,
    offset_mm: float,
    shape: tuple[int, int] = (_SIDE, _SIDE),
    spacing_mm: float = 1.0,
) -> Patch:
    """Sample the sagittal sheet ``offset_mm`` towards the patient's left of the midline.

    Returns
    -------
    Patch
        Row 0 is cranial, column 0 anterior; its frame places it like any other sheet.

    Raises
    ------
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`.
    """
    frame = sheet_frame(vertebrae, vertebra, shape, spacing_mm, offset_mm)
    return sample_patch(volume, vertebra, frame)


def coronal(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    vertebra: Vertebra,
    shape: tuple[int, int] = (_SIDE, _SIDE),
    spacing_mm: float = 1.0,
) -> Patch:
    """Sample the plane through the body's center along the spine and left to right.

    Returns
    -------
    Patch
        Of shape (rows, 1, columns): row 0 is cranial, column 0 the patient's right, so that
        the patient's left is on the viewer's right.

    Raises
    ------
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`.
    """
    frame = box_frame(vertebrae, vertebra, (shape[0], 1, shape[1]), spacing_mm)
    return sample_patch(volume, vertebra, frame)


def axial(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    vertebra: Vertebra,
    shape: tuple[int, int] = (_SIDE, _SIDE),
    spacing_mm: float = 1.0,
) -> Patch:
    """Sample the plane through the body's center, square to the spine.

    Returns
    -------
    Patch
        Of shape (1, rows, columns): row 0 is anterior, column 0 the patient's right, so
        that the patient's left is on the viewer's right.

    Raises
    ------
    LabelError, GeometryError
        As :func:`spinexplain.spine.curve.spine_curve`.
    """
    frame = box_frame(vertebrae, vertebra, (1, *shape), spacing_mm)
    return sample_patch(volume, vertebra, frame)
