"""Masks as public reports describe them, rebuilt small; each names its report.

Right is: refused, asked or flagged, never graded under another name or place in silence.
"""

import warnings
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError, SpinexplainError
from spinexplain.io.nifti import write_nifti
from spinexplain.io.read import read_mask, read_scan
from spinexplain.spine.localize import localize, with_graded_levels
from spinexplain.types import LabelMap, Vertebra, Volume

L1, L2 = VertebraLevel.L1.verse_label, VertebraLevel.L2.verse_label


@pytest.fixture
def folder(tmp_path, drawn_scan):
    write_nifti(tmp_path / "ct.nii.gz", drawn_scan.volume.array, drawn_scan.volume.affine)
    return tmp_path


def found(folder, mask):
    """Read and localize as the commands do; flags by level."""
    volume = read_scan(folder / "ct.nii.gz")
    return {v.level.value: v.flags for v in localize(volume, read_mask(mask))}


def saved(folder, array, affine, name="mask.nii.gz"):
    write_nifti(folder / name, array, affine)
    return folder / name


def test_the_same_mask_without_a_fault(folder, drawn_scan):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mask = saved(folder, drawn_scan.labels.array, drawn_scan.labels.affine)
        assert set(found(folder, mask).values()) == {()}


def test_linear_resampling_of_labels(folder, drawn_scan):
    """spinalcordtoolbox/spinalcordtoolbox#3173: labels came out striped by interpolation."""
    array = ndimage.zoom(drawn_scan.labels.array.astype(float), 2, order=1)
    affine = drawn_scan.labels.affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    with pytest.raises(LabelError, match="thin shells"):
        read_mask(saved(folder, np.rint(array).astype(np.uint8), affine))


def test_one_name_for_two_vertebrae(folder, drawn_scan):
    """neuropoly/totalspineseg#67: C5 used twice, C6 missing."""
    labels = drawn_scan.relabeled({"L1": "T12"})
    flags = found(folder, saved(folder, labels.array, labels.affine))
    assert "several_bones" in flags["T12"]


def test_neighboring_vertebrae_mixed(folder, drawn_scan):
    """wasserth/TotalSegmentator#291: a part of a vertebra carries its neighbor's label."""
    array = drawn_scan.labels.array.copy()
    bone = np.argwhere(array == L1)
    upper = bone[bone[:, 2] > np.median(bone[:, 2])]
    array[tuple(upper.T)] = VertebraLevel.T12.verse_label
    flags = found(folder, saved(folder, array, drawn_scan.labels.affine))
    assert set(flags["L1"]) & {"odd_label_size", "label_in_pieces"}
    assert set(flags["T12"]) & {"odd_label_size", "several_bones", "label_in_pieces"}


def test_a_mask_mirrored_front_to_back(folder, drawn_scan):
    """wasserth/TotalSegmentator pull 598: DICOM SEG mirrored along one axis, same geometry."""
    mirrored = drawn_scan.labels.array[:, ::-1]
    with pytest.raises(GeometryError):
        found(folder, saved(folder, mirrored, drawn_scan.labels.affine))


def test_a_mask_upside_down(folder, drawn_scan):
    """pyushkevich/itksnap#87: the NIfTI mask is flipped head to foot over the DICOM scan."""
    flipped = drawn_scan.labels.array[:, :, ::-1]
    with pytest.raises(SpinexplainError, match="bottom to top"):
        found(folder, saved(folder, flipped, drawn_scan.labels.affine))


def test_array_axes_exchanged(folder, drawn_scan):
    """rcuocolo/PROSTATEx_masks#9: mask 84 x 128, scan 128 x 84: transposed in plane."""
    turned = drawn_scan.labels.array.transpose(1, 0, 2)
    with pytest.raises(GeometryError):
        found(folder, saved(folder, turned, drawn_scan.labels.affine))


def test_a_bounding_box_that_moved(folder, drawn_scan):
    """mist-medical/MIST#22: same matrix and spacing, origin 20 mm off."""
    moved = drawn_scan.moved(4.0, 20.0, 0.0)
    with pytest.raises(GeometryError, match=r"different grids, up to 10\.0 voxels apart"):
        found(folder, saved(folder, moved.array, moved.affine))


def test_a_mask_of_the_bounding_box_only(folder, drawn_scan):
    """AIM-Harvard/pyradiomics#482: a mask may be a part of the image with its own origin."""
    start = [int(i) for i in np.argwhere(drawn_scan.labels.array).min(axis=0) - 2]
    crop = drawn_scan.labels.array[tuple(slice(i, None) for i in start)]
    affine = drawn_scan.labels.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ start
    assert set(found(folder, saved(folder, crop, affine)).values()) == {()}


def test_a_cropped_mask_that_lost_its_origin(folder, drawn_scan):
    """rmsandu/segmentation-eval#6: the mask is not at its place, the origin might be wrong."""
    start = [int(i) for i in np.argwhere(drawn_scan.labels.array).min(axis=0) - 2]
    crop = drawn_scan.labels.array[tuple(slice(i, None) for i in start)]
    with pytest.raises(GeometryError, match=r"do not lie on bone|do not overlap"):
        found(folder, saved(folder, crop, drawn_scan.labels.affine))


def test_a_resampled_mask_of_one_voxel_more(folder, drawn_scan):
    """BBillot/SynthSeg#71: after resampling back the mask is a voxel larger than the image."""
    array = np.pad(drawn_scan.labels.array, ((0, 1), (0, 0), (0, 1)))
    assert set(found(folder, saved(folder, array, drawn_scan.labels.affine)).values()) == {()}


def test_an_affine_rounded_in_late_decimals(folder, drawn_scan):
    """lzhLab/LiVS#3, spinalcordtoolbox#5207: grids that differ by rounding are one grid."""
    affine = np.round(drawn_scan.labels.affine, 3)
    assert set(found(folder, saved(folder, drawn_scan.labels.array, affine)).values()) == {()}


def test_labels_stored_as_floats_near_whole_numbers(folder, drawn_scan):
    """ENHANCE-PET/MOOSE#99: masks saved from floats, without the header of the scan."""
    image = nib.Nifti1Image(
        drawn_scan.labels.array.astype(np.float32)
        + np.float32(1e-5) * (drawn_scan.labels.array > 0),
        drawn_scan.labels.affine,
    )
    nib.save(image, folder / "mask.nii.gz")
    assert set(found(folder, folder / "mask.nii.gz").values()) == {()}


def test_numbers_counted_from_the_top(folder, drawn_scan):
    """Hendrik-code/spineps#59: without the labeling model, vertebrae are numbered from the top."""
    array = np.zeros_like(drawn_scan.labels.array)
    for number, level in enumerate(("T11", "T12", "L1", "L2", "L3", "L4"), start=1):
        array[drawn_scan.labels.array == VertebraLevel(level).verse_label] = number
    with pytest.raises(LabelError, match=r"which tool wrote the mask"):
        read_mask(saved(folder, array, drawn_scan.labels.affine))


def test_labels_of_regions_in_the_hundreds(folder, drawn_scan):
    """neuropoly/totalspineseg#38: a proposal of 121-140 thoracic, 141-160 lumbar."""
    array = np.zeros(drawn_scan.labels.array.shape, np.int16)
    table = {"T11": 131, "T12": 132, "L1": 141, "L2": 142, "L3": 143, "L4": 144}
    for level, number in table.items():
        array[drawn_scan.labels.array == VertebraLevel(level).verse_label] = number
    with pytest.raises(LabelError, match="fit no known label scheme"):
        read_mask(saved(folder, array, drawn_scan.labels.affine))


def test_all_vertebrae_as_one_label(folder, drawn_scan):
    """wasserth/TotalSegmentator#236: one label for all bodies does not say which is which."""
    array = (drawn_scan.labels.array > 0).astype(np.uint8)
    with pytest.raises(LabelError, match="does not say which vertebra"):
        read_mask(saved(folder, array, drawn_scan.labels.affine))


def test_every_level_shifted_by_one_is_not_claimed_to_be_found(folder, drawn_scan):
    """wasserth/TotalSegmentator#373: sizes cannot tell neighbors; nothing false is said."""
    names = ("T11", "T12", "L1", "L2", "L3", "L4")
    up = dict(zip(names, ("T10", *names[:-1]), strict=True))
    array = np.zeros_like(drawn_scan.labels.array)
    for old, new in up.items():
        old_label = VertebraLevel(old).verse_label
        array[drawn_scan.labels.array == old_label] = VertebraLevel(new).verse_label
    labels = LabelMap(array, drawn_scan.labels.affine)
    assert set(found(folder, saved(folder, labels.array, labels.affine)).values()) == {()}


def test_a_bone_above_carries_the_name_of_the_next(folder, drawn_scan):
    """MIRACLE-Center/CTSpine1K#15: the top slices show another vertebra under one name."""
    labels = drawn_scan.relabeled({"T11": "T12"})
    array = labels.array.copy()
    t12 = np.argwhere(drawn_scan.labels.array == VertebraLevel.T11.verse_label)
    lower = t12[t12[:, 2] < np.quantile(t12[:, 2], 0.7)]
    array[tuple(lower.T)] = 0  # what is left lies at the border of a scan
    flags = found(folder, saved(folder, array, labels.affine))
    assert set(flags["T12"]) & {"several_bones", "label_in_pieces", "odd_label_size"}


def test_channels_first_under_an_affine_of_space(folder, drawn_scan):
    """MIC-DKFZ/VoxTell#13: one-hot channels stacked first, saved with the affine of the scan."""
    levels = sorted({int(value) for value in np.unique(drawn_scan.labels.array)} - {0})
    stacked = np.stack([drawn_scan.labels.array == level for level in levels]).astype(np.uint8)
    nib.save(nib.Nifti1Image(stacked, drawn_scan.labels.affine), folder / "mask.nii.gz")
    with pytest.raises(SpinexplainError, match=r"4D|4-D|four|frames|volumes"):
        found(folder, folder / "mask.nii.gz")


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0)])
def test_axes_of_the_header_that_are_not_the_patients(drawn_scan, order):
    """spinalcordtoolbox/spinalcordtoolbox#366: the header says RPI, the image is AIL."""
    turn = np.eye(4)[[*order, 3]]
    volume = Volume(drawn_scan.volume.array, turn @ drawn_scan.volume.affine)
    labels = LabelMap(drawn_scan.labels.array, volume.affine)
    centers = [
        Vertebra(one.level, tuple((turn[:3, :3] @ one.centroid_mm).tolist()))
        for one in drawn_scan.vertebrae()
    ]
    # scoliosis: else the levels lie at one height, which is refused already
    leaning = [
        replace(one, centroid_mm=(*one.centroid_mm[:2], one.centroid_mm[2] - 0.5 * k))
        for k, one in enumerate(centers)
    ]
    with pytest.raises(SpinexplainError):
        with_graded_levels(localize(volume, labels))
    with pytest.raises(SpinexplainError, match="one above the other"):
        with_graded_levels(localize(volume, centroids=leaning))
