import numpy as np
import pytest

from spinexplain.analysis.explanations.targets import (
    class_indices,
    explained_class,
    fracture_indices,
    fracture_probability,
)
from spinexplain.config.tasks import TASKS, Task

DETECTED = TASKS["fracture"]
REVERSED = Task.of({"fracture": ("G2", "G3"), "no fracture": ("G0",)})
GRADED = TASKS["g0-g2-g3"]


def test_the_class_of_a_true_fracture_is_explained():
    assert explained_class("G3", np.array([9.0, -9.0]), DETECTED) == 1
    assert explained_class("G2", np.zeros(2), REVERSED) == 0  # the order does not matter


def test_of_others_what_would_be_called():
    assert explained_class("G0", np.array([5.0, 2.0, 1.0]), GRADED) == 1
    assert explained_class("G1", np.array([5.0, 1.0, 2.0]), GRADED) == 2


def test_the_probability_of_any_fracture():
    assert fracture_indices(REVERSED) == [0]
    found = fracture_probability(np.log([[0.5, 0.2, 0.3]]), GRADED)
    assert found == pytest.approx([0.5])


def test_grades_have_their_classes():
    assert class_indices(np.array(["G3", "G1", "G0"]), REVERSED).tolist() == [0, -1, 1]
