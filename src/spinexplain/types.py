"""The core types: frozen, in HU and millimeters, with no behaviour beyond validation.

World coordinates are RAS+ millimeters: x grows towards the patient's right, y towards
anterior, z towards cranial. Voxel indices carry the suffix ``_ijk``, world points ``_mm``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import Task
from spinexplain.errors import GeometryError, ShapeError
from spinexplain.extents import LabelExtent, label_extents

Array = NDArray[np.floating]


def _check_grid(what: str, array: np.ndarray, affine: np.ndarray) -> None:
    if array.ndim != 3:
        raise ShapeError(f"{what} array must be 3-D; got shape {array.shape}.")
    if affine.shape != (4, 4) or not np.all(np.isfinite(affine)):
        raise GeometryError(f"{what} affine must be a finite 4 x 4 matrix; got {affine.tolist()}.")
    if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise GeometryError(
            f"{what} affine is singular ({affine[:3, :3].tolist()}); "
            "expected three independent axes. Repair the header of the file."
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT scan on its native grid.

    Parameters
    ----------
    array : ndarray, shape (X, Y, Z), any real dtype
        Hounsfield units. Kept in the dtype of the file where that is exact (int16),
        float32 otherwise; never float64.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ millimeters. Shear (gantry tilt) is allowed.
    flags : tuple of str
        What its file leaves open, e.g. ``"orientation_unknown"``; see
        :mod:`spinexplain.io.scan_flags`.

    Raises
    ------
    ShapeError, GeometryError
        If the array is not 3-D, or the affine is singular or not finite.
    """

    array: np.ndarray
    affine: np.ndarray
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_grid("Volume", self.array, self.affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of one voxel step along each array axis, mm."""
        return _spacing(self.affine)

    @cached_property
    def range_hu(self) -> tuple[float, float]:
        """The lowest and the highest value; the voxels are looked at once."""
        return float(self.array.min()), float(self.array.max())


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A mask of integer labels on a grid. A type of its own, so that nobody interpolates it.

    Parameters
    ----------
    array : ndarray of integers, shape (X, Y, Z)
        0 is background. Vertebra masks hold VerSe labels (C1-C7 1-7, T1-T12 8-19,
        L1-L6 20-25, T13 28).
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ millimeters.
    """

    array: np.ndarray
    affine: np.ndarray

    def __post_init__(self) -> None:
        _check_grid("LabelMap", self.array, self.affine)
        if not np.issubdtype(self.array.dtype, np.integer):
            raise ShapeError(f"LabelMap array must hold integers; got {self.array.dtype}.")

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of one voxel step along each array axis, mm."""
        return _spacing(self.affine)

    @cached_property
    def extents(self) -> Mapping[int, LabelExtent]:
        """Box, voxels and center of every label but 0; the mask is looked at once."""
        return label_extents(self.array)


def _spacing(affine: np.ndarray) -> tuple[float, float, float]:
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return float(x), float(y), float(z)


@dataclass(frozen=True)
class Vertebra:
    """A named vertebra and the center of its body.

    Parameters
    ----------
    level : VertebraLevel
    centroid_mm : tuple of 3 floats
        Center of the vertebral body (not of the whole bone), RAS+ mm.
    flags : tuple of str
        What to know about this center or this bone, e.g. ``"touches_border"``.
    """

    level: VertebraLevel
    centroid_mm: tuple[float, float, float]
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.centroid_mm) != 3 or not np.all(np.isfinite(self.centroid_mm)):
            raise GeometryError(
                f"{self.level.value}: centroid_mm must be three finite numbers; "
                f"got {self.centroid_mm}."
            )


class Frame(Protocol):
    """Where a patch lies in the patient: analytic, both ways, nothing stored per pixel."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples along each patch axis."""
        ...

    @property
    def spacing_mm(self) -> float:
        """Distance of neighboring samples, the same along every patch axis."""
        ...

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Map patch indices (..., N) to RAS+ mm (..., 3)."""
        ...

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Map RAS+ mm (..., 3) to patch coordinates (..., 3).

        A 3-D box answers with its three indices; a 2-D sheet with row, column and the
        signed distance from the sheet in mm.
        """
        ...


@dataclass(frozen=True, eq=False)
class Patch:
    """The neighborhood of one vertebra, sampled from the CT.

    Parameters
    ----------
    vertebra : Vertebra
    array : ndarray of float32, shape (*S)
        HU. 2-D: row 0 is cranial, column 0 anterior. 3-D: axis 0 runs caudal, axis 1
        posterior, axis 2 towards the patient's left (the viewer's right).
    frame : Frame
        Maps patch indices to RAS+ mm and back.
    outside : float
        Share of the samples that fell outside the scan and were set to -1000 HU, 0 to 1.
    """

    vertebra: Vertebra
    array: np.ndarray
    frame: Frame
    outside: float = 0.0

    def __post_init__(self) -> None:
        if self.array.shape != tuple(self.frame.shape):
            raise ShapeError(
                f"Patch array must have the shape of its frame {tuple(self.frame.shape)}; "
                f"got {self.array.shape}."
            )


HEIGHT_NAMES = ("anterior", "middle", "posterior")
"""The three heights of a body, in the order of every array of three."""


@dataclass(frozen=True, eq=False)
class Heights:
    """Heights of one vertebral body, and what they say about height loss.

    Parameters
    ----------
    anterior_mm, middle_mm, posterior_mm : float
        Body heights in the mid-sagittal third.
    expected_mm : tuple of 3 floats
        Anterior, middle and posterior height expected from the nearest unfractured
        levels and the published norms of each level.
    loss : float
        Largest relative height loss, 0 to 1 (negative when taller than expected).
    loss_interval : tuple of 2 floats
        Interval of ``loss`` from voxel size and landmark spread.
    height_loss_class : int
        0 under 20 %, 1 from 20 to under 25 %, 2 from 25 to 40 %, 3 over 40 %. Named so
        because a Genant grade is a visual reading.
    class_range : tuple of 2 ints
        Classes at the two ends of ``loss_interval``.
    shape : str
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``.
    own_posterior_loss : float
        The same loss with the own posterior height as the only reference.
    thirds_mm : mapping
        ``"left"``, ``"middle"``, ``"right"`` -> (anterior, middle, posterior) in mm.
    landmarks_mm : ndarray, shape (3, 2, 3)
        RAS+ mm of the mid-sagittal landmarks: (anterior, middle, posterior) x
        (cranial, caudal) x (x, y, z).
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    expected_mm: tuple[float, float, float]
    loss: float
    loss_interval: tuple[float, float]
    height_loss_class: int
    class_range: tuple[int, int]
    shape: str
    own_posterior_loss: float
    thirds_mm: Mapping[str, tuple[float, float, float]]
    landmarks_mm: np.ndarray


@dataclass(frozen=True)
class Grading:
    """What one model says about one vertebra.

    Parameters
    ----------
    vertebra : Vertebra
    task : Task
        Names the columns, e.g. G0, G2 and G3, and says what they stand for.
    probabilities : tuple of float
        Model score per class, sums to 1; uncalibrated unless the model card says so.
    """

    vertebra: Vertebra
    task: Task
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.classes) != len(self.probabilities):
            raise ShapeError(
                f"Grading needs one probability per class {self.classes}; "
                f"got {len(self.probabilities)}."
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.task.classes

    @property
    def grade(self) -> str:
        """The class with the highest probability."""
        return self.classes[int(np.argmax(self.probabilities))]

    @property
    def is_fracture(self) -> bool:
        """Whether that class is a fracture."""
        return self.grade != self.task.healthy


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


@dataclass(frozen=True)
class EvidenceReliability:
    """How far the evidence of one model by one explainer could be believed where it was tested.

    Parameters
    ----------
    method : str
        Name of the explainer in ``EXPLAINERS``.
    cohort : str
        Name of the held-out phantoms.
    endplate : float
        Share of fractures in which the map chose the right endplate, both endplates counting
        the same; chance is 0.5.
    low, high : float or None
        95 % interval by subject.
    fractures : int
        How many fractures that was asked of.
    equally_convincing : float or None
        Share of false alarms with evidence as strong as in the median fracture that was found.
    false_alarms : int
    """

    method: str
    cohort: str
    endplate: float
    low: float | None
    high: float | None
    fractures: int
    equally_convincing: float | None = None
    false_alarms: int = 0


@dataclass(frozen=True)
class ModelInfo:
    """What a report must say about the model behind a grade.

    Parameters
    ----------
    name, version : str
    sha256 : str
        Of the bundle's manifest, which holds the hash of every other file.
    classes : tuple of str
    trained_on : str
    runtime : str
        What ran the network, e.g. ``"openvino 2026.4.1, fp32"``, and why not what the bundle
        would have preferred.
    weights_sha256 : str
        Of the weights alone, which an export of the bundle leaves as they are; empty for a
        network that is not from a bundle.
    evidence : tuple of EvidenceReliability
        One for each explainer that was tested on this very model.
    """

    name: str
    version: str
    sha256: str
    classes: tuple[str, ...]
    trained_on: str
    runtime: str = "torch"
    weights_sha256: str = ""
    evidence: tuple[EvidenceReliability, ...] = ()

    @property
    def synthetic_only(self) -> bool:
        """Whether it says that no patient was among its training data.

        Examples
        --------
        >>> said = "5 vertebrae of synthetic spines only (cohort p, training)"
        >>> ModelInfo("m", "1", "", ("G0", "G2"), trained_on=said).synthetic_only
        True
        """
        return says_synthetic_only(self.trained_on)


def says_synthetic_only(trained_on: str) -> bool:
    """Whether a statement of training data says that no patient was among them.

    Examples
    --------
    >>> says_synthetic_only("44000 synthetic sheets; no patient was used for training")
    True
    >>> says_synthetic_only("374 vertebrae of patients' CTs and synthetic ones")
    False
    """
    said = trained_on.casefold()
    return "synthetic" in said and ("only" in said or "no patient" in said)
