"""Which vertebrae deserve a card, why, and whether network and heights agree.

Every rule of the report that turns findings into a judgement is here, so that the page,
``result.json`` and the heat maps cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spinexplain.config.tasks import GENANT_GRADES, Task
from spinexplain.findings.scan import Assessment, VertebraFindings
from spinexplain.types import Grading, Heights, ModelInfo

SUSPICIOUS_HEIGHT_LOSS_CLASS = 2


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


def agreement(grading: Grading | None, heights: Heights | None) -> bool | None:
    """Say whether a grade fits the measured height loss.

    Parameters
    ----------
    grading : Grading or None
    heights : Heights or None
        Its ``class_range`` counts: where the interval crosses a band, either class will do.

    Returns
    -------
    bool or None
        None where there is no grade, no measurement, or the class has no height-loss band.

    Notes
    -----
    G0 goes with classes 0 and 1, G1 with 1, G2 with 2, G3 with 3; a model that only says
    *fracture* agrees with 1 to 3.
    """
    if grading is None or heights is None:
        return None
    fitting = height_loss_classes(grading.task, grading.grade)
    if not fitting:
        return None
    low, high = sorted(heights.class_range)
    possible = {heights.height_loss_class, *range(low, high + 1)}
    return not possible.isdisjoint(fitting)


def height_loss_classes(task: Task, name: str) -> frozenset[int]:
    """Return the height-loss classes that go with a class of a task; none if it has no grade.

    Examples
    --------
    >>> from spinexplain.config.tasks import TASKS
    >>> sorted(height_loss_classes(TASKS["fracture"], "fracture"))
    [1, 2, 3]
    """
    numbers = [GENANT_GRADES.index(grade) for grade in task.grades_of(name)]
    if name == task.healthy and numbers:
        # A reader calls 20 % borderline, so "no fracture" allows class 1.
        return frozenset({0, 1})
    if len(numbers) > 1:
        return frozenset(range(1, max(numbers) + 1))
    return frozenset(numbers)


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
        A model's grade other than its healthy class; a height-loss class of 2 or more;
        network and heights that disagree.
    """
    heights = findings.heights
    reasons = _reasons_of_models(findings, models)
    if heights is not None and heights.height_loss_class >= SUSPICIOUS_HEIGHT_LOSS_CLASS:
        values = {"percent": f"{100 * heights.loss:.0f}", "class": str(heights.height_loss_class)}
        reasons.append(Reason("reason.heights", values))
    if agreement(grading_of(findings), heights) is False:
        reasons.append(Reason("reason.disagreement"))
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


def severity(findings: VertebraFindings) -> tuple[float, float, float]:
    """Rank findings for *worst first*: by grade, then height loss, then the model's score.

    Notes
    -----
    The grade and the height-loss class count alike, so that a vertebra crushed by the
    measurement but missed by the network is not buried under mild ones.
    """
    grading, heights = first_grading(findings), findings.heights
    by_grade = 0 if grading is None else grading.task.severity(grading.grade)
    by_heights = heights.height_loss_class if heights is not None else 0
    score = 0.0 if grading is None else max(grading.probabilities)
    loss = heights.loss if heights is not None else 0.0
    return float(max(by_grade, by_heights)), loss, score
