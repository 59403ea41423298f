"""Other tissues and scanners, from one drawing: random changes of HU."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_BONE_HU = 120.0
_TONES = np.arange(-1100.0, 3300.0, 100.0)


def changed_contrast(hu: Tensor, rng: np.random.Generator) -> Tensor:
    """Change densities, resolution and noise of a block at random.

    Parameters
    ----------
    hu : Tensor, shape (A, B, C)
        HU.
    rng : numpy.random.Generator

    Returns
    -------
    Tensor, shape (A, B, C)
        Bone is made denser or thinner, tones are bent by some 30 HU, slow shading, blur
        along each axis, noise, gain and offset are added; each is left out at times.
    """
    if rng.random() < 0.7:
        hu = _other_bone(hu, rng)
    if rng.random() < 0.5:
        hu = _bent_tones(hu, rng)
    if rng.random() < 0.4:
        hu = hu + _shading(hu, rng) * float(rng.uniform(0, 60))
    if rng.random() < 0.6:
        hu = _blurred(hu, rng)
    if rng.random() < 0.7:
        hu = hu + _noise(hu, rng) * float(rng.uniform(5, 70))
    return hu * float(np.exp(rng.normal(0, 0.05))) + float(rng.normal(0, 20))


def _noise(hu: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(hu.shape), np.float32))


def _other_bone(hu: Tensor, rng: np.random.Generator) -> Tensor:
    over = torch.relu(hu - _BONE_HU)
    power, factor = (float(np.exp(rng.normal(0, 0.25))) for _ in range(2))
    return hu - over + (over / 500.0).pow(power) * 500.0 * factor


def _bent_tones(hu: Tensor, rng: np.random.Generator) -> Tensor:
    """Bend the scale of HU smoothly, by about 30 HU, the same everywhere."""
    coarse = rng.normal(0, 30, len(_TONES) // 4 + 2)
    bend = np.interp(np.arange(len(_TONES)) / 4.0, np.arange(len(coarse)), coarse)
    tones = torch.from_numpy((_TONES + bend).astype(np.float32))
    at = ((hu - _TONES[0]) / 100.0).clamp(0, len(_TONES) - 1.01)
    low = at.floor().long()
    weight = at - low
    return tones[low] * (1 - weight) + tones[low + 1] * weight


def _shading(hu: Tensor, rng: np.random.Generator) -> Tensor:
    small = [int(n // rng.integers(4, 12)) + 2 for n in hu.shape]
    field = torch.from_numpy(rng.standard_normal((1, 1, *small), np.float32))
    return F.interpolate(field, size=tuple(hu.shape), mode="trilinear", align_corners=False)[0, 0]


def _blurred(hu: Tensor, rng: np.random.Generator) -> Tensor:
    for axis in range(3):
        sigma = float(rng.uniform(0, 1.2))
        if rng.random() < 0.4 or sigma < 0.3:
            continue
        at = torch.arange(-3, 4, dtype=torch.float32)
        kernel = torch.exp(-(at**2) / (2 * sigma**2))
        kernel = kernel / kernel.sum()
        wide = [0] * 6
        wide[2 * (2 - axis)] = wide[2 * (2 - axis) + 1] = 3
        shape = [1] * 5
        shape[2 + axis] = 7
        hu = F.conv3d(F.pad(hu[None, None], wide, mode="replicate"), kernel.view(shape))[0, 0]
    return hu
