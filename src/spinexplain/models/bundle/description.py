"""What ``bundle.json`` and ``manifest.json`` must say, checked before anything is built on it."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import Task, derived_task
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.errors import ConfigError
from spinexplain.types import Provenance

SCHEMA = "spinexplain/bundle/1"
EXPORT_SCHEMA = "spinexplain/export/1"


class Described(BaseModel):
    """A frozen part of a bundle's description; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ManifestDescription(Described):
    """The SHA-256 of every other file of a bundle."""

    schema_: Literal["spinexplain/bundle/1"] = Field(alias="schema")
    sha256: dict[str, str]


class ScopeDescription(Described):
    """What the model may be asked about; see :class:`spinexplain.models.grader.Scope`."""

    levels: tuple[str, ...]
    max_outside: float = Field(ge=0, le=1)
    refused_flags: tuple[str, ...]

    @field_validator("levels")
    @classmethod
    def _are_levels(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        known = {level.value for level in VertebraLevel}
        if unknown := sorted(set(levels) - known):
            raise ValueError(f"{', '.join(unknown)} are no vertebral levels")
        return levels


class RecordDescription(Described):
    """Provenance of one prototype."""

    subject: str
    series: str
    level: str
    grade: str
    synthetic: bool
    cell: tuple[int, ...]
    patch_sha256: str = ""

    @property
    def provenance(self) -> Provenance:
        """Where the training picture comes from."""
        return Provenance(**self.model_dump(exclude={"cell", "patch_sha256"}))


class BundleDescription(Described):
    """Everything ``bundle.json`` holds.

    A bundle saved before tasks were written says what its classes stand for in the settings
    of its training, or by their names alone; that is derived here, once.

    Examples
    --------
    >>> BundleDescription.model_fields["classes"].is_required()
    True
    """

    schema_: Literal["spinexplain/bundle/1"] = Field(alias="schema")
    name: str = Field(min_length=1)
    version: str
    package_version: str
    classes: tuple[str, ...] = Field(min_length=2)
    task: Task
    input: InputSpec
    trunk: TrunkSettings
    head: HeadSettings
    scope: ScopeDescription
    trained_on: str
    prototypes: tuple[RecordDescription, ...]
    training: dict[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _with_task(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "task" in content:
            return content
        classes = content.get("classes")
        if not isinstance(classes, list | tuple) or not all(isinstance(n, str) for n in classes):
            return content
        training = content.get("training")
        config = training.get("config") if isinstance(training, dict) else None
        grades = config.get("grades") if isinstance(config, dict) else None
        try:
            return {**content, "task": derived_task(classes, grades)}
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @field_validator("task", mode="wrap")
    @classmethod
    def _sound(cls, value: Any, read: ValidatorFunctionWrapHandler) -> Task:
        try:
            return cast(Task, read(value))
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _agree(self) -> BundleDescription:
        if self.task.classes != self.classes:
            raise ValueError(f"the task is of {self.task.classes}, the classes are {self.classes}")
        return self


class GateDescription(Described):
    """What reduced precision was allowed on, and what came out.

    Parameters
    ----------
    cohort : str
    vertebrae : int
    same_grade : float
        Share of vertebrae with the grade of the torch network.
    similarity_difference : float or None
        Largest difference of a prototype's similarity; None for other networks.
    least_same_grade, largest_similarity_difference : float
        The limits.
    passed : bool
    """

    cohort: str
    vertebrae: int = Field(ge=1)
    same_grade: float = Field(ge=0, le=1)
    similarity_difference: float | None
    least_same_grade: float
    largest_similarity_difference: float
    passed: bool


class FieldDescription(Described):
    """A receptive field; see :class:`spinexplain.models.receptive.ReceptiveField`."""

    size: int
    stride: int
    start: float


class ExportDescription(Described):
    """Everything ``export.json`` holds.

    Parameters
    ----------
    precision : str
        Of the trunk; the head runs in fp32.
    reason : str
        Why this precision.
    outputs : tuple of str
        ``"logits"``, ``"trunk"``, ``"similarity_maps"`` of a prototype network, and layers.
    field : FieldDescription
        Of a cell of the trunk's map.
    parity : float
        Largest difference of a logit from the torch network's, in fp32.
    gate : GateDescription or None
    """

    schema_: Literal["spinexplain/export/1"] = Field(alias="schema")
    weights_sha256: str
    precision: Literal["bf16", "fp32"]
    reason: str
    outputs: tuple[str, ...]
    field: FieldDescription
    parity: float
    gate: GateDescription | None
    versions: dict[str, str]
