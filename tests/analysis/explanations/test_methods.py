import numpy as np
import pytest

from spinexplain.analysis.explanations.methods import (
    ALL,
    check_names,
    method_by_name,
    not_applicable,
    scored_map,
)
from spinexplain.errors import ConfigError
from spinexplain.explainers.registry import EXPLAINERS
from spinexplain.types import Evidence, Explanation


class Sunken:
    """An explainer of one's own: the crop's middle."""

    def __call__(self, grader, patch, target):
        heatmap = np.zeros(patch.array.shape, np.float32)
        heatmap[50:60, 50:60] = 2.0
        return heatmap


def wrong_shape(grader, patch, target):
    return np.zeros((3, 3))


def test_what_speaks_for_the_class_is_added_up(drawn):
    patch = drawn.bench.patch(0)
    maps = np.zeros((4, *patch.array.shape), np.float32)
    maps[0, 10, 10] = 5.0
    maps[1, 20, 20] = 2.0
    maps[2, 30, 30] = 9.0
    evidence = (
        Evidence("first", "G2", maps[0], 3.0),
        Evidence("second", "G2", maps[1], 1.0),
        Evidence("other class", "G0", maps[2], 0.5),
        Evidence("against", "G2", maps[3] + 1, -1.0),
    )
    found = scored_map(Explanation(patch, "G2", "x", "score", evidence))
    assert found.strength == 4.0
    assert (found.heatmap[10, 10], found.heatmap[20, 20], found.heatmap[30, 30]) == (3.0, 1.0, 0.0)
    assert (found.first[10, 10], found.first[20, 20]) == (3.0, 0.0)


def test_nothing_that_speaks_is_an_empty_map(drawn):
    patch = drawn.bench.patch(0)
    found = scored_map(Explanation(patch, "G2", "x", "score", ()))
    assert found.strength == 0
    assert not found.heatmap.any()


def test_all_are_in_the_registry():
    assert set(ALL) == {*EXPLAINERS, "dissection"}
    assert check_names(["all", "gradcam"]) == ALL
    with pytest.raises(ConfigError, match='no explainer "gradcamm"'):
        check_names(["gradcamm"])


def test_what_does_not_apply_says_why(classifier):
    assert "no prototypes" in not_applicable("prototypes", classifier, ())
    assert "--dissection" in not_applicable("dissection", classifier, ())
    assert not_applicable("gradcam", classifier, ()) == ""


def test_an_explainer_of_ones_own(drawn, classifier, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])
    found = method_by_name("mine:Sunken", classifier)(classifier, drawn.bench.patch(0), "G2")
    assert found.strength == 200.0
    assert found.heatmap[55, 55] == 2.0
    with pytest.raises(ConfigError, match=r"shape \(3, 3\)"):
        method_by_name("mine:wrong_shape", classifier)(classifier, drawn.bench.patch(0), "G2")


@pytest.mark.parametrize("name", ["no.such.module:X", "json:Nothing"])
def test_a_wrong_name_is_refused(name, classifier):
    with pytest.raises(ConfigError, match="cannot be loaded"):
        method_by_name(name, classifier)
