"""One file: what is read of it, and what is no DICOM."""

import io

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


def test_a_file_of_one_slice(dicom):
    header = header_of(dicom.slice(dicom.volume(), 1))
    assert (header.kind, header.is_ct, header.problem) == ("CT Image Storage", True, "")
    assert (header.source, header.series_uid, header.series_number) == (3, "1.2.3.4", "2")
    assert len(header.slices) == 1


def test_a_file_without_slices_says_why(dicom):
    dataset = dicom.slice(dicom.volume(), 0)
    dataset.Modality = "MR"
    header = header_of(dataset)
    assert (header.slices, header.problem) == ((), "modality MR, expected CT")


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
