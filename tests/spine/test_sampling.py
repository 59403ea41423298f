from itertools import permutations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from spinexplain.geometry import BoxFrame, SheetFrame, apply_affine, box_axes, fit_curve
from spinexplain.spine.sampling import sample_labels, sample_volume
from spinexplain.spine.straighten import StraightenedFrame
from spinexplain.types import LabelMap, Volume

RNG = np.random.default_rng(7)
CENTER = np.array([12.0, -30.0, 200.0])
KNOTS = CENTER + np.array([[0, -14.0, 60], [4, -5, 30], [0, 0, 0], [-6, -4, -30], [-4, -12, -60]])


def grid_affine(spacing, tilt=0.0, shear=0.0, shape=(60, 60, 60)):
    """A grid around CENTER, turned about z and x and sheared like a tilted gantry."""
    c, s = np.cos(tilt), np.sin(tilt)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, c, -s], [0, s, c]]
    )
    axes = turn @ np.diag(spacing)
    axes[:, 2] += shear * axes[:, 1]
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = CENTER - axes @ (np.array(shape) - 1) / 2
    return affine


def sheet(shape=(40, 36), spacing=1.0, offset=0.0):
    coronal = fit_curve(KNOTS[:, [0, 2]], np.array([0.0, -1.0]))
    return SheetFrame(coronal, float(coronal.knots_s_mm[2]), CENTER[1], shape, spacing, offset)


def box(shape=(30, 28, 26), spacing=1.0):
    return BoxFrame(CENTER, box_axes(np.array([0.1, 0.25, -1.0])), shape, spacing)


def block(shape=(30, 20, 18), spacing=1.0):
    curve = fit_curve(KNOTS, np.array([0.0, 0.0, -1.0]))
    return StraightenedFrame(curve, float(curve.knots_s_mm[2]), shape, spacing)


FRAMES = {"sheet": sheet, "box": box, "block": block}
GRIDS = {
    "isotropic": grid_affine((1.0, 1.0, 1.0)),
    "thick slices": grid_affine((0.8, 0.8, 3.0)),
    "oblique": grid_affine((1.1, 0.9, 1.3), tilt=0.3),
    "sheared": grid_affine((0.9, 0.9, 1.5), tilt=0.1, shear=0.3),
    "flipped": grid_affine((-1.0, 1.2, -0.8)),
}
anywhere = pytest.mark.parametrize("name", FRAMES)
on_any_grid = pytest.mark.parametrize("grid", GRIDS)


def grid_points(frame):
    return frame.to_mm(np.moveaxis(np.indices(frame.shape), 0, -1))


def oracle(array, affine, frame, order=1):
    """Interpolate the whole volume at every point, clamped within its outermost voxels."""
    ijk = apply_affine(np.linalg.inv(affine), grid_points(frame))
    last = np.array(array.shape) - 1
    beyond = np.any((ijk < -0.5) | (ijk > last + 0.5), axis=-1)
    held = np.moveaxis(np.clip(ijk, 0, last), -1, 0)
    values = map_coordinates(array.astype(np.float64), held, order=order)
    return np.where(beyond, -1000.0 if order else 0, values), beyond.mean()


@anywhere
@on_any_grid
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_equals_interpolating_the_whole_volume(name, grid, dtype):
    array = RNG.uniform(-1000, 2000, (60, 60, 60)).astype(dtype)
    frame = FRAMES[name]()
    sampled, outside = sample_volume(Volume(array, GRIDS[grid]), frame, smooth=False)
    expected, share = oracle(array, GRIDS[grid], frame)
    np.testing.assert_allclose(sampled, expected, atol=0.05)
    assert outside == pytest.approx(share)
    assert sampled.dtype == np.float32


@anywhere
@pytest.mark.parametrize("smooth", [True, False])
def test_half_outside_the_scan(name, smooth):
    """The frames' centers lie on the scan's border; flat HU stay flat up to it."""
    array = np.full((60, 60, 60), 70, np.int16)
    affine = grid_affine((0.7, 0.8, 0.9), tilt=0.2)
    affine[:3, 3] += affine[:3, :3] @ np.array([30, 0, 0])
    frame = FRAMES[name]()
    sampled, outside = sample_volume(Volume(array, affine), frame, smooth)
    expected, share = oracle(array, affine, frame)
    assert 0.1 < share < 0.9
    assert outside == pytest.approx(share)
    np.testing.assert_allclose(sampled, expected, atol=0.01)


@anywhere
def test_wholly_outside_the_scan(name):
    affine = grid_affine((1.0, 1.0, 1.0))
    affine[:3, 3] += 500
    sampled, outside = sample_volume(Volume(np.zeros((60,) * 3, np.int16), affine), FRAMES[name]())
    assert outside == 1.0
    assert np.all(sampled == -1000)
    assert not sample_labels(LabelMap(np.ones((60,) * 3, np.uint8), affine), FRAMES[name]()).any()


@anywhere
@on_any_grid
def test_a_linear_ramp_is_exact_with_and_without_smoothing(name, grid):
    slope, frame = np.array([3.0, -5.0, 2.0]), FRAMES[name](spacing=1.4)
    affine, shape = GRIDS[grid], (90, 90, 90)
    affine = affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, 15.0)
    points = apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1).astype(float))
    volume = Volume(((points - CENTER) @ slope).astype(np.float32), affine)
    wanted = (grid_points(frame) - CENTER) @ slope
    for smooth in (True, False):
        sampled, outside = sample_volume(volume, frame, smooth)
        assert outside == 0
        np.testing.assert_allclose(sampled, wanted, atol=0.01)


@anywhere
@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_permuted_and_flipped_axes_give_the_same_patch(name, order, flipped):
    volume = Volume(
        RNG.integers(-1000, 1500, (50, 60, 45)).astype(np.int16),
        grid_affine((0.8, 0.9, 1.2), tilt=0.2, shape=(50, 60, 45)),
    )
    array, affine = volume.array, volume.affine.copy()
    for axis in flipped:
        affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
        affine[:3, axis] *= -1
        array = np.flip(array, axis)
    turned = Volume(array.transpose(order), affine[:, [*order, 3]])
    one, outside = sample_volume(volume, FRAMES[name]())
    other, same = sample_volume(turned, FRAMES[name]())
    np.testing.assert_allclose(other, one, atol=0.01)
    assert outside == same


@anywhere
@on_any_grid
def test_labels_are_those_of_the_nearest_voxel(name, grid):
    array = RNG.integers(0, 29, (60, 60, 60)).astype(np.uint8)
    frame = FRAMES[name]()
    sampled = sample_labels(LabelMap(array, GRIDS[grid]), frame)
    ijk = apply_affine(np.linalg.inv(GRIDS[grid]), grid_points(frame))
    unsure = np.any(np.abs(ijk - np.floor(ijk) - 0.5) < 1e-6, axis=-1)  # between two voxels
    expected = oracle(array, GRIDS[grid], frame, order=0)[0]
    np.testing.assert_array_equal(sampled[~unsure], expected[~unsure])
    assert sampled.dtype == array.dtype
    assert unsure.mean() < 0.2


def test_what_lies_between_samples_is_not_lost():
    """A stripe every 2 mm on 0.5 mm voxels, seen at 2 mm: the mean, not chance."""
    array = np.zeros((80, 80, 80), np.int16)
    array[:, :, ::4] = 800
    volume = Volume(array, grid_affine((0.5, 0.5, 0.5), shape=(80, 80, 80)))
    frame = BoxFrame(CENTER, box_axes(np.array([0.0, 0, -1])), (10, 10, 10), 2.0)
    assert np.abs(sample_volume(volume, frame)[0] - 200).max() < 30
    assert np.abs(sample_volume(volume, frame, smooth=False)[0] - 200).max() > 90
