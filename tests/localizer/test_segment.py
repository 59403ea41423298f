import nibabel as nib
import numpy as np
import pytest

from fixtures.localizers import HALF_MM, ellipsoid
from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
from spinexplain.localizer.body_frame import body_frame
from spinexplain.localizer.segment import body_shares, paint_bodies
from spinexplain.spine.quality import BODY_CUT, BODY_RAGGED, BODY_UNSURE, BODY_UPPER_THORACIC
from spinexplain.types import Vertebra, Volume

LEVELS = [VertebraLevel.L1, VertebraLevel.L2, VertebraLevel.L3]
VOLUME_MM3 = 4 / 3 * np.pi * HALF_MM.prod()


def spine(levels=LEVELS):
    return [Vertebra(level, (60.0, 60.0, 130.0 - 36.0 * i)) for i, level in enumerate(levels)]


def scan(spacing=(1.5, 1.5, 2.0), axes="RAS", turn_deg=0.0):
    """A scan of soft tissue, 120 x 120 x 180 mm, stored along ``axes``, its grid turned."""
    shape = tuple(round(side / step) for side, step in zip((120, 120, 180), spacing, strict=True))
    affine = np.diag([*spacing, 1.0])
    angle = np.radians(turn_deg)
    about = np.array([60.0, 60.0, 90.0])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = about - turn[:3, :3] @ about
    start = nib.orientations.axcodes2ornt("RAS")
    goal = nib.orientations.axcodes2ornt(tuple(axes))
    stored = nib.orientations.ornt_transform(start, goal)
    array = nib.orientations.apply_orientation(np.full(shape, 40, np.int16), stored)
    return Volume(array, turn @ affine @ nib.orientations.inv_ornt_aff(stored, shape))


def centers_of(labels):
    found = {}
    for label in np.unique(labels.array[labels.array > 0]).tolist():
        inside = np.argwhere(labels.array == label).astype(float)
        found[label] = apply_affine(labels.affine, inside).mean(axis=0)
    return found


@pytest.mark.parametrize(
    ("axes", "turn_deg"), [("RAS", 0.0), ("LPS", 0.0), ("PIR", 0.0), ("SAL", 17.0), ("RAS", 23.0)]
)
def test_bodies_lie_where_they_are_in_the_patient_however_the_scan_is_stored(axes, turn_deg):
    painted = paint_bodies(scan(axes=axes, turn_deg=turn_deg), spine(), ellipsoid)
    found = centers_of(painted.labels)
    assert set(found) == {level.verse_label for level in LEVELS}
    for vertebra in spine():
        assert found[vertebra.level.verse_label] == pytest.approx(vertebra.centroid_mm, abs=0.3)
    voxel = abs(np.linalg.det(painted.labels.affine[:3, :3]))
    counts = [np.count_nonzero(painted.labels.array == level.verse_label) for level in LEVELS]
    assert np.array(counts) * voxel == pytest.approx(VOLUME_MM3, rel=0.03)
    assert painted.doubts == {}


def test_a_coarse_grid_is_divided_and_its_voxels_keep_their_place():
    coarse = scan(spacing=(2.0, 2.0, 3.0))
    painted = paint_bodies(coarse, spine(), ellipsoid)
    assert painted.labels.spacing_mm == pytest.approx((1.0, 1.0, 1.0))
    # A divided voxel of 3 mm has its parts at -1, 0 and 1 mm; one of 2 mm at -0.5 and 0.5.
    offset = apply_affine(np.linalg.inv(coarse.affine), painted.labels.affine[:3, 3])
    assert (offset * (2, 2, 3) + 0.25) % 1.0 == pytest.approx([0.75, 0.75, 0.25], abs=1e-6)
    whole = paint_bodies(coarse, spine(), ellipsoid, coarsest_mm=10.0)
    assert whole.labels.spacing_mm == pytest.approx(coarse.spacing_mm)


def test_where_two_bodies_meet_the_surer_one_wins():
    near = [Vertebra(level, (60.0, 60.0, 130.0 - 15.0 * i)) for i, level in enumerate(LEVELS[:2])]
    labels = paint_bodies(scan(), near, ellipsoid).labels
    upper, lower = (centers_of(labels)[level.verse_label][2] for level in LEVELS[:2])
    border = apply_affine(labels.affine, np.argwhere(labels.array == 20).astype(float))[:, 2].min()
    assert border == pytest.approx(122.5, abs=1.0)
    assert upper > 130.0 > 115.0 > lower


def test_cervical_vertebrae_are_not_painted_and_the_upper_thoracic_ones_not_measured():
    levels = [VertebraLevel.C7, VertebraLevel.T1, VertebraLevel.T2]
    painted = paint_bodies(scan(), spine(levels), ellipsoid)
    assert set(centers_of(painted.labels)) == {8, 9}
    upper = {VertebraLevel.T1: BODY_UPPER_THORACIC, VertebraLevel.T2: BODY_UPPER_THORACIC}
    assert painted.doubts == upper
    assert not painted.measurable().array.any()


def test_a_mask_that_is_unsure_ragged_or_leaves_the_scan_is_not_measured():
    def unsure(x):
        return np.clip(ellipsoid(x), -20.0, 1.0)

    def ragged(x):
        logits = ellipsoid(x)
        logits[:, :, ::4] = -20.0
        return logits

    assert set(paint_bodies(scan(), spine(), unsure).doubts.values()) == {BODY_UNSURE}
    assert set(paint_bodies(scan(), spine(), ragged).doubts.values()) == {BODY_RAGGED}
    edge = [Vertebra(VertebraLevel.L1, (60.0, 60.0, 172.0)), *spine()[1:]]
    painted = paint_bodies(scan(), edge, ellipsoid)
    assert painted.doubts == {VertebraLevel.L1: BODY_CUT}
    assert set(centers_of(painted.measurable())) == {21, 22}


def test_a_second_blob_in_the_crop_belongs_to_nobody():
    def two(x):
        logits = ellipsoid(x)
        logits[:, 0, :6, :6, :6] = 20.0
        return logits

    assert paint_bodies(scan(), spine(), two).labels.extents.keys() == {20, 21, 22}
    one = paint_bodies(scan(), spine()[:1], two).labels
    assert np.count_nonzero(one.array) * abs(np.linalg.det(one.affine[:3, :3])) == pytest.approx(
        VOLUME_MM3, rel=0.03
    )


def test_each_crop_keeps_its_own_answer_in_pairs_and_alone():
    """Five crops, brighter and brighter: three calls, and every mask is its own crop's."""
    asked = []

    def by_brightness(x):
        asked.append(len(x))
        return ellipsoid(x) - x.mean(axis=(1, 2, 3, 4)).reshape(-1, 1, 1, 1, 1)

    volume = scan()
    volume.array[:] = np.arange(volume.array.shape[2], dtype=np.int16) * 4
    frames = [body_frame([one], one) for one in spine([*LEVELS, VertebraLevel.L4])]
    frames.append(frames[0])
    together = body_shares(volume, frames, by_brightness)
    assert asked == [2, 2, 1]
    alone = [body_shares(volume, [frame], by_brightness)[0] for frame in frames]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(together[0], together[1])
