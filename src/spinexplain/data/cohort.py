"""The prepared cohort: patches of many vertebrae on disk, with an index to choose from.

::

    COHORT/
      cohort.json              schema, settings
      shards/<series>/         one per series: rows.parquet and one zarr array per kind
      index.parquet            one row a vertebra; built last, from the shards
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.schema import (
    COHORT_SCHEMA,
    KINDS,
    MARGIN_SHAPE_2D,
    MARGIN_SHAPE_3D,
    SPACING_MM,
    index_schema,
)
from spinexplain.data.shard import (
    NOTES_FILE,
    ROWS_FILE,
    TEMPORARY_PREFIX,
    SeriesShard,
    open_array,
    shard_key,
    write_shard,
    writing,
)
from spinexplain.errors import ConfigError, FileFormatError, OutputError
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.io.files import atomic_file
from spinexplain.types import Patch, Vertebra

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DESCRIPTION_FILE = "cohort.json"
INDEX_FILE = "index.parquet"
SHARDS = "shards"

_CAUDAL_XZ = np.array([0.0, -1.0])


@dataclass(frozen=True, eq=False)
class CohortArray:
    """One kind of array of a cohort, indexed by vertebra.

    Examples
    --------
    ``cohort.patches_2d[7]`` is the sheet of the vertebra in row 7 of the index;
    ``cohort.patches_2d[[1, 5]]`` stacks two.
    """

    cohort: Cohort
    kind: str

    def __len__(self) -> int:
        return len(self.cohort.index)

    def __getitem__(self, rows: int | Sequence[int] | np.ndarray) -> np.ndarray:
        chosen = np.asarray(rows)
        patches = self.cohort.read(self.kind, np.atleast_1d(chosen))
        return patches[0] if chosen.ndim == 0 else patches


@dataclass(frozen=True, eq=False)
class Cohort:
    """A prepared cohort, opened for reading. Open it with :meth:`open`.

    Parameters
    ----------
    path : Path
        The cohort's folder.
    index : pandas.DataFrame
        One row a vertebra, numbered from 0; the columns are those of ``index_schema``.
        Write ``index["shape"]`` and ``index["flags"]``: as attributes pandas has its own.
    settings : mapping
        How it was prepared.
    """

    path: Path
    index: pd.DataFrame
    settings: Mapping[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Cohort:
        """Open a finished cohort.

        Raises
        ------
        ConfigError
            If ``path`` is no cohort, is not finished, or has another schema version.
        FileFormatError
            If its index is broken.
        """
        folder = Path(path)
        description = read_description(folder)
        if not (folder / INDEX_FILE).exists():
            raise ConfigError(
                f"{folder}: this cohort is not finished (no {INDEX_FILE}). "
                "Run prepare again with the same arguments; finished series are kept."
            )
        table = _read_table(folder / INDEX_FILE)
        return cls(folder, _to_frame(table), description["settings"])

    def __len__(self) -> int:
        return len(self.index)

    def __getattr__(self, name: str) -> CohortArray:
        if name in KINDS:
            return CohortArray(self, name)
        raise AttributeError(f"Cohort has no attribute {name!r}; arrays are {sorted(KINDS)}")

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Arrays that at least one vertebra has."""
        present = {name for names in self.index["kinds"] for name in names}
        return tuple(name for name in KINDS if name in present)

    def has(self, kind: str) -> np.ndarray:
        """Return which vertebrae have this array, bool, shape (n,)."""
        _check_kind(kind)
        return np.array([kind in names for names in self.index["kinds"]], dtype=bool)

    def read(
        self, kind: str, rows: Sequence[int] | np.ndarray, missing: int | None = None
    ) -> np.ndarray:
        """Read patches of one kind.

        Parameters
        ----------
        kind : str
            A name in ``KINDS``, e.g. ``"patches_2d"``.
        rows : sequence of int, shape (k,)
            Row numbers of the index, in any order, repeats allowed; a bool mask over all
            rows works too.
        missing : int, optional
            Value to fill in for vertebrae without this array; without it they are an error.

        Returns
        -------
        ndarray of int16 or uint8, shape (k, *S)
            int16 HU for patches, uint8 labels otherwise.

        Raises
        ------
        ConfigError
            If the kind is unknown, or a vertebra lacks it and ``missing`` is not given.
        """
        wanted = self._row_numbers(rows)
        spec = _check_kind(kind)
        out = np.full((len(wanted), *spec.shape), missing or 0, dtype=spec.dtype)
        present = self.has(kind)[wanted]
        if missing is None and not present.all():
            row = int(wanted[np.argmin(present)])
            raise ConfigError(
                f"{self.path}: row {row} ({self.index.series[row]} {self.index.level[row]}) has "
                f"no {kind}; this cohort has {', '.join(self.kinds)}. Prepare it with {kind}, or "
                "choose rows that have it."
            )
        shards = self.index["shard"].to_numpy()[wanted]
        positions = self.index["position"].to_numpy()[wanted]
        for name in dict.fromkeys(shards[present]):
            here = np.flatnonzero((shards == name) & present)
            out[here] = self._read_shard(name, kind, positions[here])
        return out

    def _row_numbers(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        chosen = np.asarray(rows)
        if chosen.dtype == bool:
            return np.flatnonzero(chosen)
        wanted = chosen.astype(int)
        outside = wanted[(wanted < 0) | (wanted >= len(self))]
        if outside.size:
            raise ConfigError(
                f"row {outside[0]} is not in the cohort {self.path}; expected 0 to {len(self) - 1}."
            )
        return wanted

    def _read_shard(self, name: str, kind: str, positions: np.ndarray) -> np.ndarray:
        path = self.path / SHARDS / name / kind
        array = open_array(path, KINDS[kind])
        distinct, inverse = np.unique(positions, return_inverse=True)
        try:
            if len(distinct) == array.shape[0]:
                patches = np.asarray(array[:])
            else:
                patches = np.asarray(array.oindex[distinct])
        except (ValueError, RuntimeError, IndexError, OSError) as error:
            raise FileFormatError(
                f"{path}: broken array ({error}); expected what prepare wrote. "
                f"Delete {path.parent} and {INDEX_FILE} beside its parent and prepare again."
            ) from None
        return patches[inverse]

    def frame(self, row: int, dimensions: str = "2d") -> SheetFrame | BoxFrame:
        """Rebuild where a stored patch lies in the patient.

        Parameters
        ----------
        row : int
        dimensions : {"2d", "3d"}

        Raises
        ------
        ConfigError
            If the patch has no place in a patient (phantom sheets drawn directly).
        """
        record: Any = self.index.loc[row]
        values = record["sheet_knots_mm" if dimensions == "2d" else "box_center_mm"]
        if values is None:
            raise ConfigError(
                f"{self.path}: row {row} has no {dimensions} frame; "
                "it was drawn directly or prepared without these patches."
            )
        if dimensions == "2d":
            curve = fit_curve(np.reshape(values, (-1, 2)), _CAUDAL_XZ)
            center = float(record.sheet_s_center_mm), float(record.sheet_y_center_mm)
            return SheetFrame(curve, *center, MARGIN_SHAPE_2D, SPACING_MM)
        axes = np.reshape(record["box_axes"], (3, 3))
        return BoxFrame(np.asarray(values), axes, MARGIN_SHAPE_3D, SPACING_MM)

    def patch(self, row: int, dimensions: str = "2d") -> Patch:
        """Return a stored patch with its frame, float32 HU."""
        record: Any = self.index.loc[row]
        frame = self.frame(row, dimensions)
        array = self.read(f"patches_{dimensions}", [row])[0].astype(np.float32)
        flags = tuple(record["flags"])
        vertebra = Vertebra(VertebraLevel(record["level"]), tuple(record["centroid_mm"]), flags)
        return Patch(vertebra, array, frame, float(record[f"outside_{dimensions}"]))


def _check_kind(kind: str) -> Any:
    if kind not in KINDS:
        raise ConfigError(f"cohort array {kind!r} is not known; expected one of {sorted(KINDS)}.")
    return KINDS[kind]


def read_description(folder: Path) -> dict[str, Any]:
    """Read ``cohort.json`` and check the schema version.

    Raises
    ------
    ConfigError
        If the folder is no cohort or has another schema version.
    """
    try:
        description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        schema = description["schema"]
        dict(description["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{folder}: not a cohort ({DESCRIPTION_FILE}: {reason}); "
            "expected a folder written by prepare."
        ) from None
    if schema != COHORT_SCHEMA:
        raise ConfigError(
            f"{folder}: this cohort has the schema {schema!r}; this version reads "
            f"{COHORT_SCHEMA!r}. Prepare it again."
        )
    return description


def _read_table(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
        table = table.select(index_schema().names).cast(index_schema())
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise FileFormatError(
            f"{path}: can not be read as a cohort table ({error}); expected the parquet file that "
            "prepare wrote. Delete it and prepare again."
        ) from None
    shards = table["shard"].to_pylist()
    foreign = [name for name in shards if not name or Path(name).name != name or name == ".."]
    if foreign:
        raise FileFormatError(
            f"{path}: shard {foreign[0]!r} lies outside the cohort; expected a plain folder name. "
            "Prepare the cohort again."
        )
    return table


def _to_frame(table: pa.Table) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}
    return table.to_pandas(types_mapper=nullable.get)


@dataclass(frozen=True)
class CohortWriter:
    """Writes a cohort shard by shard; :meth:`finish` builds the index.

    Safe to copy to other processes: it holds nothing but the path. Make one with
    :meth:`create`.

    Parameters
    ----------
    path : Path
        The cohort's folder.
    """

    path: Path

    @classmethod
    def create(
        cls, path: str | Path, settings: Mapping[str, Any] | None = None, force: bool = False
    ) -> CohortWriter:
        """Start a cohort, or take up one that was interrupted.

        Parameters
        ----------
        path : str or Path
        settings : mapping
            How it is prepared (JSON values); an interrupted cohort is only taken up when
            they are the same.
        force : bool
            Write into a finished cohort: shards made with the same settings are kept,
            others removed.

        Raises
        ------
        OutputError
            If ``path`` exists and is not a cohort, or is a finished or different one and
            ``force`` is not given.
        """
        folder = Path(path)
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file; expected a folder to write the cohort to.")
        description = {"schema": COHORT_SCHEMA, "settings": dict(settings or {})}
        with writing(folder):
            if folder.exists() and any(folder.iterdir()):
                _take_up(folder, description, force)
        with writing(folder):
            (folder / SHARDS).mkdir(parents=True, exist_ok=True)
            for left_over in (folder / SHARDS).glob(f"{TEMPORARY_PREFIX}*"):
                shutil.rmtree(left_over)
        with atomic_file(folder / DESCRIPTION_FILE) as temporary:
            temporary.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        return cls(folder)

    def add_series(self, shard: SeriesShard) -> str:
        """Store the vertebrae of one series; a shard of the same series is replaced."""
        return write_shard(self.path / SHARDS, shard)

    def notes(self, subject: str, series: str) -> dict[str, Any] | None:
        """Return what was noted beside a stored series; None if it is not stored."""
        shard = self.path / SHARDS / shard_key(subject, series)
        if not (shard / ROWS_FILE).exists():
            return None
        try:
            return dict(json.loads((shard / NOTES_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def rows(self, only: Iterable[tuple[str, str]] | None = None) -> pa.Table:
        """Return the index rows of all shards, sorted by shard.

        Parameters
        ----------
        only : iterable of (subject, series), optional
            The series that belong to the cohort; shards of others are removed.
        """
        import pyarrow as pa

        if only is not None:
            _keep_only(self.path / SHARDS, {shard_key(*names) for names in only})
        files = sorted((self.path / SHARDS).glob(f"*/{ROWS_FILE}"))
        tables = [_read_table(file) for file in files if not _is_temporary(file)]
        return pa.concat_tables([index_schema().empty_table(), *tables])

    def preview(self, rows: pa.Table) -> Cohort:
        """Open the cohort as it will be with these rows, before its index is written."""
        return Cohort(self.path, _to_frame(rows), read_description(self.path)["settings"])

    def finish(self, rows: pa.Table | None = None) -> Cohort:
        """Write the index and open the cohort.

        Parameters
        ----------
        rows : pyarrow.Table, optional
            :meth:`rows`, with grades, splits or folds changed; as stored if left out.

        Raises
        ------
        ConfigError
            If there is no vertebra.
        OutputError
            If the index can not be written.
        """
        import pyarrow.parquet as parquet

        table = self.rows() if rows is None else rows
        if not table.num_rows:
            raise ConfigError(f"{self.path}: no vertebra was stored; a cohort needs at least one.")
        with atomic_file(self.path / INDEX_FILE) as temporary:
            parquet.write_table(table.cast(index_schema()), temporary)
        return Cohort.open(self.path)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a folder for writing; it is created if it is missing.

    The hold ends with the process, however that ends. Where the file system or the
    operating system knows no such locks, nothing is held.

    Raises
    ------
    OutputError
        If another process writes to the folder, or it can not be created.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"{folder}: another process is writing to this folder. Wait until it has ended."
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(held)


def _keep_only(shards: Path, keys: set[str]) -> None:
    for folder in shards.iterdir():
        if folder.name not in keys:
            shutil.rmtree(folder)


def _is_temporary(rows_file: Path) -> bool:
    return rows_file.parent.name.startswith(TEMPORARY_PREFIX)


def _take_up(folder: Path, description: Mapping[str, Any], force: bool) -> None:
    if not (folder / DESCRIPTION_FILE).exists():
        raise OutputError(f"{folder}: exists and is not a cohort. Choose another folder.")
    try:
        same = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8")) == description
    except ValueError:
        same = False
    finished = (folder / INDEX_FILE).exists()
    if not force and (finished or not same):
        state = "a finished cohort" if finished else "a cohort begun with other settings"
        raise OutputError(
            f"{folder}: {state} exists already; expected a new folder. "
            "Choose another, or give --force to replace it."
        )
    (folder / INDEX_FILE).unlink(missing_ok=True)
    if not same:
        shutil.rmtree(folder / SHARDS, ignore_errors=True)
