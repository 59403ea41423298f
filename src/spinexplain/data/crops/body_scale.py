"""Training crops scaled so that every body should have the same height."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.spine.body_size import expected_body_heights_mm
from spinexplain.types import Vertebra

_AT_ONCE = 128
_BODY_DEPTH_MM = 20.0
_AIR_HU = -1000


def scaled_to_bodies(
    data: TrainingSet, expected_mm: np.ndarray, body_height_mm: float
) -> TrainingSet:
    """Scale every crop about its middle so that its body should be ``body_height_mm`` tall.

    Parameters
    ----------
    data : TrainingSet
        Crops and masks at 1 mm, the centroid in their middle.
    expected_mm : ndarray, shape (N,)
        Height each body should have.
    body_height_mm : float
        As in :class:`~spinexplain.config.training.InputSpec`.

    Returns
    -------
    TrainingSet
        A sample of row i is ``expected_mm[i] / body_height_mm`` mm wide. HU are
        interpolated linearly (air outside), masks take the nearest sample.
    """
    steps = expected_mm / body_height_mm
    target, evidence = (
        None if mask is None else resampled(mask, steps, "nearest", 0)
        for mask in (data.target, data.evidence)
    )
    hu = resampled(data.patches_hu[:], steps, "bilinear", _AIR_HU)
    return replace(
        data, patches_hu=hu, target=target, evidence=evidence, body_height_mm=body_height_mm
    )


def resampled(patches: np.ndarray, steps: np.ndarray, mode: str, beyond: int) -> np.ndarray:
    """Resample patches about their middles.

    Parameters
    ----------
    patches : ndarray, shape (N, *S)
    steps : ndarray, shape (N,)
        Distance of the new samples of each, in old ones.
    mode : str
        ``"bilinear"`` or ``"nearest"``.
    beyond : int
        Value outside.

    Examples
    --------
    >>> row = np.arange(6).reshape(1, 1, 6) * np.ones((1, 6, 1), int)
    >>> resampled(row, np.array([0.5]), "nearest", 0)[0, 0].tolist()
    [1, 2, 2, 3, 3, 4]
    """
    out = np.empty_like(patches)
    axes = patches.ndim - 1
    for start in range(0, len(patches), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        theta = torch.from_numpy(steps[part, None, None] * np.eye(axes, axes + 1)).float()
        source = torch.from_numpy(patches[part].astype(np.float32))[:, None] - beyond
        grid = F.affine_grid(theta, list(source.shape), align_corners=False)
        found = F.grid_sample(source, grid, mode=mode, align_corners=False)[:, 0] + beyond
        out[part] = found.round().numpy().astype(patches.dtype)
    return out


def expected_heights_mm(cohort: Cohort, rows: np.ndarray, axes: int) -> np.ndarray:
    """Return the height the bodies of a cohort should have, mm, shape (n,).

    Parameters
    ----------
    cohort : Cohort
    rows : ndarray of int, shape (n,)
    axes : int
        2 for sheets, 3 for boxes.

    Notes
    -----
    By :func:`~spinexplain.spine.body_size.expected_body_heights_mm` from the centroids of the
    whole series; for sheets that were drawn without a scan, from the bodies that lie in the
    sheet whole, taken as the front 20 mm of each bone. Where neither is known, the published
    height of the level.
    """
    levels, centroids = (cohort.index[name].to_numpy() for name in ("level", "centroid_mm"))
    placed = np.array([centroid is not None and len(centroid) == 3 for centroid in centroids])
    drawn = np.asarray(rows)[~placed[rows]]
    expected = dict(zip(drawn.tolist(), _in_sheets(cohort, drawn, levels, axes), strict=True))
    series = cohort.index["series"].to_numpy()
    for name in np.unique(series[rows][placed[rows]]):
        people = {
            int(row): Vertebra(VertebraLevel(levels[row]), tuple(centroids[row]))
            for row in np.flatnonzero((series == name) & placed)
        }
        heights = expected_body_heights_mm(list(people.values()))
        expected |= {row: heights[vertebra.level] for row, vertebra in people.items()}
    return np.array([expected[int(row)] for row in rows])


def _in_sheets(cohort: Cohort, rows: np.ndarray, levels: np.ndarray, axes: int) -> Iterator[float]:
    """Yield the height of each drawn sheet's own body from the bones it shows."""
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        for row, labels in zip(some, cohort.read(f"labels_{axes}d", some, missing=0), strict=True):
            own = VertebraLevel(levels[row])
            seen = _bodies_of(labels)
            if own not in {vertebra.level for vertebra in seen}:
                seen.append(_vertebra(own, (np.array(labels.shape[:2]) - 1) / 2))
            yield expected_body_heights_mm(seen)[own]


def _bodies_of(labels: np.ndarray) -> list[Vertebra]:
    """Return the bones that lie whole in the rows of a sheet or in the middle of a box."""
    sheet = labels if labels.ndim == 2 else labels[..., labels.shape[2] // 2]
    cut = set(np.unique(sheet[[0, -1]]).tolist()) | {0}
    known = {level.verse_label for level in VertebraLevel}
    found = []
    for label in set(np.unique(sheet).tolist()) & known - cut:
        where = np.argwhere(sheet == label)
        body = where[where[:, 1] < where[:, 1].min() + _BODY_DEPTH_MM]
        found.append(_vertebra(VertebraLevel.from_verse_label(label), body.mean(axis=0)))
    return found


def _vertebra(level: VertebraLevel, row_column: np.ndarray) -> Vertebra:
    """Place a body by row (caudal) and column (posterior) of a sheet at 1 mm."""
    return Vertebra(level, (0.0, -float(row_column[1]), -float(row_column[0])))
