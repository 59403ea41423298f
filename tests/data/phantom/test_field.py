from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.field import (
    FieldOfView,
    block_mean,
    block_pick,
    draw_field,
    draw_grid,
    draw_pose,
    posed,
)
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import stack
from spinexplain.geometry import apply_affine
from spinexplain.spine.quality import tilt_degrees
from spinexplain.types import Volume


@pytest.mark.parametrize("axes", ["RAS", "LPS", "PIR", "IPL"])
def test_any_axis_order_shows_the_same_point_in_the_same_place(axes):
    view = FieldOfView((-10.0, -20.0, 30.0), (8, 9, 10), (1.0, 2.0, 3.0), axes)
    array = np.zeros(view.shape, np.int16)
    array[2, 3, 4] = 7
    stored, affine = view.oriented(array)
    assert "".join(nib.aff2axcodes(affine)) == axes
    at = apply_affine(affine, np.argwhere(stored == 7)[0].astype(float))
    assert at.tolist() == [-8.0, -14.0, 42.0]


def test_painted_samples_average_to_voxels():
    view = FieldOfView((0.0, 0.0, 0.0), (4, 4, 5), (1.0, 0.7, 3.0), "RAS")
    assert view.oversample == (1, 1, 3)
    grid = view.fine_grid()
    z = block_mean(np.broadcast_to(grid.z, grid.shape), view.oversample)
    assert z[0, 0] == pytest.approx([0.0, 3.0, 6.0, 9.0, 12.0])
    assert block_pick(np.broadcast_to(grid.z, grid.shape), view.oversample)[0, 0] == pytest.approx(
        z[0, 0]
    )


def test_fields_of_view_show_their_span():
    preset = load_preset("verse-like")
    rng = np.random.default_rng(0)
    subject = draw_subject(rng, preset, {})
    places = stack(subject.bodies, subject.posture, True)
    spacings = []
    for _ in range(40):
        view = draw_field(rng, preset, places)
        assert 0.6 <= min(view.spacing_mm) <= max(view.spacing_mm) <= 3.0
        spacings.append(max(view.spacing_mm))
    assert max(spacings) > 2.0


@pytest.mark.parametrize("axes", ["RAS", "PIR"])
@pytest.mark.parametrize("tilt", [0.0, 17.0])
def test_the_affine_says_where_samples_were_painted(axes, tilt):
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = [3.0, -4.0, 5.0]
    view = FieldOfView((-10.0, -20.0, 30.0), (4, 9, 5), (1.0, 0.8, 3.0), axes, tilt, turn)
    grid = view.fine_grid()
    middle = [block_mean(np.broadcast_to(v, grid.shape), view.oversample) for v in
              (grid.x, grid.y, grid.z)]  # fmt: skip
    numbered = np.arange(np.prod(view.shape)).reshape(view.shape)
    stored, affine = view.oriented(numbered)
    for ijk in ((0, 0, 0), (3, 2, 1), (1, 8, 4)):
        painted_at = np.array([values[ijk] for values in middle])
        at = np.argwhere(stored == numbered[ijk])[0].astype(float)
        assert apply_affine(affine, at) == pytest.approx(view.to_patient(painted_at), abs=1e-4)
    assert tilt_degrees(Volume(stored.astype(np.int16), affine)) == pytest.approx(tilt, abs=1e-6)


def test_a_posed_spine_comes_back_to_the_patient():
    preset = load_preset("balanced")
    certain = replace(preset, field=replace(preset.field, oblique=1.0))
    subject = draw_subject(np.random.default_rng(0), preset, {})
    places = stack(subject.bodies, subject.posture, True)
    turn = draw_pose(np.random.default_rng(1), certain, places)
    for before, after in zip(places, posed(places, turn), strict=True):
        assert apply_affine(turn, after.center) == pytest.approx(before.center)
        assert turn[:3, :3] @ after.axes[2] == pytest.approx(before.axes[2])
    assert np.degrees(np.arccos((np.trace(turn[:3, :3]) - 1) / 2)) > 2
    assert draw_pose(np.random.default_rng(1), load_preset("demo"), places) is None


def test_a_wide_field_of_view_shows_the_trunk_in_coarser_voxels():
    preset = load_preset("balanced")
    certain = replace(preset, field=replace(preset.field, wide=1.0, gantry=1.0))
    narrow = FieldOfView((-50.0, -70.0, 0.0), (100, 150, 200), (1.0, 1.0, 2.0), "RAS")
    wide = draw_grid(np.random.default_rng(0), certain, narrow, None)
    assert wide.spacing_mm == (1.25, 1.25, 1.25)
    assert wide.low_mm[0] < -150
    assert wide.shape[0] * 1.25 > 320
    assert wide.shape[2] * 1.25 == pytest.approx(400, abs=2)
    assert 4 <= abs(wide.gantry_deg) <= 22
