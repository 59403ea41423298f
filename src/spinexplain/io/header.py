"""NIfTI headers, understood and checked before any voxel is read."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from spinexplain.errors import FileFormatError, GeometryError
from spinexplain.io.foreign_formats import foreign_format
from spinexplain.io.geometry_limits import check_geometry
from spinexplain.io.inflate import ByteStream
from spinexplain.io.scan_flags import ORIENTATION_UNKNOWN, SFORM_QFORM_DIFFER

_NIFTI2_SIZES = tuple(nib.Nifti2Header.sizeof_hdr.to_bytes(4, o) for o in ("little", "big"))
_SPACE_BITS = 7  # of xyzt_units
_UNITS = {1: ("meters", 1e3), 2: ("millimeters", 1.0), 3: ("microns", 1e-3)}
_APART_VOXELS = 0.5
_quiet = logging.Logger("nibabel header repairs")  # what nibabel mends needs no message
_quiet.addHandler(logging.NullHandler())


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What is needed of a NIfTI header to read the voxels.

    Parameters
    ----------
    shape : tuple of 3 ints
    dtype : dtype
        As stored, byte order included.
    offset : int
        Bytes before the first voxel.
    slope, intercept : float
        Value = slope x stored + intercept.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm.
    flags : tuple of str
        What the header leaves open; see :mod:`spinexplain.io.scan_flags`.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    slope: float
    intercept: float
    affine: np.ndarray
    flags: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape, dtype=object))


def read_header(stream: ByteStream) -> tuple[NiftiHeader, int]:
    """Parse and check the header; also return how many bytes it took.

    Raises
    ------
    FileFormatError, GeometryError
        As :func:`spinexplain.io.nifti.read_volume`.
    """
    raw = stream.read(nib.Nifti1Header.sizeof_hdr)
    kind = nib.Nifti1Header
    if raw[:4] in _NIFTI2_SIZES:
        kind = nib.Nifti2Header
        raw += stream.read(kind.sizeof_hdr - len(raw))
    if len(raw) < kind.sizeof_hdr or not kind.may_contain_header(raw):
        foreign = foreign_format(raw)
        if foreign:
            raise FileFormatError(f"{stream.path}: is {foreign}; expected .nii or .nii.gz.")
        found = "empty" if not raw else f"{len(raw)} bytes, starting with {raw[:8]!r}"
        raise FileFormatError(
            f"{stream.path}: is no NIfTI file ({found}); expected .nii or .nii.gz. "
            "Convert the scan, or copy it again if it was cut short."
        )
    try:
        header = kind.from_fileobj(io.BytesIO(raw), check=False)
        zooms = np.array(header["pixdim"][1:4], dtype=float)
        header.check_fix(logger=_quiet, error_level=40)
        return _understand(stream, header, zooms), len(raw)
    except (HeaderDataError, KeyError, ValueError, OverflowError) as error:
        raise FileFormatError(
            f"{stream.path}: the NIfTI header is damaged ({error}). Export the scan again."
        ) from None


def _understand(stream: ByteStream, header: nib.Nifti1Header, zooms: np.ndarray) -> NiftiHeader:
    path = stream.path
    if bytes(header["magic"]).startswith(b"ni"):
        raise FileFormatError(
            f"{path}: is a NIfTI header without voxels (.hdr/.img pair); expected a single "
            ".nii or .nii.gz file. Convert the pair."
        )
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf":
        raise FileFormatError(
            f"{path}: holds {dtype.name} voxels (colors or complex numbers); expected "
            "gray values. Export the original CT."
        )
    if header["sform_code"] <= 0 and not np.all(np.isfinite(zooms) & (zooms != 0)):
        raise GeometryError(
            f"{path}: voxel spacing is {zooms.tolist()} mm; expected three positive numbers. "
            "Repair the header (pixdim)."
        )
    slope, intercept = header.get_slope_inter()
    shape = _checked_shape(path, header.get_data_shape())
    unit, factor = _UNITS.get(int(header["xyzt_units"]) & _SPACE_BITS, ("unknown units", 1.0))
    understood = NiftiHeader(
        shape,
        dtype,
        # Below its least value nibabel takes the least: some writers leave the field 0.
        max(int(header.get_data_offset()), header.single_vox_offset),
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        np.diag([factor, factor, factor, 1.0]) @ header.get_best_affine(),
        placement_flags(header, shape),
    )
    _check_size(stream, understood)
    check_geometry(str(path), understood.affine, shape, f"header: {unit}")
    return understood


def _checked_shape(path: str | Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the three spatial axes; further axes may only have one frame."""
    listed = " x ".join(map(str, shape))
    if any(size < 1 for size in shape):
        raise FileFormatError(f"{path}: image size is {listed}; expected positive numbers.")
    if any(size > 1 for size in shape[3:]):
        raise FileFormatError(
            f"{path}: is {len(shape)}-D ({listed}); expected one 3-D volume. Extract one frame."
        )
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise GeometryError(
            f"{path}: is a single slice ({listed}); expected a 3-D volume of many slices. "
            "Give the whole scan."
        )
    return int(shape[0]), int(shape[1]), int(shape[2])


def placement_flags(header: nib.Nifti1Header, shape: tuple[int, int, int]) -> tuple[str, ...]:
    """Say what a header leaves open about where the image lies.

    Returns
    -------
    tuple of str
        ``orientation_unknown`` where neither sform nor qform is set (NIfTI's method 1);
        ``sform_qform_differ`` where both are set and place a corner of the image over half
        a voxel apart, beyond what a qform, which knows no shear, cannot say.
    """
    sform, qform = header["sform_code"] > 0, header["qform_code"] > 0
    if not sform and not qform:
        return (ORIENTATION_UNKNOWN,)
    if not (sform and qform):
        return ()
    stated, best = header.get_qform(), header.copy()
    try:
        best.set_qform(header.get_sform(), code=1)
    except (HeaderDataError, np.linalg.LinAlgError, ValueError):
        return ()  # a singular sform, which is refused
    corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in shape], [1.0])).reshape(4, -1)
    apart = np.abs((best.get_qform() - stated) @ corners)[:3].max()
    voxel = np.linalg.norm(header.get_sform()[:3, :3], axis=0).min()
    return (SFORM_QFORM_DIFFER,) if apart > _APART_VOXELS * voxel else ()


def _check_size(stream: ByteStream, header: NiftiHeader) -> None:
    """Refuse sizes the file cannot hold before any memory is taken."""
    promised = header.offset + header.count * header.dtype.itemsize
    if promised > stream.most_bytes:
        raise truncated(stream.path, header, f"at most {stream.most_bytes}", promised)


def truncated(path: str | Path, header: NiftiHeader, found: str, promised: int) -> FileFormatError:
    """Return the error for a file that holds less than its header promises."""
    return FileFormatError(
        f"{path}: is truncated: holds {found} bytes; expected {promised} for "
        f"{' x '.join(map(str, header.shape))} voxels of {header.dtype.name}. Copy it again."
    )


def not_finite(path: str | Path, bad: int, voxels: int, of_mask: bool = False) -> FileFormatError:
    """Return the error for voxels that are NaN or infinite."""
    expected, instead = ("whole labels", "0") if of_mask else ("finite HU", "-1000 (air)")
    return FileFormatError(
        f"{path}: {bad} of {voxels} voxels are NaN or infinite; expected {expected}. "
        f"Replace them by {instead}."
    )


def too_large(path: str | Path, size: int) -> FileFormatError:
    """Return the error for a file whose voxels take more bytes than there are."""
    return FileFormatError(
        f"{path}: needs {size >> 20} MiB of memory, more than there is. Crop the scan to the spine."
    )
