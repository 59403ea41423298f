import numpy as np
import pytest

from spinexplain.analysis.explanations.targets import (
    explained_class,
    fracture_classes,
    fracture_probability,
    grades_of_classes,
)
from spinexplain.models.bundle.folder import locate, read_description

DETECTED = {"no fracture": ("G0",), "fracture": ("G2", "G3")}


def test_the_class_of_a_true_fracture_is_explained():
    classes = list(DETECTED)
    assert explained_class("G3", np.array([9.0, -9.0]), classes, DETECTED) == 1
    # The order of the classes does not matter.
    assert explained_class("G2", np.zeros(2), classes[::-1], DETECTED) == 0


def test_of_others_what_would_be_called():
    task = {"G0": ("G0",), "G2": ("G2",), "G3": ("G3",)}
    assert explained_class("G0", np.array([5.0, 2.0, 1.0]), list(task), task) == 1
    assert explained_class("G1", np.array([5.0, 1.0, 2.0]), list(task), task) == 2


def test_the_probability_of_any_fracture():
    assert fracture_classes(("fracture", "no fracture")) == [0]
    found = fracture_probability(np.log([[0.5, 0.2, 0.3]]), ("G0", "G2", "G3"))
    assert found == pytest.approx([0.5])


def test_shipped_models_say_what_their_classes_are():
    prototypes = grades_of_classes(read_description(locate("protoverse-phantom")))
    assert prototypes == {"G0": ("G0",), "G2": ("G2",), "G3": ("G3",)}
    detector = grades_of_classes(read_description(locate("detector-phantom")))
    assert set(detector["fracture"]) >= {"G2", "G3"}
