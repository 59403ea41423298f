"""What a difference from the papers does to a finished model: grades, places, prototypes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from spinexplain.analysis.reliability import strongest_maps, top_share
from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.receptive import upsample_map
from spinexplain.models.trunks.backbones import Trunk
from spinexplain.train.grading.augment import Crops
from spinexplain.train.grading.projection import PrototypeSource


@dataclass(frozen=True, eq=False)
class OnTrunk:
    """Everything that heads on one frozen trunk learn from and are tested on.

    Parameters
    ----------
    trunk : Trunk
    training : TrainingSet
        With features.
    tests : dict of str to TrainingSet
        With features.
    moved : dict of str to (ndarray, Crops)
        Features and crops of a test set, each crop moved by up to 20 mm.
    """

    trunk: Trunk
    training: TrainingSet
    tests: dict[str, TrainingSet]
    moved: dict[str, tuple[np.ndarray, Crops]]


def same_class_cosine(model: PrototypeNet) -> float:
    """Mean cosine of same-class pairs of mean-centered prototypes."""
    vectors = model.prototypes.detach()
    unit = F.normalize(vectors - vectors.mean(dim=0), dim=1)
    same = model.prototype_class[:, None] == model.prototype_class[None]
    pairs = torch.triu(same, diagonal=1)
    return float((unit @ unit.T)[pairs].mean())


def duplicates(sources: list[PrototypeSource], data: TrainingSet, model: PrototypeNet) -> int:
    """Prototypes that show what an earlier one of their class shows: one subject, 3 cells."""
    count, owner = 0, model.prototype_class.tolist()
    for i, one in enumerate(sources):
        near = [
            other
            for j, other in enumerate(sources[:i])
            if owner[i] == owner[j]
            and data.subjects[one.row] == data.subjects[other.row]
            and max(abs(a - b) for a, b in zip(one.cell, other.cell, strict=True)) < 3
        ]
        count += bool(near)
    return count


def winner_share(similarities: np.ndarray, labels: np.ndarray, owner: np.ndarray) -> float:
    """Share of a class's crops won by its most frequent prototype, averaged over classes."""
    shares = []
    for index in np.unique(owner):
        own = similarities[labels == index][:, owner == index]
        shares.append(np.bincount(own.argmax(axis=1)).max() / len(own))
    return float(np.mean(shares))


def quarter_of(target: np.ndarray, at: tuple[float, float]) -> str:
    """Name the quarter of a body that a point of its sheet lies in, or ``"elsewhere"``.

    Parameters
    ----------
    target : ndarray, shape (H, W)
        The body's mask; row 0 cranial, column 0 anterior.
    at : tuple of 2 floats
        Row and column. Up to 6 mm above and below the body count to its endplates.

    Examples
    --------
    >>> body = np.zeros((20, 20))
    >>> body[8:12, 4:16] = 1
    >>> quarter_of(body, (9.0, 5.0)), quarter_of(body, (0.0, 0.0))
    ('superior anterior', 'elsewhere')
    """
    rows, columns = np.nonzero(target > 0.5)
    if not len(rows):
        return "elsewhere"
    inside = rows.min() - 6 <= at[0] <= rows.max() + 6
    if not (inside and columns.min() <= at[1] <= columns.max()):
        return "elsewhere"
    half = "superior" if at[0] < rows.mean() else "inferior"
    return f"{half} {'anterior' if at[1] < columns.mean() else 'posterior'}"


def distinct_quarters(quarters: list[str], owner: list[int]) -> float:
    """Count the different quarters that a class's prototypes show, averaged over classes.

    ``"elsewhere"`` is no quarter.

    Examples
    --------
    >>> distinct_quarters(["superior anterior", "superior anterior", "elsewhere"], [0, 0, 1])
    0.5
    """
    known = sorted(set(owner))
    shown = [
        {q for q, whose in zip(quarters, owner, strict=True) if whose == k and q != "elsewhere"}
        for k in known
    ]
    return float(np.mean([len(found) for found in shown]))


@torch.no_grad()
def off_patch(model: PrototypeNet, sources: list[PrototypeSource], data: TrainingSet) -> float:
    """Largest squared distance of a prototype from the training patch it is said to be."""
    rows = np.array([source.row for source in sources])
    assert data.features is not None
    latent = model.latent(torch.from_numpy(data.features[rows]))
    gaps = []
    for prototype, crop, source in zip(model.prototypes, latent, sources, strict=True):
        at: tuple[slice | int, ...] = (slice(None), *source.cell)
        gaps.append(float((prototype - crop[at]).square().sum()))
    return max(gaps)


def wrong_signs(model: PrototypeNet) -> int:
    """Own-class connections below 0 and off-class ones above."""
    weight, own = model.last_layer.weight.detach(), model.own_class.T
    return int((weight[own] < 0).sum() + (weight[~own] > 0).sum())


def predicted_classes(model: PrototypeNet, data: TrainingSet) -> np.ndarray:
    """Return the class index of every row by its held features, (N,)."""
    assert data.features is not None
    parts = [
        model(torch.from_numpy(data.features[i : i + 256])).argmax(dim=1).numpy()
        for i in range(0, len(data), 256)
    ]
    return np.concatenate(parts)


@torch.no_grad()
def tested(model: PrototypeNet, config: TrainConfig, data: OnTrunk) -> dict[str, float]:
    """Grades on both test sets; places of the evidence on the harder one, crops moved."""
    figures: dict[str, float] = {}
    for name, test in data.tests.items():
        labels, predicted = class_labels(test, config.task), predicted_classes(model, test)
        matrix = confusion_matrix(labels, predicted, len(config.classes))
        figures[f"f1_{name}"] = class_average_f1(matrix)
        figures[f"specificity_{name}"] = float(np.mean(predicted[labels == 0] == 0))
        figures[f"found_{name}"] = float(np.mean(predicted[labels > 0] > 0))
    features, crops = data.moved["hard"]
    labels = class_labels(data.tests["hard"], config.task)
    assert crops.target is not None
    assert crops.evidence is not None
    maps = strongest_maps(model, torch.from_numpy(features), torch.from_numpy(labels)).numpy()
    body, evidence = [], []
    for i, label in enumerate(labels):
        heat = upsample_map(maps[i], tuple(crops.hu.shape[1:]), data.trunk.field)
        top = top_share(heat)
        body.append(float((crops.target[i].numpy()[top] > 0.5).mean()))
        if label > 0:
            evidence.append(float((crops.evidence[i].numpy()[top] > 0.5).mean()))
    return figures | {"on_body": float(np.mean(body)), "on_evidence": float(np.mean(evidence))}
