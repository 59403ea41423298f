"""Density: the median of a region that holds nothing but trabecular bone."""

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.density import densities
from spinexplain.types import Vertebra, Volume

LEVELS = ("L1", "L2", "L3")


@pytest.fixture
def bodies():
    """Three upright bodies: cortex of 2 mm at 500 HU, marrow at 130, a vein of 20 behind."""
    x, y, z = np.mgrid[:80, :80, :140].astype(float)
    hu = np.full(x.shape, 40.0)
    vertebrae = []
    for number, name in enumerate(LEVELS):
        center = np.array([40.0, 40.0, 110.0 - 35 * number])
        inside = (np.hypot(x - center[0], y - center[1]) <= 18) & (abs(z - center[2]) <= 13)
        core = (np.hypot(x - center[0], y - center[1]) <= 16) & (abs(z - center[2]) <= 11)
        vein = core & (abs(x - center[0]) <= 3) & (abs(z - center[2]) <= 3) & (y < center[1] - 4)
        hu[inside], hu[core], hu[vein] = 500.0, 130.0, 20.0
        vertebrae.append(Vertebra(VertebraLevel(name), tuple(center.tolist())))
    return hu, vertebrae


def test_it_reads_the_marrow_through_noise(bodies):
    hu, vertebrae = bodies
    noisy = hu + np.random.default_rng(1).normal(0, 25, hu.shape)
    found = densities(Volume(noisy.astype(np.float32), np.eye(4)), vertebrae)
    assert [one.value for one in found] == list(LEVELS)
    for one in found.values():
        assert one.hu == pytest.approx(130.0, abs=5)
        assert one.placed_by == "geometry"


def test_cement_is_not_read(bodies):
    hu, vertebrae = bodies
    hu[34:46, 34:46, 105:115] = 1800.0
    found = densities(Volume(hu.astype(np.float32), np.eye(4)), vertebrae)
    assert VertebraLevel.L1 not in found
    assert VertebraLevel.L2 in found


def test_a_body_that_leaves_the_scan_is_not_read(bodies):
    hu, vertebrae = bodies
    found = densities(Volume(hu[:, :, 40:].astype(np.float32), np.eye(4)), vertebrae)
    assert VertebraLevel.L3 not in found or found[VertebraLevel.L3].samples > 0
    away = densities(Volume(hu[:30].astype(np.float32), np.eye(4)), vertebrae)
    assert away == {}


def test_measured_heights_place_the_region():
    from importlib import resources

    import spinexplain
    from spinexplain.io.nifti import read_labels, read_volume

    folder = resources.files("spinexplain.data") / "examples"
    volume = read_volume(str(folder / "lumbar_ct.nii.gz"))
    labels = read_labels(str(folder / "lumbar_seg-vert_msk.nii.gz"))
    vertebrae = spinexplain.localize(volume, labels=labels)
    heights = spinexplain.measure(labels, vertebrae)
    by_heights = densities(volume, vertebrae, heights)
    by_center = densities(volume, vertebrae)
    assert {one.placed_by for one in by_heights.values()} >= {"heights"}
    for level in set(by_heights) & set(by_center):
        assert by_heights[level].hu == pytest.approx(by_center[level].hu, abs=25)


def test_no_vertebra_no_density():
    assert densities(Volume(np.zeros((4, 4, 4), np.float32), np.eye(4)), []) == {}
