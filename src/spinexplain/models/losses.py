"""The terms of the prototype network's loss, each a function of tensors."""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.errors import ConfigError, ShapeError


def cluster_loss(distances: Tensor, labels: Tensor, prototype_class: Tensor) -> Tensor:
    """Pull every crop towards its nearest own-class prototype.

    Parameters
    ----------
    distances : Tensor, shape (N, P)
        Smallest distance over the grid of each crop to each prototype.
    labels : Tensor of int, shape (N,)
    prototype_class : Tensor of int, shape (P,)

    Returns
    -------
    Tensor, shape ()
        Mean over crops of the smallest own-class distance.

    Examples
    --------
    >>> cluster_loss(torch.tensor([[1.0, 5.0]]), torch.tensor([1]), torch.tensor([0, 1]))
    tensor(5.)
    """
    own = prototype_class[None] == labels[:, None]
    return distances.masked_fill(~own, torch.inf).amin(dim=1).mean()


def separation_loss(distances: Tensor, labels: Tensor, prototype_class: Tensor) -> Tensor:
    """Measure how near other classes' prototypes come; its weight must be negative.

    Arguments as for :func:`cluster_loss`; the mean over crops of the smallest distance to
    a prototype of another class.

    Notes
    -----
    Added with a positive weight, as ProtoVerse's eq. 4 prints it, it would pull crops
    towards the wrong classes.
    """
    own = prototype_class[None] == labels[:, None]
    return distances.masked_fill(own, torch.inf).amin(dim=1).mean()


def diversity_loss(prototypes: Tensor, prototype_class: Tensor, mode: str = "centered") -> Tensor:
    """Penalize prototypes of one class that point the same way.

    Parameters
    ----------
    prototypes : Tensor, shape (P, D)
    prototype_class : Tensor of int, shape (P,)
    mode : str
        ``"centered"``: squared cosine after the mean of all prototypes is taken off;
        ``"cosine"``: squared cosine of the raw vectors; ``"raw_dot"``: squared dot product,
        as printed.

    Returns
    -------
    Tensor, shape ()
        Mean over unordered same-class pairs; 0 with one prototype per class.

    Notes
    -----
    Eq. 2 of ProtoVerse. Reading: the sum runs over unordered pairs and the vectors are
    normalized first, because the text speaks of a cosine. After a sigmoid any two vectors
    have a cosine near 1, so the default centres them first.

    Examples
    --------
    >>> diversity_loss(torch.eye(2), torch.tensor([0, 0]), mode="cosine")
    tensor(0.)
    """
    if prototypes.ndim != 2 or len(prototypes) != len(prototype_class):
        raise ShapeError(
            f"prototypes must have shape (P, D) with P = {len(prototype_class)}; "
            f"got {tuple(prototypes.shape)}."
        )
    first, second = torch.triu_indices(len(prototypes), len(prototypes), offset=1)
    same = prototype_class[first] == prototype_class[second]
    if not bool(same.any()):
        return prototypes.sum() * 0.0
    vectors = prototypes - prototypes.mean(dim=0) if mode == "centered" else prototypes
    if mode != "raw_dot":
        vectors = F.normalize(vectors, dim=1)
    products = (vectors[first[same]] * vectors[second[same]]).sum(dim=1)
    return products.square().mean()


def off_class_l1(connections: Tensor, prototype_class: Tensor) -> Tensor:
    """Sum the absolute connections (K, P) between prototypes and classes not their own."""
    classes = torch.arange(len(connections), device=connections.device)
    other = prototype_class[None] != classes[:, None]
    return connections[other].abs().sum()


def outside_loss(
    similarity_maps: Tensor, inside: Tensor, own: Tensor, power: float = 1.0
) -> Tensor:
    """Measure how much of the own-class activation lies outside the target vertebra.

    Parameters
    ----------
    similarity_maps : Tensor, shape (N, P, *G)
        Not below 0.
    inside : Tensor, shape (N, *G)
        Share of each cell that the target vertebra covers, 0 to 1.
    own : Tensor of bool, shape (N, P)
        Which prototypes belong to each crop's class.
    power : float
        Above 1 the peak of a map counts more than its floor.

    Returns
    -------
    Tensor, shape ()
        Mean over crops with a target and own-class prototypes of
        sum(similarity^power x outside) / sum(similarity^power), 0 to 1; 0 without any.

    Examples
    --------
    >>> maps = torch.tensor([[[[3.0, 1.0]]]])
    >>> outside_loss(maps, torch.tensor([[[1.0, 0.0]]]), torch.tensor([[True]]))
    tensor(0.2500)
    """
    maps, target = similarity_maps.flatten(2).pow(power), inside.flatten(1)
    use = own & (target.sum(dim=1, keepdim=True) > 0)
    if not bool(use.any()):
        return similarity_maps.sum() * 0.0
    share = (maps * (1 - target[:, None])).sum(dim=2) / maps.sum(dim=2).clamp_min(1e-6)
    return share[use].mean()


def class_weights(counts: Tensor, scheme: str) -> Tensor:
    """Weigh classes for the cross-entropy, from their counts in training.

    Parameters
    ----------
    counts : Tensor, shape (K,)
        Training crops per class, all above 0.
    scheme : str
        ``"none"``; ``"ins"`` 1 / n; ``"isns"`` 1 / sqrt(n), both scaled to mean 1;
        ``"median"`` median(n) / n; ``"as_printed"`` median(n) / sum of the other counts.
        The median of an even number of counts is the mean of the middle two.

    Raises
    ------
    ConfigError
        If a class is empty or the scheme unknown.

    Notes
    -----
    Eq. 3 of ProtoVerse as printed gives the healthy majority the largest weight; it is
    kept for fidelity and warns. Schemes that differ by a factor alone (``"ins"`` and
    ``"median"``) are the same loss once it is divided by the sum of the weights; see
    ``loss.normalize``.

    Examples
    --------
    >>> class_weights(torch.tensor([100.0, 10.0, 5.0]), "median")
    tensor([0.1000, 1.0000, 2.0000])
    >>> class_weights(torch.tensor([8.0, 6.0, 2.0, 1.0]), "median")
    tensor([0.5000, 0.6667, 2.0000, 4.0000])
    """
    counts = counts.float()
    if bool((counts <= 0).any()):
        raise ConfigError(
            f"every class needs training crops; counts are {counts.int().tolist()}. "
            "Add samples or leave the class out of `classes`."
        )
    if scheme == "none":
        return torch.ones_like(counts)
    if scheme == "median":
        return counts.quantile(0.5) / counts
    if scheme == "as_printed":
        warnings.warn("class_weights = as_printed weighs the majority up", stacklevel=2)
        return counts.quantile(0.5) / (counts.sum() - counts)
    powers = {"ins": 1.0, "isns": 0.5}
    if scheme not in powers:
        raise ConfigError(
            f'class_weights is "{scheme}"; expected none, ins, isns, median or as_printed.'
        )
    weights = counts ** -powers[scheme]
    return weights / weights.mean()
