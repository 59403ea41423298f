"""The terms that teach where maps light up, and which prototype of a class wins."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LIT = 0.7  # of the target, from which a cell is to light up
_SHARPNESS = 8.0


def place_loss(activation: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Ask every prototype to light up on its part and nowhere else.

    Parameters
    ----------
    activation : Tensor, shape (N, P, *G)
        Similarity divided by its largest value, 0 to 1.
    target : Tensor, shape (N, P, *G)
        What it is to be; 0 where its part is not.
    weight : Tensor, shape (N, P, *G) or broadcastable
        0 where nothing is asked of a prototype.

    Returns
    -------
    Tensor, shape ()

    Notes
    -----
    The focal loss of keypoint heat maps (CornerNet): cells of at least 0.7 are positive, of
    the others those near a positive one count less, by (1 - target)^4. Divided by the number
    of positive cells.
    """
    a = activation.clamp(1e-4, 1 - 1e-4)
    return _focal(a, (torch.log(a), torch.log(1 - a)), target, weight)


def place_loss_of_logits(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Ask the same of maps that are log odds: :func:`place_loss` of their sigmoid.

    Parameters
    ----------
    logits : Tensor, shape (N, P, *G)
        Any numbers; also a cell that is far off still learns.
    target, weight : Tensor
        As in :func:`place_loss`.

    Returns
    -------
    Tensor, shape ()

    Examples
    --------
    >>> logits, target = torch.tensor([[[0.0, 0.0]]]), torch.tensor([[[1.0, 0.0]]])
    >>> found = place_loss_of_logits(logits, target, torch.ones(1, 1, 1))
    >>> round(float(found), 4)
    0.3466
    """
    logs = F.logsigmoid(logits), F.logsigmoid(-logits)
    return _focal(torch.sigmoid(logits), logs, target, weight)


def _focal(a: Tensor, logs: tuple[Tensor, Tensor], target: Tensor, weight: Tensor) -> Tensor:
    """Return the focal loss of activations, with the logarithms of them and of the rest to 1."""
    positive = (target >= LIT).to(a.dtype)
    hit = positive * (1 - a).square() * logs[0]
    miss = (1 - positive) * (1 - target).pow(4) * a.square() * logs[1]
    count = (positive * weight).sum().clamp_min(1.0)
    return -((hit + miss) * weight).sum() / count


def part_loss(strengths: Tensor, shares: Tensor) -> Tensor:
    """Ask the prototypes of a class to win where their part was moved most.

    Parameters
    ----------
    strengths : Tensor, shape (N, M)
        Largest activation of each own-class prototype, 0 to 1.
    shares : Tensor, shape (N, M)
        How much of the displacement lies in each prototype's part; rows of 0 are left out.

    Returns
    -------
    Tensor, shape ()
        Mean cross-entropy of softmax(8 x strengths) against the shares, made to sum to 1.

    Examples
    --------
    >>> even = torch.tensor([[0.5, 0.5]])
    >>> round(float(part_loss(even, torch.tensor([[1.0, 0.0]]))), 4)
    0.6931
    """
    use = shares.sum(dim=1) > 0
    if not bool(use.any()):
        return strengths.sum() * 0.0
    wanted = shares[use] / shares[use].sum(dim=1, keepdim=True)
    return -(wanted * F.log_softmax(_SHARPNESS * strengths[use], dim=1)).sum(dim=1).mean()
