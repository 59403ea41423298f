"""Corrections of readers as the reader's app exports them, prepared to be learned from."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.config.training import TrainConfig
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.dataset import TrainingSet

SCHEMA = "spinexplain/corrections/1"
_FILE, _TABLE = "corrections.json", "fracture-table.csv"


@dataclass(frozen=True, eq=False)
class Corrections:
    """Corrected crops, and what the model called them when they were read.

    Parameters
    ----------
    data : TrainingSet
    before : tuple of str or None
        Grade of the model for each row.
    """

    data: TrainingSet
    before: tuple[str | None, ...]


def read_corrections(
    sources: Sequence[str],
    folder: Path,
    config: TrainConfig,
    cohort: Cohort,
    split: str | None,
    progress: Progress = SILENT,
) -> Corrections:
    """Prepare exports of the reader, and find out whose scans of the cohort they are.

    Parameters
    ----------
    sources : sequence of str
        Each the zip of *VerSe files*, or its unpacked folder; ``PATH=SUBJECT`` says whose it is.
    folder : Path
        The prepared crops are kept in it.
    config : TrainConfig
    cohort : Cohort
        What the model learns from.
    split : str or None
        Which part of it.

    Raises
    ------
    SpinexplainError
        If a source is no export, or is of somebody whom the cohort holds out.
    """
    from spinexplain.data.crops.dataset import joined

    sets, before = [], []
    for number, source in enumerate(sources, 1):
        path, _, subject = source.partition("=")
        with _unpacked(Path(path)) as unpacked:
            said = _read(unpacked, path)
            data = _prepared(unpacked, folder / f"{number:03d}", config, progress)
        data = _named(data, subject or None, said, cohort, split, path)
        models = {one["level"]: one["model"] for one in said["vertebrae"]}
        sets.append(data)
        before += [models.get(str(level)) for level in data.levels]
    return Corrections(joined(sets), tuple(before))


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file or folder; expected an export of the reader.")
    with TemporaryDirectory() as made:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(made)
        except (zipfile.BadZipFile, OSError) as error:
            raise FileFormatError(
                f"{path}: cannot be unpacked ({error}); expected the zip of VerSe files that the "
                "reader exports. Export it again."
            ) from None
        yield Path(made)


def _read(folder: Path, source: str) -> dict[str, Any]:
    """Read what model and reader said."""
    path = folder / _FILE
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']!r}")
        for one in content["vertebrae"]:
            one["level"], one["model"], one["reader"]
        str(content["ct_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{source}: its {_FILE} cannot be read ({type(error).__name__}); expected the VerSe "
            "files that the reader exports. Export them again."
        ) from None
    return dict(content)


def _prepared(folder: Path, out: Path, config: TrainConfig, progress: Progress) -> TrainingSet:
    from spinexplain.config.heads import head_of
    from spinexplain.data.crops.source import set_from_cohort
    from spinexplain.data.prepare import PrepareOptions, prepare

    axes = config.input.axes
    options = PrepareOptions(patches=f"{axes}d", thumbnails=False, force=True)
    made = prepare([folder], folder / _TABLE, out, options, progress)
    return set_from_cohort(
        made,
        axes,
        masks=head_of(config.head.kind).uses_masks,
        body_height_mm=config.input.body_height_mm,
    )


def _named(
    data: TrainingSet,
    subject: str | None,
    said: dict[str, Any],
    cohort: Cohort,
    split: str | None,
    source: str,
) -> TrainingSet:
    """Give corrected crops the name that their person has in the cohort."""
    from dataclasses import replace

    import numpy as np

    from spinexplain.train.curation.corrections import check_not_held_out, known_subject

    kind = f"patches_{len(data.patches_hu.shape) - 1}d"
    patches = np.stack([data.patches_hu[row] for row in range(len(data))])
    known = known_subject(cohort, said["ct_sha256"], patches, kind)
    if subject and known and subject != known:
        raise ConfigError(
            f"{source}: is said to be of {subject}; {cohort.path.name} holds this scan as "
            f"{known}. Correct the name, or leave it out."
        )
    found = known or subject
    if found is None:
        return data
    check_not_held_out(cohort, split, found, source)
    return replace(data, subjects=np.array([found] * len(data)))


def write_changes(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write what changed for whom as ``corrections.csv``."""
    from spinexplain.io.files import atomic_file

    if not rows:
        raise ConfigError("no corrected vertebra; expected at least one.")
    with atomic_file(folder / "corrections.csv") as temporary, temporary.open("w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
