"""Writes a cohort: shards as they come, the index last of all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.data.cohort import (
    DESCRIPTION_FILE,
    INDEX_FILE,
    SHARDS,
    Cohort,
    read_description,
    read_rows,
    to_frame,
)
from spinexplain.data.schema import COHORT_SCHEMA, index_schema
from spinexplain.data.shard import (
    NOTES_FILE,
    ROWS_FILE,
    TEMPORARY_PREFIX,
    SeriesShard,
    shard_key,
    write_shard,
    writing,
)
from spinexplain.errors import ConfigError, OutputError
from spinexplain.io.files import atomic_file

if TYPE_CHECKING:
    import pyarrow as pa


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
        tables = [read_rows(file) for file in files if not _is_temporary(file)]
        return pa.concat_tables([index_schema().empty_table(), *tables])

    def preview(self, rows: pa.Table) -> Cohort:
        """Open the cohort as it will be with these rows, before its index is written."""
        return Cohort(self.path, to_frame(rows), read_description(self.path)["settings"])

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
            If the index cannot be written.
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
        If another process writes to the folder, or it cannot be created.
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
