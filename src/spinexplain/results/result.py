"""What ``result.json`` holds, as types: written from findings, read back, source of the schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from spinexplain.results.result_part import (
    Count,
    Length,
    LevelName,
    Loss,
    NotNegative,
    ResultPart,
    Sha256,
    Share,
    Text,
)

SCHEMA: Literal["spinexplain/result/1"] = "spinexplain/result/1"
Shape = Literal["none", "wedge", "biconcave", "crush"]

Probabilities = Annotated[
    dict[str, Share],
    Field(
        description="Model score by class, uncalibrated on patients; empty where there is no grade."
    ),
]

_UNGRADED: dict[str, Any] = {
    "allOf": [
        {
            "if": {"properties": {"grade": {"type": "null"}}},
            "then": {
                "properties": {
                    "probabilities": {"maxProperties": 0},
                    "explanation": {"type": "null"},
                }
            },
            "else": {"properties": {"probabilities": {"minProperties": 2}}},
        }
    ]
}


class ResultSource(ResultPart):
    """The CT that was graded."""

    name: str = Field(description="File name, never a patient's.")
    sha256: str = Field(
        description="Of the file; empty where the CT was given as an array.",
        pattern="^([0-9a-f]{64})?$",
    )
    shape: tuple[Count, Count, Count]
    spacing_mm: tuple[Length, Length, Length]


class ResultModel(ResultPart):
    """A model that was asked."""

    name: str
    version: str
    sha256: Sha256
    classes: tuple[str, ...] = Field(min_length=2, json_schema_extra={"uniqueItems": True})
    trained_on: str
    runtime: str = Field(
        default="torch",
        description="What ran the network: torch, or an exported runtime and its precision.",
    )


class ResultHeights(ResultPart):
    """Heights of a body, and what they say about height loss."""

    anterior_mm: NotNegative
    middle_mm: NotNegative
    posterior_mm: NotNegative
    expected_mm: tuple[NotNegative, NotNegative, NotNegative] = Field(
        description="Anterior, middle, posterior."
    )
    loss: Loss = Field(
        description="The headline: largest relative height loss against the nearest unfractured "
        "levels and the published norms; negative when taller."
    )
    loss_interval: tuple[Loss, Loss] = Field(description="95 % interval of loss.")
    reference: Literal["neighbors and norm"] = Field(
        default="neighbors and norm", description="What loss is measured against."
    )
    own_posterior_loss: Loss | None = Field(
        default=None,
        description="Larger loss of the anterior and middle height against the own posterior "
        "wall; blind to a crush.",
    )
    broad_loss: Loss | None = Field(
        default=None,
        description="Largest loss that at least two of the body's thirds show, against the spine's "
        "tallest bodies; what the verdict's heights rest on, except where a detector is weighed.",
    )
    height_loss_class: int = Field(alias="class", description="Height-loss class.", ge=0, le=3)
    shape: Shape


class ResultExemplar(ResultPart):
    """A training picture that a piece of evidence looks like."""

    subject: str
    level: str
    grade: str
    synthetic: bool


class ResultEvidence(ResultPart):
    """One prototype, one unit or one map."""

    name: str
    class_name: str = Field(alias="class")
    score: float
    terms: dict[str, float]
    heatmap: str | None = Field(
        description="Path relative to this file; null where none was written.",
        pattern=r"^heatmaps/[A-Za-z0-9._-]+\.nii\.gz$",
    )
    exemplars: tuple[ResultExemplar, ...]


class ResultExplanation(ResultPart):
    """Why a model leans towards its grade."""

    method: str
    score_name: str
    evidence: tuple[ResultEvidence, ...] = Field(description="Sorted by score, highest first.")


class ResultSides(ResultPart):
    """Which side of a fracture the first model finds graver, on sheets parallel to the middle.

    A side is named from a difference of ``least_difference`` of the mean expected grades, 0 to
    3, left minus right; null where neither is clearly graver.
    """

    side: Literal["left", "right"] | None
    difference: float
    least_difference: float
    offsets_mm: tuple[float, ...] = Field(description="From the patient's right to the left.")
    expected_grades: tuple[float, ...]


class ResultPhrase(ResultPart):
    """A part of a draft, and where in the vertebra its evidence is."""

    text: Text
    rests_on: str | None


class ResultDraft(ResultPart):
    """A finding that no reader has confirmed.

    ``rests_on`` is a path within the vertebra, null for what the reader must add.
    """

    status: Literal["draft"]
    language: str
    text: Text
    phrases: tuple[ResultPhrase, ...] = Field(min_length=1)


class ResultAgreement(ResultPart):
    """A further model against the first.

    Both fractured or both not; the same grade, null where the classes differ; the mass that
    the two evidence maps share on the sheet.
    """

    fracture: bool
    grade: bool | None
    evidence_overlap: Annotated[float, Field(ge=0, le=1.000001)] | None


class ResultDeparture(ResultPart):
    """A term of the image beyond its range among the scans that the verdict was fitted to."""

    term: Text
    value: float
    low: float
    high: float


class ResultGradeSet(ResultPart):
    """The grades that a vertebra may have, in order of severity; all four say nothing.

    On scans like those of the fit such a set holds the true grade as often as ``coverage``
    says, grade by grade, counted on phantoms. With ``out_of_range`` the scan is not like them,
    and the set was widened by a grade either side.
    """

    grades: tuple[Literal["G0", "G1", "G2", "G3"], ...] = Field(min_length=1)
    coverage: Share
    words: Text = Field(description="The same in one plain line.")
    out_of_range: tuple[ResultDeparture, ...]


class ResultVerdict(ResultPart):
    """The verdict on a vertebra: its log odds are ``base`` and the terms added up."""

    state: Literal[
        "fracture suspected",
        "borderline",
        "deformity rather than fracture?",
        "mild height loss",
        "no suspicion",
        "not assessable",
    ]
    severity: Literal["mild", "moderate", "severe"] | None
    possible: bool = Field(description="Whether the measured loss contradicts the severity.")
    reason: str
    base: float
    log_odds: dict[str, float] = Field(description="What each witness adds.")
    spread: NotNegative = Field(description="Over slightly other centers, standard deviation.")
    suspected_from: float
    borderline_from: float
    calibrated: bool = Field(description="Whether the weights were fitted to these very models.")
    agreement: Literal["agree", "compatible", "disagree"] | None
    grade_set: ResultGradeSet | None = Field(
        default=None,
        description="Null where nothing speaks, or the models are others than it was fitted to.",
    )


class ResultDensity(ResultPart):
    """Trabecular density of the body."""

    trabecular_hu: float
    placed_by: Literal["heights", "geometry"]


def _check_ungraded(part: ResultVertebra | ResultOpinion) -> None:
    if part.grade is None and (part.probabilities or part.explanation is not None):
        raise ValueError("without a grade there are neither probabilities nor an explanation")
    if part.grade is not None and len(part.probabilities) < 2:
        raise ValueError("with a grade there are at least two probabilities")


class ResultOpinion(ResultPart):
    """What the second or a further model says of a vertebra."""

    model_config = ConfigDict(json_schema_extra=_UNGRADED, protected_namespaces=())

    model: str
    grade: str | None
    probabilities: Probabilities
    explanation: ResultExplanation | None
    agreement_with_first: ResultAgreement | None = None

    @model_validator(mode="after")
    def _ungraded(self) -> ResultOpinion:
        _check_ungraded(self)
        return self


class ResultVertebra(ResultPart):
    """One vertebra; grade, probabilities and explanation are those of the first model."""

    model_config = ConfigDict(json_schema_extra=_UNGRADED)

    level: LevelName
    verse_label: int = Field(ge=1, le=28)
    centroid_mm: tuple[float, float, float] = Field(description="RAS+ millimeters.")
    grade: str | None
    probabilities: Probabilities
    heights: ResultHeights | None
    verdict: ResultVerdict | None = Field(
        default=None, description="What all witnesses together make of the vertebra."
    )
    agreement: bool | None = Field(
        description="Whether the grade fits the height loss; null where there is nothing to "
        "compare, or where the heights are too uncertain to say."
    )
    flags: tuple[Text, ...]
    density: ResultDensity | None = None
    explanation: ResultExplanation | None
    sides: ResultSides | None = Field(
        default=None,
        description="Null where no fracture is called, or the model cannot say, or the scan ends "
        "beside the body.",
    )
    draft: ResultDraft | None = None
    other_models: tuple[ResultOpinion, ...] = Field(
        default=(),
        min_length=1,
        description="What the second and further models say, in the order of models.",
    )

    @model_validator(mode="after")
    def _ungraded(self) -> ResultVertebra:
        _check_ungraded(self)
        return self


class ResultMissingLevels(ResultPart):
    """Thoracic and lumbar levels that are not among the vertebrae.

    Beyond the scan; in the scan without a label; without room between their neighbors.
    """

    not_in_view: tuple[LevelName, ...]
    unlabeled: tuple[LevelName, ...]
    absent: tuple[LevelName, ...]


class ResultNaming(ResultPart):
    """One hypothesis of which levels the centers are, head to foot; null has no name."""

    levels: tuple[LevelName | None, ...] = Field(min_length=1)
    probability: Share


class ResultLocalizer(ResultPart):
    """The package's own localizer, where it found the vertebrae.

    The first naming holds. It is certain where a person named the first level, and only there:
    the networks' own probability is not calibrated. Landmarks in view to count from are the
    sacrum and the first rib.
    """

    version: str
    sha256: Sha256
    certain: bool
    landmarks: tuple[str, ...]
    namings: tuple[ResultNaming, ...] = Field(min_length=1)
    given_first_level: LevelName | None
    cut: tuple[LevelName, ...] = Field(description="Bodies that the border of the scan cuts.")


class ResultStudy(ResultPart):
    """What the scan's own files say of the study; empty or null where they do not."""

    study_date: str = Field(description="ISO 8601.")
    series: str
    kernel: str
    thickness_mm: Length | None
    age: str = Field(description='With its unit, such as "67 years".')
    sex: Literal["F", "M", "O", ""]
    phantom: bool = Field(description="Whether a program drew the scan.")
    kv: Length | None
    contrast_agent: bool = Field(
        description="Whether a contrast agent is named; where none is, nothing is known."
    )


class ResultInputs(ResultPart):
    """Hashes of the files that say where the vertebrae are; empty where there is none."""

    labels_sha256: str = Field(pattern="^([0-9a-f]{64})?$")
    centroids_sha256: str = Field(pattern="^([0-9a-f]{64})?$")
    settled_mm: dict[LevelName, float] = Field(
        default={},
        description="How far given centers moved into their bodies; without those that stay.",
    )
    painted_by: str = Field(default="", description="Localizer that painted bodies; its version.")


class ResultBoneDensity(ResultPart):
    """Trabecular density at L1, or at the level nearest to it; never a diagnosis."""

    level: LevelName
    trabecular_hu: float
    kv: Length | None
    contrast: Literal["given", "none", "unknown"]
    contrast_from: Literal["header", "aorta"] | None
    aorta_hu: float | None = Field(description="Blood in front of the spine, read in the image.")
    words: Text


class Result(ResultPart):
    """Findings of one graded CT, as written to result.json.

    Examples
    --------
    >>> source = {"name": "ct", "sha256": "", "shape": (1, 1, 1), "spacing_mm": (1, 1, 1)}
    >>> Result(schema=SCHEMA, ct=source, models=(), vertebrae=()).content()["ct"]["name"]
    'ct'
    """

    model_config = ConfigDict(title=SCHEMA)

    schema_: Literal["spinexplain/result/1"] = Field(alias="schema")
    ct: ResultSource
    models: tuple[ResultModel, ...]
    vertebrae: tuple[ResultVertebra, ...] = Field(description="Cranial to caudal.")
    missing_levels: ResultMissingLevels | None = None
    localizer: ResultLocalizer | None = None
    study: ResultStudy | None = None
    inputs: ResultInputs | None = None
    bone_density: ResultBoneDensity | None = None

    def content(self) -> dict[str, Any]:
        """Return what the file holds, with the keys of the schema and none that was not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
