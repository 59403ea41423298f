"""One file: what is read of it, and why some files can not be part of a CT volume."""

import io

import numpy as np
import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom_header import HEAD_BYTES, looks_like_dicom, read_header
from spinexplain.io.quiet import quiet_dicom


def header_of(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    with quiet_dicom():
        return read_header(stream, 3, "I3")


def test_a_classic_slice(dicom):
    series = dicom.volume()
    series.slope, series.intercept, series.signed, series.bits = 2.0, -2048.0, True, 12
    header = header_of(dicom.slice(series, 1))
    assert (header.kind, header.is_ct, header.problem) == ("CT Image Storage", True, "")
    assert (header.source, header.series_uid, header.series_number) == (3, "1.2.3.4", "2")
    (item,) = header.slices
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
    slices = header_of(dataset).slices
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
        ("ImagePositionPatient", None, "no usable image position"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "perpendicular"),
        ("ImageOrientationPatient", [2, 0, 0, 0, 1, 0], "perpendicular"),
        ("PixelSpacing", [0, 1], "zero or less"),
        ("PixelSpacing", [1], "no usable image pixel spacing"),
        ("RescaleSlope", 0, "rescale"),
        ("RescaleType", "Z_EFF", "values in Z_EFF, expected HU"),
    ],
)
def test_why_a_file_is_no_ct_slice(dicom, keyword, value, problem):
    dataset = dicom.slice(dicom.volume(), 0)
    setattr(dataset, keyword, value)
    header = header_of(dataset)
    assert problem in header.problem
    assert header.slices == ()


def test_a_modality_lookup_table_is_refused(dicom):
    dataset = dicom.slice(dicom.volume(), 0)
    dataset.ModalityLUTSequence = [type(dataset)(None, {})]
    assert "lookup table" in header_of(dataset).problem


def test_descriptions_are_one_short_printable_line(dicom):
    dataset = dicom.slice(dicom.volume(), 0)
    dataset.SeriesDescription = "Spine\r\n\x1b[31m <b>bone</b>\x07 " + 30 * "x"
    assert header_of(dataset).description == "Spine [31m <b>bone</b> " + 30 * "x"


@pytest.mark.parametrize(
    "content", [b"", b"\x08\x00\x05\x00", b"{}" * 200, b"\x1f\x8b" + bytes(200), b"PK\x03\x04" * 60]
)
def test_other_files_are_no_dicom(content):
    assert not looks_like_dicom(content[:HEAD_BYTES])


def test_broken_bytes_after_the_magic_are_named():
    content = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\xff\xff1.2"
    with pytest.raises(FileFormatError, match="IM7: starts like a DICOM file"):
        read_header(io.BytesIO(content), 0, "IM7")
