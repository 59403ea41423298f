import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
import pytest

from spinexplain.dicom_out.segmentation import segmentation
from spinexplain.dicom_out.write import context_of
from spinexplain.types import LabelMap

EVERY = ["HFS", "feet first", "prone", "sagittal", "oblique", "thin", "frames"]


@pytest.mark.parametrize("orientation", EVERY)
def test_highdicom_reads_every_voxel_back(cases, written, orientation):
    one = cases(orientation)
    found = hd.seg.segread(written(orientation) / "segmentation.dcm")
    assert [d.SegmentLabel for d in found.SegmentSequence] == ["T12", "L1", "L2"]
    volume = found.get_volume(combine_segments=True, relabel=False)
    for number, label in enumerate((19, 20, 21), start=1):
        _same_points(_points(volume.array == number, volume.affine), one.labels, label)


def _points(inside, lps_affine):
    return np.argwhere(inside) @ lps_affine[:3, :3].T + lps_affine[:3, 3]


def _same_points(points_lps, labels, label):
    """The voxels of a label are the same points in space, whatever the order of the arrays."""
    expected = np.argwhere(labels.array == label) @ labels.affine[:3, :3].T + labels.affine[:3, 3]
    expected = expected * [-1, -1, 1]
    assert len(points_lps) == len(expected)
    order = [np.lexsort(np.round(points, 2).T) for points in (points_lps, expected)]
    np.testing.assert_allclose(points_lps[order[0]], expected[order[1]], atol=2e-2)


@pytest.mark.parametrize("orientation", ["HFS", "feet first", "oblique", "sagittal"])
def test_dcmqi_reads_every_voxel_back(tmp_path, cases, written, tool, orientation):
    path = written(orientation) / "segmentation.dcm"
    rc, said = tool(
        "segimage2itkimage", "--inputDICOM", path, "--outputDirectory", tmp_path, "-t", "nii"
    )
    assert rc == 0, said
    for number, label in enumerate((19, 20, 21), start=1):
        image = nib.load(tmp_path / f"{number}.nii.gz")
        points = _points(np.asarray(image.dataobj) > 0, np.diag([-1, -1, 1, 1]) @ image.affine)
        _same_points(points, cases(orientation).labels, label)


@pytest.mark.parametrize("orientation", ["HFS", "oblique", "tilted", "frames"])
def test_pydicom_finds_each_frame_on_its_source_slice(cases, written, orientation):
    one = cases(orientation)
    found = pydicom.dcmread(written(orientation) / "segmentation.dcm")
    where = {(r.sop_instance_uid, r.frame): k for k, r in enumerate(one.references.slices)}
    pixels = found.pixel_array
    for frame, plane in zip(found.PerFrameFunctionalGroupsSequence, pixels, strict=True):
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        number = source.get("ReferencedFrameNumber")
        k = where[source.ReferencedSOPInstanceUID, number if number is None else int(number)]
        label = 18 + frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        np.testing.assert_array_equal(plane, label == one.labels.array[:, :, k].T)


def test_a_tilted_gantry_keeps_its_positions(cases, written):
    """Each frame of segmentation and map lies where its source slice lies: sheared, as scanned."""
    one = cases("tilted")
    where = {h.SOPInstanceUID: h.ImagePositionPatient for h in one.references.headers}
    for name in ("segmentation", "evidence"):
        found = pydicom.dcmread(written("tilted") / f"{name}.dcm")
        for frame in found.PerFrameFunctionalGroupsSequence:
            source = frame.DerivationImageSequence[0].SourceImageSequence[0]
            corner = frame.PlanePositionSequence[0].ImagePositionPatient
            expected = where[source.ReferencedSOPInstanceUID]
            np.testing.assert_allclose(corner, expected, atol=1e-3)


def test_segments_carry_the_codes_of_their_level(written):
    found = hd.seg.segread(written() / "segmentation.dcm")
    one = found.get_segment_description(2)
    assert one.segmented_property_type.value == "66794005"
    assert one.segmented_property_category.value == "91723000"


def test_other_bones_stay_out_and_an_empty_mask_makes_none(cases, result):
    one = cases("HFS")
    sacrum = one.labels.array.copy()
    sacrum[sacrum == 19] = 26
    made = segmentation(context_of(result()), LabelMap(sacrum, one.labels.affine))
    assert [d.SegmentLabel for d in made.SegmentSequence] == ["L1", "L2"]
    empty = LabelMap(np.zeros_like(sacrum), one.labels.affine)
    assert segmentation(context_of(result()), empty) is None
