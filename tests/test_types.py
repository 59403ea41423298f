import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS
from spinexplain.errors import GeometryError, ShapeError
from spinexplain.findings.scan import ScanFindings, ScanSource, VertebraFindings
from spinexplain.geometry import BoxFrame
from spinexplain.types import (
    Evidence,
    Explanation,
    Grading,
    LabelMap,
    Patch,
    PrototypeDetail,
    Vertebra,
    Volume,
)

L1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
FRAME = BoxFrame(np.zeros(3), np.eye(3), (2, 3, 4), 1.0)
PATCH = Patch(L1, np.zeros((2, 3, 4), np.float32), FRAME)


@pytest.mark.parametrize("kind", [Volume, LabelMap])
def test_a_grid_must_be_3d(kind):
    with pytest.raises(ShapeError, match=r"3-D; got shape \(2, 2\)"):
        kind(np.zeros((2, 2), np.int16), np.eye(4))


@pytest.mark.parametrize("kind", [Volume, LabelMap])
@pytest.mark.parametrize(
    "affine", [np.eye(3), np.full((4, 4), np.nan), np.diag([1.0, 1, 0, 1]), np.ones((4, 4))]
)
def test_an_affine_must_be_finite_and_regular(kind, affine):
    with pytest.raises(GeometryError, match="affine"):
        kind(np.zeros((2, 2, 2), np.int16), affine)


def test_a_label_map_holds_integers():
    with pytest.raises(ShapeError, match="float64"):
        LabelMap(np.zeros((2, 2, 2)), np.eye(4))


def test_spacing_is_the_length_of_a_step_even_when_sheared():
    affine = np.array([[0, 0, 3.0, 5], [0.6, 0, 4.0, 5], [0.8, 2.0, 0, 5], [0, 0, 0, 1]])
    for kind in (Volume, LabelMap):
        grid = kind(np.zeros((2, 2, 2), np.int16), affine)
        assert grid.spacing_mm == pytest.approx((1.0, 2.0, 5.0))


@pytest.mark.parametrize("center", [(0.0, 1.0), (0.0, np.nan, 1.0), (np.inf, 0.0, 0.0)])
def test_a_vertebra_has_a_finite_center(center):
    with pytest.raises(GeometryError, match="L1: centroid_mm"):
        Vertebra(VertebraLevel.L1, center)


def test_a_patch_has_the_shape_of_its_frame():
    with pytest.raises(ShapeError, match=r"\(2, 3, 4\); got \(2, 3, 5\)"):
        Patch(L1, np.zeros((2, 3, 5)), FRAME)


def test_a_grading_has_one_probability_a_class_and_the_most_probable_grade():
    assert Grading(L1, TASKS["g0-g2-g3"], (0.1, 0.7, 0.2)).grade == "G2"
    with pytest.raises(ShapeError, match="got 1"):
        Grading(L1, TASKS["fracture"], (1.0,))


def test_evidence_comes_sorted_by_score():
    items = [Evidence(str(score), "G2", np.zeros((2, 3, 4)), score) for score in (2.0, 1.0)]
    assert Explanation(PATCH, "G2", "prototypes", "logit", tuple(items)).evidence[0].score == 2
    with pytest.raises(ShapeError, match=r"sorted by score; got \[1.0, 2.0\]"):
        Explanation(PATCH, "G2", "prototypes", "logit", tuple(items[::-1]))


def test_findings_know_their_vertebra():
    assert VertebraFindings(PATCH, None, ()).vertebra is L1


def test_the_types_are_frozen():
    volume = Volume(np.zeros((2, 2, 2)), np.eye(4))
    source = ScanSource("ct.nii.gz", "00", (2, 2, 2), (1.0, 1.0, 1.0))
    scan = ScanFindings(source, volume, (), (), PATCH)
    for item, name in [(volume, "array"), (L1, "level"), (source, "name"), (scan, "models")]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(item, name, None)


def test_terms_are_derived_from_the_detail():
    heat = np.zeros((2, 3, 4))
    detail = PrototypeDetail(similarity=2.0, connection=0.5)
    item = Evidence("G2 prototype 1", "G2", heat, 1.0, detail=detail)
    assert item.terms == {"similarity": 2.0, "connection": 0.5}
    again = replace(item, detail=replace(detail, max_similarity=3.0))
    assert again.terms["max_similarity"] == 3.0
    assert Evidence("GradCAM", "G2", heat, 1.0, {"peak": 2.0}).terms == {"peak": 2.0}
