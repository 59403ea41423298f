"""Which vertebrae deserve a card, why, and whether network and heights agree.

Every rule of the report that turns findings into a judgement is here, so that the page,
``result.json`` and the heat maps cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spinexplain.findings.agreement import DISAGREE, agreement
from spinexplain.findings.grade_set import GradeSet, departures, grade_set
from spinexplain.findings.scan import Assessment, VertebraFindings
from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD_LOSS,
    NOT_ASSESSABLE,
    SUSPECTED,
    Verdict,
    judge,
)
from spinexplain.findings.weighing import stored_calibration
from spinexplain.findings.witness import (
    DETECTOR,
    HEIGHTS,
    PROTOTYPES,
    WITNESSES,
    Witness,
    heights_witness,
    network_witness,
)
from spinexplain.types import Grading, ModelInfo

SUSPICIOUS_HEIGHT_LOSS_CLASS = 2
SEVERE_ENOUGH_LOSS = 0.25


@dataclass(frozen=True)
class Reason:
    """One reason for suspicion: a key of the text catalogue and what to fill in."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


def grade_of(findings: VertebraFindings) -> str | None:
    """Return the first model's grade, or None where it gave none."""
    return grade_of_assessment(findings.assessments[0]) if findings.assessments else None


def grade_of_assessment(assessment: Assessment) -> str | None:
    """Return one model's grade, or None where it gave none."""
    return None if assessment.grading is None else assessment.grading.grade


def not_assessable_reason(findings: VertebraFindings) -> str | None:
    """Return why the first model gives no grade, or None where it gives one."""
    return findings.assessments[0].refusal if findings.assessments else None


def first_grading(findings: VertebraFindings) -> Grading | None:
    """Return the grading of the first model that gives one, or None where all refuse."""
    gradings = (assessment.grading for assessment in findings.assessments)
    return next((grading for grading in gradings if grading is not None), None)


def grading_of(findings: VertebraFindings) -> Grading | None:
    """Return the first model's grading, or None where it gave none."""
    return findings.assessments[0].grading if findings.assessments else None


def models_agree(findings: VertebraFindings) -> bool | None:
    """Say whether all models call a vertebra fractured, or all not.

    Returns
    -------
    bool or None
        None where fewer than two gave a grade.
    """
    gradings = [one.grading for one in findings.assessments if one.grading is not None]
    calls = [grading.is_fracture for grading in gradings]
    return None if len(calls) < 2 else len(set(calls)) == 1


def verdict_of(findings: VertebraFindings) -> Verdict:
    """Give the verdict on a vertebra from its networks and its heights.

    Parameters
    ----------
    findings : VertebraFindings

    Returns
    -------
    Verdict
        By the calibration that comes with the package; see
        :func:`spinexplain.findings.verdict.judge`.
    """
    return judge(
        witnesses_of(findings),
        stored_calibration(),
        loss=None if findings.heights is None else findings.heights.loss,
        network_grade=network_grade(findings),
        deformity=findings.deformity,
    )


def grade_set_of(findings: VertebraFindings) -> GradeSet | None:
    """Return the grades that a vertebra may have, by what speaks about it and by its image.

    Parameters
    ----------
    findings : VertebraFindings

    Returns
    -------
    GradeSet or None
        None where nothing speaks, or the networks are others than it was calibrated to.
    """
    witnesses, calibration = witnesses_of(findings), stored_calibration()
    scale = calibration.scale(
        [one.name for one in witnesses],
        {one.name: one.weights_sha256 for one in witnesses if one.name != HEIGHTS},
    )
    if scale is None:
        return None
    beyond = departures(findings.image, calibration.image)
    return grade_set(witnesses, scale, calibration.coverage, beyond)


def witnesses_of(findings: VertebraFindings) -> tuple[Witness, ...]:
    """Return what speaks about a vertebra: the first network of each kind, and the heights.

    Heights alone say nothing where every network refuses: what hides a body from them, such
    as the border of the scan, spoils a measurement too.
    """
    found: dict[str, Witness] = {}
    for one in findings.assessments:
        name = PROTOTYPES if one.axes == 2 else DETECTOR
        gradings = one.poses or (() if one.grading is None else (one.grading,))
        spoken = network_witness(name, gradings, one.weights_sha256)
        if spoken is not None:
            found.setdefault(name, spoken)
    measured = heights_witness(findings.heights)
    if measured is not None and (found or not findings.assessments):
        found[HEIGHTS] = measured
    return tuple(found[name] for name in WITNESSES if name in found)


def network_grade(findings: VertebraFindings) -> int | None:
    """Return the likeliest Genant grade above 0 of the first network that gives grades."""
    for one in findings.assessments:
        gradings = one.poses or (() if one.grading is None else (one.grading,))
        if not gradings:
            continue
        task = gradings[0].task
        numbers = {name: task.genant(name) for name in task.fractures}
        named = [name for name, number in numbers.items() if number is not None]
        if named:
            return numbers[max(named, key=lambda name: _mean_score(gradings, name))]
    return None


def _mean_score(gradings: Sequence[Grading], name: str) -> float:
    at = gradings[0].classes.index(name)
    return sum(grading.probabilities[at] for grading in gradings) / len(gradings)


def suspicion(findings: VertebraFindings, models: Sequence[ModelInfo] = ()) -> tuple[Reason, ...]:
    """Say why a vertebra deserves a card; an empty answer means that it does not.

    Parameters
    ----------
    findings : VertebraFindings
    models : sequence of ModelInfo
        The scan's models, to name the one that speaks when there are several.

    Returns
    -------
    tuple of Reason
        A verdict other than *no suspicion*; a model's grade other than its healthy class; a
        height loss of 20 % or more (25 % where no network gives a grade); network and heights
        that disagree.
    """
    heights = findings.heights
    verdict = verdict_of(findings)
    reasons = _reasons_of_models(findings, models)
    least = SEVERE_ENOUGH_LOSS if verdict.state == NOT_ASSESSABLE else MILD_LOSS
    if heights is not None and heights.loss >= least:
        values = {"percent": f"{100 * heights.loss:.0f}", "class": str(heights.height_loss_class)}
        reasons.append(Reason("reason.heights", values))
    if agreement(grading_of(findings), heights) == DISAGREE:
        reasons.append(Reason("reason.disagreement"))
    if verdict.state in (BORDERLINE, DEFORMITY):
        reasons.append(Reason(f"reason.{verdict.reason}"))
    if verdict.possible:
        reasons.append(Reason("reason.possible"))
    if not reasons and verdict.state == SUSPECTED:
        reasons.append(Reason("reason.over_the_line"))
    return tuple(reasons)


def _reasons_of_models(findings: VertebraFindings, models: Sequence[ModelInfo]) -> list[Reason]:
    reasons = []
    for position, assessment in enumerate(findings.assessments):
        grading = assessment.grading
        if grading is None or not grading.is_fracture:
            continue
        values = {"grade": grading.grade}
        if len(findings.assessments) > 1 and position < len(models):
            values["model"] = models[position].name
        reasons.append(
            Reason("reason.model_named" if "model" in values else "reason.model", values)
        )
    return reasons


def worst_first(findings: VertebraFindings) -> tuple[int, float]:
    """Sort key of findings, worst first: by the verdict, its severity, then its log odds."""
    return verdict_of(findings).rank
