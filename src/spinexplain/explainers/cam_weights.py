"""How class activation maps weigh the channels of a feature map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_SMALLEST = 1e-6


def gradcam_weights(activations: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel by the mean of its gradient over the grid.

    Parameters
    ----------
    activations, gradients : Tensor, shape (N, C, *G)
        A feature map A and the derivative of a logit S by it.

    Returns
    -------
    Tensor, shape (N, C)

    Notes
    -----
    Eq. 1 of Grad-CAM (Selvaraju et al., arXiv:1610.02391).

    Examples
    --------
    >>> gradcam_weights(torch.zeros(1, 1, 4), torch.tensor([[[1.0, 2, 3, 6]]]))
    tensor([[3.]])
    """
    return gradients.flatten(2).mean(dim=2)


def gradcam_plus_plus_weights(activations: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel by its positive gradients, each cell by how alone it stands.

    Parameters
    ----------
    activations, gradients : Tensor, shape (N, C, *G)

    Returns
    -------
    Tensor, shape (N, C)

    Notes
    -----
    The weights of Grad-CAM++ (Chattopadhay et al., arXiv:1710.11063) for Y = exp(S). Its
    derivatives by A are Y g, Y g^2 and Y g^3 with g = dS/dA, so that
    alpha = g^2 / (2 g^2 + sum(A) g^3) = 1 / (2 + sum(A) g), and the weight is
    sum(alpha relu(Y g)). Reading: Y, one positive factor common to the whole map, is left
    out, as it overflows; alpha is 0 where the denominator is not positive, which only
    maps with negative values can reach.

    Examples
    --------
    >>> gradcam_plus_plus_weights(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[[1.0, -1.0]]]))
    tensor([[0.2500]])
    """
    a, g = activations.flatten(2), gradients.flatten(2)
    denominator = 2 + a.sum(dim=2, keepdim=True) * g
    safe = denominator > _SMALLEST
    alpha = torch.where(safe, 1 / torch.where(safe, denominator, 1.0), 0.0)
    return (alpha * F.relu(g)).sum(dim=2)


def xgradcam_weights(activations: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel by the mean of its gradient, weighted by the activation.

    Parameters
    ----------
    activations, gradients : Tensor, shape (N, C, *G)

    Returns
    -------
    Tensor, shape (N, C)
        0 for a channel whose activations cancel or are all zero.

    Notes
    -----
    The weights of XGrad-CAM (Fu et al., arXiv:2008.02312). The sum of a channel's part of the
    map is then sum(A g), its first-order share of the logit.

    Examples
    --------
    >>> xgradcam_weights(torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[4.0, 8.0]]]))
    tensor([[7.]])
    """
    a, g = activations.flatten(2), gradients.flatten(2)
    total = a.sum(dim=2)
    safe = total.abs() > _SMALLEST * a.abs().sum(dim=2)
    return torch.where(safe, (a * g).sum(dim=2) / torch.where(safe, total, 1.0), 0.0)


@dataclass(frozen=True)
class CamMethod:
    """One way of weighing channels.

    Parameters
    ----------
    title : str
        What a person calls it.
    weights : callable
        From activations and gradients (N, C, *G) to weights (N, C).
    score_name : str
        What the sum of its map over the grid is.
    """

    title: str
    weights: Callable[[Tensor, Tensor], Tensor]
    score_name: str


_LOGIT = "positive part of the map, summed over the grid (logit, first order)"
CAM_METHODS: dict[str, CamMethod] = {
    "gradcam": CamMethod("GradCAM", gradcam_weights, _LOGIT),
    "gradcam++": CamMethod(
        "GradCAM++",
        gradcam_plus_plus_weights,
        "positive part of the map, summed over the grid (no unit)",
    ),
    "xgradcam": CamMethod("XGradCAM", xgradcam_weights, _LOGIT),
}


def weighted_map(activations: Tensor, weights: Tensor) -> Tensor:
    """Add up the channels of a feature map and keep what is positive.

    Parameters
    ----------
    activations : Tensor, shape (N, C, *G)
    weights : Tensor, shape (N, C)

    Returns
    -------
    Tensor, shape (N, *G)
        Not below 0.
    """
    return F.relu(torch.einsum("nc...,nc->n...", activations, weights))
