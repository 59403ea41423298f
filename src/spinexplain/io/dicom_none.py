"""What lies where the slices of a DICOM series were expected, for a message that helps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spinexplain.errors import FileFormatError
from spinexplain.io.archive import Member
from spinexplain.io.dicom_header import HEAD_BYTES, looks_like_dicom
from spinexplain.io.foreign_formats import foreign_format

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_HEAD_BYTES = 348


def refuse_folder_without_slices(path: Path, files: Sequence[Member]) -> None:
    """Say what a folder, zip or file without DICOM images holds instead, where it is known.

    Parameters
    ----------
    path : Path
    files : sequence of Member
        None of which holds an image.

    Raises
    ------
    FileFormatError
        If it holds an index of slices only, another archive, NIfTI, or compressed files.
    """
    heads = [(file.name, file.peek(_HEAD_BYTES)) for file in files]
    said = _instead(heads)
    if said:
        raise FileFormatError(f"{path}: holds no slices of a CT series but {said}.")


def _instead(heads: Sequence[tuple[str, bytes]]) -> str:
    nifti = [name for name, _ in heads if name.lower().endswith((".nii", ".nii.gz"))]
    if nifti:
        return f"{len(nifti)} NIfTI file{'s'[: len(nifti) > 1]}. Name the file of the scan itself"
    if any(looks_like_dicom(head[:HEAD_BYTES]) for _, head in heads):
        return "a DICOMDIR, an index of other files. Give the folder that it lies in"
    if any(head.startswith(_ZIP) for _, head in heads):
        return "another zip. Unpack the inner zip and give that"
    if packed := sum(head.startswith(_GZIP) for _, head in heads):
        return f"{packed} files compressed with gzip. Unpack them (gunzip -r) and give the folder"
    known = [said for _, head in heads if (said := foreign_format(head))]
    return known[0] if known else ""
