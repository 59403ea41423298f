"""What an atlas knows about a prototype model: the input of its page and of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spinexplain.types import ModelInfo, Provenance


@dataclass(frozen=True, eq=False)
class AtlasPatch:
    """A training crop as one prototype sees it.

    Parameters
    ----------
    provenance : Provenance
    cell : tuple of int
        The grid cell that is nearest to the prototype.
    similarity : float or None
        Of that cell; None where it was not computed.
    distance : float or None
        Euclidean distance of that cell to the prototype in latent space.
    array : ndarray of float32, shape (*S), or None
        HU; None where the pixels are withheld.
    heatmap : ndarray of float32, shape (*S)
        Similarity map, upsampled to the crop.
    """

    provenance: Provenance
    cell: tuple[int, ...]
    similarity: float | None
    distance: float | None
    array: np.ndarray | None
    heatmap: np.ndarray


@dataclass(frozen=True, eq=False)
class PrototypeEntry:
    """One prototype of an atlas; what needs the cohort or the run is None or empty without.

    Parameters
    ----------
    name, class_name : str
    source : AtlasPatch
        The training patch that it is.
    connections : mapping of str to float
        Class -> weight of its similarity in that class's logit.
    neighbors : tuple of AtlasPatch
        The nearest other training crops of all classes, nearest first.
    travelled : float or None
        Euclidean distance it moved in projection.
    winner_share : float or None
        See :func:`spinexplain.evaluate.prototypes.winner_share`.
    usage : float or None
        See :func:`spinexplain.evaluate.prototypes.usage`.
    structures : mapping of str to float
        Structure -> share of the 98 % region that lies on it, mean over the crops of its class.
    """

    name: str
    class_name: str
    source: AtlasPatch
    connections: Mapping[str, float]
    neighbors: tuple[AtlasPatch, ...] = ()
    travelled: float | None = None
    winner_share: float | None = None
    usage: float | None = None
    structures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Training patches and prototypes in the plane of the patches' two main axes.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Of each sampled crop the patch nearest to a prototype of its class.
    classes : tuple of str, length n
    before, after : ndarray, shape (P, 2), or None
        Prototypes before and after projection.
    explained : tuple of 2 floats
        Share of the patches' variance along each axis.
    """

    points: np.ndarray
    classes: tuple[str, ...]
    before: np.ndarray | None
    after: np.ndarray
    explained: tuple[float, float]


@dataclass(frozen=True, eq=False)
class ModelAtlas:
    """Everything an atlas says about one model.

    Parameters
    ----------
    info : ModelInfo
    prototypes : tuple of PrototypeEntry
        Class by class.
    before, after : ndarray, shape (P, D), or None
        Prototype vectors before projection (where the run kept them) and as they are.
    center : ndarray, shape (D,), or None
        Mean of the training patches nearest to a prototype of their class, every class
        weighing the same.
    patch_distance : float or None
        Median distance of two random patches of one class: what "far" means here.
    patch_cosine : tuple of 2 floats, or None
        Mean cosine of two random patches of one class, raw and mean-centered: what the
        cosine of two prototypes is to be compared with.
    embedding : Embedding or None
    crops : mapping of str to int
        Class -> training crops looked at; empty without a cohort.
    structure_crops : int
        Crops of each class, at most, behind ``structures``.
    structure_area : mapping of str to float
        Structure -> share of the whole crop that it covers, mean over those crops.
    extent_mm : float
        Side of the crop.
    grid : tuple of int
        Cells of the feature map.
    field_mm, stride_mm, start_mm : float
        Side of a cell's receptive field, step between cells, and where in the crop the
        first cell's center lies, in mm from the crop's edge.
    reliability : mapping of str to (mapping of str to float)
        Test set -> figures, as the bundle stores them.
    cohorts : tuple of str
        Names of the cohorts looked at.
    withheld : bool
        Whether pixels of training crops are left out.
    notes : tuple of str
        What is missing, and why.
    """

    info: ModelInfo
    prototypes: tuple[PrototypeEntry, ...]
    before: np.ndarray | None
    after: np.ndarray
    center: np.ndarray | None
    patch_distance: float | None
    patch_cosine: tuple[float, float] | None
    embedding: Embedding | None
    crops: Mapping[str, int]
    structure_crops: int
    extent_mm: float
    grid: tuple[int, ...]
    field_mm: float
    stride_mm: float
    start_mm: float
    structure_area: Mapping[str, float] = field(default_factory=dict)
    reliability: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    cohorts: tuple[str, ...] = ()
    withheld: bool = False
    notes: tuple[str, ...] = ()

    @property
    def owner(self) -> np.ndarray:
        """Class index of every prototype, shape (P,)."""
        return np.array([self.info.classes.index(item.class_name) for item in self.prototypes])
