from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import InputSpec
from spinexplain.errors import ConfigError, LabelError
from spinexplain.evaluate.detection import detection_figures
from spinexplain.findings.assess import compare, explain, grade, patches_for
from spinexplain.findings.vertebrae import bodies_of
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.localizer.located import Localization
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader, Scope
from spinexplain.report.html import write_report
from spinexplain.spine.localize import localize, vertebrae_from_mask
from spinexplain.types import Vertebra

DATA = Path(__file__).parents[1] / "data"
CLASSES = ("G0", "G2", "G3")


class TwoLayers(nn.Module):
    """Small, deterministic, with a layer that a class activation map can look at."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.features = nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.classify = nn.Linear(4, 3)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def forward(self, x):
        return self.classify(torch.relu(self.features(x)).mean(dim=(2, 3)))


@pytest.fixture(scope="module")
def grader():
    return Grader.from_module(TwoLayers(), InputSpec(), CLASSES, name="two layers")


@pytest.fixture(scope="module")
def lumbar():
    folder = DATA / "totalsegmentator-example"
    volume = read_volume(folder / "example_ct.nii.gz")
    return volume, read_labels(folder / "totalseg_vertebrae_pp_refined.nii.gz")


@pytest.fixture(scope="module")
def findings(grader, lumbar):
    volume, labels = lumbar
    return grade(volume, labels=labels, models=[grader, grader])


def test_every_level_of_the_mask_is_there_in_order(findings):
    levels = [item.vertebra.level.value for item in findings.vertebrae]
    assert levels == ["T12", "L1", "L2", "L3", "L4", "L5"]


def test_a_level_cut_by_the_scan_is_not_assessable_and_says_why(findings):
    t12 = findings.vertebrae[0]
    assert t12.heights is None
    assert all(a.grading is None and a.explanation is None for a in t12.assessments)
    assert all("border" in a.refusal for a in t12.assessments)
    assert not any(flag.startswith("not_assessable") for flag in t12.flags)


def test_a_model_of_other_levels_does_not_erase_the_grade_of_the_first(grader, lumbar, findings):
    volume, labels = lumbar
    only_l4 = replace(grader, scope=Scope(levels=("L4",)))
    both = grade(volume, labels=labels, models=[grader, only_l4])
    alone = {item.vertebra.level: item.assessments[0] for item in findings.vertebrae}
    for item in both.vertebrae[1:5]:
        first, second = item.assessments
        assert first.grading == alone[item.vertebra.level].grading
        assert first.refusal is None
        assert (second.grading is None) == (item.vertebra.level is not VertebraLevel.L4)
    assert "levels the model was trained on" in both.vertebrae[1].assessments[1].refusal


def test_each_model_gives_its_own_assessment_of_each_level(findings):
    for item in findings.vertebrae[1:5]:
        first, second = item.assessments
        assert first.grading.probabilities == second.grading.probabilities
        assert first.explanation.target == first.grading.grade
        assert first.explanation.patch.vertebra == item.vertebra


def test_heights_come_from_the_mask_or_from_bodies_painted_around_centers(grader, lumbar, findings):
    volume, labels = lumbar
    centers = localize(volume, labels=labels)
    without = grade(volume, centroids=centers, models=[grader])
    assert without.settled is not None
    assert findings.settled is None
    compared = 0
    for given, painted in zip(findings.vertebrae, without.vertebrae, strict=True):
        if given.heights is None or painted.heights is None:
            assert given.flags or painted.flags
            continue
        compared += 1
        assert painted.heights.middle_mm == pytest.approx(given.heights.middle_mm, abs=2.5)
        away = np.subtract(painted.vertebra.centroid_mm, given.vertebra.centroid_mm)
        assert np.linalg.norm(away) < 2.5
    assert compared >= 4


def test_centers_given_a_little_differently_are_the_same(grader, lumbar):
    volume, labels = lumbar
    centers = localize(volume, labels=labels)
    moved = [
        replace(one, centroid_mm=tuple(np.add(one.centroid_mm, (1.5, -1.0, 1.5)).tolist()))
        for one in centers
    ]
    one, other = (grade(volume, centroids=given, models=[grader]) for given in (centers, moved))
    for first, second in zip(one.vertebrae, other.vertebrae, strict=True):
        away = np.subtract(first.vertebra.centroid_mm, second.vertebra.centroid_mm)
        cut = "body_cut" in first.flags
        assert np.linalg.norm(away) < (2.6 if cut else 0.8)


def test_a_mask_on_another_grid_is_resampled(grader, lumbar, findings):
    volume, labels = lumbar
    from spinexplain.types import LabelMap

    shift = np.eye(4)
    shift[:3, 3] = [-4, -4, -4]
    padded = LabelMap(np.pad(labels.array, 4), labels.affine @ shift)
    again = grade(volume, labels=padded, models=[grader])
    for one, other in zip(findings.vertebrae, again.vertebrae, strict=True):
        assert np.allclose(one.vertebra.centroid_mm, other.vertebra.centroid_mm, atol=0.5)


def test_the_overview_shows_every_center(findings):
    for item in findings.vertebrae:
        row, column, _ = findings.overview.frame.to_patch(np.array(item.vertebra.centroid_mm))
        rows, columns = findings.overview.array.shape
        assert 0 <= row < rows
        assert 0 <= column < columns


def test_stages_are_observed(grader, lumbar, listener):
    grade(lumbar[0], labels=lumbar[1], models=[grader], progress=listener)
    assert listener.stages == [
        "localize",
        "heights",
        "quality",
        "reformat",
        "load model",
        "reformat",
        "grade",
        "explain",
    ]


def test_grading_twice_gives_the_same_bits(grader, lumbar, findings):
    again = grade(lumbar[0], labels=lumbar[1], models=[grader])
    for one, other in zip(findings.vertebrae, again.vertebrae, strict=True):
        assert one.assessments[0].grading == other.assessments[0].grading


def test_cervical_levels_alone_are_refused(grader, lumbar):
    volume, labels = lumbar
    center = localize(volume, labels=labels)[3].centroid_mm
    with pytest.raises(LabelError, match="C5"):
        grade(volume, centroids=[Vertebra(VertebraLevel.C5, center)], models=[grader])


def test_without_a_spine_there_is_an_error(grader, lumbar, pretend_localizer):
    pretend_localizer(Localization(refused="it shows legs"))
    with pytest.raises(LabelError, match="it shows legs"):
        grade(lumbar[0], models=[grader])


def test_without_models_there_is_an_error(lumbar):
    with pytest.raises(ConfigError, match="models"):
        grade(lumbar[0], labels=lumbar[1], models=[])


def test_explain_one_patch_for_a_chosen_class(grader, lumbar):
    volume, labels = lumbar
    patch = patches_for(grader, volume, localize(volume, labels=labels))[2]
    explanation = explain(grader, patch, target="G3")
    assert explanation.target == "G3"
    assert explanation.evidence[0].heatmap.shape == patch.array.shape
    with pytest.raises(ConfigError, match="prototypes"):
        explain(grader, patch, method="tea_leaves")


def test_a_single_center_is_enough(grader):
    folder = DATA / "totalsegmentator-thoracic"
    volume = read_volume(folder / "thoracic_ct.nii.gz")
    centers = read_centroids(folder / "thoracic_ctd.json", volume)
    (only,) = grade(volume, centroids=centers[4:5], models=[grader]).vertebrae
    assert only.vertebra.level is centers[4].level
    away = np.linalg.norm(np.subtract(only.vertebra.centroid_mm, centers[4].centroid_mm))
    assert 0 < away < 4.0


def test_a_body_mask_gives_centers_and_heights(grader, lumbar, findings):
    volume, labels = lumbar
    body = read_labels(DATA / "totalsegmentator-example" / "totalseg_vertebrae_body.nii.gz")
    with_body = grade(volume, labels=labels, body=body, models=[grader])
    for one, other in zip(findings.vertebrae[1:5], with_body.vertebrae[1:5], strict=True):
        assert np.allclose(one.vertebra.centroid_mm, other.vertebra.centroid_mm, atol=4)
        assert other.heights.posterior_mm == pytest.approx(one.heights.posterior_mm, abs=3)
    with pytest.raises(LabelError, match="labels"):
        bodies_of(None, body)


def test_chosen_vertebrae_are_compared_in_the_order_asked_for(grader, lumbar):
    volume, labels = lumbar
    vertebrae = vertebrae_from_mask(labels)
    levels = [VertebraLevel.L3, VertebraLevel.L1]
    shipped = load_grader("protoverse-phantom", runtime="torch")
    made = compare(volume, vertebrae, levels, shipped, beside=grader)
    assert [item.prototypes.patch.vertebra.level for item in made] == levels
    for item in made:
        assert item.prototypes.target == item.grading.grade
        assert [e.method for e in item.maps] == ["gradcam", "gradcam++", "xgradcam"]
        assert {e.target for e in item.maps} == {item.grading.grade}
        assert (item.model.name, item.beside.name) == ("protoverse-phantom", "two layers")
        contributions = sum(piece.score for piece in item.prototypes.evidence)
        logits = shipped.logits([item.prototypes.patch])[0]
        index = shipped.classes.index(item.grading.grade)
        assert contributions == pytest.approx(float(logits[index]), abs=1e-4)


def test_a_level_that_is_not_there_can_not_be_compared(grader, lumbar):
    volume, labels = lumbar
    with pytest.raises(LabelError, match="T1 is not among"):
        compare(volume, vertebrae_from_mask(labels), [VertebraLevel.T1], grader)


def test_any_torch_module_goes_through_grade_cam_evaluation_and_report(
    grader, lumbar, findings, tmp_path
):
    """What a module needs is a spec and class names: nothing is registered."""
    volume, labels = lumbar
    assessed = [item.assessments[0] for item in findings.vertebrae if item.assessments[0].grading]
    for assessment in assessed:
        assert assessment.explanation.method == "gradcam"
        assert assessment.explanation.evidence[0].heatmap.shape == (112, 112)
    patches = patches_for(grader, volume, localize(volume, labels=labels))
    for method in ("gradcam", "gradcam++", "xgradcam"):
        shown = explain(grader, patches[2], "G2", method).evidence[0].heatmap
        assert shown.shape == (112, 112)
        assert shown.min() >= 0
    figures = detection_figures(np.array([0, 1] * 3), 1 - probabilities(grader, patches[:6])[:, 0])
    assert 0 <= figures["f1"] <= 1
    write_report(findings, tmp_path)
    assert "two layers" in (tmp_path / "report.html").read_text()


def probabilities(grader, patches):
    return np.array([grading.probabilities for grading in grader.grade(patches)])


def test_a_model_is_explained_by_one_dissection(lumbar, known_grader, known_dissected):
    volume, labels = lumbar
    twice = [known_dissected.dissection, replace(known_dissected.dissection, layer="layers.0")]
    with pytest.raises(ConfigError, match=r'2 dissections of model "toy".*"layers", "layers\.0"'):
        grade(volume, labels=labels, models=[known_grader()], dissections=twice)
