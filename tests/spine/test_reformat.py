from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.geometry import apply_affine
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_volume
from spinexplain.spine.reformat import (
    box_frame,
    overview_frame,
    reformat,
    sample_patch,
    sheet_frame,
)
from spinexplain.spine.sampling import sample_labels, sample_volume
from spinexplain.types import Vertebra, Volume

THORACIC = Path(__file__).parents[1] / "data" / "totalsegmentator-thoracic"

GRIDS = [
    {"spacing_mm": (1.0, 1.0, 1.0)},
    {"spacing_mm": (0.7, 0.7, 0.8), "sway_mm": 8.0},
    {"spacing_mm": (1.0, 1.0, 2.0), "sway_mm": 8.0, "shear": 0.2},
]


class TestWedge:
    @pytest.mark.parametrize("grid", GRIDS)
    @pytest.mark.parametrize("loss", [0.0, 0.3])
    def test_height_loss_survives_in_the_sheet_and_in_the_box(
        self, kyphosis, wedge_loss, grid, loss
    ):
        spine = kyphosis(loss=loss, **grid)
        sheet = reformat(spine.volume, spine.vertebrae, "2d")[2].array
        assert wedge_loss(sheet) == pytest.approx(loss, abs=0.02)
        box = reformat(spine.volume, spine.vertebrae, "3d", (96, 96, 4))[2].array
        assert wedge_loss(box.mean(axis=2)) == pytest.approx(loss, abs=0.02)


def blob_volume(frame, index, spacing, tilt=0.15, sigma=3.0):
    """A scan with one Gaussian blob of 800 HU at a patch index; returns it and the place."""
    place = frame.to_mm(np.array(index, dtype=float))
    c, s = np.cos(tilt), np.sin(tilt)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0.1, 1]]) * spacing
    shape = np.ceil(60 / np.array(spacing)).astype(int)
    affine[:3, 3] = place - affine[:3, :3] @ (shape / 2 + [0.3, -0.2, 0.4])
    points = apply_affine(affine, np.moveaxis(np.indices(tuple(shape)), 0, -1).astype(float))
    hu = 800 * np.exp(-np.sum((points - place) ** 2, axis=-1) / (2 * sigma**2))
    return Volume(hu.astype(np.float32), affine), place


def weighted_center(array):
    weights = np.where(array > 40, array, 0.0)
    grid = np.indices(array.shape).reshape(array.ndim, -1)
    return grid @ weights.ravel() / weights.sum()


class TestBlob:
    @pytest.mark.parametrize("spacing", [(0.6, 0.7, 1.0), (1.0, 1.0, 1.0)])
    @pytest.mark.parametrize("index", [(55.5, 55.5), (30.0, 70.0), (80.3, 40.7)])
    def test_is_found_on_the_sheet(self, kyphosis, spacing, index):
        spine = kyphosis(sway_mm=8.0, spacing_mm=GRIDS[1]["spacing_mm"])
        frame = sheet_frame(spine.vertebrae, spine.middle)
        volume, _ = blob_volume(frame, index, spacing)
        found = weighted_center(sample_volume(volume, frame)[0])
        np.testing.assert_allclose(found, index, atol=0.3)

    @pytest.mark.parametrize("spacing", [(0.6, 0.7, 1.0), (1.0, 1.0, 1.0)])
    def test_is_found_in_the_box(self, kyphosis, spacing):
        spine = kyphosis()
        frame = box_frame(spine.vertebrae, spine.vertebrae[1])
        volume, place = blob_volume(frame, (30, 60, 50), spacing)
        found = frame.to_mm(weighted_center(sample_volume(volume, frame)[0]))
        assert np.linalg.norm(found - place) < 0.3


class TestFrames:
    def test_bodies_are_in_the_middle_of_sheets_and_boxes(self, kyphosis):
        spine = kyphosis(sway_mm=8.0, spacing_mm=GRIDS[1]["spacing_mm"])
        for vertebra in spine.vertebrae:
            sheet = sheet_frame(spine.vertebrae, vertebra, (21, 31), 2.0)
            np.testing.assert_allclose(sheet.to_mm([10.0, 15.0]), vertebra.centroid_mm, atol=0.02)
            box = box_frame(spine.vertebrae, vertebra, (21, 31, 11), 2.0)
            np.testing.assert_allclose(box.to_mm([10, 15, 5]), vertebra.centroid_mm, atol=1e-9)

    def test_the_order_of_the_vertebrae_does_not_matter(self, kyphosis):
        spine = kyphosis()
        one = box_frame(spine.vertebrae, spine.middle)
        other = box_frame(spine.vertebrae[::-1], spine.middle)
        np.testing.assert_array_equal(one.axes, other.axes)

    @pytest.mark.parametrize("lay", [sheet_frame, box_frame])
    def test_a_wrong_shape_or_spacing_is_refused(self, kyphosis, lay):
        spine = kyphosis()
        with pytest.raises(ConfigError, match=r"shape is \(9,\)"):
            lay(spine.vertebrae, spine.middle, (9,))
        for spacing in (0.0, -1.0, float("nan")):
            with pytest.raises(ConfigError, match="spacing_mm is"):
                lay(spine.vertebrae, spine.middle, spacing_mm=spacing)


class TestReformat:
    def test_gives_a_patch_a_vertebra_in_the_order_given(self, kyphosis):
        spine = kyphosis()
        patches = reformat(spine.volume, spine.vertebrae[::-1], "2d", (8, 10), 2.0)
        assert [patch.vertebra for patch in patches] == spine.vertebrae[::-1]
        assert all(patch.array.shape == (8, 10) for patch in patches)
        assert all(patch.frame.spacing_mm == 2.0 for patch in patches)

    def test_default_shapes(self, kyphosis):
        spine = kyphosis()
        assert reformat(spine.volume, spine.vertebrae)[0].array.shape == (112, 112)
        (patch,) = reformat(spine.volume, spine.vertebrae[:1], "3d")
        assert patch.array.shape == (96, 96, 96)

    def test_bad_requests_are_one_clear_error(self, kyphosis):
        spine = kyphosis()
        with pytest.raises(ConfigError, match="kind is '4d'; expected one of 2d, 3d"):
            reformat(spine.volume, spine.vertebrae, "4d")
        with pytest.raises(ConfigError, match="expected 3 positive numbers"):
            reformat(spine.volume, spine.vertebrae, "3d", (9, 9))
        stranger = Vertebra(VertebraLevel.L3, (0.0, 0.0, 0.0))
        with pytest.raises(LabelError, match="L3 is not among"):
            sheet_frame(spine.vertebrae, stranger)

    def test_a_patch_says_how_much_of_it_lies_outside(self, kyphosis):
        spine = kyphosis()
        low = Vertebra(VertebraLevel.L1, (7.0, -20.0, -100.0))
        patch = sample_patch(spine.volume, low, box_frame([*spine.vertebrae, low], low))
        assert patch.outside == 1.0


class TestRealMasks:
    def test_every_patch_of_verse004_shows_its_vertebra_in_the_middle(
        self, verse004, verse004_centers
    ):
        vertebrae = [Vertebra(level, tuple(c)) for level, c in verse004_centers.items()]
        for i, vertebra in enumerate(vertebrae):
            label = vertebra.level.verse_label
            sheet = sample_labels(verse004, sheet_frame(vertebrae, vertebra))
            box = sample_labels(verse004, box_frame(vertebrae, vertebra, (64, 64, 64)))
            assert sheet[55, 55] == label
            assert box[31, 31, 31] == label
            if i:  # the level above is above, in the whole picture
                above = np.argwhere(sheet == vertebrae[i - 1].level.verse_label)[:, 0].mean()
                assert above < np.argwhere(sheet == label)[:, 0].mean()

    def test_arch_behind_body_in_the_crop(self, crop_mask, crop_subregions):
        """Labels 49 and 50 are the body; the processes must be on the picture's right."""
        body = np.isin(crop_subregions.array, (49, 50)) & (crop_mask.array == 22)
        center = apply_affine(crop_mask.affine, np.argwhere(body).mean(axis=0))
        vertebra = Vertebra(VertebraLevel.L3, tuple(center))
        frame = sheet_frame([vertebra], vertebra)
        parts = sample_labels(crop_subregions, frame)
        assert parts[55, 55] in (49, 50)
        columns = np.argwhere((parts > 0) & ~np.isin(parts, (49, 50)))[:, 1]
        assert columns.mean() > 75


class TestOverview:
    def test_shows_every_body_and_forty_millimeters_more(self, kyphosis):
        spine = kyphosis()
        frame = overview_frame(spine.vertebrae, spine.volume)
        index = frame.to_patch(np.array([v.centroid_mm for v in spine.vertebrae]))
        assert index[0, 0] == pytest.approx(39, abs=3)  # the scan ends there
        assert frame.shape[0] - index[-1, 0] == pytest.approx(40, abs=3)
        np.testing.assert_allclose(index[:, 2], 0, atol=0.01)
        assert np.diff(index[:, 0]).min() > 20
        assert index[:, 1].min() > 25  # room for the bodies
        assert (frame.shape[1] - index[:, 1]).min() > 65  # and the spinous processes
        assert sample_volume(spine.volume, frame)[1] < 0.05

    @pytest.mark.parametrize("spacing", [0.5, 2.0])
    def test_its_extent_does_not_depend_on_its_spacing(self, kyphosis, spacing):
        spine = kyphosis()
        one = overview_frame(spine.vertebrae, spine.volume)
        other = overview_frame(spine.vertebrae, spine.volume, spacing)
        np.testing.assert_allclose(np.array(other.shape) * spacing, one.shape, atol=2)

    def test_a_real_spine_ends_with_the_scan(self):
        scan = read_volume(THORACIC / "thoracic_ct.nii.gz")
        vertebrae = read_centroids(THORACIC / "thoracic_ctd.json", scan)
        frame = overview_frame(vertebrae, scan)
        picture, outside = sample_volume(scan, frame)
        assert outside < 0.02
        assert frame.shape[0] == pytest.approx(164 * 1.5, abs=4)  # the whole height of the scan
        index = frame.to_patch(np.array([v.centroid_mm for v in vertebrae]))
        rows, columns = index[:, :2].round().astype(int).T
        patches = [
            picture[r - 3 : r + 4, c - 3 : c + 4] for r, c in zip(rows, columns, strict=True)
        ]
        assert all(50 < patch.mean() < 500 for patch in patches)  # spongy bone

    def test_one_vertebra_alone_has_an_overview(self, kyphosis):
        spine = kyphosis()
        frame = overview_frame(spine.vertebrae[2:3], spine.volume)
        assert frame.shape == (80, 110)
