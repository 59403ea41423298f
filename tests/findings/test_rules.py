from dataclasses import replace

import pytest

from spinexplain.findings.rules import (
    first_grading,
    grade_of,
    models_agree,
    not_assessable_reason,
    suspicion,
    verdict_of,
    worst_first,
)
from spinexplain.findings.scan import Assessment
from spinexplain.findings.verdict import NO_SUSPICION, NOT_ASSESSABLE, SUSPECTED
from spinexplain.spine.height_loss import height_loss_class


@pytest.fixture
def heights(lumbar):
    return lumbar.vertebrae[0].heights


def _lost(heights, loss):
    """The same body with another loss, measured to 3 points."""
    number = height_loss_class(loss)
    return replace(
        heights,
        loss=loss,
        loss_interval=(loss - 0.03, loss + 0.03),
        height_loss_class=number,
        class_range=(number, number),
    )


def test_a_healthy_vertebra_is_not_suspicious(lumbar, graded_as):
    item = replace(graded_as(lumbar.vertebrae[0], (0.9, 0.05, 0.05)), heights=None)
    assert suspicion(item) == ()


def test_a_fracture_grade_is_reason_enough(lumbar, graded_as):
    item = replace(graded_as(lumbar.vertebrae[0], (0.1, 0.2, 0.7)), heights=None)
    reason = suspicion(item)[0]
    assert (reason.key, reason.values) == ("reason.model", {"grade": "G3"})


def test_height_loss_is_reason_enough_where_the_model_gave_no_grade(lumbar, graded_as, heights):
    item = graded_as(lumbar.vertebrae[0], None, "metal")
    item = replace(item, heights=_lost(heights, 0.31))
    reason = suspicion(item)[0]
    assert (reason.key, reason.values["percent"]) == ("reason.heights", "31")


def test_a_loss_of_class_one_is_never_without_suspicion(lumbar, graded_as, heights):
    item = graded_as(lumbar.vertebrae[0], (0.9, 0.05, 0.05))
    mild = replace(item, heights=_lost(heights, 0.24))
    assert "reason.heights" in [reason.key for reason in suspicion(mild)]
    assert verdict_of(mild).state != NO_SUSPICION


def test_disagreement_is_named_beside_what_it_comes_from(lumbar, graded_as, heights):
    item = lumbar.vertebrae[0]
    missed = replace(graded_as(item, (0.9, 0.05, 0.05)), heights=_lost(heights, 0.45))
    assert [r.key for r in suspicion(missed)][:2] == ["reason.heights", "reason.disagreement"]
    invented = replace(graded_as(item, (0, 0, 1)), heights=_lost(heights, 0.02))
    assert [r.key for r in suspicion(invented)][:2] == ["reason.model", "reason.disagreement"]


def test_heights_say_nothing_where_every_network_refuses(lumbar, graded_as, heights):
    refused = replace(graded_as(lumbar.vertebrae[0], None, "metal"), heights=_lost(heights, 0.5))
    assert verdict_of(refused).state == NOT_ASSESSABLE
    without = replace(refused, assessments=())
    assert verdict_of(without).state == SUSPECTED


def test_a_network_speaks_by_all_its_poses(lumbar, graded_as):
    item = replace(graded_as(lumbar.vertebrae[0], (0.5, 0.3, 0.2)), heights=None)
    one = item.assessments[0]
    sure = replace(one.grading, probabilities=(0.001, 0.998, 0.001))
    posed = replace(item, assessments=(replace(one, poses=(one.grading, sure)),))
    assert verdict_of(posed).log_odds > verdict_of(item).log_odds
    assert verdict_of(posed).spread > 0


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
    assert worst_first(beside) == worst_first(alone)


def test_a_first_models_refusal_leaves_the_second_its_word(two_models):
    item = replace(two_models.vertebrae[1], heights=None)
    refused = replace(item, assessments=(Assessment.refused("metal"), item.assessments[1]))
    assert grade_of(refused) is None
    assert first_grading(refused).grade == "fracture"
    reason = suspicion(refused, two_models.models)[0]
    assert reason.values == {"grade": "fracture", "model": "unet3d-dissected"}


def test_a_second_model_raises_suspicion_under_its_own_name(two_models):
    healthy_for_first = two_models.vertebrae[0]
    reason = suspicion(healthy_for_first, two_models.models)[0]
    assert reason.values == {"grade": "fracture", "model": "unet3d-dissected"}


def test_severe_comes_before_moderate_and_normal_last(lumbar, graded_as, heights):
    item = lumbar.vertebrae[0]
    severe = replace(graded_as(item, (0, 0.1, 0.9)), heights=_lost(heights, 0.5))
    moderate = replace(graded_as(item, (0, 0.9, 0.1)), heights=_lost(heights, 0.3))
    normal = replace(graded_as(item, (0.99, 0.01, 0)), heights=_lost(heights, 0.0))
    assert sorted([normal, moderate, severe], key=worst_first) == [severe, moderate, normal]


def test_models_agree_on_fracture_whatever_their_classes(two_models):
    at = {item.vertebra.level.value: item for item in two_models.vertebrae}
    assert models_agree(at["L1"]) is True
    assert models_agree(at["L2"]) is False
    assert models_agree(at["L5"]) is None  # not assessable
    assert models_agree(replace(at["L1"], assessments=at["L1"].assessments[:1])) is None
