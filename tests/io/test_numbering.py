"""Whose numbers a mask has: drawn spines of the right sizes, real masks, foreign tools."""

from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError
from spinexplain.io.level_sizes import usual_step_mm, usual_volume_mm3
from spinexplain.io.nifti import read_labels
from spinexplain.io.numbering import detect_scheme, refuse_shells
from spinexplain.io.schemes import SACRUM, SCHEMES, apply_mapping, label_centers_mm
from spinexplain.types import LabelMap

DATA = Path(__file__).parents[1] / "data"
NORMAL = [level.value for level in VertebraLevel if level.value not in ("T13", "L6")]
WITH_T13 = [*NORMAL[:19], "T13", *NORMAL[19:]]
LUMBAR = NORMAL[19:]


def verse(name):
    return SACRUM if name == "sacrum" else VertebraLevel(name).verse_label


def size_of(name):
    return usual_volume_mm3(VertebraLevel("L5" if name == "sacrum" else name))


def step_below(name, below):
    if "sacrum" in (name, below):
        return 34.0
    return usual_step_mm(VertebraLevel(name), VertebraLevel(below))


def drawn_spine(names, scale=1.0, spacing=3.0, flips=(False, False, False), axes=(0, 1, 2)):
    """Draw one block of the usual volume per level from cranial to caudal; VerSe labels."""
    steps = [0.0] + [step_below(*pair) for pair in pairwise(names)]
    depths = scale * (np.cumsum(steps) + 25.0)
    slices = int((depths[-1] + 25.0 * scale) / spacing)
    array = np.zeros((24, 24, slices), np.int16)
    for name, depth in zip(names, depths, strict=True):
        half = round(0.3 * scale * 20.0 / spacing / 2 + 1)
        side = int(np.sqrt(scale**3 * size_of(name) / (2 * half * spacing**3)))
        middle = slices - round(depth / spacing)
        array[2 : 2 + side, 2 : 2 + side, middle - half : middle + half] = verse(name)
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


def or_question(mask):
    try:
        return detect_scheme("mask.nii.gz", mask)
    except LabelError as question:
        return question


runs = st.tuples(st.integers(0, 22), st.integers(2, 24))


@settings(max_examples=60, deadline=None)
@given(
    runs,
    st.sampled_from(["verse", "totalsegmentator", "spine-segment"]),
    st.booleans(),
    st.tuples(*[st.booleans()] * 3),
    st.permutations([0, 1, 2]),
    st.sampled_from([0.85, 1.0, 1.15]),
)
def test_any_run_of_levels_comes_back(run, scheme, with_sacrum, flips, axes, step):
    start, count = run
    names = NORMAL[start : start + count]
    if with_sacrum and names[-1] == "L5":
        names = [*names, "sacrum"]
    truth = drawn_spine(names, step, flips=flips, axes=axes)
    mask = renumbered(truth, inverse(scheme))
    found = or_question(mask)
    if isinstance(found, LabelError):  # a small L5 may be a large T8 of the first version
        assert scheme == "totalsegmentator"
        assert "totalsegmentator-v1" in str(found)
        return
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


FOREIGN = {
    "local numbers 1 to 5 from L1": {20 + i: 1 + i for i in range(5)},
    "local numbers 1 to 9 from T9": {16 + i: 1 + i for i in range(9)},
    "local numbers 1 to 5 from L5": {24 - i: 1 + i for i in range(5)},
    "totalspineseg": {16: 29, 17: 30, 18: 31, 19: 32, 20: 41, 21: 42, 22: 43, 23: 44, 24: 45},
    "totalspineseg, L1 only": {20: 41},
    "totalspineseg, L5 only": {24: 45},
    "totalspineseg, T12 and L1": {19: 32, 20: 41},
    "totalspineseg, T1 to T5": {8: 21, 9: 22, 10: 23, 11: 24, 12: 25},
    "vertebrae_mr": {label: 26 - label for label in range(16, 25)},
    "vertebrae_mr, L5 to L3": {24: 2, 23: 3, 22: 4},
    "hundreds": {20 + i: 200 + 10 * i for i in range(5)},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_numbers_are_never_read_as_other_levels(name):
    table = FOREIGN[name]
    spine = drawn_spine([VertebraLevel.from_verse_label(v).value for v in sorted(table)])
    with pytest.raises(LabelError, match=r"--label-scheme") as refused:
        detect_scheme("m.nii.gz", renumbered(spine, table))
    assert "which tool" in str(refused.value)


def test_a_scheme_that_is_read_by_name_only_is_named():
    table = FOREIGN["totalspineseg"]
    spine = drawn_spine(NORMAL[15:])
    with pytest.raises(LabelError, match=r"fit totalspineseg"):
        detect_scheme("m.nii.gz", renumbered(spine, table))
    to_verse = SCHEMES["totalspineseg"].to_verse
    back = apply_mapping(renumbered(spine, table), to_verse)
    np.testing.assert_array_equal(back.array, spine.array)


def test_bones_in_the_row_that_a_scheme_does_not_name_speak_against_it():
    """T3 to T7 of totalspineseg with discs: of these 27 alone would be TotalSegmentator's L5."""
    spine = drawn_spine(["T3", "T4", "T5", "T6", "T7"])
    mask = renumbered(spine, {10: 23, 11: 24, 12: 25, 13: 26, 14: 27})
    mask.array[3, 3, :4] = [74, 75, 76, 77]
    with pytest.raises(LabelError, match=r"fit totalspineseg"):
        detect_scheme("m.nii.gz", mask)
    odd = renumbered(spine, {10: 3, 11: 4, 12: 5, 13: 6, 14: 43})
    with pytest.raises(LabelError, match=r"labels 4, 5, 6 lie in a row with its vertebrae"):
        detect_scheme("m.nii.gz", odd)


def test_discs_and_endplates_of_spineps_are_left_out():
    spine = drawn_spine(NORMAL[15:])
    mask = LabelMap(spine.array.copy(), spine.affine)
    for level in range(16, 24):
        below = np.argwhere(spine.array == level)[:, 2].min()
        mask.array[3:9, 3:9, below - 1] = 100 + level
        mask.array[3:9, 3:9, below] = 200 + level
    found = detect_scheme("m.nii.gz", mask)
    assert found.name == "verse"
    assert np.unique(apply_mapping(mask, found.to_verse).array).max() == 24


def test_interpolated_labels_are_refused():
    from scipy.ndimage import zoom

    spine = drawn_spine(LUMBAR)
    finer = LabelMap(np.rint(zoom(spine.array.astype(float), 3, order=1)).astype(int), np.eye(4))
    with pytest.raises(LabelError, match=r"thin shells .* nearest neighbor"):
        refuse_shells("m.nii.gz", finer)
    refuse_shells("m.nii.gz", spine)


@pytest.mark.parametrize("factor", [1 / 3, 0.1, 1 / 25.4])
def test_a_spacing_that_is_none_is_not_taken_for_another_numbering(factor):
    mask = drawn_spine(LUMBAR)
    affine = mask.affine @ np.diag([factor, factor, factor, 1.0])
    with pytest.raises(LabelError, match=r"bones lie 0\.\d+ times as far apart .*voxel spacing"):
        detect_scheme("mask", LabelMap(mask.array, affine))
