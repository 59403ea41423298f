"""How far a trained model can be trusted: grades, centroid errors and where its evidence lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import AugmentSettings
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.errors import ModelError
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix
from spinexplain.models.build import Network
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.inputs import network_input
from spinexplain.models.receptive import upsample_map
from spinexplain.train.grading.augment import augmented_crops
from spinexplain.train.grading.run import Trained
from spinexplain.train.grading.validate import predict

CENTROID_ERROR_MM = 5.0
CROP_SHIFT_MM = 20.0
TOP_SHARE = 0.02


@dataclass(frozen=True)
class Reliability:
    """Figures of one model on one labelled set.

    Parameters
    ----------
    f1 : float
        Class-average F1.
    specificity : float
        Share of G0 graded G0.
    found_G2, found_G3 : float
        Share graded G2 or G3.
    f1_moved, specificity_moved, found_moved : float
        The same with every centroid 5 mm off in a random direction (crop and Gaussian move).
    same_grade_moved : float
        Share whose grade those 5 mm leave as it is.
    on_body, on_evidence : float
        Share of the top 2 % of the strongest own-class map that lies in the target's body,
        and, of fractured vertebrae, on the true evidence; crops moved by up to 20 mm.
    gaussian_on_body, gaussian_on_evidence : float
        The same for a Gaussian in the middle of the crop.
    """

    f1: float
    specificity: float
    found_G2: float
    found_G3: float
    f1_moved: float
    specificity_moved: float
    found_moved: float
    same_grade_moved: float
    on_body: float
    on_evidence: float
    gaussian_on_body: float
    gaussian_on_evidence: float


def measure_reliability(trained: Trained, data: TrainingSet) -> Reliability:
    """Measure a trained model on a labelled set with masks, e.g. held-out phantoms.

    Parameters
    ----------
    trained : Trained
    data : TrainingSet
        With ``target`` and ``evidence``; grades that are no class are left out.

    Raises
    ------
    ModelError
        If the model has neither prototypes nor a linear layer on its trunk.
    """
    model, config = trained.model, trained.config
    labels = class_labels(data, config.task)
    used, labels = data.take(labels >= 0), labels[labels >= 0]
    plain = predict(model, used, config).argmax(axis=1)
    moved = predict(model, with_centroid_error(used, CENTROID_ERROR_MM, 0), config).argmax(axis=1)
    fractured, healthy = used.grades > 0, config.task.healthy_index
    places = evidence_places(trained, used, labels)
    return Reliability(
        f1=class_average_f1(confusion_matrix(labels, plain, len(config.classes))),
        specificity=_share(plain[~fractured] == healthy),
        found_G2=_share(plain[used.grades == 2] != healthy),
        found_G3=_share(plain[used.grades == 3] != healthy),
        f1_moved=class_average_f1(confusion_matrix(labels, moved, len(config.classes))),
        specificity_moved=_share(moved[~fractured] == healthy),
        found_moved=_share(moved[fractured] != healthy),
        same_grade_moved=_share(moved == plain),
        on_body=_share(places[:, 0]),
        on_evidence=_share(places[fractured, 1]),
        gaussian_on_body=_share(places[:, 2]),
        gaussian_on_evidence=_share(places[fractured, 3]),
    )


def with_centroid_error(data: TrainingSet, error_mm: float, seed: int) -> TrainingSet:
    """Move every centroid by ``error_mm`` in a random direction."""
    rng = np.random.default_rng([seed, 3])
    direction = rng.standard_normal(data.centers.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return replace(data, centers=data.centers + error_mm * direction)


MapsOf = Callable[[Any, Tensor, Tensor], Tensor]
"""From a model, inputs (N, C, *size) and class indices (N,) to maps on the grid (N, *G)."""


@torch.no_grad()
def evidence_places(
    trained: Trained, data: TrainingSet, labels: np.ndarray, maps_of: MapsOf | None = None
) -> np.ndarray:
    """Return where the top evidence lies, shape (N, 4).

    Columns: share in the body and on the true evidence, of the strongest map of the true
    class and of a Gaussian in the middle of the crop. The crops are moved by up to 20 mm,
    so that the middle is no answer. ``maps_of`` gives other maps than
    :func:`strongest_maps`, e.g. GradCAM's.
    """
    maps_of = maps_of or strongest_maps
    spec = trained.config.input
    still = dict.fromkeys(AugmentSettings.model_fields, 0.0)
    moved = AugmentSettings(**still | {"shift_mm": CROP_SHIFT_MM})
    out = []
    for start in range(0, len(data), 64):
        rows = np.arange(start, min(start + 64, len(data)))
        crops = augmented_crops(data, rows, spec, moved, seed=7, epoch=0)
        if crops.target is None or crops.evidence is None:
            return np.full((len(data), 4), np.nan)
        x = network_input(crops.hu, crops.centers, spec)
        cells = maps_of(trained.model, x, torch.from_numpy(labels[rows])).numpy()
        side = crops.hu.shape[1]
        for i in range(len(rows)):
            field = trained.model.trunk.field
            heat = upsample_map(cells[i], tuple(crops.hu.shape[1:]), field, spec.size / side)
            masks = [crops.target[i].numpy() > 0.5, crops.evidence[i].numpy() > 0.5]
            tops = [top_share(heat), top_share(_middle(heat.shape))]
            out.append([np.mean(mask[top]) for top in tops for mask in masks])
    return np.array(out)


def strongest_maps(model: Network, x: Tensor, labels: Tensor) -> Tensor:
    """Return the map of the own-class prototype that contributes most, (N, *G).

    For the plain classifier its class activation map.

    Raises
    ------
    ModelError
        For any other network.
    """
    if isinstance(model, DetectorNet):
        raise ModelError(
            "a detector has neither prototypes nor a linear layer to take a map from; expected a "
            "prototype network or the plain classifier. Dissect it instead."
        )
    if isinstance(model, LinearNet):
        weight = model.last_layer.weight[labels]
        return torch.einsum("nc...,nc->n...", model.trunk(x), weight).clamp_min(0)
    maps = model.similarity_maps(x)
    contribution = model.last_layer.weight[labels] * maps.flatten(2).amax(dim=2)
    other = model.prototype_class[None] != labels[:, None]
    best = contribution.masked_fill(other, -torch.inf).argmax(dim=1)
    return maps[torch.arange(len(x)), best]


def top_share(heat: np.ndarray) -> np.ndarray:
    """Return where the highest 2 % of a map lie; ties are broken towards the first sample."""
    count = max(round(TOP_SHARE * heat.size), 1)
    order = np.argsort(-heat, axis=None, kind="stable")[:count]
    mask = np.zeros(heat.size, bool)
    mask[order] = True
    return mask.reshape(heat.shape)


def _middle(shape: tuple[int, ...]) -> np.ndarray:
    offsets = [axis - (n - 1) / 2 for axis, n in zip(np.indices(shape), shape, strict=True)]
    return -np.sum(np.square(offsets), axis=0)


def paired_difference(
    one: np.ndarray, other: np.ndarray, seed: int = 0, resamples: int = 2000
) -> tuple[float, float, float]:
    """Return the mean of one - other over sheets, and its 95 % bootstrap interval.

    Parameters
    ----------
    one, other : ndarray, shape (N,)
        The same sheets, each of another person.
    seed, resamples : int

    Examples
    --------
    >>> paired_difference(np.array([0.5, 0.5]), np.array([0.25, 0.25]))
    (0.25, 0.25, 0.25)
    """
    difference = one - other
    rng = np.random.default_rng([seed, 5])
    rows = rng.integers(len(difference), size=(resamples, len(difference)))
    low, high = np.quantile(difference[rows].mean(axis=1), [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)


def _share(hits: np.ndarray) -> float:
    return float(np.mean(hits)) if len(hits) else float("nan")
