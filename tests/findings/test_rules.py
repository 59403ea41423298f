from dataclasses import replace

import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS, derived_task
from spinexplain.findings.rules import (
    agreement,
    first_grading,
    grade_of,
    models_agree,
    not_assessable_reason,
    severity,
    suspicion,
)
from spinexplain.findings.scan import Assessment
from spinexplain.types import Grading, Vertebra


def called(grade):
    """A grading of that class, by the task that knows it."""
    tasks = [derived_task((grade, "other")), TASKS["any-fracture"], TASKS["g0-g1-g2-g3"]]
    task = [one for one in tasks if grade in one.classes][-1]
    scores = tuple(float(name == grade) for name in task.classes)
    return Grading(Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0)), task, scores)


@pytest.fixture
def heights(lumbar):
    return lumbar.vertebrae[0].heights


def _with(heights, height_class, class_range=None):
    return replace(
        heights, height_loss_class=height_class, class_range=class_range or (height_class,) * 2
    )


@pytest.mark.parametrize(
    ("grade", "height_class", "expected"),
    [
        ("G0", 0, True), ("G0", 1, True), ("G0", 2, False), ("G0", 3, False),
        ("G1", 0, False), ("G1", 1, True), ("G1", 2, False),
        ("G2", 1, False), ("G2", 2, True), ("G2", 3, False),
        ("G3", 2, False), ("G3", 3, True),
        ("fracture", 0, False), ("fracture", 2, True), ("no fracture", 3, False),
    ],
)  # fmt: skip
def test_agreement_without_a_range(heights, grade, height_class, expected):
    assert agreement(called(grade), _with(heights, height_class)) is expected


def test_a_range_that_reaches_the_grade_agrees(heights):
    assert agreement(called("G3"), _with(heights, 2, (1, 3))) is True
    assert agreement(called("G0"), _with(heights, 2, (1, 3))) is True
    assert agreement(called("G3"), _with(heights, 1, (0, 2))) is False


def test_nothing_to_compare_is_neither_agreement_nor_disagreement(heights):
    assert agreement(None, heights) is None
    assert agreement(called("G2"), None) is None
    assert agreement(called("osteolysis"), heights) is None


def test_a_healthy_vertebra_is_not_suspicious(lumbar, graded_as):
    item = replace(graded_as(lumbar.vertebrae[0], (0.9, 0.05, 0.05)), heights=None)
    assert suspicion(item) == ()


def test_a_fracture_grade_is_reason_enough(lumbar, graded_as):
    item = replace(graded_as(lumbar.vertebrae[0], (0.1, 0.2, 0.7)), heights=None)
    (reason,) = suspicion(item)
    assert (reason.key, reason.values) == ("reason.model", {"grade": "G3"})


def test_height_loss_is_reason_enough_where_the_model_gave_no_grade(lumbar, graded_as, heights):
    item = graded_as(lumbar.vertebrae[0], None, "metal")
    item = replace(item, heights=replace(_with(heights, 2), loss=0.31))
    (reason,) = suspicion(item)
    assert (reason.key, reason.values["percent"]) == ("reason.heights", "31")


def test_class_one_alone_is_no_reason(lumbar, graded_as, heights):
    item = graded_as(lumbar.vertebrae[0], (0.9, 0.05, 0.05))
    assert suspicion(replace(item, heights=_with(heights, 1))) == ()


def test_disagreement_is_named_beside_what_it_comes_from(lumbar, graded_as, heights):
    missed = replace(graded_as(lumbar.vertebrae[0], (0.9, 0.05, 0.05)), heights=_with(heights, 3))
    assert [r.key for r in suspicion(missed)] == ["reason.heights", "reason.disagreement"]
    invented = replace(graded_as(lumbar.vertebrae[0], (0, 0, 1)), heights=_with(heights, 0))
    assert [r.key for r in suspicion(invented)] == ["reason.model", "reason.disagreement"]


def test_a_vertebra_that_the_model_refuses_has_no_grade(lumbar, graded_as):
    item = graded_as(lumbar.vertebrae[0], None, "thick_slices", "metal")
    assert item.flags == ("thick_slices",)
    assert not_assessable_reason(item) == "metal"
    assert (grade_of(item), first_grading(item)) == (None, None)
    assert suspicion(replace(item, heights=None)) == ()


def test_a_second_models_refusal_leaves_the_first_its_grade(two_models):
    item = two_models.vertebrae[1]
    alone = replace(item, assessments=item.assessments[:1])
    beside = replace(item, assessments=(item.assessments[0], Assessment.refused("not my level")))
    assert grade_of(beside) == grade_of(alone) == "G2"
    assert not_assessable_reason(beside) is None
    assert models_agree(beside) is None
    assert severity(beside) == severity(alone)


def test_a_first_models_refusal_leaves_the_second_its_word(two_models):
    item = replace(two_models.vertebrae[1], heights=None)
    refused = replace(item, assessments=(Assessment.refused("metal"), item.assessments[1]))
    assert grade_of(refused) is None
    assert first_grading(refused).grade == "fracture"
    (reason,) = suspicion(refused, two_models.models)
    assert reason.values == {"grade": "fracture", "model": "unet3d-dissected"}


def test_a_second_model_raises_suspicion_under_its_own_name(two_models):
    healthy_for_first = two_models.vertebrae[0]
    (reason,) = suspicion(healthy_for_first, two_models.models)
    assert reason.values == {"grade": "fracture", "model": "unet3d-dissected"}


def test_severity_counts_a_measured_crush_like_a_severe_grade(lumbar, graded_as, heights):
    item = lumbar.vertebrae[0]
    crushed = replace(graded_as(item, (0.9, 0.05, 0.05)), heights=_with(heights, 3))
    moderate = replace(graded_as(item, (0.1, 0.8, 0.1)), heights=None)
    severe = replace(graded_as(item, (0, 0.1, 0.9)), heights=None)
    assert severity(crushed)[0] == severity(severe)[0] > severity(moderate)[0]


def test_models_agree_on_fracture_whatever_their_classes(two_models):
    at = {item.vertebra.level.value: item for item in two_models.vertebrae}
    assert models_agree(at["L1"]) is True
    assert models_agree(at["L2"]) is False
    assert models_agree(at["L5"]) is None  # not assessable
    assert models_agree(replace(at["L1"], assessments=at["L1"].assessments[:1])) is None
