"""Why a model says it: evidence on a patch, and the training pictures that it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from spinexplain.errors import ShapeError
from spinexplain.types.scan import Patch


@dataclass(frozen=True)
class Provenance:
    """Where a training picture comes from.

    Parameters
    ----------
    subject, series, level, grade : str
        As the cohort names them.
    synthetic : bool
        Whether it comes from a phantom.
    """

    subject: str
    series: str
    level: str
    grade: str
    synthetic: bool


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A training patch that a piece of evidence points to ("looks like that").

    Parameters
    ----------
    array : ndarray of float32, shape (*S), or None
        HU of the training patch; None where its pixels are withheld.
    heatmap : ndarray of float32, shape (*S)
        Where on the training patch the evidence lies, same scale as the test heat map.
    provenance : Provenance
    cell : tuple of int
        Grid cell of the feature map the evidence was taken from.
    """

    array: np.ndarray | None
    heatmap: np.ndarray
    provenance: Provenance
    cell: tuple[int, ...]


@dataclass(frozen=True)
class PrototypeDetail:
    """What the score of a prototype is made of: similarity x connection.

    Parameters
    ----------
    similarity : float
        Of the patch's best cell to the prototype.
    connection : float
        Weight of that similarity in the target's logit.
    max_similarity : float or None
        Of a cell that is the prototype itself.
    """

    similarity: float
    connection: float
    max_similarity: float | None = None


@dataclass(frozen=True)
class UnitDetail:
    """What is known of a dissected unit, here and in the data it was dissected on.

    Parameters
    ----------
    relevance : float
        Its activation above the threshold on this patch, summed.
    unit : int
        Its number in the layer.
    rank, rank_low, rank_high : int
        Place in the correlation with fracture, and the interval of that place.
    units : int
        How many units have a rank.
    contrast : float
        How much more often fractured vertebrae enable it; above 0 it is tied to fracture.
    auc, q : float
        Area under the ROC curve of its maximum, and the q value of the correlation.
    threshold, peak : float
        Of its activation; the highest value on this patch.
    cluster : int
        Units that rise and fall together share a number.
    raters, meaningful : int
        How many readers looked at it, and how many of them found it meaningful.
    named : bool
        Whether the readers agree on a name.
    effect : float or None
        What silencing it takes from the log odds of fracture here; None where not measured.
    """

    relevance: float
    unit: int
    rank: int
    rank_low: int
    rank_high: int
    units: int
    contrast: float
    auc: float
    q: float
    threshold: float
    peak: float
    cluster: int
    raters: int
    meaningful: int
    named: bool
    effect: float | None = None


Detail = PrototypeDetail | UnitDetail
"""What one kind of evidence has to say beyond its heat map and its score."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Where, how much, looks like what: one prototype, one unit or one CAM.

    Parameters
    ----------
    name : str
        What a person calls it, e.g. ``"G2 prototype 1"``.
    class_name : str
        The class it speaks for.
    heatmap : ndarray of float32, shape (*S)
        Strength on the patch, upsampled to its grid; not below 0.
    score : float
        Its weight in the explanation; the unit is the explanation's ``score_name``.
    terms : mapping of str to float
        What else there is to say of the score, for lists and JSON. With a ``detail`` it is derived
        from that.
    exemplars : tuple of Exemplar
        Training patches it looks like, best first.
    grid : tuple of int
        Cells of the feature map the heat map was upsampled from; empty if unknown.
    field_mm : float or None
        Side of the theoretical receptive field of one cell.
    stride_mm, start_mm : float or None
        Step between cells, and how far from the patch's first edge the first cell's center
        lies, along every axis.
    region : str
        What is outlined of its heat maps, see ``HeadSettings.region``.
    detail : PrototypeDetail or UnitDetail or None
        What a prototype's score is made of, or what is known of a unit; None for a map.
    """

    name: str
    class_name: str
    heatmap: np.ndarray
    score: float
    terms: Mapping[str, float] = field(default_factory=dict)
    exemplars: tuple[Exemplar, ...] = ()
    grid: tuple[int, ...] = ()
    field_mm: float | None = None
    region: str = "contours"
    stride_mm: float | None = None
    start_mm: float | None = None
    detail: Detail | None = None

    def __post_init__(self) -> None:
        if self.detail is not None:
            object.__setattr__(self, "terms", _as_terms(self.detail))


def _as_terms(detail: Detail) -> dict[str, float]:
    known = {field.name: getattr(detail, field.name) for field in fields(detail)}
    return {name: float(value) for name, value in known.items() if value is not None}


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model leans towards ``target`` on one patch.

    Parameters
    ----------
    patch : Patch
    target : str
        The class explained.
    method : str
        Name of the explainer in ``EXPLAINERS``.
    score_name : str
        What the scores are, e.g. ``"contribution to the logit"``.
    evidence : tuple of Evidence
        Sorted by score, highest first.
    additive : bool
        Whether the scores sum to the target's logit.
    """

    patch: Patch
    target: str
    method: str
    score_name: str
    evidence: tuple[Evidence, ...]
    additive: bool = False

    def __post_init__(self) -> None:
        scores = [item.score for item in self.evidence]
        if scores != sorted(scores, reverse=True):
            raise ShapeError(f"Explanation evidence must be sorted by score; got {scores}.")
