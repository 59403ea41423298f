"""Where the slices of a DICOM file lie, how they become HU, or why they cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LARGEST_SIDE = 8192  # several times the matrix of any scanner; keeps broken headers small
_LARGEST_RESCALE = 1e6
_HOUNSFIELD_TYPES = ("", "HU", "HU_MOD", "US")  # US: unspecified, as older scanners write


@dataclass(frozen=True)
class SliceHeader:
    """Where one slice lies and how its stored values become HU.

    Parameters
    ----------
    source, frame : int
        Number of the file in the listing, and of the frame in the file.
    position_mm : tuple of 3 floats
        Center of the first pixel, DICOM's LPS axes.
    orientation : tuple of 6 floats
        Unit vectors along a row and along a column, LPS.
    pixel_spacing_mm : tuple of 2 floats
        Between rows, between columns.
    rows, columns : int
    slope, intercept : float
        HU = slope x stored + intercept.
    stored_range : tuple of 2 ints
        What the declared bits can hold.
    localizer : bool
        Whether it is a scout image.
    """

    source: int
    frame: int
    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing_mm: tuple[float, ...]
    rows: int
    columns: int
    slope: float
    intercept: float
    stored_range: tuple[int, int]
    localizer: bool


class UnusableError(Exception):
    """A reason why a file cannot be part of a CT volume."""


def slices_of(dataset: Dataset, source: int, modality: str) -> tuple[SliceHeader, ...]:
    """Read the slices of a file, one a frame.

    Parameters
    ----------
    dataset : pydicom Dataset
    source : int
        Number of the file in the listing.
    modality : str

    Raises
    ------
    UnusableError
        If it cannot be part of a CT volume.
    """
    if modality != "CT":
        raise UnusableError(f"modality {modality or 'missing'}, expected CT")
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise UnusableError("no image in it")
    if max(int(dataset.Rows), int(dataset.Columns)) > _LARGEST_SIDE:
        raise UnusableError(
            f"{dataset.Rows} x {dataset.Columns} pixels, expected at most "
            f"{_LARGEST_SIDE} x {_LARGEST_SIDE}"
        )
    if int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise UnusableError("a color picture, expected gray values")
    if "ModalityLUTSequence" in dataset:
        raise UnusableError("values in a lookup table, expected Rescale Slope and Intercept")
    if "PerFrameFunctionalGroupsSequence" in dataset:
        frames = dataset.PerFrameFunctionalGroupsSequence
        return tuple(_enhanced_slice(dataset, source, i) for i in range(len(frames)))
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise UnusableError("several frames without their positions")
    return (_classic_slice(dataset, source),)


def _classic_slice(dataset: Dataset, source: int) -> SliceHeader:
    return _slice(
        dataset,
        source=source,
        frame=0,
        position=dataset.get("ImagePositionPatient"),
        orientation=dataset.get("ImageOrientationPatient"),
        spacing=dataset.get("PixelSpacing"),
        rescale=dataset,
        image_type=dataset.get("ImageType"),
    )


def _enhanced_slice(dataset: Dataset, source: int, frame: int) -> SliceHeader:
    def group(sequence: str) -> Any:
        shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
        for owner in (dataset.PerFrameFunctionalGroupsSequence[frame], shared[0]):
            if owner.get(sequence):
                return owner.get(sequence)[0]
        return {}

    return _slice(
        dataset,
        source=source,
        frame=frame,
        position=group("PlanePositionSequence").get("ImagePositionPatient"),
        orientation=group("PlaneOrientationSequence").get("ImageOrientationPatient"),
        spacing=group("PixelMeasuresSequence").get("PixelSpacing"),
        rescale=group("PixelValueTransformationSequence"),
        image_type=group("CTImageFrameTypeSequence").get("FrameType", dataset.get("ImageType")),
    )


def _slice(
    dataset: Dataset,
    *,
    source: int,
    frame: int,
    position: Any,
    orientation: Any,
    spacing: Any,
    rescale: Any,
    image_type: Any,
) -> SliceHeader:
    bits = int(dataset.get("BitsStored", 16))
    signed = int(dataset.get("PixelRepresentation", 0)) == 1
    slope, intercept = _rescale(rescale)
    return SliceHeader(
        source=source,
        frame=frame,
        position_mm=_numbers("position", position, 3),
        orientation=_checked_orientation(_numbers("orientation", orientation, 6)),
        pixel_spacing_mm=_checked_spacing(_numbers("pixel spacing", spacing, 2)),
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        slope=slope,
        intercept=intercept,
        stored_range=(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1),
        localizer="LOCALIZER" in [str(value).upper() for value in image_type or ()],
    )


def _numbers(what: str, value: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in np.ravel(() if value is None else value))
    if len(numbers) != count or not np.all(np.isfinite(numbers)):
        raise UnusableError(f"no usable image {what}")
    return numbers


def _checked_orientation(orientation: tuple[float, ...]) -> tuple[float, ...]:
    axes = np.reshape(orientation, (2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), atol=1e-2):
        raise UnusableError("an image orientation that is not two perpendicular unit vectors")
    return orientation


def _checked_spacing(spacing: tuple[float, ...]) -> tuple[float, ...]:
    if min(spacing) <= 0:
        raise UnusableError("a pixel spacing of zero or less")
    return spacing


def _rescale(group: Any) -> tuple[float, float]:
    slope = float(group.get("RescaleSlope", 1.0))
    intercept = float(group.get("RescaleIntercept", 0.0))
    unit = str(group.get("RescaleType") or "").strip().upper()
    if unit not in _HOUNSFIELD_TYPES:
        raise UnusableError(f"values in {unit[:16]}, expected HU")
    if not max(abs(slope), abs(intercept)) <= _LARGEST_RESCALE or slope == 0:
        raise UnusableError("no usable rescale slope and intercept")
    return slope, intercept
