import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.config.tasks import derived_task
from spinexplain.models.grader import Grader, Scope
from spinexplain.types import ModelInfo

CLASSES = ("G0", "G2", "G3")


@pytest.fixture
def grader(tiny):
    model, spec = tiny()
    info = ModelInfo("tiny", "1", "abc", CLASSES, "noise")
    return Grader(
        model, spec, derived_task(CLASSES), info, Scope(levels=("T12", "L1"), max_outside=0.2)
    )


def test_grades_are_softmaxed_logits_in_the_order_of_the_patches(grader, patch_of):
    rng = np.random.default_rng(0)
    patches = [patch_of(rng.normal(0, 300, (32, 32)), level) for level in ("L1", "T12", "L1")]
    logits = grader.logits(patches)
    gradings = grader.grade(patches)
    assert [g.vertebra.level.value for g in gradings] == ["L1", "T12", "L1"]
    for row, grading in zip(logits, gradings, strict=True):
        slow = np.exp(row.astype(float)) / np.exp(row.astype(float)).sum()
        assert grading.probabilities == pytest.approx(tuple(slow))
        assert grading.classes == CLASSES


def test_a_grade_does_not_depend_on_the_rest_of_the_batch(grader, patch_of):
    rng = np.random.default_rng(1)
    patches = [patch_of(rng.normal(0, 300, (32, 32))) for _ in range(35)]  # two batches
    together = grader.logits(patches)
    alone = np.concatenate([grader.logits([patch]) for patch in patches])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_patches_no_grades(grader):
    assert grader.grade([]) == []
    assert grader.logits([]).shape == (0, 3)


def test_scope_says_why_a_patch_is_refused(grader, patch_of):
    fine = patch_of(np.zeros((32, 32)), "L1", outside=0.2)
    assert grader.not_assessable(fine) is None
    assert grader.not_assessable(fine, ["thick_slices"]) is None
    assert grader.not_assessable(fine, ["metal_in_body"]) == "quality flag metal_in_body"
    cut = patch_of(np.zeros((32, 32)), "L1", outside=0.5)
    assert grader.not_assessable(cut) == "50% of the crop lies outside the scan (at most 20%)"
    high = patch_of(np.zeros((32, 32)), "T2")
    assert grader.not_assessable(high) == "T2 is outside the levels the model was trained on"


def test_an_empty_scope_takes_every_level(tiny, patch_of):
    model, spec = tiny()
    open_grader = Grader.from_module(model, spec, CLASSES)
    assert open_grader.not_assessable(patch_of(np.zeros((32, 32)), "T1")) is None


def test_any_module_can_grade(tiny, patch_of):
    _, spec = tiny()
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    torch.nn.init.zeros_(module[1].weight)
    with torch.no_grad():
        module[1].bias.copy_(torch.tensor([0.0, np.log(3.0)]))
    outside = Grader.from_module(module, spec, ("no fracture", "fracture"))
    grading = outside.grade([patch_of(np.zeros((32, 32)))])[0]
    assert grading.grade == "fracture"
    assert grading.probabilities == pytest.approx((0.25, 0.75))
