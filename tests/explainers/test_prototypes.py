from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError
from spinexplain.explainers.prototypes import SCORE_NAME, explain_prototypes


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("target", ["G0", "G2", "G3"])
def test_contributions_sum_to_the_logit(tiny_grader, random_patch, axes, target):
    grader, patch = tiny_grader(axes), random_patch(axes)
    explanation = explain_prototypes(grader, patch, target)
    logit = grader.logits([patch])[0, grader.classes.index(target)]
    assert sum(item.score for item in explanation.evidence) == pytest.approx(logit, abs=1e-5)
    assert explanation.score_name == SCORE_NAME
    assert explanation.additive
    assert len(explanation.evidence) == 6


def test_score_is_similarity_times_connection(tiny_grader, random_patch):
    for item in explain_prototypes(tiny_grader(), random_patch(), "G2").evidence:
        assert item.score == pytest.approx(item.detail.similarity * item.detail.connection)
        assert item.detail.similarity <= item.detail.max_similarity
        own = item.class_name == "G2"
        assert item.detail.connection == (1.0 if own else -0.5)
        assert (item.score > 0) == own


@pytest.mark.parametrize("axes", [2, 3])
def test_evidence_names_its_grid_and_what_a_cell_can_see(tiny_grader, random_patch, axes):
    item = explain_prototypes(tiny_grader(axes), random_patch(axes), "G2").evidence[0]
    assert item.grid == (8,) * axes
    # two stages of 3-wide convolutions with strides 2, 1, 2, 1: 3 + 4 + 4 + 8 pixels of 1 mm
    assert item.field_mm == 19.0


def test_a_crop_scaled_to_the_body_tells_the_patients_millimeters(tiny_grader, random_patch):
    grader, patch = tiny_grader(), random_patch()
    scaled = replace(patch, frame=replace(patch.frame, spacing_mm=0.7))
    spec = grader.spec.model_copy(update={"body_height_mm": 24.0})
    item = explain_prototypes(replace(grader, spec=spec), scaled, "G2").evidence[0]
    assert item.field_mm == pytest.approx(0.7 * 19)
    assert item.stride_mm == pytest.approx(0.7 * 4)


def test_names_and_exemplars_follow_the_prototypes(tiny_grader, random_patch):
    evidence = explain_prototypes(tiny_grader(), random_patch(), "G3").evidence
    expected = {f"{c} prototype {n}" for c in ("G0", "G2", "G3") for n in (1, 2)}
    assert {item.name for item in evidence} == expected
    by_name = {item.name: item.exemplars[0].provenance.subject for item in evidence}
    assert by_name["G0 prototype 1"] == "sub-0"
    assert by_name["G3 prototype 2"] == "sub-5"


@pytest.mark.parametrize("axes", [2, 3])
def test_heatmap_lies_on_the_patch_and_peaks_where_the_cell_looks(tiny_grader, random_patch, axes):
    grader, patch = tiny_grader(axes), random_patch(axes)
    explanation = explain_prototypes(grader, patch, "G2")
    with torch.no_grad():
        maps = grader.model.similarity_maps(grader.inputs([patch]))[0].numpy()
    field = grader.model.trunk.field
    item = next(e for e in explanation.evidence if e.name == "G2 prototype 1")
    assert item.heatmap.shape == patch.array.shape
    assert item.heatmap.min() >= 0
    cell = np.unravel_index(maps[2].argmax(), maps[2].shape)
    pixel = tuple(int(field.start + c * field.stride) for c in cell)
    assert item.heatmap[pixel] == pytest.approx(maps[2].max(), rel=1e-5)


def test_explaining_twice_gives_the_same_bits(tiny_grader, random_patch):
    grader, patch = tiny_grader(), random_patch()
    first, second = (explain_prototypes(grader, patch, "G0") for _ in range(2))
    for a, b in zip(first.evidence, second.evidence, strict=True):
        assert (a.name, a.score) == (b.name, b.score)
        np.testing.assert_array_equal(a.heatmap, b.heatmap)


def test_models_without_prototypes_and_unknown_classes_are_refused(tiny_grader, random_patch):
    with pytest.raises(ModelError, match="has no prototypes"):
        explain_prototypes(tiny_grader(kind="linear"), random_patch(), "G2")
    with pytest.raises(ModelError, match='no class "G1"; expected one of G0, G2, G3'):
        explain_prototypes(tiny_grader(), random_patch(), "G1")
