"""Training sets from a prepared cohort or straight from drawn phantom sheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.data.crops.body_scale import expected_heights_mm, scaled_to_bodies
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.data.crops.on_disk import Patches, StoredPatches
from spinexplain.data.schema import KINDS
from spinexplain.data.sheets import DrawnSheet
from spinexplain.errors import ConfigError

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort

_GRADES = {grade: number for number, grade in enumerate(GENANT_GRADES)}


def set_from_sheets(sheets: Iterable[DrawnSheet], series: str) -> TrainingSet:
    """Stack drawn sheets into a training set.

    Parameters
    ----------
    sheets : iterable of DrawnSheet
    series : str
        What their provenance calls them, e.g. ``"phantom balanced"``.

    Raises
    ------
    ConfigError
        If there is none.
    """
    drawn = list(sheets)
    if not drawn:
        raise ConfigError("no sheet to train on; expected at least one. Raise their number.")
    shape = drawn[0].hu.shape
    return TrainingSet(
        patches_hu=np.stack([sheet.hu for sheet in drawn]),
        grades=np.array([sheet.grade for sheet in drawn]),
        subjects=np.array([sheet.subject for sheet in drawn]),
        series=np.array([series] * len(drawn)),
        levels=np.array([sheet.level for sheet in drawn]),
        centers=np.tile((np.array(shape) - 1) / 2, (len(drawn), 1)),
        target=np.stack([sheet.body for sheet in drawn]),
        evidence=np.stack([sheet.evidence for sheet in drawn]),
        height_loss=np.array([sheet.loss for sheet in drawn], dtype=float),
        part=_stacked_parts(drawn),
        displacement_mm=moved_mm(
            [getattr(sheet, "displacement_mm", ()) for sheet in drawn],
            np.array([sheet.grade for sheet in drawn]),
        ),
    )


def _stacked_parts(sheets: list[DrawnSheet]) -> np.ndarray | None:
    found = [getattr(sheet, "part", None) for sheet in sheets]
    return None if any(codes is None for codes in found) else np.stack(found)  # type: ignore[arg-type]


def moved_mm(stored: Iterable[Sequence[float] | None], grades: np.ndarray) -> np.ndarray:
    """Return what fractures moved, float32 (N, 12): 0 without a fracture, NaN where unknown.

    Parameters
    ----------
    stored : iterable of sequence of float, or None
        Twelve numbers a vertebra; something shorter where they are not known.
    grades : ndarray of int, shape (N,)
    """
    moved = np.where(grades[:, None] == 0, 0.0, np.full((len(grades), 12), np.nan))
    for row, values in enumerate(stored):
        if values is not None and len(values) == 12:
            moved[row] = values
    return moved.astype(np.float32)


def set_from_cohort(
    cohort: Cohort,
    axes: int = 2,
    split: str | None = None,
    with_twins: bool = False,
    masks: bool = True,
    body_height_mm: float | None = None,
) -> TrainingSet:
    """Read the graded vertebrae of a cohort.

    Parameters
    ----------
    cohort : Cohort
    axes : int
        2 for sheets, 3 for boxes.
    split : str, optional
        Keep only ``"training"``, ``"validation"`` or ``"test"``.
    with_twins : bool
        Whether healthy twins of phantoms come in as G0; left out by default, as they show
        the persons of other patches again and shift the share of fractures.
    masks : bool
        Whether the masks are read too; those of boxes take 1.4 MB each, while the HU of boxes
        stay on disk.
    body_height_mm : float, optional
        Scale every crop so that its body should be this tall; see
        :class:`~spinexplain.config.training.InputSpec`.

    Returns
    -------
    TrainingSet
        Vertebrae with foreign material are left out.

    Raises
    ------
    ConfigError
        If no graded vertebra has patches of this kind.
    """
    index = cohort.index
    rows = graded_rows(cohort, axes, split, with_twins)
    chosen = index.iloc[rows]
    patches = _patches(cohort, rows, axes, in_memory=body_height_mm is not None)
    middle = (np.array(patches.shape[1:]) - 1) / 2
    data = TrainingSet(
        patches_hu=patches,
        grades=chosen["grade"].map(_GRADES).to_numpy(),
        subjects=chosen["subject"].to_numpy(str),
        series=chosen["series"].to_numpy(str),
        levels=chosen["level"].to_numpy(str),
        centers=np.tile(middle, (len(rows), 1)),
        target=_own_body(cohort, rows, axes) if masks else None,
        evidence=_evidence(cohort, rows, axes) if masks else None,
        height_loss=chosen["loss"].to_numpy(float),
        ratings=_ratings(chosen["ratings"]),
        part=_parts(cohort, rows, axes) if masks else None,
        displacement_mm=moved_mm(
            chosen["displacement_mm"], chosen["grade"].map(_GRADES).to_numpy()
        ),
        twins=chosen["healthy_twin"].to_numpy(dtype=bool),
        synthetic=bool(chosen["synthetic"].all()),
    )
    if body_height_mm is None:
        return data
    return scaled_to_bodies(data, expected_heights_mm(cohort, rows, axes), body_height_mm)


def _patches(cohort: Cohort, rows: np.ndarray, axes: int, in_memory: bool) -> Patches:
    """Read sheets; leave boxes, which are fifty times as large, on disk unless asked for."""
    if axes == 2 or in_memory:
        return cohort.read(f"patches_{axes}d", rows)
    return StoredPatches.of(cohort.patches_3d, rows, KINDS["patches_3d"].shape)


def graded_rows(
    cohort: Cohort, axes: int, split: str | None, with_twins: bool = False
) -> np.ndarray:
    """Return the rows of a cohort's index that :func:`set_from_cohort` reads.

    Raises
    ------
    ConfigError
        If no graded vertebra has patches of this kind.
    """
    use = cohort.index["grade"].isin(_GRADES) & cohort.has(f"patches_{axes}d")
    if not with_twins:
        use &= ~cohort.index["healthy_twin"].to_numpy(dtype=bool)
    if split is not None:
        use &= cohort.index["split"] == split
    rows = np.flatnonzero(use.to_numpy(dtype=bool))
    if not len(rows):
        raise ConfigError(_nothing(cohort, axes, split))
    return rows


def _nothing(cohort: Cohort, axes: int, split: str | None) -> str:
    nothing = f"{cohort.path}: no graded vertebra with {axes}-D patches"
    if split is None:
        return f"{nothing}. Prepare it with --patches {axes}d and a fracture table."
    found = sorted(cohort.index["split"].dropna().unique())
    known = (
        f"its splits are {', '.join(found)}" if found else "it is not split (take all: --split all)"
    )
    return (
        f"{nothing} in split {split}; {known}. Choose another split, or prepare it with "
        f"--patches {axes}d and a fracture table."
    )


def _ratings(rows: Iterable[Iterable[str]]) -> np.ndarray | None:
    """Return the raters' grades as numbers (n, R), -1 where one gave none; None without raters."""
    graded = [[_GRADES.get(grade, -1) for grade in row] for row in rows]
    most = max(len(row) for row in graded)
    if most == 0:
        return None
    return np.array([row + [-1] * (most - len(row)) for row in graded], dtype=np.int8)


def _own_body(cohort: Cohort, rows: np.ndarray, axes: int) -> np.ndarray | None:
    """Return where each vertebra's own body lies; its whole bone where no body is known."""
    own = np.array(
        [VertebraLevel(level).verse_label for level in cohort.index["level"].iloc[rows]]
    ).reshape(-1, *(1,) * axes)
    for kind in (f"body_{axes}d", f"labels_{axes}d"):
        if cohort.has(kind)[rows].any():
            return (cohort.read(kind, rows, missing=0) == own).astype(np.uint8)
    return None


def _parts(cohort: Cohort, rows: np.ndarray, axes: int) -> np.ndarray | None:
    kind = f"part_{axes}d"
    return cohort.read(kind, rows, missing=0) if cohort.has(kind)[rows].any() else None


def _evidence(cohort: Cohort, rows: np.ndarray, axes: int) -> np.ndarray | None:
    kind = f"evidence_{axes}d"
    if not cohort.has(kind)[rows].any():
        return None
    return (cohort.read(kind, rows, missing=0) > 0).astype(np.uint8)
