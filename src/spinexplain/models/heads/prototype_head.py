"""What a prototype network's logits are a sum of, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.config.training import HeadSettings
from spinexplain.models.heads.parts import kept_parts
from spinexplain.models.receptive import ReceptiveField


@dataclass(frozen=True, eq=False)
class PrototypeHead:
    """All that is needed to read similarity maps, without the network.

    Parameters
    ----------
    connections : ndarray of float32, shape (K, P)
        Class connections: a logit is the sum over prototypes of similarity x connection.
    owner : ndarray of int, shape (P,)
        Index of the class each prototype belongs to.
    field : ReceptiveField
        Of a cell of the similarity maps.
    max_similarity : float
        What a cell equal to a prototype gets.
    region : str
        What is outlined of a map; see :class:`~spinexplain.config.training.HeadSettings`.
    parts : tuple of str, length P or 0
        The part of the body each addressed prototype stands for.
    """

    connections: np.ndarray
    owner: np.ndarray
    field: ReceptiveField
    max_similarity: float
    region: str = "contours"
    parts: tuple[str, ...] = ()


def max_similarity(similarity: str, epsilon: float) -> float:
    """Return the similarity at distance 0.

    Parameters
    ----------
    similarity : str
        ``"log"`` or ``"cosine"``; see :class:`~spinexplain.config.training.HeadSettings`.
    epsilon : float

    Examples
    --------
    >>> max_similarity("cosine", 1e-4)
    1.0
    """
    return 1.0 if similarity == "cosine" else float(np.log(np.float32(1) / np.float32(epsilon)))


def head_from_arrays(
    connections: np.ndarray, owner: np.ndarray, field: ReceptiveField, settings: HeadSettings
) -> PrototypeHead:
    """Put a head together from a bundle's arrays and settings."""
    largest = max_similarity(settings.similarity, settings.log_epsilon)
    parts = kept_parts(settings, len(connections))
    return PrototypeHead(connections, owner, field, largest, settings.region, parts)
