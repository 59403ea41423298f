import numpy as np
import pytest

from spinexplain.errors import GeometryError, ShapeError
from spinexplain.geometry import BoxFrame, apply_affine
from spinexplain.io.nifti import read_volume, write_nifti
from spinexplain.spine.paint import on_full_grid, paint_back, painter
from spinexplain.spine.reformat import box_frame, sheet_frame
from spinexplain.spine.straighten import straightened_frame
from spinexplain.types import Volume

RNG = np.random.default_rng(3)


def lattice(center, spacing, tilt=0.0, shear=0.0, size_mm=150.0):
    """An empty CT around a point, turned about z and sheared like a tilted gantry."""
    c, s = np.cos(tilt), np.sin(tilt)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, shear], [0, 0, 1]]) * spacing
    shape = tuple(np.ceil(size_mm / np.abs(spacing)).astype(int))
    affine[:3, 3] = center - affine[:3, :3] @ (np.array(shape) / 2 + [0.3, -0.2, 0.4])
    return Volume(np.zeros(shape, np.int8), affine)


LATTICES = [
    {"spacing": (1.0, 1.0, 1.0)},
    {"spacing": (0.8, 0.8, 3.0), "tilt": 0.1},
    {"spacing": (0.9, 1.1, 1.4), "tilt": 0.3, "shear": 0.3},
    {"spacing": (-3.0, 3.0, -3.0)},
]
on_any_lattice = pytest.mark.parametrize("grid", LATTICES)


@pytest.fixture
def spine(kyphosis):
    return kyphosis(sway_mm=8.0, spacing_mm=(0.7, 0.7, 0.8))


def all_mm(painted):
    grid = np.moveaxis(np.indices(painted.array.shape), 0, -1)
    return apply_affine(painted.affine, grid)


def bump(shape, index, sigma=3.0):
    offsets = [np.arange(n) - i for n, i in zip(shape, index, strict=True)]
    square = sum(np.square(o) for o in np.ix_(*offsets))
    return np.exp(-square / (2 * sigma**2)).astype(np.float32)


@on_any_lattice
def test_a_box_paints_every_voxel_inside_it_and_none_outside(spine, grid):
    frame = box_frame(spine.vertebrae, spine.middle, (40, 36, 30), 1.1)
    volume = lattice(np.array(spine.middle.centroid_mm), **grid, size_mm=80)
    painted = paint_back(np.ones(frame.shape), frame, volume)
    index = frame.to_patch(all_mm(painted))
    inside = np.all((index >= -0.5) & (index <= np.array(frame.shape) - 0.5), axis=-1)
    np.testing.assert_array_equal(painted.array, inside)
    everywhere = np.moveaxis(np.indices(volume.array.shape), 0, -1)
    index = frame.to_patch(apply_affine(volume.affine, everywhere))
    inside = np.all((index >= -0.5) & (index <= np.array(frame.shape) - 0.5), axis=-1)
    assert painted.array.sum() == inside.sum()  # the sub-box cuts nothing off


@on_any_lattice
def test_a_box_looks_up_the_heat_map_linearly(spine, grid):
    frame = box_frame(spine.vertebrae, spine.middle, (40, 36, 30), 1.1)
    slope = np.array([0.5, -0.2, 0.3])
    heat = np.moveaxis(np.indices(frame.shape), 0, -1) @ slope + 20
    volume = lattice(np.array(spine.middle.centroid_mm), **grid)
    painted = paint_back(heat, frame, volume)
    index = frame.to_patch(all_mm(painted))
    inside = np.all((index >= 0) & (index <= np.array(frame.shape) - 1), axis=-1)
    assert inside.sum() > 100
    np.testing.assert_allclose(painted.array[inside], index[inside] @ slope + 20, atol=1e-3)


@on_any_lattice
def test_a_sheet_paints_every_voxel_within_its_half_thickness(spine, grid):
    frame = sheet_frame(spine.vertebrae, spine.middle, (50, 40), 1.2)
    volume = lattice(np.array(spine.middle.centroid_mm), **grid, size_mm=80)
    painted = paint_back(np.ones(frame.shape), frame, volume)
    everywhere = np.moveaxis(np.indices(volume.array.shape), 0, -1)
    index = frame.to_patch(apply_affine(volume.affine, everywhere))
    edge = np.array([*frame.shape, 0])
    signed = np.minimum(index[..., :2] + 0.5, edge[:2] - 0.5 - index[..., :2]).min(axis=-1)
    signed = np.minimum(signed, painted.half_thickness_mm - np.abs(index[..., 2]))
    full = on_full_grid(painted, volume).array
    assert np.all(full[signed > 0.02] == 1)
    assert np.all(full[signed < -0.02] == 0)


@on_any_lattice
@pytest.mark.parametrize("offset", [0.0, 8.0])
def test_a_sheet_has_no_holes(spine, grid, offset):
    """The voxel that holds any point of the sheet is painted."""
    frame = sheet_frame(spine.vertebrae, spine.middle, (60, 50), 1.0, offset)
    volume = lattice(np.array(spine.middle.centroid_mm), **grid)
    full = on_full_grid(paint_back(np.ones(frame.shape), frame, volume), volume).array
    inner = np.stack(np.meshgrid(np.arange(4, 56, 0.5), np.arange(4, 46, 0.5)), -1)
    ijk = apply_affine(np.linalg.inv(volume.affine), frame.to_mm(inner))
    assert np.all(full[tuple(np.rint(ijk).astype(int).reshape(-1, 3).T)] == 1)


class TestHalfThickness:
    def test_is_a_sample_but_at_least_a_voxel(self, spine):
        frame = sheet_frame(spine.vertebrae, spine.middle, (60, 50), 1.5)
        center = np.array(spine.middle.centroid_mm)
        fine, coarse = (lattice(center, (s, s, s)) for s in (0.5, 3.0))
        heat = np.ones(frame.shape)
        assert paint_back(heat, frame, fine).half_thickness_mm == 1.5
        assert 3.0 <= paint_back(heat, frame, coarse).half_thickness_mm < 4.5
        assert paint_back(heat, frame, fine, 5.0).half_thickness_mm == 5.0
        assert paint_back(heat, frame, coarse, 1.0).half_thickness_mm >= 3.0

    def test_sets_how_much_is_painted(self, spine):
        frame = sheet_frame(spine.vertebrae, spine.middle, (60, 50), 1.0)
        volume = lattice(np.array(spine.middle.centroid_mm), (0.5, 0.5, 1.0))
        heat = np.ones(frame.shape)
        thin, thick = (paint_back(heat, frame, volume, half).array.sum() for half in (2.0, 6.0))
        assert thick / thin == pytest.approx(3.0, rel=0.03)


@pytest.mark.parametrize("grid", LATTICES[:3])
def test_a_blob_on_the_sheet_comes_back_to_its_place(spine, grid):
    frame = sheet_frame(spine.vertebrae, spine.middle)
    volume = lattice(np.array(spine.middle.centroid_mm), **grid)
    for index in [(55.5, 55.5), (35.2, 70.0)]:
        painted = paint_back(bump(frame.shape, index), frame, volume)
        weights = painted.array / painted.array.sum()
        found = frame.to_patch(np.tensordot(weights, all_mm(painted), axes=3))
        np.testing.assert_allclose(found[:2], index, atol=0.3)


@pytest.mark.parametrize("grid", LATTICES[:3])
def test_a_blob_in_the_box_comes_back_to_its_place(spine, grid):
    frame = box_frame(spine.vertebrae, spine.middle)
    volume = lattice(np.array(spine.middle.centroid_mm), **grid)
    painted = paint_back(bump(frame.shape, (40, 50.5, 45)), frame, volume)
    found = np.tensordot(painted.array / painted.array.sum(), all_mm(painted), axes=3)
    assert np.linalg.norm(found - frame.to_mm(np.array([40, 50.5, 45]))) < 0.3


def test_a_straightened_block_is_painted_too(spine):
    frame = straightened_frame(spine.vertebrae, spine.middle, (30, 30, 24))
    volume = lattice(np.array(spine.middle.centroid_mm), (1.0, 1.0, 1.0), size_mm=60)
    painted = paint_back(bump(frame.shape, (12, 16, 10)), frame, volume)
    found = np.tensordot(painted.array / painted.array.sum(), all_mm(painted), axes=3)
    assert np.linalg.norm(found - frame.to_mm(np.array([12, 16, 10]))) < 0.5


def test_a_plane_is_painted_one_sample_thick():
    volume = Volume(np.zeros((20, 20, 20), np.int8), np.eye(4))
    frame = BoxFrame(np.full(3, 9.0), np.eye(3), (5, 1, 5), 1.0)
    painted = paint_back(np.ones((5, 1, 5)), frame, volume)
    assert painted.array.shape == (5, 1, 5)
    assert painted.array.min() == 1


def test_the_part_lies_on_the_scans_own_lattice_and_survives_a_file(spine, tmp_path):
    volume = lattice(np.array(spine.middle.centroid_mm), (0.8, 0.9, 1.4), tilt=0.3)
    frame = box_frame(spine.vertebrae, spine.middle, (30, 30, 30))
    painted = paint_back(RNG.random(frame.shape), frame, volume)
    write_nifti(tmp_path / "map.nii.gz", painted.array, painted.affine)
    again = read_volume(tmp_path / "map.nii.gz")
    np.testing.assert_array_equal(again.array, painted.array)
    shift = np.linalg.inv(volume.affine) @ again.affine
    np.testing.assert_allclose(shift[:3, :3], np.eye(3), atol=1e-5)
    np.testing.assert_allclose(shift[:3, 3], np.rint(shift[:3, 3]), atol=1e-3)
    full = on_full_grid(painted, volume)
    assert full.array.shape == volume.array.shape
    start = np.rint(shift[:3, 3]).astype(int)
    part = full.array[tuple(map(slice, start, start + painted.array.shape))]
    np.testing.assert_array_equal(part, painted.array)
    assert full.array.sum() == pytest.approx(painted.array.sum(), rel=1e-5)


def test_contradictions_are_one_clear_error(spine):
    frame = box_frame(spine.vertebrae, spine.middle, (30, 30, 30))
    near = lattice(np.array(spine.middle.centroid_mm), (1.0, 1.0, 1.0))
    far = lattice(np.array(spine.middle.centroid_mm) + 900, (1.0, 1.0, 1.0))
    with pytest.raises(ShapeError, match=r"shape \(2, 2\); expected its frame's \(30, 30, 30\)"):
        paint_back(np.ones((2, 2)), frame, near)
    with pytest.raises(GeometryError, match="holds no voxel of the CT"):
        paint_back(np.ones(frame.shape), frame, far)
    painted = paint_back(np.ones(frame.shape), frame, near)
    other = lattice(np.array(spine.middle.centroid_mm), (1.1, 1.0, 1.0))
    for volume in (far, other):
        with pytest.raises(GeometryError, match="another lattice"):
            on_full_grid(painted, volume)


@pytest.mark.parametrize("make", [sheet_frame, box_frame])
def test_a_painter_paints_each_map_as_if_it_were_the_only_one(spine, make):
    shape = (30, 24) if make is sheet_frame else (30, 24, 20)
    frame = make(spine.vertebrae, spine.middle, shape, 1.1)
    volume = lattice(np.array(spine.middle.centroid_mm), (1.0, 1.2, 2.0))
    paint = painter(frame, volume)
    for index in ((10, 12, 9), (20, 8, 4)):
        heat = bump(shape, index[: len(shape)])
        once, alone = paint(heat), paint_back(heat, frame, volume)
        np.testing.assert_array_equal(once.array, alone.array)
        np.testing.assert_array_equal(once.affine, alone.affine)
        assert once.array.max() > 0.5
    with pytest.raises(ShapeError):
        paint(np.ones((3, 3)))
