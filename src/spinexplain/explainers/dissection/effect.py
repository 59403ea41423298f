"""Whether the network uses a unit: what the score does when the unit is silenced."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.exemplars import fractured_relevance
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.explainers.dissection.statistics import most_relevant
from spinexplain.explainers.hooks import find_layer
from spinexplain.models.grader import Grader
from spinexplain.progress import SILENT, Progress

_WHOLE_TRUNK = "trunk"


def silenced_log_odds(
    model: nn.Module,
    layer: str,
    x: Tensor,
    units: Sequence[Sequence[int]],
    levels: np.ndarray,
    healthy: int,
) -> np.ndarray:
    """Return the log odds of fracture as they are, and without some units.

    A unit is silenced by holding its activation at one level in all cells, its mean over
    the vertebrae that were dissected: it then distinguishes neither vertebrae nor places,
    and nothing else about the layer changes.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode.
    layer : str
        A name of :func:`~spinexplain.explainers.hooks.layer_names`.
    x : Tensor, shape (1, C, *S)
        One sample.
    units : sequence of sequence of int, length K
        Which units to silence together.
    levels : ndarray of float, shape (U,)
        What silenced units are held at.
    healthy : int
        Place of the healthy class among the logits.

    Returns
    -------
    ndarray of float64, shape (1 + K,)
        First with all units as they are.

    Raises
    ------
    ModelError
        If there is no such layer.

    Notes
    -----
    Bau et al., PNAS 117 (2020) 30071, turn units off by setting them to 0, which is
    ordinary after a rectification and extraordinary elsewhere; a mean suits any layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Identity(), nn.AdaptiveMaxPool2d(1), nn.Flatten())
    >>> x = torch.tensor([[[[0.0, 1.0]], [[0.0, 3.0]]]])
    >>> silenced_log_odds(net, "0", x, [[1]], np.array([0.5, 2.0]), healthy=0).tolist()
    [2.0, 1.0]
    """
    rows = 1 + len(units)
    # The trunk is all that comes before its own output: once is enough for every row.
    seen = x if layer == _WHOLE_TRUNK else x.expand(rows, *x.shape[1:])
    with torch.inference_mode(), _silenced(model, layer, units, levels):
        logits = model(seen).double().cpu()
    others = [k for k in range(logits.shape[1]) if k != healthy]
    return (logits[:, others].logsumexp(dim=1) - logits[:, healthy]).numpy()


@contextmanager
def _silenced(
    model: nn.Module, layer: str, units: Sequence[Sequence[int]], levels: np.ndarray
) -> Iterator[None]:
    """Replace a layer's output by one row as it is and one for each group of silenced units."""
    own_thread = threading.get_ident()

    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor | None:
        if threading.get_ident() != own_thread:
            return None
        changed = output.expand(1 + len(units), *output.shape[1:]).clone()
        for row, group in enumerate(units, start=1):
            for unit in group:
                changed[row, unit] = float(levels[unit])
        return changed

    handle = find_layer(model, layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def effects_on(
    grader: Grader, layer: str, x: Tensor, units: Sequence[int], levels: np.ndarray
) -> np.ndarray:
    """Return how much each unit adds to the log odds of fracture of one sample.

    Parameters
    ----------
    grader : Grader
    layer : str
    x : Tensor, shape (1, C, *S)
    units : sequence of int, length K
    levels : ndarray of float, shape (U,)

    Returns
    -------
    ndarray of float64, shape (K,)
        Log odds as they are minus those with the unit silenced.
    """
    healthy = grader.task.healthy_index
    odds = silenced_log_odds(grader.model, layer, x, [[u] for u in units], levels, healthy)
    return odds[0] - odds[1:]


def unit_effects(
    grader: Grader,
    layer: str,
    activity: Activity,
    samples: Samples,
    units: Sequence[int],
    count: int,
    progress: Progress = SILENT,
) -> np.ndarray:
    """Average the effect of units over the fractured vertebrae that drive each most.

    Parameters
    ----------
    grader : Grader
    layer : str
    activity : Activity
    samples : Samples
    units : sequence of int
        Which units are looked at.
    count : int
        Vertebrae a unit, at most.
    progress : Progress

    Returns
    -------
    ndarray of float64, shape (U,)
        Mean change of the log odds; NaN for units that were not looked at, or that no
        fractured vertebra enables.
    """
    levels = mean_levels(activity)
    relevance = fractured_relevance(activity, samples)
    shown: dict[int, list[int]] = {}
    for unit in units:
        for sample in most_relevant(relevance[:, unit], count):
            shown.setdefault(sample, []).append(unit)
    sums, counts = np.zeros(len(levels)), np.zeros(len(levels))
    training = grader.model.training
    grader.model.eval()
    try:
        for done, (sample, driven) in enumerate(sorted(shown.items()), start=1):
            x = samples.inputs(np.array([sample]), grader.device)
            sums[driven] += effects_on(grader, layer, x, driven, levels)
            counts[driven] += 1
            progress.step("effects", done, len(shown))
    finally:
        grader.model.train(training)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def mean_levels(activity: Activity) -> np.ndarray:
    """Return each unit's mean over all cells of all samples, float64, shape (U,)."""
    return activity.means.mean(axis=0, dtype=np.float64)
