"""The vertebrae that explanations are scored on: crops, twins, masks and true parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.evaluate.explanations.parts import PARTS, BodyFrame, body_frame, part_regions
from spinexplain.evaluate.explanations.placement import mask_shares, true_parts
from spinexplain.geometry import SheetFrame
from spinexplain.types import Frame, Patch, Vertebra

REDUCTION = {2: 1, 3: 2}
"""Boxes are scored on every second sample: 2 mm, an eighth of the memory."""

AT_LEAST = {"endplate": 0.7, "third": 0.4, "side": 0.6}
"""Share of the displacement that a part must hold to be the true one; chance is 1/2, 1/3, 1/2."""

_THIRDS = {"anterior": (4, 5), "middle": (2, 3), "posterior": (0, 1)}


@dataclass(frozen=True)
class CropFrame:
    """The frame of a crop that was drawn directly and has no patient around it.

    Parameters
    ----------
    shape : tuple of int
    spacing_mm : float
    """

    shape: tuple[int, ...]
    spacing_mm: float = 1.0

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Return the index itself, with zeros up to three numbers."""
        index = np.asarray(index, float)
        missing = 3 - index.shape[-1]
        return np.concatenate([index, np.zeros((*index.shape[:-1], missing))], axis=-1)

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Return the point itself."""
        return np.asarray(xyz_mm, float)


@dataclass(frozen=True, eq=False)
class Bench:
    """Vertebrae of one cohort, cropped as a network sees them.

    Parameters
    ----------
    hu : ndarray of int16, shape (n, *S)
    twins : ndarray of int16, shape (t, *S)
        Healthy twins.
    twin_of : ndarray of int, shape (n,)
        Place of each vertebra's twin in ``twins``, -1 where there is none.
    masks : mapping of str to ndarray of bool, shape (n, *R)
        ``"body"``, ``"target"`` (the whole vertebra), ``"neighbors"``, ``"outside_bone"`` and
        where known ``"evidence"`` and ``"shortcut"``, on the scored grid R: S itself in 2-D,
        every second sample in 3-D.
    bodies : tuple of BodyFrame, length n
        On the scored grid.
    truth : mapping of str to ndarray of int, shape (n,)
        True part for each question of placement, -1 where it cannot be asked.
    subjects, series, levels, shapes : ndarray of str, shape (n,)
    grades : ndarray of str, shape (n,)
        ``"G0"`` to ``"G3"``.
    frames : tuple of Frame
        Where each crop lies in its patient, or a :class:`CropFrame`.
    centroids_mm : ndarray of float, shape (n, 3)
    """

    hu: np.ndarray
    twins: np.ndarray
    twin_of: np.ndarray
    masks: dict[str, np.ndarray]
    bodies: tuple[BodyFrame, ...]
    truth: dict[str, np.ndarray]
    subjects: np.ndarray
    series: np.ndarray
    levels: np.ndarray
    shapes: np.ndarray
    grades: np.ndarray
    frames: tuple[Frame, ...]
    centroids_mm: np.ndarray

    def __len__(self) -> int:
        return len(self.hu)

    @property
    def axes(self) -> int:
        """2 for sheets, 3 for boxes."""
        return self.hu.ndim - 1

    @cached_property
    def fractured(self) -> np.ndarray:
        """Which are fractured (G2 or G3), bool, shape (n,)."""
        return np.isin(self.grades, ("G2", "G3"))

    @property
    def names(self) -> list[str]:
        """Name each vertebra by subject, series and level."""
        parts = zip(self.subjects, self.series, self.levels, strict=True)
        return [f"{a}_{c}" if b.startswith(a) or a in b else f"{a}_{b}_{c}" for a, b, c in parts]

    def patch(self, row: int, *, twin: bool = False, hu: np.ndarray | None = None) -> Patch:
        """Return a crop as a patch; of its twin, or with other HU, where that is asked for."""
        shown = self.twins[self.twin_of[row]] if twin else self.hu[row]
        array = np.asarray(shown if hu is None else hu, np.float32)
        x, y, z = (float(value) for value in self.centroids_mm[row])
        vertebra = Vertebra(VertebraLevel(str(self.levels[row])), (x, y, z))
        return Patch(vertebra, array, self.frames[row])

    def regions(self, question: str) -> np.ndarray:
        """Return the parts of every vertebra, bool, shape (n, K, *R)."""
        shape = self.masks["body"].shape[1:]
        return np.stack([part_regions(body, shape, question) for body in self.bodies])

    def scored(self, heatmap: np.ndarray) -> np.ndarray:
        """Bring a heat map from the crop's grid to the scored one."""
        return reduced(heatmap, REDUCTION[self.axes])


def reduced(array: np.ndarray, factor: int) -> np.ndarray:
    """Return the means of blocks of ``factor`` samples along every axis.

    Examples
    --------
    >>> reduced(np.array([[1.0, 3.0], [5.0, 7.0]]), 2).tolist()
    [[4.0]]
    """
    if factor == 1:
        return np.asarray(array, np.float32)
    shape = [part for n in array.shape for part in (n // factor, factor)]
    blocks = np.asarray(array, np.float32).reshape(shape)
    return blocks.mean(axis=tuple(range(1, 2 * array.ndim, 2)))


def bench_rows(
    cohort: Cohort, axes: int, split: str | None, vertebrae: int, seed: int
) -> np.ndarray:
    """Choose vertebrae: graded ones with a body mask, fractures and others as they come.

    Parameters
    ----------
    cohort : Cohort
    axes : int
    split : str or None
        None for all.
    vertebrae : int
        At most so many, drawn by the seed where there are more; 0 for all.
    seed : int

    Raises
    ------
    ConfigError
        If there is none.
    """
    index = cohort.index
    masked = cohort.has(f"body_{axes}d") | cohort.has(f"labels_{axes}d")
    use = index["grade"].isin(["G0", "G1", "G2", "G3"]).to_numpy(bool)
    use = use & cohort.has(f"patches_{axes}d") & masked & ~index["healthy_twin"].to_numpy(bool)
    if split is not None:
        use = use & (index["split"] == split).to_numpy(bool)
    rows = np.flatnonzero(use)
    if not len(rows):
        raise ConfigError(
            f"{cohort.path}: no graded vertebra with {axes}-D patches and a mask of its body"
            f"{f' in split {split}' if split else ''}. Prepare it with --patches {axes}d and "
            "vertebra masks, or name a phantom preset in place of the cohort."
        )
    if vertebrae and len(rows) > vertebrae:
        rows = np.sort(np.random.default_rng([seed, 31]).choice(rows, vertebrae, replace=False))
    return rows


def open_bench(cohort: Cohort, rows: np.ndarray, spec: InputSpec) -> Bench:
    """Read the crops that a network sees of some vertebrae, with their masks.

    Parameters
    ----------
    cohort : Cohort
    rows : ndarray of int
    spec : InputSpec

    Returns
    -------
    Bench
        Vertebrae whose body does not lie in the crop are left out.

    Raises
    ------
    ConfigError
        If the network sees crops scaled to the body, which have no masks.
    """
    if spec.body_height_mm is not None:
        raise ConfigError(
            "this model sees crops that are scaled to the body's height; explanations are "
            "scored at the patients' own size. Choose a model without [input] body_height_mm."
        )
    rows, side, axes = np.asarray(rows), round(spec.extent_mm), spec.axes
    codes = np.array([VertebraLevel(name).verse_label for name in cohort.index["level"].iloc[rows]])
    masks = _masks(cohort, rows, codes, axes, side)
    seen = masks["body"].reshape(len(rows), -1).any(axis=1)
    rows, masks = rows[seen], {name: mask[seen] for name, mask in masks.items()}
    bodies = tuple(body_frame(body) for body in masks["body"])
    chosen = cohort.index.iloc[rows]
    twins, twin_of = _twins(cohort, chosen, axes, side)
    frames = tuple(_frame(cohort, int(row), axes, side) for row in rows)
    return Bench(
        hu=_cut(cohort.read(f"patches_{axes}d", rows), side),
        twins=twins,
        twin_of=twin_of,
        masks=masks,
        bodies=bodies,
        truth=_truth(chosen, masks, bodies, axes),
        subjects=chosen["subject"].to_numpy(str),
        series=chosen["series"].to_numpy(str),
        levels=chosen["level"].to_numpy(str),
        shapes=chosen["shape"].fillna("unknown").to_numpy(str),
        grades=chosen["grade"].to_numpy(str),
        frames=frames,
        centroids_mm=_centroids(chosen, frames, axes, side),
    )


def _cut(arrays: np.ndarray, side: int) -> np.ndarray:
    """Cut the middle out of stored patches (n, *margin)."""
    slices = [slice(None)]
    for samples in arrays.shape[1:]:
        start = (samples - side) // 2
        slices.append(slice(start, start + side))
    return arrays[tuple(slices)]


def _masks(
    cohort: Cohort, rows: np.ndarray, codes: np.ndarray, axes: int, side: int
) -> dict[str, np.ndarray]:
    def read(stem: str) -> np.ndarray | None:
        kind = f"{stem}_{axes}d"
        if not cohort.has(kind)[rows].any():
            return None
        return _cut(cohort.read(kind, rows, missing=0), side)

    own = codes.reshape(-1, *(1,) * axes)
    labels, bodies = read("labels"), read("body")
    bone = labels if labels is not None else bodies
    assert bone is not None
    found = {
        "body": (bone if bodies is None else bodies) == own,
        "target": bone == own,
        "neighbors": (bone > 0) & (bone != own),
        "outside_bone": bone == 0,
    }
    for stem in ("evidence", "shortcut"):
        mask = read(stem)
        if mask is not None and mask.any():
            found[stem] = mask > 0
    factor = REDUCTION[axes]
    return {name: _majority(mask, factor) for name, mask in found.items()}


def _majority(masks: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return masks
    return np.stack([reduced(mask, factor) >= 0.5 for mask in masks])


def _twins(cohort: Cohort, chosen: Any, axes: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the twins' crops and where that of each vertebra is among them."""
    index = cohort.index
    is_twin = index["healthy_twin"].to_numpy(bool) & cohort.has(f"patches_{axes}d")
    place = {index["twin_id"].iloc[row]: row for row in np.flatnonzero(is_twin)}
    wanted = [place.get(name, -1) if name is not None else -1 for name in chosen["twin_id"]]
    rows = [row for row in wanted if row >= 0]
    twin_of = np.full(len(wanted), -1)
    twin_of[np.array(wanted) >= 0] = np.arange(len(rows))
    return _cut(cohort.read(f"patches_{axes}d", np.array(rows, int)), side), twin_of


def _frame(cohort: Cohort, row: int, axes: int, side: int) -> Frame:
    try:
        frame = cohort.frame(row, f"{axes}d")
    except ConfigError:
        return CropFrame((side,) * axes)
    if isinstance(frame, SheetFrame):
        return replace(frame, shape=(side, side))
    return replace(frame, shape=(side, side, side))


def _centroids(chosen: Any, frames: tuple[Frame, ...], axes: int, side: int) -> np.ndarray:
    middle = np.array([(side - 1) / 2] * axes + [0.0] * (3 - axes))
    drawn = [isinstance(frame, CropFrame) for frame in frames]
    return np.array(
        [
            middle if is_drawn else np.asarray(centroid, float)
            for is_drawn, centroid in zip(drawn, chosen["centroid_mm"], strict=True)
        ]
    )


def _truth(
    chosen: Any, masks: dict[str, np.ndarray], bodies: tuple[BodyFrame, ...], axes: int
) -> dict[str, np.ndarray]:
    """Return the true part of every fracture: by its displacement, or by the evidence mask."""
    fractured = chosen["grade"].isin(["G2", "G3"]).to_numpy(bool)
    known = _displacements(chosen)
    truth = {}
    for question in list(PARTS)[:axes]:
        shares = np.zeros((len(chosen), len(PARTS[question])))
        for row in np.flatnonzero(fractured):
            if known is not None and np.isfinite(known[row]).all() and question != "side":
                shares[row] = _displacement_shares(known[row], question)
            elif "evidence" in masks:
                regions = part_regions(bodies[row], masks["body"].shape[1:], question)
                shares[row] = mask_shares(masks["evidence"][row], regions)
        truth[question] = true_parts(shares, AT_LEAST[question])
    return truth


def _displacements(chosen: Any) -> np.ndarray | None:
    """Return displacements (n, 12) in mm, superior then inferior endplate; NaN where unknown."""
    if "displacement_mm" not in chosen.columns:
        return None
    rows = [
        np.asarray(row, float) if row is not None and len(row) == 12 else np.full(12, np.nan)
        for row in chosen["displacement_mm"]
    ]
    return np.stack(rows)


def _displacement_shares(moved_mm: np.ndarray, question: str) -> np.ndarray:
    superior, inferior = np.abs(moved_mm[:6]), np.abs(moved_mm[6:])
    if question == "endplate":
        return np.array([superior.sum(), inferior.sum()])
    both = superior + inferior
    return np.array([both[list(sixths)].sum() for sixths in _THIRDS.values()])
