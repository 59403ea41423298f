"""Witnesses: one number each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.heights import heights_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import Task
from spinexplain.findings.witness import (
    Witness,
    heights_witness,
    loss_witness,
    margin,
    network_witness,
    spoken_values,
)
from spinexplain.types import Grading, Vertebra

L1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
GRADES = {"G0": ["G0"], "G2": ["G2"], "G3": ["G3"]}


def grading(*probabilities, **task):
    return Grading(L1, Task.of(task or GRADES), probabilities)


def test_a_margin_adds_the_fracture_classes():
    assert margin((0.2, 0.5, 0.3), (False, True, True)) == pytest.approx(np.log(4))
    assert margin((1.0, 0.0, 0.0), (False, True, True)) == -8.0


def test_the_order_of_classes_does_not_matter():
    one = network_witness("detector", [grading(0.9, 0.1, calm=["G0"], broken=["G2"])])
    two = network_witness("detector", [grading(0.1, 0.9, broken=["G2"], calm=["G0"])])
    assert one == two
    assert one.value < 0


def test_a_network_speaks_by_its_mean_and_spread():
    even, sure = grading(0.5, 0.5, 0.0), grading(0.2, 0.8, 0.0)
    found = network_witness("prototypes", [even, sure])
    assert found.value == pytest.approx(np.log(4) / 2)
    assert found.spread == pytest.approx(np.log(4) / 2)
    assert network_witness("prototypes", []) is None


def test_heights_at_the_border_say_nothing():
    assert heights_witness(heights_of(0.225)).value == pytest.approx(0.0)
    assert heights_witness(None) is None


def test_the_broad_loss_speaks_beside_that_of_the_middle_third():
    found = loss_witness(0.40, 0.05, broad_loss=0.165)
    assert (found.value, found.broad) == (pytest.approx(3.5), pytest.approx(-1.0))
    assert loss_witness(0.285, 0.05).broad == pytest.approx(1.0)  # unknown: the loss itself
    assert heights_witness(heights_of(0.40, broad_loss=0.345)).broad == pytest.approx(2.0)
    assert loss_witness(0.9, 0.05, broad_loss=0.9).broad == 4.0


def test_what_witnesses_say_has_a_name_each():
    network = Witness("prototypes", 1.0, severe=-2.0)
    heights = Witness("heights", 0.5, broad=0.25)
    assert spoken_values([network, heights]) == {
        "prototypes": 1.0,
        "prototypes_severe": -2.0,
        "heights": 0.5,
        "heights_broad": 0.25,
    }
    assert spoken_values([Witness("heights", 0.5)])["heights_broad"] == 0.5


@given(st.floats(-0.3, 0.8), st.floats(0, 0.3), st.floats(0, 0.3))
def test_more_loss_never_says_less(loss, more, reach):
    less = heights_witness(heights_of(loss, (loss - reach, loss + reach)))
    high = loss + more
    greater = heights_witness(heights_of(high, (high - reach, high + reach)))
    assert greater.value >= less.value - 1e-9
