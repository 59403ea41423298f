"""Labels that hold a disc are found on drawn spines and on a real CT, and no others."""

from dataclasses import replace
from importlib import resources
from itertools import pairwise

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.spine.checks.discs import (
    SpineProfile,
    _discs_are_seen,
    _in_gap,
    _is_cut,
    _Label,
    _measured,
    check_centers_in_bodies,
    labels_with_discs,
)
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import localize, vertebrae_from_mask
from spinexplain.spine.morphometry import measure
from spinexplain.types import LabelMap, Vertebra


def found(volume, labels):
    return {level.value for level in labels_with_discs(volume, labels, vertebrae_from_mask(labels))}


def height_mm(labels):
    """Height of every voxel in the patient, mm."""
    k = np.moveaxis(np.indices(labels.array.shape), 0, -1)
    return k @ labels.affine[2, :3] + labels.affine[2, 3]


def halves(labels):
    """Give the upper half of every vertebra to the level above."""
    array, z = labels.array.copy(), height_mm(labels)
    ordered = sorted(vertebrae_from_mask(labels), key=lambda one: one.level.order)
    codes = [0, *(one.level.verse_label for one in ordered)]
    for above, one in zip(codes, ordered, strict=False):
        own = labels.array == one.level.verse_label
        array[own & (z > one.centroid_mm[2] + 0.25)] = above  # voxels are 2 to 3 mm
    return LabelMap(array, labels.affine)


def one_cut(labels, upper, lower):
    """Give the lower third of a level to the one below."""
    array, z = labels.array.copy(), height_mm(labels)
    codes = [VertebraLevel(name).verse_label for name in (upper, lower)]
    center = next(v for v in vertebrae_from_mask(labels) if v.level.value == upper).centroid_mm
    array[(labels.array == codes[0]) & (z < center[2] - 4)] = codes[1]
    return LabelMap(array, labels.affine)


@pytest.fixture(scope="module")
def real():
    folder = resources.files("spinexplain.data") / "examples"
    volume = read_volume(str(folder / "lumbar_ct.nii.gz"))
    labels = read_labels(str(folder / "lumbar_seg-vert_msk.nii.gz"))
    return volume, match_grid(labels, volume)


def test_a_sound_mask_has_its_discs_between_its_labels(drawn_scan, real):
    assert found(drawn_scan.volume, drawn_scan.labels) == set()
    assert found(*real) == set()


def test_a_mask_moved_by_half_a_level_is_refused(drawn_scan, real):
    for volume, labels in ((drawn_scan.volume, drawn_scan.labels), real):
        with pytest.raises(GeometryError, match="hold a disc in their middle"):
            labels_with_discs(volume, halves(labels), vertebrae_from_mask(halves(labels)))


@pytest.mark.parametrize("shift", [-4, 4, 6])
def test_a_real_mask_moved_as_a_whole_is_not_graded_in_silence(real, shift):
    """By 12 to 18 mm, about half the distance of two lumbar vertebrae."""
    volume, labels = real
    array = np.zeros_like(labels.array)
    source, target = (
        (slice(None, -shift), slice(shift, None))
        if shift > 0
        else (
            slice(-shift, None),
            slice(None, shift),
        )
    )
    array[:, :, target] = labels.array[:, :, source]
    try:
        flags = {v.level.value: v.flags for v in localize(volume, LabelMap(array, labels.affine))}
    except GeometryError:
        return
    assert sum("disc_in_label" in one for one in flags.values()) >= 3


def test_one_wrong_cut_names_both_levels_and_measures_neither(drawn_scan):
    labels = one_cut(drawn_scan.labels, "L1", "L2")
    assert found(drawn_scan.volume, labels) == {"L1", "L2"}
    vertebrae = localize(drawn_scan.volume, labels)
    measured = {level.value for level in measure(labels, vertebrae)}
    assert measured == {"T11", "T12", "L3", "L4"}


def test_a_fracture_with_a_dense_band_is_no_disc(drawn_scan):
    """A band of impacted bone in the upper half of a body, as fresh fractures have."""
    volume = drawn_scan.volume
    array, z = volume.array.copy(), height_mm(drawn_scan.labels)
    center = drawn_scan.centers[VertebraLevel.L1]
    own = drawn_scan.labels.array == VertebraLevel.L1.verse_label
    array[own & (abs(z - center[2] - 4) < 2)] = 500
    assert found(type(volume)(array, volume.affine), drawn_scan.labels) == set()


def test_a_valley_needs_two_tops_near_it():
    hu = np.full(60, 100.0)
    hu[[18, 26]] = 300.0  # 8 mm apart: a disc
    hu[[40, 56]] = 300.0  # 16 mm apart: a body
    profile = SpineProfile(np.arange(60.0), hu, np.zeros(60, int), np.full(60, 30.0))
    depth = profile.discs()
    assert depth[22] == 200.0
    assert depth[44:53].max() == 0.0


def test_two_levels_are_too_few_to_compare(drawn_scan):
    array = np.where(np.isin(drawn_scan.labels.array, (20, 21)), drawn_scan.labels.array, 0)
    assert found(drawn_scan.volume, halves(LabelMap(array, drawn_scan.labels.affine))) == set()


def test_noise_that_hides_the_discs_accuses_no_label(drawn_scan):
    """Valleys in fractured bodies are left, and none between labels."""
    ordered = sorted(vertebrae_from_mask(drawn_scan.labels), key=lambda one: one.level.order)
    seen = [_Label(one.level, 0.0, 0.0, 0.0) for one in ordered]
    seen[1:3] = [replace(one, inside=80.0) for one in seen[1:3]]
    wrong = {one.level for one in seen[1:3]}
    assert not _discs_are_seen(seen, wrong, usual=80.0)
    shown = [replace(one, below=80.0) for one in seen]
    assert _discs_are_seen(shown, set(), usual=80.0)


def test_a_wide_disc_between_crushed_bodies_is_one():
    """Three bodies of 12 mm between dense endplates, discs of 16 mm without a label between."""
    body = [300.0, 300.0, *[100.0] * 8, 300.0, 300.0]
    disc = [75.0] * 16
    hu = np.array([75.0] * 10 + body + disc + body + disc + body + [75.0] * 10)
    label = np.zeros(len(hu), int)
    levels = [VertebraLevel(name) for name in ("L1", "L2", "L3")]
    for turn, level in enumerate(levels):
        label[10 + 28 * turn : 22 + 28 * turn] = level.verse_label
    profile = SpineProfile(np.arange(len(hu)), hu, label, np.full(len(hu), 28.0))
    measured = _measured(profile, [Vertebra(level, (0.0, 0.0, 0.0)) for level in levels])
    assert [one.inside for one in measured] == [200.0] * 3  # a crushed body looks like a disc
    assert [one.below for one in measured[:2]] == [225.0, 225.0]
    assert not any(_is_cut(one, 225.0) for one in measured)


def test_a_gap_inside_a_body_is_no_disc():
    """A mask half a vertebra off: no endplates at the ends of the gap between two labels."""
    body, disc = [300.0, 300.0, *[100.0] * 20, 300.0, 300.0], [75.0] * 6
    hu = np.array((body + disc) * 4)
    assert _in_gap(hu, (0, 36), (45, 70)) == pytest.approx(0.0)


def halfway(centers):
    """The same levels at the middles between each center and the next."""
    ordered = sorted(centers, key=lambda one: one.level.order)
    return [
        Vertebra(upper.level, tuple(np.add(upper.centroid_mm, lower.centroid_mm) / 2))
        for upper, lower in pairwise(ordered)
    ]


def test_centers_in_discs_are_refused(real):
    volume, labels = real
    centers = vertebrae_from_mask(labels)
    check_centers_in_bodies(volume, centers)
    with pytest.raises(LabelError, match=r"centers lie in discs \(\d+ HU below .* half a vertebra"):
        check_centers_in_bodies(volume, halfway(centers))
    with pytest.raises(LabelError, match="centers lie in discs"):
        localize(volume, centroids=halfway(centers))


def test_noisy_centers_and_single_ones_off_are_not_said_to_lie_in_discs(real):
    volume, labels = real
    centers = vertebrae_from_mask(labels)
    rng = np.random.default_rng(0)
    for _ in range(3):
        moved = [Vertebra(v.level, tuple(v.centroid_mm + rng.normal(0, 3, 3))) for v in centers]
        check_centers_in_bodies(volume, moved)
    check_centers_in_bodies(volume, [halfway(centers)[0], *centers[1:]])
    check_centers_in_bodies(volume, centers[:2])
