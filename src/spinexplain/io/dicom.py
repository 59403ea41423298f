"""A DICOM series (folder, zip or multi-frame file) becomes a volume in HU and RAS+ mm."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, TypeVar

from spinexplain.errors import FileFormatError, SpinexplainError
from spinexplain.io.archive import Member, opened
from spinexplain.io.dicom_header import (
    HEAD_BYTES,
    FileHeader,
    looks_like_dicom,
    patient_key,
    read_header,
    study_values,
)
from spinexplain.io.dicom_none import refuse_folder_without_slices
from spinexplain.io.dicom_pixels import decode_stack
from spinexplain.io.dicom_references import DicomReferences, references_of
from spinexplain.io.dicom_series import SeriesInfo, choose_series, group_series
from spinexplain.io.dicom_stack import Stack, stack_slices
from spinexplain.io.geometry_limits import check_geometry
from spinexplain.io.quiet import quiet_dicom
from spinexplain.io.scan_flags import COMPUTED_VALUES, RESCALE_ASSUMED, ScanWarning
from spinexplain.types import Volume

_TILT_DEGREES = 0.5
Read = TypeVar("Read")


def read_dicom(path: Path | str, series: str | None = None) -> Volume:
    """Read one CT series in HU.

    Parameters
    ----------
    path : path
        Folder (nested folders and files without extension are fine, DICOMDIR and other
        files are ignored), zip of such a folder, or one multi-frame file.
    series : str, optional
        Which series, where there are several: its number, the start of its UID, or its
        description, as :func:`list_series` shows them.

    Returns
    -------
    Volume
        Axes (column, row, slice); int16 where the rescale allows, float32 otherwise. A
        tilted gantry is kept as shear in the affine, with a warning.

    Raises
    ------
    FileFormatError
        If pydicom is missing; nothing, or several series, can be meant; the series is not
        CT; or a file is damaged.
    GeometryError
        If slices are missing or unevenly spaced; the message names the positions.
    """
    path = Path(path)
    _need_pydicom(path)
    with quiet_dicom(), opened(path) as files:
        headers = _headers(path, files)
        if not headers:
            refuse_folder_without_slices(path, files)
        name, stack = _stacked(path, headers, series)
        shape = (stack.places[0][0].columns, stack.places[0][0].rows, len(stack.places))
        check_geometry(name, stack.affine, shape)
        try:
            array = decode_stack(stack, files, {header.source: header for header in headers})
        except SpinexplainError as error:
            raise type(error)(f"{name}: {error}") from None
    if stack.tilt_degrees > _TILT_DEGREES:
        message = f"{name}: gantry tilt of {stack.tilt_degrees:.1f} degrees, kept as shear."
        warnings.warn(message, ScanWarning, stacklevel=2)
    doubts = _doubts(stack)
    for message in doubts.values():
        warnings.warn(f"{name}: {message}", ScanWarning, stacklevel=2)
    return Volume(array, stack.affine, tuple(doubts))


def _doubts(stack: Stack) -> dict[str, str]:
    """Return the flags of a series, and what to say of each."""
    slices = [place[0] for place in stack.places]
    doubts = {}
    if not all(item.rescaled for item in slices):
        doubts[RESCALE_ASSUMED] = (
            "no slice states Rescale Slope and Intercept; its values are taken for HU as they "
            "are. Export the series again."
        )
    if computed := [item.computed for item in slices if item.computed]:
        doubts[COMPUTED_VALUES] = (
            f"its values were computed {computed[0]}; expected those of a plain CT. Take the "
            "series of both energies together, where there is one."
        )
    return doubts


def read_references(path: Path | str, series: str | None = None) -> DicomReferences:
    """Read what results must name of a CT series, without its pixels.

    Parameters
    ----------
    path : path
    series : str, optional
        As for :func:`read_dicom`; both choose the same slices in the same order.

    Returns
    -------
    DicomReferences
        Slice ``k`` belongs to ``array[:, :, k]`` of the volume that :func:`read_dicom` returns.

    Raises
    ------
    FileFormatError, GeometryError
        As :func:`read_dicom`; also if the series leaves out what results must name, or its
        slices belong to several patients, studies or frames of reference.
    """
    path = Path(path)
    _need_pydicom(path)
    with quiet_dicom(), opened(path) as files:
        name, stack = _stacked(path, _headers(path, files), series)
        return references_of(name, stack, files)


def read_facts_header(path: Path | str, series: str | None = None) -> dict[str, object]:
    """Read what the first slice of a series says about the study, nothing that names anyone.

    Parameters
    ----------
    path : path
    series : str, optional
        As for :func:`read_dicom`.

    Returns
    -------
    dict of str to text or number
        By DICOM's keyword; a value that is missing or cannot be read is left out.

    Raises
    ------
    FileFormatError
        As :func:`read_dicom`.
    """
    return _of_first_slice(Path(path), series, study_values)


def read_patient_key(path: Path | str, secret: bytes, series: str | None = None) -> str:
    """Mark scans of one patient alike, naming nobody.

    Parameters
    ----------
    path : path
    secret : bytes
        As for :func:`spinexplain.io.dicom_header.patient_key`.
    series : str, optional
        As for :func:`read_dicom`.

    Returns
    -------
    str
        The same for all scans of a patient under one secret; empty where the series has no
        identifier.

    Raises
    ------
    FileFormatError
        As :func:`read_dicom`.
    """
    return _of_first_slice(Path(path), series, partial(patient_key, secret=secret))


def _of_first_slice(path: Path, series: str | None, read: Callable[[BinaryIO], Read]) -> Read:
    _need_pydicom(path)
    with quiet_dicom(), opened(path) as files:
        chosen = choose_series(str(path), group_series(_headers(path, files)), series)
        with files[chosen.slices[0].source].open() as stream:
            return read(stream)


def _stacked(path: Path, headers: Sequence[FileHeader], series: str | None) -> tuple[str, Stack]:
    chosen = choose_series(str(path), group_series(headers), series)
    name = f"{path} (series {chosen.info.key})"
    return name, stack_slices(name, chosen.slices)


def list_series(path: Path | str) -> list[SeriesInfo]:
    """List the series of a folder or zip, readable or not, without their pixels.

    Parameters
    ----------
    path : path
        Folder, zip or file.

    Returns
    -------
    list of SeriesInfo
        By series number; empty where there is no DICOM.

    Raises
    ------
    FileFormatError
        If pydicom is missing, or a file is damaged.
    """
    path = Path(path)
    _need_pydicom(path)
    with quiet_dicom(), opened(path) as files:
        return [one.info for one in group_series(_headers(path, files))]


def holds_dicom(path: Path | str) -> bool:
    """Whether a file, or any file of a folder or zip, starts like DICOM; needs no pydicom.

    Examples
    --------
    >>> holds_dicom(__file__)
    False
    """
    with opened(Path(path)) as files:
        return any(looks_like_dicom(file.peek(HEAD_BYTES)) for file in files)


def _headers(path: Path, files: Sequence[Member]) -> list[FileHeader]:
    found = []
    for source, file in enumerate(files):
        if not looks_like_dicom(file.peek(HEAD_BYTES)):
            continue
        try:
            with file.open() as stream:
                header = read_header(stream, source, file.name)
        except FileFormatError as error:
            raise FileFormatError(f"{path}: {error}") from None
        if header is not None:
            found.append(header)
    return found


def _need_pydicom(path: Path) -> None:
    if find_spec("pydicom") is None:
        raise FileFormatError(
            f"{path}: reading DICOM needs pydicom, which is not installed. "
            "Run: pip install 'spinexplain[dicom]'."
        )
