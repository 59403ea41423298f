"""The prepared cohort: patches of many vertebrae on disk, with an index to choose from.

::

    COHORT/
      cohort.json              schema, settings
      shards/<series>/         one per series: rows.parquet and one zarr array per kind
      index.parquet            one row a vertebra; built last, from the shards
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from spinexplain.data.shard import open_array
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
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
        table = read_rows(folder / INDEX_FILE)
        return cls(folder, to_frame(table), description["settings"])

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
            elif len(distinct) == 1:  # a list of rows would decode the whole shard
                patches = np.asarray(array[int(distinct[0])])[None]
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


def read_rows(path: Path) -> pa.Table:
    """Read index rows from a parquet file, whole index or one shard.

    Raises
    ------
    FileFormatError
        If it is broken, lacks a column, or points outside the cohort.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
        table = _with_ratings_column(_with_twin_column(table))
        table = _with_scan_columns(_with_displacement_column(table))
        table = table.select(index_schema().names).cast(index_schema())
        table.validate(full=True)  # broken text would only show when a cell is read
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as a cohort table ({error}); expected the parquet file that "
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


def _with_twin_column(table: pa.Table) -> pa.Table:
    """Mark healthy twins in cohorts written before they were marked.

    Twins of drawn sheets have HU and no masks; twins of scans are called desc-twin.
    """
    import pyarrow as pa

    if "healthy_twin" in table.column_names:
        return table
    records = table.select(["twin_id", "kinds", "series"]).to_pylist()
    twins = [
        row["twin_id"] is not None
        and ("_desc-twin" in row["series"] or set(row["kinds"]) == {"patches_2d"})
        for row in records
    ]
    return table.append_column("healthy_twin", pa.array(twins, pa.bool_()))


def _with_ratings_column(table: pa.Table) -> pa.Table:
    """Add the raters' grades, none, to cohorts written before they were kept."""
    import pyarrow as pa

    if "ratings" in table.column_names:
        return table
    none: list[list[str]] = [[]] * table.num_rows
    return table.append_column("ratings", pa.array(none, pa.list_(pa.string())))


def _with_displacement_column(table: pa.Table) -> pa.Table:
    """Add what fractures moved, unknown, to cohorts written before it was kept."""
    import pyarrow as pa

    if "displacement_mm" in table.column_names:
        return table
    none: list[list[float]] = [[]] * table.num_rows
    return table.append_column("displacement_mm", pa.array(none, pa.list_(pa.float64())))


def _with_scan_columns(table: pa.Table) -> pa.Table:
    """Leave the scans' grids and measured losses empty in cohorts written before they were kept."""
    import pyarrow as pa

    losses = ("measured_loss", "measured_loss_sd", "measured_broad_loss")
    for name in ("scan_shape", "scan_affine", *losses):
        if name not in table.column_names:
            empty = pa.nulls(table.num_rows, index_schema().field(name).type)
            table = table.append_column(name, empty)
    return table


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Turn index rows into a DataFrame; folds and seeds stay whole numbers where some lack."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}
    return table.to_pandas(types_mapper=nullable.get)
