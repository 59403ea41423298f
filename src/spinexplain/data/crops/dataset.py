"""What a training needs of a cohort: crops, grades, where they come from, and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from spinexplain.config.tasks import Task, derived_task
from spinexplain.config.training import InputSpec
from spinexplain.data.crops.on_disk import Patches, StoredPatches, one_after_another
from spinexplain.errors import ConfigError, ShapeError
from spinexplain.types import Provenance


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Vertebra crops with a margin, one row a vertebra.

    Parameters
    ----------
    patches_hu : ndarray of int16, shape (N, *S), or StoredPatches
        Crops at 1 mm with a margin around what the network sees; boxes of a cohort stay on
        disk.
    grades : ndarray of int, shape (N,)
        Genant grade, 0 to 3.
    subjects, series, levels : ndarray of str, shape (N,)
        Provenance.
    centers : ndarray of float, shape (N, axes)
        Index of the vertebra's centroid in each crop.
    target : ndarray of uint8, shape (N, *S), or None
        1 inside the target vertebra's body.
    evidence : ndarray of uint8, shape (N, *S), or None
        1 where a fracture's true evidence lies.
    height_loss : ndarray of float, shape (N,), or None
        Relative height loss, 0 to 1; NaN where it is not known.
    ratings : ndarray of int, shape (N, R), or None
        Genant grade by each of R raters, -1 where one gave none.
    features : ndarray of float32, shape (N, channels, *G), or None
        What a trunk makes of the unaugmented crops, for networks whose trunk is bypassed.
    inside_cells : ndarray of float32, shape (N, *G), or None
        With ``features``: how much of each cell the mask of the loss on place covers.
    origin : ndarray of int, shape (N,), or None
        Number of each row before rows were dropped, for whoever needs to find it again.
    simulated : ndarray of bool, shape (N,), or None
        Rows whose fracture was simulated in the crop.
    part : ndarray of uint8, shape (N, *S), or None
        Endplate (1 to 6 superior, 7 to 12 inferior) and sixth of the depth, posterior to
        anterior; 0 elsewhere.
    displacement_mm : ndarray of float32, shape (N, 12), or None
        How far each endplate moved in each sixth; NaN where unknown.
    twins : ndarray of bool, shape (N,), or None
        Rows that are the healthy twin of another one.
    added : ndarray of bool, shape (N,), or None
        Rows that readers corrected; no prototype comes from them.
    synthetic : bool
        Whether the crops come from a phantom.
    body_height_mm : float or None
        What the crops are scaled to, as in :class:`~spinexplain.config.training.InputSpec`; None
        at the patients' own size.

    Raises
    ------
    ShapeError
        If the arrays disagree about N or the shape of a crop.
    """

    patches_hu: Patches
    grades: np.ndarray
    subjects: np.ndarray
    series: np.ndarray
    levels: np.ndarray
    centers: np.ndarray
    target: np.ndarray | None = None
    evidence: np.ndarray | None = None
    height_loss: np.ndarray | None = None
    ratings: np.ndarray | None = None
    features: np.ndarray | None = None
    inside_cells: np.ndarray | None = None
    origin: np.ndarray | None = None
    simulated: np.ndarray | None = None
    part: np.ndarray | None = None
    displacement_mm: np.ndarray | None = None
    twins: np.ndarray | None = None
    added: np.ndarray | None = None
    synthetic: bool = True
    body_height_mm: float | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray) and len(value) != len(self.patches_hu):
                raise ShapeError(
                    f"TrainingSet.{item.name} has {len(value)} rows; "
                    f"expected {len(self.patches_hu)}, one per patch."
                )
        for name in ("target", "evidence", "part"):
            mask = getattr(self, name)
            if mask is not None and mask.shape != self.patches_hu.shape:
                raise ShapeError(
                    f"TrainingSet.{name} must have the shape of patches_hu "
                    f"{self.patches_hu.shape}; got {mask.shape}."
                )

    def __len__(self) -> int:
        return len(self.patches_hu)

    def take(self, index: np.ndarray) -> TrainingSet:
        """Return the rows of ``index`` (integers or a boolean mask)."""
        rows: dict[str, Any] = {
            item.name: getattr(self, item.name)[index]
            for item in fields(self)
            if isinstance(getattr(self, item.name), np.ndarray)
        }
        if isinstance(self.patches_hu, StoredPatches):
            rows["patches_hu"] = self.patches_hu.take(index)
        return replace(self, **rows)


def joined(sets: Sequence[TrainingSet]) -> TrainingSet:
    """Put the rows of several sets after one another.

    What only some of the sets have (masks, height losses) is left out; raters' grades are
    kept, with -1 where a set has fewer raters.

    Raises
    ------
    ConfigError
        If they are not scaled alike.
    """
    scales = {one.body_height_mm for one in sets}
    if len(scales) > 1:
        raise ConfigError(
            f"the sets are scaled to body heights of {sorted(map(str, scales))} mm; expected one. "
            "Read them for the same input."
        )
    arrays: dict[str, Any] = {"ratings": _joined_ratings(sets)}
    for item in fields(TrainingSet):
        parts = [getattr(one, item.name) for one in sets]
        if item.name != "ratings" and all(isinstance(part, np.ndarray) for part in parts):
            arrays[item.name] = np.concatenate(parts)
    stored = [one.patches_hu for one in sets if isinstance(one.patches_hu, StoredPatches)]
    if len(stored) == len(sets):
        arrays["patches_hu"] = one_after_another(stored)
    return TrainingSet(
        **arrays, synthetic=all(one.synthetic for one in sets), body_height_mm=scales.pop()
    )


def _joined_ratings(sets: Sequence[TrainingSet]) -> np.ndarray | None:
    known = [np.empty((len(one), 0), int) if one.ratings is None else one.ratings for one in sets]
    most = max(part.shape[1] for part in known)
    if most == 0:
        return None
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, most - part.shape[1])), constant_values=-1) for part in known]
    )


def provenance_of(data: TrainingSet, row: int) -> Provenance:
    """Say where the crop of a row comes from."""
    return Provenance(
        subject=str(data.subjects[row]),
        series=str(data.series[row]),
        level=str(data.levels[row]),
        grade=f"G{data.grades[row]}",
        synthetic=data.synthetic,
    )


def class_labels(data: TrainingSet, task: Task | Sequence[str]) -> np.ndarray:
    """Return the class index of every row, -1 where its grade is in no class."""
    return grade_labels(data.grades, task)


def grade_labels(grades: np.ndarray, task: Task | Sequence[str]) -> np.ndarray:
    """Return the class index of every Genant grade, -1 where it is in no class.

    Parameters
    ----------
    grades : ndarray of int, shape (N,)
        0 to 3.
    task : Task or sequence of str
        In the order of the logits; or names of classes that say what they stand for.

    Examples
    --------
    >>> grade_labels(np.array([0, 1, 3]), ("no fracture", "fracture"))
    array([ 0, -1,  1])
    """
    members = _known(task).grades
    index = {grade: k for k, grades_of in enumerate(members) for grade in grades_of}
    return np.array([index.get(f"G{grade}", -1) for grade in grades], dtype=int)


def _known(task: Task | Sequence[str]) -> Task:
    return task if isinstance(task, Task) else derived_task(task)


def class_shares(data: TrainingSet, task: Task | Sequence[str]) -> np.ndarray:
    """Return :func:`grade_shares` of every row, float64 (N, K)."""
    return grade_shares(data.grades, data.ratings, task)


def grade_shares(
    grades: np.ndarray, ratings: np.ndarray | None, task: Task | Sequence[str]
) -> np.ndarray:
    """Return which share of the raters saw each class in every vertebra.

    Parameters
    ----------
    grades : ndarray of int, shape (N,)
        The grade agreed on, 0 to 3.
    ratings : ndarray of int, shape (N, R), or None
        -1 where a rater gave none.
    task : Task or sequence of str

    Returns
    -------
    ndarray of float64, shape (N, K)
        A vertebra that no rater put into a class has its grade alone: 1 for its class, 0 for
        the others, and all 0 where its grade is in no class.

    Examples
    --------
    >>> votes = np.array([[2, 3, 2, 1, -1]])
    >>> grade_shares(np.array([2]), votes, ("G0", "G2", "G3")).round(2).tolist()
    [[0.0, 0.67, 0.33]]
    """
    labels, classes = grade_labels(grades, task), np.arange(len(_known(task).classes))
    shares = (labels[:, None] == classes).astype(float)
    if ratings is None:
        return shares
    rated = grade_labels(ratings.ravel(), task).reshape(ratings.shape)
    counts = (rated[:, :, None] == classes).sum(axis=1)
    raters = counts.sum(axis=1)
    seen = raters > 0
    shares[seen] = counts[seen] / raters[seen, None]
    return shares


def with_classes(data: TrainingSet, task: Task | Sequence[str], per_class: int) -> TrainingSet:
    """Drop rows whose grade is in no class (ProtoVerse leaves G1 out), and check what is left.

    Raises
    ------
    ConfigError
        If a class has fewer than ``per_class`` rows.
    """
    labels = class_labels(data, task)
    for index, name in enumerate(_known(task).classes):
        count = int(np.sum(labels == index))
        if count < per_class:
            raise ConfigError(
                f"class {name} has {count} training crops; expected at least {per_class}. "
                "Use a larger cohort or fewer prototypes_per_class."
            )
    return data if np.all(labels >= 0) else data.take(labels >= 0)


def check_fits(data: TrainingSet, spec: InputSpec) -> None:
    """Refuse crops that a network's input cannot be cut from.

    Raises
    ------
    ConfigError
        If they have another number of axes, are smaller than the input's extent, or are
        scaled to another height of the body.
    """
    if data.body_height_mm != spec.body_height_mm:
        raise ConfigError(
            f"the crops are scaled to body heights of {data.body_height_mm} mm; the preset's "
            f"[input] body_height_mm is {spec.body_height_mm}. Read the cohort for this input."
        )
    shape = data.patches_hu.shape[1:]
    if len(shape) != spec.axes or min(shape) < spec.extent_mm:
        wanted = " x ".join([f"{spec.extent_mm:.0f}"] * spec.axes)
        raise ConfigError(
            f"the cohort's patches are {' x '.join(map(str, shape))} mm at 1 mm; the preset's "
            f"[input] needs at least {wanted} mm. Prepare patches of its kind, or set axes and "
            "extent_mm."
        )


def split_validation(data: TrainingSet, share: float, seed: int) -> tuple[TrainingSet, TrainingSet]:
    """Set aside whole subjects for validation, stratified by their worst grade.

    Parameters
    ----------
    data : TrainingSet
    share : float
        Part of the subjects of every stratum, 0 to 1.
    seed : int

    Returns
    -------
    training, validation : TrainingSet
        No subject is in both.

    Raises
    ------
    ConfigError
        If there are fewer than two subjects.
    """
    subjects, member = np.unique(data.subjects, return_inverse=True)
    if len(subjects) < 2:
        raise ConfigError(
            f"the cohort has {len(subjects)} subject; expected at least 2, because validation "
            "is split by subject. Add subjects."
        )
    worst = np.zeros(len(subjects), int)
    np.maximum.at(worst, member, data.grades)
    rng = np.random.default_rng([seed, 1])
    chosen = np.zeros(len(subjects), bool)
    for grade in np.unique(worst):
        group = np.flatnonzero(worst == grade)
        count = round(share * len(group))
        chosen[rng.permutation(group)[:count]] = True
    if not chosen.any():
        chosen[rng.integers(len(subjects))] = True
    return data.take(~chosen[member]), data.take(chosen[member])
