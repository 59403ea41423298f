import numpy as np
import pytest

from spinexplain.data.phantom.presets import Wide, load_preset
from spinexplain.data.phantom.scanner import draw_acquisition
from spinexplain.data.phantom.wide.artifacts import metal_artifacts, scan_large, thick_slices


def test_metal_streaks_only_its_own_slices():
    hu = np.zeros((40, 40, 6), np.float32)
    hu[18:22, 18:22, 3] = 3000
    metal_artifacts(np.random.default_rng(0), hu)
    assert np.abs(hu[:, :, 3]).std() > 3
    assert not hu[:, :, [0, 1, 2, 4, 5]].any()


def test_noise_has_the_drawn_strength_everywhere():
    how = draw_acquisition(np.random.default_rng(0), load_preset("wide").scanner)
    plain = dict(sharpen=0.0, streak_hu=0.0, gain=1.0, offset_hu=0.0, noise_hu=20.0)
    how = type(how)(**{**vars(how), **plain})
    hu = scan_large(np.random.default_rng(1), np.zeros((120, 30, 30), np.float32), how, np.ones(3))
    assert hu.dtype == np.int16
    for part in (hu[:40], hu[80:]):
        assert part.std() == pytest.approx(20.0, rel=0.1)


def test_thick_slices_blur_one_axis():
    wide = Wide(thick=1.0, thick_mm=(5.0, 5.0))
    hu = np.zeros((8, 8, 30), np.int16)
    hu[:, :, 15] = 1000
    for seed in range(20):  # one in four is thick along x
        thick = thick_slices(np.random.default_rng(seed), hu, np.ones(3), wide)
        if thick[4, 4, 15] < 900:
            break
    assert 100 < thick[4, 4, 12:19].max() < 500
    assert thick[4, 4, 5] == 0
    none = thick_slices(np.random.default_rng(0), hu, np.ones(3), Wide(thick=0.0))
    assert none is hu
