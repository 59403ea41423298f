"""Which vertebrae of a cohort a study shows: those asked for, healthy ones, wrongly graded ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinexplain.analysis.explanations.bench import CropFrame
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.source import graded_rows
from spinexplain.errors import ConfigError
from spinexplain.geometry import SheetFrame
from spinexplain.models.grader import Grader
from spinexplain.progress import SILENT, Progress
from spinexplain.types import Frame, Patch, Vertebra

_LOOKED_AT = 4  # times as many candidates as are wanted are graded in search of wrong ones


@dataclass(frozen=True, eq=False)
class ChosenCase:
    """A vertebra of the study.

    Parameters
    ----------
    row : int
        Of the cohort's index.
    role : {"asked", "healthy", "wrong"}
    """

    row: int
    role: str


@dataclass(frozen=True)
class Wanted:
    """How many vertebrae of which kind.

    Parameters
    ----------
    grades : tuple of str
        Whose vertebrae are asked about: all of the split, or ``most`` of them.
    most : int
        0 for all.
    healthy : int or None
        G0 among them; None for a quarter of those asked about.
    wrong : int or None
        Graded wrongly by the first model; None for a quarter.
    """

    grades: tuple[str, ...]
    most: int = 0
    healthy: int | None = None
    wrong: int | None = None


def choose_cases(
    cohort: Cohort,
    split: str,
    grader: Grader,
    wanted: Wanted,
    seed: int,
    progress: Progress = SILENT,
) -> list[ChosenCase]:
    """Choose the vertebrae of a study.

    Parameters
    ----------
    cohort : Cohort
    split : str
        ``"training"``, ``"validation"``, ``"test"`` or ``"all"``.
    grader : Grader
        The first arm's: what it would refuse is left out, what it gets wrong is looked for.
    wanted : Wanted
    seed : int
    progress : Progress

    Raises
    ------
    ConfigError
        If the split holds no vertebra of the grades that the model grades.
    """
    axes = grader.spec.axes
    rows = graded_rows(cohort, axes, None if split == "all" else split)
    rows = np.array([row for row in rows if not _refused(cohort, int(row), grader)], int)
    grades = cohort.index["grade"].to_numpy(str)
    rng = np.random.default_rng([seed, 41])
    asked = rows[np.isin(grades[rows], wanted.grades)]
    if not len(asked):
        raise ConfigError(
            f"{cohort.path}: no vertebra of {', '.join(wanted.grades)} in split {split} that the "
            "model grades. Choose other --grades, another --split or another cohort."
        )
    if wanted.most and len(asked) > wanted.most:
        asked = np.sort(rng.choice(asked, wanted.most, replace=False))
    quarter = -(-len(asked) // 4)
    healthy = quarter if wanted.healthy is None else wanted.healthy
    wrong = quarter if wanted.wrong is None else wanted.wrong
    rest = rng.permutation(np.setdiff1d(rows, asked))
    looked_at = rest[: _LOOKED_AT * (healthy + wrong)]
    found = graded(cohort, looked_at, grader, progress)
    right = np.array([is_right(grader, grades[row], found[row]) for row in looked_at], bool)
    wrongly = [int(row) for row in looked_at[~right]][:wrong]
    plain = [int(row) for row in looked_at[right] if grades[row] == "G0"][:healthy]
    chosen = [ChosenCase(int(row), "asked") for row in asked]
    chosen += [ChosenCase(row, "healthy") for row in plain]
    return chosen + [ChosenCase(row, "wrong") for row in wrongly]


def is_right(grader: Grader, grade: str, called: str) -> bool:
    """Whether a model's class stands for a vertebra's grade; True where it knows no such grade."""
    members = dict(zip(grader.classes, grader.task.grades, strict=True))
    known = any(grade in grades for grades in members.values())
    return grade in members[called] if known else True


def graded(
    cohort: Cohort, rows: Sequence[int] | np.ndarray, grader: Grader, progress: Progress = SILENT
) -> Mapping[int, str]:
    """Return the class that a model gives each row."""
    found: dict[int, str] = {}
    size = 16 if grader.spec.axes == 2 else 2
    for start in range(0, len(rows), size):
        some = [int(row) for row in rows[start : start + size]]
        patches = [case_patch(cohort, row, grader.spec) for row in some]
        found |= dict(zip(some, (g.grade for g in grader.grade(patches)), strict=True))
        progress.step("grading", min(start + size, len(rows)), len(rows))
    return found


def _refused(cohort: Cohort, row: int, grader: Grader) -> bool:
    record: Any = cohort.index.loc[row]
    flags = tuple(record["flags"]) if record["flags"] is not None else ()
    outside = float(record[f"outside_{grader.spec.axes}d"])
    return grader.refusal(record["level"], outside, flags) is not None


def check_spec(spec: InputSpec) -> None:
    """Refuse a model whose crops are scaled to the body.

    Raises
    ------
    ConfigError
    """
    if spec.body_height_mm is not None:
        raise ConfigError(
            "this model sees crops that are scaled to the body's height; a study shows patients "
            "at their own size. Choose a model without [input] body_height_mm."
        )


def case_patch(cohort: Cohort, row: int, spec: InputSpec) -> Patch:
    """Cut the patch out of a stored one that a model sees, float32 HU."""
    axes, side = spec.axes, round(spec.extent_mm)
    stored = cohort.read(f"patches_{axes}d", [row])[0]
    frame = _frame(cohort, row, axes, side)
    record: Any = cohort.index.loc[row]
    centroid = record["centroid_mm"]
    if isinstance(frame, CropFrame) or centroid is None:
        centroid = ((side - 1) / 2,) * axes + (0.0,) * (3 - axes)
    x, y, z = (float(value) for value in centroid)
    vertebra = Vertebra(VertebraLevel(str(record["level"])), (x, y, z))
    return Patch(vertebra, middle_of(stored, side).astype(np.float32), frame)


def target_mask(cohort: Cohort, row: int, spec: InputSpec) -> np.ndarray | None:
    """Return where the vertebra's body lies in its patch, or its bone; None where unknown."""
    own = VertebraLevel(str(cohort.index["level"].iloc[row])).verse_label
    for stem in ("body", "labels"):
        kind = f"{stem}_{spec.axes}d"
        if cohort.has(kind)[row]:
            mask = middle_of(cohort.read(kind, [row])[0], round(spec.extent_mm)) == own
            return mask if mask.any() else None
    return None


def middle_of(array: np.ndarray, side: int) -> np.ndarray:
    """Cut the middle out of a stored patch.

    Examples
    --------
    >>> middle_of(np.arange(16).reshape(4, 4), 2).tolist()
    [[5, 6], [9, 10]]
    """
    starts = [(samples - side) // 2 for samples in array.shape]
    return array[tuple(slice(start, start + side) for start in starts)]


def _frame(cohort: Cohort, row: int, axes: int, side: int) -> Frame:
    try:
        frame = cohort.frame(row, f"{axes}d")
    except ConfigError:  # drawn directly: it lies in no patient
        return CropFrame((side,) * axes)
    if isinstance(frame, SheetFrame):
        return replace(frame, shape=(side, side))
    return replace(frame, shape=(side, side, side))
