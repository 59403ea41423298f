import numpy as np
import pytest

from spinexplain.data.phantom.fracture import (
    SHAPES,
    FracturePlan,
    draw_plan,
    fracture_body,
    genant_shape,
    grade_of,
    relative_loss,
)
from spinexplain.data.phantom.presets import Fractures
from spinexplain.data.phantom.shape import heights_mm, plain_body

HEIGHTS = (25.0, 23.0, 26.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_planted_loss_is_reached(shape):
    errors = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        loss = rng.uniform(0.2, 0.65)
        body = plain_body(33.0, 42.0, HEIGHTS)
        broken = fracture_body(rng, Fractures(), body, heights_mm(body), FracturePlan(shape, loss))
        errors.append(relative_loss(heights_mm(broken), heights_mm(body)) - loss)
    assert np.abs(errors).max() < 0.01


def test_each_shape_loses_height_where_its_name_says():
    lost = {}
    for shape in ("wedge", "biconcave", "crush"):
        rng = np.random.default_rng(5)
        body = plain_body(33.0, 42.0, HEIGHTS)
        broken = fracture_body(rng, Fractures(), body, heights_mm(body), FracturePlan(shape, 0.4))
        lost[shape] = 1 - np.array(heights_mm(broken)) / np.array(heights_mm(body))
    assert np.argmax(lost["wedge"]) == 0
    assert np.argmax(lost["biconcave"]) == 1
    assert lost["wedge"][2] < 0.15
    assert lost["crush"][2] > 0.28


def test_losses_drawn_fall_into_their_grade():
    rng = np.random.default_rng(0)
    for grade in (1, 2, 3):
        plans = [draw_plan(rng, Fractures(), grade) for _ in range(200)]
        assert {grade_of(plan.loss) for plan in plans} == {grade}


def test_genant_knows_no_mixed_shape():
    assert genant_shape(FracturePlan("mixed", 0.3)) == "wedge"
    assert genant_shape(FracturePlan("crush", 0.3)) == "crush"
    assert genant_shape(None) == "none"


def test_vertebra_plana_is_drawn_among_the_severe():
    rng = np.random.default_rng(0)
    plans = [draw_plan(rng, Fractures(plana=1.0), 3) for _ in range(5)]
    assert all(plan.shape == "crush" and plan.loss >= 0.7 for plan in plans)
