"""What is found out about a scan: the input of report, ``result.json`` and reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ShapeError
from spinexplain.io.scan_facts import ScanFacts
from spinexplain.localizer.own import Found
from spinexplain.localizer.settle import Settled
from spinexplain.spine.density import Density
from spinexplain.types import (
    Explanation,
    Grading,
    Heights,
    ModelInfo,
    Patch,
    SideEvidence,
    Vertebra,
    Volume,
)


@dataclass(frozen=True)
class ScanSource:
    """Where the CT came from.

    Parameters
    ----------
    name : str
        File name, never a patient's.
    sha256 : str
    shape : tuple of 3 ints
    spacing_mm : tuple of 3 floats
    facts : ScanFacts
        The study, as far as the files say.
    labels_sha256, centroids_sha256 : str
        Of the files that say where the vertebrae are; empty where there is none.
    """

    name: str
    sha256: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    facts: ScanFacts = field(default_factory=ScanFacts)
    labels_sha256: str = ""
    centroids_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Assessment:
    """What one model made of one vertebra: a grade with its reason, or a refusal.

    Parameters
    ----------
    grading : Grading or None
        None where the model refuses the vertebra.
    explanation : Explanation or None
    refusal : str or None
        Why this model gives no grade. Another model's refusal says nothing about this one.
    poses : tuple of Grading
        The same network's gradings from slightly other centers, the given one first.
    axes : int
        2 for a network on sheets, 3 for one on boxes.
    weights_sha256 : str
        Of the network.
    sides : SideEvidence or None
        Which side is graver; None where the model calls no fracture, or cannot say.

    Raises
    ------
    ShapeError
        If there is neither a grade nor a refusal, or both.

    Examples
    --------
    >>> Assessment.refused("metal").grading is None
    True
    """

    grading: Grading | None
    explanation: Explanation | None = None
    refusal: str | None = None
    poses: tuple[Grading, ...] = ()
    axes: int = 2
    weights_sha256: str = ""
    sides: SideEvidence | None = None

    def __post_init__(self) -> None:
        if (self.grading is None) == (self.refusal is None):
            raise ShapeError(
                f"an Assessment needs a grading or a refusal; got {self.grading} and "
                f"{self.refusal!r}. Give exactly one of the two."
            )

    @classmethod
    def refused(cls, reason: str) -> Assessment:
        """Say that a model gives no grade, and why."""
        return cls(None, None, reason)


@dataclass(frozen=True, eq=False)
class VertebraFindings:
    """Everything found out about one vertebra.

    Parameters
    ----------
    patch : Patch
        The 2-D sheet around the vertebra, as shown to the reader.
    heights : Heights or None
        None where no mask was given or the body could not be measured.
    assessments : tuple of Assessment
        One per model of the scan, in the same order.
    flags : tuple of str
        What to know about the quality of scan and segmentation. Why a model gives no grade
        is in its assessment.
    deformity : str or None
        The deformity that the heights look like, see :mod:`spinexplain.findings.deformity`.
    density : Density or None
        Of the trabecular bone; None where it could not be read.
    image : mapping of str to float
        What the scanner left on the sheet, see :mod:`spinexplain.spine.image_terms`.
    """

    patch: Patch
    heights: Heights | None
    assessments: tuple[Assessment, ...]
    flags: tuple[str, ...] = ()
    deformity: str | None = None
    density: Density | None = None
    image: Mapping[str, float] = field(default_factory=dict)

    @property
    def vertebra(self) -> Vertebra:
        """The vertebra these findings are about."""
        return self.patch.vertebra


@dataclass(frozen=True, eq=False)
class ScanFindings:
    """A graded scan: what the report, ``result.json`` and the reader are made from.

    Parameters
    ----------
    source : ScanSource
    volume : Volume
    models : tuple of ModelInfo
    vertebrae : tuple of VertebraFindings
        In cranio-caudal order.
    overview : Patch
        The whole-spine sheet; its ``vertebra`` is the middle one.
    settings : mapping of str to str
        How the scan was graded, as the foot of the report shows it.
    found : Found or None
        What the own localizer made of the scan, where it was asked.
    settled : Settled or None
        Given centers moved to the middles of the bodies painted around them, where no mask was
        given.
    moved_mm : mapping of VertebraLevel to float
        How far given centers were moved to the middles of their bodies, painted or of the given
        mask; without those that stay.
    aorta_hu : float or None
        Density of the blood in front of the spine; None where it could not be read.
    """

    source: ScanSource
    volume: Volume
    models: tuple[ModelInfo, ...]
    vertebrae: tuple[VertebraFindings, ...]
    overview: Patch
    settings: Mapping[str, str] = field(default_factory=dict)
    found: Found | None = None
    settled: Settled | None = None
    moved_mm: Mapping[VertebraLevel, float] = field(default_factory=dict)
    aorta_hu: float | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """The evidence of one vertebra by prototypes, beside its class activation maps.

    Parameters
    ----------
    model, beside : ModelInfo
        The prototype model, and the model the maps are of.
    grading, beside_grading : Grading
    prototypes : Explanation
        For the class that ``model`` chose.
    maps : tuple of Explanation
        One a method, for the same class where ``beside`` knows it, else for its own choice.
    reason : str or None
        Why the prototype model would not be asked about this vertebra.
    """

    model: ModelInfo
    beside: ModelInfo
    grading: Grading
    beside_grading: Grading
    prototypes: Explanation
    maps: tuple[Explanation, ...]
    reason: str | None = None
