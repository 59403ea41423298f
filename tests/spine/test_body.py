from __future__ import annotations

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import box_axes
from spinexplain.spine.body import extract_body

UPRIGHT = box_axes(np.array([0.0, 0.0, -1.0]))


@pytest.fixture(scope="module")
def extract(voxel_spine, bone):
    """Draw one vertebra and extract its body from a first guess that is off."""

    def draw(off_mm=(2.0, -2.0, 1.0), spacing_mm=(1.0, 1.0, 1.0), axes=UPRIGHT, **settings):
        drawn = bone(settings.pop("heights_mm", (24.0, 24.0, 24.0)), **settings)
        mask, centers = voxel_spine({"L2": drawn}, spacing_mm=spacing_mm)
        center = centers[VertebraLevel.L2]
        return extract_body(mask.array > 0, mask.affine, center + off_mm, axes), center

    return draw


def _angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


@pytest.mark.parametrize("tilt", [-20.0, 0.0, 20.0])
@pytest.mark.parametrize("roll", [0.0, 12.0])
def test_the_caudal_axis_follows_the_endplates(extract, tilt, roll):
    body, _ = extract(tilt_deg=tilt, roll_deg=roll)
    tilt, roll = np.radians([tilt, roll])
    # The bone's long axis in the patient: undo the phantom's turns, one after the other.
    v, w = 0.0, -1.0
    u, w = np.sin(roll) * w, np.cos(roll) * w
    v, w = v * np.cos(tilt) + w * np.sin(tilt), w * np.cos(tilt) - v * np.sin(tilt)
    assert _angle_deg(body.axes[0], np.array([u, v, w])) < 1.5


def test_a_wedge_is_halved_not_followed(extract):
    body, _ = extract(heights_mm=(16.0, 20.0, 24.0), roll_deg=0.0)
    assert _angle_deg(body.axes[0], np.array([0.0, 0.0, -1.0])) < 1.5
    rows = np.isfinite(body.cranial_mm[:, body.u_mm == 0][:, 0])
    height = (body.caudal_mm - body.cranial_mm)[:, body.u_mm == 0][rows, 0]
    assert height[-4] - height[4] > 5  # still a wedge in its own frame


@pytest.mark.parametrize("turn", [-20.0, 15.0])
def test_the_posterior_axis_points_to_the_arch(extract, turn):
    body, _ = extract(turn_deg=turn, roll_deg=0.0)
    expected = np.array([-np.sin(np.radians(turn)), -np.cos(np.radians(turn)), 0.0])
    assert _angle_deg(body.axes[1], expected) < 4.0


def test_without_an_arch_the_patient_says_where_posterior_is(extract):
    body, _ = extract(arch=False, roll_deg=0.0)
    assert _angle_deg(body.axes[1], np.array([0.0, -1.0, 0.0])) < 1.0


def test_the_axes_are_a_right_angled_frame(extract):
    body, _ = extract(tilt_deg=15, roll_deg=8, turn_deg=10)
    np.testing.assert_allclose(body.axes @ body.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(body.axes[0], body.axes[1]), body.axes[2], atol=1e-12)
    assert np.all(np.diag(body.axes @ UPRIGHT.T) > 0.9)


def test_the_arch_is_cut_off_behind_the_posterior_wall(extract):
    with_arch, center = extract(roll_deg=0.0)
    without, _ = extract(roll_deg=0.0, arch=False)
    for body in (with_arch, without):
        wall = body.to_mm(np.array([0.0, body.wall_mm, 0.0]))
        # half the depth of 32 mm, less the dent of the canal
        assert wall[1] == pytest.approx(center[1] - 15.0, abs=1.0)
        assert not np.isfinite(body.cranial_mm[body.v_mm > body.wall_mm]).any()
    assert np.nansum(with_arch.waist) == pytest.approx(np.nansum(without.waist), rel=0.03)


def test_endplates_lie_between_voxels(extract):
    body, _ = extract(tilt_deg=7, heights_mm=(24.3, 24.3, 24.3))
    inner = (np.abs(body.v_mm) < 9)[:, None] & (np.abs(body.u_mm) < 7)
    height = (body.caudal_mm - body.cranial_mm)[inner]
    assert np.mean(height) == pytest.approx(24.3, abs=0.25)


def test_the_outline_leaves_transverse_processes_out(extract):
    body, _ = extract()
    width = np.ptp(body.u_mm[body.outline.any(axis=0)])
    assert width == pytest.approx(44.0, abs=3.0)


def test_a_canal_filled_in_a_coarse_mask_mirrors_the_anterior_wall(voxel_spine, bone):
    mask, centers = voxel_spine({"L2": bone((24.0, 24.0, 24.0), roll_deg=0.0)})
    center = centers[VertebraLevel.L2]
    solid = mask.array > 0
    x, y, z = np.round(center - mask.affine[:3, 3]).astype(int)
    solid[x - 8 : x + 9, y - 45 : y, z - 10 : z + 11] = True
    body = extract_body(solid, mask.affine, center, UPRIGHT)
    wall = body.to_mm(np.array([0.0, body.wall_mm, 0.0]))
    assert wall[1] == pytest.approx(center[1] - 16, abs=4.0)


def test_a_hole_or_a_speck_changes_nothing(voxel_spine, bone):
    mask, centers = voxel_spine({"L2": bone((24.0, 24.0, 24.0))})
    center = centers[VertebraLevel.L2]
    damaged = mask.array > 0
    x, y, z = np.round(center - mask.affine[:3, 3]).astype(int)
    damaged[x - 2 : x + 3, y - 2 : y + 3, z - 2 : z + 3] = False  # a hole in the body
    damaged[x : x + 3, y : y + 3, z + 18 : z + 20] = True  # a mislabeled speck above it
    whole, broken = (
        extract_body(array, mask.affine, center, UPRIGHT) for array in (mask.array > 0, damaged)
    )
    np.testing.assert_allclose(broken.cranial_mm, whole.cranial_mm, atol=0.1)
    np.testing.assert_allclose(broken.caudal_mm, whole.caudal_mm, atol=0.1)


@pytest.mark.parametrize("size", [0, 2])
def test_no_body_no_answer(size):
    mask = np.zeros((30, 30, 30), bool)
    mask[15 : 15 + size, 15 : 15 + size, 15 : 15 + size] = True
    assert extract_body(mask, np.eye(4), np.array([15.0, 15.0, 15.0]), UPRIGHT) is None
