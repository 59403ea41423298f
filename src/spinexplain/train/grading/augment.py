"""Random crops of training patches: a pure function of seed, epoch and sample.

Every geometric change is one interpolation from the stored crop with its margin. There is
no flip: a sagittal sheet has a front and a back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import AugmentSettings, InputSpec
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.train.grading.rescan import AIR_HU, Rescan, draw_rescan, rescanned


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
    part : Tensor of float32, shape (N, *E), or None
        Endplate and sixth of the depth, 0 to 12; see
        :class:`~spinexplain.data.crops.dataset.TrainingSet`.
    """

    hu: Tensor
    centers: Tensor
    target: Tensor | None
    evidence: Tensor | None
    part: Tensor | None = None


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

    Boxes that start on a sample are copied: interpolating them costs more than grading them.

    Parameters
    ----------
    data : TrainingSet
    index : ndarray of int, shape (n,)
    spec : InputSpec
    """
    window = whole_windows(data, index, round(spec.extent_mm)) if spec.axes == 3 else None
    if window is not None:
        return _copied(data, index, window, round(spec.extent_mm))
    still = AugmentSettings(**dict.fromkeys(AugmentSettings.model_fields, 0.0))
    return augmented_crops(data, index, spec, still, seed=0, epoch=0)


def cut_to_input(data: TrainingSet, spec: InputSpec) -> TrainingSet:
    """Read boxes into memory without the margin that unchanged crops do not need.

    Masks are left out. Sheets, and boxes that would have to be interpolated, stay as they are.
    """
    side = round(spec.extent_mm)
    rows = np.arange(len(data))
    windows = whole_windows(data, rows, side) if spec.axes == 3 else None
    if windows is None:
        return data
    cut = [data.patches_hu[int(i)][at] for i, at in zip(rows, windows, strict=True)]
    centers = np.full(data.centers.shape, (side - 1) / 2)
    return replace(data, patches_hu=np.stack(cut), centers=centers, target=None, evidence=None)


def whole_windows(
    data: TrainingSet, index: np.ndarray, side: int
) -> list[tuple[slice, ...]] | None:
    """Return which samples of the stored patches unchanged crops are, without interpolation.

    Parameters
    ----------
    data : TrainingSet
    index : ndarray of int, shape (n,)
    side : int
        Samples along each side of a crop.

    Returns
    -------
    list of tuple of slice, or None
        None where a crop lies between samples or beyond its patch.
    """
    first = data.centers[index] - (side - 1) / 2
    starts = np.rint(first).astype(int)
    beyond = (starts < 0) | (starts + side > np.array(data.patches_hu.shape[1:]))
    if beyond.any() or not np.array_equal(starts, first):
        return None
    return [tuple(slice(at, at + side) for at in row) for row in starts.tolist()]


def _copied(
    data: TrainingSet, index: np.ndarray, windows: list[tuple[slice, ...]], side: int
) -> Crops:
    cut = [
        None
        if stored is None
        else np.stack([stored[int(i)][at] for i, at in zip(index, windows, strict=True)])
        for stored in (data.patches_hu, data.target, data.evidence)
    ]
    hu, target, evidence = (
        None if part is None else torch.from_numpy(part.astype(np.float32)) for part in cut
    )
    assert hu is not None
    centers = torch.full((len(index), hu.ndim - 1), (side - 1) / 2)
    return Crops(hu, centers, target, evidence)


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
        for mask in (data.target, data.evidence, data.part)
    ]
    return Crops(
        rescanned(hu, [d.rescan for d in draws]),
        _said_centers(draws, matrices, side),
        *cut,
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
