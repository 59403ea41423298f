"""Which vertebrae of a cohort are dissected with, and their crops and masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS, Task
from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.explainers.dissection.regions import anatomy_regions
from spinexplain.models.inputs import network_input

UNSPLIT = "not split"

_STEMS = ("labels", "body", "evidence", "shortcut")
_OF_WHOLE_BONE = ("posterior_elements", "beside_bone")
_MASKS_AT_ONCE = {2: 128, 3: 4}


@dataclass(frozen=True, eq=False)
class Samples:
    """Vertebrae of a cohort with the crop that a network sees of each.

    Parameters
    ----------
    cohort : Cohort
    rows : ndarray of int, shape (N,)
        Row numbers of the cohort's index.
    spec : InputSpec
    split : str
        Name of the split they are from, or ``UNSPLIT``.
    """

    cohort: Cohort
    rows: np.ndarray
    spec: InputSpec
    split: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def grades(self) -> np.ndarray:
        """Genant grade of each, ``"G0"`` to ``"G3"``."""
        return self.column("grade")

    @property
    def positive(self) -> np.ndarray:
        """Which are fractured, bool, shape (N,)."""
        return self.grades != "G0"

    @property
    def side(self) -> int:
        """Samples along each axis of a crop, at 1 mm."""
        return round(self.spec.extent_mm)

    def column(self, name: str) -> np.ndarray:
        """Return a column of the index for these vertebrae."""
        return self.cohort.index[name].to_numpy()[self.rows]

    def crops(self, which: np.ndarray) -> np.ndarray:
        """Cut HU crops out of the stored margin, float32, shape (n, *S)."""
        kind = f"patches_{self.spec.axes}d"
        return self._cut(self.cohort.read(kind, self.rows[which])).astype(np.float32)

    def batches(self, size: int, device: str = "cpu") -> Iterator[Tensor]:
        """Yield the network's input for all of them, in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.inputs(np.arange(start, min(start + size, len(self))), device)

    def inputs(self, which: np.ndarray, device: str = "cpu") -> Tensor:
        """Return the network's input for some of them, shape (n, C, *S)."""
        hu = torch.from_numpy(self.crops(which)).to(device)
        middle = torch.full((len(which), self.spec.axes), (self.side - 1) / 2, device=device)
        return network_input(hu, middle, self.spec)

    def regions(self) -> Iterator[Mapping[str, np.ndarray]]:
        """Find anatomy, evidence and shortcut in every crop, as far as the cohort knows them.

        Yields
        ------
        mapping of str to ndarray of bool, shape (*S)
            Keys of ``REGIONS``. Evidence and shortcut only where there is any.
        """
        levels = self.column("level")
        size = _MASKS_AT_ONCE[self.spec.axes]
        for start in range(0, len(self), size):
            which = np.arange(start, min(start + size, len(self)))
            masks = {stem: self._masks(stem, which) for stem in _STEMS}
            for place, sample in enumerate(which):
                own = VertebraLevel(levels[sample]).verse_label
                yield _regions_of(own, *(masks[stem][place] for stem in _STEMS))

    def _masks(self, stem: str, which: np.ndarray) -> list[np.ndarray | None]:
        """Cut one kind of mask; None for vertebrae that have none."""
        kind, rows = f"{stem}_{self.spec.axes}d", self.rows[which]
        known = self.cohort.has(kind)[rows]
        if not known.any():
            return [None] * len(which)
        masks = self._cut(self.cohort.read(kind, rows, missing=0))
        return [mask if here else None for mask, here in zip(masks, known, strict=True)]

    def _cut(self, patches: np.ndarray) -> np.ndarray:
        start = (patches.shape[1] - self.side) // 2
        inner = slice(start, start + self.side)
        return patches[(slice(None), *(inner,) * self.spec.axes)]


def _regions_of(
    own: int,
    labels: np.ndarray | None,
    body: np.ndarray | None,
    evidence: np.ndarray | None,
    shortcut: np.ndarray | None,
) -> dict[str, np.ndarray]:
    regions = _anatomy(own, labels, body)
    for name, mask in (("evidence", evidence), ("shortcut", shortcut)):
        if mask is not None and mask.any():
            regions[name] = mask > 0
    return regions


def _anatomy(own: int, labels: np.ndarray | None, body: np.ndarray | None) -> dict[str, np.ndarray]:
    """Find the anatomy; of bodies alone, what shows without the rest of the bone."""
    if labels is not None:
        return anatomy_regions(labels, body, own)
    if body is None:
        return {}
    found = anatomy_regions(body, body, own)
    return {name: mask for name, mask in found.items() if name not in _OF_WHOLE_BONE}


def fractured_grades(task: Task, mild: bool = False) -> tuple[str, ...]:
    """Return the grades that count as fractured: the task's, and G1 where ``mild`` says so.

    Examples
    --------
    >>> fractured_grades(TASKS["g0-g2-g3"], mild=True)
    ('G2', 'G3', 'G1')
    """
    grades = task.fracture_grades or TASKS["fracture"].fracture_grades
    return (*grades, "G1") if mild and "G1" not in grades else grades


def select_samples(
    cohort: Cohort,
    spec: InputSpec,
    task: Task,
    split: str = "training",
    mild: bool = False,
) -> Samples:
    """Choose the graded vertebrae of a split; of a cohort without splits, all.

    Healthy twins of phantoms stay out: they show the persons of other patches again.

    Parameters
    ----------
    cohort : Cohort
    spec : InputSpec
        Of the model.
    task : Task
        Of the model; mild fractures take part where it calls them fractures.
    split : str
        ``"training"`` or ``"validation"``.
    mild : bool
        Count mild fractures (G1) as fractures, whatever the task.

    Raises
    ------
    ConfigError
        If the model's crops are scaled to the body, the split is the test split or unknown, or
        it has no fractured or no healthy vertebra with the patches this model needs.
    """
    if spec.body_height_mm is not None:
        raise ConfigError(
            f"the model's crops are scaled to bodies of {spec.body_height_mm:g} mm; expected the "
            "patients' own size, which regions and concepts are measured in. Dissect a model "
            "without [input] body_height_mm."
        )
    if split not in ("training", "validation"):
        reason = "is kept for the final figures" if split == "test" else "is not known"
        raise ConfigError(
            f'split "{split}" {reason}; a model is dissected with "training" or "validation".'
        )
    index = cohort.index
    stated = index["split"].notna()
    fractured = fractured_grades(task, mild)
    use = index["grade"].isin(("G0", *fractured)) & cohort.has(f"patches_{spec.axes}d")
    use &= ~index["healthy_twin"].to_numpy(dtype=bool)
    if stated.any():
        use &= index["split"] == split
    rows = np.flatnonzero(use.to_numpy(dtype=bool))
    chosen = split if stated.any() else UNSPLIT
    _check_both(cohort, index["grade"].iloc[rows].to_numpy(), chosen, spec.axes, fractured)
    return Samples(cohort, rows, spec, chosen)


def _check_both(
    cohort: Cohort, grades: np.ndarray, split: str, axes: int, fractured: tuple[str, ...]
) -> None:
    if not cohort.index["grade"].notna().any():
        raise ConfigError(
            f"{cohort.path}: no vertebra has a grade; expected fractured and healthy ones. Give "
            "prepare the table of fractures (--table)."
        )
    if not cohort.has(f"patches_{axes}d").any():
        raise ConfigError(
            f"{cohort.path}: the cohort has no {axes}-D patches, which this model takes. Prepare "
            f"it with --patches {axes}d, or with both."
        )
    for name, count in (("fractured", (grades != "G0").sum()), ("healthy", (grades == "G0").sum())):
        if not count:
            where = "the cohort" if split == UNSPLIT else f"the {split} split"
            raise ConfigError(
                f"{cohort.path}: {where} has no {name} vertebra with {axes}-D patches "
                f"({', '.join(fractured)} count as fractured); expected both fractured and healthy "
                "ones. Choose another cohort or --split."
            )
