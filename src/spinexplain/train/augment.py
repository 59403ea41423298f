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

_AIR_HU = -1000.0


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
    gain: float
    offset_hu: float
    blur_mm: float
    noise: np.ndarray


def plain_crops(data: TrainingSet, index: np.ndarray, spec: InputSpec) -> Crops:
    """Cut the crops of ``index`` around their centroids, unchanged.

    Parameters
    ----------
    data : TrainingSet
    index : ndarray of int, shape (n,)
    spec : InputSpec
    """
    still = AugmentSettings(
        shift_mm=0,
        centroid_error_mm=0,
        rotate_deg=0,
        scale=0,
        gain=0,
        offset_hu=0,
        noise_hu=0,
        blur_mm=0,
    )
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
    return Crops(_rescan(hu, draws), _said_centers(draws, matrices, side), cut[0], cut[1])


def draw(settings: AugmentSettings, side: int, axes: int, key: tuple[int, int, int]) -> Draw:
    """Draw the random numbers of one crop from (seed, epoch, sample)."""
    rng = np.random.default_rng(key)
    turns = len(list(combinations(range(axes), 2)))
    shift = rng.uniform(-1, 1, axes) * settings.shift_mm
    error = rng.uniform(-1, 1, axes) * settings.centroid_error_mm
    angles = rng.uniform(-1, 1, turns) * np.deg2rad(settings.rotate_deg)
    scale, gain = 1 + rng.uniform(-1, 1, 2) * (settings.scale, settings.gain)
    offset = rng.uniform(-1, 1) * settings.offset_hu
    blur = max(rng.uniform(-1, 1), 0.0) * settings.blur_mm
    noise_sd = max(rng.uniform(-1, 1), 0.0) * settings.noise_hu
    noise = (
        rng.standard_normal((side,) * axes, dtype=np.float32) * np.float32(noise_sd)
        if noise_sd > 0
        else np.zeros((1,) * axes, np.float32)
    )
    return Draw(shift, error, angles, scale, gain, offset, blur, noise)


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
    shifted = source[:, None] - _AIR_HU
    out = F.grid_sample(shifted, grid, mode=mode, padding_mode="border", align_corners=False)
    return out[:, 0] + _AIR_HU


def _rescan(hu: Tensor, draws: list[Draw]) -> Tensor:
    axes = hu.ndim - 1
    hu = blur(hu, np.array([d.blur_mm for d in draws]))
    view = (-1,) + (1,) * axes
    gain = torch.tensor([d.gain for d in draws], dtype=torch.float32).view(view)
    offset = torch.tensor([d.offset_hu for d in draws], dtype=torch.float32).view(view)
    noise = torch.stack([torch.from_numpy(d.noise).expand(hu.shape[1:]) for d in draws])
    return (hu - _AIR_HU) * gain + _AIR_HU + offset + noise


def blur(images: Tensor, sigmas: np.ndarray) -> Tensor:
    """Blur each image (N, *S) with its own Gaussian; sigma in samples, 0 leaves it alone."""
    radius = int(np.ceil(3 * sigmas.max(initial=0.0)))
    if radius == 0:
        return images
    steps = np.arange(-radius, radius + 1)
    kernels = np.exp(-0.5 * (steps / np.maximum(sigmas, 1e-3)[:, None]) ** 2)
    kernels = torch.from_numpy((kernels / kernels.sum(1, keepdims=True)).astype(np.float32))
    axes, out = images.ndim - 1, images[None]
    convolve = {2: F.conv2d, 3: F.conv3d}[axes]
    for axis in range(axes):
        size = [1] * axes
        size[axis] = 2 * radius + 1
        pad = [0, 0] * axes
        pad[2 * (axes - 1 - axis)] = pad[2 * (axes - 1 - axis) + 1] = radius
        padded = F.pad(out, pad, mode="replicate")
        out = convolve(padded, kernels.view(-1, 1, *size), groups=len(images))
    return out[0]
