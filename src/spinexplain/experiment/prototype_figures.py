"""What became of the prototypes: how alike, how busy and how far they travelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.train.grading.plain_inputs import plain_batches
from spinexplain.train.grading.projection import PrototypeSource
from spinexplain.train.grading.run import Trained


@dataclass(frozen=True)
class PrototypeFigures:
    """Figures of one set of prototypes.

    Parameters
    ----------
    cosine : list, shape (P, P)
        Cosine of the raw vectors (fig. 3 of ProtoVerse).
    centered_cosine : list, shape (P, P)
        Cosine after the mean latent cell of the training crops is taken off; any two cells
        after a sigmoid have a raw cosine near 1.
    same_class_cosine, same_class_centered : float
        Means over pairs of one class; NaN with one prototype per class.
    winner_share : float
        Share of the held-out crops of a class won by the one own-class prototype that wins
        most of them, averaged over classes. 1 means that the others never count.
    """

    cosine: list[list[float]]
    centered_cosine: list[list[float]]
    same_class_cosine: float
    same_class_centered: float
    winner_share: float


def prototype_story(
    trained: Trained, held_out: TrainingSet, checkpoint: Path | None
) -> dict[str, Any]:
    """Measure the prototypes before and after their projection, JSON-ready.

    Parameters
    ----------
    trained : Trained
        With a prototype network.
    held_out : TrainingSet
        Crops that took no part in the training.
    checkpoint : Path or None
        Of the phase before the projection; None where nothing was trained before it.
    """
    after = trained.model
    assert isinstance(after, PrototypeNet)
    labels = class_labels(held_out, trained.config.task)
    kept = held_out.take(labels >= 0)
    labels = labels[labels >= 0]
    spec = trained.config.input
    mean = mean_cell(after, trained.data, spec)
    similarities = crop_similarities(after, kept, spec)
    owner = after.prototype_class.numpy()
    story: dict[str, Any] = {
        "prototype_class": owner.tolist(),
        "after": asdict(measured(after.prototypes.detach(), owner, mean, similarities, labels)),
        "distance_travelled": [float(source.distance) for source in trained.sources],
        "duplicates": duplicates(trained.sources),
        "contributions": contributions(after, similarities, labels),
        "sources": [[int(s.row), *map(int, s.cell)] for s in trained.sources],
    }
    story["before"] = None
    if checkpoint is None:
        return story
    prior = _state(checkpoint)["prototypes"]
    learned = after.prototypes.detach().clone()
    with torch.no_grad():
        after.prototypes.copy_(prior)
        before = crop_similarities(after, kept, spec)
        after.prototypes.copy_(learned)
    story["before"] = asdict(measured(prior, owner, mean, before, labels))
    return story


def _state(path: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(path, weights_only=True)["model"]
    return state


def measured(
    vectors: Tensor, owner: np.ndarray, mean: Tensor, similarities: np.ndarray, labels: np.ndarray
) -> PrototypeFigures:
    """Measure prototypes (P, D) given the mean latent cell (D,) and similarities (n, P)."""
    raw, centered = cosines(vectors), cosines(vectors - mean)
    pairs = np.triu(owner[:, None] == owner[None], k=1)
    return PrototypeFigures(
        cosine=np.round(raw, 4).tolist(),
        centered_cosine=np.round(centered, 4).tolist(),
        same_class_cosine=float(raw[pairs].mean()) if pairs.any() else float("nan"),
        same_class_centered=float(centered[pairs].mean()) if pairs.any() else float("nan"),
        winner_share=winner_share(similarities, labels, owner),
    )


def cosines(vectors: Tensor) -> np.ndarray:
    """Return the cosine of every pair of rows, shape (P, P)."""
    unit = F.normalize(vectors.double(), dim=1)
    return (unit @ unit.T).numpy()


@torch.no_grad()
def mean_cell(model: PrototypeNet, data: TrainingSet, spec: InputSpec) -> Tensor:
    """Return the mean latent cell of (at most 256 evenly spread) crops, shape (D,)."""
    model.eval()
    rows = np.unique(np.linspace(0, len(data) - 1, 256).astype(int))
    total, count = torch.zeros(model.prototypes.shape[1], dtype=torch.float64), 0
    for x in plain_batches(data, rows, spec):
        cells = model.latent(x).flatten(2)
        total += cells.double().sum(dim=(0, 2))
        count += cells.shape[0] * cells.shape[2]
    return (total / count).float()


@torch.no_grad()
def crop_similarities(model: PrototypeNet, data: TrainingSet, spec: InputSpec) -> np.ndarray:
    """Return the similarity of each crop's best cell to each prototype, float64 (n, P)."""
    model.eval()
    parts = [model.similarities(x) for x in plain_batches(data, np.arange(len(data)), spec)]
    return torch.cat(parts).double().numpy()


def winner_share(similarities: np.ndarray, labels: np.ndarray, owner: np.ndarray) -> float:
    """Return how much of its class the busiest prototype wins, averaged over classes.

    Examples
    --------
    >>> s = np.array([[2.0, 1.0], [2.0, 1.0], [2.0, 1.0], [0.0, 1.0]])
    >>> winner_share(s, np.zeros(4, int), np.zeros(2, int))
    0.75
    """
    shares = []
    for index in np.unique(labels):
        members = np.flatnonzero(owner == index)
        winners = similarities[labels == index][:, members].argmax(axis=1)
        shares.append(np.bincount(winners).max() / len(winners))
    return float(np.mean(shares))


def duplicates(sources: Sequence[PrototypeSource]) -> int:
    """Count the prototypes that are the same patch (crop and cell) as an earlier one."""
    places = [(source.row, source.cell) for source in sources]
    return len(places) - len(set(places))


def contributions(
    model: PrototypeNet, similarities: np.ndarray, labels: np.ndarray
) -> dict[str, list[list[float]]]:
    """Average the contributions of each class's prototypes over the crops of each class.

    Returns
    -------
    dict
        ``"true_class"`` (K, K): row the crops' class, column the prototypes' class,
        contribution (similarity x connection) to the logit of the crops' own class, summed
        over the prototypes of a class. ``"own_class"``: the same to the logit of the
        prototypes' own class; ``"crops"``: crops per class.

    Notes
    -----
    Table 3 of ProtoVerse. Reading: it prints negative entries beside the diagonal, which
    only contributions to the logit of the crops' class can be. With signs of connections
    constrained the diagonal of that table cannot but be the maximum; ``"own_class"`` can.
    """
    weight = model.last_layer.weight.detach().double().numpy()
    owner = model.prototype_class.numpy()
    classes = range(len(weight))
    to_true, to_own = [], []
    for row in classes:
        mean = similarities[labels == row].mean(axis=0) if np.any(labels == row) else np.nan * owner
        to_true.append([float((mean * weight[row])[owner == c].sum()) for c in classes])
        to_own.append([float((mean * weight[c])[owner == c].sum()) for c in classes])
    counts = [[int(np.sum(labels == row))] for row in classes]
    return {"true_class": to_true, "own_class": to_own, "crops": counts}  # type: ignore[dict-item]
