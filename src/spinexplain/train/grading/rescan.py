"""Random scanners for training crops: gain, kernel, noise, slices; a pure function of its draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage as ndi
from torch import Tensor

from spinexplain.config.training import AugmentSettings

AIR_HU = -1000.0
_KERNEL_MM = 1.2  # width of what a sharp kernel enhances, as in the phantom's scanner


@dataclass(frozen=True, eq=False)
class Rescan:
    """How one crop is imaged once more.

    Parameters
    ----------
    gain : float
        Factor on the distance from air.
    offset_hu, blur_mm, sharpen : float
        ``sharpen`` is the gain of an unsharp mask; 0 changes nothing.
    noise_hu : ndarray of float32, shape of the crop or all ones
    slice_mm : float
        Thickness and spacing of slices along the crop's first axis; 0 leaves them alone.
    slice_phase : float
        Where the first slice begins, in slices.
    """

    gain: float
    offset_hu: float
    blur_mm: float
    noise_hu: np.ndarray
    sharpen: float = 0.0
    slice_mm: float = 0.0
    slice_phase: float = 0.0


def draw_rescan(
    rng: np.random.Generator, settings: AugmentSettings, gain: float, shape: tuple[int, ...]
) -> Rescan:
    """Draw how a crop is imaged; every step but gain and offset spares half of the crops."""
    offset = rng.uniform(-1, 1) * settings.offset_hu
    blur_mm = _half(rng) * settings.blur_mm
    noise_sd = _half(rng) * settings.noise_hu
    noise = np.zeros((1,) * len(shape), np.float32)
    if noise_sd > 0:
        noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(noise_sd)
    if noise_sd > 0 and settings.noise_grain_mm > 0:
        noise = _grained(noise, rng.uniform() * settings.noise_grain_mm, noise_sd)
    sharpen = _half(rng) * settings.sharpen if settings.sharpen > 0 else 0.0
    spacing, phase = 0.0, 0.0
    if settings.slice_mm > 0:
        spacing, phase = _half(rng) * settings.slice_mm, float(rng.uniform())
    return Rescan(gain, offset, blur_mm, noise, sharpen, spacing, phase)


def _half(rng: np.random.Generator) -> float:
    """Draw 0 in half of the cases, else uniformly up to 1."""
    return max(float(rng.uniform(-1, 1)), 0.0)


def _grained(noise: np.ndarray, grain_mm: float, sd: float) -> np.ndarray:
    """Smooth white noise to grains; its standard deviation stays."""
    smooth = ndi.gaussian_filter(noise, grain_mm, mode="wrap", truncate=3.0)
    return smooth * np.float32(sd / (smooth.std() + 1e-6))


def rescanned(hu: Tensor, draws: list[Rescan]) -> Tensor:
    """Image crops at 1 mm again: blur, kernel, gain, noise, slices.

    Parameters
    ----------
    hu : Tensor of float32, shape (N, *E)
        HU.
    draws : list of Rescan
        One a crop.
    """
    hu = blur(hu, np.array([d.blur_mm for d in draws]))
    sharpen = np.array([d.sharpen for d in draws], np.float32)
    view = (-1,) + (1,) * (hu.ndim - 1)
    if sharpen.any():
        fine = hu - blur(hu, np.where(sharpen > 0, _KERNEL_MM, 0.0))
        hu = hu + torch.from_numpy(sharpen).view(view) * fine
    gain = torch.tensor([d.gain for d in draws], dtype=torch.float32).view(view)
    offset = torch.tensor([d.offset_hu for d in draws], dtype=torch.float32).view(view)
    noise = torch.stack([torch.from_numpy(d.noise_hu).expand(hu.shape[1:]) for d in draws])
    hu = (hu - AIR_HU) * gain + AIR_HU + offset + noise
    return _in_slices(hu, draws)


def _in_slices(hu: Tensor, draws: list[Rescan]) -> Tensor:
    """Average into slices along the first axis and interpolate back linearly."""
    thick = [k for k, d in enumerate(draws) if d.slice_mm > 1]
    if not thick:
        return hu
    maps = [slice_matrix(hu.shape[1], draws[k].slice_mm, draws[k].slice_phase) for k in thick]
    out = hu.clone()
    out[thick] = torch.einsum("nij,nj...->ni...", torch.from_numpy(np.stack(maps)), hu[thick])
    return out


def slice_matrix(rows: int, slice_mm: float, phase: float) -> np.ndarray:
    """Return the linear map from rows at 1 mm to thick slices and back.

    Parameters
    ----------
    rows : int
    slice_mm : float
        Thickness of the slices, which touch each other; above 1.
    phase : float
        Part of a slice, 0 to 1, by which the first slice starts before the first row.

    Returns
    -------
    ndarray of float32, shape (rows, rows)
        Every row sums to 1.

    Examples
    --------
    >>> slice_matrix(4, 2.0, 0.0)[0].tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    count = int(np.ceil(rows / slice_mm)) + 2
    edges = (np.arange(count + 1) - phase) * slice_mm
    low, high = edges[:-1, None], edges[1:, None]
    at = np.arange(rows)
    cover = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, None)
    kept = cover.sum(axis=1) > 0
    down = cover[kept] / cover[kept].sum(axis=1, keepdims=True)
    middles = (edges[:-1] + edges[1:])[kept] / 2
    back = np.clip(np.interp(at + 0.5, middles, np.arange(len(middles))), 0, len(middles) - 1)
    below = np.minimum(back.astype(int), max(len(middles) - 2, 0))
    weight = (back - below)[:, None]
    above = np.minimum(below + 1, len(middles) - 1)
    return ((1 - weight) * down[below] + weight * down[above]).astype(np.float32)


def blur(images: Tensor, sigmas: np.ndarray) -> Tensor:
    """Blur each image (N, *S) with its own Gaussian; sigma in samples, 0 leaves it alone.

    Every kernel ends at its own three sigma: what lies beside an image in the batch must not
    change it.
    """
    radius = int(np.ceil(3 * sigmas.max(initial=0.0)))
    if radius == 0:
        return images
    steps = np.arange(-radius, radius + 1)
    kernels = np.exp(-0.5 * (steps / np.maximum(sigmas, 1e-3)[:, None]) ** 2)
    kernels *= np.abs(steps) <= np.ceil(3 * sigmas)[:, None]
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
