"""Label numbers of every tool, on drawn spines whose levels are known, and on real masks."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.io.nifti import read_labels
from spinexplain.io.schemes import (
    SACRUM,
    SCHEMES,
    apply_mapping,
    detect_scheme,
    label_centers_mm,
    level_named,
    mapping_from_names,
    scheme_named,
)
from spinexplain.types import LabelMap

DATA = Path(__file__).parents[1] / "data"
NORMAL = [level.value for level in VertebraLevel if level.value not in ("T13", "L6")]
WITH_T13 = [*NORMAL[:19], "T13", *NORMAL[19:]]


def verse(name):
    return SACRUM if name == "sacrum" else VertebraLevel(name).verse_label


def drawn_spine(names, step_mm=25.0, spacing=5.0, flips=(False, False, False), axes=(0, 1, 2)):
    """Draw one 15 mm block per level from cranial to caudal; VerSe labels."""
    slices = int((len(names) + 1) * step_mm / spacing)
    array = np.zeros((8, 8, slices), np.int16)
    for i, name in enumerate(names):
        top = slices - int((i + 0.5) * step_mm / spacing)
        array[2:6, 2:6, max(top - 3, 0) : top] = verse(name)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    image = nib.Nifti1Image(array, affine)
    flip = np.stack([np.arange(3), np.where(flips, -1, 1)], axis=1)[list(axes)]
    image = image.as_reoriented(flip)
    return LabelMap(np.asarray(image.dataobj), image.affine)


def renumbered(mask, table):
    array = np.zeros_like(mask.array)
    for old, new in table.items():
        array[mask.array == old] = new
    return LabelMap(array, mask.affine)


def inverse(scheme):
    return {v: label for label, v in SCHEMES[scheme].to_verse.items()}


runs = st.tuples(st.integers(0, 22), st.integers(2, 24))


@settings(max_examples=60, deadline=None)
@given(
    runs,
    st.sampled_from(["verse", "totalsegmentator", "spine-segment"]),
    st.booleans(),
    st.tuples(*[st.booleans()] * 3),
    st.permutations([0, 1, 2]),
    st.sampled_from([18.0, 25.0, 38.0]),
)
def test_any_run_of_levels_comes_back(run, scheme, with_sacrum, flips, axes, step):
    start, count = run
    names = NORMAL[start : start + count]
    if with_sacrum and names[-1] == "L5":
        names = [*names, "sacrum"]
    truth = drawn_spine(names, step, flips=flips, axes=axes)
    mask = renumbered(truth, inverse(scheme))
    found = detect_scheme("mask.nii.gz", mask)
    result = apply_mapping(mask, found.to_verse)
    expected = np.where(truth.array == SACRUM, 0, truth.array)
    np.testing.assert_array_equal(result.array, expected)
    assert result.array.dtype == np.uint8


def test_the_trap_28_is_t13_or_a_sacrum():
    t13 = drawn_spine(WITH_T13[17:])
    assert detect_scheme("m", t13).name == "verse"
    sacrum = renumbered(drawn_spine([*NORMAL[17:], "sacrum"]), inverse("spine-segment"))
    assert set(label_centers_mm(sacrum)) == set(label_centers_mm(t13))
    found = detect_scheme("m", sacrum)
    assert found.name == "spine-segment"
    assert 28 not in np.unique(apply_mapping(sacrum, found.to_verse).array)
    assert 28 in np.unique(apply_mapping(t13, SCHEMES["verse"].to_verse).array)


def test_the_trap_without_a_lumbar_level_is_told_by_distance():
    assert detect_scheme("m", drawn_spine(["T11", "T12", "T13"])).name == "verse"
    far = drawn_spine([*NORMAL[17:], "sacrum"])
    far = renumbered(far, {v: v for v in (18, 19)} | {SACRUM: 28})
    assert detect_scheme("m", far).name == "spine-segment"


def test_organs_of_totalsegmentator_are_left_out():
    mask = renumbered(drawn_spine(NORMAL[10:]), inverse("totalsegmentator"))
    mask.array[0, 0, :3] = [1, 25, 90]
    mask.array[1, 0, 0] = 117
    found = detect_scheme("m", mask)
    assert found.name == "totalsegmentator"
    kept = np.unique(apply_mapping(mask, found.to_verse).array).tolist()
    assert kept == [0, *range(11, 25)]


def test_a_lone_28_is_ambiguous_unless_the_name_tells():
    mask = renumbered(drawn_spine(["L4"]), {23: 28})
    with pytest.raises(LabelError, match=r"verse .* or totalsegmentator .*--label-scheme"):
        detect_scheme("m.nii.gz", mask)
    assert detect_scheme("totalseg.nii.gz", mask).name == "totalsegmentator"
    assert detect_scheme("sub-1_seg-vert_msk.nii.gz", mask).name == "verse"


def test_the_first_version_of_totalsegmentator():
    """Found beyond VerSe's labels, and only named within them."""
    truth = drawn_spine(NORMAL[10:])
    mask = renumbered(truth, inverse("totalsegmentator-v1"))
    found = detect_scheme("m.nii.gz", mask)
    assert found.name == "totalsegmentator-v1"
    np.testing.assert_array_equal(apply_mapping(mask, found.to_verse).array, truth.array)
    lumbar = renumbered(drawn_spine(NORMAL[19:]), inverse("totalsegmentator-v1"))
    with pytest.raises(LabelError, match=r"verse .* or totalsegmentator-v1"):
        detect_scheme("m.nii.gz", lumbar)


def test_a_verse_mask_with_a_wrong_order_stays_verse():
    """What is wrong with it is for the quality flags to say."""
    mask = renumbered(drawn_spine(NORMAL[10:18]), {v: v for v in range(11, 19)} | {14: 15, 15: 14})
    assert detect_scheme("m.nii.gz", mask).name == "verse"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([26], "26 fit no known"),
        ([70], "no known"),
        ([300], "fit no known"),
        ([], "every voxel is 0; expected vertebra labels"),
    ],
)
def test_masks_of_other_things(labels, message):
    array = np.zeros((4, 4, 4), np.int16)
    for i, label in enumerate(labels):
        array[i] = label
    with pytest.raises(LabelError, match=message):
        detect_scheme("m.nii.gz", LabelMap(array, np.eye(4)))


@pytest.mark.parametrize("values", [(-1000, 300), (0, 3000)])
def test_a_ct_given_as_mask_is_refused_at_once(values):
    array = np.full((4, 4, 4), values[0], np.int16)
    array[2] = values[1]
    mask = LabelMap(array, np.eye(4))
    for call in (lambda: detect_scheme("m", mask), lambda: apply_mapping(mask, {1: 1})):
        with pytest.raises(LabelError, match="Is it the CT"):
            call()


def test_real_masks():
    example = DATA / "totalsegmentator-example"
    for path, scheme in [
        (example / "totalseg.nii.gz", "totalsegmentator"),
        (example / "totalseg_vertebrae_pp_refined.nii.gz", "verse"),
        (DATA / "verse004" / "sub-verse004_seg-vert_msk.nii.gz", "verse"),
        (DATA / "tptbox-sample-ct" / "sub-ct_seg-vert_label-22_msk.nii.gz", "verse"),
    ]:
        assert detect_scheme("m.nii.gz", read_labels(path)).name == scheme
    subregions = DATA / "tptbox-sample-ct" / "sub-ct_seg-subreg_label-22_msk.nii.gz"
    with pytest.raises(LabelError, match="sub-regions"):
        detect_scheme("m.nii.gz", read_labels(subregions))


def test_totalsegmentator_agrees_with_its_verse_labelled_refinement():
    example = DATA / "totalsegmentator-example"
    mask = read_labels(example / "totalseg.nii.gz")
    truth = read_labels(example / "totalseg_vertebrae_pp_refined.nii.gz").array
    mapped = apply_mapping(mask, detect_scheme("m", mask).to_verse).array
    for label in range(19, 25):
        others, count = np.unique(mapped[truth == label], return_counts=True)
        inside = others > 0
        assert others[inside][count[inside].argmax()] == label
        assert count[others == label] > 0.9 * count[inside].sum()


def test_names_map_levels():
    names = {31: "vertebrae_L1", 26: "vertebrae_L6", 25: "sacrum", 5: "liver", 1: "vertebrae_body"}
    assert mapping_from_names(names) == {31: 20, 26: 25, 25: SACRUM}
    assert level_named("vertebrae_T1") == 8
    assert level_named("vertebrae_T13") == 28
    assert level_named("L1") == 20
    assert level_named("vertebrae_L7") is None


def test_every_scheme_maps_to_levels_once():
    for scheme in SCHEMES.values():
        vertebrae = [v for v in scheme.to_verse.values() if v != SACRUM]
        assert len(set(vertebrae)) == len(vertebrae)
        assert scheme_named(scheme.name.upper()) is scheme


def test_unknown_scheme_lists_the_known_ones():
    with pytest.raises(ConfigError, match="'nnunet' is unknown; expected one of verse, totalseg"):
        scheme_named("nnunet")


def test_centers_agree_with_scipy():
    from scipy.ndimage import center_of_mass

    mask = read_labels(DATA / "verse004" / "sub-verse004_seg-vert_msk.nii.gz")
    centers = label_centers_mm(mask)
    labels = list(centers)
    slow = center_of_mass(mask.array > 0, mask.array, labels)
    for label, index in zip(labels, slow, strict=True):
        np.testing.assert_allclose(centers[label], (mask.affine @ [*index, 1])[:3])
