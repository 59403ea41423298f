"""What DICOM results must name of the CT they come from: instances, study, patient, frame.

The headers are kept apart from the volume, because they hold the patient's name: they go
into results that are asked for as DICOM and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.errors import FileFormatError, GeometryError
from spinexplain.io.archive import Member
from spinexplain.io.dicom_stack import Stack
from spinexplain.types import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

_SAME_LATTICE_MM = 1e-3
_ONE_VALUE = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_NEEDED = (*_ONE_VALUE, "SOPClassUID", "SOPInstanceUID")
# DICOM's type 2: must be there, may be empty. Scanners and anonymizers leave some out.
_MAY_BE_EMPTY = (
    "AccessionNumber",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "PatientSex",
    "PositionReferenceIndicator",
    "ReferringPhysicianName",
    "StudyDate",
    "StudyID",
    "StudyTime",
)


@dataclass(frozen=True)
class SliceReference:
    """One slice of a series, as another DICOM object names it.

    Parameters
    ----------
    sop_class_uid, sop_instance_uid : str
    frame : int or None
        Number of the frame from 1 in a multi-frame instance; None for a single-frame one.
    """

    sop_class_uid: str
    sop_instance_uid: str
    frame: int | None


@dataclass(frozen=True, eq=False)
class DicomReferences:
    """The identity and lattice of a CT series.

    Parameters
    ----------
    study_uid, series_uid, frame_of_reference_uid : str
    slices : tuple of SliceReference
        One for each index of the volume's third axis, in its order.
    shape : tuple of 3 ints
        Columns, rows, slices.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm, as that of the volume.
    headers : tuple of pydicom Dataset
        Headers without pixels, patient included: one a slice in the order of ``slices``, or
        the one of a multi-frame instance. Never printed.
    """

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    slices: tuple[SliceReference, ...]
    shape: tuple[int, int, int]
    affine: np.ndarray
    headers: tuple[Dataset, ...] = field(repr=False)

    @property
    def is_multiframe(self) -> bool:
        """Whether one instance holds all slices."""
        return self.slices[0].frame is not None

    def check_volume(self, volume: Volume) -> None:
        """Refuse a volume that does not lie on this lattice.

        Raises
        ------
        GeometryError
            If shape or affine differ by more than 0.001 mm.
        """
        same = volume.array.shape == self.shape
        if not same or not np.allclose(volume.affine, self.affine, atol=_SAME_LATTICE_MM):
            raise GeometryError(
                f"the volume of shape {volume.array.shape} does not lie on the grid of the DICOM "
                f"series, of shape {self.shape}; expected the volume read from that series. "
                "Did its files change meanwhile? Run again."
            )


def references_of(name: str, stack: Stack, files: Sequence[Member]) -> DicomReferences:
    """Read the headers of a stack's slices, in order.

    Parameters
    ----------
    name : str
        What to call the series in messages.
    stack : Stack
    files : sequence of Member
        Indexed by ``SliceHeader.source``.

    Raises
    ------
    FileFormatError
        If a UID is missing, or the slices belong to several patients, studies, series or frames
        of reference, or to several multi-frame instances.
    """
    first = [place[0] for place in stack.places]
    sources = list(dict.fromkeys(item.source for item in first))
    headers = {source: _header(name, files[source]) for source in sources}
    multiframe = "PerFrameFunctionalGroupsSequence" in headers[sources[0]]
    if multiframe and len(sources) > 1:
        raise FileFormatError(
            f"{name}: its slices lie in {len(sources)} multi-frame files; expected one file, or "
            "one file a slice, for results as DICOM. Convert the series to single frames."
        )
    _check_one(name, list(headers.values()))
    slices = tuple(
        SliceReference(
            str(headers[item.source].SOPClassUID),
            str(headers[item.source].SOPInstanceUID),
            item.frame + 1 if multiframe else None,
        )
        for item in first
    )
    for header in headers.values():
        _fill_thickness(header, stack)
    header = headers[sources[0]]
    return DicomReferences(
        study_uid=str(header.StudyInstanceUID),
        series_uid=str(header.SeriesInstanceUID),
        frame_of_reference_uid=str(header.FrameOfReferenceUID),
        slices=slices,
        shape=(first[0].columns, first[0].rows, len(first)),
        affine=stack.affine,
        headers=tuple(headers[source] for source in sources),
    )


def _header(name: str, file: Member) -> Dataset:
    from pydicom import dcmread

    with file.open() as stream:
        dataset = dcmread(stream, stop_before_pixels=True, force=True)
    dataset.remove_private_tags()
    missing = [keyword for keyword in _NEEDED if not dataset.get(keyword)]
    if missing:
        raise FileFormatError(
            f"{name}: {file.name} names no {missing[0]}, which results as DICOM must repeat; "
            "expected a complete CT series. Export it again from the archive."
        )
    _drop_malformed(dataset)
    for keyword in _MAY_BE_EMPTY:
        if keyword not in dataset:
            setattr(dataset, keyword, None)
    dataset.decode()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    return dataset


def _drop_malformed(dataset: Dataset) -> None:
    """Remove dates, times, ages, numbers and sexes that DICOM does not allow.

    Repeated in a result, one such value can hide the whole result from a viewer. Texts are kept as
    they are, however long: archives match studies by them.
    """
    for tag in list(dataset.keys()):
        if not _is_allowed(dataset, tag):
            del dataset[tag]


def _is_allowed(dataset: Dataset, tag: BaseTag) -> bool:
    try:
        element = dataset[tag]
        convert = _CONVERSIONS.get("sex" if element.keyword == "PatientSex" else element.VR)
        if convert is None:
            return True
        values = element.value if element.VM > 1 else [element.value]
        for value in values:
            if value is not None and str(value).strip():
                convert(str(value))
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        return False
    return True


def _age(text: str) -> None:
    if not re.fullmatch(r"\d{3}[DWMY]", text):
        raise ValueError(text)


def _sex(text: str) -> None:
    if text not in ("M", "F", "O"):
        raise ValueError(text)


def _date(text: str) -> None:
    datetime.strptime(text, "%Y%m%d")


def _time(text: str) -> None:
    if not re.fullmatch(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", text.strip()):
        raise ValueError(text)


_CONVERSIONS: dict[str, Callable[[str], object]] = {
    "AS": _age,
    "DA": _date,
    "DS": float,
    "IS": int,
    "TM": _time,
    "sex": _sex,
}


def _fill_thickness(header: Dataset, stack: Stack) -> None:
    """Give a header without a slice thickness the distance of its slices."""
    step = round(float(np.linalg.norm(stack.affine[:3, 2])), 6)
    groups = header.get("SharedFunctionalGroupsSequence") or []
    frames = header.get("PerFrameFunctionalGroupsSequence") or []
    owners = [m for group in (*groups, *frames) for m in group.get("PixelMeasuresSequence", [])]
    for owner in owners or [header]:
        if owner.get("SliceThickness") is None:
            owner.SliceThickness = step


def _check_one(name: str, headers: Sequence[Dataset]) -> None:
    """Refuse slices that do not belong together, without saying whose they are."""
    for keyword in (*_ONE_VALUE, "PatientID", "PatientName"):
        values = {str(header.get(keyword) or "") for header in headers}
        if len(values) > 1:
            raise FileFormatError(
                f"{name}: its slices have {len(values)} different values of {keyword}; expected "
                "one patient, study and frame of reference for results as DICOM. "
                "Export one series alone."
            )
