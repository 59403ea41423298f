"""The slices of one file, and why some cannot be part of a CT volume."""

import numpy as np
import pytest

from spinexplain.io.dicom_slices import UnusableError, slices_of
from spinexplain.io.quiet import quiet_dicom


def read(dataset):
    with quiet_dicom():
        return slices_of(dataset, 3, str(dataset.Modality))


def test_a_classic_slice(dicom):
    series = dicom.volume()
    series.slope, series.intercept, series.signed, series.bits = 2.0, -2048.0, True, 12
    (item,) = read(dicom.slice(series, 1))
    assert (item.source, item.frame) == (3, 0)
    np.testing.assert_allclose(item.position_mm, [-100.0, -80.0, -298.0])
    assert item.orientation == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert item.pixel_spacing_mm == (0.8, 0.7)
    assert (item.rows, item.columns) == (6, 7)
    assert (item.slope, item.intercept, item.stored_range) == (2.0, -2048.0, (-2048, 2047))
    assert not item.localizer


def test_frames_take_their_own_groups_before_the_shared_ones(dicom):
    series = dicom.volume()
    dataset = dicom.enhanced(series, [4, 0, 1])
    frame_type = type(dataset)(None, {})
    frame_type.FrameType = ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]
    dataset.PerFrameFunctionalGroupsSequence[1].CTImageFrameTypeSequence = [frame_type]
    slices = read(dataset)
    assert [item.frame for item in slices] == [0, 1, 2]
    assert [item.position_mm[2] for item in slices] == [-292.0, -300.0, -298.0]
    assert [item.localizer for item in slices] == [False, True, False]


@pytest.mark.parametrize(
    ("keyword", "value", "problem"),
    [
        ("Modality", "MR", "modality MR, expected CT"),
        ("Modality", "", "modality missing"),
        ("Rows", 0, "no image"),
        ("Columns", 9000, "6 x 9000 pixels, expected at most 8192"),
        ("SamplesPerPixel", 3, "color"),
        ("NumberOfFrames", 2, "several frames without their positions"),
        ("ImagePositionPatient", None, "an empty Image Position Patient"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "perpendicular"),
        ("ImageOrientationPatient", [2, 0, 0, 0, 1, 0], "perpendicular"),
        ("PixelSpacing", [0, 1], "zero or less"),
        ("PixelSpacing", [1], "Pixel Spacing '1.0', expected 2 numbers"),
        ("RescaleSlope", 0, "rescale"),
        ("RescaleType", "Z_EFF", "values in Z_EFF, expected HU"),
    ],
)
def test_why_a_file_is_no_ct_slice(dicom, keyword, value, problem):
    dataset = dicom.slice(dicom.volume(), 0)
    setattr(dataset, keyword, value)
    with pytest.raises(UnusableError, match=problem):
        read(dataset)


def test_a_modality_lookup_table_is_refused(dicom):
    dataset = dicom.slice(dicom.volume(), 0)
    dataset.ModalityLUTSequence = [type(dataset)(None, {})]
    with pytest.raises(UnusableError, match="lookup table"):
        read(dataset)


@pytest.mark.parametrize(
    "keyword",
    [
        "PixelRepresentation",
        "BitsAllocated",
        "BitsStored",
        "SamplesPerPixel",
        "PhotometricInterpretation",
    ],
)
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_what_decoders_need_is_named_where_it_is_not_there(dicom, keyword, how):
    dataset = dicom.slice(dicom.volume(), 1)
    if how == "missing":
        delattr(dataset, keyword)
    else:
        dataset[keyword].value = None
    spoken = "".join(f" {c}" if c.isupper() else c for c in keyword).strip()
    with pytest.raises(UnusableError, match=f"no {spoken}, which says"):
        read(dataset)
