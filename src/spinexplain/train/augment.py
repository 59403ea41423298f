"""Random crops of training patches: a pure function of seed, epoch and sample.

Every geometric change is one interpolation from the stored crop with its margin. There is
no flip: a sagittal sheet has a front and a back.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config import AugmentSettings, InputSpec
from spinexplain.train.dataset import TrainingSet
from spinexplain.train.rescan import AIR_HU, Rescan, draw_rescan, rescanned


@dataclass(frozen=True, eq=False)
class Crops:
    """A batch of crops at 1 mm, ready for :func:`~spinexplain.models.inputs.network_input`.

    Parameters
    ----------
    hu : Tensor of float32, shape (N, *E)
    centers : Tensor of float32, shape (N, axes)
        Where the centroid is said to lie, in samples of the crop.
    target, evidence : Tensor of float32, shape (N, *E), or None
        The masks, resampled with the crop.
    """

    hu: Tensor
    centers: Tensor
    target: Tensor | None
    evidence: Tensor | None


def inside_mask(crops: Crops, inside: str) -> Tensor | None:
    """Return where own-class evidence belongs, 0 or 1, (N, *E); None without masks.

    Parameters
    ----------
    crops : Crops
    inside : str
        ``"body"``: the target's body. ``"evidence"``: the fracture's true evidence where
        there is any in the crop, the body elsewhere.
    """
    if crops.target is None or inside == "body" or crops.evidence is None:
        return crops.target
    known = crops.evidence.flatten(1).amax(dim=1) > 0
    return torch.where(
        known.view(-1, *(1,) * (crops.target.ndim - 1)), crops.evidence, crops.target
    )


@dataclass(frozen=True, eq=False)
class Draw:
    """The random numbers of one crop."""

    shift_mm: np.ndarray
    centroid_error_mm: np.ndarray
    angles_rad: np.ndarray
    scale: float
    rescan: Rescan


def plain_crops(data: TrainingSet, index: np.ndarray, spec: InputSpec) -> Crops:
    """Cut the crops of ``index`` around their centroids, unchanged.

    Parameters
    ----------
    data : TrainingSet
    index : ndarray of int, shape (n,)
    spec : InputSpec
    """
    still = AugmentSettings(**dict.fromkeys(AugmentSettings.model_fields, 0.0))
    return augmented_crops(data, index, spec, still, seed=0, epoch=0)


def augmented_crops(
    data: TrainingSet,
    index: np.ndarray,
    spec: InputSpec,
    settings: AugmentSettings,
    seed: int,
    epoch: int,
    masks: bool = True,
) -> Crops:
    """Cut randomly moved, turned, scaled, re-scanned crops.

    Parameters
    ----------
    data : TrainingSet
    index : ndarray of int, shape (n,)
        Rows; row i always looks the same for the same ``(seed, epoch, i)``.
    spec : InputSpec
    settings : AugmentSettings
    seed, epoch : int
    masks : bool
        Whether the masks are resampled too.

    Notes
    -----
    The crop's centre moves by up to ``shift_mm`` while the Gaussian stays on the centroid,
    so that the network must look where the Gaussian is and not at the middle of the image.
    The Gaussian itself errs by up to ``centroid_error_mm``.
    """
    side = round(spec.extent_mm)
    draws = [draw(settings, side, spec.axes, (seed, epoch, int(i))) for i in index]
    matrices, offsets = _maps(draws, data.centers[index])
    source = torch.from_numpy(data.patches_hu[index].astype(np.float32))
    grid = _sampling_grid(matrices, offsets, tuple(source.shape[1:]), side)
    hu = _sample(source, grid, "bilinear")
    cut = [
        None
        if mask is None or not masks
        else _sample(torch.from_numpy(mask[index].astype(np.float32)), grid, "nearest")
        for mask in (data.target, data.evidence)
    ]
    return Crops(
        rescanned(hu, [d.rescan for d in draws]),
        _said_centers(draws, matrices, side),
        cut[0],
        cut[1],
    )


def draw(settings: AugmentSettings, side: int, axes: int, key: tuple[int, int, int]) -> Draw:
    """Draw the random numbers of one crop from (seed, epoch, sample)."""
    rng = np.random.default_rng(key)
    turns = len(list(combinations(range(axes), 2)))
    shift = rng.uniform(-1, 1, axes) * settings.shift_mm
    error = rng.uniform(-1, 1, axes) * settings.centroid_error_mm
    angles = rng.uniform(-1, 1, turns) * np.deg2rad(settings.rotate_deg)
    scale, gain = 1 + rng.uniform(-1, 1, 2) * (settings.scale, settings.gain)
    return Draw(shift, error, angles, scale, draw_rescan(rng, settings, gain, (side,) * axes))


def _maps(draws: list[Draw], centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Crop offset (mm from the crop's centre) -> stored index: matrix @ offset + shift."""
    matrices = np.stack([_rotation(d.angles_rad, centers.shape[1]) * d.scale for d in draws])
    offsets = np.stack([d.shift_mm for d in draws]) + centers
    return matrices, offsets


def _rotation(angles: np.ndarray, axes: int) -> np.ndarray:
    matrix = np.eye(axes)
    for angle, (a, b) in zip(angles, combinations(range(axes), 2), strict=True):
        turn = np.eye(axes)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def _said_centers(draws: list[Draw], matrices: np.ndarray, side: int) -> Tensor:
    wanted = np.stack([d.centroid_error_mm - d.shift_mm for d in draws])
    offset = np.linalg.solve(matrices, wanted[..., None])[..., 0]
    return torch.from_numpy((offset + (side - 1) / 2).astype(np.float32))


def _sampling_grid(
    matrices: np.ndarray, offsets: np.ndarray, shape: tuple[int, ...], side: int
) -> Tensor:
    """Normalized coordinates for grid_sample, last axis first as torch wants them."""
    axes = len(shape)
    linear = matrices * side / np.array(shape)[:, None]
    constant = (2 * offsets + 1) / np.array(shape) - 1
    theta = np.concatenate([linear[:, ::-1, ::-1], constant[:, ::-1, None]], axis=2)
    size = [len(matrices), 1, *(side,) * axes]
    return F.affine_grid(torch.from_numpy(theta.astype(np.float32)), size, align_corners=False)


def _sample(source: Tensor, grid: Tensor, mode: str) -> Tensor:
    shifted = source[:, None] - AIR_HU
    out = F.grid_sample(shifted, grid, mode=mode, padding_mode="border", align_corners=False)
    return out[:, 0] + AIR_HU
