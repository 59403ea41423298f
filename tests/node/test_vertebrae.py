import sys
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest

from spinexplain.dicom_out.codes import code
from spinexplain.errors import LabelError
from spinexplain.node.settings import VertebraeSettings
from spinexplain.node.vertebrae import find_vertebrae, level_of, read_segmentation
from spinexplain.types import Volume

ONLY_SEGMENTATION = VertebraeSettings(order=("segmentation",))


def test_a_segmentation_comes_back_voxel_for_voxel(ct_series, segmentation_file):
    found = read_segmentation(segmentation_file, ct_series.volume)
    np.testing.assert_array_equal(found.array, ct_series.labels.array)


def test_it_is_found_among_others(tmp_path, ct_series, segmentation_file):
    (tmp_path / "broken.dcm").write_bytes(b"no dicom")
    found = find_vertebrae(
        ct_series.folder,
        ct_series.volume,
        [tmp_path / "broken.dcm", segmentation_file],
        ONLY_SEGMENTATION,
        tmp_path,
    )
    assert (found.array == 20).any()


def test_one_of_another_place_is_none(ct_series, segmentation_file):
    moved = ct_series.volume.affine.copy()
    moved[:3, 3] += 5000
    assert read_segmentation(segmentation_file, Volume(ct_series.volume.array, moved)) is None


def test_one_of_other_organs_is_none(tmp_path, ct_series, segmentation_file):
    dataset = pydicom.dcmread(segmentation_file)
    for segment in dataset.SegmentSequence:
        segment.SegmentLabel = "Liver"
        segment.SegmentedPropertyTypeCodeSequence[0].CodeValue = "10200004"
    dataset.save_as(tmp_path / "liver.dcm")
    assert read_segmentation(tmp_path / "liver.dcm", ct_series.volume) is None


def test_nothing_names_a_vertebra(tmp_path, ct_series):
    with pytest.raises(LabelError, match="no localizer is allowed"):
        find_vertebrae(ct_series.folder, ct_series.volume, [], ONLY_SEGMENTATION, tmp_path)


def test_the_packages_own_localizer_is_left_to_the_grading(tmp_path, ct_series):
    own = VertebraeSettings()
    assert find_vertebrae(ct_series.folder, ct_series.volume, [], own, tmp_path) is None


def test_the_localizer_is_asked_last(tmp_path, ct_series, segmentation_file):
    """The tool of this test fails; it must not be asked where a segmentation is there."""
    config = tmp_path / "tools.toml"
    config.write_text(
        f'[localizers.broken]\ncommand = ["{sys.executable}", "-c", "raise SystemExit(3)"]\n'
        'labels = "out.nii.gz"\nscheme = "verse"\n'
    )
    settings = VertebraeSettings(localizer="broken", localizer_config=config)
    found = find_vertebrae(
        ct_series.folder, ct_series.volume, [segmentation_file], settings, tmp_path
    )
    assert (found.array == 20).any()


@pytest.mark.parametrize(
    ("label", "kind", "level"),
    [
        ("x", code("level", "T7"), "T7"),
        ("vertebrae_L1", None, "L1"),
        ("L2 vertebra", None, "L2"),
        ("t13", None, "T13"),
        ("Liver", None, None),
        ("L9", None, None),
        ("SALT1", None, None),
    ],
)
def test_levels_by_code_or_label(label, kind, level):
    concept = SimpleNamespace(value="1", scheme_designator="SCT")
    if kind is not None:
        concept = SimpleNamespace(value=kind.value, scheme_designator=kind.scheme)
    found = level_of(SimpleNamespace(segment_label=label, segmented_property_type=concept))
    assert (found.value if found else None) == level
