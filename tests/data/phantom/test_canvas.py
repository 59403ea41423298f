import numpy as np
import pytest

from spinexplain.data.phantom.canvas import blank_canvas, blend, coarse_grain, cover, grain
from spinexplain.data.phantom.grids import box_grid


def test_cover_is_the_share_of_a_pixel_cut_by_a_plane():
    fine = np.linspace(-0.5, 0.5, 2001)
    for distance in (-0.3, 0.0, 0.41):
        assert cover(np.array(distance), 1.0) == pytest.approx(
            (fine + distance < 0).mean(), abs=1e-3
        )


def test_blend_mixes_in_place():
    hu = np.array([0.0, 0.0])
    blend(hu, np.array([0.25, 1.0]), 100.0)
    assert hu.tolist() == [25.0, 100.0]


def test_textures_are_standard_normal_and_as_coarse_as_told():
    rng = np.random.default_rng(0)
    fine, coarse = grain(rng, (128, 128), 0.7), coarse_grain(rng, (128, 128), 8.0)
    assert fine.std() == pytest.approx(1.0, abs=1e-3)
    assert coarse.std() == pytest.approx(0.85, abs=0.25)
    assert np.corrcoef(fine[:, :-4].ravel(), fine[:, 4:].ravel())[0, 1] < 0.1
    assert np.corrcoef(coarse[:, :-4].ravel(), coarse[:, 4:].ravel())[0, 1] > 0.7


def test_a_canvas_has_every_field_on_its_grid():
    grid = box_grid(np.arange(6.0), np.arange(7.0), np.arange(8.0), 1.0)
    canvas = blank_canvas(np.random.default_rng(0), grid, 40.0)
    assert canvas.hu.shape == canvas.evidence.shape == (6, 7, 8)
    assert (canvas.hu == 40.0).all()
    assert not canvas.label.any()
