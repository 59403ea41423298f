"""What each phase minimizes."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.config.training import TrainConfig
from spinexplain.models.heads.ordinal import GRADING_LOSSES, soft_cross_entropy
from spinexplain.models.heads.prototype import LinearNet, PrototypeNet
from spinexplain.models.losses import (
    cluster_loss,
    diversity_loss,
    off_class_l1,
    outside_loss,
    separation_loss,
)
from spinexplain.train.engine.journal import Terms
from spinexplain.train.engine.precision import network_precision
from spinexplain.train.grading.activation_maps import map_terms
from spinexplain.train.grading.augment import inside_mask
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.cells import share_on_grid
from spinexplain.train.grading.part_targets import placed_terms


class WarmUp(nn.Module):
    """The plain classifier with a second output for the relative height loss.

    The second output exists in training only: a number per crop teaches a trunk more per
    step than a grade does.

    Parameters
    ----------
    linear : LinearNet
    """

    def __init__(self, linear: LinearNet) -> None:
        super().__init__()
        self.linear = linear
        self.height = nn.Linear(linear.trunk.channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, K) and height losses (N,)."""
        logits, heights, _ = self.answers(x)
        return logits, heights

    def answers(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (N, K), height losses (N,) and the features (N, C, *G) of both."""
        maps = self.linear.silence(self.linear.trunk(x))
        pooled = self.linear.pooled(maps, x)
        return self.linear.last_layer(pooled), self.height(pooled)[:, 0], maps


class HeightBeside(nn.Module):
    """A prototype network and, while it is trained, a regression of the height loss beside it.

    Parameters
    ----------
    net : PrototypeNet
    classifier : LinearNet
        On the same trunk; only its pooling is used.
    """

    def __init__(self, net: PrototypeNet, classifier: LinearNet) -> None:
        super().__init__()
        self.net, self._pooled = net, classifier.pooled
        self.height = nn.Linear(net.trunk.channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return latent patches (N, D, *G) and height losses (N,)."""
        maps = self.net.trunk(x)
        return self.net.add_on(maps), self.height(self._pooled(maps, x))[:, 0]


def grading_loss(
    kind: str, logits: Tensor, batch: Batch, weights: Tensor, normalize: str = "weights"
) -> Tensor:
    """Return the class-weighted loss of grades, divided by the sum of the weights.

    With several processes by that of the whole step, times their number, so that the mean
    over the processes is the step's. ``kind`` is a key of ``GRADING_LOSSES``, or ``"soft"``
    for the cross-entropy against the shares of raters who saw each class. With
    ``normalize = "samples"`` it is divided by the number of crops instead (eq. 4 of
    ProtoVerse).
    """
    weights = weights.to(logits.device)
    if batch.shares is not None:
        loss = soft_cross_entropy(logits, batch.shares, weights)
        own, whole = batch.shares @ weights, batch.everyone_shares
        total = None if whole is None else whole @ weights
    else:
        loss = GRADING_LOSSES[kind](logits, batch.labels, weights)
        own = weights[batch.labels]
        total = None if batch.everyone is None else weights[batch.everyone]
    if normalize == "samples":
        return loss * own.sum() / len(own)
    if total is None:
        return loss
    return loss * (len(total) / len(own)) * own.sum() / total.sum()


def classification_objective(
    model: WarmUp,
    weights: Tensor,
    lambda_height: float,
    precision: str = "fp32",
    grading: str = "cross_entropy",
    normalize: str = "weights",
    placed: TrainConfig | None = None,
) -> Callable[[Batch], Terms]:
    """Return the class-weighted cross-entropy plus the regression of the height loss.

    The regression is the smooth L1 distance of tenths of the body's height, over the
    crops whose height loss is known. With ``precision = "bf16"`` the network runs in
    bfloat16, where the device has it, and the losses in float32; ``grading`` and
    ``normalize`` are those of ``LossSettings``. With the settings ``placed`` the class
    activation maps are asked to light up where the fracture is, weighed by their
    ``lambda_place``; see :func:`~spinexplain.train.grading.activation_maps.map_terms`.
    """

    def objective(batch: Batch) -> Terms:
        with network_precision(precision, batch.x.device.type):
            logits, heights, maps = model.answers(batch.x)
        entropy = grading_loss(grading, logits.float(), batch, weights, normalize)
        terms = {"cross_entropy": entropy}
        if lambda_height > 0 and batch.height_loss is not None:
            terms["height"] = height_regression(heights.float(), batch.height_loss)
        if placed is not None:
            terms |= map_terms(model.linear, maps.float(), batch, placed)
        place = 0.0 if placed is None else placed.loss.lambda_place
        return with_total(terms, {"height": lambda_height, "place": place})

    return objective


def with_total(terms: Terms, factors: dict[str, float]) -> Terms:
    """Add the total: the cross-entropy and the other terms, each times its factor."""
    total = terms["cross_entropy"]
    for name, factor in factors.items():
        if name in terms:
            total = total + factor * terms[name]
    return terms | {"total": total}


def height_regression(heights: Tensor, height_loss: Tensor) -> Tensor:
    """Return the smooth L1 distance of tenths of the body's height, where the loss is known.

    Parameters
    ----------
    heights : Tensor, shape (N,)
        As predicted, in tenths.
    height_loss : Tensor, shape (N,)
        As a share, 0 to 1; NaN where unknown.

    Examples
    --------
    >>> float(height_regression(torch.tensor([5.0, 1.0]), torch.tensor([0.3, torch.nan])))
    1.5
    """
    known = torch.isfinite(height_loss)
    if not bool(known.any()):
        return heights.sum() * 0.0
    return F.smooth_l1_loss(heights[known], 10 * height_loss[known])


def prototype_objective(
    model: PrototypeNet,
    weights: Tensor,
    config: TrainConfig,
    precision: str = "fp32",
    beside: HeightBeside | None = None,
) -> Callable[[Batch], Terms]:
    """Return ProtoVerse's loss: cross-entropy, cluster, separation, diversity, L1, outside.

    With ``beside`` also the regression of the height loss, weighed by ``lambda_joint_height``.

    Notes
    -----
    Eq. 4 of ProtoVerse, with the sign of the separation term put right, the L1 term of
    ProtoPNet and the share of activation outside the target vertebra. With ``precision =
    "bf16"`` trunk and add-on layers run in bfloat16, distances and losses in float32.
    """

    def objective(batch: Batch) -> Terms:
        heights = None
        with network_precision(precision, batch.x.device.type):
            if beside is None:
                latent = model.latent(batch.x)
            else:
                latent, heights = beside(batch.x)
        maps = model.latent_distances(latent.float())
        nearest = maps.flatten(2).amin(dim=2)
        owner, loss = model.prototype_class, config.loss
        logits = model.last_layer(model.similarity_of(nearest))
        terms = {
            "cross_entropy": grading_loss(loss.grading, logits, batch, weights, loss.normalize),
            "cluster": cluster_loss(nearest, batch.labels, owner),
            "separation": separation_loss(nearest, batch.labels, owner),
            "diversity": diversity_loss(model.prototypes, owner, loss.diversity),
            "l1": off_class_l1(model.last_layer.weight, owner),
            "outside": _outside(model, maps, batch, config),
            **placed_terms(model, model.similarity_of(maps), batch, config),
        }
        if heights is not None and batch.height_loss is not None:
            terms["height"] = height_regression(heights.float(), batch.height_loss)
        factors = {
            "cluster": loss.lambda_clst,
            "separation": loss.lambda_sep,
            "diversity": loss.lambda_div,
            "l1": loss.lambda_l1,
            "outside": loss.lambda_outside,
            "place": loss.lambda_place,
            "part": loss.lambda_part,
            "height": loss.lambda_joint_height,
        }
        return with_total(terms, factors)

    return objective


def _outside(model: PrototypeNet, maps: Tensor, batch: Batch, config: TrainConfig) -> Tensor:
    if config.loss.lambda_outside == 0:
        return maps.new_zeros(())
    inside = batch.inside
    if inside is None:
        mask = None if batch.crops is None else inside_mask(batch.crops, config.loss.inside)
        if mask is None:
            return maps.new_zeros(())
        inside = target_cells(model, mask, tuple(maps.shape[2:]), config)
    own = model.prototype_class[None] == batch.labels[:, None]
    return outside_loss(model.similarity_of(maps), inside, own, config.loss.outside_power)


def target_cells(
    model: PrototypeNet, mask: Tensor, grid: tuple[int, ...], config: TrainConfig
) -> Tensor:
    """Return the share of each grid cell that the mask covers, its fullest cell being 1."""
    return share_on_grid(model.trunk.field, mask, grid, config.input)
