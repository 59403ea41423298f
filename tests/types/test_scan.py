import dataclasses

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, ShapeError
from spinexplain.findings.scan import ScanFindings, ScanSource, VertebraFindings
from spinexplain.geometry import BoxFrame
from spinexplain.types import LabelMap, Patch, Vertebra, Volume

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


def test_findings_know_their_vertebra():
    assert VertebraFindings(PATCH, None, ()).vertebra is L1


def test_the_types_are_frozen():
    volume = Volume(np.zeros((2, 2, 2)), np.eye(4))
    source = ScanSource("ct.nii.gz", "00", (2, 2, 2), (1.0, 1.0, 1.0))
    scan = ScanFindings(source, volume, (), (), PATCH)
    for item, name in [(volume, "array"), (L1, "level"), (source, "name"), (scan, "models")]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(item, name, None)
