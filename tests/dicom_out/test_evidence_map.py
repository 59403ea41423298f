import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
import pytest

from spinexplain.dicom_out.evidence_map import evidence_map, painted_evidence
from spinexplain.dicom_out.write import context_of

EVERY = ["HFS", "feet first", "prone", "sagittal", "oblique", "thin", "frames"]


def _heat(one):
    explanation = one.findings.vertebrae[1].assessments[0].explanation
    return painted_evidence([explanation], one.volume)


def _by_point(array, affine):
    """Values above zero, ordered by their place in space."""
    index = np.argwhere(array > 1e-6)
    points = np.round(index @ affine[:3, :3].T + affine[:3, 3], 2)
    order = np.lexsort(points.T)
    return points[order], array[tuple(index[order].T)]


def _same_map(array, lps_affine, one):
    points, values = _by_point(array, lps_affine)
    expected = _by_point(_heat(one), np.diag([-1, -1, 1, 1]) @ one.volume.affine)
    assert len(points) == len(expected[0]) > 25
    np.testing.assert_allclose(points, expected[0], atol=3e-2)
    np.testing.assert_allclose(values, expected[1], rtol=1e-6)


def test_the_evidence_of_the_case_is_not_symmetric(cases):
    heat = _heat(cases("HFS"))
    for axis in range(3):
        assert not np.array_equal(heat, np.flip(heat, axis))


@pytest.mark.parametrize("orientation", EVERY)
def test_highdicom_reads_every_voxel_back(cases, written, orientation):
    one = cases(orientation)
    found = hd.imread(written(orientation) / "evidence.dcm")
    volume = found.get_volume(apply_real_world_transform=True)
    assert volume.spatial_shape[0] == one.volume.array.shape[2]
    _same_map(np.asarray(volume.array), volume.affine, one)


@pytest.mark.parametrize("orientation", ["HFS", "feet first", "prone", "sagittal", "oblique"])
def test_dcmqi_does_not_show_it_upside_down(tmp_path, cases, written, tool, orientation):
    path = written(orientation) / "evidence.dcm"
    words = ("--inputDICOM", path, "--outputDirectory", tmp_path, "--prefix", "e", "-t", "nii")
    rc, said = tool("paramap2itkimage", *words)
    assert rc == 0, said
    image = nib.load(tmp_path / "e-pmap.nii.gz")
    _same_map(np.asarray(image.dataobj), np.diag([-1, -1, 1, 1]) @ image.affine, cases(orientation))


@pytest.mark.parametrize("orientation", ["HFS", "feet first", "oblique"])
def test_frames_ascend_along_their_normal(written, orientation):
    found = pydicom.dcmread(written(orientation) / "evidence.dcm")
    frames = found.PerFrameFunctionalGroupsSequence
    shared = found.SharedFunctionalGroupsSequence[0]
    axes = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3))
    corners = np.array([f.PlanePositionSequence[0].ImagePositionPatient for f in frames], float)
    assert np.all(np.diff(corners @ np.cross(*axes.astype(float))) > 0)
    numbers = [np.ravel(f.FrameContentSequence[0].DimensionIndexValues)[-1] for f in frames]
    assert numbers == list(range(1, len(frames) + 1))


def test_a_large_map_is_cut_to_the_slices_with_evidence(cases, result, tmp_path):
    one = cases("oblique")
    made = evidence_map(context_of(result("oblique")), _heat(one), full_grid_bytes=1000)
    assert made.NumberOfFrames < one.volume.array.shape[2]
    made.save_as(tmp_path / "cut.dcm")
    volume = hd.imread(tmp_path / "cut.dcm").get_volume(apply_real_world_transform=True)
    _same_map(np.asarray(volume.array), volume.affine, one)


def test_overlapping_pieces_keep_the_larger_value(cases):
    one = cases("HFS")
    explanations = [item.assessments[0].explanation for item in one.findings.vertebrae[:2]]
    both = painted_evidence(explanations, one.volume)
    single = [painted_evidence([e], one.volume) for e in explanations]
    np.testing.assert_array_equal(both, np.maximum(*single))


def test_without_evidence_there_is_no_map(cases):
    assert painted_evidence([], cases("HFS").volume) is None


def test_it_says_what_it_is(written):
    found = pydicom.dcmread(written() / "evidence.dcm")
    assert found.ContentQualification == "RESEARCH"
    mapping = found.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "130402"
