from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.simulate import _find_body, simulate_fracture
from spinexplain.data.phantom.sites import Site
from spinexplain.errors import ConfigError, LabelError
from spinexplain.geometry import apply_affine
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.morphometry import measure_bodies
from spinexplain.types import LabelMap

FOLDER = Path(__file__).parents[1] / "tptbox-sample-ct"


@pytest.fixture(scope="module")
def real():
    """A real CT at 1.5 mm: L3 whole, parts of L2 and L4."""
    ct = read_volume(FOLDER / "sub-ct_label-22_ct.nii.gz")
    return ct, read_labels(FOLDER / "sub-ct_seg-vert_label-22_msk.nii.gz")


def loss_from_masks(before, after, level):
    heights = [
        measure_bodies(labels, vertebrae)[level].heights_mm[1]
        for labels, vertebrae in (before, after)
    ]
    return float((1 - heights[1] / heights[0]).max())


@pytest.mark.parametrize(
    ("shape", "loss"), [("wedge", 0.3), ("biconcave", 0.35), ("crush", 0.5), ("mixed", 0.4)]
)
def test_a_warped_real_ct_confirms_its_loss(real, shape, loss):
    ct, labels = real
    level = VertebraLevel.L3
    broken = simulate_fracture(ct, labels, level, shape, loss, seed=1)
    before = (labels, vertebrae_from_mask(labels))
    assert loss_from_masks(before, (broken.labels, broken.vertebrae), level) == pytest.approx(
        loss, abs=0.012
    )
    assert broken.volume.array.dtype == ct.array.dtype


def test_impaction_packs_the_bone_of_the_lost_height_under_the_endplates(real):
    ct, labels = real
    level, code = VertebraLevel.L3, VertebraLevel.L3.verse_label
    old, fresh = (
        simulate_fracture(ct, labels, level, "crush", 0.4, seed=1, impaction=share)
        for share in (0.0, 1.0)
    )
    assert np.array_equal(old.labels.array, fresh.labels.array)
    added = fresh.volume.array.astype(float) - old.volume.array
    assert added.min() >= 0
    assert not added[old.labels.array != code].any()
    center = _find_body(labels, vertebrae_from_mask(labels), level).center_mm
    core = np.argwhere(labels.array == code)
    near = np.linalg.norm(apply_affine(labels.affine, core.astype(float)) - center, axis=1) < 7
    mineral = np.median(ct.array[tuple(core[near].T)])
    lost = (labels.array == code).sum() - (old.labels.array == code).sum()
    # in this osteoporotic bone much of it is under 1 HU a voxel, which rounding takes away
    assert added.sum() == pytest.approx(mineral * lost, rel=0.4)
    assert added.max() > 2 * mineral  # a band, not a haze
    at_middle = np.round(
        apply_affine(np.linalg.inv(ct.affine), np.array(fresh.vertebrae[1].centroid_mm))
    ).astype(int)
    assert added[tuple(at_middle)] < 0.5 * added.max()


def test_nothing_below_moves_and_all_above_follows_down(lumbar_scan):
    image = lumbar_scan.twin
    level = VertebraLevel.L1
    broken = simulate_fracture(image.volume, image.labels, level, "crush", 0.45, seed=2)
    old = {v.level: np.array(v.centroid_mm) for v in vertebrae_from_mask(image.labels)}
    new = {v.level: np.array(v.centroid_mm) for v in broken.vertebrae}
    assert new[VertebraLevel.L3] == pytest.approx(old[VertebraLevel.L3], abs=0.05)
    falls = [old[v][2] - new[v][2] for v in old if v.is_cranial_to(level)]
    assert min(falls) > 6
    assert max(falls) < 14
    same = image.labels.array == broken.labels.array
    assert same[image.labels.array == VertebraLevel.L4.verse_label].all()
    found = {v.level: np.array(v.centroid_mm) for v in vertebrae_from_mask(broken.labels)}
    for vertebra in found:
        assert np.linalg.norm(found[vertebra] - new[vertebra]) < 3.5


def test_evidence_lies_on_the_vertebra_and_in_the_height_it_lost(lumbar_scan):
    image = lumbar_scan.twin
    broken = simulate_fracture(
        image.volume, image.labels, VertebraLevel.L3, "biconcave", 0.4, seed=3
    )
    evidence = broken.evidence.array > 0
    assert set(np.unique(broken.evidence.array)) == {0, VertebraLevel.L3.verse_label}
    on = broken.labels.array[evidence]
    assert set(np.unique(on)) <= {0, VertebraLevel.L3.verse_label}
    assert 0.15 < (on > 0).mean() < 0.9


def test_what_the_border_of_the_scan_cuts_is_cut_after_the_fracture_too(real):
    """L2 of this crop has no upper half: pulled down, it must not pass for a crushed one."""
    ct, labels = real
    broken = simulate_fracture(ct, labels, VertebraLevel.L3, "wedge", 0.35)
    for mask in (labels, broken.labels):
        assert set(measure_bodies(mask, vertebrae_from_mask(mask))) == {VertebraLevel.L3}


def test_the_same_seed_gives_the_same_fracture(real):
    ct, labels = real
    one, two, other = (
        simulate_fracture(ct, labels, VertebraLevel.L3, "wedge", 0.3, seed=s).volume.array
        for s in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_bad_requests_are_refused(real):
    ct, labels = real
    with pytest.raises(ConfigError, match="'burst'"):
        simulate_fracture(ct, labels, VertebraLevel.L3, "burst", 0.3)
    with pytest.raises(ConfigError, match="loss is 35"):
        simulate_fracture(ct, labels, VertebraLevel.L3, "wedge", 35)
    with pytest.raises(ConfigError, match="impaction is -1"):
        simulate_fracture(ct, labels, VertebraLevel.L3, "wedge", 0.3, impaction=-1)
    with pytest.raises(LabelError, match="T4 is not in the mask"):
        simulate_fracture(ct, labels, VertebraLevel.T4, "wedge", 0.3)


def test_centers_beside_the_mask_follow_the_fracture(lumbar_scan):
    image, level = lumbar_scan.twin, VertebraLevel.L1
    whole = simulate_fracture(image.volume, image.labels, level, "crush", 0.45, seed=2)
    alone = LabelMap(
        np.where(image.labels.array == level.verse_label, level.verse_label, 0),
        image.labels.affine,
    )
    centers = vertebrae_from_mask(image.labels)
    part = simulate_fracture(image.volume, alone, level, "crush", 0.45, seed=2, centroids=centers)
    assert [v.level for v in part.vertebrae] == [v.level for v in whole.vertebrae]
    for one, other in zip(part.vertebrae, whole.vertebrae, strict=True):
        # of a mask alone the body's axis is straight down, not along the spine
        assert one.centroid_mm == pytest.approx(other.centroid_mm, abs=0.3)


def test_the_site_decides_which_endplate_moves_and_is_exported(real):
    """What is exported is what the evidence shows: one endplate's side of the body."""
    scan, mask = real
    for share, plate in ((0.95, 0), (0.05, 1)):
        site = Site("middle", share, 0.0, telling=False)
        made = simulate_fracture(scan, mask, VertebraLevel.L3, loss=0.35, seed=4, site=site)
        moved = np.array(made.displacement_mm).reshape(2, 6)
        assert moved[plate].sum() > 0.9 * moved.sum()
        assert moved[plate, 2:4].mean() > moved[plate, [0, 5]].mean()
        codes = made.part.array[made.evidence.array > 0]
        assert np.mean((codes - 1) // 6 == plate) > 0.95
        assert np.all(codes > 0)
