"""Random boxes for training, cut and changed by MONAI from numbers drawn here.

Every number is a function of seed, epoch, row and copy, so that a resumed training sees the
same boxes. A box is interpolated once, whatever is done to its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.sections import VolumeAugmentSettings
from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.train.grading.augment import Crops, whole_windows

_LEFT_AXIS = 2
_CELLS_PER_SMOOTH = 1.5


@dataclass(frozen=True, eq=False)
class VolumeDraw:
    """The random numbers of one box.

    Parameters
    ----------
    shift_mm : ndarray, shape (3,)
    angles_rad : ndarray, shape (3,)
        About the caudal, posterior and left axis.
    scale : float
        Millimeters of the patient per millimeter of the box.
    displacement_mm : Tensor, shape (3, *coarse), or None
        On a coarse grid over the box.
    mirror : bool
    blur_mm : float
        Standard deviation.
    gamma : float
        Exponent on the intensities between the box's smallest and largest.
    noise_hu : ndarray of float32, shape (side, side, side), or None
    """

    shift_mm: np.ndarray
    angles_rad: np.ndarray
    scale: float
    displacement_mm: Tensor | None
    mirror: bool
    blur_mm: float
    gamma: float
    noise_hu: np.ndarray | None

    @property
    def is_in_place(self) -> bool:
        """Whether no sample moves, mirroring apart."""
        moved = np.any(self.shift_mm) or np.any(self.angles_rad) or self.scale != 1
        return not moved and self.displacement_mm is None


def volume_crops(
    data: TrainingSet,
    index: np.ndarray,
    spec: InputSpec,
    settings: VolumeAugmentSettings,
    key: tuple[int, int],
    copies: np.ndarray,
    masks: bool = False,
) -> Crops:
    """Cut randomly moved, turned, scaled, bent, mirrored and re-scanned boxes.

    Parameters
    ----------
    data : TrainingSet
        Boxes with a margin, axes caudal, posterior, left.
    index : ndarray of int, shape (n,)
    spec : InputSpec
    settings : VolumeAugmentSettings
    key : tuple of int
        (seed, epoch).
    copies : ndarray of int, shape (n,)
        Distinguishes the copies of a row that an epoch holds more than once.
    masks : bool
        Whether the masks are cut too.

    Returns
    -------
    Crops
    """
    side = round(spec.extent_mm)
    cut = []
    for row, copy in zip(index, copies, strict=True):
        draw = draw_volume(settings, side, (*key, int(row), int(copy)))
        cut.append(_cut(data, int(row), side, draw, masks))
    hu, centers, target, evidence = zip(*cut, strict=True)
    return Crops(torch.stack(hu), torch.stack(centers), _stacked(target), _stacked(evidence))


def draw_volume(settings: VolumeAugmentSettings, side: int, key: tuple[int, ...]) -> VolumeDraw:
    """Draw the random numbers of one box of ``side`` millimeters from its key."""
    rng = np.random.default_rng(key)
    moved, bent, blurred, recolored, noisy = rng.uniform(size=5) < settings.share
    angles = rng.uniform(-1, 1, 3) * np.deg2rad(settings.rotate_deg)
    shift = rng.uniform(-1, 1, 3) * settings.shift_mm
    scale = 1 + rng.uniform(-1, 1) * settings.scale
    mirror = bool(rng.uniform() < 0.5) and settings.mirror
    blur = rng.uniform() * settings.blur_mm * blurred
    gamma = (1 + settings.contrast) ** (rng.uniform(-1, 1) * recolored)
    noise_sd = rng.uniform() * settings.noise_hu * noisy
    elastic = settings.elastic_mm * rng.uniform() * bent
    return VolumeDraw(
        shift_mm=shift * moved,
        angles_rad=angles * moved,
        scale=float(scale) if moved else 1.0,
        displacement_mm=_displacement(rng, side, elastic, settings) if elastic > 0 else None,
        mirror=mirror,
        blur_mm=float(blur),
        gamma=float(gamma),
        noise_hu=_noise(rng, side, noise_sd) if noise_sd > 0 else None,
    )


def _noise(rng: np.random.Generator, side: int, sd: float) -> np.ndarray:
    return rng.standard_normal((side,) * 3, dtype=np.float32) * np.float32(sd)


def _displacement(
    rng: np.random.Generator, side: int, sd_mm: float, settings: VolumeAugmentSettings
) -> Tensor:
    """Draw smooth displacements on cells small against their smoothness."""
    from monai.networks.layers.simplelayers import GaussianFilter

    cell_mm = max(settings.elastic_smooth_mm / _CELLS_PER_SMOOTH, 1.0)
    sigma = settings.elastic_smooth_mm / cell_mm
    cells = int(np.ceil(side / cell_mm)) + 1
    margin = int(np.ceil(3 * sigma))
    white = rng.standard_normal((1, 3, *(cells + 2 * margin,) * 3), dtype=np.float32)
    smooth = GaussianFilter(3, sigma)(torch.from_numpy(white))[0]
    inner = slice(margin, margin + cells)
    shrunk = (2 * np.sqrt(np.pi) * sigma) ** -1.5  # what smoothing leaves of a unit deviation
    return smooth[:, inner, inner, inner] * float(sd_mm / shrunk)


def _cut(
    data: TrainingSet, row: int, side: int, draw: VolumeDraw, masks: bool
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    shown = [data.patches_hu, *((data.target, data.evidence) if masks else (None, None))]
    windows = whole_windows(data, np.array([row]), side) if draw.is_in_place else None
    if windows is not None:
        cut = [None if s is None else _floats(s[row][windows[0]]) for s in shown]
    else:
        grid = _sampling_grid(data, row, side, draw)
        modes = ("bilinear", "nearest", "nearest")
        cut = [
            None if s is None else _sampled(s[row], grid, mode)
            for s, mode in zip(shown, modes, strict=True)
        ]
    sampled, target, evidence = cut
    assert sampled is not None
    hu = _rescanned(sampled, draw)
    center = torch.from_numpy((side - 1) / 2 - draw.shift_mm / draw.scale).float()
    if not draw.mirror:
        return hu, center, target, evidence
    center[_LEFT_AXIS] = side - 1 - center[_LEFT_AXIS]
    return hu.flip(_LEFT_AXIS), center, _mirrored(target), _mirrored(evidence)


def _mirrored(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask.flip(_LEFT_AXIS)


def _sampling_grid(data: TrainingSet, row: int, side: int, draw: VolumeDraw) -> Tensor:
    """Where each sample of the box is taken, in samples from the middle of the stored one.

    Offset u from the middle of the box comes from R (scale (u + displacement) + shift),
    counted from the vertebra's centroid.
    """
    from monai.transforms.spatial.array import AffineGrid
    from monai.transforms.utils import create_grid

    grid = torch.as_tensor(create_grid((side,) * 3, dtype=torch.float32, backend="torch"))
    if draw.displacement_mm is not None:
        size = (side,) * 3
        grid[:3] += F.interpolate(
            draw.displacement_mm[None], size=size, mode="trilinear", align_corners=True
        )[0]
    turn = AffineGrid(
        rotate_params=tuple(draw.angles_rad),
        translate_params=tuple(draw.shift_mm),
        scale_params=(draw.scale,) * 3,
    )
    turned, _ = turn(grid=grid)
    middle = (np.array(data.patches_hu.shape[1:]) - 1) / 2
    off = torch.from_numpy((data.centers[row] - middle).astype(np.float32))
    moved = _plain(torch.as_tensor(turned)).clone()
    moved[:3] += off.view(3, 1, 1, 1)
    return moved


def _sampled(array: np.ndarray, grid: Tensor, mode: str) -> Tensor:
    from monai.transforms.spatial.array import Resample

    source = _floats(array)[None]
    resample = Resample(mode=mode, padding_mode="border")
    return _plain(torch.as_tensor(resample(source, grid)))[0]


def _floats(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))


def _rescanned(hu: Tensor, draw: VolumeDraw) -> Tensor:
    from monai.transforms.intensity.array import AdjustContrast, GaussianSmooth

    if draw.blur_mm > 0:
        hu = _plain(torch.as_tensor(GaussianSmooth(draw.blur_mm)(hu[None])))[0]
    if draw.gamma != 1:
        hu = _plain(torch.as_tensor(AdjustContrast(draw.gamma)(hu[None])))[0]
    return hu if draw.noise_hu is None else hu + torch.from_numpy(draw.noise_hu)


def _plain(tensor: Tensor) -> Tensor:
    """Take MONAI's metadata off."""
    return tensor.as_subclass(Tensor)


def _stacked(parts: tuple[Tensor | None, ...]) -> Tensor | None:
    found = [part for part in parts if part is not None]
    return torch.stack(found) if found else None
