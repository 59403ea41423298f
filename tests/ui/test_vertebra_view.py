from dataclasses import replace

import pytest

from spinexplain.findings.scan import Assessment
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.pictures import Album
from spinexplain.ui.vertebra_view import loss_percent, view_card, view_row


@pytest.fixture
def say():
    return load_catalogue()


def test_a_row_says_what_the_findings_say(lumbar, say):
    row = view_row(lumbar.vertebrae[1], lumbar.models, say)
    assert (row.level, row.grade, row.grade_words) == ("L1", "G2", "moderate")
    assert [(s.class_name, s.value) for s in row.scores] == [
        ("G0", 0.08),
        ("G1", None),
        ("G2", 0.67),
        ("G3", 0.25),
    ]
    assert row.agreement == "agree"
    assert row.flags == ("thick slices",)
    assert row.reasons == ("model reads G2", "31 % height loss")
    assert row.heights.class_words == "height-loss class 1 to 2"


def test_a_row_that_is_not_assessable_has_no_scores_and_its_reason(lumbar, say):
    row = view_row(lumbar.vertebrae[-1], lumbar.models, say)
    assert (row.grade, row.scores, row.agreement) == (None, (), None)
    assert row.not_assessable == "touches_border"
    assert row.flags == ()


def test_a_further_models_refusal_stands_with_its_reason(two_models, say):
    item = two_models.vertebrae[1]
    refused = replace(item, assessments=(item.assessments[0], Assessment.refused("metal")))
    card = view_card(refused, two_models, Album(), say)
    assert card.row.grade == "G2"
    assert card.row.not_assessable is None
    (other,) = card.others
    assert (other.refusal, other.scores, other.explanation) == ("metal", (), None)


def test_the_interval_lies_around_the_loss(lumbar, say):
    heights = view_row(lumbar.vertebrae[1], lumbar.models, say).heights
    assert heights.low < heights.point < heights.high


def test_losses_beyond_the_axis_stay_at_its_ends():
    assert loss_percent(-0.5) == 0.0
    assert loss_percent(0.95) == 100.0
    assert loss_percent(0.0) == pytest.approx(100 / 7, abs=0.01)


def test_a_card_without_heights_draws_none(lumbar, say):
    item = replace(lumbar.vertebrae[1], heights=None)
    card = view_card(item, lumbar, Album(), say)
    assert (card.lines, card.ghost, card.row.heights) == ((), "", None)


def test_a_second_model_keeps_its_own_classes_and_evidence(two_models, say):
    card = view_card(two_models.vertebrae[1], two_models, Album(), say)
    (other,) = card.others
    assert other.name == "unet3d-dissected"
    assert [score.class_name for score in other.scores] == ["no fracture", "fracture"]
    assert other.explanation.total is None
    assert [row.name for row in other.explanation.rows] == [f"unit {n}" for n in range(40, 44)]
