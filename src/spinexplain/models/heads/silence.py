"""Units of a trunk that a network no longer listens to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spinexplain.errors import ConfigError

SILENCE = "silence"
"""Name of the layer in networks that have one."""


class SilencedUnits(nn.Module):
    """Holds some units of a feature map at one level each, in all cells and for every input.

    A held unit distinguishes neither vertebrae nor places, and no gradient passes it; the other
    units stay as they are.

    Parameters
    ----------
    channels : int
        Units of the map.
    units : sequence of int
        Which are held, counted from 0.

    Raises
    ------
    ConfigError
        If a unit is not there, or all are held.

    Examples
    --------
    >>> layer = SilencedUnits(3, [1])
    >>> layer.levels[1] = 0.5
    >>> layer(torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])).tolist()
    [[[1.0, 2.0], [0.5, 0.5], [5.0, 6.0]]]
    """

    held: Tensor
    levels: Tensor

    def __init__(self, channels: int, units: Sequence[int]) -> None:
        super().__init__()
        sound = len(set(units)) == len(units) < channels
        if not sound or min(units, default=0) < 0 or max(units, default=0) >= channels:
            raise ConfigError(
                f"[head] silenced is {list(units)}; expected different numbers from 0 to "
                f"{channels - 1} that leave at least one unit. Curate the model again."
            )
        held = torch.zeros(channels, dtype=torch.bool)
        held[list(units)] = True
        self.register_buffer("held", held)
        self.register_buffer("levels", torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, *G) to the same with the held units at their levels."""
        shape = (1, -1, *(1,) * (features.ndim - 2))
        levels = self.levels.to(features.dtype).view(shape)
        return torch.where(self.held.view(shape), levels, features)


def silence_of(channels: int, units: Sequence[int]) -> nn.Module:
    """Return what stands between trunk and head: nothing, or units that are held."""
    return SilencedUnits(channels, units) if units else nn.Identity()
