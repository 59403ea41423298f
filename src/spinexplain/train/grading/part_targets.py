"""Where each addressed prototype belongs: targets on the crop from what a fracture moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.evaluate.explanations.parts import body_frame
from spinexplain.models.heads.parts import BROKEN, INTACT
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.part_losses import LIT, part_loss, place_loss
from spinexplain.models.receptive import ReceptiveField
from spinexplain.train.engine.journal import Terms
from spinexplain.train.grading.augment import Crops
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.cells import covered_cells

__all__ = ["LIT", "PartTargets", "part_targets", "parts_of_body", "placed_targets", "placed_terms"]

SIXTHS = 6
_FRONT = 3  # the anterior half: sixths 3, 4 and 5
_BAND_MM = 3.0
LEAST_BROKEN = 0.2
"""Share of a cell; what is fainter is not scaled up further."""

OTHER_GRADE = 0.3
"""Weight of what is asked of another fractured class."""

_LEAST_INTACT = 0.3


@dataclass(frozen=True, eq=False)
class PartTargets:
    """What prototypes addressed to parts are to show in one batch.

    Parameters
    ----------
    broken : Tensor, shape (N, 4, *E)
        Evidence of each part, weighed by how far the endplate moved there, 0 to 1.
    intact : Tensor, shape (N, 3, *E)
        Bands at the endplates and the bone between them.
    halves : Tensor, shape (N, 4, *E)
        The halves of each endplate's side of the body, whatever was moved.
    known : Tensor of bool, shape (N,)
        Whether it is known what the fracture moved, or that nothing did.
    """

    broken: Tensor
    intact: Tensor
    halves: Tensor
    known: Tensor


def part_targets(
    part: Tensor, body: Tensor, evidence: Tensor, displacement_mm: Tensor
) -> PartTargets:
    """Lay out the parts of a batch on its crops.

    Parameters
    ----------
    part : Tensor, shape (N, *E)
        Endplate and sixth of the depth, 0 to 12, as cohorts store it.
    body, evidence : Tensor, shape (N, *E)
        0 or 1.
    displacement_mm : Tensor, shape (N, 12)
        Of the superior, then the inferior endplate by sixths; NaN where unknown.
    """
    known = torch.isfinite(displacement_mm).all(dim=1)
    moved = torch.nan_to_num(displacement_mm, nan=0.0)
    severity = moved / moved.amax(dim=1, keepdim=True).clamp_min(0.5)
    table = F.pad(severity, (1, 0))
    codes = part.long()
    weight = torch.gather(table, 1, codes.flatten(1)).view_as(evidence) * evidence
    sixth = (codes - 1) % SIXTHS
    superior, front = (codes > 0) & (codes <= SIXTHS), sixth >= _FRONT
    inferior = codes > SIXTHS
    where = (superior & front, superior & ~front, inferior & front, inferior & ~front)
    broken, halves = (torch.stack([m * here for here in where], dim=1) for m in (weight, body))
    inner = eroded(body, round(_BAND_MM))
    band = body * (1 - inner)
    intact = torch.stack([band * superior, band * inferior, inner], dim=1)
    assert broken.shape[1] == len(BROKEN)
    assert intact.shape[1] == len(INTACT)
    return PartTargets(broken, intact, halves, known)


def eroded(body: Tensor, rows: int) -> Tensor:
    """Take ``rows`` samples off the upper and lower border of masks (N, rows, columns)."""
    outside = (1 - body)[:, None]
    grown = F.max_pool2d(outside, (2 * rows + 1, 1), stride=1, padding=(rows, 0))
    return 1 - grown[:, 0]


def parts_of_body(body: np.ndarray) -> np.ndarray:
    """Find endplates and sixths of the depth from the mask of a body alone.

    Parameters
    ----------
    body : ndarray, shape (rows, columns)
        Nonzero in the body; row 0 cranial, column 0 anterior.

    Returns
    -------
    ndarray of uint8, same shape
        1 to 6 in the upper half, posterior to anterior, 7 to 12 in the lower one; 0 outside.

    Examples
    --------
    >>> mask = np.zeros((8, 14))
    >>> mask[2:6, 1:13] = 1
    >>> parts_of_body(mask)[[2, 2, 5, 5], [1, 12, 1, 12]].tolist()
    [6, 1, 12, 7]
    """
    if not body.any():
        return np.zeros(body.shape, np.uint8)
    cranial, anterior = body_frame(body > 0).coordinates(body.shape)
    sixth = np.clip(np.floor((anterior + 1) / 2 * SIXTHS), 0, SIXTHS - 1)
    codes = 1 + sixth + SIXTHS * (cranial < 0)
    return np.where(body > 0, codes, 0).astype(np.uint8)


def crop_targets(crops: Crops, displacement_mm: Tensor | None) -> PartTargets | None:
    """Return the targets of a batch of crops; None where their bodies are not known.

    Where a cohort has no parts, they come from the frame of each body.
    """
    body = crops.target
    if body is None:
        return None
    part = crops.part
    if part is None:
        codes = np.stack([parts_of_body(one) for one in body.cpu().numpy()])
        part = torch.from_numpy(codes.astype(np.float32)).to(body.device)
    moved = displacement_mm
    if moved is None:
        moved = torch.full((len(body), 2 * SIXTHS), torch.nan, device=body.device)
    evidence = crops.evidence if crops.evidence is not None else torch.zeros_like(body)
    return part_targets(part, body, evidence, moved)


def on_grid(
    model: PrototypeNet, targets: PartTargets, grid: tuple[int, ...], spec: InputSpec
) -> tuple[Tensor, Tensor]:
    """Return the targets on a network's grid: broken (N, 4, *G) and intact (N, 3, *G).

    The strongest cell of all broken parts is 1, that of every intact part is 1.
    """
    broken, intact = (
        covered_cells(model.trunk.field, masks.flatten(0, 1), grid, spec).unflatten(
            0, masks.shape[:2]
        )
        for masks in (targets.broken, targets.intact)
    )
    axes = (1,) * len(grid)
    strongest = broken.flatten(1).amax(dim=1).clamp_min(LEAST_BROKEN).view(-1, 1, *axes)
    fullest = intact.flatten(2).amax(dim=2).clamp_min(_LEAST_INTACT)
    return broken / strongest, intact / fullest.view(*fullest.shape, *axes)


def placed_targets(
    model: PrototypeNet,
    crops: Crops,
    data: TrainingSet,
    rows: np.ndarray,
    spec: InputSpec,
    grid: tuple[int, ...],
) -> Tensor:
    """Return where every prototype belongs in some rows of a set, (n, P, *G), 0 to 1.

    In fractures that moved nobody knows what, in its half of its endplate's side of the body.
    """
    moved = data.displacement_mm
    targets = crop_targets(crops, None if moved is None else torch.from_numpy(moved[rows]))
    assert targets is not None
    known = targets.known.view(-1, 1, *(1,) * len(grid))
    targets = replace(targets, broken=torch.where(known, targets.broken, targets.halves))
    broken, intact = on_grid(model, targets, grid, spec)
    classes = model.last_layer.out_features
    return _of_those_there(model, torch.cat([intact, *(broken for _ in range(classes - 1))], dim=1))


def _of_those_there(model: PrototypeNet, laid: Tensor) -> Tensor:
    """Keep what is laid out for the prototypes that curation left, of (N, all, *G)."""
    return laid[:, list(model.kept)] if model.kept else laid


def placed_terms(
    model: PrototypeNet, similarities: Tensor, batch: Batch, config: TrainConfig
) -> Terms:
    """Return the terms of addressed prototypes: ``place`` and ``part``; nothing for others.

    Parameters
    ----------
    model : PrototypeNet
    similarities : Tensor, shape (N, P, *G)
    batch : Batch
    config : TrainConfig

    Notes
    -----
    Not asked of a prototype: what the healthy class's show in fractured bodies, whose other
    parts may be intact, and in healthy twins. Where it is not known what a fracture moved,
    nothing is asked inside the body.
    """
    loss, crops = config.loss, batch.crops
    if not model.parts or loss.lambda_place == loss.lambda_part == 0 or crops is None:
        return {}
    targets = crop_targets(crops, batch.displacement_mm)
    if targets is None:
        return {}
    grid = tuple(similarities.shape[2:])
    broken, intact = on_grid(model, targets, grid, config.input)
    owner, fractured = model.prototype_class, batch.labels > 0
    own = owner[None] == batch.labels[:, None]
    classes = model.last_layer.out_features
    laid = _of_those_there(model, torch.cat([intact, *(broken for _ in range(classes - 1))], dim=1))
    target = torch.where(own.view(*own.shape, *(1,) * len(grid)), laid, torch.zeros_like(laid))
    weight = _asked(model, batch).view(*own.shape, *(1,) * len(grid)).expand_as(target)
    unknown = fractured & ~targets.known
    if bool(unknown.any()):
        weight = weight * ~hidden_cells(model.trunk.field, crops, unknown, grid, config.input)
    activation = similarities / model.max_similarity
    place = {"place": place_loss(activation, target, weight)}
    if model.kept:  # which part wins is asked where all parts of a class are there
        return place
    known = fractured & targets.known
    peaks = activation[known].flatten(2).amax(dim=2)[own[known]].view(-1, len(BROKEN))
    shares = broken[known].flatten(2).amax(dim=2).pow(4)
    return place | {"part": part_loss(peaks, shares)}


def hidden_cells(
    field: ReceptiveField, crops: Crops, unknown: Tensor, grid: tuple[int, ...], spec: InputSpec
) -> Tensor:
    """Return the cells in bodies of which it is not known what moved, bool, (N, 1, *G)."""
    assert crops.target is not None
    body = covered_cells(field, crops.target, grid, spec)
    return (unknown.view(-1, *(1,) * len(grid)) & (body > 0))[:, None]


def _asked(model: PrototypeNet, batch: Batch) -> Tensor:
    """Return how much is asked of every prototype in every crop, (N, P)."""
    owner, fractured = model.prototype_class[None], (batch.labels > 0)[:, None]
    own = owner == batch.labels[:, None]
    weight = torch.ones(own.shape, device=own.device)
    weight[fractured & (owner > 0) & ~own] = OTHER_GRADE
    undecided = fractured
    if batch.twins is not None:
        undecided = undecided | batch.twins[:, None]
    weight[undecided & (owner == 0)] = 0.0
    return weight
