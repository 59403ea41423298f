import nibabel as nib
import numpy as np
import pytest

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.field import FieldOfView, block_mean, block_pick, draw_field
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import stack
from spinexplain.geometry import apply_affine


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
