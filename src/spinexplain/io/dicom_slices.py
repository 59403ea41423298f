"""Where the slices of a DICOM file lie, how they become HU, or why they cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.io.dicom_bits import lowest_bit
from spinexplain.io.dicom_kinds import computed_values, is_scout, no_scan
from spinexplain.io.dicom_values import UnusableError, numbers_of, spoken, whole_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LARGEST_SIDE = 8192  # several times the matrix of any scanner; keeps broken headers small
_LARGEST_RESCALE = 1e6
_FARTHEST_MM = 1e5
_BITS = 0xFFFF
_NO_VALUE = 1 << 20  # no 16-bit element holds it
_NEEDED_TO_DECODE = {
    "PixelRepresentation": "whether values are signed",
    "BitsAllocated": "how many bits a value takes",
    "BitsStored": "how many bits of a value count",
    "SamplesPerPixel": "how many values a pixel has",
    "PhotometricInterpretation": "what the values are",
}
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
    rescaled : bool
        Whether the file states slope and intercept, which CT images have to.
    padding : tuple of 2 ints or None
        Lowest and highest stored value, as 16 unsigned bits, that stands for no data.
    acquisition : int or None
        Its number; None where the file states none.
    lowest_bit : int
        Number of the lowest bit of a stored value; 0 but for values aligned to the left.
    computed : str
        How its HU were computed; empty where they were measured.
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
    rescaled: bool = True
    padding: tuple[int, int] | None = None
    acquisition: int | None = None
    lowest_bit: int = 0
    computed: str = ""


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
    rows, columns = whole_of(dataset, "Rows", 0), whole_of(dataset, "Columns", 0)
    if not rows or not columns:
        raise UnusableError("no image in it")
    if max(rows, columns) > _LARGEST_SIDE:
        raise UnusableError(
            f"{rows} x {columns} pixels, expected at most {_LARGEST_SIDE} x {_LARGEST_SIDE}"
        )
    if whole_of(dataset, "SamplesPerPixel", 1) != 1:
        raise UnusableError("a color picture, expected gray values")
    if "ModalityLUTSequence" in dataset:
        raise UnusableError("values in a lookup table, expected Rescale Slope and Intercept")
    if "PerFrameFunctionalGroupsSequence" in dataset:
        frames = dataset.PerFrameFunctionalGroupsSequence
        return tuple(_enhanced_slice(dataset, source, i) for i in range(len(frames)))
    if whole_of(dataset, "NumberOfFrames", 1) != 1:
        raise UnusableError("several frames without their positions")
    return (_classic_slice(dataset, source),)


def _classic_slice(dataset: Dataset, source: int) -> SliceHeader:
    return _slice(
        dataset,
        source=source,
        frame=0,
        position=dataset,
        orientation=dataset,
        spacing=dataset,
        rescale=dataset,
        image_type=dataset.get("ImageType"),
    )


def _enhanced_slice(dataset: Dataset, source: int, frame: int) -> SliceHeader:
    def group(sequence: str, *keywords: str) -> Dataset:
        """Return the group that holds the keywords: the frame's, the shared or the file."""
        shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
        for owner in (dataset.PerFrameFunctionalGroupsSequence[frame], shared[0]):
            found = owner.get(sequence)
            if found and all(keyword in found[0] for keyword in keywords):
                return found[0]
        return dataset

    frame_type = group("CTImageFrameTypeSequence", "FrameType")
    return _slice(
        dataset,
        source=source,
        frame=frame,
        position=group("PlanePositionSequence", "ImagePositionPatient"),
        orientation=group("PlaneOrientationSequence", "ImageOrientationPatient"),
        spacing=group("PixelMeasuresSequence", "PixelSpacing"),
        rescale=group("PixelValueTransformationSequence", "RescaleSlope", "RescaleIntercept"),
        image_type=frame_type.get("FrameType", dataset.get("ImageType")),
    )


def _slice(
    dataset: Dataset,
    *,
    source: int,
    frame: int,
    position: Dataset,
    orientation: Dataset,
    spacing: Dataset,
    rescale: Dataset,
    image_type: Any,
) -> SliceHeader:
    for keyword, why in _NEEDED_TO_DECODE.items():
        if _is_missing(dataset, keyword):
            raise UnusableError(f"no {spoken(keyword)}, which says {why}")
    if reason := no_scan(image_type):
        raise UnusableError(reason)
    bits = whole_of(dataset, "BitsStored", 16)
    signed = whole_of(dataset, "PixelRepresentation", 0) == 1
    slope, intercept, rescaled = _rescale(rescale)
    axes = _needed(orientation, "ImageOrientationPatient", 6, "image orientation")
    return SliceHeader(
        source=source,
        frame=frame,
        position_mm=_checked_position(
            _needed(position, "ImagePositionPatient", 3, "image position")
        ),
        orientation=_checked_orientation(axes),
        pixel_spacing_mm=_checked_spacing(
            _needed(spacing, "PixelSpacing", 2, "image pixel spacing")
        ),
        rows=whole_of(dataset, "Rows", 0),
        columns=whole_of(dataset, "Columns", 0),
        slope=slope,
        intercept=intercept,
        stored_range=(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1),
        localizer=is_scout(image_type),
        rescaled=rescaled,
        padding=_padding(dataset),
        acquisition=_acquisition(dataset),
        lowest_bit=lowest_bit(dataset, bits),
        computed=computed_values(image_type),
    )


def _is_missing(dataset: Dataset, keyword: str) -> bool:
    try:
        return dataset.get(keyword) in (None, "")
    except Exception:  # values are converted on access: what is odd is there, and decoders judge it
        return False


def _acquisition(dataset: Dataset) -> int | None:
    try:
        number = whole_of(dataset, "AcquisitionNumber", -1)
    except UnusableError:
        return None
    return None if number < 0 else number


def _needed(owner: Dataset, keyword: str, count: int, what: str) -> tuple[float, ...]:
    found = numbers_of(owner, keyword, count)
    if not found:
        raise UnusableError(f"no usable {what}")
    return found


def _checked_position(position: tuple[float, ...]) -> tuple[float, ...]:
    if max(map(abs, position)) > _FARTHEST_MM:
        listed = ", ".join(f"{value:g}" for value in position)
        raise UnusableError(f"Image Position Patient {listed}, over 100 m from the origin")
    return position


def _checked_orientation(orientation: tuple[float, ...]) -> tuple[float, ...]:
    axes = np.reshape(orientation, (2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), atol=1e-2):
        raise UnusableError("an image orientation that is not two perpendicular unit vectors")
    return orientation


def _checked_spacing(spacing: tuple[float, ...]) -> tuple[float, ...]:
    if min(spacing) <= 0:
        raise UnusableError("a pixel spacing of zero or less")
    return spacing


def _rescale(group: Dataset) -> tuple[float, float, bool]:
    """Return slope, intercept, and whether the file states them, as it has to."""
    slope = numbers_of(group, "RescaleSlope", 1)
    intercept = numbers_of(group, "RescaleIntercept", 1)
    unit = str(group.get("RescaleType") or "").strip().upper()
    if unit not in _HOUNSFIELD_TYPES:
        raise UnusableError(f"values in {unit[:16]}, expected HU")
    if not slope or not intercept:
        return 1.0, 0.0, False
    if not max(abs(slope[0]), abs(intercept[0])) <= _LARGEST_RESCALE or slope[0] == 0:
        raise UnusableError("no usable rescale slope and intercept")
    return slope[0], intercept[0], True


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """Return the stored values from and to which there is no data, as 16 unsigned bits.

    Writers disagree whether the value is signed; its bits are the same either way.
    """
    values = []
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        try:
            found = whole_of(dataset, keyword, _NO_VALUE)
        except UnusableError:
            found = _NO_VALUE
        values += [found & _BITS] if found != _NO_VALUE else []
    return (min(values), max(values)) if values else None
