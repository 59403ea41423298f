"""The one streaming pass: what every unit of a layer does on every sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.errors import ModelError
from spinexplain.explainers.dissection.thresholds import TailFilter, Tails
from spinexplain.explainers.hooks import capture, check_is_map
from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True, eq=False)
class Activity:
    """What U units of a layer did on N samples.

    Parameters
    ----------
    tails : Tails
        Thresholds, and every value above them with its place.
    peaks, means : ndarray of float32, shape (N, U)
        Highest and mean activation over the grid.
    logits : ndarray of float32, shape (N, K)
    grid : tuple of int
        Cells along each axis of the feature map.
    correlation : ndarray of float64, shape (U, U)
        Pearson's correlation of the units over all cells of all samples; 0 with a unit
        that is constant.
    """

    tails: Tails
    peaks: np.ndarray
    means: np.ndarray
    logits: np.ndarray
    grid: tuple[int, ...]
    correlation: np.ndarray

    @property
    def cells(self) -> int:
        """Cells of the feature map."""
        return int(np.prod(self.grid))

    def relevance(self) -> np.ndarray:
        """Return r (eq. 2), the sum of activation above the threshold, float64, (N, U)."""
        samples, units = self.peaks.shape
        index = self.tails.places // self.cells * units + self.tails.units
        sums = np.bincount(index, self.tails.values, minlength=samples * units)
        return sums.reshape(samples, units)

    def map_above(self, unit: int, sample: int) -> np.ndarray:
        """Return a unit's activation where it exceeds its threshold, else 0, shape (*G)."""
        places, values = self.tails.of_unit(unit)
        mine = slice(*np.searchsorted(places, [sample * self.cells, (sample + 1) * self.cells]))
        cells = np.zeros(self.cells, np.float32)
        cells[places[mine] - sample * self.cells] = values[mine]
        return cells.reshape(self.grid)


def layer_activity(
    model: nn.Module,
    layer: str,
    batches: Iterable[Tensor],
    samples: int,
    quantile: float = 0.995,
    progress: Progress = SILENT,
) -> Activity:
    """Run a network over all samples once and keep what its units did.

    Parameters
    ----------
    model : nn.Module
        Put into evaluation mode for the pass, so that no sample depends on its batch.
    layer : str
        A name of :func:`~spinexplain.explainers.hooks.layer_names`.
    batches : iterable of Tensor, shape (B, C, *S)
    samples : int
        How many come in all.
    quantile : float
    progress : Progress

    Raises
    ------
    ModelError
        If there is no such layer, it gives no map, or the network gives no finite numbers.
    """
    stream: TailFilter | None = None
    moments = Moments()
    peaks, means, logits, done = [], [], [], 0
    training = model.training
    model.eval()
    try:
        for inputs in batches:
            with torch.inference_mode(), capture(model, layer) as captured:
                logits.append(model(inputs).float().cpu().numpy())
            seen = captured.activation.float().cpu()
            check_is_map(seen, inputs, layer)
            flat = seen.flatten(2)
            peaks.append(flat.amax(dim=2).numpy())
            means.append(flat.mean(dim=2).numpy())
            _check_finite(means[-1], logits[-1], layer)
            if stream is None:
                stream = TailFilter(samples * flat.shape[2], quantile, located=True)
            stream.add(flat)
            moments.add(flat)
            done += len(inputs)
            progress.step("dissect", done, samples)
    finally:
        model.train(training)
    if stream is None:
        raise ModelError("there is no sample to run the network on; expected at least one.")
    return Activity(
        stream.finish(),
        np.concatenate(peaks),
        np.concatenate(means),
        np.concatenate(logits),
        tuple(seen.shape[2:]),
        moments.correlation(),
    )


class Moments:
    """First and second moments of units over a stream of maps, for their correlation.

    Examples
    --------
    >>> moments = Moments()
    >>> moments.add(torch.tensor([[[1.0, 2, 3], [2.0, 4, 6], [5.0, 5, 5]]]))
    >>> moments.correlation().round(3).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(0)
        self._products = torch.zeros(0)

    def add(self, maps: Tensor) -> None:
        """Take the next maps, shape (N, U, cells)."""
        values = maps.transpose(0, 1).flatten(1)
        total, products = values.sum(dim=1).double(), (values @ values.T).double()
        self._sum = self._sum + total if self._count else total
        self._products = self._products + products if self._count else products
        self._count += values.shape[1]

    def correlation(self) -> np.ndarray:
        """Return Pearson's correlation, (U, U); 0 with constant units."""
        mean = self._sum / self._count
        covariance = self._products / self._count - torch.outer(mean, mean)
        variance = covariance.diagonal()
        # What rounding leaves of a constant unit's variance is no variance.
        varies = variance > 1e-6 * (variance + mean**2)
        scale = torch.where(varies, variance, torch.inf).sqrt()
        return (covariance / torch.outer(scale, scale)).clamp(-1, 1).numpy()


def _check_finite(means: np.ndarray, logits: np.ndarray, layer: str) -> None:
    if not (np.isfinite(means).all() and np.isfinite(logits).all()):
        raise ModelError(
            f'the network gives infinite values or NaN at layer "{layer}" or after it; expected '
            "finite ones. Check its weights and its input."
        )
