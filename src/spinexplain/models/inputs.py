"""From patches in HU to a network's input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec
from spinexplain.models.input_arrays import center_index, check_extent
from spinexplain.types import Patch

_RESIZE = {2: "bilinear", 3: "trilinear"}
# Depth-wise convolutions run about twice as fast on CPU with the channels last.
MEMORY_FORMAT = {2: torch.channels_last, 3: torch.channels_last_3d}


_SAMPLES_AT_A_TIME = 2**22


def batch_size(spec: InputSpec, largest: int = 32) -> int:
    """Return how many inputs a network takes at a time; boxes are large, so few of them.

    More than 32 sheets at a time leave the processor's cache: a pass through the shipped
    trunk then takes 5 to 50 % longer.

    Examples
    --------
    >>> batch_size(InputSpec()), batch_size(InputSpec(axes=3, extent_mm=96, size=96))
    (32, 4)
    """
    return max(1, min(largest, _SAMPLES_AT_A_TIME // spec.size**spec.axes))


def to_tensor(
    patches: Sequence[Patch], spec: InputSpec, device: torch.device | str = "cpu"
) -> Tensor:
    """Turn patches into a batch of network inputs.

    Parameters
    ----------
    patches : sequence of Patch, length N
        HU, each ``extent_mm`` wide along every axis. The Gaussian channel is centred on
        the vertebra's centroid, wherever in the patch that lies.
    spec : InputSpec
    device : torch.device or str

    Returns
    -------
    Tensor of float32, shape (N, C, size, ...)

    Raises
    ------
    ShapeError
        If a patch has another number of axes or another extent than the spec.
    """
    for patch in patches:
        check_extent(patch, spec)
    hu = torch.from_numpy(np.stack([np.asarray(patch.array, np.float32) for patch in patches]))
    centers = np.stack([center_index(patch) for patch in patches]).astype(np.float32)
    return network_input(hu.to(device), torch.from_numpy(centers).to(device), spec)


def network_input(hu: Tensor, centers: Tensor, spec: InputSpec) -> Tensor:
    """Window, resize and normalize crops, and add the channel that marks the target.

    Parameters
    ----------
    hu : Tensor of float32, shape (N, *S)
        Crops in HU.
    centers : Tensor, shape (N, axes)
        Index of the target's centroid in each crop.
    spec : InputSpec

    Returns
    -------
    Tensor of float32, shape (N, C, size, ...)

    Examples
    --------
    >>> spec = InputSpec(extent_mm=16, size=8, mean=0, std=1)
    >>> network_input(torch.zeros(1, 16, 16), torch.full((1, 2), 7.5), spec).shape
    torch.Size([1, 3, 8, 8])
    """
    planes: dict[str, Tensor] = {}
    for channel in dict.fromkeys(spec.channels):
        if channel == "gaussian":
            planes[channel] = gaussian_plane(centers, tuple(hu.shape[1:]), spec)
        else:
            low, high = spec.windows_hu[channel]
            planes[channel] = _resize(((hu - low) / (high - low)).clamp(0, 1), spec)
    x = (torch.stack([planes[c] for c in spec.channels], dim=1) - spec.mean) / spec.std
    return x.contiguous(memory_format=MEMORY_FORMAT[spec.axes])


def gaussian_plane(centers: Tensor, shape: tuple[int, ...], spec: InputSpec) -> Tensor:
    """Draw a Gaussian of peak 1 around each center, on the network's input grid.

    Parameters
    ----------
    centers : Tensor, shape (N, axes)
        In samples of the crop.
    shape : tuple of int
        Samples of the crop along each axis.
    spec : InputSpec

    Returns
    -------
    Tensor, shape (N, size, ...)
    """
    plane = torch.ones((len(centers),) + (1,) * len(shape), device=centers.device)
    for axis, samples in enumerate(shape):
        mm_per_sample, mm_per_pixel = spec.extent_mm / samples, spec.extent_mm / spec.size
        at_mm = (torch.arange(spec.size, device=centers.device) + 0.5) * mm_per_pixel
        center_mm = (centers[:, axis, None] + 0.5) * mm_per_sample
        bump = torch.exp(-0.5 * ((at_mm - center_mm) / spec.gaussian_sigma_mm) ** 2)
        view = [len(centers)] + [1] * len(shape)
        view[axis + 1] = spec.size
        plane = plane * bump.view(view)
    return plane


def _resize(plane: Tensor, spec: InputSpec) -> Tensor:
    size = (spec.size,) * spec.axes
    if tuple(plane.shape[1:]) == size:
        return plane
    return F.interpolate(plane[:, None], size=size, mode=_RESIZE[spec.axes], align_corners=False)[
        :, 0
    ]
