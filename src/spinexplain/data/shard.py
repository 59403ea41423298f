"""One shard: the vertebrae of one series, written completely or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.data.schema import COHORT_SCHEMA, KINDS, Kind, index_schema
from spinexplain.errors import ConfigError, FileFormatError, OutputError, ShapeError
from spinexplain.geometry import BoxFrame, SheetFrame

if TYPE_CHECKING:
    import pyarrow as pa
    import zarr

ROWS_FILE = "rows.parquet"
NOTES_FILE = "notes.json"
TEMPORARY_PREFIX = ".writing-"


@dataclass(frozen=True, eq=False)
class VertebraRow:
    """What the index says about one vertebra.

    Parameters
    ----------
    level : str
        Name of the level, e.g. ``"L1"``.
    subject : str or None
        The patient, where a shard bundles several; None: the shard's.
    grade : str or None
        ``"G0"`` to ``"G3"``, ``"x"`` for foreign material, None where nobody graded.
    ratings : tuple of str
        The grade each rater gave, in the raters' order; empty text where one gave none.
    shape : str or None
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``.
    loss : float or None
        True relative height loss, known for phantoms only.
    measured_loss, measured_loss_sd : float or None
        As measured on the mask, and its standard deviation; None where it was not.
    measured_broad_loss : float or None
        What at least two of the body's thirds show; None where it was not measured.
    displacement_mm : tuple of float
        How far a fracture moved the superior, then the inferior endplate, by sixths of the
        depth from posterior to anterior; empty where unknown.
    split : str or None
        ``"training"``, ``"validation"`` or ``"test"``.
    flags : tuple of str
        Quality flags.
    twin_id : str or None
        Shared by vertebrae that differ in the fracture only.
    healthy_twin : bool
        Whether this is the unfractured one of the two.
    centroid_mm, native_spacing_mm : tuple of float
        Body centre (RAS+) and voxel size of the CT; empty where unknown.
    scan_shape, scan_affine : tuple of float
        The CT's grid, 3 and (row by row) 16 numbers; empty where there is none.
    sheet, box : SheetFrame, BoxFrame or None
        Where the stored 2-D and 3-D patches lie in the patient.
    outside_2d, outside_3d : float or None
        Share of each patch, margin included, that fell outside the scan.
    ct_sha256, mask_sha256, centroids_sha256 : str or None
        Content hashes of the files it was made from.
    """

    level: str
    subject: str | None = None
    grade: str | None = None
    ratings: tuple[str, ...] = ()
    shape: str | None = None
    loss: float | None = None
    measured_loss: float | None = None
    measured_loss_sd: float | None = None
    measured_broad_loss: float | None = None
    displacement_mm: tuple[float, ...] = ()
    split: str | None = None
    flags: tuple[str, ...] = ()
    twin_id: str | None = None
    healthy_twin: bool = False
    synthetic: bool = False
    seed: int | None = None
    centroid_mm: tuple[float, ...] = ()
    native_spacing_mm: tuple[float, ...] = ()
    scan_shape: tuple[int, ...] = ()
    scan_affine: tuple[float, ...] = ()
    sheet: SheetFrame | None = None
    box: BoxFrame | None = None
    outside_2d: float | None = None
    outside_3d: float | None = None
    ct_sha256: str | None = None
    mask_sha256: str | None = None
    centroids_sha256: str | None = None


@dataclass(frozen=True, eq=False)
class SeriesShard:
    """The vertebrae of one series, ready to be stored.

    Parameters
    ----------
    subject, series : str
        Names of the patient and of the image series.
    rows : sequence of VertebraRow
        One per vertebra.
    arrays : mapping of str to ndarray, shape (n, *S)
        Keyed by the names in ``KINDS``; HU arrays are rounded to int16.
    notes : mapping
        JSON values to keep beside the shard, e.g. which files it was made from.

    Raises
    ------
    ConfigError
        If an array's name is not in ``KINDS``.
    ShapeError
        If an array does not hold one patch of numbers of the right shape per row.
    """

    subject: str
    series: str
    rows: Sequence[VertebraRow]
    arrays: Mapping[str, np.ndarray]
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, array in self.arrays.items():
            if name not in KINDS:
                raise ConfigError(f"array {name!r} is not known; expected one of {sorted(KINDS)}.")
            if array.dtype.kind not in "buif":
                raise ShapeError(f"{name} must hold numbers; got {array.dtype}.")
            expected = (len(self.rows), *KINDS[name].shape)
            if array.shape != expected:
                raise ShapeError(f"{name} must have the shape {expected}; got {array.shape}.")

    @property
    def key(self) -> str:
        """Folder name of the shard."""
        return shard_key(self.subject, self.series)


def shard_key(subject: str, series: str) -> str:
    """Turn names into a safe folder name that no other series shares.

    Examples
    --------
    >>> shard_key("verse004", "verse004")
    'verse004-28744f9f3e'
    >>> shard_key("../etc", "a b").startswith("etc_a_b-")
    True
    """
    digest = hashlib.sha256(f"{subject}\0{series}".encode("utf-8", "surrogatepass")).hexdigest()
    names = [subject] if subject == series else [subject, series]
    words = [re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") for name in names]
    return f"{'_'.join(word for word in words if word)[:60]}-{digest[:10]}"


def write_shard(folder: Path, shard: SeriesShard) -> str:
    """Write a shard below ``folder`` under a temporary name, then rename it into place.

    Returns
    -------
    str
        The shard's folder name. A shard of the same name is replaced.

    Raises
    ------
    OutputError
        If the disk is full or the folder cannot be written.
    """
    with writing(folder):
        return _write_shard(folder, shard)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors on writing below ``path`` into one with a remedy."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}). Check the permissions and "
            "the free space, then run the same command again: finished series are kept."
        ) from error


def _write_shard(folder: Path, shard: SeriesShard) -> str:
    import pyarrow.parquet as parquet

    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=folder))
    try:
        for name, array in shard.arrays.items():
            _write_array(temporary / name, KINDS[name], array)
        (temporary / NOTES_FILE).write_text(json.dumps(dict(shard.notes), indent=1) + "\n")
        parquet.write_table(shard_table(shard), temporary / ROWS_FILE)
        temporary.chmod(folder.stat().st_mode & 0o777)  # mkdtemp is private
        target = folder / shard.key
        if target.exists():
            shutil.rmtree(target)
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return shard.key


def _write_array(path: Path, kind: Kind, array: np.ndarray) -> None:
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    if not len(array):
        return
    stored = zarr.create_array(
        store=str(path),
        shape=array.shape,
        dtype=kind.dtype,
        chunks=(1, *kind.shape),
        shards=array.shape,
        compressors=(BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"), Crc32cCodec()),
        fill_value=0,
    )
    stored[:] = to_stored(kind, array)


def to_stored(kind: Kind, array: np.ndarray) -> np.ndarray:
    """Round an array to the kind's integer type, clipped to its range.

    Examples
    --------
    >>> to_stored(KINDS["patches_2d"], np.array([-1000.4, 40000.0])).tolist()
    [-1000, 32767]
    """
    if array.dtype == kind.dtype:
        return array
    limits = np.iinfo(kind.dtype)
    values = np.rint(array) if np.issubdtype(array.dtype, np.floating) else array
    return np.clip(values, limits.min, limits.max).astype(kind.dtype)


def open_array(path: Path, kind: Kind) -> zarr.Array:
    """Open one array of a shard, after checking that its metadata are what we write.

    Raises
    ------
    FileFormatError
        If it is missing, has another type or shape, or names a codec that we never use
        (some codecs of the format run code on reading).
    """
    import zarr

    try:
        metadata = json.loads((path / "zarr.json").read_text())
        fits = (
            metadata["zarr_format"] == 3
            and metadata["data_type"] == kind.dtype
            and tuple(metadata["shape"][1:]) == kind.shape
            and _codec_names(metadata["codecs"]) <= _CODECS
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as a cohort array ({error}); expected what prepare wrote. "
            "Prepare the cohort again."
        ) from None
    if not fits:
        raise FileFormatError(
            f"{path}: its description does not fit {kind.name}; expected {kind.dtype} patches "
            f"of shape {kind.shape}. Prepare the cohort again."
        )
    return zarr.open_array(str(path), mode="r", zarr_format=3)


_CODECS = {"sharding_indexed", "bytes", "blosc", "crc32c"}


def _codec_names(codecs: Sequence[Mapping[str, Any]]) -> set[str]:
    names = set()
    for codec in codecs:
        names.add(codec["name"])
        inner = codec.get("configuration", {})
        names |= _codec_names(inner.get("codecs", []))
        names |= _codec_names(inner.get("index_codecs", []))
    return names


def shard_table(shard: SeriesShard) -> pa.Table:
    """Return the index rows of a shard."""
    import pyarrow as pa

    kinds = [name for name in KINDS if name in shard.arrays]
    records = [
        _record(row)
        | {"subject": row.subject or shard.subject, "series": shard.series, "kinds": kinds}
        | {"shard": shard.key, "position": position, "cohort_schema": COHORT_SCHEMA}
        for position, row in enumerate(shard.rows)
    ]
    return pa.Table.from_pylist(records, schema=index_schema())


def _record(row: VertebraRow) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in row.__dataclass_fields__}
    sheet, box = plain.pop("sheet"), plain.pop("box")
    if sheet is not None:
        plain["sheet_knots_mm"] = sheet.coronal.knots_mm.ravel().tolist()
        plain["sheet_s_center_mm"] = float(sheet.s_center_mm)
        plain["sheet_y_center_mm"] = float(sheet.y_center_mm)
    if box is not None:
        plain["box_center_mm"] = np.asarray(box.center_mm).tolist()
        plain["box_axes"] = np.asarray(box.axes).ravel().tolist()
    return plain
