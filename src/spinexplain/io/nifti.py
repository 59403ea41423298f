"""NIfTI files: scans and masks in, heat maps out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.io.files import atomic_file
from spinexplain.io.header import NiftiHeader, not_finite, read_header, too_large, truncated
from spinexplain.io.inflate import ByteStream, Digest
from spinexplain.io.label_blocks import LabelBlocks
from spinexplain.io.scan_flags import ORIENTATION_UNKNOWN, SFORM_QFORM_DIFFER, ScanWarning
from spinexplain.io.tissue_peaks import hounsfield_doubt
from spinexplain.types import LabelMap, Volume

_BLOCK = 1 << 20  # voxels converted at a time
_TRAILER_BYTES = 1 << 24
HEADER_WARNINGS = {
    ORIENTATION_UNKNOWN: (
        "the header does not say how the scan lies in the patient (qform and sform codes are "
        "0); left and right, and perhaps more, are a guess. Convert it again from DICOM."
    ),
    SFORM_QFORM_DIFFER: (
        "sform and qform in the header place the scan differently; the sform is used. Check "
        "which is right, or convert it again from DICOM."
    ),
}
_MASK_VALUES = 64  # a whole spine has 28 labels


def read_volume(path: str | Path, digest: Digest | None = None) -> Volume:
    """Read a CT from NIfTI (``.nii`` or ``.nii.gz``) in its own dtype and orientation.

    Parameters
    ----------
    path : path
    digest : Digest, optional
        Such as ``hashlib.sha256()``: is given all bytes of the file on the way.

    Returns
    -------
    Volume
        HU. Integers stay integers where the scaling in the header keeps them exact
        (wide ones become int16 where they fit), float32 otherwise; a float64 copy is
        never made. The affine is nibabel's choice: the sform, else the qform.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, damaged, no NIfTI, has several frames, or
        holds colors, complex numbers or voxels that are not finite.
    GeometryError
        If it has fewer than two voxels along an axis, a zero spacing or a singular affine,
        or is too large or small for a scan of a person.

    Warns
    -----
    ScanWarning
        If the header does not say how the scan lies in the patient, or says two things.

    Notes
    -----
    Meters and microns, where the header states them (xyzt_units), become millimeters.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "ct.nii.gz"
    ...     write_nifti(file, np.full((2, 3, 4), -1000, np.int16), np.diag([1.0, 1, 2, 1]))
    ...     scan = read_volume(file)
    >>> scan.array.dtype, scan.array.shape, scan.spacing_mm
    (dtype('int16'), (2, 3, 4), (1.0, 1.0, 2.0))
    """
    array, header = _read(path, digest)
    for flag in header.flags:
        warnings.warn(f"{path}: {HEADER_WARNINGS[flag]}", ScanWarning, stacklevel=2)
    return Volume(_narrow(array), header.affine, header.flags)


def read_labels(path: str | Path) -> LabelMap:
    """Read a mask of integer labels from NIfTI, whatever dtype it was stored in.

    Returns
    -------
    LabelMap
        uint8 where the labels fit, int32 otherwise.

    Raises
    ------
    FileFormatError
        As :func:`read_volume`; also if a voxel is negative or no whole number.
    """
    with ByteStream(path) as stream:
        header = _understood(stream)
        blocks = LabelBlocks(path, header)
        for block in _blocks(stream, header):
            blocks.add(block)
        stream.drain(_TRAILER_BYTES)
    for flag in header.flags:
        warnings.warn(f"{path}: {HEADER_WARNINGS[flag]}", ScanWarning, stacklevel=2)
    return LabelMap(blocks.whole().reshape(header.shape, order="F"), header.affine)


def write_nifti(
    path: str | Path, array: np.ndarray, affine: np.ndarray, description: str = ""
) -> None:
    """Write a 3-D array as NIfTI, gzip-compressed if the name ends in ``.gz``.

    The same array gives the same bytes; the file appears only once it is complete.

    Parameters
    ----------
    path : path
        Ends in ``.nii`` or ``.nii.gz``.
    array : ndarray, shape (X, Y, Z)
        bool is stored as uint8, 64-bit floats and integers as 32-bit ones.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm; stored as sform, and as qform where it has no shear.
    description : str
        At most 79 ASCII characters for the header.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    narrower = {"bool": np.uint8, "float64": np.float32, "int64": np.int32, "uint64": np.uint32}
    stored = np.asarray(array, dtype=narrower.get(array.dtype.name, array.dtype))
    image = nib.Nifti1Image(stored, affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = description.encode("ascii")
    if np.allclose(image.header.get_zooms() @ np.eye(3), np.linalg.norm(affine[:3, :3], axis=0)):
        gram = affine[:3, :3].T @ affine[:3, :3]
        if np.allclose(gram, np.diag(np.diag(gram)), atol=1e-6):
            image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    with atomic_file(path) as temporary:
        nib.save(image, temporary)


def check_is_ct(volume: Volume) -> tuple[str, ...]:
    """Judge from the values whether a volume can be a CT in Hounsfield units.

    Returns
    -------
    tuple of str
        ``("not_hounsfield: ...",)`` where nothing but padding lies below -200 HU and there
        is no fat beside soft tissue either, as in MR images or CTs stored without their
        offset; else empty.

    Raises
    ------
    FileFormatError
        If it looks like a mask: few different whole numbers, none negative, none above 300.

    Examples
    --------
    >>> check_is_ct(Volume(np.linspace(-1000, 900, 8).reshape(2, 2, 2), np.eye(4)))
    ()
    """
    low, high = volume.range_hu
    if low >= 0 and high < 300:
        step = max(1, round((volume.array.size / _BLOCK) ** (1 / 3)))
        values = np.unique(volume.array[::step, ::step, ::step])
        if len(values) <= _MASK_VALUES and np.array_equal(values, np.rint(values)):
            raise FileFormatError(
                f"the CT holds only {len(values)} different whole numbers from {low:.0f} to "
                f"{high:.0f}; expected Hounsfield units. Is this a mask? Swap CT and mask."
            )
    doubt = hounsfield_doubt(volume.array)
    return (f"not_hounsfield: {doubt}",) if doubt else ()


def _read(path: str | Path, digest: Digest | None) -> tuple[np.ndarray, NiftiHeader]:
    """Return the scaled voxels (X, Y, Z) and what the header says."""
    with ByteStream(path, digest) as stream:
        header = _understood(stream)
        array = _read_voxels(stream, header)
        stream.drain(_TRAILER_BYTES)
        stream.finish()
    array = _rescale(array, header.slope, header.intercept)
    _check_finite(path, array)
    return array.reshape(header.shape, order="F"), header


def _understood(stream: ByteStream) -> NiftiHeader:
    """Read the header and all else that comes before the voxels."""
    header, consumed = read_header(stream)
    stream.drain(header.offset - consumed)
    return header


def _read_voxels(stream: ByteStream, header: NiftiHeader) -> np.ndarray:
    """Read the flat voxels; wide floats are narrowed to float32 block by block."""
    stored = header.dtype
    native = stored.newbyteorder("=")
    kept = native if stored.kind != "f" else np.dtype(np.float32)
    try:
        voxels = np.empty(header.count, kept)
    except MemoryError:
        raise too_large(stream.path, header.count * kept.itemsize) from None
    if stored == kept:
        _fill(stream, header, _bytes_of(voxels), 0)
        return voxels
    start = 0
    for block in _blocks(stream, header):
        with np.errstate(over="ignore"):  # what overflows is reported as not finite
            voxels[start : start + len(block)] = block
        start += len(block)
    return voxels


def _blocks(stream: ByteStream, header: NiftiHeader) -> Iterator[np.ndarray]:
    """Read the flat voxels as stored, some at a time, always into the same memory."""
    scratch = np.empty(min(_BLOCK, header.count), header.dtype)
    for start in range(0, header.count, _BLOCK):
        block = scratch[: header.count - start]
        _fill(stream, header, _bytes_of(block), start * header.dtype.itemsize)
        yield block


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.view(np.uint8).data


def _fill(stream: ByteStream, header: NiftiHeader, buffer: memoryview, before: int) -> None:
    count = stream.readinto(buffer)
    if count < len(buffer):
        found = header.offset + before + count
        promised = header.offset + header.count * header.dtype.itemsize
        raise truncated(stream.path, header, str(found), promised)


def _rescale(voxels: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Apply the header's scaling: exactly in int16 where possible, else in float32."""
    if slope == 1.0 and intercept == 0.0:
        return voxels
    if voxels.dtype.kind == "f":
        voxels *= np.float32(slope)
        voxels += np.float32(intercept)
        return voxels
    ends = np.array([voxels.min(), voxels.max()], dtype=float) * slope + intercept
    exact = slope.is_integer() and intercept.is_integer()
    kept = np.int16 if exact and ends.min() >= -32768 and ends.max() <= 32767 else np.float32
    # int16 and uint16 are rescaled in place: the scan is never in memory twice
    out = voxels.view(kept) if voxels.itemsize == np.dtype(kept).itemsize else None
    scaled = np.empty(voxels.shape, kept) if out is None else out
    for start in range(0, voxels.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        scaled[block] = voxels[block] * slope + intercept
    return scaled


def _narrow(array: np.ndarray) -> np.ndarray:
    """Store wide integers as int16 where they fit, else as float32."""
    if array.dtype.kind == "f" or array.dtype.itemsize <= 2:
        return array
    fits = array.min() >= -32768 and array.max() <= 32767
    return array.astype(np.int16 if fits else np.float32, order="F")


def _check_finite(path: str | Path, voxels: np.ndarray) -> None:
    if voxels.dtype.kind != "f":
        return
    blocks = range(0, voxels.size, _BLOCK)
    bad = sum(int(np.count_nonzero(~np.isfinite(voxels[i : i + _BLOCK]))) for i in blocks)
    if bad:
        raise not_finite(path, bad, voxels.size)
