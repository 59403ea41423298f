"""Losses for grades that have an order, and for grades on which raters differ.

All work on ordinary logits, so that a model keeps its softmax and everything built on it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.errors import ShapeError


def ordinal_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Penalize every boundary between grades that a prediction is on the wrong side of.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        The classes in order of severity.
    labels : Tensor of int, shape (N,)
    weights : Tensor, shape (K,)
        Weight of a crop by its class.

    Returns
    -------
    Tensor, shape ()
        Weighted mean over crops of the sum over k of the binary cross-entropy of
        P(class > k), which is the sum of the softmax above k.

    Notes
    -----
    The cumulative targets of CORAL and its kin, on the softmax's own cumulative sums
    instead of K - 1 outputs of their own: always rank-consistent, and a mistake of two
    grades costs two boundaries.

    Examples
    --------
    >>> near, far = torch.tensor([[0.0, 9.0, 0.0]]), torch.tensor([[0.0, 0.0, 9.0]])
    >>> label, one = torch.tensor([0]), torch.ones(3)
    >>> bool(ordinal_loss(far, label, one) > ordinal_loss(near, label, one))
    True
    """
    below = torch.logcumsumexp(F.log_softmax(logits, dim=1), dim=1)[:, :-1]
    above = torch.logcumsumexp(F.log_softmax(logits.flip(1), dim=1), dim=1).flip(1)[:, 1:]
    exceeds = labels[:, None] > torch.arange(logits.shape[1] - 1, device=logits.device)
    cost = -torch.where(exceeds, above, below).sum(dim=1)
    share = weights[labels]
    return (share * cost).sum() / share.sum()


def soft_labels(readings: Tensor, classes: int) -> Tensor:
    """Turn several raters' readings into shares of the classes.

    Parameters
    ----------
    readings : Tensor of int, shape (N, R)
        Class index by every rater; -1 where one gave none.
    classes : int
        K.

    Returns
    -------
    Tensor, shape (N, K)
        Rows sum to 1.

    Raises
    ------
    ShapeError
        If nobody read a vertebra, or a reading is no class.

    Examples
    --------
    >>> soft_labels(torch.tensor([[0, 1, 1, -1]]), 2)
    tensor([[0.3333, 0.6667]])
    """
    if readings.ndim != 2 or bool((readings >= classes).any() | (readings < -1).any()):
        raise ShapeError(
            f"readings must have shape (N, R) with classes 0 to {classes - 1}, or -1 for none; got "
            f"{tuple(readings.shape)}. Check the raters' columns."
        )
    counts = torch.stack([(readings == k).sum(dim=1) for k in range(classes)], dim=1).float()
    total = counts.sum(dim=1, keepdim=True)
    if bool((total == 0).any()):
        row = int((total[:, 0] == 0).nonzero()[0])
        raise ShapeError(
            f"row {row} of the readings has no rater; expected at least one. Leave it out."
        )
    return counts / total


def soft_cross_entropy(logits: Tensor, shares: Tensor, weights: Tensor) -> Tensor:
    """Return the class-weighted cross-entropy against shares of the classes.

    Parameters
    ----------
    logits, shares : Tensor, shape (N, K)
    weights : Tensor, shape (K,)

    Notes
    -----
    With all raters agreeing it is the ordinary weighted cross-entropy.

    Examples
    --------
    >>> logits, label, w = torch.tensor([[0.3, 1.0]]), torch.tensor([1]), torch.tensor([1.0, 2.0])
    >>> soft = soft_cross_entropy(logits, soft_labels(label[None], 2), w)
    >>> bool(torch.isclose(soft, F.cross_entropy(logits, label, weight=w)))
    True
    """
    weighted = shares * weights
    return -(weighted * F.log_softmax(logits, dim=1)).sum() / weighted.sum()


GRADING_LOSSES = {
    "cross_entropy": lambda logits, labels, weights: F.cross_entropy(
        logits, labels, weight=weights
    ),
    "ordinal": ordinal_loss,
}
"""Name in ``loss.grading`` -> loss of (logits, labels, class weights)."""
