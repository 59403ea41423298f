"""The front door: a scan or a mask from whatever form the user has it in."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from spinexplain.errors import ConfigError, FileFormatError, GeometryError, LabelError
from spinexplain.io.archive import is_zip
from spinexplain.io.body_masks import body_mask
from spinexplain.io.dicom import holds_dicom, read_dicom
from spinexplain.io.files import sha256_file, unreadable
from spinexplain.io.inflate import Digest
from spinexplain.io.label_stats import label_stats
from spinexplain.io.level_sizes import against_sizes
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.io.numbering import detect_scheme, refuse_shells
from spinexplain.io.plausibility import (
    check_hounsfield,
    with_checked_slices,
    without_dense_padding,
)
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.io.schemes import (
    SCHEMES,
    VERSE,
    apply_mapping,
    level_named,
    mapping_from_names,
    refuse_images,
    scheme_named,
)
from spinexplain.types import LabelMap, Volume

_NAMED_LABEL = re.compile(rb'<Label\s+Key="(\d{1,4})"[^>]*>\s*<!\[CDATA\[([^\]]{1,80})\]\]>')
_OVERLAP = 0.02  # of the smaller of two single-vertebra masks


def read_scan(path: Path | str, series: str | None = None) -> Volume:
    """Read a CT: NIfTI, a DICOM folder, a zip of one, or a multi-frame DICOM file.

    Parameters
    ----------
    path : path
    series : str, optional
        Which DICOM series; see :func:`spinexplain.io.dicom.read_dicom`.

    Returns
    -------
    Volume
        HU.

    Raises
    ------
    FileFormatError, GeometryError
        As :func:`read_dicom` and :func:`spinexplain.io.nifti.read_volume`; also if the
        values cannot be HU.
    ConfigError
        If ``series`` is given for a NIfTI file.

    Warns
    -----
    ScanWarning
        If the values look like MR, the gantry was tilted, or planes are blank, repeated or out
        of order.
    """
    return _checked_scan(Path(path), series, None)


def read_identified_scan(path: Path | str, series: str | None = None) -> tuple[Volume, str]:
    """Read a CT together with its :func:`scan_sha256`, the file only once.

    Parameters, errors and warnings are those of :func:`read_scan`.

    Returns
    -------
    Volume
        HU.
    str
        64 hexadecimal digits.
    """
    path = Path(path)
    digest = hashlib.sha256()
    volume = _checked_scan(path, series, digest)
    return volume, scan_sha256(path, volume) if is_dicom(path) else digest.hexdigest()


def _checked_scan(path: Path, series: str | None, digest: Digest | None) -> Volume:
    """Read a CT; ``digest`` is given the bytes of a NIfTI file on the way."""
    if is_dicom(path):
        volume = read_dicom(path, series)
    elif series is not None:
        raise ConfigError(f"--series {series!r} was given, but {path} is not DICOM. Leave it out.")
    else:
        volume = read_volume(path, digest)
    volume = without_dense_padding(str(path), volume)
    check_hounsfield(str(path), volume)
    return with_checked_slices(str(path), volume)


def is_dicom(path: Path | str) -> bool:
    """Whether a path is to be read as DICOM: a folder, a zip, or a file that starts like it.

    Raises
    ------
    FileFormatError
        If the file is missing or cannot be read.
    """
    path = Path(path)
    if path.name.lower().endswith((".nii", ".nii.gz")) and not path.is_dir():
        return False
    try:
        return path.is_dir() or is_zip(path) or holds_dicom(path)
    except OSError as error:
        raise unreadable(path, error) from None


def scan_sha256(path: Path | str, volume: Volume | None = None) -> str:
    """Identify a scan: the hash of its file, or of the voxels and affine of a DICOM series.

    Parameters
    ----------
    path : path
        Where the scan was read from.
    volume : Volume, optional
        What was read from it; a DICOM series is read again without it.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    path = Path(path)
    if not is_dicom(path):
        return sha256_file(path)
    volume = read_dicom(path) if volume is None else volume
    digest = hashlib.sha256(np.round(volume.affine, 6).tobytes())
    digest.update(f"{volume.array.dtype.str}{volume.array.shape}".encode())
    for k in range(volume.array.shape[2]):
        digest.update(np.ascontiguousarray(volume.array[:, :, k].T).tobytes())
    return digest.hexdigest()


def read_mask(path: Path | str, scheme: str | None = None) -> LabelMap:
    """Read a vertebra mask of any known tool in VerSe's labels.

    Parameters
    ----------
    path : path
        NIfTI file; a folder of single-vertebra masks (``vertebrae_L1.nii.gz`` ...); or
        spine-segment's output folder.
    scheme : str, optional
        Whose numbers they are, a key of :data:`spinexplain.io.schemes.SCHEMES`. Left out,
        it is found from the names in the header, or from the labels and where they lie.

    Returns
    -------
    LabelMap
        uint8; sacrum, coccyx and other organs are background.

    Raises
    ------
    FileFormatError, GeometryError
        If a file cannot be read, or single-vertebra masks lie on different grids.
    LabelError
        If no vertebra is labeled, a label is unknown, or the scheme is ambiguous.
    ConfigError
        If ``scheme`` is unknown.

    Warns
    -----
    ScanWarning
        If bones do not have the size of the levels they are named after.
    """
    path = Path(path)
    if scheme is not None:
        scheme_named(scheme)
    if path.is_dir():
        singles = _single_masks(path)
        if singles:
            return _sized(path, _combined(path, singles))
        path = _one_file(path, "vertebral-level", "a vertebra mask")
    mask = read_labels(path)
    try:
        refuse_images(mask)
        refuse_shells(str(path), mask)
        return _sized(path, apply_mapping(mask, _mapping(path, mask, scheme)))
    except LabelError as error:
        prefix = "" if str(error).startswith(str(path)) else f"{path}: "
        raise LabelError(f"{prefix}{error}") from None


def _sized(path: Path, mask: LabelMap) -> LabelMap:
    """Warn of names that do not fit the bones: numbers alone are checked before."""
    reason = against_sizes(SCHEMES["verse"].levels(label_stats(mask)))
    if reason:
        message = f"{path}: {reason}. Check the names of the levels, and which tool wrote the mask."
        warnings.warn(message, ScanWarning, stacklevel=3)
    return mask


def read_body(path: Path | str, scheme: str | None = None) -> LabelMap:
    """Read a mask of vertebral bodies of any known tool.

    Parameters
    ----------
    path : path
        NIfTI file: spine-segment's ``process-body``, TotalSegmentator's
        ``vertebrae_body``, sub-regions (49, 50), or a binary mask; or a folder with one.
    scheme : str, optional
        A key of :data:`spinexplain.io.body_masks.BODY_SCHEMES`.

    Returns
    -------
    LabelMap
        uint8, 1 inside the bodies.

    Raises
    ------
    FileFormatError, LabelError, ConfigError
        As :func:`read_mask`.
    """
    path = Path(path)
    if path.is_dir():
        path = _one_file(path, "body", "a body mask")
    return body_mask(str(path), read_labels(path), scheme, header_names(path))


def header_names(path: Path | str) -> dict[int, str]:
    """Read the structure names that TotalSegmentator keeps in a NIfTI header extension.

    Parameters
    ----------
    path : path
        NIfTI file.

    Returns
    -------
    dict of int to str
        Label -> name; empty where there are none.
    """
    try:
        extensions = nib.load(path).header.extensions  # type: ignore[attr-defined]
        contents = [item.get_content() for item in extensions]
    except Exception:  # the names are optional, and foreign extensions hold anything
        return {}
    texts = [text for text in contents if isinstance(text, bytes)]
    found = [match for text in texts for match in _NAMED_LABEL.findall(text)]
    return {int(key): name.decode("utf-8", "replace") for key, name in found}


def _mapping(path: Path, mask: LabelMap, scheme: str | None) -> Mapping[int, int]:
    if scheme is not None:
        return _checked_mapping(mask, scheme)
    named = mapping_from_names(header_names(path))
    if any(verse in VERSE and label in mask.extents for label, verse in named.items()):
        return named
    if list(mask.extents) == [1]:
        return {1: _named_vertebra(path)}
    return detect_scheme(str(path), mask).to_verse


def _named_vertebra(path: Path) -> int:
    verse = level_named(path.name.split(".")[0])
    if verse is not None and verse in VERSE:
        return verse
    raise LabelError(
        f"{path}: a mask of ones does not say which vertebra it is; expected labels, or a file "
        "name such as vertebrae_L1.nii.gz. C1 of a VerSe mask: --label-scheme verse."
    )


def _checked_mapping(mask: LabelMap, scheme: str) -> Mapping[int, int]:
    chosen = scheme_named(scheme)
    known = chosen.to_verse.keys() | set(chosen.others)
    unknown = sorted(set(mask.extents) - known)
    if unknown:
        raise LabelError(
            f"label {unknown[0]} is unknown to {chosen.title}; expected "
            f"{min(chosen.to_verse)}-{max(chosen.to_verse)}. Check --label-scheme."
        )
    return chosen.to_verse


def _nifti_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.name.lower().endswith((".nii", ".nii.gz")))


def _single_masks(folder: Path) -> dict[int, Path]:
    """Find single-vertebra masks by name: VerSe label -> file."""
    named = ((level_named(path.name.split(".")[0]), path) for path in _nifti_files(folder))
    return {verse: path for verse, path in named if verse in VERSE}


def _one_file(folder: Path, part: str, what: str) -> Path:
    files = _nifti_files(folder)
    fitting = [path for path in files if part in path.name.lower()]
    if len(fitting) == 1 or len(files) == 1:
        return (fitting or files)[0]
    raise FileFormatError(
        f"{folder}: holds {len(fitting)} NIfTI files named *{part}* and {len(files)} in all; "
        f"expected one, as {what}. Name the file itself."
    )


def _combined(folder: Path, singles: Mapping[int, Path]) -> LabelMap:
    verse, first = next(iter(singles.items()))
    mask = read_labels(first)
    combined = (mask.array > 0).astype(np.uint8) * np.uint8(verse)
    for verse, path in list(singles.items())[1:]:
        single = read_labels(path)
        _check_same_grid(mask, single, [first, path])
        inside = single.array > 0
        taken = inside & (combined > 0)
        if taken.sum() > _OVERLAP * inside.sum():
            raise LabelError(
                f"{path}: {int(taken.sum())} voxels belong to another vertebra of {folder} too; "
                "expected masks that do not overlap. Export them again."
            )
        combined[inside & ~taken] = verse
    if not combined.any():
        raise LabelError(f"{folder}: every mask is empty; expected vertebrae. Check the folder.")
    return LabelMap(combined, mask.affine)


def _check_same_grid(mask: LabelMap, other: LabelMap, paths: Sequence[Path]) -> None:
    same = mask.array.shape == other.array.shape
    if not same or not np.allclose(mask.affine, other.affine, atol=1e-3):
        raise GeometryError(
            f"{paths[1]}: lies on another grid than {paths[0].name} "
            f"({other.array.shape} and {mask.array.shape}); expected the same for all masks of a "
            "folder. Export them again."
        )
