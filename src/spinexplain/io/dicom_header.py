"""What one DICOM file says about its slices: geometry, rescale and series, nothing personal.

Only the tags listed here are ever read; names, identifiers and dates of patients are not
even parsed, so that they can not reach a message, a log or a file name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from spinexplain.errors import FileFormatError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT Image Storage
)
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
HEAD_BYTES = 132  # preamble and magic
_LARGEST_SIDE = 8192  # several times the matrix of any scanner; keeps broken headers small
_LARGEST_RESCALE = 1e6
_HOUNSFIELD_TYPES = ("", "HU", "HU_MOD", "US")  # US: unspecified, as older scanners write
_TAGS = (
    "BitsStored",
    "Columns",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "ImageType",
    "Modality",
    "ModalityLUTSequence",
    "NumberOfFrames",
    "PerFrameFunctionalGroupsSequence",
    "PixelRepresentation",
    "PixelSpacing",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "Rows",
    "SOPClassUID",
    "SamplesPerPixel",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SharedFunctionalGroupsSequence",
    "SliceThickness",
)
MODALITIES = frozenset(
    [
        "CT",
        "MR",
        "PT",
        "NM",
        "US",
        "CR",
        "DX",
        "DR",
        "MG",
        "XA",
        "RF",
        "SR",
        "SEG",
        "PR",
        "KO",
        "OT",
        "SC",
        "REG",
        "DOC",
        "PX",
        "IO",
        "ES",
        "XC",
        "SM",
        "ECG",
        "RTSTRUCT",
        "RTPLAN",
        "RTDOSE",
        "RTIMAGE",
        "RWV",
        "BMD",
    ]
)


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


@dataclass(frozen=True)
class FileHeader:
    """What one file says about its series.

    Parameters
    ----------
    source : int
        Number of the file in the listing.
    name : str
        File name without folders.
    series_uid, series_number, description, modality : str
    kind : str
        Name of the SOP class, e.g. ``"CT Image Storage"``; empty where it is missing or unknown.
    is_ct : bool
        Whether it is of one of the CT image classes.
    thickness_mm : float or None
    transfer_syntax : str
    slices : tuple of SliceHeader
        Empty where ``problem`` says why.
    problem : str
        Why the file can not be part of a CT volume; empty if it can.
    """

    source: int
    name: str
    series_uid: str
    series_number: str
    description: str
    modality: str
    kind: str
    is_ct: bool
    thickness_mm: float | None
    transfer_syntax: str
    slices: tuple[SliceHeader, ...]
    problem: str

    @property
    def deflated(self) -> bool:
        """Whether the whole data set is compressed with deflate."""
        return self.transfer_syntax == _DEFLATED


class _UnusableError(Exception):
    """A reason why a file can not be part of a CT volume."""


def looks_like_dicom(head: bytes) -> bool:
    """Whether the first ``HEAD_BYTES`` of a file start a DICOM data set, with or without preamble.

    Examples
    --------
    >>> looks_like_dicom(bytes(128) + b"DICM"), looks_like_dicom(b"{}")
    (True, False)
    """
    if head[128:132] == b"DICM":
        return True
    # Without a preamble the first element is of group 0002 or 0008 with a small number.
    return len(head) == HEAD_BYTES and head[:2] in (b"\x02\x00", b"\x08\x00") and head[3] == 0


def read_header(stream: BinaryIO, source: int, name: str) -> FileHeader | None:
    """Read the header of one DICOM file, or None for a DICOMDIR.

    Parameters
    ----------
    stream : binary file
        At its start, which :func:`looks_like_dicom`.
    source : int
        Number of the file in the listing.
    name : str
        File name, for messages.

    Returns
    -------
    FileHeader or None
        None for DICOMDIR.

    Raises
    ------
    FileFormatError
        If it starts as DICOM but can not be parsed.
    """
    dataset = _parsed(stream, name)
    try:
        header = _file_header(dataset, source, name)
    except Exception as error:  # values are converted on access: any error can come
        raise _damaged(name, type(error).__name__) from None
    if header is not None and not header.series_uid and (header.is_ct or not header.kind):
        raise _damaged(name, "no Series Instance UID")  # cut short: never lose a slice silently
    return header


def _parsed(stream: BinaryIO, name: str) -> Dataset:
    from pydicom import dcmread

    try:
        return dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
    except Exception as error:  # on broken bytes pydicom raises almost any class
        raise _damaged(name, type(error).__name__) from None


def _damaged(name: str, reason: str) -> FileFormatError:
    return FileFormatError(
        f"{name}: starts like a DICOM file but can not be parsed ({reason}); "
        "expected a whole file. Export the series again."
    )


def _file_header(dataset: Dataset, source: int, name: str) -> FileHeader | None:
    from pydicom.uid import UID

    meta = dataset.file_meta
    kind = str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or "")
    if kind == _DIRECTORY_CLASS:
        return None
    header = partial(
        FileHeader,
        source=source,
        name=name,
        series_uid=_text(dataset, "SeriesInstanceUID"),
        series_number=_text(dataset, "SeriesNumber"),
        description=_text(dataset, "SeriesDescription"),
        modality=_modality(dataset),
        kind=UID(kind).name if UID(kind).name != kind else "",
        is_ct=kind in CT_CLASSES,
        thickness_mm=_thickness(dataset),
        transfer_syntax=str(meta.get("TransferSyntaxUID") or _guessed_syntax(dataset)),
    )
    try:
        return header(slices=_slices(dataset, source), problem="")
    except _UnusableError as reason:
        return header(slices=(), problem=str(reason))


def _guessed_syntax(dataset: Dataset) -> str:
    implicit, _ = dataset.original_encoding
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"


def _text(dataset: Dataset, keyword: str) -> str:
    """Return a value as one printable line of at most 64 characters."""
    value = dataset.get(keyword)
    text = " ".join(str("" if value is None else value).split())
    return "".join(char for char in text if char.isprintable())[:64]


def _thickness(dataset: Dataset) -> float | None:
    try:
        return float(dataset["SliceThickness"].value)
    except (KeyError, TypeError, ValueError):
        return None


def _modality(dataset: Dataset) -> str:
    """Return the modality if it is one of DICOM's codes: free text may hold a patient's name."""
    found = _text(dataset, "Modality")
    return found if found in MODALITIES or not found else "unknown"


def _slices(dataset: Dataset, source: int) -> tuple[SliceHeader, ...]:
    modality = _modality(dataset)
    if modality != "CT":
        raise _UnusableError(f"modality {modality or 'missing'}, expected CT")
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise _UnusableError("no image in it")
    if max(int(dataset.Rows), int(dataset.Columns)) > _LARGEST_SIDE:
        raise _UnusableError(
            f"{dataset.Rows} x {dataset.Columns} pixels, expected at most "
            f"{_LARGEST_SIDE} x {_LARGEST_SIDE}"
        )
    if int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise _UnusableError("a color picture, expected gray values")
    if "ModalityLUTSequence" in dataset:
        raise _UnusableError("values in a lookup table, expected Rescale Slope and Intercept")
    if "PerFrameFunctionalGroupsSequence" in dataset:
        frames = dataset.PerFrameFunctionalGroupsSequence
        return tuple(_enhanced_slice(dataset, source, i) for i in range(len(frames)))
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise _UnusableError("several frames without their positions")
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
        raise _UnusableError(f"no usable image {what}")
    return numbers


def _checked_orientation(orientation: tuple[float, ...]) -> tuple[float, ...]:
    axes = np.reshape(orientation, (2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), atol=1e-2):
        raise _UnusableError("an image orientation that is not two perpendicular unit vectors")
    return orientation


def _checked_spacing(spacing: tuple[float, ...]) -> tuple[float, ...]:
    if min(spacing) <= 0:
        raise _UnusableError("a pixel spacing of zero or less")
    return spacing


def _rescale(group: Any) -> tuple[float, float]:
    slope = float(group.get("RescaleSlope", 1.0))
    intercept = float(group.get("RescaleIntercept", 0.0))
    unit = str(group.get("RescaleType") or "").strip().upper()
    if unit not in _HOUNSFIELD_TYPES:
        raise _UnusableError(f"values in {unit[:16]}, expected HU")
    if not max(abs(slope), abs(intercept)) <= _LARGEST_RESCALE or slope == 0:
        raise _UnusableError("no usable rescale slope and intercept")
    return slope, intercept
